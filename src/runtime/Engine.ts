/**
 * The engine of one worker: the executions that it has in memory, and what brings them there and takes them out.
 *
 * ```
 *   messages ──▶ resident? ──yes──▶ Execution ──▶ Committer ──▶ Store
 *                   │ no                              │
 *                   └──▶ load: own it, replay ────────┘ evicted when the cache is full
 * ```
 *
 * It composes; each decision is made where it belongs: Execution, ActivityRunner, StepRunner, Committer.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Runtime from "effect/Runtime"
import type { Closing, Start } from "../core/family/Execution.js"
import type { Version } from "../core/family/Version.js"
import * as Messages from "../core/Message.js"
import type { NewRun, Refusal, Run, Store, StoreError, TurnCommit, WorkerId } from "../persistence/Store.js"
import { cancelWaiting } from "./activity/CancelWaiting.js"
import * as Delivery from "./activity/Delivery.js"
import type { Rates } from "./activity/StartLimits.js"
import { StartLimits } from "./activity/StartLimits.js"
import { ActivityRunner } from "./ActivityRunner.js"
import * as BodyLogs from "./BodyLogs.js"
import { Chains } from "./Chains.js"
import { Committer } from "./Committer.js"
import { Execution } from "./execution/Execution.js"
import type { Item, Settled, UpdateAnswer } from "./execution/Item.js"
import * as Items from "./execution/Item.js"
import type { Surroundings } from "./execution/Surroundings.js"
import type { Hosts } from "./Hosts.js"
import { BodyDefect } from "./interpreter/TurnFailure.js"
import { Listeners } from "./Listeners.js"
import type { Loaded } from "./Loader.js"
import { Loader } from "./Loader.js"
import { MailReads } from "./MailReads.js"
import { movedReason, Replies } from "./Replies.js"
import { Residents } from "./Residents.js"
import { Routes } from "./Routes.js"
import { RunIds } from "./RunIds.js"
import type { Slots } from "./Slots.js"
import { StepRunner } from "./StepRunner.js"
import type { Timers } from "./Timers.js"
import type { TurnBound } from "./TurnBound.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface EngineOptions {
  readonly taskQueue: string
  readonly turnBound: TurnBound
  readonly maxCachedExecutions: number
  readonly maxCachedFibers: number
  readonly slots: { readonly activities: Slots; readonly steps: Slots }
  readonly rates: Rates
  readonly version?: Version | undefined
}

/** What waits for a run that is being brought back: first, before its mailbox, what undid an end (row S3). */
interface Loading {
  readonly ahead: Array<Item>
  readonly items: Array<Item>
}

/** @since 0.1.0 */
export class Engine {
  readonly committer: Committer
  readonly activities: ActivityRunner
  readonly timers: Timers
  private readonly steps: StepRunner
  private readonly resident: Residents
  private readonly loading = new Map<string, Loading>()
  private readonly ends = new Listeners<Closing | undefined>()
  private readonly updates = new Listeners<UpdateAnswer>()
  private readonly around: Surroundings<Execution>
  private readonly loader: Loader
  private readonly replies: Replies
  readonly mailReads = new MailReads()
  readonly routes: Routes
  private readonly chains: Chains
  private stopping = false
  private closed = false

