/**
 * The activity runner: gives attempts of activities their slots, and takes their outcomes on.
 *
 * ```
 *  reserved at commit ─────────────┐                        ┌─▶ outcome ──▶ to the owner of the run
 *  queued at hand ──▶ [begin: row] ┼─▶ [slot: one attempt] ─┤
 *  claimed from the store ─────────┘                        └─▶ Retry: back to the queue, due later
 * ```
 *
 * 1. An attempt starts after the commit that says so (I2): at-most-once holds for `maximumAttempts: 1`.
 * 2. A crash while an attempt runs leaves its row started by a worker that is gone; whoever takes over counts that
 *    attempt as failed (a StartToClose timeout) and applies the retry policy.
 * 3. The slot of an attempt is free again when its fiber has ended, not before (row A17).
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type { Failure } from "../core/Failure.js"
import * as Activities from "../core/family/Activity.js"
import { Limits } from "../core/Limits.js"
import type { Store, TaskNotice } from "../persistence/Store.js"
import type { Attempt, Outcome } from "./activity/Attempt.js"
import * as Attempts from "./activity/Attempt.js"
import * as AttemptLogs from "./activity/AttemptLogs.js"
import type { Result, Surroundings } from "./activity/RunningAttempt.js"
import { RunningAttempt } from "./activity/RunningAttempt.js"
import type { StartLimits } from "./activity/StartLimits.js"
import type { Committer } from "./Committer.js"
import type { Hosts } from "./Hosts.js"
import type { Slots } from "./Slots.js"
import type { Timers } from "./Timers.js"

/** Takes a final outcome to the owner of the run. @since 0.1.0 */
export type Deliver = (attempt: Attempt, outcome: Outcome) => void

/** An attempt that waits for a slot. */
interface Waiting {
  readonly attempt: Attempt
  /** Its row says already that this worker started it. */
  readonly begun: boolean
}

/** @since 0.1.0 */
export class ActivityRunner {
  /** By activity: at most one attempt of each counts. */
  private readonly running = new Map<string, RunningAttempt>()
  /** All whose fibers have not ended, whether they count or not. */
  private readonly fibers = new Set<RunningAttempt>()
  private readonly waiting = new Map<string, Waiting>()
  /** Taken from those that wait, while their rows are written. */
  private readonly beginning = new Map<string, { canceled: boolean; claimed: boolean }>()
  private reserved = 0
  private stopping = false
  private idle: Array<() => void> = []
  private readonly limits: StartLimits
  private readonly whenStopping = new Set<() => void>()
  private readonly around: Surroundings

  constructor(
    private readonly hosts: Hosts,
    private readonly slots: Slots,
    private readonly committer: Committer,
    store: Context.Tag.Service<typeof Store>,
    timers: Timers,
    runtime: Runtime.Runtime<never>,
    private readonly now: () => number,
    private readonly deliver: Deliver,
    /** Called when slots became free and nothing is at hand: the store may hold more. */
    private readonly slotsFree: () => void,
    /** Called with the time at which a task in the store is due. */
    private readonly taskDue: (at: number) => void,
    makeLimits: (more: () => void) => StartLimits
  ) {
    this.limits = makeLimits(() => this.next())
    this.around = {
      namespace: store.about.namespace,
      timers,
      runtime,
      now,
      shuttingDown: () => this.stopping,
      awaitShutdown: (resume) => {
        if (this.stopping) resume()
        else this.whenStopping.add(resume)
        return () => void this.whenStopping.delete(resume)
      },
      transact: (attempt, work, committed) =>
        Effect.matchEffect(
          store.settleWith(
            { worker: committer.worker(), ...rowOf(attempt), now: now(), committed },
            (services) => Effect.map(Effect.provide(work, services), (result) => Attempts.mailOf(attempt, result))
          ),
          {
            onFailure: (error) =>
              Effect.fail(error._tag === "StoreError" ? Attempts.notRecorded(error.message) : error),
            onSuccess: () => Effect.succeed(undefined)
          }
        ),
      record: (attempt, details, done) => committer.task({ _tag: "Heartbeat", ...rowOf(attempt), details }, done),
      settled: (running, result) => this.settled(running, result),
      ended: (running) => this.ended(running)
    }
  }

  /** Attempts that may start now: slots that nobody has taken, as far as the rates allow (row A17). */
  get free(): number {
    if (this.stopping) return 0
    const slots = this.slots.available(this.used)
    return slots <= 0 ? 0 : Math.min(slots, this.limits.allowed)
  }

