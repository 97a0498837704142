import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Activity, ActivityError, ApplicationError, ContractError } from "perdure"
import type { Failure } from "../../src/core/Failure.js"
import * as RetryPolicy from "../../src/core/RetryPolicy.js"
import { ActivityContext } from "../../src/dsl/ActivityContext.js"
import { hostTag } from "../../src/dsl/HostedActivity.js"
import type { WorkflowContext } from "../../src/dsl/WorkflowContext.js"
import { fake } from "./context.js"

describe("Activity.execute", () => {
  it.effect("gives the encoded payload and the options of the definition", () =>
    Effect.gen(function*() {
      const { asked, provide } = fake({ activity: () => pinged })
      yield* provide(Ping.execute({ at: new Date(0) }))
      assert.deepStrictEqual(asked.activities, [{
        name: "Ping",
        input: { at: "1970-01-01T00:00:00.000Z" },
        startToCloseMillis: 30_000,
        retry: RetryPolicy.make({ maximumAttempts: 3 })
      }])
    }))

  it.effect("options of the call win over those of the definition", () =>
    Effect.gen(function*() {
      const { asked, provide } = fake({ activity: () => pinged })
      yield* provide(Ping.execute({ at: new Date(0) }, {
        startToCloseTimeout: "1 second",
        scheduleToStartTimeout: "2 seconds",
        scheduleToCloseTimeout: "3 seconds",
        heartbeatTimeout: "4 seconds",
        retry: { maximumAttempts: 1 },
        cancellation: "Abandon",
        taskQueue: "pings",
        activityId: "ping"
      }))
      assert.deepStrictEqual(asked.activities, [{
        name: "Ping",
        id: "ping",
        taskQueue: "pings",
        input: { at: "1970-01-01T00:00:00.000Z" },
        startToCloseMillis: 1_000,
        scheduleToStartMillis: 2_000,
        scheduleToCloseMillis: 3_000,
        heartbeatMillis: 4_000,
        retry: RetryPolicy.make({ maximumAttempts: 1 }),
        cancellation: "Abandon"
      }])
    }))

  it.effect("what is the default is left out of the event", () =>
    Effect.gen(function*() {
      const { asked, provide } = fake()
      const Plain = Activity.make("Plain", { scheduleToCloseTimeout: "1 second", cancellation: "TryCancel" })
      yield* provide(Plain.execute())
      assert.deepStrictEqual(asked.activities, [{ name: "Plain", scheduleToCloseMillis: 1_000 }])
    }))

  it.effect("an endless timeout is a timeout, which JSON can hold (row A14)", () =>
    Effect.gen(function*() {
      const { asked, provide } = fake()
      const Endless = Activity.make("Endless", { startToCloseTimeout: Duration.infinity })
      yield* provide(Endless.execute())
      assert.deepStrictEqual(JSON.parse(JSON.stringify(asked.activities)), asked.activities)
      assert.strictEqual(asked.activities[0]?.startToCloseMillis, 1e15)
    }))

  for (const how of ["execute", "start"] as const) {
    it.effect(`A14: ${how} without a timeout dies and says what is needed`, () =>
      Effect.gen(function*() {
        const { asked, provide } = fake()
        const Loose = Activity.make("Loose", { scheduleToStartTimeout: "1 second", heartbeatTimeout: "1 second" })
        assert.strictEqual(
          defectOf(
            yield* Effect.exit(provide<unknown, unknown, WorkflowContext | Activity.Hosted<string>>(Loose[how]()))
          ),
          "activity Loose: needs a startToCloseTimeout or a scheduleToCloseTimeout, in its definition or at the call"
        )
        assert.deepStrictEqual(asked.activities, [])
      }))

    it.effect(`D9: ${how} refuses ids that are empty or too long`, () =>
      Effect.gen(function*() {
        const { asked, provide } = fake()
        const Ids = Activity.make("Ids", { startToCloseTimeout: "1 second" })
        for (const what of ["activityId", "taskQueue"] as const) {
          for (const id of ["", "x".repeat(1_001)]) {
            const asking = Ids[how](undefined, { [what]: id } as never)
            const exit = yield* Effect.exit(
              provide<unknown, unknown, WorkflowContext | Activity.Hosted<string>>(asking as never)
            )
            assert.strictEqual(defectOf(exit), `activity Ids: its ${what} must have 1 to 1000 characters`)
          }
        }
        assert.deepStrictEqual(asked.activities, [])
      }))

    it.effect(`${how} with a payload that does not fit its schema dies, and nothing is scheduled`, () =>
      Effect.gen(function*() {
        const { asked, provide } = fake()
        const exit = yield* Effect.exit(
          provide<unknown, unknown, WorkflowContext | Activity.Hosted<string>>(Ping[how]({ at: "today" } as never))
        )
        assert.match(defectOf(exit), /^payload of activity Ping: [^]*\["at"\][^]*actual "today"/)
        assert.deepStrictEqual(asked.activities, [])
      }))
  }

  it.effect("A14: a timeout at the call is enough", () =>
    Effect.gen(function*() {
      const { asked, provide } = fake()
      const Loose = Activity.make("Loose")
      yield* provide(Loose.execute(undefined, { scheduleToCloseTimeout: "1 second" }))
      yield* provide(Loose.start(undefined, { startToCloseTimeout: "1 second" }))
      assert.strictEqual(asked.activities.length, 2)
    }))

  const notJson: ReadonlyArray<readonly [string, unknown, string]> = [
    ["a Date", { at: new Date(0) }, "payload at at: a Date is not JSON; give the schema an encoding"],
    ["NaN", [NaN], "payload at [0]: NaN is not JSON"],
    ["a bigint", 1n, "payload: a value of type bigint is not JSON"],
    ["too much", "x".repeat(3_000_000), "payload: 3000002 bytes, more than 2097152"]
  ]
  for (const [what, value, reason] of notJson) {
    it.effect(`a payload that is not JSON dies at the call: ${what}`, () =>
      Effect.gen(function*() {
        const { asked, provide } = fake()
        const Any = Activity.make("Any", { payload: Schema.Unknown, startToCloseTimeout: "1 second" })
        assert.strictEqual(
          defectOf(yield* Effect.exit(provide(Any.execute(value)))),
          `payload of activity Any: ${reason}`
        )
        assert.deepStrictEqual(asked.activities, [])
      }))
  }

  it.effect("gives the decoded success", () =>
    Effect.gen(function*() {
      const { provide } = fake({ activity: () => pinged })
      const { seen } = yield* provide(Ping.execute({ at: new Date(0) }))
      assert.strictEqual(seen.getTime(), Date.UTC(2020, 0, 1))
    }))

  it.effect("a recorded result that no longer fits the schema is a defect, which fails the turn (I7)", () =>
    Effect.gen(function*() {
      const { provide } = fake({ activity: () => completed({ seen: 1 }) })
      assert.match(
        defectOf(yield* Effect.exit(provide(Ping.execute({ at: new Date(0) })))),
        /^result of activity Ping: [^]*\["seen"\]/
      )
    }))

  it.effect("a declared error is itself again", () =>
    Effect.gen(function*() {
      const error = yield* failing({ _tag: "Declared", type: "Lost", message: "", error: { _tag: "Lost", hops: 3 } })
      assert.instanceOf(error, Lost)
      assert.strictEqual((error as Lost).hops, 3)
    }))

  it.effect("R10: one that no longer decodes is an ActivityError that keeps what was recorded", () =>
    Effect.gen(function*() {
      const failure: Failure = { _tag: "Declared", type: "Lost", message: "gone", error: { _tag: "Lost" } }
      const error = yield* failing(failure)
      assert.instanceOf(error, ActivityError)
      assert.deepStrictEqual((error as ActivityError).failure, failure)
    }))

  it.effect("R10: every other failure is an ActivityError, with attempt, retry state and cause", () =>
    Effect.gen(function*() {
      const error = yield* failing({ _tag: "Timeout", timeout: "StartToClose", message: "took too long" })
      assert(error instanceof ActivityError)
      assert.strictEqual(
        error.message,
        "activity Ping (#7) ended at attempt 3 (MaximumAttemptsReached): took too long"
      )
      assert.isTrue(error.isTimeout)
      assert.isFalse(error.isCanceled)
    }))

  it.effect("a canceled activity is an ActivityError that says so", () =>
    Effect.gen(function*() {
      const { provide } = fake({ activity: () => ({ _tag: "ActivityCanceled", seq: 7, attempt: 2 }) })
      const error = yield* Effect.flip(provide(Ping.execute({ at: new Date(0) }, { activityId: "mine" })))
      assert(error instanceof ActivityError)
      assert.isTrue(error.isCanceled)
      assert.strictEqual(error.retryState, "CancelRequested")
      assert.strictEqual(error.activityId, "mine")
    }))
})

