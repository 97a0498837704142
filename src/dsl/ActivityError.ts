/**
 * The error in which a body sees an activity or inline step that failed for good other than by a declared error.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { ActivityFailure } from "../core/Failure.js"
import { Failure, render, RetryState } from "../core/Failure.js"

/**
 * An activity ended without a result: a timeout, a cancellation, or an error that its contract does not declare
 * (row R10). `failure` holds why, with its chain of causes.
 *
 * @category errors
 * @since 0.1.0
 */
export class ActivityError extends Schema.TaggedError<ActivityError>()("ActivityError", {
  activity: Schema.String,
  activityId: Schema.String,
  attempt: Schema.Number,
  retryState: RetryState,
  failure: Failure
}) {
  override get message(): string {
    return `activity ${this.activity} (#${this.activityId}) ended at attempt ${this.attempt} (${this.retryState}): ${
      render(this.failure)
    }`
  }

  /** Whether it was canceled. */
  get isCanceled(): boolean {
    return this.failure._tag === "Canceled"
  }

  /** Whether one of its timeouts struck. */
  get isTimeout(): boolean {
    return this.failure._tag === "Timeout"
  }
}

/** The recorded form. @since 0.1.0 */
export const toFailure = (error: ActivityError): ActivityFailure => ({
  _tag: "Activity",
  activity: error.activity,
  activityId: error.activityId,
  attempt: error.attempt,
  retryState: error.retryState,
  message: error.message,
  cause: error.failure
})
