/**
 * Retry policies and the one decision they make: after this attempt failed, is there another one, and when?
 *
 *   attempt n fails ──▶ decide ──▶ Retry { delayMillis }        n + 1 starts after the delay
 *                            └──▶ Stop  { retryState }          the failure is final, and says why
 *
 * Rows R1 to R6, R8, A13.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import type { Failure } from "./Failure.js"
import * as Failures from "./Failure.js"
import { Limits } from "./Limits.js"

/**
 * A retry policy in its recorded form.
 *
 * @category models
 * @since 0.1.0
 */
export const RetryPolicy = Schema.Struct({
  /** Delay before the second attempt, in milliseconds; 0 is allowed. */
  initialIntervalMillis: Schema.Number,
  /** Each further delay is the last one times this. */
  backoffCoefficient: Schema.Number,
  /** No delay is longer, in milliseconds. */
  maximumIntervalMillis: Schema.Number,
  /** Counts the first attempt; 0 is unlimited. */
  maximumAttempts: Schema.Number,
  /** Error types (`_tag` or class name) that are never retried. */
  nonRetryable: Schema.Array(Schema.String)
})
/** @since 0.1.0 */
export type RetryPolicy = typeof RetryPolicy.Type

/**
 * What authors write.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Default 1 second. */
  readonly initialInterval?: Duration.DurationInput | undefined
  /** Default 2; at least 1. */
  readonly backoffCoefficient?: number | undefined
  /** Default 100 times the initial interval. */
  readonly maximumInterval?: Duration.DurationInput | undefined
  /** Default 0, unlimited. */
  readonly maximumAttempts?: number | undefined
  /** Default none. */
  readonly nonRetryable?: ReadonlyArray<string> | undefined
}

/**
 * A retry policy that can not mean anything (row R2).
 *
 * @category errors
 * @since 0.1.0
 */
export class RetryPolicyError extends Schema.TaggedError<RetryPolicyError>()("RetryPolicyError", {
  field: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `retry policy: ${this.field} ${this.reason}`
  }
}

/**
 * Makes a policy from its options, with the defaults of row R1. Throws `RetryPolicyError` on values that mean nothing
 * (row R2); intervals are not checked when there is only one attempt.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): RetryPolicy => {
  // JSON has no Infinity: what cannot be written cannot be read back.
  const bounded = (input: Duration.DurationInput): number =>
    Math.min(Duration.toMillis(input), Limits.durationMillisMax)
  const initialIntervalMillis = bounded(options.initialInterval ?? 1_000)
  const policy: RetryPolicy = {
    initialIntervalMillis,
    backoffCoefficient: options.backoffCoefficient ?? 2,
    maximumIntervalMillis: options.maximumInterval === undefined
      ? bounded(initialIntervalMillis * 100)
      : bounded(options.maximumInterval),
    maximumAttempts: options.maximumAttempts ?? 0,
    nonRetryable: options.nonRetryable ?? []
  }
  const refuse = (field: string, reason: string): never => {
    throw new RetryPolicyError({ field, reason })
  }
  if (!Number.isInteger(policy.maximumAttempts) || policy.maximumAttempts < 0) {
    refuse("maximumAttempts", `must be a whole number, 0 or more, and is ${policy.maximumAttempts}`)
  }
  if (policy.maximumAttempts === 1) {
    return { ...policy, backoffCoefficient: Number.isFinite(policy.backoffCoefficient) ? policy.backoffCoefficient : 1 }
  }
  if (!(policy.backoffCoefficient >= 1) || !Number.isFinite(policy.backoffCoefficient)) {
    refuse("backoffCoefficient", `must be 1 or more, and is ${policy.backoffCoefficient}`)
  }
  if (policy.initialIntervalMillis === Limits.durationMillisMax) refuse("initialInterval", "must be finite")
  if (!(policy.maximumIntervalMillis >= policy.initialIntervalMillis)) {
    refuse("maximumInterval", "must not be shorter than initialInterval")
  }
  return policy
}

/**
 * The policy that every activity has unless it names another (row R1).
 *
 * @category constructors
 * @since 0.1.0
 */
export const activityDefault: RetryPolicy = make()

/**
 * The computed delay after the given attempt, in milliseconds (row R3).
 *
 * @category combinators
 * @since 0.1.0
 */
export const delayMillis = (policy: RetryPolicy, attempt: number): number => {
  const delay = policy.initialIntervalMillis * policy.backoffCoefficient ** (attempt - 1)
  // An overflow (Infinity, or 0 times Infinity) means that the cap was passed long ago.
  return delay <= policy.maximumIntervalMillis ? delay : policy.maximumIntervalMillis
}

/**
 * @category models
 * @since 0.1.0
 */
export type Decision = Data.TaggedEnum<{
  Retry: { readonly delayMillis: number }
  Stop: { readonly retryState: Failures.RetryState }
}>
/** @since 0.1.0 */
export const Decision = Data.taggedEnum<Decision>()

/**
 * @category models
 * @since 0.1.0
 */
export interface Attempt {
  /** Counts from 1. */
  readonly attempt: number
  readonly failure: Failure
  readonly cancelRequested: boolean
  /** When the attempt ended, in epoch milliseconds. */
  readonly endedAt: number
  /** When no attempt may begin any more, in epoch milliseconds (row A13). */
  readonly closeBy: number | undefined
}

const isRetryable = (policy: RetryPolicy, failure: Failure): boolean => {
  switch (failure._tag) {
    case "Canceled":
    case "Terminated":
      return false
    case "Timeout":
      return failure.timeout === "StartToClose" || failure.timeout === "Heartbeat"
    case "Application":
      return failure.nonRetryable !== true && !policy.nonRetryable.includes(failure.type)
    default:
      return !policy.nonRetryable.includes(Failures.typeOf(failure))
  }
}

/**
 * Decides what follows a failed attempt. A missing policy never retries.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decide = (policy: RetryPolicy | undefined, ended: Attempt): Decision => {
  if (policy === undefined) return Decision.Stop({ retryState: "RetryPolicyNotSet" })
  if (ended.failure._tag === "Timeout" && ended.failure.timeout === "ScheduleToClose") {
    return Decision.Stop({ retryState: "Timeout" })
  }
  if (ended.cancelRequested) return Decision.Stop({ retryState: "CancelRequested" })
  if (!isRetryable(policy, ended.failure)) return Decision.Stop({ retryState: "NonRetryableFailure" })
  if (policy.maximumAttempts > 0 && ended.attempt >= policy.maximumAttempts) {
    return Decision.Stop({ retryState: "MaximumAttemptsReached" })
  }
  const asked = ended.failure._tag === "Application" ? ended.failure.nextRetryDelayMillis : undefined
  const delay = asked === undefined
    ? delayMillis(policy, ended.attempt)
    : Math.min(asked, policy.maximumIntervalMillis)
  if (ended.closeBy !== undefined && ended.endedAt + delay >= ended.closeBy) {
    return Decision.Stop({ retryState: "Timeout" })
  }
  return Decision.Retry({ delayMillis: delay })
}
