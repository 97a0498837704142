/**
 * Whether something was canceled, whichever way it is told (row R12).
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import type { Failure } from "../core/Failure.js"
import { ActivityError } from "./ActivityError.js"
import { ChildWorkflowError } from "./ChildWorkflowError.js"
import { AsyncActivityCanceled } from "./OutsideActivity.js"
import { UpdateFailed, WorkflowFailure } from "./WorkflowFailure.js"

/**
 * Whether an error, or a whole cause, says that something was canceled (row R12): an interruption and nothing else; an
 * `ActivityError`, `ChildWorkflowError`, `WorkflowFailure` or `UpdateFailed` whose direct reason is a cancellation; or
 * `AsyncActivityCanceled` where cancellation was asked for. One whose reason was in turn canceled counts as failed.
 *
 * For handlers that must let a cancellation through: `Effect.catchIf(activity, (error) => !Workflow.isCanceled(error),
 * recover)`. In a body an interruption does not arrive as an error, but ends the fiber; look at the cause for that.
 *
 * @category refinements
 * @since 0.1.0
 */
export const isCanceled = (error: unknown): boolean => {
  if (Cause.isCause(error)) {
    return Cause.isInterruptedOnly(error) && !Cause.isEmpty(error) ||
      !Cause.isDie(error) && Chunk.isNonEmpty(Cause.failures(error)) && Chunk.every(Cause.failures(error), isCanceled)
  }
  return error instanceof ActivityError || error instanceof ChildWorkflowError || error instanceof WorkflowFailure ||
      error instanceof UpdateFailed
    ? isCancellation(error.failure)
    : error instanceof AsyncActivityCanceled && error.reason === "cancelRequested" ||
      Cause.isInterruptedException(error)
}

const isCancellation = ({ _tag }: Failure): boolean => _tag === "Canceled"
