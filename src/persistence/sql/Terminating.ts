/**
 * Closing open runs from outside, whoever owns them: one more turn with their end, and word to their owners.
 *
 * ```
 *   run ──▶ last turn ──▶ closed ──▶ "Terminated" in the mail of its owner, which has it in memory
 * ```
 *
 * A run that had no turn yet has its start in that turn, too: its history says what was started.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Status } from "../../core/family/Execution.js"
import * as Messages from "../../core/Message.js"
import * as Batch from "./Batch.js"
import type * as Closing from "./Closing.js"
import type { Fault, Tx } from "./Database.js"
import type { Dialect } from "./Dialect.js"
import * as Rows from "./Rows.js"

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
    before: "INSERT INTO perdure_mailbox (run_id, kind, body, at, owner, namespace) VALUES",
    row: "(?, 'Terminated', '', ?, ?, :namespace)"
  })
  const unbegun = Batch.make(dialect, {
    before: "SELECT id, run_id, kind, body FROM perdure_mailbox WHERE kind = 'Start' AND run_id IN (",
    row: "?",
    after: ")"
  })
  /** The last turn of each run. The start of one that has begun is in its history, and not in the mailbox any more. */
  const append = (tx: Tx, ids: ReadonlyArray<string>, { events, format }: End, now: number) =>
    Effect.gen(function*() {
      const starts = new Map<string, string>()
      for (const { body, runId } of yield* Effect.flatMap(Batch.run(tx, unbegun, ids), Rows.mail)) {
        starts.set(runId, body)
      }
      // The clock of who asks may be behind its owner's; a history never goes back in time.
      yield* Batch.run(tx, appendTurn, ids.filter((id) => !starts.has(id)), [now, now, format, events])
      for (const [id, start] of starts) {
        yield* Batch.run(tx, appendTurn, [id], [now, now, format, Messages.withStart(start, events)])
      }
    })
  return {
    end: (tx, runs, end, now) => {
      const { status } = end
      if (runs.length === 0) {
        return Effect.void
      }
      const ids = runs.map(({ runId }) => runId)
      // Its owner has it in memory, and would hear of it by nothing but a refused commit.
      const owners = runs.flatMap(({ owner, runId }) => owner === undefined ? [] : [runId, now, owner])
      return append(tx, ids, end, now).pipe(
        Effect.zipRight(
          closing.close(tx, runs.map(({ runId }) => ({ runId, status, at: now, scheduled: undefined })), undefined)
        ),
        Effect.zipRight(Batch.run(tx, tellOwner, owners))
      )
    }
  }
}
