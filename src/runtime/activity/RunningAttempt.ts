/**
 * One attempt under way: its fiber, its deadlines, its heartbeats, and the one way in which it ends.
 *
 * ```
 *  begin ──▶ fiber ──▶ exit ───────────────────────▶ settled ──▶ ended: fiber and finalizers are done
 *               ├── deadline strikes ──▶ interrupt ──▶ settled, though the fiber may take its time
 *               ├── cancel, shut down ─▶ interrupt ──▶ its exit decides: it may succeed all the same
 *               ├── pause, reset ──────▶ interrupt at its next heartbeat ──▶ the same
 *               ├── completeAsync ─────▶ settled as handed over: the store keeps its time, others complete it
 *               └── abandon ───────────▶ interrupt ──▶ nobody is told
 * ```
 *
 * A transactional one is settled by the end of its transaction alone: what strikes meanwhile interrupts its code.
 *
 * 1. It is settled at most once. What the fiber makes of it after that is dropped (row A10, I9).
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as FiberRefs from "effect/FiberRefs"
import * as FiberStatus from "effect/FiberStatus"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as Scope from "effect/Scope"
import { handedUntil, inForce, isReset } from "../../core/ActivityTask.js"
import type { Failure, TimeoutKind } from "../../core/Failure.js"
import * as Activities from "../../core/family/Activity.js"
import { Limits } from "../../core/Limits.js"
import * as Payload from "../../core/Payload.js"
import type { CancellationDetails } from "../../dsl/ActivityContext.js"
import { ActivityContext, cancellationDetails } from "../../dsl/ActivityContext.js"
import { ContractError } from "../../dsl/Contract.js"
import { through } from "../../dsl/Hooks.js"
import type { ActivityHost } from "../../dsl/HostedActivity.js"
import type { TaskNotice } from "../../persistence/Store.js"
import { LazyScope } from "../LazyScope.js"
import type { Perform } from "../Performing.js"
import { Performing } from "../Performing.js"
import type { Timer, Timers } from "../Timers.js"
import type { Attempt } from "./Attempt.js"
import * as Attempts from "./Attempt.js"
import { annotating } from "./AttemptLogs.js"

/** @since 0.1.0 */
export type Result =
  | { readonly _tag: "Completed"; readonly result: Payload.Payload }
  | { readonly _tag: "Canceled" }
  /** Its outcome was recorded together with what its code wrote, or nobody waits for it (I9). */
  | { readonly _tag: "Recorded" }
  /** It goes on without its fiber (row A9). */
  | { readonly _tag: "HandedOver"; readonly startedAt: number; readonly expiresAt: number }
  | { readonly _tag: "Failed"; readonly failure: Failure }

/**
 * What an attempt asks of its worker.
 *
 * @category models
 * @since 0.1.0
 */
export interface Surroundings {
  readonly namespace: string
  readonly timers: Timers
  readonly runtime: Runtime.Runtime<never>
  readonly now: () => number
  readonly shuttingDown: () => boolean
  /** Calls back when the worker begins to shut down, at once if it has. Returns how to stop waiting. */
  readonly awaitShutdown: (resume: () => void) => () => void
  /** Runs an attempt inside of the transaction that records its outcome; calls back with the end of that. */
  readonly transact: (
    attempt: Attempt,
    work: Effect.Effect<Payload.Payload, Failure>,
    committed: () => void
  ) => Effect.Effect<Payload.Payload, Failure>
  readonly record: (attempt: Attempt, details: string, stale: (stale: boolean) => void) => void
  /** Called at most once. */
  readonly settled: (running: RunningAttempt, result: Result) => void
  /** Called once, after `settled` if that is called. */
  readonly ended: (running: RunningAttempt) => void
}

