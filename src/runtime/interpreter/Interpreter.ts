/**
 * The interpreter: one body, alive in memory, driven turn by turn.
 *
 * ```
 *  events of the message ──▶ turn ──▶ fibers run to quiescence ──▶ commands
 * ```
 *
 * A live turn and a replayed one are the same call; the caller turns the commands into events, or matches them against
 * the recorded ones. Effect's own fiber runtime runs the body, with scheduler, clock and random replaced.
 *
 * 1. Nothing of a body runs outside of `turn` and `query`.
 * 2. A turn that throws leaves the body broken: `evict` it (I7).
 * 3. `evict` forgets: it runs no finalizer, cancels no step, and leaves no fiber behind.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import type { PCGRandom } from "effect/Utils"
import type { Command } from "../../core/Command.js"
import * as Commands from "../../core/Command.js"
import type { Event } from "../../core/Event.js"
import type { Failure } from "../../core/Failure.js"
import type { Continuation, ExecutionStarted } from "../../core/family/Execution.js"
import type { Version } from "../../core/family/Version.js"
import * as Versions from "../../core/family/Version.js"
import type { Headers } from "../../core/Headers.js"
import { none as noHeaders } from "../../core/Headers.js"
import type { Past } from "../../core/HistoryLimits.js"
import type { ContractError } from "../../dsl/Contract.js"
import type { ErasedImplementation, HandlerChanges } from "../../dsl/ErasedHandlers.js"
import type { Hooks } from "../../dsl/Hooks.js"
import * as RunOptions from "../../dsl/RunOptions.js"
import type { OptionsOf, WorkflowHost } from "../../dsl/Workflow.js"
import type { StepCall, WorkflowInfo } from "../../dsl/WorkflowContext.js"
import { WorkflowContext } from "../../dsl/WorkflowContext.js"
import * as Blocking from "./Blocking.js"
import * as BodyRuntime from "./BodyRuntime.js"
import * as BodyServices from "./BodyServices.js"
import { CancelRequests } from "./CancelRequests.js"
import { failsTurn } from "./CauseFailure.js"
import { FiberTracker } from "./FiberTracker.js"
import * as Flags from "./Flags.js"
import * as Guard from "./Guard.js"
import * as Handlers from "./Handlers.js"
import * as Info from "./Info.js"
import { Journal } from "./Journal.js"
import * as Metrics from "./Metrics.js"
import { Notes } from "./Notes.js"
import { Patches } from "./Patches.js"
import { Program } from "./Program.js"
import * as Reading from "./Reading.js"
import type { UnrecordedAccess } from "./TurnFailure.js"
import { defect, UnreadablePayload } from "./TurnFailure.js"
import { TurnScheduler } from "./TurnScheduler.js"
import * as Whereabouts from "./Whereabouts.js"

export type { LogEntry } from "./BodyRuntime.js"

/**
 * What the interpreter needs to know of the run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Setting {
  readonly host: WorkflowHost
  readonly runId: string
  readonly workflowId: string
  readonly taskQueue: string
  /** Default: `default`. */
  readonly namespace?: string | undefined
  /** Called once a fiber of the body is woken outside of any turn, with the line at which it waited. */
  readonly onLate: (place: string | undefined) => void
  readonly operationsMax?: number | undefined
  /** How long the turn that comes may keep the thread, if that is bounded (row W10). */
  readonly turnMillisMax?: (() => number | undefined) | undefined
  /** How long a query or a validator may, if that is. */
  readonly readMillisMax?: number | undefined
  /** The replay behaviours of this version. */
  readonly flags?: ReadonlyArray<Flags.Flag>
}

/**
 * What one turn takes in.
 *
 * @category models
 * @since 0.1.0
 */
export interface TurnInput {
  readonly at: number
  /** Events of the message, recorded or to be recorded. */
  readonly events: ReadonlyArray<Event>
  /** Whether updates among the events were accepted before: their validators do not run again (row U2). */
  readonly replaying: boolean
  /** All events of the turn, where it is replayed: what it recorded besides `events` answers what the code asks. */
  readonly recorded?: ReadonlyArray<Event> | undefined
  /** The history before this turn; read when the turn begins. */
  readonly past: Past
}

