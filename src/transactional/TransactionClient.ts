/**
 * Starting and signalling executions inside of the caller's own SQL transaction: they are there with what else it wrote
 * once it commits, and with nothing of it if it rolls back.
 *
 * ```
 *   sql.withTransaction ──▶ BEGIN ──▶ INSERT INTO orders ──▶ start, signal ──▶ COMMIT ──▶ any worker takes them up
 *                                                               └─ savepoint    └─ ROLLBACK: nothing was there
 * ```
 *
 * Always through the store: the engine of this process commits on its own, and must not be ahead of the caller.
 *
 * @since 0.1.0
 */
import { TransactionConnection } from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { PayloadArgument } from "../dsl/Call.js"
import type { Handle, SignalMessage, SignalWithStartOptions, StartError, StartOptionsOf } from "../dsl/Client.js"
import { ContractError } from "../dsl/Contract.js"
import type * as Workflow from "../dsl/Workflow.js"
import { CallersTransaction } from "../persistence/sql/Database.js"
import { Store } from "../persistence/Store.js"
import * as ClientOf from "../runtime/ClientOf.js"

/**
 * What can be said to an execution within a transaction. Answers cannot be waited for there: nobody sees what was said
 * before the commit.
 *
 * @category models
 * @since 0.1.0
 */
export interface Addressed<W> extends Pick<Handle<W>, "workflowId" | "runId" | "signal"> {
  /** Asks for cancellation; a request to a closed run, or a second one, changes nothing (row C1). */
  readonly cancel: (
    reason?: string
  ) => Effect.Effect<void, Effect.Effect.Error<ReturnType<Handle<W>["cancel"]>> | ContractError>
}

/**
 * The part of the client that takes part in a transaction. Each call fails with `ContractError` where it is made outside
 * of one, and with `StoreUnavailable` where the transaction is one of another database than the store's.
 *
 * @category models
 * @since 0.1.0
 */
export interface TransactionClient {
  /**
   * Starts an execution with the commit of the transaction. Whether its workflow id is free is looked at in it: an open
   * run that it meets fails the call, and not the transaction, unless that is what you make of it.
   */
  readonly start: <W extends Workflow.Any>(
    workflow: W,
    ...args: PayloadArgument<Workflow.PayloadOf<W>, StartOptionsOf<W>>
  ) => Effect.Effect<Addressed<W> & { readonly runId: string }, StartError>
  /** Sends a signal to the open run of the workflow id, or starts one with it, with the commit of the transaction (row S10). */
  readonly signalWithStart: <W extends Workflow.Any>(
    workflow: W,
    payload: Workflow.PayloadOf<W>,
    signal: SignalMessage<W>,
    options: SignalWithStartOptions & StartOptionsOf<W>
  ) => Effect.Effect<Addressed<W> & { readonly runId: string }, StartError>
  /** An execution that was started before, in the same transaction or long ago. */
  readonly handle: <W extends Workflow.Any>(workflow: W, workflowId: string, runId?: string) => Addressed<W>
}

/**
 * The client whose calls are part of the transaction in which they are made, that of `withTransaction` of a `SqlClient` of
 * the store's database, be it the store's own or another one, or of a transactional activity.
 *
 * ```ts
 * const client = yield* Transactional.client
 * yield* sql.withTransaction(Effect.gen(function*() {
 *   yield* sql`INSERT INTO orders ${sql.insert(order)}`
 *   yield* client.start(OrderWorkflow, order, { workflowId: order.id })
 * }))
 * ```
 *
 * **Gotchas**
 *
 * The plain `Client` must not be called in a transaction of the store's own `SqlClient` on SQLite: it would wait for the
 * one connection, which the transaction has. On SQLite, `withTransaction` begins as a reader: where another process
 * writes between its first read and its first write, that fails with "Locked", and the transaction must be made again
 * from its beginning. Write first, and it waits instead.
 *
 * @category constructors
 * @since 0.1.0
 */
export const client: Effect.Effect<TransactionClient, never, Store> = Effect.map(
  Effect.flatMap(Store, (store) => ClientOf.make(store, undefined)),
  (client): TransactionClient => {
    const addressed = <W>(handle: Handle<W>): Addressed<W> => ({
      workflowId: handle.workflowId,
      runId: handle.runId,
      signal: (name, ...args) => joining(`signal ${name}`, handle.signal(name, ...args)),
      cancel: (reason) => joining("cancel", handle.cancel(reason))
    })
    const begun = <W>(handle: Handle<W> & { readonly runId: string }) => ({
      ...addressed(handle),
      runId: handle.runId
    })
    return {
      start: (workflow, ...args) =>
        Effect.map(joining(`start of workflow ${workflow.name}`, client.start(workflow, ...args)), begun),
      signalWithStart: (workflow, payload, signal, options) =>
        Effect.map(
          joining(`start of workflow ${workflow.name}`, client.signalWithStart(workflow, payload, signal, options)),
          begun
        ),
      handle: (workflow, workflowId, runId) => addressed(client.handle(workflow, workflowId, runId))
    }
  }
)

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const joining = <A, E>(subject: string, call: Effect.Effect<A, E>): Effect.Effect<A, E | ContractError> =>
  Effect.flatMap(
    Effect.serviceOption(TransactionConnection),
    (transaction): Effect.Effect<A, E | ContractError> =>
      Option.isSome(transaction)
        ? Effect.provideService(call, CallersTransaction, transaction.value[0])
        : Effect.fail(
          new ContractError({
            subject: `${subject} in a transaction`,
            reason: "there is none: call it inside of withTransaction of the SqlClient, or use Client"
          })
        )
  )
