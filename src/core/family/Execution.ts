/**
 * The run itself: its start, the request to cancel it, and exactly one end.
 *
 *   Start ──▶ ExecutionStarted ──▶ ExecutionCompleted | ExecutionFailed | ExecutionCanceled | ExecutionContinuedAsNew
 *                   │                 by the body       ExecutionTerminated | ExecutionTimedOut    from outside
 *                   ├─ Cancel ──▶ CancelRequested ──▶ (any of them)
 *                   └─ Reset ──▶ ExecutionReset ──▶ (any of them)     only behind turns copied from another run
 *
 * 1. Nothing follows an end. 2. Only the first cancel request is recorded (row C1). 3. An end that another run of the
 * chain follows names it; which one, and when, is decided in Succession.ts.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Failure, RetryState } from "../Failure.js"
import { Headers } from "../Headers.js"
import type { Payload } from "../Payload.js"
import { RetryPolicy } from "../RetryPolicy.js"
import { carried } from "./Notes.js"
import { versioning } from "./Version.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/**
 * The status of a run.
 *
 * @category models
 * @since 0.1.0
 */
export const Status = Schema.Literal(
  "Running",
  "Completed",
  "Failed",
  "Canceled",
  "Terminated",
  "ContinuedAsNew",
  "TimedOut"
)
/** @since 0.1.0 */
export type Status = typeof Status.Type

/**
 * What becomes of a child that is open when its parent's run closes, in whatever way (row K4).
 *
 * @category models
 * @since 0.1.0
 */
export const ParentClosePolicy = Schema.Literal("Terminate", "Abandon", "RequestCancel")
/** @since 0.1.0 */
export type ParentClosePolicy = typeof ParentClosePolicy.Type

/**
 * Who started a run that is a child: the run that did, and its sequence number there. Carried from run to run of a chain.
 *
 * @category models
 * @since 0.1.0
 */
export const Parent = Schema.Struct({
  runId: Schema.String,
  workflowId: Schema.String,
  seq: Schema.Number,
  /** Absent: Terminate. */
  close: optional(ParentClosePolicy)
})
/** @since 0.1.0 */
export type Parent = typeof Parent.Type

/**
 * Which schedule started a chain of runs, and for which of its times, in epoch milliseconds (row H2).
 *
 * @category models
 * @since 0.1.0
 */
export const Scheduled = Schema.Struct({ by: Schema.String, at: Schema.Number })
/** @since 0.1.0 */
export type Scheduled = typeof Scheduled.Type

/** The first run of a chain. @since 0.1.0 */
export const Root = Schema.Struct({ workflowId: Schema.String, runId: Schema.String })
/** @since 0.1.0 */
export type Root = typeof Root.Type

const started = {
  workflow: Schema.String,
  workflowId: Schema.String,
  taskQueue: Schema.String,
  input: optional(Schema.Unknown),
  headers: optional(Headers),
  /** Absent: it was started by a client. */
  parent: optional(Parent),
  /** The first run of the chain from which all its parents come; absent: it has no parent. */
  root: optional(Root),
  /** Absent: no schedule started the chain. */
  scheduled: optional(Scheduled),
  /** The version of effect that ran the first turn: wake-ups may move by a hop between versions. */
  effect: optional(Schema.String),
  /** The replay behaviours that the code which started the run knew (row V5). */
  flags: optional(Schema.Array(Schema.Number)),
  /** The first run of its chain (row U10); absent: this one. */
  firstRunId: optional(Schema.String),
  /** The run that it continues or retries. */
  previousRunId: optional(Schema.String),
  /** When the first run of the chain started, in epoch milliseconds; absent: this is the first one. */
  firstStartedAt: optional(Schema.Number),
  /** Counts from 1; absent: 1. */
  attempt: optional(Schema.Number),
  /** Until when its first turn was held (row X7). */
  startAt: optional(Schema.Number),
  /** Of the whole chain (row X8). */
  executionTimeoutMillis: optional(Schema.Number),
  executionExpiresAt: optional(Schema.Number),
  /** Of this run. */
  runTimeoutMillis: optional(Schema.Number),
  runExpiresAt: optional(Schema.Number),
  /** Absent: a run that fails is not retried (row X9). */
  retry: optional(RetryPolicy),
  /** Absent: no run follows one that has ended well (row X10). */
  cron: optional(Schema.String),
  /** The run from which random numbers are drawn and ids derived, up to a reset; absent: this one (rows C11, W2). */
  seedRunId: optional(Schema.String),
  /** What the last run of the chain that completed gave, encoded (row W17). */
  lastResult: optional(Schema.Unknown),
  /** What the attempt, or the run of a cron, before this one failed with (row W17). */
  lastFailure: optional(Failure),
  ...versioning,
  ...carried
}

