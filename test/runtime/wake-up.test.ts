/**
 * When a run is woken by the clock, and what time its turn has then.
 */
import { assert, describe, it } from "@effect/vitest"
import type { Turn } from "../../src/core/Event.js"
import * as RunStates from "../../src/core/RunState.js"
import * as Items from "../../src/runtime/execution/Item.js"
import { notBeforeDue } from "../../src/runtime/execution/WakeUp.js"

const started: Turn = {
  turn: 1,
  at: 100,
  events: [
    { _tag: "ExecutionStarted", workflow: "Order", workflowId: "w", taskQueue: "default" },
    { _tag: "TimerStarted", seq: 1, dueAt: 400 },
    { _tag: "TimerStarted", seq: 2, dueAt: 900 }
  ]
}

describe("a turn that takes in what is due", () => {
  const state = RunStates.fold("r1", [started])
  const signal = Items.letter({ _tag: "Signal", name: "note" })
  const due = Items.letter({ _tag: "TimerDue", seq: 1 })

  it("is not before that, though the clock was set back since it rang (W4)", () => {
    assert.strictEqual(notBeforeDue(state, [signal, due], 150), 400)
    assert.strictEqual(notBeforeDue(state, [due], 401), 401)
  })

  it("has the time of the clock otherwise: with messages alone, or with what is not due next any more", () => {
    assert.strictEqual(notBeforeDue(state, [signal], 150), 150)
    assert.strictEqual(notBeforeDue(state, [Items.letter({ _tag: "TimerDue", seq: 2 })], 150), 150)
  })
})
