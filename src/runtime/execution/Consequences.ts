/**
 * What the events of a turn cause: rows that are written with them (I3), and effects that are let go once they are
 * committed (I2). A decision on data; nothing happens here.
 *
 * @since 0.1.0
 */
import type { Event } from "../../core/Event.js"
import type { Failure } from "../../core/Failure.js"
import type { ActivityScheduled } from "../../core/family/Activity.js"
import * as Activities from "../../core/family/Activity.js"
import type { Closing, ExecutionStarted } from "../../core/family/Execution.js"
import { followerOf } from "../../core/family/Execution.js"
import * as Notes from "../../core/family/Notes.js"
import type { Outcome } from "../../core/family/Update.js"
import * as Routing from "../../core/Routing.js"
import type { RunState } from "../../core/RunState.js"
import type {
  Assigned,
  AttributeChange,
  Creation,
  NewRun,
  NewTask,
  Outgoing,
  Reply,
  Run,
  TurnCommit,
  WorkerId
} from "../../persistence/Store.js"
import type { Attempt } from "../activity/Attempt.js"
import * as Assignment from "./Assignment.js"
import type { Letter, UpdateAnswer } from "./Item.js"
import * as Relations from "./Relations.js"

/**
 * @category models
 * @since 0.1.0
 */
export class Consequences {
  // rows
  tasksAdded: ReadonlyArray<NewTask> = none
  tasksRemoved: ReadonlyArray<number> = none
  replies: ReadonlyArray<Reply> = none
  /** What the run says of itself from now on, as JSON, where it changed. */
  notes: string | undefined = undefined
  attributes: ReadonlyArray<AttributeChange> = none
  creates: ReadonlyArray<Creation> = none
  outgoing: ReadonlyArray<Outgoing> = none
  /** Another version than before took the turn. */
  assigned: Assigned | undefined = undefined
  // effects
  /** Activities that start with this commit, their slots reserved. */
  starts: ReadonlyArray<Attempt> = none
  /** Activities of this worker's queue that wait for a slot. */
  queued: ReadonlyArray<Attempt> = none
  cancels: ReadonlyArray<number> = none
  steps: ReadonlyArray<number> = none
  canceledSteps: ReadonlyArray<number> = none
  answers: ReadonlyArray<readonly [updateId: string, answer: UpdateAnswer]> = none
  /** Handlers in progress as the run ends. */
  unfinished: ReadonlyArray<string> = none

  /** Most turns cause one thing: of the lists only those that it takes are made. */
  add<K extends keyof Lists>(list: K, item: Lists[K]): void {
    const lists = this as unknown as Record<K, Array<Lists[K]>>
    if (lists[list].length === 0) lists[list] = [item]
    else lists[list].push(item)
  }

  /** Tells the callers of an update, here and in other processes. */
  tell(updateId: string, answer: UpdateAnswer, replyTo: string | undefined, at: number): void {
    this.add("answers", [updateId, answer])
    for (const reply of repliesTo(replyTo, answer, at)) this.add("replies", reply)
  }
}

interface Lists {
  readonly tasksAdded: NewTask
  readonly tasksRemoved: number
  readonly replies: Reply
  readonly attributes: AttributeChange
  readonly creates: Creation
  readonly outgoing: Outgoing
  readonly starts: Attempt
  readonly queued: Attempt
  readonly cancels: number
  readonly steps: number
  readonly canceledSteps: number
  readonly answers: readonly [updateId: string, answer: UpdateAnswer]
}

const none: ReadonlyArray<never> = []

/** What a committed turn lets go. @since 0.1.0 */
export interface Release {
  readonly letters: ReadonlyArray<Letter>
  readonly consequences: Consequences
  readonly closing: Closing | undefined
  readonly creates: ReadonlyArray<Creation>
}

/** A commit that writes nothing yet. @since 0.1.0 */
export const nothing = {
  history: undefined,
  wake: undefined,
  attention: undefined,
  close: undefined,
  consumed: [],
  tasksAdded: [],
  tasksRemoved: [],
  tasksCanceled: [],
  mail: [],
  replies: [],
  creates: [],
  outgoing: []
} satisfies Partial<TurnCommit>

/** What the decisions need to know. @since 0.1.0 */
export interface Situation {
  readonly run: Pick<Run, "runId" | "workflowId" | "workflow" | "taskQueue"> & Routing.Standing
  /** The state before the turn. */
  readonly state: RunState
  readonly at: number
  readonly worker: WorkerId
  readonly serves: (taskQueue: string) => boolean
  readonly takes: (run: NewRun) => boolean
  readonly reserveSlot: () => boolean
}

