/**
 * The times of specs: by example, and against a walk over the minutes that reads what the zone's clocks show (H3, H4, H6).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as ScheduleSpec from "../../../src/core/schedule/ScheduleSpec.js"
import * as ScheduleTimes from "../../../src/core/schedule/ScheduleTimes.js"
import * as LocalClock from "./LocalClock.js"

const at = (time: string) => Date.parse(time)
const iso = (time: number) => new Date(time).toISOString().replace(".000Z", "Z")

const born = at("2026-11-28T00:00:00Z")

const make = (input: ScheduleSpec.Input): ScheduleSpec.ScheduleSpec =>
  Either.getOrThrowWith(ScheduleSpec.make(input), (reason) => new Error(reason))

const times = (input: ScheduleSpec.Input, after: string, count: number): ReadonlyArray<string> =>
  ScheduleTimes.between(make(input), "orders", at(after) + 1, Infinity, count).map(({ nominal }) => iso(nominal))

describe("intervals (H3)", () => {
  it("are counted from the epoch, whenever they are asked for", () => {
    assert.deepStrictEqual(times({ intervals: [{ every: "90 minutes" }] }, "2026-11-28T02:41:00Z", 3), [
      "2026-11-28T03:00:00Z",
      "2026-11-28T04:30:00Z",
      "2026-11-28T06:00:00Z"
    ])
    assert.deepStrictEqual(times({ intervals: [{ every: "7 days" }] }, "2026-11-28T00:00:00Z", 1), [
      "2026-12-03T00:00:00Z"
    ])
  })

  it("are put off by their offset", () => {
    assert.deepStrictEqual(
      times({ intervals: [{ every: "1 hour", offset: "19 minutes" }] }, "2026-11-28T02:19:00Z", 2),
      ["2026-11-28T03:19:00Z", "2026-11-28T04:19:00Z"]
    )
  })

  it("take no heed of the zone", () => {
    assert.deepStrictEqual(
      times({ intervals: [{ every: "1 day" }], timeZone: "Asia/Kolkata" }, "2026-11-28T02:00:00Z", 1),
      ["2026-11-29T00:00:00Z"]
    )
  })
})

describe("calendars (H4)", () => {
  it("are midnight where nothing is said of the time of day", () => {
    assert.deepStrictEqual(times({ calendars: [{ dayOfWeek: "Friday" }] }, "2026-11-28T02:00:00Z", 2), [
      "2026-12-04T00:00:00Z",
      "2026-12-11T00:00:00Z"
    ])
  })

  it("match all of their fields: no day of the month or else of the week", () => {
    assert.deepStrictEqual(
      times({ calendars: [{ hour: 9, dayOfMonth: 13, dayOfWeek: "Fri" }] }, "2026-11-28T02:00:00Z", 2),
      ["2027-08-13T09:00:00Z", "2028-10-13T09:00:00Z"]
    )
  })

  it("find what is rare: a leap day on a Monday, across the year 2100", () => {
    assert.deepStrictEqual(
      times({ calendars: [{ month: 2, dayOfMonth: 29, dayOfWeek: 1 }] }, "2072-02-29T00:00:00Z", 2),
      ["2112-02-29T00:00:00Z", "2140-02-29T00:00:00Z"]
    )
  })

  it("are over with their last year", () => {
    assert.deepStrictEqual(
      times({ calendars: [{ year: [2027, 2029], month: "jan", dayOfMonth: 1 }] }, "2026-11-28T02:00:00Z", 3),
      [
        "2027-01-01T00:00:00Z",
        "2029-01-01T00:00:00Z"
      ]
    )
  })
})

describe("a spec that never comes is found out, soon", () => {
  for (
    const [name, input] of [
      ["February 30", { calendars: [{ month: 2, dayOfMonth: 30 }], timeZone: "America/Chicago" }],
      ["nothing at all", {}],
      ["all that it has is skipped", { intervals: [{ every: "1 minute" }], skip: [{ minute: "*", hour: "*" }] }],
      [
        "two skips leave nothing",
        {
          cron: ["* * * * *"],
          skip: [{ minute: { start: 0, end: 29 }, hour: "*" }, { minute: { start: 30, end: 59 }, hour: "*" }]
        }
      ],
      [
        "the hour that is left out each spring",
        {
          calendars: [{ hour: 2, minute: 30, month: 3, dayOfMonth: { start: 25, end: 31 }, dayOfWeek: 0 }],
          timeZone: "Europe/Paris"
        }
      ],
      ["it is long over", { cron: ["0 0 * * * 1999"] }]
    ] as ReadonlyArray<readonly [string, ScheduleSpec.Input]>
  ) {
    it(name, () => {
      const spec = make(input)
      const began = performance.now()
      assert.isUndefined(ScheduleTimes.next(spec, "orders", at("2026-11-28T00:00:00Z")))
      // 100 ms alone on a slow machine; the bound is against a search without end.
      assert.isBelow(performance.now() - began, 3_000)
    })
  }
})

it("a calendar that never comes is not searched for again with each time of another one", () => {
  const spec = make({
    calendars: [{ second: 30, minute: "*", hour: "*" }, { minute: "*", hour: "*" }],
    skip: [{ minute: { start: 0, end: 29 }, hour: "*" }, { minute: { start: 30, end: 59 }, hour: "*" }]
  })
  const began = performance.now()
  assert.lengthOf(ScheduleTimes.between(spec, "orders", 0, Infinity, 5_000), 5_000)
  // Some 30 ms; it would be half a minute.
  assert.isBelow(performance.now() - began, 3_000)
})

it("asks may come in any order (the last answers are kept)", () => {
  const spec = make({
    cron: ["*/7 * * * *", "0 3 * * *"],
    intervals: [{ every: "11 minutes" }],
    timeZone: "Europe/Berlin"
  })
  FastCheck.assert(FastCheck.property(FastCheck.array(FastCheck.nat(400 * 86_400), { maxLength: 20 }), (afters) => {
    for (const after of afters) {
      const fresh: ScheduleSpec.ScheduleSpec = { ...spec }
      assert.deepStrictEqual(
        ScheduleTimes.next(spec, "orders", born + after * 1_000),
        ScheduleTimes.next(fresh, "orders", born + after * 1_000)
      )
    }
  }))
})

