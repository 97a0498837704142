/**
 * What the runtime asks of a database for schedules: rows of their own, and the runs that they start. Part of the Store
 * port.
 *
 * ```
 *   schedules   one row a schedule: next_at (when it must be looked at), held_until (who looks at it), revision
 *
 *   claim ──▶ decide (pure) ──▶ writeSchedules: row, if its revision is still the one read; its runs; cancel requests; ends
 * ```
 *
 * 1. A row is written only over the revision that it was read with, and with it all that it decided: no action is taken
 *    twice, and none is lost (I3). 2. A claim holds a row for a while, only so that workers do not do the same work: it
 *    is nobody's, and due again when that is over. 3. The end of a run that a schedule started makes its row due, and
 *    raises its revision, in the transaction that ends the run.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Status } from "../core/family/Execution.js"
import type { HistoryRow } from "./HistoryRow.js"
import type { Creation, ImposedEnd } from "./NewRun.js"
import type { StoreError } from "./StoreError.js"

/** @category models @since 0.1.0 */
export interface NewSchedule {
  readonly scheduleId: string
  /** Whose runs it starts. */
  readonly workflow: string
  readonly paused: boolean
  /** When it must be looked at next; undefined: only a call, or the end of a run of its own, makes it act. */
  readonly nextAt: number | undefined
  /** What it does, when, and how, as JSON. Written by calls alone. */
  readonly definition: string
  /** Where it stands, as JSON. */
  readonly state: string
}

/** @category models @since 0.1.0 */
export interface Schedule extends NewSchedule {
  /** Rises with each write. */
  readonly revision: number
}

/** All runs of one action: the first one, and those that retry or continue it. @category models @since 0.1.0 */
export interface ChainOfRuns {
  readonly workflowId: string
  readonly firstRunId: string
}

/**
 * What was decided of one schedule: all of it is written, or nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScheduleWrite {
  readonly scheduleId: string
  /** The one that was read. */
  readonly revision: number
  /** Whose runs it starts. */
  readonly workflow: string
  readonly paused: boolean
  readonly nextAt: number | undefined
  readonly state: string
  /** Undefined leaves it as it is. */
  readonly definition: string | undefined
  /** Runs that begin. */
  readonly starts: ReadonlyArray<Creation>
  /** Open chains whose cancellation is asked for. */
  readonly cancels: ReadonlyArray<ChainOfRuns & { readonly body: string }>
  /** Open chains that are ended. They make room for `starts` of their workflow ids. */
  readonly terminates: ReadonlyArray<ChainOfRuns & { readonly end: ImposedEnd }>
}

/**
 * What became of it.
 *
 * - Changed: the schedule has another revision, or is gone. Read it again.
 * - Met: starts, by their run ids, whose workflow ids have an open run. Nothing was written.
 *
 * @category models
 * @since 0.1.0
 */
export type ScheduleWritten =
  | { readonly _tag: "Written" }
  | { readonly _tag: "Changed" }
  | { readonly _tag: "Met"; readonly runIds: ReadonlySet<string> }

/** Where a chain stands: its open run, else its last one. @category models @since 0.1.0 */
export interface ChainEnd extends ChainOfRuns {
  readonly runId: string
  readonly workflow: string
  readonly status: Status
  /** Of a closed run, its last turn. */
  readonly last: HistoryRow | undefined
}

/** @category models @since 0.1.0 */
export interface ScheduleOperations {
  /** False: there is one of this id. */
  readonly createSchedule: (schedule: NewSchedule) => Effect.Effect<boolean, StoreError>
  readonly findSchedule: (scheduleId: string) => Effect.Effect<Option.Option<Schedule>, StoreError>
  /** False: there is none. Its runs go on. */
  readonly deleteSchedule: (scheduleId: string) => Effect.Effect<boolean, StoreError>
  /** Schedules behind the given id whose ids begin with the prefix, in the order of their ids. */
  readonly listSchedules: (options: {
    readonly after: string
    readonly prefix: string
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<Schedule>, StoreError>
  /** Schedules that are due and not held, the longest due first; held from now on until the given time. */
  readonly claimSchedules: (
    now: number,
    heldUntil: number,
    limit: number
  ) => Effect.Effect<ReadonlyArray<Schedule>, StoreError>
  /** Writes what was decided of schedules, in one transaction; each by itself, in order. */
  readonly writeSchedules: (
    writes: ReadonlyArray<ScheduleWrite>,
    now: number
  ) => Effect.Effect<ReadonlyArray<ScheduleWritten>, StoreError>
  /** The earliest time at which a schedule that is not held is due, or one is not held any more: past, if it is time. */
  readonly nextSchedule: Effect.Effect<Option.Option<number>, StoreError>
  /** Those of the chains of which the store has a run. */
  readonly endsOfChains: (chains: ReadonlyArray<ChainOfRuns>) => Effect.Effect<ReadonlyArray<ChainEnd>, StoreError>
}
