/**
 * The journal of one body: gives each durable step its sequence number, collects the commands of the turn, and hands
 * outcomes to the fibers that wait for them. It is the `WorkflowContext` that the body sees.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type { Command } from "../../core/Command.js"
import type { Event } from "../../core/Event.js"
import type { ActivityScheduled } from "../../core/family/Activity.js"
import { Limits } from "../../core/Limits.js"
import type {
  ActivityCall,
  ActivityOutcome,
  StartedActivity,
  StepCall,
  StepOutcome,
  WorkflowInfo
} from "../../dsl/WorkflowContext.js"
import type { WorkflowContext } from "../../dsl/WorkflowContext.js"
import type { FiberTracker } from "./FiberTracker.js"
import { refuseOutsider } from "./Guard.js"
import { BodyDefect } from "./TurnFailure.js"
import type { TurnScheduler } from "./TurnScheduler.js"

type Service = Context.Tag.Service<typeof WorkflowContext>
type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>
type Erased = Effect.Effect<unknown, unknown, unknown>
type Resume<A> = (effect: Effect.Effect<A>) => void

/** Commands with the author's line, while a divergence is being traced. @since 0.1.0 */
export const places = new WeakMap<Command, string>()

/**
 * What the journal needs of the body that it belongs to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body {
  readonly scheduler: TurnScheduler
  readonly tracker: FiberTracker
  readonly isReadOnly: boolean
  readonly info: () => WorkflowInfo
  readonly handlersInProgress: number
  readonly fail: (error: Error) => void
  readonly compensate: (undo: Erased) => void
  readonly catchCancel: (effect: Erased, fallback: (reason: string) => Erased) => Erased
}

const noCommands: ReadonlyArray<Command> = []
const noSteps: ReadonlyMap<number, StepCall> = new Map()

/** Says in a fiber's status which step it waits for. */
const blockingOn = (seq: number): FiberId.FiberId => FiberId.make(-seq, 0)

/** @since 0.1.0 */
export class Journal implements Service {
  private sequence = 0
  /** The sequence number of the last step that left with an earlier turn. */
  private lastSent = 0
  private commands: Array<Command> = []
  private readonly waiters = new Map<number, (outcome: never) => void>()
  private conditions: Array<Resume<void>> = []
  /** Made for the first inline step: hardly a body has one. */
  private stepCalls: Map<number, StepCall> | undefined
  /** Counts predicates that came to hold: progress, for the re-checks. */
  conditionsMet = 0

  // Methods, and no closures: thousands of bodies are in memory.
  constructor(private readonly body: Body) {}

  /** The inline steps that have no outcome, with the effects to run. */
  get steps(): ReadonlyMap<number, StepCall> {
    return this.stepCalls ?? noSteps
  }

  takeCommands(): ReadonlyArray<Command> {
    this.lastSent = this.sequence
    if (this.commands.length === 0) return noCommands
    const taken = this.commands
    this.commands = []
    return taken
  }

  issue(command: Command): void {
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
    this.stepCalls?.delete(seq)
    waiter(event as never)
  }

  /** Resumes all fibers that wait for a condition; false when there are none. */
  recheckConditions(): boolean {
    if (this.conditions.length === 0) return false
    const parked = this.conditions
    this.conditions = []
    for (const resume of parked) resume(Effect.void)
    return true
  }

  forget(): void {
    this.waiters.clear()
    this.stepCalls = undefined
    this.conditions = []
    this.commands = []
  }

  /** A durable timer. Zero and negative durations pass at once, without an event (row W4). */
  sleep(millis: number): Effect.Effect<void> {
    if (millis <= 0) return this.writing("a durable step", () => {})
    return this.step((seq, fiber) =>
      this.pause<void>(
        fiber,
        seq,
        () => this.issue({ _tag: "StartTimer", seq, delayMillis: millis }),
        () => Effect.void,
        () => {
          if (this.waiters.delete(seq)) this.issue({ _tag: "CancelTimer", seq })
        }
      )
    )
  }

  // --- what the body sees

  get info(): Effect.Effect<WorkflowInfo> {
    return Effect.sync(() => this.body.info())
  }

  get handlersInProgress(): Effect.Effect<number> {
    return Effect.sync(() => this.body.handlersInProgress)
  }

  compensate(undo: Erased): Effect.Effect<void> {
    return this.writing("a compensation", () => this.body.compensate(undo))
  }

  catchCancel(effect: Erased, fallback: (reason: string) => Erased): Effect.Effect<never> {
    return Effect.zipRight(
      this.writing("Workflow.catchCancel", () => {}),
      this.body.catchCancel(effect, fallback)
    ) as Effect.Effect<never>
  }

  assertWritable(what: string): Effect.Effect<void> {
    return Effect.sync(() => this.mustWrite(what))
  }

  executeActivity(call: ActivityCall, place?: string): Effect.Effect<ActivityOutcome> {
    return this.step((seq, fiber) => {
      const scheduled = call(seq)
      const begin = () => this.schedule(scheduled, place)
      return scheduled.cancellation === "WaitCancellationCompleted"
        ? this.pausePatiently(seq, begin, () => this.requestCancel(scheduled))
        : this.pause<ActivityOutcome>(fiber, seq, begin, Effect.succeed, () => this.requestCancel(scheduled))
    })
  }

