/**
 * The handlers of one body: takes in signals and updates, and answers queries.
 *
 * ```
 *   message ──▶ handler of its name ──▶ else the dynamic one of its kind (row S6)
 *                  └─ neither: a signal waits for one (row S2); an update waits until the body has said what its
 *                     handlers are, and to the end of that turn, and is refused then (row U6)
 * ```
 *
 * Messages that come before the body has set its handlers up are handled in order before its program begins (row W9).
 * The body may change its handlers later (row W18). None of it leaves an event: a replay does the same again.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import type { Command } from "../../core/Command.js"
import type { Event } from "../../core/Event.js"
import type { Failure } from "../../core/Failure.js"
import type { SignalReceived } from "../../core/family/Signal.js"
import type { UpdateAccepted } from "../../core/family/Update.js"
import type { Headers } from "../../core/Headers.js"
import { none as noHeaders } from "../../core/Headers.js"
import type { Codec, ContractError } from "../../dsl/Contract.js"
import type { ErasedImplementation, HandlerChanges, HandlerSet } from "../../dsl/ErasedHandlers.js"
import * as Erased from "../../dsl/ErasedHandlers.js"
import type { Hooks } from "../../dsl/Hooks.js"
import { through } from "../../dsl/Hooks.js"
import { dynamicName } from "../../dsl/HostedActivity.js"
import { reserved } from "../../dsl/Names.js"
import type { RunOptions } from "../../dsl/RunOptions.js"
import { rawCodecs } from "../../dsl/Untyped.js"
import type { Unfinished, WorkflowHost } from "../../dsl/Workflow.js"
import type { CurrentUpdate } from "../../dsl/WorkflowContext.js"
import * as BuiltInQueries from "./BuiltInQueries.js"
import { failsTurn, failureOf, messageOf } from "./CauseFailure.js"
import type { Notes } from "./Notes.js"
import { BodyDefect, defect } from "./TurnFailure.js"

type AnyEffect = Effect.Effect<unknown, unknown, unknown>
type Incoming = SignalReceived | UpdateAccepted

interface Waiting<E extends Incoming = Incoming> {
  readonly event: E
  readonly turn: number
  /** Of the event: counts from 1 over the history. */
  readonly number: number
}

/**
 * What the handlers need of the body that they belong to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body {
  readonly definition: WorkflowHost["definition"]
  readonly hooks: Hooks["workflow"]
  readonly options: RunOptions
  readonly replaying: boolean
  /** Counts the turns taken in since the body is in memory. */
  readonly turnCount: number
  /** All fibers of the body. */
  readonly fibersAlive: Iterable<Fiber.RuntimeFiber<unknown, unknown>>
  readonly fork: (effect: AnyEffect, ended: (exit: Exit.Exit<unknown, unknown>) => void) => void
  readonly readOnly: (effect: AnyEffect) => Exit.Exit<unknown, unknown>
  readonly issue: (command: Command) => void
  readonly warn: (message: string) => void
  readonly notes: Notes
  readonly journal: { readonly summaryOf: (seq: number) => string | undefined }
  /** Of the event that is being taken in: counts from 1 over the history. */
  readonly eventNumber: number
  /** What fails the turn where a recorded payload does not fit the schema of today (row D7). */
  readonly unreadable: (event: Event, error: ContractError, number: number) => Error
  /** Fails the turn. */
  readonly fail: (error: Error) => void
  /** Fails the run. */
  readonly failRun: (cause: Cause.Cause<unknown>) => void
}

/** An update as its validator is asked. @since 0.1.0 */
export type Validated = Pick<UpdateAccepted, "id" | "name" | "input" | "headers">

const receiptOf = ({ headers = noHeaders, id, name }: Validated, payload: unknown) => ({
  update: name,
  updateId: id,
  payload,
  headers
})

/** A handler that has begun, as a warning names it. */
interface Running {
  readonly kind: "signal" | "update"
  readonly name: string
  readonly id: string | undefined
}

/** A handler with the codecs of its contract; of what is sent dynamically, nothing but JSON is asked. */
interface Found<Codecs> {
  readonly codecs: Codecs
  readonly handle: Erased.Handler
}
type FoundUpdate = Found<{ readonly payload: Codec; readonly success: Codec; readonly error: Codec }> & {
  readonly validate: Erased.QueryHandler | undefined
}

const ofUpdate = (event: Pick<UpdateAccepted, "id" | "name">, handler: AnyEffect): AnyEffect =>
  Effect.locally(handler, updateInProgress, { id: event.id, name: event.name })

const noneDropped: ReadonlySet<Event> = new Set()
/** The update whose handler a fiber belongs to. @since 0.1.0 */
export const updateInProgress = FiberRef.unsafeMake<CurrentUpdate | undefined>(undefined)

