/**
 * Records the histories that are not kept yet: `npx tsx test/proofs/record.ts`. One that is kept is never written again:
 * a change that needs that is a change that breaks the runs of users.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { Client, Worker } from "perdure"
import { SqliteStore, Store } from "perdure/sqlite"
import { v7 as uuidv7 } from "uuid"
import * as Messages from "../../src/core/Message.js"
import * as Succession from "../../src/core/Succession.js"
import * as Successor from "../../src/runtime/execution/Successor.js"
import type { Message } from "./Golden.js"
import { called, fileOf, layers, recordings, sumsFile, workflows } from "./Golden.js"

const { version } = JSON.parse(fs.readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string
}

const record = (name: string) =>
  Effect.gen(function*() {
    const { before = [], ends, follows, input, terms = {}, then, version: build, workflow } = recordings[name]!
    const store = yield* Store
    const runId = uuidv7()
    const now = Date.now()
    const subject = {
      workflow,
      workflowId: name,
      taskQueue: "golden",
      ...(input === undefined ? {} : { input }),
      ...(build === undefined ? {} : { override: { behavior: "Pinned" as const, version: build } })
    }
    const start = Succession.first(subject, terms, now)
    yield* store.create(Successor.rowOf(runId, start, now), { runId, kind: "Start", body: Messages.encode(start) })
    const post = (sent: Message) => store.post({ runId, kind: sent._tag, body: Messages.encode(sent) }, now)
    yield* Effect.forEach(before, (sent) => post(sent))
    yield* Effect.gen(function*() {
      const handle = (yield* Client).handle(workflows[workflow], name, runId)
      if (then !== undefined) {
        yield* Effect.repeat(handle.history, {
          until: (turns) => turns.length >= then.turns,
          schedule: Schedule.spaced("5 millis")
        })
        const { sent } = then
        if (sent._tag === "Terminate") yield* handle.terminate("as it is recorded")
        else if (sent._tag === "Reset") yield* handle.reset({ turn: sent.turn, reason: "as it is recorded" })
        else yield* post(sent)
      }
      if (ends !== undefined) {
        yield* Effect.repeat(store.findLatest(ends), {
          until: (found) =>
            Option.isSome(found) && found.value.turn >= (then?.turns ?? 1) && found.value.runId !== runId,
          schedule: Schedule.spaced("5 millis")
        })
        const { runId: of } = yield* Effect.flatten(store.findLatest(ends))
        yield* (yield* Client).handle(workflows.Endless, ends, of).terminate("as it is recorded")
      }
      yield* Effect.exit(handle.result)
    }).pipe(
      Effect.provide(
        Worker.layer({
          version: build === undefined ? undefined : { ...build, defaultBehavior: "Pinned" },
          taskQueue: "golden",
          shutdownGrace: 0,
          hosts: [layers[workflow], ...called]
        }).pipe(
          Layer.provide(Layer.succeed(Store, store))
        )
      )
    )
    const runs = yield* store.runs({ limit: 10 })
    const kept = follows === true ? runs.find((run) => run.workflowId === name && run.runId !== runId)!.runId : runId
    const rows = (yield* store.history(kept, 0, 1_000)).map(({ at, events, format, turn }) => ({
      turn,
      at,
      format,
      events: JSON.parse(events) as ReadonlyArray<unknown>
    }))
    const text = `${JSON.stringify({ recordedBy: `perdure ${version}`, runId: kept, rows }, undefined, 2)}\n`
    // Fails where there is one already.
    fs.writeFileSync(fileOf(name), text, { flag: "wx" })
    fs.appendFileSync(sumsFile, `${createHash("sha256").update(text).digest("hex")}  ${name}\n`)
    yield* Effect.logInfo(`${name}: ${rows.length} turns`)
  }).pipe(Effect.provide(SqliteStore.layer({ filename: ":memory:" })))

const missing = Object.keys(recordings).filter((name) => !fs.existsSync(fileOf(name)))
await Effect.runPromise(Effect.scoped(Effect.forEach(missing, record, { discard: true })))
