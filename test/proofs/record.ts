/**
 * Records the histories that are not kept yet: `npx tsx test/proofs/record.ts`. One that is kept is never written again:
 * a change that needs that is a change that breaks the runs of users.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { Client, Worker } from "perdure"
import { SqliteStore, Store } from "perdure/sqlite"
import { v7 as uuidv7 } from "uuid"
import * as Messages from "../../src/core/Message.js"
import { DoLive, fileOf, layers, recordings, sumsFile, workflows } from "./Golden.js"

const { version } = JSON.parse(fs.readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string
}

const record = (name: string) =>
  Effect.gen(function*() {
    const { before = [], input, then, workflow } = recordings[name]!
    const store = yield* Store
    const runId = uuidv7()
    const now = Date.now()
    const body = { workflow, workflowId: name, taskQueue: "golden", ...(input === undefined ? {} : { input }) }
    yield* store.create(
      { runId, workflowId: name, workflow, taskQueue: "golden", startedAt: now },
      { runId, kind: "Start", body: Messages.encode({ _tag: "Start", ...body }) }
    )
    const post = (sent: (typeof before)[number]) =>
      store.post({ runId, kind: sent._tag, body: Messages.encode(sent) }, now)
    yield* Effect.forEach(before, post)
    yield* Effect.gen(function*() {
      const handle = (yield* Client).handle(workflows[workflow], name, runId)
      if (then !== undefined) {
        yield* Effect.repeat(handle.history, {
          until: (turns) => turns.length >= then.turns,
          schedule: Schedule.spaced("5 millis")
        })
        yield* post(then.sent)
      }
      yield* Effect.exit(handle.result)
    }).pipe(
      Effect.provide(
        Worker.layer({ taskQueue: "golden", shutdownGrace: 0, hosts: [layers[workflow], DoLive] }).pipe(
          Layer.provide(Layer.succeed(Store, store))
        )
      )
    )
    const rows = (yield* store.history(runId, 0, 1_000)).map(({ at, events, format, turn }) => ({
      turn,
      at,
      format,
      events: JSON.parse(events) as ReadonlyArray<unknown>
    }))
    const text = `${JSON.stringify({ recordedBy: `perdure ${version}`, runId, rows }, undefined, 2)}\n`
    // Fails where there is one already.
    fs.writeFileSync(fileOf(name), text, { flag: "wx" })
    fs.appendFileSync(sumsFile, `${createHash("sha256").update(text).digest("hex")}  ${name}\n`)
    yield* Effect.logInfo(`${name}: ${rows.length} turns`)
  }).pipe(Effect.provide(SqliteStore.layer({ filename: ":memory:" })))

const missing = Object.keys(recordings).filter((name) => !fs.existsSync(fileOf(name)))
await Effect.runPromise(Effect.scoped(Effect.forEach(missing, record, { discard: true })))
