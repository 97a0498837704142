/**
 * The end of a run: waiting for it, and what a caller makes of it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Events from "../../core/Event.js"
import type { Failure } from "../../core/Failure.js"
import type { Closing } from "../../core/family/Execution.js"
import { followerOf, isClosing } from "../../core/family/Execution.js"
import { timeoutFailure } from "../../core/Succession.js"
import type { WorkflowNotFound } from "../../dsl/WorkflowFailure.js"
import { StoreUnavailable, WorkflowContinuedAsNew, WorkflowFailure } from "../../dsl/WorkflowFailure.js"
import type { Run } from "../../persistence/Store.js"
import type { Calls, Target } from "./Calls.js"
import { nameOf } from "./Calls.js"

/** Waits for the end of the last run of a chain, from the run on that the handle means (row K12). @since 0.1.0 */
export const lastClosing = (
  calls: Calls,
  target: Target
): Effect.Effect<Closing, WorkflowNotFound | StoreUnavailable> =>
  Effect.flatMap(closing(calls, target), (end): ReturnType<typeof lastClosing> => {
    const runId = followerOf(end)
    return runId === undefined ? Effect.succeed(end) : lastClosing(calls, { ...target, runId, chain: undefined })
  })

/** Waits for the end of a run: told by the engine while it has it, else seen in the store. @since 0.1.0 */
export const closing = (
  calls: Calls,
  target: Target
): Effect.Effect<Closing, WorkflowNotFound | StoreUnavailable> => {
  const named = target.runId === undefined ? calls.runIdOf(target, "result") : Effect.succeed(target.runId)
  return Effect.flatMap(named, (runId) => {
    const { engine } = calls
    const seen = () => fromStore(calls, { ...target, runId, chain: undefined })
    if (engine === undefined) return seen()
    const told = Effect.async<Closing | undefined>((resume) => {
      // One that is only on its way into memory may turn out to be closed, or another worker's.
      if (!engine.holds(runId)) return resume(Effect.succeed(undefined))
      const stop = engine.onClosed(runId, (closing) => resume(Effect.succeed(closing)))
      return Effect.sync(stop)
    })
    return Effect.flatMap(told, (closing) => closing === undefined ? seen() : Effect.succeed(closing))
  })
}

const fromStore = (calls: Calls, target: Target): Effect.Effect<Closing, WorkflowNotFound | StoreUnavailable> =>
  calls.watch(
    Effect.flatMap(calls.find(target, "result"), (run) =>
      run.status === "Running"
        ? Effect.succeed(Option.none())
        : Effect.map(closingOf(calls, run), Option.some))
  )

/** The end of a closed run. @since 0.1.0 */
export const closingOf = (calls: Calls, run: Run): Effect.Effect<Closing, StoreUnavailable> =>
  Effect.flatMap(calls.of("result", calls.store.lastTurn(run.runId)), (row) => {
    const events = Option.isNone(row) ? Either.right([]) : Events.decode(row.value)
    if (Either.isLeft(events)) {
      return Effect.fail(new StoreUnavailable({ call: "result", detail: events.left.message }))
    }
    const end = events.right.find(isClosing)
    return end === undefined
      ? Effect.fail(
        new StoreUnavailable({ call: "result", detail: `run ${run.runId} is closed, and its history has no end` })
      )
      : Effect.succeed(end)
  })

/** The result, the declared error, or `WorkflowFailure` (row X3). @since 0.1.0 */
export const outcome = (target: Target, closing: Closing): Effect.Effect<unknown, unknown> => {
  const { codecs } = target.workflow
  const fail = (status: WorkflowFailure["status"], failure: Failure) =>
    Effect.fail(new WorkflowFailure({ ...nameOf(target), status, failure }))
  switch (closing._tag) {
    case "ExecutionCompleted":
      return codecs.success.decode(closing.result)
    case "ExecutionFailed": {
      if (closing.failure._tag === "Declared") {
        const decoded = codecs.error.decode(closing.failure.error)
        if (Either.isRight(decoded)) return Effect.fail(decoded.right)
      }
      return fail("Failed", closing.failure)
    }
    case "ExecutionCanceled":
      return fail("Canceled", { _tag: "Canceled", message: withReason("canceled", closing.reason) })
    case "ExecutionTerminated":
      return fail("Terminated", {
        _tag: "Terminated",
        message: withReason("terminated", closing.reason),
        ...(closing.details === undefined ? {} : { details: closing.details })
      })
    case "ExecutionTimedOut":
      return fail("TimedOut", timeoutFailure(closing.timeout))
    case "ExecutionContinuedAsNew":
      return Effect.fail(new WorkflowContinuedAsNew({ ...nameOf(target), newRunId: closing.newRunId ?? "" }))
  }
}

const withReason = (what: string, reason: string): string => reason === "" ? what : `${what}: ${reason}`
