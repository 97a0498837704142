import { assert, describe, it } from "@effect/vitest"
import type { Event } from "../../../src/core/Event.js"
import * as Notes from "../../../src/core/family/Notes.js"
import * as Replay from "../../../src/core/Replay.js"
import { covers, given } from "../given.js"

describe("Notes", () => {
  it("given a memo, fields are set and removed, and the others stay (W12)", () => {
    const state = given(started).asks({ _tag: "UpsertMemo", fields: [{ name: "a" }, { name: "c", value: 3 }] })
      .becomes({ _tag: "MemoUpserted", fields: [{ name: "a" }, { name: "c", value: 3 }] })
    assert.deepStrictEqual(Notes.after(state), {
      memo: [{ name: "b", value: 2 }, { name: "c", value: 3 }],
      searchAttributes: [region],
      summary: "one"
    })
  })

  it("given a field that was removed, it can be set again; removing what is not there leaves an event (W12)", () => {
    const gone = { _tag: "MemoUpserted", fields: [{ name: "z" }] } as const
    const state = given(started, gone).asks({ _tag: "UpsertMemo", fields: [{ name: "z", value: 0 }] })
      .becomes({ _tag: "MemoUpserted", fields: [{ name: "z", value: 0 }] })
    assert.deepInclude(Notes.after(state).memo ?? [], { name: "z", value: 0 })
  })

  it("given attributes, they are set and removed likewise (W13)", () => {
    const attributes = [{ name: "region", type: "keyword" }, { name: "total", type: "double", value: 1.5 }] as const
    const state = given(started).asks({ _tag: "UpsertSearchAttributes", attributes })
      .becomes({ _tag: "SearchAttributesUpserted", attributes })
    assert.deepStrictEqual(Notes.after(state).searchAttributes, [attributes[1]])
  })

  it("a run without any hands nothing on, and has no rows", () => {
    assert.deepStrictEqual(Notes.after(given().state), {})
    assert.deepStrictEqual(Notes.rows({}), {})
  })

  it("an upsert is known by its names, and its values are its input (V4)", () => {
    const recorded: Event = { _tag: "MemoUpserted", fields: [{ name: "a", value: 1 }] }
    const attempt = (fields: ReadonlyArray<Notes.MemoField>) => ({ _tag: "UpsertMemo", fields }) as const
    assert.strictEqual(Replay.match([recorded], [attempt([{ name: "a", value: 2 }])]), undefined)
    assert.lengthOf(Replay.inputDifferences([recorded], [attempt([{ name: "a", value: 2 }])]), 1)
    assert.strictEqual(Replay.match([recorded], [attempt([{ name: "b" }])])?.recorded, "change of memo a")
    const searched: Event = { _tag: "SearchAttributesUpserted", attributes: [region] }
    const other = { _tag: "UpsertSearchAttributes", attributes: [{ name: "x", type: "int", value: 1 }] } as const
    assert.strictEqual(Replay.match([searched], [other])?.attempted, "change of search attributes x")
    assert.lengthOf(
      Replay.inputDifferences([searched], [{ ...other, attributes: [{ ...region, value: "us" }] }]),
      1
    )
  })

  it("every row of its tables is used above", () => covers(Notes))
})

const region = { name: "region", type: "keyword", value: "eu" } as const
const started: Event = {
  _tag: "ExecutionStarted",
  workflow: "W",
  workflowId: "w",
  taskQueue: "q",
  memo: [{ name: "a", value: 1 }, { name: "b", value: 2 }],
  searchAttributes: [region],
  summary: "one"
}
