/**
 * The poller of one worker: asks the store for what no one in this process brings by itself.
 *
 * Messages from other processes, runs and tasks to claim, schedules that are due, wake-ups of executions that are not in
 * memory, the leases of others. It sleeps until it is poked, until the next wake-up is due, or until its lease must be renewed.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Events from "../core/Event.js"
import { Limits } from "../core/Limits.js"
import type { ClaimedTask, Store, StoreError, WorkerId } from "../persistence/Store.js"
import * as Attempts from "./activity/Attempt.js"
import type { Engine } from "./Engine.js"
import { isGone } from "./ProcessIdentity.js"
import { Scheduler } from "./schedule/Scheduler.js"
import type { Timer, Timers } from "./Timers.js"

/** @since 0.1.0 */
export class Poller {
  private engine: Engine | undefined
  private polling = false
  private again = false
  private draining = false
  private stopped = false
  /** The last claim took all it could: there may be more. */
  private moreTasks = false
  private wakeTimer: Timer | undefined
  private leaseTimer: Timer | undefined
  private watchTimer: Timer | undefined
  private lastMailId = 0
  private readonly scheduler: Scheduler
  /** There was no other worker when it was last looked. */
  private alone = true

  constructor(
    private readonly store: Context.Tag.Service<typeof Store>,
    private readonly timers: Timers,
    private readonly runtime: Runtime.Runtime<never>,
    private readonly now: () => number,
    private readonly workerId: () => WorkerId,
    private readonly leaseMillis: number,
    /** The lease was taken over: this worker owns nothing any more. */
    private readonly leaseLost: () => Effect.Effect<void, StoreError>,
    /** Others are gone, and did not say so. */
    private readonly othersGone: () => void,
    /** The store is such that nothing can be done with it: this worker is over. */
    private readonly fatal: (error: StoreError) => Effect.Effect<void>
  ) {
    this.scheduler = new Scheduler(store, now, (at) => this.dueAt(at))
  }

  start(engine: Engine): void {
    this.engine = engine
    this.renewLater()
    this.watchLater()
    this.poke()
  }

  /** Claims nothing any more; what this worker has goes on, and its lease is renewed (row A16). */
  drain(): void {
    this.draining = true
    this.timers.cancel(this.watchTimer)
  }

  stop(): void {
    this.stopped = true
    for (const timer of [this.wakeTimer, this.leaseTimer, this.watchTimer]) this.timers.cancel(timer)
  }

  get isPolling(): boolean {
    return this.polling
  }

  poke(): void {
    if (this.stopped || this.engine === undefined) return
    this.again = true
    if (this.polling) return
    this.polling = true
    // What else happens in this round of the event loop is seen by the same poll.
    setImmediate(() => this.run(this.pollUntilQuiet))
  }

  slotsFree(): void {
    if (this.moreTasks) this.poke()
  }

  tasksLeft(): void {
    this.moreTasks = true
  }

  dueAt(at: number): void {
    if (this.stopped || this.wakeTimer !== undefined && this.wakeTimer.index >= 0 && this.wakeTimer.at <= at) return
    this.timers.cancel(this.wakeTimer)
    this.wakeTimer = this.timers.schedule(at, () => this.poke())
  }

  /** Hands over all mail that is there, at the given time: each run takes each row once. */
  mailAgain(at: number): void {
    this.lastMailId = 0
    this.dueAt(at)
  }

  /** Takes over what workers left that are gone: by their lease, or by their process (see ProcessIdentity). */
  get takeOverGone(): Effect.Effect<boolean, StoreError> {
    return Effect.gen(this, function*() {
      const now = this.now()
      const others = (yield* this.store.workers).filter((worker) => worker.id !== this.workerId())
      this.alone = others.length === 0
      const gone = others
        .filter((worker) => worker.leaseUntil < now || isGone(worker.identity))
        .map((worker) => worker.id)
      if (gone.length === 0) return false
      yield* Effect.logInfo(`taking over from ${gone.length} worker(s) that are gone: ${gone.join(", ")}`)
      this.othersGone()
      yield* this.store.takeOver(gone, now, false)
      return true
    })
  }

  // --- internal

  private run(effect: Effect.Effect<unknown>): void {
    Runtime.runFork(this.runtime)(effect)
  }

  private readonly pollUntilQuiet: Effect.Effect<void> = Effect.suspend(() => {
    this.again = false
    return Effect.matchCauseEffect(this.poll, {
      // A defect too: a poller that stops would stop the worker, in silence.
      onFailure: (cause) => {
        const error = Option.getOrUndefined(Cause.failureOption(cause))
        if (error !== undefined && hopeless.has(error.reason)) {
          this.stop()
          this.polling = false
          return this.fatal(error)
        }
        return Effect.zipRight(
          Effect.logError("a poll of the store failed; it is tried again", cause),
          Effect.sync(() => {
            this.polling = false
            this.mailAgain(this.now() + 1_000)
          })
        )
      },
      onSuccess: () => {
        if (this.again && !this.stopped) return Effect.zipRight(Effect.yieldNow(), this.pollUntilQuiet)
        this.polling = false
        return Effect.void
      }
    })
  })

