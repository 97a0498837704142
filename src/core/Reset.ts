/**
 * Taking a run anew from one of its turns on: what the new run keeps, and what it is told (row C11).
 *
 * ```
 *   turns      1 ... n-1 │ n                    │ n+1 ... last
 *              ──────────┼──────────────────────┼─────────────────────────────────────────
 *   new run    copied    │ its messages come    │ signals and updates come again, as asked;
 *                        │ again                │ the rest is forgotten
 * ```
 *
 * 1. What the copied turns drew and derived stays as it was; from the reset on, random numbers are others (row W2).
 * 2. Activities that the copied turns left pending run again from their first attempt, unless turn n had their outcome.
 * 3. Of children and messages to others that they left pending, the outcome is what the old run was told later.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type { Caused } from "./Command.js"
import type { Event, Tag, Turn } from "./Event.js"
import type { PendingActivity } from "./family/Activity.js"
import type { ExecutionStarted, Start } from "./family/Execution.js"
import type { Stored } from "./Message.js"
import { isMessageEvent } from "./Replay.js"
import type { RunState } from "./RunState.js"
import * as RunStates from "./RunState.js"

/** What comes again of what came after the turn that is taken anew. @since 0.1.0 */
export type Reapply = "All" | "Signals" | "Updates" | "None"

/** What is asked. @since 0.1.0 */
export interface Request {
  readonly runId: string
  readonly newRunId: string
  /** When the run that is reset started. */
  readonly startedAt: number
  /** The turn that is taken anew: 1 begins with the start. */
  readonly turn: number
  readonly reapply: Reapply
  readonly reason: string
  /** When, in epoch milliseconds. */
  readonly now: number
}

/** What the new run is made of. @since 0.1.0 */
export interface Plan {
  /** How its row describes it, and its first event where a turn is copied. */
  readonly start: Start
  readonly turns: ReadonlyArray<Turn>
  /** After the copied turns. */
  readonly state: RunState
  /** Activities that run again. */
  readonly activities: ReadonlyArray<PendingActivity>
  /** What waits in its mailbox, in order. */
  readonly messages: ReadonlyArray<Exclude<Stored, { readonly _tag: "Query" }>>
}

/**
 * Plans a reset; the left side says why there can be none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const plan = (history: ReadonlyArray<Turn>, request: Request): Either.Either<Plan, string> => {
  const { newRunId, reapply, reason, runId, turn } = request
  const started = history[0]?.events.find((event) => event._tag === "ExecutionStarted")
  if (started === undefined) return Either.left("its first turn has not been taken yet: there is nothing to take anew")
  if (!Number.isInteger(turn) || turn < 1 || turn > history.length) {
    return Either.left(`its turns are 1 to ${history.length}, and turn ${turn} is none of them`)
  }
  const start = startOf(started, request)
  const kept = history.slice(0, turn - 1).map((each, index) => index > 0 ? each : amended(each, start))
  const state = RunStates.fold(newRunId, kept)
  const again = history[turn - 1]!.events.filter(isMessageEvent)
  const after = history.slice(turn).flatMap(({ events }) => events).filter(isMessageEvent)

  const messages: Array<Plan["messages"][number]> = kept.length === 0
    ? [start]
    : [{ _tag: "Reset", runId: newRunId, fromRunId: runId, turn, reason }]
  for (const event of again) messages.push(...backOf(event))
  for (const event of after) if (comes(event, reapply) || answers(event, state)) messages.push(...backOf(event))

  const answered = new Set(
    [...again, ...after].flatMap((event) => answers(event, state) && event._tag !== "ChildStarted" ? [event.seq] : [])
  )
  for (const [seq, { requested }] of state.children) {
    if (answered.has(seq)) continue
    if (requested.parentClose !== "Abandon") {
      return Either.left(
        `its child ${requested.workflowId} is open after turn ${
          turn - 1
        }: wait for it, or choose a turn before it began`
      )
    }
    // It lives on, and the run that heard of it does not.
    const outcome = { _tag: "ChildTerminated", seq, runId: requested.runId, reason: "left alone by a reset" } as const
    messages.push({ _tag: "ChildOutcome", outcome })
  }
  for (const [seq, { workflowId }] of state.externals) {
    if (!answered.has(seq)) return Either.left(`its message to ${workflowId} is on its way: try again`)
  }
  const settled = new Set(again.flatMap((event) => isOutcome(event) ? [event.seq] : []))
  const activities = [...state.activities.values()].filter(({ scheduled }) => !settled.has(scheduled.seq))
  return Either.right({ start, turns: kept, state, activities, messages })
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type MessageEvent = Extract<Event, { readonly _tag: Exclude<Tag, Caused["_tag"]> }>

/** The start of the new run. The time of a run counts anew, that of the execution only if it was over. */
const startOf = (started: ExecutionStarted, { now, runId, startedAt, turn }: Request): Start => {
  const { executionExpiresAt, runExpiresAt: _runExpiresAt, seedRunId, startAt: _startAt, ...rest } = started
  const { executionTimeoutMillis, runTimeoutMillis } = started
  const executionEnd = executionTimeoutMillis === undefined || executionExpiresAt === undefined
    ? undefined
    : executionExpiresAt > now
    ? executionExpiresAt
    : Math.ceil(now + executionTimeoutMillis)
  return {
    ...rest,
    _tag: "Start",
    firstRunId: started.firstRunId ?? runId,
    previousRunId: runId,
    firstStartedAt: started.firstStartedAt ?? startedAt,
    ...(turn === 1 ? {} : { seedRunId: seedRunId ?? runId }),
    ...(executionEnd === undefined ? {} : { executionExpiresAt: executionEnd }),
    ...(runTimeoutMillis === undefined ? {} : { runExpiresAt: Math.ceil(now + runTimeoutMillis) })
  }
}

