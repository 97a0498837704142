/**
 * Cron strings: what they are compiled to, and what is refused (H5).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as ScheduleSpec from "../../../src/core/schedule/ScheduleSpec.js"
import * as ScheduleTimes from "../../../src/core/schedule/ScheduleTimes.js"

const made = (...cron: ReadonlyArray<string>) =>
  Either.getOrThrowWith(ScheduleSpec.make({ cron }), (reason) => new Error(reason))

const refusal = (input: ScheduleSpec.Input) =>
  Either.getOrThrowWith(Either.flip(ScheduleSpec.make(input)), () => new Error("it was taken"))

const times = (cron: string, after: string, count = 2) =>
  ScheduleTimes.between(made(cron), "orders", Date.parse(after) + 1, Infinity, count).map(({ nominal }) =>
    new Date(nominal).toISOString().replace(".000Z", "Z")
  )

describe("a cron string (H5)", () => {
  for (
    const [cron, after, ...expected] of [
      ["30 6 * * MON-FRI", "2026-11-27T06:30:00Z", "2026-11-30T06:30:00Z", "2026-12-01T06:30:00Z"],
      ["*/25 * * * *", "2026-11-27T06:30:00Z", "2026-11-27T06:50:00Z", "2026-11-27T07:00:00Z"],
      ["5/25 * * * *", "2026-11-27T06:30:00Z", "2026-11-27T06:55:00Z", "2026-11-27T07:05:00Z"],
      ["0 12-20/4,3 * * *", "2026-11-27T12:00:00Z", "2026-11-27T16:00:00Z", "2026-11-27T20:00:00Z"],
      ["0 0 * jan,September *", "2026-11-27T12:00:00Z", "2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z"],
      ["0 0 * * 7", "2026-11-27T12:00:00Z", "2026-11-29T00:00:00Z", "2026-12-06T00:00:00Z"],
      ["0 0 * * 5-7", "2026-11-27T12:00:00Z", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"],
      // Both must match, other than for the daemon of that name.
      ["0 0 13 * FRI", "2026-11-27T12:00:00Z", "2027-08-13T00:00:00Z", "2028-10-13T00:00:00Z"],
      ["0 0 1 1 * 2030-2032/2", "2026-11-27T12:00:00Z", "2030-01-01T00:00:00Z", "2032-01-01T00:00:00Z"],
      ["15,45 30 6 * * * *", "2026-11-27T06:30:15Z", "2026-11-27T06:30:45Z", "2026-11-28T06:30:15Z"],
      ["@hourly", "2026-11-27T06:30:00Z", "2026-11-27T07:00:00Z", "2026-11-27T08:00:00Z"],
      ["@daily", "2026-11-27T06:30:00Z", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"],
      ["@midnight", "2026-11-27T06:30:00Z", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"],
      ["@weekly", "2026-11-27T06:30:00Z", "2026-11-29T00:00:00Z", "2026-12-06T00:00:00Z"],
      ["@monthly", "2026-11-27T06:30:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"],
      ["@yearly", "2026-11-27T06:30:00Z", "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"],
      ["@annually", "2026-11-27T06:30:00Z", "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"],
      ["@every 90m", "2026-11-28T02:41:00Z", "2026-11-28T03:00:00Z", "2026-11-28T04:30:00Z"],
      ["@every 1h30m / 5m", "2026-11-28T02:41:00Z", "2026-11-28T03:05:00Z", "2026-11-28T04:35:00Z"],
      ["CRON_TZ=America/New_York 0 12 * * *", "2026-10-31T17:00:00Z", "2026-11-01T17:00:00Z", "2026-11-02T17:00:00Z"],
      ["TZ=Asia/Kolkata @daily # for them", "2026-10-31T17:00:00Z", "2026-10-31T18:30:00Z", "2026-11-01T18:30:00Z"]
    ] as ReadonlyArray<readonly [string, string, ...ReadonlyArray<string>]>
  ) {
    it(cron, () => assert.deepStrictEqual(times(cron, after), expected))
  }

  it("is not there any more once it is compiled: ranges and a comment are", () => {
    assert.deepStrictEqual(made("CRON_TZ=Europe/Berlin 0 6 * * 1-5 # before work"), {
      calendars: [{
        second: [{ start: 0, end: 0, step: 1 }],
        minute: [{ start: 0, end: 0, step: 1 }],
        hour: [{ start: 6, end: 6, step: 1 }],
        dayOfMonth: [{ start: 1, end: 31, step: 1 }],
        month: [{ start: 1, end: 12, step: 1 }],
        dayOfWeek: [{ start: 1, end: 5, step: 1 }],
        year: [],
        comment: "before work"
      }],
      intervals: [],
      skip: [],
      jitterMillis: 0,
      timeZone: "Europe/Berlin"
    })
  })

  it("adds to the calendars and intervals that are there", () => {
    const spec = Either.getOrThrow(
      ScheduleSpec.make({
        cron: ["@every 5m", "0 6 * * *"],
        intervals: [{ every: "1 hour" }],
        calendars: [{ hour: 1 }]
      })
    )
    assert.deepStrictEqual(spec.intervals, [
      { everyMillis: 3_600_000, offsetMillis: 0 },
      { everyMillis: 300_000, offsetMillis: 0 }
    ])
    assert.deepStrictEqual(spec.calendars.map(({ hour }) => hour[0]!.start), [1, 6])
  })
})

