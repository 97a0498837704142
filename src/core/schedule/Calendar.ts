/**
 * Calendars: ranges of local fields that must all match (row H4), in the form that is stored and in the one that authors
 * write.
 *
 * ```
 *   CalendarInput { hour: 9, dayOfWeek: "Mon" } ──make──▶ Calendar { second: [0..0], ..., dayOfWeek: [1..1] }
 *                                                  └────▶ what is wrong with it, as text
 * ```
 *
 * 1. Ranges of a stored calendar are within the bounds of their field. 2. Only `year` may be empty: each year.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"

/** From `start` to `end`, both included, each `step`. @since 0.1.0 */
export const Range = Schema.Struct({ start: Schema.Number, end: Schema.Number, step: Schema.Number })
/** @since 0.1.0 */
export type Range = typeof Range.Type

const Ranges = Schema.Array(Range)

/**
 * Matches each second whose local fields are in all of its ranges: `dayOfMonth` and `dayOfWeek` too.
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
  comment: Schema.optionalWith(Schema.String, { exact: true })
})
/** @since 0.1.0 */
export type Calendar = typeof Calendar.Type

/** A number, or a name where the field has names, or ranges of them. @since 0.1.0 */
export type FieldInput<Value> = Value | RangeInput<Value> | ReadonlyArray<Value | RangeInput<Value>> | "*"

/** An `end` that is absent or before `start` is `start`. @since 0.1.0 */
export interface RangeInput<Value> {
  readonly start: Value
  readonly end?: Value | undefined
  /** Default 1. */
  readonly step?: number | undefined
}

/** Its first three letters or the whole name, in any case: "Mon", "monday". @since 0.1.0 */
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
  /** From 1970 to 2199. */
  readonly year?: FieldInput<number> | undefined
  readonly comment?: string | undefined
}

/** What a field may hold. @since 0.1.0 */
export interface Field {
  readonly name: Exclude<keyof Calendar, "comment">
  readonly min: number
  readonly max: number
  /** Of `min` and those that follow it. */
  readonly names?: ReadonlyArray<string>
}

/** The last year that has times: a search must end somewhere. @since 0.1.0 */
export const yearMax = 2_199

/** @since 0.1.0 */
export const fields = {
  second: { name: "second", min: 0, max: 59 },
  minute: { name: "minute", min: 0, max: 59 },
  hour: { name: "hour", min: 0, max: 23 },
  dayOfMonth: { name: "dayOfMonth", min: 1, max: 31 },
  month: {
    name: "month",
    min: 1,
    max: 12,
    names: [
      "january",
      "february",
      "march",
      "april",
      "may",
      "june",
      "july",
      "august",
      "september",
      "october",
      "november",
      "december"
    ]
  },
  // 7 is Sunday too, as in cron strings; no stored range has it.
  dayOfWeek: {
    name: "dayOfWeek",
    min: 0,
    max: 7,
    names: ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
  },
  year: { name: "year", min: 1_970, max: yearMax }
} as const satisfies Record<string, Field>

/** What a field is where nothing is said of it. @since 0.1.0 */
export const everything = (field: Field): ReadonlyArray<Range> =>
  field.name === "year" ? [] : [{ start: field.min, end: field.name === "dayOfWeek" ? 6 : field.max, step: 1 }]

/**
 * The stored form of a calendar, or what is wrong with it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (input: CalendarInput): Either.Either<Calendar, string> =>
  Either.gen(function*() {
    return {
      second: yield* ranges(fields.second, input.second ?? 0),
      minute: yield* ranges(fields.minute, input.minute ?? 0),
      hour: yield* ranges(fields.hour, input.hour ?? 0),
      dayOfMonth: yield* ranges(fields.dayOfMonth, input.dayOfMonth ?? "*"),
      month: yield* ranges(fields.month, input.month ?? "*"),
      dayOfWeek: yield* ranges(fields.dayOfWeek, input.dayOfWeek ?? "*"),
      year: yield* ranges(fields.year, input.year ?? "*"),
      ...(input.comment === undefined ? {} : { comment: input.comment })
    }
  })

/** A range in its stored form, or what is wrong with it. @since 0.1.0 */
export const range = (
  field: Field,
  start: number,
  end: number,
  step: number
): Either.Either<ReadonlyArray<Range>, string> => {
  for (const value of [start, end]) {
    if (!Number.isInteger(value) || value < field.min || value > field.max) {
      return Either.left(`${field.name} must be a whole number from ${field.min} to ${field.max}, and is ${value}`)
    }
  }
  if (!Number.isInteger(step) || step < 1) {
    return Either.left(`the step of ${field.name} must be a whole number, 1 or more, and is ${step}`)
  }
  const last = Math.max(start, end)
  if (field.name !== "dayOfWeek" || last < 7) return Either.right([{ start, end: last, step }])
  const sunday = (7 - start) % step === 0 ? [{ start: 0, end: 0, step: 1 }] : []
  return Either.right(start === 7 ? sunday : [...sunday, { start, end: 6, step }])
}

/** The number of a name or of a numeral, or what is wrong with it. @since 0.1.0 */
export const valueOf = (field: Field, text: string): Either.Either<number, string> => {
  if (/^\d+$/.test(text)) return Either.right(Number(text))
  const name = text.toLowerCase()
  const index = name.length < 3 ? -1 : field.names?.findIndex((known) => name === known || name === known.slice(0, 3))
  return index === undefined || index < 0
    ? Either.left(`${field.name} does not know ${JSON.stringify(text)}`)
    : Either.right(field.min + index)
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** Ranges of one field: more of them can not say more. */
const rangesMax = 100

const ranges = (
  field: Field,
  input: FieldInput<number | string>
): Either.Either<ReadonlyArray<Range>, string> => {
  if (input === "*") return Either.right(everything(field))
  const parts = isList(input) ? input : [input]
  if (parts.length === 0) return Either.left(`${field.name} names nothing: leave it out to have its default`)
  if (parts.length > rangesMax) return Either.left(`${field.name} has more than ${rangesMax} ranges`)
  return Either.gen(function*() {
    const made: Array<Range> = []
    for (const part of parts) {
      const { end, start, step } = typeof part === "object" ? part : { start: part, end: undefined, step: undefined }
      const first = yield* number(field, start)
      const last = end === undefined ? first : yield* number(field, end)
      made.push(...yield* range(field, first, last, step ?? 1))
    }
    return made
  })
}

const isList = <A>(input: A | ReadonlyArray<A>): input is ReadonlyArray<A> => Array.isArray(input)

const number = (field: Field, value: number | string): Either.Either<number, string> =>
  typeof value === "number" ? Either.right(value) : valueOf(field, value)
