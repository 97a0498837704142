import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../src/core/Command.js"
import type { Event } from "../../src/core/Event.js"
import { Limits } from "../../src/core/Limits.js"
import * as PendingLimits from "../../src/core/PendingLimits.js"
import * as RunState from "../../src/core/RunState.js"
import { sample } from "./commands.js"

const many = (command: (seq: number) => Command, count: number, from = 1): ReadonlyArray<Command> =>
  Array.from({ length: count }, (_, index) => command(from + index))

const kinds: Record<string, (seq: number) => Command> = {
  activities: sample.scheduleActivity,
  timers: sample.startTimer,
  "inline steps": sample.runStep,
  children: sample.startChild,
  "signals to other runs": sample.signalExternal,
  "cancel requests to other runs": sample.cancelExternal
}

const max = Limits.pendingMax

describe("what a run may have pending at once", () => {
  for (const [kind, command] of Object.entries(kinds)) {
    it(`is 2,000 ${kind}, and not one more (X17, I10)`, () => {
      const state = RunState.empty("run-1")
      assert.isUndefined(PendingLimits.exceeded(state, [], many(command, max)))
      assert.strictEqual(
        PendingLimits.exceeded(state, [], many(command, max + 1)),
        `it has 2001 ${kind} pending, and may have 2000 at once: run fewer at a time`
      )
    })
  }

  it("is so much of each kind: an activity and the timer of its timeout do not count together (X17)", () => {
    const both = [...many(sample.scheduleActivity, max), ...many(sample.startTimer, max, max + 1)]
    assert.isUndefined(PendingLimits.exceeded(RunState.empty("run-1"), [], both))
  })

  it("counts what was pending before, without what this turn settles or cancels (X17)", () => {
    const state = RunState.fold("run-1", [{
      turn: 1,
      at: 0,
      events: [
        ...Array.from({ length: max }, (_, seq): Event => ({ _tag: "ActivityScheduled", seq, name: "Charge" })),
        ...Array.from({ length: max }, (_, seq): Event => ({ _tag: "TimerStarted", seq: max + seq, dueAt: 9 })),
        ...Array.from({ length: max }, (_, seq): Event => ({
          _tag: "SignalExternalRequested",
          seq: 2 * max + seq,
          workflowId: "o-2",
          name: "go"
        }))
      ]
    }])
    const one = 3 * max + 1
    assert.isDefined(PendingLimits.exceeded(state, [], [sample.scheduleActivity(one)]))
    const done: Event = { _tag: "ActivityCompleted", seq: 1, attempt: 1 }
    assert.isUndefined(PendingLimits.exceeded(state, [done], [sample.scheduleActivity(one)]))
    assert.isDefined(PendingLimits.exceeded(state, [done], [sample.startTimer(one)]))
    assert.isUndefined(PendingLimits.exceeded(state, [], [sample.startTimer(one), sample.cancelTimer(max + 1)]))
    assert.isDefined(PendingLimits.exceeded(state, [], [sample.signalExternal(one)]))
    assert.isUndefined(PendingLimits.exceeded(state, [], [sample.cancelExternal(one)]))
  })
})
