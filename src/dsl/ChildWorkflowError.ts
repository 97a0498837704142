/**
 * The error in which a body sees a child that ended otherwise than well, and otherwise than by a declared error.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { ChildWorkflowFailure } from "../core/Failure.js"
import { Failure, render, RetryState } from "../core/Failure.js"

/**
 * A child ended without a result: canceled, terminated, timed out, or failed by an error that its contract does not
 * declare (row R11). `failure` holds why, with its chain of causes.
 *
 * @category errors
 * @since 0.1.0
 */
export class ChildWorkflowError extends Schema.TaggedError<ChildWorkflowError>()("ChildWorkflowError", {
  workflow: Schema.String,
  workflowId: Schema.String,
  /** The run with which it ended: the last one of its chain. */
  runId: Schema.String,
  retryState: RetryState,
  failure: Failure
}) {
  override get message(): string {
    return `child workflow ${this.workflow} ${this.workflowId} (run ${this.runId}) ended (${this.retryState}): ${
      render(this.failure)
    }`
  }

  /** Whether it was canceled. */
  get isCanceled(): boolean {
    return this.failure._tag === "Canceled"
  }

  /** Whether it was terminated. */
  get isTerminated(): boolean {
    return this.failure._tag === "Terminated"
  }

  /** Whether one of its timeouts struck. */
  get isTimeout(): boolean {
    return this.failure._tag === "Timeout"
  }
}

/** The recorded form. @since 0.1.0 */
export const toFailure = (error: ChildWorkflowError): ChildWorkflowFailure => ({
  _tag: "ChildWorkflow",
  workflow: error.workflow,
  workflowId: error.workflowId,
  runId: error.runId,
  retryState: error.retryState,
  message: error.message,
  cause: error.failure
})