  constructor(
    readonly store: Context.Tag.Service<typeof Store>,
    readonly hosts: Hosts,
    readonly options: EngineOptions,
    readonly workerId: () => WorkerId,
    private readonly runtime: Runtime.Runtime<never>,
    readonly now: () => number,
    timers: Timers,
    private readonly poller: {
      /** The store holds work for this worker: a message, a run to bring back. */
      readonly poke: () => void
      /** Slots for activities became free. */
      readonly slotsFree: () => void
      /** The store holds queued activities that are not at hand. */
      readonly tasksLeft: () => void
      /** The store will hold work at this time. */
      readonly dueAt: (at: number) => void
      /** Mail that was handed over could not be taken in: it is to be handed over again at this time. */
      readonly mailAgain: (at: number) => void
    }
  ) {
    this.timers = timers
    this.routes = new Routes(options.version)
    this.committer = new Committer(store, workerId, runtime, now)
    this.activities = new ActivityRunner(
      hosts,
      options.slots.activities,
      this.committer,
      store,
      timers,
      runtime,
      now,
      (attempt, outcome) =>
        Delivery.deliver((runId, item) => this.post(runId, item), this.committer, poller.poke, attempt, outcome),
      poller.slotsFree,
      poller.dueAt,
      (more) => new StartLimits(options.rates, store, runtime, now, timers, more)
    )
    this.steps = new StepRunner(
      options.slots.steps,
      runtime,
      now,
      (runId, outcome) => this.post(runId, Items.letter({ _tag: "StepOutcome", outcome }))
    )
    this.resident = new Residents(options, (execution) => {
      if (execution.wakeAt !== undefined) poller.dueAt(execution.wakeAt)
    })
    this.chains = new Chains({
      taskQueue: options.taskQueue,
      commit: (commit, done, trouble) => this.committer.turn(commit, done, trouble),
      load: (runId, items) => this.bring(runId, items),
      dueAt: poller.dueAt,
      ended: (runId, closing, activities) => {
        this.steps.cancelAll(runId)
        this.activities.forget(runId, activities)
        this.ends.tellLast(runId, closing)
      },
      moved: (items) => this.moved(items)
    })
    this.around = this.surroundings()
    this.replies = new Replies(store, runtime, now, () => poller.mailAgain(now() + 1_000))
    this.loader = new Loader(store, hosts, options.taskQueue, workerId, this.routes, this.around)
  }

  get cached(): number {
    return this.resident.size
  }

  /** Whether a run that is to begin is this worker's to run. */
  takes(run: Pick<NewRun, "workflow" | "workflowId" | "taskQueue" | "pinnedTo">): boolean {
    return !this.stopping && run.taskQueue === this.options.taskQueue && this.hosts.serves(run.workflow) &&
      this.routes.takes(run)
  }

  /** Reads where runs go, and which went. */
  get refreshRoutes(): Effect.Effect<void, StoreError> {
    const worker = this.workerId()
    return Effect.flatMap(this.store.routing(worker, this.options.taskQueue), ({ displaced, routing }) => {
      this.routes.update(routing)
      if (displaced.length === 0) return Effect.void
      // A copy finds out by the fence, and goes with what came to it.
      for (const runId of displaced) this.resident.get(runId)?.probe()
      return this.store.displacedSeen(worker, displaced)
    })
  }

  /** Starts a run here; its first turn, which takes in the others too, goes into the commit that creates it. */
  start(run: NewRun, start: Start, settled: (settled: Settled) => void, others: ReadonlyArray<Item> = []): void {
    const host = this.hosts.workflow(run.workflow)!
    const from = { epoch: 1, wakeAt: undefined, attention: undefined }
    const execution = new Execution(run, host, this.around, from, run)
    this.resident.add(execution)
    execution.inbox.push(...others)
    execution.post(Items.letter(start, settled))
  }

  /** Hands a message to a run: at once if it is in memory, else after bringing it back. */
  post(runId: string, item: Item): void {
    const execution = this.resident.get(runId)
    if (execution !== undefined) return execution.post(item)
    const waiting = this.loading.get(runId)
    if (waiting !== undefined) return void waiting.items.push(item)
    this.load(runId, [item])
  }

  /** Whether it has the run in memory, or will have it: a message takes the short way. */
  isResident(runId: string): boolean {
    return this.resident.has(runId) || this.loading.has(runId)
  }

  /** Whether it has the run in memory: nobody else can bring it to an end without its knowing. */
  holds(runId: string): boolean {
    return this.resident.has(runId)
  }

