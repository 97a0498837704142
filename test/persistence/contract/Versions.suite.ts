/**
 * Versions of workers in the store (V6): who may claim what, giving a run up, taking it away, where runs go.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Routing from "../../../src/core/Routing.js"
import type { StoreError } from "../../../src/persistence/Store.js"
import { Store } from "../../../src/persistence/Store.js"
import { commit, done, first, newRun, now, queued, run, signal, turn } from "./Samples.js"

const one = { deployment: "shop", buildId: "1" }
const two = { deployment: "shop", buildId: "2" }
const none = (buildId: string): Routing.Share => ({ pinnedTo: `shop:${buildId}`, from: 0, to: 0 })
const start = (runId: string) => ({ runId, kind: "Start" as const, body: "{}" })

const claimed = (share?: Routing.Share) =>
  Effect.flatMap(
    Store,
    (store) =>
      Effect.map(store.claimRuns("ada", ["orders"], now, 100, share), (runs) => runs.map(({ runId }) => runId).sort())
  )

export const suite = (layer: Layer.Layer<Store, StoreError>) => {
  it.effect("what is pinned is claimed by its version alone, one by one and in a batch (V6)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* store.create(newRun("free"), start("free"))
      yield* store.create(newRun("pinned", { pinnedTo: "shop:1" }), start("pinned"))
      assert.deepStrictEqual(yield* claimed(none("2")), [])
      for (const share of [undefined, none("2")]) {
        assert.isTrue(Option.isNone(yield* store.claimRun("ada", "pinned", share)))
      }
      assert.deepStrictEqual(yield* claimed(), ["free"])
      assert.deepStrictEqual(yield* claimed(none("1")), ["pinned"])
      assert.deepInclude(yield* run("pinned"), { owner: "ada", pinnedTo: "shop:1" })
    }).pipe(Effect.provide(layer)))

  it.effect("a part of what is not pinned is claimed by its buckets; so are tasks, and when to look next (V6)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const ids = Array.from({ length: 12 }, (_, index) => `r${index}`)
      for (const id of ids) yield* store.create(newRun(id, { startAt: now + 5 }), start(id))
      const low = ids.filter((id) => Routing.bucketOf(newRun(id).workflowId) < 5_000)
      const share = { pinnedTo: "", from: 0, to: 5_000 }
      assert.deepStrictEqual(yield* store.nextWake("ada", ["orders"], now, share), Option.some(now + 5))
      assert.deepStrictEqual(yield* store.nextWake("ada", ["orders"], now, none("1")), Option.none())
      const runs = yield* store.claimRuns("ada", ["orders"], now + 5, 100, share)
      assert.deepStrictEqual(runs.map(({ runId }) => runId).sort(), [...low].sort())
      yield* done(low.map((id) => turn(id, 1, { tasksAdded: [queued(1), queued(2, { pinnedTo: "shop:1" })] })))
      const other = { ...share, from: 5_000, to: 10_000 }
      assert.deepStrictEqual(yield* store.claimTasks("ada", ["orders"], now, 100, other), [])
      assert.isTrue(Option.isSome(yield* store.nextTask(["orders"], now - 1, share)))
      assert.isTrue(Option.isNone(yield* store.nextTask(["orders"], now - 1, other)))
      assert.lengthOf(yield* store.claimTasks("ada", ["orders"], now, 100, share), low.length)
      const pinned = yield* store.claimTasks("ada", ["orders"], now, 100, none("1"))
      assert.deepStrictEqual([...new Set(pinned.map(({ seq }) => seq))], [2])
    }).pipe(Effect.provide(layer)))

  it.effect("a run that is given up is anybody's at once, with its mail, and its owner is fenced (V6, I4)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { wake: { at: undefined } })])
      yield* store.post(signal("r1"), now)
      yield* done([turn("r1", 2, { history: undefined, release: true })])
      assert.deepInclude(yield* run("r1"), { owner: undefined, wakeAt: now, epoch: 2 })
      assert.deepStrictEqual(yield* store.mailOf("ada", 0, 10), [])
      const { refused } = yield* commit([turn("r1", 2)])
      assert.deepStrictEqual(refused.get(0), { _tag: "Fenced" })
      assert.isTrue(Option.isSome(yield* store.claimRun("bob", "r1")))
      assert.lengthOf(yield* store.mailOf("bob", 0, 10), 1)
    }).pipe(Effect.provide(layer)))

  it.effect("the version that takes a turn is in the row, and pins it where that says so (V6)", () =>
    Effect.gen(function*() {
      yield* done([first("r1", { assigned: { version: one, behavior: "Pinned", pinnedTo: "shop:1" } })])
      assert.deepInclude(yield* run("r1"), { version: one, behavior: "Pinned", pinnedTo: "shop:1" })
      yield* done([turn("r1", 2, { assigned: { version: undefined, behavior: undefined, pinnedTo: "" } })])
      assert.deepInclude(yield* run("r1"), { version: undefined, behavior: undefined, pinnedTo: "" })
    }).pipe(Effect.provide(layer)))

  it.effect("an override takes a run from its owner, with its tasks, and can be taken back (V6)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", {
        assigned: { version: one, behavior: "Pinned", pinnedTo: "shop:1" },
        tasksAdded: [queued(1, { pinnedTo: "shop:1" }), queued(2, { taskQueue: "far" })]
      })])
      assert.strictEqual(yield* store.overrideVersion("r9", undefined, now), "NotFound")
      yield* store.overrideVersion("r1", { behavior: "Pinned", version: two }, now)
      assert.deepInclude(yield* run("r1"), { owner: undefined, override: "Pinned", pinnedTo: "shop:2", epoch: 2 })
      assert.deepStrictEqual((yield* store.routing("ada", "orders")).displaced, ["r1"])
      yield* store.displacedSeen("ada", ["r1"])
      assert.deepStrictEqual((yield* store.routing("ada", "orders")).displaced, [])
      assert.deepStrictEqual(yield* store.claimTasks("ada", ["orders", "far"], now, 9, none("1")), [])
      assert.lengthOf(yield* store.claimTasks("ada", ["orders", "far"], now, 9, none("2")), 1)
      yield* store.overrideVersion("r1", { behavior: "AutoUpgrade" }, now)
      assert.deepInclude(yield* run("r1"), { override: "AutoUpgrade", pinnedTo: "" })
      yield* store.overrideVersion("r1", undefined, now)
      assert.deepInclude(yield* run("r1"), { override: undefined, pinnedTo: "shop:1" })
    }).pipe(Effect.provide(layer)))

  it.effect("a queue's runs go where the deployment says that was changed last (V6)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const worker = { id: "eve", leaseUntil: now + 1_000, identity: "", startedAt: now }
      yield* store.register({ ...worker, version: one }, "orders")
      yield* store.register({ ...worker, id: "joe", version: { deployment: "mall", buildId: "9" } }, "orders")
      const routing = Effect.map(store.routing("eve", "orders"), ({ routing }) => routing?.deployment)
      assert.isUndefined(yield* routing)
      yield* store.route("shop", (before) => ({ ...before, current: "1" }), now)
      assert.strictEqual(yield* routing, "shop")
      yield* store.route("mall", (before) => ({ ...before, ramping: "9", ramp: 5 }), now + 1)
      assert.strictEqual(yield* routing, "mall")
      assert.isUndefined((yield* store.routing("eve", "far")).routing)
      assert.deepStrictEqual((yield* store.deployments).map(({ deployment, ramp }) => [deployment, ramp]), [
        ["mall", 5],
        ["shop", 0]
      ])
      yield* store.create(newRun("r1", { pinnedTo: "shop:1" }), start("r1"))
      assert.deepStrictEqual(yield* store.builds("shop"), [
        { buildId: "1", taskQueues: ["orders"], firstAt: now, pinned: 1, workers: 1 }
      ])
      assert.strictEqual(yield* store.workersOf(one), 1)
      yield* store.takeOver(["eve"], now, false)
      assert.strictEqual(yield* store.workersOf(one), 0)
    }).pipe(Effect.provide(layer)))
}
