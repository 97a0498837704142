/**
 * One place where transactions begin and end, and where what the driver reports becomes a `StoreError`.
 *
 * ```
 *   read / write ──▶ reserve the connection ──▶ BEGIN ──▶ body ──▶ COMMIT
 *        ▲                                        │        └─ fails ─▶ ROLLBACK ─▶ StoreError
 *        └──────────── backoff ◀── Locked ────────┘
 * ```
 *
 * 1. A transaction that has begun ends, whatever becomes of the fiber: it runs uninterrupted.
 * 2. Only `Locked` is tried again here, since it is the only failure that waiting for another process cures; it is
 *    reported after `busyTimeout` all the same. Waiting takes real time, not a test's: another process holds the lock.
 * 3. Statements go to the reserved connection directly. A tagged template would cost a span a statement.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { StoreError } from "../Store.js"
import type { Damaged, Row } from "./Decode.js"
import type { Dialect } from "./Dialect.js"

/**
 * Runs one statement on the connection that a transaction holds.
 *
 * @category models
 * @since 0.1.0
 */
export type Tx = (sql: string, params: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<Row>, SqlError>

/** What may go wrong inside a transaction. @since 0.1.0 */
export type Fault = SqlError | Damaged

/** How an author's work within a transaction went wrong. @since 0.1.0 */
export class Work<E> {
  readonly _tag = "Work"
  constructor(readonly cause: Cause.Cause<E>) {}
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Database {
  readonly dialect: Dialect
  /** One statement or several that need not see one state, outside a transaction. */
  readonly read: <A>(operation: string, body: (tx: Tx) => Effect.Effect<A, Fault>) => Effect.Effect<A, StoreError>
  /** All or nothing, alone against every other writer. */
  readonly write: <A>(operation: string, body: (tx: Tx) => Effect.Effect<A, Fault>) => Effect.Effect<A, StoreError>
  /**
   * The same with an author's work in the midst of it, whose statements through the `SqlClient` that it is given are part
   * of the transaction. Only the work can be interrupted; that, or its failure, rolls everything back.
   */
  readonly writeAround: <A, E, B>(
    operation: string,
    work: (services: Context.Context<never>) => Effect.Effect<A, E>,
    body: (tx: Tx, work: Effect.Effect<A, Work<E>>) => Effect.Effect<B, Fault | Work<E>>,
    /** Called with the end of the transaction: no interruption comes between. */
    committed: (result: B) => void
  ) => Effect.Effect<B, StoreError | E>
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (client: SqlClient.SqlClient, dialect: Dialect, busyTimeoutMillis: number): Database => {
  // The driver keeps what preparing a statement came to, failures with it. After one such failure all texts get a new
  // ending, so that a passing trouble is not answered from the cache for ever.
  let ending = ""
  const txOf = (connection: Connection): Tx => (sql, params) =>
    connection.execute(ending === "" ? sql : sql + ending, params, undefined)

  const failed = (operation: string) => (fault: Fault): StoreError => {
    if (fault._tag === "Damaged") {
      return new StoreError({ operation, reason: "Corrupt", detail: fault.detail, transient: false })
    }
    if (fault.message?.startsWith("Failed to prepare")) {
      ending = ending.length < 8 ? `${ending} ` : ""
    }
    return new StoreError({ operation, ...dialect.failure(fault), cause: fault.cause })
  }

  const within = <A>(
    operation: string,
    body: (
      connection: Connection,
      restore: <B, E>(effect: Effect.Effect<B, E>) => Effect.Effect<B, E>
    ) => Effect.Effect<A, Fault>
  ) => {
    // Only the wait for the connection can be interrupted, which a user's own transaction may hold for long.
    const attempt = Effect.uninterruptibleMask((restore) =>
      Effect.scoped(Effect.flatMap(restore(client.reserve), (connection) => body(connection, restore)))
    ).pipe(
      // A user's fiber may ask for bigints; the driver would give them to our statements for ever after.
      Effect.provideService(SqlClient.SafeIntegers, false),
      Effect.mapError(failed(operation))
    )
    return whileLocked(attempt, busyTimeoutMillis)
  }

  const transaction = <A, E>(tx: Tx, body: Effect.Effect<A, E>): Effect.Effect<A, E | SqlError> => {
    const work = Effect.flatMap(body, (result) => Effect.as(tx("COMMIT", []), result))
    return Effect.zipRight(
      tx(dialect.begin, []),
      // After a full disk or an I/O error SQLite has rolled back by itself, and says so to our ROLLBACK.
      Effect.catchAllCause(work, (cause) => Effect.zipRight(Effect.ignore(tx("ROLLBACK", [])), Effect.failCause(cause)))
    )
  }

  return {
    dialect,
    read: (operation, body) => within(operation, (connection) => body(txOf(connection))),
    write: (operation, body) =>
      within(operation, (connection) => {
        const tx = txOf(connection)
        return transaction(tx, body(tx))
      }),
    writeAround: <A, E, B>(
      operation: string,
      work: (services: Context.Context<never>) => Effect.Effect<A, E>,
      body: (tx: Tx, work: Effect.Effect<A, Work<E>>) => Effect.Effect<B, Fault | Work<E>>,
      committed: (result: B) => void
    ) =>
      Effect.flatMap(
        within(operation, (connection, restore): Effect.Effect<Exit.Exit<B, E>, Fault> => {
          const tx = txOf(connection)
          const services = Context.make(SqlClient.SqlClient, client).pipe(
            Context.add(SqlClient.TransactionConnection, [connection, 0])
          )
          const guarded = Effect.catchAllCause(
            restore(work(services as Context.Context<never>)),
            (cause) => Effect.fail(new Work(cause))
          )
          const done = Effect.map(transaction(tx, body(tx, guarded)), (result) => {
            committed(result)
            return Exit.succeed(result) as Exit.Exit<B, E>
          })
          return Effect.catchAll(done, (fault): Effect.Effect<Exit.Exit<B, E>, Fault> =>
            fault._tag === "Work" ? Effect.succeed(Exit.failCause(fault.cause)) : Effect.fail(fault))
        }),
        (exit) =>
          exit
      )
  }
}

/**
 * Tries again while another process holds the lock, in growing steps of real time, until the time is up.
 *
 * @since 0.1.0
 */
export const whileLocked = <A>(
  effect: Effect.Effect<A, StoreError>,
  timeoutMillis: number
): Effect.Effect<A, StoreError> =>
  Effect.catchAll(effect, (error) => {
    if (error.reason !== "Locked") {
      return Effect.fail(error)
    }
    const deadline = clock.unsafeCurrentTimeMillis() + timeoutMillis
    const again = (error: StoreError, pauseMillis: number): Effect.Effect<A, StoreError> =>
      error.reason !== "Locked" || clock.unsafeCurrentTimeMillis() >= deadline
        ? Effect.fail(error)
        : clock.sleep(Duration.millis(pauseMillis)).pipe(
          Effect.zipRight(effect),
          Effect.catchAll((error) => again(error, Math.min(pauseMillis * 2, pauseMillisMax)))
        )
    return again(error, pauseMillisMin)
  })

// internal -----------------------------------------------------------------------------------------------------------

const clock = Clock.make()

const pauseMillisMin = 1

/** Only lets the event loop breathe: where the database waits by itself, as SQLite does for 50 ms, an attempt is long. */
const pauseMillisMax = 10
