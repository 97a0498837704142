/**
 * Two namespaces in one file, with the same workflow ids and the same queue, each served by a process of its own (X1).
 */
import { assert, describe } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Batch, Client, StoreClient } from "perdure"
import { Namespaces, SqliteStore, Store } from "perdure/sqlite"
import { Ledger, Reader } from "./processes/contract.js"
import * as Processes from "./processes/Processes.js"
import { until } from "./World.js"

const test = Processes.tests(new URL("./processes/ledger.ts", import.meta.url), "60 seconds")

/** A client of another namespace of the test's file. */
const clientOf = (namespace: string) =>
  Effect.gen(function*() {
    const { about: { location } } = yield* Store
    const opened = yield* Layer.build(SqliteStore.layer({ filename: location, namespace, durability: "process-crash" }))
    yield* Context.get(opened, Namespaces).list
    const client = yield* Layer.build(StoreClient.layer.pipe(Layer.provide(Layer.succeedContext(opened))))
    return Context.get(client, Client)
  })

const create = (namespace: string) =>
  Effect.flatMap(Store, ({ about: { location } }) =>
    Effect.provide(
      Effect.flatMap(Namespaces, (namespaces) => namespaces.create(namespace)),
      SqliteStore.layer({ filename: location })
    ))

describe("two namespaces of one file", () => {
  test("have executions, children, activities, signals, lists and batches of their own (X1, K1, K8, X13, X16)", (world) =>
    Effect.gen(function*() {
      yield* create("billing")
      const here = yield* Client
      const there = yield* clientOf("billing")
      const ours = yield* here.start(Ledger, "page", { workflowId: "ledger" })
      const theirs = yield* there.start(Ledger, "page", { workflowId: "ledger" })
      // There only is one whom they could write to.
      yield* there.start(Reader, undefined, { workflowId: "reader" })

      // One worker serves one of them: the other one's start waits, in a queue of the same name.
      yield* world.worker("ada")
      yield* until(ours.describe, ({ turns }) => turns > 0)
      assert.strictEqual((yield* theirs.describe).turns, 0)
      yield* world.worker("bob", { namespace: "billing" })
      yield* theirs.signal("note", "for theirs")
      yield* ours.signal("note", "for ours")

      // A run id means nothing in another namespace.
      const strayed = here.handle(Ledger, "ledger", theirs.runId)
      for (const call of [strayed.describe, strayed.terminate("no"), strayed.delete, strayed.signal("close")]) {
        assert.strictEqual((yield* Effect.flip(call))._tag, "WorkflowNotFound")
      }

      // Each with its entry, and there with the reader; once both workers have come so far, no more come.
      yield* until(Effect.all([here.count(), there.count()]), ([ours, theirs]) => ours.total >= 2 && theirs.total >= 3)
      assert.deepStrictEqual([(yield* here.count()).total, (yield* there.count()).total], [2, 3])
      yield* here.batch("WorkflowId = \"ledger\"", Batch.signal(Ledger, "close"))
      assert.deepStrictEqual(yield* ours.result, ["default", "page by ada in default", "Left", "for ours"])
      assert.strictEqual((yield* theirs.describe).status, "Running")
      yield* theirs.signal("close")
      assert.deepStrictEqual(yield* theirs.result, ["billing", "page by bob in billing", "Right", "for theirs"])
      const reader = there.handle(Reader, "reader")
      yield* reader.signal("close")
      assert.deepStrictEqual(yield* reader.result, ["page"])
    }))

  test("are taken over by their own workers, once their worker was killed (X1)", (world) =>
    Effect.gen(function*() {
      yield* create("billing")
      const here = yield* Client
      const there = yield* clientOf("billing")
      const bob = yield* world.worker("bob", { namespace: "billing" })
      const theirs = yield* there.start(Reader, undefined, { workflowId: "reader" })
      yield* theirs.signal("note", "one")
      yield* until(theirs.describe, ({ historyLength }) => historyLength >= 2)
      yield* bob.kill
      // Whoever is there sees that it is gone; its runs wait for one of their namespace.
      yield* world.worker("ada")
      const ours = yield* here.start(Reader, undefined, { workflowId: "reader" })
      yield* ours.signal("close")
      assert.deepStrictEqual(yield* ours.result, [])
      yield* theirs.signal("note", "two")
      yield* theirs.signal("close")
      assert.strictEqual((yield* theirs.describe).status, "Running")
      yield* world.worker("eve", { namespace: "billing" })
      assert.deepStrictEqual(yield* theirs.result, ["one", "two"])
    }))
})