/** @since 0.1.0 */
export class RunningAttempt {
  /** A request waits to be told with the next heartbeat, or was told (row A6). */
  cancelRequested = false
  private readonly startedAt: number
  private fiber: Fiber.RuntimeFiber<Payload.Payload, Failure> | undefined
  private isSettled = false
  private interrupted: Reason | undefined
  /** What waits to be told with the next heartbeat. */
  private told: "Pause" | "Reset" | undefined
  private because: CancellationDetails | undefined
  private handedOver = false
  private transactional = false
  private recorded = false
  private struck: TimeoutKind | undefined
  private lastHeartbeatAt: number
  private current: Attempt
  private deadline: Timer | undefined
  private heartbeatDeadline: Timer | undefined
  private flushTimer: Timer | undefined
  /** The latest details, of an earlier attempt if this one gave none. */
  private details: string | undefined
  private unsent = false
  private lastSentAt = -Infinity

  constructor(attempt: Attempt, private readonly around: Surroundings) {
    this.current = attempt
    this.startedAt = around.now()
    this.lastHeartbeatAt = this.startedAt
    this.details = attempt.heartbeat
  }

  /** As its host knows it: an operator may change what follows it. */
  get attempt(): Attempt {
    return this.current
  }

  begin(host: ActivityHost): void {
    const { runtime } = this.around
    this.expectEnd()
    this.expectHeartbeat()
    const scope = new LazyScope()
    // The services are put together here, in one map: `Effect.provide` would do it again as steps of the fiber.
    const { fiberRefs, map, perform } = servicesOf(runtime, host)
    const services = new Map(map)
    services.set(ActivityContext.key, this.contextOf(host))
    services.set(Scope.Scope.key, scope)
    const context = Context.unsafeMake<ActivityContext | Scope.Scope>(services)
    const own = Runtime.make({ context, runtimeFlags: runtime.runtimeFlags, fiberRefs })
    const { input } = this.attempt.scheduled
    const work = Effect.suspend(() => perform(host.run(input))) as Effect.Effect<Payload.Payload, Failure>
    this.transactional = host.kind === "Transactional"
    const fiber = Runtime.runFork(own)(
      this.transactional ? this.around.transact(this.attempt, work, () => void (this.recorded = true)) : work
    )
    this.fiber = fiber
    fiber.addObserver((exit) => {
      const closing = scope.close(exit)
      if (closing === undefined) this.exited(exit)
      else Runtime.runFork(own)(closing).addObserver(() => this.exited(exit))
    })
  }

  /** Delivers a cancel request at once. What the attempt makes of it is its outcome (row A6). */
  cancel(): void {
    this.cancelRequested = true
    this.because ??= cancellationDetails("cancelRequested")
    this.interrupt("Cancel")
  }

  /** Nobody waits for it: it is told with its next heartbeat (row C10). */
  forget(): void {
    this.cancelRequested = true
    this.because ??= cancellationDetails("notFound")
  }

  /** What an operator made of its task (row A15): it is told with its next heartbeat. */
  notice({ forgotten, options, paused, revision }: Notice): void {
    if (revision <= (this.current.revision ?? 0)) return
    const scheduled = options === undefined ? this.current.scheduled : inForce(this.current.scheduled, options)
    this.current = { ...this.current, scheduled, forgotten, revision }
    this.told = isReset(this.current as { readonly attempt: number; readonly forgotten: number })
      ? "Reset"
      : paused
      ? "Pause"
      : undefined
    if (this.told !== undefined) this.because ??= cancellationDetails(this.told === "Pause" ? "paused" : "reset")
    // Taken back before it was told.
    else if (this.interrupted === undefined && !this.cancelRequested) this.because = undefined
  }

  shutDown(): void {
    this.because ??= cancellationDetails("workerShutdown")
    this.interrupt("Shutdown")
  }

  /** Its outcome counts no more: the attempt was given to somebody else. */
  abandon(): void {
    this.because ??= cancellationDetails("notFound")
    this.isSettled = true
    this.stopTimers()
    this.interruptFiber()
  }

  /** Records the latest details, so that the next attempt has them (row A3). */
  flush(): void {
    this.around.timers.cancel(this.flushTimer)
    this.flushTimer = undefined
    if (!this.unsent || this.details === undefined) return
    this.unsent = false
    this.lastSentAt = this.around.now()
    // Stale: the run is closed, or the attempt was given to another worker.
    this.around.record(this.attempt, this.details, (stale) => stale && !this.isSettled ? this.abandon() : undefined)
  }

