import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Failure from "../../src/core/Failure.js"
import { Limits } from "../../src/core/Limits.js"

describe("Failure.fromUnknown", () => {
  const typed: ReadonlyArray<readonly [string, unknown, string, string]> = [
    ["an Error, by its name", new Error("no"), "Error", "no"],
    ["a built-in error, by its name", new RangeError("no"), "RangeError", "no"],
    ["a class of its own, by the class's name (row R7)", new Nameless("no"), "Nameless", "no"],
    ["a class below a built-in one, by its own name", new NamelessBelow("no"), "NamelessBelow", "no"],
    ["a class that sets a name, by that name", new Named("no"), "CustomName", "no"],
    ["a TaggedError, by its tag", new Tagged({ amount: 1 }), "Tagged", "amount 1"],
    ["an Error with a name that is no text", Object.assign(new Error("no"), { name: 42 }), "Error", "no"],
    ["an Error with an empty name", Object.assign(new Error("no"), { name: "" }), "Error", "no"],
    ["a plain object with a tag", { _tag: "Declined", why: 1 }, "Declined", `{"_tag":"Declined","why":1}`],
    ["a plain object", { why: 1 }, "object", `{"why":1}`],
    ["an object with a tag that is no text", { _tag: 1 }, "object", `{"_tag":1}`],
    ["null", null, "object", "null"],
    ["undefined", undefined, "undefined", "undefined"],
    ["a text", "no", "string", "no"],
    ["a bigint", 1n, "bigint", "1"],
    ["a symbol", Symbol("no"), "symbol", "Symbol(no)"]
  ]
  for (const [what, thrown, type, message] of typed) {
    it(`R7: names ${what}`, () => {
      const failure = Failure.fromUnknown(thrown)
      assert.strictEqual(failure._tag, "Application")
      assert.strictEqual(failure.type, type)
      assert.strictEqual(failure.message, message)
    })
  }

  it("R7: keeps the stack, and the chain of causes in order, and is retryable", () => {
    const failure = Failure.fromUnknown(new Error("outer", { cause: new TypeError("middle", { cause: "inner" }) }))
    assert.match(failure.stack ?? "", /^Error: outer\n\s+at /)
    assert.strictEqual(Failure.render(failure), "Error: outer (cause: TypeError: middle (cause: string: inner))")
    assert.strictEqual(failure.nonRetryable, undefined)
  })

  it("R14: a cycle of causes ends at a depth of 16", () => {
    const error = new Error("round")
    error.cause = error
    let depth = 0
    for (let at: Failure.Failure | undefined = Failure.fromUnknown(error); at !== undefined; depth++) {
      at = "cause" in at ? at.cause : undefined
    }
    assert.strictEqual(depth, 17)
  })

  it("R14: a cyclic object is unreadable, not an exception", () => {
    const round: { self?: unknown } = {}
    round.self = round
    assert.deepStrictEqual(Failure.fromUnknown(round), unreadable)
  })

  const throwing: ReadonlyArray<readonly [string, unknown]> = [
    ["a message", Object.defineProperty(new Error(), "message", { get: thrower })],
    ["a stack", Object.defineProperty(new Error(), "stack", { get: thrower })],
    ["a name", Object.defineProperty(new Error(), "name", { get: thrower })],
    ["a tag", Object.defineProperty({}, "_tag", { get: thrower })],
    ["a toJSON", { toJSON: thrower }],
    ["a message whose toString throws", Object.assign(new Error(), { message: { toString: thrower } })]
  ]
  for (const [what, thrown] of throwing) {
    it(`R14: ${what} that throws makes it unreadable, not an exception`, () => {
      assert.deepStrictEqual(Failure.fromUnknown(thrown), unreadable)
    })
  }

  it("R14: so does a revoked proxy", () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    assert.deepStrictEqual(Failure.fromUnknown(proxy), unreadable)
  })

  it("R14: an unreadable cause leaves the failure itself readable", () => {
    const failure = Failure.fromUnknown(new Error("outer", { cause: { toJSON: thrower } }))
    assert.strictEqual(failure.message, "outer")
    assert.deepStrictEqual(failure.cause, unreadable)
  })

  it("I10: messages and stacks are cut", () => {
    const long = "x".repeat(1_000_000)
    const failure = Failure.fromUnknown(new Error(long))
    assert.strictEqual(failure.message.length, Limits.failureMessageCharsMax)
    assert.strictEqual(failure.stack?.length, Limits.failureStackCharsMax)
    assert.strictEqual(Failure.fromUnknown(long).message.length, Limits.failureMessageCharsMax)
    assert.strictEqual(Failure.fromUnknown([long]).message.length, Limits.failureMessageCharsMax)
  })

  it("whatever is thrown becomes a failure that its schema knows, also after JSON", () => {
    const is = Schema.is(Failure.Failure)
    const anything = FastCheck.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true
    })
    const error = FastCheck.record({
      message: anything,
      name: anything,
      _tag: anything,
      cause: anything,
      stack: anything
    })
      .map((fields) => Object.assign(new Error(), fields))
    FastCheck.assert(FastCheck.property(FastCheck.oneof(anything, error), (thrown) => {
      const failure = Failure.fromUnknown(thrown)
      assert.isTrue(is(failure))
      assert.deepStrictEqual(JSON.parse(JSON.stringify(failure)), failure)
    }))
  })
})

describe("Failure.typeOf", () => {
  it("R5: the type of application and declared failures, the kind of all others", () => {
    assert.strictEqual(Failure.typeOf({ _tag: "Application", type: "A", message: "" }), "A")
    assert.strictEqual(Failure.typeOf({ _tag: "Declared", type: "D", message: "", error: 1 }), "D")
    assert.strictEqual(Failure.typeOf({ _tag: "Timeout", timeout: "Heartbeat", message: "" }), "Timeout")
    assert.strictEqual(Failure.typeOf({ _tag: "Canceled", message: "" }), "Canceled")
  })
})

describe("Failure.render", () => {
  it("R10: an activity's failure leads to its cause", () => {
    assert.strictEqual(
      Failure.render({
        _tag: "Activity",
        activity: "ChargeCard",
        activityId: "1",
        attempt: 3,
        retryState: "MaximumAttemptsReached",
        message: "activity ChargeCard failed",
        cause: { _tag: "Declared", type: "CardDeclined", message: "no funds", error: {} }
      }),
      "activity ChargeCard failed (cause: CardDeclined: no funds)"
    )
  })
})

const unreadable: Failure.Failure = {
  _tag: "Application",
  type: "Unreadable",
  message: "the failure itself could not be read"
}

const thrower = (): never => {
  throw new Error("from the getter")
}

class Nameless extends Error {}
class NamelessBelow extends RangeError {}
class Named extends Error {
  override name = "CustomName"
}
class Tagged extends Schema.TaggedError<Tagged>()("Tagged", { amount: Schema.Number }) {
  override get message(): string {
    return `amount ${this.amount}`
  }
}
