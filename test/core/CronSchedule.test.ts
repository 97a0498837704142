/**
 * Cron expressions: what they mean, and what is refused (X10).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as CronSchedule from "../../src/core/CronSchedule.js"

const at = (time: string) => Date.parse(time)
const next = (expression: string, after: string) => {
  const found = CronSchedule.after(expression, at(after))
  return found === undefined ? undefined : new Date(found).toISOString()
}

describe("a cron expression (X10)", () => {
  for (
    const [expression, after, expected] of [
      ["30 6 * * MON-FRI", "2026-11-27T06:30:00Z", "2026-11-30T06:30:00.000Z"],
      ["*/15 * * * *", "2026-11-27T06:30:00.001Z", "2026-11-27T06:45:00.000Z"],
      ["@hourly", "2026-11-27T06:30:00Z", "2026-11-27T07:00:00.000Z"],
      ["@weekly", "2026-11-27T06:30:00Z", "2026-11-29T00:00:00.000Z"],
      ["30 0 12 * * *", "2026-11-27T06:30:00Z", "2026-11-27T12:00:30.000Z"],
      ["CRON_TZ=America/New_York 0 12 * * *", "2026-07-01T00:00:00Z", "2026-07-01T16:00:00.000Z"],
      ["TZ=America/New_York 0 12 * * *", "2026-12-01T00:00:00Z", "2026-12-01T17:00:00.000Z"],
      // What daylight saving leaves out comes behind the gap; what it doubles counts the first time.
      ["CRON_TZ=Europe/Berlin 30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00.000Z"],
      ["CRON_TZ=America/New_York 30 1 * * *", "2026-10-31T12:00:00Z", "2026-11-01T05:30:00.000Z"],
      ["CRON_TZ=America/New_York 30 1 * * *", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00.000Z"]
    ] as const
  ) {
    it(`${expression} after ${after}`, () => assert.strictEqual(next(expression, after), expected))
  }

  for (
    const [expression, reason] of [
      ["61 * * * *", "is no cron expression"],
      ["@every 5m", "is no cron expression"],
      ["", "is no cron expression"],
      ["CRON_TZ=Nowhere/Else 0 12 * * *", "time zone"],
      ["0 0 30 2 *", "never comes"]
    ] as const
  ) {
    it(`"${expression}" is refused`, () => {
      const checked = CronSchedule.check(expression, at("2026-11-27T00:00:00Z"))
      assert.include(Either.getOrThrowWith(Either.flip(checked), () => new Error("it was taken")), reason)
    })
  }
})
