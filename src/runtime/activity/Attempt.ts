/**
 * One attempt of an activity as data: what it is given, and how it can end.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type { Failure, RetryState, TimeoutKind } from "../../core/Failure.js"
import * as Failures from "../../core/Failure.js"
import * as Activities from "../../core/family/Activity.js"
import type { ActivityOutcome, ActivityScheduled } from "../../core/family/Activity.js"
import type { Payload } from "../../core/Payload.js"
import * as RetryPolicy from "../../core/RetryPolicy.js"
import type { ActivityInfo } from "../../dsl/ActivityContext.js"

/**
 * An attempt that may begin, or waits for a slot.
 *
 * @category models
 * @since 0.1.0
 */
export interface Attempt {
  readonly runId: string
  readonly workflowId: string
  readonly workflow: string
  readonly taskQueue: string
  readonly scheduled: ActivityScheduled
  /** When the activity was first scheduled. */
  readonly scheduledAt: number
  /** When this attempt was. */
  readonly attemptScheduledAt: number
  /** Counts from 1. */
  readonly attempt: number
  /** Details recorded by earlier attempts, as JSON. */
  readonly heartbeat: string | undefined
  /** What the attempt before failed with, as JSON. */
  readonly lastFailure?: string | undefined
}

/** @since 0.1.0 */
export type Outcome = ActivityOutcome["outcome"]

/** The activity, whichever its attempt. @since 0.1.0 */
export const keyOf = (attempt: Attempt): string => keyFor(attempt.runId, attempt.scheduled.seq)

/** @since 0.1.0 */
export const keyFor = (runId: string, seq: number): string => `${runId}/${seq}`

/** What the attempt knows of itself (row A1). @since 0.1.0 */
export const infoOf = (attempt: Attempt, startedAt: number): ActivityInfo => {
  const { scheduled } = attempt
  return {
    activity: scheduled.name,
    activityId: Activities.idOf(scheduled),
    attempt: attempt.attempt,
    idempotencyKey: Activities.idempotencyKey(attempt.runId, scheduled),
    workflow: attempt.workflow,
    workflowId: attempt.workflowId,
    runId: attempt.runId,
    taskQueue: attempt.taskQueue,
    scheduledAt: attempt.scheduledAt,
    attemptScheduledAt: attempt.attemptScheduledAt,
    startedAt,
    startToCloseMillis: scheduled.startToCloseMillis,
    scheduleToCloseMillis: scheduled.scheduleToCloseMillis,
    heartbeatMillis: scheduled.heartbeatMillis,
    retry: scheduled.retry ?? RetryPolicy.activityDefault
  }
}

// --- outcomes, which are final

/** @since 0.1.0 */
export const completed = (attempt: Attempt, result: Payload): Outcome => ({
  _tag: "ActivityCompleted",
  seq: attempt.scheduled.seq,
  attempt: attempt.attempt,
  ...(result === undefined ? {} : { result })
})

/** @since 0.1.0 */
export const canceled = (attempt: Attempt): Outcome => ({
  _tag: "ActivityCanceled",
  seq: attempt.scheduled.seq,
  attempt: attempt.attempt
})

/** @since 0.1.0 */
export const failed = (attempt: Attempt, failure: Failure, retryState: RetryState): Outcome => ({
  _tag: "ActivityFailed",
  seq: attempt.scheduled.seq,
  attempt: attempt.attempt,
  failure,
  retryState
})

// --- failures, on which the retry policy decides

/** Interrupted at the end of its worker (row A16). @since 0.1.0 */
export const shutDown: Failure = {
  _tag: "Application",
  type: "WorkerShutdown",
  message: "the worker shut down before the attempt ended"
}

/** The attempt of a worker that is gone: as a crashed worker is noticed (row A11). @since 0.1.0 */
export const lost: Failure = {
  _tag: "Timeout",
  timeout: "StartToClose",
  message: "the worker that ran this attempt is gone"
}

/** Waited too long for a slot or a worker (rows A12, A13). @since 0.1.0 */
export const expired = (attempt: Attempt, now: number): Failure => {
  const { scheduled } = attempt
  const closeBy = Activities.closeBy(scheduled, attempt.scheduledAt)
  return closeBy !== undefined && closeBy <= now ? timedOut(attempt, "ScheduleToClose", attempt.heartbeat) : {
    _tag: "Timeout",
    timeout: "ScheduleToStart",
    message: `not started within ${scheduled.scheduleToStartMillis} ms: does a worker serve the task queue?`
  }
}

/** Ran for too long, in all for schedule-to-close: then the cause is what went wrong before. @since 0.1.0 */
export const timedOut = (attempt: Attempt, kind: TimeoutKind, details: string | undefined): Failure => {
  const { lastFailure, scheduled } = attempt
  const message = kind === "Heartbeat"
    ? `no heartbeat within ${scheduled.heartbeatMillis} ms`
    : kind === "ScheduleToClose"
    ? `no result within ${scheduled.scheduleToCloseMillis} ms of being scheduled`
    : `attempt ${attempt.attempt} did not end within ${scheduled.startToCloseMillis} ms`
  return {
    _tag: "Timeout",
    timeout: kind,
    message,
    ...(details === undefined ? {} : { lastHeartbeat: JSON.parse(details) as unknown }),
    ...(kind !== "ScheduleToClose" || lastFailure === undefined ? {} : { cause: JSON.parse(lastFailure) as Failure })
  }
}

/** @since 0.1.0 */
export const notRegistered = (activity: string, registered: Iterable<string>): Failure => ({
  _tag: "Application",
  type: "NotFoundError",
  message: `activity ${activity} is not registered with this worker; registered are: ${
    [...registered].join(", ") || "none"
  }`
})

/** What the author's code ended with: declared, thrown, or an interruption that nobody asked for (row A7). @since 0.1.0 */
export const failureOf = (cause: Cause.Cause<Failure>): Failure => {
  const declared = Cause.failureOption(cause)
  if (declared._tag === "Some") return declared.value
  return Cause.isInterruptedOnly(cause)
    ? { _tag: "Application", type: "Interrupted", message: "the attempt interrupted itself" }
    : Failures.fromUnknown(Cause.squash(cause))
}
