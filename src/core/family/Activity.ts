/**
 * Activities: from the request to exactly one outcome.
 *
 *   ScheduleActivity ──▶ ActivityScheduled ──▶ ActivityCompleted | ActivityFailed | ActivityCanceled
 *                             └─ RequestCancelActivity ──▶ ActivityCancelRequested ──▶ (any of the three)
 *
 * Attempts leave no events: they live in the task row until the outcome is final.
 * 1. One outcome per activity: an outcome for one that is not pending is dropped (I9).
 * 2. An outcome names its attempt; the task row refuses one of an attempt that is over.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Failure, RetryState } from "../Failure.js"
import { Headers } from "../Headers.js"
import type { Payload } from "../Payload.js"
import { RetryPolicy } from "../RetryPolicy.js"
import * as Succession from "../Succession.js"
import type * as Execution from "./Execution.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/**
 * What interrupting the awaiting fiber does to the activity (rows C5 to C7).
 *
 * @category models
 * @since 0.1.0
 */
export const CancellationType = Schema.Literal("TryCancel", "WaitCancellationCompleted", "Abandon")
/** @since 0.1.0 */
export type CancellationType = typeof CancellationType.Type

/** @category models @since 0.1.0 */
export const ActivityScheduled = Schema.TaggedStruct("ActivityScheduled", {
  seq: Schema.Number,
  name: Schema.String,
  /** Absent: the sequence number. */
  id: optional(Schema.String),
  input: optional(Schema.Unknown),
  /** Given to each of its attempts. */
  headers: optional(Headers),
  /** Absent: the queue of the run. */
  taskQueue: optional(Schema.String),
  startToCloseMillis: optional(Schema.Number),
  scheduleToStartMillis: optional(Schema.Number),
  scheduleToCloseMillis: optional(Schema.Number),
  heartbeatMillis: optional(Schema.Number),
  /** Absent: `RetryPolicy.activityDefault`. */
  retry: optional(RetryPolicy),
  /** Absent: TryCancel. */
  cancellation: optional(CancellationType),
  /** What it is for, in a line (row W20). */
  summary: optional(Schema.String)
})
/** @since 0.1.0 */
export type ActivityScheduled = typeof ActivityScheduled.Type

/** @category models @since 0.1.0 */
export const ActivityCompleted = Schema.TaggedStruct("ActivityCompleted", {
  seq: Schema.Number,
  attempt: Schema.Number,
  result: optional(Schema.Unknown)
})
/** @since 0.1.0 */
export type ActivityCompleted = typeof ActivityCompleted.Type

/** @category models @since 0.1.0 */
export const ActivityFailed = Schema.TaggedStruct("ActivityFailed", {
  seq: Schema.Number,
  attempt: Schema.Number,
  failure: Failure,
  retryState: RetryState
})
/** @since 0.1.0 */
export type ActivityFailed = typeof ActivityFailed.Type

/** @category models @since 0.1.0 */
export const ActivityCancelRequested = Schema.TaggedStruct("ActivityCancelRequested", { seq: Schema.Number })
/** @since 0.1.0 */
export type ActivityCancelRequested = typeof ActivityCancelRequested.Type

/** @category models @since 0.1.0 */
export const ActivityCanceled = Schema.TaggedStruct("ActivityCanceled", { seq: Schema.Number, attempt: Schema.Number })
/** @since 0.1.0 */
export type ActivityCanceled = typeof ActivityCanceled.Type

/** @category models @since 0.1.0 */
export const events = [
  ActivityScheduled,
  ActivityCompleted,
  ActivityFailed,
  ActivityCancelRequested,
  ActivityCanceled
] as const

/** @category models @since 0.1.0 */
export interface ScheduleActivity {
  readonly _tag: "ScheduleActivity"
  readonly seq: number
  readonly scheduled: ActivityScheduled
}

/** @category models @since 0.1.0 */
export interface RequestCancelActivity {
  readonly _tag: "RequestCancelActivity"
  readonly seq: number
}

/** @since 0.1.0 */
export type Command = ScheduleActivity | RequestCancelActivity

/**
 * The outcome of an activity, final or not retried any more, as its host reports it.
 *
 * @category models
 * @since 0.1.0
 */
export const ActivityOutcome = Schema.TaggedStruct("ActivityOutcome", {
  outcome: Schema.Union(ActivityCompleted, ActivityFailed, ActivityCanceled)
})
/** @since 0.1.0 */
export type ActivityOutcome = typeof ActivityOutcome.Type

