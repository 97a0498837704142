/**
 * The error that authors raise where no declared error fits: it fails the activity or the run.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { ApplicationFailure } from "../core/Failure.js"
import { Limits } from "../core/Limits.js"
import * as Payload from "../core/Payload.js"

/**
 * A failure with a type, which retry policies match, and details (row R9).
 *
 * - `nonRetryable` wins over any policy (row R6).
 * - `nextRetryDelay` replaces the computed delay once, capped by the policy's maximum interval (row R8).
 * - `category: "Benign"` lowers the level at which it is logged.
 *
 * @category errors
 * @since 0.1.0
 */
export class ApplicationError extends Schema.TaggedError<ApplicationError>()("ApplicationError", {
  type: Schema.String,
  message: Schema.String,
  details: Schema.optional(Schema.Unknown),
  nonRetryable: Schema.optional(Schema.Boolean),
  nextRetryDelay: Schema.optional(Schema.DurationFromSelf),
  category: Schema.optional(Schema.Literal("Benign"))
}) {}

/** The recorded form. @since 0.1.0 */
export const toFailure = (error: ApplicationError): ApplicationFailure => ({
  _tag: "Application",
  type: error.type,
  message: error.message.slice(0, Limits.failureMessageCharsMax),
  ...(error.details === undefined ? {} : { details: recordable(error.details) }),
  ...(error.nonRetryable === undefined ? {} : { nonRetryable: error.nonRetryable }),
  ...(error.nextRetryDelay === undefined ? {} : {
    nextRetryDelayMillis: Math.min(Duration.toMillis(error.nextRetryDelay), Limits.durationMillisMax)
  }),
  ...(error.category === undefined ? {} : { category: error.category }),
  ...(error.stack === undefined ? {} : { stack: error.stack.slice(0, Limits.failureStackCharsMax) })
})

// Details that JSON cannot hold must not keep the failure itself from being recorded (row R14).
const recordable = (details: unknown): unknown => {
  const checked = Payload.check(details)
  return Either.isRight(checked) ? details : `left out: ${checked.left.message}`
}
