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
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** From `start` to `end`, both included, each `step`. @since 0.1.0 */
export const Range = Schema.Struct({ start: Schema.Number, end: Schema.Number, step: Schema.Number })
/** @since 0.1.0 */
export type Range = typeof Range.Type

const Ranges = Schema.Array(Range)

/**
 * Matches each second whose local fields are in all of its ranges: `dayOfMonth` and `dayOfWeek` too (row H4).
 *
 * @category models
 * @since 0.1.0
 */
export const Calendar = Schema.Struct({
  second: Ranges,
  minute: Ranges,
  hour: Ranges,
  dayOfMonth: Ranges,
  /** 1 is January. */
  month: Ranges,
  /** 0 is Sunday. */
  dayOfWeek: Ranges,
  /** Empty: each year. */
  year: Ranges,
  comment: optional(Schema.String)
})
/** @since 0.1.0 */
export type Calendar = typeof Calendar.Type

/** Matches epoch + n times `everyMillis` + `offsetMillis` (row H3): whole seconds. @since 0.1.0 */
export const Interval = Schema.Struct({ everyMillis: Schema.Number, offsetMillis: Schema.Number })
/** @since 0.1.0 */
export type Interval = typeof Interval.Type

/**
 * @category models
 * @since 0.1.0
 */
export const ScheduleSpec = Schema.Struct({
  calendars: Schema.Array(Calendar),
  intervals: Schema.Array(Interval),
  /** Times that one of these matches do not count. */
  skip: Schema.Array(Calendar),
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

/** A number, or a name where the field has names, or ranges of them. @since 0.1.0 */
export type FieldInput<Value> = Value | RangeInput<Value> | ReadonlyArray<Value | RangeInput<Value>> | "*"

/** An `end` that is absent or before `start` is `start`. @since 0.1.0 */
export interface RangeInput<Value> {
  readonly start: Value
  readonly end?: Value | undefined
  /** Default 1. */
  readonly step?: number | undefined
}

/** Three letters or the whole name, in any case: "Mon", "monday". @since 0.1.0 */
export type Name = string

/** Second, minute and hour are 0 by default; all other fields match everything. @since 0.1.0 */
export interface CalendarInput {
  readonly second?: FieldInput<number> | undefined
  readonly minute?: FieldInput<number> | undefined
  readonly hour?: FieldInput<number> | undefined
  readonly dayOfMonth?: FieldInput<number> | undefined
  readonly month?: FieldInput<number | Name> | undefined
  /** 0 and 7 are Sunday. */
  readonly dayOfWeek?: FieldInput<number | Name> | undefined
  readonly year?: FieldInput<number> | undefined
  readonly comment?: string | undefined
}

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
  readonly calendars?: ReadonlyArray<CalendarInput> | undefined
  readonly intervals?: ReadonlyArray<IntervalInput> | undefined
  /** As `CronString` reads them (row H5). */
  readonly cron?: ReadonlyArray<string> | undefined
  readonly skip?: ReadonlyArray<CalendarInput> | undefined
  readonly startAt?: TimeInput | undefined
  readonly endAt?: TimeInput | undefined
  readonly jitter?: Duration.DurationInput | undefined
  /** Default "UTC", or what a cron string names. */
  readonly timeZone?: string | undefined
}

/**
 * The stored form of what an author wrote, or what is wrong with it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (_input: Input): Either.Either<ScheduleSpec, string> => Either.left("not built yet")
