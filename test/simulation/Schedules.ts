/**
 * Schedules in the simulation: they start executions by the clock, while workers die at it, stand still at it, are cut
 * off, and have clocks that jump; operators pause, trigger, fill back and change them, again and again until they are
 * answered. What must hold of it (H1, H2, H7, H8, H10 to H14), by what the store took and what the times of an interval
 * are, and by nothing else of the engine:
 *
 * 1. Each nominal time is decided once, and acted on at most once; no trigger acts twice.
 * 2. But under `AllowAll`, no action begins before the one before it has ended.
 * 3. What is counted is what there is; what is described is how it once was.
 * 4. Once the world has healed, it keeps up with the time. 5. A deleted one starts nothing more.
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Schedule } from "perdure"
import { Workflow } from "perdure"
import type { NewSchedule, ScheduleWrite, ScheduleWritten } from "../../src/persistence/Store.js"
import { beginning } from "../../src/testing/VirtualTime.js"
import { plain, Work } from "../proofs/Generated.js"
import type * as Kin from "../proofs/Kin.js"
import type { Dice } from "./Dice.js"

export const Shift = Workflow.make("Shift", { payload: Schema.Struct({ takes: Schema.Number, works: Schema.Boolean }) })

export const ShiftLive = Shift.toLayer(({ takes, works }) =>
  Effect.gen(function*() {
    if (works) yield* Effect.ignore(Work.execute(plain("shift")))
    if (takes > 0) yield* Effect.sleep(takes)
  })
) as unknown as Layer.Layer<never>

// -----------------------------------------------------------------------------
// what is asked
// -----------------------------------------------------------------------------

export type CallPlan =
  & { readonly at: number }
  & (
    | { readonly kind: "pause" | "unpause" | "update" }
    | { readonly kind: "trigger"; readonly overlap: Schedule.Overlap | undefined }
    /** So many times back from the beginning. */
    | { readonly kind: "backfill"; readonly times: number }
  )

export interface SchedulePlan {
  readonly scheduleId: string
  readonly taskQueue: string
  readonly createAt: number
  readonly everyMillis: number
  readonly overlap: Schedule.Overlap
  readonly remaining: number | undefined
  readonly takes: number
  readonly works: boolean
  readonly calls: ReadonlyArray<CallPlan>
}

const overlaps = ["Skip", "BufferOne", "BufferAll", "CancelOther", "TerminateOther", "AllowAll"] as const

export const draw = (dice: Dice, queues: ReadonlyArray<string>, chaosMillis: number): ReadonlyArray<SchedulePlan> =>
  Array.from({ length: dice.between(1, 2) }, (_, index): SchedulePlan => ({
    scheduleId: `schedule ${index + 1}`,
    taskQueue: dice.of(queues),
    createAt: dice.between(0, Math.min(500, chaosMillis)),
    // An action that is triggered stands for a second that is none of these.
    everyMillis: dice.of([2_000, 3_000]),
    overlap: dice.of(overlaps),
    remaining: dice.chance(0.2) ? dice.between(1, 4) : undefined,
    takes: dice.of([0, 0, 500, 2_500, 5_000]),
    works: dice.chance(0.3),
    calls: Array.from({ length: dice.of([0, 1, 3, 5]) }, (): CallPlan => {
      const at = dice.between(0, chaosMillis)
      const kind = dice.of(["pause", "unpause", "update", "update", "trigger", "trigger", "backfill"] as const)
      const overlap = dice.chance(0.3) ? dice.of(overlaps) : undefined
      const times = dice.between(1, 3)
      return kind === "trigger" ? { at, kind, overlap } : kind === "backfill" ? { at, kind, times } : { at, kind }
    })
  }))

// -----------------------------------------------------------------------------
// what came of it
// -----------------------------------------------------------------------------

export interface Sent {
  readonly call: CallPlan
  acknowledged: boolean
}

/** What is stored of where a schedule stands, as far as it is judged. */
interface State {
  readonly paused: boolean
  readonly consideredUntil: number
  readonly createdAt: number
  readonly waiting: ReadonlyArray<unknown>
  readonly requests: ReadonlyArray<unknown>
  readonly counts: Schedule.Description["counts"]
}

/** An action, as the store took it. */
interface Begun {
  readonly runId: string
  readonly nominal: number
  /** In the order of commits. */
  readonly place: number
}

/** What the outside knows of one schedule, and what the store took of it. */
export class ScheduleAccount {
  readonly sends: Array<Sent> = []
  described: Schedule.Description | undefined
  /** All that it ever was, the latest last. */
  readonly states: Array<State> = []
  readonly begun: Array<Begun> = []
  /** When it was deleted, in milliseconds from the beginning. */
  deletedAt: number | undefined
  readonly findings: Array<string> = []

  created({ state }: NewSchedule): void {
    if (this.states.length > 0) this.findings.push("was created twice (H1)")
    this.states.push(JSON.parse(state) as State)
  }

  wrote({ scheduleId, starts, state }: ScheduleWrite, result: ScheduleWritten, place: number): void {
    if (result._tag !== "Written") return
    if (this.deletedAt !== undefined) this.findings.push("was written after it was deleted (H14)")
    this.states.push(JSON.parse(state) as State)
    for (const { run: { runId }, start } of starts) {
      const { scheduled } = JSON.parse(start.body) as {
        readonly scheduled: { readonly by: string; readonly at: number }
      }
      if (scheduled.by !== scheduleId) this.findings.push(`started ${runId} for ${scheduled.by}`)
      this.begun.push({ runId, nominal: scheduled.at, place })
    }
  }
}

