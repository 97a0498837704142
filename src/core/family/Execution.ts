/**
 * The run itself: its start, the request to cancel it, and exactly one end.
 *
 *   Start ──▶ ExecutionStarted ──▶ ExecutionCompleted | ExecutionFailed | ExecutionCanceled | ExecutionTerminated
 *                   └─ Cancel ──▶ CancelRequested ──▶ (any of the four)
 *
 * 1. Nothing follows an end. 2. Only the first cancel request is recorded (row C1).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Failure } from "../Failure.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/**
 * The status of a run.
 *
 * @category models
 * @since 0.1.0
 */
export const Status = Schema.Literal("Running", "Completed", "Failed", "Canceled", "Terminated")
/** @since 0.1.0 */
export type Status = typeof Status.Type

const started = {
  workflow: Schema.String,
  workflowId: Schema.String,
  taskQueue: Schema.String,
  input: optional(Schema.Unknown),
  /** The version of effect that ran the first turn: wake-ups may move by a hop between versions. */
  effect: optional(Schema.String),
  /** The replay behaviours that the code which started the run knew (row V5). */
  flags: optional(Schema.Array(Schema.Number))
}

/** @category models @since 0.1.0 */
export const ExecutionStarted = Schema.TaggedStruct("ExecutionStarted", started)
/** @since 0.1.0 */
export type ExecutionStarted = typeof ExecutionStarted.Type

/** @category models @since 0.1.0 */
export const ExecutionCompleted = Schema.TaggedStruct("ExecutionCompleted", { result: optional(Schema.Unknown) })
/** @since 0.1.0 */
export type ExecutionCompleted = typeof ExecutionCompleted.Type

/** @category models @since 0.1.0 */
export const ExecutionFailed = Schema.TaggedStruct("ExecutionFailed", { failure: Failure })
/** @since 0.1.0 */
export type ExecutionFailed = typeof ExecutionFailed.Type

/** @category models @since 0.1.0 */
export const CancelRequested = Schema.TaggedStruct("CancelRequested", { reason: Schema.String })
/** @since 0.1.0 */
export type CancelRequested = typeof CancelRequested.Type

/** @category models @since 0.1.0 */
export const ExecutionCanceled = Schema.TaggedStruct("ExecutionCanceled", { reason: Schema.String })
/** @since 0.1.0 */
export type ExecutionCanceled = typeof ExecutionCanceled.Type

/** @category models @since 0.1.0 */
export const ExecutionTerminated = Schema.TaggedStruct("ExecutionTerminated", {
  reason: Schema.String,
  details: optional(Schema.Unknown)
})
/** @since 0.1.0 */
export type ExecutionTerminated = typeof ExecutionTerminated.Type

/** @category models @since 0.1.0 */
export const events = [
  ExecutionStarted,
  ExecutionCompleted,
  ExecutionFailed,
  CancelRequested,
  ExecutionCanceled,
  ExecutionTerminated
] as const

/** @category models @since 0.1.0 */
export interface CompleteExecution {
  readonly _tag: "CompleteExecution"
  readonly result: unknown
}

/** @category models @since 0.1.0 */
export interface FailExecution {
  readonly _tag: "FailExecution"
  readonly failure: Failure
}

/** @category models @since 0.1.0 */
export interface CancelExecution {
  readonly _tag: "CancelExecution"
  /** As it was given with the request. */
  readonly reason: string
}

/** @since 0.1.0 */
export type Command = CompleteExecution | FailExecution | CancelExecution

/** @category models @since 0.1.0 */
export const Start = Schema.TaggedStruct("Start", started)
/** @since 0.1.0 */
export type Start = typeof Start.Type

/** @category models @since 0.1.0 */
export const Cancel = Schema.TaggedStruct("Cancel", { reason: Schema.String })
/** @since 0.1.0 */
export type Cancel = typeof Cancel.Type

/** @since 0.1.0 */
export type Closing = ExecutionCompleted | ExecutionFailed | ExecutionCanceled | ExecutionTerminated

/** What a run's state keeps of this family. @since 0.1.0 */
export interface Slice {
  status: Status
  started: ExecutionStarted | undefined
  cancelRequested: string | undefined
  closed: Closing | undefined
}

/** @since 0.1.0 */
export const empty = (): Slice => ({
  status: "Running",
  started: undefined,
  cancelRequested: undefined,
  closed: undefined
})

const close = (status: Status) => (state: Slice, event: Closing): void => {
  state.status = status
  state.closed = event
}

/** @since 0.1.0 */
export const evolve = {
  ExecutionStarted: (state: Slice, event: ExecutionStarted): void => {
    state.started = event
  },
  CancelRequested: (state: Slice, event: CancelRequested): void => {
    state.cancelRequested ??= event.reason
  },
  ExecutionCompleted: close("Completed"),
  ExecutionFailed: close("Failed"),
  ExecutionCanceled: close("Canceled"),
  ExecutionTerminated: close("Terminated")
}

/** @since 0.1.0 */
export const decide = {
  CompleteExecution: (command: CompleteExecution): ExecutionCompleted => ({
    _tag: "ExecutionCompleted",
    ...(command.result === undefined ? {} : { result: command.result })
  }),
  FailExecution: (command: FailExecution): ExecutionFailed => ({ _tag: "ExecutionFailed", failure: command.failure }),
  CancelExecution: (command: CancelExecution): ExecutionCanceled => ({
    _tag: "ExecutionCanceled",
    reason: command.reason
  })
}

/** The commands that end the run. @since 0.1.0 */
export const ends: ReadonlySet<string> = new Set<Command["_tag"]>([
  "CompleteExecution",
  "FailExecution",
  "CancelExecution"
])

/** What identifies an event that a command becomes, and its words: what a replay compares (row V4). @since 0.1.0 */
export const compare = {
  ExecutionCompleted: { same: () => true, describe: () => "completion of the run" },
  ExecutionFailed: { same: () => true, describe: () => "failure of the run" },
  ExecutionCanceled: { same: () => true, describe: () => "cancellation of the run" }
}

/** @since 0.1.0 */
export const accept = {
  Start: (state: Slice, message: Start): ExecutionStarted | string =>
    state.started === undefined ? { ...message, _tag: "ExecutionStarted" } : "this run has already started",
  Cancel: (state: Slice, message: Cancel): CancelRequested | string =>
    state.cancelRequested === undefined
      ? { _tag: "CancelRequested", reason: message.reason }
      : "cancellation was already requested"
}
