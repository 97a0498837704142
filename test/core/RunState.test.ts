import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import type { Event, Turn } from "../../src/core/Event.js"
import * as RunState from "../../src/core/RunState.js"
import { events } from "./arbitrary.js"
import { given, turns } from "./given.js"

describe("RunState.fold", () => {
  it("an empty history is a run that nothing happened to", () => {
    assert.deepStrictEqual(RunState.fold("run-1", []), RunState.empty("run-1"))
    assert.strictEqual(RunState.empty("run-1").status, "Running")
  })

  it("counts turns and events, and knows the time of the last turn", () => {
    const { runId, turn, events, time } = RunState.fold("run-1", [
      { turn: 1, at: 5_000, events: [start(1, 1), start(2, 2)] },
      { turn: 2, at: 6_000, events: [fired(1)] },
      { turn: 3, at: 6_000, events: [] }
    ])
    assert.deepStrictEqual({ runId, turn, events, time }, { runId: "run-1", turn: 3, events: 3, time: 6_000 })
  })

  it("a history in two parts is the same as the whole", () => {
    FastCheck.assert(FastCheck.property(history, FastCheck.nat(20), (whole, at) => {
      const state = RunState.fold("run-1", whole.slice(0, at))
      for (const turn of whole.slice(at)) RunState.evolve(state, turn)
      assert.deepStrictEqual(state, RunState.fold("run-1", whole))
    }))
  })

  it("two runs share nothing", () => {
    const [a, b] = [RunState.empty("a"), RunState.empty("b")]
    for (const turn of turns([start(1, 1), activity(2), step(3), accepted("u1")])) RunState.evolve(a, turn)
    assert.deepStrictEqual(b, RunState.empty("b"))
  })

  it("the events themselves are left as they were", () => {
    FastCheck.assert(FastCheck.property(history, (whole) => {
      const before = JSON.stringify(whole)
      RunState.fold("run-1", whole)
      assert.strictEqual(JSON.stringify(whole), before)
    }))
  })

  it("takes in tens of thousands of events in one pass", { timeout: 5_000 }, () => {
    const state = RunState.fold(
      "run-1",
      turns(Array.from({ length: 50_000 }, (_, i) => i % 2 === 0 ? start(i, i) : fired(i - 1)))
    )
    assert.strictEqual(state.events, 50_000)
    assert.strictEqual(state.timers.size, 0)
  })
})

describe("RunState.wakeAt", () => {
  const rows: ReadonlyArray<readonly [string, ReadonlyArray<Event>, number | undefined]> = [
    ["a run that waits for messages only is not woken", [activity(1), accepted("u1")], undefined],
    ["a timer wakes it when it is due", [start(1, 9_000)], 9_000],
    ["the first of several timers does", [start(1, 9_000), start(2, 8_000), start(3, 9_500)], 8_000],
    ["a timer that fired, or was canceled, does not", [start(1, 1), start(2, 2), fired(1), canceled(2)], undefined],
    ["a pending step wakes it for whoever takes it over", [step(1), start(2, 9_000)], RunState.onTakeover],
    ["a step that is over does not", [step(1), { _tag: "StepCompleted", seq: 1 }, start(2, 9_000)], 9_000],
    ["a closed run is never woken", [step(1), start(2, 9_000), { _tag: "ExecutionCompleted" }], undefined]
  ]
  for (const [what, list, expected] of rows) {
    it(`I5: ${what}`, () => assert.strictEqual(RunState.wakeAt(given(...list).state), expected))
  }
})

describe("RunState.pending", () => {
  it("X17: counts activities, timers and steps, and no update", () => {
    assert.strictEqual(RunState.pending(given().state), 0)
    assert.strictEqual(RunState.pending(given(activity(1), start(2, 1), step(3), accepted("u1")).state), 3)
    assert.strictEqual(
      RunState.pending(given(activity(1), start(2, 1), { _tag: "ActivityCanceled", seq: 1, attempt: 1 }).state),
      1
    )
  })
})

const start = (seq: number, dueAt: number): Event => ({ _tag: "TimerStarted", seq, dueAt })
const fired = (seq: number): Event => ({ _tag: "TimerFired", seq })
const canceled = (seq: number): Event => ({ _tag: "TimerCanceled", seq })
const activity = (seq: number): Event => ({ _tag: "ActivityScheduled", seq, name: "ChargeCard" })
const step = (seq: number): Event => ({ _tag: "StepScheduled", seq, name: "read" })
const accepted = (id: string): Event => ({ _tag: "UpdateAccepted", id, name: "addItem" })

const history: FastCheck.Arbitrary<ReadonlyArray<Turn>> = FastCheck.array(events, { maxLength: 20 }).map((all) =>
  all.map((list, i) => ({ turn: i + 1, at: (i + 1) * 1_000, events: list }))
)
