import { assert, describe, it } from "@effect/vitest"
import type { Event } from "../../../src/core/Event.js"
import * as Patch from "../../../src/core/family/Patch.js"
import * as Replay from "../../../src/core/Replay.js"
import * as RunState from "../../../src/core/RunState.js"
import { sample } from "../commands.js"
import { covers, given } from "../given.js"

describe("Patch", () => {
  it("given nothing, MarkPatch is recorded, and nothing is pending (V1)", () => {
    const state = given().asks({ _tag: "MarkPatch", id: "p", deprecated: false }).becomes(marked)
    assert.strictEqual(RunState.pending(state), 0)
  })

  it("given nothing, a deprecated one says so (V2)", () => {
    given().asks({ _tag: "MarkPatch", id: "p", deprecated: true }).becomes(deprecated)
  })

  it("a marker is asked for by its id, deprecated or not (V2, V3)", () => {
    for (const event of [marked, deprecated]) {
      for (const flag of [true, false]) {
        assert.strictEqual(Replay.match([event], [{ _tag: "MarkPatch", id: "p", deprecated: flag }]), undefined)
      }
      assert.strictEqual(
        Replay.match([event], [{ _tag: "MarkPatch", id: "q", deprecated: false }])?.attempted,
        "patch q"
      )
    }
  })

  it("code may do without a deprecated marker, wherever it stands, and with no other (V2)", () => {
    const { runStep } = sample
    const step: Event = { _tag: "StepScheduled", seq: 1, name: "read" }
    for (const events of [[deprecated, step], [step, deprecated], [deprecated, step, { ...deprecated, id: "q" }]]) {
      assert.strictEqual(Replay.match(events, [runStep(1)]), undefined)
      assert.deepStrictEqual(Replay.inputDifferences(events, [runStep(1)]), [])
    }
    assert.strictEqual(Replay.match([marked, step], [runStep(1)])?.recorded, "patch p")
    assert.strictEqual(Replay.match([step, marked], [runStep(1)])?.recorded, "patch p")
    assert.strictEqual(Replay.match([deprecated, step], [])?.recorded, "step read #1")
    assert.strictEqual(Replay.match([deprecated], [runStep(1)])?.attempted, "step read #1")
  })

  it("an input that differs is told of, also after a marker that nobody asks for", () => {
    const { scheduleActivity } = sample
    const command = scheduleActivity(1, "new")
    const event: Event = { ...(command as { readonly scheduled: Event }).scheduled, input: "old" } as Event
    assert.lengthOf(Replay.inputDifferences([deprecated, event], [command]), 1)
  })

  it("every row of its tables is used above", () => covers(Patch))
})

const marked = { _tag: "PatchMarked", id: "p" } as const satisfies Event
const deprecated = { _tag: "PatchMarked", id: "p", deprecated: true } as const satisfies Event
