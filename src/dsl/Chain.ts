/**
 * Runs that follow each other under one workflow id: continuing as a new run, and what a run knows of those before it.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Failure } from "../core/Failure.js"
import type { Continuation } from "../core/family/Execution.js"
import type { Headers } from "../core/Headers.js"
import { none as noHeaders } from "../core/Headers.js"
import { Limits } from "../core/Limits.js"
import type { Options as RetryOptions } from "../core/RetryPolicy.js"
import * as RetryPolicy from "../core/RetryPolicy.js"
import { headersOf } from "./Call.js"
import type { Any, ErrorOf, PayloadOf, SuccessOf } from "./Codecs.js"
import type { ContractError } from "./Contract.js"
import { through } from "./Hooks.js"
import type { AttributesOf, MemoOf, NotesGiven } from "./Notes.js"
import * as Notes from "./Notes.js"
import { WorkflowContext } from "./WorkflowContext.js"
import { WorkflowFailure } from "./WorkflowFailure.js"

/**
 * What the next run does otherwise than this one; what is not given it takes over.
 *
 * @category models
 * @since 0.1.0
 */
export interface ContinueOptions {
  /** Whose workers run it. */
  readonly taskQueue?: string | undefined
  /** Of that run and those after it. The time of the whole execution keeps counting, and cannot be changed. */
  readonly runTimeout?: Duration.DurationInput | undefined
  readonly retry?: RetryOptions | undefined
  /** Its first turn is held for so long. */
  readonly delay?: Duration.DurationInput | undefined
  /** A run that is pinned is continued on whichever build is current, unless it was pinned by an override (row V6). Default false. */
  readonly upgrade?: boolean | undefined
}

/** Memo and search attributes that are given take the place of all that this run has (rows W12, W13). @since 0.1.0 */
export type ContinueOptionsOf<W> = ContinueOptions & NotesGiven<MemoOf<W>, AttributesOf<W>>

type PayloadArgument<P, Options> = [P] extends [void] ? [payload?: P, options?: Options]
  : [payload: P, options?: Options]

/**
 * Ends this run and starts the next one of its chain, with a history of its own: the same workflow id, a new run id, and
 * the given payload (row K10). Never returns. For runs that live long: continue when `Workflow.info` suggests it.
 *
 * The program is interrupted: its finalizers and scopes run first, its compensations do not. Handlers in progress are
 * left as at any end; wait for `Workflow.allHandlersFinished` first. Signals that arrive meanwhile undo the end and are
 * handled first; updates that no turn has seen move to the new run. Both runs change places in one commit.
 *
 * The workflow is usually the body's own, and may be another one: then callers who wait for the result get that one's.
 * May be called in the run and in signal handlers. In an update handler it fails the turn, since the update's caller waits
 * for an answer; likewise in queries and validators. A payload that its schema refuses fails the turn.
 *
 * @category combinators
 * @since 0.1.0
 */
export const continueAsNew = <W extends Any>(
  workflow: W,
  ...[payload, given]: PayloadArgument<PayloadOf<W>, ContinueOptionsOf<W>>
): Effect.Effect<never, never, WorkflowContext> =>
  Effect.flatMap(WorkflowContext, (context) => {
    const hook = context.hooks.continueAsNew
    const options: Options = given ?? {}
    if (hook === undefined) return continuing(context, workflow, { payload, options })
    return Effect.flatMap(context.info, ({ headers }) =>
      through(hook, { workflow: workflow.name, payload, options, headers }, (call) =>
        continuing(context, workflow, call)))
  })

type Options = ContinueOptions & Pick<Notes.Given, "memo" | "searchAttributes">

/** Without headers the next run has those of this one. */
const continuing = (
  context: Context.Tag.Service<typeof WorkflowContext>,
  workflow: Any,
  { headers, options, payload }: {
    readonly payload: unknown
    readonly options: Options
    readonly headers?: Headers
  }
): Effect.Effect<never> =>
  Effect.suspend(() => {
    const encoded = workflow.codecs.payload.encode(payload)
    if (Either.isLeft(encoded)) return Effect.die(encoded.left)
    const checked = headersOf(`continuation as workflow ${workflow.name}`, headers ?? noHeaders)
    if (Either.isLeft(checked)) return Effect.die(checked.left)
    const { delay, memo, retry, runTimeout, searchAttributes, taskQueue, upgrade } = options
    const said = Notes.encode(workflow, { memo, searchAttributes })
    if (Either.isLeft(said)) return Effect.die(said.left)
    const continuation: Continuation = {
      workflow: workflow.name,
      ...(encoded.right === undefined ? {} : { input: encoded.right }),
      ...(headers === undefined ? {} : { headers }),
      ...(taskQueue === undefined ? {} : { taskQueue }),
      ...(delay === undefined ? {} : { delayMillis: millis(delay) }),
      ...(runTimeout === undefined ? {} : { runTimeoutMillis: millis(runTimeout) }),
      ...(retry === undefined ? {} : { retry: RetryPolicy.make(retry) }),
      ...(upgrade === true ? { upgrade } : {}),
      // Nothing in place of all of it is something to say, too.
      ...(memo === undefined ? {} : { memo: said.right.memo ?? [] }),
      ...(searchAttributes === undefined ? {} : { searchAttributes: said.right.searchAttributes ?? [] })
    }
    return context.continueAsNew(continuation)
  })

/**
 * What the last run of this chain that completed gave (row W17): there is one where the execution repeats by a cron.
 * Carried over by continuing as new, by retries, and by runs that fail.
 *
 * @category services
 * @since 0.1.0
 */
export const lastResult = <W extends Any>(
  workflow: W
): Effect.Effect<Option.Option<SuccessOf<W>>, ContractError, WorkflowContext> =>
  Effect.flatMap(WorkflowContext, ({ info }) =>
    Effect.flatMap(info, ({ lastResult }) =>
      lastResult === undefined
        ? Effect.succeedNone
        : Effect.map(workflow.codecs.success.decode(lastResult), (value) => Option.some(value as SuccessOf<W>))))

/**
 * What the attempt before this one ended with, or the run of a cron, as a client would see it: a declared error, or
 * `WorkflowFailure` (row W17). None in a first attempt, and after a run that completed.
 *
 * @category services
 * @since 0.1.0
 */
export const lastFailure = <W extends Any>(
  workflow: W
): Effect.Effect<Option.Option<ErrorOf<W> | WorkflowFailure>, never, WorkflowContext> =>
  Effect.flatMap(
    WorkflowContext,
    ({ info }) =>
      Effect.map(info, ({ lastFailure, previousRunId, workflowId }) =>
        Option.map(Option.fromNullable(lastFailure), (failure) => {
          const declared = failure._tag === "Declared" ? workflow.codecs.error.decode(failure.error) : undefined
          return declared !== undefined && Either.isRight(declared)
            ? declared.right as ErrorOf<W>
            : new WorkflowFailure({
              workflow: workflow.name,
              workflowId,
              runId: previousRunId,
              status: statusOf(failure),
              failure
            })
        }))
  )

const statusOf = (failure: Failure): WorkflowFailure["status"] =>
  failure._tag === "Timeout" && (failure.timeout === "Run" || failure.timeout === "Execution") ? "TimedOut" : "Failed"

const millis = (input: Duration.DurationInput): number => Math.min(Duration.toMillis(input), Limits.durationMillisMax)
