/**
 * The step runner: performs the inline steps of executions that this worker has in memory (row L1).
 *
 * ```
 *   attempt ──▶ outcome ──▶ the run
 *      ▲  fails and is retried
 *      ├── short delay: waited out here, and nowhere recorded
 *      └── long delay ──▶ StepBackedOff ──▶ the run waits, and has the next attempt performed when it is due
 * ```
 *
 * A crash begins again at the first attempt, or after the last one that is recorded.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import type { Failure, RetryState } from "../core/Failure.js"
import * as Failures from "../core/Failure.js"
import type { PendingStep, StepOutcome } from "../core/family/Step.js"
import { Limits } from "../core/Limits.js"
import * as RetryPolicy from "../core/RetryPolicy.js"
import type { StepCall } from "../dsl/WorkflowContext.js"
import { Performing } from "./Performing.js"

type Outcome = StepOutcome["outcome"]
import type { Slots } from "./Slots.js"

/** @since 0.1.0 */
export class StepRunner {
  private readonly running = new Map<string, Map<number, Fiber.RuntimeFiber<void>>>()
  /** For a slot, by sequence number and run, in order. */
  private readonly waiting = new Map<string, () => void>()
  /** All whose fibers have not ended. */
  private used = 0

  constructor(
    private readonly slots: Slots,
    private readonly runtime: Runtime.Runtime<never>,
    private readonly now: () => number,
    private readonly deliver: (runId: string, outcome: Outcome) => void
  ) {}

  /** Performs a step, unless it is being performed already. */
  start(
    runId: string,
    seq: number,
    call: StepCall,
    { attempt, lastFailure, scheduledAt }: PendingStep,
    services: Context.Context<never>
  ): void {
    const key = keyOf(runId, seq)
    if (this.running.get(runId)?.has(seq) === true || this.waiting.has(key)) return
    const attempting = Effect.suspend(() =>
      this.attempt({ seq, call, closeBy: closeBy(call, scheduledAt) }, attempt, lastFailure)
    )
    this.waiting.set(key, () => this.begin(runId, seq, Effect.provide(attempting, services)))
    this.next()
  }

  private next(): void {
    for (const [key, begin] of this.waiting) {
      if (this.slots.available(this.used) <= 0) return this.slots.whenAvailable(() => this.next())
      this.waiting.delete(key)
      begin()
    }
  }

  private begin(runId: string, seq: number, attempting: Effect.Effect<Outcome>): void {
    const steps = this.running.get(runId) ?? new Map<number, Fiber.RuntimeFiber<void>>()
    this.running.set(runId, steps)
    this.slots.uses(++this.used)
    const fiber = Runtime.runFork(this.runtime)(
      Effect.map(
        attempting,
        (outcome) => {
          this.forget(runId, seq)
          this.deliver(runId, outcome)
        }
      )
    )
    // It may have ended at once; then it is no longer there to be kept.
    if (fiber.unsafePoll() === null) steps.set(seq, fiber)
    else this.forget(runId, seq)
    fiber.addObserver(() => {
      this.slots.uses(--this.used)
      this.next()
    })
  }

  cancel(runId: string, seq: number): void {
    this.waiting.delete(keyOf(runId, seq))
    const fiber = this.running.get(runId)?.get(seq)
    this.forget(runId, seq)
    fiber?.unsafeInterruptAsFork(fiber.id())
  }

  /** The execution is gone from here: whoever has it now performs its steps. */
  cancelAll(runId: string): void {
    for (const seq of this.running.get(runId)?.keys() ?? []) this.cancel(runId, seq)
    for (const key of this.waiting.keys()) if (key.endsWith(keyOf(runId, ""))) this.waiting.delete(key)
  }

  private forget(runId: string, seq: number): void {
    const steps = this.running.get(runId)
    steps?.delete(seq)
    if (steps?.size === 0) this.running.delete(runId)
  }

  private attempt(task: Task, attempt: number, lastFailure: Failure | undefined): Effect.Effect<Outcome> {
    const { call, closeBy, seq } = task
    const { scheduleToCloseMillis, startToCloseMillis } = call
    const left = closeBy === undefined ? Infinity : closeBy - this.now()
    const outOfTime: Failure = {
      _tag: "Timeout",
      timeout: "ScheduleToClose",
      message: `step ${call.name} did not end within ${scheduleToCloseMillis} ms`,
      ...(lastFailure === undefined ? {} : { cause: lastFailure })
    }
    // Its worker came too late.
    if (left <= 0) return Effect.succeed(failed(seq, attempt, outOfTime, "Timeout"))
    const timedOut: Failure = startToCloseMillis === undefined || left < startToCloseMillis
      ? outOfTime
      : {
        _tag: "Timeout",
        timeout: "StartToClose",
        message: `attempt ${attempt} of step ${call.name} did not end within ${startToCloseMillis} ms`
      }
    const millis = Math.min(startToCloseMillis ?? Infinity, left)
    const execute = Context.get(this.runtime.context, Performing)(call.execute as Effect.Effect<unknown, Failure>)
    const bounded = millis === Infinity
      ? execute
      : Effect.timeoutFail(execute, { duration: Duration.millis(millis), onTimeout: () => timedOut })
    return Effect.matchCauseEffect(bounded, {
      onSuccess: (result): Effect.Effect<Outcome> =>
        Effect.succeed({ _tag: "StepCompleted", seq, ...(result === undefined ? {} : { result }) }),
      onFailure: (cause): Effect.Effect<Outcome> => {
        const typed = Cause.failureOption(cause)
        const failure = typed._tag === "Some" ? typed.value : Failures.fromUnknown(Cause.squash(cause))
        const endedAt = this.now()
        const decision = RetryPolicy.decide(call.retry, { attempt, failure, cancelRequested: false, endedAt, closeBy })
        if (decision._tag === "Stop") return Effect.succeed(failed(seq, attempt, failure, decision.retryState))
        const { delayMillis } = decision
        if (delayMillis > call.inProcessBackoffMillisMax) {
          return Effect.succeed({
            _tag: "StepBackedOff",
            seq,
            attempt,
            failure,
            dueAt: Math.min(Limits.timeMillisMax, Math.ceil(endedAt + delayMillis))
          })
        }
        return Effect.zipRight(
          Effect.sleep(Duration.millis(delayMillis)),
          Effect.suspend(() => this.attempt(task, attempt + 1, failure))
        )
      }
    })
  }
}

const keyOf = (runId: string, seq: number | ""): string => `${seq} ${runId}`

/** What its attempts have in common. */
interface Task {
  readonly seq: number
  readonly call: StepCall
  /** No attempt may begin or run then, in epoch milliseconds. */
  readonly closeBy: number | undefined
}

const closeBy = ({ scheduleToCloseMillis }: StepCall, scheduledAt: number): number | undefined =>
  scheduleToCloseMillis === undefined ? undefined : Math.ceil(scheduledAt + scheduleToCloseMillis)

const failed = (seq: number, attempt: number, failure: Failure, retryState: RetryState): Outcome => ({
  _tag: "StepFailed",
  seq,
  attempt,
  failure,
  retryState
})