  /** There is work and nothing free: where a rate is the reason, it is looked again when that allows. */
  held(): void {
    if (this.stopping) return
    if (this.slots.available(this.used) > 0) this.limits.whenAllowed(this.waiting.size)
    else this.slots.whenAvailable(() => this.next())
  }

  private get used(): number {
    return this.fibers.size + this.reserved
  }

  /** Takes a slot for an activity that the coming commit marks as started. */
  reserve(): boolean {
    if (this.free === 0 || this.waiting.size > 0) return false
    this.reserved++
    this.slots.uses(this.used)
    this.limits.take(1)
    return true
  }

  release(): void {
    this.reserved--
    this.limits.take(-1)
    this.next()
  }

  /** Starts an attempt whose slot was reserved and whose commit went in. */
  startReserved(attempt: Attempt): void {
    this.reserved--
    this.start(attempt)
  }

  /** Keeps a queued activity at hand for the next free slot; false when there are too many, and the store keeps it. */
  keep(attempt: Attempt): boolean {
    if (this.stopping || this.waiting.size >= Limits.activitiesAtHandMax) return false
    this.waiting.set(Attempts.keyOf(attempt), { attempt, begun: false })
    this.next()
    return true
  }

  /** Starts an attempt that was claimed from the store, once there is a slot. */
  startClaimed(attempt: Attempt): void {
    // Its row stays as it is: the end of this worker puts it back into the queue.
    if (this.stopping) return
    // It was claimed by somebody who is gone, and may be here from then.
    const key = Attempts.keyOf(attempt)
    const running = this.running.get(key)
    // A claim that went in before the row of its own start: that start, asked for again, was taken for done.
    if (running?.attempt.attempt === attempt.attempt) return
    running?.abandon()
    const beginning = this.beginning.get(key)
    if (beginning !== undefined) beginning.claimed = true
    this.waiting.delete(key)
    if (this.free === 0) {
      this.waiting.set(key, { attempt, begun: true })
      return this.held()
    }
    this.limits.take(1)
    this.start(attempt)
  }

  /** Ends an attempt that never ran here: it was lost with its worker, or waited too long, perhaps at hand. */
  fail(attempt: Attempt, failure: Failure): void {
    this.waiting.delete(Attempts.keyOf(attempt))
    this.failed(attempt, failure, false)
  }

  /** Ends an attempt whose cancellation was asked for before it ran. */
  endCanceled(attempt: Attempt): void {
    this.deliver(attempt, Attempts.canceled(attempt))
  }

  /** Delivers a cancel request: a running attempt is interrupted (row A6), a waiting one ends at once (row C6). */
  cancel(runId: string, seq: number): boolean {
    const key = Attempts.keyFor(runId, seq)
    const running = this.running.get(key)
    if (running !== undefined) {
      running.cancel()
      return true
    }
    const beginning = this.beginning.get(key)
    if (beginning !== undefined) {
      beginning.canceled = true
      return true
    }
    const waiting = this.takeWaiting(key)
    if (waiting === undefined) return false
    if (waiting.begun) this.endCanceled(waiting.attempt)
    else this.begin(waiting.attempt, () => this.endCanceled(waiting.attempt))
    return true
  }

  /** What the store says of an attempt that runs here: canceled, touched by an operator, or that nobody waits for. */
  notice(notice: TaskNotice): void {
    const running = this.running.get(Attempts.keyFor(notice.runId, notice.seq))
    if (running !== undefined && running.attempt.attempt === notice.attempt) {
      if (!notice.open) running.forget()
      running.notice(notice)
    }
    if (notice.cancelRequested) this.cancel(notice.runId, notice.seq)
  }

  /** The run is closed: what waits is dropped; what runs learns it by its next heartbeat (row C10). */
  forget(runId: string, seqs: Iterable<number>): void {
    for (const seq of seqs) {
      const key = Attempts.keyFor(runId, seq)
      this.waiting.delete(key)
      const running = this.running.get(key)
      running?.forget()
    }
  }

  /** The lease is gone: others have, or will have, all that was here. */
  abandonAll(): void {
    for (const running of this.running.values()) running.abandon()
    this.running.clear()
    this.waiting.clear()
  }

  /** Takes no more, and waits until what runs has ended. */
  get drained(): Effect.Effect<void> {
    return Effect.async<void>((resume) => {
      this.stopping = true
      for (const resume of this.whenStopping) resume()
      this.whenStopping.clear()
      this.waiting.clear()
      if (this.fibers.size === 0) resume(Effect.void)
      else this.idle.push(() => resume(Effect.void))
    })
  }

  /** Interrupts what still runs; it is tried again elsewhere (row A16). */
  interruptAll(): void {
    for (const running of this.fibers) running.shutDown()
  }

