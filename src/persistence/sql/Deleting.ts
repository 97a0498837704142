/**
 * Taking a run out of the store, with all that is kept of it.
 *
 * A task that a worker has started stays, marked as canceled, until that worker has asked for it: it is how the host
 * learns that nobody waits any more. The run's owner finds a "Terminated" in its mail.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { PostResult, Store } from "../Store.js"
import type { Changes } from "./Changes.js"
import type { Database } from "./Database.js"
import type * as Imposing from "./Imposing.js"
import * as Rows from "./Rows.js"

/**
 * What is kept of a run beside its row and its history, each as a statement of its run id.
 *
 * @since 0.1.0
 */
export const belongings = [
  "DELETE FROM perdure_search_attributes WHERE run_id = ?",
  "DELETE FROM perdure_mailbox WHERE kind <> 'Terminated' AND run_id = ?",
  "DELETE FROM perdure_start_requests WHERE run_id = ?"
]

/** @since 0.1.0 */
export const history = "DELETE FROM perdure_history WHERE run_id = ?"

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  db: Database,
  imposing: Imposing.Statements,
  changes: Changes
): Pick<Store["Type"], "deleteRun"> => {
  const { lockRows, text } = db.dialect
  const target = text(
    `SELECT run_id, status, owner FROM perdure_runs WHERE run_id = ? AND +namespace = :namespace${lockRows}`
  )
  const parts = [history, ...belongings, "DELETE FROM perdure_runs WHERE run_id = ?"].map(text)
  return {
    deleteRun: (runId, end, now) =>
      db.write("deleteRun", (tx) =>
        Effect.gen(function*() {
          const [run] = yield* Effect.flatMap(tx(target, [runId]), Rows.target)
          if (run === undefined) {
            return "NotFound" satisfies PostResult
          }
          if (run.status === "Running") {
            yield* imposing.end(tx, run, end, now)
          }
          for (const part of parts) {
            yield* tx(part, [runId])
          }
          return "Posted" satisfies PostResult
        })).pipe(Effect.tap((result) => result === "Posted" ? changes.announce : Effect.void))
  }
}
