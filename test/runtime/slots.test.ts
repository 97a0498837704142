/**
 * Slots (N3): fixed numbers by kind, suppliers of one's own, those that go by resources; and a supplier that fails.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { Activity, SlotSupplier, Step, Worker, Workflow } from "perdure"
import { gate, run, test, until } from "./World.js"

const Wait = Activity.make("Wait", { success: Schema.Number, startToCloseTimeout: "30 seconds" })
const Fan = Workflow.make("Fan", { payload: Schema.Literal("activities", "steps"), success: Schema.Number })
const fanned = 6

/** Runs as many at once as it may, and notes how many that are. */
const fan = () => {
  const seen = { now: 0, most: 0 }
  const door = gate()
  const work = Effect.acquireUseRelease(
    Effect.sync(() => void (seen.most = Math.max(seen.most, ++seen.now))),
    () => Effect.as(door.pass, 1),
    () => Effect.sync(() => void seen.now--)
  )
  const hosts = [
    Wait.toLayer(() => work),
    Fan.toLayer((kind) => {
      const one = kind === "activities" ? Wait.execute() : Step.run("wait", { success: Schema.Number, execute: work })
      return Effect.map(
        Effect.orDie(Effect.all(Array.from({ length: fanned }, () => one), { concurrency: "unbounded" })),
        (all) => all.length
      )
    })
  ]
  return { seen, door, hosts }
}

/** A supplier that counts what it is told, and gives as many as is said. */
const counting = (most: () => number) => {
  const told = { reserved: 0, released: 0 }
  const supplier: SlotSupplier.SlotSupplier = {
    available: Effect.sync(() => most() - told.reserved + told.released),
    reserve: Effect.sync(() => void told.reserved++),
    release: Effect.sync(() => void told.released++)
  }
  return { told, supplier }
}

describe("slots", () => {
  for (const kind of ["activities", "steps"] as const) {
    test(`of ${kind} are as many as is said, and the rest waits (N3)`, () =>
      Effect.gen(function*() {
        const { door, hosts, seen } = fan()
        const { client } = yield* run(
          Worker.layer({ hosts, ...(kind === "steps" ? { maxConcurrentSteps: 2 } : { maxConcurrentActivities: 2 }) })
        )
        const handle = yield* client.start(Fan, kind)
        yield* until(Effect.sync(() => seen.now), (now) => now === 2)
        yield* Effect.sleep("100 millis")
        assert.strictEqual(seen.most, 2)
        yield* door.open
        assert.strictEqual(yield* handle.result, fanned)
        assert.strictEqual(seen.most, 2)
      }))

    test(`of ${kind} come from a supplier, which is told of each that begins and ends (N3)`, () =>
      Effect.gen(function*() {
        const { door, hosts, seen } = fan()
        let most = 1
        const { supplier, told } = counting(() => most)
        const { client } = yield* run(Worker.layer({ hosts, tuner: { [kind]: supplier } }))
        const handle = yield* client.start(Fan, kind)
        yield* until(Effect.sync(() => seen.now), (now) => now === 1)
        yield* Effect.sleep("250 millis")
        assert.deepStrictEqual([seen.most, told.reserved], [1, 1])
        // It is asked again, though nothing that runs has ended.
        most = 3
        yield* until(Effect.sync(() => seen.now), (now) => now === 3)
        yield* door.open
        assert.strictEqual(yield* handle.result, fanned)
        yield* until(Effect.sync(() => told.released), (released) => released === fanned)
        assert.deepStrictEqual([seen.most, told.reserved], [3, fanned])
      }))

    test(`of ${kind}: a supplier that fails, dies or hangs is asked again, and the worker lives (N3)`, () =>
      Effect.gen(function*() {
        const { door, hosts } = fan()
        yield* door.open
        const { supplier } = counting(() => 2)
        let asked = 0
        const faults: ReadonlyArray<Effect.Effect<never, string>> = [
          Effect.fail("broken"),
          Effect.die(new Error("thrown")),
          Effect.never
        ]
        const failing: SlotSupplier.SlotSupplier = {
          available: Effect.suspend((): Effect.Effect<number, unknown> => faults[asked++] ?? supplier.available),
          reserve: Effect.zipRight(supplier.reserve, Effect.die("reserve")),
          release: Effect.zipRight(supplier.release, Effect.fail("release"))
        }
        const { client } = yield* run(Worker.layer({ hosts, tuner: { [kind]: failing } }))
        assert.strictEqual(yield* client.execute(Fan, kind), fanned)
        assert.isAbove(asked, faults.length)
      }))
  }

  test("by number and by a tuner exclude each other, and a number is 0 or more (N3, N1)", () =>
    Effect.gen(function*() {
      const { hosts } = fan()
      const tuner = { activities: SlotSupplier.fixed(1) }
      for (const given of [{ maxConcurrentActivities: 1, tuner }, { maxConcurrentSteps: 1, tuner }]) {
        const failed = yield* Effect.flip(run(Worker.layer({ hosts, ...given as unknown as Worker.Counts })))
        assert.include(String(failed), "exclude each other")
      }
      const failed = yield* Effect.flip(run(Worker.layer({ hosts, maxConcurrentSteps: -1 })))
      assert.include(String(failed), "maxConcurrentSteps must be 0 or more")
    }))
})

describe("a supplier", () => {
  it.effect("of a number gives that many (N3)", () =>
    Effect.gen(function*() {
      const { available, release, reserve } = SlotSupplier.fixed(2)
      yield* reserve
      yield* reserve
      assert.strictEqual(yield* available, 0)
      yield* release
      assert.strictEqual(yield* available, 1)
    }))

  it.effect("by resources gives its minimum at once, then one by one below its targets, up to its maximum (N3)", () =>
    Effect.gen(function*() {
      let usage: SlotSupplier.Usage = { memory: 0.1, cpu: 0.1 }
      const { available, release, reserve } = SlotSupplier.resourceBased({
        minimum: 2,
        maximum: 4,
        targetMemory: 0.5,
        targetCpu: 0.6,
        rampThrottle: "1 second",
        measure: Effect.sync(() => usage)
      })
      assert.strictEqual(yield* available, 2)
      usage = { memory: 0.9, cpu: 0.9 }
      yield* reserve
      assert.strictEqual(yield* available, 1)
      yield* reserve
      assert.strictEqual(yield* available, 0)
      usage = { memory: 0.4, cpu: 0.7 }
      assert.strictEqual(yield* available, 0)
      usage = { memory: 0.5, cpu: 0.5 }
      assert.strictEqual(yield* available, 0)
      usage = { memory: 0.4, cpu: 0.5 }
      assert.strictEqual(yield* available, 1)
      yield* reserve
      assert.strictEqual(yield* available, 0, "it waits for what that one costs")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* available, 1)
      yield* reserve
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* available, 0, "four are all")
      yield* release
      assert.strictEqual(yield* available, 1)
    }))

  it.effect("by resources measures this process, where nothing else is said (N3)", () =>
    Effect.gen(function*() {
      const { available } = SlotSupplier.resourceBased({ minimum: 0, targetMemory: 1, targetCpu: 2 })
      assert.strictEqual(yield* available, 1)
      const never = SlotSupplier.resourceBased({ minimum: 0, targetMemory: 0 })
      assert.strictEqual(yield* never.available, 0)
    }))
})
