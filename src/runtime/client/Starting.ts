/**
 * Starting executions: at once by the engine of this process if it serves the task queue, else through the store.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { v7 as uuidv7 } from "uuid"
import type { Start } from "../../core/family/Execution.js"
import { Limits } from "../../core/Limits.js"
import * as Messages from "../../core/Message.js"
import type { StartError } from "../../dsl/Client.js"
import { ContractError } from "../../dsl/Contract.js"
import type * as Workflow from "../../dsl/Workflow.js"
import type { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import { WorkflowAlreadyStarted } from "../../dsl/WorkflowFailure.js"
import type { NewRun } from "../../persistence/Store.js"
import type { Settled } from "../execution/Item.js"
import * as Flags from "../interpreter/Flags.js"
import type { Calls } from "./Calls.js"
import { unavailable } from "./Calls.js"

/** @since 0.1.0 */
export interface StartOptions {
  readonly workflowId?: string | undefined
  readonly taskQueue?: string | undefined
}

/** A copy in one piece: as the library joins them, an id is some thirty strings in memory. */
const newId = (): string => Buffer.from(uuidv7(), "latin1").toString("latin1")

const idRule = `must have 1 to ${Limits.identifierCharsMax} characters`

/** Ids are index keys: they have a bound. @since 0.1.0 */
export const checkId = (subject: string, id: string): ContractError | undefined =>
  id.length === 0 || id.length > Limits.identifierCharsMax ? new ContractError({ subject, reason: idRule }) : undefined

/**
 * Starts a run; succeeds with it once it cannot be lost any more.
 *
 * @since 0.1.0
 */
export const start = (
  calls: Calls,
  workflow: Workflow.Any,
  payload: unknown,
  options: StartOptions
): Effect.Effect<NewRun, StartError> =>
  Effect.suspend((): Effect.Effect<NewRun, StartError> => {
    const encoded = workflow.codecs.payload.encode(payload)
    if (Either.isLeft(encoded)) return Effect.fail(encoded.left)
    const { engine } = calls
    const key = (workflow as Partial<{ options: Workflow.WorkflowOptions<unknown> }>).options?.idempotencyKey
    const workflowId = options.workflowId ?? key?.(payload) ?? newId()
    const taskQueue = options.taskQueue ?? engine?.options.taskQueue ?? "default"
    const refused = checkId("workflowId", workflowId) ?? checkId("taskQueue", taskQueue)
    if (refused !== undefined) return Effect.fail(refused)
    const run: NewRun = { runId: newId(), workflowId, workflow: workflow.name, taskQueue, startedAt: calls.now() }
    const message: Start = {
      _tag: "Start",
      workflow: workflow.name,
      workflowId,
      taskQueue,
      ...Flags.stamp(),
      ...(encoded.right === undefined ? {} : { input: encoded.right })
    }
    const exists = (runId: string) =>
      Effect.fail(new WorkflowAlreadyStarted({ workflow: workflow.name, workflowId, runId }))
    const byStore = () =>
      Effect.flatMap(
        calls.of(
          "start",
          calls.store.create(run, { runId: run.runId, kind: "Start", body: Messages.encode(message) })
        ),
        (created) =>
          // Its own run: it was written after all.
          created._tag === "Created" || created.runId === run.runId ? Effect.succeed(run) : exists(created.runId)
      )
    if (engine === undefined || !engine.serves(workflow.name, taskQueue)) return byStore()
    return Effect.flatMap(
      Effect.async<Settled>((resume) => engine.start(run, message, (settled) => resume(Effect.succeed(settled)))),
      (settled): Effect.Effect<NewRun, WorkflowAlreadyStarted | StoreUnavailable> => {
        switch (settled._tag) {
          case "AlreadyRunning":
            return exists(settled.runId)
          case "Trouble":
            return Effect.fail(unavailable("start", settled.error))
          // Nothing of it was written: the worker lost its lease, or shuts down.
          case "Moved":
          case "Dropped":
            return byStore()
          default:
            return Effect.succeed(run)
        }
      }
    )
  })
