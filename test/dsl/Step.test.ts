import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { ActivityError, ApplicationError, Step } from "perdure"
import type { Failure } from "../../src/core/Failure.js"
import * as RetryPolicy from "../../src/core/RetryPolicy.js"
import { fake } from "./context.js"

describe("Step.run", () => {
  it.effect("L1: asks for a step by its name, with the retries of row R1", () =>
    Effect.gen(function*() {
      const { asked, provide } = fake()
      yield* provide(Step.run("tick", { execute: Effect.void }))
      yield* provide(Step.run("tock", {
        execute: Effect.void,
        retry: { maximumAttempts: 1 },
        startToCloseTimeout: "1 second"
      }))
      assert.deepStrictEqual(
        asked.steps.map(({ name, retry, startToCloseMillis }) => ({ name, retry, startToCloseMillis })),
        [
          { name: "tick", retry: RetryPolicy.activityDefault, startToCloseMillis: undefined },
          { name: "tock", retry: RetryPolicy.make({ maximumAttempts: 1 }), startToCloseMillis: 1_000 }
        ]
      )
    }))

  it.effect("L1: says how long it may take as a whole, and which delays are durable", () =>
    Effect.gen(function*() {
      const { asked, provide } = fake()
      yield* provide(Step.run("tick", { execute: Effect.void }))
      yield* provide(Step.run("tock", {
        execute: Effect.void,
        scheduleToCloseTimeout: "1 hour",
        inProcessBackoffMax: Duration.infinity
      }))
      yield* provide(Step.run("tack", { execute: Effect.void, inProcessBackoffMax: 0 }))
      assert.deepStrictEqual(
        asked.steps.map(({ inProcessBackoffMillisMax, scheduleToCloseMillis }) => [
          scheduleToCloseMillis,
          inProcessBackoffMillisMax
        ]),
        [[undefined, 10_000], [3_600_000, Infinity], [undefined, 0]]
      )
    }))

  it.effect("the effect itself is not run by the body", () =>
    Effect.gen(function*() {
      const { provide } = fake()
      yield* provide(Step.run("tick", { execute: Effect.die("run in the body") }))
    }))

  it.effect("what is to run gives encoded values and recorded failures", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* performed(Step.run("a", { success: Schema.Date, execute: Effect.succeed(new Date(0)) })),
        Either.right("1970-01-01T00:00:00.000Z")
      )
      const declared = yield* performed(Step.run("b", { error: Lost, execute: new Lost({ hops: 1 }) }))
      assert.deepInclude(Either.getOrThrow(Either.flip(declared)), {
        _tag: "Declared",
        error: { _tag: "Lost", hops: 1 }
      })
      const application = new ApplicationError({ type: "T", message: "m", nonRetryable: true })
      assert.deepInclude(
        Either.getOrThrow(Either.flip(yield* performed(Step.run("c", { execute: application })))),
        { _tag: "Application", type: "T", nonRetryable: true }
      )
      const notJson = yield* performed(Step.run("d", { success: Schema.Unknown, execute: Effect.succeed(1n) }))
      assert.deepInclude(Either.getOrThrow(Either.flip(notJson)), { _tag: "Application", nonRetryable: true })
    }))

  it.effect("gives the decoded success of what was recorded", () =>
    Effect.gen(function*() {
      const { provide } = fake({ step: () => ({ _tag: "StepCompleted", seq: 1, result: "1970-01-01T00:00:00.000Z" }) })
      const step = Step.run("tick", { success: Schema.Date, execute: Effect.die("run in the body") })
      assert.deepStrictEqual(yield* provide(step), new Date(0))
    }))

  it.effect("a declared error is itself again, any other an ActivityError", () =>
    Effect.gen(function*() {
      const failing = (failure: Failure) =>
        Effect.flip(
          fake({
            step: () => ({ _tag: "StepFailed", seq: 7, attempt: 1, failure, retryState: "NonRetryableFailure" })
          }).provide(Step.run("tick", { error: Lost, execute: Effect.void }))
        )
      const lost = yield* failing({ _tag: "Declared", type: "Lost", message: "", error: { _tag: "Lost", hops: 3 } })
      assert.instanceOf(lost, Lost)
      const other = yield* failing({ _tag: "Application", type: "Boom", message: "no" })
      assert.instanceOf(other, ActivityError)
      assert.strictEqual(other.message, "activity tick (#7) ended at attempt 1 (NonRetryableFailure): Boom: no")
    }))
})

class Lost extends Schema.TaggedError<Lost>()("Lost", { hops: Schema.Number }) {}

/** What the owner of the run performs for the step. */
const performed = <A, E, R>(step: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const { asked, provide } = fake()
    yield* Effect.exit(provide(step) as Effect.Effect<A, E>)
    return yield* Effect.either(asked.steps[0]!.execute as Effect.Effect<unknown, Failure>)
  })
