/**
 * The handlers of one body: takes in signals and updates, and answers queries.
 *
 * Messages that come before the body has set its handlers up wait, and are handled in order before its program begins
 * (row W9).
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type { Command } from "../../core/Command.js"
import type { Failure } from "../../core/Failure.js"
import type { SignalReceived } from "../../core/family/Signal.js"
import type { UpdateAccepted } from "../../core/family/Update.js"
import type { ErasedImplementation } from "../../dsl/ErasedHandlers.js"
import type { WorkflowHost } from "../../dsl/Workflow.js"
import { failsTurn, failureOf, messageOf } from "./CauseFailure.js"
import { BodyDefect, defect } from "./TurnFailure.js"

type Erased = Effect.Effect<unknown, unknown, unknown>
type Incoming = SignalReceived | UpdateAccepted

/**
 * What the handlers need of the body that they belong to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body {
  readonly definition: WorkflowHost["definition"]
  readonly replaying: boolean
  /** Counts the turns taken in since the body is in memory. */
  readonly turnCount: number
  readonly fork: (effect: Erased, ended: (exit: Exit.Exit<unknown, unknown>) => void) => void
  readonly readOnly: (effect: Erased) => Exit.Exit<unknown, unknown>
  readonly issue: (command: Command) => void
  readonly warn: (message: string) => void
  /** Fails the turn. */
  readonly fail: (error: Error) => void
  /** Fails the run. */
  readonly failRun: (cause: Cause.Cause<unknown>) => void
}

/** @since 0.1.0 */
export const none: ErasedImplementation = {
  signals: new Map(),
  queries: new Map(),
  updates: new Map(),
  run: Effect.void
}

const noneRejected: ReadonlyMap<string, Failure> = new Map()

/** @since 0.1.0 */
export class Handlers {
  /** What `of` made; undefined until the body has got there. */
  implementation: ErasedImplementation | undefined
  /** Handlers that have begun and not ended (row S9). */
  inProgress = 0
  private waiting: Array<{ readonly event: Incoming; readonly turn: number }> = []
  private rejected: Map<string, Failure> | undefined

  constructor(private readonly body: Body) {
    const { queries, signals, updates } = body.definition.codecs
    if (signals.size + queries.size + updates.size === 0) this.implementation = none
  }

  /** Whether a signal or update can get the body on: it has handlers for some. */
  get reachable(): boolean {
    const { implementation } = this
    return implementation !== undefined && implementation.signals.size + implementation.updates.size > 0
  }

  /** The updates that were refused since this was last asked. */
  takeRejected(): ReadonlyMap<string, Failure> {
    const taken = this.rejected ?? noneRejected
    this.rejected = undefined
    return taken
  }

  forget(): void {
    this.implementation = none
    this.waiting = []
  }

  deliver(event: Incoming): void {
    if (this.implementation === undefined) this.waiting.push({ event, turn: this.body.turnCount })
    else this.handle(event, this.body.turnCount)
  }

