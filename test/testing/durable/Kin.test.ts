/**
 * What the audits of a trial find where runs do not tell the same story. No engine takes part: the stories are made up.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { Workflow } from "perdure"
import type { Event } from "../../../src/core/Event.js"
import type { Run } from "../../../src/persistence/Store.js"
import * as Finding from "../../../src/testing/durable/Finding.js"
import * as Kin from "../../../src/testing/durable/Kin.js"
import type { Recorded } from "../../../src/testing/durable/Runs.js"
import type { Sent } from "../../../src/testing/durable/Stage.js"

const run = (runId: string, more: Partial<Run>, events: ReadonlyArray<Event>): Recorded => ({
  run: { runId, workflowId: "w", workflow: "W", firstRunId: "1", status: "Running", ...more } as Run,
  turns: events.map((event, index) => ({ turn: index + 1, at: 0, events: [event] }))
})
const of = (...runs: ReadonlyArray<Recorded>) => Kin.faults(runs, () => false)

const started: Event = { _tag: "ExecutionStarted", workflow: "W", workflowId: "w", taskQueue: "q" }
const continued: Event = { _tag: "ExecutionContinuedAsNew", workflow: "W", newRunId: "2" }
const completed: Event = { _tag: "ExecutionCompleted", result: 1 }
const ended: Event = { _tag: "ExecutionTerminated", reason: "" }

describe("the runs of a chain", () => {
  const first = run("1", { status: "ContinuedAsNew" }, [started, continued])
  const second = run("2", { previousRunId: "1" }, [started])

  it("agree where each names the other", () => assert.deepStrictEqual(of(first, second), []))

  it("do not, where the one that follows is not there, or another one says that it does (K10, I3)", () => {
    assert.deepStrictEqual(of(first), ["run 1 is followed by 2, and there is no such run"])
    const other = run("3", { previousRunId: "1", status: "Completed" }, [started, completed])
    assert.deepStrictEqual(of(first, second, other), ["run 3 follows 1, which knows nothing of that"])
  })

  it("do not, where two are open, or one is open and has an end", () => {
    const both = of(run("1", {}, [started]), run("2", {}, [started]))
    assert.deepStrictEqual(both, ["runs 1 and 2 of w are open at once"])
    assert.deepStrictEqual(of(run("1", {}, [started, completed])), [
      "run 1 is Running, and its history has ExecutionCompleted"
    ])
    assert.deepStrictEqual(of(run("1", { status: "Failed" }, [started])), [
      "run 1 is Failed, and its history has no end"
    ])
  })
})

describe("a parent and its child", () => {
  const request = (parentClose?: "RequestCancel" | "Abandon"): Event => ({
    _tag: "ChildStartRequested",
    seq: 1,
    workflow: "C",
    workflowId: "c",
    runId: "c1",
    ...(parentClose === undefined ? {} : { parentClose })
  })
  const link = { runId: "1", seq: 1, close: "Terminate" } as const
  const child = (status: Run["status"], ...events: ReadonlyArray<Event>) =>
    run("c1", { workflowId: "c", workflow: "C", firstRunId: "c1", status, parent: link }, [started, ...events])
  const parent = (...events: ReadonlyArray<Event>) => run("1", {}, [started, ...events])
  const closed = (...events: ReadonlyArray<Event>) => run("1", { status: "Completed" }, [started, ...events, completed])
  const told: Event = { _tag: "ChildCompleted", seq: 1, runId: "c1", result: 1 }

  it("agree where the parent is told what became of it (K1, K3)", () => {
    assert.deepStrictEqual(of(parent(request()), child("Running")), [])
    assert.deepStrictEqual(of(parent(request(), told), child("Completed", completed)), [])
    assert.deepStrictEqual(of(closed(request(), told), child("Completed", completed)), [])
  })

  it("do not, where it is told otherwise, or something of one that goes on (K3)", () => {
    const name = "child C c #1 of run 1"
    assert.deepStrictEqual(of(parent(request(), told), child("Running")), [
      `${name} ended as nothing yet, and the parent was told ChildCompleted`
    ])
    assert.deepStrictEqual(of(parent(request(), { ...told, result: 2 }), child("Completed", completed)), [
      `${name} ended as ExecutionCompleted, and the parent was told ChildCompleted`
    ])
    assert.deepStrictEqual(of(parent(request(), told)), [`${name} has an end, and is not there`])
    const refused: Event = { _tag: "ChildStartFailed", seq: 1 }
    assert.deepStrictEqual(of(parent(request(), refused), child("Running")), [`${name} was refused, and is there`])
  })

  it("do not, where nobody asked for it (K1)", () => {
    assert.deepStrictEqual(of(parent(), child("Running")), ["run c1 of c is a child that nobody asked for"])
  })

  it("do not, where its policy was not applied when the parent closed (K4)", () => {
    const words = (...runs: ReadonlyArray<Recorded>) => of(...runs).map((fault) => fault.replace(/^.* run 1 /, ""))
    assert.deepStrictEqual(words(closed(request()), child("Running")), [
      "is open after the parent's end, and was to be terminated"
    ])
    assert.deepStrictEqual(words(closed(request("RequestCancel")), child("Running")), [
      "goes on after the parent's end, and was to be asked to cancel"
    ])
    assert.deepStrictEqual(words(closed(request("Abandon")), child("Terminated", ended)), [
      "was terminated, and was to be left alone"
    ])
  })

  it("agree where it was applied, if only as a request in its mailbox (K4)", () => {
    assert.deepStrictEqual(of(closed(request()), child("Terminated", ended)), [])
    assert.deepStrictEqual(of(closed(request("Abandon")), child("Running")), [])
    assert.deepStrictEqual(Kin.faults([closed(request("RequestCancel")), child("Running")], () => true), [])
    const asked = child("Running", { _tag: "CancelRequested", reason: "" })
    assert.deepStrictEqual(of(closed(request("RequestCancel")), asked), [])
  })
})

describe("messages", () => {
  const W = Workflow.make("W", { signals: { add: { payload: Schema.Number } } })
  const signal: Event = { _tag: "SignalReceived", name: "add", input: 1 }
  const sent: Sent = { message: { _tag: "Signal", name: "add", payload: 1 }, state: "acknowledged" }
  const findings = (runs: ReadonlyArray<Recorded>, ...all: ReadonlyArray<Sent>) =>
    Finding.ofMessages(runs, new Map(), all, W).map(({ detail, kind }) => `${kind}: ${detail}`)

  it("are in one of the runs of the chain, once", () => {
    const first = run("1", { status: "ContinuedAsNew" }, [started, signal, continued])
    const quiet = run("2", { previousRunId: "1" }, [started])
    const again = run("2", { previousRunId: "1" }, [started, signal])
    assert.deepStrictEqual(findings([first, quiet], sent), [])
    assert.deepStrictEqual(findings([first, quiet], sent, sent), ["Lost: signal add 1"])
    assert.deepStrictEqual(findings([first, again], sent, sent), [])
    assert.deepStrictEqual(findings([first, again], sent), ["Twice: signal add 1, sent once and there 2 times"])
    assert.deepStrictEqual(findings([first, quiet], { ...sent, state: "unsent" }), [])
  })

  it("of one run to another are there when it was told so (K8)", () => {
    const request: Event = { _tag: "SignalExternalRequested", seq: 1, workflowId: "other", name: "add", input: 1 }
    const sender = run("1", {}, [started, request, { _tag: "ExternalSignaled", seq: 1 }])
    const other = (...events: ReadonlyArray<Event>) => run("o", { workflowId: "other" }, [started, ...events])
    assert.deepStrictEqual(findings([sender, other(signal)]), [])
    assert.deepStrictEqual(findings([sender, other()]), ["Lost: signal add to other"])
    assert.deepStrictEqual(findings([sender, other(signal, signal)]), [
      "Twice: signal add to other, sent once and there 2 times"
    ])
    // One that was ended from outside takes in nothing any more.
    assert.deepStrictEqual(findings([sender, other(ended)]), [])
  })
})
