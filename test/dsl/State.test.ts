import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { State } from "perdure"
import { fake } from "./context.js"

describe("State", () => {
  it.effect("holds what was written last", () =>
    Effect.gen(function*() {
      const { provide } = fake()
      const state = yield* State.make(1)
      assert.strictEqual(yield* state.get, 1)
      yield* provide(state.set(2))
      assert.strictEqual(yield* state.get, 2)
      yield* provide(state.update((n) => n * 10))
      assert.strictEqual(yield* provide(state.updateAndGet((n) => n + 1)), 21)
      assert.strictEqual(yield* state.get, 21)
    }))

  it.effect("two cells share nothing", () =>
    Effect.gen(function*() {
      const make = State.make<ReadonlyArray<number>>([])
      const [a, b] = [yield* make, yield* make]
      yield* fake().provide(a.set([1]))
      assert.deepStrictEqual(yield* b.get, [])
    }))

  it.effect("I11: where nothing may be written a forced write dies, and changes nothing", () =>
    Effect.gen(function*() {
      const { provide } = fake({ readOnly: true })
      const state = yield* State.make(1)
      for (const write of [state.set(2), state.update(() => 2), state.updateAndGet(() => 2)]) {
        const exit = yield* Effect.exit(provide(write))
        assert.include(String(exit), "a write to State in a query")
      }
      assert.strictEqual(yield* state.get, 1)
    }))
})