  // --- internal

  private contextOf({ hooks }: ActivityHost): Context.Tag.Service<typeof ActivityContext> {
    const { heartbeat } = this.attempt
    const info = Attempts.infoOf(this.attempt, this.startedAt, this.around.namespace)
    return {
      info,
      lastHeartbeat: heartbeat === undefined ? undefined : JSON.parse(heartbeat) as unknown,
      heartbeat: (details) => through(hooks.heartbeat, { info, details }, (call) => this.heartbeat(call.details)),
      shuttingDown: Effect.sync(this.around.shuttingDown),
      awaitShutdown: Effect.async<void>((resume) => {
        const stop = this.around.awaitShutdown(() => resume(Effect.void))
        return Effect.sync(stop)
      }),
      cancellationDetails: Effect.sync(() => this.because),
      completeAsync: this.completeAsync
    }
  }

  private exited(exit: Exit.Exit<Payload.Payload, Failure>): void {
    // One that ends itself when it is told so is taken at its word.
    const reason = this.interrupted ?? this.told
    if (this.recorded) this.settle({ _tag: "Recorded" })
    else if (this.struck !== undefined) {
      this.settle(failedBy(Attempts.timedOut(this.attempt, this.struck, this.details)))
    } else if (Exit.isSuccess(exit)) this.settle({ _tag: "Completed", result: exit.value })
    else if (this.handedOver && Cause.isInterruptedOnly(exit.cause)) this.settle(this.handOver())
    else if (reason !== undefined && Cause.isInterrupted(exit.cause)) this.settle(endedBy[reason])
    else this.settle(failedBy(Attempts.failureOf(exit.cause)))
    this.around.ended(this)
  }

  private settle(result: Result): void {
    if (this.isSettled) return
    this.isSettled = true
    this.stopTimers()
    this.around.settled(this, result)
  }

  private stopTimers(): void {
    const { timers } = this.around
    timers.cancel(this.deadline)
    timers.cancel(this.heartbeatDeadline)
    timers.cancel(this.flushTimer)
    this.flushTimer = undefined
  }

  /** An interruption that nothing in the author's code catches, and that counts as what it is only if it gets out. */
  private readonly completeAsync: Effect.Effect<never> = Effect.suspend(() => {
    this.handedOver = true
    return Effect.interrupt
  })

  private handOver(): Result {
    const { scheduled, scheduledAt } = this.current
    const expiresAt = handedUntil(scheduled, scheduledAt, this.startedAt, this.lastHeartbeatAt)
    return { _tag: "HandedOver", startedAt: this.startedAt, expiresAt }
  }

  private readonly end: Effect.Effect<never> = Effect.suspend(() => {
    this.interrupted ??= this.cancelRequested || this.isSettled ? "Cancel" : this.told ?? "Cancel"
    this.interruptFiber()
    return Effect.never
  })

  /**
   * Interrupts the fiber outside of its uninterruptible regions only. Effect makes an interruption of what comes after
   * such a region, even where nothing comes after it: an attempt that is uninterruptible to its end, and succeeded,
   * would count as canceled (row A6).
   */
  private interrupt(why: Reason): void {
    const { fiber } = this
    this.interrupted ??= why
    if (fiber === undefined || fiber.unsafePoll() !== null) return
    const { runtime, now, timers } = this.around
    Runtime.runFork(runtime)(Effect.map(fiber.status, (status) => {
      if (FiberStatus.isDone(status)) return
      if (RuntimeFlags.interruptible(status.runtimeFlags)) this.interruptFiber()
      else timers.schedule(now() + reinterruptMillis, () => this.interrupt(why))
    }))
  }

  private interruptFiber(): void {
    const { fiber } = this
    if (fiber !== undefined) fiber.unsafeInterruptAsFork(fiber.id())
  }

  private timeOut(kind: TimeoutKind): void {
    this.because ??= cancellationDetails("timedOut")
    // What its code wrote may be in by now: only the end of its transaction tells.
    if (this.transactional) {
      this.struck ??= kind
      return this.interruptFiber()
    }
    this.settle(failedBy(Attempts.timedOut(this.attempt, kind, this.details)))
    this.interruptFiber()
  }

