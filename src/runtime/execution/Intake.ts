/**
 * What a turn takes in of the letters that it is offered: the event of each, or why it is dropped, or left for later.
 * A decision on data; nothing happens here.
 *
 * @since 0.1.0
 */
import type { Event } from "../../core/Event.js"
import * as Messages from "../../core/Message.js"
import * as PendingLimits from "../../core/PendingLimits.js"
import type { RunState } from "../../core/RunState.js"
import * as RunStates from "../../core/RunState.js"
import type { WorkflowHost } from "../../dsl/Workflow.js"
import type { TurnOutput } from "../interpreter/Interpreter.js"
import { BodyDefect } from "../interpreter/TurnFailure.js"
import * as Assignment from "./Assignment.js"
import type { Item, Letter } from "./Item.js"
import { mustWait } from "./UpdateCalls.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface Intake {
  readonly events: ReadonlyArray<Event>
  /** The letters that the events came from. */
  readonly taken: ReadonlyArray<Letter>
  readonly dropped: ReadonlyArray<readonly [Letter, reason: string]>
  /** Updates that are known to the run only once this turn is over. */
  readonly later: ReadonlyArray<Letter>
}

/**
 * Judges the letters in order. Where many are taken in at once, each meets what those before it made of the run.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (letters: ReadonlyArray<Letter>, state: RunState, host: WorkflowHost): Intake => {
  const judge = letters.length === 1 ? state : state.turn === 0 ? RunStates.empty(state.runId) : { ...state }
  const events: Array<Event> = []
  const taken: Array<Letter> = []
  const dropped: Array<readonly [Letter, string]> = []
  const later: Array<Letter> = []
  for (const letter of letters) {
    const { message } = letter
    if (message._tag === "Update" && mustWait(message, events)) {
      later.push(letter)
      continue
    }
    const event = Messages.accept(judge, message)
    if (typeof event === "string") {
      dropped.push([letter, event])
      continue
    }
    // Past the first turn all but the last are signals and cancel requests, which change no map that is shared.
    if (judge !== state && letter !== letters.at(-1)) {
      RunStates.evolve(judge, { turn: 1, at: 0, events: [event], bytes: 0 })
    }
    taken.push(letter)
    events.push(event)
  }
  return { events: Assignment.noted(events, state, host), taken, dropped, later }
}

/**
 * What is recorded of the events that a turn took in: not the updates that it rejected, and of signals that they could
 * not be read.
 *
 * @category combinators
 * @since 0.1.0
 */
export const recorded = (
  events: ReadonlyArray<Event>,
  { dropped, rejected }: Pick<TurnOutput, "dropped" | "rejected">
): ReadonlyArray<Event> => {
  if (rejected.size === 0 && dropped.size === 0) return events
  return events
    .filter((event) => event._tag !== "UpdateAccepted" || !rejected.has(event.id))
    .map((event) => event._tag === "SignalReceived" && dropped.has(event) ? { ...event, dropped: true } : event)
}

/**
 * Takes further cancel requests out of the inbox of a run that ends: they change nothing, and must not undo the end that
 * the first one brought about (row C1).
 *
 * @category combinators
 * @since 0.1.0
 */
export const takeMoot = (
  inbox: Array<Item>,
  state: { readonly cancelRequested: string | undefined },
  events: ReadonlyArray<Event>
): ReadonlyArray<Letter> => {
  if (inbox.length === 0) return []
  if (state.cancelRequested === undefined && !events.some((event) => event._tag === "CancelRequested")) return []
  const moot: Array<Letter> = []
  const rest: Array<Item> = []
  for (const item of inbox) {
    if (item._tag === "Letter" && item.message._tag === "Cancel") moot.push(item)
    else rest.push(item)
  }
  if (moot.length > 0) inbox.splice(0, inbox.length, ...rest)
  return moot
}

/** What comes of a turn in which no code took part. @since 0.1.0 */
export const noOutput: TurnOutput = { commands: [], rejected: new Map(), unfinished: [], dropped: new Set(), logs: [] }

/** Throws where the turn would leave more pending than a run may have (row X17). @since 0.1.0 */
export const assertBounded = (
  workflow: string,
  state: RunState,
  events: ReadonlyArray<Event>,
  { commands }: Pick<TurnOutput, "commands">
): void => {
  const reason = PendingLimits.exceeded(state, events, commands)
  if (reason !== undefined) throw new BodyDefect({ in: `workflow ${workflow}`, reason })
}
