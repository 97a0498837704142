/**
 * Updates: their stages, validators, outcomes, and the id by which one is known, however often it is sent.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { UpdateFailed, Worker, Workflow, WorkflowClosed } from "perdure"
import { Desk, desk, Refused } from "./Desk.js"
import { eventsOf, waysTo } from "./Ways.js"
import { disk, remote, run, test, until } from "./World.js"

describe("an update", () => {
  waysTo(
    "gives its result, and what it changed is seen by queries from then on (U1, Q1)",
    (client) =>
      Effect.gen(function*() {
        const handle = yield* client.start(Desk, 1)
        assert.strictEqual(yield* handle.update("add", 2), 3)
        assert.strictEqual(yield* client.handle(Desk, handle.workflowId).update("add", 3), 6)
        assert.strictEqual(yield* handle.query("total"), 6)
        const tags = yield* eventsOf(handle)
        assert.deepStrictEqual(tags.filter((tag) => tag.startsWith("Update")), [
          "UpdateAccepted",
          "UpdateCompleted",
          "UpdateAccepted",
          "UpdateCompleted"
        ])
      })
  )

  waysTo("that is started is accepted, and its outcome comes later (U1, U5)", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 1)
      const update = yield* handle.startUpdate("later", 10, { updateId: "u1" })
      assert.strictEqual(update.updateId, "u1")
      assert.include(yield* eventsOf(handle), "UpdateAccepted")
      const waiting = yield* Effect.fork(update.result)
      yield* handle.signal("add", 100)
      assert.strictEqual(yield* Fiber.join(waiting), 111)
      // Asked again later, it is the same.
      assert.strictEqual(yield* update.result, 111)
    }))

  waysTo("fails with its declared error, decoded; the run goes on (U3)", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 1)
      const error = yield* Effect.flip(handle.update("add", 13))
      assert.instanceOf(error, Refused)
      assert.strictEqual((error as Refused).reason, "bad luck")
      assert.include(yield* eventsOf(handle), "UpdateFailed")
      assert.strictEqual(yield* handle.update("add", 1), 2)
    }))

  waysTo(
    "that its validator refuses leaves no event, and is not remembered (U2, U4)",
    (client, log) =>
      Effect.gen(function*() {
        const handle = yield* client.start(Desk, 1)
        yield* handle.update("add", 1)
        const asked = log.length
        const before = yield* handle.history
        const error = yield* Effect.flip(handle.update("add", 0, { updateId: "u" }))
        assert.instanceOf(error, Refused)
        assert.strictEqual((error as Refused).reason, "nothing to add")
        assert.instanceOf(yield* Effect.flip(handle.startUpdate("later", 0)), Refused)
        assert.deepStrictEqual(yield* handle.history, before)
        assert.strictEqual(log.filter((entry) => entry === "validate 0").length, 2)
        // The id is free.
        assert.strictEqual(yield* handle.update("add", 5, { updateId: "u" }), 7)
        // No replay asks a validator again.
        assert.notInclude(log.slice(asked), "validate 1")
      })
  )

  waysTo(
    "with a name, payload or id that the contract does not have is refused at once (U3, D8, X17)",
    (client) =>
      Effect.gen(function*() {
        const handle = yield* client.start(Desk, 1)
        const refused = (call: Effect.Effect<unknown, { readonly _tag: string; readonly message: string }>) =>
          Effect.map(Effect.flip(call), (error) => {
            assert.strictEqual(error._tag, "ContractError")
            return error.message
          })
        assert.include(yield* refused(handle.update("nope" as never, 1 as never)), "declares no update nope")
        assert.include(yield* refused(handle.update("add", "x" as never)), "payload of update Desk.add")
        assert.include(yield* refused(handle.update("add", 1, { updateId: "" })), "update id of add")
        assert.include(yield* refused(handle.update("add", 1, { updateId: "x".repeat(1_001) })), "update id of add")
      })
  )

  test("that the worker's code does not know is rejected, and names those that it does (U3)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(desk())
      const { workflowId } = yield* client.start(Desk, 1)
      const Newer = Workflow.make("Desk", { updates: { future: {} } })
      for (const each of [client, yield* remote]) {
        const error = yield* Effect.flip(each.handle(Newer, workflowId).update("future"))
        assert.instanceOf(error, UpdateFailed)
        assert.isTrue((error as UpdateFailed).rejected)
        assert.include(error.message, "unknown update future; known are: add, later, end")
      }
    }))

  test(
    "without a worker is not answered in time, says so, and takes effect once there is one (U1)",
    () =>
      Effect.gen(function*() {
        const client = yield* remote
        const handle = yield* client.start(Desk, 1)
        const error = yield* Effect.flip(handle.update("add", 2, { timeout: "50 millis", updateId: "u" }))
        assert.deepInclude(error, { _tag: "CallTimeout", call: "update add", afterMillis: 50 })
        yield* run(desk())
        assert.strictEqual(yield* handle.update("add", 2, { updateId: "u" }), 3)
        assert.strictEqual(yield* handle.query("total"), 3)
      }),
    disk
  )
})

describe("the id of an update", () => {
  waysTo(
    "attaches a second one to the first: same outcome, its payload not looked at (U4)",
    (client) =>
      Effect.gen(function*() {
        const handle = yield* client.start(Desk, 1)
        assert.strictEqual(yield* handle.update("add", 2, { updateId: "u" }), 3)
        assert.strictEqual(yield* handle.update("add", 50, { updateId: "u" }), 3)
        assert.instanceOf(yield* Effect.flip(handle.update("add", 13, { updateId: "v" })), Refused)
        assert.instanceOf(yield* Effect.flip(handle.update("add", 1, { updateId: "v" })), Refused)
        assert.strictEqual(yield* handle.query("total"), 3)
      })
  )

  waysTo("attaches to one that is in progress (U4)", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 1)
      const first = yield* handle.startUpdate("later", 10, { updateId: "u" })
      const others = yield* Effect.fork(Effect.all([
        handle.update("later", 20, { updateId: "u" }),
        client.handle(Desk, handle.workflowId).update("later", 30, { updateId: "u" })
      ], { concurrency: 2 }))
      yield* Effect.yieldNow()
      yield* handle.signal("add", 100)
      assert.deepStrictEqual(yield* Fiber.join(others), [111, 111])
      assert.strictEqual(yield* first.result, 111)
      assert.strictEqual(yield* handle.query("total"), 111)
    }))

  test("is known in every process, and by the next worker (U4, U8)", () =>
    Effect.gen(function*() {
      const ada = yield* run(desk())
      const handle = yield* ada.client.start(Desk, 1, { workflowId: "w" })
      const update = yield* handle.startUpdate("later", 10, { updateId: "u" })
      const waiting = yield* Effect.fork(update.result)
      const far = yield* Effect.fork((yield* remote).handle(Desk, "w").update("later", 10, { updateId: "u" }))
      yield* ada.stop
      const log: Array<string> = []
      const bob = yield* run(desk({ log }))
      yield* bob.client.handle(Desk, "w").signal("add", 100)
      assert.strictEqual(yield* Fiber.join(far), 111)
      // The first caller's worker is gone; its call goes on through the store.
      assert.strictEqual(yield* Fiber.join(waiting), 111)
      // Accepted before, it was not validated again.
      assert.deepStrictEqual(log, [])
    }), disk)
})

describe("an update and the end of its run", () => {
  waysTo("to a closed run fails (U7)", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 1)
      yield* handle.signal("end", "complete")
      yield* handle.result
      assert.instanceOf(yield* Effect.flip(handle.update("add", 1)), WorkflowClosed)
      assert.instanceOf(yield* Effect.flip(handle.startUpdate("add", 1)), WorkflowClosed)
    }))

  waysTo("that ends the run gives its result all the same (U5, W19)", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 1)
      assert.strictEqual(yield* handle.update("end", "complete", { updateId: "u" }), "will complete")
      assert.strictEqual(yield* handle.result, 1)
      // And still does, after the end.
      assert.strictEqual(yield* handle.update("end", "complete", { updateId: "u" }), "will complete")
    }))

  waysTo("in progress when the run ends fails, and says why (S8, U7)", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 1)
      const update = yield* handle.startUpdate("later", 10, { updateId: "u" })
      const waiting = yield* Effect.fork(Effect.flip(update.result))
      yield* handle.signal("end", "complete")
      assert.strictEqual(yield* handle.result, 1)
      for (const error of [yield* Fiber.join(waiting), yield* Effect.flip(update.result)]) {
        assert.instanceOf(error, UpdateFailed)
        assert.isFalse((error as UpdateFailed).rejected)
        assert.deepInclude((error as UpdateFailed).failure, { type: "AcceptedUpdateCompletedWorkflow" })
      }
    }))

  waysTo("in progress when the run is terminated fails, and says why (S8, C10)", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 1)
      const update = yield* handle.startUpdate("later", 10)
      const waiting = yield* Effect.fork(Effect.flip(update.result))
      yield* handle.terminate()
      assert.deepInclude(yield* Fiber.join(waiting), { _tag: "UpdateFailed", rejected: false })
    }))

  test(
    "that waits in the mailbox when the run closes is told so, and does not wait for ever (U7)",
    () =>
      Effect.gen(function*() {
        const client = yield* remote
        const handle = yield* client.start(Desk, 1)
        const waiting = yield* Effect.fork(Effect.flip(handle.update("add", 1)))
        yield* until(handle.describe, () => true)
        yield* handle.terminate()
        yield* run(desk())
        assert.instanceOf(yield* Fiber.join(waiting), WorkflowClosed)
      }),
    disk
  )
})

describe("the limits of updates", () => {
  waysTo("at most ten are in progress in one run (U12)", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 0)
      const updates = yield* Effect.forEach(Array.from({ length: 10 }, (_, n) => n + 1), (n) =>
        handle.startUpdate("later", n))
      const error = yield* Effect.flip(handle.startUpdate("later", 11))
      assert.instanceOf(error, UpdateFailed)
      assert.isTrue((error as UpdateFailed).rejected)
      assert.include(error.message, "10 updates are in progress")
      yield* handle.signal("add", 100)
      yield* Effect.forEach(updates, (update) =>
        update.result, { concurrency: "unbounded" })
      assert.strictEqual(yield* handle.query("total"), 155)
      const next = yield* handle.startUpdate("later", 1)
      yield* handle.signal("add", 1)
      assert.strictEqual(yield* next.result, 157)
    }))

  test("one run takes in two thousand (U12)", () =>
    Effect.gen(function*() {
      const Counter = Workflow.make("Counter", { updates: { count: { success: Schema.Number } } })
      let count = 0
      const { client } = yield* run(Worker.layer({
        hosts: [
          Counter.toLayer(() =>
            Effect.succeed(Counter.of({
              updates: { count: () => Effect.sync(() => ++count) },
              run: Effect.sleep("1 hour")
            }))
          )
        ]
      }))
      const handle = yield* client.start(Counter)
      yield* Effect.forEach(Array.from({ length: 2_000 }), () => handle.update("count"), {
        concurrency: 8,
        discard: true
      })
      const error = yield* Effect.flip(handle.update("count"))
      assert.include(error.message, "2000 updates")
    }))
})
