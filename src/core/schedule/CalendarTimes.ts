/**
 * Which seconds a calendar matches: searched for on the clocks of its time zone, so that a time of day that daylight
 * saving leaves out never comes, and one that it doubles comes twice (row H6).
 *
 * ```
 *   second ──+ offset──▶ local second ──first match of the fields──▶ local second ──- offset──▶ second
 *                                                                     within the span of that offset: found
 *                                                                     beyond it: search on from the span's end
 * ```
 *
 * 1. A second is found if and only if its local fields match, and those of no skip calendar do.
 * 2. Every search ends: after 40 years without a match (the calendar of the years repeats sooner), and after 20,000
 *    matches in a row that are to be skipped. It then has found none.
 *
 * All times here are whole seconds; local seconds count as if the zone's clocks were those of UTC.
 *
 * @since 0.1.0
 */
import type { Calendar, Range } from "./Calendar.js"
import { yearMax } from "./Calendar.js"
import type { Zone } from "./ZoneOffset.js"

/**
 * A calendar as it is asked.
 *
 * @category models
 * @since 0.1.0
 */
export interface Matcher {
  readonly second: Clock
  readonly minute: Clock
  readonly hour: Clock
  /** The least second of a day that matches. */
  readonly first: number
  /** Bits: 1 << day and so on. */
  readonly dayOfMonth: number
  readonly month: number
  readonly dayOfWeek: number
  /** Ascending; undefined: each. */
  readonly years: ReadonlyArray<number> | undefined
}

/** Seconds, minutes or hours. */
interface Clock {
  /** For each value the first one, it or after it, that matches; `size` where none does. One longer than the clock. */
  readonly next: Uint8Array
  /** For each value the first one, it or after it, that does not match; `size` where all do. */
  readonly end: Uint8Array
  readonly size: number
}

/** A calendar, and what is to be left out of it. @since 0.1.0 */
export interface Search {
  readonly matcher: Matcher
  readonly skips: ReadonlyArray<Skip>
}

