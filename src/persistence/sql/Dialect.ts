/**
 * What differs between the databases, and nothing else: the statements themselves are written once, in the SQL that
 * both understand, with `?` for a parameter.
 *
 * @since 0.1.0
 */
import type { SqlError } from "@effect/sql/SqlError"
import type { StoreError } from "../Store.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface Dialect {
  readonly name: "sqlite" | "postgres"
  /** Selects `place`: which database a connection leads to. */
  readonly place: string
  /** Begins a transaction that will write. */
  readonly begin: string
  /** Ends a SELECT whose rows this transaction goes on to change. */
  readonly lockRows: string
  /** The same, passing over rows that another transaction has locked. */
  readonly lockFreeRows: string
  /** How many elements the JSON list in a column of text has; none, where it is no list. */
  readonly elements: (column: string) => string
  /** Turns the `?` of a statement into the database's own parameters. Called once a statement, not once a use. */
  readonly text: (sql: string) => string
  /** What a failed statement means. */
  readonly failure: (error: SqlError) => Failure
}

/**
 * @category models
 * @since 0.1.0
 */
export type Failure = Pick<StoreError, "reason" | "detail" | "transient">