  /** Mail that a poll found. */
  deliverMail(runId: string, mail: { readonly id: number; readonly body: string }): void {
    const execution = this.resident.get(runId)
    const waiting = this.loading.get(runId)
    // What is being loaded reads its mailbox itself, but may have done so before this came: it takes each row once.
    if (execution === undefined && waiting === undefined) return this.load(runId, [])
    const item = this.itemOf(mail)
    if (item === undefined) return execution?.putAway(unreadableMail(mail.id), [])
    if (execution !== undefined) execution.post(item)
    else waiting!.items.push(item)
  }

  /** A run whose wake-up time has come. */
  wake(run: Run): void {
    const execution = this.resident.get(run.runId)
    if (execution?.epoch === run.epoch) execution.refreshWake()
    else if (execution !== undefined) execution.probe()
    else if (!this.loading.has(run.runId)) this.load(run.runId, [], run)
  }

  /** The run was ended from outside: nothing of it runs here any more. Undefined: the store has its end. */
  terminated(runId: string, closing: Closing | undefined): void {
    const execution = this.resident.get(runId)
    if (execution !== undefined) {
      this.forgetExecution(execution)
      execution.evict()
      this.activities.forget(runId, execution.state.activities.keys())
    }
    this.ends.tellLast(runId, closing)
  }

  /**
   * Calls back when the run closes here, or with undefined when this worker no longer has it: then only the store can
   * tell. Returns how to stop waiting.
   */
  onClosed(runId: string, listener: (closing: Closing | undefined) => void): () => void {
    return this.ends.on(runId, listener)
  }

  /** Calls back at each stage of an update. */
  onUpdate(runId: string, updateId: string, listener: (answer: UpdateAnswer) => void): () => void {
    return this.updates.on(`${runId}/${updateId}`, listener)
  }

  /** All copies in memory are stale: the lease was lost. */
  dropAll(): void {
    for (const execution of this.resident.all()) {
      this.forgetExecution(execution)
      execution.evict(true)
    }
    for (const runId of this.ends.keys()) this.ends.tellLast(runId, undefined)
  }

  /** Begins to shut down: runs that are started from here on go to others. */
  stop(): void {
    this.stopping = true
  }

  /** Has nothing any more, and takes nothing any more: whatever comes goes through the store. */
  close(): void {
    this.closed = true
    this.activities.abandonAll()
    this.dropAll()
  }

  /** Whether a run is on its way into memory: it may be owned by this worker before it is here. */
  get isLoading(): boolean {
    return this.loading.size > 0
  }

  // --- internal

  private surroundings(): Surroundings<Execution> {
    return {
      namespace: this.store.about.namespace,
      now: this.now,
      workerId: this.workerId,
      serves: (taskQueue) => taskQueue === this.options.taskQueue,
      takes: (run) => this.takes(run),
      routes: this.routes,
      newRunId: Context.get(this.runtime.context, RunIds),
      created: (creations) => this.chains.created(creations),
      commit: (commit, done, trouble) => this.committer.turn(commit, this.noting(commit, done), trouble),
      reserveSlot: () => this.activities.reserve(),
      releaseSlot: () => this.activities.release(),
      startActivity: (attempt) => this.activities.startReserved(attempt),
      keepActivity: (attempt) => {
        if (!this.activities.keep(attempt)) this.poller.tasksLeft()
      },
      cancelActivity: (runId, seq) => {
        if (!this.activities.cancel(runId, seq)) this.cancelElsewhere(runId, seq)
      },
      startSteps: (execution, seqs) => {
        for (const seq of seqs) {
          const call = execution.interpreter.steps.get(seq)
          const pending = execution.state.steps.get(seq)
          if (call === undefined || pending === undefined) continue
          this.steps.start(execution.runId, seq, call, pending, execution.host.services)
        }
      },
      cancelStep: (runId, seq) => this.steps.cancel(runId, seq),
      schedule: (at, fire) => this.timers.schedule(at, fire),
      unschedule: (timer) => this.timers.cancel(timer),
      updateAnswered: (runId, updateId, answer) => {
        this.updates.tell(`${runId}/${updateId}`, answer)
      },
      closed: (execution, closing) => {
        this.forgetExecution(execution)
        this.activities.forget(execution.runId, execution.state.activities.keys())
        this.ends.tellLast(execution.runId, closing)
      },
      log: (_execution, entries) => this.run(BodyLogs.emit(entries)),
      warn: (execution, message) =>
        this.run(Effect.annotateLogs(Effect.logWarning(message), {
          workflow: execution.run.workflow,
          workflowId: execution.run.workflowId,
          runId: execution.runId
        })),
      turnBound: this.options.turnBound,
      drop: (execution, items, why) => this.dropped(execution, items, why),
      // What came by mail is read from there again when the run comes back, unless it was taken in.
      tooLate: (item) => this.moved(Items.unmailed([item])),
      touched: (execution) => this.resident.touch(execution)
    }
  }

