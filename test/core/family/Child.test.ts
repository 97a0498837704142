import { assert, describe, it } from "@effect/vitest"
import type { Event } from "../../../src/core/Event.js"
import * as Child from "../../../src/core/family/Child.js"
import { covers, given } from "../given.js"

describe("Child", () => {
  it("given nothing, StartChild is asked for, with a run id of its own", () => {
    const { asks, state } = given()
    const { runId: _, ...asked } = requested
    asks({ _tag: "StartChild", seq: 1, requested: asked }, 1_700_000_000_000).becomes(requested)
    assert.deepInclude(state.children.get(1), { started: false, cancelRequested: false })
  })

  it("given nothing, an outcome is dropped", () => {
    given().when({ _tag: "ChildOutcome", outcome: started })
      .dropped("child 1 is not pending: its outcome is already recorded, or it was never started")
  })

  describe("given a request", () => {
    it("it starts, and goes on being pending (K1)", () => {
      const state = given(requested).when({ _tag: "ChildOutcome", outcome: started }).becomes(started)
      assert.deepInclude(state.children.get(1), { started: true })
    })

    it("its workflow id may be taken, and then it is over (K2)", () => {
      const taken: Event = { _tag: "ChildStartFailed", seq: 1, existing: "other" }
      const state = given(requested).when({ _tag: "ChildOutcome", outcome: taken }).becomes(taken)
      assert.strictEqual(state.children.size, 0)
    })

    it("its cancellation may be asked for before it is known to have started (K6)", () => {
      const state = given(requested).asks({ _tag: "RequestCancelChild", seq: 1, reason: "late" }).becomes(canceling)
      assert.deepInclude(state.children.get(1), { cancelRequested: true })
    })
  })

  describe("given a started child", () => {
    for (const end of ends()) {
      it(`it ends: ${end._tag}, and nothing follows (I9)`, () => {
        const state = given(requested, started).when({ _tag: "ChildOutcome", outcome: end }).becomes(end)
        assert.strictEqual(state.children.size, 0)
        for (const outcome of [started, end]) {
          given(requested, started, end).when({ _tag: "ChildOutcome", outcome })
            .dropped("child 1 is not pending: its outcome is already recorded, or it was never started")
        }
      })
    }

    it("that it started comes once", () => {
      const { when } = given(requested, started)
      when({ _tag: "ChildOutcome", outcome: started }).dropped("child 1 has already started")
      when({ _tag: "ChildOutcome", outcome: { _tag: "ChildStartFailed", seq: 1 } })
        .dropped("child 1 has already started")
    })

    it("one that is asked to stop may end in any way (K5)", () => {
      for (const end of ends()) {
        given(requested, started, canceling).when({ _tag: "ChildOutcome", outcome: end }).becomes(end)
      }
    })
  })

  it("given a closed run, an outcome is dropped", () => {
    given(requested, started, { _tag: "ExecutionCompleted" }).when({ _tag: "ChildOutcome", outcome: ends()[0]! })
      .dropped("the run is closed (Completed)")
  })

  it("every row of its tables is used above", () => covers(Child))

  it("its run id is a UUID of version 7 that says when and where it was asked for", () => {
    const at = Date.UTC(2026, 0, 2)
    const id = Child.runIdOf("parent", 1, at)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.strictEqual(parseInt(id.replace("-", "").slice(0, 12), 16), at)
    assert.strictEqual(id, Child.runIdOf("parent", 1, at))
    const ids = new Set<string>()
    for (let seq = 0; seq < 5_000; seq++) {
      ids.add(Child.runIdOf("parent", seq, at))
      ids.add(Child.runIdOf(`parent ${seq}`, 1, at))
    }
    assert.strictEqual(ids.size, 10_000)
  })

  it("R11, K3: the end of its last run is what its parent is told", () => {
    const failure = { _tag: "Application", type: "Boom", message: "no" } as const
    const told = (closing: Parameters<typeof Child.outcomeOf>[2]) =>
      Child.outcomeOf({ seq: 1 }, "run-2", closing)?.outcome
    assert.deepStrictEqual(told({ _tag: "ExecutionCompleted", result: 1 }), {
      _tag: "ChildCompleted",
      seq: 1,
      runId: "run-2",
      result: 1
    })
    assert.deepInclude(told({ _tag: "ExecutionFailed", failure }), { _tag: "ChildFailed", failure })
    assert.deepInclude(told({ _tag: "ExecutionCanceled", reason: "late" }), { _tag: "ChildCanceled", reason: "late" })
    assert.strictEqual(told({ _tag: "ExecutionContinuedAsNew", workflow: "Ship", newRunId: "run-3" }), undefined)
    assert.strictEqual(
      told({ _tag: "ExecutionFailed", failure, retryState: "InProgress", newRunId: "run-3" }),
      undefined
    )
    assert.deepInclude(told({ _tag: "ExecutionTimedOut", timeout: "Run", retryState: "Timeout" }), {
      _tag: "ChildTimedOut",
      retryState: "Timeout"
    })
    assert.deepInclude(told({ _tag: "ExecutionTerminated", reason: "now" }), { _tag: "ChildTerminated", reason: "now" })
  })
})

const requested: Event & { readonly _tag: "ChildStartRequested" } = {
  _tag: "ChildStartRequested",
  seq: 1,
  workflow: "Ship",
  workflowId: "s-1",
  runId: Child.runIdOf("run-1", 1, 1_700_000_000_000)
}
const started: Child.ChildStarted = { _tag: "ChildStarted", seq: 1, runId: requested.runId }
const canceling: Event = { _tag: "ChildCancelRequested", seq: 1, reason: "late" }

function ends(): ReadonlyArray<Child.ChildEnd> {
  const of = { seq: 1, runId: requested.runId }
  const failure = { _tag: "Application", type: "Boom", message: "no" } as const
  return [
    { _tag: "ChildCompleted", ...of, result: 1 },
    { _tag: "ChildFailed", ...of, failure, retryState: "RetryPolicyNotSet" },
    { _tag: "ChildCanceled", ...of, reason: "late" },
    { _tag: "ChildTerminated", ...of, reason: "now" },
    { _tag: "ChildTimedOut", ...of, failure: { _tag: "Timeout", timeout: "Run", message: "" }, retryState: "Timeout" }
  ]
}
