/**
 * Updates that an execution answers without a turn: known ones, early ones, rejected ones.
 *
 * ```
 *   Update ──▶ known: its outcome, or wait for it      (row U4)
 *          ├─▶ beyond the limits: refused              (row U12)
 *          ├─▶ no handlers yet: wait for them          (row U6)
 *          ├─▶ refused by its validator: no event      (row U2)
 *          └─▶ else: a turn takes it in
 * ```
 *
 * @since 0.1.0
 */
import type { Event } from "../../core/Event.js"
import type { Failure } from "../../core/Failure.js"
import type { Update } from "../../core/family/Update.js"
import { Limits } from "../../core/Limits.js"
import * as Messages from "../../core/Message.js"
import type { RunState } from "../../core/RunState.js"
import type { Letter, UpdateAnswer } from "./Item.js"

/**
 * What it asks of its execution.
 *
 * @category models
 * @since 0.1.0
 */
export interface Desk {
  readonly state: RunState
  /** Whether the body has set its handler up, or has said that it has none. */
  readonly canAnswer: (update: Update) => boolean
  readonly validate: (update: Update) => Failure | undefined
  readonly settle: (letter: Letter, update: Update, answer: UpdateAnswer) => void
}

/** @since 0.1.0 */
export class UpdateCalls {
  /** Came before the body set up its handlers. */
  private early: Array<Letter> = []

  constructor(private readonly desk: Desk) {}

  get waiting(): number {
    return this.early.length
  }

  /** False: a turn has to take it in. */
  answers(letter: Letter, update: Update): boolean {
    const { desk } = this
    const known = desk.state.updates.get(update.id)
    if (known !== undefined) {
      // A caller in another process that hears no more than this reads the outcome in the history.
      desk.settle(letter, update, known.outcome ?? { _tag: "Accepted" })
      return true
    }
    if (desk.state.turn === 0) return false
    const accepted = Messages.accept(desk.state, update)
    if (typeof accepted === "string") {
      desk.settle(letter, update, { _tag: "Rejected", failure: refusedFor(accepted) })
      return true
    }
    if (!desk.canAnswer(update)) {
      this.early.push(letter)
      return true
    }
    const failure = desk.validate(update)
    if (failure === undefined) return false
    desk.settle(letter, update, { _tag: "Rejected", failure })
    return true
  }

  /** After a turn: gives back those that handlers are there for now. */
  afterTurn(): ReadonlyArray<Letter> {
    if (this.early.length === 0) return none
    const early = this.takeEarly()
    const now: Array<Letter> = []
    for (const letter of early) {
      ;(letter.message._tag === "Update" && this.desk.canAnswer(letter.message) ? now : this.early).push(letter)
    }
    return now
  }

  takeEarly(): ReadonlyArray<Letter> {
    const { early } = this
    this.early = []
    return early
  }
}

/**
 * Whether an update must wait until the turn that gathers these is over: it is one of them, or there are too many for one
 * turn. What it is then, known or beyond the limits, is found as for any other.
 *
 * @since 0.1.0
 */
export const mustWait = (update: Update, gathered: ReadonlyArray<Event>): boolean => {
  let updates = 0
  for (const event of gathered) {
    if (event._tag !== "UpdateAccepted") continue
    if (event.id === update.id || ++updates >= Limits.updatesInFlightMax) return true
  }
  return false
}

const none: ReadonlyArray<Letter> = []

const refusedFor = (reason: string): Failure => ({ _tag: "Application", type: "UpdateRejected", message: reason })
