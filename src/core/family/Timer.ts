/**
 * Durable timers.
 *
 *   StartTimer ──▶ TimerStarted ──▶ TimerFired
 *                       └─ CancelTimer ──▶ TimerCanceled
 *
 * 1. At most one of TimerFired and TimerCanceled.
 * 2. TimerFired is recorded at its due time or later, never before.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Limits } from "../Limits.js"

/** @category models @since 0.1.0 */
export const TimerStarted = Schema.TaggedStruct("TimerStarted", {
  seq: Schema.Number,
  dueAt: Schema.Number,
  /** What it is for, in a line (row W20). */
  summary: Schema.optionalWith(Schema.String, { exact: true })
})
/** @since 0.1.0 */
export type TimerStarted = typeof TimerStarted.Type

/** @category models @since 0.1.0 */
export const TimerFired = Schema.TaggedStruct("TimerFired", { seq: Schema.Number })
/** @since 0.1.0 */
export type TimerFired = typeof TimerFired.Type

/** @category models @since 0.1.0 */
export const TimerCanceled = Schema.TaggedStruct("TimerCanceled", { seq: Schema.Number })
/** @since 0.1.0 */
export type TimerCanceled = typeof TimerCanceled.Type

/** @category models @since 0.1.0 */
export const events = [TimerStarted, TimerFired, TimerCanceled] as const

/** @category models @since 0.1.0 */
export interface StartTimer {
  readonly _tag: "StartTimer"
  readonly seq: number
  readonly delayMillis: number
  readonly summary?: string | undefined
}

/** @category models @since 0.1.0 */
export interface CancelTimer {
  readonly _tag: "CancelTimer"
  readonly seq: number
}

/** @since 0.1.0 */
export type Command = StartTimer | CancelTimer

/** A timer's due time has come. Never stored: it is read off the run's own state. @since 0.1.0 */
export interface TimerDue {
  readonly _tag: "TimerDue"
  readonly seq: number
}

/** What a run's state keeps of this family: due times by sequence number. @since 0.1.0 */
export interface Slice {
  readonly timers: Map<number, number>
}

/** @since 0.1.0 */
export const empty = (): Slice => ({ timers: new Map() })

/** @since 0.1.0 */
export const evolve = {
  TimerStarted: (state: Slice, event: TimerStarted): void => {
    state.timers.set(event.seq, event.dueAt)
  },
  TimerFired: (state: Slice, event: TimerFired): void => {
    state.timers.delete(event.seq)
  },
  TimerCanceled: (state: Slice, event: TimerCanceled): void => {
    state.timers.delete(event.seq)
  }
}

/** @since 0.1.0 */
export const decide = {
  StartTimer: (command: StartTimer, now: number): TimerStarted => ({
    _tag: "TimerStarted",
    seq: command.seq,
    dueAt: Math.min(Limits.timeMillisMax, Math.ceil(now + command.delayMillis)),
    ...(command.summary === undefined ? undefined : { summary: command.summary })
  }),
  CancelTimer: (command: CancelTimer): TimerCanceled => ({ _tag: "TimerCanceled", seq: command.seq })
}

/** The commands that undo another one: when both fall into one turn, neither is recorded (row C8). @since 0.1.0 */
export const undoes = { CancelTimer: "StartTimer" } as const

/** What identifies an event that a command becomes, and its words: what a replay compares (row V4). @since 0.1.0 */
export const compare = {
  TimerStarted: {
    same: (recorded: TimerStarted, attempted: TimerStarted): boolean => recorded.seq === attempted.seq,
    describe: (event: TimerStarted): string => `timer #${event.seq}`
  },
  TimerCanceled: {
    same: (recorded: TimerCanceled, attempted: TimerCanceled): boolean => recorded.seq === attempted.seq,
    describe: (event: TimerCanceled): string => `cancel of timer #${event.seq}`
  }
}

/** @since 0.1.0 */
export const accept = {
  TimerDue: (state: Slice, message: TimerDue): TimerFired | string =>
    state.timers.has(message.seq) ? { _tag: "TimerFired", seq: message.seq } : `timer ${message.seq} is not pending`
}

/**
 * The timer that is due first; the one started first where two are due together.
 *
 * @category combinators
 * @since 0.1.0
 */
export const next = (state: Slice): { readonly seq: number; readonly dueAt: number } | undefined => {
  let first: { readonly seq: number; readonly dueAt: number } | undefined
  for (const [seq, dueAt] of state.timers) {
    if (first === undefined || dueAt < first.dueAt) first = { seq, dueAt }
  }
  return first
}
