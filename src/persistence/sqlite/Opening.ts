/**
 * Opening a database file: ours, of a version that we know, at the durability that was asked for; else not at all.
 *
 * ```
 *   connect ──▶ whose is it? ──▶ migrate ──▶ WAL ──▶ synchronous, read back ──▶ open
 *                  │ Foreign, Newer, Corrupt: nothing was written to it
 * ```
 *
 * @since 0.1.0
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Database from "../sql/Database.js"
import type { Durability } from "../Store.js"
import { StoreError } from "../Store.js"
import { failure } from "./SqliteDialect.js"
import { applicationId, migrations, migrationsTable } from "./SqliteMigrations.js"

/**
 * @category models
 * @since 0.1.0
 */
interface Options {
  readonly filename: string
  readonly durability: Durability
  readonly busyTimeoutMillis: number
}

/**
 * Opens the file, or creates it, and brings its schema up to date.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = (
  options: Options
): Effect.Effect<SqliteClient.SqliteClient, StoreError, Scope.Scope> =>
  Effect.gen(function*() {
    const client = yield* SqliteClient.make({
      filename: options.filename,
      // Not before it is known whose file it is.
      disableWAL: true,
      prepareCacheSize: 500
    }).pipe(
      Effect.provide(Reactivity.layer),
      // The driver opens the file where no failure is expected of it.
      Effect.catchAllDefect((cause) => Effect.fail(failed(cause)))
    )
    const step = <A>(body: (run: Run) => Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> =>
      Database.whileLocked(
        Effect.uninterruptible(Effect.scoped(Effect.flatMap(
          Effect.mapError(client.reserve, failed),
          (connection) => body(runOn(connection))
        ))),
        options.busyTimeoutMillis
      )
    yield* step((run) => run(`PRAGMA busy_timeout = ${busyTimeoutMillis}`))
    const version = yield* step((run) => identify(run, options.filename))
    if (version < newest) {
      yield* step((run) => migrate(run, options.filename))
    }
    yield* step((run) => settle(run, options))
    return client
  })

// internal -----------------------------------------------------------------------------------------------------------

/** Waiting inside SQLite stops the event loop, so most of the waiting is done outside of it. */
const busyTimeoutMillis = 50

/** Checkpoints shrink the log to this, should a long reader have let it grow. */
const journalBytesMax = 64 * 1024 * 1024

const newest = migrations[migrations.length - 1]!.version

type Run = (sql: string, params?: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<Row>, StoreError>

interface Row {
  readonly [column: string]: unknown
}

const failed = (cause: unknown): StoreError =>
  new StoreError({ operation: "open", ...failure(cause instanceof SqlError ? cause.cause : cause), cause })

const refuse = (reason: StoreError["reason"], detail: string): Effect.Effect<never, StoreError> =>
  Effect.fail(new StoreError({ operation: "open", reason, detail, transient: false }))

/** Unprepared: what preparing came to is kept by the driver, a passing lock with it. It throws where it should fail. */
const runOn = (connection: Connection): Run => (sql, params = []) =>
  Effect.suspend(() => connection.executeUnprepared(sql, params, undefined)).pipe(
    Effect.mapError(failed),
    Effect.catchAllDefect((cause) => Effect.fail(failed(cause)))
  )

const value = (rows: ReadonlyArray<Row>): unknown => rows.length === 0 ? undefined : Object.values(rows[0]!)[0]

/** The schema version of a file of ours, 0 for an empty one. Reads, and writes nothing. */
const identify = (run: Run, filename: string): Effect.Effect<number, StoreError> =>
  Effect.gen(function*() {
    const id = value(yield* run("PRAGMA application_id"))
    if (id === applicationId) {
      const version = value(yield* run("SELECT max(version) FROM perdure_migrations"))
      if (typeof version !== "number") {
        return yield* refuse("Corrupt", `${filename} does not tell the version of its schema`)
      }
      return version > newest
        ? yield* refuse("Newer", `${filename} has schema version ${version}, this perdure knows ${newest}: update it`)
        : version
    }
    const tables = value(yield* run("SELECT count(*) FROM sqlite_master"))
    return id === 0 && tables === 0
      ? 0
      : yield* refuse(
        "Foreign",
        `${filename} is the database of another program (application_id ${String(id)}, ${String(tables)} tables)`
      )
  })

const migrate = (run: Run, filename: string): Effect.Effect<void, StoreError> =>
  Effect.gen(function*() {
    yield* run("BEGIN IMMEDIATE")
    // Another process may have been first while this one waited for the lock.
    const version = yield* identify(run, filename)
    yield* run(migrationsTable)
    for (const migration of migrations) {
      if (migration.version > version) {
        yield* run("INSERT INTO perdure_migrations (version, name) VALUES (?, ?)", [migration.version, migration.name])
        for (const statement of migration.statements) {
          yield* run(statement)
        }
      }
    }
    yield* run(`PRAGMA application_id = ${applicationId}`)
    // A crash before this leaves the file as it was; test: two processes that start at once.
    yield* run("COMMIT")
  }).pipe(Effect.tapErrorCause(() => Effect.ignore(run("ROLLBACK"))))

/**
 * Pages of the log at which a commit also moves them into the file: 32 MB. At SQLite's own 1,000 the same hot pages are
 * moved again and again, which doubled what a commit cost here.
 */
const checkpointPages = 8_000

const settle = (run: Run, { durability, filename }: Options): Effect.Effect<void, StoreError> =>
  Effect.gen(function*() {
    const inMemory = filename === ":memory:" || filename === ""
    const journal = value(yield* run("PRAGMA journal_mode = WAL"))
    if (journal !== "wal" && !inMemory) {
      return yield* refuse("Unavailable", `${filename} cannot have a write-ahead log (journal mode ${String(journal)})`)
    }
    // The driver's own default in WAL mode is NORMAL, which may lose the last commits when the power fails.
    const level = durability === "power-loss" ? 2 : 1
    yield* run(`PRAGMA synchronous = ${level}`)
    const actual = value(yield* run("PRAGMA synchronous"))
    if (actual !== level) {
      return yield* refuse("Unavailable", `${filename} does not take synchronous = ${level}, it says ${String(actual)}`)
    }
    yield* run(`PRAGMA journal_size_limit = ${journalBytesMax}`)
    yield* run(`PRAGMA wal_autocheckpoint = ${checkpointPages}`)
  })
