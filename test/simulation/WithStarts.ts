/**
 * Messages that start their runs, in the simulation: several callers at once send to one workflow id, each again and
 * again until it is answered, and none of them knows whether there is a run. What must hold of it (S10, U13): no start
 * without its message, which stands in front of the program; each message once in a run; one answer for each update.
 *
 * ```
 *   lasting   ends when it is told to, once all is acknowledged: there is one run, and all messages are in its chain
 *   brief     ends with its second or third message: the next one starts another run
 * ```
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { State, Workflow } from "perdure"
import type { Event } from "../../src/core/Event.js"
import { plain, Work } from "../proofs/Generated.js"
import type * as Kin from "../proofs/Kin.js"
import type { Dice } from "./Dice.js"

const Message = Schema.Struct({ id: Schema.String, works: Schema.Boolean })
type Message = typeof Message.Type

const Payload = Schema.Struct({
  /** The call that started it. */
  by: Schema.String,
  /** So many messages make an end of it; undefined: only "finish" does. */
  needs: Schema.UndefinedOr(Schema.Number),
  /** Whether it goes on in a new run once it has a message. */
  anew: Schema.Boolean,
  seen: Schema.Array(Schema.String)
})

export const Gathering = Workflow.make("Gathering", {
  payload: Payload,
  success: Schema.Number,
  signals: { note: { payload: Message }, finish: {} },
  updates: { put: { payload: Message, success: Schema.String } }
})

export const GatheringLive = Gathering.toLayer((payload) =>
  Effect.gen(function*() {
    const { runId } = yield* Workflow.info
    const seen = yield* State.make<ReadonlyArray<string>>(payload.seen)
    let finished = false
    const take = ({ id, works }: Message) =>
      Effect.zipRight(
        works ? Effect.ignore(Work.execute(plain(id))) : Effect.void,
        seen.updateAndGet((all) => [...all, id])
      )
    return Gathering.of({
      signals: {
        note: (message) => Effect.asVoid(take(message)),
        finish: () => Effect.sync(() => void (finished = true))
      },
      // Names the run, and what it had seen: no other taking in gives the same.
      updates: { put: (message) => Effect.map(take(message), (all) => `${all.join(" ")} in ${runId}`) },
      run: Effect.gen(function*() {
        const { anew, needs = Infinity } = payload
        yield* Workflow.condition(Effect.map(seen.get, (all) => finished || all.length >= (anew ? 1 : needs)))
        yield* Workflow.condition(Workflow.allHandlersFinished as Effect.Effect<boolean>)
        const all = yield* seen.get
        if (anew && !finished) return yield* Workflow.continueAsNew(Gathering, { ...payload, anew: false, seen: all })
        return all.length
      })
    })
  })
) as unknown as Layer.Layer<never>

// -----------------------------------------------------------------------------
// what is asked
// -----------------------------------------------------------------------------

export interface CallPlan {
  readonly at: number
  /** Callers that send the same update have the same. */
  readonly message: Message
  readonly kind: "signal" | "update"
  /** Of a signal: whether its start has a request id, which leaves it to the store. */
  readonly requested: boolean
  /** Of an update. */
  readonly idConflict: "Fail" | "UseExisting"
}

export interface GatheringPlan {
  readonly workflowId: string
  readonly taskQueue: string
  readonly needs: number | undefined
  readonly anew: boolean
  readonly idReuse: "AllowDuplicate" | "RejectDuplicate"
  readonly calls: ReadonlyArray<CallPlan>
}

export const draw = (dice: Dice, queues: ReadonlyArray<string>, chaosMillis: number): ReadonlyArray<GatheringPlan> =>
  Array.from({ length: dice.between(1, 2) }, (_, index): GatheringPlan => {
    const needs = dice.of([undefined, undefined, 2, 3])
    const first = dice.between(0, chaosMillis)
    return {
      workflowId: `gathering ${index + 1}`,
      taskQueue: dice.of(queues),
      needs,
      anew: dice.chance(0.3),
      idReuse: needs !== undefined && dice.chance(0.2) ? "RejectDuplicate" : "AllowDuplicate",
      calls: Array.from({ length: dice.between(3, 8) }, (): CallPlan => {
        const kind = dice.of(["signal", "update"] as const)
        const number = dice.between(1, 5)
        return {
          // Most of them race.
          at: dice.chance(0.6) ? first + dice.between(0, 20) : dice.between(0, chaosMillis),
          message: { id: `${kind} ${number}`, works: number % 2 === 0 },
          kind,
          requested: number === 1,
          idConflict: number === 3 ? "Fail" : "UseExisting"
        }
      })
    }
  })

// -----------------------------------------------------------------------------
// what came of it
// -----------------------------------------------------------------------------

/** One try of a call. */
export interface Sent {
  readonly name: string
  readonly id: string
  readonly requested: boolean
  told:
    | { readonly _tag: "Nothing" }
    | { readonly _tag: "Taken"; readonly runId: string; readonly answer: string | undefined }
    /** A run stands in the way. */
    | { readonly _tag: "Refused"; readonly runId: string; readonly closed: boolean }
}

/** What the outside knows of one workflow id. */
export class GatheringAccount {
  readonly sends: Array<Sent> = []
  /** First runs of chains that were seen to end. */
  readonly ended: Array<string> = []

  send({ kind, message: { id }, requested }: CallPlan, index: number): Sent {
    const sent: Sent = {
      name: `call ${index}/${this.sends.length}`,
      id,
      requested: kind === "signal" && requested,
      told: { _tag: "Nothing" }
    }
    this.sends.push(sent)
    return sent
  }
}