/** @category models @since 0.1.0 */
export interface PendingActivity {
  readonly scheduled: ActivityScheduled
  readonly scheduledAt: number
  /** The turn whose row holds the ActivityScheduled event. */
  readonly turn: number
  cancelRequested: boolean
}

/** What a run's state keeps of this family. @since 0.1.0 */
export interface Slice {
  readonly activities: Map<number, PendingActivity>
}

/** @since 0.1.0 */
export const empty = (): Slice => ({ activities: new Map() })

interface Moment {
  readonly turn: number
  readonly time: number
}

const settle = (state: Slice, event: { readonly seq: number }): void => {
  state.activities.delete(event.seq)
}

/** @since 0.1.0 */
export const evolve = {
  ActivityScheduled: (state: Slice & Moment, event: ActivityScheduled): void => {
    state.activities.set(event.seq, {
      scheduled: event,
      scheduledAt: state.time,
      turn: state.turn,
      cancelRequested: false
    })
  },
  ActivityCompleted: settle,
  ActivityFailed: settle,
  ActivityCanceled: settle,
  ActivityCancelRequested: (state: Slice, event: ActivityCancelRequested): void => {
    const pending = state.activities.get(event.seq)
    if (pending !== undefined) pending.cancelRequested = true
  }
}

/** @since 0.1.0 */
export const decide = {
  ScheduleActivity: ({ scheduled }: ScheduleActivity, now: number, { started }: Execution.Slice): ActivityScheduled => {
    const expiresAt = Succession.expiresAt(started)
    if (expiresAt === undefined) return scheduled
    // It has no more time than its run (row A14).
    const left = Math.max(1, expiresAt - now)
    return { ...scheduled, scheduleToCloseMillis: Math.min(left, scheduled.scheduleToCloseMillis ?? left) }
  },
  RequestCancelActivity: (command: RequestCancelActivity): ActivityCancelRequested => ({
    _tag: "ActivityCancelRequested",
    seq: command.seq
  })
}

/** @since 0.1.0 */
export const input = (scheduled: ActivityScheduled): Payload => scheduled.input

/** The commands that undo another one: when both fall into one turn, neither is recorded (row C8). @since 0.1.0 */
export const undoes = { RequestCancelActivity: "ScheduleActivity" } as const

/** What identifies an event that a command becomes, and its words: what a replay compares (row V4). @since 0.1.0 */
export const compare = {
  ActivityScheduled: {
    same: (recorded: ActivityScheduled, attempted: ActivityScheduled): boolean =>
      recorded.seq === attempted.seq && recorded.name === attempted.name && recorded.id === attempted.id,
    describe: (event: ActivityScheduled): string => `activity ${event.name} #${idOf(event)}`,
    input
  },
  ActivityCancelRequested: {
    same: (recorded: ActivityCancelRequested, attempted: ActivityCancelRequested): boolean =>
      recorded.seq === attempted.seq,
    describe: (event: ActivityCancelRequested): string => `cancel of activity #${event.seq}`
  }
}

/** @since 0.1.0 */
export const accept = {
  ActivityOutcome: (state: Slice, message: ActivityOutcome): ActivityOutcome["outcome"] | string =>
    state.activities.has(message.outcome.seq)
      ? message.outcome
      : `activity ${message.outcome.seq} is not pending: its outcome is already recorded, or it was never scheduled`
}

/**
 * The id of an activity within its run: what the author gave, or its sequence number.
 *
 * @category combinators
 * @since 0.1.0
 */
export const idOf = (scheduled: ActivityScheduled): string => scheduled.id ?? String(scheduled.seq)

/**
 * The same for every attempt of one activity, and different for any other (row A2).
 *
 * @category combinators
 * @since 0.1.0
 */
export const idempotencyKey = (runId: string, scheduled: ActivityScheduled): string => `${runId}/${idOf(scheduled)}`

/** The moment after which no attempt may begin or run, in epoch milliseconds (row A13). @since 0.1.0 */
export const closeBy = (scheduled: ActivityScheduled, scheduledAt: number): number | undefined =>
  scheduled.scheduleToCloseMillis === undefined ? undefined : Math.ceil(scheduledAt + scheduled.scheduleToCloseMillis)

/** The moment after which a queued attempt has waited too long, in epoch milliseconds (row A12). @since 0.1.0 */
export const startBy = (
  scheduled: ActivityScheduled,
  scheduledAt: number,
  attemptScheduledAt: number
): number | undefined => {
  const close = closeBy(scheduled, scheduledAt)
  if (scheduled.scheduleToStartMillis === undefined) return close
  const start = Math.ceil(attemptScheduledAt + scheduled.scheduleToStartMillis)
  return close === undefined ? start : Math.min(start, close)
}
