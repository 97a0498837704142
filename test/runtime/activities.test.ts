/**
 * Activities on the real engine: what an attempt knows, how it fails, and when it is tried again.
 */
import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { Activity, ApplicationError, Worker, Workflow } from "perdure"
import type { Seen } from "./World.js"
import { run, seen, test, until } from "./World.js"

describe("an attempt", () => {
  test("knows itself, and its key is the same for all attempts (A1, A2)", () =>
    Effect.gen(function*() {
      const infos: Array<Effect.Effect.Success<typeof Activity.info>> = []
      const { client } = yield* run(Worker.layer({
        taskQueue: "orders",
        hosts: [
          Report.toLayer(() => Effect.zipRight(charge, Charge.execute({ amount: 2 }, { activityId: "second" }))),
          Charge.toLayer(() =>
            Effect.gen(function*() {
              const info = yield* Activity.info
              infos.push(info)
              return info.attempt < 3 && info.activityId === "1" ? yield* Effect.die("again") : 1
            })
          )
        ]
      }))
      const handle = yield* client.start(Report, undefined, { workflowId: "w" })
      yield* handle.result
      assert.deepStrictEqual(infos.map((info) => info.attempt), [1, 2, 3, 1])
      const [first, second, third, other] = infos
      assert.deepInclude(first!, {
        activity: "Charge",
        activityId: "1",
        workflow: "Report",
        workflowId: "w",
        runId: handle.runId,
        taskQueue: "orders",
        startToCloseMillis: 10_000,
        scheduleToCloseMillis: undefined,
        heartbeatMillis: undefined
      })
      assert.strictEqual(first!.retry.maximumAttempts, 3)
      assert.strictEqual(first!.idempotencyKey, third!.idempotencyKey)
      assert.notStrictEqual(first!.idempotencyKey, other!.idempotencyKey)
      assert.strictEqual(other!.activityId, "second")
      // The first schedule stays; each attempt has its own.
      assert.strictEqual(second!.scheduledAt, first!.scheduledAt)
      assert.isAtLeast(second!.attemptScheduledAt, first!.attemptScheduledAt)
      assert.isAtLeast(second!.startedAt, second!.attemptScheduledAt)
    }))

  test("has the default policy unless it names another (R1)", () =>
    Effect.gen(function*() {
      const Plain = Activity.make("Plain", { success: Schema.Unknown, startToCloseTimeout: "10 seconds" })
      const { client } = yield* run(Worker.layer({
        hosts: [
          Report.toLayer(() => Effect.orDie(Plain.execute())),
          Plain.toLayer(() => Effect.map(Activity.info, (info) => info.retry))
        ]
      }))
      assert.deepStrictEqual(yield* client.execute(Report), {
        initialIntervalMillis: 1_000,
        backoffCoefficient: 2,
        maximumIntervalMillis: 100_000,
        maximumAttempts: 0,
        nonRetryable: []
      })
    }))

  test("has a Scope of its own, whose finalizers run at its end, whatever that is", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const { client } = yield* run(Worker.layer({
        hosts: [
          Report.toLayer(() => charge),
          Charge.toLayer(() =>
            Effect.gen(function*() {
              const { attempt } = yield* Activity.info
              yield* Effect.acquireRelease(
                Effect.sync(() => log.push(`acquired ${attempt}`)),
                (_, exit) => Effect.delay(Effect.sync(() => log.push(`released ${attempt} ${exit._tag}`)), "2 millis")
              )
              return attempt === 1 ? yield* new Declined({ reason: "once" }) : attempt
            })
          )
        ]
      }))
      assert.strictEqual(yield* client.execute(Report), 2)
      assert.deepStrictEqual(log, ["acquired 1", "released 1 Failure", "acquired 2", "released 2 Success"])
    }))
})