/** The run that follows this one, where one does. */
const followed = { newRunId: optional(Schema.String) }
/** Why no other attempt is made; "InProgress" where one is. Absent where no policy was given. */
const decided = { ...followed, retryState: optional(RetryState) }

/** What a body asks of the run that continues it; what is absent is inherited (row K10). */
const continuation = {
  workflow: Schema.String,
  taskQueue: optional(Schema.String),
  input: optional(Schema.Unknown),
  delayMillis: optional(Schema.Number),
  runTimeoutMillis: optional(Schema.Number),
  retry: optional(RetryPolicy),
  /** In place of all that this run has. */
  memo: carried.memo,
  searchAttributes: carried.searchAttributes,
  headers: optional(Headers),
  /** It goes where routing sends it, though this run is pinned (row V6). */
  upgrade: optional(Schema.Literal(true))
}
const Continuation = Schema.Struct(continuation)
/** @since 0.1.0 */
export type Continuation = typeof Continuation.Type

/** @category models @since 0.1.0 */
export const ExecutionStarted = Schema.TaggedStruct("ExecutionStarted", started)
/** @since 0.1.0 */
export type ExecutionStarted = typeof ExecutionStarted.Type

/** @category models @since 0.1.0 */
export const ExecutionCompleted = Schema.TaggedStruct("ExecutionCompleted", {
  result: optional(Schema.Unknown),
  ...followed
})
/** @since 0.1.0 */
export type ExecutionCompleted = typeof ExecutionCompleted.Type

/** @category models @since 0.1.0 */
export const ExecutionFailed = Schema.TaggedStruct("ExecutionFailed", { failure: Failure, ...decided })
/** @since 0.1.0 */
export type ExecutionFailed = typeof ExecutionFailed.Type

/** @category models @since 0.1.0 */
export const CancelRequested = Schema.TaggedStruct("CancelRequested", { reason: Schema.String })
/** @since 0.1.0 */
export type CancelRequested = typeof CancelRequested.Type

const reset = {
  /** From here on random numbers are drawn and ids derived from it: the run itself, unless that was reset in turn. */
  runId: Schema.String,
  fromRunId: Schema.String,
  /** The turn of that run which is taken anew. */
  turn: Schema.Number,
  reason: Schema.String
}

/**
 * The turns before this one were copied from another run, whose next turn is taken anew from here (row C11).
 *
 * @category models
 * @since 0.1.0
 */
export const ExecutionReset = Schema.TaggedStruct("ExecutionReset", reset)
/** @since 0.1.0 */
export type ExecutionReset = typeof ExecutionReset.Type

/** @category models @since 0.1.0 */
export const ExecutionCanceled = Schema.TaggedStruct("ExecutionCanceled", { reason: Schema.String })
/** @since 0.1.0 */
export type ExecutionCanceled = typeof ExecutionCanceled.Type

/** @category models @since 0.1.0 */
export const ExecutionTerminated = Schema.TaggedStruct("ExecutionTerminated", {
  reason: Schema.String,
  details: optional(Schema.Unknown),
  /** The run that takes it anew from one of its turns on (row C11). */
  ...followed
})
/** @since 0.1.0 */
export type ExecutionTerminated = typeof ExecutionTerminated.Type

/** @category models @since 0.1.0 */
export const ExecutionContinuedAsNew = Schema.TaggedStruct("ExecutionContinuedAsNew", { ...continuation, ...followed })
/** @since 0.1.0 */
export type ExecutionContinuedAsNew = typeof ExecutionContinuedAsNew.Type

/** Out of time: no code of the run took part in it (row X8). @category models @since 0.1.0 */
export const ExecutionTimedOut = Schema.TaggedStruct("ExecutionTimedOut", {
  timeout: Schema.Literal("Execution", "Run"),
  ...decided
})
/** @since 0.1.0 */
export type ExecutionTimedOut = typeof ExecutionTimedOut.Type

