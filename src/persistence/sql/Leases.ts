/**
 * Workers and their leases, and what becomes of what a worker owned once it is gone.
 *
 * ```
 *   register ──▶ renew ... renew ──▶ (stops) ──▶ takeOver: its runs unowned, its started tasks lost or queued again
 * ```
 *
 * Taking over one that still lives is harmless: the raised epochs fence it (I4), it can claim nothing any more, and its
 * next `renew` says so.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Versions from "../../core/family/Version.js"
import type { Store } from "../Store.js"
import type { Changes } from "./Changes.js"
import type { Database, Fault, Tx } from "./Database.js"
import type { Dialect } from "./Dialect.js"
import type { Exists } from "./Namespaces.js"
import * as Rows from "./Rows.js"

/** Whether a worker is registered: else nothing can become its own, since nobody would find out that it is gone. @since 0.1.0 */
export type Registered = (tx: Tx, worker: string) => Effect.Effect<boolean, Fault>

/** @since 0.1.0 */
export const registered = (dialect: Dialect): Registered => {
  const find = dialect.text("SELECT id FROM perdure_workers WHERE id = ?")
  return (tx, worker) => Effect.map(tx(find, [worker]), (rows) => rows.length > 0)
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  db: Database,
  exists: Exists,
  changes: Changes,
  retentionMillis: number
): Pick<Store["Type"], "register" | "renew" | "workers" | "takeOver"> => {
  const { text } = db.dialect
  const register = text(
    `INSERT INTO perdure_workers (id, lease_until, identity, started_at, version, namespace)
    VALUES (?, ?, ?, ?, ?, :namespace)
    ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until, identity = excluded.identity,
      started_at = excluded.started_at, version = excluded.version`
  )
  const known = text(
    `INSERT INTO perdure_builds (namespace, task_queue, deployment, build_id, first_at) VALUES (:namespace, ?, ?, ?, ?)
    ON CONFLICT (namespace, task_queue, deployment, build_id) DO NOTHING`
  )
  const renew = text("UPDATE perdure_workers SET lease_until = ? WHERE id = ? RETURNING id")
  const all = text("SELECT id, lease_until, identity, started_at, version FROM perdure_workers ORDER BY started_at, id")

  const forget = text("DELETE FROM perdure_workers WHERE id = ?")
  const wakeRunsWithMail = text(
    `UPDATE perdure_runs SET wake_at = ? WHERE (wake_at IS NULL OR wake_at > ?)
    AND run_id IN (SELECT m.run_id FROM perdure_mailbox m WHERE m.owner = ?)`
  )
  const dropNews = text("DELETE FROM perdure_mailbox WHERE kind = 'Terminated' AND owner = ?")
  const dropDisplaced = text("DELETE FROM perdure_displaced WHERE worker = ?")
  const freeMail = text("UPDATE perdure_mailbox SET owner = NULL WHERE owner = ?")
  const freeRuns = text(
    "UPDATE perdure_runs SET owner = NULL, epoch = epoch + 1 WHERE status = 'Running' AND owner = ?"
  )
  const dropOrphans = text(
    `DELETE FROM perdure_activity_tasks WHERE cancel_requested = 1 AND worker = ? AND NOT EXISTS (
      SELECT 1 FROM perdure_runs r WHERE r.run_id = perdure_activity_tasks.run_id AND r.status = 'Running')`
  )
  const loseTasks = text(
    `UPDATE perdure_activity_tasks SET state = CASE WHEN started_at IS NULL THEN 'queued' ELSE 'lost' END,
      worker = NULL, due_at = ? WHERE state = 'started' AND worker = ?`
  )
  // The attempt has what was left of its time in the queue when it was started.
  const requeueTasks = text(
    `UPDATE perdure_activity_tasks SET state = 'queued', worker = NULL, started_at = NULL, due_at = ?,
      expires_at = expires_at + (? - coalesce(started_at, ?)) WHERE state = 'started' AND worker = ?`
  )
  const dropReplies = text("DELETE FROM perdure_replies WHERE at < ?")
  const dropAsks = text(
    `DELETE FROM perdure_mailbox WHERE owner IS NULL AND kind IN ('Query', 'Update') AND at < ? AND NOT EXISTS (
      SELECT 1 FROM perdure_runs r WHERE r.run_id = perdure_mailbox.run_id AND r.status = 'Running')`
  )

  return {
    register: ({ id, identity, leaseUntil, startedAt, version }, taskQueue) =>
      Effect.asVoid(db.write("register", (tx) => {
        const key = version === undefined ? null : Versions.keyOf(version)
        const registering = Effect.zipRight(exists(tx), tx(register, [id, leaseUntil, identity, startedAt, key]))
        return version === undefined || taskQueue === undefined
          ? registering
          : Effect.zipRight(registering, tx(known, [taskQueue, version.deployment, version.buildId, startedAt]))
      })),
    renew: (worker, leaseUntil) =>
      Effect.map(db.write("renew", (tx) => tx(renew, [leaseUntil, worker])), (rows) => rows.length > 0),
    workers: db.read("workers", (tx) => Effect.flatMap(tx(all, []), Rows.worker)),
    takeOver: (workers, now, graceful) =>
      Effect.zipRight(
        db.write("takeOver", (tx) =>
          Effect.gen(function*() {
            for (const worker of workers) {
              yield* tx(forget, [worker])
              yield* tx(dropNews, [worker])
              yield* tx(wakeRunsWithMail, [now, now, worker])
              yield* tx(dropDisplaced, [worker])
              yield* tx(freeMail, [worker])
              yield* tx(freeRuns, [worker])
              yield* tx(dropOrphans, [worker])
              yield* graceful ? tx(requeueTasks, [now, now, now, worker]) : tx(loseTasks, [now, worker])
            }
            yield* tx(dropReplies, [now - retentionMillis])
            yield* tx(dropAsks, [now - retentionMillis])
          })),
        workers.length > 0 ? changes.announce : Effect.void
      )
  }
}
