/**
 * Starting executions: at once by the engine of this process if it serves the task queue, else through the store.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { Limits } from "../../core/Limits.js"
import * as Messages from "../../core/Message.js"
import type * as RetryPolicy from "../../core/RetryPolicy.js"
import * as Succession from "../../core/Succession.js"
import type { StartError } from "../../dsl/Client.js"
import { ContractError } from "../../dsl/Contract.js"
import * as Notes from "../../dsl/Notes.js"
import * as Terms from "../../dsl/Terms.js"
import type * as Workflow from "../../dsl/Workflow.js"
import type { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import { WorkflowAlreadyStarted } from "../../dsl/WorkflowFailure.js"
import type { NewRun } from "../../persistence/Store.js"
import type { Settled } from "../execution/Item.js"
import * as Successor from "../execution/Successor.js"
import * as Flags from "../interpreter/Flags.js"
import { make as newRunId } from "../RunIds.js"
import type { Calls } from "./Calls.js"
import { unavailable } from "./Calls.js"

/** @since 0.1.0 */
export interface StartOptions {
  readonly workflowId?: string | undefined
  readonly taskQueue?: string | undefined
  readonly startDelay?: Duration.DurationInput | undefined
  readonly executionTimeout?: Duration.DurationInput | undefined
  readonly runTimeout?: Duration.DurationInput | undefined
  readonly retry?: RetryPolicy.Options | undefined
  readonly memo?: object | undefined
  readonly searchAttributes?: object | undefined
  readonly summary?: string | undefined
  readonly details?: string | undefined
}

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
    const said = Notes.encode(workflow, options)
    if (Either.isLeft(said)) return Effect.fail(said.left)
    const { engine } = calls
    const own = (workflow as Partial<{ options: Workflow.WorkflowOptions<unknown> }>).options
    const workflowId = options.workflowId ?? own?.idempotencyKey?.(payload) ?? newRunId()
    const taskQueue = options.taskQueue ?? engine?.options.taskQueue ?? "default"
    const refused = checkId("workflowId", workflowId) ?? checkId("taskQueue", taskQueue)
    if (refused !== undefined) return Effect.fail(refused)
    const terms = Terms.of(options, own)
    if (Either.isLeft(terms)) return Effect.fail(terms.left)
    const now = calls.now()
    const message = Succession.first(
      {
        workflow: workflow.name,
        workflowId,
        taskQueue,
        ...Flags.stamp(),
        ...said.right,
        ...(encoded.right === undefined ? {} : { input: encoded.right })
      },
      terms.right,
      now
    )
    const run = Successor.rowOf(newRunId(), message, now)
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
    const held = message.startAt !== undefined
    if (engine === undefined || held || !engine.serves(workflow.name, taskQueue)) return byStore()
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
