/**
 * How SQLite is spoken to, and what its failures mean.
 *
 * @since 0.1.0
 */
import type { Dialect, Failure } from "../sql/Dialect.js"

/**
 * @category constructors
 * @since 0.1.0
 */
export const dialect: Dialect = {
  name: "sqlite",
  // Empty for a database in memory.
  place: "SELECT file AS place FROM pragma_database_list WHERE name = 'main'",
  // A transaction that only becomes a writer later can fail half way, with no retry but from its start.
  begin: "BEGIN IMMEDIATE",
  lockRows: "",
  lockFreeRows: "",
  elements: (column) => `CASE WHEN json_valid(${column}) THEN json_array_length(${column}) ELSE 0 END`,
  text: (sql) => sql.replace(/\s+/g, " "),
  failure: (error) => failure(error.cause)
}

/**
 * What a failure that better-sqlite3 threw means.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failure = (cause: unknown): Failure => {
  const code = codeOf(cause)
  const message = cause instanceof Error ? cause.message : String(cause)
  const detail = code === "" ? message : `${message} (${code})`
  for (const [prefix, reason, transient] of meanings) {
    if (code.startsWith(prefix)) {
      return { reason, detail, transient }
    }
  }
  return { reason: "Other", detail, transient: false }
}

// internal -----------------------------------------------------------------------------------------------------------

const codeOf = (cause: unknown): string => {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined
  return typeof code === "string" ? code : cause instanceof TypeError ? "CLOSED" : ""
}

/** By the beginning of the code; extended codes begin with their plain one. */
const meanings: ReadonlyArray<readonly [code: string, reason: Failure["reason"], transient: boolean]> = [
  // A transaction has read, another process has written since, and waiting does not help: it must begin again.
  ["SQLITE_BUSY_SNAPSHOT", "Locked", false],
  ["SQLITE_BUSY", "Locked", true],
  ["SQLITE_LOCKED", "Locked", true],
  ["SQLITE_PROTOCOL", "Locked", true],
  ["SQLITE_FULL", "Full", true],
  ["SQLITE_CORRUPT", "Corrupt", false],
  ["SQLITE_NOTADB", "Corrupt", false],
  // The commit that met it was rolled back; what is damaged shows as CORRUPT, not so.
  ["SQLITE_IOERR", "Unavailable", true],
  ["SQLITE_CANTOPEN", "Unavailable", false],
  ["SQLITE_READONLY", "Unavailable", false],
  ["SQLITE_PERM", "Unavailable", false],
  ["SQLITE_AUTH", "Unavailable", false],
  // better-sqlite3 says with a TypeError that the connection is closed or could not be opened.
  ["CLOSED", "Unavailable", false]
]
