import { assert, describe, it } from "@effect/vitest"
import * as HistoryLimits from "../../src/core/HistoryLimits.js"

const past = (events: number, bytes: number) => ({ events, bytes, updates: new Map() })
const mebi = 1_048_576

describe("a history", () => {
  const reasons: ReadonlyArray<readonly [number, number, number, ReadonlyArray<HistoryLimits.Reason>]> = [
    [4_095, 4 * mebi - 1, 1_799, []],
    [4_096, 0, 0, ["HistoryEvents"]],
    [1, 4 * mebi, 0, ["HistoryBytes"]],
    [1, 0, 1_800, ["Updates"]],
    [5_000, 5 * mebi, 2_000, ["HistoryEvents", "HistoryBytes", "Updates"]]
  ]
  for (const [events, bytes, updates, expected] of reasons) {
    it(`of ${events} events, ${bytes} bytes and ${updates} updates suggests to continue: ${expected.join()} (K11)`, () =>
      assert.deepStrictEqual(HistoryLimits.reasons(events, bytes, updates), expected))
  }

  it("is warned of in the turn that passes 10,240 events or 10 MiB, and in no other (K11)", () => {
    const warns = (events: number, bytes: number, after: HistoryLimits.Past) =>
      HistoryLimits.warnings(events, bytes, after, { events: [] }).length === 1
    assert.isFalse(warns(10_238, 0, past(10_239, 10 * mebi - 1)))
    assert.isTrue(warns(10_239, 0, past(10_240, 0)))
    assert.isFalse(warns(10_240, 0, past(10_241, 0)))
    assert.isTrue(warns(1, 9 * mebi, past(2, 11 * mebi)))
    assert.isFalse(warns(2, 11 * mebi, past(3, 12 * mebi)))
  })

  it("is warned of where one payload is larger than 256 KiB, by its event (X17)", () => {
    const at = (chars: number) => {
      const events = [
        { _tag: "SignalReceived", name: "put", input: "x".repeat(chars) },
        { _tag: "ActivityScheduled", seq: 1, name: "Store", input: "x".repeat(200_000) }
      ] as const
      return HistoryLimits.warnings(1, 1, past(3, 2), { events, bytes: JSON.stringify(events).length })
    }
    assert.deepStrictEqual(at(100_000), [])
    assert.lengthOf(at(300_000), 1)
    assert.match(
      at(300_000)[0]!,
      /^event SignalReceived put holds 293 KiB, which every replay reads again; more than 2 MiB/
    )
  })

  it("ends its run at 51,200 events or 50 MiB, and says why (K11, I10)", () => {
    assert.isUndefined(HistoryLimits.exceeded(past(51_199, 50 * mebi - 1)))
    assert.strictEqual(HistoryLimits.exceeded(past(51_200, 0))!._tag, "ExecutionTerminated")
    assert.match(
      HistoryLimits.exceeded(past(7, 51 * mebi))!.reason,
      /its history has 7 events in 51\.0 MiB, and may have 51200 events and 50\.0 MiB: let such a workflow continue/
    )
  })
})
