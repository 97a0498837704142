/**
 * Schedules: how they are made, and what operators do to them. Each function is data in, data out: whoever calls it
 * reads a row, writes the outcome if the row is still the one that was read, and begins again otherwise.
 *
 * ```
 *   create ──▶ active ◀──unpause──┬──pause──▶ paused      trigger, backfill: requests, acted on in both
 *                 └──── update ───┴─────────────┘         (by `Advance.advance`, which is to follow each of these)
 * ```
 *
 * 1. What was considered stays so: no call makes a nominal time count twice. 2. What is asked for is bounded.
 *
 * Rows H1, H2, H8 to H14.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Limits } from "../Limits.js"
import { ScheduleSpec } from "./ScheduleSpec.js"
import type { Overlap, Request, Schedule, ScheduleAction, SchedulePolicy, ScheduleState } from "./ScheduleState.js"
import type { Time } from "./ScheduleTimes.js"
import * as ScheduleTimes from "./ScheduleTimes.js"

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
export const policy = (input: PolicyInput = {}): Either.Either<SchedulePolicy, string> => {
  const window = input.catchupWindow === undefined
    ? Limits.scheduleCatchupWindowMillis
    : Math.min(Duration.toMillis(input.catchupWindow), Limits.durationMillisMax)
  return window >= Limits.scheduleCatchupWindowMillisMin
    ? Either.right({
      overlap: input.overlap ?? "Skip",
      catchupWindowMillis: window,
      pauseOnFailure: input.pauseOnFailure ?? false
    })
    : Either.left(`catchupWindow must be at least ${Limits.scheduleCatchupWindowMillisMin} ms, and is ${window} ms`)
}

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
  /** At most 2,000 characters. */
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
  /** Default: the schedule's policy at the time. */
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
  definition: Definition,
  now: number,
  initially: Initially = {}
): Either.Either<Schedule, string> =>
  Either.gen(function*() {
    const { action, attributes, memo, note, paused, policy, remainingActions, spec } = yield* checked(definition)
    const made: Schedule = {
      spec,
      policy,
      action,
      state: {
        paused,
        note,
        ...(remainingActions === undefined ? {} : { remainingActions }),
        consideredUntil: now,
        waiting: [],
        requests: [],
        running: [],
        recent: [],
        counts: { actions: 0, skipped: 0, missed: 0, dropped: 0 },
        createdAt: now
      },
      ...(memo === undefined ? {} : { memo }),
      ...(attributes === undefined ? {} : { attributes })
    }
    const triggered = initially.trigger === true ? yield* trigger(made, now) : made
    const { backfills = [] } = initially
    return backfills.length === 0 ? triggered : yield* backfill(triggered, backfills)
  })

/** What an update starts from. @since 0.1.0 */
export const definition = ({ action, attributes, memo, policy, spec, state }: Schedule): Definition => ({
  spec,
  policy,
  action,
  paused: state.paused,
  note: state.note,
  ...(state.remainingActions === undefined ? {} : { remainingActions: state.remainingActions }),
  ...(memo === undefined ? {} : { memo }),
  ...(attributes === undefined ? {} : { attributes })
})

/**
 * Blocks the spec: its times pass uncounted, and one that waits is skipped when its turn comes. What is triggered or
 * filled back still acts. Again: only the note is new (row H10).
 *
 * @category combinators
 * @since 0.1.0
 */
export const pause = (schedule: Schedule, note = "Paused via perdure"): Schedule =>
  changed(schedule, { paused: true, note: shortened(note) })

/**
 * Lets the spec act again, from now on: times that came while it was paused are not made up for. One that is not paused
 * gets the note (row H10).
 *
 * @category combinators
 * @since 0.1.0
 */
export const unpause = (id: string, schedule: Schedule, now: number, note = "Unpaused via perdure"): Schedule => {
  const { spec, state } = schedule
  const consideredUntil = state.paused ? passed(id, spec, state.consideredUntil, now) : state.consideredUntil
  return changed(schedule, { paused: false, note: shortened(note), consideredUntil })
}

/**
 * One action now, paused or not, that spends none of the remaining ones (row H11); or why not: more than 100 requests
 * are not done yet. Its nominal time is the second that it is asked in, or the first free one after it: the workflow id
 * is made of it, and must not be that of another action.
 *
 * @category combinators
 * @since 0.1.0
 */
export const trigger = (schedule: Schedule, now: number, overlap?: Overlap): Either.Either<Schedule, string> =>
  asked(schedule, [{
    _tag: "Trigger",
    nominal: freeSecond(schedule, now),
    ...(overlap === undefined ? {} : { overlap })
  }])

/**
 * Acts on the times of the ranges as if they passed now, both ends included, paused or not, spending none of the
 * remaining actions (row H12); or says why not: no range, one that ends before it begins, more than 100 requests that
 * are not done yet. The catch-up window does not matter.
 *
 * @category combinators
 * @since 0.1.0
 */
export const backfill = (
  schedule: Schedule,
  ranges: ReadonlyArray<BackfillInput>
): Either.Either<Schedule, string> => {
  if (ranges.length === 0) return Either.left("a backfill needs at least one range")
  const wrong = ranges.find(({ from, to }) => !(from <= to) || !isTime(from) || !isTime(to))
  if (wrong !== undefined) return Either.left(`a backfill from ${wrong.from} to ${wrong.to} is no range of time`)
  return asked(
    schedule,
    ranges.map(({ from, overlap, to }) => ({
      _tag: "Backfill",
      from: Math.ceil(from),
      to: Math.floor(to),
      ...(overlap === undefined ? {} : { overlap })
    }))
  )
}

