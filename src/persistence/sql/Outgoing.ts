/**
 * Messages from runs to others, with the word to their senders what became of each, in the transaction of the turn that
 * sent them (rows K5, K8, K9).
 *
 * ```
 *   Outgoing ──▶ which run is it for? ──▶ posted ─────────────────────────────┐
 *                       │                 closed, or not found ───────────────┼──▶ told to the sender
 *                       └─ a child that no worker has begun: canceled at once ┘
 * ```
 *
 * They are posted after the closes and creations of their batch: a run that closes in it is closed for them, and drops
 * nothing that its sender was told to be delivered.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Address, NewMail, Outgoing, PostResult } from "../Store.js"
import * as Batch from "./Batch.js"
import type * as Children from "./Children.js"
import type { Fault, Tx } from "./Database.js"
import type { Dialect } from "./Dialect.js"
import type * as Mailbox from "./Mailbox.js"
import * as Rows from "./Rows.js"
import type * as Terminating from "./Terminating.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface Statements {
  readonly deliver: (tx: Tx, messages: ReadonlyArray<Outgoing>, now: number) => Effect.Effect<void, Fault>
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const statements = (
  dialect: Dialect,
  mailbox: Mailbox.Statements,
  children: Children.Statements,
  terminating: Terminating.Statements
): Statements => {
  const openRuns = Batch.make(dialect, {
    before: `SELECT run_id, workflow_id FROM perdure_runs
      WHERE status = 'Running' AND namespace = :namespace AND workflow_id IN (`,
    row: "?",
    after: ")"
  })
  const known = dialect.text("SELECT run_id FROM perdure_runs WHERE namespace = :namespace AND workflow_id = ? LIMIT 1")
  const begun = dialect.text("SELECT run_id FROM perdure_history WHERE run_id = ? LIMIT 1")

  /** The runs that addresses mean, by their keys. */
  const resolve = (tx: Tx, messages: ReadonlyArray<Outgoing>) =>
    Effect.gen(function*() {
      const found = new Map<string, Found>()
      const workflowIds = new Set<string>()
      const parents = new Set<string>()
      for (const { to } of messages) {
        if (to._tag === "Run") {
          found.set(keyOf(to), { runId: to.runId, unowned: false })
        } else if (to._tag === "Workflow") {
          workflowIds.add(to.workflowId)
        } else {
          parents.add(to.parentRunId)
        }
      }
      for (const run of yield* Effect.flatMap(Batch.run(tx, openRuns, [...workflowIds]), Rows.openRun)) {
        found.set(keyOf({ _tag: "Workflow", workflowId: run.workflowId }), { runId: run.runId, unowned: false })
      }
      for (const { owner, parentRunId, runId, seq } of yield* children.openOf(tx, [...parents])) {
        found.set(keyOf({ _tag: "Child", parentRunId, seq }), { runId, unowned: owner === undefined })
      }
      return found
    })

  const missing = (tx: Tx, to: Address): Effect.Effect<PostResult, Fault> =>
    to._tag === "Workflow"
      ? Effect.map(tx(known, [to.workflowId]), (rows) => rows.length === 0 ? "NotFound" : "Closed")
      : Effect.succeed("Closed")

  return {
    deliver: (tx, messages, now) =>
      Effect.gen(function*() {
        const found = yield* resolve(tx, messages)
        const canceled = new Set<string>()
        const told: Array<NewMail> = []
        const posting: Array<readonly [Outgoing, NewMail]> = []
        for (const message of messages) {
          const { acknowledge, body, kind, to, unbegun } = message
          const run = found.get(keyOf(to))
          if (run === undefined || canceled.has(run.runId)) {
            const result = run === undefined ? yield* missing(tx, to) : "Closed"
            if (acknowledge !== undefined) {
              told.push(acknowledge(result))
            }
          } else if (unbegun !== undefined && run.unowned && (yield* tx(begun, [run.runId])).length === 0) {
            const { events, format, mail } = unbegun
            yield* terminating.end(
              tx,
              [{ runId: run.runId, owner: undefined }],
              { status: "Canceled", events, format },
              now
            )
            canceled.add(run.runId)
            told.push(mail(run.runId))
          } else {
            posting.push([message, { runId: run.runId, kind, body }])
          }
        }
        const results = yield* mailbox.post(tx, posting.map(([, mail]) => mail), now)
        posting.forEach(([{ acknowledge }], index) => {
          if (acknowledge !== undefined) {
            told.push(acknowledge(results[index]!))
          }
        })
        yield* mailbox.post(tx, told, now)
      })
  }
}

// internal -----------------------------------------------------------------------------------------------------------

interface Found {
  readonly runId: string
  readonly unowned: boolean
}

const keyOf = (to: Address): string =>
  to._tag === "Run"
    ? `run ${to.runId}`
    : to._tag === "Workflow"
    ? `workflow ${to.workflowId}`
    : `child ${to.seq} ${to.parentRunId}`
