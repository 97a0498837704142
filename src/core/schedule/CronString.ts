/**
 * Cron strings of schedules, compiled to calendars and intervals: no schedule shows the string again (row H5).
 *
 * ```
 *   "CRON_TZ=Europe/Berlin 30 6 * * MON-FRI # before work" ──▶ one calendar, a comment, a time zone
 *   "0 30 6 * * * 2027"                                    ──▶ seconds first, the year last
 *   "@every 90m/5m"                                        ──▶ one interval with an offset
 * ```
 *
 * 1. Five fields are minute, hour, day of month, month, day of week; six have the year at their end, seven the seconds
 *    before them. 2. All fields must match: day of month and day of week too, other than for the daemon of that name.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { names } from "../CronSchedule.js"
import type { Calendar, Field, Range } from "./Calendar.js"
import { everything, fields, range, valueOf } from "./Calendar.js"

/** @since 0.1.0 */
export interface Compiled {
  readonly calendar?: Calendar
  readonly interval?: { readonly everyMillis: number; readonly offsetMillis: number }
  readonly timeZone?: string
}

/**
 * What a cron string says, or what is wrong with it. Whether its time zone exists is not asked here.
 *
 * @category constructors
 * @since 0.1.0
 */
export const compile = (text: string): Either.Either<Compiled, string> =>
  Either.mapLeft(parse(text), (reason) => `cron string ${JSON.stringify(text)}: ${reason}`)

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** A cron string is a line: what is longer is something else. */
const charsMax = 1_000

const parse = (text: string): Either.Either<Compiled, string> => {
  if (text.length > charsMax) return Either.left(`it has more than ${charsMax} characters`)
  const hash = text.indexOf("#")
  const comment = hash < 0 ? "" : text.slice(hash + 1).trim()
  const [, timeZone, body = ""] = /^(?:(?:CRON_)?TZ=(\S+)\s+)?(.*)$/s.exec(
    (hash < 0 ? text : text.slice(0, hash)).trim()
  ) ?? []
  const zone = timeZone === undefined ? {} : { timeZone }
  if (/^@every\s/.test(body)) return Either.map(every(body.slice(6).trim()), (interval) => ({ interval, ...zone }))
  const expression = body.startsWith("@") ? names[body.toLowerCase()] : body
  if (expression === undefined) {
    return Either.left(`${JSON.stringify(body)} is none of ${Object.keys(names).join(", ")}`)
  }
  return Either.map(calendar(expression.split(/\s+/)), (made) => ({
    calendar: comment === "" ? made : { ...made, comment },
    ...zone
  }))
}

const calendar = (parts: ReadonlyArray<string>): Either.Either<Calendar, string> => {
  if (parts.length < 5 || parts.length > 7) {
    return Either.left(
      `it has ${parts[0] === "" ? 0 : parts.length} fields, and must have 5, 6 (year) or 7 (seconds first)`
    )
  }
  const withSecond = parts.length === 7 ? parts : ["0", ...parts]
  const [second = "0", minute = "*", hour = "*", dayOfMonth = "*", month = "*", dayOfWeek = "*", year = "*"] =
    withSecond
  return Either.gen(function*() {
    return {
      second: yield* ranges(fields.second, second),
      minute: yield* ranges(fields.minute, minute),
      hour: yield* ranges(fields.hour, hour),
      dayOfMonth: yield* ranges(fields.dayOfMonth, dayOfMonth),
      month: yield* ranges(fields.month, month),
      dayOfWeek: yield* ranges(fields.dayOfWeek, dayOfWeek),
      year: yield* ranges(fields.year, year)
    }
  })
}

const ranges = (field: Field, text: string): Either.Either<ReadonlyArray<Range>, string> =>
  text === "*" ? Either.right(everything(field)) : Either.gen(function*() {
    const made: Array<Range> = []
    for (const part of text.split(",")) made.push(...yield* one(field, part))
    return made
  })

/** `*`, `*` with a step, `a`, `a-b`, `a-b/s`; `a/s` goes on to the end of the field. */
const one = (field: Field, part: string): Either.Either<ReadonlyArray<Range>, string> =>
  Either.gen(function*() {
    const [, all, from, to, steps] = /^(?:(\*)|([^-/*]+)(?:-([^-/*]+))?)(?:\/(\d+))?$/.exec(part) ?? []
    if (all === undefined && from === undefined) {
      return yield* Either.left(`${field.name} does not understand ${JSON.stringify(part)}`)
    }
    const last = field.name === "dayOfWeek" ? 6 : field.max
    const step = steps === undefined ? 1 : Number(steps)
    if (from === undefined) return yield* range(field, field.min, last, step)
    const start = yield* valueOf(field, from)
    const end = to === undefined ? steps === undefined ? start : Math.max(start, last) : yield* valueOf(field, to)
    if (end < start) return yield* Either.left(`${field.name} counts backwards in ${JSON.stringify(part)}`)
    return yield* range(field, start, end, step)
  })

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90m`, `1h30m`, `1.5h`, and after a slash the phase. */
const every = (text: string): Either.Either<{ readonly everyMillis: number; readonly offsetMillis: number }, string> =>
  Either.gen(function*() {
    const [interval = "", phase, ...more] = text.split("/").map((part) => part.trim())
    if (more.length > 0) return yield* Either.left("@every takes an interval, a slash and a phase")
    return {
      everyMillis: yield* duration(interval),
      offsetMillis: phase === undefined ? 0 : yield* duration(phase)
    }
  })

const duration = (text: string): Either.Either<number, string> => {
  if (text === "0") return Either.right(0)
  if (!/^(?:\d+(?:\.\d+)?[smhd])+$/.test(text)) {
    return Either.left(`${JSON.stringify(text)} is no duration such as "90m" or "1h30m" (units s, m, h, d)`)
  }
  let millis = 0
  for (const [, count, unit] of text.matchAll(/([\d.]+)([smhd])/g)) millis += Number(count) * units[unit ?? ""]!
  return Either.right(Math.round(millis))
}
