/**
 * What an operator may do to a pending activity, as decisions on its task (row A15).
 *
 * ```
 *   queued ──pause──▶ paused ──unpause──▶ queued, due now
 *   started, handed ──pause──▶ the same, marked: the attempt is told, and no other one follows it
 *   any ──reset──▶ the next attempt is the first again
 * ```
 *
 * 1. The number of an attempt in the store only rises, so that it names one attempt for ever. Its author sees it less
 *    those that a reset has made forgotten.
 * 2. Each command raises the revision: whoever begins an attempt on what it knew before is refused, and looks again.
 *
 * @since 0.1.0
 */
import type { ActivityScheduled } from "./family/Activity.js"
import * as Activities from "./family/Activity.js"
import { Limits } from "./Limits.js"

/**
 * As much of a task as the decisions need.
 *
 * @category models
 * @since 0.1.0
 */
export interface ActivityTask {
  /** "handed": its attempt was handed over to somebody who completes it from outside (row A9). */
  readonly state: "queued" | "started" | "lost" | "handed" | "paused"
  /** As the store counts. */
  readonly attempt: number
  /** Attempts that count no more, after a reset. */
  readonly forgotten: number
  readonly paused: boolean
  readonly scheduledAt: number
  readonly dueAt: number
  readonly expiresAt: number | undefined
  readonly startedAt: number | undefined
  /** Details recorded last, as JSON. */
  readonly heartbeat: string | undefined
  /** What replaces the options of the call, as JSON. */
  readonly options: string | undefined
  readonly taskQueue: string
}

/**
 * What a command leaves of a task; what it does not name stays.
 *
 * @category models
 * @since 0.1.0
 */
export type Revised = Pick<
  ActivityTask,
  "state" | "forgotten" | "paused" | "dueAt" | "expiresAt" | "heartbeat" | "options" | "taskQueue"
>

/**
 * Options that a command may replace, in their recorded form.
 *
 * @category models
 * @since 0.1.0
 */
export type TaskOptions = Pick<
  ActivityScheduled,
  "startToCloseMillis" | "scheduleToStartMillis" | "scheduleToCloseMillis" | "heartbeatMillis" | "retry"
>

/**
 * @category models
 * @since 0.1.0
 */
export type TaskCommand =
  | { readonly _tag: "Pause" }
  | { readonly _tag: "Unpause"; readonly resetAttempts: boolean; readonly resetHeartbeat: boolean }
  | {
    readonly _tag: "Reset"
    readonly keepPaused: boolean
    readonly resetHeartbeat: boolean
    readonly restoreOriginal: boolean
  }
  | {
    readonly _tag: "Update"
    /** Those that are named replace what was in force. */
    readonly options: TaskOptions
    readonly taskQueue: string | undefined
    readonly restoreOriginal: boolean
  }

/** The attempt's number as its author sees it: from 1. @since 0.1.0 */
export const attemptOf = (task: Pick<ActivityTask, "attempt" | "forgotten">): number =>
  Math.max(1, task.attempt - task.forgotten)

/** Whether the attempt under way was asked to make room for a first one. @since 0.1.0 */
export const isReset = (task: Pick<ActivityTask, "attempt" | "forgotten">): boolean => task.forgotten >= task.attempt

/** The call with the options that are in force. @since 0.1.0 */
export const inForce = (scheduled: ActivityScheduled, options: string | undefined): ActivityScheduled =>
  options === undefined ? scheduled : { ...without(scheduled), ...JSON.parse(options) as TaskOptions }

/**
 * When an attempt that was handed over ends unless somebody completes it: start-to-close, schedule-to-close, and the next
 * heartbeat all go on (row A9).
 *
 * @category combinators
 * @since 0.1.0
 */
export const handedUntil = (
  scheduled: ActivityScheduled,
  scheduledAt: number,
  startedAt: number,
  heartbeatAt: number
): number =>
  Math.ceil(Math.min(
    Activities.closeBy(scheduled, scheduledAt) ?? Infinity,
    startedAt + (scheduled.startToCloseMillis ?? Limits.durationMillisMax),
    heartbeatAt + (scheduled.heartbeatMillis ?? Limits.durationMillisMax)
  ))

/**
 * What a command makes of a task. A command that changes nothing gives the same task.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decide = (
  task: ActivityTask,
  recorded: ActivityScheduled,
  command: TaskCommand,
  now: number
): Revised => {
  const queued = task.state === "queued" || task.state === "paused"
  const scheduled = inForce(recorded, task.options)
  switch (command._tag) {
    case "Pause":
      return task.paused ? task : waiting({ ...task, paused: true }, scheduled, task.dueAt)
    case "Unpause": {
      if (!task.paused) return task
      const resumed = { ...task, paused: false, ...(command.resetHeartbeat ? { heartbeat: undefined } : {}) }
      return waiting(command.resetAttempts ? forgetting(resumed, queued) : resumed, scheduled, now)
    }
    case "Reset": {
      const options = command.restoreOriginal ? undefined : task.options
      return waiting(
        {
          ...forgetting(task, queued),
          paused: task.paused && command.keepPaused,
          options,
          ...(command.resetHeartbeat ? { heartbeat: undefined } : {})
        },
        inForce(recorded, options),
        now
      )
    }
    case "Update": {
      const before = command.restoreOriginal ? recorded : scheduled
      const { taskQueue } = command
      const options = command.restoreOriginal && Object.keys(command.options).length === 0
        ? undefined
        : JSON.stringify({ ...optionsOf(before), ...command.options })
      const queue = taskQueue ?? (command.restoreOriginal ? recorded.taskQueue : undefined) ?? task.taskQueue
      return waiting({ ...task, options, taskQueue: queue }, inForce(recorded, options), task.dueAt)
    }
  }
}

// internal -----------------------------------------------------------------------------------------------------------

const without = (scheduled: ActivityScheduled): ActivityScheduled => {
  const {
    heartbeatMillis: _heartbeat,
    retry: _retry,
    scheduleToCloseMillis: _close,
    scheduleToStartMillis: _start,
    startToCloseMillis: _startToClose,
    ...rest
  } = scheduled
  return rest
}

const optionsOf = (
  { heartbeatMillis, retry, scheduleToCloseMillis, scheduleToStartMillis, startToCloseMillis }: ActivityScheduled
): { readonly [K in keyof TaskOptions]: TaskOptions[K] | undefined } => ({
  startToCloseMillis,
  scheduleToStartMillis,
  scheduleToCloseMillis,
  heartbeatMillis,
  retry
})

/** Of one that waits the attempt to come is the first; of one under way, the next. */
const forgetting = (task: ActivityTask, queued: boolean): ActivityTask => ({
  ...task,
  forgotten: queued ? task.attempt - 1 : task.attempt
})

/** A task that is not under way is paused or queued as its mark says; in a pause only schedule-to-close goes on. */
const waiting = (task: ActivityTask, scheduled: ActivityScheduled, dueAt: number): Revised => {
  if (task.state !== "queued" && task.state !== "paused") return task
  return task.paused
    ? { ...task, state: "paused", expiresAt: Activities.closeBy(scheduled, task.scheduledAt) }
    : { ...task, state: "queued", dueAt, expiresAt: Activities.startBy(scheduled, task.scheduledAt, dueAt) }
}
