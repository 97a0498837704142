/**
 * What may be wrong with a trial, whatever the workflow is about. Findings are data; a sound trial has none.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { isImposed } from "../../core/family/Execution.js"
import * as Replay from "../../core/Replay.js"
import type { Attention } from "../../dsl/Client.js"
import type * as Workflow from "../../dsl/Workflow.js"
import type { Mail, Run, Store } from "../../persistence/Store.js"
import { Store as StoreTag } from "../../persistence/Store.js"
import * as Liveness from "../../runtime/Liveness.js"
import * as Audit from "./Audit.js"
import * as Kin from "./Kin.js"
import type { Message } from "./Plan.js"
import type { Recorded } from "./Runs.js"
import * as Runs from "./Runs.js"
import type { Sent, Stage } from "./Stage.js"

/**
 * - Outcome: a crash changed what the run came to, and no order of arrival without one explains it.
 * - World: a crash changed what the outside saw, and no order of arrival without one explains it.
 * - Holds: what the test says of every trial did not hold.
 * - Compensation: the run did not complete, and something that was done was not undone.
 * - Waiting: everything was sent and answered, no timer is set, and the run is still open.
 * - Endless: the run, or its chain, does not come to an end.
 * - TurnFailed: the body cannot go on: it threw, or it does not do what was recorded.
 * - Nondeterminism: replayed at its end, the body does not do what was recorded.
 * - Deployment: a run that began on the code of `before` does not go on with the code of today.
 *
 * The rest would be faults of perdure itself, and are looked for all the same:
 *
 * - Early: an attempt began before its command was committed (I2).
 * - Again: an attempt began after its outcome was committed (I9).
 * - Lost: a message was acknowledged, and is not there (I2).
 * - Twice: a message is there more often than it was sent.
 * - Kin: two runs differ about what became of them: parent and child, one run of a chain and the next (I3).
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
  | "Deployment"
  | "Early"
  | "Again"
  | "Lost"
  | "Twice"
  | "Kin"
  | "Liveness"
  | "History"

/** @category models @since 0.1.0 */
export interface Finding {
  readonly kind: Kind
  readonly detail: string
}

/** The histories by themselves, and beside what they were before. @since 0.1.0 */
export const ofHistories = (
  before: ReadonlyArray<Recorded>,
  after: ReadonlyArray<Recorded>
): ReadonlyArray<Finding> => {
  const earlier = new Map(before.map(({ run, turns }) => [run.runId, turns]))
  return after.flatMap(({ run, turns }) =>
    [...Audit.history(turns), ...Audit.append(earlier.get(run.runId) ?? [], turns)].map((detail): Finding => ({
      kind: "History",
      detail: after.length === 1 ? detail : `run ${run.runId}: ${detail}`
    }))
  )
}

/** What a life left in the store, beside what the outside knows. @since 0.1.0 */
export const ofStore = (
  store: Store["Type"],
  stage: Stage,
  sent: ReadonlyArray<Sent>,
  workflow: Workflow.Any,
  runs: Runs.Runs
) =>
  Effect.gen(function*() {
    const all = Runs.all(runs)
    const found: Array<Finding> = []
    for (const { detail, fault } of yield* Effect.provideService(Liveness.check, StoreTag, store)) {
      // A body that waits for a message which the plan does not send is judged at the end.
      if (fault !== "NoWakeUp") found.push({ kind: "Liveness", detail: `${fault}: ${detail}` })
    }
    const scheduled = new Set(all.flatMap(({ run, turns }) => [...Audit.outcomes(run.runId, turns).scheduled]))
    for (const { activity, activityId, key } of stage.attempts) {
      if (!scheduled.has(key)) found.push({ kind: "Early", detail: `${activity} #${activityId}` })
    }
    for (const key of stage.reruns) found.push({ kind: "Again", detail: key })
    const mail = yield* mailOf(store, all)
    const cancelWaits = (runId: string) => mail.get(runId)?.some(({ kind }) => kind === "Cancel") === true
    for (const detail of Kin.faults(all, cancelWaits)) found.push({ kind: "Kin", detail })
    found.push(...ofMessages(all, mail, sent, workflow))
    return found
  })

/** How often each message to a workflow id is in its histories or their mailboxes. @since 0.1.0 */
export const received = (runs: ReadonlyArray<Recorded>, mail: Mailboxes): Map<string, number> => {
  const counts = new Map<string, number>()
  const add = (key: string) => void counts.set(key, (counts.get(key) ?? 0) + 1)
  for (const { run, turns } of runs) {
    for (const { events } of turns) {
      for (const event of events) {
        if (event._tag === "SignalReceived") add(signalKey(event.name, event.input))
        else if (event._tag === "UpdateAccepted") add(`update ${event.id}`)
        else if (event._tag === "CancelRequested") add("cancel")
      }
    }
    for (const { body, kind } of mail.get(run.runId) ?? []) {
      const message = JSON.parse(body) as { readonly id: string; readonly name: string; readonly input: unknown }
      if (kind === "Signal") add(signalKey(message.name, message.input))
      else if (kind === "Update") add(`update ${message.id}`)
      else if (kind === "Cancel") add("cancel")
    }
  }
  if (!counts.has("cancel") && isCanceled(runs)) add("cancel")
  return counts
}

