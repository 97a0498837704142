/**
 * The step runner: performs the inline steps of executions that this worker has in memory (row L1).
 *
 * Attempts and the delays between them live in this process alone: a crash begins again at the first attempt.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import type { Failure } from "../core/Failure.js"
import * as Failures from "../core/Failure.js"
import type { StepOutcome } from "../core/family/Step.js"
import { Limits } from "../core/Limits.js"
import * as RetryPolicy from "../core/RetryPolicy.js"
import type { StepCall } from "../dsl/WorkflowContext.js"
import { Performing } from "./Performing.js"

type Outcome = StepOutcome["outcome"]

/** @since 0.1.0 */
export class StepRunner {
  private readonly running = new Map<string, Map<number, Fiber.RuntimeFiber<void>>>()
  private readonly slots = Effect.unsafeMakeSemaphore(Limits.concurrentStepsMax)

  constructor(
    private readonly runtime: Runtime.Runtime<never>,
    private readonly now: () => number,
    private readonly deliver: (runId: string, outcome: Outcome) => void
  ) {}

  /** Performs a step, unless it is being performed already. */
  start(runId: string, seq: number, call: StepCall, services: Context.Context<never>): void {
    const steps = this.running.get(runId) ?? new Map<number, Fiber.RuntimeFiber<void>>()
    if (steps.has(seq)) return
    this.running.set(runId, steps)
    const fiber = Runtime.runFork(this.runtime)(
      Effect.map(
        this.slots.withPermits(1)(Effect.provide(this.attempt(seq, call, 1), services)),
        (outcome) => {
          this.forget(runId, seq)
          this.deliver(runId, outcome)
        }
      )
    )
    // It may have ended at once; then it is no longer there to be kept.
    if (fiber.unsafePoll() === null) steps.set(seq, fiber)
    else this.forget(runId, seq)
  }

  cancel(runId: string, seq: number): void {
    const fiber = this.running.get(runId)?.get(seq)
    this.forget(runId, seq)
    fiber?.unsafeInterruptAsFork(fiber.id())
  }

  /** The execution is gone from here: whoever has it now performs its steps. */
  cancelAll(runId: string): void {
    for (const seq of this.running.get(runId)?.keys() ?? []) this.cancel(runId, seq)
  }

  private forget(runId: string, seq: number): void {
    const steps = this.running.get(runId)
    steps?.delete(seq)
    if (steps?.size === 0) this.running.delete(runId)
  }

  private attempt(seq: number, call: StepCall, attempt: number): Effect.Effect<Outcome> {
    const timeout = call.startToCloseMillis
    const timedOut: Failure = {
      _tag: "Timeout",
      timeout: "StartToClose",
      message: `attempt ${attempt} of step ${call.name} did not end within ${timeout} ms`
    }
    const execute = Context.get(this.runtime.context, Performing)(call.execute as Effect.Effect<unknown, Failure>)
    const bounded = timeout === undefined
      ? execute
      : Effect.timeoutFail(execute, { duration: Duration.millis(timeout), onTimeout: () => timedOut })
    return Effect.matchCauseEffect(bounded, {
      onSuccess: (result): Effect.Effect<Outcome> =>
        Effect.succeed({ _tag: "StepCompleted", seq, ...(result === undefined ? {} : { result }) }),
      onFailure: (cause): Effect.Effect<Outcome> => {
        const failed = Cause.failureOption(cause)
        const failure = failed._tag === "Some" ? failed.value : Failures.fromUnknown(Cause.squash(cause))
        const decision = RetryPolicy.decide(call.retry, {
          attempt,
          failure,
          cancelRequested: false,
          endedAt: this.now(),
          closeBy: undefined
        })
        return decision._tag === "Stop"
          ? Effect.succeed({ _tag: "StepFailed", seq, attempt, failure, retryState: decision.retryState })
          : Effect.zipRight(
            Effect.sleep(Duration.millis(decision.delayMillis)),
            Effect.suspend(() => this.attempt(seq, call, attempt + 1))
          )
      }
    })
  }
}
