/**
 * The schedules of runs that end, made due in the transaction that ends them, whoever does: what a schedule does next may
 * hang on that end.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Batch from "./Batch.js"
import type { Fault, Tx } from "./Database.js"
import type { Dialect } from "./Dialect.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface Statements {
  readonly wake: (tx: Tx, runIds: ReadonlyArray<string>, now: number) => Effect.Effect<unknown, Fault>
}

/**
 * The revision rises, so that whoever is just deciding of the schedule without knowing of this end is refused; and it is
 * held no more, so that it is looked at once more at once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const statements = (dialect: Dialect): Statements => {
  const wake = Batch.make(dialect, {
    before: `UPDATE perdure_schedules SET revision = revision + 1, held_until = NULL,
      next_at = CASE WHEN next_at < ? THEN next_at ELSE ? END
      WHERE namespace = :namespace AND schedule_id IN (
        SELECT scheduled_by FROM perdure_runs WHERE scheduled_by IS NOT NULL AND run_id IN (`,
    row: "?",
    after: "))"
  })
  return { wake: (tx, runIds, now) => Batch.run(tx, wake, runIds, [now, now]) }
}
