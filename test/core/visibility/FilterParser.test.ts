/**
 * The language of filters (X13): what a text means, and where it points when it means nothing.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { Limits } from "../../../src/core/Limits.js"
import type { Filter, Operator } from "../../../src/core/visibility/Filter.js"
import * as Filters from "../../../src/core/visibility/Filter.js"
import * as FilterParser from "../../../src/core/visibility/FilterParser.js"

/** Without the places, which an equal filter need not have. */
const plain = (filter: Filter): Filter =>
  JSON.parse(JSON.stringify(filter, (key, value) => key === "at" ? undefined : value))

const parse = (text: string): Filter | undefined => {
  const filter = Either.getOrThrowWith(FilterParser.parse(text), ({ reason }) => new Error(reason))
  return filter === undefined ? undefined : plain(filter)
}
const wrong = (text: string) =>
  Either.getOrThrowWith(Either.flip(FilterParser.parse(text)), () => new Error(`it was read: ${text}`))

const compare = (attribute: string, operator: Operator, value: string | number | boolean): Filter => ({
  _tag: "Compare",
  attribute,
  operator,
  value
})

describe("a filter's text (X13)", () => {
  for (
    const [text, expected] of [
      ["", undefined],
      ["  \n", undefined],
      ["a = 'x'", compare("a", "=", "x")],
      ["a=\"x\"", compare("a", "=", "x")],
      ["a != 'it''s'", compare("a", "!=", "it's")],
      ["a <> 'it\\'s \\\\'", compare("a", "!=", "it's \\")],
      ["a < -1.5e3", compare("a", "<", -1_500)],
      ["a <= 1", compare("a", "<=", 1)],
      ["a > 1", compare("a", ">", 1)],
      ["a >= TRUE", compare("a", ">=", true)],
      ["a = false", compare("a", "=", false)],
      ["`or` = 1", compare("or", "=", 1)],
      ["`a``b c` = 1", compare("a`b c", "=", 1)],
      ["a.b-c_1 = 1", compare("a.b-c_1", "=", 1)],
      ["a IN (1, 'x', true)", { _tag: "In", attribute: "a", values: [1, "x", true] }],
      ["a not in (1)", { _tag: "Not", filter: { _tag: "In", attribute: "a", values: [1] } }],
      ["a BETWEEN 1 AND 2", { _tag: "Between", attribute: "a", from: 1, to: 2 }],
      ["a NOT BETWEEN 1 AND 2", { _tag: "Not", filter: { _tag: "Between", attribute: "a", from: 1, to: 2 } }],
      ["a STARTS_WITH 'x'", { _tag: "StartsWith", attribute: "a", prefix: "x" }],
      ["a NOT starts_with 'x'", { _tag: "Not", filter: { _tag: "StartsWith", attribute: "a", prefix: "x" } }],
      ["a IS NULL", { _tag: "IsNull", attribute: "a" }],
      ["a is not null", { _tag: "Not", filter: { _tag: "IsNull", attribute: "a" } }],
      ["a = 1 AND b = 2 OR c = 3", {
        _tag: "Or",
        filters: [{ _tag: "And", filters: [compare("a", "=", 1), compare("b", "=", 2)] }, compare("c", "=", 3)]
      }],
      ["a = 1 AND (b = 2 OR c = 3)", {
        _tag: "And",
        filters: [compare("a", "=", 1), { _tag: "Or", filters: [compare("b", "=", 2), compare("c", "=", 3)] }]
      }],
      ["NOT a = 1 AND b = 2", {
        _tag: "And",
        filters: [{ _tag: "Not", filter: compare("a", "=", 1) }, compare("b", "=", 2)]
      }],
      ["a BETWEEN 1 AND 2 AND b = 3", {
        _tag: "And",
        filters: [{ _tag: "Between", attribute: "a", from: 1, to: 2 }, compare("b", "=", 3)]
      }],
      ["((a = 1))", compare("a", "=", 1)]
    ] as ReadonlyArray<readonly [string, Filter | undefined]>
  ) {
    it(JSON.stringify(text), () => assert.deepStrictEqual(parse(text), expected))
  }

  for (
    const [text, reason, at] of [
      ["a", "it ends where a comparison, like = or IN must come", 1],
      ["a ==", "= stands where a value", 3],
      ["a = ", "it ends where a value", 4],
      ["a = b", "b stands where a value", 4],
      ["= 1", "= stands where the name of an attribute must come", 0],
      ["a = 1 b = 2", "b stands where AND, OR or the end must come", 6],
      ["a = 1 AND", "it ends where the name of an attribute must come", 9],
      ["(a = 1", "it ends where ) must come", 6],
      ["a = 1)", ") stands where AND, OR or the end", 5],
      ["a IN ()", ") stands where a value", 6],
      ["a IN (1 2)", "2 stands where ) must come", 8],
      ["a BETWEEN 1 OR 2", "OR stands where AND must come", 12],
      ["a STARTS_WITH 1", "1 stands where a text in quotes must come", 14],
      ["a IS 1", "1 stands where NULL must come", 5],
      ["a NOT = 1", "= stands where IN, BETWEEN or STARTS_WITH must come", 6],
      ["a = 'x", "the text that begins with ' does not end", 4],
      ["a = 1; DROP TABLE x", "; means nothing here", 5],
      ["a = 1x", "1 means nothing here", 4],
      ["a IN 'x'", "'x' stands where ( must come", 5]
    ] as const
  ) {
    it(`${JSON.stringify(text)} is refused, at its place`, () => {
      const found = wrong(text)
      assert.include(found.reason, reason)
      assert.strictEqual(found.at, at)
    })
  }

  it("has a bound for its length, its depth and its conditions (I10)", () => {
    assert.include(wrong(`a = '${"x".repeat(Limits.filterCharsMax)}'`).reason, "characters; at most")
    const deep = (depth: number) => `${"(".repeat(depth)}a = 1${")".repeat(depth)}`
    assert.deepStrictEqual(parse(deep(Limits.filterDepthMax)), compare("a", "=", 1))
    assert.include(wrong(deep(Limits.filterDepthMax + 1)).reason, "nests deeper than")
    assert.include(wrong(`${"NOT ".repeat(Limits.filterDepthMax + 1)}a = 1`).reason, "nests deeper than")
    const many = parse(Array.from({ length: Limits.filterConditionsMax + 1 }, () => "a = 1").join(" OR "))!
    assert.isTrue(Either.isLeft(Filters.check(many)))
  })

  it("whatever is written, it is read or it is refused with a place in it", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(
          FastCheck.string(),
          FastCheck.array(
            FastCheck.constantFrom(
              "a",
              "AND",
              "OR",
              "NOT",
              "IN",
              "(",
              ")",
              ",",
              "'x'",
              "1",
              "=",
              "<",
              "IS",
              "NULL",
              "`b`"
            )
          ).map((parts) => parts.join(" "))
        ),
        (text) => {
          const found = FilterParser.parse(text)
          if (Either.isLeft(found)) {
            assert.isTrue(found.left.at === undefined || (found.left.at >= 0 && found.left.at <= text.length))
          }
        }
      ),
      { numRuns: 2_000 }
    )
  })
})

