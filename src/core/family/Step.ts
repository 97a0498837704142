/**
 * Inline steps (row L1): an effect that the owner of the run performs itself, and whose outcome is recorded.
 *
 *   RunStep ──▶ StepScheduled ──▶ StepCompleted | StepFailed
 *                    └─ CancelStep ──▶ StepCanceled
 *
 * A crash before the outcome is recorded runs the step again, from attempt 1, wherever the run is brought back.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Failure, RetryState } from "../Failure.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** @category models @since 0.1.0 */
export const StepScheduled = Schema.TaggedStruct("StepScheduled", { seq: Schema.Number, name: Schema.String })
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

/** @category models @since 0.1.0 */
export const events = [StepScheduled, StepCompleted, StepFailed, StepCanceled] as const

/** @category models @since 0.1.0 */
export interface RunStep {
  readonly _tag: "RunStep"
  readonly seq: number
  readonly name: string
}

/** @category models @since 0.1.0 */
export interface CancelStep {
  readonly _tag: "CancelStep"
  readonly seq: number
}

/** @since 0.1.0 */
export type Command = RunStep | CancelStep

/** @category models @since 0.1.0 */
export const StepOutcome = Schema.TaggedStruct("StepOutcome", { outcome: Schema.Union(StepCompleted, StepFailed) })
/** @since 0.1.0 */
export type StepOutcome = typeof StepOutcome.Type

/** What a run's state keeps of this family: names of pending steps by sequence number. @since 0.1.0 */
export interface Slice {
  readonly steps: Map<number, string>
}

/** @since 0.1.0 */
export const empty = (): Slice => ({ steps: new Map() })

const settle = (state: Slice, event: { readonly seq: number }): void => {
  state.steps.delete(event.seq)
}

/** @since 0.1.0 */
export const evolve = {
  StepScheduled: (state: Slice, event: StepScheduled): void => {
    state.steps.set(event.seq, event.name)
  },
  StepCompleted: settle,
  StepFailed: settle,
  StepCanceled: settle
}

/** @since 0.1.0 */
export const decide = {
  RunStep: (command: RunStep): StepScheduled => ({ _tag: "StepScheduled", seq: command.seq, name: command.name }),
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
  StepOutcome: (state: Slice, message: StepOutcome): StepOutcome["outcome"] | string =>
    state.steps.has(message.outcome.seq) ? message.outcome : `step ${message.outcome.seq} is not pending`
}
