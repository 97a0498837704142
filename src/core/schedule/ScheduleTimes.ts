/**
 * The times of a spec: those of its calendars and intervals, without what its skip calendars match, within its bounds,
 * each put off by its jitter (row H6).
 *
 * ```
 *   calendars ─┐
 *   intervals ─┴─▶ the earliest ──▶ skipped? search on ──▶ within startAt..endAt ──▶ { nominal, at = nominal + jitter }
 * ```
 *
 * 1. nominal <= at < the next nominal time: the order of times is the order of acting on them.
 * 2. Every search ends, see `CalendarTimes`; no time is later than the year 2199.
 *
 * @since 0.1.0
 */
import { yearMax } from "./Calendar.js"
import * as CalendarTimes from "./CalendarTimes.js"
import type { Interval, ScheduleSpec } from "./ScheduleSpec.js"
import * as ZoneOffset from "./ZoneOffset.js"

/** A time of the spec, and the moment to act on it, in epoch milliseconds. @since 0.1.0 */
export interface Time {
  readonly nominal: number
  /** `nominal` and the jitter: before the next nominal time. */
  readonly at: number
}

/**
 * The first time after the given one; undefined where there is none any more. The seed (the schedule's id) decides the
 * jitter: the same time has the same one, whoever asks, and schedules with the same spec have different ones.
 *
 * @category combinators
 * @since 0.1.0
 */
export const next = (spec: ScheduleSpec, seed: string, after: number): Time | undefined => {
  const compiled = compile(spec)
  const from = Math.floor((spec.startAt === undefined ? after : Math.max(after, spec.startAt - 1)) / 1_000) + 1
  const second = first(compiled, from)
  if (second === undefined) return undefined
  const nominal = second * 1_000
  if (spec.endAt !== undefined && nominal > spec.endAt) return undefined
  return { nominal, at: nominal + jitter(spec, compiled, seed, second) }
}

/**
 * The times from one to the other, both included, in order, at most so many.
 *
 * @category combinators
 * @since 0.1.0
 */
export const between = (
  spec: ScheduleSpec,
  seed: string,
  from: number,
  to: number,
  most: number
): ReadonlyArray<Time> => {
  const times: Array<Time> = []
  let time = next(spec, seed, from - 1)
  while (time !== undefined && time.nominal <= to && times.length < most) {
    times.push(time)
    time = next(spec, seed, time.nominal)
  }
  return times
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Compiled {
  readonly sources: ReadonlyArray<Source>
}

/** A calendar or an interval, with the last answer that it gave: one that comes rarely is not asked each time. */
interface Source {
  readonly search: (from: number) => CalendarTimes.Next
  /** What `next` is the answer to. */
  from: number
  next: CalendarTimes.Next
}

/** By the identity of the spec: a decision asks for hundreds of times, of one value. */
const compiledSpecs = new WeakMap<ScheduleSpec, Compiled>()

const compile = (spec: ScheduleSpec): Compiled => {
  const known = compiledSpecs.get(spec)
  if (known !== undefined) return known
  const zone = ZoneOffset.of(spec.timeZone)
  const skip = spec.skip.map(CalendarTimes.matcher)
  const skips = skip.map(CalendarTimes.skip)
  const compiled: Compiled = {
    sources: [
      ...spec.calendars.flatMap((calendar) => {
        const search = CalendarTimes.search(CalendarTimes.matcher(calendar), skip)
        return search === undefined ? [] : [source((from) => CalendarTimes.next(search, zone, from))]
      }),
      ...spec.intervals.map((interval) => source((from) => nextOf(interval, skips, zone, from)))
    ]
  }
  compiledSpecs.set(spec, compiled)
  return compiled
}

const source = (search: Source["search"]): Source => ({ search, from: 0, next: { until: -Infinity, found: false } })

const secondMax = Date.UTC(yearMax + 1, 0, 1) / 1_000 - 1

/** The earliest second, the given one or after it. */
const first = ({ sources }: Compiled, from: number): number | undefined => {
  let least = Infinity
  for (const source of sources) {
    if (from < source.from || from > source.next.until) {
      source.next = source.search(from)
      source.from = from
    }
    if (source.next.found && source.next.until < least) least = source.next.until
  }
  return least <= secondMax ? least : undefined
}

const nextOf = (
  { everyMillis, offsetMillis }: Interval,
  skips: ReadonlyArray<CalendarTimes.Skip>,
  zone: ZoneOffset.Zone,
  from: number
): CalendarTimes.Next => {
  const every = everyMillis / 1_000
  const offset = offsetMillis / 1_000
  let second = from
  for (let skipped = 0; skipped <= CalendarTimes.skippedMax; skipped++) {
    const found = Math.ceil((second - offset) / every) * every + offset
    if (found > secondMax) return { until: Infinity, found: false }
    second = CalendarTimes.behind(skips, zone, found)
    if (second === found) return { until: found, found: true }
  }
  return { until: second, found: false }
}

/** In milliseconds: less than both the spec's bound and the time until the next time, even one that is skipped. */
const jitter = (spec: ScheduleSpec, compiled: Compiled, seed: string, second: number): number => {
  if (spec.jitterMillis < 1) return 0
  const following = first(compiled, second + 1)
  const bound = following === undefined ? spec.jitterMillis : Math.min(spec.jitterMillis, (following - second) * 1_000)
  return Math.floor(fraction(`${seed} ${second}`) * bound)
}

/** From 0 to below 1: FNV-1a, and then the last mixing of MurmurHash3, since texts that differ at their end only come first. */
const fraction = (text: string): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b)
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35)
  return ((hash ^ hash >>> 16) >>> 0) / 0x1_0000_0000
}
