/**
 * Rows as the database gives them, checked before they are believed.
 *
 * A row is checked column by column with one `typeof` each, so that a damaged one is reported by table and run rather
 * than felt later as a crash far away.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** @category models @since 0.1.0 */
export type Row = { readonly [column: string]: unknown }

/**
 * A row that does not hold what its columns promise.
 *
 * @category errors
 * @since 0.1.0
 */
export class Damaged extends Data.TaggedError("Damaged")<{ readonly detail: string }> {}

/**
 * How a table's rows are read: checks the columns, then builds the model.
 *
 * @category models
 * @since 0.1.0
 */
export type Decode<A> = (rows: ReadonlyArray<Row>) => Effect.Effect<ReadonlyArray<A>, Damaged>

/** What a column may hold: a set lists its values. @since 0.1.0 */
export type Kind = "text" | "text?" | "integer" | "integer?" | ReadonlySet<unknown>

/**
 * @category constructors
 * @since 0.1.0
 */
export const decode = <A>(
  table: string,
  columns: { readonly [column: string]: Kind },
  build: (row: never) => A
): Decode<A> => {
  const checks = Object.entries(columns)
  return (rows) => {
    const out = Array.from<A>({ length: rows.length })
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      for (const [column, kind] of checks) {
        if (!holds(kind, row[column])) {
          return Effect.fail(damaged(table, row, column, kind))
        }
      }
      out[i] = build(row as never)
    }
    return Effect.succeed(out)
  }
}

// internal -----------------------------------------------------------------------------------------------------------

const holds = (kind: Kind, value: unknown): boolean => {
  switch (kind) {
    case "text":
      return typeof value === "string"
    case "text?":
      return value === null || typeof value === "string"
    case "integer":
      return Number.isSafeInteger(value)
    case "integer?":
      return value === null || Number.isSafeInteger(value)
    default:
      return kind.has(value)
  }
}

const damaged = (table: string, row: Row, column: string, kind: Kind): Damaged => {
  const value = row[column]
  const found = value === null || value === undefined ? "nothing" : `${typeof value} ${String(value).slice(0, 40)}`
  const wanted = typeof kind === "string" ? kind.replace("?", " or nothing") : `one of ${[...kind].join(", ")}`
  const owner = typeof row["run_id"] === "string" ? `, run ${row["run_id"]}` : ""
  return new Damaged({ detail: `table ${table}${owner}: column ${column} holds ${found}, expected ${wanted}` })
}
