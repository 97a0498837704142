/**
 * Ending a run from outside, and taking it out of the store: whoever owns it, no code of it takes part.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Events from "../../core/Event.js"
import type { ExecutionTerminated } from "../../core/family/Execution.js"
import type { ContractError } from "../../dsl/Contract.js"
import { through } from "../../dsl/Hooks.js"
import { rawCodecs } from "../../dsl/Untyped.js"
import type { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import { WorkflowClosed, WorkflowNotFound } from "../../dsl/WorkflowFailure.js"
import type { ImposedEnd } from "../../persistence/Store.js"
import { toParent } from "../execution/Relations.js"
import type { Calls, Target } from "./Calls.js"
import { executionOf, nameOf } from "./Calls.js"

/** The last event of a run that is ended from outside. @since 0.1.0 */
export const ending = (reason: string, details?: unknown): ExecutionTerminated => ({
  _tag: "ExecutionTerminated",
  reason,
  ...(details === undefined ? {} : { details })
})

/** As the store writes it, and as the run's parent hears of it. @since 0.1.0 */
export const imposed = (closing: ExecutionTerminated): ImposedEnd => ({
  events: Events.encode([closing]),
  format: Events.format,
  toParent: (parent, runId) => toParent(parent, runId, closing)
})

/** Row C10. @since 0.1.0 */
export const terminate = (
  calls: Calls,
  target: Target,
  reason: string,
  details: unknown
): Effect.Effect<void, WorkflowNotFound | WorkflowClosed | ContractError | StoreUnavailable> =>
  through(
    calls.hooks.terminate,
    { ...executionOf(target), reason, details },
    (call) => terminating(calls, target, call.reason, call.details)
  )

const terminating = (
  calls: Calls,
  target: Target,
  reason: string,
  details: unknown
): ReturnType<typeof terminate> =>
  Effect.gen(function*() {
    const encoded = rawCodecs.payload.encode(details)
    if (Either.isLeft(encoded)) return yield* encoded.left
    const closing = ending(reason, encoded.right)
    const end = imposed(closing)
    yield* calls.onCurrent(target, "terminate", (runId) =>
      Effect.gen(function*() {
        const done = yield* calls.of(
          "terminate",
          calls.store.terminate(runId, end.events, end.format, calls.now(), end.toParent)
        )
        if (done === "Closed") return yield* new WorkflowClosed(nameOf(target))
        if (done === "NotFound") return yield* new WorkflowNotFound(nameOf(target))
        calls.engine?.terminated(runId, closing)
      }))
  })

/** Row C12. @since 0.1.0 */
export const remove = (calls: Calls, target: Target): Effect.Effect<void, WorkflowNotFound | StoreUnavailable> =>
  Effect.gen(function*() {
    const run = yield* calls.find(target, "delete")
    const done = yield* calls.of("delete", calls.store.deleteRun(run.runId, imposed(ending("deleted")), calls.now()))
    if (done === "NotFound") return yield* new WorkflowNotFound(nameOf(target))
    // Who waits for its end looks for it in the store, and does not find it.
    calls.engine?.terminated(run.runId, undefined)
  })
