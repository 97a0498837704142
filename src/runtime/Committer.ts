/**
 * The committer: group commit of finished turns (I2, I3, I12).
 *
 * ```
 *  turns of all executions ──▶ queue ──▶ [one transaction] ──▶ callbacks: effects are let go
 *                                ▲             │
 *                                └── gathers ──┘ while a transaction is under way
 * ```
 *
 * Idle, a turn waits for nothing but the end of the current round of the event loop; busy, hundreds share a sync.
 *
 * 1. Turns of one run commit in order; when one is refused, all that were queued behind it are refused with it.
 * 2. A batch that the database did not take (locked, full, gone) is kept and tried again until it is taken: nothing is
 *    let go, and nothing is lost. Callers are told at once that the store is in trouble.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import { Limits } from "../core/Limits.js"
import type {
  Commit,
  Committed,
  Refusal,
  Store,
  StoreError,
  TaskChange,
  TurnCommit,
  WorkerId
} from "../persistence/Store.js"

interface QueuedTurn {
  readonly commit: TurnCommit
  readonly done: (refusal: Refusal | undefined) => void
  readonly trouble: ((error: StoreError) => void) | undefined
}

interface QueuedTask {
  readonly change: TaskChange
  readonly done: (stale: boolean) => void
}

const fenced: Refusal = { _tag: "Fenced" }

const retryMillis = [20, 50, 100, 200, 500, 1_000, 2_000, 5_000] as const

/** @since 0.1.0 */
export class Committer {
  private turns: Array<QueuedTurn> = []
  private tasks: Array<QueuedTask> = []
  private busy = false
  private stopped = false
  private idle: Array<() => void> = []

  constructor(
    private readonly store: Context.Tag.Service<typeof Store>,
    readonly worker: () => WorkerId,
    private readonly runtime: Runtime.Runtime<never>,
    private readonly now: () => number
  ) {}

  turn(
    commit: TurnCommit,
    done: (refusal: Refusal | undefined) => void,
    trouble?: (error: StoreError) => void
  ): void {
    this.turns.push({ commit, done, trouble })
    this.begin()
  }

  task(change: TaskChange, done: (stale: boolean) => void): void {
    this.tasks.push({ change, done })
    this.begin()
  }

  /**
   * Refuses all that is not yet on its way: its worker lost its lease. Under the worker's new name nothing of it may go
   * in, as its tasks would under the old one.
   */
  refuseQueued(): void {
    const { tasks, turns } = this
    this.turns = []
    this.tasks = []
    for (const queued of turns) queued.done(fenced)
    for (const queued of tasks) queued.done(true)
  }

  /** Resolves once everything queued so far is committed. */
  get drained(): Effect.Effect<void> {
    return Effect.async<void>((resume) => {
      if (this.busy) this.idle.push(() => resume(Effect.void))
      else resume(Effect.void)
    })
  }

  /** Writes nothing any more: its worker is gone, and perhaps the database. */
  stop(): void {
    this.stopped = true
  }

  private begin(): void {
    if (this.busy || this.stopped) return
    this.busy = true
    // The round of the event loop ends first: whatever else finishes in it shares this transaction.
    setImmediate(() => this.flush())
  }

  private flush(): void {
    if (this.turns.length === 0 && this.tasks.length === 0) {
      this.busy = false
      const idle = this.idle
      this.idle = []
      for (const resume of idle) resume()
      return
    }
    const turns = this.turns.length <= Limits.commitTurnsMax
      ? this.turns
      : this.turns.slice(0, Limits.commitTurnsMax)
    this.turns = turns === this.turns ? [] : this.turns.slice(Limits.commitTurnsMax)
    const { tasks } = this
    this.tasks = []
    const commit: Commit = {
      worker: this.worker(),
      turns: turns.map((queued) => queued.commit),
      tasks: tasks.map((queued) => queued.change),
      now: this.now()
    }
    Runtime.runCallback(this.runtime)(this.write(commit, turns, 0), {
      onExit: (exit) => {
        if (exit._tag === "Success") this.settle(turns, tasks, exit.value)
        setImmediate(() => this.flush())
      }
    })
  }

  private write(commit: Commit, turns: ReadonlyArray<QueuedTurn>, tries: number): Effect.Effect<Committed> {
    return Effect.catchAll(this.store.commit(commit), (error) => {
      if (this.stopped) return Effect.interrupt
      if (tries === 0) { for (const queued of turns) queued.trouble?.(error) }
      const delay = retryMillis[Math.min(tries, retryMillis.length - 1)]!
      return Effect.logError(
        `a commit of ${turns.length} turns was not taken; it is kept, and tried again in ${delay} ms`,
        error
      ).pipe(
        Effect.zipRight(Effect.sleep(Duration.millis(delay))),
        // What failed may have been done all the same: a connection broke before the answer came.
        Effect.zipRight(Effect.suspend(() => this.write({ ...commit, again: true }, turns, tries + 1)))
      )
    })
  }

  private settle(turns: ReadonlyArray<QueuedTurn>, tasks: ReadonlyArray<QueuedTask>, committed: Committed): void {
    if (committed.refused.size > 0) this.refuseBehind(turns, committed)
    for (let i = 0; i < turns.length; i++) turns[i]!.done(committed.refused.get(i))
    for (let i = 0; i < tasks.length; i++) tasks[i]!.done(committed.stale.has(i))
  }

  /** Turns that were queued behind a refused one stand on something that did not happen. */
  private refuseBehind(turns: ReadonlyArray<QueuedTurn>, committed: Committed): void {
    const refused = new Map<string, Refusal>()
    for (const [index, refusal] of committed.refused) refused.set(turns[index]!.commit.runId, refusal)
    const kept: Array<QueuedTurn> = []
    const dropped: Array<QueuedTurn> = []
    for (const queued of this.turns) (refused.has(queued.commit.runId) ? dropped : kept).push(queued)
    this.turns = kept
    for (const queued of dropped) queued.done(refused.get(queued.commit.runId))
  }
}
