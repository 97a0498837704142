/**
 * The runs of a trial: the chain under test, one run after the other, and those beside it.
 *
 * ```
 *   chain    run 1 ──▶ continued as new, or tried again ──▶ run 2 ──▶ ... ──▶ the last one, whose end is the outcome
 *   others      └─ children, and theirs: chains of their own
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Turn } from "../../core/Event.js"
import type { Run, Store } from "../../persistence/Store.js"
import * as Histories from "../../runtime/Histories.js"

/** A run and its history. @since 0.1.0 */
export interface Recorded {
  readonly run: Run
  readonly turns: ReadonlyArray<Turn>
}

/** @since 0.1.0 */
export interface Runs {
  /** The first one first. */
  readonly chain: ReadonlyArray<Recorded>
  readonly others: ReadonlyArray<Recorded>
}

/** The first run of every trial has the same id: its random numbers are seeded by it. @since 0.1.0 */
export const firstRunId = "01900000-0000-7000-8000-000000000001"

/** Finds the ids of the chain in a text, with their numbers. @since 0.1.0 */
export const idsOfChain: RegExp = new RegExp(`${firstRunId.slice(0, -12)}([0-9a-f]{12})`, "g")

/** Of the run that follows: the same in every trial, too, and the larger one. */
const nextId = (creator: string): string =>
  creator.slice(0, -12) + (numberOf(creator) + 1).toString(16).padStart(12, "0")

const numberOf = (runId: string): number => Number.parseInt(runId.slice(-12), 16)

/** As many runs of one trial are looked at. @since 0.1.0 */
export const runsMax = 1_000

/** All that a store holds. @since 0.1.0 */
export const read = (store: Store["Type"]) =>
  Effect.gen(function*() {
    const runs = [...(yield* store.runs({ limit: runsMax }))].sort((a, b) => a.runId < b.runId ? -1 : 1)
    const recorded: Array<Recorded> = []
    for (const run of runs) recorded.push({ run, turns: yield* Histories.read(store, run.runId) })
    const isOfChain = ({ run }: Recorded) => run.firstRunId === firstRunId
    return { chain: recorded.filter(isOfChain), others: recorded.filter((each) => !isOfChain(each)) } satisfies Runs
  })

/** @since 0.1.0 */
export const all = ({ chain, others }: Runs): ReadonlyArray<Recorded> =>
  others.length === 0 ? chain : [...chain, ...others]

/** The one whose end is that of the chain. @since 0.1.0 */
export const last = ({ chain }: Pick<Runs, "chain">): Recorded => chain.at(-1)!

/** Of all runs of the chain, one after the other. @since 0.1.0 */
export const turnsOf = ({ chain }: Pick<Runs, "chain">): ReadonlyArray<Turn> =>
  chain.length === 1 ? chain[0]!.turns : chain.flatMap(({ turns }) => turns)

/** Where the chain stands. @since 0.1.0 */
export interface Place {
  readonly isOpen: boolean
  /** Turns that all its runs have taken. */
  readonly turn: number
  readonly runs: number
}

/** Follows the chain while it goes on. @since 0.1.0 */
export class Follower {
  private runId = firstRunId
  /** Turns of the runs before that one. */
  private before = 0
  private runs = 1
  /** More runs followed each other than anybody wants. */
  isRunaway = false

  /** Names the run that follows. */
  next(creator: string, most: number, stop: () => void): string {
    const next = nextId(creator)
    if (next.startsWith(firstRunId.slice(0, -12)) && numberOf(next) > most) {
      this.isRunaway = true
      stop()
    }
    return next
  }

  look(store: Store["Type"], open: ReadonlyArray<Run>): Effect.Effect<Place, unknown> {
    const run = open.find((each) => each.firstRunId === firstRunId)
    if (run !== undefined && run.runId === this.runId) return Effect.succeed(this.place(run))
    return Effect.gen(this, function*() {
      for (;;) {
        const current = yield* Effect.flatten(store.findRun(this.runId))
        if (current.status === "Running") return this.place(current)
        const next = yield* store.findRun(nextId(this.runId))
        if (next._tag === "None") return this.place(current)
        this.before += current.turn
        this.runs++
        this.runId = next.value.runId
      }
    })
  }

  private place({ status, turn }: Run): Place {
    return { isOpen: status === "Running", turn: this.before + turn, runs: this.runs }
  }
}
