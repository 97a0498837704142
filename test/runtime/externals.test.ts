/**
 * Signals and cancel requests from one run to another: delivered once, acknowledged once, or found to have nowhere to go.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Liveness, Worker, Workflow } from "perdure"
import { failed, Parent, parentOf, Patient, patientLive, runOf, tags, world } from "./Family.js"
import * as World from "./World.js"

describe("another execution", () => {
  World.test("takes a signal in by its workflow id, and is what it was started as (K8)", () =>
    Effect.gen(function*() {
      const client = yield* world(() => Workflow.external(Patient, "other").signal("end", "from afar"))
      const other = yield* client.start(Patient, { stubborn: false }, { workflowId: "other" })
      const handle = yield* client.start(Parent, 0)
      yield* handle.result
      assert.strictEqual(yield* other.result, "from afar")
      assert.deepStrictEqual(tags(yield* handle.history), [
        "ExecutionStarted",
        "SignalExternalRequested",
        "ExternalSignaled",
        "ExecutionCompleted"
      ])
    }))

  World.test("is canceled with a reason (K8)", () =>
    Effect.gen(function*() {
      const client = yield* world(() => Workflow.external(Patient, "other").cancel("in the way"))
      const other = yield* client.start(Patient, { stubborn: false }, { workflowId: "other" })
      yield* client.execute(Parent, 0)
      const error = yield* Effect.flip(other.result)
      assert.deepInclude(error, { _tag: "WorkflowFailure", status: "Canceled" })
      assert.match((error as Error).message, /in the way/)
    }))

  World.test("that is not there, or closed, is an error of its own (K8, K9)", () =>
    Effect.gen(function*() {
      const client = yield* world(() => {
        const none = Workflow.external(Patient, "none")
        const closed = Workflow.external(Patient, "closed")
        return Effect.all([
          failed(none.signal("end", "")),
          failed(none.cancel()),
          failed(closed.signal("end", "")),
          failed(closed.cancel()),
          failed(Workflow.external(Patient, "none", "no-run").signal("end", ""))
        ])
      })
      const closed = yield* client.start(Patient, { stubborn: false }, { workflowId: "closed" })
      yield* closed.signal("end", "well")
      yield* closed.result
      const name = (workflowId: string) => ({ workflow: "Patient", workflowId })
      assert.deepStrictEqual(yield* client.execute(Parent, 0), [
        { _tag: "WorkflowNotFound", ...name("none") },
        { _tag: "WorkflowNotFound", ...name("none") },
        { _tag: "WorkflowClosed", ...name("closed") },
        { _tag: "WorkflowClosed", ...name("closed") },
        { _tag: "WorkflowNotFound", ...name("none"), runId: "no-run" }
      ])
    }))

  World.test("named by its run gets nothing that is meant for a later one (K8)", () =>
    Effect.gen(function*() {
      const patients = yield* World.run(Worker.layer({ hosts: [patientLive] }))
      const { client } = patients
      const first = yield* client.start(Patient, { stubborn: false }, { workflowId: "other" })
      yield* first.signal("end", "first")
      yield* first.result
      const second = yield* client.start(Patient, { stubborn: false }, { workflowId: "other" })
      yield* World.run(
        Worker.layer({
          taskQueue: "parents",
          hosts: [parentOf(() => failed(Workflow.external(Patient, "other", first.runId).signal("end", "late")))]
        })
      )
      const error = yield* client.execute(Parent, 0, { taskQueue: "parents" })
      assert.deepInclude(error as object, { _tag: "WorkflowClosed", runId: first.runId })
      assert.strictEqual((yield* runOf("other")).runId, second.runId)
      assert.strictEqual((yield* runOf("other")).status, "Running")
    }))

  World.test("may be the run itself (K8)", () =>
    Effect.gen(function*() {
      const client = yield* world((go) =>
        Effect.gen(function*() {
          const { workflowId } = yield* Workflow.info
          yield* Workflow.external(Parent, workflowId).signal("go")
          yield* go
          return "heard"
        })
      )
      const handle = yield* client.start(Parent, 0)
      assert.strictEqual(yield* handle.result, "heard")
      assert.deepStrictEqual(tags(yield* handle.history).filter((tag) => tag === "SignalReceived").length, 1)
      assert.deepStrictEqual(yield* Liveness.check, [])
    }))

  World.test("on another worker hears of it as well, and an untyped one by any name (K8, D8)", () =>
    Effect.gen(function*() {
      const { client } = yield* World.run(
        Worker.layer({
          hosts: [parentOf(() => Workflow.external(Workflow.untyped("Patient"), "other").signal("end", "raw"))]
        })
      )
      yield* World.run(Worker.layer({ taskQueue: "others", hosts: [patientLive] }))
      const other = yield* client.start(Patient, { stubborn: false }, { workflowId: "other", taskQueue: "others" })
      yield* client.execute(Parent, 0)
      assert.strictEqual(yield* other.result, "raw")
    }))
})
