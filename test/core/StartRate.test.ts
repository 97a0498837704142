import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as StartRate from "../../src/core/StartRate.js"

describe("a rate of starts (A17)", () => {
  it("begins with a tenth of a second's worth, and at least one", () => {
    assert.strictEqual(StartRate.allowed(0, 0.5, 1e12), 1)
    assert.strictEqual(StartRate.allowed(0, 10, 1e12), 1)
    assert.strictEqual(StartRate.allowed(0, 100, 1e12), 10)
  })

  it("lets one through after the other", () => {
    const next = StartRate.after(0, 2, 1_000, 1)
    assert.strictEqual(next, 1_500)
    assert.strictEqual(StartRate.allowed(next, 2, 1_499), 0)
    assert.strictEqual(StartRate.allowed(next, 2, 1_500), 1)
  })

  it("takes back what was given back", () => {
    const next = StartRate.after(0, 2, 1_000, 1)
    assert.strictEqual(StartRate.allowed(StartRate.after(next, 2, 1_000, -1), 2, 1_000), 1)
  })

  it("is kept in every span of time, but for the burst; and used up by whoever asks all the time", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.integer({ min: 1, max: 5_000 }).map((tenths) => tenths / 10),
      FastCheck.array(FastCheck.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 60 }),
      (perSecond, pauses) => {
        let now = 1e12
        let nextAt = 0
        let started = 0
        const begin = now
        for (const pause of pauses) {
          now += pause
          const some = StartRate.allowed(nextAt, perSecond, now)
          if (some > 0) nextAt = StartRate.after(nextAt, perSecond, now, some)
          started += some
          assert.isAtMost(nextAt, now + 1_000 / perSecond + 1)
        }
        const burst = Math.max(1, Math.ceil(perSecond / 10))
        assert.isAtMost(started, (now - begin) * perSecond / 1_000 + burst + 1e-3)
      }
    ))
  })
})
