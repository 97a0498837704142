/**
 * What activity hosts write about attempts, many at a time.
 *
 * Changes of one kind go out in one statement. Of several changes to one task in a batch each waits for the one before
 * it: the batch is applied in rounds, the n-th change to a task in round n.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { NewMail, TaskChange } from "../Store.js"
import * as Batch from "./Batch.js"
import type { Fault, Tx } from "./Database.js"
import type { Dialect } from "./Dialect.js"
import type * as Mailbox from "./Mailbox.js"
import * as Rows from "./Rows.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface Statements {
  /** Gives the indexes of the changes that no longer applied, and whether any posted a message. */
  readonly apply: (
    tx: Tx,
    worker: string,
    changes: ReadonlyArray<TaskChange>,
    now: number
  ) => Effect.Effect<{ readonly stale: ReadonlySet<number>; readonly posted: boolean }, Fault>
  /**
   * Indexes of the changes that are in already. Heartbeats and outcomes are not among them: a heartbeat may be written
   * twice, and an outcome takes its row with it, which a second one does not find.
   */
  readonly applied: (
    tx: Tx,
    worker: string,
    changes: ReadonlyArray<TaskChange>
  ) => Effect.Effect<ReadonlySet<number>, Fault>
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const statements = (dialect: Dialect, mailbox: Mailbox.Statements): Statements => {
  const update = (set: string, row: string, condition: string) =>
    Batch.make(dialect, {
      before: `UPDATE perdure_activity_tasks SET ${set} FROM (VALUES`,
      row,
      after: `) AS v WHERE perdure_activity_tasks.run_id = v.column1 AND seq = v.column2 AND attempt = v.column3
        AND ${condition} RETURNING run_id, seq`
    })
  const batches: { readonly [Tag in TaskChange["_tag"]]: Batch.Batch } = {
    // Nothing begins on a worker that is not registered: nobody would ever find out that it is gone.
    Start: update(
      "state = 'started', worker = v.column5, started_at = v.column4",
      "(?, ?, ?, ?, ?, ?)",
      "state = 'queued' AND revision = v.column6 AND EXISTS (SELECT 1 FROM perdure_workers w WHERE w.id = v.column5)"
    ),
    Retry: update(
      backToQueue,
      "(?, ?, ?, ?, ?, ?, ?, ?, ?)",
      `state = 'started' AND worker = v.column5 AND ${ofOpenRun}`
    ),
    Heartbeat: update("heartbeat = v.column4", "(?, ?, ?, ?, ?)", "state = 'started' AND worker = v.column5"),
    HandOver: update(
      "state = 'handed', worker = NULL, started_at = v.column4, expires_at = v.column5",
      "(?, ?, ?, ?, ?, ?)",
      `state = 'started' AND worker = v.column6 AND ${ofOpenRun}`
    ),
    Settle: Batch.make(dialect, {
      before: `DELETE FROM perdure_activity_tasks
        WHERE state = 'started' AND worker = ? AND (run_id, seq, attempt) IN (VALUES`,
      row: "(?, ?, ?)",
      after: ") RETURNING run_id, seq"
    })
  }

  const there = (row: string, condition: string) =>
    Batch.make(dialect, {
      before: "SELECT t.run_id, t.seq FROM (VALUES",
      row,
      after: `) AS v JOIN perdure_activity_tasks t ON t.run_id = v.column1 AND t.seq = v.column2 AND ${condition}`
    })
  const done: { readonly [Tag in (typeof repeatable)[number]]: Batch.Batch } = {
    Start: there(
      "(?, ?, ?, ?, ?, ?)",
      "t.state = 'started' AND t.attempt = v.column3 AND t.started_at = v.column4 AND t.worker = v.column5"
    ),
    Retry: there(
      "(?, ?, ?, ?, ?, ?, ?, ?, ?)",
      "t.state IN ('queued', 'paused') AND t.attempt = v.column8 AND t.due_at = v.column4 AND t.failure = v.column7"
    ),
    HandOver: there(
      "(?, ?, ?, ?, ?, ?)",
      "t.state = 'handed' AND t.attempt = v.column3 AND t.started_at = v.column4"
    )
  }

  /** Applies changes of one kind to as many tasks; gives the keys of those that it met as it should. */
  const applyKind = (tx: Tx, worker: string, tag: TaskChange["_tag"], changes: ReadonlyArray<TaskChange>) => {
    const params = changes.flatMap((change) => paramsOf(change, worker))
    return Effect.map(
      Effect.flatMap(Batch.run(tx, batches[tag], params, tag === "Settle" ? [worker] : []), Rows.taskKey),
      (keys) => new Set(keys.map(keyOf))
    )
  }

  return {
    apply: (tx, worker, changes, now) =>
      Effect.gen(function*() {
        const stale = new Set<number>()
        const mails: Array<NewMail> = []
        for (const round of rounds(changes)) {
          for (const tag of tags) {
            const entries = round.filter(({ change }) => change._tag === tag)
            if (entries.length === 0) {
              continue
            }
            const applied = yield* applyKind(tx, worker, tag, entries.map(({ change }) => change))
            for (const { change, index } of entries) {
              if (!applied.has(keyOf(change))) {
                stale.add(index)
              } else if (change._tag === "Settle") {
                mails.push(change.mail)
              }
            }
          }
        }
        yield* mailbox.post(tx, mails, now)
        return { stale, posted: mails.length > 0 }
      }),
    applied: (tx, worker, changes) =>
      Effect.gen(function*() {
        const found = new Set<number>()
        for (const tag of repeatable) {
          const asked = changes.filter((change) => change._tag === tag)
          const params = asked.flatMap((change) => paramsOf(change, worker))
          const keys = new Set((yield* Effect.flatMap(Batch.run(tx, done[tag], params), Rows.taskKey)).map(keyOf))
          changes.forEach((change, index) => change._tag === tag && keys.has(keyOf(change)) ? found.add(index) : 0)
        }
        return found
      })
  }
}

