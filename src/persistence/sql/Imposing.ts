/**
 * An end that somebody outside asks for: of the run itself, and what follows from it for others.
 *
 * ```
 *   run ──▶ last turn, closed, word to its owner ──▶ its children, by their policies ──▶ its parent is told
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { ImposedEnd, PostResult, Store } from "../Store.js"
import type { Changes } from "./Changes.js"
import type * as Children from "./Children.js"
import type { Database, Fault, Tx } from "./Database.js"
import type { Dialect } from "./Dialect.js"
import type * as Outgoing from "./Outgoing.js"
import * as Rows from "./Rows.js"
import { columns } from "./Runs.js"
import type * as Terminating from "./Terminating.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface Statements {
  /** Terminates a run that is open. */
  readonly end: (
    tx: Tx,
    run: { readonly runId: string; readonly owner: string | undefined },
    end: ImposedEnd,
    now: number
  ) => Effect.Effect<void, Fault>
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const statements = (
  dialect: Dialect,
  outgoing: Outgoing.Statements,
  terminating: Terminating.Statements,
  children: Children.Statements
): Statements => {
  const byId = dialect.text(`SELECT ${columns} FROM perdure_runs r WHERE r.run_id = ?`)
  return {
    end: (tx, run, { events, format, toParent }, now) =>
      Effect.gen(function*() {
        const { runId } = run
        yield* terminating.end(tx, [run], { status: "Terminated", events, format }, now)
        yield* children.closeWith(tx, [runId], now)
        const [{ parent } = { parent: undefined }] = yield* Effect.flatMap(tx(byId, [runId]), Rows.run)
        const told = parent === undefined ? undefined : toParent?.(parent, runId)
        yield* outgoing.deliver(tx, told === undefined ? [] : [told], now)
      })
  }
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  db: Database,
  imposing: Statements,
  changes: Changes
): Pick<Store["Type"], "terminate"> => {
  const target = db.dialect.text(
    `SELECT run_id, status, owner FROM perdure_runs
    WHERE run_id = ? AND +namespace = :namespace${db.dialect.lockRows}`
  )
  return {
    terminate: (runId, events, format, now, toParent) =>
      db.write("terminate", (tx) =>
        Effect.gen(function*() {
          const [run] = yield* Effect.flatMap(tx(target, [runId]), Rows.target)
          if (run === undefined || run.status !== "Running") {
            return (run === undefined ? "NotFound" : "Closed") satisfies PostResult
          }
          yield* imposing.end(tx, run, { events, format, toParent }, now)
          return "Posted" satisfies PostResult
        })).pipe(Effect.tap((result) => result === "Posted" ? changes.announce : Effect.void))
  }
}