describe("a spec that means nothing is refused, and the reason names the place (H3 to H6)", () => {
  for (
    const [input, reason] of [
      [{ cron: ["61 * * * *"] }, "minute must be a whole number from 0 to 59, and is 61"],
      [{ cron: ["* * * *"] }, "it has 4 fields"],
      [{ cron: [""] }, "it has 0 fields"],
      [{ cron: ["# nothing but this"] }, "it has 0 fields"],
      [{ cron: ["* * * * * * * *"] }, "it has 8 fields"],
      [{ cron: ["0 0 * * FUN"] }, "dayOfWeek does not know \"FUN\""],
      [{ cron: ["0 22-2 * * *"] }, "hour counts backwards in \"22-2\""],
      [{ cron: ["*/0 * * * *"] }, "the step of minute must be"],
      [{ cron: ["1,,2 * * * *"] }, "minute does not understand \"\""],
      [{ cron: ["0 0 L * *"] }, "dayOfMonth does not know \"L\""],
      [{ cron: ["@fortnightly"] }, "is none of @yearly"],
      [{ cron: ["@every soon"] }, "\"soon\" is no duration"],
      [{ cron: ["@every 0"] }, "every must be whole seconds"],
      [{ cron: ["@every 1m/1m"] }, "the offset must be whole seconds, less than every"],
      [{ cron: ["@every 1m/1s/1s"] }, "@every takes an interval"],
      [{ cron: ["CRON_TZ=Nowhere/Else 0 12 * * *"] }, "there is no time zone \"Nowhere/Else\""],
      [
        { cron: ["CRON_TZ=Europe/Berlin 0 12 * * *"], timeZone: "UTC" },
        "one time zone, and this one has UTC and Europe/Berlin"
      ],
      [{ timeZone: "" }, "there is no time zone \"\""],
      [{ intervals: [{ every: 500 }] }, "every must be whole seconds"],
      [{ intervals: [{ every: 1_500 }] }, "every must be whole seconds"],
      [{ intervals: [{ every: Infinity }] }, "every must be whole seconds"],
      [{ calendars: [{ hour: 24 }] }, "hour must be a whole number from 0 to 23, and is 24"],
      [{ calendars: [{ hour: 1.5 }] }, "hour must be"],
      [{ calendars: [{ month: 0 }] }, "month must be a whole number from 1 to 12"],
      [{ calendars: [{ month: "Ju" }] }, "month does not know \"Ju\""],
      [{ calendars: [{ minute: { start: 0, end: 59, step: -1 } }] }, "the step of minute"],
      [{ calendars: [{ minute: [] }] }, "minute names nothing"],
      [{ skip: [{ dayOfWeek: 8 }] }, "dayOfWeek must be"],
      [{ jitter: Infinity }, "jitter must be finite"],
      [{ startAt: new Date(NaN) }, "startAt is no time"],
      [{ startAt: 2, endAt: 1 }, "endAt is before startAt"],
      [{ intervals: Array.from({ length: 101 }, () => ({ every: 1_000 })) }, "at most 100 calendars and intervals"]
    ] as ReadonlyArray<readonly [ScheduleSpec.Input, string]>
  ) {
    it(reason, () => assert.include(refusal(input), reason))
  }

  it("an end before its start is the start (H4)", () => {
    const spec = Either.getOrThrow(ScheduleSpec.make({ calendars: [{ hour: { start: 22, end: 2 } }] }))
    assert.deepStrictEqual(spec.calendars[0]!.hour, [{ start: 22, end: 22, step: 1 }])
  })

  it("days of the week go round on Sunday: 7 is 0 (H4)", () => {
    const spec = Either.getOrThrow(
      ScheduleSpec.make({ calendars: [{ dayOfWeek: [{ start: 1, end: 7, step: 2 }, "sun"] }] })
    )
    assert.deepStrictEqual(spec.calendars[0]!.dayOfWeek, [
      { start: 0, end: 0, step: 1 },
      { start: 1, end: 6, step: 2 },
      { start: 0, end: 0, step: 1 }
    ])
  })
})
