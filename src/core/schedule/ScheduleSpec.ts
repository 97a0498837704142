/**
 * When a schedule acts: calendars and intervals together, without what its skip calendars match.
 *
 * ```
 *   Input (cron strings, names, Durations, Dates) ──make──▶ ScheduleSpec (ranges, milliseconds) ──▶ ScheduleTimes.next
 *                                                     └───▶ what is wrong with it, as text
 * ```
 *
 * 1. A stored spec has every default filled in; ranges are in bounds, and the time zone exists.
 * 2. A spec without calendars and intervals never acts by itself: it is for triggers and backfills only (row H1).
 *
 * Rows H3 to H6.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Limits } from "../Limits.js"
import * as Calendars from "./Calendar.js"
import * as CronString from "./CronString.js"
import * as ZoneOffset from "./ZoneOffset.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** Matches epoch + n times `everyMillis` + `offsetMillis` (row H3): whole seconds. @since 0.1.0 */
export const Interval = Schema.Struct({ everyMillis: Schema.Number, offsetMillis: Schema.Number })
/** @since 0.1.0 */
export type Interval = typeof Interval.Type

/**
 * @category models
 * @since 0.1.0
 */
export const ScheduleSpec = Schema.Struct({
  calendars: Schema.Array(Calendars.Calendar),
  intervals: Schema.Array(Interval),
  /** Times that one of these matches do not count. */
  skip: Schema.Array(Calendars.Calendar),
  /** No time before it, in epoch milliseconds; it may itself be one. */
  startAt: optional(Schema.Number),
  /** No time after it; it may itself be one. */
  endAt: optional(Schema.Number),
  /** Each time is put off by up to so much, never as far as the next one; 0 is not at all. */
  jitterMillis: Schema.Number,
  /** By which the calendars are read: an IANA name, or an offset such as "+05:30". */
  timeZone: Schema.String
})
/** @since 0.1.0 */
export type ScheduleSpec = typeof ScheduleSpec.Type

/** @since 0.1.0 */
export interface IntervalInput {
  /** Whole seconds, at least one. */
  readonly every: Duration.DurationInput
  /** Whole seconds, less than `every`: default 0. */
  readonly offset?: Duration.DurationInput | undefined
}

/** A date, or epoch milliseconds. @since 0.1.0 */
export type TimeInput = Date | number

/**
 * What authors write.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly calendars?: ReadonlyArray<Calendars.CalendarInput> | undefined
  readonly intervals?: ReadonlyArray<IntervalInput> | undefined
  /** As `CronString` reads them (row H5). */
  readonly cron?: ReadonlyArray<string> | undefined
  /** Second, minute and hour are 0 here too by default: a whole hour is `{ second: "*", minute: "*", hour: 12 }`. */
  readonly skip?: ReadonlyArray<Calendars.CalendarInput> | undefined
  /** Inclusive. */
  readonly startAt?: TimeInput | undefined
  /** Inclusive. */
  readonly endAt?: TimeInput | undefined
  /** Default 0. */
  readonly jitter?: Duration.DurationInput | undefined
  /** Default "UTC", or what a cron string names. */
  readonly timeZone?: string | undefined
}

/**
 * The stored form of what an author wrote, or what is wrong with it: a field out of bounds, an interval that is not in
 * whole seconds, a time zone that does not exist, two that contradict each other, more than 100 calendars and intervals.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (input: Input): Either.Either<ScheduleSpec, string> =>
  Either.gen(function*() {
    const cron = yield* Either.all((input.cron ?? []).map(CronString.compile))
    const spec: ScheduleSpec = {
      calendars: [
        ...yield* Either.all((input.calendars ?? []).map(Calendars.make)),
        ...cron.flatMap(({ calendar }) => calendar === undefined ? [] : [calendar])
      ],
      intervals: yield* Either.all([
        ...(input.intervals ?? []).map(({ every, offset }) =>
          interval(Duration.toMillis(every), Duration.toMillis(offset ?? 0))
        ),
        ...cron.flatMap(({ interval: given }) =>
          given === undefined ? [] : [interval(given.everyMillis, given.offsetMillis)]
        )
      ]),
      skip: yield* Either.all((input.skip ?? []).map(Calendars.make)),
      ...(input.startAt === undefined ? {} : { startAt: yield* time("startAt", input.startAt) }),
      ...(input.endAt === undefined ? {} : { endAt: yield* time("endAt", input.endAt) }),
      jitterMillis: yield* jitter(Duration.toMillis(input.jitter ?? 0)),
      timeZone: yield* zone(input.timeZone, cron)
    }
    const { calendars, endAt, intervals, skip, startAt } = spec
    if (calendars.length + intervals.length + skip.length > Limits.scheduleCalendarsMax) {
      return yield* Either.left(`a spec has at most ${Limits.scheduleCalendarsMax} calendars and intervals`)
    }
    if (startAt !== undefined && endAt !== undefined && endAt < startAt) {
      return yield* Either.left("endAt is before startAt")
    }
    return spec
  })

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const interval = (everyMillis: number, offsetMillis: number): Either.Either<Interval, string> => {
  if (!(everyMillis >= 1_000) || everyMillis % 1_000 !== 0 || everyMillis > Limits.durationMillisMax) {
    return Either.left(`every must be whole seconds, at least one, and is ${everyMillis} ms`)
  }
  return offsetMillis >= 0 && offsetMillis % 1_000 === 0 && offsetMillis < everyMillis
    ? Either.right({ everyMillis, offsetMillis })
    : Either.left(`the offset must be whole seconds, less than every (${everyMillis} ms), and is ${offsetMillis} ms`)
}

const jitter = (millis: number): Either.Either<number, string> =>
  millis >= 0 && millis <= Limits.durationMillisMax
    ? Either.right(Math.floor(millis))
    : Either.left(`jitter must be finite, 0 or more, and is ${millis} ms`)

const time = (name: string, input: TimeInput): Either.Either<number, string> => {
  const millis = typeof input === "number" ? input : input.getTime()
  return Math.abs(millis) <= Limits.timeMillisMax
    ? Either.right(Math.floor(millis))
    : Either.left(`${name} is no time`)
}

const zone = (
  given: string | undefined,
  cron: ReadonlyArray<CronString.Compiled>
): Either.Either<string, string> => {
  const named = new Set([
    ...(given === undefined ? [] : [given]),
    ...cron.flatMap(({ timeZone }) => timeZone === undefined ? [] : [timeZone])
  ])
  const [timeZone = "UTC", other] = named
  if (other !== undefined) return Either.left(`a spec has one time zone, and this one has ${timeZone} and ${other}`)
  return ZoneOffset.exists(timeZone)
    ? Either.right(timeZone)
    : Either.left(`there is no time zone ${JSON.stringify(timeZone)}`)
}