/** @category models @since 0.1.0 */
export interface TurnOutput {
  readonly commands: ReadonlyArray<Command>
  /** Updates that their validators refused in this turn: their events must not be recorded. */
  readonly rejected: ReadonlyMap<string, Failure>
  /** Handlers in progress, if the turn ended the run (row S8). */
  readonly unfinished: ReadonlyArray<string>
  /** Signals whose payload could not be read: their events say so, for the replays to come. */
  readonly dropped: ReadonlySet<Event>
  readonly logs: ReadonlyArray<BodyRuntime.LogEntry>
}

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>
type Erased = Effect.Effect<unknown, unknown, unknown>

const noFlags: ReadonlySet<number> = new Set()
const none: ReadonlyArray<never> = []

/** @since 0.1.0 */
export class Interpreter implements Guard.Guarded {
  // Guarded
  time = 0
  fiberCount = Guard.firstFiberId
  readonly code: object
  readonly unguarded: boolean
  options: RunOptions.RunOptions
  outer: Guard.Guarded | undefined = undefined

  readonly scheduler: TurnScheduler
  readonly tracker = new FiberTracker()
  readonly journal: Journal
  replaying = false
  recorded: ReadonlyArray<Event> = none
  turnCount = 0
  eventNumber = 0
  private readonly past = { events: 0, bytes: 0, updates: 0 }
  private flags: ReadonlySet<number> = noFlags
  private startedAt = 0
  private reading = false
  private readonly runtime: BodyRuntime.BodyRuntime
  private readonly handling: Handlers.Handlers
  readonly requests = new CancelRequests()
  private readonly program = new Program(this)
  readonly notes = new Notes(this)
  private readonly patches = new Patches(this)
  private logs: Array<BodyRuntime.LogEntry> = []
  private random: PCGRandom | undefined
  /** Made for the first one: only interceptors draw from them. */
  private streams: Map<string, Random.Random> | undefined
  /** What it is seeded by, and the ids of children that have none derive from (row C11). */
  seedRunId: string
  private violation: UnrecordedAccess | undefined
  private fault: Error | undefined
  private started: ExecutionStarted | undefined
  private deploymentVersion: Version | undefined
  private evicted = false
  private late = false

  constructor(private readonly setting: Setting) {
    this.code = setting.host.body
    this.seedRunId = setting.runId
    this.options = setting.host.options
    this.unguarded = this.options.guard === false
    this.scheduler = new TurnScheduler((fiber) => this.woken(fiber), setting.operationsMax)
    this.journal = new Journal(this)
    this.handling = new Handlers.Handlers(this)
    this.runtime = BodyRuntime.make({
      context: Context.unsafeMake(
        new Map<string, unknown>([[WorkflowContext.key, this.journal], [Scope.Scope.key, this.program.scope]])
      ),
      services: BodyServices.make(this),
      tracker: this.tracker,
      log: (entry) => {
        if (!this.replaying) this.logs.push(entry)
      }
    })
  }

  /** Fibers alive: what the body costs in memory. */
  get fibers(): number {
    return this.tracker.alive.size
  }

  /** Steps that were issued and have no outcome, with the effects to run: the owner performs them. */
  get steps(): ReadonlyMap<number, StepCall> {
    return this.journal.steps
  }

  /** Whether the body has got so far that an update of this name can be answered. */
  knowsUpdate(name: string): boolean {
    return this.handling.knows(name)
  }

  /** Whether a message that is not awaited by a step can get the body on: it has handlers, or has not begun. */
  get reachable(): boolean {
    return !this.program.began || this.handling.reachable
  }

  /** Whether the run was started by code that had this behaviour (row V5). */
  has(flag: Flags.Flag): boolean {
    return this.flags.has(flag.number)
  }

  /** Takes in events and runs to quiescence. Throws what failed the turn; the body is then broken. */
  turn(input: TurnInput): TurnOutput {
    this.time = input.at
    this.replaying = input.replaying
    this.recorded = input.recorded ?? none
    this.past.events = input.past.events
    this.past.bytes = input.past.bytes
    this.past.updates = input.past.updates.size
    this.turnCount++
    Guard.enter(this)
    const silent = Metrics.silence(input.replaying)
    this.scheduler.begin()
    const millisMax = input.replaying ? undefined : this.setting.turnMillisMax?.()
    try {
      if (millisMax === undefined) this.takeIn(input)
      else Blocking.within(millisMax, () => this.takeIn(input))
    } catch (thrown) {
      throw this.violation ?? thrown
    } finally {
      this.scheduler.end()
      Metrics.silence(silent)
      Guard.leave(this)
    }
    const failed = this.violation ?? this.fault
    if (failed !== undefined) throw failed
    return {
      commands: Commands.settle(this.journal.takeCommands()),
      rejected: this.handling.takeRejected(),
      unfinished: this.program.ended ? this.handling.unfinished() : none,
      dropped: this.handling.takeDropped(),
      logs: this.takeLogs()
    }
  }

