import { assert, describe, it } from "@effect/vitest"
import type { Event } from "../../../src/core/Event.js"
import * as External from "../../../src/core/family/External.js"
import { covers, given } from "../given.js"

describe("External", () => {
  for (const { ask, outcomes, requested } of kinds()) {
    describe(requested._tag, () => {
      it("is asked for, and pending", () => {
        const state = given().asks(ask).becomes(requested)
        assert.strictEqual(state.externals.get(requested.seq), requested)
      })

      for (const outcome of outcomes) {
        it(`is told what became of it once: ${outcome._tag} (K8)`, () => {
          const state = given(requested).when({ _tag: "ExternalOutcome", outcome }).becomes(outcome)
          assert.strictEqual(state.externals.size, 0)
          given(requested, outcome).when({ _tag: "ExternalOutcome", outcome })
            .dropped(`message ${outcome.seq} to another run is not pending: what became of it is already recorded`)
        })
      }

      it("words what became of it", () => {
        assert.deepStrictEqual(External.outcomeOf(requested, undefined).outcome, outcomes[0])
        assert.deepStrictEqual(External.outcomeOf(requested, "Closed").outcome, outcomes[1])
        assert.deepStrictEqual(External.outcomeOf(requested, "NotFound").outcome, outcomes[2])
      })
    })
  }

  it("every row of its tables is used above", () => covers(External))
})

function kinds() {
  const signal: External.SignalExternalRequested = {
    _tag: "SignalExternalRequested",
    seq: 1,
    workflowId: "o-2",
    name: "go",
    input: 1
  }
  const cancel: External.CancelExternalRequested = {
    _tag: "CancelExternalRequested",
    seq: 2,
    workflowId: "o-2",
    runId: "run-2",
    reason: "late"
  }
  return [
    {
      requested: signal,
      ask: { _tag: "SignalExternal", seq: 1, requested: signal } as const,
      outcomes: [
        { _tag: "ExternalSignaled", seq: 1 },
        { _tag: "ExternalSignalFailed", seq: 1, reason: "Closed" },
        { _tag: "ExternalSignalFailed", seq: 1, reason: "NotFound" }
      ] as ReadonlyArray<Event & External.ExternalOutcome["outcome"]>
    },
    {
      requested: cancel,
      ask: { _tag: "CancelExternal", seq: 2, requested: cancel } as const,
      outcomes: [
        { _tag: "ExternalCancelDelivered", seq: 2 },
        { _tag: "ExternalCancelFailed", seq: 2, reason: "Closed" },
        { _tag: "ExternalCancelFailed", seq: 2, reason: "NotFound" }
      ] as ReadonlyArray<Event & External.ExternalOutcome["outcome"]>
    }
  ]
}