describe("Activity.start", () => {
  it.effect("gives a handle whose result is decoded as that of execute", () =>
    Effect.gen(function*() {
      const { provide } = fake({ activity: () => pinged })
      const handle = yield* provide(Ping.start({ at: new Date(0) }, { activityId: "mine" }))
      assert.strictEqual(handle.activityId, "mine")
      const { seen } = yield* provide(handle.result)
      assert.strictEqual(seen.getFullYear(), 2020)
    }))
})

describe("Activity.make", () => {
  it("R2: a retry policy that means nothing fails where it is written", () => {
    assert.throws(
      () => Activity.make("Odd", { retry: { backoffCoefficient: 0 } }),
      RetryPolicy.RetryPolicyError,
      "retry policy: backoffCoefficient must be 1 or more, and is 0"
    )
  })
})

describe("Activity.toLayer", () => {
  it.effect("decodes the payload, runs the body with its services, encodes the success", () =>
    Effect.gen(function*() {
      const layer = Ping.toLayer(({ at }) => Effect.map(Year, (year) => ({ seen: new Date(at.getTime() + year) })))
        .pipe(Layer.provide(Layer.succeed(Year, 1_000)))
      assert.deepStrictEqual(
        yield* attempt(layer, { at: "1970-01-01T00:00:00.000Z" }),
        Either.right({ seen: "1970-01-01T00:00:01.000Z" })
      )
    }))

  it.effect("a declared error is recorded by its schema", () =>
    Effect.gen(function*() {
      const failure = yield* failureOf(Ping.toLayer(() => new Lost({ hops: 3 })))
      assert(failure._tag === "Declared")
      assert.strictEqual(failure.type, "Lost")
      assert.deepStrictEqual(failure.error, { _tag: "Lost", hops: 3 })
    }))

  it.effect("R9: an ApplicationError is recorded with all its fields", () =>
    Effect.gen(function*() {
      const failure = yield* failureOf(Ping.toLayer(() =>
        new ApplicationError({
          type: "Busy",
          message: "later",
          details: { queue: 3 },
          nonRetryable: false,
          nextRetryDelay: Duration.seconds(5),
          category: "Benign"
        })
      ))
      assert(failure._tag === "Application")
      const { stack, ...fields } = failure
      assert.isString(stack)
      assert.deepStrictEqual(fields, {
        _tag: "Application",
        type: "Busy",
        message: "later",
        details: { queue: 3 },
        nonRetryable: false,
        nextRetryDelayMillis: 5_000,
        category: "Benign"
      })
    }))

  it.effect("R14: details that JSON cannot hold are left out, and the failure is recorded all the same", () =>
    Effect.gen(function*() {
      const round: { self?: unknown } = {}
      round.self = round
      for (const details of [1n, round, new Map(), { at: new Date(0) }]) {
        const failure = yield* failureOf(Ping.toLayer(() => new ApplicationError({ type: "T", message: "m", details })))
        assert(failure._tag === "Application")
        assert.match(String(failure.details), /^left out: payload.*(not JSON|nested deeper)/)
        assert.deepStrictEqual(JSON.parse(JSON.stringify(failure)), failure)
      }
    }))

  it.effect("an endless delay can be recorded", () =>
    Effect.gen(function*() {
      const error = new ApplicationError({ type: "T", message: "", nextRetryDelay: Duration.infinity })
      const failure = yield* failureOf(Ping.toLayer(() => error))
      assert.deepStrictEqual(JSON.parse(JSON.stringify(failure)), failure)
    }))

  it.effect("an input that does not fit is a failure, not a defect", () =>
    Effect.gen(function*() {
      const result = yield* attempt(Ping.toLayer(() => Effect.die("not reached")), { at: 1 })
      assert(Either.isLeft(result) && result.left._tag === "Application")
      assert.strictEqual(result.left.type, "ContractError")
      assert.match(result.left.message, /^payload of activity Ping: /)
    }))

  it.effect("a success that does not fit is a failure that no retry mends", () =>
    Effect.gen(function*() {
      const failure = yield* failureOf(Ping.toLayer(() => Effect.succeed({ seen: "today" } as never)))
      assert(failure._tag === "Application")
      assert.isTrue(failure.nonRetryable)
      assert.match(failure.message, /^result of activity Ping: /)
    }))

  it.effect("the attempt's context reaches the body", () =>
    Effect.gen(function*() {
      const Echo = Activity.make("Echo", { success: Schema.Number, startToCloseTimeout: "1 second" })
      const layer = Echo.toLayer(() => Effect.map(Activity.info, ({ attempt }) => attempt))
      const host = Context.get(yield* Effect.scoped(Layer.build(layer)), hostTag("Echo"))
      const context = { info: { attempt: 4 } } as typeof ActivityContext.Service
      assert.strictEqual(yield* Effect.scoped(Effect.provideService(host.run(undefined), ActivityContext, context)), 4)
    }))
})