  /** Start-to-close, or what is left of schedule-to-close if that is less (rows A11, A13). */
  private expectEnd(): void {
    const { scheduled, scheduledAt } = this.attempt
    const closeBy = Activities.closeBy(scheduled, scheduledAt)
    const endBy = scheduled.startToCloseMillis === undefined
      ? undefined
      : this.startedAt + scheduled.startToCloseMillis
    if (closeBy === undefined && endBy === undefined) return
    const total = closeBy !== undefined && (endBy === undefined || closeBy <= endBy)
    this.deadline = this.around.timers.schedule(
      total ? closeBy : endBy!,
      () => this.timeOut(total ? "ScheduleToClose" : "StartToClose")
    )
  }

  /** Row A4: measured from the start, or from the last heartbeat. */
  private expectHeartbeat(): void {
    const millis = this.attempt.scheduled.heartbeatMillis
    if (millis === undefined) return
    const { now, timers } = this.around
    timers.cancel(this.heartbeatDeadline)
    this.lastHeartbeatAt = now()
    this.heartbeatDeadline = timers.schedule(now() + millis, () => this.timeOut("Heartbeat"))
  }

  /** Row A3: the first is recorded at once, later ones coalesce to the latest. */
  private heartbeat(details: unknown): Effect.Effect<void, ContractError> {
    return Effect.suspend((): Effect.Effect<void, ContractError> => {
      const checked = Payload.check(details)
      if (Either.isLeft(checked)) {
        return Effect.fail(new ContractError({ subject: "heartbeat details", reason: checked.left.message }))
      }
      // Where it may be interrupted, it ends here; where it may not, it goes on.
      if (this.isSettled || this.cancelRequested || this.told !== undefined) {
        return Effect.checkInterruptible((open) => open ? this.end : Effect.void)
      }
      this.expectHeartbeat()
      // Without details it is a sign of life: what was recorded stays.
      if (details === undefined) return Effect.void
      this.details = JSON.stringify(details)
      this.unsent = true
      const { now, timers } = this.around
      const due = this.lastSentAt + intervalOf(this.attempt)
      if (now() >= due) this.flush()
      else this.flushTimer ??= timers.schedule(due, () => this.flush())
      return Effect.void
    })
  }
}

/** What all attempts at an activity are given, put together once. */
const servicesOf = (runtime: Runtime.Runtime<never>, host: ActivityHost): Given => {
  const known = given.get(host)
  if (known !== undefined && known.runtime === runtime) return known
  const map = new Map([...runtime.context.unsafeMap, ...host.services.unsafeMap])
  const perform = Context.get(runtime.context, Performing)
  const made = { runtime, map, perform, fiberRefs: annotating(runtime.fiberRefs) }
  given.set(host, made)
  return made
}
interface Given {
  readonly runtime: Runtime.Runtime<never>
  readonly map: ReadonlyMap<string, unknown>
  readonly perform: Perform
  readonly fiberRefs: FiberRefs.FiberRefs
}
const given = new WeakMap<ActivityHost, Given>()

type Reason = "Cancel" | "Shutdown" | "Pause" | "Reset"
type Notice = Pick<TaskNotice, "forgotten" | "options" | "paused" | "revision">

/** What an attempt that let itself be interrupted ends as. */
const endedBy: { readonly [R in Reason]: Result } = {
  Cancel: { _tag: "Canceled" },
  Shutdown: { _tag: "Failed", failure: Attempts.shutDown },
  Pause: { _tag: "Failed", failure: Attempts.paused },
  Reset: { _tag: "Failed", failure: Attempts.reset }
}

/** How often a fiber that cannot be interrupted now is asked again. */
const reinterruptMillis = 10

const failedBy = (failure: Failure): Result => ({ _tag: "Failed", failure })

const intervalOf = ({ scheduled }: Attempt): number =>
  Math.min(
    Limits.heartbeatIntervalMillisMax,
    scheduled.heartbeatMillis === undefined ? Limits.heartbeatIntervalMillis : scheduled.heartbeatMillis * 0.8
  )
