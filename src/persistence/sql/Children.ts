/**
 * Runs that are children of others: found by their parents, and closed or asked to end with them (row K4).
 *
 * ```
 *   parent closes ──▶ open children ──▶ Terminate: closed, and theirs ──▶ ...
 *                                   ├─▶ RequestCancel: a cancel request in the mailbox
 *                                   └─▶ Abandon: nothing
 * ```
 *
 * All of it in the transaction that closes the parent: a crash leaves either an open parent with its children, or a
 * closed one whose policies are applied (I3).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Events from "../../core/Event.js"
import * as Messages from "../../core/Message.js"
import type { Store } from "../Store.js"
import * as Batch from "./Batch.js"
import type { Database, Fault, Tx } from "./Database.js"
import type { Dialect } from "./Dialect.js"
import type * as Mailbox from "./Mailbox.js"
import * as Rows from "./Rows.js"
import type * as Terminating from "./Terminating.js"

type Child = Effect.Effect.Success<ReturnType<typeof Rows.child>>[number]

/**
 * What other statements need of children, inside their own transactions.
 *
 * @category models
 * @since 0.1.0
 */
export interface Statements {
  /** The open children of runs. */
  readonly openOf: (tx: Tx, parents: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Child>, Fault>
  /** Applies the policies of the open children of runs that are closed now, and of theirs. */
  readonly closeWith: (tx: Tx, parents: ReadonlyArray<string>, now: number) => Effect.Effect<void, Fault>
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const statements = (
  dialect: Dialect,
  mailbox: Mailbox.Statements,
  terminating: Terminating.Statements
): Statements => {
  const open = Batch.make(dialect, {
    before: `SELECT run_id, owner, parent_run_id, parent_seq, parent_close FROM perdure_runs
      WHERE status = 'Running' AND parent_run_id IN (`,
    row: "?",
    after: `)${dialect.lockRows}`
  })
  const openOf: Statements["openOf"] = (tx, parents) => Effect.flatMap(Batch.run(tx, open, parents), Rows.child)

  const closeWith: Statements["closeWith"] = (tx, parents, now) =>
    Effect.flatMap(openOf(tx, parents), (children) => {
      const ended = children.filter(({ close }) => close === "Terminate")
      const asked = children.filter(({ close }) => close === "RequestCancel")
      const mail = asked.map(({ runId }) => ({ runId, kind: "Cancel" as const, body: canceled }))
      const asking = Effect.asVoid(mailbox.post(tx, mail, now))
      return ended.length === 0 ? asking : asking.pipe(
        Effect.zipRight(terminating.end(tx, ended, terminated, now)),
        Effect.zipRight(Effect.suspend(() => closeWith(tx, ended.map(({ runId }) => runId), now)))
      )
    })

  return { openOf, closeWith }
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (db: Database, children: Statements): Pick<Store["Type"], "openChildren"> => ({
  openChildren: (runId) =>
    db.read(
      "openChildren",
      (tx) => Effect.map(children.openOf(tx, [runId]), (found) => found.map(({ runId, seq }) => ({ runId, seq })))
    )
})

// internal -----------------------------------------------------------------------------------------------------------

const reason = "its parent closed"

const terminated: Terminating.End = {
  status: "Terminated",
  events: Events.encode([{ _tag: "ExecutionTerminated", reason }]),
  format: Events.format
}

const canceled = Messages.encode({ _tag: "Cancel", reason })
