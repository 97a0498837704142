/**
 * Pending activities of a run, by their tasks and the events that scheduled them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Events from "../../core/Event.js"
import type { ActivityScheduled } from "../../core/family/Activity.js"
import * as Activities from "../../core/family/Activity.js"
import type { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import type { Task } from "../../persistence/Store.js"
import type { Calls } from "./Calls.js"

/** A task whose scheduling could be read. @since 0.1.0 */
export interface Pending {
  readonly task: Task
  readonly recorded: ActivityScheduled
}

/** Pending activities by sequence number, from the turns that scheduled them. @since 0.1.0 */
export const scheduledBy = (
  calls: Calls,
  call: string,
  runId: string,
  tasks: ReadonlyArray<Task>
): Effect.Effect<ReadonlyMap<number, ActivityScheduled>, StoreUnavailable> =>
  Effect.gen(function*() {
    const scheduled = new Map<number, ActivityScheduled>()
    for (const turn of new Set(tasks.map((task) => task.turn))) {
      for (const row of yield* calls.of(call, calls.store.history(runId, turn - 1, 1))) {
        // What cannot be read is shown without its name: `history` says what is wrong with it.
        const events = Either.getOrElse(Events.decode(row), () => [])
        for (const event of events) if (event._tag === "ActivityScheduled") scheduled.set(event.seq, event)
      }
    }
    return scheduled
  })

/** The first pending activity of a run that is meant, if any is. @since 0.1.0 */
export const find = (
  calls: Calls,
  call: string,
  runId: string,
  isMeant: (pending: Pending) => boolean
): Effect.Effect<Pending | undefined, StoreUnavailable> =>
  Effect.gen(function*() {
    const tasks = yield* calls.of(call, calls.store.tasksOf(runId))
    const scheduled = yield* scheduledBy(calls, call, runId, tasks)
    for (const task of tasks) {
      const recorded = scheduled.get(task.seq)
      if (recorded !== undefined && isMeant({ task, recorded })) return { task, recorded }
    }
    return undefined
  })

/** @since 0.1.0 */
export const hasId = (activityId: string) => ({ recorded }: Pending): boolean =>
  Activities.idOf(recorded) === activityId
