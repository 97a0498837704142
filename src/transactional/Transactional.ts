/**
 * What becomes durable together with SQL of the user's own in the database of the store.
 *
 * Here, transactional activities: what the code writes to the user's tables, and the activity's outcome, are there
 * together or not at all. Exactly once (I9). In `TransactionClient.ts`, starts and signals in a transaction that the user
 * began.
 *
 * ```
 *   attempt ──▶ BEGIN ──▶ still ours? ──▶ the body, on the same connection ──▶ outcome ──▶ COMMIT
 *                             └─ no: ROLLBACK, nobody waits        └─ fails, is interrupted: ROLLBACK, a failed attempt
 * ```
 *
 * A layer of its own: here a body meets SQL, which the dsl does not know.
 *
 * @since 0.1.0
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Activity } from "../dsl/Activity.js"
import type { ActivityContext } from "../dsl/ActivityContext.js"
import type { ApplicationError } from "../dsl/ApplicationError.js"
import type { Hosted } from "../dsl/HostedActivity.js"
import { hosting, hostTag } from "../dsl/HostedActivity.js"

export { client } from "./TransactionClient.js"
export type { Addressed, TransactionClient } from "./TransactionClient.js"

/**
 * Gives an activity a body that runs inside of the transaction that records its outcome.
 *
 * All statements of the `SqlClient` that the body asks for are part of that transaction, of the store's own database:
 * they take effect exactly once, with the result. A body that fails, times out, or is canceled, leaves nothing of them
 * behind, and counts as a failed attempt. A `withTransaction` inside is a savepoint.
 *
 * **Gotchas**
 *
 * The body must be short: on SQLite it holds the write lock, and the store's one connection, so that nothing else of this
 * worker is committed meanwhile. Do not call other services in it, and do not wait in it for anything that the engine
 * must commit, such as a client's call: it would wait until its timeout. What it does besides SQL is at least once, as in
 * any activity.
 *
 * @category layers
 * @since 0.1.0
 */
export const toLayer = <Name extends string, Payload, Success, Error, R>(
  activity: Activity<Name, Payload, Success, Error>,
  body: (payload: Payload) => Effect.Effect<Success, Error | ApplicationError, R>
): Layer.Layer<Hosted<Name>, never, SqlClient | Exclude<R, ActivityContext | Scope.Scope>> =>
  Layer.effect(
    hostTag(activity.name),
    hosting(
      activity.name,
      activity.codecs,
      body as (payload: never) => Effect.Effect<Success, unknown, R>,
      "Transactional"
    )
  )