  // --- slots

  private next(): void {
    this.slots.uses(this.used)
    while (this.free > 0) {
      const first = this.waiting.entries().next()
      if (first.done === true) return this.slotsFree()
      const [key, { attempt, begun }] = first.value
      this.waiting.delete(key)
      this.limits.take(1)
      if (begun) this.start(attempt)
      else {
        this.reserved++
        this.slots.uses(this.used)
        this.begin(attempt, () => this.start(attempt), (stale) => {
          this.reserved--
          if (stale) this.limits.take(-1)
        })
      }
    }
    if (this.waiting.size > 0) this.held()
  }

  private takeWaiting(key: string): Waiting | undefined {
    const waiting = this.waiting.get(key)
    this.waiting.delete(key)
    return waiting
  }

  /** Marks a queued row as started by this worker, unless somebody else took it or its run is closed. */
  private begin(attempt: Attempt, go: () => void, answered?: (stale: boolean) => void): void {
    const key = Attempts.keyOf(attempt)
    const beginning = { canceled: false, claimed: false }
    this.beginning.set(key, beginning)
    this.committer.task({
      _tag: "Start",
      ...rowOf(attempt),
      at: this.now(),
      revision: attempt.revision
    }, (refused) => {
      this.beginning.delete(key)
      // The row was queued when it was claimed, so its own start cannot have been written before: it began by the claim.
      const stale = refused || beginning.claimed
      answered?.(stale)
      if (stale) this.next()
      else if (beginning.canceled) this.endCanceled(attempt)
      // While the worker stops, the row stays as it is: its end puts it back into the queue.
      else if (!this.stopping) go()
    })
  }

  // --- attempts

  private start(attempt: Attempt): void {
    const host = this.hosts.activity(attempt.scheduled.name)
    if (host === undefined) {
      this.failed(attempt, Attempts.notRegistered(attempt.scheduled.name, this.hosts.activities.keys()), false)
      return this.next()
    }
    const running = new RunningAttempt(attempt, this.around)
    this.running.set(Attempts.keyOf(attempt), running)
    this.fibers.add(running)
    this.slots.uses(this.used)
    running.begin(host)
  }

  private settled(running: RunningAttempt, result: Result): void {
    const { attempt } = running
    const key = Attempts.keyOf(attempt)
    if (this.running.get(key) === running) this.running.delete(key)
    switch (result._tag) {
      case "Completed":
        return this.deliver(attempt, Attempts.completed(attempt, result.result))
      case "Canceled":
        return this.deliver(attempt, Attempts.canceled(attempt))
      case "Recorded":
        return
      case "HandedOver": {
        running.flush()
        const { expiresAt, startedAt } = result
        return this.committer.task(
          { _tag: "HandOver", ...rowOf(attempt), startedAt, expiresAt },
          // Stale: somebody completed it already.
          (stale) => stale ? undefined : this.taskDue(expiresAt)
        )
      }
      case "Failed":
        // Before the row goes back into the queue.
        running.flush()
        return this.failed(attempt, result.failure, running.cancelRequested)
    }
  }

  private ended(running: RunningAttempt): void {
    const key = Attempts.keyOf(running.attempt)
    if (this.running.get(key) === running) this.running.delete(key)
    this.fibers.delete(running)
    this.next()
    if (!this.stopping || this.fibers.size > 0) return
    const idle = this.idle
    this.idle = []
    for (const resume of idle) resume()
  }

  private failed(attempt: Attempt, failure: Failure, cancelRequested: boolean): void {
    const { scheduled } = attempt
    const now = this.now()
    const closeBy = Activities.closeBy(scheduled, attempt.scheduledAt)
    const decision = Attempts.next(attempt, failure, cancelRequested, now)
    Runtime.runFork(this.around.runtime)(AttemptLogs.failed(attempt, failure, decision))
    if (decision._tag === "Stop") {
      return this.deliver(attempt, Attempts.failed(attempt, failure, decision.retryState))
    }
    const dueAt = Math.ceil(now + decision.delayMillis)
    this.committer.task({
      _tag: "Retry",
      ...rowOf(attempt),
      nextAttempt: attempt.attempt + 1,
      dueAt,
      expiresAt: Activities.startBy(scheduled, attempt.scheduledAt, dueAt),
      closeBy,
      failure: JSON.stringify(failure)
    }, (stale) => stale ? undefined : this.taskDue(dueAt))
  }
}

const rowOf = (attempt: Attempt) => ({
  runId: attempt.runId,
  seq: attempt.scheduled.seq,
  attempt: attempt.attempt
})
