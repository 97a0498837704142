/**
 * Children: runs that a run starts, from the request to exactly one outcome (rows K1 to K7).
 *
 *   StartChild ──▶ ChildStartRequested ──▶ ChildStarted ──▶ ChildCompleted | ChildFailed | ChildCanceled
 *                       │      │                │            | ChildTerminated | ChildTimedOut
 *                       │      └─ ChildStartFailed: the workflow id was taken (row K2)
 *                       └─ RequestCancelChild ──▶ ChildCancelRequested ──▶ (any of them)
 *
 * 1. The commit that records the request creates the child, or finds its id taken, and posts which of both it was into
 *    the mailbox of the parent: there is no moment in which a child is requested and neither is there (I3).
 * 2. The commit that closes the last run of a child posts its outcome to the parent: one outcome a child (I9, row K3).
 * 3. A child knows its parent by run and sequence number; both are carried from run to run of its chain.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Failure, RetryState } from "../Failure.js"
import { Headers } from "../Headers.js"
import type { Payload } from "../Payload.js"
import { RetryPolicy } from "../RetryPolicy.js"
import * as Succession from "../Succession.js"
import type { Closing, Parent } from "./Execution.js"
import { followerOf, ParentClosePolicy } from "./Execution.js"
import { carried } from "./Notes.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/**
 * What interrupting the awaiting fiber does to the child (row K5).
 *
 * @category models
 * @since 0.1.0
 */
export const ChildCancellationType = Schema.Literal(
  "WaitCancellationCompleted",
  "TryCancel",
  "WaitCancellationRequested",
  "Abandon"
)
/** @since 0.1.0 */
export type ChildCancellationType = typeof ChildCancellationType.Type

/** @category models @since 0.1.0 */
export const ChildStartRequested = Schema.TaggedStruct("ChildStartRequested", {
  seq: Schema.Number,
  workflow: Schema.String,
  workflowId: Schema.String,
  /** The first run of the child. */
  runId: Schema.String,
  input: optional(Schema.Unknown),
  headers: optional(Headers),
  /** Absent: the queue of the run. */
  taskQueue: optional(Schema.String),
  /** Its first turn is held for so long (row X7). */
  delayMillis: optional(Schema.Number),
  executionTimeoutMillis: optional(Schema.Number),
  runTimeoutMillis: optional(Schema.Number),
  /** It is repeated (row X10). */
  cron: optional(Schema.String),
  /** Absent: a run of it that fails is not retried. */
  retry: optional(RetryPolicy),
  /** Which closed runs of its workflow id stand in its way (row K2); absent: none. */
  reuse: optional(Schema.Literal("AllowDuplicateFailedOnly", "RejectDuplicate")),
  ...carried,
  /** Absent: Terminate. */
  parentClose: optional(ParentClosePolicy),
  /** Absent: WaitCancellationCompleted. */
  cancellation: optional(ChildCancellationType)
})
/** @since 0.1.0 */
export type ChildStartRequested = typeof ChildStartRequested.Type

/** @category models @since 0.1.0 */
export const ChildStarted = Schema.TaggedStruct("ChildStarted", { seq: Schema.Number, runId: Schema.String })
/** @since 0.1.0 */
export type ChildStarted = typeof ChildStarted.Type

/** @category models @since 0.1.0 */
export const ChildStartFailed = Schema.TaggedStruct("ChildStartFailed", {
  seq: Schema.Number,
  /** The run that has the workflow id. */
  existing: optional(Schema.String),
  /** It is closed, and what was asked for does not allow another one after it. */
  closed: optional(Schema.Literal(true))
})
/** @since 0.1.0 */
export type ChildStartFailed = typeof ChildStartFailed.Type

/** The run with which a child ended: not the first one, if that was retried or continued. */
const ended = { seq: Schema.Number, runId: Schema.String }

/** @category models @since 0.1.0 */
export const ChildCompleted = Schema.TaggedStruct("ChildCompleted", { ...ended, result: optional(Schema.Unknown) })
/** @since 0.1.0 */
export type ChildCompleted = typeof ChildCompleted.Type

/** @category models @since 0.1.0 */
export const ChildFailed = Schema.TaggedStruct("ChildFailed", { ...ended, failure: Failure, retryState: RetryState })
/** @since 0.1.0 */
export type ChildFailed = typeof ChildFailed.Type

