/**
 * One database in memory for many trials, one after the other: emptied in between, which takes a fraction of what opening
 * another one would.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as SqliteStore from "../persistence/sqlite/SqliteStore.js"
import type { StoreError } from "../persistence/Store.js"
import { Store } from "../persistence/Store.js"

/** Gives the store, with nothing in it. Nobody may use it any more as it was before. @since 0.1.0 */
export type FreshStore = Effect.Effect<Store["Type"], SqlError>

/** @since 0.1.0 */
export const make: Effect.Effect<FreshStore, StoreError | SqlError, Scope.Scope> = Effect.suspend(() =>
  Effect.map(open, ({ fresh }) => fresh)
)

/** With a client of its database, for who wants to look behind the store. @since 0.1.0 */
export const open: Effect.Effect<
  { readonly fresh: FreshStore; readonly sql: SqlClient.SqlClient },
  StoreError | SqlError,
  Scope.Scope
> = Effect.gen(function*() {
  const context = yield* Layer.build(SqliteStore.layer({ filename: ":memory:" }))
  const sql = Context.get(context, SqlClient.SqlClient)
  const tables = yield* sql<{ readonly name: string }>`SELECT name FROM sqlite_master
    WHERE type = 'table' AND name LIKE 'perdure\\_%' ESCAPE '\\' 
    AND name NOT IN ('perdure_migrations', 'perdure_namespaces')`
  const clear = Effect.forEach(tables, ({ name }) => sql`DELETE FROM ${sql(name)}`, { discard: true })
  return { fresh: Effect.as(clear, Context.get(context, Store)), sql }
})
