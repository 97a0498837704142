/**
 * When the clock wakes an execution: as the store has it, and as this worker has it in memory.
 *
 * The store's time may be early, never late: a timer that is canceled leaves it as it is, so that the usual timeout
 * around a step costs no write. When it has passed, it is written again.
 *
 * @since 0.1.0
 */
import * as Messages from "../../core/Message.js"
import type { Due, RunState } from "../../core/RunState.js"
import * as RunStates from "../../core/RunState.js"
import * as Succession from "../../core/Succession.js"
import type { TurnCommit } from "../../persistence/Store.js"
import type { Timer } from "../Timers.js"
import type { Letter } from "./Item.js"

interface Clockwork {
  readonly schedule: (at: number, fire: () => void) => Timer
  readonly unschedule: (timer: Timer | undefined) => void
}

/** @since 0.1.0 */
export class WakeUp {
  private timer: Timer | undefined

  constructor(
    private readonly clockwork: Clockwork,
    private stored: number | undefined,
    private readonly fire: (due: Due) => void,
    private readonly expire: () => void
  ) {}

  /** What a turn at the given time must write: undefined where the store's time still serves. */
  after(state: RunState, now: number): TurnCommit["wake"] {
    // A close clears it by itself.
    if (state.closed !== undefined) return undefined
    const { stored } = this
    const at = RunStates.wakeAt(state)
    const passed = stored !== undefined && stored <= now
    const needed = at === undefined ? passed : stored === undefined || at < stored || passed && at !== stored
    return needed ? this.store(at) : undefined
  }

  /** What must be written for the store to have the exact time. */
  refresh(state: RunState): TurnCommit["wake"] {
    const at = RunStates.wakeAt(state)
    return at === this.stored ? undefined : this.store(at)
  }

  /** What is due already. */
  due(state: RunState, now: number): Due | undefined {
    const next = state.closed === undefined ? RunStates.nextDue(state) : undefined
    return next !== undefined && next.dueAt <= now ? next.message : undefined
  }

  /** Waits in memory for what is due next, or for the end of the run's time if that is not later. */
  arm(state: RunState): void {
    this.disarm()
    if (state.closed !== undefined) return
    const next = RunStates.nextDue(state)
    const expiresAt = Succession.expiresAt(state.started)
    if (expiresAt !== undefined && (next === undefined || expiresAt <= next.dueAt)) {
      this.timer = this.clockwork.schedule(expiresAt, () => this.expire())
    } else if (next !== undefined) this.timer = this.clockwork.schedule(next.dueAt, () => this.fire(next.message))
  }

  disarm(): void {
    this.clockwork.unschedule(this.timer)
    this.timer = undefined
  }

  private store(at: number | undefined): TurnCommit["wake"] {
    this.stored = at
    return { at }
  }
}

/**
 * When a turn takes its letters in: not before what is due in it. It may have waited behind a commit while the clock was
 * set back.
 *
 * @since 0.1.0
 */
export const notBeforeDue = (state: RunState, letters: ReadonlyArray<Letter>, now: number): number => {
  let at = now
  for (const { message } of letters) {
    if (!Messages.isDue(message)) continue
    const next = RunStates.nextDue(state)
    if (next?.message._tag === message._tag && next.message.seq === message.seq) at = Math.max(at, next.dueAt)
  }
  return at
}
