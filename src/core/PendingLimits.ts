/**
 * How much a run may have pending at once: 2,000 of each kind (row X17). A turn that would have more fails, and is tried
 * again with the code that is then deployed (I7).
 *
 * @since 0.1.0
 */
import type { Command } from "./Command.js"
import type { Event } from "./Event.js"
import { Limits } from "./Limits.js"
import type { RunState } from "./RunState.js"
import * as RunStates from "./RunState.js"

type Kind =
  | "activities"
  | "timers"
  | "inline steps"
  | "children"
  | "signals to other runs"
  | "cancel requests to other runs"

/**
 * What a turn would leave too much of, in words; undefined where it may go in.
 *
 * @category combinators
 * @since 0.1.0
 */
export const exceeded = (
  /** Before the turn. */
  state: RunState,
  events: ReadonlyArray<Event>,
  commands: ReadonlyArray<Command>
): string | undefined => {
  // Nearly always: not so many of all kinds together.
  if (RunStates.pending(state) + commands.length <= Limits.pendingMax) return undefined
  const counts: Record<Kind, number> = {
    activities: state.activities.size,
    timers: state.timers.size,
    "inline steps": state.steps.size,
    children: state.children.size,
    "signals to other runs": 0,
    "cancel requests to other runs": 0
  }
  for (const { _tag } of state.externals.values()) counts[externals[_tag]]++
  for (const event of events) {
    const kind = settling[event._tag]
    if (kind !== undefined) counts[kind]--
  }
  for (const { _tag } of commands) {
    const begun = beginning[_tag]
    const ended = canceling[_tag]
    if (begun !== undefined) counts[begun]++
    if (ended !== undefined) counts[ended]--
  }
  for (const [kind, count] of Object.entries(counts)) {
    if (count > Limits.pendingMax) {
      return `it has ${count} ${kind} pending, and may have ${Limits.pendingMax} at once: run fewer at a time`
    }
  }
  return undefined
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const externals = {
  SignalExternalRequested: "signals to other runs",
  CancelExternalRequested: "cancel requests to other runs"
} as const

const beginning: { readonly [K in Command["_tag"]]?: Kind } = {
  ScheduleActivity: "activities",
  StartTimer: "timers",
  RunStep: "inline steps",
  StartChild: "children",
  SignalExternal: "signals to other runs",
  CancelExternal: "cancel requests to other runs"
}

const canceling: { readonly [K in Command["_tag"]]?: Kind } = { CancelTimer: "timers", CancelStep: "inline steps" }

const settling: { readonly [K in Event["_tag"]]?: Kind } = {
  ActivityCompleted: "activities",
  ActivityFailed: "activities",
  ActivityCanceled: "activities",
  TimerFired: "timers",
  StepCompleted: "inline steps",
  StepFailed: "inline steps",
  ChildStartFailed: "children",
  ChildCompleted: "children",
  ChildFailed: "children",
  ChildCanceled: "children",
  ChildTerminated: "children",
  ChildTimedOut: "children",
  ExternalSignaled: "signals to other runs",
  ExternalSignalFailed: "signals to other runs",
  ExternalCancelDelivered: "cancel requests to other runs",
  ExternalCancelFailed: "cancel requests to other runs"
}
