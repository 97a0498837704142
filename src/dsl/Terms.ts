/**
 * What bounds a run in time and tries, in its recorded form.
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

/** As authors write it: see `Client.StartOptions`. @since 0.1.0 */
export interface Options {
  readonly executionTimeout?: Duration.DurationInput | undefined
  readonly runTimeout?: Duration.DurationInput | undefined
  readonly retry?: RetryPolicy.Options | undefined
}

/** Terms as an event may hold them: what is absent is not there. @since 0.1.0 */
export type Recorded = { readonly [K in keyof Succession.Terms]: Exclude<Succession.Terms[K], undefined> }

/**
 * What bounds a run: as its start says, else as its definition does. The left side says what of it means nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (
  options: Options & { readonly startDelay?: Duration.DurationInput | undefined; readonly cron?: string | undefined },
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
