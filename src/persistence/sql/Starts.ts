/**
 * Starts by those who do not host the run: whether there may be a new one, beside those that its workflow id had, and
 * what goes in with it. All of it is one transaction, so that of two starts at once the second one meets the first.
 *
 * ```
 *   request id known? ──▶ Known
 *   open run?  ──▶ terminate it, where that was asked for; else AlreadyRunning
 *   last run?  ──▶ refused by the reuse policy; not the one that the caller saw ──▶ Changed
 *   else: row, Start, what goes with it, request id ──▶ Created
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { CreateOptions, CreateResult, Store } from "../Store.js"
import type { Changes } from "./Changes.js"
import * as Creating from "./Creating.js"
import type { Database } from "./Database.js"
import type * as Imposing from "./Imposing.js"
import type * as Mailbox from "./Mailbox.js"
import type { Exists } from "./Namespaces.js"
import * as Rows from "./Rows.js"
import * as StartRequests from "./StartRequests.js"

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  db: Database,
  creating: Creating.Statements,
  mailbox: Mailbox.Statements,
  imposing: Imposing.Statements,
  exists: Exists,
  changes: Changes
): Pick<Store["Type"], "create"> => {
  const { lockRows, text } = db.dialect
  const open = text(
    `SELECT run_id, status, owner FROM perdure_runs
    WHERE status = 'Running' AND namespace = :namespace AND workflow_id = ?${lockRows}`
  )
  const requests = StartRequests.statements(db.dialect)

  return {
    create: (run, start, options = plain) =>
      db.write("create", (tx) =>
        Effect.gen(function*() {
          const { runId, startedAt, workflowId } = run
          const { requestId } = options
          if (requestId !== undefined) {
            const found = yield* requests.find(tx, workflowId, requestId)
            if (Option.isSome(found)) {
              return { _tag: "Known", runId: found.value } satisfies CreateResult
            }
          }
          yield* exists(tx)
          const [running] = yield* Effect.flatMap(tx(open, [workflowId]), Rows.target)
          if (running === undefined) {
            const last = options.reuse === undefined && options.last === undefined
              ? undefined
              : yield* creating.last(tx, workflowId)
            if (options.last !== undefined && options.last.runId !== last?.runId) {
              return { _tag: "Changed" } satisfies CreateResult
            }
            if (last !== undefined && Creating.refuses(options.reuse, last.status)) {
              return { _tag: "Refused", runId: last.runId } satisfies CreateResult
            }
          } else if (options.terminate === undefined) {
            return { _tag: "AlreadyRunning", runId: running.runId } satisfies CreateResult
          } else {
            yield* imposing.end(tx, running, options.terminate, startedAt)
          }
          yield* creating.create(tx, "", [{ run, start, owned: false }], startedAt)
          yield* mailbox.post(tx, options.mail ?? [], startedAt)
          if (requestId !== undefined) {
            yield* requests.remember(tx, workflowId, requestId, runId)
          }
          return {
            _tag: "Created",
            ...(running === undefined ? {} : { terminated: running.runId })
          } satisfies CreateResult
        })).pipe(Effect.tap((result) => result._tag === "Created" ? changes.announce : Effect.void))
  }
}

// internal -----------------------------------------------------------------------------------------------------------

const plain: CreateOptions = {}