  private run(effect: Effect.Effect<unknown>): void {
    Runtime.runFork(this.runtime)(effect)
  }

  /** A queued task that may wait too long is looked for then, whoever serves its queue (row A12). */
  private noting(commit: TurnCommit, done: (refusal: Refusal | undefined) => void): typeof done {
    const { consumed } = commit
    if (consumed.length === 0 && !commit.tasksAdded.some((task) => task.expiresAt !== undefined)) return done
    return (refusal) => {
      if (refusal === undefined) this.mailReads.consumed(consumed)
      done(refusal)
      for (const { expiresAt } of commit.tasksAdded) if (expiresAt !== undefined) this.poller.dueAt(expiresAt)
    }
  }

  private forgetExecution(execution: Execution, steps = true): void {
    if (this.resident.remove(execution) && steps) this.steps.cancelAll(execution.runId)
  }

  private dropped(execution: Execution, items: ReadonlyArray<Item>, why: "Refused" | "Failed" | "Reload"): void {
    this.forgetExecution(execution, why !== "Reload")
    if (why === "Failed") return this.poller.poke()
    if (why === "Reload") {
      const now = this.resident.get(execution.runId)
      if (now !== undefined) { for (const item of items) now.post(item) }
      else this.load(execution.runId, [], undefined, items)
      return
    }
    this.ends.tellLast(execution.runId, undefined)
    this.moved(items)
    // Perhaps it is this worker's again, under another epoch.
    this.poller.poke()
  }

  /** The run is not ours (any more): whoever sent these sends them again, through the store. */
  private moved(items: ReadonlyArray<Item>): void {
    for (const item of items) {
      if (item._tag === "Question") item.answer(Either.left(movedReason))
      else item.settled?.({ _tag: "Moved" })
    }
  }

  private cancelElsewhere(runId: string, seq: number): void {
    this.run(
      cancelWaiting(
        this.store,
        this.committer,
        this.now,
        runId,
        seq,
        (outcome) => this.post(runId, Items.letter({ _tag: "ActivityOutcome", outcome }))
      )
    )
  }

  /** As `load`, unless a poll found the run before the answer came to the commit that created it: one copy of each. */
  private bring(runId: string, items: ReadonlyArray<Item>): void {
    const here = this.resident.get(runId)
    if (here === undefined) this.load(runId, items)
    else for (const item of items) here.post(item)
  }

