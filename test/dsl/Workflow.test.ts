import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { Workflow } from "perdure"
import { isImplementation } from "../../src/dsl/ErasedHandlers.js"
import { fake } from "./context.js"

describe("Workflow.make", () => {
  it("has a codec for each part of the contract, named in what it refuses", () => {
    const { codecs } = Order
    assert.match(left(codecs.payload.decode(1)), /^payload of workflow Order: /)
    assert.match(left(codecs.success.decode(1)), /^result of workflow Order: /)
    assert.match(left(codecs.error.decode(1)), /^error of workflow Order: /)
    assert.match(left(codecs.signals.get("approve")!.payload.decode(1)), /^payload of signal Order\.approve: /)
    assert.match(left(codecs.queries.get("status")!.success.decode(1)), /^result of query Order\.status: /)
    assert.match(left(codecs.updates.get("add")!.payload.decode(1)), /^payload of update Order\.add: /)
    assert.match(left(codecs.updates.get("add")!.error.decode(1)), /^error of update Order\.add: /)
    assert.deepStrictEqual(codecs.queries.get("status")!.payload.decode(undefined), Either.right(undefined))
  })

  it("a contract that declares none has none", () => {
    const { codecs } = Workflow.make("Plain")
    assert.strictEqual(codecs.signals.size + codecs.queries.size + codecs.updates.size, 0)
  })
})

describe("Workflow.of", () => {
  it("is told apart from any other result of a body", () => {
    assert.isTrue(isImplementation(implementation))
    for (const other of [undefined, null, 1, {}, { run: Effect.void }]) assert.isFalse(isImplementation(other))
  })

  it("an update may be a function, or have a validator", () => {
    assert(isImplementation(implementation))
    assert.deepStrictEqual([...implementation.signals.keys()], ["approve"])
    assert.deepStrictEqual([...implementation.queries.keys()], ["status"])
    assert.isUndefined(implementation.updates.get("add")?.validate)
    assert.isFunction(implementation.updates.get("drop")?.validate)
    assert.isFunction(implementation.updates.get("drop")?.handle)
  })
})

describe("what a body may ask", () => {
  it.effect("W2: uuid is a version 4 UUID, and the same for the same seed", () =>
    Effect.gen(function*() {
      const { provide } = fake()
      const seeded = (seed: string) =>
        provide(Effect.withRandom(Effect.all([Workflow.uuid, Workflow.uuid]), Random.make(seed)))
      const [first, second] = yield* seeded("run-1")
      for (const uuid of [first, second]) {
        assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      }
      assert.notStrictEqual(first, second)
      assert.deepStrictEqual(yield* seeded("run-1"), [first, second])
      assert.notDeepEqual(yield* seeded("run-2"), [first, second])
    }))

  it.effect("P1: withCompensation registers how to undo what succeeded, with its value", () =>
    Effect.gen(function*() {
      const { asked, provide } = fake()
      const undone: Array<number> = []
      const undo = (n: number) => Effect.sync(() => undone.push(n))
      assert.strictEqual(yield* provide(Workflow.withCompensation(Effect.succeed(1), undo)), 1)
      assert.deepStrictEqual(undone, [])
      yield* asked.undo[0]! as Effect.Effect<void>
      assert.deepStrictEqual(undone, [1])
    }))

  it.effect("P1: what failed, or was interrupted, registers nothing", () =>
    Effect.gen(function*() {
      const { asked, provide } = fake()
      for (const effect of [Effect.fail("no"), Effect.interrupt, Effect.die("bug")]) {
        yield* Effect.exit(provide(Workflow.withCompensation(effect, () => Effect.void)))
      }
      assert.deepStrictEqual(asked.undo, [])
    }))
})

const Lost = Schema.Struct({ _tag: Schema.tag("Lost") })

const Order = Workflow.make("Order", {
  payload: { id: Schema.String },
  success: Schema.String,
  error: Lost,
  signals: { approve: { payload: Schema.String } },
  queries: { status: { success: Schema.String } },
  updates: { add: { payload: Schema.String, error: Lost }, drop: {} }
})

const implementation: unknown = Order.of({
  signals: { approve: () => Effect.void },
  queries: { status: () => Effect.succeed("open") },
  updates: { add: () => Effect.void, drop: { validate: () => Effect.void, handle: () => Effect.void } },
  run: Effect.succeed("done")
})

const left = (result: Either.Either<unknown, Error>): string =>
  Either.match(result, { onLeft: (error) => error.message, onRight: () => "taken" })