describe("a failed attempt", () => {
  test("is tried again until it succeeds, by whichever failure (R4, R5)", () =>
    Effect.gen(function*() {
      const ways = [
        new Declined({ reason: "declared" }),
        new ApplicationError({ type: "Busy", message: "application" })
      ]
      let tries = 0
      const { client } = yield* run(host(() =>
        Effect.suspend(() => {
          const failed = ways[tries++]
          return failed === undefined ? Effect.succeed(tries) : Effect.fail(failed)
        })
      ))
      assert.strictEqual(yield* client.execute(Report), 3)
    }))

  test("whose error is declared gives it, decoded, when its attempts are used up (R4)", () =>
    Effect.gen(function*() {
      const tries: Array<number> = []
      const { client } = yield* run(host(() =>
        Effect.flatMap(Activity.info, ({ attempt }) => {
          tries.push(attempt)
          return new Declined({ reason: `attempt ${attempt}` })
        })
      ))
      const error = yield* Effect.flip(client.execute(Report))
      assert.instanceOf(error, Declined)
      assert.strictEqual((error as Declined).reason, "attempt 3")
      assert.deepStrictEqual(tries, [1, 2, 3])
    }))

  test("that is not declared says why it is not tried again: attempts used up (R4, R7, R10)", () =>
    Effect.gen(function*() {
      class GatewayError extends Error {}
      const { client } = yield* run(host(() => {
        throw new GatewayError("no route", { cause: new TypeError("socket", { cause: "unplugged" }) })
      }))
      const seen = (yield* client.execute(Report)) as Seen
      assert.deepInclude(seen, { attempt: 3, retryState: "MaximumAttemptsReached" })
      assert.deepInclude(seen.failure, { _tag: "Application", type: "GatewayError", message: "no route" })
      assert.include((seen.failure as unknown as { readonly stack: string }).stack, "activities.test.ts")
      const cause = (seen.failure as unknown as { readonly cause: Record<string, unknown> }).cause
      assert.deepInclude(cause, { _tag: "Application", type: "TypeError", message: "socket" })
      assert.deepInclude(cause["cause"], { type: "string", message: "unplugged" })
    }))

  test("of a type that the policy excludes is final: by class, by tag, by ApplicationError's type (R4, R5)", () =>
    Effect.gen(function*() {
      class Broken extends Error {}
      const failures: Record<string, Effect.Effect<never, Declined | ApplicationError>> = {
        class: Effect.die(new Broken("x")),
        tag: new Declined({ reason: "x" }),
        type: new ApplicationError({ type: "Typed", message: "x" }),
        // Only the outermost failure's type counts.
        cause: Effect.die(new Error("x", { cause: new Broken("y") }))
      }
      const Pick = Activity.make("Pick", {
        payload: Schema.String,
        error: Declined,
        startToCloseTimeout: "10 seconds",
        retry: { ...fast, maximumAttempts: 2, nonRetryable: ["Broken", "Declined", "Typed"] }
      })
      const Each = Workflow.make("Each", { payload: Schema.String, success: Schema.Unknown })
      const { client } = yield* run(Worker.layer({
        hosts: [
          Each.toLayer((which) =>
            Effect.catchTag(seen(Pick.execute(which)), "Declined", (declined) => Effect.succeed(declined.reason))
          ),
          Pick.toLayer((which) => failures[which]!)
        ]
      }))
      const seenOf = (which: string) => client.execute(Each, which)
      assert.deepInclude(yield* seenOf("class"), { attempt: 1, retryState: "NonRetryableFailure" })
      assert.deepInclude(yield* seenOf("type"), { attempt: 1, retryState: "NonRetryableFailure" })
      assert.strictEqual(yield* seenOf("tag"), "x")
      assert.deepInclude(yield* seenOf("cause"), { attempt: 2, retryState: "MaximumAttemptsReached" })
    }))

  test("that says it is not retryable is final whatever the policy, with its type and details (R6, R9)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(
        host(() => new ApplicationError({ type: "Stolen", message: "card", details: { card: 4 }, nonRetryable: true }))
      )
      const seen = (yield* client.execute(Report)) as Seen
      assert.deepInclude(seen, { attempt: 1, retryState: "NonRetryableFailure" })
      assert.deepInclude(seen.failure, { type: "Stolen", message: "card", details: { card: 4 }, nonRetryable: true })
    }))

  test("may choose its next delay, up to the policy's longest (R8)", () =>
    Effect.gen(function*() {
      // The policy alone would wait for an hour; the asked delay of a day is capped.
      const Slow = Activity.make("Slow", {
        success: Schema.Unknown,
        startToCloseTimeout: "10 seconds",
        retry: { initialInterval: "1 hour", maximumInterval: "2 hours" }
      })
      const { client } = yield* run(Worker.layer({
        hosts: [
          Report.toLayer(() => Effect.orDie(Slow.execute())),
          Slow.toLayer(() =>
            Effect.flatMap(Activity.info, ({ attempt }) =>
              attempt === 3
                ? Effect.never
                : new ApplicationError({
                  type: "Busy",
                  message: `try ${attempt}`,
                  nextRetryDelay: attempt === 1 ? Duration.millis(1) : Duration.days(1)
                }))
          )
        ]
      }))
      const handle = yield* client.start(Report)
      const { pendingActivities: [pending] } = yield* until(
        handle.describe,
        (description) => description.pendingActivities[0]?.attempt === 3
      )
      assert.strictEqual(pending!.state, "queued")
      assert.strictEqual(pending!.lastFailure, "Busy: try 2")
      const wait = pending!.dueAt - Date.now()
      assert.isAtMost(wait, 7_200_000)
      assert.isAtLeast(wait, 3_600_000)
    }))

  test("that interrupted itself is a failure like any other (A7)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(host(() => Effect.interrupt))
      assert.deepInclude(yield* client.execute(Report), { attempt: 3, retryState: "MaximumAttemptsReached" })
    }))

  test("whose failure cannot be written is readable all the same (R14)", () =>
    Effect.gen(function*() {
      const circle: { self?: unknown } = {}
      circle.self = circle
      const { client } = yield* run(host(() => Effect.die(circle)))
      const seen = (yield* client.execute(Report)) as Seen
      assert.strictEqual(seen.failure._tag, "Application")
      assert.strictEqual(seen.retryState, "MaximumAttemptsReached")
    }))

  test("of an activity that nobody registered is retried, and names what is (D5)", () =>
    Effect.gen(function*() {
      const Elsewhere = Activity.make("Elsewhere", {
        startToCloseTimeout: "10 seconds",
        retry: { ...fast, maximumAttempts: 2 }
      })
      const { client } = yield* run(Worker.layer({
        hosts: [
          // Its own queue, named: the only way to say so that compiles.
          Report.toLayer(() => seen(Elsewhere.execute(undefined, { taskQueue: "default" }))),
          Charge.toLayer(() => Effect.void)
        ]
      }))
      const seenIt = (yield* client.execute(Report)) as Seen
      assert.deepInclude(seenIt, { attempt: 2, retryState: "MaximumAttemptsReached" })
      assert.deepInclude(seenIt.failure, { _tag: "Application", type: "NotFoundError" })
      assert.include(seenIt.failure.message, "Elsewhere is not registered")
      assert.include(seenIt.failure.message, "Charge")
    }))
})

