/**
 * Inline steps (row L1): an effect that the owner of the run performs itself, and whose outcome is recorded.
 *
 *   RunStep ──▶ StepScheduled ──▶ StepCompleted | StepFailed
 *                  │   ▲  └─ CancelStep ──▶ StepCanceled (also from the wait)
 *                  ▼   │
 *        StepBackedOff ──▶ StepResumed, once its time has come
 *
 * Short delays between attempts are waited out where the step runs, and leave nothing. A long one is recorded, with the
 * attempt that failed: the run waits for it as for a timer, needs no memory meanwhile, and goes on at the next attempt.
 *
 * 1. A crash before the outcome is recorded runs the step again, wherever the run is brought back: from attempt 1, or
 *    from the one after the last recorded.
 * 2. StepResumed is recorded at the due time or later, never before, and once for each StepBackedOff.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Failure, RetryState } from "../Failure.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** @category models @since 0.1.0 */
export const StepScheduled = Schema.TaggedStruct("StepScheduled", {
  seq: Schema.Number,
  name: Schema.String,
  /** What it is for, in a line (row W20). */
  summary: optional(Schema.String)
})
/** @since 0.1.0 */
export type StepScheduled = typeof StepScheduled.Type

/** @category models @since 0.1.0 */
export const StepCompleted = Schema.TaggedStruct("StepCompleted", {
  seq: Schema.Number,
  result: optional(Schema.Unknown)
})
/** @since 0.1.0 */
export type StepCompleted = typeof StepCompleted.Type

/** @category models @since 0.1.0 */
export const StepFailed = Schema.TaggedStruct("StepFailed", {
  seq: Schema.Number,
  attempt: Schema.Number,
  failure: Failure,
  retryState: RetryState
})
/** @since 0.1.0 */
export type StepFailed = typeof StepFailed.Type

/** @category models @since 0.1.0 */
export const StepCanceled = Schema.TaggedStruct("StepCanceled", { seq: Schema.Number })
/** @since 0.1.0 */
export type StepCanceled = typeof StepCanceled.Type

/** An attempt failed, and the next one is so far off that the run waits for it durably. @category models @since 0.1.0 */
export const StepBackedOff = Schema.TaggedStruct("StepBackedOff", {
  seq: Schema.Number,
  /** The one that failed; counts from 1. */
  attempt: Schema.Number,
  failure: Failure,
  /** When the next one begins, in epoch milliseconds. */
  dueAt: Schema.Number
})
/** @since 0.1.0 */
export type StepBackedOff = typeof StepBackedOff.Type

/** The wait is over: the next attempt begins. @category models @since 0.1.0 */
export const StepResumed = Schema.TaggedStruct("StepResumed", { seq: Schema.Number })
/** @since 0.1.0 */
export type StepResumed = typeof StepResumed.Type

/** @category models @since 0.1.0 */
export const events = [StepScheduled, StepBackedOff, StepResumed, StepCompleted, StepFailed, StepCanceled] as const

/** @category models @since 0.1.0 */
export interface RunStep {
  readonly _tag: "RunStep"
  readonly seq: number
  readonly name: string
  readonly summary?: string | undefined
}

/** @category models @since 0.1.0 */
export interface CancelStep {
  readonly _tag: "CancelStep"
  readonly seq: number
}

/** @since 0.1.0 */
export type Command = RunStep | CancelStep

/** @category models @since 0.1.0 */
export const StepOutcome = Schema.TaggedStruct("StepOutcome", {
  outcome: Schema.Union(StepCompleted, StepFailed, StepBackedOff)
})
/** @since 0.1.0 */
export type StepOutcome = typeof StepOutcome.Type

/** The next attempt of a step is due. Never stored: it is read off the run's own state. @since 0.1.0 */
export interface StepDue {
  readonly _tag: "StepDue"
  readonly seq: number
}

/** @category models @since 0.1.0 */
export interface PendingStep {
  readonly name: string
  readonly scheduledAt: number
  /** The attempt to begin with, wherever the run is brought back. */
  attempt: number
  /** Why the one before it failed, if that is recorded. */
  lastFailure: Failure | undefined
  /** When that attempt may begin, in epoch milliseconds; undefined: it has begun. */
  dueAt: number | undefined
}

