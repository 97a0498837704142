/**
 * Starting executions: at once by the engine of this process if it serves the task queue, else through the store.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Start } from "../../core/family/Execution.js"
import type { Headers } from "../../core/Headers.js"
import { none as noHeaders } from "../../core/Headers.js"
import { Limits } from "../../core/Limits.js"
import * as Messages from "../../core/Message.js"
import * as Succession from "../../core/Succession.js"
import { headersOf } from "../../dsl/Call.js"
import type { StartError, StartOptions as Options } from "../../dsl/Client.js"
import { ContractError } from "../../dsl/Contract.js"
import { overrideOf } from "../../dsl/Deployments.js"
import { through } from "../../dsl/Hooks.js"
import * as Notes from "../../dsl/Notes.js"
import * as Terms from "../../dsl/Terms.js"
import type * as Workflow from "../../dsl/Workflow.js"
import type { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import { WorkflowAlreadyStarted } from "../../dsl/WorkflowFailure.js"
import type { CreateOptions, NewMail, NewRun } from "../../persistence/Store.js"
import type { Letter, Settled } from "../execution/Item.js"
import * as Successor from "../execution/Successor.js"
import * as Flags from "../interpreter/Flags.js"
import { make as newRunId } from "../RunIds.js"
import type { Calls } from "./Calls.js"
import { unavailable } from "./Calls.js"
import { ending, imposed } from "./Removing.js"

/** @since 0.1.0 */
export type StartOptions = Options & Notes.Given

/** @since 0.1.0 */
export interface Started {
  readonly workflowId: string
  readonly runId: string
  /** The first run of its chain. */
  readonly chain: string
}

/** What goes into the commit, or the transaction, that creates the run. */
interface Along {
  readonly letters: ReadonlyArray<Letter>
  readonly mail: ReadonlyArray<NewMail>
}

type Begun =
  /** A new run, or that of an earlier start with the same request. */
  | { readonly _tag: "Begun"; readonly runId: string }
  /** An open run that the start leaves be: what goes along with it is not there yet. */
  | { readonly _tag: "Running"; readonly runId: string }
  /** Not the last run that was seen: look again. */
  | { readonly _tag: "Changed" }

const idRule = `must have 1 to ${Limits.identifierCharsMax} characters`

/** Ids are index keys: they have a bound. @since 0.1.0 */
export const checkId = (subject: string, id: string): ContractError | undefined =>
  id.length === 0 || id.length > Limits.identifierCharsMax ? new ContractError({ subject, reason: idRule }) : undefined

/**
 * Starts a run, or finds the one that the policies give in its place; succeeds once it cannot be lost any more.
 *
 * @since 0.1.0
 */
export const start = (
  calls: Calls,
  workflow: Workflow.Any,
  payload: unknown,
  options: StartOptions
): Effect.Effect<Started, StartError> =>
  through(
    calls.hooks.start,
    callOf(workflow, payload, options),
    (call) => starting(calls, workflow, call)
  )

/** A start as interceptors see it. @since 0.1.0 */
export interface Call {
  readonly workflow: string
  readonly payload: unknown
  readonly options: StartOptions
  readonly headers: Headers
}

/** @since 0.1.0 */
export const callOf = ({ name: workflow }: Workflow.Any, payload: unknown, options: StartOptions): Call => ({
  workflow,
  payload,
  options,
  headers: noHeaders
})

const starting = (calls: Calls, workflow: Workflow.Any, call: Call): Effect.Effect<Started, StartError> => {
  const { options } = call
  return Effect.flatMap(
    prepare(calls, workflow, call),
    ({ message, run }) =>
      Effect.flatMap(
        begin(calls, run, message, options),
        (begun): Effect.Effect<Started, StartError> =>
          begun._tag === "Running" && options.idConflict !== "UseExisting"
            ? exists(run, begun.runId)
            : started(calls, run, begun.runId)
      )
  )
}

/** The run that a start gave: the one that it made, or another one of its workflow id. @since 0.1.0 */
export const started = (calls: Calls, made: NewRun, runId: string): Effect.Effect<Started, StoreUnavailable> => {
  const { workflowId } = made
  if (runId === made.runId) return Effect.succeed({ workflowId, runId, chain: runId })
  return Effect.map(
    calls.of("start", calls.store.findRun(runId)),
    // Deleted meanwhile: the handle will say so.
    (found) => ({ workflowId, runId, chain: Option.isSome(found) ? found.value.firstRunId : runId })
  )
}

