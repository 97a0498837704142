/**
 * What operators do to pending activities (row A15): the task is read, a command decided on it, the result written if it
 * has not changed meanwhile, else all of it again.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { TaskCommand } from "../../core/ActivityTask.js"
import * as ActivityTasks from "../../core/ActivityTask.js"
import { encodeOptions } from "../../dsl/Activity.js"
import { refusedId } from "../../dsl/Call.js"
import { ContractError } from "../../dsl/Contract.js"
import type { ActivityControl, ControlError } from "../../dsl/OutsideActivity.js"
import { ActivityNotFound } from "../../dsl/OutsideActivity.js"
import { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import type { Calls, Target } from "./Calls.js"
import * as PendingTasks from "./PendingTasks.js"

/** @since 0.1.0 */
export const make = (calls: Calls, target: Target, activityId: string): ActivityControl => {
  const apply = (call: string, command: TaskCommand): Effect.Effect<void, ControlError> =>
    Effect.gen(function*() {
      const runId = yield* calls.runIdOf(target, call)
      for (let tries = 0; tries < triesMax; tries++) {
        const pending = yield* PendingTasks.find(calls, call, runId, PendingTasks.hasId(activityId))
        if (pending === undefined) {
          return yield* new ActivityNotFound({ subject: `#${activityId} of workflow ${target.workflowId}` })
        }
        const { recorded, task } = pending
        const revised = ActivityTasks.decide(task, recorded, command, calls.now())
        if (revised === task) return
        const { attempt, revision, seq, state } = task
        const written = calls.store.reviseTask({ ...revised, runId, seq, attempt, revision, from: state })
        if (yield* calls.of(call, written)) return
      }
      return yield* new StoreUnavailable({ call, detail: `activity #${activityId} changes all the time; try again` })
    })

  return {
    activityId,
    pause: () => apply("pause", { _tag: "Pause" }),
    unpause: (options = {}) =>
      apply("unpause", {
        _tag: "Unpause",
        resetAttempts: options.resetAttempts ?? false,
        resetHeartbeat: options.resetHeartbeat ?? false
      }),
    reset: (options = {}) =>
      apply("reset", {
        _tag: "Reset",
        keepPaused: options.keepPaused ?? false,
        resetHeartbeat: options.resetHeartbeat ?? false,
        restoreOriginal: options.restoreOriginal ?? false
      }),
    updateOptions: ({ restoreOriginal = false, taskQueue, ...options }) => {
      const reason = refusedId("taskQueue", taskQueue)
      return reason !== undefined
        ? Effect.fail(new ContractError({ subject: `options of activity #${activityId}`, reason }))
        : apply("updateOptions", { _tag: "Update", options: encodeOptions(options), taskQueue, restoreOriginal })
    }
  }
}

/** Each lost one means that somebody else's change went in. */
const triesMax = 20
