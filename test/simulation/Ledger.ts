/**
 * What really happened, written down where nothing gets lost: at the store itself, and outside of all processes.
 *
 * It is told of each commit that the store took, of each attempt that began, and of all that callers were told. Its
 * findings are words; a clean simulation has none.
 */
import * as Effect from "effect/Effect"
import type { Commit, Committed, HistoryRow, Reset, Store } from "../../src/persistence/Store.js"
import type { Outcome } from "../proofs/Expected.js"
import { CounterAccount } from "./Counters.js"
import { ScheduleAccount } from "./Schedules.js"
import { GatheringAccount } from "./WithStarts.js"

/** One call that sends a message: a signal by its key, an update by its id. */
export interface Send {
  readonly key: number
  readonly send: number
  told: "nothing" | "acknowledged" | "closed"
}

/** What the outside knows of one execution. */
export class Account {
  runId: string | undefined
  starts = 0
  readonly sends: Array<Send> = []
  /** Answers to updates, by key. */
  readonly answers = new Map<number, Array<Outcome>>()
  readonly outcomes: Array<Outcome> = []
  /** Runs that resets made, by their requests. */
  readonly resets = new Map<string, string>()
  /** A call that terminates it was made. */
  terminated = false
}

/** Ends that no turn of their own wrote, as the database has them. */
export type Imposed = Effect.Effect<ReadonlyArray<HistoryRow & { readonly runId: string }>, unknown>

const mayImpose = ({ close, outgoing }: Commit["turns"][number]): boolean =>
  close !== undefined || outgoing.some(({ unbegun }) => unbegun !== undefined)

/** Where an attempt begins. */
interface Beginner {
  readonly name: string
  /** It was asked to shut down. */
  readonly leaving: boolean
}

export class Ledger {
  readonly findings: Array<string> = []
  readonly trace: Array<string> = []
  readonly accounts = new Map<string, Account>()
  readonly counters = new Map<string, CounterAccount>()
  readonly gatherings = new Map<string, GatheringAccount>()
  readonly schedules = new Map<string, ScheduleAccount>()
  readonly histories = new Map<string, Array<HistoryRow>>()
  /** Places in the order of commits: when each run closed. Those of one commit closed together. */
  readonly closings = new Map<string, number>()
  /** When the first turn of each run was committed. */
  readonly begun = new Map<string, number>()
  /** The place from which on all processes had other code. */
  deployed: number | undefined
  private place = 0
  private readonly owners = new Map<string, string>()
  private readonly attempts = new Map<string, Beginner>()
  /** For the figures: what the world did. */
  readonly happened = new Map<string, number>()

  constructor(private readonly now: () => number, private readonly traced: boolean) {}

  note(line: () => string): void {
    if (this.traced) this.trace.push(`${String(this.now()).padStart(6)} ${line()}`)
  }

  /** Whatever is committed from now on is of the code that is deployed now. */
  deploy(): void {
    this.deployed = this.place
    this.count("deploy")
  }

  count(what: string): void {
    this.happened.set(what, (this.happened.get(what) ?? 0) + 1)
  }

  find(words: string): void {
    this.note(() => `!!! ${words}`)
    if (this.findings.length < findingsMax) this.findings.push(words)
  }

  accountOf(workflowId: string): Account {
    let account = this.accounts.get(workflowId)
    if (account === undefined) this.accounts.set(workflowId, account = new Account())
    return account
  }

  counterOf(key: string): CounterAccount {
    const known = this.counters.get(key) ?? new CounterAccount()
    this.counters.set(key, known)
    return known
  }

  gatheringOf(workflowId: string): GatheringAccount {
    const known = this.gatherings.get(workflowId) ?? new GatheringAccount()
    this.gatherings.set(workflowId, known)
    return known
  }

  scheduleOf(scheduleId: string): ScheduleAccount {
    const known = this.schedules.get(scheduleId) ?? new ScheduleAccount()
    this.schedules.set(scheduleId, known)
    return known
  }

  /** An attempt begins: its number was never given before, but to a process that was shut down while it ran. */
  began(activity: string, attempt: number, by: Beginner): void {
    const one = `attempt ${attempt} of activity ${activity}`
    this.note(() => `${by.name}: ${one} begins`)
    const before = this.attempts.get(one)
    if (before !== undefined && !before.leaving) {
      this.find(`${one} begins at ${by.name}, after it did at ${before.name}`)
    }
    this.attempts.set(one, by)
  }

