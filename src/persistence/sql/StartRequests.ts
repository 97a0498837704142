/**
 * Which run a request made: a start that names one, or a reset, is done once (rows X6, C11).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Fault, Tx } from "./Database.js"
import type { Dialect } from "./Dialect.js"
import * as Rows from "./Rows.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface Statements {
  readonly find: (tx: Tx, workflowId: string, requestId: string) => Effect.Effect<Option.Option<string>, Fault>
  readonly remember: (tx: Tx, workflowId: string, requestId: string, runId: string) => Effect.Effect<void, Fault>
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const statements = ({ text }: Dialect): Statements => {
  const known = text(
    `SELECT run_id FROM perdure_start_requests
    WHERE namespace = :namespace AND workflow_id = ? AND request_id = ?`
  )
  const insert = text(
    `INSERT INTO perdure_start_requests (namespace, workflow_id, request_id, run_id)
    VALUES (:namespace, ?, ?, ?)`
  )
  return {
    find: (tx, workflowId, requestId) =>
      Effect.map(
        Effect.flatMap(tx(known, [workflowId, requestId]), Rows.runId),
        ([found]) => Option.fromNullable(found)
      ),
    remember: (tx, workflowId, requestId, runId) => Effect.asVoid(tx(insert, [workflowId, requestId, runId]))
  }
}