  private schedule(scheduled: ActivityScheduled, place: string | undefined): void {
    const command: Command = { _tag: "ScheduleActivity", seq: scheduled.seq, scheduled }
    if (place !== undefined) places.set(command, place)
    this.issue(command)
  }

  /** Asks for the cancellation of a pending activity by its type (rows C5 to C7); whether its outcome will still come. */
  private requestCancel({ cancellation, seq }: ActivityScheduled): boolean {
    if (!this.waiters.has(seq)) return false
    // Started in this very turn: both commands vanish, whatever its type is, and no outcome will come (row C8).
    const unsent = seq > this.lastSent
    if (unsent || cancellation !== "Abandon") this.issue({ _tag: "RequestCancelActivity", seq })
    if (!unsent && cancellation === "WaitCancellationCompleted") return true
    this.waiters.delete(seq)
    return false
  }

  startActivity(call: ActivityCall, place?: string): Effect.Effect<StartedActivity> {
    return this.step((seq) =>
      Effect.sync(() => {
        const scheduled = call(seq)
        let outcome: ActivityOutcome | undefined
        let cancelRequested = false
        const awaiting = new Set<Resume<ActivityOutcome>>()
        const settle = (settled: ActivityOutcome): void => {
          outcome = settled
          for (const resume of awaiting) resume(Effect.succeed(settled))
          awaiting.clear()
        }
        this.schedule(scheduled, place)
        this.wait(seq, settle)
        return {
          id: scheduled.id ?? String(seq),
          await: Effect.async<ActivityOutcome>((resume) => {
            if (outcome !== undefined) return resume(Effect.succeed(outcome))
            awaiting.add(resume)
            return Effect.sync(() => void awaiting.delete(resume))
          }, blockingOn(seq)),
          cancel: this.writing("the cancellation of an activity", () => {
            if (outcome !== undefined || cancelRequested) return
            cancelRequested = true
            if (!this.requestCancel(scheduled)) settle({ _tag: "ActivityCanceled", seq, attempt: 0 })
          })
        }
      })
    )
  }

  runStep(call: StepCall, place?: string): Effect.Effect<StepOutcome> {
    return this.step((seq, fiber) =>
      this.pause<StepOutcome>(
        fiber,
        seq,
        () => {
          const command: Command = { _tag: "RunStep", seq, name: call.name }
          if (place !== undefined) places.set(command, place)
          this.issue(command)
          this.stepCalls = (this.stepCalls ?? new Map()).set(seq, call)
        },
        Effect.succeed,
        () => {
          this.stepCalls?.delete(seq)
          if (this.waiters.delete(seq)) this.issue({ _tag: "CancelStep", seq })
        }
      )
    )
  }

  condition(predicate: Effect.Effect<boolean, never, WorkflowContext>): Effect.Effect<void> {
    const asked = predicate as Effect.Effect<boolean>
    const check: Effect.Effect<void> = Effect.flatMap(asked, (holds) => {
      if (!holds) return Effect.zipRight(park, check)
      this.conditionsMet++
      return Effect.void
    })
    const park = Effect.async<void>((resume) => {
      this.conditions.push(resume)
      return Effect.sync(() => {
        const index = this.conditions.indexOf(resume)
        if (index >= 0) this.conditions.splice(index, 1)
      })
    })
    return Effect.zipRight(this.writing("Workflow.condition", () => {}), check)
  }

  /** Suspends the fiber until the outcome of a step is there, or it is interrupted. */
  private pause<A>(
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
    return this.body.tracker.suspend(fiber, register, interrupted, blockingOn(seq))
  }

  /** As `pause`; once interrupted, the fiber ends only when the outcome is there, if one will come. */
  private pausePatiently<A>(seq: number, begin: () => void, interrupted: () => boolean): Effect.Effect<A> {
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

  private wait<A>(seq: number, waiter: (outcome: A) => void): void {
    if (this.waiters.size >= Limits.pendingMax) {
      this.body.fail(
        new BodyDefect({
          in: "the body",
          reason: `more than ${Limits.pendingMax} steps are pending at once, the limit of a run: run fewer at a time`
        })
      )
    }
    this.waiters.set(seq, waiter as (outcome: never) => void)
  }

  /**
   * Every durable step begins here: only on a fiber of this body, within its turn, and not in a query. A fiber that
   * runs on another scheduler (`Effect.runFork` in a body) would issue commands that replay cannot order.
   */
  private step<A>(begin: (seq: number, fiber: AnyFiber) => Effect.Effect<A>): Effect.Effect<A> {
    return Effect.withFiberRuntime<A>((fiber) => {
      this.assertMayWrite(fiber as AnyFiber, "a durable step")
      return begin(++this.sequence, fiber as AnyFiber)
    })
  }

  private writing(what: string, write: () => void): Effect.Effect<void> {
    return Effect.withFiberRuntime<void>((fiber) => {
      this.assertMayWrite(fiber as AnyFiber, what)
      write()
      return Effect.void
    })
  }

  private assertMayWrite(fiber: AnyFiber, what: string): void {
    this.mustWrite(what)
    const { scheduler } = this.body
    const running = (fiber as unknown as { readonly currentScheduler: unknown }).currentScheduler
    if (!scheduler.inTurn || running !== scheduler) refuseOutsider()
  }
}
