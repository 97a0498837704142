import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import type { Event } from "../../../src/core/Event.js"
import * as Version from "../../../src/core/family/Version.js"
import * as Replay from "../../../src/core/Replay.js"
import * as RunState from "../../../src/core/RunState.js"
import { covers, given } from "../given.js"

describe("Version", () => {
  it("given nothing, no version; each assignment takes the place of the one before it (V6)", () => {
    assert.deepInclude(given().state, { version: undefined, behavior: undefined })
    assert.deepInclude(given(assigned("1"), assigned("2")).state, { version: build("2"), behavior: "Pinned" })
    assert.deepInclude(given(assigned("1"), { _tag: "VersionAssigned" }).state, {
      version: undefined,
      behavior: undefined
    })
    assert.strictEqual(RunState.pending(given(assigned("1")).state), 0)
  })

  it("comes from outside, and so is no difference to a replay (V6, V4)", () => {
    assert.isTrue(Replay.isMessageEvent(assigned("1")))
    assert.isUndefined(Replay.match([assigned("1")], []))
  })

  it("stands behind the start, and before all else (V6)", () => {
    const start: Event = { _tag: "ExecutionStarted", workflow: "W", workflowId: "w", taskQueue: "q" }
    const signal: Event = { _tag: "SignalReceived", name: "s" }
    assert.deepStrictEqual(Version.among([start, signal], assigned("1")), [start, assigned("1"), signal])
    assert.deepStrictEqual(Version.among([signal], assigned("1")), [assigned("1"), signal])
    assert.deepStrictEqual(Version.assignedIn([signal, assigned("1")]), assigned("1"))
    assert.isUndefined(Version.assignedIn([signal]))
  })

  it("has a key of its own, which names it (V6)", () => {
    const name = FastCheck.string({ minLength: 1 }).filter((text) => !text.includes(":"))
    const build = FastCheck.string({ minLength: 1 })
    FastCheck.assert(FastCheck.property(name, build, (deployment, buildId) => {
      assert.deepStrictEqual(Version.ofKey(Version.keyOf({ deployment, buildId })), { deployment, buildId })
    }))
    assert.isUndefined(Version.ofKey(""))
  })

  it("needs names of some length, and a deployment without a colon (V6)", () => {
    assert.isUndefined(Version.fault({ deployment: "shop", buildId: "1:2" }))
    for (
      const [deployment, buildId] of [["", "1"], ["a:b", "1"], ["shop", ""], ["x".repeat(201), "1"]] as const
    ) {
      assert.isString(Version.fault({ deployment, buildId }))
    }
  })

  it("covers its tables", () => covers(Version))
})

const build = (buildId: string): Version.Version => ({ deployment: "shop", buildId })

const assigned = (buildId: string): Version.VersionAssigned => ({
  _tag: "VersionAssigned",
  version: build(buildId),
  behavior: "Pinned"
})
