/**
 * What may be wrong with a trial, whatever the workflow is about. Findings are data; a sound trial has none.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Turn } from "../../core/Event.js"
import * as Replay from "../../core/Replay.js"
import type { Attention } from "../../dsl/Client.js"
import type * as Workflow from "../../dsl/Workflow.js"
import type { Run, Store } from "../../persistence/Store.js"
import { Store as StoreTag } from "../../persistence/Store.js"
import * as Liveness from "../../runtime/Liveness.js"
import * as Audit from "./Audit.js"
import type { Message } from "./Plan.js"
import type { Sent, Stage } from "./Stage.js"

/**
 * - Outcome: a crash changed what the run came to, and no order of arrival without one explains it.
 * - World: a crash changed what the outside saw, and no order of arrival without one explains it.
 * - Holds: what the test says of every trial did not hold.
 * - Compensation: the run did not complete, and something that was done was not undone.
 * - Waiting: everything was sent and answered, no timer is set, and the run is still open.
 * - Endless: the run does not come to an end.
 * - TurnFailed: the body cannot go on: it threw, or it does not do what was recorded.
 * - Nondeterminism: replayed at its end, the body does not do what was recorded.
 *
 * The rest would be faults of perdure itself, and are looked for all the same:
 *
 * - Early: an attempt began before its command was committed (I2).
 * - Again: an attempt began after its outcome was committed (I9).
 * - Lost: a message was acknowledged, and is not there (I2).
 * - Liveness: nothing would wake the run (I5).
 * - History: the history is no history (I6).
 *
 * @category models
 * @since 0.1.0
 */
export type Kind =
  | "Outcome"
  | "World"
  | "Holds"
  | "Compensation"
  | "Waiting"
  | "Endless"
  | "TurnFailed"
  | "Nondeterminism"
  | "Early"
  | "Again"
  | "Lost"
  | "Liveness"
  | "History"

/** @category models @since 0.1.0 */
export interface Finding {
  readonly kind: Kind
  readonly detail: string
}

/** The history by itself, and beside what it was before. @since 0.1.0 */
export const ofHistory = (before: ReadonlyArray<Turn>, after: ReadonlyArray<Turn>): ReadonlyArray<Finding> =>
  [...Audit.history(after), ...Audit.append(before, after)].map((detail) => ({ kind: "History", detail }))

/** A run and its history. @since 0.1.0 */
export interface History {
  readonly runId: string
  readonly turns: ReadonlyArray<Turn>
}

/** What a life left in the store, beside what the outside knows. @since 0.1.0 */
export const ofStore = (
  store: Store["Type"],
  stage: Stage,
  sent: ReadonlyArray<Sent>,
  workflow: Workflow.Any,
  /** The one under test first. */
  runs: readonly [History, ...ReadonlyArray<History>]
) =>
  Effect.gen(function*() {
    const [{ runId, turns }] = runs
    const found: Array<Finding> = []
    for (const { detail, fault } of yield* Effect.provideService(Liveness.check, StoreTag, store)) {
      // A body that waits for a message which the plan does not send is judged at the end.
      if (fault !== "NoWakeUp") found.push({ kind: "Liveness", detail: `${fault}: ${detail}` })
    }
    const scheduled = new Set(runs.flatMap(({ runId, turns }) => [...Audit.outcomes(runId, turns).scheduled]))
    for (const { activity, activityId, key } of stage.attempts) {
      // Of the runs that follow in its chain nothing is judged.
      if (key.startsWith(`${runId}/`) && !scheduled.has(key)) {
        found.push({ kind: "Early", detail: `${activity} #${activityId}` })
      }
    }
    for (const key of stage.reruns) found.push({ kind: "Again", detail: key })
    const there = yield* received(store, turns, runId)
    sent.forEach(({ message, state }, index) => {
      if (state !== "acknowledged" || message._tag === "Query") return
      const key = keyOf(message, index, workflow)
      const count = there.get(key) ?? 0
      there.set(key, message._tag === "Cancel" ? count : count - 1)
      if (count <= 0) found.push({ kind: "Lost", detail: describe(message) })
    })
    return found
  })

/** How often each message is in the history or the mailbox. @since 0.1.0 */
export const received = (store: Store["Type"], turns: ReadonlyArray<Turn>, runId: string) =>
  Effect.map(store.mail(runId, 0), (mails) => {
    const counts = new Map<string, number>()
    const add = (key: string) => void counts.set(key, (counts.get(key) ?? 0) + 1)
    for (const { events } of turns) {
      for (const event of events) {
        if (event._tag === "SignalReceived") add(signalKey(event.name, event.input))
        else if (event._tag === "UpdateAccepted") add(`update ${event.id}`)
        else if (event._tag === "CancelRequested") add("cancel")
      }
    }
    for (const mail of mails) {
      const body = JSON.parse(mail.body) as { readonly id: string; readonly name: string; readonly input: unknown }
      if (mail.kind === "Signal") add(signalKey(body.name, body.input))
      else if (mail.kind === "Update") add(`update ${body.id}`)
      else if (mail.kind === "Cancel") add("cancel")
    }
    return counts
  })

/** By what a message is found again. @since 0.1.0 */
export const keyOf = (message: Message, index: number, { codecs }: Workflow.Any): string => {
  switch (message._tag) {
    case "Signal":
      return signalKey(
        message.name,
        Either.getOrUndefined(codecs.signals.get(message.name)!.payload.encode(message.payload))
      )
    case "Update":
      return `update ${updateId(index)}`
    case "Query":
      return "query"
    case "Cancel":
      return "cancel"
  }
}

/** By the place of the message in the plan. @since 0.1.0 */
export const updateId = (index: number): string => String(index + 1)

/** Why the run's turns fail, if they do. @since 0.1.0 */
export const turnFailed = ({ attention }: Run): Finding | undefined => {
  const parsed = attention === undefined ? undefined : JSON.parse(attention) as Attention
  return parsed?._tag === "TurnFailed"
    ? { kind: "TurnFailed", detail: unstable(`${parsed.error}: ${parsed.message}`) }
    : undefined
}

/** Within a check nobody changes the code: a divergence is the body's own. @since 0.1.0 */
export const unstable = (message: string): string => message.replace(Replay.remedies.changed, Replay.remedies.unstable)

/** @since 0.1.0 */
export const endless = (steps: number): Finding => ({
  kind: "Endless",
  detail: `after ${steps} steps (answers, messages, wake-ups) it is still open; \`stepsMax\` allows for more`
})

/** A message in a few words. @since 0.1.0 */
export const describe = (message: Message): string =>
  message._tag === "Cancel"
    ? "cancel"
    : `${message._tag.toLowerCase()} ${message.name}${
      message.payload === undefined ? "" : ` ${JSON.stringify(message.payload)}`
    }`.slice(0, charsMax)

const charsMax = 200

const signalKey = (name: string, input: unknown): string => `signal ${name} ${JSON.stringify(input)}`
