import { assert, describe, it } from "@effect/vitest"
import type { Event } from "../../../src/core/Event.js"
import * as Timer from "../../../src/core/family/Timer.js"
import { covers, given } from "../given.js"

describe("Timer", () => {
  describe("given nothing", () => {
    it("StartTimer is due its delay after now", () => {
      const state = given().asks({ _tag: "StartTimer", seq: 1, delayMillis: 500 }, 1_000).becomes(started)
      assert.deepStrictEqual([...state.timers], [[1, 1_500]])
    })

    it("a due timer that was never started is dropped", () => {
      given().when({ _tag: "TimerDue", seq: 1 }).dropped("timer 1 is not pending")
    })
  })

  describe("given a started timer", () => {
    it("TimerDue becomes TimerFired, and the timer is over", () => {
      const state = given(started).when({ _tag: "TimerDue", seq: 1 }).becomes(fired)
      assert.strictEqual(state.timers.size, 0)
    })

    it("CancelTimer becomes TimerCanceled, and the timer is over", () => {
      const state = given(started).asks({ _tag: "CancelTimer", seq: 1 }).becomes(canceled)
      assert.strictEqual(state.timers.size, 0)
    })

    it("another timer's due time is dropped, and this one stays", () => {
      const { state, when } = given(started)
      when({ _tag: "TimerDue", seq: 2 }).dropped("timer 2 is not pending")
      assert.strictEqual(state.timers.size, 1)
    })
  })

  for (const end of [fired, canceled]) {
    it(`given ${end._tag}, its due time is dropped: at most one end`, () => {
      given(started, end).when({ _tag: "TimerDue", seq: 1 }).dropped("timer 1 is not pending")
    })
  }

  it("given a closed run, its due time is dropped", () => {
    given(started, { _tag: "ExecutionCanceled", reason: "" }).when({ _tag: "TimerDue", seq: 1 })
      .dropped("the run is closed (Canceled)")
  })

  it("every row of its tables is used above", () => covers(Timer))

  it("W4: a fraction of a millisecond is not due before its time", () => {
    assert.strictEqual(Timer.decide.StartTimer({ _tag: "StartTimer", seq: 1, delayMillis: 0.4 }, 1_000).dueAt, 1_001)
  })

  it("W4: no delay is due at once; an endless one at the end of time, which JSON can hold", () => {
    const dueAt = (delayMillis: number) =>
      Timer.decide.StartTimer({ _tag: "StartTimer", seq: 1, delayMillis }, 1_000).dueAt
    assert.strictEqual(dueAt(0), 1_000)
    assert.strictEqual(dueAt(Infinity), 8.64e15)
    assert.isFalse(Number.isNaN(new Date(dueAt(Infinity)).getTime()))
  })

  it("next is the one due first, and the one started first of two that are due together", () => {
    const start = (seq: number, dueAt: number): Event => ({ _tag: "TimerStarted", seq, dueAt })
    assert.strictEqual(Timer.next(given().state), undefined)
    const { state } = given(start(1, 3_000), start(2, 2_000), start(3, 2_000))
    assert.deepStrictEqual(Timer.next(state), { seq: 2, dueAt: 2_000 })
  })
})

const started: Event = { _tag: "TimerStarted", seq: 1, dueAt: 1_500 }
const fired: Event = { _tag: "TimerFired", seq: 1 }
const canceled: Event = { _tag: "TimerCanceled", seq: 1 }
