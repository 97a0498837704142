/**
 * One attempt of an activity as data: what it is given, and how it can end.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as ActivityTasks from "../../core/ActivityTask.js"
import type { Failure, RetryState, TimeoutKind } from "../../core/Failure.js"
import * as Failures from "../../core/Failure.js"
import * as Activities from "../../core/family/Activity.js"
import type { ActivityOutcome, ActivityScheduled } from "../../core/family/Activity.js"
import { none as noHeaders } from "../../core/Headers.js"
import * as Messages from "../../core/Message.js"
import type { Payload } from "../../core/Payload.js"
import * as RetryPolicy from "../../core/RetryPolicy.js"
import * as TaskToken from "../../core/TaskToken.js"
import type { ActivityInfo } from "../../dsl/ActivityContext.js"
import type { NewMail, Task } from "../../persistence/Store.js"

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
  /** As the store counts: it names the attempt for ever. */
  readonly attempt: number
  /** Attempts that count no more, after an operator's reset. Default 0. */
  readonly forgotten?: number | undefined
  /** The operator's commands that it knows of. Default 0. */
  readonly revision?: number | undefined
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

/** Its number as its author counts: from 1. @since 0.1.0 */
export const numberOf = (attempt: Attempt): number =>
  attempt.forgotten === undefined
    ? attempt.attempt
    : ActivityTasks.attemptOf({ attempt: attempt.attempt, forgotten: attempt.forgotten })

/** What the attempt knows of itself (row A1). @since 0.1.0 */
export const infoOf = (attempt: Attempt, startedAt: number, namespace: string): ActivityInfo => {
  const { scheduled } = attempt
  return {
    activity: scheduled.name,
    activityId: Activities.idOf(scheduled),
    attempt: numberOf(attempt),
    taskToken: TaskToken.make(attempt.runId, scheduled.seq, attempt.attempt),
    idempotencyKey: Activities.idempotencyKey(attempt.runId, scheduled),
    workflow: attempt.workflow,
    workflowId: attempt.workflowId,
    runId: attempt.runId,
    taskQueue: attempt.taskQueue,
    namespace,
    headers: scheduled.headers ?? noHeaders,
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
  attempt: numberOf(attempt),
  ...(result === undefined ? {} : { result })
})

/** @since 0.1.0 */
export const canceled = (attempt: Attempt): Outcome => ({
  _tag: "ActivityCanceled",
  seq: attempt.scheduled.seq,
  attempt: numberOf(attempt)
})

/** @since 0.1.0 */
export const failed = (attempt: Attempt, failure: Failure, retryState: RetryState): Outcome => ({
  _tag: "ActivityFailed",
  seq: attempt.scheduled.seq,
  attempt: numberOf(attempt),
  failure,
  retryState
})

/**
 * What follows a failed attempt. One that an operator has reset is followed at once by a first one, unless that would
 * come too late.
 *
 * @since 0.1.0
 */
export const next = (
  attempt: Attempt,
  failure: Failure,
  cancelRequested: boolean,
  endedAt: number
): RetryPolicy.Decision => {
  const { scheduled, scheduledAt } = attempt
  const ended = {
    attempt: attempt.attempt - (attempt.forgotten ?? 0),
    failure,
    cancelRequested,
    endedAt,
    closeBy: Activities.closeBy(scheduled, scheduledAt)
  }
  const decision = RetryPolicy.decide(scheduled.retry ?? RetryPolicy.activityDefault, ended)
  return decision._tag === "Retry" && ended.attempt < 1 ? RetryPolicy.Decision.Retry({ delayMillis: 0 }) : decision
}

/** A result as a message to its run. @since 0.1.0 */
export const mailOf = (attempt: Attempt, result: Payload): NewMail => ({
  runId: attempt.runId,
  kind: "ActivityOutcome",
  body: Messages.encode({ _tag: "ActivityOutcome", outcome: completed(attempt, result) })
})

// --- failures, on which the retry policy decides

/** Interrupted at the end of its worker (row A16). @since 0.1.0 */
export const shutDown: Failure = {
  _tag: "Application",
  type: "WorkerShutdown",
  message: "the attempt did not complete in time: its worker shut down"
}

/** Ended at an operator's word; both are retried (row A8). @since 0.1.0 */
export const paused: Failure = {
  _tag: "Application",
  type: "ActivityPause",
  message: "an operator paused the activity while the attempt ran"
}

/** @since 0.1.0 */
export const reset: Failure = {
  _tag: "Application",
  type: "ActivityReset",
  message: "an operator reset the activity while the attempt ran"
}

/** Its transaction was not taken, and nothing of it was done. @since 0.1.0 */
export const notRecorded = (message: string): Failure => ({ _tag: "Application", type: "StoreError", message })

/** The attempt of a worker that is gone: as a crashed worker is noticed (row A11). @since 0.1.0 */
export const lost: Failure = {
  _tag: "Timeout",
  timeout: "StartToClose",
  message: "the worker that ran this attempt is gone"
}

/** The attempt that a task row is at, of the event that scheduled it. @since 0.1.0 */
export const ofTask = (
  task: Task,
  recorded: ActivityScheduled,
  run: Pick<Attempt, "workflowId" | "workflow">
): Attempt => ({
  runId: task.runId,
  workflowId: run.workflowId,
  workflow: run.workflow,
  taskQueue: task.taskQueue,
  scheduled: ActivityTasks.inForce(recorded, task.options),
  scheduledAt: task.scheduledAt,
  attemptScheduledAt: task.dueAt,
  attempt: task.attempt,
  forgotten: task.forgotten,
  revision: task.revision,
  heartbeat: task.heartbeat,
  lastFailure: task.failure
})

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

/** Handed over, and not completed in time (row A9). @since 0.1.0 */
export const handedExpired = (
  attempt: Attempt,
  task: { readonly startedAt: number | undefined },
  now: number
): Failure => {
  const { heartbeat, scheduled, scheduledAt } = attempt
  const closeBy = Activities.closeBy(scheduled, scheduledAt)
  const endBy = (task.startedAt ?? scheduledAt) + (scheduled.startToCloseMillis ?? Infinity)
  return timedOut(
    attempt,
    closeBy !== undefined && closeBy <= now ? "ScheduleToClose" : endBy <= now ? "StartToClose" : "Heartbeat",
    heartbeat
  )
}

/** Ran for too long, in all for schedule-to-close: then the cause is what went wrong before. @since 0.1.0 */
export const timedOut = (attempt: Attempt, kind: TimeoutKind, details: string | undefined): Failure => {
  const { lastFailure, scheduled } = attempt
  const message = kind === "Heartbeat"
    ? `no heartbeat within ${scheduled.heartbeatMillis} ms`
    : kind === "ScheduleToClose"
    ? `no result within ${scheduled.scheduleToCloseMillis} ms of being scheduled`
    : `attempt ${numberOf(attempt)} did not end within ${scheduled.startToCloseMillis} ms`
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

/** @since 0.1.0 */
export const selfInterrupted: Failure = {
  _tag: "Application",
  type: "Interrupted",
  message: "the attempt interrupted itself"
}

/** What the author's code ended with: declared, thrown, or an interruption that nobody asked for (row A7). @since 0.1.0 */
export const failureOf = (cause: Cause.Cause<Failure>): Failure => {
  const declared = Cause.failureOption(cause)
  if (declared._tag === "Some") return declared.value
  return Cause.isInterruptedOnly(cause)
    ? selfInterrupted
    : Failures.fromUnknown(Cause.squash(cause))
}
