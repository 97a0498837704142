/**
 * Pending activities seen from outside: completing an attempt that was handed over, and what operators may do.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Activity from "./Activity.js"
import type { ApplicationError } from "./ApplicationError.js"
import type { ContractError } from "./Contract.js"
import type { StoreUnavailable, WorkflowNotFound } from "./WorkflowFailure.js"

/**
 * No attempt of an activity is under way under this token or id (rows A9, A10): it has its outcome, the token is of an
 * attempt that is over, or its run is closed. What was to be said of it was not taken in.
 *
 * @category errors
 * @since 0.1.0
 */
export class ActivityNotFound extends Schema.TaggedError<ActivityNotFound>()("ActivityNotFound", {
  /** The token or the id that was given. */
  subject: Schema.String
}) {
  override get message(): string {
    return `no attempt of activity ${this.subject} is under way: it has its outcome, its attempt is over, or its run ` +
      "is closed; drop what you were to say of it"
  }
}

/**
 * The attempt was asked to end: tidy up, and say so with `reportCancellation` (row A9). The heartbeat was recorded.
 *
 * @category errors
 * @since 0.1.0
 */
export class AsyncActivityCanceled extends Schema.TaggedError<AsyncActivityCanceled>()("AsyncActivityCanceled", {
  subject: Schema.String,
  reason: Schema.Literal("cancelRequested", "paused", "reset")
}) {
  override get message(): string {
    return `activity ${this.subject} was asked to end (${this.reason}): stop, and report it with reportCancellation`
  }
}

/**
 * One attempt by its token, or whichever is under way of an activity by its id.
 *
 * @category models
 * @since 0.1.0
 */
export type ActivityKey = string | {
  readonly workflowId: string
  /** Default: the open run of the workflow id. */
  readonly runId?: string | undefined
  readonly activityId: string
}

type Trouble = ActivityNotFound | ContractError | StoreUnavailable

/**
 * An attempt that is completed from outside (row A9). Works in every process on the same store, also before the
 * attempt's own code has handed it over; what comes first counts.
 *
 * @category models
 * @since 0.1.0
 */
export interface ActivityCompletion<in Success, in Error> {
  /** Ends the activity with its result; returns once that cannot be lost any more. */
  readonly complete: (value: Success) => Effect.Effect<void, Trouble>
  /** Ends the attempt. The retry policy decides whether another one follows. */
  readonly fail: (error: Error | ApplicationError) => Effect.Effect<void, Trouble>
  /**
   * Says that it is alive, and records details for the next attempt; without details, what was recorded stays. Not
   * throttled: each call is a write. Fails with `AsyncActivityCanceled` when the attempt was asked to end.
   */
  readonly heartbeat: (details?: unknown) => Effect.Effect<void, Trouble | AsyncActivityCanceled>
  /** Says that the attempt ended because it was asked to. Where nobody asked, it counts as a failed attempt (row A7). */
  readonly reportCancellation: Effect.Effect<void, Trouble>
}

/**
 * What an operator may do to a pending activity (row A15). Each is done once it returns; none of them is an event of the
 * run's history.
 *
 * Fails with `ActivityNotFound` when no activity of that id is pending.
 *
 * @category models
 * @since 0.1.0
 */
export interface ActivityControl {
  readonly activityId: string
  /**
   * No new attempt begins; the one under way is told with its next heartbeat. Of its timeouts only schedule-to-close goes
   * on meanwhile. The run waits for the operator.
   */
  readonly pause: () => Effect.Effect<void, ControlError>
  /** Lets it go on, at once. Does nothing to one that is not paused. */
  readonly unpause: (options?: {
    /** The next attempt is the first again. Default false. */
    readonly resetAttempts?: boolean | undefined
    /** Forgets the recorded heartbeat details. Default false. */
    readonly resetHeartbeat?: boolean | undefined
  }) => Effect.Effect<void, ControlError>
  /** The next attempt is the first again, and begins at once. One under way is told with its next heartbeat. */
  readonly reset: (options?: {
    /** A paused activity stays paused. Default false. */
    readonly keepPaused?: boolean | undefined
    /** Forgets the recorded heartbeat details. Default false. */
    readonly resetHeartbeat?: boolean | undefined
    /** Takes back what `updateOptions` changed. Default false. */
    readonly restoreOriginal?: boolean | undefined
  }) => Effect.Effect<void, ControlError>
  /** Replaces those options that are named, for the attempts that begin from here on. */
  readonly updateOptions: (
    options: Omit<Activity.Options, "cancellation"> & {
      /** Whose workers run it from here on. */
      readonly taskQueue?: string | undefined
      /** First takes back what was changed before. Default false. */
      readonly restoreOriginal?: boolean | undefined
    }
  ) => Effect.Effect<void, ControlError>
}

/** @since 0.1.0 */
export type ControlError = ActivityNotFound | WorkflowNotFound | ContractError | StoreUnavailable