/** When runs began and closed, by the order of commits. */
export interface Places {
  readonly begun: ReadonlyMap<string, number>
  readonly closings: ReadonlyMap<string, number>
}

/** Judges one workflow id; gives the number of its chains, too. */
export const judge = (
  { calls, idReuse, needs, workflowId }: GatheringPlan,
  { ended, sends }: GatheringAccount,
  everything: ReadonlyArray<Kin.Told>,
  { begun, closings }: Places
): { readonly found: ReadonlyArray<string>; readonly chains: number } => {
  const found: Array<string> = []
  const all = everything.filter(({ run }) => run.workflowId === workflowId)
  const heads = all.filter(({ run, turns }) => run.previousRunId === undefined && turns.length > 0)
  const lastOf = (firstRunId: string) => all.filter(({ run }) => run.firstRunId === firstRunId).at(-1)!.run.runId
  const starters = new Map<string, string>()
  for (const { run, turns } of heads) {
    const [started, message] = turns[0]!.events
    if (started?._tag !== "ExecutionStarted") {
      found.push(`run ${run.runId} begins with ${started?._tag}`)
      continue
    }
    const { by } = started.input as typeof Payload.Type
    const call = sends.find(({ name }) => name === by)
    if (call === undefined) found.push(`run ${run.runId} was started by nobody`)
    else if (message === undefined || idOf(message) !== call.id) {
      found.push(`run ${run.runId} began without the message of ${by}, ${call.id} (S10, U13)`)
    }
    const starter = call?.requested === true ? `the request ${call.id}` : by
    if (starters.has(starter)) found.push(`${starter} started ${starters.get(starter)} and ${run.runId}`)
    starters.set(starter, run.runId)
    for (const other of heads) {
      if (other.run.runId === run.runId) continue
      const isBefore = (closings.get(lastOf(run.runId)) ?? Infinity) <= (begun.get(other.run.runId) ?? -1)
      const isAfter = (closings.get(lastOf(other.run.runId)) ?? Infinity) <= (begun.get(run.runId) ?? -1)
      if (!isBefore && !isAfter) found.push(`runs ${run.runId} and ${other.run.runId} were open at once`)
    }
  }
  if (idReuse === "RejectDuplicate" && heads.length > 1) {
    found.push(`ran ${heads.length} times, and was to run once (X4)`)
  }
  if (ended.length === 0) found.push("nobody was told its end")
  // Nothing could end it before all calls were answered: whatever was started later, by a call that nobody waited for.
  if (needs === undefined && ended.length > 1) found.push(`ended ${ended.length} times: ${ended.join(", ")}`)

  const inRun = new Map(all.map(({ run, turns }) => {
    const events = turns.flatMap((turn) => turn.events)
    return [run.runId, { events, ids: events.flatMap((event) => idOf(event) ?? []) }] as const
  }))
  const inChain = (runId: string): ReadonlyArray<string> => {
    const firstRunId = all.find(({ run }) => run.runId === runId)?.run.firstRunId
    return all.filter(({ run }) => run.firstRunId === firstRunId).flatMap(({ run }) => inRun.get(run.runId)!.ids)
  }
  for (const id of new Set(calls.map(({ message }) => message.id))) {
    let total = 0
    for (const [runId, { ids }] of inRun) {
      const count = ids.filter((each) => each === id).length
      total += count
      if (count > 1) found.push(`${id} is there ${count} times in ${runId} (S10, U4)`)
    }
    const tries = sends.filter((sent) => sent.id === id).length
    if (total > tries) found.push(`${id} is there ${total} times, and was sent ${tries} times`)
  }
  for (const { id, name, told } of sends) {
    if (told._tag === "Taken") {
      if (!inChain(told.runId).includes(id)) found.push(`${name}: ${id} was acknowledged by ${told.runId}, and is lost`)
      if (needs === undefined && !inChain(ended[0] ?? "").includes(id)) {
        found.push(`${name}: ${id} was acknowledged, and is not in the one run`)
      }
      if (told.answer !== undefined && !isRecorded(told.answer, id, inRun)) {
        found.push(`${name}: ${id} was answered "${told.answer}", which no run recorded (U13)`)
      }
    } else if (told._tag === "Refused") {
      if (!told.closed && inRun.get(told.runId)?.ids.includes(id) === true && id.startsWith("update")) {
        found.push(`${name}: ${id} was refused for run ${told.runId}, which has it (U13)`)
      }
      const call = calls.find(({ message }) => message.id === id)!
      if (told.closed ? idReuse !== "RejectDuplicate" : call.kind === "signal" || call.idConflict !== "Fail") {
        found.push(`${name}: ${id} was refused for run ${told.runId}, and was not to be`)
      }
    }
  }
  return { found: found.map((words) => `${workflowId}: ${words}`), chains: heads.length }
}

/** The answer is that of the run that it names. */
const isRecorded = (
  answer: string,
  id: string,
  inRun: ReadonlyMap<string, { readonly events: ReadonlyArray<Event> }>
): boolean => {
  const runId = answer.slice(answer.lastIndexOf(" in ") + " in ".length)
  return inRun.get(runId)?.events.some((event) =>
    event._tag === "UpdateCompleted" && event.id === id && event.result === answer
  ) === true
}

const idOf = (event: Event): string | undefined =>
  event._tag === "SignalReceived" && event.name === "note"
    ? (event.input as Message).id
    : event._tag === "UpdateAccepted"
    ? event.id
    : undefined
