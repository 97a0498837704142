/**
 * Goal: a body that does not come to rest is cut at its budget, and nobody else suffers (DETERMINISM section 8, point 5;
 * row W10; I7).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Workflow } from "perdure"
import { RunawayTurn } from "../../../src/runtime/interpreter/TurnFailure.js"
import { act, host } from "./Bodies.js"
import { brief, Driver, epoch, hostOf } from "./Driver.js"

const operationsMax = 20_000

/** Ways not to come to rest. */
const endless: Readonly<Record<string, Effect.Effect<unknown, unknown, unknown>>> = {
  "a loop": Effect.forever(Effect.void),
  "a loop that yields": Effect.forever(Effect.yieldNow()),
  "a loop that sleeps for nothing": Effect.forever(Effect.sleep(0)),
  "a retry without delay": Effect.retry(Effect.fail("again"), Schedule.forever),
  "forks of forks": Effect.iterate(0, {
    while: () => true,
    body: (n) => Effect.map(Effect.fork(Effect.void), () => n + 1)
  }),
  "a body that catches everything": Effect.forever(
    Effect.catchAllCause(Effect.forever(Effect.void), () => Effect.void)
  ),
  "a finalizer": Effect.ensuring(Effect.void, Effect.forever(Effect.void))
}

describe("a body that does not come to rest", () => {
  for (const [way, body] of Object.entries(endless)) {
    it(way, () => {
      let finalized = false
      const other = new Driver(host(Effect.zipRight(act("a"), act("b"))))
      other.start()
      const roots = Fiber.unsafeRoots().length
      const driver = new Driver(
        host(Effect.ensuring(
          body,
          Effect.sync(() => {
            finalized = true
          })
        )),
        { operationsMax }
      )
      assert.throws(() => driver.start(), RunawayTurn, /within 20000 operations/)
      driver.interpreter.evict()
      assert.isFalse(finalized)
      assert.strictEqual(Fiber.unsafeRoots().length, roots)
      assert.deepStrictEqual(brief(other.complete(1)), ["Act#2 b"])
      assert.deepStrictEqual(brief(other.complete(2)), ["completed \"b\""])
    })
  }

  it("two conditions that undo each other", () => {
    let turn = 0
    const flip = (own: number) =>
      Effect.whileLoop({
        while: () => true,
        body: () => Workflow.condition(() => turn === own),
        step: () => {
          turn = 1 - own
        }
      })
    const driver = new Driver(host(Effect.all([flip(0), flip(1)], { concurrency: "unbounded" })))
    assert.throws(() => driver.start(), RunawayTurn, /rounds of conditions/)
  })

  it("is named by its span", () => {
    const driver = new Driver(host(Effect.withSpan(Effect.forever(Effect.void), "spinning")), { operationsMax })
    assert.throws(() => driver.start(), RunawayTurn, /in span spinning/)
  })

  it("each turn has a budget of its own", () => {
    const work = Effect.repeatN(Effect.void, 2_000)
    const driver = new Driver(host(Effect.zipRight(Effect.repeatN(Effect.zipRight(work, act("x")), 9), work)), {
      operationsMax
    })
    driver.start()
    for (let seq = 1; seq <= 10; seq++) driver.complete(seq)
    assert.strictEqual(driver.state.status, "Completed")
  })

  it("many fibers of one turn run in the order in which they were forked", () => {
    const ran: Array<number> = []
    const numbers = Array.from({ length: 20_000 }, (_, i) => i)
    const driver = new Driver(host(Effect.forEach(numbers, (i) => Effect.forkDaemon(Effect.sync(() => ran.push(i))), {
      discard: true
    })))
    driver.start()
    assert.deepStrictEqual(ran, numbers)
  })
})

/** Ways to keep the thread that no budget of operations sees. */
const spin = (): never => {
  for (;;);
}
const keeping: Readonly<Record<string, Effect.Effect<unknown, unknown, unknown>>> = {
  "a plain loop": Effect.sync(spin),
  "one that catches everything": Effect.sync(() => {
    for (;;) {
      try {
        spin()
      } catch {
        // What cuts it is not for it to catch.
      }
    }
  }),
  "one in a span": Effect.withSpan(Effect.sync(spin), "spinning")
}

describe("code that keeps the thread (W10)", () => {
  for (const [way, body] of Object.entries(keeping)) {
    it(`${way} is cut, and others go on`, () => {
      const other = new Driver(host(Effect.zipRight(act("a"), act("b"))))
      other.start()
      const fiber = Fiber.getCurrentFiber()
      const driver = new Driver(host(body), { turnMillisMax: 20 })
      assert.throws(
        () => driver.start(),
        RunawayTurn,
        way.includes("span")
          ? /within 20 milliseconds, and kept the thread \(in span spinning\)/
          : /within 20 milliseconds, and kept the thread:/
      )
      driver.interpreter.evict()
      // Nothing of the turn is left over: neither its clock, nor its fiber.
      assert.isAbove(Date.now(), epoch + 1)
      assert.deepStrictEqual(Fiber.getCurrentFiber(), fiber)
      assert.deepStrictEqual(brief(other.complete(1)), ["Act#2 b"])
      assert.deepStrictEqual(brief(other.complete(2)), ["completed \"b\""])
    })
  }

  it("what comes to rest in time is not disturbed, nor what fails by itself", () => {
    const driver = new Driver(host(Effect.zipRight(act("a"), Effect.dieMessage("wrong"))), { turnMillisMax: 5_000 })
    assert.deepStrictEqual(brief(driver.start()), ["Act#1 a"])
    assert.throws(() => driver.complete(1), /wrong/)
  })

  it("a query is cut, too, and the body is as it was", () => {
    const layer = Asked.toLayer(() =>
      Effect.succeed(Asked.of({
        queries: { spin: () => Effect.sync(spin), rest: () => Effect.succeed(1) },
        run: Effect.asVoid(act("a")) as Effect.Effect<void>
      }))
    )
    // Wide enough for what comes to rest, on a machine that is busy with other things.
    const driver = new Driver(hostOf(layer as never), { turnMillisMax: 300 })
    driver.start()
    assert.match(
      Either.getOrThrowWith(Either.flip(driver.interpreter.query("spin", undefined)), () => new Error("it ended")),
      /within 300 milliseconds, and kept the thread/
    )
    assert.deepStrictEqual(driver.interpreter.query("rest", undefined), Either.right(1))
    assert.deepStrictEqual(brief(driver.complete(1)), ["completed undefined"])
  })
})

const Asked = Workflow.make("Asked", {
  queries: { spin: {}, rest: { success: Schema.Number } }
})
