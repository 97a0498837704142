/**
 * What a time zone's clocks show: spans of time during which they are ahead of UTC by the same amount.
 *
 * ```
 *   Europe/Berlin   ...──+1h──┤ 2027-03-28 01:00Z ├──+2h──┤ 2027-10-31 01:00Z ├──+1h──...
 * ```
 *
 * The offsets are those of `effect/DateTime`, which asks the ICU of the platform: too slow to be asked for each time
 * (microseconds, not tens of nanoseconds), and it names no transitions. So they are looked for once a quarter of a year
 * and zone, and kept.
 *
 * 1. Within a span the offset is the same. 2. What is kept is bounded.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

/** @since 0.1.0 */
export interface Span {
  /** What is added to UTC to get the local time, in seconds. */
  readonly offset: number
  /** The first second, of the epoch, that is not of the span any more; the offset may still be the same then. */
  readonly until: number
}

/** @since 0.1.0 */
export type Zone = (second: number) => Span

/** @since 0.1.0 */
export const exists = (name: string): boolean => Option.isSome(byName(name))

/**
 * The spans of a zone by its name. One that does not exist (any more) is read as UTC: a stored spec has been checked,
 * and a schedule must not stand still because another machine has older tables.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (name: string): Zone => {
  const known = zones.get(name)
  if (known !== undefined) return known
  if (zones.size >= zonesMax) zones.clear()
  const zone = Option.match(name === "UTC" ? Option.none() : byName(name), {
    onNone: () => fixed(0),
    onSome: (zone) => zone._tag === "Offset" ? fixed(zone.offset / 1_000) : moving(zone)
  })
  zones.set(name, zone)
  return zone
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** There are some 600 names; offsets are without number. */
const zonesMax = 1_000
const zones = new Map<string, Zone>()

/** "GMT" and its like are names too, and no offsets. */
const byName = (name: string): Option.Option<DateTime.TimeZone> =>
  Option.orElse(DateTime.zoneFromString(name), () => DateTime.zoneMakeNamed(name))

const fixed = (offset: number): Zone => {
  const span: Span = { offset, until: Infinity }
  return () => span
}

const weekSeconds = 7 * 86_400
const chunkSeconds = 13 * weekSeconds
/** Some 250 years of one zone. */
const chunksMax = 1_000

const moving = (zone: DateTime.TimeZone.Named): Zone => {
  const chunks = new Map<number, ReadonlyArray<Span>>()
  return (second) => {
    const index = Math.floor(second / chunkSeconds)
    let chunk = chunks.get(index)
    if (chunk === undefined) {
      if (chunks.size >= chunksMax) chunks.clear()
      chunk = spans(zone, index * chunkSeconds)
      chunks.set(index, chunk)
    }
    for (const span of chunk) if (second < span.until) return span
    return chunk[chunk.length - 1]!
  }
}

/** Looks once a week: no zone has gone forth and back within one. */
const spans = (zone: DateTime.TimeZone.Named, from: number): ReadonlyArray<Span> => {
  const found: Array<Span> = []
  let offset = offsetAt(zone, from)
  for (let week = from; week < from + chunkSeconds; week += weekSeconds) {
    const last = offsetAt(zone, week + weekSeconds)
    for (let begin = week; offset !== last;) {
      begin = transition(zone, offset, begin, week + weekSeconds)
      found.push({ offset, until: begin })
      offset = offsetAt(zone, begin)
    }
  }
  found.push({ offset, until: from + chunkSeconds })
  return found
}

/** The first second with another offset: `before` has this one, `after` has not. */
const transition = (zone: DateTime.TimeZone.Named, offset: number, before: number, after: number): number => {
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (offsetAt(zone, middle) === offset) before = middle
    else after = middle
  }
  return after
}

const offsetAt = (zone: DateTime.TimeZone.Named, second: number): number =>
  DateTime.zonedOffset(DateTime.unsafeMakeZoned(second * 1_000, { timeZone: zone })) / 1_000
