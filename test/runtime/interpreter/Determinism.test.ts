/**
 * Goal: a body does the same in any process (DETERMINISM section 8, points 1, 2 and 6).
 *
 * Method: one small body for each feature of effect, its outcomes fed in several orders, in two real processes that
 * differ in what must not matter. Their whole histories are equal, and each is replayed where it was made.
 */
import { assert, describe, it, vi } from "@effect/vitest"
import * as EffectInternals from "../../../src/runtime/interpreter/EffectInternals.js"
import { child } from "./Child.js"
import { features } from "./Features.js"

interface Ran {
  readonly zone: string
  readonly language: string
  readonly histories: Readonly<Record<string, ReadonlyArray<ReadonlyArray<string>>>>
}

const run = (rounds: number, environment: Record<string, string>) =>
  child<Ran>("run-features.ts", { args: [String(rounds)], environment })

const processes = Promise.all([
  run(0, { TZ: "UTC", LANG: "en_US.UTF-8", LC_ALL: "en_US.UTF-8" }),
  run(333, { TZ: "Asia/Kolkata", LANG: "de_DE.UTF-8", LC_ALL: "de_DE.UTF-8" })
])
processes.catch(() => {})

describe("a body does the same in any process", () => {
  it("the processes differ", { timeout: 120_000 }, async () => {
    const [one, other] = await processes
    assert.notStrictEqual(one.zone, other.zone)
    assert.notStrictEqual(one.language, other.language)
  })

  for (const name of Object.keys(features)) {
    it(name, async () => {
      const [one, other] = await processes
      const ran = one.histories[name]!
      assert.deepStrictEqual(other.histories[name], ran)
      // Lest two processes agree on nothing: each order ran the body to its end, in a few turns.
      for (const history of ran) {
        assert.strictEqual(history.at(-2), "Completed", history.at(-1))
        assert.isAtLeast(history.length, 5)
      }
    })
  }

  it("the orders of outcomes differ", async () => {
    const [one] = await processes
    assert.strictEqual(new Set(one.histories["all"]!.map((history) => history.join("\n"))).size, 4)
  })
})

describe("what the interpreter reaches into in effect", () => {
  it("is where it was", () => {
    assert.instanceOf(EffectInternals.roots, Set)
    assert.instanceOf(EffectInternals.identityHashes, WeakMap)
    assert.isNumber(EffectInternals.fiberCounter.current)
    assert.isFunction(EffectInternals.processRandom.number)
  })

  for (const key of ["effect/FiberScope/Global", "effect/Hash/randomHashCache", "effect/Fiber/Id/_fiberCounter"]) {
    it(`${key}: an upgrade that moves it is refused before anything runs`, async () => {
      const store = (globalThis as unknown as Record<string, Map<unknown, unknown>>)["effect/GlobalValue"]!
      const value = store.get(Symbol.for(key))
      assert.isDefined(value)
      store.delete(Symbol.for(key))
      vi.resetModules()
      try {
        const error = await import("../../../src/runtime/interpreter/EffectInternals.js").catch(String)
        assert.match(String(error), /perdure does not fit this version of effect: .* Use effect \^3\.22/)
      } finally {
        store.set(Symbol.for(key), value)
      }
    })
  }
})