  /** The store itself, with a witness. */
  witness(store: Store["Type"], imposed: Imposed): Store["Type"] {
    const look = Effect.flatMap(Effect.orDie(imposed), (rows) => Effect.sync(() => this.imposed(rows)))
    return {
      ...store,
      commit: (commit) =>
        Effect.tap(store.commit(commit), (committed) => {
          this.committed(commit, committed)
          return commit.turns.some(mayImpose) ? look : Effect.void
        }),
      terminate: (runId, events, format, now, toParent) =>
        Effect.tap(
          store.terminate(runId, events, format, now, toParent),
          (result) => result === "Posted" ? look : Effect.void
        ),
      createSchedule: (schedule) =>
        Effect.tap(store.createSchedule(schedule), (created) => {
          if (created) this.scheduleOf(schedule.scheduleId).created(schedule)
        }),
      writeSchedules: (writes, now) =>
        Effect.tap(
          store.writeSchedules(writes, now),
          (results) =>
            Effect.map(writes.some(({ terminates }) => terminates.length > 0) ? look : Effect.void, () => {
              this.place++
              results.forEach((result, index) => {
                const write = writes[index]!
                this.note(() =>
                  `store: ${write.scheduleId} is ${result._tag}, starts ${write.starts.length}: ${write.state}`
                )
                this.scheduleOf(write.scheduleId).wrote(write, result, this.place)
              })
            })
        ),
      deleteSchedule: (scheduleId) =>
        Effect.tap(store.deleteSchedule(scheduleId), (deleted) => {
          if (deleted) this.scheduleOf(scheduleId).deletedAt = this.now()
        }),
      reset: (reset, now) =>
        Effect.tap(store.reset(reset, now), (result) => {
          if (result._tag !== "Reset") return Effect.void
          this.reset(reset)
          return result.terminated === undefined ? Effect.void : look
        })
    }
  }

  /** A run begins with turns of another one, and began when that did. */
  private reset({ history, of, run: { runId } }: Reset): void {
    this.place++
    const begun = this.begun.get(of.runId)
    for (const row of history) this.wrote(runId, row)
    if (history.length > 0 && begun !== undefined) this.begun.set(runId, begun)
  }

  private committed({ again, turns, worker }: Commit, { refused }: Committed): void {
    this.place++
    turns.forEach(({ attention, close, epoch, history, runId }, index) => {
      if (refused.has(index)) return
      const fence = `${runId} under epoch ${epoch}`
      const owner = this.owners.get(fence)
      if (owner !== undefined && owner !== worker) this.find(`two workers write ${fence} (I4)`)
      this.owners.set(fence, worker)
      if (attention?.text?.includes("TurnFailed") === true) this.find(`a turn of ${runId} failed: ${attention.text}`)
      if (history === undefined) return
      // Asked for again, it was not written again.
      const known = again === true && this.histories.get(runId)?.[history.turn - 1]?.events === history.events
      if (!known) this.wrote(runId, history)
      if (close !== undefined && !known) this.closed(runId)
    })
  }

  /** Ends from outside: of runs that were terminated, and of children, with those of their parents or before they began. */
  private imposed(rows: Effect.Effect.Success<Imposed>): void {
    this.place++
    for (const { runId, ...row } of rows) {
      if (this.closings.has(runId)) continue
      this.wrote(runId, row)
      this.closed(runId)
    }
  }

  private closed(runId: string): void {
    this.closings.set(runId, this.place)
  }

  private wrote(runId: string, row: HistoryRow): void {
    let rows = this.histories.get(runId)
    if (rows === undefined) {
      this.histories.set(runId, rows = [])
      this.begun.set(runId, this.place)
    }
    this.note(() => `store: turn ${row.turn} of ${runId}: ${row.events.slice(0, 3000)}`)
    if (row.turn !== rows.length + 1) {
      this.find(`turn ${row.turn} of ${runId} is written after turn ${rows.length} (I6)`)
    }
    rows.push(row)
  }
}

/** More would not help anybody. */
const findingsMax = 20
