/**
 * What the database itself can do: bare better-sqlite3 writes the rows that `throughput` wrote, in transactions of the
 * same sizes, into a file with the same schema, on a connection with the same settings. It only writes: no fence is
 * asked for, nothing is run. The rows of `throughput`'s own warm-up go in before, untimed.
 *
 * A history row tells of the rest of its turn: the run's row with the first turn, a task in for each activity scheduled
 * and out for each one completed, the run's row updated by the last turn.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import type { Given, Scenario } from "../Scenario.js"
import { role, store } from "../Scenario.js"

interface Source {
  /** The database that `throughput` left. */
  readonly source: string
  /** History rows of each transaction. */
  readonly commits: ReadonlyArray<number>
  /** How many of them to leave untimed. */
  readonly warmUpCommits: number
}

export const write = role("limit", "write", (given: Given<Source>) =>
  Effect.gen(function*() {
    // The store makes the file, so that both write to the same schema, and tells how it sets its connection up.
    const settings = yield* Effect.provide(readSettings, store(given))
    return yield* Effect.acquireUseRelease(
      Effect.sync(() => new Sqlite(given.filename)),
      (db) => Effect.sync(() => ({ millis: writeAll(db, given.args, settings) })),
      (db) => Effect.sync(() => db.close())
    )
  }))

/** Settings of a connection that writing depends on. */
const names = [
  "journal_mode",
  "synchronous",
  "wal_autocheckpoint",
  "journal_size_limit",
  "cache_size",
  "mmap_size",
  "temp_store"
] as const

type Settings = ReadonlyArray<readonly [name: string, value: string]>

const readSettings: Effect.Effect<Settings, SqlError, SqlClient> = Effect.flatMap(
  SqlClient,
  (sql) =>
    Effect.forEach(
      names,
      (name) =>
        Effect.map(sql.unsafe<Record<string, unknown>>(`PRAGMA ${name}`), (rows) =>
          [name, rows.length === 0 ? "" : String(Object.values(rows[0]!)[0])] as const)
    )
)

const writeAll = (db: Sqlite.Database, args: Source, settings: Settings): number => {
  const turns = turnsOf(args.source)
  for (const [name, value] of settings) if (value !== "") db.pragma(`${name} = ${value}`)
  const texts = {
    create: `INSERT INTO perdure_runs (run_id, workflow_id, workflow, task_queue, status, owner, epoch, wake_at,
      started_at, attention) VALUES (?, ?, ?, ?, 'Running', ?, 1, NULL, ?, NULL)`,
    history: "INSERT INTO perdure_history (run_id, turn, at, format, events) VALUES (?, ?, ?, ?, ?)",
    add: `INSERT INTO perdure_activity_tasks (run_id, seq, turn, task_queue, state, worker, attempt, scheduled_at,
      due_at, expires_at, started_at, cancel_requested) VALUES (?, ?, ?, ?, 'started', ?, 1, ?, ?, NULL, ?, 0)`,
    remove: "DELETE FROM perdure_activity_tasks WHERE run_id = ? AND seq = ?",
    close: "UPDATE perdure_runs SET status = ?, closed_at = ?, owner = NULL, wake_at = NULL WHERE run_id = ?"
  }
  const prepared = {
    create: db.prepare(texts.create),
    history: db.prepare(texts.history),
    add: db.prepare(texts.add),
    remove: db.prepare(texts.remove),
    close: db.prepare(texts.close)
  }
  const begin = db.prepare("BEGIN IMMEDIATE")
  const commit = db.prepare("COMMIT")
  let next = 0
  let begun = performance.now()
  args.commits.forEach((rows, index) => {
    if (index === args.warmUpCommits) begun = performance.now()
    begin.run()
    for (const end = next + rows; next < end; next++) {
      for (const [statement, params] of turns[next]!) prepared[statement].run(params)
    }
    commit.run()
  })
  const taken = performance.now() - begun
  if (next !== turns.length) throw new Error(`${turns.length} turns were recorded, and ${next} committed`)
  return taken
}

type Write = readonly ["create" | "history" | "add" | "remove" | "close", ReadonlyArray<string | number | null>]

interface Row {
  readonly run_id: string
  readonly turn: number
  readonly at: number
  readonly format: number
  readonly events: string
  readonly workflow_id: string
  readonly workflow: string
  readonly task_queue: string
  readonly status: string
  readonly started_at: number
  readonly closed_at: number
}

/** What each turn wrote, in the order in which they were committed. */
const turnsOf = (source: string): ReadonlyArray<ReadonlyArray<Write>> => {
  const db = new Sqlite(source, { readonly: true })
  const rows = db.prepare(
    "SELECT * FROM perdure_history JOIN perdure_runs USING (run_id) ORDER BY perdure_history.rowid"
  )
    .all() as ReadonlyArray<Row>
  db.close()
  // The worker's own is gone with it; any name of its length will do.
  const worker = "00000000-0000-4000-8000-000000000000"
  return rows.map((row) => {
    const { at, run_id: run, turn } = row
    const writes: Array<Write> = []
    if (turn === 1) {
      writes.push(["create", [run, row.workflow_id, row.workflow, row.task_queue, worker, row.started_at]])
    }
    writes.push(["history", [run, turn, at, row.format, row.events]])
    for (const event of JSON.parse(row.events) as ReadonlyArray<{ readonly _tag: string; readonly seq: number }>) {
      if (event._tag === "ActivityScheduled") {
        writes.push(["add", [run, event.seq, turn, row.task_queue, worker, at, at, at]])
      } else if (event._tag === "ActivityCompleted") {
        writes.push(["remove", [run, event.seq]])
      } else if (event._tag === "ExecutionCompleted") {
        writes.push(["close", [row.status, row.closed_at, run]])
      }
    }
    return writes
  })
}

export const scenario: Scenario = {
  name: "limit",
  metrics: ["steps_per_s"],
  roles: [write],
  run: (bench) =>
    Effect.map(bench.figuresOf("throughput"), (figures) => ({ steps_per_s: figures["limit_steps_per_s"]! }))
}
