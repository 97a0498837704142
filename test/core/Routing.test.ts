/**
 * Routing (V6): who takes which run, and what runs hand on to others, as decisions on data.
 */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import type { Routing, Share } from "../../src/core/Routing.js"
import * as Routings from "../../src/core/Routing.js"

const build = (buildId: string, deployment = "shop") => ({ deployment, buildId })
const routing = (change: Partial<Routing> = {}): Routing => ({
  deployment: "shop",
  current: undefined,
  ramping: undefined,
  ramp: 0,
  ...change
})
const part = ({ from, to }: Share) => from >= to ? "none" : `${from} to ${to}`

describe("the share of a worker", () => {
  it("without any routing, is all for one without a version, and nothing for one with (V6)", () => {
    assert.strictEqual(Routings.shareOf(undefined, undefined), Routings.unversioned)
    assert.strictEqual(part(Routings.shareOf(undefined, build("1"))), "none")
  })

  it("is the current build's, but for what ramps; of another deployment it is nothing (V6)", () => {
    const shares = (given: Routing) =>
      [undefined, build("1"), build("2"), build("1", "other")].map((version) => part(Routings.shareOf(given, version)))
    const [all, none] = ["0 to 10000", "none"]
    assert.deepStrictEqual(shares(routing({ current: "1" })), [none, all, none, none])
    assert.deepStrictEqual(shares(routing()), [all, none, none, none])
    assert.deepStrictEqual(shares(routing({ current: "1", ramping: "2", ramp: 2_500 })), [
      none,
      "2500 to 10000",
      "0 to 2500",
      none
    ])
    // From workers without a version to the first one that has one.
    assert.deepStrictEqual(shares(routing({ ramping: "2", ramp: 100 })), ["100 to 10000", none, "0 to 100", none])
    assert.deepStrictEqual(shares(routing({ current: "1", ramping: "1", ramp: 5 })), [none, all, none, none])
    assert.deepStrictEqual(shares(routing({ current: "1", ramping: "2", ramp: 10_000 })), [none, none, all, none])
  })

  it("of all workers together holds each run once, pinned or not (V6)", () => {
    const buildId = FastCheck.option(FastCheck.constantFrom("1", "2"), { nil: undefined })
    const property = FastCheck.property(
      FastCheck.option(
        FastCheck.record({ current: buildId, ramping: buildId, ramp: FastCheck.integer({ min: 0, max: 10_000 }) }),
        { nil: undefined }
      ),
      FastCheck.string(),
      FastCheck.constantFrom("", "shop:1", "shop:2", "other:1"),
      (drawn, workflowId, pinnedTo) => {
        const given = drawn === undefined ? undefined : routing(drawn)
        const workers = [undefined, build("1"), build("2"), build("1", "other")]
        const holders = workers.filter((version) =>
          Routings.holds(Routings.shareOf(given, version), { workflowId, pinnedTo })
        )
        assert.lengthOf(holders, 1)
        if (pinnedTo !== "") assert.strictEqual(Routings.shareOf(given, holders[0]).pinnedTo, pinnedTo)
      }
    )
    FastCheck.assert(property)
  })
})

describe("the bucket of a workflow id", () => {
  it("is the same for ever, and spread over all of them (V6)", () => {
    // Recorded: another hash would move runs that are on a ramp.
    assert.deepStrictEqual(["", "order-1", "order-2", "änderung"].map(Routings.bucketOf), recorded)
    const counts = Array.from({ length: 10 }, () => 0)
    for (let i = 0; i < 20_000; i++) counts[Math.floor(Routings.bucketOf(`order-${i}`) / 1_000)]!++
    for (const count of counts) assert.closeTo(count, 2_000, 200)
  })
})

describe("a run is pinned", () => {
  it("by an override before its code, and by its start until a worker has had it (V6)", () => {
    const pinned = { version: build("1"), behavior: "Pinned" } as const
    const moving = { version: build("1"), behavior: "AutoUpgrade" } as const
    assert.strictEqual(Routings.pinnedTo({}, pinned), "shop:1")
    assert.strictEqual(Routings.pinnedTo({ pinnedTo: "shop:9" }, moving), "")
    assert.strictEqual(Routings.pinnedTo({ pinnedTo: "shop:9" }, {}), "shop:9")
    assert.strictEqual(Routings.pinnedTo({ override: "Pinned", pinnedTo: "shop:9" }, moving), "shop:9")
    assert.strictEqual(Routings.pinnedTo({ override: "AutoUpgrade", pinnedTo: "" }, pinned), "")
    assert.strictEqual(Routings.startsAt({}), "")
    assert.strictEqual(Routings.startsAt({ inherited: build("1") }), "shop:1")
    assert.strictEqual(Routings.startsAt({ inherited: build("1"), override: { behavior: "AutoUpgrade" } }), "")
  })
})

describe("what a run hands on", () => {
  const ways = ["Child", "Continued", "Retried", "Recurring"] as const
  const handed = (handing: Routings.Handing, sameQueue = true) =>
    ways.map((way) => {
      const { inherited, override } = Routings.handedOn(handing, way, sameQueue)
      return `${inherited?.buildId ?? "-"} ${override?.version?.buildId ?? "-"}`
    })
  const pinned = { version: build("1"), behavior: "Pinned" } as const
  const moving = { version: build("1"), behavior: "AutoUpgrade" } as const

  it("is its version where its code pins it: to children and continuations (V6)", () => {
    assert.deepStrictEqual(handed({ standing: {}, slice: pinned }), ["1 -", "1 -", "- -", "- -"])
  })

  it("goes to the next attempt only where it was handed to itself (V6)", () => {
    assert.deepStrictEqual(handed({ standing: {}, slice: pinned, inherited: build("1") }), [
      "1 -",
      "1 -",
      "1 -",
      "- -"
    ])
  })

  it("is an override that pins, to all; and none that lets it move (V6)", () => {
    const standing = { override: "Pinned", pinnedTo: "shop:9" } as const
    assert.deepStrictEqual(handed({ standing, slice: moving }), ["- 9", "- 9", "- 9", "- 9"])
    assert.deepStrictEqual(handed({ standing, slice: pinned }), ["1 9", "1 9", "- 9", "- 9"])
    assert.deepStrictEqual(handed({ standing: { override: "AutoUpgrade", pinnedTo: "" }, slice: pinned }), [
      "- -",
      "- -",
      "- -",
      "- -"
    ])
  })

  it("is nothing where it moves, or to another task queue (V6)", () => {
    assert.deepStrictEqual(handed({ standing: {}, slice: moving }), ["- -", "- -", "- -", "- -"])
    assert.deepStrictEqual(handed({ standing: {}, slice: pinned }, false), ["- -", "- -", "- -", "- -"])
  })
})

const recorded: ReadonlyArray<number> = [4252, 7820, 4580, 2687]
