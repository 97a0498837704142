/**
 * The end of an activity whose cancellation was asked for while it waits in the store: at once (row C6).
 *
 * One that runs elsewhere is told by its host's poll; one that was handed over, by its next heartbeat.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { attemptOf } from "../../core/ActivityTask.js"
import type { Store } from "../../persistence/Store.js"
import type { Committer } from "../Committer.js"
import type { Outcome } from "./Attempt.js"

/** Takes the task out of its queue, and calls back with the outcome if nobody else had it by then. @since 0.1.0 */
export const cancelWaiting = (
  store: Context.Tag.Service<typeof Store>,
  committer: Committer,
  now: () => number,
  runId: string,
  seq: number,
  canceled: (outcome: Outcome) => void
): Effect.Effect<void> =>
  Effect.catchAll(
    Effect.map(store.tasksOf(runId), (tasks) => {
      const task = tasks.find((each) => each.seq === seq)
      if (task === undefined || task.state !== "queued") return
      const { attempt, revision } = task
      committer.task({ _tag: "Start", runId, seq, attempt, at: now(), revision }, (stale) => {
        if (!stale) canceled({ _tag: "ActivityCanceled", seq, attempt: attemptOf(task) })
      })
    }),
    (error) => Effect.logWarning("a cancel request waits for its activity's host", error)
  )
