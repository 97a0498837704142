import { assert, describe, it } from "@effect/vitest"
import type { Event } from "../../../src/core/Event.js"
import * as Step from "../../../src/core/family/Step.js"
import { covers, given } from "../given.js"

describe("Step", () => {
  it("given nothing, RunStep is recorded before it runs, and the step is pending", () => {
    const state = given().asks({ _tag: "RunStep", seq: 1, name: "read" }).becomes(scheduled)
    assert.deepStrictEqual([...state.steps], [[1, "read"]])
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

  it("every row of its tables is used above", () => covers(Step))
})

const scheduled: Event = { _tag: "StepScheduled", seq: 1, name: "read" }
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