/** @category models @since 0.1.0 */
export const ChildCanceled = Schema.TaggedStruct("ChildCanceled", { ...ended, reason: Schema.String })
/** @since 0.1.0 */
export type ChildCanceled = typeof ChildCanceled.Type

/** @category models @since 0.1.0 */
export const ChildTerminated = Schema.TaggedStruct("ChildTerminated", { ...ended, reason: Schema.String })
/** @since 0.1.0 */
export type ChildTerminated = typeof ChildTerminated.Type

/** @category models @since 0.1.0 */
export const ChildTimedOut = Schema.TaggedStruct("ChildTimedOut", {
  ...ended,
  failure: Failure,
  retryState: RetryState
})
/** @since 0.1.0 */
export type ChildTimedOut = typeof ChildTimedOut.Type

/** @category models @since 0.1.0 */
export const ChildCancelRequested = Schema.TaggedStruct("ChildCancelRequested", {
  seq: Schema.Number,
  reason: Schema.String
})
/** @since 0.1.0 */
export type ChildCancelRequested = typeof ChildCancelRequested.Type

/** @category models @since 0.1.0 */
export const events = [
  ChildStartRequested,
  ChildStarted,
  ChildStartFailed,
  ChildCompleted,
  ChildFailed,
  ChildCanceled,
  ChildTerminated,
  ChildTimedOut,
  ChildCancelRequested
] as const

/** How a child ended. @since 0.1.0 */
export type ChildEnd = ChildCompleted | ChildFailed | ChildCanceled | ChildTerminated | ChildTimedOut

/** @category models @since 0.1.0 */
export interface StartChild {
  readonly _tag: "StartChild"
  readonly seq: number
  readonly requested: Omit<ChildStartRequested, "runId">
}

/** @category models @since 0.1.0 */
export interface RequestCancelChild {
  readonly _tag: "RequestCancelChild"
  readonly seq: number
  readonly reason: string
}

/** @since 0.1.0 */
export type Command = StartChild | RequestCancelChild

/**
 * What the store and the child itself tell the parent: that it was started, or not, and how it ended.
 *
 * @category models
 * @since 0.1.0
 */
export const ChildOutcome = Schema.TaggedStruct("ChildOutcome", {
  outcome: Schema.Union(
    ChildStarted,
    ChildStartFailed,
    ChildCompleted,
    ChildFailed,
    ChildCanceled,
    ChildTerminated,
    ChildTimedOut
  )
})
/** @since 0.1.0 */
export type ChildOutcome = typeof ChildOutcome.Type

/** @category models @since 0.1.0 */
export interface PendingChild {
  readonly requested: ChildStartRequested
  started: boolean
  cancelRequested: boolean
}

/** What a run's state keeps of this family: children without an outcome, abandoned ones among them. @since 0.1.0 */
export interface Slice {
  readonly children: Map<number, PendingChild>
}

/** @since 0.1.0 */
export const empty = (): Slice => ({ children: new Map() })

const settle = (state: Slice, event: { readonly seq: number }): void => {
  state.children.delete(event.seq)
}

/** @since 0.1.0 */
export const evolve = {
  ChildStartRequested: (state: Slice, event: ChildStartRequested): void => {
    state.children.set(event.seq, { requested: event, started: false, cancelRequested: false })
  },
  ChildStarted: (state: Slice, event: ChildStarted): void => {
    const child = state.children.get(event.seq)
    if (child !== undefined) child.started = true
  },
  ChildStartFailed: settle,
  ChildCompleted: settle,
  ChildFailed: settle,
  ChildCanceled: settle,
  ChildTerminated: settle,
  ChildTimedOut: settle,
  ChildCancelRequested: (state: Slice, event: ChildCancelRequested): void => {
    const child = state.children.get(event.seq)
    if (child !== undefined) child.cancelRequested = true
  }
}

/** @since 0.1.0 */
export const decide = {
  StartChild: (command: StartChild, now: number, state: { readonly runId: string }): ChildStartRequested => ({
    ...command.requested,
    runId: runIdOf(state.runId, command.seq, now)
  }),
  RequestCancelChild: (command: RequestCancelChild): ChildCancelRequested => ({
    _tag: "ChildCancelRequested",
    seq: command.seq,
    reason: command.reason
  })
}

/** @since 0.1.0 */
export const input = (requested: ChildStartRequested): Payload => requested.input

