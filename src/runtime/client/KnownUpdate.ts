/**
 * Updates that were sent before, by whomever: what their run's history says of them, waiting for an outcome (row U5).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Messages from "../../core/Message.js"
import type { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import { UpdateNotFound } from "../../dsl/WorkflowFailure.js"
import { abandoned } from "../execution/Consequences.js"
import type { Calls, Target, TimeoutOption } from "./Calls.js"
import { nameOf, timeoutOf, within } from "./Calls.js"
import type { First } from "./Updating.js"
import * as Updating from "./Updating.js"

/** The handle of an update by its ids. @since 0.1.0 */
export const handle = (
  calls: Calls,
  target: Target,
  update: { readonly id: string; readonly name: string },
  options: TimeoutOption | undefined
) => ({
  workflowId: target.workflowId,
  updateId: update.id,
  result: within(
    target,
    `update ${update.name}`,
    timeoutOf(options),
    Effect.gen(function*() {
      const run = yield* calls.find(target, "update")
      const known = yield* find(calls, run.runId, update.id)
      if (known === undefined) return yield* new UpdateNotFound({ ...nameOf(target), updateId: update.id })
      const { first } = known
      const final = first._tag === "Final" ? first.final : yield* first.wait
      return yield* Updating.outcome(target, update, final)
    })
  )
})

/** What a run's history knows of an update. @since 0.1.0 */
export interface Known {
  readonly first: First
  /** Whether its outcome is there, or will come, or was cut short by the end of the run. */
  readonly stands: "Ended" | "InProgress" | "Abandoned"
}

/** Undefined: the run has accepted no such update. @since 0.1.0 */
export const find = (
  calls: Calls,
  runId: string,
  updateId: string
): Effect.Effect<Known | undefined, StoreUnavailable> =>
  Effect.map(Updating.search(calls, runId, updateId, 0), (found): Known | undefined => {
    if (found.outcome !== undefined) {
      return { first: { _tag: "Final", runId, final: found.outcome }, stands: "Ended" }
    }
    if (!found.accepted) return undefined
    return found.closed
      ? { first: { _tag: "Final", runId, final: abandoned(updateId) }, stands: "Abandoned" }
      : {
        first: { _tag: "Accepted", runId, wait: untilEnded(calls, { runId, turn: found.turn }, updateId) },
        stands: "InProgress"
      }
  })

/**
 * Whether the update waits in the run's mailbox: it came with the start, and no turn has taken it in yet.
 *
 * @since 0.1.0
 */
export const waits = (calls: Calls, runId: string, updateId: string): Effect.Effect<boolean, StoreUnavailable> =>
  Effect.map(calls.of("update", calls.store.mail(runId, 0)), (mail) =>
    mail.some(({ body, kind }) => {
      const message = kind === "Update" ? Either.getOrUndefined(Messages.decode(body)) : undefined
      return message?._tag === "Update" && message.id === updateId
    }))

/** Told by the engine of this process, which announces nothing of its own commits to this process, or read. */
const untilEnded = (
  calls: Calls,
  from: { readonly runId: string; readonly turn: number },
  updateId: string
): ReturnType<typeof Updating.untilRecorded> => {
  const recorded = Updating.untilRecorded(calls, from, updateId, undefined)
  const { engine } = calls
  if (engine === undefined) return recorded
  const told = Effect.async<void>((resume) => {
    const stop = engine.onUpdate(from.runId, updateId, (answer) => {
      if (answer._tag !== "Accepted") resume(Effect.void)
    })
    return Effect.sync(stop)
  })
  // What is told is committed: it is read at once then.
  return Effect.raceFirst(recorded, Effect.zipRight(told, Effect.suspend(() => recorded)))
}
