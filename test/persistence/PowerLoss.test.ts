/**
 * Goal: a power cut loses no turn that was acknowledged, and leaves no half of one (I3).
 *
 * Method: the log is cut where a power cut may cut it, at any byte, torn or filled with what was on the disk before, and
 * the file is opened again. What had been synced when a commit was acknowledged is never cut: that is what `power-loss`
 * buys. `process-crash` syncs nothing by itself, so its log may be cut anywhere: it must reopen to an earlier state.
 */
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as fs from "node:fs"
import * as SqliteStore from "../../src/persistence/sqlite/SqliteStore.js"
import type { Durability } from "../../src/persistence/Store.js"
import { done, first, queued, signal, staffed, turn } from "./contract/Samples.js"
import * as Folder from "./Folder.js"

/** What the files held when each commit was acknowledged: the log's length, by the number of turns. */
interface Recorded {
  readonly main: Buffer
  readonly log: Buffer
  readonly ends: ReadonlyArray<number>
}

const turnsMax = 12

const record = (durability: Durability) =>
  Effect.gen(function*() {
    const folder = yield* Folder.make
    const filename = folder.file("lived.db")
    return yield* Effect.gen(function*() {
      const ends = [fs.statSync(`${filename}-wal`).size]
      yield* done([first("r1", { tasksAdded: [queued(1)], mail: [signal("r1")] })])
      ends.push(fs.statSync(`${filename}-wal`).size)
      for (let number = 2; number <= turnsMax; number++) {
        yield* done([
          turn("r1", number, {
            tasksAdded: [queued(number)],
            tasksRemoved: [number - 1],
            wake: { at: number },
            // Of different lengths, so that pages split at different places.
            history: { turn: number, at: number, format: 1, events: `["${"x".repeat(number * 397)}"]` }
          })
        ])
        ends.push(fs.statSync(`${filename}-wal`).size)
      }
      return { main: fs.readFileSync(filename), log: fs.readFileSync(`${filename}-wal`), ends } as Recorded
    }).pipe(Effect.provide(staffed(SqliteStore.layer({ filename, durability }))))
  })

/** The run as the files tell it once they are opened again: its turns, its one task, its wake-up. */
const reopened = (filename: string, main: Buffer, log: Buffer) => {
  fs.writeFileSync(filename, main)
  fs.writeFileSync(`${filename}-wal`, log)
  fs.rmSync(`${filename}-shm`, { force: true })
  const db = new Sqlite(filename)
  try {
    assert.strictEqual(db.pragma("integrity_check", { simple: true }), "ok")
    const tables = db.prepare("SELECT count(*) FROM sqlite_master WHERE name = 'perdure_history'").pluck().get()
    if (tables === 0) return 0
    const turns = db.prepare("SELECT turn FROM perdure_history ORDER BY turn").pluck().all() as Array<number>
    const tasks = db.prepare("SELECT seq FROM perdure_activity_tasks").pluck().all() as Array<number>
    const wakes = db.prepare("SELECT wake_at FROM perdure_runs").pluck().all()
    const last = turns.length
    // All of a commit, or none of it.
    assert.deepStrictEqual(turns, Array.from({ length: last }, (_, index) => index + 1))
    assert.deepStrictEqual(tasks, last === 0 ? [] : [last])
    assert.deepStrictEqual(wakes, last === 0 ? [] : [last === 1 ? null : last])
    return last
  } finally {
    db.close()
  }
}

/** How the log ends after the cut: there, in zeros, or in what the disk held before. */
const tails = ["cut", "zeros", "garbage"] as const
const after = (log: Buffer, cut: number, tail: typeof tails[number]): Buffer => {
  if (tail === "cut") return log.subarray(0, cut)
  const torn = Buffer.from(log)
  torn.fill(tail === "zeros" ? 0 : 0xa5, cut)
  return torn
}

const frames = (log: Buffer): ReadonlyArray<number> => {
  const frame = 24 + log.readUInt32BE(8)
  return Array.from({ length: Math.floor((log.length - 32) / frame) + 1 }, (_, n) => 32 + n * frame)
}

describe("a power cut", () => {
  it.scopedLive(
    "takes no turn that was acknowledged at power-loss, wherever it cuts what was not yet",
    () =>
      Effect.gen(function*() {
        const { ends, log, main } = yield* record("power-loss")
        const scratch = (yield* Folder.make).file("cut.db")
        const cuts = frames(log).flatMap((at) => [at, at + 1, at + 23, at + 2_000])
        for (const cut of cuts.filter((at) => at <= log.length)) {
          const acknowledged = ends.filter((end) => end <= cut).length - 1
          for (const tail of tails) {
            const turns = reopened(scratch, main, after(log, cut, tail))
            assert.isAtLeast(turns, Math.max(0, acknowledged), `${tail} at ${cut}`)
            assert.isAtMost(turns, Math.max(0, acknowledged) + 1, `${tail} at ${cut}`)
          }
        }
      }),
    60_000
  )

  it.scopedLive(
    "at process-crash leaves an earlier state, whole, whichever bytes of the log it takes",
    () =>
      Effect.gen(function*() {
        const { log, main } = yield* record("process-crash")
        const scratch = (yield* Folder.make).file("cut.db")
        FastCheck.assert(
          FastCheck.property(FastCheck.nat(log.length), FastCheck.constantFrom(...tails), (cut, tail) => {
            const turns = reopened(scratch, main, after(log, cut, tail))
            assert.isAtMost(turns, turnsMax)
          }),
          { numRuns: 200 }
        )
        assert.strictEqual(reopened(scratch, main, log), turnsMax)
      }),
    60_000
  )
})
