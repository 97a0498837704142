/**
 * The run that follows an end, written with it in one commit: either both are there or neither is (I3).
 *
 * ```
 *   closing turn ──▶ Succession: which run, when? ──▶ old run closes · new run's row · its Start · what still waits moves
 *                                                       └─ committed ──▶ this worker takes its first turn, if it owns it
 * ```
 *
 * A crash before the commit leaves the old run open, and the turn is taken again; one after it leaves a run with a Start
 * and a wake-up, which whoever takes it over begins. Test: runtime/chain, "killed at every operation".
 *
 * @since 0.1.0
 */
import type { Event } from "../../core/Event.js"
import type { Closing, Start } from "../../core/family/Execution.js"
import { isClosing } from "../../core/family/Execution.js"
import * as Notes from "../../core/family/Notes.js"
import * as Messages from "../../core/Message.js"
import * as Routing from "../../core/Routing.js"
import type { RunState } from "../../core/RunState.js"
import * as Succession from "../../core/Succession.js"
import type { Creation, NewRun, ParentLink } from "../../persistence/Store.js"
import * as Flags from "../interpreter/Flags.js"
import * as Assignment from "./Assignment.js"

/** @category models @since 0.1.0 */
export interface Successor {
  readonly closing: Closing
  readonly creates: ReadonlyArray<Creation>
  readonly next: string | undefined
}

/** What the decision needs of the worker. @since 0.1.0 */
export interface Means {
  readonly newRunId: (creator: string) => string
  /** Whether a run that is to begin is this worker's to run. */
  readonly takes: (run: NewRun) => boolean
}

/** Whose child a run is, as its row says it. @since 0.1.0 */
export const linkOf = ({ parent }: Pick<Start, "parent">): ParentLink | undefined =>
  parent === undefined ? undefined : { runId: parent.runId, seq: parent.seq, close: parent.close ?? "Terminate" }

/** Nearly all start without a word of versions. */
const versioningOf = (start: Start): Pick<NewRun, "pinnedTo" | "override"> =>
  start.inherited === undefined && start.override === undefined
    ? unpinned
    : { pinnedTo: Routing.startsAt(start), override: start.override?.behavior }

const unpinned = {}

/** The row of a run that a Start begins. @since 0.1.0 */
export const rowOf = (runId: string, start: Start, startedAt: number): NewRun => ({
  runId,
  workflowId: start.workflowId,
  workflow: start.workflow,
  taskQueue: start.taskQueue,
  startedAt,
  firstRunId: start.firstRunId,
  previousRunId: start.previousRunId,
  attempt: start.attempt,
  startAt: start.startAt,
  expiresAt: Succession.expiresAt(start),
  parent: linkOf(start),
  scheduled: start.scheduled,
  rootWorkflowId: start.root?.workflowId,
  ...versioningOf(start),
  ...Notes.rows(start)
})

/**
 * When a run that follows another one started, by a clock that may be behind: the last run of an execution is the one
 * that started last.
 *
 * @since 0.1.0
 */
export const after = (startedAt: number, at: number): number => at < startedAt ? startedAt + 1 : at

/**
 * The end as it is recorded, and the run that follows it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (closing: Closing, ending: Succession.Ending, at: number, means: Means): Successor => {
  const decided = Succession.next(closing, ending, at)
  if (decided._tag === "None") {
    const { retryState } = decided
    return {
      closing: retryState === undefined ? closing : { ...closing, retryState } as Closing,
      creates: [],
      next: undefined
    }
  }
  const { retryState } = decided
  // Its first turn is taken by code of today.
  const start: Start = { ...decided.start, ...Flags.stamp() }
  const next = means.newRunId(ending.runId)
  const run = rowOf(next, start, after(ending.startedAt, at))
  return {
    closing: { ...closing, newRunId: next, ...(retryState === undefined ? {} : { retryState }) } as Closing,
    next,
    creates: [{
      run,
      start: { runId: next, kind: "Start", body: Messages.encode(start) },
      owned: start.startAt === undefined && means.takes(run)
    }]
  }
}

/** The state that knows its start already in the turn that takes it in. @since 0.1.0 */
export const begun = (state: RunState, events: ReadonlyArray<Event>): RunState =>
  state.turn > 0 ? state : { ...state, started: events.find((event) => event._tag === "ExecutionStarted") }

/** Puts the end that is among a turn's events in its final form, in place; the state is as of the turn before. @since 0.1.0 */
export const complete = (
  events: Array<Event>,
  run: { readonly runId: string; readonly startedAt: number } & Routing.Standing,
  state: RunState,
  at: number,
  means: Means
): ReadonlyArray<Creation> => {
  const index = events.findIndex(isClosing)
  const { started } = begun(state, events)
  if (index < 0 || started === undefined) return []
  const cancelRequested = state.cancelRequested !== undefined ||
    events.some((event) => event._tag === "CancelRequested")
  const carried = Notes.after(state, events)
  const versioning = { standing: run, slice: Assignment.after(state, events) }
  const ending = { runId: run.runId, startedAt: run.startedAt, started, cancelRequested, carried, versioning }
  const { closing, creates } = of(events[index] as Closing, ending, at, means)
  events[index] = closing
  return creates
}
