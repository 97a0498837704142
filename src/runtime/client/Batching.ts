/**
 * Batches: one operation on each run that a filter finds (row X16).
 *
 * ```
 *   filter, narrowed to what the operation is for ──▶ list, as it was when the batch began ──▶ so many a second,
 *   so many at a time: signal | cancel | terminate | delete | reset | set versioning ──▶ progress ──▶ report
 * ```
 *
 * A batch is a loop of its caller: where that dies, what was done is done, and the batch may be begun again by its job id.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import { v4 as uuid } from "uuid"
import type { Filter } from "../../core/visibility/Filter.js"
import type * as Batch from "../../dsl/Batch.js"
import type { Listed, Query } from "../../dsl/Listed.js"
import { FilterError } from "../../dsl/Listed.js"
import { untyped } from "../../dsl/Untyped.js"
import type { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import type { Calls, Target } from "./Calls.js"
import * as Deploying from "./Deploying.js"
import * as Listing from "./Listing.js"
import * as Removing from "./Removing.js"
import * as Resetting from "./Resetting.js"
import * as Sending from "./Sending.js"

/** @since 0.1.0 */
export const run = (
  calls: Calls,
  query: Query,
  operation: Batch.Operation,
  options: Batch.Options
): Effect.Effect<Batch.Report, FilterError | StoreUnavailable> =>
  Effect.gen(function*() {
    const filter = narrowed(yield* Listing.read(query), operation)
    const { concurrency = 10, jobId = uuid(), onProgress, perSecond } = options
    if (!(concurrency >= 1) || (perSecond !== undefined && !(perSecond > 0))) {
      return yield* new FilterError({ reason: "concurrency must be 1 or more, and perSecond more than 0" })
    }
    const { total } = yield* Listing.count(calls, filter)
    const sofar = { done: 0, skipped: 0, failed: 0, of: total }
    const failures: Array<Batch.Report["failures"][number]> = []
    const one = (found: Listed): Effect.Effect<void> =>
      Effect.map(Effect.either(apply(calls, found, operation, jobId)), (result) => {
        if (Either.isRight(result)) sofar.done++
        else if (isGone(result.left)) sofar.skipped++
        else {
          sofar.failed++
          if (failures.length < failuresMax) {
            failures.push({ workflowId: found.workflowId, runId: found.runId, error: result.left })
          }
        }
        onProgress?.({ ...sofar })
      })
    // By start: what the batch itself changes, moves nothing in that order.
    const runs = Listing.list(calls, filter, { order: "Oldest" })
    const paced = perSecond === undefined ? runs : Stream.throttle(Stream.rechunk(runs, 1), {
      cost: () => 1,
      units: 1,
      duration: 1_000 / perSecond,
      strategy: "shape"
    })
    yield* Stream.runDrain(Stream.mapEffect(paced, one, { concurrency, unordered: true }))
    return { ...sofar, jobId, failures }
  })

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const failuresMax = 100

const isOpen: Filter = { _tag: "Compare", attribute: "ExecutionStatus", operator: "=", value: "Running" }

/** What of it the operation is for: open runs, those of one workflow. */
const narrowed = (given: Filter | undefined, operation: Batch.Operation): Filter | undefined => {
  const filters: Array<Filter> = given === undefined ? [] : [given]
  if (operation._tag !== "Delete" && operation._tag !== "Reset") filters.push(isOpen)
  if (operation._tag === "Signal") {
    filters.push({ _tag: "Compare", attribute: "WorkflowType", operator: "=", value: operation.workflow.name })
  }
  return filters.length === 0 ? undefined : { _tag: "And", filters }
}

const apply = (
  calls: Calls,
  { firstRunId, runId, workflow, workflowId }: Listed,
  operation: Batch.Operation,
  jobId: string
): Effect.Effect<unknown, unknown> => {
  const target: Target = { workflow: untyped(workflow), workflowId, runId }
  // Where the run continued meanwhile, the one that is open now is meant.
  const chain: Target = { ...target, chain: firstRunId }
  switch (operation._tag) {
    case "Signal":
      return Sending.signal(
        calls,
        { ...chain, workflow: operation.workflow },
        operation.name,
        operation.payload,
        { requestId: `${jobId}/${runId}` }
      )
    case "Cancel":
      return Sending.cancel(calls, chain, operation.reason ?? "")
    case "Terminate":
      return Removing.terminate(calls, chain, operation.reason ?? "", operation.details)
    case "SetVersioning":
      return Deploying.override(calls, chain, operation.versioning)
    case "Delete":
      return Removing.remove(calls, target)
    case "Reset":
      return Resetting.reset(calls, target, { ...operation.options, requestId: `${jobId}/${runId}` })
  }
}

const isGone = (error: unknown): boolean => {
  const tag = (error as { readonly _tag?: unknown } | undefined)?._tag
  return tag === "WorkflowClosed" || tag === "WorkflowNotFound"
}
