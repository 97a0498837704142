/**
 * What a chain of runs came to, read off the history of the last one.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Failure } from "../../core/Failure.js"
import type * as Workflow from "../../dsl/Workflow.js"
import { WorkflowFailure } from "../../dsl/WorkflowFailure.js"
import * as Ending from "../../runtime/client/Ending.js"
import { closingOf } from "./Kin.js"
import type { Recorded } from "./Runs.js"

/**
 * How the last run of the chain ended. `Open`: it waits for a message that was not sent, or went on until a bound of the
 * trial.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome<Success, Error> =
  | { readonly _tag: "Completed"; readonly value: Success }
  | { readonly _tag: "Failed"; readonly error: Error | WorkflowFailure }
  | { readonly _tag: "Canceled" }
  | { readonly _tag: "Open" }

/** @since 0.1.0 */
export const of = (workflow: Workflow.Any, { run: { runId }, turns }: Recorded): Outcome<unknown, unknown> => {
  const closing = closingOf(turns)
  // A bound of the trial struck before the run that follows was looked at.
  if (closing === undefined || closing._tag === "ExecutionContinuedAsNew") return { _tag: "Open" }
  const result = Effect.runSync(Effect.either(Ending.outcome({ workflow, workflowId: runId, runId }, closing)))
  if (Either.isRight(result)) return { _tag: "Completed", value: result.right }
  const error = result.left
  return error instanceof WorkflowFailure && error.status === "Canceled"
    ? { _tag: "Canceled" }
    : { _tag: "Failed", error }
}

/**
 * The same text for outcomes that a user would call the same: the result, or the kind of failure. Words of messages and
 * attempt numbers depend on how often something was tried.
 *
 * @since 0.1.0
 */
export const essence = ({ turns }: Recorded): string => {
  const closing = closingOf(turns)
  switch (closing?._tag) {
    case undefined:
      return "still open"
    case "ExecutionCompleted":
      return closing.result === undefined ? "completed" : `completed with ${JSON.stringify(closing.result)}`
    case "ExecutionFailed":
      return `failed: ${nature(closing.failure)}`
    case "ExecutionCanceled":
      return "canceled"
    case "ExecutionTerminated":
      return "terminated"
    case "ExecutionContinuedAsNew":
      return "still open"
    case "ExecutionTimedOut":
      return `timed out (${closing.timeout})`
  }
}

/** A failure's kind, by which runs are counted: the name of the error. @since 0.1.0 */
export const kindOf = (failure: Failure): string => {
  switch (failure._tag) {
    case "Declared":
    case "Application":
      return failure.type
    case "Timeout":
      return `timeout ${failure.timeout}`
    case "Activity":
      return `${failure.activity}: ${kindOf(failure.cause)}`
    case "ChildWorkflow":
      return `${failure.workflow}: ${kindOf(failure.cause)}`
    default:
      return failure._tag
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const nature = (failure: Failure): string =>
  failure._tag === "Declared" && failure.error !== undefined
    ? `${failure.type} ${JSON.stringify(failure.error)}`
    : kindOf(failure)
