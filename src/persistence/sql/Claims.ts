/**
 * Who wakes which run: claiming those that nobody owns, finding those that are due, and when to look next.
 *
 * A worker serves few queues, so each is asked by itself: `task_queue = ?` reads the head of an index in order, where a
 * list of queues would sort the whole backlog at every poll.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Run, Store } from "../Store.js"
import * as Batch from "./Batch.js"
import type { Database, Tx } from "./Database.js"
import type { Registered } from "./Leases.js"
import type * as Mailbox from "./Mailbox.js"
import * as Rows from "./Rows.js"
import { columns } from "./Runs.js"

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  db: Database,
  mailbox: Mailbox.Statements,
  registered: Registered
): Pick<Store["Type"], "claimRuns" | "claimRun" | "dueRuns" | "nextWake"> => {
  const { lockFreeRows, text } = db.dialect
  const candidates = (lock: string) =>
    text(
      `SELECT run_id, wake_at AS at FROM perdure_runs
      WHERE owner IS NULL AND namespace = :namespace AND task_queue = ? AND wake_at <= ? ORDER BY wake_at LIMIT ?${lock}`
    )
  const look = candidates("")
  const take = candidates(lockFreeRows)
  const own = Batch.make(db.dialect, {
    before: `UPDATE perdure_runs SET owner = ?, epoch = epoch + 1
      WHERE owner IS NULL AND status = 'Running' AND +namespace = :namespace AND run_id IN (`,
    row: "?",
    after: ") RETURNING run_id"
  })
  const byIds = Batch.make(db.dialect, {
    before: `SELECT ${columns} FROM perdure_runs r WHERE r.run_id IN (`,
    row: "?",
    after: ")"
  })
  const due = text(
    `SELECT ${columns} FROM perdure_runs r WHERE r.owner = ? AND r.wake_at BETWEEN 0 AND ? ORDER BY r.wake_at LIMIT ?`
  )
  const nextOwned = text(
    "SELECT wake_at AS at FROM perdure_runs WHERE owner = ? AND wake_at > ? ORDER BY wake_at LIMIT 1"
  )
  const nextUnowned = text(
    `SELECT wake_at AS at FROM perdure_runs
    WHERE owner IS NULL AND namespace = :namespace AND task_queue = ? AND wake_at > ? ORDER BY wake_at LIMIT 1`
  )

  const dueOf = (tx: Tx, statement: string, queues: ReadonlyArray<string>, now: number, limit: number) =>
    Effect.map(
      Effect.forEach(queues, (queue) => Effect.flatMap(tx(statement, [queue, now, limit]), Rows.dueRun)),
      (found) => found.flat().sort((a, b) => a.at - b.at).slice(0, limit).map(({ runId }) => runId)
    )

  const claim = (tx: Tx, worker: string, wanted: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      if (wanted.length === 0 || !(yield* registered(tx, worker))) {
        return []
      }
      const claimed = yield* Effect.flatMap(Batch.run(tx, own, wanted, [worker]), Rows.runId)
      yield* mailbox.hand(tx, worker, claimed)
      const runs = yield* Effect.flatMap(Batch.run(tx, byIds, claimed), Rows.run)
      return runs
    })

  return {
    claimRuns: (worker, queues, now, limit) =>
      Effect.flatMap(
        // Looked for without the write lock first: most polls find nothing, and must not stand in a writer's way.
        db.read("claimRuns", (tx) => dueOf(tx, look, queues, now, limit)),
        (found): ReturnType<Store["Type"]["claimRuns"]> =>
          found.length === 0
            ? Effect.succeed([])
            : db.write("claimRuns", (tx) =>
              Effect.flatMap(dueOf(tx, take, queues, now, limit), (wanted) =>
                Effect.map(claim(tx, worker, wanted), (runs) => inOrder(runs, wanted))))
      ),
    claimRun: (worker, runId) =>
      db.write("claimRun", (tx) => Effect.map(claim(tx, worker, [runId]), (runs) => Option.fromNullable(runs[0]))),
    dueRuns: (worker, now, limit) =>
      db.read("dueRuns", (tx) => Effect.flatMap(tx(due, [worker, now, limit]), Rows.run)),
    nextWake: (worker, queues, now) =>
      db.read("nextWake", (tx) =>
        Effect.gen(function*() {
          const found = [yield* Effect.flatMap(tx(nextOwned, [worker, now]), Rows.moment)]
          for (const queue of queues) {
            found.push(yield* Effect.flatMap(tx(nextUnowned, [queue, now]), Rows.moment))
          }
          return Rows.earliest(found.flat())
        }))
  }
}

// internal -----------------------------------------------------------------------------------------------------------

const inOrder = (runs: ReadonlyArray<Run>, ids: ReadonlyArray<string>): ReadonlyArray<Run> => {
  const places = new Map(ids.map((id, place) => [id, place]))
  return [...runs].sort((a, b) => places.get(a.runId)! - places.get(b.runId)!)
}
