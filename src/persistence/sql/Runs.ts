/**
 * Runs: found and listed.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Store } from "../Store.js"
import type { Database } from "./Database.js"
import * as Rows from "./Rows.js"

/**
 * The columns of a `Run`, from `perdure_runs r`, with an expression for how many events its history has.
 *
 * @since 0.1.0
 */
export const columnsWith = (historyLength: string): string =>
  `r.run_id, r.workflow_id, r.workflow, r.task_queue, r.status, r.owner, r.epoch, r.wake_at,
  r.started_at, r.closed_at, r.attention, r.notes, r.first_run_id, r.previous_run_id, r.attempt, r.start_at, r.expires_at,
  r.parent_run_id, r.parent_seq, r.parent_close, r.scheduled_by, r.scheduled_at, r.root_workflow_id,
  ${historyLength} AS history_length, r.pinned_to, r.versioning_override, r.deployment, r.build_id, r.behavior,
  coalesce((SELECT max(h.turn) FROM perdure_history h WHERE h.run_id = r.run_id), 0) AS turn`

/** @since 0.1.0 */
export const columns = columnsWith("r.history_length")

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (db: Database): Pick<Store["Type"], "findRun" | "findLatest" | "runs"> => {
  const { text } = db.dialect
  const byId = text(`SELECT ${columns} FROM perdure_runs r WHERE r.run_id = ? AND +r.namespace = :namespace`)
  const openOf = text(
    `SELECT ${columns} FROM perdure_runs r
    WHERE r.status = 'Running' AND r.namespace = :namespace AND r.workflow_id = ?`
  )
  const latestOf = text(
    `SELECT ${columns} FROM perdure_runs r WHERE r.namespace = :namespace AND r.workflow_id = ?
    ORDER BY r.started_at DESC, r.run_id DESC LIMIT 1`
  )
  const latestOfChain = text(
    `SELECT ${columns} FROM perdure_runs r
    WHERE r.namespace = :namespace AND r.workflow_id = ? AND coalesce(r.first_run_id, r.run_id) = ?
    ORDER BY r.started_at DESC, r.run_id DESC LIMIT 1`
  )
  // In the order of the key, past those of other namespaces: an audit reads all of them once.
  const list = text(
    `SELECT ${columns} FROM perdure_runs r WHERE +r.namespace = :namespace AND r.run_id < ?
    ORDER BY r.run_id DESC LIMIT ?`
  )
  const listByStatus = text(
    `SELECT ${columns} FROM perdure_runs r
    WHERE r.namespace = :namespace AND r.status = ? AND r.run_id < ? ORDER BY r.run_id DESC LIMIT ?`
  )
  return {
    findRun: (runId) =>
      db.read(
        "findRun",
        (tx) => Effect.map(Effect.flatMap(tx(byId, [runId]), Rows.run), (rows) => Option.fromNullable(rows[0]))
      ),

    findLatest: (workflowId, firstRunId) =>
      db.read("findLatest", (tx) =>
        Effect.gen(function*() {
          if (firstRunId !== undefined) {
            const found = yield* Effect.flatMap(tx(latestOfChain, [workflowId, firstRunId]), Rows.run)
            return Option.fromNullable(found[0])
          }
          const open = yield* Effect.flatMap(tx(openOf, [workflowId]), Rows.run)
          const rows = open.length > 0 ? open : yield* Effect.flatMap(tx(latestOf, [workflowId]), Rows.run)
          return Option.fromNullable(rows[0])
        })),

    runs: ({ afterRunId, limit, status }) =>
      db.read("runs", (tx) => {
        const after = afterRunId ?? lastRunId
        const rows = status === undefined
          ? tx(list, [after, limit])
          : tx(listByStatus, [status, after, limit])
        return Effect.flatMap(rows, Rows.run)
      })
  }
}

// internal -----------------------------------------------------------------------------------------------------------

/** Sorts after every run id. */
const lastRunId = "\u{10ffff}"
