/**
 * Giving runs up while their owner lives on: another version of the code is to have them (row V6).
 *
 * Under a raised epoch, so that a copy that is still in some memory is fenced (I4); due at once, so that whoever may have
 * it takes up what waits.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Batch from "./Batch.js"
import type { Fault, Tx } from "./Database.js"
import type { Dialect } from "./Dialect.js"
import type * as Mailbox from "./Mailbox.js"

/** @category models @since 0.1.0 */
export interface Statements {
  readonly release: (tx: Tx, runIds: ReadonlyArray<string>, now: number) => Effect.Effect<void, Fault>
}

/** @category constructors @since 0.1.0 */
export const statements = (dialect: Dialect, mailbox: Mailbox.Statements): Statements => {
  const free = Batch.make(dialect, {
    before: `UPDATE perdure_runs SET owner = NULL, epoch = epoch + 1, wake_at = ?
      WHERE status = 'Running' AND owner IS NOT NULL AND run_id IN (`,
    row: "?",
    after: ")"
  })
  return {
    release: (tx, runIds, now) => Effect.zipRight(Batch.run(tx, free, runIds, [now]), mailbox.hand(tx, null, runIds))
  }
}