/** A skip calendar as one calendar or interval meets it. @since 0.1.0 */
export interface Skip {
  readonly matcher: Matcher
  /** How far to go on from a match: what matches here matches until then whatever the smaller fields are. */
  readonly through: "Second" | "Minute" | "Hour" | "Day"
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const matcher = (calendar: Calendar): Matcher => {
  const second = clock(calendar.second, 60)
  const minute = clock(calendar.minute, 60)
  const hour = clock(calendar.hour, 24)
  return {
    second,
    minute,
    hour,
    first: hour.next[0]! * 3_600 + minute.next[0]! * 60 + second.next[0]!,
    dayOfMonth: bits(calendar.dayOfMonth),
    month: bits(calendar.month),
    dayOfWeek: bits(calendar.dayOfWeek),
    years: calendar.year.length === 0
      ? undefined
      : [...new Set(calendar.year.flatMap(valuesOf))].sort((a, b) => a - b)
  }
}

/**
 * A calendar with those of the skip calendars that could matter; undefined where one of them leaves nothing of it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const search = (matcher: Matcher, skip: ReadonlyArray<Matcher>): Search | undefined => {
  const skips = skip.map((other): Skip => ({
    matcher: other,
    through: !covers(other.second, matcher.second)
      ? "Second"
      : !covers(other.minute, matcher.minute)
      ? "Minute"
      : !covers(other.hour, matcher.hour)
      ? "Hour"
      : "Day"
  }))
  return skips.some((skip) => skip.through === "Day" && coversDays(skip.matcher, matcher))
    ? undefined
    : { matcher, skips }
}

/** A skip calendar for times that have no fields of their own: those of intervals. @since 0.1.0 */
export const skip = (matcher: Matcher): Skip => ({
  matcher,
  through: !isFull(matcher.second)
    ? "Second"
    : !isFull(matcher.minute)
    ? "Minute"
    : !isFull(matcher.hour)
    ? "Hour"
    : "Day"
})

/** The matches in a row that are skipped before a search gives up. @since 0.1.0 */
export const skippedMax = 20_000

/** What a search came to: nothing matches before `until`, and `until` itself does if it is `found`. @since 0.1.0 */
export interface Next {
  /** Infinity: nothing ever does. */
  readonly until: number
  readonly found: boolean
}

/**
 * Searches for the first match at or after the given second.
 *
 * @category combinators
 * @since 0.1.0
 */
export const next = ({ matcher, skips }: Search, zone: Zone, from: number): Next => {
  let second = from
  for (let skipped = 0; skipped <= skippedMax; skipped++) {
    const found = match(matcher, zone, second)
    if (found === undefined) return never
    second = behind(skips, zone, found)
    if (second === found) return { until: found, found: true }
  }
  return { until: second, found: false }
}

const never: Next = { until: Infinity, found: false }

/** The second itself where no skip calendar matches it; otherwise one behind it up to which one does. @since 0.1.0 */
export const behind = (skips: ReadonlyArray<Skip>, zone: Zone, second: number): number => {
  const { offset, until } = zone(second)
  for (const skip of skips) {
    const local = second + offset
    // The same match holds on the same clocks only: behind a change of them it is asked again.
    if (matches(skip.matcher, local)) return Math.min(until, second + endOf(skip, local) - local)
  }
  return second
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** More than any two clocks on earth are apart, and than a zone was ever moved by. */
const farSeconds = 26 * 3_600

/** Spans without a match: gaps of daylight saving that a calendar hits year after year are the worst. */
const spansMax = 400

const match = (matcher: Matcher, zone: Zone, from: number): number | undefined => {
  let second = from
  for (let spans = 0; spans < spansMax; spans++) {
    const { offset, until } = zone(second)
    const local = nextLocal(matcher, second + offset)
    if (local !== undefined && local - offset < until) return local - offset
    // No local second between these two matches; so no second does from the span's end until the clocks, whatever they
    // are, could show the later one.
    const far = until - second >= farSeconds
    if (local === undefined && far) return undefined
    second = local === undefined || !far ? until : Math.max(until, local - offset - farSeconds)
  }
  return undefined
}

const daySeconds = 86_400

const nextLocal = (matcher: Matcher, local: number): number | undefined => {
  const day = Math.floor(local / daySeconds)
  const date = civil(day)
  if (dateMatches(matcher, date, day)) {
    const time = nextTime(matcher, local - day * daySeconds)
    if (time !== undefined) return day * daySeconds + time
  }
  const found = nextDay(matcher, date, day)
  return found === undefined ? undefined : found * daySeconds + matcher.first
}

/** The first second of a day that matches, the given one or after it. */
const nextTime = (
  { first, hour: hours, minute: minutes, second: seconds }: Matcher,
  time: number
): number | undefined => {
  const hour = Math.floor(time / 3_600)
  if (hours.next[hour] === hour) {
    const minute = Math.floor(time / 60) % 60
    if (minutes.next[minute] === minute) {
      const second = seconds.next[time % 60]!
      if (second < 60) return hour * 3_600 + minute * 60 + second
    }
    const later = minutes.next[minute + 1]!
    if (later < 60) return hour * 3_600 + later * 60 + first % 60
  }
  const later = hours.next[hour + 1]!
  return later < 24 ? later * 3_600 + first % 3_600 : undefined
}

/** How long the Gregorian calendar may go without a date (February 29 on one day of the week, about the year 2100). */
const yearsMax = 40

/** The first day after the given one that matches. */
const nextDay = (matcher: Matcher, date: Civil, day: number): number | undefined => {
  let start = day - date.day + 1
  let from = date.day + 1
  let month = date.month
  const last = matcher.years === undefined ? Math.min(yearMax, date.year + yearsMax) : yearMax
  for (let year = date.year; year <= last;) {
    if (yearMatches(matcher, year)) {
      for (; month <= 12; month++) {
        const length = monthLength(year, month)
        if ((matcher.month & 1 << month) !== 0) {
          for (let found = from; found <= length; found++) {
            if ((matcher.dayOfMonth & 1 << found) !== 0 && dayMatches(matcher, start + found - 1)) {
              return start + found - 1
            }
          }
        }
        start += length
        from = 1
      }
      year++
    } else {
      const later = matcher.years?.find((other) => other > year)
      if (later === undefined) return undefined
      year = later
      start = dayOf(later)
      from = 1
    }
    month = 1
  }
  return undefined
}

interface Civil {
  readonly year: number
  readonly month: number
  readonly day: number
}

/** The date of a day of the epoch, by the proleptic Gregorian calendar: eras of 400 years that begin on a March 1. */
const civil = (epochDay: number): Civil => {
  const shifted = epochDay + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1
  }
}

/** The day of the epoch that January 1 is. */
const dayOf = (year: number): number => Date.UTC(year, 0, 1) / (daySeconds * 1_000)

const monthLengths = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

const monthLength = (year: number, month: number): number =>
  month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : monthLengths[month]!

const yearMatches = ({ years }: Matcher, year: number): boolean => years === undefined || years.includes(year)

/** Day 0 was a Thursday. */
const dayMatches = ({ dayOfWeek }: Matcher, day: number): boolean => (dayOfWeek & 1 << ((day % 7) + 11) % 7) !== 0

const dateMatches = (matcher: Matcher, date: Civil, day: number): boolean =>
  (matcher.dayOfMonth & 1 << date.day) !== 0 && (matcher.month & 1 << date.month) !== 0 && dayMatches(matcher, day) &&
  yearMatches(matcher, date.year)

const matches = (matcher: Matcher, local: number): boolean => {
  const day = Math.floor(local / daySeconds)
  const time = local - day * daySeconds
  return nextTime(matcher, time) === time && dateMatches(matcher, civil(day), day)
}

/** The local second up to which a skip calendar that matches here goes on to match, or what it covers does. */
const endOf = ({ matcher: { hour, minute, second }, through }: Skip, local: number): number => {
  const time = local - Math.floor(local / daySeconds) * daySeconds
  switch (through) {
    case "Second":
      return local + second.end[time % 60]! - time % 60
    case "Minute":
      return local - time % 3_600 + minute.end[Math.floor(time / 60) % 60]! * 60
    case "Hour":
      return local - time + hour.end[Math.floor(time / 3_600)]! * 3_600
    case "Day":
      return local - time + daySeconds
  }
}

const valuesOf = ({ end, start, step }: Range): ReadonlyArray<number> => {
  const values: Array<number> = []
  for (let value = start; value <= end; value += step) values.push(value)
  return values
}

const bits = (ranges: ReadonlyArray<Range>): number =>
  ranges.flatMap(valuesOf).reduce((all, value) => all | 1 << value, 0)

const clock = (ranges: ReadonlyArray<Range>, size: number): Clock => {
  const next = new Uint8Array(size + 1).fill(size)
  const end = new Uint8Array(size + 1).fill(size)
  for (const value of ranges.flatMap(valuesOf)) next[value] = value
  for (let value = size - 1; value >= 0; value--) {
    const matched = next[value] === value
    if (!matched) next[value] = next[value + 1]!
    end[value] = matched ? end[value + 1]! : value
  }
  return { next, end, size }
}

const isFull = ({ end, size }: Clock): boolean => end[0] === size

/** Whether one clock matches whatever the other does. */
const covers = (one: Clock, other: Clock): boolean => {
  for (let value = 0; value < other.size; value++) {
    if (other.next[value] === value && one.next[value] !== value) return false
  }
  return true
}

const coversDays = (one: Matcher, other: Matcher): boolean =>
  (other.dayOfMonth & ~one.dayOfMonth) === 0 && (other.month & ~one.month) === 0 &&
  (other.dayOfWeek & ~one.dayOfWeek) === 0 &&
  (one.years === undefined || other.years !== undefined && other.years.every((year) => one.years!.includes(year)))