/** What a run's state keeps of this family: pending steps by sequence number. @since 0.1.0 */
export interface Slice {
  readonly steps: Map<number, PendingStep>
}

/** @since 0.1.0 */
export const empty = (): Slice => ({ steps: new Map() })

const settle = (state: Slice, event: { readonly seq: number }): void => {
  state.steps.delete(event.seq)
}

/** @since 0.1.0 */
export const evolve = {
  StepScheduled: (state: Slice & { readonly time: number }, event: StepScheduled): void => {
    state.steps.set(event.seq, {
      name: event.name,
      scheduledAt: state.time,
      attempt: 1,
      lastFailure: undefined,
      dueAt: undefined
    })
  },
  StepBackedOff: (state: Slice, event: StepBackedOff): void => {
    const step = state.steps.get(event.seq)
    if (step === undefined) return
    step.attempt = event.attempt + 1
    step.lastFailure = event.failure
    step.dueAt = event.dueAt
  },
  StepResumed: (state: Slice, event: StepResumed): void => {
    const step = state.steps.get(event.seq)
    if (step !== undefined) step.dueAt = undefined
  },
  StepCompleted: settle,
  StepFailed: settle,
  StepCanceled: settle
}

/** @since 0.1.0 */
export const decide = {
  RunStep: (command: RunStep): StepScheduled => ({
    _tag: "StepScheduled",
    seq: command.seq,
    name: command.name,
    ...(command.summary === undefined ? undefined : { summary: command.summary })
  }),
  CancelStep: (command: CancelStep): StepCanceled => ({ _tag: "StepCanceled", seq: command.seq })
}

/** The commands that undo another one: when both fall into one turn, neither is recorded (row C8). @since 0.1.0 */
export const undoes = { CancelStep: "RunStep" } as const

/** What identifies an event that a command becomes, and its words: what a replay compares (row V4). @since 0.1.0 */
export const compare = {
  StepScheduled: {
    same: (recorded: StepScheduled, attempted: StepScheduled): boolean =>
      recorded.seq === attempted.seq && recorded.name === attempted.name,
    describe: (event: StepScheduled): string => `step ${event.name} #${event.seq}`
  },
  StepCanceled: {
    same: (recorded: StepCanceled, attempted: StepCanceled): boolean => recorded.seq === attempted.seq,
    describe: (event: StepCanceled): string => `cancel of step #${event.seq}`
  }
}

/** @since 0.1.0 */
export const accept = {
  StepOutcome: (state: Slice, { outcome }: StepOutcome): StepOutcome["outcome"] | string => {
    const step = state.steps.get(outcome.seq)
    if (step === undefined) return `step ${outcome.seq} is not pending`
    return step.dueAt === undefined ? outcome : `step ${outcome.seq} waits for its next attempt`
  },
  StepDue: (state: Slice, { seq }: StepDue): StepResumed | string =>
    state.steps.get(seq)?.dueAt === undefined ? `step ${seq} does not wait` : { _tag: "StepResumed", seq }
}

/**
 * The steps of which an attempt is under way.
 *
 * @category combinators
 * @since 0.1.0
 */
export const performing = (state: Slice): ReadonlyArray<number> =>
  [...state.steps].flatMap(([seq, { dueAt }]) => dueAt === undefined ? [seq] : [])

/**
 * Whether an attempt of any step is under way: only the process that has the run in memory can end it.
 *
 * @category refinements
 * @since 0.1.0
 */
export const isPerforming = (state: Slice): boolean => {
  if (state.steps.size === 0) return false
  for (const { dueAt } of state.steps.values()) if (dueAt === undefined) return true
  return false
}

/**
 * The step whose next attempt is due first.
 *
 * @category combinators
 * @since 0.1.0
 */
export const next = (state: Slice): { readonly seq: number; readonly dueAt: number } | undefined => {
  let first: { readonly seq: number; readonly dueAt: number } | undefined
  for (const [seq, { dueAt }] of state.steps) {
    if (dueAt !== undefined && (first === undefined || dueAt < first.dueAt)) first = { seq, dueAt }
  }
  return first
}