/**
 * Puts another definition in the place of the one there is, or says what is wrong with it (row H13).
 *
 * Times of a new spec count from now on, and never one that the old one had come to; those of the old one that are due
 * and that nobody has looked at are passed over, so whoever wants them lets the schedule advance before. What waits keeps
 * the overlap policy under which it began to wait. Memo and attributes that are absent stay as they are.
 *
 * @category combinators
 * @since 0.1.0
 */
export const update = (
  id: string,
  schedule: Schedule,
  definition: Definition,
  now: number
): Either.Either<Schedule, string> =>
  Either.map(checked(definition), ({ action, attributes, memo, note, paused, policy, remainingActions, spec }) => {
    const { policy: before, state } = schedule
    const sleeps = state.paused || state.remainingActions === 0
    const wakes = sleeps && !paused && remainingActions !== 0
    const { remainingActions: _, ...kept } = state
    return {
      ...schedule,
      spec,
      policy,
      action,
      state: {
        ...kept,
        paused,
        note,
        ...(remainingActions === undefined ? {} : { remainingActions }),
        consideredUntil: wakes || !sameSpec(spec, schedule.spec)
          ? passed(id, spec, state.consideredUntil, now)
          : state.consideredUntil,
        waiting: policy.overlap === before.overlap
          ? state.waiting
          : state.waiting.map((waiting) => ({ overlap: before.overlap, ...waiting })),
        updatedAt: now
      },
      ...(memo === undefined ? {} : { memo }),
      ...(attributes === undefined ? {} : { attributes })
    }
  })

/**
 * The next times, whether or not it is paused: at most 10, and no more than there are actions left (row H14).
 *
 * @category combinators
 * @since 0.1.0
 */
export const upcoming = (id: string, { spec, state }: Schedule, now: number): ReadonlyArray<Time> => {
  const most = Math.min(Limits.scheduleUpcomingMax, state.remainingActions ?? Infinity)
  return ScheduleTimes.between(spec, id, passed(id, spec, state.consideredUntil, now) + 1, Infinity, most)
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const sameSpec = Schema.equivalence(ScheduleSpec)

const changed = (schedule: Schedule, state: Partial<ScheduleState>): Schedule => ({
  ...schedule,
  state: { ...schedule.state, ...state }
})

const shortened = (note: string): string => note.slice(0, Limits.scheduleNoteCharsMax)

const isTime = (time: number): boolean => Math.abs(time) <= Limits.timeMillisMax

/** "-" and a time such as 2026-11-28T02:41:00Z. */
const suffixChars = 21

const checked = (definition: Definition): Either.Either<Definition, string> => {
  const { action, note, remainingActions } = definition
  if (remainingActions !== undefined && !(Number.isSafeInteger(remainingActions) && remainingActions >= 0)) {
    return Either.left(`remainingActions must be a whole number, 0 or more, and is ${remainingActions}`)
  }
  if (note.length > Limits.scheduleNoteCharsMax) {
    return Either.left(`the note has more than ${Limits.scheduleNoteCharsMax} characters`)
  }
  if (action.workflowId === "" || action.workflowId.length + suffixChars > Limits.identifierCharsMax) {
    return Either.left(
      `the workflow id must have 1 to ${Limits.identifierCharsMax - suffixChars} characters: each action adds its time`
    )
  }
  return Either.right(definition)
}

const asked = (schedule: Schedule, requests: ReadonlyArray<Request>): Either.Either<Schedule, string> => {
  const all = [...schedule.state.requests, ...requests]
  return all.length > Limits.scheduleRequestsMax
    ? Either.left(
      `a schedule has at most ${Limits.scheduleRequestsMax} triggers and backfill ranges that are not done yet`
    )
    : Either.right(changed(schedule, { requests: all }))
}

/** Times looked at where the jitter is long and times are many: then those of the last moments are passed over too. */
const passedMax = 10_000

/**
 * Up to where times count as considered, when they are to count from now on: a time that has passed but for its jitter
 * is still to come.
 */
const passed = (id: string, spec: ScheduleSpec, consideredUntil: number, now: number): number => {
  if (now <= consideredUntil) return consideredUntil
  if (spec.jitterMillis === 0) return now
  let time = ScheduleTimes.next(spec, id, Math.max(consideredUntil, now - spec.jitterMillis))
  for (let looked = 0; looked < passedMax && time !== undefined && time.nominal <= now; looked++) {
    if (time.at > now) return time.nominal - 1
    time = ScheduleTimes.next(spec, id, time.nominal)
  }
  return now
}

/** Seconds that are looked at for one that the spec does not have: one of every second has no other. */
const freeMax = 100

const freeSecond = ({ spec, state }: Schedule, now: number): number => {
  const taken = new Set(
    [...state.waiting, ...state.running, ...state.recent, ...state.requests].flatMap((action) =>
      "nominal" in action ? [action.nominal] : []
    )
  )
  let free: number | undefined
  for (let second = Math.floor(now / 1_000) * 1_000, looked = 0;; second += 1_000) {
    if (taken.has(second)) continue
    free ??= second
    if (ScheduleTimes.next(spec, "", second - 1)?.nominal !== second) return second
    if (++looked === freeMax) return free
  }
}
