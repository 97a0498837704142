/**
 * A run that takes another one anew: its row, its first turns, its tasks and its mail, in one transaction with the end of
 * the run that it takes the place of. There is no moment in which both are open, or neither is (I3).
 *
 * ```
 *   request id known? ──▶ Known          other turns than were seen, or not the last run, which was meant? ──▶ Changed
 *   open run of the chain? ──▶ its mail is kept, it is ended          of another execution ──▶ AlreadyRunning
 *   row ──▶ history ──▶ tasks ──▶ the mail that was given, then what was kept
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { NewMail, ResetResult, Store } from "../Store.js"
import * as Batch from "./Batch.js"
import type { Changes } from "./Changes.js"
import type * as Creating from "./Creating.js"
import type { Database } from "./Database.js"
import type * as Imposing from "./Imposing.js"
import type * as Mailbox from "./Mailbox.js"
import * as Rows from "./Rows.js"
import { columns } from "./Runs.js"
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
  changes: Changes
): Pick<Store["Type"], "reset" | "findReset"> => {
  const { lockRows, text } = db.dialect
  const base = text(
    `SELECT ${columns} FROM perdure_runs r WHERE r.run_id = ? AND +r.namespace = :namespace${lockRows}`
  )
  const open = text(
    `SELECT ${columns} FROM perdure_runs r
    WHERE r.status = 'Running' AND r.namespace = :namespace AND r.workflow_id = ?${lockRows}`
  )
  const lastOfChain = text(
    `SELECT run_id FROM perdure_runs
    WHERE namespace = :namespace AND workflow_id = ? AND coalesce(first_run_id, run_id) = ?
    ORDER BY status = 'Running' DESC, started_at DESC, run_id DESC LIMIT 1`
  )
  const waiting = text(
    `SELECT id, run_id, kind, body FROM perdure_mailbox
    WHERE run_id = ? AND kind IN ('Signal', 'Update', 'Cancel') ORDER BY id`
  )
  const dropUpdates = text("DELETE FROM perdure_mailbox WHERE run_id = ? AND kind = 'Update'")
  const requests = StartRequests.statements(db.dialect)
  const history = Batch.make(db.dialect, {
    before: "INSERT INTO perdure_history (run_id, turn, at, format, events) VALUES",
    row: "(?, ?, ?, ?, ?)"
  })
  const tasks = Batch.make(db.dialect, {
    before: `INSERT INTO perdure_activity_tasks (run_id, seq, turn, task_queue, state, worker, attempt, scheduled_at,
      due_at, expires_at, started_at, cancel_requested, namespace) VALUES`,
    row: "(?, ?, ?, ?, 'queued', NULL, 1, ?, ?, ?, NULL, ?, :namespace)"
  })

  return {
    findReset: (workflowId, requestId) =>
      db.read("findReset", (tx) => requests.find(tx, workflowId, nameOf(requestId))),
    reset: (reset, now) =>
      db.write("reset", (tx) =>
        Effect.gen(function*() {
          const { of, requestId, run } = reset
          const { runId, workflowId } = run
          const found = requestId === undefined
            ? Option.none()
            : yield* requests.find(tx, workflowId, nameOf(requestId))
          if (Option.isSome(found)) {
            return { _tag: "Known", runId: found.value } satisfies ResetResult
          }
          const [from] = yield* Effect.flatMap(tx(base, [of.runId]), Rows.run)
          if (from === undefined) {
            return { _tag: "NotFound" } satisfies ResetResult
          }
          const [last] = of.last === true
            ? yield* Effect.flatMap(tx(lastOfChain, [workflowId, from.firstRunId]), Rows.runId)
            : []
          if (from.turn !== of.turn || last !== undefined && last !== from.runId) {
            return { _tag: "Changed" } satisfies ResetResult
          }
          const [running] = yield* Effect.flatMap(tx(open, [workflowId]), Rows.run)
          let kept: ReadonlyArray<NewMail> = []
          if (running !== undefined) {
            if (running.firstRunId !== from.firstRunId) {
              return { _tag: "AlreadyRunning", runId: running.runId } satisfies ResetResult
            }
            kept = yield* Effect.flatMap(tx(waiting, [running.runId]), Rows.mail)
            // The end leaves them, to be answered from its history: they go to the run that follows.
            yield* tx(dropUpdates, [running.runId])
            yield* imposing.end(tx, running, reset.end, now)
          }
          yield* creating.insert(tx, [{
            run,
            owner: undefined,
            epoch: 0,
            wakeAt: reset.wakeAt ?? now,
            attention: undefined
          }])
          yield* Batch.run(
            tx,
            history,
            reset.history.flatMap(({ at, events, format, turn }) => [runId, turn, at, format, events])
          )
          yield* Batch.run(
            tx,
            tasks,
            reset.tasks.flatMap(({ cancelRequested, expiresAt, seq, taskQueue, turn }) => [
              runId,
              seq,
              turn,
              taskQueue,
              now,
              now,
              expiresAt ?? null,
              cancelRequested ? 1 : 0
            ])
          )
          yield* mailbox.post(tx, [...reset.mail, ...kept.map((mail) => ({ ...mail, runId }))], now)
          if (requestId !== undefined) {
            yield* requests.remember(tx, workflowId, nameOf(requestId), runId)
          }
          return { _tag: "Reset", terminated: running?.runId } satisfies ResetResult
        })).pipe(Effect.tap((result) => result._tag === "Reset" ? changes.announce : Effect.void))
  }
}

// internal -----------------------------------------------------------------------------------------------------------

/** Starts have their requests in the same table. */
const nameOf = (requestId: string): string => `reset/${requestId}`