describe("a result", () => {
  test("that does not fit its schema, is not JSON, or is too large fails at once (N4, X17)", () =>
    Effect.gen(function*() {
      const results: Record<string, unknown> = {
        nan: Number.NaN,
        date: new Date(0),
        large: "x".repeat(2 * 1024 * 1024 + 1)
      }
      const Give = Activity.make("Give", {
        payload: Schema.String,
        success: Schema.Unknown,
        startToCloseTimeout: "10 seconds",
        retry: { ...fast, maximumAttempts: 5 }
      })
      const Each = Workflow.make("Each", { payload: Schema.String, success: Schema.Unknown })
      const { client } = yield* run(Worker.layer({
        hosts: [
          Each.toLayer((which) => seen(Give.execute(which))),
          Give.toLayer((which) => Effect.succeed(results[which]))
        ]
      }))
      for (const which of Object.keys(results)) {
        const seen = (yield* client.execute(Each, which)) as Seen
        assert.deepInclude(seen, { attempt: 1, retryState: "NonRetryableFailure" }, which)
        assert.deepInclude(seen.failure, { _tag: "Application", type: "ContractError" }, which)
        assert.include(seen.failure.message, "result of activity Give", which)
      }
    }))

  test("may be nothing, null, or as large as allowed (N4)", () =>
    Effect.gen(function*() {
      const results: ReadonlyArray<unknown> = [undefined, null, "x".repeat(2 * 1024 * 1024 - 100)]
      const Give = Activity.make("Give", {
        payload: Schema.Number,
        success: Schema.Unknown,
        startToCloseTimeout: "10 seconds"
      })
      const Each = Workflow.make("Each", { payload: Schema.Number, success: Schema.Unknown })
      const { client } = yield* run(Worker.layer({
        hosts: [
          Each.toLayer((which) => Effect.orDie(Give.execute(which))),
          Give.toLayer((which) => Effect.succeed(results[which]))
        ]
      }))
      for (let i = 0; i < results.length; i++) assert.strictEqual(yield* client.execute(Each, i), results[i])
    }))
})

