/**
 * What a run came to, read off its history.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Turn } from "../../core/Event.js"
import type { Failure } from "../../core/Failure.js"
import { isClosing } from "../../core/family/Execution.js"
import type * as Workflow from "../../dsl/Workflow.js"
import { WorkflowFailure } from "../../dsl/WorkflowFailure.js"
import * as Ending from "../../runtime/client/Ending.js"

/**
 * How a run ended. `Open`: it waits for a message that was not sent.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome<Success, Error> =
  | { readonly _tag: "Completed"; readonly value: Success }
  | { readonly _tag: "Failed"; readonly error: Error | WorkflowFailure }
  | { readonly _tag: "Canceled" }
  /** Another run continues it, of which nothing is judged. */
  | { readonly _tag: "ContinuedAsNew" }
  | { readonly _tag: "Open" }

/** @since 0.1.0 */
export const of = (workflow: Workflow.Any, runId: string, turns: ReadonlyArray<Turn>): Outcome<unknown, unknown> => {
  const closing = closingOf(turns)
  if (closing === undefined) return { _tag: "Open" }
  if (closing._tag === "ExecutionContinuedAsNew") return { _tag: "ContinuedAsNew" }
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
export const essence = (turns: ReadonlyArray<Turn>): string => {
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
      return `continued as new with ${JSON.stringify(closing.input)}`
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

const closingOf = (turns: ReadonlyArray<Turn>) => turns.at(-1)?.events.find(isClosing)
