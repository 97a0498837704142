/**
 * Goal: an entity holds its state over any number of runs, takes its commands one after the other, and is there when the
 * first one comes (P1).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { Activity, Client, Entity, Workflow } from "perdure"
import { Durable, TestEnvironment } from "perdure/testing"

class Empty extends Schema.TaggedError<Empty>()("Empty", {}) {}

const Price = Activity.make("Price", {
  payload: Schema.String,
  success: Schema.Int,
  startToCloseTimeout: "5 seconds"
})

const Lines = Schema.Struct({ owner: Schema.String, lines: Schema.Record({ key: Schema.String, value: Schema.Int }) })

const contract = {
  state: Lines,
  initial: (owner: string) => ({ owner, lines: {} }),
  signals: { touch: {} },
  queries: { count: { success: Schema.Int } },
  updates: {
    add: { payload: Schema.String, success: Schema.Int },
    checkOut: { success: Schema.Int, error: Empty }
  }
} as const

const cartOf = (options: Partial<Entity.EntityOptions<typeof Lines.Type>> = {}) =>
  Entity.make("Cart", { ...contract, ...options })
type Cart = ReturnType<typeof cartOf>

const liveOf = (cart: Cart) =>
  cart.toLayer(({ state }) =>
    Effect.sync(() => {
      const count = Effect.map(state.get, ({ lines }) => Object.values(lines).reduce((sum, cents) => sum + cents, 0))
      let checkedOut = false
      return cart.of({
        signals: { touch: () => Effect.void },
        queries: { count: () => count },
        updates: {
          add: (sku) =>
            Effect.gen(function*() {
              const cents = yield* Effect.orDie(Price.execute(sku))
              yield* state.update(({ lines, owner }) => ({ owner, lines: { ...lines, [sku]: cents } }))
              return yield* count
            }),
          checkOut: {
            validate: () => Effect.flatMap(count, (cents) => cents === 0 ? new Empty() : Effect.void),
            handle: () => Effect.tap(count, () => Effect.sync(() => void (checkedOut = true)))
          }
        },
        run: Workflow.condition(() => checkedOut)
      })
    })
  )

const PriceLive = Price.toLayer((sku) => Effect.succeed(sku.length))

const test = (name: string, cart: Cart, program: Effect.Effect<void, unknown, Client | TestEnvironment>) =>
  it.effect(name, () => Effect.provide(program, TestEnvironment.layer({ hosts: [liveOf(cart), PriceLive] })))

const plain = cartOf()

describe("an entity", () => {
  test(
    "begins with its first message, whatever it is, and keeps its state for the next",
    plain,
    Effect.gen(function*() {
      const ada = yield* plain.at("ada")
      assert.strictEqual(yield* ada.query("count"), 0)
      assert.strictEqual(yield* ada.update("add", "tea"), 3)
      assert.strictEqual(yield* ada.update("add", "coffee"), 9)
      const bo = yield* plain.at("bo")
      yield* bo.signal("touch")
      assert.strictEqual(yield* bo.query("count"), 0)
      assert.strictEqual(yield* ada.query("count"), 9)
      assert.strictEqual((yield* bo.handle.describe).workflowId, "Cart:bo")
    })
  )

  test(
    "refuses by its validators, before anything is recorded",
    plain,
    Effect.gen(function*() {
      const cart = yield* plain.at("ada")
      assert.instanceOf(yield* Effect.flip(cart.update("checkOut")), Empty)
      assert.strictEqual((yield* cart.handle.describe).turns, 1)
    })
  )

  test(
    "ends with its program, gives its last state, and begins anew with the next message",
    plain,
    Effect.gen(function*() {
      const cart = yield* plain.at("ada")
      yield* cart.update("add", "tea")
      const { runId } = yield* cart.handle.describe
      assert.strictEqual(yield* cart.update("checkOut"), 3)
      const first = (yield* Client).handle(plain.workflow, "Cart:ada", runId)
      assert.deepStrictEqual(yield* first.result, { owner: "ada", lines: { tea: 3 } })
      // It answers as it was, until somebody wants something of it.
      assert.strictEqual(yield* cart.query("count"), 3)
      assert.strictEqual(yield* cart.update("add", "salt"), 4)
      assert.notStrictEqual((yield* cart.handle.describe).runId, runId)
    })
  )
})

describe("a rollover", () => {
  const short = cartOf({ rolloverEvents: 12 })

  test(
    "comes by itself when the history is long, and no command notices",
    short,
    Effect.gen(function*() {
      const cart = yield* short.at("ada")
      const runs = new Set<string>()
      for (let index = 1; index <= 20; index++) {
        yield* cart.update("add", `${index}`.padStart(3, "0"))
        const { runId, turns } = yield* cart.handle.describe
        runs.add(runId)
        assert.isBelow(turns, 12)
      }
      assert.strictEqual(yield* cart.query("count"), 60)
      assert.isAbove(runs.size, 4)
    })
  )

  test(
    "waits for the handlers that are in progress, however many come at once",
    short,
    Effect.gen(function*() {
      const cart = yield* short.at("ada")
      const skus = Array.from({ length: 30 }, (_, index) => `${index}`.padStart(3, "0"))
      yield* Effect.forEach(skus, (sku) => cart.update("add", sku), { concurrency: 8 })
      assert.strictEqual(yield* cart.query("count"), 90)
    })
  )

  const resting = cartOf({ passivateAfter: "1 hour" })

  test(
    "comes when nothing has come for long, too, and then costs no more timers",
    resting,
    Effect.gen(function*() {
      const environment = yield* TestEnvironment
      const cart = yield* resting.at("ada")
      yield* cart.update("add", "tea")
      const before = yield* cart.handle.describe
      yield* environment.sleep("50 minutes")
      yield* cart.signal("touch")
      yield* environment.sleep("55 minutes")
      assert.strictEqual((yield* cart.handle.describe).runId, before.runId)
      yield* environment.sleep("2 hours")
      const after = yield* cart.handle.describe
      assert.notStrictEqual(after.runId, before.runId)
      assert.deepInclude(after, { turns: 1, wakeAt: undefined, attention: undefined })
      assert.strictEqual(yield* cart.query("count"), 3)
    })
  )
})

describe("a snapshot", () => {
  const Old = Schema.Struct({ lines: Schema.Array(Schema.String) })
  const migrated = cartOf({
    older: [
      Entity.older(Old, ({ lines }) => ({
        owner: "somebody",
        lines: Object.fromEntries(lines.map((sku) => [sku, 1]))
      }))
    ]
  })
  const begin = (version: number, state: unknown) =>
    Effect.gen(function*() {
      const snapshot = { version, state }
      yield* (yield* Client).start(migrated.workflow, { key: "ada", snapshot }, { workflowId: "Cart:ada" })
      return yield* migrated.at("ada")
    })

  test(
    "of an older version is migrated, and one of the current version is taken as it is",
    migrated,
    Effect.gen(function*() {
      const cart = yield* begin(1, { lines: ["tea", "salt"] })
      assert.strictEqual(yield* cart.query("count"), 2)
      assert.strictEqual(yield* cart.update("add", "coffee"), 8)
    })
  )

  const unreadable = (name: string, version: number, state: unknown, reason: RegExp) =>
    test(
      name,
      migrated,
      Effect.gen(function*() {
        const cart = yield* begin(version, state)
        yield* (yield* TestEnvironment).sleep(1)
        const { attention, status } = yield* cart.handle.describe
        assert.strictEqual(status, "Running")
        assert.strictEqual(attention?._tag, "TurnFailed")
        assert.match(attention!.message, reason)
      })
    )

  unreadable(
    "of newer code fails the turn, and waits for that code",
    3,
    {},
    /the state of Cart "ada", written in version 3, cannot be read by version 2: it was written by newer code/
  )
  unreadable("that does not fit its schema says what is wrong", 2, { owner: 1, lines: {} }, /version 2[^]*owner/)
})

describe("under all crashes", () => {
  const durable = Durable.withRunner((name, run, millis) => it(name, run, millis))

  durable("no command is lost, and each is done once", plain.workflow, {
    hosts: () => [liveOf(plain)],
    activities: [Price],
    input: FastCheck.constant({ key: "ada" }),
    mayWait: true,
    runs: 15,
    report: ({ crashPoints, missing }) => {
      assert.deepStrictEqual(missing.filter((each) => !each.startsWith("update checkOut")), [])
      assert.strictEqual(crashPoints.tried, crashPoints.of)
    }
  })
})
