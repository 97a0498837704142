import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Contract from "../../src/dsl/Contract.js"

describe("Contract.codec", () => {
  it("encodes and decodes by the schema", () => {
    const codec = Contract.codec(Schema.Struct({ at: Schema.Date }), "it")
    assert.deepStrictEqual(codec.encode({ at: new Date(0) }), Either.right({ at: "1970-01-01T00:00:00.000Z" }))
    assert.deepStrictEqual(codec.decode({ at: "1970-01-01T00:00:00.000Z" }), Either.right({ at: new Date(0) }))
  })

  it("a void value is no value, in both directions", () => {
    const codec = Contract.codec(Contract.payloadSchema(undefined), "it")
    assert.deepStrictEqual(codec.encode(undefined), Either.right(undefined))
    assert.deepStrictEqual(codec.decode(undefined), Either.right(undefined))
    assert.deepStrictEqual(codec.encode("anything"), Either.right(undefined))
  })

  it("fields are a struct", () => {
    const codec = Contract.codec(Contract.payloadSchema({ n: Schema.Number }), "it")
    assert.deepStrictEqual(codec.encode({ n: 1 }), Either.right({ n: 1 }))
  })

  it("D7: a field that is lacking takes its default, an unknown one is dropped", () => {
    const codec = Contract.codec(
      Schema.Struct({ n: Schema.optionalWith(Schema.Number, { default: () => 5 }) }),
      "it"
    )
    assert.deepStrictEqual(codec.decode({ later: true }), Either.right({ n: 5 }))
  })

  it("names its subject in what it refuses, in both directions", () => {
    const codec = Contract.codec(Schema.Number, "payload of signal approve")
    assert.match(left(codec.encode("1")), /^payload of signal approve: Expected number, actual "1"$/)
    assert.match(left(codec.decode(null)), /^payload of signal approve: Expected number, actual null$/)
  })

  it("no value fits the schema of errors where none are declared", () => {
    const codec = Contract.codec(Contract.neverSchema, "it")
    FastCheck.assert(FastCheck.property(FastCheck.anything(), (value) => {
      assert.isTrue(Either.isLeft(codec.encode(value)))
      assert.isTrue(Either.isLeft(codec.decode(value)))
    }))
  })

  it("refuses what the schema lets through and JSON does not", () => {
    const codec = Contract.codec(Schema.Number, "it")
    assert.strictEqual(left(codec.encode(NaN)), "it: payload: NaN is not JSON")
    const self = Contract.codec(Schema.Struct({ at: Schema.DateFromSelf }), "it")
    assert.strictEqual(
      left(self.encode({ at: new Date(0) })),
      "it: payload at at: a Date is not JSON; give the schema an encoding"
    )
  })

  it("refuses what makes the schema itself throw", () => {
    const tagged = (tag: string) => Schema.Struct({ _tag: Schema.Literal(tag) })
    const union = Contract.codec(Schema.Union(tagged("A"), tagged("B")), "it")
    assert.match(left(union.decode({ _tag: { toString: "" } })), /^it: cannot be read: /)
    const thrower = Schema.transform(Schema.String, Schema.Number, {
      decode: (): number => {
        throw new Error("not today")
      },
      encode: String
    })
    assert.strictEqual(left(Contract.codec(thrower, "it").decode("1")), "it: cannot be read: not today")
  })

  it("what it encodes survives JSON, and decodes to what was given", () => {
    const schema = Schema.Struct({ text: Schema.String, set: Schema.Array(Schema.DateFromNumber) })
    const codec = Contract.codec(schema, "it")
    const dates = FastCheck.array(FastCheck.date({ noInvalidDate: true }))
    FastCheck.assert(FastCheck.property(FastCheck.record({ text: FastCheck.string(), set: dates }), (value) => {
      const encoded: unknown = JSON.parse(JSON.stringify(Either.getOrThrow(codec.encode(value))))
      assert.deepStrictEqual(codec.decode(encoded), Either.right(value))
    }))
  })
})

const left = (result: Either.Either<unknown, Contract.ContractError>): string =>
  Either.match(result, { onLeft: (error) => error.message, onRight: () => "taken" })
