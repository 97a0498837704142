/**
 * What must hold of a world that has healed and come to rest, whatever happened before. It knows the programs (by
 * `Expected`, which has no engine), the ledger, and the store.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import { Liveness } from "perdure"
import { Store } from "perdure/sqlite"
import type { Turn } from "../../src/core/Event.js"
import * as Activities from "../../src/core/family/Activity.js"
import * as Histories from "../../src/runtime/Histories.js"
import * as Audit from "../../src/testing/durable/Audit.js"
import * as Expected from "../proofs/Expected.js"
import { newWay, oldWay } from "../proofs/Generated.js"
import * as Kin from "../proofs/Kin.js"
import * as Playing from "../proofs/Playing.js"
import type { Version } from "../proofs/Program.js"
import * as Counters from "./Counters.js"
import type { Account, Ledger } from "./Ledger.js"
import type { ExecutionPlan, Plan } from "./Plan.js"
import type { Session } from "./Process.js"
import * as Resets from "./Resets.js"
import * as Schedules from "./Schedules.js"
import * as WithStarts from "./WithStarts.js"

/** Judges all of it, into the ledger. */
export const judge = (
  { code, counters, executions: plans, gatherings, schedules }: Plan,
  ledger: Ledger,
  store: Store["Type"],
  sql: SqlClient.SqlClient
): Effect.Effect<void, unknown> =>
  Effect.gen(function*() {
    const all = yield* Kin.everything(store)
    const closings = (runId: string) => ledger.closings.get(runId)
    for (const plan of plans) {
      const account = ledger.accountOf(plan.workflowId)
      if (account.runId === undefined) {
        ledger.find(`${plan.workflowId} was never started`)
        continue
      }
      const chain = all.filter(({ run }) => run.firstRunId === account.runId)
      const turns = Resets.standing(chain, account).flatMap((told) => told.turns)
      const found = [
        ...outcomes(plan, account),
        ...messages(plan, account, turns),
        ...(plan.resets.length === 0 ? [] : Resets.judge(chain, account))
      ]
      for (const words of found) ledger.find(`${plan.workflowId}: ${words}`)
    }
    for (const plan of counters) {
      const { found, rollovers } = Counters.judge(plan, ledger.counterOf(plan.key), all)
      for (const words of found) ledger.find(words)
      if (rollovers > 0) ledger.count("rollover")
    }
    for (const plan of gatherings) {
      const { chains, found } = WithStarts.judge(plan, ledger.gatheringOf(plan.workflowId), all, ledger)
      for (const words of found) ledger.find(words)
      if (chains > 1) ledger.count("another start")
    }
    for (const plan of schedules) {
      const { actions, found } = Schedules.judge(plan, ledger.scheduleOf(plan.scheduleId), all, closings)
      for (const words of found) ledger.find(words)
      if (actions > 0) ledger.count("scheduled")
    }
    for (const [runId, rows] of ledger.histories) {
      const turns = yield* Histories.read(store, runId)
      // Ended from outside before its first turn: its start was never taken in.
      const neverBegan = turns.length === 1 && turns[0]!.events[0]!._tag === "ExecutionTerminated"
      for (const words of neverBegan ? [] : Audit.history(turns)) ledger.find(`${runId}: ${words}`)
      const kept = yield* store.history(runId, 0, 100_000)
      if (JSON.stringify(kept.map(({ events }) => events)) !== JSON.stringify(rows.map(({ events }) => events))) {
        ledger.find(`the history of ${runId} is not what was committed (I6)`)
      }
    }
    for (const fault of yield* Effect.provideService(Liveness.check, Store, store)) ledger.find(`${fault.message} (I5)`)
    for (const run of yield* store.runs({ status: "Running", limit: runsMax })) {
      ledger.find(`${run.workflowId}, run ${run.runId}, did not end`)
    }
    for (const words of Kin.findings(unreset(all, plans), closings)) ledger.find(words)
    for (const { run, turns } of all) {
      const { deployed } = ledger
      const isAfter = deployed !== undefined && (ledger.begun.get(run.runId) ?? 0) > deployed
      const later = deployed === undefined || isAfter ? undefined : code.next
      for (const words of ways(isAfter ? code.next : code.first, later, turns)) ledger.find(`${run.runId}: ${words}`)
    }
    const runs = all.map(({ run }) => run)
    for (const plan of plans) {
      const count = runs.filter((run) => run.workflowId === plan.workflowId && run.previousRunId === undefined).length
      const { starts } = ledger.accountOf(plan.workflowId)
      const most = plan.scenario.unlucky === undefined && plan.resets.length === 0 ? starts : 1
      if (count > most) ledger.find(`${plan.workflowId} has ${count} chains, and was started ${starts} times`)
    }
    const mail = yield* sql<{ readonly kind: string; readonly body: string }>`SELECT kind, body FROM perdure_mailbox`
    for (const { body, kind } of mail) ledger.find(`a ${kind} is left in a mailbox: ${body}`)
    const tasks = yield* sql<Record<string, unknown>>`SELECT * FROM perdure_activity_tasks`
    for (const task of tasks) ledger.find(`a task is left: ${JSON.stringify(task)}`)
  })

const runsMax = 1_000

/** Without executions that are reset, which have no kin: `Resets` judges them. */
const unreset = (all: ReadonlyArray<Kin.Told>, plans: ReadonlyArray<ExecutionPlan>): ReadonlyArray<Kin.Told> => {
  const left = new Set(plans.flatMap(({ resets, workflowId }) => resets.length > 0 ? [workflowId] : []))
  return left.size === 0 ? all : all.filter(({ run }) => !left.has(run.workflowId))
}

