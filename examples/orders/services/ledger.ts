/**
 * What a service of the example keeps, in a SQLite file of its own: the entries that it stands by, the answers it gave
 * by idempotency key, and a log of the requests that reached it.
 *
 * Nothing here keeps an order from being charged twice under two different keys. That is on purpose: the audit is to
 * find it.
 */
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** A fact in the books: "charge 129.90 for order A-17". */
export interface Entry {
  readonly id: number
  readonly at: number
  readonly operation: string
  readonly orderId: string
  readonly key: string
  /** Pieces for the stock, cents for the bank; 0 for the others. */
  readonly amount: number
  /** The SKU, the address, the text of a mail. */
  readonly note: string
  /** The entry that this one takes back. */
  readonly undoes: number | null
}

/** A request as it reached the service, and what the service then made of it. */
export interface Request {
  readonly id: number
  readonly at: number
  readonly operation: string
  readonly orderId: string
  readonly key: string
  readonly attempt: number
  readonly worker: string
  /** The mishap drawn for it, or "". */
  readonly mishap: string
  /** HTTP status of the work itself; null where it was not done. */
  readonly status: number | null
  /** Whether the key was known already, so that the answer of then was given again. */
  readonly repeated: 0 | 1
}

export interface Ledger {
  readonly entries: ReadonlyArray<Entry>
  readonly requests: ReadonlyArray<Request>
}

export const layer = (filename: string) =>
  Layer.effectDiscard(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* sql`PRAGMA synchronous = NORMAL`
    yield* sql`
      CREATE TABLE IF NOT EXISTS entries (
        id INTEGER PRIMARY KEY, at INTEGER NOT NULL, operation TEXT NOT NULL, "orderId" TEXT NOT NULL,
        key TEXT NOT NULL, amount INTEGER NOT NULL, note TEXT NOT NULL, undoes INTEGER
      )`
    yield* sql`CREATE INDEX IF NOT EXISTS entries_order ON entries ("orderId")`
    yield* sql`CREATE INDEX IF NOT EXISTS entries_note ON entries (note)`
    yield* sql`CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, status INTEGER NOT NULL, body TEXT NOT NULL)`
    yield* sql`
      CREATE TABLE IF NOT EXISTS requests (
        id INTEGER PRIMARY KEY, at INTEGER NOT NULL, operation TEXT NOT NULL, "orderId" TEXT NOT NULL,
        key TEXT NOT NULL, attempt INTEGER NOT NULL, worker TEXT NOT NULL, mishap TEXT NOT NULL,
        status INTEGER, repeated INTEGER NOT NULL DEFAULT 0
      )`
  })).pipe(Layer.provideMerge(SqliteClient.layer({ filename })))

/** Writes an entry and returns its number. */
export const write = (entry: Omit<Entry, "id" | "at">) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ readonly id: number }>`
      INSERT INTO entries ${sql.insert({ ...entry, at: Date.now() })} RETURNING id`
    return rows[0]!.id
  })

/** What of an order stands: entries of the operation that nothing has taken back yet. */
export const standing = (operation: string, orderId: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    sql<Entry>`
      SELECT * FROM entries AS entry WHERE "orderId" = ${orderId} AND operation = ${operation}
      AND NOT EXISTS (SELECT 1 FROM entries AS undo WHERE undo."orderId" = ${orderId} AND undo.undoes = entry.id)`)

/** Reads a whole ledger, for the audit. */
export const read = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const entries = yield* sql<Entry>`SELECT * FROM entries ORDER BY id`
  const requests = yield* sql<Request>`SELECT * FROM requests ORDER BY id`
  return { entries, requests } satisfies Ledger
})