  /** Brings a run into memory, and hands it what waits for it. */
  private load(runId: string, items: ReadonlyArray<Item>, known?: Run, ahead: ReadonlyArray<Item> = []): void {
    if (this.closed) return this.moved([...ahead, ...items])
    const already = this.loading.get(runId)
    if (already !== undefined) {
      already.ahead.push(...ahead)
      already.items.push(...items)
      return
    }
    const waiting: Loading = { ahead: [...ahead], items: [...items] }
    this.loading.set(runId, waiting)
    const queried = [...ahead, ...items].some((item) => item._tag === "Question")
    const loading = this.loader.load(runId, known, queried)
    // What was dropped to be loaded again lets timers and I/O go first: no number of reloads can starve them.
    this.run(Effect.matchEffect(ahead.length === 0 ? loading : Effect.zipRight(afterIO, loading), {
      onSuccess: (loaded) =>
        Effect.sync(() => {
          this.loading.delete(runId)
          this.take(loaded, runId, waiting)
        }),
      onFailure: (error) =>
        Effect.zipRight(
          Effect.logError(`run ${runId} could not be brought back`, error),
          Effect.sync(() => {
            this.loading.delete(runId)
            const again = this.now() + 1_000
            for (const item of [...waiting.ahead, ...waiting.items]) {
              // By mail it is answered once the store is well: a query that failed is its handler's fault (row Q3).
              if (item._tag === "Question") item.answer(Either.left(movedReason))
              // Nobody else has it, and its activity or step would never be run again.
              else if (isOutcome(item)) this.timers.schedule(again, () => this.post(runId, item))
              else item.settled?.({ _tag: "Trouble", error })
            }
            this.poller.mailAgain(again)
          })
        )
    }))
  }

  private take(loaded: Loaded, runId: string, { ahead, items }: Loading): void {
    const waiting = [...ahead, ...items]
    switch (loaded._tag) {
      case "NotOurs":
        return loaded.heldUntil === undefined ? this.moved(waiting) : this.chains.held(waiting, loaded.heldUntil)
      case "Ended":
        return this.closed ? this.moved(waiting) : this.chains.end(loaded, waiting)
      case "Broken":
        if (this.closed) return this.moved(waiting)
        return loaded.execution.putAway(loaded.error, waiting)
      case "Closed":
        for (const item of waiting) {
          if (item._tag === "Letter") {
            item.settled?.({ _tag: "Dropped", reason: "closed" })
            this.replies.tooLate(item)
          } else if (loaded.execution === undefined) item.answer(Either.left(movedReason))
          else if (loaded.error !== undefined) item.answer(Either.left(String(loaded.error)))
          else item.answer(loaded.execution.interpreter.query(item.name, item.input, item.headers))
        }
        return loaded.execution?.evict()
      case "Loaded": {
        if (this.closed) {
          loaded.execution.evict()
          return this.moved(waiting)
        }
        const letters: Array<Item> = []
        for (const mail of loaded.mail) {
          const item = this.itemOf(mail)
          if (item === undefined) {
            loaded.execution.evict()
            return loaded.execution.putAway(unreadableMail(mail.id), waiting)
          }
          letters.push(item)
        }
        this.resident.add(loaded.execution)
        loaded.execution.resume([...ahead, ...letters, ...items])
      }
    }
  }

  private itemOf(mail: { readonly id: number; readonly body: string }): Item | undefined {
    const decoded = Messages.decode(mail.body)
    if (Either.isLeft(decoded)) return undefined
    const message = decoded.right
    if (message._tag !== "Query") return { _tag: "Letter", message, mailId: mail.id, settled: undefined }
    return {
      _tag: "Question",
      name: message.name,
      input: message.input,
      headers: message.headers,
      answer: (answer) => this.replies.query(message.replyTo, mail.id, answer)
    }
  }

  /** Mail of closed runs: queries, and updates that came too late. */
  answerQuery(mail: { readonly id: number; readonly runId: string; readonly body: string }): void {
    const item = this.itemOf(mail)
    if (item !== undefined) this.post(mail.runId, item)
  }
}

const afterIO = Effect.async<void>((resume) => {
  const soon = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(soon))
})

const isOutcome = ({ message }: Extract<Item, { readonly _tag: "Letter" }>): boolean =>
  message._tag === "ActivityOutcome" || message._tag === "StepOutcome"

const unreadableMail = (id: number) =>
  new BodyDefect({ in: "the mailbox", reason: `message ${id} cannot be read: its row is damaged` })
