/**
 * What the clocks of a zone show, as `Intl.DateTimeFormat` prints it: the times of schedules are judged by it. It shares
 * nothing with the sources, which search on local time by offsets: this walks the minutes and reads each of them.
 */
import type { CalendarInput, FieldInput } from "../../../src/core/schedule/Calendar.js"

export interface Local {
  readonly year: number
  readonly month: number
  readonly dayOfMonth: number
  readonly dayOfWeek: number
  readonly hour: number
  readonly minute: number
}

const formats = new Map<string, Intl.DateTimeFormat>()
const known = new Map<string, Local>()

/** Of the minute that begins then; no zone of these years is ahead by seconds. */
export const read = (zone: string, time: number): Local => {
  const key = `${zone} ${time}`
  const before = known.get(key)
  if (before !== undefined) return before
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit"
    })
    formats.set(zone, format)
  }
  const [, weekday, day, month, year, hour, minute] = /^(\w+), (\d+)\/(\d+)\/(\d+), (\d+):(\d+)$/.exec(
    format.format(time)
  )!
  const local: Local = {
    year: Number(year),
    month: Number(month),
    dayOfMonth: Number(day),
    dayOfWeek: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].indexOf(weekday!),
    hour: Number(hour),
    minute: Number(minute)
  }
  known.set(key, local)
  return local
}

const holds = (field: FieldInput<number>, value: number): boolean =>
  field === "*" || (Array.isArray(field) ? field : [field]).some((part: FieldInput<number>) => {
    if (typeof part === "number") return part === value
    const { end, start, step } = part as { readonly start: number; readonly end?: number; readonly step?: number }
    return start <= value && value <= Math.max(start, end ?? start) && (value - start) % (step ?? 1) === 0
  })

/** Calendars of numbers alone. */
export type Numbers = Omit<CalendarInput, "month" | "dayOfWeek"> & {
  readonly month?: FieldInput<number>
  readonly dayOfWeek?: FieldInput<number>
}

export const matches = (calendar: Numbers, local: Local, second: number): boolean =>
  holds(calendar.second ?? 0, second) && holds(calendar.minute ?? 0, local.minute) &&
  holds(calendar.hour ?? 0, local.hour) && holds(calendar.dayOfMonth ?? "*", local.dayOfMonth) &&
  holds(calendar.month ?? "*", local.month) && holds(calendar.dayOfWeek ?? "*", local.dayOfWeek) &&
  holds(calendar.year ?? "*", local.year)

/** The days, by their beginning in UTC, on which the clocks of a zone are moved. */
export const changes = (zone: string, from: number, to: number): ReadonlyArray<number> => {
  const dayMillis = 86_400_000
  const timeOfDay = (time: number) => {
    const { hour, minute } = read(zone, time)
    return hour * 60 + minute
  }
  const found: Array<number> = []
  for (let day = from; day < to; day += dayMillis) {
    if (timeOfDay(day) !== timeOfDay(day + dayMillis)) found.push(day)
  }
  return found
}