describe("a filter that is checked (X13, X15)", () => {
  const check = (text: string) => Either.map(Filters.check(parse(text)!), plain)
  const value = (text: string) => {
    const filter = Either.getOrThrowWith(check(text), ({ reason }) => new Error(reason))
    return filter._tag === "Compare" ? filter.value : filter
  }
  const refusal = (text: string) =>
    Either.getOrThrowWith(Either.flip(check(text)), () => new Error("it was taken")).reason

  it("has moments and durations as numbers", () => {
    const noon = Date.UTC(2026, 10, 27, 12)
    assert.strictEqual(value("StartTime > '2026-11-27T12:00:00Z'"), noon)
    assert.strictEqual(value("StartTime > '2026-11-27T13:00:00.000+01:00'"), noon)
    assert.strictEqual(value("CloseTime = '2026-11-27'"), Date.UTC(2026, 10, 27))
    assert.strictEqual(value(`StartTime > ${noon}`), noon)
    assert.strictEqual(value("ExecutionDuration > '1h30m'"), 5_400_000)
    assert.strictEqual(value("ExecutionDuration > '250ms'"), 250)
    assert.strictEqual(value("ExecutionDuration > 7"), 7)
  })

  for (
    const [text, reason] of [
      ["StartTime > 'yesterday'", "StartTime is a moment"],
      ["StartTime > '2026-13-01'", "StartTime is a moment"],
      ["ExecutionDuration > '1 hour'", "ExecutionDuration is a duration"],
      ["ExecutionStatus = 'Done'", "ExecutionStatus is one of Running, Completed"],
      ["ExecutionStatus > 'Failed'", "not in any order"],
      ["ExecutionStatus BETWEEN 'Failed' AND 'Running'", "not in any order"],
      ["StartTime STARTS_WITH '2026'", "StartTime is no text"],
      ["WorkflowType = 7", "write '7' in quotes"],
      ["Attempt = 1.5", "Attempt is a whole number"],
      ["workflowtype = 'Order'", "there is no attribute workflowtype: it is WorkflowType"],
      ["a = 1 AND NOT (b = 2 OR WorkflowId IN ('x', 1))", "WorkflowId is a text"]
    ] as const
  ) {
    it(`refuses ${text}`, () => assert.include(refusal(text), reason))
  }

  it("leaves what workflows declare as it is", () => {
    assert.deepStrictEqual(value("customer = 'ada'"), "ada")
    assert.deepStrictEqual(value("amount > 1.5"), 1.5)
  })
})
