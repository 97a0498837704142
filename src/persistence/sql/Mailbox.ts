/**
 * Messages that wait for a run, and the replies to those that asked for one.
 *
 * ```
 *   post ──▶ run is open ──▶ row, with the run's owner ──▶ its owner reads it (mailOf), or a claimer (mail)
 *                └─ closed ──▶ only a Query: any worker with the code reads it (claimQueries), and replies
 * ```
 *
 * A message to a run that nobody owns makes it due, in the same transaction: a cause and its wake-up never part (I3).
 * One whose first turn is held until a later time stays held, and is due then; a cancel request lets it begin, and so does
 * a message that goes with a start, but for a run that repeats or continues another one (row X7).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { unversioned } from "../../core/Routing.js"
import type { Mail, NewMail, PostResult, Reply, Store } from "../Store.js"
import * as Batch from "./Batch.js"
import type { Changes } from "./Changes.js"
import type { Database, Fault, Tx } from "./Database.js"
import type { Dialect } from "./Dialect.js"
import * as Rows from "./Rows.js"

/**
 * What other statements need of the mailbox, inside their own transactions.
 *
 * @category models
 * @since 0.1.0
 */
export interface Statements {
  /** Posts each message to its run, in order, and tells what became of it. */
  readonly post: (tx: Tx, mails: ReadonlyArray<NewMail>, now: number) => Effect.Effect<ReadonlyArray<PostResult>, Fault>
  readonly reply: (tx: Tx, replies: ReadonlyArray<Reply>) => Effect.Effect<void, Fault>
  readonly drop: (tx: Tx, ids: ReadonlyArray<number>) => Effect.Effect<void, Fault>
  /** Drops what waited for runs that are closed, but for those who wait for an answer. */
  readonly close: (tx: Tx, runIds: ReadonlyArray<string>) => Effect.Effect<void, Fault>
  /** Moves what waits for runs to those that follow them: each to its run and its owner. */
  readonly move: (
    tx: Tx,
    moves: ReadonlyArray<{ readonly from: string; readonly to: string; readonly owner: string | undefined }>
  ) => Effect.Effect<void, Fault>
  /** Hands the mail of runs to their new owner. */
  readonly hand: (tx: Tx, owner: string | null, runIds: ReadonlyArray<string>) => Effect.Effect<void, Fault>
  /** Signals and cancel requests that wait for the runs. */
  readonly refusing: (tx: Tx, runIds: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Mail>, Fault>
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const statements = (dialect: Dialect): Statements => {
  const targets = Batch.make(dialect, {
    before: "SELECT run_id, status, owner FROM perdure_runs WHERE +namespace = :namespace AND run_id IN (",
    row: "?",
    after: `)${dialect.lockRows}`
  })
  const insert = Batch.make(dialect, {
    before: "INSERT INTO perdure_mailbox (run_id, kind, body, at, owner, namespace) VALUES",
    row: "(?, ?, ?, ?, ?, :namespace)"
  })
  const due = Batch.make(dialect, {
    before: `UPDATE perdure_runs SET wake_at = ? WHERE (wake_at IS NULL OR wake_at > ?) AND owner IS NULL
      AND (start_at IS NULL OR start_at <= ?) AND run_id IN (`,
    row: "?",
    after: ")"
  })
  const release = Batch.make(dialect, {
    before: "UPDATE perdure_runs SET start_at = ? WHERE start_at > ? AND run_id IN (",
    row: "?",
    after: ")"
  })
  const releaseFirst = Batch.make(dialect, {
    before: `UPDATE perdure_runs SET start_at = ? WHERE start_at > ? AND previous_run_id IS NULL AND run_id IN (`,
    row: "?",
    after: ")"
  })
  const reply = Batch.make(dialect, {
    before: "INSERT INTO perdure_replies (request_id, at, body) VALUES",
    row: "(?, ?, ?)",
    // Asked twice, answered twice: the first answer may have been taken already as the one that counts.
    after: "ON CONFLICT (request_id) DO NOTHING"
  })
  const drop = Batch.make(dialect, { before: "DELETE FROM perdure_mailbox WHERE id IN (", row: "?", after: ")" })
  const closeRest = Batch.make(dialect, {
    before: "DELETE FROM perdure_mailbox WHERE kind NOT IN ('Query', 'Update') AND run_id IN (",
    row: "?",
    after: ")"
  })
  const move = Batch.make(dialect, {
    before: "UPDATE perdure_mailbox SET run_id = v.column2, owner = v.column3 FROM (VALUES",
    row: "(?, ?, ?)",
    after: `) AS v WHERE perdure_mailbox.run_id = v.column1
      AND perdure_mailbox.kind IN ('Signal', 'Update', 'Cancel')`
  })
  const hand = Batch.make(dialect, {
    before: "UPDATE perdure_mailbox SET owner = ? WHERE run_id IN (",
    row: "?",
    after: ")"
  })
  const refusing = Batch.make(dialect, {
    before: "SELECT id, run_id, kind, body FROM perdure_mailbox WHERE kind IN ('Signal', 'Cancel') AND run_id IN (",
    row: "?",
    after: ")"
  })

  return {
    post: (tx, mails, now) =>
      Effect.gen(function*() {
        if (mails.length === 0) {
          return []
        }
        const found = yield* Effect.flatMap(
          Batch.run(tx, targets, distinct(mails.map((mail) => mail.runId))),
          Rows.target
        )
        const runs = new Map(found.map((run) => [run.runId, run]))
        const rows: Array<unknown> = []
        const waking = new Set<string>()
        const canceled = new Set<string>()
        const beginning = new Set<string>()
        const results = mails.map((mail): PostResult => {
          const run = runs.get(mail.runId)
          if (run === undefined) {
            return "NotFound"
          }
          if (run.status !== "Running" && mail.kind !== "Query") {
            return "Closed"
          }
          rows.push(mail.runId, mail.kind, mail.body, now, run.owner ?? null)
          if (run.status === "Running" && run.owner === undefined) {
            waking.add(mail.runId)
            if (mail.kind === "Cancel") {
              canceled.add(mail.runId)
            } else if (mail.begins === true) {
              beginning.add(mail.runId)
            }
          }
          return "Posted"
        })
        yield* Batch.run(tx, insert, rows)
        yield* Batch.run(tx, release, [...canceled], [now, now])
        yield* Batch.run(tx, releaseFirst, [...beginning], [now, now])
        yield* Batch.run(tx, due, [...waking], [now, now, now])
        return results
      }),
    reply: (tx, replies) => Batch.run(tx, reply, replies.flatMap(({ at, body, requestId }) => [requestId, at, body])),
    drop: (tx, ids) => Batch.run(tx, drop, ids),
    close: (tx, runIds) => Effect.zipRight(Batch.run(tx, closeRest, runIds), Batch.run(tx, hand, runIds, [null])),
    move: (tx, moves) => Batch.run(tx, move, moves.flatMap(({ from, owner, to }) => [from, to, owner ?? null])),
    hand: (tx, owner, runIds) => Batch.run(tx, hand, runIds, [owner]),
    refusing: (tx, runIds) => Effect.flatMap(Batch.run(tx, refusing, distinct(runIds)), Rows.mail)
  }
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  db: Database,
  mailbox: Statements,
  changes: Changes
): Pick<Store["Type"], "post" | "mail" | "mailOf" | "claimQueries" | "reply" | "takeReply"> => {
  const columns = "m.id, m.run_id, m.kind, m.body"
  const ofRun = db.dialect.text(
    `SELECT ${columns} FROM perdure_mailbox m WHERE m.run_id = ? AND m.id > ? ORDER BY m.id`
  )
  const ofOwner = db.dialect.text(
    `SELECT ${columns} FROM perdure_mailbox m WHERE m.owner = ? AND m.id > ? ORDER BY m.id LIMIT ?`
  )
  // The plus keeps SQLite from walking the whole mailbox in the order of ids, past every start that waits: the few asks
  // are an index of their own.
  const asks = db.dialect.text(
    `SELECT ${columns} FROM perdure_mailbox m JOIN perdure_runs r ON r.run_id = m.run_id
    WHERE m.namespace = :namespace AND m.owner IS NULL AND m.kind IN ('Query', 'Update')
      AND r.status <> 'Running' AND r.task_queue = ? AND r.pinned_to IN ('', ?)
    ORDER BY +m.id LIMIT ?`
  )
  const findReply = db.dialect.text("SELECT request_id, at, body FROM perdure_replies WHERE request_id = ?")
  const dropReply = db.dialect.text("DELETE FROM perdure_replies WHERE request_id = ?")
  const lookForReply = (tx: Tx, requestId: string) =>
    Effect.map(Effect.flatMap(tx(findReply, [requestId]), Rows.reply), (rows) => Option.fromNullable(rows[0]))

  return {
    post: (mail, now) =>
      Effect.tap(
        Effect.map(db.write("post", (tx) => mailbox.post(tx, [mail], now)), (results) => results[0]!),
        (result) => result === "Posted" ? changes.announce : Effect.void
      ),
    mail: (runId, afterId) => db.read("mail", (tx) => Effect.flatMap(tx(ofRun, [runId, afterId]), Rows.mail)),
    mailOf: (worker, afterId, limit) =>
      db.read("mailOf", (tx) => Effect.flatMap(tx(ofOwner, [worker, afterId, limit]), Rows.mail)),
    claimQueries: (queues, limit, share = unversioned) =>
      db.read("claimQueries", (tx) =>
        Effect.map(
          Effect.forEach(queues, (queue) => Effect.flatMap(tx(asks, [queue, share.pinnedTo, limit]), Rows.mail)),
          (found) => found.flat().sort((a, b) => a.id - b.id).slice(0, limit)
        )),
    reply: (replies, consumed) =>
      Effect.zipRight(
        db.write("reply", (tx) => Effect.zipRight(mailbox.reply(tx, replies), mailbox.drop(tx, consumed))),
        changes.announce
      ),
    // Looked for without the write lock: a caller that waits asks often, and nearly always there is nothing yet.
    takeReply: (requestId) =>
      Effect.flatMap(
        db.read("takeReply", (tx) => lookForReply(tx, requestId)),
        (reply) =>
          Option.isNone(reply)
            ? Effect.succeed(reply)
            : db.write("takeReply", (tx) => Effect.tap(lookForReply(tx, requestId), () => tx(dropReply, [requestId])))
      )
  }
}

// internal -----------------------------------------------------------------------------------------------------------

const distinct = (ids: ReadonlyArray<string>): ReadonlyArray<string> => ids.length < 2 ? ids : [...new Set(ids)]
