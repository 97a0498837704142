/**
 * Goal: one question tells a cancellation from a failure, however it is told; timeouts say which they are (row R12).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as FiberId from "effect/FiberId"
import {
  ActivityError,
  ApplicationError,
  AsyncActivityCanceled,
  ChildWorkflowError,
  UpdateFailed,
  Workflow,
  WorkflowFailure
} from "perdure"
import type { Failure } from "../../src/core/Failure.js"

const canceled: Failure = { _tag: "Canceled", message: "canceled" }
const terminated: Failure = { _tag: "Terminated", message: "now" }
const activity = (failure: Failure) =>
  new ActivityError({ activity: "A", activityId: "1", attempt: 1, retryState: "CancelRequested", failure })
const child = (failure: Failure) =>
  new ChildWorkflowError({ workflow: "C", workflowId: "c", runId: "r", retryState: "CancelRequested", failure })
const within: Failure = {
  _tag: "Activity",
  activity: "A",
  activityId: "1",
  attempt: 1,
  retryState: "CancelRequested",
  message: "",
  cause: canceled
}
const run = { workflow: "W", workflowId: "w" }

describe("Workflow.isCanceled", () => {
  const yes: Record<string, unknown> = {
    "an activity that was canceled": activity(canceled),
    "a child that was canceled": child(canceled),
    "a run that was canceled": new WorkflowFailure({ ...run, status: "Canceled", failure: canceled }),
    "an update that was canceled": new UpdateFailed({
      ...run,
      update: "u",
      updateId: "1",
      rejected: false,
      failure: canceled
    }),
    "an attempt that is completed from outside": new AsyncActivityCanceled({ subject: "s", reason: "cancelRequested" }),
    "an interruption": Cause.interrupt(FiberId.none),
    "an interruption, thrown": new Cause.InterruptedException(),
    "a cause of such an error": Cause.fail(activity(canceled)),
    "a cause of such errors and interruptions": Cause.parallel(
      Cause.fail(child(canceled)),
      Cause.interrupt(FiberId.none)
    )
  }
  const no: Record<string, unknown> = {
    "an activity that failed by something canceled": activity(within),
    "a child that was terminated": child(terminated),
    "an activity that ran out of time": activity({ _tag: "Timeout", timeout: "StartToClose", message: "" }),
    "an application error": new ApplicationError({ type: "Canceled", message: "canceled" }),
    "a failure beside an interruption": Cause.parallel(Cause.fail("x"), Cause.interrupt(FiberId.none)),
    "a defect beside a cancellation": Cause.parallel(Cause.fail(activity(canceled)), Cause.die("x")),
    "an attempt from outside that is paused": new AsyncActivityCanceled({ subject: "s", reason: "paused" }),
    nothing: Cause.empty,
    "anything else": undefined
  }
  for (const [what, error] of Object.entries(yes)) {
    it(`holds of ${what} (R12)`, () => assert.isTrue(Workflow.isCanceled(error)))
  }
  for (const [what, error] of Object.entries(no)) {
    it(`does not hold of ${what} (R12)`, () => assert.isFalse(Workflow.isCanceled(error)))
  }
})
