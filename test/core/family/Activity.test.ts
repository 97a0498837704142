import { assert, describe, it } from "@effect/vitest"
import type { Event } from "../../../src/core/Event.js"
import * as Activity from "../../../src/core/family/Activity.js"
import { covers, given } from "../given.js"

describe("Activity", () => {
  describe("given nothing", () => {
    it("ScheduleActivity becomes what it carries, and the activity is pending", () => {
      const { activities } = given().asks({ _tag: "ScheduleActivity", seq: 1, scheduled }).becomes(scheduled)
      assert.deepStrictEqual(activities.get(1), { scheduled, scheduledAt: 1_000, turn: 1, cancelRequested: false })
    })

    for (const outcome of outcomes) {
      it(`${outcome._tag} is dropped`, () => {
        given().when({ _tag: "ActivityOutcome", outcome }).dropped(notPending)
      })
    }

    it("a cancel request for what is not there changes nothing", () => {
      assert.strictEqual(given(cancelRequested).state.activities.size, 0)
    })
  })

  describe("given a pending activity", () => {
    for (const outcome of outcomes) {
      it(`${outcome._tag} is recorded, and the activity is over`, () => {
        const state = given(scheduled).when({ _tag: "ActivityOutcome", outcome }).becomes(outcome)
        assert.strictEqual(state.activities.size, 0)
      })
    }

    it("RequestCancelActivity is recorded; it stays pending and remembers", () => {
      const state = given(scheduled).asks({ _tag: "RequestCancelActivity", seq: 1 }).becomes(cancelRequested)
      assert.isTrue(state.activities.get(1)?.cancelRequested)
    })

    it("the outcome of another one is dropped, and this one stays pending", () => {
      const { state, when } = given({ ...scheduled, seq: 2 })
      when({ _tag: "ActivityOutcome", outcome: completed }).dropped(notPending)
      assert.deepStrictEqual([...state.activities.keys()], [2])
    })
  })

  describe("given one whose cancellation was asked for", () => {
    for (const outcome of outcomes) {
      it(`${outcome._tag} is recorded: a swallowed cancellation is a success (rows A6, C6)`, () => {
        const state = given(scheduled, cancelRequested).when({ _tag: "ActivityOutcome", outcome }).becomes(outcome)
        assert.strictEqual(state.activities.size, 0)
      })
    }
  })

  describe("given one that is over", () => {
    for (const first of outcomes) {
      for (const outcome of outcomes) {
        it(`${outcome._tag} after ${first._tag} is dropped: one outcome each (I9)`, () => {
          given(scheduled, first).when({ _tag: "ActivityOutcome", outcome }).dropped(notPending)
        })
      }
    }

    it("a late cancel request changes nothing", () => {
      assert.strictEqual(given(scheduled, completed, cancelRequested).state.activities.size, 0)
    })
  })

  it("given a closed run, an outcome is dropped", () => {
    given(scheduled, { _tag: "ExecutionCompleted" }).when({ _tag: "ActivityOutcome", outcome: completed })
      .dropped("the run is closed (Completed)")
  })

  it("every row of its tables is used above", () => covers(Activity))

  it("an activity is known by its id, or else by its number", () => {
    assert.strictEqual(Activity.idOf(scheduled), "1")
    assert.strictEqual(Activity.idOf({ ...scheduled, id: "charge" }), "charge")
  })

  it("A2: the idempotency key is of the run and the activity", () => {
    assert.strictEqual(Activity.idempotencyKey("run-1", scheduled), "run-1/1")
    assert.strictEqual(Activity.idempotencyKey("run-1", { ...scheduled, id: "charge" }), "run-1/charge")
  })

  it("A13: schedule-to-close counts from the first schedule", () => {
    assert.strictEqual(Activity.closeBy(scheduled, 1_000), undefined)
    assert.strictEqual(Activity.closeBy({ ...scheduled, scheduleToCloseMillis: 500 }, 1_000), 1_500)
    assert.strictEqual(Activity.closeBy({ ...scheduled, scheduleToCloseMillis: 0.4 }, 1_000), 1_001)
  })

  it("A12: schedule-to-start counts from each attempt's schedule, and never beyond schedule-to-close", () => {
    const queue = { ...scheduled, scheduleToStartMillis: 100 }
    assert.strictEqual(Activity.startBy(scheduled, 1_000, 1_300), undefined)
    assert.strictEqual(Activity.startBy(queue, 1_000, 1_300), 1_400)
    assert.strictEqual(Activity.startBy({ ...queue, scheduleToStartMillis: 0.4 }, 1_000, 1_300), 1_301)
    assert.strictEqual(Activity.startBy({ ...scheduled, scheduleToCloseMillis: 500 }, 1_000, 1_300), 1_500)
    assert.strictEqual(Activity.startBy({ ...queue, scheduleToCloseMillis: 500 }, 1_000, 1_300), 1_400)
    assert.strictEqual(Activity.startBy({ ...queue, scheduleToCloseMillis: 350 }, 1_000, 1_300), 1_350)
  })
})

const notPending = "activity 1 is not pending: its outcome is already recorded, or it was never scheduled"

const scheduled: Activity.ActivityScheduled = {
  _tag: "ActivityScheduled",
  seq: 1,
  name: "ChargeCard",
  input: { amount: 42 },
  startToCloseMillis: 30_000
}
const cancelRequested: Event = { _tag: "ActivityCancelRequested", seq: 1 }
const completed: Activity.ActivityCompleted = { _tag: "ActivityCompleted", seq: 1, attempt: 1, result: "ok" }
const outcomes = [
  completed,
  {
    _tag: "ActivityFailed",
    seq: 1,
    attempt: 3,
    failure: { _tag: "Application", type: "Boom", message: "no" },
    retryState: "MaximumAttemptsReached"
  },
  { _tag: "ActivityCanceled", seq: 1, attempt: 1 }
] as const satisfies ReadonlyArray<Activity.ActivityOutcome["outcome"]>
