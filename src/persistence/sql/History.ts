/**
 * The history of a run: read in pages, sized without reading it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Store } from "../Store.js"
import type { Database } from "./Database.js"
import * as Rows from "./Rows.js"

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (db: Database): Pick<Store["Type"], "history" | "lastTurn" | "size"> => {
  const page = db.dialect.text(
    `SELECT ${columns} FROM perdure_history WHERE run_id = ? AND turn > ? ORDER BY turn LIMIT ?`
  )
  const last = db.dialect.text(`SELECT ${columns} FROM perdure_history WHERE run_id = ? ORDER BY turn DESC LIMIT 1`)
  const size = db.dialect.text(
    `SELECT count(*) AS turns, coalesce(sum(${db.dialect.elements("events")}), 0) AS events,
      coalesce(sum(octet_length(events)), 0) AS bytes FROM perdure_history WHERE run_id = ?`
  )
  return {
    history: (runId, afterTurn, limit) =>
      db.read("history", (tx) => Effect.flatMap(tx(page, [runId, afterTurn, limit]), Rows.history)),
    lastTurn: (runId) =>
      db.read(
        "lastTurn",
        (tx) => Effect.map(Effect.flatMap(tx(last, [runId]), Rows.history), (rows) => Option.fromNullable(rows[0]))
      ),
    size: (runId) =>
      db.read("size", (tx) => Effect.map(Effect.flatMap(tx(size, [runId]), Rows.size), (rows) => rows[0]!))
  }
}

// internal -----------------------------------------------------------------------------------------------------------

const columns = "run_id, turn, at, format, events"
