/**
 * Search attributes of runs: a row a value, with a column a kind of comparison, so that listing by one is a search of an
 * index (row W13).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { wordsOf } from "../../core/visibility/Filter.js"
import type { AttributeChange } from "../Store.js"
import * as Batch from "./Batch.js"
import type { Fault, Tx } from "./Database.js"
import type { Dialect } from "./Dialect.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface Statements {
  /** Sets attributes of runs, and removes those without a value. Of several of one name the last one holds. */
  readonly set: (
    tx: Tx,
    changes: ReadonlyArray<readonly [runId: string, AttributeChange]>
  ) => Effect.Effect<void, Fault>
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const statements = (dialect: Dialect): Statements => {
  const drop = Batch.make(dialect, {
    before: "DELETE FROM perdure_search_attributes WHERE (run_id, name) IN (VALUES",
    row: "(?, ?)",
    after: ")"
  })
  const add = Batch.make(dialect, {
    before: "INSERT INTO perdure_search_attributes (run_id, name, position, type, text, number, namespace) VALUES",
    row: "(?, ?, ?, ?, ?, ?, :namespace)"
  })
  return {
    set: (tx, changes) => {
      const last = new Map(changes.map((change) => [`${change[0]} ${change[1].name}`, change]))
      const dropped: Array<unknown> = []
      const added: Array<unknown> = []
      for (const [runId, { name, type, value }] of last.values()) {
        dropped.push(runId, name)
        if (value === undefined) {
          continue
        }
        // A text is found by its words. One without any, or an empty list, has a row all the same: it is set.
        const values: ReadonlyArray<unknown> = type === "text"
          ? orEmpty(wordsOf(String(value)))
          : Array.isArray(value)
          ? orEmpty(value)
          : [value]
        values.forEach((each, position) => added.push(runId, name, position, type, ...columns(each)))
      }
      const dropping = Batch.run(tx, drop, dropped)
      return Effect.asVoid(added.length === 0 ? dropping : Effect.zipRight(dropping, Batch.run(tx, add, added)))
    }
  }
}

// internal -----------------------------------------------------------------------------------------------------------

const columns = (value: unknown): readonly [text: string | null, number: number | null] => {
  switch (typeof value) {
    case "undefined":
      return [null, null]
    case "number":
      return [null, value]
    case "boolean":
      return [null, value ? 1 : 0]
    default:
      return [String(value), null]
  }
}

const orEmpty = (values: ReadonlyArray<unknown>): ReadonlyArray<unknown> => values.length === 0 ? [undefined] : values
