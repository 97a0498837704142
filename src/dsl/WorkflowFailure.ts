/**
 * The errors in which a caller sees a run, and calls into it, end otherwise than well.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Failure, render } from "../core/Failure.js"

const execution = { workflow: Schema.String, workflowId: Schema.String, runId: Schema.optional(Schema.String) }

const name = (of: { readonly workflow: string; readonly workflowId: string }) => `${of.workflow} ${of.workflowId}`

/**
 * The run ended without a result, other than by an error that its contract declares: canceled, terminated, out of time,
 * or failed (row X3).
 *
 * @category errors
 * @since 0.1.0
 */
export class WorkflowFailure extends Schema.TaggedError<WorkflowFailure>()("WorkflowFailure", {
  ...execution,
  status: Schema.Literal("Failed", "Canceled", "Terminated", "TimedOut"),
  failure: Failure
}) {
  override get message(): string {
    return `workflow ${name(this)} ended as ${this.status}: ${render(this.failure)}`
  }
}

/**
 * The run ended to be continued by another one, and the caller asked for the end of this run alone (row K12).
 *
 * @category errors
 * @since 0.1.0
 */
export class WorkflowContinuedAsNew extends Schema.TaggedError<WorkflowContinuedAsNew>()("WorkflowContinuedAsNew", {
  ...execution,
  newRunId: Schema.String
}) {
  override get message(): string {
    return `workflow ${
      name(this)
    } was continued as run ${this.newRunId}: use \`result\` to wait for the end of its chain`
  }
}

/**
 * No execution has this id.
 *
 * @category errors
 * @since 0.1.0
 */
export class WorkflowNotFound extends Schema.TaggedError<WorkflowNotFound>()("WorkflowNotFound", execution) {
  override get message(): string {
    return `no execution of workflow ${name(this)} was found: check the id, and that the client uses the same store`
  }
}

/**
 * The execution is closed: it takes no more signals, updates, or termination (row S1).
 *
 * @category errors
 * @since 0.1.0
 */
export class WorkflowClosed extends Schema.TaggedError<WorkflowClosed>()("WorkflowClosed", execution) {
  override get message(): string {
    return `workflow ${name(this)} is already closed`
  }
}

/**
 * An open execution has this workflow id already (row X5), or a closed one had it and the start's `idReuse` does not
 * allow another one after that (row X4).
 *
 * @category errors
 * @since 0.1.0
 */
export class WorkflowAlreadyStarted extends Schema.TaggedError<WorkflowAlreadyStarted>()("WorkflowAlreadyStarted", {
  ...execution,
  /** Whether the run that stands in the way is closed. Absent: it is open. */
  closed: Schema.optional(Schema.Boolean)
}) {
  override get message(): string {
    return this.closed === true
      ? `workflow ${
        name(this)
      } ran before, as run ${this.runId}, and idReuse does not allow another run: use another workflowId`
      : `workflow ${name(this)} is already running as run ${this.runId}: use its handle, or another workflowId`
  }
}

/**
 * The query was not answered: unknown, failed in its handler, or the run's turns fail (row Q3). The run is unharmed.
 *
 * @category errors
 * @since 0.1.0
 */
export class QueryFailed extends Schema.TaggedError<QueryFailed>()("QueryFailed", {
  ...execution,
  query: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `query ${this.query} of workflow ${name(this)} failed: ${this.reason}`
  }
}

/**
 * The query was not asked, since the run has a status at which its caller wants no answer (row Q2).
 *
 * @category errors
 * @since 0.1.0
 */
export class QueryRejected extends Schema.TaggedError<QueryRejected>()("QueryRejected", {
  ...execution,
  query: Schema.String,
  status: Schema.String
}) {
  override get message(): string {
    return `query ${this.query} of workflow ${name(this)} was not asked: the run is ${this.status}`
  }
}

/**
 * The run knows no update of this id: none was accepted. Rejected ones are not remembered (rows U4, U5).
 *
 * @category errors
 * @since 0.1.0
 */
export class UpdateNotFound extends Schema.TaggedError<UpdateNotFound>()("UpdateNotFound", {
  ...execution,
  updateId: Schema.String
}) {
  override get message(): string {
    return `workflow ${name(this)} has accepted no update ${this.updateId}: check the ids, or send the update`
  }
}

/**
 * A run cannot be taken anew from there; the reason says what can be done (row C11).
 *
 * @category errors
 * @since 0.1.0
 */
export class ResetRefused extends Schema.TaggedError<ResetRefused>()("ResetRefused", {
  ...execution,
  reason: Schema.String
}) {
  override get message(): string {
    return `workflow ${name(this)} cannot be reset: ${this.reason}`
  }
}

/**
 * The update was rejected, or failed other than by an error that its contract declares (rows U2, U3).
 *
 * @category errors
 * @since 0.1.0
 */
export class UpdateFailed extends Schema.TaggedError<UpdateFailed>()("UpdateFailed", {
  ...execution,
  update: Schema.String,
  updateId: Schema.String,
  /** Rejected updates leave no event. */
  rejected: Schema.Boolean,
  failure: Failure
}) {
  override get message(): string {
    return `update ${this.update} (${this.updateId}) of workflow ${name(this)} ${
      this.rejected ? "was rejected" : "failed"
    }: ${render(this.failure)}`
  }
}

/**
 * Nobody answered in time: no worker serves the task queue, or it is busy beyond the deadline. What was asked may still
 * take effect.
 *
 * @category errors
 * @since 0.1.0
 */
export class CallTimeout extends Schema.TaggedError<CallTimeout>()("CallTimeout", {
  ...execution,
  call: Schema.String,
  afterMillis: Schema.Number
}) {
  override get message(): string {
    return `${this.call} of workflow ${
      name(this)
    } was not answered within ${this.afterMillis} ms: is a worker running on its task queue?`
  }
}

/**
 * The store did not do what was asked. Whether the call took effect is not known; it is safe to repeat with the same
 * ids.
 *
 * @category errors
 * @since 0.1.0
 */
export class StoreUnavailable extends Schema.TaggedError<StoreUnavailable>()("StoreUnavailable", {
  call: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.call}: ${this.detail}`
  }
}
