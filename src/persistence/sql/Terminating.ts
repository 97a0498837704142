/**
 * Closing open runs from outside, whoever owns them: one more turn with their end, and word to their owners.
 *
 * ```
 *   run ──▶ last turn ──▶ closed ──▶ "Terminated" in the mail of its owner, which has it in memory
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Status } from "../../core/family/Execution.js"
import * as Batch from "./Batch.js"
import type * as Closing from "./Closing.js"
import type { Fault, Tx } from "./Database.js"
import type { Dialect } from "./Dialect.js"

/** The end that is imposed. @since 0.1.0 */
export interface End {
  readonly status: Exclude<Status, "Running">
  readonly events: string
  readonly format: number
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Statements {
  readonly end: (
    tx: Tx,
    runs: ReadonlyArray<{ readonly runId: string; readonly owner: string | undefined }>,
    end: End,
    now: number
  ) => Effect.Effect<void, Fault>
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const statements = (dialect: Dialect, closing: Closing.Statements): Statements => {
  const appendTurn = Batch.make(dialect, {
    before: `INSERT INTO perdure_history (run_id, turn, at, format, events)
      SELECT v.column1,
        coalesce((SELECT max(h.turn) FROM perdure_history h WHERE h.run_id = v.column1), 0) + 1,
        coalesce((SELECT max(h.at) FROM perdure_history h WHERE h.run_id = v.column1 AND h.at > ?), ?), ?, ?
      FROM (VALUES`,
    row: "(?)",
    after: ") AS v"
  })
  const tellOwner = Batch.make(dialect, {
    before: "INSERT INTO perdure_mailbox (run_id, kind, body, at, owner) VALUES",
    row: "(?, 'Terminated', '', ?, ?)"
  })
  return {
    end: (tx, runs, { events, format, status }, now) => {
      if (runs.length === 0) {
        return Effect.void
      }
      const ids = runs.map(({ runId }) => runId)
      // Its owner has it in memory, and would hear of it by nothing but a refused commit.
      const owners = runs.flatMap(({ owner, runId }) => owner === undefined ? [] : [runId, now, owner])
      // The clock of who asks may be behind its owner's; a history never goes back in time.
      return Batch.run(tx, appendTurn, ids, [now, now, format, events]).pipe(
        Effect.zipRight(closing.close(tx, runs.map(({ runId }) => ({ runId, status, at: now })), undefined)),
        Effect.zipRight(Batch.run(tx, tellOwner, owners))
      )
    }
  }
}
