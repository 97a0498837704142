/**
 * What a run knows of itself (row W11): its start, read once, and where it stands as of the message being taken in.
 *
 * @since 0.1.0
 */
import type { ExecutionStarted } from "../../core/family/Execution.js"
import type { Carried } from "../../core/family/Notes.js"
import type { Version } from "../../core/family/Version.js"
import { none as noHeaders } from "../../core/Headers.js"
import * as HistoryLimits from "../../core/HistoryLimits.js"
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
  readonly setting: {
    readonly workflowId: string
    readonly runId: string
    readonly taskQueue: string
    readonly namespace?: string | undefined
  }
  readonly started: ExecutionStarted | undefined
  readonly startedAt: number
  readonly past: Standing
  readonly notes: Carried
  readonly replaying: boolean
  readonly cancelReason: string | undefined
  readonly deploymentVersion: Version | undefined
}

/** The history as the turn found it: what it adds itself is seen by the next one (row K11). @since 0.1.0 */
export interface Standing {
  readonly events: number
  readonly bytes: number
  readonly updates: number
}

/** @category constructors @since 0.1.0 */
export const of = (subject: Subject): WorkflowInfo => {
  const { cancelReason, notes, past: { bytes, events, updates }, replaying, setting, started, startedAt, workflow } =
    subject
  const reasons = HistoryLimits.reasons(events, bytes, updates)
  const { namespace = "default", runId, taskQueue, workflowId } = setting
  const firstRunId = started?.firstRunId ?? runId
  return {
    workflow,
    workflowId,
    runId,
    taskQueue,
    namespace,
    startedAt,
    parent: started?.parent,
    root: started?.root ?? { workflowId, runId: firstRunId },
    scheduled: started?.scheduled,
    headers: started?.headers ?? noHeaders,
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
    memo: recordOf(notes.memo),
    searchAttributes: recordOf(notes.searchAttributes),
    summary: notes.summary,
    details: notes.details,
    historyLength: events,
    historyBytes: bytes,
    continueAsNewSuggested: reasons.length > 0,
    continueAsNewReasons: reasons,
    replaying,
    cancelReason,
    deploymentVersion: subject.deploymentVersion
  }
}

const noFields: Readonly<Record<string, unknown>> = {}

const recordOf = (all: Carried["memo"]): Readonly<Record<string, unknown>> =>
  all === undefined ? noFields : Object.fromEntries(all.map(({ name, value }) => [name, value]))
