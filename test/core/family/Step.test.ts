import { assert, describe, it } from "@effect/vitest"
import type { Event } from "../../../src/core/Event.js"
import * as Step from "../../../src/core/family/Step.js"
import * as RunState from "../../../src/core/RunState.js"
import { covers, given } from "../given.js"

describe("Step", () => {
  it("given nothing, RunStep is recorded before it runs, and the step is pending", () => {
    const state = given().asks({ _tag: "RunStep", seq: 1, name: "read" }).becomes(scheduled)
    assert.deepStrictEqual([...state.steps], [
      [1, { name: "read", scheduledAt: 1_000, attempt: 1, lastFailure: undefined, dueAt: undefined }]
    ])
  })

  for (const outcome of outcomes) {
    it(`given nothing, ${outcome._tag} is dropped`, () => {
      given().when({ _tag: "StepOutcome", outcome }).dropped("step 1 is not pending")
    })

    it(`given a pending step, ${outcome._tag} is recorded, and the step is over`, () => {
      assert.strictEqual(given(scheduled).when({ _tag: "StepOutcome", outcome }).becomes(outcome).steps.size, 0)
    })

    for (const end of [...outcomes, canceled]) {
      it(`given ${end._tag}, ${outcome._tag} is dropped: one outcome each (I9)`, () => {
        given(scheduled, end).when({ _tag: "StepOutcome", outcome }).dropped("step 1 is not pending")
      })
    }

    it(`given a closed run, ${outcome._tag} is dropped`, () => {
      given(scheduled, { _tag: "ExecutionTerminated", reason: "" }).when({ _tag: "StepOutcome", outcome })
        .dropped("the run is closed (Terminated)")
    })
  }

  it("given a pending step, CancelStep is recorded, and the step is over", () => {
    assert.strictEqual(given(scheduled).asks({ _tag: "CancelStep", seq: 1 }).becomes(canceled).steps.size, 0)
  })

  it("given a pending step, StepBackedOff is recorded, and the next attempt waits for its time (L1)", () => {
    const state = given(scheduled).when({ _tag: "StepOutcome", outcome: backedOff }).becomes(backedOff)
    assert.deepStrictEqual(state.steps.get(1), {
      name: "read",
      scheduledAt: 1_000,
      attempt: 3,
      lastFailure: backedOff.failure,
      dueAt: 9_000
    })
    assert.deepStrictEqual(Step.performing(state), [])
    assert.strictEqual(RunState.wakeAt(state), 9_000)
    assert.deepStrictEqual(RunState.nextDue(state), { message: { _tag: "StepDue", seq: 1 }, dueAt: 9_000 })
  })

  it("given a step that waits, StepDue becomes StepResumed, and the recorded attempt goes on (L1)", () => {
    const state = given(scheduled, backedOff).when({ _tag: "StepDue", seq: 1 }).becomes(resumed)
    assert.strictEqual(state.steps.get(1)!.attempt, 3)
    assert.deepStrictEqual(Step.performing(state), [1])
    assert.strictEqual(RunState.wakeAt(state), RunState.onTakeover)
  })

  for (const outcome of [...outcomes, backedOff]) {
    it(`given a step that waits, ${outcome._tag} is dropped: nobody performs it`, () => {
      given(scheduled, backedOff).when({ _tag: "StepOutcome", outcome })
        .dropped("step 1 waits for its next attempt")
    })
  }

  it("given a step that waits, CancelStep ends the wait at once (L1)", () => {
    const state = given(scheduled, backedOff).asks({ _tag: "CancelStep", seq: 1 }).becomes(canceled)
    assert.strictEqual(RunState.wakeAt(state), undefined)
    given(scheduled, backedOff, canceled).when({ _tag: "StepDue", seq: 1 }).dropped("step 1 does not wait")
  })

  it("given a step that does not wait, StepDue is dropped", () => {
    given(scheduled).when({ _tag: "StepDue", seq: 1 }).dropped("step 1 does not wait")
    given(scheduled, backedOff, resumed).when({ _tag: "StepDue", seq: 1 }).dropped("step 1 does not wait")
  })

  it("of several steps that wait, the one that is due first wakes the run; the others' attempts go first", () => {
    const other: Event = { _tag: "StepScheduled", seq: 2, name: "write" }
    const later = { ...backedOff, seq: 2, dueAt: 20_000 }
    assert.deepStrictEqual(Step.next(given(scheduled, other, later, backedOff).state), { seq: 1, dueAt: 9_000 })
    assert.strictEqual(RunState.wakeAt(given(scheduled, other, backedOff).state), RunState.onTakeover)
    const timer: Event = { _tag: "TimerStarted", seq: 3, dueAt: 8_000 }
    assert.strictEqual(RunState.nextDue(given(scheduled, backedOff, timer).state)?.message._tag, "TimerDue")
  })

  it("every row of its tables is used above", () => covers(Step))
})

const scheduled: Event = { _tag: "StepScheduled", seq: 1, name: "read" }
const backedOff = {
  _tag: "StepBackedOff",
  seq: 1,
  attempt: 2,
  failure: { _tag: "Application", type: "Boom", message: "no" },
  dueAt: 9_000
} as const satisfies Event
const resumed: Event = { _tag: "StepResumed", seq: 1 }
const canceled = { _tag: "StepCanceled", seq: 1 } as const satisfies Event
const outcomes = [
  { _tag: "StepCompleted", seq: 1, result: [1, 2] },
  {
    _tag: "StepFailed",
    seq: 1,
    attempt: 1,
    failure: { _tag: "Application", type: "Boom", message: "no" },
    retryState: "NonRetryableFailure"
  }
] as const satisfies ReadonlyArray<Event>
