import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import type * as AST from "effect/SchemaAST"
import { Event } from "../../src/core/Event.js"
import { Failure } from "../../src/core/Failure.js"
import * as Message from "../../src/core/Message.js"
import { RetryPolicy } from "../../src/core/RetryPolicy.js"
import * as Shape from "../../src/core/Shape.js"
import { damage, damaged, event, events, stored } from "./arbitrary.js"

// The goal: a compiled check answers as Schema.is does. The method: values that fit, and the same values damaged.
describe("Shape", () => {
  it("agrees with Schema.is on arbitrary events", () => {
    FastCheck.assert(FastCheck.property(event, (value) => {
      assert.isTrue(Schema.is(Event)(value))
      assert.isTrue(Shape.compile(Event)(value))
    }))
  })

  it("agrees with Schema.is on damaged events", () => {
    const fast = Shape.compile(Schema.Array(Event))
    const slow = Schema.is(Schema.Array(Event))
    const answers = { fits: 0, fails: 0 }
    FastCheck.assert(
      FastCheck.property(events, FastCheck.array(damage, { minLength: 1, maxLength: 3 }), (value, all) => {
        const broken = all.reduce<unknown>(damaged, value)
        assert.strictEqual(fast(broken), slow(broken))
        answers[fast(broken) ? "fits" : "fails"]++
      }),
      { numRuns: 3_000 }
    )
    // The damage must not be so heavy, or so light, that only one answer is ever asked for.
    assert.isAbove(answers.fits, 200)
    assert.isAbove(answers.fails, 200)
  })

  it("agrees with Schema.is on every field of every event, missing, undefined, null, or of another type", () => {
    const one = Schema.is(Event)
    const fast = Shape.compile(Event)
    FastCheck.assert(FastCheck.property(event, (value) => {
      for (const key of [...Object.keys(value), ...fieldsOf(value._tag)]) {
        for (const other of [undefined, null, 0, "", true, [], {}]) {
          const changed = { ...value, [key]: other }
          assert.strictEqual(fast(changed), one(changed), key)
        }
        const { [key]: _, ...without } = value as unknown as Record<string, unknown>
        assert.strictEqual(fast(without), one(without), key)
      }
    }))
  })

  const schemas: Record<string, Schema.Schema<unknown>> = {
    "a message": Schema.typeSchema(Message.Stored) as Schema.Schema<unknown>,
    "a failure, which recurs": Schema.typeSchema(Failure) as Schema.Schema<unknown>,
    "a retry policy": Schema.typeSchema(RetryPolicy) as Schema.Schema<unknown>,
    "literals": Schema.Literal("a", 1, true, null) as Schema.Schema<unknown>,
    "a union of all sorts": Schema.Union(Schema.String, Schema.Array(Schema.Number)) as Schema.Schema<unknown>,
    "structs told apart by no tag": Schema.Union(
      Schema.Struct({ a: Schema.String }),
      Schema.Struct({ b: Schema.Number })
    ) as Schema.Schema<unknown>,
    "two structs of one tag": Schema.Union(
      Schema.Struct({ _tag: Schema.Literal("A"), a: Schema.String }),
      Schema.Struct({ _tag: Schema.Literal("A"), b: Schema.Number })
    ) as Schema.Schema<unknown>,
    "a tag that may be absent": Schema.Union(
      Schema.Struct({ _tag: Schema.optionalWith(Schema.Literal("A"), { exact: true }), a: Schema.String }),
      Schema.Struct({ _tag: Schema.Literal("B") })
    ) as Schema.Schema<unknown>,
    "nested structs": Schema.Struct({
      a: Schema.Struct({ b: Schema.optional(Schema.Boolean) }),
      c: Schema.Unknown
    }) as Schema.Schema<unknown>,
    "a field that every object inherits": Schema.Struct({
      toString: Schema.optionalWith(Schema.String, { exact: true })
    }) as Schema.Schema<unknown>,
    "the empty struct": Schema.Struct({}) as Schema.Schema<unknown>,
    "a record": Schema.Record({ key: Schema.String, value: Schema.Number }) as Schema.Schema<unknown>,
    "a struct with a record": Schema.Struct(
      { a: Schema.String },
      { key: Schema.String, value: Schema.String }
    ) as Schema.Schema<unknown>,
    "a struct of which all may be absent": Schema.Struct({
      a: Schema.optionalWith(Schema.String, { exact: true })
    }) as Schema.Schema<unknown>,
    "a tuple": Schema.Tuple(Schema.String, Schema.Number) as Schema.Schema<unknown>,
    "a refinement": Schema.Struct({ a: Schema.Int }) as Schema.Schema<unknown>,
    "a transformation, by its type": Schema.Struct({ a: Schema.NumberFromString }) as unknown as Schema.Schema<unknown>,
    "never": Schema.Never as unknown as Schema.Schema<unknown>
  }
  for (const [what, schema] of Object.entries(schemas)) {
    it(`agrees with Schema.is on ${what}`, () => {
      const fast = Shape.compile(schema)
      // It throws where a tag's value is an object that cannot be made a text: nothing that fits looks like that.
      const slow = (value: unknown): boolean => {
        try {
          return Schema.is(schema)(value)
        } catch {
          return false
        }
      }
      const fitting = what === "never" ? FastCheck.constant(1) : stored(schema)
      FastCheck.assert(FastCheck.property(FastCheck.oneof(fitting, FastCheck.anything()), damage, (value, change) => {
        const broken = damaged(value, change)
        assert.strictEqual(fast(value), slow(value))
        assert.strictEqual(fast(broken), slow(broken))
      }))
    })
  }
})

/** All fields that the schema of an event names, whether a value has them or not. */
const fieldsOf = (tag: Event["_tag"]): ReadonlyArray<string> => {
  const names = Event.members.flatMap((member) => {
    const ast: AST.AST = member.ast
    assert(ast._tag === "TypeLiteral")
    const own = ast.propertySignatures.find(({ name }) => name === "_tag")?.type
    return own?._tag === "Literal" && own.literal === tag ? ast.propertySignatures.map(({ name }) => String(name)) : []
  })
  assert.isNotEmpty(names)
  return names
}