/** @category models @since 0.1.0 */
export const events = [
  ExecutionStarted,
  ExecutionCompleted,
  ExecutionFailed,
  CancelRequested,
  ExecutionReset,
  ExecutionCanceled,
  ExecutionTerminated,
  ExecutionContinuedAsNew,
  ExecutionTimedOut
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

/** @category models @since 0.1.0 */
export interface ContinueAsNew {
  readonly _tag: "ContinueAsNew"
  readonly continuation: Continuation
}

/** @since 0.1.0 */
export type Command = CompleteExecution | FailExecution | CancelExecution | ContinueAsNew

/** @category models @since 0.1.0 */
export const Start = Schema.TaggedStruct("Start", started)
/** @since 0.1.0 */
export type Start = typeof Start.Type

/** @category models @since 0.1.0 */
export const Cancel = Schema.TaggedStruct("Cancel", { reason: Schema.String })
/** @since 0.1.0 */
export type Cancel = typeof Cancel.Type

/** @category models @since 0.1.0 */
export const Reset = Schema.TaggedStruct("Reset", reset)
/** @since 0.1.0 */
export type Reset = typeof Reset.Type

/** @since 0.1.0 */
export type Closing =
  | ExecutionCompleted
  | ExecutionFailed
  | ExecutionCanceled
  | ExecutionTerminated
  | ExecutionContinuedAsNew
  | ExecutionTimedOut

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
  ExecutionReset: (): void => {},
  ExecutionCompleted: close("Completed"),
  ExecutionFailed: close("Failed"),
  ExecutionCanceled: close("Canceled"),
  ExecutionTerminated: close("Terminated"),
  ExecutionContinuedAsNew: close("ContinuedAsNew"),
  ExecutionTimedOut: close("TimedOut")
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
  }),
  ContinueAsNew: ({ continuation }: ContinueAsNew): ExecutionContinuedAsNew => ({
    _tag: "ExecutionContinuedAsNew",
    ...continuation
  })
}

/** The commands that end the run. @since 0.1.0 */
export const ends: ReadonlySet<string> = new Set<Command["_tag"]>([
  "CompleteExecution",
  "FailExecution",
  "CancelExecution",
  "ContinueAsNew"
])

/** What identifies an event that a command becomes, and its words: what a replay compares (row V4). @since 0.1.0 */
export const compare = {
  ExecutionCompleted: { same: () => true, describe: () => "completion of the run" },
  ExecutionFailed: { same: () => true, describe: () => "failure of the run" },
  ExecutionCanceled: { same: () => true, describe: () => "cancellation of the run" },
  ExecutionContinuedAsNew: {
    same: (recorded: ExecutionContinuedAsNew, attempted: ExecutionContinuedAsNew): boolean =>
      recorded.workflow === attempted.workflow,
    describe: (event: ExecutionContinuedAsNew): string => `continuation as a new run of ${event.workflow}`,
    input: (event: ExecutionContinuedAsNew): Payload => event.input
  }
}

/**
 * Whether the event is the end of its run.
 *
 * @category refinements
 * @since 0.1.0
 */
export const isClosing = (event: { readonly _tag: string }): event is Closing => closings.has(event._tag)

const closings: ReadonlySet<string> = new Set<Closing["_tag"]>([
  "ExecutionCompleted",
  "ExecutionFailed",
  "ExecutionCanceled",
  "ExecutionTerminated",
  "ExecutionContinuedAsNew",
  "ExecutionTimedOut"
])

/**
 * Whether a turn is an end that came from outside, so that no code took part in it: alone, or right after the start of a
 * run that had no first turn before.
 *
 * @category refinements
 * @since 0.1.0
 */
export const isImposed = (events: ReadonlyArray<{ readonly _tag: string }>): boolean => {
  const [first, second] = events
  return first !== undefined && (imposed.has(first._tag) ||
    first._tag === "ExecutionStarted" && second !== undefined && events.length === 2 && imposed.has(second._tag))
}

/**
 * An end by its body follows a message. A cancellation of a run that never began stands alone (row K6), and so does the
 * failure of one whose code differs from its history (row W16).
 */
const imposed: ReadonlySet<string> = new Set<Closing["_tag"]>([
  "ExecutionTerminated",
  "ExecutionTimedOut",
  "ExecutionCanceled",
  "ExecutionFailed"
])

/** The run that follows an end. @since 0.1.0 */
export const followerOf = (closing: Closing): string | undefined => "newRunId" in closing ? closing.newRunId : undefined

/** @since 0.1.0 */
export const accept = {
  Start: (state: Slice, message: Start): ExecutionStarted | string =>
    state.started === undefined ? { ...message, _tag: "ExecutionStarted" } : "this run has already started",
  Cancel: (state: Slice, message: Cancel): CancelRequested | string =>
    state.cancelRequested === undefined
      ? { _tag: "CancelRequested", reason: message.reason }
      : "cancellation was already requested",
  Reset: (_state: Slice, message: Reset): ExecutionReset => ({ ...message, _tag: "ExecutionReset" })
}
