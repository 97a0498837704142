/**
 * Activities as the body calls them: executed and awaited, or started and awaited later.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { ActivityScheduled } from "../../core/family/Activity.js"
import type { ActivityCall, ActivityOutcome, StartedActivity } from "../../dsl/WorkflowContext.js"
import { blockingOn } from "./Steps.js"
import type { AnyFiber, Steps } from "./Steps.js"

/** @category combinators @since 0.1.0 */
export const execute = (steps: Steps, call: ActivityCall, place?: string): Effect.Effect<ActivityOutcome> =>
  steps.step((seq, fiber) => {
    const scheduled = summarized(steps, fiber, call(seq))
    const begin = () => schedule(steps, scheduled, place)
    return scheduled.cancellation === "WaitCancellationCompleted"
      ? steps.pausePatiently(seq, begin, () => requestCancel(steps, scheduled))
      : steps.pause<ActivityOutcome>(fiber, seq, begin, Effect.succeed, () => requestCancel(steps, scheduled))
  })

/** @category combinators @since 0.1.0 */
export const start = (steps: Steps, call: ActivityCall, place?: string): Effect.Effect<StartedActivity> =>
  steps.step((seq, fiber) =>
    Effect.sync(() => {
      const scheduled = summarized(steps, fiber, call(seq))
      let outcome: ActivityOutcome | undefined
      let cancelRequested = false
      const awaiting = new Set<Resume<ActivityOutcome>>()
      const settle = (settled: ActivityOutcome): void => {
        outcome = settled
        steps.number(settled)
        for (const resume of awaiting) resume(Effect.succeed(settled))
        awaiting.clear()
      }
      schedule(steps, scheduled, place)
      steps.wait(seq, settle)
      return {
        id: scheduled.id ?? String(seq),
        await: Effect.async<ActivityOutcome>((resume) => {
          if (outcome !== undefined) return resume(Effect.succeed(outcome))
          awaiting.add(resume)
          return Effect.sync(() => void awaiting.delete(resume))
        }, blockingOn(seq)),
        cancel: steps.writing("the cancellation of an activity", () => {
          if (outcome !== undefined || cancelRequested) return
          cancelRequested = true
          if (!requestCancel(steps, scheduled)) settle({ _tag: "ActivityCanceled", seq, attempt: 0 })
        })
      }
    })
  )

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type Resume<A> = (effect: Effect.Effect<A>) => void

const summarized = (steps: Steps, fiber: AnyFiber, scheduled: ActivityScheduled): ActivityScheduled => {
  const summary = steps.summarize(fiber, scheduled.seq, scheduled.summary)
  return summary === scheduled.summary || summary === undefined ? scheduled : { ...scheduled, summary }
}

const schedule = (steps: Steps, scheduled: ActivityScheduled, place: string | undefined): void =>
  steps.issue({ _tag: "ScheduleActivity", seq: scheduled.seq, scheduled }, place)

/** Asks for the cancellation of a pending activity by its type (rows C5 to C7); whether its outcome will still come. */
const requestCancel = (steps: Steps, { cancellation, seq }: ActivityScheduled): boolean => {
  if (!steps.isPending(seq)) return false
  // Started in this very turn: both commands vanish, whatever its type is, and no outcome will come (row C8).
  const unsent = steps.isUnsent(seq)
  if (unsent || cancellation !== "Abandon") steps.issue({ _tag: "RequestCancelActivity", seq })
  if (!unsent && cancellation === "WaitCancellationCompleted") return true
  steps.leave(seq)
  return false
}