/** The commands that undo another one: when both fall into one turn, neither is recorded (row C8). @since 0.1.0 */
export const undoes = { RequestCancelChild: "StartChild" } as const

/** What identifies an event that a command becomes, and its words: what a replay compares (row V4). @since 0.1.0 */
export const compare = {
  ChildStartRequested: {
    same: (recorded: ChildStartRequested, attempted: ChildStartRequested): boolean =>
      recorded.seq === attempted.seq && recorded.workflow === attempted.workflow &&
      recorded.workflowId === attempted.workflowId,
    describe: (event: ChildStartRequested): string => `child ${event.workflow} ${event.workflowId} #${event.seq}`,
    input
  },
  ChildCancelRequested: {
    same: (recorded: ChildCancelRequested, attempted: ChildCancelRequested): boolean => recorded.seq === attempted.seq,
    describe: (event: ChildCancelRequested): string => `cancel of child #${event.seq}`
  }
}

/** @since 0.1.0 */
export const accept = {
  ChildOutcome: (state: Slice, { outcome }: ChildOutcome): ChildOutcome["outcome"] | string => {
    const child = state.children.get(outcome.seq)
    if (child === undefined) {
      return `child ${outcome.seq} is not pending: its outcome is already recorded, or it was never started`
    }
    return child.started && (outcome._tag === "ChildStarted" || outcome._tag === "ChildStartFailed")
      ? `child ${outcome.seq} has already started`
      : outcome
  }
}

/**
 * The workflow id of a child that neither its start nor its definition names: the same on every replay.
 *
 * @category combinators
 * @since 0.1.0
 */
export const defaultWorkflowId = (parentRunId: string, seq: number): string => `${parentRunId}/${seq}`

/**
 * What a parent is told of the end of its child's run: nothing where another run of its chain follows (row K3).
 *
 * @category combinators
 * @since 0.1.0
 */
export const outcomeOf = (
  { seq }: Pick<Parent, "seq">,
  runId: string,
  closing: Closing
): ChildOutcome | undefined => {
  const outcome = endOf(seq, runId, closing)
  return outcome === undefined ? undefined : { _tag: "ChildOutcome", outcome }
}

/**
 * The first run id of a child: a UUID (version 7) that holds the time, as all run ids do, and for the rest the place at
 * which its parent asked for it, so that no random number is needed and the decision stays one on data. Of two that a
 * parent asks for in one millisecond the later one has the higher id: by that the last run of a workflow id is found.
 *
 * @category combinators
 * @since 0.1.0
 */
export const runIdOf = (parentRunId: string, seq: number, now: number): string => {
  const place = `${parentRunId}/${seq}`
  const time = hex(Math.max(0, Math.trunc(now)), 12)
  const [a, b, c] = [hash(place, 0x811c9dc5), hash(place, 0x01234567), hash(place, 0x89abcdef)]
  const variant = (8 | (a >>> 30)).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(seq & 0xfff, 3)}-${variant}${hex((a >>> 12) & 0xfff, 3)}-${
    hex(b >>> 16, 4)
  }${hex(c, 8)}`
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0")

/** FNV-1a. */
const hash = (text: string, start: number): number => {
  let value = start
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}

const endOf = (seq: number, runId: string, closing: Closing): ChildEnd | undefined => {
  if (followerOf(closing) !== undefined) return undefined
  switch (closing._tag) {
    case "ExecutionCompleted":
      return {
        _tag: "ChildCompleted",
        seq,
        runId,
        ...(closing.result === undefined ? {} : { result: closing.result })
      }
    case "ExecutionFailed":
      return {
        _tag: "ChildFailed",
        seq,
        runId,
        failure: closing.failure,
        retryState: closing.retryState ?? "RetryPolicyNotSet"
      }
    case "ExecutionTimedOut":
      return {
        _tag: "ChildTimedOut",
        seq,
        runId,
        failure: Succession.timeoutFailure(closing.timeout),
        retryState: closing.retryState ?? "RetryPolicyNotSet"
      }
    case "ExecutionContinuedAsNew":
      return undefined
    case "ExecutionCanceled":
      return { _tag: "ChildCanceled", seq, runId, reason: closing.reason }
    case "ExecutionTerminated":
      return { _tag: "ChildTerminated", seq, runId, reason: closing.reason }
  }
}
