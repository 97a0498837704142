/**
 * Goal: what a run waits for and the rows that will wake it are compared, and each lack is named (I5).
 */
import { assert, describe, it } from "@effect/vitest"
import type { Event } from "../../src/core/Event.js"
import type { WakeUps } from "../../src/core/Liveness.js"
import * as Liveness from "../../src/core/Liveness.js"
import * as RunState from "../../src/core/RunState.js"
import { turns } from "./given.js"

const started: Event = { _tag: "ExecutionStarted", workflow: "Order", workflowId: "o-1", taskQueue: "orders" }
const scheduled: Event = { _tag: "ActivityScheduled", seq: 1, name: "Charge" }
const timer: Event = { _tag: "TimerStarted", seq: 2, dueAt: 9_000 }
const step: Event = { _tag: "StepScheduled", seq: 3, name: "rate" }

const enough: WakeUps = {
  wakeAt: undefined,
  expiresAt: undefined,
  tasks: new Set(),
  children: new Set(),
  mail: [],
  unknownWorkers: [],
  unreachable: false
}

const faults = (events: ReadonlyArray<Event>, wakeUps: Partial<WakeUps>) =>
  Liveness.faults(RunState.fold("run-1", turns(events)), { ...enough, ...wakeUps }).map(({ fault }) => fault)

describe("liveness", () => {
  it("asks for a start where there was no first turn", () => {
    assert.deepStrictEqual(faults([], {}), ["LostStart"])
    assert.deepStrictEqual(faults([], { mail: [{ ...started, _tag: "Start" }] }), ["LostStart"])
    assert.deepStrictEqual(faults([], { mail: [{ ...started, _tag: "Start" }], wakeAt: 5 }), [])
  })

  it("asks for a wake-up at the end of its time (X8)", () => {
    assert.deepStrictEqual(faults([started], { expiresAt: 5_000 }), ["LostTimeout"])
    assert.deepStrictEqual(faults([started], { expiresAt: 5_000, wakeAt: 5_001 }), ["LostTimeout"])
    assert.deepStrictEqual(faults([started], { expiresAt: 5_000, wakeAt: 5_000 }), [])
  })

  it("asks for the task of an activity, or its outcome in the mailbox", () => {
    assert.deepStrictEqual(faults([started, scheduled], {}), ["LostActivity"])
    assert.deepStrictEqual(faults([started, scheduled], { tasks: new Set([1]) }), [])
    const outcome = { _tag: "ActivityCompleted", seq: 1, attempt: 1 } as const
    assert.deepStrictEqual(faults([started, scheduled], { mail: [{ _tag: "ActivityOutcome", outcome }] }), [])
    assert.deepStrictEqual(faults([started, scheduled, outcome], {}), [])
  })

  it("asks for a wake-up while a timer is pending; an early one will do", () => {
    assert.deepStrictEqual(faults([started, timer], {}), ["LostTimer"])
    assert.deepStrictEqual(faults([started, timer], { wakeAt: 9_000 }), [])
    assert.deepStrictEqual(faults([started, timer], { wakeAt: 1 }), [])
  })

  it("asks for a wake-up at once on takeover while inline steps are pending", () => {
    assert.deepStrictEqual(faults([started, step], {}), ["LostStep"])
    assert.deepStrictEqual(faults([started, step], { wakeAt: 9_000 }), ["LostStep"])
    assert.deepStrictEqual(faults([started, step], { wakeAt: RunState.onTakeover }), [])
  })

  it("asks for a wake-up while a step waits for its next attempt (L1)", () => {
    const failure = { _tag: "Application", type: "Boom", message: "" } as const
    const backedOff: Event = { _tag: "StepBackedOff", seq: 3, attempt: 1, failure, dueAt: 9_000 }
    assert.deepStrictEqual(faults([started, step, backedOff], {}), ["LostStep"])
    assert.deepStrictEqual(faults([started, step, backedOff], { wakeAt: 9_000 }), [])
    assert.deepStrictEqual(faults([started, step, backedOff, { _tag: "StepResumed", seq: 3 }], { wakeAt: 9_000 }), [
      "LostStep"
    ])
  })

  it("asks for the open run of a child, or its outcome in the mailbox", () => {
    const child: Event = { _tag: "ChildStartRequested", seq: 4, workflow: "Ship", workflowId: "s-1", runId: "run-2" }
    const outcome = { _tag: "ChildCompleted", seq: 4, runId: "run-2" } as const
    assert.deepStrictEqual(faults([started, child], {}), ["LostChild"])
    assert.deepStrictEqual(faults([started, child], { children: new Set([4]) }), [])
    assert.deepStrictEqual(faults([started, child], { mail: [{ _tag: "ChildOutcome", outcome }] }), [])
    assert.deepStrictEqual(faults([started, child, outcome], {}), [])
  })

  it("asks for the word on a message to another run", () => {
    const sent: Event = { _tag: "SignalExternalRequested", seq: 5, workflowId: "o-2", name: "go" }
    const outcome = { _tag: "ExternalSignaled", seq: 5 } as const
    assert.deepStrictEqual(faults([started, sent], {}), ["LostMessage"])
    assert.deepStrictEqual(faults([started, sent], { mail: [{ _tag: "ExternalOutcome", outcome }] }), [])
    assert.deepStrictEqual(faults([started, sent, outcome], {}), [])
  })

  it("names workers that are not registered, and a body that nothing will reach", () => {
    assert.deepStrictEqual(faults([started], { unknownWorkers: ["w-1"] }), ["LostOwner"])
    assert.deepStrictEqual(faults([started], { unreachable: true }), ["NoWakeUp"])
  })

  it("asks nothing of a closed run, and says which run it speaks of", () => {
    assert.deepStrictEqual(faults([started, timer, { _tag: "ExecutionCompleted" }], { unknownWorkers: ["w-1"] }), [])
    const [fault] = Liveness.faults(RunState.empty("run-1"), enough)
    assert.match(fault!.message, /^open run run-1: LostStart: /)
  })
})
