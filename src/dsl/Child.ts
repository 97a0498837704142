/**
 * Children: a workflow started and awaited by the body of another one, in the way of an activity (rows K1 to K7).
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ChildCancellationType, ChildEnd, ChildStartFailed } from "../core/family/Child.js"
import * as Children from "../core/family/Child.js"
import type { ParentClosePolicy } from "../core/family/Execution.js"
import type { Headers } from "../core/Headers.js"
import { none as noHeaders } from "../core/Headers.js"
import type { PayloadArgument } from "./Call.js"
import { headersOf, refusedId } from "./Call.js"
import { ChildWorkflowError } from "./ChildWorkflowError.js"
import type { Any } from "./Codecs.js"
import { ContractError } from "./Contract.js"
import * as External from "./External.js"
import { through } from "./Hooks.js"
import type { NotesGiven } from "./Notes.js"
import * as Notes from "./Notes.js"
import * as Place from "./Place.js"
import * as Terms from "./Terms.js"
import type { ChildCall } from "./WorkflowContext.js"
import { WorkflowContext } from "./WorkflowContext.js"
import type { WorkflowClosed, WorkflowNotFound } from "./WorkflowFailure.js"
import { WorkflowAlreadyStarted } from "./WorkflowFailure.js"

/**
 * Options of a child's start.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChildOptions extends Terms.Begin {
  /** What becomes of it when the parent's run closes before it does. Default "Terminate" (row K4). */
  readonly parentClosePolicy?: ParentClosePolicy | undefined
  /** What interrupting the awaiting fiber does. Default "WaitCancellationCompleted" (row K5). */
  readonly cancellation?: ChildCancellationType | undefined
}

/**
 * A child that was started and is awaited apart.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChildHandle<out Success, out Error, in out Signals> {
  readonly workflowId: string
  /** Its first run. */
  readonly runId: string
  /** Its outcome, that of the last run of its chain (row K3). Interrupting this wait does not cancel it. */
  readonly result: Effect.Effect<Success, Error | ChildWorkflowError, WorkflowContext>
  /** Returns once the signal is in its mailbox; fails where it is closed already (row K9). */
  readonly signal: <K extends keyof Signals & string>(
    name: K,
    ...args: PayloadArgument<Signals[K]>
  ) => Effect.Effect<void, WorkflowNotFound | WorkflowClosed, WorkflowContext>
  /** Asks for its cancellation, which `result` shows by its cancellation type. */
  readonly cancel: (reason?: string) => Effect.Effect<void, never, WorkflowContext>
}

/** What a definition gives the bodies of others. @since 0.1.0 */
export interface Calls<in out Payload, out Success, out Error, in out Signals, in Memo = {}, in Attributes = {}> {
  /**
   * Starts a child and waits for its outcome.
   *
   * Its declared errors arrive as themselves, every other end as `ChildWorkflowError`; an open execution of the same
   * workflow id, or a closed one that `idReuse` does not allow another one after, as `WorkflowAlreadyStarted` (row K2). No worker of this process need host it: on a queue that nobody
   * serves it stays pending, and can be canceled (row K6).
   */
  readonly execute: (
    ...args: PayloadArgument<Payload, ChildOptions & NotesGiven<Memo, Attributes>>
  ) => Effect.Effect<Success, Error | ChildWorkflowError | WorkflowAlreadyStarted, WorkflowContext>
  /**
   * Starts a child, and gives its handle once it is started. Interrupting it from then on does nothing to the child
   * (row K7).
   */
  readonly start: (
    ...args: PayloadArgument<Payload, ChildOptions & NotesGiven<Memo, Attributes>>
  ) => Effect.Effect<ChildHandle<Success, Error, Signals>, WorkflowAlreadyStarted, WorkflowContext>
}

/** What of a definition its calls need. @since 0.1.0 */
export interface Definition extends Any {
  readonly options: Terms.Options & { readonly idempotencyKey?: ((payload: never) => string) | undefined }
}

/**
 * The calls of a definition, in their erased form.
 *
 * @category constructors
 * @since 0.1.0
 */
