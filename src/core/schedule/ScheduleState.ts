/**
 * Schedules as they are stored: when (`ScheduleSpec`), what (`ScheduleAction`), how (`SchedulePolicy`), and where it
 * stands (`ScheduleState`). Data only; `Schedule.ts` makes and changes it, `Advance.ts` carries it on.
 *
 * ```
 *   nominal time ──┬──▶ missed     the scheduler was down for longer than the catch-up window
 *                  ├──▶ skipped    its overlap policy said so, or it waited and the schedule was paused or out of actions
 *                  ├──▶ dropped    too many were waiting
 *                  └──▶ waiting ──▶ running ──▶ ended          (at once, where nothing is in its way)
 * ```
 *
 * 1. Each nominal time after `consideredUntil` is decided once: it then counts in exactly one of these.
 * 2. What waits, what was asked for by hand, and what is kept of the past is bounded (`Limits.schedule*`).
 *
 * Rows H1 to H14.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Failure } from "../Failure.js"
import { ScheduleSpec } from "./ScheduleSpec.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/**
 * What happens to a time that comes while an action of the schedule still runs (row H7): the default is `Skip`.
 *
 * - `Skip`: nothing is started.
 * - `BufferOne`: one waits until the other has ended; further ones are skipped.
 * - `BufferAll`: all wait, one after the other.
 * - `CancelOther`: the other is asked to end; the new one starts once it has.
 * - `TerminateOther`: the other is terminated, and the new one starts at once.
 * - `AllowAll`: they run beside each other. An action that was started so is in nobody's way: the policies of later ones
 *   see neither it nor its result.
 *
 * @category models
 * @since 0.1.0
 */
export const Overlap = Schema.Literal("Skip", "BufferOne", "BufferAll", "CancelOther", "TerminateOther", "AllowAll")
/** @since 0.1.0 */
export type Overlap = typeof Overlap.Type

/**
 * How a schedule deals with overlap, lateness and failure; every default is filled in.
 *
 * @category models
 * @since 0.1.0
 */
export const SchedulePolicy = Schema.Struct({
  overlap: Overlap,
  /** How late a time may still be acted on: default a year, at least 10 seconds (row H8). */
  catchupWindowMillis: Schema.Number,
  /** Whether an action that failed or ran out of time, after all its retries, pauses the schedule (row H9). */
  pauseOnFailure: Schema.Boolean
})
/** @since 0.1.0 */
export type SchedulePolicy = typeof SchedulePolicy.Type

/**
 * What is started, all values already encoded.
 *
 * @category models
 * @since 0.1.0
 */
export const ScheduleAction = Schema.Struct({
  workflow: Schema.String,
  /** Each start adds "-" and its nominal time to it, in ISO form to the second. */
  workflowId: Schema.String,
  /** True: each start has the workflow id as it is; one whose predecessor is still open is then refused. */
  fixedWorkflowId: optional(Schema.Boolean),
  taskQueue: Schema.String,
  input: optional(Schema.Unknown),
  /** Timeouts, retry, priority and what else a start takes, as whoever starts runs reads it. */
  options: optional(Schema.Unknown),
  memo: optional(Schema.Unknown),
  attributes: optional(Schema.Unknown)
})
/** @since 0.1.0 */
export type ScheduleAction = typeof ScheduleAction.Type

/**
 * How an action ended: its whole chain, not one of its runs.
 *
 * @category models
 * @since 0.1.0
 */
export const EndStatus = Schema.Literal("Completed", "Failed", "TimedOut", "Canceled", "Terminated")
/** @since 0.1.0 */
export type EndStatus = typeof EndStatus.Type

/** A time that waits until what is in its way has ended. @since 0.1.0 */
export const Waiting = Schema.Struct({
  /** In epoch milliseconds, as all times here. */
  nominal: Schema.Number,
  /** What it was asked with, if that was not the schedule's policy. */
  overlap: optional(Overlap),
  /** True for what a trigger or a backfill asked for: it spends none of the remaining actions, and ignores a pause. */
  manual: optional(Schema.Boolean)
})
/** @since 0.1.0 */
export type Waiting = typeof Waiting.Type

/** An action that has started and has not ended, as far as the schedule was told. @since 0.1.0 */
export const Running = Schema.Struct({
  workflowId: Schema.String,
  firstRunId: Schema.String,
  nominal: Schema.Number,
  startedAt: Schema.Number,
  /** True where it was started under `AllowAll`. */
  beside: optional(Schema.Boolean),
  cancelRequested: optional(Schema.Boolean)
})
/** @since 0.1.0 */
export type Running = typeof Running.Type

/** An action of the past (row H14). @since 0.1.0 */
export const Recent = Schema.Struct({
  workflowId: Schema.String,
  firstRunId: Schema.String,
  nominal: Schema.Number,
  startedAt: Schema.Number,
  manual: optional(Schema.Boolean),
  /** Absent while it runs. */
  ended: optional(EndStatus)
})
/** @since 0.1.0 */
export type Recent = typeof Recent.Type

/** What an operator asked for and is not done yet, in the order of asking (rows H11, H12). @since 0.1.0 */
export const Request = Schema.Union(
  Schema.TaggedStruct("Trigger", { nominal: Schema.Number, overlap: optional(Overlap) }),
  /** Both ends are included. `from` moves on as its times are decided. */
  Schema.TaggedStruct("Backfill", { from: Schema.Number, to: Schema.Number, overlap: optional(Overlap) })
)
/** @since 0.1.0 */
export type Request = typeof Request.Type

/** What has become of the times so far. @since 0.1.0 */
export const Counts = Schema.Struct({
  /** Actions that were started. */
  actions: Schema.Number,
  /** Times that were not acted on because of an overlap, a refused start, a pause or the end of the actions. */
  skipped: Schema.Number,
  /** Times that were later than the catch-up window when they were looked at. */
  missed: Schema.Number,
  /** Times for which there was no room among those that wait. */
  dropped: Schema.Number
})
/** @since 0.1.0 */
export type Counts = typeof Counts.Type

/**
 * Where a schedule stands.
 *
 * @category models
 * @since 0.1.0
 */
export const ScheduleState = Schema.Struct({
  paused: Schema.Boolean,
  note: Schema.String,
  /** How many times of the spec are still acted on; absent: without limit. Never negative. */
  remainingActions: optional(Schema.Number),
  /** Every nominal time up to here is decided; it never goes back. */
  consideredUntil: Schema.Number,
  waiting: Schema.Array(Waiting),
  requests: Schema.Array(Request),
  running: Schema.Array(Running),
  /** The last ones, oldest first. */
  recent: Schema.Array(Recent),
  counts: Counts,
  /** What the last action that completed gave back, and the failure of the last one, if it failed (row W17). */
  lastResult: optional(Schema.Unknown),
  lastFailure: optional(Failure),
  createdAt: Schema.Number,
  /** When the definition was last replaced; absent where it never was. */
  updatedAt: optional(Schema.Number)
})
/** @since 0.1.0 */
export type ScheduleState = typeof ScheduleState.Type

/**
 * A schedule.
 *
 * @category models
 * @since 0.1.0
 */
export const Schedule = Schema.Struct({
  spec: ScheduleSpec,
  policy: SchedulePolicy,
  action: ScheduleAction,
  state: ScheduleState,
  /** Of the schedule itself, encoded; the action has its own. */
  memo: optional(Schema.Unknown),
  attributes: optional(Schema.Unknown)
})
/** @since 0.1.0 */
export type Schedule = typeof Schedule.Type