describe("daylight saving (H6)", () => {
  for (
    const [name, input, after, expected] of [
      [
        "a time that does not exist is skipped",
        { cron: ["30 2 * * *"], timeZone: "Europe/Berlin" },
        "2027-03-27T00:00:00Z",
        ["2027-03-27T01:30:00Z", "2027-03-29T00:30:00Z"]
      ],
      [
        "a time that there is twice comes twice",
        { cron: ["30 1 * * *"], timeZone: "America/New_York" },
        "2026-10-31T12:00:00Z",
        ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2026-11-02T06:30:00Z"]
      ],
      [
        "so does one of a single day of the year",
        { cron: ["30 1 1 11 *"], timeZone: "America/New_York" },
        "2026-10-31T12:00:00Z",
        ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2027-11-01T05:30:00Z"]
      ],
      [
        "what is skipped is skipped by what the clocks show, and not for so long",
        {
          intervals: [{ every: "30 minutes" }],
          skip: [{ second: "*", minute: "*", hour: { start: 1, end: 2 } }],
          timeZone: "Europe/Berlin"
        },
        "2027-03-27T23:00:00Z",
        ["2027-03-27T23:30:00Z", "2027-03-28T01:00:00Z", "2027-03-28T01:30:00Z"]
      ],
      [
        "half an hour of Lord Howe comes twice",
        { cron: ["*/20 1 * * *"], timeZone: "Australia/Lord_Howe" },
        "2027-04-03T13:59:00Z",
        [
          "2027-04-03T14:00:00Z",
          "2027-04-03T14:20:00Z",
          "2027-04-03T14:40:00Z",
          "2027-04-03T15:10:00Z",
          "2027-04-04T14:30:00Z"
        ]
      ],
      [
        "a day that a zone left out is left out",
        { cron: ["0 12 * * *"], timeZone: "Pacific/Apia" },
        "2011-12-29T00:00:00Z",
        ["2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z", "2011-12-31T22:00:00Z"]
      ],
      [
        "an offset is a zone that never changes",
        { cron: ["30 2 * * *"], timeZone: "+05:30" },
        "2027-03-27T00:00:00Z",
        ["2027-03-27T21:00:00Z", "2027-03-28T21:00:00Z"]
      ]
    ] as ReadonlyArray<readonly [string, ScheduleSpec.Input, string, ReadonlyArray<string>]>
  ) {
    it(name, () => assert.deepStrictEqual(times(input, after, expected.length), expected))
  }
})