/** Whether a cancel request has reached one of them, if only to end it before it began (row K6). @since 0.1.0 */
export const isCanceled = (runs: ReadonlyArray<Recorded>): boolean =>
  runs.some(({ turns }) =>
    turns.some(({ events }) => events.some(({ _tag }) => _tag === "CancelRequested" || _tag === "ExecutionCanceled"))
  )

/** What waits for each open run. @since 0.1.0 */
export type Mailboxes = ReadonlyMap<string, ReadonlyArray<Mail>>

/** @since 0.1.0 */
export const mailOf = (store: Store["Type"], runs: ReadonlyArray<Recorded>) =>
  Effect.gen(function*() {
    const boxes = new Map<string, ReadonlyArray<Mail>>()
    for (const { run } of runs) {
      if (run.status === "Running") boxes.set(run.runId, yield* store.mail(run.runId, 0))
    }
    return boxes as Mailboxes
  })

/**
 * What was said to be delivered is there, and nothing is there more often than it was sent: by clients and by other runs.
 *
 * @since 0.1.0
 */
export const ofMessages = (
  runs: ReadonlyArray<Recorded>,
  mail: Mailboxes,
  sent: ReadonlyArray<Sent>,
  workflow: Workflow.Any
): ReadonlyArray<Finding> => {
  const found: Array<Finding> = []
  const tallies = new Map<string, Map<string, Tally>>()
  const tally = (workflowId: string, key: string, words: string): Tally => {
    let of = tallies.get(workflowId)
    if (of === undefined) tallies.set(workflowId, of = new Map())
    let entry = of.get(key)
    if (entry === undefined) of.set(key, entry = { words, least: 0, most: 0 })
    return entry
  }
  const { workflowId } = runs[0]!.run
  sent.forEach(({ message, state }, index) => {
    if (state === "unsent" || message._tag === "Query") return
    const entry = tally(workflowId, keyOf(message, index, workflow), describe(message))
    entry.most++
    // A second cancel request changes nothing.
    if (state === "acknowledged") entry.least = message._tag === "Cancel" ? 1 : entry.least + 1
  })
  for (const { turns } of runs) {
    const requested = new Map<number, Tally>()
    for (const { events } of turns) {
      for (const event of events) {
        if (event._tag === "SignalExternalRequested") {
          const entry = tally(event.workflowId, signalKey(event.name, event.input), `signal ${event.name}`)
          entry.most++
          requested.set(event.seq, entry)
        } else if (event._tag === "ExternalSignaled") requested.get(event.seq)!.least++
      }
    }
  }
  for (const [workflowId, entries] of tallies) {
    const receivers = runs.filter(({ run }) => run.workflowId === workflowId)
    const there = received(receivers, mail)
    // One that is ended from outside takes in nothing any more, and what waited for it goes with it.
    const isCut = receivers.some(({ turns }) => isImposed(turns.at(-1)?.events ?? []))
    for (const [key, { least, most, words }] of entries) {
      const count = there.get(key) ?? 0
      const to = runs.length === 1 || workflowId === runs[0]!.run.workflowId ? "" : ` to ${workflowId}`
      if (count < least && !isCut) found.push({ kind: "Lost", detail: `${words}${to}` })
      if (count > most && key !== "cancel") {
        found.push({ kind: "Twice", detail: `${words}${to}, sent ${times(most)} and there ${times(count)}` })
      }
    }
  }
  return found
}

/** How often a message is there at least, and at most. */
interface Tally {
  readonly words: string
  least: number
  most: number
}

/** @since 0.1.0 */
export const times = (count: number): string => count === 0 ? "never" : count === 1 ? "once" : `${count} times`

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
export const turnFailed = ({ attention }: Run, deploys: boolean): Finding | undefined => {
  const parsed = attention === undefined ? undefined : JSON.parse(attention) as Attention
  return parsed?._tag === "TurnFailed"
    ? { kind: "TurnFailed", detail: inCheck(`${parsed.error}: ${parsed.message}`, deploys) }
    : undefined
}

/** Within a trial nobody changes the code, unless it deploys: a divergence is the body's own. @since 0.1.0 */
export const inCheck = (message: string, deploys: boolean): string =>
  deploys ? message : message.replace(Replay.remedies.changed, Replay.remedies.unstable)

/** @since 0.1.0 */
export const endless = (after: string, option: string): Finding => ({
  kind: "Endless",
  detail: `after ${after} it is still open; \`${option}\` allows for more, \`mayWait\` lets it go on for ever`
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
