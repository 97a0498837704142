/**
 * What a start may ask for, whoever starts the run; and what bounds a run in time and tries, in its recorded form.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as CronSchedule from "../core/CronSchedule.js"
import { Limits } from "../core/Limits.js"
import * as RetryPolicy from "../core/RetryPolicy.js"
import type * as Succession from "../core/Succession.js"
import { ContractError } from "./Contract.js"

/**
 * What bounds a run, given by its definition or its start.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** For all runs of an execution together, from when the first may begin. Default: the definition's, else endless (row X8). */
  readonly executionTimeout?: Duration.DurationInput | undefined
  /** For each run, from when it may begin. Default: the definition's, else as long as the execution may take (row X8). */
  readonly runTimeout?: Duration.DurationInput | undefined
  /** A run that fails, or is out of its run timeout, is tried again as a new run. Default: the definition's, else none (rows R1, X9). */
  readonly retry?: RetryPolicy.Options | undefined
}

/**
 * What every start may ask for: that of a client, and that of a parent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Begin extends Options {
  /**
   * At most 1,000 characters. Default: derived by the definition's `idempotencyKey`; else, for a child, by the parent's
   * run id and the number of the step, which is the same on every replay, and for others a UUID.
   */
  readonly workflowId?: string | undefined
  /** Whose workers run it. Default: the parent's queue, or "default" where there is none. */
  readonly taskQueue?: string | undefined
  /** Its first turn is held for so long. A cancel request or a signal-with-start ends that, no other signal (row X7). */
  readonly startDelay?: Duration.DurationInput | undefined
  /**
   * Repeats the execution: its runs begin at the times of this expression, as in `"30 6 * * MON-FRI"`, one after the other
   * under one workflow id and with the same payload (row X10). UTC, unless it begins with a zone: `"CRON_TZ=Europe/Berlin
   * 0 12 * * *"`; also `"@hourly"`, `"@daily"`, `"@weekly"`, `"@monthly"`, `"@yearly"`, and a sixth field in front for
   * seconds. The next run is planned when one has ended, by its result or by a failure that is not retried; what was missed
   * meanwhile is left out. A cancel request, a termination or the execution's timeout ends it. Goes without `startDelay`.
   * A run sees what the one before gave: `Workflow.lastResult`, `Workflow.lastFailure`. Default none.
   */
  readonly cron?: string | undefined
  /** What this run is for, in a line of at most 400 characters, for who looks at it (row W20). */
  readonly summary?: string | undefined
  /** The same at length: at most 20,000 characters. */
  readonly details?: string | undefined
  /** Whether there may be another run after a closed one of the same workflow id (rows X4, K2). Default "AllowDuplicate". */
  readonly idReuse?: IdReuse | undefined
}

/**
 * Which closed runs of the workflow id allow another one: all of them, those that did not complete (failed, canceled,
 * terminated, timed out), or none. Looked at in the transaction that creates the run.
 *
 * @category models
 * @since 0.1.0
 */
export type IdReuse = "AllowDuplicate" | "AllowDuplicateFailedOnly" | "RejectDuplicate"

/** Terms as an event may hold them: what is absent is not there. @since 0.1.0 */
export type Recorded = { readonly [K in keyof Succession.Terms]: Exclude<Succession.Terms[K], undefined> }

/**
 * What bounds a run: as its start says, else as its definition does. The left side says what of it means nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (
  options: Pick<Begin, keyof Options | "startDelay" | "cron">,
  own: Options | undefined,
  /** From when a cron is asked for its next time, in epoch milliseconds. */
  now = 0
): Either.Either<Recorded, ContractError> => {
  const refuse = (subject: string, reason: string) => Either.left(new ContractError({ subject, reason }))
  const { executionTimeout = own?.executionTimeout, retry = own?.retry, runTimeout = own?.runTimeout } = options
  const { cron, startDelay } = options
  for (const [subject, duration] of Object.entries({ executionTimeout, runTimeout })) {
    if (duration !== undefined && !(millis(duration) > 0)) return refuse(subject, "must be longer than nothing")
  }
  if (cron !== undefined) {
    if (startDelay !== undefined) return refuse("startDelay", "goes with no cron, which says itself when to begin")
    const checked = CronSchedule.check(cron, now)
    if (Either.isLeft(checked)) return refuse("cron", checked.left)
  }
  try {
    return Either.right({
      ...(cron === undefined ? {} : { cron }),
      ...(startDelay === undefined ? {} : { delayMillis: millis(startDelay) }),
      ...(isBounded(executionTimeout) ? { executionTimeoutMillis: millis(executionTimeout) } : {}),
      ...(isBounded(runTimeout) ? { runTimeoutMillis: millis(runTimeout) } : {}),
      ...(retry === undefined ? {} : { retry: RetryPolicy.make(retry) })
    })
  } catch (thrown) {
    if (thrown instanceof RetryPolicy.RetryPolicyError) return refuse("retry", thrown.message)
    throw thrown
  }
}

const millis = (input: Duration.DurationInput): number => Math.min(Duration.toMillis(input), Limits.durationMillisMax)

/** An endless timeout is none. */
const isBounded = (input: Duration.DurationInput | undefined): input is Duration.DurationInput =>
  input !== undefined && millis(input) < Limits.durationMillisMax