describe("union, skip, bounds and jitter (H6)", () => {
  it("a time that two of them have comes once", () => {
    assert.deepStrictEqual(
      times(
        { intervals: [{ every: "1 hour" }, { every: "90 minutes" }], cron: ["0 3 * * *"] },
        "2026-11-28T02:00:00Z",
        4
      ),
      ["2026-11-28T03:00:00Z", "2026-11-28T04:00:00Z", "2026-11-28T04:30:00Z", "2026-11-28T05:00:00Z"]
    )
  })

  it("what a skip calendar matches is left out, by the same zone", () => {
    assert.deepStrictEqual(
      times(
        {
          intervals: [{ every: "1 hour" }],
          skip: [{ second: "*", minute: "*", hour: { start: 9, end: 17 } }],
          timeZone: "Europe/Berlin"
        },
        "2026-11-28T06:00:00Z",
        2
      ),
      ["2026-11-28T07:00:00Z", "2026-11-28T17:00:00Z"]
    )
  })

  it("both bounds may be times themselves", () => {
    const bounded = {
      intervals: [{ every: "1 hour" as const }],
      startAt: at("2026-11-28T03:00:00Z"),
      endAt: at("2026-11-28T04:00:00Z")
    }
    assert.deepStrictEqual(times(bounded, "2026-11-01T00:00:00Z", 9), ["2026-11-28T03:00:00Z", "2026-11-28T04:00:00Z"])
    const within = { ...bounded, startAt: bounded.startAt + 1, endAt: new Date(bounded.endAt - 1) }
    assert.deepStrictEqual(times(within, "2026-11-01T00:00:00Z", 9), [])
  })

  it("jitter is that of the schedule and the time, below its bound, and used in full", () => {
    const spec = make({ intervals: [{ every: "1 minute" }], jitter: "10 seconds" })
    const jitters = (seed: string) =>
      ScheduleTimes.between(spec, seed, 0, Infinity, 1_000).map(({ at, nominal }) => at - nominal)
    const orders = jitters("orders")
    assert.deepStrictEqual(jitters("orders"), orders)
    assert.notDeepEqual(jitters("orderr"), orders)
    assert.isTrue(orders.every((jitter) => jitter >= 0 && jitter < 10_000))
    for (let tenth = 0; tenth < 10; tenth++) {
      const within = orders.filter((jitter) => Math.floor(jitter / 1_000) === tenth).length
      assert.isAbove(within, 60, `${within} of 1,000 within the ${tenth}. second of ten`)
    }
  })

  it("jitter never reaches the next time", () => {
    const spec = make({ intervals: [{ every: "1 hour" }, { every: "1 hour", offset: "1 second" }], jitter: "1 day" })
    const found = ScheduleTimes.between(spec, "orders", 0, Infinity, 500)
    found.forEach(({ at }, index) => assert.isBelow(at, found[index + 1]?.nominal ?? Infinity))
  })
})