describe("durations", () => {
  test("may be fractions of a millisecond, or endless (A11 to A13, R2)", () =>
    Effect.gen(function*() {
      const Odd = Activity.make("Odd", {
        success: Schema.Number,
        startToCloseTimeout: Duration.infinity,
        scheduleToStartTimeout: 30_000.5,
        scheduleToCloseTimeout: Duration.infinity,
        heartbeatTimeout: 30_000.25,
        retry: { initialInterval: 0.75, backoffCoefficient: 1.1, maximumInterval: 5.5 }
      })
      const { client } = yield* run(Worker.layer({
        hosts: [
          Report.toLayer(() => Effect.orDie(Odd.execute())),
          Odd.toLayer(() =>
            Effect.flatMap(Activity.info, ({ attempt }) => attempt < 4 ? Effect.die("again") : Effect.succeed(attempt))
          )
        ],
        maxCachedExecutions: 0
      }))
      assert.strictEqual(yield* client.execute(Report), 4)
    }))
})

describe("the run", () => {
  test("goes on when activities end in any order, and each outcome is taken once (I9)", () =>
    Effect.gen(function*() {
      const Echo = Activity.make("Echo", {
        payload: Schema.Number,
        success: Schema.Number,
        startToCloseTimeout: "10 seconds"
      })
      const { client } = yield* run(Worker.layer({
        hosts: [
          Report.toLayer(() =>
            Effect.orDie(Effect.forEach([3, 1, 2, 0], (n) => Echo.execute(n), { concurrency: "unbounded" }))
          ),
          Echo.toLayer((n) => Effect.delay(Effect.succeed(n), `${n * 3} millis`))
        ]
      }))
      const handle = yield* client.start(Report)
      const results = yield* Fiber.join(yield* Effect.fork(handle.result))
      assert.deepStrictEqual(results, [3, 1, 2, 0])
      const completed = (yield* handle.history).flatMap((turn) =>
        turn.events.filter((event) => event._tag === "ActivityCompleted")
      )
      assert.strictEqual(completed.length, 4)
    }))
})

// -----------------------------------------------------------------------------
// fixtures
// -----------------------------------------------------------------------------

class Declined extends Schema.TaggedError<Declined>()("Declined", { reason: Schema.String }) {}

/** Ends with whatever its body saw. */
const Report = Workflow.make("Report", { success: Schema.Unknown, error: Declined })

const fast = { initialInterval: "1 millis" } as const
const Charge = Activity.make("Charge", {
  payload: { amount: Schema.Number },
  success: Schema.Unknown,
  error: Declined,
  startToCloseTimeout: "10 seconds",
  retry: { ...fast, maximumAttempts: 3 }
})
const charge = seen(Charge.execute({ amount: 1 }))

/** A worker whose only workflow charges once, by the given body. */
const host = (
  body: () => Effect.Effect<unknown, Declined | ApplicationError, Parameters<typeof asContext>[0]>
) => Worker.layer({ hosts: [Report.toLayer(() => charge), Charge.toLayer(body)] })

declare const asContext: (context: Effect.Effect.Context<typeof Activity.info>) => void