/** The run that is to be created, and the message that starts it. @since 0.1.0 */
export const prepare = (
  calls: Calls,
  workflow: Workflow.Any,
  { headers, options, payload }: Call
): Effect.Effect<{ readonly run: NewRun; readonly message: Start }, ContractError> =>
  Effect.suspend(() => {
    const encoded = workflow.codecs.payload.encode(payload)
    if (Either.isLeft(encoded)) return Effect.fail(encoded.left)
    const said = Notes.encode(workflow, options)
    if (Either.isLeft(said)) return Effect.fail(said.left)
    const field = headersOf(`start of workflow ${workflow.name}`, headers)
    if (Either.isLeft(field)) return Effect.fail(field.left)
    const own = (workflow as Partial<{ options: Workflow.WorkflowOptions<unknown> }>).options
    const workflowId = options.workflowId ?? own?.idempotencyKey?.(payload) ?? newRunId()
    const taskQueue = options.taskQueue ?? calls.engine?.options.taskQueue ?? "default"
    const refused = checkId("workflowId", workflowId) ?? checkId("taskQueue", taskQueue) ??
      (options.requestId === undefined ? undefined : checkId("requestId", options.requestId))
    if (refused !== undefined) return Effect.fail(refused)
    const now = calls.now()
    const terms = Terms.of(options, own, now)
    if (Either.isLeft(terms)) return Effect.fail(terms.left)
    const message = Succession.first(
      {
        workflow: workflow.name,
        workflowId,
        taskQueue,
        ...Flags.stamp(),
        ...said.right,
        ...field.right,
        ...(options.versioning === undefined ? {} : { override: overrideOf(options.versioning) }),
        ...(encoded.right === undefined ? {} : { input: encoded.right })
      },
      terms.right,
      now
    )
    return Effect.succeed({ run: Successor.rowOf(newRunId(), message, now), message })
  })

/**
 * Creates the run with all that goes along with it: by the engine of this process where it hosts the workflow, and
 * nothing but an open run may stand in the way; else by the store, which looks at the other runs in one with it.
 *
 * @since 0.1.0
 */
export const begin = (
  calls: Calls,
  run: NewRun,
  message: Start,
  options: StartOptions,
  along: Along = nothing
): Effect.Effect<Exclude<Begun, { readonly _tag: "Changed" }>, StartError> => {
  // It is asked for no last run: none is seen to be another one.
  const byStore = beginInStore(calls, run, message, options, { mail: along.mail }) as ReturnType<typeof begin>
  const { engine } = calls
  const plain = (options.idReuse ?? "AllowDuplicate") === "AllowDuplicate" &&
    options.idConflict !== "TerminateExisting" && options.requestId === undefined && message.startAt === undefined
  if (!plain || engine === undefined || !engine.takes(run)) return byStore
  return Effect.flatMap(
    Effect.async<Settled>((resume) =>
      engine.start(run, message, (settled) => resume(Effect.succeed(settled)), along.letters)
    ),
    (settled): ReturnType<typeof begin> => {
      switch (settled._tag) {
        case "AlreadyRunning":
          return Effect.succeed({ _tag: "Running", runId: settled.runId })
        case "Trouble":
          return Effect.fail(unavailable("start", settled.error))
        // Nothing of it was written: the worker lost its lease, or shuts down.
        case "Moved":
        case "Dropped":
          return byStore
        default:
          return Effect.succeed({ _tag: "Begun", runId: run.runId })
      }
    }
  )
}

/** Creates the run by the store: one transaction looks at the other runs of its id, and writes. @since 0.1.0 */
export const beginInStore = (
  calls: Calls,
  run: NewRun,
  message: Start,
  options: StartOptions,
  along: Pick<CreateOptions, "mail" | "last">
): Effect.Effect<Begun, StartError> => {
  const replaced = ending("replaced by another start of its workflow id")
  return Effect.flatMap(
    calls.of(
      "start",
      calls.store.create(run, { runId: run.runId, kind: "Start", body: Messages.encode(message) }, {
        ...along,
        reuse: options.idReuse === "AllowDuplicate" ? undefined : options.idReuse,
        terminate: options.idConflict === "TerminateExisting"
          ? imposed(replaced)
          : undefined,
        requestId: options.requestId
      })
    ),
    (created): Effect.Effect<Begun, StartError> => {
      switch (created._tag) {
        case "Created":
          if (created.terminated !== undefined) calls.engine?.terminated(created.terminated, replaced)
          return Effect.succeed({ _tag: "Begun", runId: run.runId })
        case "Known":
          return Effect.succeed({ _tag: "Begun", runId: created.runId })
        case "AlreadyRunning":
          // Its own run: it was written after all.
          return Effect.succeed({ _tag: created.runId === run.runId ? "Begun" : "Running", runId: created.runId })
        case "Refused":
          return exists(run, created.runId, true)
        case "Changed":
          return Effect.succeed(created)
      }
    }
  )
}

const nothing: Along = { letters: [], mail: [] }

const exists = ({ workflow, workflowId }: NewRun, runId: string, closed?: true) =>
  Effect.fail(
    new WorkflowAlreadyStarted({ workflow, workflowId, runId, ...(closed === undefined ? {} : { closed }) })
  )
