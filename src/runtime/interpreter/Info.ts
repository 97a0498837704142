/**
 * What a run knows of itself (row W11): its start, read once, and where it stands as of the message being taken in.
 *
 * @since 0.1.0
 */
import type { ExecutionStarted } from "../../core/family/Execution.js"
import { Limits } from "../../core/Limits.js"
import * as Succession from "../../core/Succession.js"
import type { WorkflowInfo } from "../../dsl/WorkflowContext.js"

/**
 * What it is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subject {
  readonly workflow: string
  readonly setting: { readonly workflowId: string; readonly runId: string; readonly taskQueue: string }
  readonly started: ExecutionStarted | undefined
  readonly startedAt: number
  readonly historyLength: number
  readonly replaying: boolean
  readonly cancelReason: string | undefined
}

/** @category constructors @since 0.1.0 */
export const of = (subject: Subject): WorkflowInfo => {
  const { cancelReason, historyLength, replaying, setting, started, startedAt, workflow } = subject
  const { runId, taskQueue, workflowId } = setting
  const firstRunId = started?.firstRunId ?? runId
  return {
    workflow,
    workflowId,
    runId,
    taskQueue,
    startedAt,
    parent: started?.parent,
    root: started?.root ?? { workflowId, runId: firstRunId },
    firstRunId,
    previousRunId: started?.previousRunId,
    firstStartedAt: started?.firstStartedAt ?? startedAt,
    attempt: started?.attempt ?? 1,
    executionTimeoutMillis: started?.executionTimeoutMillis,
    runTimeoutMillis: started?.runTimeoutMillis,
    expiresAt: Succession.expiresAt(started),
    retry: started?.retry,
    cron: started?.cron,
    lastResult: started?.lastResult,
    lastFailure: started?.lastFailure,
    historyLength,
    continueAsNewSuggested: historyLength >= Limits.historyEventsSuggested,
    replaying,
    cancelReason
  }
}
