import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { Limits } from "../../src/core/Limits.js"
import * as Payload from "../../src/core/Payload.js"

describe("Payload.check", () => {
  const refused: ReadonlyArray<readonly [string, unknown, string]> = [
    ["NaN", NaN, "payload: NaN is not JSON"],
    ["an infinite number", { a: [1, -Infinity] }, "payload at a[1]: -Infinity is not JSON"],
    ["a bigint", { a: { b: 1n } }, "payload at a.b: a value of type bigint is not JSON"],
    ["a function", { a: () => 1 }, "payload at a: a value of type function is not JSON"],
    ["a symbol", [Symbol("s")], "payload at [0]: a value of type symbol is not JSON"],
    ["undefined in a list", [1, undefined], "payload at [1]: a value of type undefined is not JSON"],
    ["a hole in a list", sparse(2), "payload at [0]: a value of type undefined is not JSON"],
    ["a Date", { at: new Date(0) }, "payload at at: a Date is not JSON; give the schema an encoding"],
    ["a Map", new Map(), "payload: a Map is not JSON; give the schema an encoding"],
    ["a Set", [[new Set()]], "payload at [0][0]: a Set is not JSON; give the schema an encoding"],
    ["bytes", new Uint8Array(2), "payload: a Uint8Array is not JSON; give the schema an encoding"],
    ["a boxed number", Object(1), "payload: a Number is not JSON; give the schema an encoding"],
    ["a class instance", { a: new Point() }, "payload at a: a Point is not JSON; give the schema an encoding"],
    ["an Error", new Error("no"), "payload: a Error is not JSON; give the schema an encoding"],
    [
      "an object of no known class",
      Object.create(Object.create(null)),
      "payload: a class instance is not JSON; give the schema an encoding"
    ],
    ["an object with toJSON", { toJSON: () => 1 }, "payload at toJSON: a value of type function is not JSON"],
    ["a getter that throws", throwing(), "payload: it cannot be read (from the getter)"]
  ]
  for (const [what, value, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.strictEqual(reason(value), message)
    })
  }

  it("names the first fault", () => {
    assert.strictEqual(reason({ a: 1, b: NaN, c: 1n }), "payload at b: NaN is not JSON")
  })

  const sized: ReadonlyArray<readonly [unknown, number]> = [
    [undefined, 0],
    [null, 2],
    [true, 5],
    [1, 8],
    ["", 2],
    ["abc", 5],
    [[], 2],
    [[1, 2], 20],
    [{}, 2],
    [{ ab: 1 }, 16],
    [{ ab: undefined }, 2]
  ]
  for (const [value, bytes] of sized) {
    it(`counts ${bytes} bytes for ${JSON.stringify(value)}`, () => {
      assert.deepStrictEqual(Payload.check(value), Either.right(bytes))
    })
  }

  it("X17: takes what is as large as the limit, and refuses one byte more", () => {
    assert.deepStrictEqual(Payload.check("x".repeat(98), 100), Either.right(100))
    assert.strictEqual(reason("x".repeat(99), 100), "payload: 101 bytes, more than 100")
    assert.strictEqual(reason("x".repeat(Limits.payloadBytesMax)), "payload: 2097154 bytes, more than 2097152")
  })

  it("X17: gives up as soon as it is too large", () => {
    let read = 0
    const counted = new Proxy(Array.from({ length: 1_000 }, () => 1), {
      get: (target, key, receiver) => {
        if (key !== "length") read++
        return Reflect.get(target, key, receiver) as unknown
      }
    })
    assert.strictEqual(reason({ list: counted }, 90), "payload: more than 90 bytes")
    assert.isBelow(read, 20)
  })

  it("a sparse list of any length is refused at its first hole", () => {
    assert.strictEqual(reason(sparse(4_000_000_000)), "payload at [0]: a value of type undefined is not JSON")
  })

  it("takes what nests as deep as the limit, and refuses one level more", () => {
    const nested = (depth: number): unknown => depth === 0 ? 1 : [nested(depth - 1)]
    assert.isTrue(Either.isRight(Payload.check(nested(Limits.payloadDepthMax))))
    assert.match(reason(nested(Limits.payloadDepthMax + 1)), /nested deeper than 256$/)
  })

  it("a cycle is refused, however often it is met", () => {
    const round: { a?: unknown; b?: unknown } = {}
    round.a = round
    round.b = round
    assert.match(reason(round), /nested deeper than 256$/)
  })

  it("what it takes comes back from JSON as it was, up to undefined fields", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(
          FastCheck.anything(),
          FastCheck.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true })
        ),
        (value) => {
          if (Either.isLeft(Payload.check(value))) return
          assert.deepStrictEqual(roundTrip(value), defined(value))
          assert.isTrue(Payload.equals(value, roundTrip(value)))
        }
      ),
      { numRuns: 2_000 }
    )
  })

  it("whatever JSON can hold, it takes, and its estimate is near the size of the text", () => {
    FastCheck.assert(FastCheck.property(FastCheck.jsonValue(), (value) => {
      const size = Either.getOrThrow(Payload.check(value, Infinity))
      assert.isAtMost(size, JSON.stringify(value).length * 8)
      assert.isAtLeast(size * 8, JSON.stringify(value).length)
    }))
  })
})

