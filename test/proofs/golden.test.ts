/**
 * Histories that earlier versions wrote, replayed for ever (I6): what they recorded is what the code still does, input
 * for input. New ones come from `record.ts`; a kept one is never written again.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import type { Turn } from "../../src/core/Event.js"
import * as Events from "../../src/core/Event.js"
import * as Audit from "../../src/testing/durable/Audit.js"
import { fileOf, Kept, layers, recordings, sumsFile } from "./Golden.js"
import * as Replays from "./Replays.js"

describe("a kept history", () => {
  for (const [name, { workflow }] of Object.entries(recordings)) {
    it(`${name}: is replayed by the code of today`, () => {
      const { runId, turns } = read(name)
      assert.deepStrictEqual(Audit.history(turns), [])
      const body = Replays.make(Replays.hostOf(layers[workflow]), Replays.nameOf(runId, turns))
      body.take(turns)
      assert.isDefined(body.state.closed, "it is a whole history")
      body.interpreter.evict()
    })

    it(`${name}: is not replayed by other code`, () => {
      const { runId, turns } = read(name)
      const other = layers[workflow === "Canceled" ? "Steps" : "Canceled"]
      const body = Replays.make(Replays.hostOf(other), Replays.nameOf(runId, turns))
      assert.throws(() => body.take(turns), /recorded: .*\n +attempted: |no longer known/)
      body.interpreter.evict()
    })
  }

  it("holds each kind of event", () => {
    const kept = Object.keys(recordings).flatMap((name) => read(name).turns.flatMap(({ events }) => events))
    const tags = Events.Event.members.map(({ ast }) => tagIn(ast))
    const missing = tags.filter((tag) => !kept.some(({ _tag }) => _tag === tag))
    assert.deepStrictEqual(missing, [], "record a history that has it: Golden.ts, record.ts")
  })

  it("is never written again", () => {
    const sums = fs.readFileSync(sumsFile, "utf8").trim().split("\n").map((line) => {
      const [sum, ...name] = line.split("  ")
      return [name.join("  "), sum] as const
    })
    const now = sums.map(([name]) =>
      [name, createHash("sha256").update(fs.readFileSync(fileOf(name))).digest("hex")] as const
    )
    assert.deepStrictEqual(now, sums)
    assert.includeMembers(sums.map(([name]) => name), Object.keys(recordings))
  })
})

const tagIn = (ast: SchemaAST.AST): unknown => {
  const tag = SchemaAST.getPropertySignatures(ast).find(({ name }) => name === "_tag")?.type
  return tag !== undefined && SchemaAST.isLiteral(tag) ? tag.literal : assert.fail("an event has no tag")
}

const read = (name: string): { readonly runId: string; readonly turns: ReadonlyArray<Turn> } => {
  const { rows, runId } = Effect.runSync(
    Schema.decodeUnknown(Schema.parseJson(Kept))(fs.readFileSync(fileOf(name), "utf8"))
  )
  const turns = rows.map((row) => ({
    turn: row.turn,
    at: row.at,
    events: Either.getOrThrow(Events.decode({ ...row, events: JSON.stringify(row.events) }))
  }))
  return { runId, turns }
}
