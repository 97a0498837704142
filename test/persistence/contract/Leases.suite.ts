/**
 * Workers come, renew, and are taken over: what they owned goes on elsewhere, and they are fenced.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { StoreError } from "../../../src/persistence/Store.js"
import { Store } from "../../../src/persistence/Store.js"
import { commit, done, first, last, now, queued, run, signal, task, tasks, turn } from "./Samples.js"

const ada = { id: "ada", leaseUntil: now + 10, identity: "{\"pid\":1}", startedAt: now }

export const suite = (layer: Layer.Layer<Store, StoreError>, empty: Layer.Layer<Store, StoreError>) => {
  it.effect("a worker registers and renews until it is taken over", () =>
    Effect.gen(function*() {
      const store = yield* Store
      assert.isFalse(yield* store.renew("ada", now + 20))
      yield* store.register(ada)
      assert.isTrue(yield* store.renew("ada", now + 20))
      yield* store.register({ ...ada, id: "bob", startedAt: now + 1 })
      assert.deepStrictEqual(yield* store.workers, [
        { ...ada, leaseUntil: now + 20 },
        { ...ada, id: "bob", startedAt: now + 1 }
      ])
      yield* store.takeOver(["ada"], now, false)
      assert.isFalse(yield* store.renew("ada", now + 30))
      assert.deepStrictEqual((yield* store.workers).map(({ id }) => id), ["bob"])
      yield* store.takeOver(["ada"], now, false)
    }).pipe(Effect.provide(empty)))

  it.effect("its runs become unowned, due if due or with mail, and it is fenced", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { wake: { at: now + 50 } }), first("r2"), first("r3", { wake: { at: now + 60 } })])
      yield* done([first("r4"), last("r4", 2)])
      yield* done([first("r5")], { worker: "bob" })
      yield* store.post(signal("r2"), now)
      yield* store.post(signal("r3"), now)
      yield* done([first("r6")])
      yield* store.terminate("r6", "[]", 1, now)
      yield* store.takeOver(["ada"], now + 1, false)
      assert.deepStrictEqual(yield* store.mailOf("ada", 0, 10), [])
      // Nobody is left to be told of it.
      assert.deepStrictEqual(yield* store.mail("r6", 0), [])
      assert.strictEqual((yield* run("r6")).wakeAt, undefined)
      assert.deepStrictEqual(
        yield* Effect.forEach(["r1", "r2", "r3", "r5"], (id) =>
          Effect.map(run(id), (r) => [id, r.owner, r.epoch, r.wakeAt])),
        [
          ["r1", undefined, 2, now + 50],
          ["r2", undefined, 2, now + 1],
          ["r3", undefined, 2, now + 1],
          ["r5", "bob", 1, undefined]
        ]
      )
      assert.deepStrictEqual([...(yield* commit([turn("r1", 2)])).refused], [[0, { _tag: "Fenced" }]])
      const claimed = yield* store.claimRuns("eve", ["orders"], now + 1, 10)
      assert.deepStrictEqual(claimed.map((r) => [r.runId, r.epoch]).sort(), [["r2", 3], ["r3", 3]])
      assert.deepStrictEqual([...(yield* commit([turn("r2", 2)])).refused.keys()], [0])
      assert.strictEqual((yield* store.mailOf("eve", 0, 10)).length, 2)
    }).pipe(Effect.provide(layer)))

  it.effect("one that still lives, or was never registered, can create, claim and start nothing any more", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { wake: { at: now }, tasksAdded: [queued(1), queued(2, { expiresAt: now })] })])
      yield* store.takeOver(["ada", "bob"], now, false)
      assert.deepStrictEqual(yield* store.claimRuns("ada", ["orders"], now, 10), [])
      assert.deepStrictEqual(yield* store.claimRun("ada", "r1"), Option.none())
      assert.deepStrictEqual(yield* store.claimTasks("bob", ["orders"], now, 10), [])
      assert.deepStrictEqual(yield* store.claimExpired("bob", now, 10), [])
      const start = { _tag: "Start", runId: "r1", seq: 1, attempt: 1, at: now } as const
      assert.deepStrictEqual(
        [...(yield* store.commit({ worker: "ada", turns: [], tasks: [start], now })).stale],
        [0]
      )
      assert.deepStrictEqual([...(yield* commit([first("r2")])).refused], [[0, { _tag: "Fenced" }]])
      assert.deepStrictEqual(yield* store.findRun("r2"), Option.none())
      assert.deepStrictEqual(yield* store.claimRuns("nobody", ["orders"], now, 10), [])
      assert.deepStrictEqual([...(yield* commit([first("r2")], { worker: "nobody" })).refused.keys()], [0])
      assert.strictEqual((yield* store.claimRuns("eve", ["orders"], now, 10)).length, 1)
      assert.strictEqual((yield* store.claimTasks("eve", ["orders"], now, 10)).length, 2)
    }).pipe(Effect.provide(layer)))

  it.effect("its started tasks are lost, until somebody takes them to settle", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([
        first("r1", { tasksAdded: [task(1), queued(2, { scheduledAt: now + 50 }), task(3, { worker: "bob" })] })
      ])
      yield* store.takeOver(["ada"], now + 9, false)
      assert.deepStrictEqual(yield* tasks("r1"), [[1, "lost"], [2, "queued"], [3, "started"]])
      assert.deepStrictEqual(yield* store.nextTask(["orders"], now + 8), Option.some(now + 9))
      const [lost] = yield* store.claimTasks("eve", ["orders"], now + 9, 10)
      assert.deepStrictEqual([lost!.seq, lost!.state, lost!.attempt, lost!.startedAt], [1, "lost", 1, now])
      assert.deepStrictEqual(yield* store.claimTasks("eve", ["orders"], now + 9, 10), [])
      yield* store.takeOver(["eve"], now + 10, false)
      const [again] = yield* store.claimTasks("bob", ["orders"], now + 10, 10)
      assert.deepStrictEqual([again!.seq, again!.state], [1, "lost"])
    }).pipe(Effect.provide(layer)))

  it.effect("a worker that leaves in good order gives its attempts back, with the time they had left", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [task(1, { expiresAt: now + 5 })] })])
      yield* store.takeOver(["ada"], now + 100, true)
      const [claimed] = yield* store.claimTasks("bob", ["orders"], now + 100, 10)
      assert.deepStrictEqual(
        [claimed!.state, claimed!.attempt, claimed!.expiresAt, claimed!.startedAt],
        ["started", 1, now + 105, now + 100]
      )
    }).pipe(Effect.provide(layer)))

  it.effect("replies and queries that nobody wants any more are dropped in time", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const day = 24 * 60 * 60 * 1000
      yield* done([first("r1", { replies: [{ requestId: "q1", at: now, body: "1" }] }), last("r1", 2)])
      yield* store.post({ runId: "r1", kind: "Query", body: "{}" }, now)
      yield* store.takeOver([], now + 1000, false)
      assert.strictEqual((yield* store.claimQueries(["orders"], 9)).length, 1)
      yield* store.takeOver([], now + day, false)
      assert.deepStrictEqual(yield* store.takeReply("q1"), Option.none())
      assert.deepStrictEqual(yield* store.claimQueries(["orders"], 9), [])
    }).pipe(Effect.provide(layer)))
}
