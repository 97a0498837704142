/**
 * Headers as they are recorded: bounded, JSON, and no field where there are none (N6).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Headers from "../../src/core/Headers.js"
import { Limits } from "../../src/core/Limits.js"
import * as Shape from "../../src/core/Shape.js"

const reasonOf = (headers: Headers.Headers) => Either.getOrElse(Either.flip(Headers.field(headers)), () => "taken")

describe("headers", () => {
  it("have no field where there are none", () => {
    assert.deepStrictEqual(Headers.field(Headers.none), Either.right({}))
    assert.deepStrictEqual(Headers.field({}), Either.right({}))
    assert.deepStrictEqual(Headers.field({ a: 1 }), Either.right({ headers: { a: 1 } }))
  })

  it("are bounded in number and size, and are JSON (I10)", () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`h${i}`, i]))
    assert.strictEqual(reasonOf(many(Limits.headersMax)), "taken")
    assert.strictEqual(reasonOf(many(Limits.headersMax + 1)), "65 headers, more than 64")
    assert.match(reasonOf({ long: "x".repeat(Limits.headersBytesMax) }), /^headers: .*more than 16384/)
    assert.strictEqual(reasonOf({ at: { deep: Number.NaN } }), "headers at at.deep: NaN is not JSON")
  })

  it("are checked without the schema as with it", () => {
    const fits = Shape.compile(Headers.Headers)
    const is = Schema.is(Headers.Headers)
    for (const value of [{}, { a: 1, b: [null] }, { a: undefined }, [], [1], null, 1, "text"]) {
      assert.strictEqual(fits(value), is(value), JSON.stringify(value))
    }
    const numbers = Schema.Record({ key: Schema.String, value: Schema.Number })
    for (const value of [{}, { a: 1 }, { a: "1" }, { a: 1, b: null }]) {
      assert.strictEqual(Shape.compile(numbers)(value), Schema.is(numbers)(value), JSON.stringify(value))
    }
  })
})
