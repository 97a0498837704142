/**
 * What is written of a turn that failed (I7): why, when it is tried again, and the messages that must not be lost.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { Limits } from "../../core/Limits.js"
import * as Messages from "../../core/Message.js"
import type { Attention } from "../../dsl/Client.js"
import type { NewMail, Refusal, TurnCommit } from "../../persistence/Store.js"
import { BodyDefect, keptTheThread, RunawayTurn } from "../interpreter/TurnFailure.js"
import type { Item, Letter, Settled } from "./Item.js"

/** @since 0.1.0 */
export type TurnFailed = Extract<Attention, { readonly _tag: "TurnFailed" }>

/** Of a run whose turn got on, and left nothing to wake it (I5). @since 0.1.0 */
export const noWakeUp: Attention = {
  _tag: "NoWakeUp",
  message: "the body waits for something that no timer, step or message will bring"
}

/**
 * The reason as `describe` shows it, with the time of the next try: doubling from 0.1 seconds to a minute. What kept the
 * thread is tried again after a minute at once: all others of the worker stand still meanwhile.
 *
 * @category constructors
 * @since 0.1.0
 */
export const attention = (error: unknown, before: Attention | undefined, now: number): TurnFailed => {
  const failures = (before?._tag === "TurnFailed" ? before.failures : 0) + 1
  const keptThread = error instanceof RunawayTurn && error.bound === keptTheThread
  const delay = keptThread
    ? Limits.turnRetryMillisMax
    : Math.min(Limits.turnRetryMillisMax, Limits.turnRetryMillis * 2 ** Math.min(failures - 1, 30))
  return {
    _tag: "TurnFailed",
    failures,
    error: nameOf(error),
    message: error instanceof Error ? error.message : String(error),
    retryAt: now + delay
  }
}

/** A fiber of a body ran on when no turn was on (I8). @since 0.1.0 */
export const wokenOutside = (workflow: string, place: string | undefined): BodyDefect =>
  new BodyDefect({
    in: `workflow ${workflow}`,
    reason: `something that no event records woke the body outside of a turn${
      place === undefined ? "" : `, where it waited at ${place}`
    }: a promise, a timer, or another body`
  })

/** The letters among the items; queries are told at once what is wrong (row Q3). @since 0.1.0 */
export const letters = (items: ReadonlyArray<Item>, failed: TurnFailed): ReadonlyArray<Letter> => {
  const found: Array<Letter> = []
  for (const item of items) {
    if (item._tag === "Letter") found.push(item)
    else item.answer(Either.left(`the run's turns fail: ${failed.message}`))
  }
  return found
}

/** What senders are told once the reason is written, or could not be. @since 0.1.0 */
export const settled = (refusal: Refusal | undefined): Settled => {
  if (refusal === undefined) return { _tag: "PutAway" }
  return refusal._tag === "AlreadyRunning"
    ? { _tag: "AlreadyRunning", runId: refusal.runId }
    : { _tag: "Moved" }
}

/**
 * The reason, the time of the next try, and the rows that keep the letters which are nowhere else: what came by the
 * mailbox is there still, and what is due by the clock is read off the history. The outcome of an activity takes its task's place: from then on it is in the mailbox,
 * and a restart does not run the activity again (I9).
 *
 * @category constructors
 * @since 0.1.0
 */
export const keep = (
  { expiresAt, runId }: { readonly runId: string; readonly expiresAt?: number | undefined },
  letters: ReadonlyArray<Letter>,
  attention: TurnFailed
): Pick<TurnCommit, "mail" | "tasksRemoved" | "wake" | "attention"> => {
  const mail: Array<NewMail> = []
  const tasksRemoved: Array<number> = []
  for (const { mailId, message } of letters) {
    if (mailId !== undefined || Messages.isDue(message)) continue
    mail.push({ runId, kind: message._tag, body: Messages.encode(message) })
    if (message._tag === "ActivityOutcome") tasksRemoved.push(message.outcome.seq)
  }
  return {
    mail,
    tasksRemoved,
    wake: { at: Math.min(attention.retryAt, expiresAt ?? Infinity) },
    attention: { text: JSON.stringify(attention) }
  }
}

const nameOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "_tag" in error && typeof error._tag === "string"
    ? error._tag
    : error instanceof Error
    ? error.name
    : "Defect"