const amended = (turn: Turn, start: Start): Turn => ({
  ...turn,
  events: turn.events.map((event) => event._tag === "ExecutionStarted" ? { ...start, _tag: "ExecutionStarted" } : event)
})

const comes = (event: Event, reapply: Reapply): boolean =>
  event._tag === "SignalReceived"
    ? reapply === "All" || reapply === "Signals"
    : event._tag === "UpdateAccepted" && (reapply === "All" || reapply === "Updates")

type Outcome = Extract<MessageEvent, { readonly seq: number }>
const isOutcome = (event: Event): event is Outcome => isMessageEvent(event) && "seq" in event

/** Whether it says what became of a child, or of a message to another run, that is pending. */
const answers = (event: Event, state: RunState): event is Outcome =>
  isOutcome(event) && (state.children.has(event.seq) || state.externals.has(event.seq)) &&
  (event._tag.startsWith("Child") || event._tag.startsWith("External"))

/** The message that an event was. What was due by the clock is due again by itself; ends that were imposed are over. */
const backOf = (event: Event): ReadonlyArray<Plan["messages"][number]> => {
  const message = event as MessageEvent
  switch (message._tag) {
    case "SignalReceived": {
      const { dropped: _, ...signal } = message
      return [{ ...signal, _tag: "Signal" }]
    }
    case "UpdateAccepted": {
      // Who sent it was answered.
      const { replyTo: _, ...update } = message
      return [{ ...update, _tag: "Update" }]
    }
    case "CancelRequested":
      return [{ _tag: "Cancel", reason: message.reason }]
    case "ActivityCompleted":
    case "ActivityFailed":
    case "ActivityCanceled":
      return [{ _tag: "ActivityOutcome", outcome: message }]
    case "StepCompleted":
    case "StepFailed":
    case "StepBackedOff":
      return [{ _tag: "StepOutcome", outcome: message }]
    case "ChildStarted":
    case "ChildStartFailed":
    case "ChildCompleted":
    case "ChildFailed":
    case "ChildCanceled":
    case "ChildTerminated":
    case "ChildTimedOut":
      return [{ _tag: "ChildOutcome", outcome: message }]
    case "ExternalSignaled":
    case "ExternalSignalFailed":
    case "ExternalCancelDelivered":
    case "ExternalCancelFailed":
      return [{ _tag: "ExternalOutcome", outcome: message }]
    case "ExecutionStarted":
    case "ExecutionReset":
    case "ExecutionTerminated":
    case "ExecutionTimedOut":
    case "VersionAssigned":
    case "TimerFired":
    case "StepResumed":
      return []
    default:
      return message satisfies never
  }
}
