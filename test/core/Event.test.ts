import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Event from "../../src/core/Event.js"
import { event, events } from "./arbitrary.js"

describe("Event", () => {
  it("I6: every event comes back from its stored form as it was", () => {
    FastCheck.assert(
      FastCheck.property(events, (list) => {
        assert.deepStrictEqual(decode(Event.encode(list)), Either.right(list))
      }),
      { numRuns: 500 }
    )
  })

  it("the arbitrary makes every kind of event there is", () => {
    const made = new Set(FastCheck.sample(event, 1_000).map(({ _tag }) => _tag))
    assert.strictEqual(made.size, Event.Event.members.length)
  })

  it("no two families use one name for an event", () => {
    const tags = Event.Event.members.map((member) => member.fields._tag.ast.toString())
    assert.strictEqual(new Set(tags).size, tags.length)
  })

  it("an undefined result is absent in the stored form", () => {
    assert.strictEqual(
      Event.encode([{ _tag: "UpdateCompleted", id: "u1", result: undefined }]),
      `[{"_tag":"UpdateCompleted","id":"u1"}]`
    )
  })

  it("a field of a later version is kept, and not in the way", () => {
    assert.deepStrictEqual(
      decode(`[{"_tag":"TimerFired","seq":1,"of":"tomorrow"}]`),
      Either.right([{ _tag: "TimerFired", seq: 1, of: "tomorrow" } as never])
    )
  })

  it("a declared failure whose encoded error is undefined can be read back", () => {
    const failed: Event.Event = {
      _tag: "ActivityFailed",
      seq: 1,
      attempt: 1,
      failure: { _tag: "Declared", type: "Gone", message: "", error: undefined },
      retryState: "NonRetryableFailure"
    }
    assert.isTrue(Either.isRight(decode(Event.encode([failed]))))
  })

  describe("a row that cannot be read says why, and of which turn it is", () => {
    const unreadable: ReadonlyArray<readonly [string, string, RegExp]> = [
      ["bad JSON", `[{"_tag":"TimerFired"`, /^history row of turn 7 cannot be read: not JSON \(.+\)$/],
      ["an empty row", "", /^history row of turn 7 cannot be read: not JSON \(.+\)$/],
      ["no list", `{"_tag":"TimerFired","seq":1}`, /^history row of turn 7 cannot be read: not a list of events$/],
      ["null", "null", /^history row of turn 7 cannot be read: not a list of events$/],
      ["a field of another type", `[{"_tag":"TimerFired","seq":"1"}]`, /turn 7 [^]*\["seq"\][^]*number, actual "1"/],
      ["a missing field", `[{"_tag":"TimerStarted","seq":1}]`, /turn 7 [^]*\["dueAt"\][^]*is missing/],
      ["an unknown event", `[{"_tag":"TimerExploded","seq":1}]`, /turn 7 [^]*\["_tag"\][^]*actual "TimerExploded"/],
      ["an event without a kind", `[{"seq":1}]`, /turn 7 [^]*\["_tag"\][^]*is missing/],
      ["something that is no event", `[1]`, /turn 7 [^]*\[0\][^]*actual 1/],
      [
        "a fault deep in a failure",
        `[{"_tag":"ExecutionFailed","failure":{"_tag":"Application","type":"A","message":"","cause":{"_tag":"Canceled"}}}]`,
        /turn 7 [^]*\["failure"\][^]*\["cause"\][^]*\["message"\][^]*is missing/
      ]
    ]
    for (const [what, stored, reason] of unreadable) {
      it(what, () => assert.match(left(decode(stored)), reason))
    }

    it("a newer format", () => {
      assert.strictEqual(
        left(Event.decode({ turn: 7, format: Event.format + 1, events: "[]" })),
        "history row of turn 7 cannot be read: it has format 2, this version of perdure reads up to 1: upgrade it"
      )
    })
  })

  // A history that grew up: format 0 had no attempts, format 1 called timers alarms.
  describe("upcasting", () => {
    type Raw = Readonly<Record<string, unknown>>
    const each = (change: (raw: Raw) => unknown) => (raw: ReadonlyArray<unknown>) =>
      raw.map((one) => change(one as Raw))
    const known = {
      format: 2,
      upcasters: {
        0: each((raw) => raw["_tag"] === "ActivityCompleted" ? { ...raw, attempt: 1 } : raw),
        1: each((raw) => raw["_tag"] === "AlarmRang" ? { ...raw, _tag: "TimerFired" } : raw)
      }
    }
    const rows = [
      [0, `[{"_tag":"ActivityCompleted","seq":1},{"_tag":"AlarmRang","seq":2}]`],
      [1, `[{"_tag":"ActivityCompleted","seq":1,"attempt":1},{"_tag":"AlarmRang","seq":2}]`],
      [2, `[{"_tag":"ActivityCompleted","seq":1,"attempt":1},{"_tag":"TimerFired","seq":2}]`]
    ] as const
    for (const [format, stored] of rows) {
      it(`a row of format ${format} reads as one of format 2`, () => {
        assert.deepStrictEqual(
          Event.decode({ turn: 1, format, events: stored }, known),
          Either.right([{ _tag: "ActivityCompleted", seq: 1, attempt: 1 }, { _tag: "TimerFired", seq: 2 }])
        )
      })
    }

    it("a row that needs a step which is not known says which", () => {
      const { 1: last } = known.upcasters
      assert.strictEqual(
        left(Event.decode({ turn: 7, format: 0, events: "[]" }, { format: 2, upcasters: { 1: last } })),
        "history row of turn 7 cannot be read: no way is known from format 0 to 1"
      )
    })

    it("a step that throws says which, and does not throw", () => {
      const upcasters = {
        0: () => {
          throw new Error("no seq")
        }
      }
      assert.strictEqual(
        left(Event.decode({ turn: 7, format: 0, events: "[{}]" }, { format: 1, upcasters })),
        "history row of turn 7 cannot be read: the way from format 0 to 1 failed (no seq)"
      )
    })

    it("what a step gives is checked like any other row", () => {
      const upcasters = { 0: () => [{ _tag: "TimerFired" }] }
      assert.match(
        left(Event.decode({ turn: 7, format: 0, events: "[]" }, { format: 1, upcasters })),
        /turn 7 [^]*\["seq"\][^]*is missing/
      )
    })
  })
})

const decode = (stored: string) => Event.decode({ turn: 7, format: Event.format, events: stored })

const left = (result: Either.Either<unknown, Event.UnreadableTurn>): string =>
  Either.match(result, { onLeft: (error) => error.message, onRight: () => "read" })
