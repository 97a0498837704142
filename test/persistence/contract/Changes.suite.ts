/**
 * Who listens is told of what somebody else of this process wrote; what other processes write is the driver's own test.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { StoreError } from "../../../src/persistence/Store.js"
import { Store } from "../../../src/persistence/Store.js"
import { done, first, last, newRun, now, queued, signal, task, turn } from "./Samples.js"

/** How often the listener was called while the effect ran. */
const calls = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.gen(function*() {
    const store = yield* Store
    let count = 0
    yield* store.changes(() => count++)
    yield* effect
    return count
  }))

export const suite = (layer: Layer.Layer<Store, StoreError>) => {
  it.effect("posts of any kind call the listeners, turns by themselves do not", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const start = { runId: "r1", kind: "Start" as const, body: "{}" }
      assert.strictEqual(yield* calls(store.create(newRun("r1"), start)), 1)
      assert.strictEqual(yield* calls(store.create(newRun("r1"), start)), 0)
      assert.strictEqual(yield* calls(store.post(signal("r1"), now)), 1)
      assert.strictEqual(yield* calls(store.post(signal("nobody"), now)), 0)
      assert.strictEqual(yield* calls(store.terminate("r1", "[]", 1, now)), 1)
      assert.strictEqual(yield* calls(store.reply([], [])), 1)
      assert.strictEqual(yield* calls(done([first("r2"), first("r3", { tasksAdded: [task(1)] })])), 0)
      assert.strictEqual(yield* calls(done([turn("r2", 2, { mail: [signal("r2")] })])), 1)
      const mail = { runId: "r3", kind: "ActivityOutcome" as const, body: "{}" }
      const settle = { _tag: "Settle" as const, runId: "r3", seq: 1, attempt: 1, mail }
      assert.strictEqual(yield* calls(done([], { tasks: [settle] })), 1)
      assert.strictEqual(yield* calls(store.takeOver(["ada"], now, false)), 1)
    }).pipe(Effect.provide(layer)))

  it.effect("ends and queued tasks call them where there are several", () =>
    Effect.gen(function*() {
      yield* done([first("r1"), first("r2")])
      assert.strictEqual(yield* calls(done([turn("r1", 2, { tasksAdded: [queued(1)] }), last("r2", 2)])), 0)
      const others = yield* calls(calls(done([turn("r1", 3, { tasksAdded: [queued(2)] })])))
      assert.strictEqual(others, 1)
      assert.strictEqual(yield* calls(calls(done([last("r1", 4)]))), 1)
    }).pipe(Effect.provide(layer)))

  it.effect("a listener whose scope has closed is called no more", () =>
    Effect.gen(function*() {
      const store = yield* Store
      let count = 0
      yield* Effect.scoped(store.changes(() => count++))
      yield* store.create(newRun("r1"), { runId: "r1", kind: "Start", body: "{}" })
      assert.strictEqual(count, 0)
    }).pipe(Effect.provide(layer)))
}
