/**
 * Chains of runs: when a run may begin, when it is out of time, and which run follows its end.
 *
 * ```
 *   Start ──▶ run ──▶ ExecutionContinuedAsNew ──────────────▶ next run, with the payload that was given   (row K10)
 *                ├──▶ ExecutionFailed, and a retry policy ───▶ next attempt, with the same payload         (row X9)
 *                ├──▶ ExecutionTimedOut of the run, likewise ▶ next attempt                                (row X8)
 *                ├──▶ any of these but the first, or ExecutionCompleted, and a cron ▶ next run, at its next time (row X10)
 *                └──▶ any other end ─────────────────────────▶ none
 * ```
 *
 * 1. All runs of a chain name its first one. 2. The time of the whole chain keeps counting, and is never retried.
 *
 * @since 0.1.0
 */
import * as CronSchedule from "./CronSchedule.js"
import type { Failure, RetryState } from "./Failure.js"
import type { Closing, ExecutionStarted, Start } from "./family/Execution.js"
import type { Carried } from "./family/Notes.js"
import type { Field, Headers } from "./Headers.js"
import * as RetryPolicy from "./RetryPolicy.js"
import * as Routing from "./Routing.js"

/**
 * What bounds a run, as whoever starts it gives it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Terms {
  readonly delayMillis?: number | undefined
  /** Of the whole chain. */
  readonly executionTimeoutMillis?: number | undefined
  /** Of each run. */
  readonly runTimeoutMillis?: number | undefined
  readonly retry?: RetryPolicy.RetryPolicy | undefined
  /** When it begins, and when another run follows one that has ended (row X10). */
  readonly cron?: string | undefined
}

/** What a start needs besides its terms. @since 0.1.0 */
export type Subject =
  & Pick<
    Start,
    | "workflow"
    | "workflowId"
    | "taskQueue"
    | "effect"
    | "flags"
    | "parent"
    | "root"
    | "headers"
    | "override"
    | "inherited"
  >
  & {
    readonly input?: unknown
  }

/**
 * The start of a chain. Both timeouts count from when its first turn may begin.
 *
 * @category constructors
 * @since 0.1.0
 */
export const first = (subject: Subject, terms: Terms, now: number): Start => {
  const { cron, executionTimeoutMillis } = terms
  const delayMillis = cron === undefined ? terms.delayMillis : (CronSchedule.after(cron, now) ?? now) - now
  const whole = executionTimeoutMillis === undefined ? undefined : {
    executionTimeoutMillis,
    executionExpiresAt: Math.ceil(now + (delayMillis ?? 0) + executionTimeoutMillis)
  }
  return begin(subject, { ...terms, delayMillis }, now, whole)
}

/**
 * When a run is out of time, in epoch milliseconds: its own, or that of its chain.
 *
 * @category combinators
 * @since 0.1.0
 */
export const expiresAt = (started: Expiring | undefined): number | undefined => {
  if (started === undefined) return undefined
  const { executionExpiresAt: execution, runExpiresAt: run } = started
  return execution === undefined ? run : run === undefined ? execution : Math.min(execution, run)
}

/** @since 0.1.0 */
export type Expiring = Pick<Start, "executionExpiresAt" | "runExpiresAt">

/** Which time a run is out of: the chain's counts before its own. @since 0.1.0 */
export const expired = ({ executionExpiresAt }: Expiring, now: number): "Execution" | "Run" =>
  executionExpiresAt !== undefined && executionExpiresAt <= now ? "Execution" : "Run"

/** @since 0.1.0 */
export const timeoutFailure = (timeout: "Execution" | "Run"): Failure => ({
  _tag: "Timeout",
  timeout,
  message: timeout === "Execution"
    ? "the execution did not end within its executionTimeout"
    : "the run did not end within its runTimeout"
})

/** The run that ends. @since 0.1.0 */
export interface Ending {
  readonly runId: string
  /** When the run started. */
  readonly startedAt: number
  readonly started: ExecutionStarted | Start
  readonly cancelRequested: boolean
  /** What it said of itself at its end. */
  readonly carried: Carried
  /** The version that it was on (row V6); undefined: none. */
  readonly versioning?: Omit<Routing.Handing, "inherited"> | undefined
}

/**
 * What follows an end.
 *
 * @category models
 * @since 0.1.0
 */
export type Next =
  /** Which code begins it is not said yet: its `effect` and `flags` are those of whoever writes it. */
  | { readonly _tag: "Run"; readonly start: Start; readonly retryState?: RetryState }
  /** The end is final; why no other attempt is made, where one could be. */
  | { readonly _tag: "None"; readonly retryState: RetryState | undefined }

/**
 * Decides which run follows an end at the given time.
 *
 * @category combinators
 * @since 0.1.0
 */