describe("against a walk over the minutes (H3, H4, H6)", () => {
  const from = at("2026-01-01T00:00:00Z")
  const to = at("2028-01-01T00:00:00Z")
  const windows = [
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Africa/Casablanca",
    "America/Santiago",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Asia/Kolkata",
    "UTC"
  ].map((zone) => ({ zone, days: [...LocalClock.changes(zone, from, to), from] }))

  it("the zones are what they are meant for", () => {
    assert.deepStrictEqual(
      Object.fromEntries(windows.map(({ days, zone }) => [zone, days.length - 1])),
      {
        "Europe/Berlin": 4,
        "America/New_York": 4,
        "America/St_Johns": 4,
        "Africa/Casablanca": 4,
        "America/Santiago": 4,
        "Australia/Sydney": 4,
        "Australia/Lord_Howe": 4,
        "Pacific/Chatham": 4,
        "Asia/Kolkata": 0,
        "UTC": 0
      }
    )
  })

  const field = (min: number, max: number) =>
    FastCheck.oneof(
      FastCheck.constant("*" as const),
      FastCheck.integer({ min, max }),
      FastCheck.array(
        FastCheck.record({
          start: FastCheck.integer({ min, max }),
          end: FastCheck.integer({ min, max }),
          step: FastCheck.integer({ min: 1, max: 7 })
        }),
        { minLength: 1, maxLength: 3 }
      )
    )

  /** Times of day are near the changes: most of them are between 0 and 3 o'clock. */
  const calendar = (
    second: FastCheck.Arbitrary<LocalClock.Numbers["second"]>
  ): FastCheck.Arbitrary<LocalClock.Numbers> =>
    FastCheck.record({
      second,
      minute: field(0, 59),
      hour: FastCheck.oneof(field(0, 4), field(0, 23)),
      dayOfMonth: FastCheck.oneof(FastCheck.constant("*" as const), field(1, 31)),
      month: FastCheck.oneof(FastCheck.constant("*" as const), field(1, 12)),
      dayOfWeek: FastCheck.oneof(FastCheck.constant("*" as const), field(0, 6)),
      year: FastCheck.constantFrom("*" as const, 2026, { start: 2025, end: 2029, step: 2 })
    })

  const fewSeconds = FastCheck.constantFrom(undefined, 0, 59, [0, 30])

  const spec = FastCheck.record({
    calendars: FastCheck.array(calendar(fewSeconds), { maxLength: 2 }),
    skip: FastCheck.array(calendar(FastCheck.oneof(fewSeconds, FastCheck.constant("*" as const))), { maxLength: 2 }),
    intervals: FastCheck.array(
      FastCheck.record({ minutes: FastCheck.constantFrom(7, 30, 45, 60, 1_440), offset: FastCheck.nat(6) }),
      { maxLength: 1 }
    ),
    bounds: FastCheck.option(FastCheck.tuple(FastCheck.nat(3 * 86_400), FastCheck.nat(3 * 86_400)))
  })

  const window = FastCheck.constantFrom(...windows).chain(({ days, zone }) =>
    FastCheck.record({ zone: FastCheck.constant(zone), day: FastCheck.constantFrom(...days) })
  )

  it("the times about a change of the clocks are those that the clocks show", () => {
    let compared = 0
    FastCheck.assert(
      FastCheck.property(spec, window, ({ bounds, calendars, intervals, skip }, { day, zone }) => {
        const begin = day - 86_400_000
        const end = day + 2 * 86_400_000
        const startAt = bounds === null ? undefined : begin + bounds[0] * 1_000
        const endAt = bounds === null ? undefined : Math.max(startAt!, begin + bounds[1] * 1_000)
        const expected: Array<number> = []
        for (let minute = begin; minute < end; minute += 60_000) {
          const local = LocalClock.read(zone, minute)
          for (const second of [0, 30, 59]) {
            const time = minute + second * 1_000
            if (startAt !== undefined && (time < startAt || time > endAt!)) continue
            const comes = calendars.some((calendar) => LocalClock.matches(calendar, local, second)) ||
              second === 0 && intervals.some(({ minutes, offset }) => (minute / 60_000 - offset) % minutes === 0)
            if (comes && !skip.some((calendar) => LocalClock.matches(calendar, local, second))) expected.push(time)
          }
        }
        compared += expected.length
        const made = make({
          calendars,
          skip,
          intervals: intervals.map(({ minutes, offset }) => ({ every: minutes * 60_000, offset: offset * 60_000 })),
          timeZone: zone,
          ...(startAt === undefined ? {} : { startAt, endAt })
        })
        const found = ScheduleTimes.between(made, "orders", begin, end - 1, Infinity)
        assert.deepStrictEqual(found.map(({ nominal }) => iso(nominal)), expected.map(iso))
      }),
      { numRuns: 150 }
    )
    assert.isAbove(compared, 5_000)
  })

  it("what is found from far away is the first time that the clocks show", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.constantFrom(...windows.slice(0, 8)),
        FastCheck.record({
          minute: FastCheck.constantFrom(0, 15, 30, 45),
          hour: FastCheck.integer({ min: 0, max: 4 }),
          month: FastCheck.constantFrom(3, 4, 9, 10, 11),
          dayOfMonth: field(1, 31),
          dayOfWeek: field(0, 6)
        }),
        FastCheck.integer({ min: 0, max: 300 * 24 * 4 }),
        ({ zone }, calendar, quarters) => {
          const begin = from + quarters * 900_000
          let expected: number | undefined
          for (let time = begin; time < to && expected === undefined; time += 900_000) {
            if (LocalClock.matches(calendar, LocalClock.read(zone, time), 0)) expected = time
          }
          const found = ScheduleTimes.next(make({ calendars: [calendar], timeZone: zone }), "orders", begin - 1)
          if (expected === undefined) assert.isTrue(found === undefined || found.nominal >= to)
          else assert.strictEqual(found === undefined ? undefined : iso(found.nominal), iso(expected))
        }
      ),
      { numRuns: 15 }
    )
  })
})