/** As its program says, and the same for everybody. */
const outcomes = (plan: ExecutionPlan, account: Account): ReadonlyArray<string> => {
  const [first] = account.outcomes
  if (first === undefined) return ["nobody was told its end"]
  const expected = Expected.outcomeOf(plan.scenario)
  const terminated = account.terminated && first.failed && first.text === "Terminated"
  const found: Array<string> = []
  for (const outcome of account.outcomes) {
    if (!same(outcome, first)) found.push(`callers are told ${words(first)} and ${words(outcome)}`)
  }
  if (expected !== undefined && !terminated && !same(first, expected)) {
    found.push(`ended as ${words(first)}, and not as ${words(expected)}`)
  }
  return found
}

/** Each message as often as it may be there (I2), and answered as its handler does. */
const messages = (
  { resets, scenario }: ExecutionPlan,
  account: Account,
  turns: ReadonlyArray<Turn>
): ReadonlyArray<string> => {
  const found: Array<string> = []
  const signals = new Map<number, number>()
  const updates = new Set<string>()
  for (const event of turns.flatMap(({ events }) => events)) {
    if (event._tag === "SignalReceived" && event.name === "note") {
      const { send } = event.input as { readonly send: number }
      signals.set(send, (signals.get(send) ?? 0) + 1)
    } else if (event._tag === "UpdateAccepted") updates.add(event.id)
  }
  for (const { key, send, told } of account.sends) {
    const message = scenario.messages[key]!
    const name = `${message.kind} ${key}, sent as ${send}`
    const count = message.kind === "signal" ? signals.get(send) ?? 0 : updates.has(Playing.updateId(key)) ? 1 : 0
    const lost = told === "acknowledged" && count === 0 && message.ends !== "rejected" && !account.terminated
    if (lost) found.push(`${name}, was acknowledged, and is lost (I2)`)
    // Sent again to the next run of a chain, an update is not known there (U7): what is there may be an earlier send.
    const mayBeEarlier = message.kind === "update" && (scenario.unlucky !== undefined || resets.length > 0)
    if (told === "closed" && count > 0 && !mayBeEarlier) {
      found.push(`${name}, is there, and its sender was told that it came too late`)
    }
    if (count > 1) found.push(`${name}, is there ${count} times`)
    if (message.ends === "rejected" && count > 0) found.push(`${name}, was rejected, and is there`)
  }
  for (const [key, answers] of account.answers) {
    // Who waits for an update when its run is reset is told of the end of that run; the next one takes it in again.
    const cut = (answer: Expected.Outcome) => resets.length > 0 && answer.text.startsWith("UpdateFailed Accepted")
    const first = answers.find((answer) => !cut(answer))
    if (first === undefined) continue
    for (const answer of answers.filter((answer) => !cut(answer))) {
      if (!same(answer, first)) found.push(`update ${key} is answered ${words(first)} and ${words(answer)}`)
    }
    if (!Expected.outlivesMessages(scenario) || account.terminated) continue
    const expected = Expected.answerOf(scenario, key)
    if (!same(first, expected)) found.push(`update ${key} is answered ${words(first)}, and not ${words(expected)}`)
  }
  return found
}

/**
 * A run that began with code which asks for patches took the new way wherever it came, and says so as that does (V1, V2).
 * Code that came later and asks for none says nothing.
 */
const ways = (version: Version, later: Version | undefined, turns: ReadonlyArray<Turn>): ReadonlyArray<string> => {
  if (version === "before") return []
  const asks = version !== "removed" && later !== "removed"
  const events = turns.flatMap((turn) => turn.events)
  const isOld = events.some((event) => {
    return event._tag === "ActivityScheduled" && (event.input as { readonly label: string }).label.endsWith(oldWay)
  })
  const isNew = events.some((event) => {
    return event._tag === "ActivityScheduled" && (event.input as { readonly label: string }).label.endsWith(newWay)
  })
  const isMarked = events.some(({ _tag }) => _tag === "PatchMarked")
  return [
    ...(isOld ? [`began with code "${version}", and took the old way (V1)`] : []),
    ...(isNew && !isMarked && asks ? [`began with code "${version}", and has no marker (V1)`] : [])
  ]
}

/**
 * An attempt begins: its command is committed (I2), and the outcome of its activity is not (I9). One whose worker has
 * lost its lease, and does not know it yet, may overlap with those of its successors: at least once.
 */
export const attempt = (
  ledger: Ledger,
  store: Store["Type"],
  session: Session,
  info: { readonly runId: string; readonly activityId: string; readonly attempt: number }
): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { activityId, attempt, runId } = info
    const name = `${activityId} of ${runId}`
    ledger.began(name, attempt, session)
    const turns = yield* Histories.read(store, runId)
    const events = turns.flatMap(({ events }) => events)
    const scheduled = events.find((event) =>
      event._tag === "ActivityScheduled" && Activities.idOf(event) === activityId
    )
    if (scheduled === undefined) return ledger.find(`activity ${name} runs before its command is committed (I2)`)
    const { seq } = scheduled as Activities.ActivityScheduled
    const settled = events.some((event) =>
      (event._tag === "ActivityCompleted" || event._tag === "ActivityFailed" || event._tag === "ActivityCanceled") &&
      event.seq === seq
    )
    if (!settled) return
    const workers = new Set((yield* store.workers).map(({ id }) => id))
    const latest = session.workers.at(-1)
    if (latest !== undefined && workers.has(latest)) {
      ledger.find(
        `attempt ${attempt} of activity ${name} begins at ${session.name} after its outcome is committed (I9)`
      )
    }
  }).pipe(Effect.orDie)

const same = (a: Expected.Outcome, b: Expected.Outcome): boolean => a.failed === b.failed && a.text === b.text

const words = ({ failed, text }: Expected.Outcome): string => failed ? `failure "${text}"` : `"${text}"`
