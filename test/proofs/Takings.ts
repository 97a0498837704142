/**
 * Orders as rows of the user's own and as workflows: what the process that is killed, and the test that counts, share.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Workflow } from "perdure"

export const Order = Workflow.make("Order", { payload: Schema.Number })

export const workflowId = (n: number): string => `order ${n}`

export const table = Effect.flatMap(SqlClient, (sql) => sql`CREATE TABLE IF NOT EXISTS orders (n INTEGER NOT NULL)`)

export const insert = (n: number) => Effect.flatMap(SqlClient, (sql) => sql`INSERT INTO orders (n) VALUES (${n})`)

export const rows = Effect.flatMap(
  SqlClient,
  (sql) => Effect.map(sql<{ readonly n: number }>`SELECT n FROM orders ORDER BY n`, (rows) => rows.map(({ n }) => n))
)

/** Behind the last one that was taken. */
export const next = Effect.map(rows, (rows) => (rows[rows.length - 1] ?? 0) + 1)