/** Judges one schedule; gives the number of its actions, too. */
export const judge = (
  plan: SchedulePlan,
  { begun, deletedAt, described, findings, sends, states }: ScheduleAccount,
  everything: ReadonlyArray<Kin.Told>,
  closings: (runId: string) => number | undefined
): { readonly found: ReadonlyArray<string>; readonly actions: number } => {
  const { everyMillis, overlap, remaining, scheduleId } = plan
  const last = states.at(-1)
  if (last === undefined || described === undefined || deletedAt === undefined) {
    return { found: [`${scheduleId}: was not created, looked at and deleted`], actions: 0 }
  }
  const found = [...findings]
  const runs = everything.filter(({ run }) => run.scheduled?.by === scheduleId)
  const heads = runs.filter(({ run }) => run.previousRunId === undefined)
  const ofKind = (kind: CallPlan["kind"], acknowledged: boolean) =>
    sends.filter((sent) => sent.call.kind === kind && (sent.acknowledged || !acknowledged))
  const timesOf = (sent: Sent) => sent.call.kind === "backfill" ? sent.call.times : 1
  const total = (sent: ReadonlyArray<Sent>) => sent.reduce((sum, each) => sum + timesOf(each), 0)

  // What the store has is what it took.
  if (heads.length !== begun.length) found.push(`has ${heads.length} executions, and started ${begun.length}`)
  for (const { run } of heads) {
    if (!begun.some(({ runId }) => runId === run.runId)) found.push(`did not start run ${run.runId}`)
  }
  if (last.counts.actions !== heads.length) {
    found.push(`counts ${last.counts.actions} actions, and there are ${heads.length} (H14)`)
  }
  if (!states.some(({ counts }) => JSON.stringify(counts) === JSON.stringify(described.counts))) {
    found.push(`was described with ${JSON.stringify(described.counts)}, and never was so (H14)`)
  }

  // Each time at most once.
  const isOfSpec = (nominal: number) => nominal % everyMillis === 0 && nominal > last.createdAt
  const times = new Map<number, number>()
  for (const { nominal } of begun) times.set(nominal, (times.get(nominal) ?? 0) + 1)
  for (const [nominal, count] of times) {
    const of = nominal - beginning
    const most = nominal % everyMillis !== 0 || isOfSpec(nominal)
      ? 1
      : ofKind("backfill", false).filter((sent) => nominal >= beginning - timesOf(sent) * everyMillis).length
    if (count > most) found.push(`acted ${count} times on ${of} (H2)`)
    if (isOfSpec(nominal) && nominal > last.consideredUntil) found.push(`acted on ${of}, which it has not come to`)
  }
  const triggered = begun.filter(({ nominal }) => nominal % everyMillis !== 0).length
  const triggers = ofKind("trigger", false).length
  if (triggered > triggers) found.push(`was triggered ${triggers} times, and acted ${triggered} times on that (H11)`)
  const own = begun.filter(({ nominal }) => isOfSpec(nominal)).length
  if (remaining !== undefined && own > remaining) found.push(`acted ${own} times, and was to do so ${remaining} times`)

  // Each time is decided: it counts in one way.
  const { actions, dropped, missed, skipped } = last.counts
  const decided = actions + dropped + missed + skipped + last.waiting.length
  const came = Math.floor(last.consideredUntil / everyMillis) - Math.floor(last.createdAt / everyMillis)
  const asked = (acknowledged: boolean) =>
    total(ofKind("trigger", acknowledged)) + total(ofKind("backfill", acknowledged))
  const paused = ofKind("pause", false).length > 0
  const least = (paused ? 0 : came) + asked(true)
  const most = came + asked(false)
  if (decided < least || decided > most) {
    found.push(`decided ${decided} times: ${JSON.stringify(last.counts)}; there were ${least} to ${most} (H7)`)
  }
  if (missed > 0 || dropped > 0) found.push(`missed ${missed}, dropped ${dropped}, and was never so late, nor so full`)
  if (last.requests.length > 0) found.push(`has ${last.requests.length} requests that nobody answered`)

  // One after the other.
  const asks = sends.flatMap(({ call }) => call.kind === "trigger" ? call.overlap ?? [] : [])
  const policies = new Set([overlap, ...asks])
  const lastOf = (firstRunId: string) => runs.filter(({ run }) => run.firstRunId === firstRunId).at(-1)?.run.runId
  if (!policies.has("AllowAll")) {
    begun.slice(1).forEach(({ nominal, place }, index) => {
      const before = begun[index]!
      const closed = closings(lastOf(before.runId) ?? "") ?? Infinity
      if (closed > place) {
        found.push(
          `acted on ${nominal - beginning} while the action of ${before.nominal - beginning} ran (${overlap}, H7)`
        )
      }
    })
  }
  const may = new Set([
    "Completed",
    ...(policies.has("CancelOther") ? ["Canceled"] : []),
    ...(policies.has("TerminateOther") ? ["Terminated"] : [])
  ])
  for (const { run } of runs) {
    if (!may.has(run.status)) found.push(`run ${run.runId} is ${run.status}, under ${[...policies].join(", ")}`)
  }

  // It keeps up, and nobody's change is lost.
  const late = beginning + deletedAt - last.consideredUntil
  if (!last.paused && remaining === undefined && late > everyMillis + slackMillis) {
    found.push(`was ${late} ms behind when it was deleted (I5)`)
  }
  const changes = described.memo["changes"] as number
  const [kept, tried] = [ofKind("update", true).length, ofKind("update", false).length]
  if (changes < kept || changes > tried) {
    found.push(`was changed ${changes} times; ${kept} of ${tried} changes were acknowledged (H13)`)
  }
  return { found: found.map((words) => `${scheduleId}: ${words}`), actions: heads.length }
}

/** As late as a poll may be in a world that has healed. */
const slackMillis = 1_500