export const callsOf = (definition: Definition) => {
  const { codecs, name } = definition
  const call = ({ headers, options, payload }: Given): Either.Either<ChildCall, ContractError> => {
    const encoded = codecs.payload.encode(payload)
    if (Either.isLeft(encoded)) return Either.left(encoded.left)
    const said = Notes.encode(definition, options)
    if (Either.isLeft(said)) return Either.left(said.left)
    const { cancellation, idReuse, parentClosePolicy, taskQueue } = options
    const given = options.workflowId ?? definition.options.idempotencyKey?.(payload as never)
    const refused = refusedId("workflowId", given) ?? refusedId("taskQueue", taskQueue)
    if (refused !== undefined) {
      return Either.left(new ContractError({ subject: `child workflow ${name}`, reason: refused }))
    }
    const terms = Terms.of(options, definition.options)
    if (Either.isLeft(terms)) return Either.left(terms.left)
    const field = headersOf(`child workflow ${name}`, headers)
    if (Either.isLeft(field)) return Either.left(field.left)
    const input = encoded.right
    return Either.right((seq, parentRunId) => ({
      _tag: "ChildStartRequested",
      seq,
      workflow: name,
      workflowId: given ?? Children.defaultWorkflowId(parentRunId, seq),
      ...(input === undefined ? {} : { input }),
      ...field.right,
      ...(taskQueue === undefined ? {} : { taskQueue }),
      ...terms.right,
      ...said.right,
      ...(idReuse === undefined || idReuse === "AllowDuplicate" ? {} : { reuse: idReuse }),
      ...(parentClosePolicy === undefined || parentClosePolicy === "Terminate"
        ? {}
        : { parentClose: parentClosePolicy }),
      ...(cancellation === undefined || cancellation === "WaitCancellationCompleted" ? {} : { cancellation })
    }))
  }

  const end = (
    context: Context.Tag.Service<typeof WorkflowContext>,
    workflowId: string,
    outcome: ChildEnd
  ): Effect.Effect<unknown, unknown> => {
    if (outcome._tag === "ChildCompleted") {
      const value = codecs.success.decode(outcome.result)
      return Either.isLeft(value) ? context.unreadable(outcome, value.left) : Effect.succeed(value.right)
    }
    return Effect.fail(errorOf(definition, workflowId, outcome))
  }

  const taken = (workflowId: string, { closed, existing }: ChildStartFailed) =>
    new WorkflowAlreadyStarted({
      workflow: name,
      workflowId,
      ...(existing === undefined ? {} : { runId: existing }),
      ...(closed === undefined ? {} : { closed })
    })

  const execute = (payload?: unknown, options: Options = {}) => {
    const place = Place.capture(execute)
    return Effect.flatMap(
      WorkflowContext,
      (context) =>
        through(context.hooks.executeChild, { workflow: name, payload, options, headers: noHeaders }, (given) => {
          const made = call(given)
          if (Either.isLeft(made)) return Effect.die(made.left)
          return Effect.flatMap(
            context.executeChild(made.right, place),
            ({ outcome, workflowId }): Effect.Effect<unknown, unknown> =>
              outcome._tag === "ChildStartFailed"
                ? Effect.fail(taken(workflowId, outcome))
                : end(context, workflowId, outcome)
          )
        })
    )
  }

  const start = (payload?: unknown, options: Options = {}) => {
    const place = Place.capture(start)
    return Effect.flatMap(
      WorkflowContext,
      (context) =>
        through(context.hooks.startChild, { workflow: name, payload, options, headers: noHeaders }, (given) => {
          const made = call(given)
          if (Either.isLeft(made)) return Effect.die(made.left)
          return Effect.flatMap(context.startChild(made.right, place), ({ started, workflowId }) => {
            if (started._tag === "ChildStartFailed") return Effect.fail(taken(workflowId, started))
            const target = { workflowId, child: started.seq }
            return Effect.succeed({
              workflowId,
              runId: started.runId,
              result: Effect.flatMap(started.await, (outcome) => end(context, workflowId, outcome)),
              signal: External.signaling({ workflow: definition, target }),
              cancel: (reason = "") => started.cancel(reason)
            })
          })
        })
    )
  }

  return { execute, start }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type Options = ChildOptions & Notes.Given

interface Given {
  readonly payload: unknown
  readonly options: Options
  readonly headers: Headers
}

/** What the body sees of a failure: the declared error itself, or a ChildWorkflowError. */
const errorOf = (
  { codecs, name }: Definition,
  workflowId: string,
  outcome: Exclude<ChildEnd, { readonly _tag: "ChildCompleted" }>
): unknown => {
  const { runId } = outcome
  const ended = { workflow: name, workflowId, runId }
  const because = (what: string, reason: string) => reason === "" ? what : `${what}: ${reason}`
  switch (outcome._tag) {
    case "ChildCanceled":
      return new ChildWorkflowError({
        ...ended,
        retryState: "CancelRequested",
        failure: { _tag: "Canceled", message: because("canceled", outcome.reason) }
      })
    case "ChildTerminated":
      return new ChildWorkflowError({
        ...ended,
        retryState: "NonRetryableFailure",
        failure: { _tag: "Terminated", message: because("terminated", outcome.reason) }
      })
    case "ChildFailed":
    case "ChildTimedOut": {
      const { failure, retryState } = outcome
      if (failure._tag === "Declared") {
        const decoded = codecs.error.decode(failure.error)
        // A declared error that no longer decodes is shown as it was recorded, not lost.
        if (Either.isRight(decoded)) return decoded.right
      }
      return new ChildWorkflowError({ ...ended, retryState, failure })
    }
  }
}
