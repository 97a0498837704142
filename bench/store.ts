/**
 * What a group commit costs: batches through the Store, against prepared statements on the bare driver that write the
 * same rows in as many transactions. Run: npx tsx bench/store.ts
 */
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as Path from "node:path"
import { SqliteStore, Store } from "perdure/sqlite"
import type { Durability } from "perdure/sqlite"
import type { TurnCommit } from "../src/persistence/Store.js"

const runIds = Array.from({ length: 1000 }, (_, n) => `0190c5a8-0000-7000-8000-${String(n).padStart(12, "0")}`)
const events = JSON.stringify([
  { _tag: "ActivityCompleted", seq: 3, result: { ok: true, amount: 1200, items: ["a", "b", "c"] } },
  { _tag: "ActivityScheduled", seq: 4, name: "ChargeCard", input: { orderId: "order-12345", note: "x".repeat(110) } }
])
const worker = "worker-1"
const now = 1_700_000_000_000

/** Turn `turn` of the run: takes in the outcome of one activity, schedules the next. */
const turnOf = (runId: string, turn: number): TurnCommit => ({
  runId,
  epoch: 1,
  create: turn === 1
    ? { runId, workflowId: `order-${runId}`, workflow: "Order", taskQueue: "orders", startedAt: now }
    : undefined,
  history: { turn, at: now + turn, format: 1, events },
  wake: undefined,
  attention: undefined,
  close: undefined,
  consumed: [],
  tasksAdded: [{ seq: turn, taskQueue: "orders", worker, scheduledAt: now + turn, expiresAt: undefined }],
  tasksRemoved: turn === 1 ? [] : [turn - 1],
  tasksCanceled: [],
  mail: [],
  replies: [],
  creates: [],
  outgoing: []
})

const throughStore = (filename: string, durability: Durability, batch: number, batches: number) =>
  Effect.gen(function*() {
    const store = yield* Store
    yield* store.register({ id: worker, leaseUntil: now, identity: "", startedAt: now })
    const commit = (turns: ReadonlyArray<TurnCommit>) => store.commit({ worker, turns, tasks: [], now })
    yield* commit(runIds.map((runId) => turnOf(runId, 1)))
    const next = cursor()
    const begun = performance.now()
    for (let n = 0; n < batches; n++) {
      const turns: Array<TurnCommit> = []
      for (let k = 0; k < batch; k++) {
        const { runId, turn } = next()
        turns.push(turnOf(runId, turn))
      }
      const { refused } = yield* commit(turns)
      if (refused.size > 0) {
        return yield* Effect.dieMessage("a turn was refused")
      }
    }
    return performance.now() - begun
  }).pipe(Effect.provide(SqliteStore.layer({ filename, durability })), Effect.runPromise)

const bare = async (filename: string, durability: Durability, batch: number, batches: number): Promise<number> => {
  // The store makes the file, so that both write to the same schema.
  await throughStore(filename, durability, 1, 0)
  const db = new Sqlite(filename)
  db.pragma("journal_mode = WAL")
  db.pragma(`synchronous = ${durability === "power-loss" ? "FULL" : "NORMAL"}`)
  const owner = db.prepare("SELECT epoch FROM perdure_runs WHERE run_id = ? AND owner = ?")
  const history = db.prepare("INSERT INTO perdure_history (run_id, turn, at, format, events) VALUES (?, ?, ?, ?, ?)")
  const add = db.prepare(
    `INSERT INTO perdure_activity_tasks (run_id, seq, turn, task_queue, state, worker, attempt, scheduled_at, due_at,
      started_at, cancel_requested) VALUES (?, ?, ?, ?, 'started', ?, 1, ?, ?, ?, 0)`
  )
  const remove = db.prepare("DELETE FROM perdure_activity_tasks WHERE run_id = ? AND seq = ?")
  const begin = db.prepare("BEGIN IMMEDIATE")
  const end = db.prepare("COMMIT")
  const next = cursor()
  const begun = performance.now()
  for (let n = 0; n < batches; n++) {
    begin.run()
    for (let k = 0; k < batch; k++) {
      const { runId, turn } = next()
      if (owner.get(runId, worker) === undefined) {
        throw new Error("fenced")
      }
      const at = now + turn
      history.run(runId, turn, at, 1, events)
      add.run(runId, turn, turn, "orders", worker, at, at, at)
      remove.run(runId, turn - 1)
    }
    end.run()
    // As the store's caller does, let the event loop run between commits.
    await new Promise((resolve) => setImmediate(resolve))
  }
  const taken = performance.now() - begun
  db.close()
  return taken
}

const cursor = () => {
  let n = 0
  return () => {
    const at = { runId: runIds[n % runIds.length]!, turn: 2 + Math.floor(n / runIds.length) }
    n++
    return at
  }
}

const folder = mkdtempSync(Path.join(tmpdir(), "perdure-bench-"))
let files = 0
const file = () => Path.join(folder, `${files++}.db`)
try {
  console.log("durability      batch   store turns/s   bare turns/s   ratio")
  for (const durability of ["power-loss", "process-crash"] as const) {
    for (const batch of [1, 10, 100, 500]) {
      const turns = batch === 1 ? 1000 : batch === 10 ? 5000 : 20_000
      const batches = turns / batch
      await throughStore(file(), durability, batch, Math.ceil(batches / 5))
      const ours = turns / (await throughStore(file(), durability, batch, batches)) * 1000
      const theirs = turns / (await bare(file(), durability, batch, batches)) * 1000
      console.log(
        [
          durability.padEnd(15),
          String(batch).padStart(5),
          ours.toFixed(0).padStart(15),
          theirs.toFixed(0).padStart(14),
          (ours / theirs).toFixed(2).padStart(7)
        ].join(" ")
      )
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}
