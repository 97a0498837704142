/**
 * Goal: to evict a body is to forget it (DETERMINISM section 4 and section 8, point 4). No finalizer runs, nothing of it
 * stays: no fiber, no handle of the process.
 *
 * Method: 1,000 bodies of each kind, in a process of its own whose garbage collector can be called.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { act, host } from "./Bodies.js"
import { child } from "./Child.js"
import { brief, Driver } from "./Driver.js"

interface Left {
  readonly begun: number
  readonly held: number
  readonly roots: number
  readonly counted: number
  readonly finalized: number
  readonly handles: number
  readonly fibers: number
}

describe("evicted bodies leave nothing behind", () => {
  it("1,000 of each kind", { timeout: 300_000 }, async () => {
    const kinds = await child<Record<string, Left>>("run-evictions.ts", { flags: ["--expose-gc"] })
    assert.isAtLeast(Object.keys(kinds).length, 15)
    for (const [kind, left] of Object.entries(kinds)) {
      assert.isAtLeast(left.begun, 1_000, kind)
      assert.isAtLeast(left.held, 1_000, kind)
      const { counted, fibers, finalized, handles, roots } = left
      assert.deepStrictEqual({ counted, fibers, finalized, handles, roots }, {
        counted: 0,
        fibers: 0,
        finalized: 0,
        handles: 0,
        roots: 0
      }, kind)
    }
  })

  it("a body that is brought back goes on as the evicted one would have", () => {
    const body = Effect.all([Effect.timeout(act("a"), "1 hour"), Effect.zipRight(act("b"), act("c"))], {
      concurrency: "unbounded"
    })
    const [kept, evicted] = [new Driver(host(body)), new Driver(host(body))]
    for (const driver of [kept, evicted]) driver.start()
    for (const seq of [2, 1, 4]) {
      assert.deepStrictEqual(brief(evicted.restart().complete(seq)), brief(kept.complete(seq)))
    }
    assert.deepStrictEqual(evicted.log, kept.log)
    assert.strictEqual(kept.state.status, "Completed")
  })

  it("fibers are counted while the body is alive, those of queries are not", () => {
    const driver = new Driver(host(Effect.all([act("a"), act("b"), act("c")], { concurrency: "unbounded" })))
    driver.start()
    assert.strictEqual(driver.interpreter.fibers, 5)
    driver.complete(1)
    driver.complete(2)
    assert.strictEqual(driver.interpreter.fibers, 3)
    driver.complete(3)
    assert.strictEqual(driver.interpreter.fibers, 0)
  })
})
