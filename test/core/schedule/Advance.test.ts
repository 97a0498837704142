/**
 * What is decided of the times of a schedule, policy by policy (H2, H7 to H12, W17).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Advance from "../../../src/core/schedule/Advance.js"
import * as Schedule from "../../../src/core/schedule/Schedule.js"
import { at, right, Story, told } from "./Story.js"

describe("times of a spec", () => {
  it("are acted on once each, and the next one wakes", () => {
    const story = new Story()
    assert.deepStrictEqual(story.to("10:00"), ["wake 10:01"])
    assert.deepStrictEqual(story.to("10:01"), ["start 10:01", "wake 10:02"])
    assert.deepStrictEqual(story.to("10:01"), ["wake 10:02"])
    assert.deepStrictEqual(story.to("10:01:59", story.end("10:01")), ["wake 10:02"])
    assert.deepStrictEqual(story.to("10:02"), ["start 10:02", "wake 10:03"])
    assert.deepStrictEqual(story.counts, { actions: 2 })
  })

  it("name the workflow id, to the second (H2)", () => {
    const story = new Story({ intervals: [{ every: "1 second" }] })
    story.to("10:00:01")
    assert.strictEqual(story.schedule.state.running[0]!.workflowId, "report-2026-11-28T10:00:01Z")
    const fixed = new Story({
      action: { workflow: "Report", workflowId: "report", fixedWorkflowId: true, taskQueue: "reports" }
    })
    fixed.to("10:01")
    assert.strictEqual(fixed.decision!.starts[0]!.workflowId, "report")
  })

  it("are put off by their jitter, and keep their nominal time", () => {
    const story = new Story({ intervals: [{ every: "1 hour" }], jitter: "10 minutes" })
    story.to("10:00")
    const wakeAt = story.decision!.wakeAt!
    assert.isTrue(wakeAt > at("11:00") && wakeAt < at("11:10"))
    assert.deepStrictEqual(story.to(new Date(wakeAt - 1).toISOString()).filter((told) => told.startsWith("start")), [])
    assert.include(story.to(new Date(wakeAt).toISOString()), "start 11:00")
  })

  it("are not decided again by a clock that goes back", () => {
    const story = new Story({ policy: { overlap: "AllowAll" } })
    assert.include(story.to("10:05"), "start 10:05")
    assert.deepStrictEqual(story.to("10:02"), ["wake 10:06"])
    assert.deepStrictEqual(story.to("10:05:59"), ["wake 10:06"])
    assert.deepStrictEqual(story.counts, { actions: 5 })
  })

  it("a spec that is over wakes nobody", () => {
    const story = new Story({ intervals: [{ every: "1 minute" }], endAt: at("10:01") })
    assert.deepStrictEqual(story.to("10:05"), ["start 10:01"])
    assert.deepStrictEqual(story.to("10:06"), [])
  })
})

describe("overlap (H7)", () => {
  it("Skip is the default: what comes meanwhile is not started, and counts as skipped", () => {
    const story = new Story()
    story.to("10:01")
    assert.deepStrictEqual(story.to("10:03"), ["wake 10:04"])
    assert.deepStrictEqual(story.to("10:03:30", story.end("10:01")), ["wake 10:04"])
    assert.deepStrictEqual(story.to("10:04"), ["start 10:04", "wake 10:05"])
    assert.deepStrictEqual(story.counts, { actions: 2, skipped: 2 })
  })

  it("BufferOne keeps the first that comes meanwhile", () => {
    const story = new Story({ policy: { overlap: "BufferOne" } })
    story.to("10:01")
    assert.deepStrictEqual(story.to("10:04"), ["wake 10:05"])
    assert.deepStrictEqual(story.waiting, ["10:02"])
    assert.deepStrictEqual(story.to("10:04:30", story.end("10:01")), ["start 10:02", "wake 10:05"])
    assert.deepStrictEqual(story.counts, { actions: 2, skipped: 2 })
  })

  it("BufferAll keeps them all, in order, one running at a time", () => {
    const story = new Story({ policy: { overlap: "BufferAll" } })
    story.to("10:03")
    assert.deepStrictEqual([story.running, story.waiting], [["10:01"], ["10:02", "10:03"]])
    assert.deepStrictEqual(story.to("10:03:01", story.end("10:01")), ["start 10:02", "wake 10:04"])
    assert.deepStrictEqual(story.to("10:03:02", story.end("10:02")), ["start 10:03", "wake 10:04"])
    assert.deepStrictEqual(story.counts, { actions: 3 })
  })

  it("BufferAll keeps 1,000, and drops and counts the rest", () => {
    const story = new Story({ intervals: [{ every: "1 second" }], policy: { overlap: "BufferAll" } })
    story.to("10:20")
    assert.strictEqual(story.waiting.length, 1_000)
    assert.deepStrictEqual(story.counts, { actions: 1, dropped: 199 })
    assert.deepStrictEqual(story.to("10:20", story.end("10:00:01")), ["start 10:00:02", "wake 10:20:01"])
    assert.deepStrictEqual(story.counts, { actions: 2, dropped: 199 })
  })

  it("CancelOther asks the one that runs to end, once, and starts when it has; the newest one", () => {
    const story = new Story({ policy: { overlap: "CancelOther" } })
    story.to("10:01")
    assert.deepStrictEqual(story.to("10:02"), ["cancel 10:01", "wake 10:03"])
    assert.deepStrictEqual(story.to("10:03"), ["wake 10:04"])
    assert.deepStrictEqual([story.running, story.waiting], [["10:01"], ["10:03"]])
    assert.deepStrictEqual(story.to("10:03:30", story.end("10:01", "Canceled")), ["start 10:03", "wake 10:04"])
    assert.deepStrictEqual(story.counts, { actions: 2, skipped: 1 })
  })

  it("TerminateOther ends the one that runs, and starts at once", () => {
    const story = new Story({ policy: { overlap: "TerminateOther" } })
    story.to("10:01")
    const ended = story.end("10:01", "Terminated")
    assert.deepStrictEqual(story.to("10:02"), ["terminate 10:01", "start 10:02", "wake 10:03"])
    assert.deepStrictEqual(story.running, ["10:02"])
    assert.deepStrictEqual(story.schedule.state.recent.map(({ ended }) => ended), ["Terminated", undefined])
    // That end may be told or not.
    assert.deepStrictEqual(story.to("10:02", ended), ["wake 10:03"])
    assert.deepStrictEqual(story.running, ["10:02"])
  })

  it("AllowAll starts them beside each other, and they are in nobody's way", () => {
    const story = new Story({ policy: { overlap: "AllowAll" } })
    assert.deepStrictEqual(story.to("10:02"), ["start 10:01", "start 10:02", "wake 10:03"])
    story.schedule = right(Schedule.update("orders", story.schedule, {
      ...Schedule.definition(story.schedule),
      policy: right(Schedule.policy({ overlap: "TerminateOther" }))
    }, at("10:02")))
    assert.deepStrictEqual(story.to("10:03"), ["start 10:03", "wake 10:04"])
    assert.deepStrictEqual(story.running, ["10:01", "10:02", "10:03"])
  })

  it("AllowAll lists a hundred of them", () => {
    const story = new Story({ intervals: [{ every: "1 second" }], policy: { overlap: "AllowAll" } })
    story.to("10:01:40")
    assert.strictEqual(story.running.length, 100)
    assert.include(story.to("10:01:41"), "start 10:01:41")
    assert.deepStrictEqual([story.running.length, story.running[0]], [100, "10:00:02"])
  })

  for (const overlap of ["CancelOther", "TerminateOther"] as const) {
    it(`${overlap} after a time of standing still starts the newest only: the others never really began`, () => {
      const story = new Story({ policy: { overlap }, remainingActions: 5 })
      assert.deepStrictEqual(story.to("10:04"), ["start 10:04", "wake 10:05"])
      assert.deepStrictEqual(story.running, ["10:04"])
      assert.deepStrictEqual(story.schedule.state.recent.map(({ nominal }) => told(nominal)), ["10:04"])
      assert.deepStrictEqual(story.counts, { actions: 1, skipped: 3 })
      assert.strictEqual(story.schedule.state.remainingActions, 4)
    })
  }

  it("what is to take the place of another goes before what waits", () => {
    const story = new Story({ policy: { overlap: "BufferAll" } })
    story.to("10:03")
    story.schedule = right(Schedule.trigger(story.schedule, at("10:03:30"), "CancelOther"))
    assert.deepStrictEqual(story.to("10:03:30"), ["cancel 10:01", "wake 10:04"])
    assert.deepStrictEqual(story.waiting, ["10:03:30", "10:02", "10:03"])
    story.schedule = right(Schedule.trigger(story.schedule, at("10:03:40"), "TerminateOther"))
    assert.deepStrictEqual(story.to("10:03:40"), ["terminate 10:01", "start 10:03:40", "wake 10:04"])
    assert.deepStrictEqual(story.waiting, ["10:02", "10:03"])
    assert.deepStrictEqual(story.counts, { actions: 2, skipped: 1 })
  })

  it("what waits keeps its policy when that of the schedule changes", () => {
    const story = new Story({ policy: { overlap: "BufferAll" } })
    story.to("10:03")
    story.schedule = right(Schedule.update("orders", story.schedule, {
      ...Schedule.definition(story.schedule),
      policy: right(Schedule.policy({ overlap: "CancelOther" }))
    }, at("10:03")))
    assert.deepStrictEqual(story.to("10:04"), ["cancel 10:01", "wake 10:05"])
    assert.deepStrictEqual(story.waiting, ["10:04", "10:02", "10:03"])
  })
})

describe("standing still (H8)", () => {
  it("makes up for what is within the catch-up window, and counts the rest as missed", () => {
    const story = new Story({ policy: { overlap: "AllowAll", catchupWindow: "2 minutes" } })
    assert.deepStrictEqual(story.to("10:05:30"), ["start 10:04", "start 10:05", "wake 10:06"])
    assert.deepStrictEqual(story.counts, { actions: 2, missed: 3 })
  })

  it("the window is a year by default", () => {
    const story = new Story({ intervals: [{ every: "1 day" }], policy: { overlap: "BufferAll" } })
    story.to("2027-11-29T10:00:00Z")
    assert.deepStrictEqual(story.counts, { actions: 1, missed: 1 })
    assert.strictEqual(story.waiting.length, 364)
  })

  it("what is exactly as late as the window is not missed", () => {
    const story = new Story({ policy: { catchupWindow: "10 seconds" } })
    assert.include(story.to("10:01:10"), "start 10:01")
    const later = new Story({ policy: { catchupWindow: "10 seconds" } })
    assert.deepStrictEqual(later.to("2026-11-28T10:01:10.001Z"), ["wake 10:02"])
  })

  it("a hundred start at once, and the rest in the next decisions, without a pause", () => {
    const story = new Story({ intervals: [{ every: "1 second" }], policy: { overlap: "AllowAll" } })
    const first = story.to("10:04:10")
    assert.deepStrictEqual([first.length, first[99], first[100]], [101, "start 10:01:40", "wake 10:04:10"])
    const second = story.to("10:04:10")
    assert.deepStrictEqual([second.length, second[0], second[100]], [101, "start 10:01:41", "wake 10:04:10"])
    assert.deepStrictEqual(story.to("10:04:10").slice(-2), ["start 10:04:10", "wake 10:04:11"])
    assert.deepStrictEqual(story.counts, { actions: 250 })
  })

  it("some thousand missed times are looked at in a decision", () => {
    const story = new Story({ intervals: [{ every: "1 second" }], policy: { catchupWindow: "10 seconds" } })
    assert.deepStrictEqual(story.to("11:00"), ["wake 11:00"])
    assert.deepStrictEqual(story.counts, { missed: 2_000 })
    assert.deepStrictEqual(story.to("11:00"), ["start 10:59:50", "wake 11:00:01"])
    assert.deepStrictEqual(story.counts, { actions: 1, missed: 3_589, skipped: 10 })
  })
})

describe("failures (H9, W17)", () => {
  const failure = { _tag: "Application", type: "Down", message: "the printer is down" } as const

  it("pause the schedule that asks for it, with a note", () => {
    const story = new Story({ policy: { pauseOnFailure: true, overlap: "BufferAll" } })
    story.to("10:02")
    assert.deepStrictEqual(story.to("10:02:30", story.end("10:01", "Failed", { failure })), [])
    const { note, paused } = story.schedule.state
    assert.deepStrictEqual([paused, note], [
      true,
      "paused due to workflow failure: report-2026-11-28T10:01:00Z: the printer is down"
    ])
    // What waited was of the spec.
    assert.deepStrictEqual([story.waiting, story.counts], [[], { actions: 1, skipped: 1 }])
    assert.deepStrictEqual(story.to("10:09"), [])
  })

  it("so does a timeout; but neither a cancel nor a termination", () => {
    for (
      const [status, paused] of [["TimedOut", true], ["Canceled", false], ["Terminated", false], [
        "Completed",
        false
      ]] as const
    ) {
      const story = new Story({ policy: { pauseOnFailure: true } })
      story.to("10:01")
      story.to("10:01:30", story.end("10:01", status))
      assert.strictEqual(story.schedule.state.paused, paused, status)
    }
  })

  it("an action beside others pauses it too; an end that is told again does not", () => {
    const story = new Story({ policy: { pauseOnFailure: true, overlap: "AllowAll" } })
    story.to("10:02")
    const ended = story.end("10:01", "Failed", { failure })
    story.to("10:02:10", ended)
    assert.isTrue(story.schedule.state.paused)
    story.schedule = Schedule.unpause("orders", story.schedule, at("10:02:20"))
    assert.deepStrictEqual(story.to("10:02:30", ended), ["wake 10:03"])
  })

  it("are not asked about without it", () => {
    const story = new Story()
    story.to("10:01")
    assert.deepStrictEqual(story.to("10:01:30", story.end("10:01", "Failed", { failure })), ["wake 10:02"])
  })

  it("and results are handed to the next action, until one completes", () => {
    const story = new Story()
    const started = (now: string) => {
      story.to(now)
      const { lastFailure, lastResult } = story.decision!.starts[0]!
      return { lastFailure, lastResult }
    }
    assert.deepStrictEqual(started("10:01"), { lastFailure: undefined, lastResult: undefined })
    story.to("10:01:30", story.end("10:01", "Completed", { result: 1 }))
    assert.deepStrictEqual(started("10:02"), { lastFailure: undefined, lastResult: 1 })
    story.to("10:02:30", story.end("10:02", "Failed", { failure }))
    assert.deepStrictEqual(started("10:03"), { lastFailure: failure, lastResult: 1 })
    story.to("10:03:30", story.end("10:03", "Canceled"))
    assert.deepStrictEqual(started("10:04"), { lastFailure: failure, lastResult: 1 })
    story.to("10:04:30", story.end("10:04", "Completed", { result: 4 }))
    assert.deepStrictEqual(started("10:05"), { lastFailure: undefined, lastResult: 4 })
  })

  it("and results are nothing that AllowAll gives or takes", () => {
    const story = new Story()
    story.to("10:01")
    story.to("10:01:30", story.end("10:01", "Completed", { result: 1 }))
    story.schedule = right(Schedule.trigger(story.schedule, at("10:01:40"), "AllowAll"))
    story.to("10:01:40")
    assert.notProperty(story.decision!.starts[0]!, "lastResult")
    story.to("10:01:50", story.end("10:01:40", "Completed", { result: 2 }))
    story.to("10:02")
    assert.strictEqual(story.decision!.starts[0]!.lastResult, 1)
  })
})

describe("limited actions (H1, H7)", () => {
  it("are spent by what starts, and by nothing that is skipped; then the spec is over", () => {
    const story = new Story({ remainingActions: 2 })
    story.to("10:03")
    assert.strictEqual(story.schedule.state.remainingActions, 1)
    assert.deepStrictEqual(story.to("10:03:30", story.end("10:01")), ["wake 10:04"])
    assert.deepStrictEqual(story.to("10:04"), ["start 10:04"])
    assert.strictEqual(story.schedule.state.remainingActions, 0)
    assert.deepStrictEqual(story.to("10:09", story.end("10:04")), [])
    assert.deepStrictEqual(story.counts, { actions: 2, skipped: 2 })
  })

  it("are not spent by triggers and backfills, which act when none are left", () => {
    const story = new Story({ remainingActions: 0, initially: { trigger: true } })
    assert.deepStrictEqual(story.to("10:00"), ["start 10:00:01"])
    story.schedule = right(
      Schedule.backfill(story.schedule, [{ from: at("09:00"), to: at("09:01"), overlap: "AllowAll" }])
    )
    assert.deepStrictEqual(story.to("10:05"), ["start 09:00", "start 09:01"])
    assert.strictEqual(story.schedule.state.remainingActions, 0)
  })

  it("one that waits when none are left is skipped", () => {
    const story = new Story({ remainingActions: 2, policy: { overlap: "BufferAll" } })
    story.to("10:03")
    story.to("10:03:30", story.end("10:01"))
    assert.deepStrictEqual(story.to("10:03:40", story.end("10:02")), [])
    assert.deepStrictEqual(story.counts, { actions: 2, skipped: 1 })
  })
})

describe("backfills (H12)", () => {
  it("have both ends: six actions for two ranges of two minutes", () => {
    const story = new Story({ paused: true })
    story.schedule = right(Schedule.backfill(story.schedule, [
      { from: at("08:00"), to: at("08:02"), overlap: "AllowAll" },
      { from: at("09:00"), to: at("09:02"), overlap: "AllowAll" }
    ]))
    assert.deepStrictEqual(story.to("10:00"), [
      "start 08:00",
      "start 08:01",
      "start 08:02",
      "start 09:00",
      "start 09:01",
      "start 09:02"
    ])
    assert.deepStrictEqual(story.schedule.state.requests, [])
  })

  it("go by the schedule's policy unless they have their own, and late is never too late", () => {
    const story = new Story({ policy: { catchupWindow: "10 seconds" } })
    story.schedule = right(Schedule.backfill(story.schedule, [{ from: at("08:00"), to: at("08:02") }]))
    assert.deepStrictEqual(story.to("10:00"), ["start 08:00", "wake 10:01"])
    assert.deepStrictEqual(story.counts, { actions: 1, skipped: 2 })
  })

  it("drop nothing when too many wait: they go on as others end", () => {
    const story = new Story({ paused: true, intervals: [{ every: "1 second" }], policy: { overlap: "BufferAll" } })
    story.schedule = right(Schedule.backfill(story.schedule, [{ from: at("08:00"), to: at("09:00") }]))
    // A trigger does not wait for that.
    story.schedule = right(Schedule.trigger(story.schedule, at("10:00"), "AllowAll"))
    assert.deepStrictEqual(story.to("10:00"), ["start 08:00", "start 10:00"])
    let decisions = 0
    while (story.running.length > 1) {
      const [oldest] = story.schedule.state.running.filter(({ beside }) => beside !== true)
      assert.isAtMost(story.schedule.state.waiting.length, 1_000)
      story.to("10:00", { firstRunId: oldest!.firstRunId, status: "Completed" })
      decisions++
    }
    assert.strictEqual(decisions, 3_601)
    assert.deepStrictEqual(story.counts, { actions: 3_602 })
    assert.deepStrictEqual(story.schedule.state.requests, [])
  })

  it("of more than a hundred actions go on in the next decision", () => {
    const story = new Story({ paused: true })
    story.schedule = right(
      Schedule.backfill(story.schedule, [{ from: at("08:00"), to: at("09:59"), overlap: "AllowAll" }])
    )
    assert.deepStrictEqual(story.to("10:00").slice(-2), ["start 09:39", "wake 10:00"])
    assert.deepStrictEqual(story.to("10:00").length, 20)
  })
})

describe("a start that is refused", () => {
  it("counts as skipped, spends nothing, and is looked at again for what waits", () => {
    const story = new Story({ remainingActions: 1 })
    story.to("10:01")
    const refused = Advance.refused(story.decision!, "run-1", at("10:01"))
    assert.deepStrictEqual(refused.starts, [])
    assert.strictEqual(refused.wakeAt, at("10:01"))
    story.schedule = refused.schedule
    assert.deepStrictEqual([story.running, story.schedule.state.recent, story.counts], [[], [], { skipped: 1 }])
    assert.deepStrictEqual(story.to("10:01"), ["wake 10:02"])
    assert.deepStrictEqual(story.to("10:02"), ["start 10:02"])
  })

  it("leaves a decision alone that has it not", () => {
    const story = new Story()
    story.to("10:01")
    assert.strictEqual(Advance.refused(story.decision!, "run-7", at("10:01")), story.decision!)
  })
})

describe("the past (H14)", () => {
  it("is the last ten actions: when they should have started, when they did, how they ended", () => {
    const story = new Story({ policy: { overlap: "AllowAll" } })
    story.to("10:12:30")
    assert.deepStrictEqual(story.schedule.state.recent.map(({ nominal }) => told(nominal)), [
      "10:03",
      "10:04",
      "10:05",
      "10:06",
      "10:07",
      "10:08",
      "10:09",
      "10:10",
      "10:11",
      "10:12"
    ])
    story.to("10:12:40", story.end("10:12", "Failed"))
    assert.deepStrictEqual(story.schedule.state.recent.at(-1), {
      workflowId: "report-2026-11-28T10:12:00Z",
      firstRunId: "run-12",
      nominal: at("10:12"),
      startedAt: at("10:12:30"),
      ended: "Failed"
    })
  })
})
