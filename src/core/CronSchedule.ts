/**
 * When a run that repeats by a cron expression begins again (row X10).
 *
 * ```
 *   "CRON_TZ=Europe/Berlin 30 6 * * MON-FRI" ──▶ the first match after a moment
 * ```
 *
 * Fields and matching are those of `effect/Cron`: minute to weekday, or second to weekday; UTC unless a zone is named.
 * A time of day that daylight saving leaves out is moved behind the gap; one that comes twice counts the first time.
 *
 * @since 0.1.0
 */
import * as Cron from "effect/Cron"
import * as Either from "effect/Either"

/** Whether the expression means something, and ever comes true; the left side says what is wrong. @since 0.1.0 */
export const check = (expression: string, now: number): Either.Either<void, string> =>
  Either.flatMap(
    parse(expression),
    (cron) => next(cron, now) === undefined ? Either.left(`"${expression}" never comes`) : Either.right(undefined)
  )

/**
 * The first match after the given time, both in epoch milliseconds; undefined where there is none any more.
 *
 * @category combinators
 * @since 0.1.0
 */
export const after = (expression: string, now: number): number | undefined =>
  Either.match(parse(expression), { onLeft: () => undefined, onRight: (cron) => next(cron, now) })

/** What a name stands for, in fields from minutes to weekdays. @since 0.1.0 */
export const names: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *"
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const parse = (expression: string): Either.Either<Cron.Cron, string> => {
  const [, zone = "UTC", fields = ""] = /^(?:(?:CRON_)?TZ=(\S+)\s+)?(.*)$/.exec(expression.trim()) ?? []
  return Either.mapLeft(
    Cron.parse(names[fields] ?? fields, zone),
    ({ input, message }) =>
      `"${expression}" is no cron expression: ${message}${input === undefined ? "" : ` (${input})`}`
  )
}

const next = (cron: Cron.Cron, now: number): number | undefined => {
  try {
    return Cron.next(cron, new Date(now)).getTime()
  } catch {
    // It looks some years ahead, and throws.
    return undefined
  }
}