  /**
   * Sets the handlers up. What waits is handled one by one: each handler gets as far as it can before the next message
   * is looked at, so that the validator of an update sees what the messages before it did (row U9).
   */
  setUp(implementation: ErasedImplementation): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.implementation ??= implementation
      const waiting = this.waiting
      this.waiting = []
      return Effect.forEach(waiting, ({ event, turn }) =>
        Effect.suspend(() => {
          this.handle(event, turn)
          return Effect.yieldNow()
        }), { discard: true })
    })
  }

  /** Why the update is refused; undefined if it is not (row U2). */
  validate(update: Pick<UpdateAccepted, "name"> & { readonly input?: unknown }): Failure | undefined {
    const handler = this.implementation?.updates.get(update.name)
    const codecs = this.body.definition.codecs.updates.get(update.name)
    if (handler === undefined || codecs === undefined) {
      return plain("UnknownUpdate", unknown("update", update.name, this.implementation?.updates))
    }
    const payload = codecs.payload.decode(update.input)
    if (Either.isLeft(payload)) return plain("ContractError", payload.left.message)
    const { validate } = handler
    if (validate === undefined) return undefined
    const exit = this.body.readOnly(Effect.suspend(() => validate(payload.right)))
    return Exit.isFailure(exit) ? failureOf(codecs.error, exit.cause) : undefined
  }

  query(name: string, input: unknown): Either.Either<unknown, string> {
    if (this.implementation === undefined) return Either.left("the run has not set up its handlers yet")
    const handler = this.implementation.queries.get(name)
    const codecs = this.body.definition.codecs.queries.get(name)
    if (handler === undefined || codecs === undefined) {
      return Either.left(unknown("query", name, this.implementation.queries))
    }
    const payload = codecs.payload.decode(input)
    if (Either.isLeft(payload)) return Either.left(payload.left.message)
    const exit = this.body.readOnly(Effect.suspend(() => handler(payload.right)))
    return Exit.isFailure(exit)
      ? Either.left(messageOf(exit.cause))
      : Either.mapLeft(codecs.success.encode(exit.value), (error) => error.message)
  }

  // --- internal

  private handle(event: Incoming, turn: number): void {
    if (event._tag === "SignalReceived") this.signal(event, turn)
    else this.update(event, turn)
  }

  private signal(event: SignalReceived, turn: number): void {
    const handler = this.implementation?.signals.get(event.name)
    const codecs = this.body.definition.codecs.signals.get(event.name)
    // No handler: kept for one that may be set later (row S2).
    if (handler === undefined || codecs === undefined) return void this.waiting.push({ event, turn })
    const payload = codecs.payload.decode(event.input)
    // Dropped, and said (row S4): it was refused at every sender that knows the contract.
    if (Either.isLeft(payload)) return this.body.warn(`signal ${event.name} dropped: ${payload.left.message}`)
    this.begin(Effect.suspend(() => handler(payload.right)), (exit) => {
      if (Exit.isSuccess(exit)) return
      if (this.failsTurn(exit.cause)) return this.body.fail(defect(`signal ${event.name}`, exit.cause))
      // A typed failure fails the run (row S5); an interrupted handler is the author's own doing.
      if (!Cause.isInterruptedOnly(exit.cause)) this.body.failRun(exit.cause)
    })
  }

  private update(event: UpdateAccepted, turn: number): void {
    const { body } = this
    const late = turn !== body.turnCount
    if (late || !body.replaying) {
      const refused = this.validate(event)
      if (refused !== undefined) {
        // One that waited for its handler beyond its own turn is recorded as accepted: it fails, on every replay alike.
        if (late) body.issue({ _tag: "FailUpdate", id: event.id, failure: refused })
        else (this.rejected ??= new Map()).set(event.id, refused)
        return
      }
    }
    const handler = this.implementation?.updates.get(event.name)
    const codecs = body.definition.codecs.updates.get(event.name)
    const payload = codecs?.payload.decode(event.input)
    if (handler === undefined || codecs === undefined || payload === undefined || Either.isLeft(payload)) {
      return body.fail(
        new BodyDefect({ in: `update ${event.name}`, reason: "accepted before, and no longer known or readable" })
      )
    }
    this.begin(Effect.suspend(() => handler.handle(payload.right)), (exit) => {
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

  private begin(handler: Erased, ended: (exit: Exit.Exit<unknown, unknown>) => void): void {
    this.inProgress++
    this.body.fork(Effect.scoped(handler), (exit) => {
      this.inProgress--
      ended(exit)
    })
  }

  private failsTurn(cause: Cause.Cause<unknown>): boolean {
    return failsTurn(cause, this.body.definition.options)
  }
}

const plain = (type: string, message: string): Failure => ({ _tag: "Application", type, message })

const unknown = (kind: string, name: string, known: ReadonlyMap<string, unknown> | undefined): string =>
  `unknown ${kind} ${name}; known are: ${[...known?.keys() ?? []].join(", ") || "none"}`