export const next = (closing: Closing, ending: Ending, now: number): Next => {
  switch (closing._tag) {
    case "ExecutionContinuedAsNew":
      return { _tag: "Run", start: continued(closing, ending, now) }
    case "ExecutionCompleted":
      return recurring(ending, now, closing.result === undefined ? {} : { lastResult: closing.result }) ?? final
    case "ExecutionFailed":
      return retried(closing.failure, ending, now)
    case "ExecutionTimedOut":
      return retried(timeoutFailure(closing.timeout), ending, now)
    default:
      return final
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const final: Next = { _tag: "None", retryState: undefined }

type Continued = Extract<Closing, { readonly _tag: "ExecutionContinuedAsNew" }>

const continued = (closing: Continued, ending: Ending, now: number): Start => {
  const { started } = ending
  const subject: Subject = {
    workflow: closing.workflow,
    workflowId: started.workflowId,
    taskQueue: closing.taskQueue ?? started.taskQueue,
    ...(closing.input === undefined ? {} : { input: closing.input }),
    ...headersOf(closing.headers ?? started.headers)
  }
  const terms: Terms = {
    delayMillis: closing.delayMillis,
    runTimeoutMillis: closing.runTimeoutMillis ?? started.runTimeoutMillis,
    retry: closing.retry ?? started.retry,
    cron: started.cron
  }
  const { memo = ending.carried.memo, searchAttributes = ending.carried.searchAttributes } = closing
  const { memo: _, searchAttributes: __, ...carried } = ending.carried
  return begin(subject, terms, now, {
    ...inherited({ ...ending, carried }),
    ...versionsOf(ending, closing.upgrade === true ? "Recurring" : "Continued", subject.taskQueue),
    ...(memo === undefined || memo.length === 0 ? {} : { memo }),
    ...(searchAttributes === undefined || searchAttributes.length === 0 ? {} : { searchAttributes })
  })
}

const retried = (failure: Failure, ending: Ending, now: number): Next => {
  const { started } = ending
  const then = recurring(ending, now, { lastFailure: failure })
  if (started.retry === undefined) return then ?? final
  const attempt = started.attempt ?? 1
  const decision = RetryPolicy.decide(started.retry, {
    attempt,
    failure: asOfAttempt(failure),
    cancelRequested: ending.cancelRequested,
    endedAt: now,
    closeBy: started.executionExpiresAt
  })
  if (decision._tag === "Stop") return { ...then ?? final, retryState: decision.retryState }
  return {
    _tag: "Run",
    retryState: "InProgress",
    start: {
      ...begin(
        again(started),
        { ...termsOf(started), delayMillis: decision.delayMillis },
        now,
        { ...inherited(ending), ...versionsOf(ending, "Retried") }
      ),
      attempt: attempt + 1,
      lastFailure: failure
    }
  }
}

/** The run at the next time of the cron, counted from the end of this one: what was missed meanwhile is left out. */
const recurring = (ending: Ending, now: number, last: Partial<Start>): Next | undefined => {
  const { cancelRequested, started } = ending
  if (started.cron === undefined || cancelRequested) return undefined
  const at = CronSchedule.after(started.cron, now)
  if (at === undefined || at >= (started.executionExpiresAt ?? Infinity)) return undefined
  return {
    _tag: "Run",
    start: {
      ...begin(again(started), { ...termsOf(started), delayMillis: at - now }, now, {
        ...inherited(ending),
        ...versionsOf(ending, "Recurring")
      }),
      ...last
    }
  }
}

/** The same once more, with the same payload. */
const again = ({ headers, input, taskQueue, workflow, workflowId }: Ending["started"]): Subject => ({
  workflow,
  workflowId,
  taskQueue,
  ...(input === undefined ? {} : { input }),
  ...headersOf(headers)
})

const termsOf = ({ cron, retry, runTimeoutMillis }: Ending["started"]): Terms => ({ cron, retry, runTimeoutMillis })

/** A run that takes none over has no field for them. */
const headersOf = (headers: Headers | undefined): Field =>
  headers === undefined || Object.keys(headers).length === 0 ? {} : { headers }

/**
 * As a retry policy judges it. The time of a run is to it what start-to-close is to an attempt (row X8), and a failure's own
 * delay is for activities alone (row R8).
 */
const asOfAttempt = (failure: Failure): Failure => {
  if (failure._tag === "Timeout" && failure.timeout === "Run") return { ...failure, timeout: "StartToClose" }
  if (failure._tag !== "Application" || failure.nextRetryDelayMillis === undefined) return failure
  const { nextRetryDelayMillis: _, ...rest } = failure
  return rest
}

/** What every run of a chain takes over from the one before it. */
const inherited = ({ carried, runId, started, startedAt }: Ending): Partial<Start> => ({
  ...carried,
  firstRunId: started.firstRunId ?? runId,
  previousRunId: runId,
  firstStartedAt: started.firstStartedAt ?? startedAt,
  ...(started.executionTimeoutMillis === undefined ? {} : { executionTimeoutMillis: started.executionTimeoutMillis }),
  ...(started.executionExpiresAt === undefined ? {} : { executionExpiresAt: started.executionExpiresAt }),
  ...(started.parent === undefined ? {} : { parent: started.parent }),
  ...(started.root === undefined ? {} : { root: started.root }),
  ...(started.scheduled === undefined ? {} : { scheduled: started.scheduled }),
  ...(started.lastResult === undefined ? {} : { lastResult: started.lastResult })
})

/** What a run on no version hands on is nothing. */
const versionsOf = (
  { started, versioning }: Ending,
  to: "Continued" | "Retried" | "Recurring",
  taskQueue = started.taskQueue
): Partial<Start> =>
  versioning === undefined
    ? {}
    : Routing.handedOn({ ...versioning, inherited: started.inherited }, to, taskQueue === started.taskQueue)

const begin = (subject: Subject, terms: Terms, now: number, more: Partial<Start> | undefined): Start => {
  const { cron, delayMillis = 0, retry, runTimeoutMillis } = terms
  const startAt = Math.ceil(now + delayMillis)
  return {
    _tag: "Start",
    ...subject,
    ...more,
    ...(delayMillis <= 0 ? {} : { startAt }),
    ...(retry === undefined ? {} : { retry }),
    ...(cron === undefined ? {} : { cron }),
    ...(runTimeoutMillis === undefined
      ? {}
      : { runTimeoutMillis, runExpiresAt: Math.ceil(startAt + runTimeoutMillis) })
  }
}
