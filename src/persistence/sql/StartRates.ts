/**
 * The rate at which activities of a queue start, shared by all its workers (row A17).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as StartRate from "../../core/StartRate.js"
import type { Store } from "../Store.js"
import type { Database } from "./Database.js"
import * as Rows from "./Rows.js"

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (db: Database): Pick<Store["Type"], "takeStarts"> => {
  const find = db.dialect.text(
    "SELECT next_at AS at FROM perdure_rate_limits WHERE namespace = :namespace AND task_queue = ?"
  )
  const set = db.dialect.text(
    `INSERT INTO perdure_rate_limits (namespace, task_queue, next_at) VALUES (:namespace, ?, ?)
    ON CONFLICT (namespace, task_queue) DO UPDATE SET next_at = excluded.next_at`
  )
  return {
    takeStarts: (queue, perSecond, wanted, now) =>
      db.write("takeStarts", (tx) =>
        Effect.gen(function*() {
          const [micros] = yield* Effect.flatMap(tx(find, [queue]), Rows.moment)
          // Another machine's clock may be ahead, or the rate was far lower: it never holds up longer than one start.
          const nextAt = Math.min((micros ?? 0) / 1_000, now + 1_000 / perSecond)
          const granted = Math.min(wanted, StartRate.allowed(nextAt, perSecond, now))
          const after = granted === 0 ? nextAt : StartRate.after(nextAt, perSecond, now, granted)
          if (granted > 0) yield* tx(set, [queue, Math.ceil(after * 1_000)])
          return { granted, nextAt: Math.ceil(after) }
        }))
  }
}
