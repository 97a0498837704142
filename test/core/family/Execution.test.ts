import { assert, describe, it } from "@effect/vitest"
import type { Command } from "../../../src/core/Command.js"
import type { Event } from "../../../src/core/Event.js"
import * as Execution from "../../../src/core/family/Execution.js"
import type { Message } from "../../../src/core/Message.js"
import { covers, given } from "../given.js"

describe("Execution", () => {
  it("given nothing, Start is recorded with all that it came with", () => {
    const state = given().when(start).becomes(started)
    assert.deepStrictEqual(state.started, started)
    assert.strictEqual(state.status, "Running")
  })

  it("given a start, a second one is dropped", () => {
    given(started).when(start).dropped("this run has already started")
  })

  it("C1: the first cancel request is recorded, with its reason", () => {
    const state = given(started).when({ _tag: "Cancel", reason: "late" }).becomes(cancelRequested)
    assert.strictEqual(state.cancelRequested, "late")
    assert.strictEqual(state.status, "Running")
  })

  it("C1: a second request is dropped, even when the first gave no reason", () => {
    given(started, cancelRequested).when({ _tag: "Cancel", reason: "again" })
      .dropped("cancellation was already requested")
    given(started, { _tag: "CancelRequested", reason: "" }).when({ _tag: "Cancel", reason: "again" })
      .dropped("cancellation was already requested")
  })

  it("C1: of two recorded requests the first one's reason holds", () => {
    const { state } = given(started, cancelRequested, { _tag: "CancelRequested", reason: "again" })
    assert.strictEqual(state.cancelRequested, "late")
  })

  it("C11: a reset leaves the state as its copied turns made it", () => {
    const told = { runId: "run-1", fromRunId: "run-0", turn: 2, reason: "why" }
    const state = given(started).when({ _tag: "Reset", ...told }).becomes({ _tag: "ExecutionReset", ...told })
    assert.deepInclude(state, { status: "Running", started, cancelRequested: undefined })
  })

  for (const [status, command, event] of ends) {
    it(`${command._tag} ends a running one as ${status}`, () => {
      const state = given(started).asks(command).becomes(event)
      assert.strictEqual(state.status, status)
      assert.deepStrictEqual(state.closed, event as Execution.Closing)
    })

    it(`${command._tag} ends one whose cancellation was asked for as ${status} (row C3)`, () => {
      assert.strictEqual(given(started, cancelRequested).asks(command).becomes(event).status, status)
    })
  }

  it("C10: termination ends a running one", () => {
    const terminated: Event = { _tag: "ExecutionTerminated", reason: "enough", details: { by: "ada" } }
    const { state } = given(started, terminated)
    assert.strictEqual(state.status, "Terminated")
    assert.deepStrictEqual(state.closed, terminated)
  })

  it("X8: the end of its time ends a running one", () => {
    const timedOut: Event = { _tag: "ExecutionTimedOut", timeout: "Run" }
    const { state } = given(started, timedOut)
    assert.strictEqual(state.status, "TimedOut")
    assert.deepStrictEqual(state.closed, timedOut)
  })

  it("a result that is absent is left out of the event", () => {
    given(started).asks({ _tag: "CompleteExecution", result: undefined }).becomes({ _tag: "ExecutionCompleted" })
  })

  it("a result of null stays", () => {
    given(started).asks({ _tag: "CompleteExecution", result: null }).becomes({
      _tag: "ExecutionCompleted",
      result: null
    })
  })

  describe("given an end, nothing follows", () => {
    for (const [status, _, end] of ends) {
      for (const message of messages) {
        it(`${message._tag} after ${end._tag} is dropped`, () => {
          given(started, end).when(message).dropped(`the run is closed (${status})`)
        })
      }
    }
  })

  it("every row of its tables is used above", () => covers(Execution))
})

const start = {
  _tag: "Start",
  workflow: "Order",
  workflowId: "order-1",
  taskQueue: "orders",
  input: { id: 1 },
  effect: "3.22.4"
} as const satisfies Message
const started = { ...start, _tag: "ExecutionStarted" } as const satisfies Event
const cancelRequested: Event = { _tag: "CancelRequested", reason: "late" }
const failure = { _tag: "Application", type: "Boom", message: "no" } as const
const ends: ReadonlyArray<readonly [Execution.Status, Command, Event]> = [
  ["Completed", { _tag: "CompleteExecution", result: 1 }, { _tag: "ExecutionCompleted", result: 1 }],
  ["Failed", { _tag: "FailExecution", failure }, { _tag: "ExecutionFailed", failure }],
  ["Canceled", { _tag: "CancelExecution", reason: "late" }, { _tag: "ExecutionCanceled", reason: "late" }],
  [
    "ContinuedAsNew",
    { _tag: "ContinueAsNew", continuation: { workflow: "Order", input: 2 } },
    { _tag: "ExecutionContinuedAsNew", workflow: "Order", input: 2 }
  ]
]
const messages: ReadonlyArray<Message> = [
  start,
  { _tag: "Cancel", reason: "" },
  { _tag: "Signal", name: "go" },
  { _tag: "Update", id: "u1", name: "addItem" },
  { _tag: "ActivityOutcome", outcome: { _tag: "ActivityCanceled", seq: 1, attempt: 1 } },
  { _tag: "StepOutcome", outcome: { _tag: "StepCompleted", seq: 1 } },
  { _tag: "TimerDue", seq: 1 }
]
