/**
 * Who wakes which run: claiming those that nobody owns, finding those that are due, and when to look next.
 *
 * A worker serves few queues, so each is asked by itself: `task_queue = ?` reads the head of an index in order, where a
 * list of queues would sort the whole backlog at every poll. So is what is pinned to a version, and what is not.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Share } from "../../core/Routing.js"
import { unversioned } from "../../core/Routing.js"
import type { Run, Store } from "../Store.js"
import * as Batch from "./Batch.js"
import type { Database, Tx } from "./Database.js"
import type { Registered } from "./Leases.js"
import type * as Mailbox from "./Mailbox.js"
import * as Rows from "./Rows.js"
import { columns } from "./Runs.js"
import * as Sharing from "./Sharing.js"

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
    Sharing.statements(
      text,
      "bucket",
      (part) =>
        `SELECT run_id, wake_at AS at FROM perdure_runs WHERE owner IS NULL AND namespace = :namespace AND task_queue = ? AND pinned_to = ?${part}
        AND wake_at <= ? ORDER BY wake_at LIMIT ?${lock}`
    )
  const look = candidates("")
  const take = candidates(lockFreeRows)
  const own = Batch.make(db.dialect, {
    // Whatever was looked for: what is pinned elsewhere is nobody's to take.
    before: `UPDATE perdure_runs SET owner = ?, epoch = epoch + 1
      WHERE owner IS NULL AND status = 'Running' AND +namespace = :namespace AND pinned_to IN ('', ?) AND run_id IN (`,
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
  const nextUnowned = Sharing.statements(
    text,
    "bucket",
    (part) =>
      `SELECT wake_at AS at FROM perdure_runs WHERE owner IS NULL AND namespace = :namespace AND task_queue = ? AND pinned_to = ?${part}
      AND wake_at > ? ORDER BY wake_at LIMIT 1`
  )

  const dueOf = (
    tx: Tx,
    statement: Sharing.Statements,
    { limit, now, queues, share }: Wanted
  ) =>
    Effect.map(
      Effect.forEach(
        Sharing.of(statement, share, queues),
        ([text, params]) => Effect.flatMap(tx(text, [...params, now, limit]), Rows.dueRun)
      ),
      (found) => found.flat().sort((a, b) => a.at - b.at).slice(0, limit).map(({ runId }) => runId)
    )

  const claim = (tx: Tx, worker: string, wanted: ReadonlyArray<string>, { pinnedTo }: Share) =>
    Effect.gen(function*() {
      if (wanted.length === 0 || !(yield* registered(tx, worker))) {
        return []
      }
      const claimed = yield* Effect.flatMap(Batch.run(tx, own, wanted, [worker, pinnedTo]), Rows.runId)
      yield* mailbox.hand(tx, worker, claimed)
      const runs = yield* Effect.flatMap(Batch.run(tx, byIds, claimed), Rows.run)
      return runs
    })

  return {
    claimRuns: (worker, queues, now, limit, share = unversioned) => {
      const sought = { queues, now, limit, share }
      return Effect.flatMap(
        // Looked for without the write lock first: most polls find nothing, and must not stand in a writer's way.
        db.read("claimRuns", (tx) => dueOf(tx, look, sought)),
        (found): ReturnType<Store["Type"]["claimRuns"]> =>
          found.length === 0
            ? Effect.succeed([])
            : db.write("claimRuns", (tx) =>
              Effect.flatMap(dueOf(tx, take, sought), (wanted) =>
                Effect.map(claim(tx, worker, wanted, share), (runs) =>
                  inOrder(runs, wanted))))
      )
    },
    claimRun: (worker, runId, share = unversioned) =>
      db.write(
        "claimRun",
        (tx) => Effect.map(claim(tx, worker, [runId], share), (runs) => Option.fromNullable(runs[0]))
      ),
    dueRuns: (worker, now, limit) =>
      db.read("dueRuns", (tx) => Effect.flatMap(tx(due, [worker, now, limit]), Rows.run)),
    nextWake: (worker, queues, now, share = unversioned) =>
      db.read("nextWake", (tx) =>
        Effect.gen(function*() {
          const found = [yield* Effect.flatMap(tx(nextOwned, [worker, now]), Rows.moment)]
          for (const [statement, params] of Sharing.of(nextUnowned, share, queues)) {
            found.push(yield* Effect.flatMap(tx(statement, [...params, now]), Rows.moment))
          }
          return Rows.earliest(found.flat())
        }))
  }
}

// internal -----------------------------------------------------------------------------------------------------------

interface Wanted {
  readonly queues: ReadonlyArray<string>
  readonly now: number
  readonly limit: number
  readonly share: Share
}

const inOrder = (runs: ReadonlyArray<Run>, ids: ReadonlyArray<string>): ReadonlyArray<Run> => {
  const places = new Map(ids.map((id, place) => [id, place]))
  return [...runs].sort((a, b) => places.get(a.runId)! - places.get(b.runId)!)
}