  /** Runs a query handler, read-only: its result, encoded, or a readable failure (I11). */
  query(name: string, payload: unknown, headers: Headers = noHeaders): Either.Either<unknown, string> {
    this.replaying = false
    return this.handling.query(name, payload, headers)
  }

  /** Runs the validator of an update, read-only; what it refused with, if it did (row U2). */
  validate(update: Handlers.Validated): Failure | undefined {
    this.replaying = false
    return this.handling.validate(update)
  }

  /** Forgets the body: no finalizer runs, no fiber stays. */
  evict(): void {
    this.evicted = true
    this.tracker.forget()
    this.journal.forget()
    this.handling.forget()
    this.requests.forget()
    this.program.forget()
    // An error holds what its stack was taken from, fibers included, until somebody reads it.
    this.violation = undefined
    this.fault = undefined
    this.logs = []
  }

  // --- for its parts

  get definition(): WorkflowHost["definition"] {
    return this.setting.host.definition
  }

  get hooks(): Hooks["workflow"] {
    return this.setting.host.hooks
  }

  get runId(): string {
    return this.setting.runId
  }

  get isReadOnly(): boolean {
    return this.reading
  }

  get fibersAlive(): Iterable<AnyFiber> {
    return this.tracker.alive
  }

  setHandlers(changes: HandlerChanges): Effect.Effect<void> {
    return this.handling.change(changes)
  }

  get handlersInProgress(): number {
    return this.handling.inProgress
  }

  violated(violation: UnrecordedAccess): void {
    this.violation ??= violation
    this.scheduler.stop()
  }

  /** The first thing that went wrong fails the turn. */
  fail(error: Error): void {
    this.fault ??= error
  }

  failRun(cause: Cause.Cause<unknown>): void {
    this.program.failRun(cause)
  }

  continueAsNew(continuation: Continuation): void {
    this.program.continueAsNew(continuation)
  }

  sleep(millis: number): Effect.Effect<void> {
    return this.journal.sleep(millis)
  }

  generator(): PCGRandom {
    this.journal.mustWrite("Random")
    return this.random ??= BodyServices.seeded(this.seedRunId)
  }

  /** Numbers that shift nobody else's: of a name, seeded by the run. */
  randomStream(name: string): Random.Random {
    const known = this.streams?.get(name)
    if (known !== undefined) return known
    let seed = this.seedRunId
    let seeded = BodyServices.seeded(seed, name)
    const stream = new BodyServices.BodyRandom({
      generator: () => {
        this.journal.mustWrite("Random")
        // Anew from a reset on, as the body's own.
        if (seed !== this.seedRunId) seeded = BodyServices.seeded(seed = this.seedRunId, name)
        return seeded
      }
    })
    this.streams = (this.streams ?? new Map<string, Random.Random>()).set(name, stream)
    return stream
  }

  issue(command: Command, place?: string): void {
    this.journal.issue(command, place)
  }

  unreadable(
    event: Event,
    { path = "", reason, subject }: ContractError,
    number = this.eventNumber
  ): UnreadablePayload {
    const { host, runId } = this.setting
    const workflow = host.definition.name
    return new UnreadablePayload({ workflow, runId, event: number, kind: event._tag, subject, path, reason })
  }

  askPatch(id: string, deprecated: boolean, place: string | undefined): boolean {
    return this.patches.ask(id, deprecated, place)
  }

  activatesPatch(id: string): boolean {
    const { host, runId, workflowId } = this.setting
    return host.worker.activatesPatch?.({ id, workflow: host.definition.name, workflowId, runId }) ?? true
  }

  compensate(undo: Erased): void {
    this.program.compensate(undo)
  }

  catchCancel(effect: Erased, fallback: (reason: string) => Erased): Erased {
    return this.requests.catch(effect, fallback)
  }

