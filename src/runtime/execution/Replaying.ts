/**
 * Replaying recorded turns on a body, and finding where it no longer does what it did.
 *
 * @since 0.1.0
 */
import type { Command } from "../../core/Command.js"
import type { Turn } from "../../core/Event.js"
import { isImposed } from "../../core/family/Execution.js"
import * as Replay from "../../core/Replay.js"
import type { RunState } from "../../core/RunState.js"
import * as RunStates from "../../core/RunState.js"
import * as Place from "../../dsl/Place.js"
import type { Run } from "../../persistence/Store.js"
import * as Flags from "../interpreter/Flags.js"
import type { Interpreter } from "../interpreter/Interpreter.js"
import { places } from "../interpreter/Steps.js"
import { authorPlace } from "../interpreter/TurnFailure.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface Subject {
  readonly run: Pick<Run, "runId" | "workflow">
  /** As of the turn before; changed in place. */
  readonly state: RunState
  readonly interpreter: Interpreter
  /** Whether a call's changed input is a difference too, also where the run's options do not say so. */
  readonly strict: boolean
}

/**
 * Takes recorded turns in. Throws `NondeterminismError` at the first difference, and what a turn itself throws.
 *
 * @category combinators
 * @since 0.1.0
 */
export const replay = (history: ReadonlyArray<Turn>, subject: Subject): void => {
  const { interpreter, run, state, strict } = subject
  for (const turn of history) {
    // It was ended from outside, or its time was over: no code of the run took part in it.
    if (!isImposed(turn.events)) {
      const { commands } = interpreter.turn({
        at: turn.at,
        events: turn.events.filter(Replay.isMessageEvent),
        replaying: true,
        recorded: turn.events,
        past: state
      })
      const mismatch = Replay.match(turn.events, commands) ??
        (strict || interpreter.options.strictReplay === true
          ? Replay.inputDifferences(turn.events, commands)[0]
          : undefined)
      if (mismatch !== undefined) {
        throw new Replay.NondeterminismError({
          workflow: run.workflow,
          runId: run.runId,
          turn: turn.turn,
          event: state.events + mismatch.index + 1,
          recorded: mismatch.recorded,
          attempted: mismatch.attempted,
          ...placeOf(mismatch.command),
          ...otherEffect(state.started?.effect ?? startedIn(turn)?.effect)
        })
      }
    }
    RunStates.evolve(state, turn)
  }
}

/** Runs a replay with the author's lines taken, for the error of a divergence. @since 0.1.0 */
export const traced = <A>(run: () => A): A => Place.trace(run)

const startedIn = (turn: Turn) => turn.events.find((event) => event._tag === "ExecutionStarted")

const otherEffect = (started: string | undefined): { readonly otherEffect?: string } => {
  const other = Flags.otherEffect(started)
  return other === undefined ? {} : { otherEffect: other }
}

const placeOf = (command: Command | undefined): { readonly place?: string } => {
  const place = command === undefined ? undefined : authorPlace(places.get(command))
  return place === undefined ? {} : { place }
}
