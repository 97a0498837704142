/**
 * The steps of one body: numbers each, collects the commands of the turn, and hands outcomes to the fibers that wait
 * for them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type { Command } from "../../core/Command.js"
import type { Event } from "../../core/Event.js"
import { Limits } from "../../core/Limits.js"
import * as Summary from "../../dsl/Summary.js"
import type { FiberTracker } from "./FiberTracker.js"
import { refuseOutsider } from "./Guard.js"
import { BodyDefect } from "./TurnFailure.js"
import type { TurnScheduler } from "./TurnScheduler.js"

/** @since 0.1.0 */
export type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>
type Resume<A> = (effect: Effect.Effect<A>) => void

/** Commands with the author's line, while a divergence is being traced. @since 0.1.0 */
export const places = new WeakMap<Command, string>()

/**
 * What the steps need of the body that they belong to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body {
  readonly scheduler: TurnScheduler
  readonly tracker: FiberTracker
  readonly isReadOnly: boolean
  /** Of the event that is being taken in: counts from 1 over the history. */
  readonly eventNumber: number
  readonly fail: (error: Error) => void
}

const noCommands: ReadonlyArray<Command> = []

/** Says in a fiber's status which step it waits for. @since 0.1.0 */
export const blockingOn = (seq: number): FiberId.FiberId => FiberId.make(-seq, 0)

/** @since 0.1.0 */
export class Steps<B extends Body = Body> {
  private sequence = 0
  /** The sequence number of the last step that left with an earlier turn. */
  private lastSent = 0
  private commands: Array<Command> = []
  /** Made for the first outcome that may be read in a later turn. */
  private numbers: WeakMap<object, number> | undefined
  /** What pending steps are for: made for the first one that says it (row W20). */
  private summaries: Map<number, string> | undefined
  private readonly waiters = new Map<number, (outcome: never) => void>()

  // Methods, and no closures: thousands of bodies are in memory.
  constructor(protected readonly body: B) {}

  takeCommands(): ReadonlyArray<Command> {
    this.lastSent = this.sequence
    if (this.commands.length === 0) return noCommands
    const taken = this.commands
    this.commands = []
    return taken
  }

  /** With the line that asked for it, where it is known. */
  issue(command: Command, place?: string): void {
    if (place !== undefined) places.set(command, place)
    this.commands.push(command)
  }

  /** Throws in a query or validator (I11). */
  mustWrite(what: string): void {
    if (this.body.isReadOnly) {
      throw new BodyDefect({ in: "a query or validator", reason: `${what} is not allowed there: it only reads` })
    }
  }

  /** Hands an outcome to what waits for it. One that nobody waits for any more was canceled: it is left. */
  deliver(event: Event): void {
    const { seq } = event as { readonly seq?: number }
    const waiter = seq === undefined ? undefined : this.waiters.get(seq)
    if (seq === undefined || waiter === undefined) return
    this.waiters.delete(seq)
    this.summaries?.delete(seq)
    waiter(event as never)
  }

  /** Keeps which event of the history an outcome is: it may be read in a later turn. */
  number(event: object): void {
    this.numbers = (this.numbers ?? new WeakMap<object, number>()).set(event, this.body.eventNumber)
  }

  protected numberOf(event: object): number {
    return this.numbers?.get(event) ?? this.body.eventNumber
  }

  forget(): void {
    this.waiters.clear()
    this.summaries = undefined
    this.commands = []
  }

  /** What a step is for: as it says itself, else as its fiber does. */
  summarize(fiber: AnyFiber, seq: number, own?: string): string | undefined {
    const summary = own ?? fiber.getFiberRef(Summary.current)
    if (summary !== undefined) this.summaries = (this.summaries ?? new Map<number, string>()).set(seq, summary)
    return summary
  }

  summaryOf(seq: number): string | undefined {
    return this.summaries?.get(seq)
  }

  isPending(seq: number): boolean {
    return this.waiters.has(seq)
  }

  /** Whether the step began in this very turn. */
  isUnsent(seq: number): boolean {
    return seq > this.lastSent
  }

  /** Waits no longer for the outcome of a step; whether it did. */
  leave(seq: number): boolean {
    this.summaries?.delete(seq)
    return this.waiters.delete(seq)
  }

  /** Suspends the fiber until the outcome of a step is there, or it is interrupted. */
  pause<A>(
    fiber: AnyFiber,
    seq: number,
    begin: () => void,
    read: (outcome: A) => Effect.Effect<A>,
    interrupted: () => void
  ): Effect.Effect<A> {
    const register = (resume: Resume<A>): void => {
      begin()
      this.wait(seq, (outcome: A) => resume(read(outcome)))
    }
    return this.suspend(fiber, seq, register, interrupted)
  }

  /** Suspends the fiber until it is resumed, or interrupted. */
  suspend<A>(
    fiber: AnyFiber,
    seq: number,
    register: (resume: Resume<A>) => void,
    interrupted: () => void
  ): Effect.Effect<A> {
    return this.body.tracker.suspend(fiber, register, interrupted, blockingOn(seq))
  }

  /** As `pause`; once interrupted, the fiber ends only when the outcome is there, if one will come. */
  pausePatiently<A>(seq: number, begin: () => void, interrupted: () => boolean): Effect.Effect<A> {
    return Effect.async<A>((resume) => {
      begin()
      this.wait(seq, (outcome: A) => resume(Effect.succeed(outcome)))
      return Effect.suspend(() =>
        interrupted()
          ? Effect.async<void>((resume) => void this.waiters.set(seq, () => resume(Effect.void)), blockingOn(seq))
          : Effect.void
      )
    }, blockingOn(seq))
  }

  wait<A>(seq: number, waiter: (outcome: A) => void): void {
    if (this.waiters.size >= Limits.waitingMax) {
      this.body.fail(
        new BodyDefect({
          in: "the body",
          reason: `more than ${Limits.waitingMax} steps are pending at once, the limit of a run: run fewer at a time`
        })
      )
    }
    this.waiters.set(seq, waiter as (outcome: never) => void)
  }

  /**
   * Every durable step begins here: only on a fiber of this body, within its turn, and not in a query. A fiber that
   * runs on another scheduler (`Effect.runFork` in a body) would issue commands that replay cannot order.
   */
  step<A>(begin: (seq: number, fiber: AnyFiber) => Effect.Effect<A>): Effect.Effect<A> {
    return Effect.withFiberRuntime<A>((fiber) => {
      this.assertMayWrite(fiber as AnyFiber, "a durable step")
      return begin(++this.sequence, fiber as AnyFiber)
    })
  }

  writing<A>(what: string, write: (fiber: AnyFiber) => A): Effect.Effect<A> {
    return Effect.withFiberRuntime<A>((fiber) => {
      this.assertMayWrite(fiber as AnyFiber, what)
      return Effect.succeed(write(fiber as AnyFiber))
    })
  }

  private assertMayWrite(fiber: AnyFiber, what: string): void {
    this.mustWrite(what)
    const { scheduler } = this.body
    const running = (fiber as unknown as { readonly currentScheduler: unknown }).currentScheduler
    if (!scheduler.inTurn || running !== scheduler) refuseOutsider()
  }
}
