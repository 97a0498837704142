/**
 * The state of a run: a fold over its events. Composes the families' slices, and only dispatches.
 *
 * @since 0.1.0
 */
import type { Event, Turn } from "./Event.js"
import * as Events from "./Event.js"
import * as Activity from "./family/Activity.js"
import * as Child from "./family/Child.js"
import * as Execution from "./family/Execution.js"
import * as External from "./family/External.js"
import * as Notes from "./family/Notes.js"
import * as Patch from "./family/Patch.js"
import * as Signal from "./family/Signal.js"
import * as Step from "./family/Step.js"
import * as Timer from "./family/Timer.js"
import * as Update from "./family/Update.js"
import * as Version from "./family/Version.js"
import * as Succession from "./Succession.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface RunState
  extends
    Execution.Slice,
    Activity.Slice,
    Timer.Slice,
    Step.Slice,
    Child.Slice,
    External.Slice,
    Notes.Slice,
    Signal.Slice,
    Update.Slice,
    Version.Slice
{
  readonly runId: string
  /** The last turn taken in; 0 before the first. */
  turn: number
  /** Events so far. */
  events: number
  /** Characters of the turns' stored form so far, before codecs (row K11). */
  bytes: number
  /** The time of the last turn, in epoch milliseconds. */
  time: number
}

/**
 * The state of a run before its first turn.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty = (runId: string): RunState => ({
  runId,
  turn: 0,
  events: 0,
  bytes: 0,
  time: 0,
  ...Execution.empty(),
  ...Activity.empty(),
  ...Timer.empty(),
  ...Step.empty(),
  ...Notes.empty(),
  ...Child.empty(),
  ...External.empty(),
  ...Signal.empty(),
  ...Update.empty(),
  ...Version.empty()
})

const table = {
  ...Execution.evolve,
  ...Activity.evolve,
  ...Timer.evolve,
  ...Step.evolve,
  ...Child.evolve,
  ...External.evolve,
  ...Patch.evolve,
  ...Notes.evolve,
  ...Signal.evolve,
  ...Update.evolve,
  ...Version.evolve
}

type Evolve = (state: RunState, event: Event) => void

/**
 * Takes a turn into the state, which it owns and changes in place: a fold over tens of thousands of events copies
 * nothing.
 *
 * @category combinators
 * @since 0.1.0
 */
export const evolve = (state: RunState, turn: Turn): RunState => {
  state.turn = turn.turn
  state.time = turn.at
  state.bytes += turn.bytes ?? Events.encode(turn.events).length
  for (const event of turn.events) {
    ;(table[event._tag] as Evolve)(state, event)
    state.events++
  }
  return state
}

/**
 * The state after a whole history.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fold = (runId: string, history: Iterable<Turn>): RunState => {
  const state = empty(runId)
  for (const turn of history) evolve(state, turn)
  return state
}

/**
 * Stands for a wake-up that is due at once for whoever takes an unowned run over, and never for its owner.
 *
 * @category models
 * @since 0.1.0
 */
export const onTakeover = -1

/** What the clock brings. Never stored. @since 0.1.0 */
export type Due = Timer.TimerDue | Step.StepDue

/** The next message that the clock brings a run, and when. @since 0.1.0 */
export interface NextDue {
  readonly message: Due
  readonly dueAt: number
}

/**
 * What the clock brings next: the timer that is due first, or the next attempt of a step.
 *
 * @category combinators
 * @since 0.1.0
 */
export const nextDue = (state: RunState): NextDue | undefined => {
  const timer = Timer.next(state)
  const step = state.steps.size === 0 ? undefined : Step.next(state)
  if (step !== undefined && (timer === undefined || step.dueAt < timer.dueAt)) {
    return { message: { _tag: "StepDue", seq: step.seq }, dueAt: step.dueAt }
  }
  return timer === undefined ? undefined : { message: { _tag: "TimerDue", seq: timer.seq }, dueAt: timer.dueAt }
}

/**
 * When the clock must wake the run, in epoch milliseconds: its first timer, the next attempt of a step, or the end of
 * its time. While a step is performed only the process that performs it can get the run on: then it is due at once for
 * whoever takes it over (I5).
 *
 * @category combinators
 * @since 0.1.0
 */
export const wakeAt = (state: RunState): number | undefined =>
  state.closed !== undefined
    ? undefined
    : Step.isPerforming(state)
    ? onTakeover
    : earlier(earlier(Timer.next(state)?.dueAt, stepDueAt(state)), Succession.expiresAt(state.started))

const stepDueAt = (state: RunState): number | undefined => state.steps.size === 0 ? undefined : Step.next(state)?.dueAt

const earlier = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined ? other : other === undefined ? one : Math.min(one, other)

/**
 * How many steps are pending: activities, timers, inline steps, children and messages to other runs.
 *
 * @category combinators
 * @since 0.1.0
 */
export const pending = (state: RunState): number =>
  state.activities.size + state.timers.size + state.steps.size + state.children.size + state.externals.size
