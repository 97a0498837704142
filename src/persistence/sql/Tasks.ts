/**
 * Activity tasks: claimed by hosts, and looked at.
 *
 * ```
 *             ┌─────────── graceful take-over ─────────┐
 *   added ──▶ queued ──Start, claimTasks──▶ started ──▶│ settled: the row goes
 *              │▲ ▲                          │ │ │     │
 *          (operator)└──────── Retry ────────┘ │ └─────┴── take-over ──▶ lost ──claimTasks──▶ started, to be settled
 *              ▼│                              └─HandOver──▶ handed ──▶ settled or retried from outside, or expired
 *            paused
 * ```
 *
 * `started_at` tells an attempt that has begun from one whose claimer only settles it because it expired in the queue:
 * that one has none, and should its claimer die it goes back to the queue, where it is found expired again.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Share } from "../../core/Routing.js"
import { unversioned } from "../../core/Routing.js"
import type { ClaimedTask, Store, StoreError, Task, TaskNotice } from "../Store.js"
import * as Batch from "./Batch.js"
import type { Database, Fault, Tx } from "./Database.js"
import { Damaged } from "./Decode.js"
import type { Registered } from "./Leases.js"
import * as Rows from "./Rows.js"
import * as Sharing from "./Sharing.js"

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (db: Database, registered: Registered): Pick<
  Store["Type"],
  "tasksOf" | "claimTasks" | "claimExpired" | "nextTask" | "taskNotices"
> => {
  const { lockFreeRows, text } = db.dialect
  const ofRun = text(
    `SELECT ${columns} FROM perdure_activity_tasks t JOIN perdure_runs r ON r.run_id = t.run_id
    WHERE t.run_id = ? AND r.status = 'Running' ORDER BY t.seq`
  )
  const due = Sharing.statements(
    text,
    bucket,
    (part) =>
      `SELECT run_id, seq, due_at AS at FROM perdure_activity_tasks
      WHERE state IN ('queued', 'lost') AND namespace = :namespace AND task_queue = ? AND pinned_to = ?${part}
      AND due_at <= ? ORDER BY due_at LIMIT ?${lockFreeRows}`
  )
  const expired = text(
    `SELECT run_id, seq, expires_at AS at FROM perdure_activity_tasks
    WHERE state IN ('queued', 'handed', 'paused') AND namespace = :namespace AND expires_at <= ? ORDER BY expires_at LIMIT ?${lockFreeRows}`
  )
  const full = Batch.make(db.dialect, {
    before: `SELECT ${columns}, r.workflow_id, r.workflow
      FROM perdure_activity_tasks t JOIN perdure_runs r ON r.run_id = t.run_id
      WHERE (t.run_id, t.seq) IN (VALUES`,
    row: "(?, ?)",
    after: ")"
  })
  const start = Batch.make(db.dialect, {
    before: `UPDATE perdure_activity_tasks SET worker = ?,
      started_at = CASE WHEN state = 'queued' AND (expires_at IS NULL OR expires_at > ?) THEN ? ELSE started_at END,
      state = 'started' WHERE (run_id, seq) IN (VALUES`,
    row: "(?, ?)",
    after: ")"
  })
  const scheduling = Batch.make(db.dialect, {
    before: "SELECT run_id, turn, at, format, events FROM perdure_history WHERE (run_id, turn) IN (VALUES",
    row: "(?, ?)",
    after: ")"
  })
  const nextDue = Sharing.statements(
    text,
    bucket,
    (part) =>
      `SELECT due_at AS at FROM perdure_activity_tasks
      WHERE state IN ('queued', 'lost') AND namespace = :namespace AND task_queue = ? AND pinned_to = ?${part}
      AND due_at > ? ORDER BY due_at LIMIT 1`
  )
  const nextExpiry = text(
    `SELECT expires_at AS at FROM perdure_activity_tasks
    WHERE state IN ('queued', 'handed', 'paused') AND namespace = :namespace AND expires_at > ? ORDER BY expires_at LIMIT 1`
  )
  const noticed = text(
    `SELECT t.run_id, t.seq, t.attempt, CASE WHEN r.status = 'Running' THEN 1 ELSE 0 END AS open,
      t.cancel_requested, t.paused, t.forgotten, t.revision, t.options
    FROM perdure_activity_tasks t LEFT JOIN perdure_runs r ON r.run_id = t.run_id
    WHERE (t.cancel_requested = 1 OR t.revision > 0) AND t.worker = ?`
  )
  const dropOrphans = Batch.make(db.dialect, {
    before: "DELETE FROM perdure_activity_tasks WHERE state = 'started' AND worker = ? AND (run_id, seq) IN (VALUES",
    row: "(?, ?)",
    after: ")"
  })

  const findDue = (tx: Tx, queues: ReadonlyArray<string>, now: number, limit: number, share: Share) =>
    Effect.map(
      Effect.forEach(
        Sharing.of(due, share, queues),
        ([text, params]) => Effect.flatMap(tx(text, [...params, now, limit]), Rows.dueTask)
      ),
      (found): ReadonlyArray<Rows.TaskKey> => found.flat().sort((a, b) => a.at - b.at).slice(0, limit)
    )

  const findExpired = (tx: Tx, now: number, limit: number): Effect.Effect<ReadonlyArray<Rows.TaskKey>, Fault> =>
    Effect.flatMap(tx(expired, [now, limit]), Rows.dueTask)

  const claim = (tx: Tx, worker: string, keys: ReadonlyArray<Rows.TaskKey>, now: number) =>
    Effect.gen(function*() {
      const params = keys.flatMap(({ runId, seq }) => [runId, seq])
      const tasks = new Map(
        (yield* Effect.flatMap(Batch.run(tx, full, params), Rows.taskOfRun)).map((task) => [keyOf(task), task])
      )
      yield* Batch.run(tx, start, params, [worker, now, now])
      // Tasks of one fan-out share one row: it is read once.
      const turns = new Map([...tasks.values()].map((task) => [turnOf(task), [task.runId, task.turn]]))
      const rows = new Map(
        (yield* Effect.flatMap(Batch.run(tx, scheduling, [...turns.values()].flat()), Rows.historyOfRuns))
          .map(({ row, runId }) => [turnOf({ runId, turn: row.turn }), row])
      )
      const claimed: Array<ClaimedTask> = []
      for (const key of keys) {
        const task = tasks.get(keyOf(key))
        const row = task === undefined ? undefined : rows.get(turnOf(task))
        if (task === undefined || row === undefined) {
          const lacking = task === undefined ? "its run" : `turn ${task.turn} of its history`
          return yield* new Damaged({
            detail: `table perdure_activity_tasks, run ${key.runId}: task ${key.seq} is without ${lacking}`
          })
        }
        const toSettle = task.state === "lost" || (task.expiresAt !== undefined && task.expiresAt <= now)
        claimed.push(
          toSettle ? { ...task, worker, row } : { ...task, worker, row, state: "started", startedAt: now }
        )
      }
      return claimed
    })

  /** Looks without the write lock first: most polls find nothing, and must not stand in a writer's way. */
  const claimFound = (
    operation: string,
    worker: string,
    now: number,
    limit: number,
    find: (tx: Tx, limit: number) => Effect.Effect<ReadonlyArray<Rows.TaskKey>, Fault>
  ): Effect.Effect<ReadonlyArray<ClaimedTask>, StoreError> =>
    Effect.flatMap(
      db.read(operation, (tx) => find(tx, 1)),
      (some) =>
        some.length === 0
          ? Effect.succeed([])
          : db.write(operation, (tx) =>
            Effect.flatMap(registered(tx, worker), (lives) =>
              !lives ? Effect.succeed([]) : Effect.flatMap(find(tx, limit), (keys) => claim(tx, worker, keys, now))))
    )

  return {
    tasksOf: (runId) => db.read("tasksOf", (tx) => Effect.flatMap(tx(ofRun, [runId]), Rows.task)),

    claimTasks: (worker, queues, now, limit, share = unversioned) =>
      claimFound("claimTasks", worker, now, limit, (tx, limit) => findDue(tx, queues, now, limit, share)),

    claimExpired: (worker, now, limit) =>
      claimFound("claimExpired", worker, now, limit, (tx, limit) => findExpired(tx, now, limit)),

    nextTask: (queues, now, share = unversioned) =>
      db.read("nextTask", (tx) =>
        Effect.gen(function*() {
          const found: Array<number> = []
          for (const [statement, params] of Sharing.of(nextDue, share, queues)) {
            found.push(...yield* Effect.flatMap(tx(statement, [...params, now]), Rows.moment))
          }
          found.push(...yield* Effect.flatMap(tx(nextExpiry, [now]), Rows.moment))
          return Rows.earliest(found)
        })),

    taskNotices: (worker) => {
      const find = (tx: Tx): Effect.Effect<ReadonlyArray<TaskNotice>, Fault> =>
        Effect.flatMap(tx(noticed, [worker]), Rows.taskNotice)
      return Effect.flatMap(db.read("taskNotices", find), (found) => {
        const orphans = found.filter(({ open }) => !open)
        return orphans.length === 0
          ? Effect.succeed(found)
          : db.write(
            "taskNotices",
            (tx) =>
              Effect.as(Batch.run(tx, dropOrphans, orphans.flatMap(({ runId, seq }) => [runId, seq]), [worker]), found)
          )
      })
    }
  }
}

// internal -----------------------------------------------------------------------------------------------------------

const columns = `t.run_id, t.seq, t.turn, t.task_queue, t.state, t.worker, t.attempt, t.scheduled_at, t.due_at,
  t.expires_at, t.started_at, t.heartbeat, t.failure, t.cancel_requested, t.paused, t.forgotten, t.revision, t.options`

/** A ramp is rare: its tasks look for the bucket of their run, and all others do without. */
const bucket = "(SELECT r.bucket FROM perdure_runs r WHERE r.run_id = perdure_activity_tasks.run_id)"

const keyOf = (task: Rows.TaskKey): string => `${task.seq} ${task.runId}`

const turnOf = (task: Pick<Task, "runId" | "turn">): string => `${task.turn} ${task.runId}`
