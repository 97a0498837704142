/**
 * Versions of workers (V6) as they are deployed: old and new code are processes on one file, that come and go.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Client } from "perdure"
import { Store } from "perdure/sqlite"
import * as Processes from "./processes/Processes.js"
import { Moving, Pinned } from "./processes/shop.js"
import { until } from "./World.js"

const test = Processes.tests(new URL("./processes/shop.ts", import.meta.url), "50 seconds")

const stepped = (handle: {
  readonly signal: (name: "step") => Effect.Effect<void, unknown>
  readonly query: (name: "seen") => Effect.Effect<ReadonlyArray<string>, unknown>
}, count: number) =>
  Effect.zipRight(handle.signal("step"), until(handle.query("seen"), (seen) => seen.length === count))

describe("an old and a new build in two processes", () => {
  test("a pinned run ends on the old one, and one that moves goes over; the old one is then drained (V6)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      const old = yield* world.worker("old", { buildId: "1" })
      yield* client.deployments.setCurrent("shop", "1")
      const pinned = yield* client.start(Pinned)
      const moving = yield* client.start(Moving)
      assert.deepStrictEqual(yield* stepped(pinned, 1), ["1 1"])
      assert.deepStrictEqual(yield* stepped(moving, 1), ["1 1"])
      yield* world.worker("new", { buildId: "2" })
      yield* client.deployments.setCurrent("shop", "2")
      assert.deepStrictEqual(yield* stepped(moving, 2), ["1 1", "2 2"])
      assert.deepStrictEqual(yield* stepped(pinned, 2), ["1 1", "1 1"])
      const { versions } = yield* client.deployments.describe("shop")
      assert.deepStrictEqual(versions.map(({ buildId, status }) => [buildId, status]), [
        ["2", "Current"],
        ["1", "Draining"]
      ])
      yield* pinned.signal("end")
      assert.deepStrictEqual(yield* pinned.result, ["1 1", "1 1"])
      assert.strictEqual((yield* client.deployments.describe("shop")).versions[1]?.status, "Drained")
      yield* old.release
      yield* moving.signal("end")
      assert.deepStrictEqual(yield* moving.result, ["1 1", "2 2"])
    }))

  test("a pinned run of a worker that was killed waits for one of its build; the other goes on at once (V6)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      const old = yield* world.worker("old", { buildId: "1" })
      yield* client.deployments.setCurrent("shop", "1")
      const pinned = yield* client.start(Pinned)
      const moving = yield* client.start(Moving)
      yield* stepped(pinned, 1)
      yield* stepped(moving, 1)
      yield* world.worker("new", { buildId: "2" })
      yield* client.deployments.setCurrent("shop", "2")
      yield* old.kill
      yield* pinned.signal("step")
      assert.deepStrictEqual(yield* stepped(moving, 2), ["1 1", "2 2"])
      const waiting = yield* until(pinned.describe, ({ attention }) => attention !== undefined)
      assert.deepInclude(waiting, { owner: undefined, pinnedTo: { deployment: "shop", buildId: "1" } })
      assert.strictEqual(waiting.attention?._tag, "NoWorker")
      yield* world.worker("old again", { buildId: "1" })
      assert.deepStrictEqual(yield* until(pinned.query("seen"), (seen) => seen.length === 2), ["1 1", "1 1"])
      const store = yield* Store
      const turns = yield* store.history((yield* pinned.describe).runId, 0, 100)
      assert.lengthOf(turns.filter(({ events }) => events.includes("VersionAssigned")), 1, "it was on one build only")
    }))

  test("an operator takes a run from a worker that lives, and its copy there answers no more (V6, Q1)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      yield* world.worker("old", { buildId: "1" })
      yield* world.worker("new", { buildId: "2" })
      yield* client.deployments.setCurrent("shop", "1")
      const pinned = yield* client.start(Pinned)
      yield* stepped(pinned, 1)
      yield* pinned.setVersioning({ pinned: { deployment: "shop", buildId: "2" } })
      assert.deepStrictEqual(yield* stepped(pinned, 2), ["1 1", "2 2"])
      // And back to the worker that had it before.
      yield* pinned.setVersioning({ pinned: { deployment: "shop", buildId: "1" } })
      assert.deepStrictEqual(yield* stepped(pinned, 3), ["1 1", "2 2", "1 1"])
      yield* pinned.signal("end")
      assert.lengthOf(yield* pinned.result, 3)
    }))
})