const noneRejected: ReadonlyMap<string, Failure> = new Map()
const noneUnfinished: ReadonlyArray<string> = []

/** @since 0.1.0 */
export class Handlers {
  /** What the body has said so far. */
  private set: HandlerSet = Erased.none
  /** Whether it has said all: it has got to `of`, or its contract has no messages. */
  private settled: boolean
  private readonly running = new Set<Running>()
  private waiting: Array<Waiting> = []
  private dropped: Set<Event> | undefined
  private rejected: Map<string, Failure> | undefined

  constructor(private readonly body: Body) {
    const { dynamic, queries, signals, updates } = body.definition.codecs
    this.settled = signals.size + queries.size + updates.size + dynamic.size === 0
  }

  /** Handlers that have begun and not ended (row S9). */
  get inProgress(): number {
    return this.running.size
  }

  /** Whether a signal or update can get the body on: it has handlers for some. */
  get reachable(): boolean {
    const { dynamic, signals, updates } = this.set
    return this.settled && (signals.size + updates.size > 0 || dynamic.signals !== undefined ||
      dynamic.updates !== undefined)
  }

  /** Whether an update is answered by now: by a handler, or since the body has said that there is none. */
  knows(update: string): boolean {
    return this.settled || this.findUpdate(update) !== undefined
  }

  /** The updates that were refused since this was last asked. */
  takeRejected(): ReadonlyMap<string, Failure> {
    const taken = this.rejected ?? noneRejected
    this.rejected = undefined
    return taken
  }

  /** The signals that could not be read since this was last asked. */
  takeDropped(): ReadonlySet<Event> {
    const taken = this.dropped ?? noneDropped
    this.dropped = undefined
    return taken
  }

  /** The handlers whose end nobody will see, as their contracts want it (row S8). */
  unfinished(): ReadonlyArray<string> {
    if (this.running.size === 0) return noneUnfinished
    const { signals, updates } = this.body.definition.codecs
    const named: Array<string> = []
    for (const { id, kind, name } of this.running) {
      const contract: { readonly unfinished: Unfinished } | undefined = (kind === "signal" ? signals : updates).get(
        name
      )
      const wanted = contract === undefined ? this.body.options.unfinished : contract.unfinished
      if (wanted !== "Abandon") named.push(`${kind} ${name}${id === undefined ? "" : ` (id ${id})`}`)
    }
    return named
  }

  forget(): void {
    this.set = Erased.none
    this.settled = true
    this.waiting = []
  }

  deliver(event: Incoming): void {
    const each = { event, turn: this.body.turnCount, number: this.body.eventNumber }
    if (!this.settled && !this.canHandle(event)) this.waiting.push(each)
    else this.handle(each)
  }

