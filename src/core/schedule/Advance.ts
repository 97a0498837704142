/**
 * Carries a schedule on: what ended is taken in, what is due is decided, what may start is named.
 *
 * ```
 *   advance(schedule, now, ended) ──▶ the schedule as it is now, to be stored in one transaction with
 *                                     starts, cancels, terminates; and wakeAt, when to look again
 * ```
 *
 * @since 0.1.0
 */
import type { Failure } from "../Failure.js"
import type { EndStatus, Schedule } from "./ScheduleState.js"

/**
 * An action whose chain has ended: it has no open run any more. One that the schedule does not know is passed over.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ended {
  readonly firstRunId: string
  readonly status: EndStatus
  /** The encoded success of the last run, where it completed. */
  readonly result?: unknown
  readonly failure?: Failure | undefined
}

/** A run to begin. @since 0.1.0 */
export interface Start {
  readonly workflowId: string
  readonly firstRunId: string
  /** The time it stands for. */
  readonly nominal: number
  readonly manual: boolean
  /** Of the action before; neither under `AllowAll` (row W17). */
  readonly lastResult?: unknown
  readonly lastFailure?: Failure
}

/** An action by its chain's first run: its open run is meant, if it still has one. @since 0.1.0 */
export interface Target {
  readonly workflowId: string
  readonly firstRunId: string
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Decision {
  readonly schedule: Schedule
  readonly starts: ReadonlyArray<Start>
  /** To be asked to cancel. */
  readonly cancels: ReadonlyArray<Target>
  /** To be terminated before the starts. */
  readonly terminates: ReadonlyArray<Target>
  /** When to look again, whether or not an action ends before; undefined: only then, or after an operator's call. */
  readonly wakeAt: number | undefined
}

/** @since 0.1.0 */
export interface Moment {
  readonly now: number
  readonly ended: ReadonlyArray<Ended>
  /** Gives each start the id of its first run. */
  readonly newRunId: () => string
}

/**
 * @category combinators
 * @since 0.1.0
 */
export const advance = (_id: string, schedule: Schedule, _moment: Moment): Decision => ({
  schedule,
  starts: [],
  cancels: [],
  terminates: [],
  wakeAt: undefined
})

/**
 * The decision without a start that can not be: another run with its workflow id is open. It counts as skipped.
 *
 * @category combinators
 * @since 0.1.0
 */
export const refused = (decision: Decision, _firstRunId: string, _now: number): Decision => decision