// internal -----------------------------------------------------------------------------------------------------------

/** Unless an operator paused it: then only the end of it all goes on. */
const backToQueue = `state = CASE WHEN paused = 1 THEN 'paused' ELSE 'queued' END, worker = NULL, started_at = NULL,
  due_at = v.column4, expires_at = CASE WHEN paused = 1 THEN v.column9 ELSE v.column6 END,
  failure = v.column7, attempt = v.column8`

/** A run that closed meanwhile left the task behind for its host to see; it must not come back to life. */
const ofOpenRun = `EXISTS (SELECT 1 FROM perdure_runs r WHERE r.run_id = v.column1 AND r.status = 'Running')`

/** Kinds whose second writing would be taken for stale. */
const repeatable = ["Start", "Retry", "HandOver"] as const

const tags: ReadonlyArray<TaskChange["_tag"]> = ["Start", "Retry", "Heartbeat", "HandOver", "Settle"]

const keyOf = (task: Rows.TaskKey): string => `${task.seq} ${task.runId}`

interface Entry {
  readonly index: number
  readonly change: TaskChange
}

const rounds = (changes: ReadonlyArray<TaskChange>): ReadonlyArray<ReadonlyArray<Entry>> => {
  const rounds: Array<Array<Entry>> = []
  const met = new Map<string, number>()
  changes.forEach((change, index) => {
    const key = keyOf(change)
    const round = met.get(key) ?? 0
    met.set(key, round + 1)
    const entries = rounds[round] ?? (rounds[round] = [])
    entries.push({ index, change })
  })
  return rounds
}

const paramsOf = (change: TaskChange, worker: string): ReadonlyArray<unknown> => {
  const { attempt, runId, seq } = change
  switch (change._tag) {
    case "Start":
      return [runId, seq, attempt, change.at, worker, change.revision ?? 0]
    case "Retry":
      return [
        runId,
        seq,
        attempt,
        change.dueAt,
        worker,
        change.expiresAt ?? null,
        change.failure,
        change.nextAttempt,
        change.closeBy ?? null
      ]
    case "Heartbeat":
      return [runId, seq, attempt, change.details, worker]
    case "HandOver":
      return [runId, seq, attempt, change.startedAt, change.expiresAt, worker]
    case "Settle":
      return [runId, seq, attempt]
  }
}