describe("Payload.equals", () => {
  const same: ReadonlyArray<readonly [unknown, unknown]> = [
    [undefined, undefined],
    [{ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 }],
    [{ a: 1, b: undefined }, { a: 1 }],
    [{ a: 1 }, { a: 1, b: undefined }],
    [-0, 0]
  ]
  for (const [a, b] of same) {
    it(`${show(a)} is ${show(b)}`, () => assert.isTrue(Payload.equals(a, b)))
  }

  const different: ReadonlyArray<readonly [unknown, unknown]> = [
    [undefined, null],
    [1, "1"],
    [[], {}],
    [[1], [1, 2]],
    [[1, 2], [2, 1]],
    [{ a: 1 }, {}],
    [{}, { a: 1 }],
    [{ a: null }, {}],
    [{ toString: undefined }, { toString: 1 }],
    [{ a: { b: [1] } }, { a: { b: [2] } }]
  ]
  for (const [a, b] of different) {
    it(`${show(a)} is not ${show(b)}`, () => {
      assert.isFalse(Payload.equals(a, b))
      assert.isFalse(Payload.equals(b, a))
    })
  }

  it("agrees with deep equality on JSON values", () => {
    const small = FastCheck.jsonValue({ maxDepth: 2 })
    FastCheck.assert(FastCheck.property(small, small, (a, b) => {
      const deep = JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
      assert.strictEqual(Payload.equals(a, b), deep)
      assert.isTrue(Payload.equals(a, roundTrip(a)))
    }))
  })
})

const show = (value: unknown): string =>
  Object.is(value, -0) ? "-0" : JSON.stringify(value, (_, field: unknown) => field === undefined ? "undefined" : field)

const reason = (value: unknown, bytesMax?: number): string =>
  Either.match(Payload.check(value, bytesMax), { onLeft: (error) => error.message, onRight: () => "taken" })

const roundTrip = (value: unknown): unknown => value === undefined ? undefined : JSON.parse(JSON.stringify(value))

/** Without undefined fields, with ordinary prototypes, and with one zero: what JSON makes no difference between. */
const defined = (value: unknown): unknown => {
  if (typeof value === "number") return value === 0 ? 0 : value
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(defined)
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, field]) => field === undefined ? [] : [[key, defined(field)]])
  )
}

const sorted = (value: unknown): unknown => {
  if (typeof value === "number") return value === 0 ? 0 : value
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  const fields = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)
  return { fields: fields.map(([key, field]) => [key, sorted(field)]) }
}

const sparse = (length: number): unknown => Object.assign([], { length })

class Point {
  readonly x = 1
}

const throwing = (): unknown =>
  Object.defineProperty({}, "a", {
    enumerable: true,
    get: () => {
      throw new Error("from the getter")
    }
  })