  private readonly poll: Effect.Effect<void, StoreError> = Effect.gen(this, function*() {
    const engine = this.engine
    if (engine === undefined || this.stopped) return
    const { store } = this
    const worker = this.workerId()
    const now = this.now()
    yield* engine.refreshRoutes
    const { share } = engine.routes
    const read = store.mailOf(worker, this.lastMailId, Limits.claimRowsMax)
    const news: Array<number> = []
    yield* engine.mailReads.through(read, (fresh, all) => {
      for (const each of fresh) {
        if (each.kind === "Terminated") {
          engine.terminated(each.runId, undefined)
          news.push(each.id)
        } else engine.deliverMail(each.runId, each)
      }
      for (const { id } of all) this.lastMailId = Math.max(this.lastMailId, id)
      if (all.length >= Limits.claimRowsMax) this.again = true
    })
    if (news.length > 0) yield* store.reply([], news)
    yield* this.wakeDue(engine, now)
    for (const task of yield* store.taskNotices(worker)) engine.activities.notice(task)
    if (!this.draining) {
      // Before runs are claimed: those that it starts are among them.
      if (yield* this.scheduler.carryOn) this.again = true
      yield* this.claim(engine, now)
    }
    const queues = [engine.options.taskQueue]
    const wake = yield* store.nextWake(worker, queues, now, share)
    if (Option.isSome(wake)) this.dueAt(wake.value)
    const task = yield* store.nextTask(queues, now, share)
    if (Option.isSome(task)) this.dueAt(task.value)
  })

  /** Those in memory wake by themselves, and are due in the store for as long as they perform steps. */
  private wakeDue(engine: Engine, now: number): Effect.Effect<void, StoreError> {
    const limit = Limits.claimRowsMax + engine.cached
    return Effect.map(this.store.dueRuns(this.workerId(), now, limit), (due) => {
      for (const run of due) engine.wake(run)
      if (due.length >= limit) this.again = true
    })
  }

  /** What anybody could take: runs, activities, queries of closed runs. */
  private claim(engine: Engine, now: number): Effect.Effect<void, StoreError> {
    return Effect.gen(this, function*() {
      const queues = [engine.options.taskQueue]
      const { share } = engine.routes
      const claimed = yield* this.store.claimRuns(this.workerId(), queues, now, Limits.claimRowsMax, share)
      for (const run of claimed) engine.wake(run)
      if (claimed.length >= Limits.claimRowsMax) this.again = true
      yield* this.claimTasks(engine, now)
      for (const query of yield* this.store.claimQueries(queues, Limits.claimRowsMax, share)) engine.answerQuery(query)
    })
  }

  private claimTasks(engine: Engine, now: number): Effect.Effect<void, StoreError> {
    return Effect.gen(this, function*() {
      const worker = this.workerId()
      const expired = yield* this.store.claimExpired(worker, now, Limits.claimRowsMax)
      // Told after the lease was lost, it is no more this worker's than what it had in memory.
      const isLost = () => this.workerId() !== worker
      if (isLost()) return
      for (const task of expired) this.take(engine, task, now)
      if (expired.length >= Limits.claimRowsMax) this.again = true
      const free = Math.min(engine.activities.free, Limits.claimRowsMax)
      if (free <= 0) {
        this.moreTasks = true
        return engine.activities.held()
      }
      const tasks = yield* this.store.claimTasks(worker, [engine.options.taskQueue], now, free, engine.routes.share)
      this.moreTasks = tasks.length >= free
      if (isLost()) return
      for (const task of tasks) this.take(engine, task, now)
    })
  }

  private take(engine: Engine, task: ClaimedTask, now: number): void {
    const events = Events.decode(task.row)
    const recorded = Either.isRight(events)
      ? events.right.find((event) => event._tag === "ActivityScheduled" && event.seq === task.seq)
      : undefined
    if (recorded?._tag !== "ActivityScheduled") {
      // The row stays with this worker: the run itself cannot be read either, and its owner says so in `describe`.
      return this.run(Effect.logError(`the activity ${task.seq} of run ${task.runId} cannot be read from its history`))
    }
    const attempt = Attempts.ofTask(task, recorded, task)
    if (task.cancelRequested) return engine.activities.endCanceled(attempt)
    if (task.state === "lost") return engine.activities.fail(attempt, Attempts.lost)
    if (task.state === "handed") return engine.activities.fail(attempt, Attempts.handedExpired(attempt, task, now))
    if (task.expiresAt !== undefined && task.expiresAt <= now) {
      return engine.activities.fail(attempt, Attempts.expired(attempt, now))
    }
    engine.activities.startClaimed(attempt)
  }

  private renewLater(): void {
    this.leaseTimer = this.timers.schedule(
      this.now() + this.leaseMillis / 3,
      () => this.run(Effect.catchAll(this.renew, (error) => Effect.logWarning("the lease was not renewed", error)))
    )
  }

  private readonly renew: Effect.Effect<void, StoreError> = Effect.gen(this, function*() {
    if (this.stopped) return
    const held = yield* this.store.renew(this.workerId(), this.now() + this.leaseMillis)
    if (held) return
    yield* Effect.logError("this worker's lease was taken over: it gives up what it had in memory, and begins anew")
    yield* this.leaseLost()
    this.lastMailId = 0
    this.poke()
  }).pipe(Effect.ensuring(Effect.sync(() => {
    if (!this.stopped) this.renewLater()
  })))

  private watchLater(): void {
    this.watchTimer = this.timers.schedule(
      this.now() + Math.min(this.leaseMillis / 3, this.alone ? Infinity : watchMillis),
      () => this.run(Effect.catchAll(this.watch, (error) => Effect.logWarning("the leases were not looked at", error)))
    )
  }

  private readonly watch: Effect.Effect<void, StoreError> = Effect.gen(this, function*() {
    if (this.stopped || this.draining) return
    if (yield* this.takeOverGone) this.poke()
  }).pipe(Effect.ensuring(Effect.sync(() => {
    if (!this.stopped && !this.draining) this.watchLater()
  })))
}

/**
 * How often it is looked who is gone, while there is another: a killed process is seen at once, so that its runs wait no
 * longer than this.
 */
const watchMillis = 500

/** What no waiting mends. */
const hopeless: ReadonlySet<StoreError["reason"]> = new Set(["Corrupt", "Foreign", "Newer"])