  setUp(implementation: ErasedImplementation): Effect.Effect<void> {
    return this.handling.setUp(implementation)
  }

  forkRoot(effect: Erased): AnyFiber {
    return BodyRuntime.fork(this.runtime, effect, this.scheduler, this.requests.atRoot)
  }

  fork(effect: Erased, ended: (exit: Exit.Exit<unknown, unknown>) => void): void {
    BodyRuntime.fork(this.runtime, effect, this.scheduler).addObserver(ended)
  }

  warn(message: string): void {
    BodyRuntime.fork(this.runtime, Effect.logWarning(message), this.scheduler)
  }

  info(): WorkflowInfo {
    const { deploymentVersion, notes: { now: notes }, past, replaying, setting, started, startedAt } = this
    const { reason: cancelReason } = this.requests
    const workflow = this.definition.name
    return Info.of({ workflow, setting, started, startedAt, past, notes, replaying, cancelReason, deploymentVersion })
  }

  /** Runs an effect on fibers of its own, at once and read-only (I11). */
  readOnly(effect: Erased): Exit.Exit<unknown, unknown> {
    const { code, runtime, setting: { operationsMax, readMillisMax }, time, unguarded } = this
    this.reading = true
    try {
      return Reading.run({ runtime, time, code, unguarded, operationsMax, millisMax: readMillisMax }, effect)
    } finally {
      this.reading = false
    }
  }

  // --- internal

  private woken(fiber: AnyFiber | undefined): void {
    if (this.late || this.evicted) return
    this.late = true
    this.setting.onLate(Whereabouts.of(fiber, this.code))
  }

  private takeIn(input: TurnInput): void {
    let cancel = false
    this.eventNumber = input.past.events
    // Behind the start, which asks for it.
    if (this.eventNumber === 0) this.deploymentVersion = Versions.assignedIn(input.events)?.version
    for (const event of input.events) {
      this.eventNumber++
      if (event._tag !== "CancelRequested") this.deliver(event)
      // Only the first request counts (row C1).
      else if (this.requests.reason === undefined) {
        cancel = true
        this.requests.reason = event.reason
      }
    }
    this.drain()
    // A body that is canceled before its first turn still begins, and meets the request where it first waits (C2).
    if (cancel) {
      this.requests.strike()
      this.drain()
    }
    this.handling.endTurn()
  }

  private drain(): void {
    this.journal.conditions.settle(this.scheduler)
  }

  private deliver(event: Event): void {
    switch (event._tag) {
      case "ExecutionStarted":
        this.flags = Flags.of(event.flags, this.setting.flags ?? Flags.known)
        return this.start(event)
      case "ExecutionReset":
        this.seedRunId = event.runId
        return void (this.random = undefined)
      case "VersionAssigned":
        return void (this.deploymentVersion = event.version)
      case "SignalReceived":
      case "UpdateAccepted":
        return this.handling.deliver(event)
      default:
        return this.journal.deliver(event)
    }
  }

  private takeLogs(): ReadonlyArray<BodyRuntime.LogEntry> {
    if (this.logs.length === 0) return none
    const taken = this.logs
    this.logs = []
    return taken
  }

  private start(event: ExecutionStarted): void {
    const { body, definition, optionsOf } = this.setting.host
    this.started = event
    this.seedRunId = event.seedRunId ?? this.seedRunId
    this.startedAt = this.time
    this.notes.start(event)
    const payload = definition.codecs.payload.decode(event.input)
    // A worker with the right code may come: the turn fails, not the run (row D2).
    if (Either.isLeft(payload)) throw this.unreadable(event, payload.left)
    if (optionsOf !== undefined) this.askOptions(optionsOf)
    if (this.fault === undefined) this.program.begin(body, payload.right, event)
  }

  /** A dynamic workflow says how this run is taken, by what it is (row D4). */
  private askOptions(optionsOf: OptionsOf): void {
    const exit = this.readOnly(Effect.suspend(() => {
      const told = optionsOf(this.info())
      return Effect.isEffect(told) ? told : Effect.succeed(told)
    }))
    if (Exit.isFailure(exit)) this.fail(defect(`options of workflow ${this.definition.name}`, exit.cause))
    else this.options = RunOptions.both(this.options, exit.value as RunOptions.DynamicOptions)
  }

  failsTurn(cause: Cause.Cause<unknown>): boolean {
    return failsTurn(cause, this.options)
  }
}
