/**
 * Several processes on one file: a client that hosts nothing here, workers as children, killed and stopped.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { WorkflowFailure } from "perdure"
import { Client, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import { Bakery, Spoiled } from "./processes/contract.js"
import * as Processes from "./processes/Processes.js"
import { until } from "./World.js"

const test = Processes.tests(new URL("./processes/bakery.ts", import.meta.url))

describe("a client that hosts nothing", () => {
  test("starts, signals, asks, updates, cancels and waits, by a worker in another process (X2, X3, S1, Q1, Q2, U1, C1)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      const early = yield* client.start(Bakery, "early")
      yield* early.signal("order", 1)
      yield* world.worker("ada")
      const bakery = yield* client.start(Bakery, "town", { workflowId: "town" })
      assert.strictEqual(
        (yield* Effect.flip(client.start(Bakery, "x", { workflowId: "town" })))._tag,
        "WorkflowAlreadyStarted"
      )
      yield* bakery.signal("order", 1)
      yield* until(bakery.query("baked"), (baked) => baked.length === 1)
      assert.strictEqual(yield* bakery.update("taste", "bread"), 1)
      assert.deepInclude(yield* Effect.flip(bakery.update("taste", "")), {
        _tag: "Spoiled",
        reason: "nothing to taste"
      })
      assert.instanceOf(yield* Effect.flip(bakery.update("taste", "old")), Spoiled)
      const waiting = yield* Effect.fork(bakery.result)
      yield* bakery.signal("close")
      assert.deepStrictEqual(yield* waiting, ["town: 1 by ada at 1"])
      assert.deepStrictEqual(yield* bakery.query("baked"), ["1 by ada at 1"])
      assert.strictEqual((yield* Effect.flip(bakery.signal("close")))._tag, "WorkflowClosed")
      // What was started before there was a worker went on too.
      assert.deepStrictEqual(yield* until(early.query("baked"), (baked) => baked.length === 1), ["1 by ada at 1"])
      yield* early.cancel("closing")
      const canceled = yield* Effect.flip(early.result)
      assert.deepInclude(canceled, { _tag: "WorkflowFailure", status: "Canceled" })
      assert.include((canceled as WorkflowFailure).message, "closing")
    }))

  test("sends what no contract declares, and talks to a workflow by its name alone (S6, Q4, D8, D9)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      yield* world.worker("ada")
      const bakery = yield* client.start(Workflow.untyped("Bakery"), "town", { workflowId: "town" })
      yield* client.handle(Bakery, "town").raw.signal("knock", { times: 2 })
      yield* bakery.signal("order", 1)
      assert.deepStrictEqual(yield* bakery.query("anything"), { name: "anything", notes: [["knock", { times: 2 }]] })
      assert.deepStrictEqual(yield* bakery.update("ring", [1]), { name: "ring", payload: [1], notes: 1 })
      assert.deepInclude(yield* Effect.flip(bakery.update("steal")), { _tag: "UpdateFailed", rejected: true })
      const metadata = yield* bakery.query("__metadata")
      assert.deepInclude(metadata, { workflow: "Bakery", dynamic: ["signals", "queries", "updates"] })
      assert.isArray(yield* bakery.query("__stack_trace"))
      yield* bakery.signal("close")
      assert.deepStrictEqual(yield* bakery.result, ["town: 1 by ada at 1"])
    }))

  test("starts with a message, by policy and by request, and finds an update again (S1, S10, U5, U13, X5, X6)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      yield* world.worker("ada")
      const options = { workflowId: "town", idConflict: "UseExisting" } as const
      const order = client.signalWithStart(Bakery, "town", { name: "order", payload: 1, requestId: "first" }, {
        workflowId: "town"
      })
      const first = yield* order
      yield* until(first.query("baked"), (baked) => baked.length === 1)
      assert.strictEqual((yield* order).runId, first.runId)
      yield* first.signal("order", 2, { requestId: "second" })
      yield* first.signal("order", 2, { requestId: "second" })
      yield* until(first.query("baked"), (baked) => baked.length === 2)
      const tasted = yield* client.updateWithStart(
        Bakery,
        "x",
        { name: "taste", payload: "bread", updateId: "t" },
        options
      )
      assert.strictEqual(tasted.handle.runId, first.runId)
      assert.strictEqual(yield* tasted.update.result, 2)
      yield* first.signal("close")
      assert.deepStrictEqual(yield* first.result, ["town: 1 by ada at 1", "town: 2 by ada at 1"])
      assert.strictEqual(yield* client.handle(Bakery, "town").updateHandle("taste", "t").result, 2)
      const opened = yield* client.updateWithStart(Bakery, "new", { name: "taste", payload: "bread" }, options)
      assert.notStrictEqual(opened.handle.runId, first.runId)
      assert.strictEqual(yield* opened.update.result, 0)
      const request = { workflowId: "town", idConflict: "TerminateExisting", requestId: "r" } as const
      const replacing = yield* client.start(Bakery, "newer", request)
      assert.deepInclude(yield* Effect.flip(opened.handle.result), { status: "Terminated" })
      assert.strictEqual((yield* client.start(Bakery, "newer", request)).runId, replacing.runId)
      yield* replacing.signal("close")
      yield* replacing.result
    }))

  test("deletes a run in the memory of another process, whose activity stops (C12)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      const ada = yield* world.worker("ada")
      const bakery = yield* client.start(Bakery, "town")
      yield* bakery.signal("order", 0)
      yield* until(bakery.describe, ({ pendingActivities }) => pendingActivities[0]?.state === "started")
      yield* bakery.delete
      assert.strictEqual((yield* Effect.flip(bakery.result))._tag, "WorkflowNotFound")
      yield* until(Effect.sync(ada.said), (said) => said.includes("interrupted"))
      const store = yield* Store
      assert.deepStrictEqual(yield* store.runs({ limit: 9 }), [])
    }))

  test("terminates a run in the memory of another process, whose activity stops (C10)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      const ada = yield* world.worker("ada")
      const bakery = yield* client.start(Bakery, "town")
      yield* bakery.signal("order", 0)
      yield* until(bakery.describe, ({ pendingActivities }) => pendingActivities[0]?.state === "started")
      yield* bakery.terminate("closed for good", { by: "the mayor" })
      assert.deepInclude((yield* Effect.flip(bakery.result)) as WorkflowFailure, {
        status: "Terminated",
        failure: { _tag: "Terminated", message: "terminated: closed for good", details: { by: "the mayor" } }
      })
      yield* until(Effect.sync(ada.said), (said) => said.includes("interrupted"))
    }))
})

describe("two workers", () => {
  test("share a queue: runs and activities go to either, each once (A17, I4)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      yield* Effect.all([world.worker("ada"), world.worker("bob")], { concurrency: 2 })
      const bakeries = yield* Effect.forEach(Array.from({ length: 12 }, (_, n) => `town ${n}`), (town) =>
        client.start(Bakery, town), { concurrency: "unbounded" })
      for (let n = 1; n <= 3; n++) {
        yield* Effect.forEach(bakeries, (bakery) =>
          bakery.signal("order", n), { concurrency: "unbounded" })
      }
      yield* Effect.forEach(bakeries, (bakery) =>
        bakery.signal("close"), { concurrency: "unbounded" })
      const results = yield* Effect.forEach(bakeries, (bakery) => bakery.result, { concurrency: "unbounded" })
      results.forEach((baked, index) =>
        assert.deepStrictEqual(baked.map((each) => each.replace(/ by (ada|bob)/, "")), [
          `town ${index}: 1 at 1`,
          `town ${index}: 2 at 1`,
          `town ${index}: 3 at 1`
        ])
      )
      for (const bakery of bakeries) {
        const turns = yield* bakery.history
        assert.deepStrictEqual(turns.map((turn) => turn.turn), turns.map((_, index) => index + 1))
      }
    }))

  test("of two queues pass an activity and its outcome across processes", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      yield* Effect.all([
        world.worker("ada"),
        world.worker("far", { taskQueue: "far", workflows: false })
      ], { concurrency: 2 })
      const bakery = yield* client.start(Bakery, "town")
      yield* bakery.signal("order", -1)
      yield* bakery.signal("close")
      assert.deepStrictEqual(yield* bakery.result, ["town: far by far"])
    }))

  test("one is killed: the other has its runs and its attempts at once, long before its lease ends (I4, A11, N1)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      const ada = yield* world.worker("ada", { lease: "1 hour" })
      const bakery = yield* client.start(Bakery, "town")
      yield* bakery.signal("order", 1)
      yield* bakery.signal("order", 0)
      yield* until(bakery.describe, ({ pendingActivities }) => pendingActivities[0]?.state === "started")
      yield* until(bakery.query("baked"), (baked) => baked.length === 1)
      yield* world.worker("bob", { lease: "1 hour" })
      yield* ada.kill
      world.go()
      yield* bakery.signal("close")
      // Bob's attempt is the second one: the first was lost.
      assert.deepStrictEqual(yield* bakery.result, ["town: 1 by ada at 1", "town: 0 by bob at 2"])
    }))

  test("one is paused beyond its lease: it is taken over, and changes nothing when it wakes (I4, I9)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      const ada = yield* world.worker("ada", { lease: "1 second" })
      const bakery = yield* client.start(Bakery, "town")
      yield* bakery.signal("order", 0)
      yield* until(bakery.describe, ({ pendingActivities }) => pendingActivities[0]?.state === "started")
      ada.pause()
      yield* world.worker("bob", { lease: "1 second" })
      world.go()
      yield* until(bakery.query("baked"), (baked) => baked.length === 1)
      // Ada wakes with a copy of the run, and an attempt that ends at once.
      ada.wake()
      const store = yield* Store
      yield* until(store.workers, (workers) => workers.length === 2)
      yield* bakery.signal("order", 2)
      yield* until(bakery.query("baked"), (baked) => baked.length === 2)
      yield* bakery.signal("close")
      const baked = yield* bakery.result
      assert.strictEqual(baked[0], "town: 0 by bob at 2")
      assert.match(baked[1]!, /town: 2 by (ada|bob) at 1/)
      const turns = yield* bakery.history
      const completed = turns.flatMap((turn) => turn.events.filter((event) => event._tag === "ActivityCompleted"))
      assert.strictEqual(completed.length, 2)
      assert.deepStrictEqual(turns.map((turn) => turn.turn), turns.map((_, index) => index + 1))
    }))

  test("one is kept by a run that never comes to rest: the other takes it over, and is not kept (W10)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      yield* world.worker("ada", { lease: "1 second" })
      const bakery = yield* client.start(Bakery, "town")
      const village = yield* client.start(Bakery, "village")
      yield* until(bakery.query("baked"), (baked) => baked.length === 0)
      yield* bakery.raw.signal("spin")
      yield* world.worker("bob", { lease: "1 second" })
      const { attention, status } = yield* until(bakery.describe, ({ attention }) => attention !== undefined)
      assert.strictEqual(status, "Running")
      assert.include(attention!.message, "did not come to rest within 2000 milliseconds, and kept the thread")
      yield* village.signal("order", 1)
      yield* village.signal("close")
      assert.deepStrictEqual(yield* village.result, ["village: 1 by bob at 1"])
      // Its acknowledged signal is kept: with code that is right, it goes on with it.
      const store = yield* Store
      assert.deepStrictEqual((yield* store.mail(bakery.runId!, 0)).map(({ kind }) => kind), ["Signal"])
    }))

  test("one leaves in good order: the other has its runs at once (N1, A16)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      const ada = yield* world.worker("ada", { lease: "1 hour" })
      const bakery = yield* client.start(Bakery, "town")
      yield* bakery.signal("order", 1)
      yield* until(bakery.query("baked"), (baked) => baked.length === 1)
      yield* ada.release
      const store = yield* Store
      assert.deepStrictEqual(yield* store.workers, [])
      yield* world.worker("bob", { lease: "1 hour" })
      yield* bakery.signal("close")
      assert.deepStrictEqual(yield* bakery.result, ["town: 1 by ada at 1"])
    }))
})
