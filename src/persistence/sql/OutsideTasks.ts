/**
 * Activity tasks in the hands of others than workers: attempts that are completed from outside, and operators' commands.
 *
 * Each is one short transaction of its own, fenced by the attempt: whoever comes too late changes nothing. And attempts
 * whose code writes to this database: its work is part of the transaction that ends it, for as long as it takes.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { OutsideChange, Store } from "../Store.js"
import type { Changes } from "./Changes.js"
import type { Database, Tx } from "./Database.js"
import type * as Mailbox from "./Mailbox.js"
import * as Rows from "./Rows.js"

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  db: Database,
  mailbox: Mailbox.Statements,
  changes: Changes
): Pick<Store["Type"], "changeOutside" | "reviseTask" | "settleWith"> => {
  const { text } = db.dialect
  const underWay = `run_id = ? AND seq = ? AND attempt = ? AND +namespace = :namespace
    AND state IN ('started', 'handed') AND EXISTS (
    SELECT 1 FROM perdure_runs r WHERE r.run_id = perdure_activity_tasks.run_id AND r.status = 'Running')
    RETURNING attempt, cancel_requested, paused, forgotten`
  const settle = text(`DELETE FROM perdure_activity_tasks WHERE ${underWay}`)
  const retry = text(
    `UPDATE perdure_activity_tasks SET state = CASE WHEN paused = 1 THEN 'paused' ELSE 'queued' END, worker = NULL,
      started_at = NULL, due_at = ?, expires_at = CASE WHEN paused = 1 THEN ? ELSE ? END, failure = ?, attempt = ?
    WHERE ${underWay}`
  )
  const heartbeat = text(
    `UPDATE perdure_activity_tasks SET heartbeat = coalesce(?, heartbeat),
      expires_at = CASE WHEN state = 'handed' THEN ? ELSE expires_at END WHERE ${underWay}`
  )
  const revise = text(
    `UPDATE perdure_activity_tasks SET state = ?, forgotten = ?, paused = ?, due_at = ?, expires_at = ?, heartbeat = ?,
      options = ?, task_queue = ?, revision = revision + 1
    WHERE run_id = ? AND seq = ? AND attempt = ? AND revision = ? AND state = ? AND +namespace = :namespace
    RETURNING run_id, seq`
  )

  const settleOwn = text(
    `DELETE FROM perdure_activity_tasks
    WHERE run_id = ? AND seq = ? AND attempt = ? AND state = 'started' AND worker = ? AND EXISTS (
      SELECT 1 FROM perdure_runs r WHERE r.run_id = perdure_activity_tasks.run_id AND r.status = 'Running')
    RETURNING run_id, seq`
  )

  const apply = (tx: Tx, change: OutsideChange) => {
    const key = [change.runId, change.seq, change.attempt]
    switch (change._tag) {
      case "Settle":
        return tx(settle, key)
      case "Heartbeat":
        return tx(heartbeat, [change.details ?? null, change.expiresAt, ...key])
      case "Retry":
        return tx(retry, [
          change.dueAt,
          change.closeBy ?? null,
          change.expiresAt ?? null,
          change.failure,
          change.nextAttempt,
          ...key
        ])
    }
  }

  return {
    changeOutside: (change, now) =>
      Effect.tap(
        db.write("changeOutside", (tx) =>
          Effect.gen(function*() {
            const [touched] = yield* Effect.flatMap(apply(tx, change), Rows.touchedTask)
            if (touched !== undefined && change._tag === "Settle") {
              yield* mailbox.post(tx, [change.mail], now)
            }
            return Option.fromNullable(touched)
          })),
        (touched) => Option.isSome(touched) && change._tag !== "Heartbeat" ? changes.announce : Effect.void
      ),
    settleWith: ({ attempt, committed, now, runId, seq, worker }, work) =>
      Effect.tap(
        db.writeAround("settleWith", work, (tx, work) =>
          Effect.gen(function*() {
            const own = yield* tx(settleOwn, [runId, seq, attempt, worker])
            if (own.length === 0) return false
            const mail = yield* work
            // A crash up to the end of the transaction leaves neither the work, nor its outcome: the attempt was lost.
            yield* mailbox.post(tx, [mail], now)
            return true
          }), committed),
        (settled) => settled ? changes.announce : Effect.void
      ),
    reviseTask: (to) =>
      Effect.tap(
        Effect.map(
          db.write("reviseTask", (tx) =>
            tx(revise, [
              to.state,
              to.forgotten,
              to.paused ? 1 : 0,
              to.dueAt,
              to.expiresAt ?? null,
              to.heartbeat ?? null,
              to.options ?? null,
              to.taskQueue,
              to.runId,
              to.seq,
              to.attempt,
              to.revision,
              to.from
            ])),
          (rows) => rows.length > 0
        ),
        (revised) => revised ? changes.announce : Effect.void
      )
  }
}