/**
 * The consequences of a turn's events.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (events: ReadonlyArray<Event>, situation: Situation): Consequences => {
  const { at, state } = situation
  const out = new Consequences()
  for (const event of events) {
    switch (event._tag) {
      case "VersionAssigned":
        out.assigned = Assignment.rowOf(event, situation.run)
        break
      case "ActivityScheduled":
        schedule(event, situation, out)
        break
      case "ActivityCompleted":
      case "ActivityFailed":
      case "ActivityCanceled":
        out.add("tasksRemoved", event.seq)
        break
      case "ActivityCancelRequested":
        out.add("cancels", event.seq)
        break
      case "StepScheduled":
      case "StepResumed":
        out.add("steps", event.seq)
        break
      case "StepCanceled":
        out.add("canceledSteps", event.seq)
        break
      case "SearchAttributesUpserted":
        for (const attribute of event.attributes) out.add("attributes", attribute)
        out.notes ??= JSON.stringify(Notes.after(state, events))
        break
      case "MemoUpserted":
        out.notes ??= JSON.stringify(Notes.after(state, events))
        break
      case "ChildStartRequested":
        out.add(
          "creates",
          Relations.creation(event, situation.run, startOf(state, events), at, out.assigned ?? state, situation.takes)
        )
        break
      case "ChildCancelRequested":
        out.add("outgoing", Relations.childCancel(event, situation.run.runId))
        break
      case "SignalExternalRequested":
      case "CancelExternalRequested":
        out.add("outgoing", Relations.external(event, situation.run.runId))
        break
      case "UpdateAccepted":
        out.tell(event.id, { _tag: "Accepted", runId: situation.run.runId }, event.replyTo, at)
        break
      case "UpdateCompleted":
      case "UpdateFailed":
        out.tell(event.id, event, state.updates.get(event.id)?.accepted.replyTo ?? replyToIn(events, event.id), at)
        break
    }
  }
  return out
}

/** Updates that their validators refused in the turn that took them in. @since 0.1.0 */
export const addRejected = (
  out: Consequences,
  rejected: ReadonlyMap<string, Failure>,
  letters: ReadonlyArray<Letter>,
  at: number
): void => {
  for (const [id, failure] of rejected) {
    const letter = letters.find((each) => each.message._tag === "Update" && each.message.id === id)
    const replyTo = letter?.message._tag === "Update" ? letter.message.replyTo : undefined
    out.tell(id, { _tag: "Rejected", failure }, replyTo, at)
  }
}

/**
 * Tells of the end of a run: those whose updates it cut short (row S8), and its parent, in the commit that ends it
 * (row K3).
 *
 * @since 0.1.0
 */
export const addEnd = (out: Consequences, state: RunState, closing: Closing, at: number): void => {
  for (const [id, update] of state.updates) {
    if (update.outcome === undefined) out.tell(id, abandoned(id), update.accepted.replyTo, at)
  }
  const parent = state.started?.parent
  const told = parent === undefined ? undefined : Relations.toParent(parent, state.runId, closing)
  if (told !== undefined) out.add("outgoing", told)
}

/** Said once, when the end is committed; a replay ends no run (row S8). @since 0.1.0 */
export const unfinishedWarning = (handlers: ReadonlyArray<string>): string | undefined =>
  handlers.length === 0
    ? undefined
    : `the run ended before its handlers did, which were cut short: ${handlers.join(", ")}. Wait for them with `
      + "Workflow.condition(Workflow.allHandlersFinished), or declare them unfinished: \"Abandon\""

/** What a turn's commit says of the end of its run. @since 0.1.0 */
export const closeOf = (state: RunState, at: number): TurnCommit["close"] =>
  state.closed === undefined ? undefined : {
    status: state.status as Exclude<RunState["status"], "Running">,
    at,
    // What waits does not keep a run that may not go on.
    refuseIfMail: state.closed._tag !== "ExecutionTerminated",
    next: followerOf(state.closed),
    hasChildren: state.children.size > 0,
    scheduled: state.started?.scheduled !== undefined && followerOf(state.closed) === undefined,
    historyLength: state.events
  }

/** What the caller of an update gets when the run ends before its handler. @since 0.1.0 */
export const abandoned = (id: string): Outcome => ({
  _tag: "UpdateFailed",
  id,
  failure: {
    _tag: "Application",
    type: "AcceptedUpdateCompletedWorkflow",
    message: "the run ended before the update's handler did"
  }
})

/** Two replies at most wait for a caller elsewhere: that it was accepted, and what came of it. @since 0.1.0 */
export const repliesTo = (replyTo: string | undefined, answer: UpdateAnswer, at: number): ReadonlyArray<Reply> => {
  if (replyTo === undefined) return []
  const body = JSON.stringify(answer)
  const accepted = { requestId: `${replyTo}/accepted`, at, body }
  return answer._tag === "Accepted" ? [accepted] : [accepted, { requestId: replyTo, at, body }]
}

const schedule = (event: ActivityScheduled, situation: Situation, out: Consequences): void => {
  const { at, run } = situation
  const taskQueue = event.taskQueue ?? run.taskQueue
  const attempt: Attempt = {
    runId: run.runId,
    workflowId: run.workflowId,
    workflow: run.workflow,
    taskQueue,
    scheduled: event,
    scheduledAt: at,
    attemptScheduledAt: at,
    attempt: 1,
    heartbeat: undefined
  }
  const local = situation.serves(taskQueue)
  const reserved = local && situation.reserveSlot()
  if (reserved) out.add("starts", attempt)
  else if (local) out.add("queued", attempt)
  out.add("tasksAdded", {
    seq: event.seq,
    taskQueue,
    worker: reserved ? situation.worker : undefined,
    scheduledAt: at,
    expiresAt: reserved ? undefined : Activities.startBy(event, at, at),
    // Of another queue nobody knows whether it has workers of that version.
    pinnedTo: taskQueue === run.taskQueue
      ? out.assigned?.pinnedTo ?? Routing.pinnedTo(run, situation.state)
      : undefined
  })
}

const startOf = ({ started }: RunState, events: ReadonlyArray<Event>): ExecutionStarted | undefined =>
  started ?? events.find((event) => event._tag === "ExecutionStarted")

const replyToIn = (events: ReadonlyArray<Event>, id: string): string | undefined => {
  for (const event of events) if (event._tag === "UpdateAccepted" && event.id === id) return event.replyTo
  return undefined
}