class Lost extends Schema.TaggedError<Lost>()("Lost", { hops: Schema.Number }) {}

class Year extends Context.Tag("Year")<Year, number>() {}

const Ping = Activity.make("Ping", {
  payload: { at: Schema.Date },
  success: Schema.Struct({ seen: Schema.Date }),
  error: Lost,
  startToCloseTimeout: "30 seconds",
  retry: { maximumAttempts: 3 }
})

const completed = (result: unknown) => ({ _tag: "ActivityCompleted", seq: 7, attempt: 1, result }) as const

const pinged = completed({ seen: "2020-01-01T00:00:00.000Z" })

/** The error in which a body sees this failure. */
const failing = (failure: Failure) => {
  const outcome = { _tag: "ActivityFailed", seq: 7, attempt: 3, failure, retryState: "MaximumAttemptsReached" } as const
  return Effect.flip(fake({ activity: () => outcome }).provide(Ping.execute({ at: new Date(0) }))) as Effect.Effect<
    unknown
  >
}

const defectOf = (exit: Exit.Exit<unknown, unknown>): string => {
  assert(Exit.isFailure(exit))
  const defect = Option.getOrThrow(Cause.dieOption(exit.cause))
  assert.instanceOf(defect, ContractError)
  return (defect as ContractError).message
}

/** One attempt on encoded values, as a worker runs it. */
const attempt = (layer: Layer.Layer<Activity.Hosted<"Ping">>, input: unknown) =>
  Effect.gen(function*() {
    const host = Context.get(yield* Layer.build(layer), hostTag("Ping"))
    const context = {} as typeof ActivityContext.Service
    return yield* host.run(input).pipe(
      Effect.provide(host.services),
      Effect.provideService(ActivityContext, context),
      Effect.either
    )
  }).pipe(Effect.scoped)

const failureOf = (layer: Layer.Layer<Activity.Hosted<"Ping">>): Effect.Effect<Failure> =>
  Effect.map(attempt(layer, { at: "1970-01-01T00:00:00.000Z" }), (result) => {
    assert(Either.isLeft(result))
    return result.left
  })
