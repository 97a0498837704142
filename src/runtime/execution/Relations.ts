/**
 * What the events of a turn mean for other runs: children that begin with its commit, messages that go out with it, and
 * the outcome that a parent is told (I3). A decision on data; nothing happens here.
 *
 * ```
 *   ChildStartRequested ──▶ the child's row and its Start; to itself: started, or the id is taken
 *   ChildCancelRequested, SignalExternalRequested, CancelExternalRequested ──▶ a message; to itself: what became of it
 *   the end of a child ──▶ its outcome, to its parent
 * ```
 *
 * @since 0.1.0
 */
import * as Events from "../../core/Event.js"
import type { ChildCancelRequested, ChildOutcome, ChildStartRequested } from "../../core/family/Child.js"
import * as Children from "../../core/family/Child.js"
import type { Closing, ExecutionStarted, Parent } from "../../core/family/Execution.js"
import type { Requested } from "../../core/family/External.js"
import * as External from "../../core/family/External.js"
import type { Slice } from "../../core/family/Version.js"
import * as Messages from "../../core/Message.js"
import * as Routing from "../../core/Routing.js"
import * as Succession from "../../core/Succession.js"
import type { Address, Creation, NewMail, NewRun, Outgoing, Run } from "../../persistence/Store.js"
import * as Flags from "../interpreter/Flags.js"
import * as Successor from "./Successor.js"

/** The run that asks. @since 0.1.0 */
export type Asking = Pick<Run, "runId" | "workflowId" | "taskQueue"> & Routing.Standing

/**
 * The child that a run asks for, and the word to it whether the child was created.
 *
 * @category constructors
 * @since 0.1.0
 */
export const creation = (
  event: ChildStartRequested,
  run: Asking,
  started: ExecutionStarted | undefined,
  at: number,
  slice: Partial<Slice>,
  takes: (run: NewRun) => boolean
): Creation => {
  const {
    executionTimeoutMillis,
    headers,
    input,
    parentClose,
    retry,
    reuse,
    runId,
    runTimeoutMillis,
    seq,
    workflow,
    workflowId
  } = event
  const { details, memo, searchAttributes, summary } = event
  const taskQueue = event.taskQueue ?? run.taskQueue
  const start = Succession.first(
    {
      workflow,
      workflowId,
      taskQueue,
      ...Flags.stamp(),
      ...(input === undefined ? {} : { input }),
      ...(headers === undefined ? {} : { headers }),
      parent: {
        runId: run.runId,
        workflowId: run.workflowId,
        seq,
        ...(parentClose === undefined ? {} : { close: parentClose })
      },
      ...Routing.handedOn({ standing: run, slice }, "Child", taskQueue === run.taskQueue),
      root: started?.root ?? { workflowId: run.workflowId, runId: started?.firstRunId ?? run.runId },
      ...(memo === undefined ? {} : { memo }),
      ...(searchAttributes === undefined ? {} : { searchAttributes }),
      ...(summary === undefined ? {} : { summary }),
      ...(details === undefined ? {} : { details })
    },
    { delayMillis: event.delayMillis, cron: event.cron, executionTimeoutMillis, runTimeoutMillis, retry },
    at
  )
  const row = Successor.rowOf(runId, start, at)
  return {
    run: row,
    start: { runId, kind: "Start", body: Messages.encode(start) },
    owned: start.startAt === undefined && takes(row),
    reuse,
    report: (result) =>
      outcomeMail(run.runId, {
        _tag: "ChildOutcome",
        outcome: result._tag === "Created"
          ? { _tag: "ChildStarted", seq, runId }
          : {
            _tag: "ChildStartFailed",
            seq,
            existing: result.runId,
            ...(result._tag === "Refused" ? { closed: true } : {})
          }
      })
  }
}

/**
 * A cancel request for a child. One that no worker has begun has nothing to clean up, and perhaps no worker ever will
 * begin it: it is canceled with the request (row K6).
 *
 * @category constructors
 * @since 0.1.0
 */
export const childCancel = ({ reason, seq }: ChildCancelRequested, runId: string): Outgoing => {
  const canceled = { _tag: "ExecutionCanceled" as const, reason }
  return {
    to: { _tag: "Child", parentRunId: runId, seq },
    kind: "Cancel",
    body: Messages.encode({ _tag: "Cancel", reason }),
    unbegun: {
      events: Events.encode([canceled]),
      format: Events.format,
      mail: (childRunId) =>
        outcomeMail(runId, {
          _tag: "ChildOutcome",
          outcome: { _tag: "ChildCanceled", seq, runId: childRunId, reason }
        })
    }
  }
}

/**
 * A signal or cancel request for another run.
 *
 * @category constructors
 * @since 0.1.0
 */
export const external = (event: Requested, runId: string): Outgoing => ({
  to: addressOf(event, runId),
  ...(event._tag === "SignalExternalRequested"
    ? {
      kind: "Signal" as const,
      body: Messages.encode({
        _tag: "Signal",
        name: event.name,
        ...(event.input === undefined ? {} : { input: event.input }),
        ...(event.headers === undefined ? {} : { headers: event.headers })
      })
    }
    : { kind: "Cancel" as const, body: Messages.encode({ _tag: "Cancel", reason: event.reason }) }),
  acknowledge: (result) => ({
    runId,
    kind: "ExternalOutcome",
    body: Messages.encode(External.outcomeOf(event, result === "Posted" ? undefined : result))
  })
})

/**
 * What the parent of a run is told of its end; nothing where another run of its chain follows.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toParent = (
  parent: Pick<Parent, "runId" | "seq">,
  runId: string,
  closing: Closing
): Outgoing | undefined => {
  const outcome = Children.outcomeOf(parent, runId, closing)
  if (outcome === undefined) return undefined
  const { body, kind } = outcomeMail(parent.runId, outcome)
  return { to: { _tag: "Run", runId: parent.runId }, kind, body }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const outcomeMail = (runId: string, outcome: ChildOutcome): NewMail => ({
  runId,
  kind: "ChildOutcome",
  body: Messages.encode(outcome)
})

const addressOf = ({ child, runId, workflowId }: External.Target, asking: string): Address =>
  child !== undefined
    ? { _tag: "Child", parentRunId: asking, seq: child, workflowId }
    : runId !== undefined
    ? { _tag: "Run", runId }
    : { _tag: "Workflow", workflowId }
