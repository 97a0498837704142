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
 * 4. Within a transaction that a caller has begun (`CallersTransaction`), what would be a transaction is a savepoint of it:
 *    nothing of it is there for anybody else before the caller commits.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { StoreError } from "../Store.js"
import type { Damaged, Row } from "./Decode.js"
import type { Dialect } from "./Dialect.js"

/**
 * The transaction that a caller has begun on a connection to the store's database: operations that find it in their
 * context take part in it.
 *
 * @category services
 * @since 0.1.0
 */
export class CallersTransaction extends Context.Tag("perdure/CallersTransaction")<CallersTransaction, Connection>() {}

/**
 * Runs one statement on the connection that a transaction holds.
 *
 * @category models
 * @since 0.1.0
 */
export type Tx = (sql: string, params: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<Row>, SqlError>

/** What a statement was to be about is not there any more. @since 0.1.0 */
export class Gone extends Data.TaggedError("Gone")<{ readonly detail: string }> {}

/** What may go wrong inside a transaction. @since 0.1.0 */
export type Fault = SqlError | Damaged | Gone

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
export const make = (
  client: SqlClient.SqlClient,
  dialect: Dialect,
  busyTimeoutMillis: number,
  place: string
): Database => {
  // The driver keeps what preparing a statement came to, failures with it. After one such failure all texts get a new
  // ending, so that a passing trouble is not answered from the cache for ever.
  let ending = ""
  const txOf = (connection: Connection): Tx => (sql, params) =>
    connection.execute(ending === "" ? sql : sql + ending, params, undefined)

  const failed = (operation: string) => (fault: Fault): StoreError => {
    if (fault._tag === "Damaged") {
      return new StoreError({ operation, reason: "Corrupt", detail: fault.detail, transient: false })
    }
    if (fault._tag === "Gone") {
      return new StoreError({ operation, reason: "Unavailable", detail: fault.detail, transient: false })
    }
    if (fault.message?.startsWith("Failed to prepare")) {
      ending = ending.length < 8 ? `${ending} ` : ""
    }
    return new StoreError({ operation, ...dialect.failure(fault), cause: fault.cause })
  }

  let asked = 0
  // A driver that answers at once keeps the event loop from going round for as long as somebody asks on, as in a loop:
  // no timer fires, and who waits for the connection does not hear that it is free.
  const letOthers = Effect.suspend(() => {
    if (asked === 0) setImmediate(() => asked = 0)
    return asked++ < askedMax
      ? Effect.void
      : Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))
  })

  // Only the wait for the connection can be interrupted, which a user's own transaction may hold for long.
  const reserved = <A>(
    operation: string,
    body: (
      connection: Connection,
      restore: <B, E>(effect: Effect.Effect<B, E>) => Effect.Effect<B, E>
    ) => Effect.Effect<A, Fault>
  ) =>
    Effect.zipRight(
      letOthers,
      whileLocked(
        plainNumbers(Effect.uninterruptibleMask((restore) =>
          Effect.scoped(Effect.flatMap(restore(client.reserve), (connection) => body(connection, restore)))
        )).pipe(Effect.mapError(failed(operation))),
        busyTimeoutMillis
      )
    )

  /** On the connection of the caller's transaction where there is one, else on one of ours. */
  const within = <A>(
    operation: string,
    body: (connection: Connection, bounds: Bounds) => Effect.Effect<A, Fault>
  ): Effect.Effect<A, StoreError> =>
    Effect.withFiberRuntime((fiber) => {
      const callers = Option.getOrUndefined(Context.getOption(fiber.currentContext, CallersTransaction))
      if (callers === undefined) return reserved(operation, (connection) => body(connection, transaction))
      const work = Effect.flatMap(ours(operation, callers), () =>
        Effect.mapError(plainNumbers(Effect.uninterruptible(body(callers, savepoint))), failed(operation)))
      return whileLocked(work, busyTimeoutMillis)
    })

  const known = new WeakSet<Connection>([])
  /** Whether a caller's connection leads to the database of this store, and no other one. */
  const ours = (operation: string, connection: Connection): Effect.Effect<void, StoreError> =>
    known.has(connection) ? Effect.void : Effect.flatMap(
      Effect.mapError(txOf(connection)(dialect.place, []), failed(operation)),
      ([row]) => {
        if (row?.place === place) return Effect.sync(() => void known.add(connection))
        return Effect.fail(
          new StoreError({
            operation,
            reason: "Foreign",
            detail: `the transaction is one of the database ${String(row?.place)}, the store is in ${place}`,
            transient: false
          })
        )
      }
    )

  const transaction: Bounds = {
    begin: [dialect.begin],
    commit: ["COMMIT"],
    rollback: ["ROLLBACK"]
  }

  const bounded = <A, E>(tx: Tx, bounds: Bounds, body: Effect.Effect<A, E>): Effect.Effect<A, E | SqlError> => {
    const each = (statements: ReadonlyArray<string>) =>
      Effect.forEach(statements, (statement) => tx(statement, []), { discard: true })
    const work = Effect.flatMap(body, (result) => Effect.as(each(bounds.commit), result))
    return Effect.zipRight(
      each(bounds.begin),
      // After a full disk or an I/O error SQLite has rolled back by itself, and says so to our ROLLBACK.
      Effect.catchAllCause(
        work,
        (cause) => Effect.zipRight(Effect.ignore(each(bounds.rollback)), Effect.failCause(cause))
      )
    )
  }

  return {
    dialect,
    read: (operation, body) => within(operation, (connection) => body(txOf(connection))),
    write: (operation, body) =>
      within(operation, (connection, bounds) => {
        const tx = txOf(connection)
        return bounded(tx, bounds, body(tx))
      }),
    writeAround: <A, E, B>(
      operation: string,
      work: (services: Context.Context<never>) => Effect.Effect<A, E>,
      body: (tx: Tx, work: Effect.Effect<A, Work<E>>) => Effect.Effect<B, Fault | Work<E>>,
      committed: (result: B) => void
    ) =>
      Effect.flatMap(
        reserved(operation, (connection, restore): Effect.Effect<Exit.Exit<B, E>, Fault> => {
          const tx = txOf(connection)
          const services = Context.make(SqlClient.SqlClient, client).pipe(
            Context.add(SqlClient.TransactionConnection, [connection, 0])
          )
          const guarded = Effect.catchAllCause(
            restore(work(services as Context.Context<never>)),
            (cause) => Effect.fail(new Work(cause))
          )
          const done = Effect.map(bounded(tx, transaction, body(tx, guarded)), (result) => {
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
    if (!passes(error)) {
      return Effect.fail(error)
    }
    const deadline = clock.unsafeCurrentTimeMillis() + timeoutMillis
    const again = (error: StoreError, pauseMillis: number): Effect.Effect<A, StoreError> =>
      !passes(error) || clock.unsafeCurrentTimeMillis() >= deadline
        ? Effect.fail(error)
        : clock.sleep(Duration.millis(pauseMillis)).pipe(
          Effect.zipRight(effect),
          Effect.catchAll((error) => again(error, Math.min(pauseMillis * 2, pauseMillisMax)))
        )
    return again(error, pauseMillisMin)
  })

// internal -----------------------------------------------------------------------------------------------------------

/** Operations in one round of the event loop, before it is let go round. */
const askedMax = 32

/** How a transaction is begun and ended. */
interface Bounds {
  readonly begin: ReadonlyArray<string>
  readonly commit: ReadonlyArray<string>
  readonly rollback: ReadonlyArray<string>
}

const savepoint: Bounds = {
  begin: ["SAVEPOINT perdure"],
  commit: ["RELEASE SAVEPOINT perdure"],
  rollback: ["ROLLBACK TO SAVEPOINT perdure", "RELEASE SAVEPOINT perdure"]
}

/** A user's fiber may ask for bigints; the driver would give them to our statements for ever after. */
const plainNumbers = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.provideService(effect, SqlClient.SafeIntegers, false)

const passes = (error: StoreError): boolean => error.reason === "Locked" && error.transient

const clock = Clock.make()

const pauseMillisMin = 1

/** Only lets the event loop breathe: where the database waits by itself, as SQLite does for 50 ms, an attempt is long. */
const pauseMillisMax = 10