  /**
   * Sets the handlers up. What waits is handled one by one: each handler gets as far as it can before the next message
   * is looked at, so that the validator of an update sees what the messages before it did (row U9).
   */
  setUp(implementation: ErasedImplementation): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.settled = true
      // What was set before stays, where `of` says nothing of it.
      this.set = Erased.joined(this.set, implementation)
      const waiting = this.waiting
      this.waiting = []
      return this.handleAll(waiting)
    })
  }

  /** Changes handlers, and handles what waited for one that there is now, in order (row W18). */
  change(changes: HandlerChanges): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { codecs, name } = this.body.definition
      const unknown = changes.workflow === name || changes.workflow === dynamicName
        ? undeclared(changes, codecs)
        : `the handlers are of workflow ${changes.workflow}`
      if (unknown !== undefined) {
        return Effect.die(new BodyDefect({ in: `workflow ${name}`, reason: `setHandlers: ${unknown}` }))
      }
      this.set = Erased.changed(this.set, changes)
      const waiting = this.waiting
      this.waiting = []
      const ready: typeof waiting = []
      for (const each of waiting) (this.canHandle(each.event) ? ready : this.waiting).push(each)
      return this.handleAll(ready)
    })
  }

  /** Once the body has come to rest: updates that still have no handler are refused (row U6). */
  endTurn(): void {
    if (!this.settled || this.waiting.length === 0) return
    const left = this.waiting
    this.waiting = []
    for (const each of left) {
      if (each.event._tag === "SignalReceived") this.waiting.push(each)
      else this.refuse(each.event, each.turn)
    }
  }

  /** Why the update is refused; undefined if it is not (row U2). */
  validate(update: Validated): Failure | undefined {
    const found = this.findUpdate(update.name)
    if (found === undefined) return unknownUpdate(update.name, this.set.updates)
    const payload = found.codecs.payload.decode(update.input)
    if (Either.isLeft(payload)) return plain("ContractError", payload.left.message)
    const { validate } = found
    const hook = this.body.hooks.validate
    if (validate === undefined && hook === undefined) return undefined
    const validating = (payload: unknown): AnyEffect =>
      validate === undefined ? Effect.void : Effect.suspend(() => validate(payload))
    const exit = this.body.readOnly(
      hook === undefined
        ? validating(payload.right)
        : Effect.suspend(() => through(hook, receiptOf(update, payload.right), (call) => validating(call.payload)))
    )
    return Exit.isFailure(exit) ? failureOf(found.codecs.error, exit.cause) : undefined
  }

  query(name: string, input: unknown, headers: Headers): Either.Either<unknown, string> {
    const { definition, fibersAlive, journal, notes } = this.body
    const summaryOf = (seq: number) => journal.summaryOf(seq)
    const builtIn = BuiltInQueries.answer(name, { definition, fibers: fibersAlive, notes, summaryOf })
    if (builtIn !== undefined) return Either.right(builtIn)
    const found = this.findQuery(name)
    if (found === undefined) {
      return Either.left(
        this.settled ? unknown("query", name, this.set.queries) : "the run has not set up its handlers yet"
      )
    }
    const payload = found.codecs.payload.decode(input)
    if (Either.isLeft(payload)) return Either.left(payload.left.message)
    const exit = this.body.readOnly(
      Effect.suspend(() =>
        through(
          this.body.hooks.query,
          { query: name, payload: payload.right, headers },
          (call) => found.handle(call.payload)
        )
      )
    )
    return Exit.isFailure(exit)
      ? Either.left(messageOf(exit.cause))
      : Either.mapLeft(found.codecs.success.encode(exit.value), (error) => error.message)
  }

  // --- finding: by name, else the dynamic one, which never gets a reserved name (row D9)

  private findSignal(name: string): Found<{ readonly payload: Codec }> | undefined {
    const handle = this.set.signals.get(name)
    const codecs = this.body.definition.codecs.signals.get(name)
    if (handle !== undefined && codecs !== undefined) return { codecs, handle }
    const dynamic = this.set.dynamic.signals
    if (dynamic === undefined || reserved(name) !== undefined) return undefined
    return { codecs: rawCodecs, handle: (payload) => dynamic(name, payload) }
  }

  private findQuery(name: string): Found<{ readonly payload: Codec; readonly success: Codec }> | undefined {
    const handle = this.set.queries.get(name)
    const codecs = this.body.definition.codecs.queries.get(name)
    if (handle !== undefined && codecs !== undefined) return { codecs, handle }
    const dynamic = this.set.dynamic.queries
    if (dynamic === undefined || reserved(name) !== undefined) return undefined
    return { codecs: rawCodecs, handle: (payload) => dynamic(name, payload) }
  }

  private findUpdate(name: string): FoundUpdate | undefined {
    const handler = this.set.updates.get(name)
    const codecs = this.body.definition.codecs.updates.get(name)
    if (handler !== undefined && codecs !== undefined) return { codecs, ...handler }
    const dynamic = this.set.dynamic.updates
    if (dynamic === undefined || reserved(name) !== undefined) return undefined
    const { handle, validate } = dynamic
    return {
      codecs: rawCodecs,
      handle: (payload) => handle(name, payload),
      validate: validate === undefined ? undefined : (payload) => validate(name, payload)
    }
  }

  private canHandle(event: Incoming): boolean {
    return (event._tag === "SignalReceived" ? this.findSignal(event.name) : this.findUpdate(event.name)) !== undefined
  }

  // --- handling

  private handleAll(waiting: ReadonlyArray<Waiting>): Effect.Effect<void> {
    return Effect.forEach(waiting, (each) =>
      Effect.suspend(() => {
        this.handle(each)
        return Effect.yieldNow()
      }), { discard: true })
  }

  private handle(each: Waiting): void {
    if (each.event._tag === "SignalReceived") this.signal(each as Waiting<SignalReceived>)
    else this.update(each as Waiting<UpdateAccepted>)
  }

  private signal(each: Waiting<SignalReceived>): void {
    const { event, number, turn } = each
    // It could not be read when it came: a schema that reads it today comes too late for this run.
    if (event.dropped === true) return
    const found = this.findSignal(event.name)
    if (found === undefined) {
      const why = reserved(event.name)
      if (why !== undefined) return this.body.warn(`signal ${event.name} dropped: ${why}`)
      // No handler: kept for one that may be set later (row S2).
      return void this.waiting.push(each)
    }
    const payload = found.codecs.payload.decode(event.input)
    // Dropped, and said (row S4): it was refused at every sender that knows the contract.
    if (Either.isLeft(payload)) {
      if (turn === this.body.turnCount) {
        // A handler had it once: the schema changed since.
        if (this.body.replaying) return this.body.fail(this.body.unreadable(event, payload.left, number))
        ;(this.dropped ??= new Set()).add(event)
      }
      return this.body.warn(`signal ${event.name} dropped: ${payload.left.message} (event ${number})`)
    }
    const hook = this.body.hooks.signal
    const handler = hook === undefined
      ? Effect.suspend(() => found.handle(payload.right))
      : Effect.suspend(() =>
        through(
          hook,
          { signal: event.name, payload: payload.right, headers: event.headers ?? noHeaders },
          (call) => found.handle(call.payload)
        )
      )
    this.begin("signal", event.name, undefined, handler, (exit) => {
      if (Exit.isSuccess(exit)) return
      if (this.failsTurn(exit.cause)) return this.body.fail(defect(`signal ${event.name}`, exit.cause))
      // A typed failure fails the run (row S5); an interrupted handler is the author's own doing.
      if (!Cause.isInterruptedOnly(exit.cause)) this.body.failRun(exit.cause)
    })
  }

  private update(each: Waiting<UpdateAccepted>): void {
    const { event, number, turn } = each
    const { body } = this
    const late = turn !== body.turnCount
    const found = this.findUpdate(event.name)
    // One that came in this turn waits for its end: the program may set its handler (row U6).
    if (found === undefined) {
      return late ? this.refuse(event, turn) : void this.waiting.push(each)
    }
    if (late || !body.replaying) {
      const refused = this.validate(event)
      if (refused !== undefined) {
        // One that waited for its handler beyond its own turn is recorded as accepted: it fails, on every replay alike.
        if (late) body.issue({ _tag: "FailUpdate", id: event.id, failure: refused })
        else this.reject(event.id, refused)
        return
      }
    }
    const { codecs, handle } = found
    const payload = codecs.payload.decode(event.input)
    if (Either.isLeft(payload)) return body.fail(body.unreadable(event, payload.left, number))
    const hook = body.hooks.update
    const handler = hook === undefined
      ? Effect.suspend(() => handle(payload.right))
      : Effect.suspend(() => through(hook, receiptOf(event, payload.right), (call) => handle(call.payload)))
    this.begin("update", event.name, event.id, ofUpdate(event, handler), (exit) => {
      if (Exit.isSuccess(exit)) {
        const result = codecs.success.encode(exit.value)
        return Either.isLeft(result)
          ? body.fail(new BodyDefect({ in: `update ${event.name}`, reason: result.left.message }))
          : body.issue({ _tag: "CompleteUpdate", id: event.id, result: result.right })
      }
      if (this.failsTurn(exit.cause)) return body.fail(defect(`update ${event.name}`, exit.cause))
      body.issue({ _tag: "FailUpdate", id: event.id, failure: failureOf(codecs.error, exit.cause) })
    })
  }

  /** No handler has come for it. */
  private refuse(event: UpdateAccepted, turn: number): void {
    const failure = unknownUpdate(event.name, this.set.updates)
    if (turn !== this.body.turnCount) this.body.issue({ _tag: "FailUpdate", id: event.id, failure })
    else if (this.body.replaying) this.body.fail(noLonger(event.name))
    else this.reject(event.id, failure)
  }

  private reject(id: string, failure: Failure): void {
    ;(this.rejected ??= new Map()).set(id, failure)
  }

  private begin(
    kind: Running["kind"],
    name: string,
    id: string | undefined,
    handler: AnyEffect,
    ended: (exit: Exit.Exit<unknown, unknown>) => void
  ): void {
    const running: Running = { kind, name, id }
    this.running.add(running)
    this.body.fork(Effect.scoped(handler), (exit) => {
      this.running.delete(running)
      ended(exit)
    })
  }

  private failsTurn(cause: Cause.Cause<unknown>): boolean {
    return failsTurn(cause, this.body.options)
  }
}

const plain = (type: string, message: string): Failure => ({ _tag: "Application", type, message })

const noLonger = (name: string) =>
  new BodyDefect({ in: `update ${name}`, reason: "accepted before, and no longer known" })

const unknownUpdate = (name: string, known: ReadonlyMap<string, unknown>): Failure =>
  plain(
    "UnknownUpdate",
    reserved(name) === undefined ? unknown("update", name, known) : `update ${name}: ${reserved(name)}`
  )

const unknown = (kind: string, name: string, known: ReadonlyMap<string, unknown>): string =>
  `unknown ${kind} ${name}; known are: ${[...known.keys()].join(", ") || "none"}`

/** The first name among the changes that the contract does not declare: types refuse it, but may be forced. */
const undeclared = (changes: HandlerChanges, codecs: WorkflowHost["definition"]["codecs"]): string | undefined => {
  for (const kind of ["signals", "queries", "updates"] as const) {
    for (const name of changes[kind].keys()) if (!codecs[kind].has(name)) return `its contract has no ${kind} ${name}`
    if (changes.dynamic[kind] !== undefined && !codecs.dynamic.has(kind)) return `its contract has no dynamic ${kind}`
  }
  return undefined
}
