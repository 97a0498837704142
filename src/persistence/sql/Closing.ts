/**
 * The end of a run: its row closes, its wake-up goes, its tasks and its mail go with it. A schedule that started it
 * becomes due: what it does next may hang on that end.
 *
 * A task that a worker other than the closer has started stays behind, marked as canceled, until that worker has asked
 * for it in `taskNotices` (which drops it) or is gone: it is how the host learns that nobody waits any more.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Status } from "../../core/family/Execution.js"
import * as Batch from "./Batch.js"
import type { Fault, Tx } from "./Database.js"
import type { Dialect } from "./Dialect.js"
import type * as Mailbox from "./Mailbox.js"
import type * as ScheduleWaking from "./ScheduleWaking.js"

/** @category models @since 0.1.0 */
export interface Closed {
  readonly runId: string
  readonly status: Exclude<Status, "Running">
  readonly at: number
  /** Whether it is the last one of a chain that a schedule started; undefined: its row tells. */
  readonly scheduled: boolean | undefined
  /** Undefined: whoever closes it has not read its history, and who asks for it counts. */
  readonly historyLength?: number | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Statements {
  /** `worker` is the one that closes and needs no word of it; undefined when it is nobody that hosts activities. */
  readonly close: (tx: Tx, runs: ReadonlyArray<Closed>, worker: string | undefined) => Effect.Effect<void, Fault>
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const statements = (
  dialect: Dialect,
  mailbox: Mailbox.Statements,
  schedules: ScheduleWaking.Statements
): Statements => {
  const run = Batch.make(dialect, {
    before: `UPDATE perdure_runs SET status = v.column2, closed_at = v.column3, history_length = v.column4,
      owner = NULL, wake_at = NULL FROM (VALUES`,
    row: "(?, ?, ?, ?)",
    after: ") AS v WHERE perdure_runs.run_id = v.column1"
  })
  const dropTasks = Batch.make(dialect, {
    before: "DELETE FROM perdure_activity_tasks WHERE (state <> 'started' OR worker = ?) AND run_id IN (",
    row: "?",
    after: ")"
  })
  const orphanTasks = Batch.make(dialect, {
    before: "UPDATE perdure_activity_tasks SET cancel_requested = 1 WHERE run_id IN (",
    row: "?",
    after: ")"
  })
  return {
    close: (tx, runs, worker) => {
      if (runs.length === 0) {
        return Effect.void
      }
      const ids = runs.map(({ runId }) => runId)
      // Nearly no turn ends a run of a schedule, and none that does not pays for it.
      const scheduled = runs.filter(({ scheduled }) => scheduled !== false)
      const waking = scheduled.length === 0
        ? Effect.void
        : schedules.wake(tx, scheduled.map(({ runId }) => runId), Math.min(...scheduled.map(({ at }) => at)))
      return Batch.run(tx, run, runs.flatMap(rowOf)).pipe(
        Effect.zipRight(Batch.run(tx, dropTasks, ids, [worker ?? ""])),
        Effect.zipRight(Batch.run(tx, orphanTasks, ids)),
        Effect.zipRight(mailbox.close(tx, ids)),
        Effect.zipRight(waking)
      )
    }
  }
}

// internal -----------------------------------------------------------------------------------------------------------

const rowOf = ({ at, historyLength, runId, status }: Closed): ReadonlyArray<unknown> => [
  runId,
  status,
  at,
  historyLength ?? null
]
