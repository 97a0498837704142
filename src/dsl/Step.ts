/**
 * Inline steps: an effect that is run once by the owner of the run, and whose result is recorded (row L1).
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Failure } from "../core/Failure.js"
import * as Failures from "../core/Failure.js"
import { Limits } from "../core/Limits.js"
import * as RetryPolicy from "../core/RetryPolicy.js"
import { checkName } from "./Activity.js"
import type { ActivityError } from "./ActivityError.js"
import type { ApplicationError } from "./ApplicationError.js"
import type { AnySchema, TypeOf } from "./Contract.js"
import * as Contract from "./Contract.js"
import { through } from "./Hooks.js"
import { decodeFailure, encodeFailure } from "./HostedActivity.js"
import * as Place from "./Place.js"
import * as Summary from "./Summary.js"
import { WorkflowContext } from "./WorkflowContext.js"

/**
 * Marks a service that only inline steps of a body use: the workflow's Layer asks for it, the body cannot reach it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Needs<out R> {
  readonly _: unique symbol
  readonly services: (_: never) => R
}

/**
 * Runs an effect outside the body and records its outcome; on replay the outcome is read, and the effect does not run.
 *
 * It runs in the process that owns the run, without a queue: for short work. A crash before the outcome is recorded
 * runs it again. Retries happen in process, with the defaults of row R1; before a retry that is further off than
 * `inProcessBackoffMax` the failed attempt is recorded, and the run waits as for a timer: it may leave memory, a crash
 * loses nothing of the wait, and the step goes on at the next attempt. Interrupting it interrupts the effect, or ends
 * the wait.
 *
 * Fails with its declared `error`, or `ActivityError` when it failed for good otherwise.
 *
 * @category constructors
 * @since 0.1.0
 */
export const run = <
  S extends AnySchema | undefined = undefined,
  E extends AnySchema | undefined = undefined,
  R = never
>(name: string, options: {
  readonly success?: S
  readonly error?: E
  readonly execute: Effect.Effect<TypeOf<S, void>, TypeOf<E, never> | ApplicationError, R>
  readonly retry?: RetryPolicy.Options | undefined
  /** Longest time of one attempt. Default: none. */
  readonly startToCloseTimeout?: Duration.DurationInput | undefined
  /**
   * Longest time of the step, with all attempts and the delays between them; no retry begins after it, and an attempt
   * that is under way then is ended. Default: none.
   */
  readonly scheduleToCloseTimeout?: Duration.DurationInput | undefined
  /** Longest delay between two attempts that is waited out in process, unrecorded. Default 10 seconds. */
  readonly inProcessBackoffMax?: Duration.DurationInput | undefined
  /** What it is for, in a line of at most 400 characters, for who looks at the run (row W20). */
  readonly summary?: string | undefined
}): Effect.Effect<
  TypeOf<S, void>,
  TypeOf<E, never> | ActivityError,
  WorkflowContext | ([R] extends [never] ? never : Needs<R>)
> => {
  const place = Place.capture(run)
  checkName("step", name)
  const tooLong = Summary.refused(`step ${name}`, options.summary)
  if (tooLong !== undefined) throw tooLong
  const success = Contract.codec(options.success ?? Schema.Void, `result of step ${name}`)
  const error = Contract.codec(options.error ?? Contract.neverSchema, `error of step ${name}`)
  const retry = options.retry === undefined ? RetryPolicy.activityDefault : RetryPolicy.make(options.retry)
  const execute = Effect.matchEffect(options.execute as Effect.Effect<unknown, unknown, unknown>, {
    onFailure: (failed) => Effect.fail(encodeFailure(error, failed)),
    onSuccess: (value) => {
      const encoded = success.encode(value)
      return Either.isLeft(encoded)
        ? Effect.fail<Failure>({ ...Failures.fromUnknown(encoded.left), nonRetryable: true })
        : Effect.succeed(encoded.right)
    }
  })
  return Effect.flatMap(WorkflowContext, (context) => {
    const running = Effect.flatMap(
      context.runStep({
        name,
        execute,
        retry,
        startToCloseMillis: millis(options.startToCloseTimeout),
        scheduleToCloseMillis: millis(options.scheduleToCloseTimeout),
        inProcessBackoffMillisMax: options.inProcessBackoffMax === undefined
          ? Limits.stepBackoffMillisMax
          : Duration.toMillis(options.inProcessBackoffMax),
        summary: options.summary
      }, place),
      (outcome) => {
        if (outcome._tag === "StepFailed") {
          return Effect.fail(decodeFailure(error, name, String(outcome.seq), outcome))
        }
        const value = success.decode(outcome.result)
        return Either.isLeft(value) ? context.unreadable(outcome, value.left) : Effect.succeed(value.right)
      }
    )
    const hook = context.hooks.runStep
    return hook === undefined ? running : through(hook, { step: name }, () => running)
  }) as never
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** An endless time is none. */
const millis = (input: Duration.DurationInput | undefined): number | undefined => {
  const found = input === undefined ? Infinity : Duration.toMillis(input)
  return found < Limits.durationMillisMax ? found : undefined
}
