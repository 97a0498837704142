/**
 * Schedules: how they are made, and what operators do to them. Each function is data in, data out: whoever calls it
 * reads a row, writes the outcome if the row is still the one that was read, and begins again otherwise.
 *
 * After each of these, `Advance.advance` says what is to be started now, and when to look again.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type { ScheduleSpec } from "./ScheduleSpec.js"
import type { Overlap, Schedule, ScheduleAction, SchedulePolicy } from "./ScheduleState.js"
import type { Time } from "./ScheduleTimes.js"

/** What authors write of a policy. @since 0.1.0 */
export interface PolicyInput {
  /** Default `Skip`. */
  readonly overlap?: Overlap | undefined
  /** Default 365 days; at least 10 seconds. */
  readonly catchupWindow?: Duration.DurationInput | undefined
  /** Default false. */
  readonly pauseOnFailure?: boolean | undefined
}

/** The policy with its defaults, or what is wrong with it. @since 0.1.0 */
export const policy = (_input: PolicyInput = {}): Either.Either<SchedulePolicy, string> => Either.left("not built yet")

/**
 * What a user decides of a schedule: what `create` takes, and what an update reads and gives back.
 *
 * @category models
 * @since 0.1.0
 */
export interface Definition {
  readonly spec: ScheduleSpec
  readonly policy: SchedulePolicy
  readonly action: ScheduleAction
  readonly paused: boolean
  readonly note: string
  /** Absent: without limit. A whole number, 0 or more. */
  readonly remainingActions?: number | undefined
  /** Absent in an update: as it is. */
  readonly memo?: unknown
  /** Absent in an update: as they are. */
  readonly attributes?: unknown
}

/** Times to be acted on as if they passed now, both ends included (row H12). @since 0.1.0 */
export interface BackfillInput {
  readonly from: number
  readonly to: number
  readonly overlap?: Overlap | undefined
}

/** What is done at the very creation (row H1). @since 0.1.0 */
export interface Initially {
  readonly trigger?: boolean | undefined
  readonly backfills?: ReadonlyArray<BackfillInput> | undefined
}

/**
 * A new schedule, or what is wrong with it. A time that is exactly `now` is before its life.
 *
 * @category constructors
 * @since 0.1.0
 */
export const create = (
  _definition: Definition,
  _now: number,
  _initially: Initially = {}
): Either.Either<Schedule, string> => Either.left("not built yet")

/** What an update starts from. @since 0.1.0 */
export const definition = (schedule: Schedule): Definition => ({
  spec: schedule.spec,
  policy: schedule.policy,
  action: schedule.action,
  paused: schedule.state.paused,
  note: schedule.state.note,
  ...(schedule.state.remainingActions === undefined ? {} : { remainingActions: schedule.state.remainingActions })
})

/** Blocks the spec; what is triggered or filled back still acts (row H10). @since 0.1.0 */
export const pause = (schedule: Schedule, _note?: string): Schedule => schedule

/** Times that came while it was paused are not made up for (row H10). @since 0.1.0 */
export const unpause = (_id: string, schedule: Schedule, _now: number, _note?: string): Schedule => schedule

/** One action now (row H11), or why not: too many are asked for already. @since 0.1.0 */
export const trigger = (
  schedule: Schedule,
  _now: number,
  _overlap?: Overlap
): Either.Either<Schedule, string> => Either.right(schedule)

/** Acts on the times of ranges (row H12), or why not. @since 0.1.0 */
export const backfill = (
  schedule: Schedule,
  _ranges: ReadonlyArray<BackfillInput>
): Either.Either<Schedule, string> => Either.right(schedule)

/** Puts another definition in the place of the one there is (row H13), or says what is wrong with it. @since 0.1.0 */
export const update = (
  _id: string,
  schedule: Schedule,
  _changed: Definition,
  _now: number
): Either.Either<Schedule, string> => Either.right(schedule)

/** The next times, whether or not it is paused: at most 10, and no more than there are actions left (row H14). @since 0.1.0 */
export const upcoming = (_id: string, _schedule: Schedule, _now: number): ReadonlyArray<Time> => []
