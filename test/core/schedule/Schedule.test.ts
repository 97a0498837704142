/**
 * What operators do to schedules (H1, H8, H10 to H14).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Schedule from "../../../src/core/schedule/Schedule.js"
import * as ScheduleSpec from "../../../src/core/schedule/ScheduleSpec.js"
import * as ScheduleState from "../../../src/core/schedule/ScheduleState.js"
import { at, definition, left, right, Story, told } from "./Story.js"

describe("creation (H1)", () => {
  it("may be without a spec: for triggers only", () => {
    const story = new Story({ calendars: [] })
    assert.deepStrictEqual(story.to("10:00"), [])
    story.schedule = right(Schedule.trigger(story.schedule, at("12:00")))
    assert.deepStrictEqual(story.to("12:00"), ["start 12:00"])
  })

  it("may trigger at once, and fill back", () => {
    const story = new Story({
      initially: { trigger: true, backfills: [{ from: at("09:58"), to: at("09:59"), overlap: "AllowAll" }] }
    })
    // 10:00 is a time of the spec, though not one of the schedule's life.
    assert.deepStrictEqual(story.to("10:00"), ["start 10:00:01", "start 09:58", "start 09:59", "wake 10:01"])
  })

  it("may be paused", () => {
    assert.deepStrictEqual(new Story({ paused: true, note: "not yet" }).to("10:09"), [])
  })

  for (
    const [reason, setting] of [
      ["remainingActions must be a whole number", { remainingActions: -1 }],
      ["remainingActions must be a whole number", { remainingActions: 1.5 }],
      ["the note has more than 2000 characters", { note: "x".repeat(2_001) }],
      ["the workflow id must have 1 to 979", {
        action: { workflow: "Report", workflowId: "x".repeat(980), taskQueue: "reports" }
      }],
      ["the workflow id must have 1 to 979", { action: { workflow: "Report", workflowId: "", taskQueue: "reports" } }]
    ] as const
  ) {
    it(`is refused: ${reason}`, () => assert.include(left(Schedule.create(definition(setting), at("10:00"))), reason))
  }

  it("a policy has defaults, and a window of ten seconds at least (H7, H8, H9)", () => {
    assert.deepStrictEqual(right(Schedule.policy()), {
      overlap: "Skip",
      catchupWindowMillis: 365 * 86_400_000,
      pauseOnFailure: false
    })
    assert.include(left(Schedule.policy({ catchupWindow: "9 seconds" })), "at least 10000 ms, and is 9000 ms")
    assert.strictEqual(right(Schedule.policy({ catchupWindow: "10 seconds" })).catchupWindowMillis, 10_000)
  })

  it("gives what can be stored and read again", () => {
    const story = new Story({
      policy: { overlap: "BufferAll" },
      remainingActions: 7,
      memo: { a: 1 },
      timeZone: "Europe/Berlin",
      cron: ["* * * * *"]
    })
    story.to("10:03")
    story.to("10:03", story.end("10:01", "Failed", { failure: { _tag: "Application", type: "Down", message: "down" } }))
    const json: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(ScheduleState.Schedule)(story.schedule)))
    assert.deepStrictEqual(Schema.decodeUnknownSync(ScheduleState.Schedule)(json), story.schedule)
  })
})

describe("pause (H10)", () => {
  it("blocks the spec, and unpause makes up for nothing", () => {
    const story = new Story({ policy: { overlap: "AllowAll" } })
    story.schedule = Schedule.pause(story.schedule)
    assert.strictEqual(story.schedule.state.note, "Paused via perdure")
    assert.deepStrictEqual(story.to("10:02:30"), [])
    story.schedule = Schedule.unpause("orders", story.schedule, at("10:03:30"))
    assert.strictEqual(story.schedule.state.note, "Unpaused via perdure")
    assert.deepStrictEqual(story.to("10:04"), ["start 10:04", "wake 10:05"])
    assert.deepStrictEqual(story.counts, { actions: 1 })
  })

  it("is the same twice, but for the note; so is unpause", () => {
    const story = new Story()
    const once = Schedule.pause(story.schedule, "why")
    assert.deepStrictEqual(Schedule.pause(once, "why"), once)
    assert.strictEqual(Schedule.pause(once, "other").state.note, "other")
    // What is due and was not looked at stays due: there was no pause.
    story.schedule = Schedule.unpause("orders", story.schedule, at("10:01:30"))
    assert.include(story.to("10:01:30"), "start 10:01")
  })

  it("lets triggers and backfills act (H11, H12)", () => {
    const story = new Story({ paused: true })
    story.schedule = right(Schedule.trigger(story.schedule, at("10:05:30")))
    story.schedule = right(
      Schedule.backfill(story.schedule, [{ from: at("09:00"), to: at("09:00"), overlap: "BufferAll" }])
    )
    assert.deepStrictEqual(story.to("10:05:30"), ["start 10:05:30"])
    assert.deepStrictEqual(story.waiting, ["09:00"])
    assert.deepStrictEqual(story.to("10:06", story.end("10:05:30")), ["start 09:00"])
  })

  it("skips what waits when its turn comes, but for what was asked for by hand", () => {
    const story = new Story({ policy: { overlap: "BufferAll" } })
    story.to("10:02")
    story.schedule = right(Schedule.trigger(story.schedule, at("10:02:30")))
    story.to("10:02:30")
    story.schedule = Schedule.pause(story.schedule)
    assert.deepStrictEqual(story.to("10:02:40", story.end("10:01")), ["start 10:02:30"])
    assert.deepStrictEqual(story.counts, { actions: 2, skipped: 1 })
  })

  it("a time that had passed but for its jitter is still to come after it", () => {
    const story = new Story({ intervals: [{ every: "1 hour" }], jitter: "50 minutes" })
    story.to("10:00")
    const { wakeAt } = story.decision!
    assert.isAbove(wakeAt!, at("11:00:01"))
    const paused = Schedule.pause(story.schedule)
    story.schedule = Schedule.unpause("orders", paused, at("11:00:01"))
    assert.include(story.to(new Date(wakeAt!).toISOString()), "start 11:00")
    story.schedule = Schedule.unpause("orders", paused, wakeAt!)
    assert.notInclude(story.to("11:59:59"), "start 11:00")
  })
})

describe("trigger (H11)", () => {
  it("takes an overlap policy of its own", () => {
    const story = new Story()
    story.to("10:01")
    story.schedule = right(Schedule.trigger(story.schedule, at("10:01:10")))
    assert.deepStrictEqual(story.to("10:01:10"), ["wake 10:02"])
    story.schedule = right(Schedule.trigger(story.schedule, at("10:01:20"), "AllowAll"))
    assert.deepStrictEqual(story.to("10:01:20"), ["start 10:01:20", "wake 10:02"])
    assert.deepStrictEqual(story.counts, { actions: 2, skipped: 1 })
  })

  it("several of one second, and of one of the spec's, get ids of their own", () => {
    const story = new Story()
    for (const now of ["10:01:00", "10:01:00", "10:01:01"]) {
      story.schedule = right(Schedule.trigger(story.schedule, at(now), "AllowAll"))
    }
    assert.deepStrictEqual(story.to("10:01:01"), [
      "start 10:01:01",
      "start 10:01:02",
      "start 10:01:03",
      "start 10:01",
      "wake 10:02"
    ])
    assert.strictEqual(new Set(story.schedule.state.running.map(({ workflowId }) => workflowId)).size, 4)
  })

  it("those of a spec that has each second are apart from each other at least", () => {
    const story = new Story({ intervals: [{ every: "1 second" }], paused: true })
    for (let count = 0; count < 3; count++) {
      story.schedule = right(Schedule.trigger(story.schedule, at("10:01"), "AllowAll"))
    }
    assert.deepStrictEqual(story.to("10:01"), ["start 10:01", "start 10:01:01", "start 10:01:02"])
  })

  it("is refused when a hundred are asked for", () => {
    let { schedule } = new Story()
    for (let count = 0; count < 100; count++) schedule = right(Schedule.trigger(schedule, at("10:01")))
    assert.include(left(Schedule.trigger(schedule, at("10:01"))), "at most 100 triggers and backfill ranges")
  })
})

describe("backfill (H12)", () => {
  it("needs a range, and one that does not end before it begins", () => {
    const { schedule } = new Story()
    assert.include(left(Schedule.backfill(schedule, [])), "at least one range")
    assert.include(left(Schedule.backfill(schedule, [{ from: 2, to: 1 }])), "a backfill from 2 to 1 is no range")
    assert.include(left(Schedule.backfill(schedule, [{ from: NaN, to: 1 }])), "is no range")
    assert.include(left(Schedule.backfill(schedule, [{ from: 1, to: Infinity }])), "is no range")
  })
})

describe("update (H13)", () => {
  const changed = (story: Story, change: Partial<Schedule.Definition>, now: string) => {
    story.schedule = right(
      Schedule.update("orders", story.schedule, { ...Schedule.definition(story.schedule), ...change }, at(now))
    )
  }

  it("of nothing changes nothing but when it was", () => {
    const story = new Story({ policy: { overlap: "BufferAll" }, remainingActions: 9, memo: { a: 1 } })
    story.to("10:03")
    const before = story.schedule
    changed(story, {}, "10:03:30")
    assert.deepStrictEqual(story.schedule, { ...before, state: { ...before.state, updatedAt: at("10:03:30") } })
  })

  it("of the spec counts from then on, and fires nothing that was considered", () => {
    const story = new Story({ policy: { overlap: "AllowAll" } })
    story.to("10:02")
    changed(story, { spec: right(ScheduleSpec.make({ intervals: [{ every: "30 seconds" }] })) }, "10:02:40")
    assert.deepStrictEqual(story.to("10:03"), ["start 10:03", "wake 10:03:30"])
    // By a clock that is behind, too.
    changed(story, { spec: right(ScheduleSpec.make({ intervals: [{ every: "1 second" }] })) }, "10:01")
    assert.deepStrictEqual(story.to("10:03"), ["wake 10:03:01"])
    assert.deepStrictEqual(story.counts, { actions: 3 })
  })

  it("of anything else leaves what is due as it is", () => {
    const story = new Story()
    changed(story, { note: "other" }, "10:01:30")
    assert.include(story.to("10:01:30"), "start 10:01")
  })

  it("gives new actions to a schedule that had none left, from then on", () => {
    const story = new Story({ remainingActions: 1, policy: { overlap: "AllowAll" } })
    story.to("10:05")
    changed(story, { remainingActions: 2 }, "10:07:30")
    assert.deepStrictEqual(story.to("10:09"), ["start 10:08", "start 10:09"])
    changed(story, { remainingActions: undefined }, "10:10:30")
    assert.deepStrictEqual(story.to("10:11"), ["start 10:11", "wake 10:12"])
    assert.notProperty(story.schedule.state, "remainingActions")
  })

  it("leaves memo and attributes where it names none, and takes what it names", () => {
    const story = new Story({ memo: { a: 1 }, attributes: { b: 2 } })
    const { attributes: _attributes, memo: _memo, ...bare } = Schedule.definition(story.schedule)
    story.schedule = right(Schedule.update("orders", story.schedule, bare, at("10:00")))
    assert.deepStrictEqual([story.schedule.memo, story.schedule.attributes], [{ a: 1 }, { b: 2 }])
    changed(story, { attributes: {} }, "10:00")
    assert.deepStrictEqual(story.schedule.attributes, {})
  })

  it("is refused as a creation is", () => {
    const { schedule } = new Story()
    const wrong = { ...Schedule.definition(schedule), remainingActions: -1 }
    assert.include(left(Schedule.update("orders", schedule, wrong, at("10:00"))), "remainingActions")
  })
})

describe("the times to come (H14)", () => {
  const upcoming = (story: Story, now: string) =>
    Schedule.upcoming("orders", story.schedule, at(now)).map(({ nominal }) => told(nominal))

  it("are ten, even while it is paused", () => {
    const story = new Story({ paused: true })
    assert.deepStrictEqual([upcoming(story, "10:30:30").length, upcoming(story, "10:30:30")[0]], [10, "10:31"])
  })

  it("are no more than there are actions left", () => {
    assert.deepStrictEqual(upcoming(new Story({ remainingActions: 2 }), "10:00"), ["10:01", "10:02"])
    assert.deepStrictEqual(upcoming(new Story({ remainingActions: 0 }), "10:00"), [])
  })

  it("are what is not considered yet, and not what is late", () => {
    const story = new Story()
    story.to("10:05")
    assert.deepStrictEqual(upcoming(story, "10:02")[0], "10:06")
    assert.deepStrictEqual(upcoming(story, "10:08")[0], "10:09")
  })
})
