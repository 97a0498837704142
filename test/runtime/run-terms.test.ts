/**
 * What bounds runs, in time that skips: retry policies (X9), timeouts (X8), held starts (X7).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Activity, ApplicationError, Client, ContractError, Workflow, WorkflowFailure } from "perdure"
import { TestEnvironment } from "perdure/testing"

class Unlucky extends Schema.TaggedError<Unlucky>()("Unlucky", { attempt: Schema.Number }) {}
class Hopeless extends Schema.TaggedError<Hopeless>()("Hopeless", {}) {}

const Ending = Schema.Literal("unlucky", "hopeless", "application", "sleep", "fine")

/** Ends its attempts as it is told, the last way for all that follow. */
const Trying = Workflow.make("Trying", {
  payload: Schema.Array(Ending),
  success: Schema.Struct({ attempt: Schema.Number, at: Schema.Number, after: Schema.NullOr(Schema.String) }),
  error: Schema.Union(Unlucky, Hopeless),
  signals: { note: {} },
  queries: { attempt: { success: Schema.Number } }
})
const cleanups: Array<number> = []
const TryingLive = Trying.toLayer((endings) =>
  Effect.gen(function*() {
    const { attempt } = yield* Workflow.info
    const before = yield* Workflow.lastFailure(Trying)
    return Trying.of({
      signals: { note: () => Effect.void },
      queries: { attempt: () => Effect.succeed(attempt) },
      run: Effect.gen(function*() {
        yield* Effect.addFinalizer(() => Effect.sync(() => void cleanups.push(attempt)))
        switch (endings[Math.min(attempt, endings.length) - 1]) {
          case "unlucky":
            return yield* new Unlucky({ attempt })
          case "hopeless":
            return yield* new Hopeless()
          case "application":
            return yield* new ApplicationError({ type: "Flaky", message: "again", nextRetryDelay: Duration.hours(1) })
          case "sleep":
            yield* Effect.sleep("30 days")
        }
        const after = Option.map(
          before,
          (failure) => failure instanceof WorkflowFailure ? failure.status : failure._tag
        )
        return { attempt, at: yield* Workflow.now, after: Option.getOrNull(after) }
      })
    })
  })
)

const Report = Activity.make("Report", {
  success: Schema.Struct({ scheduleToCloseMillis: Schema.UndefinedOr(Schema.Number) }),
  startToCloseTimeout: "1 day"
})
const ReportLive = Report.toLayer(() =>
  Effect.map(Activity.info, ({ scheduleToCloseMillis }) => ({ scheduleToCloseMillis }))
)
const Reporting = Workflow.make("Reporting", { success: Schema.UndefinedOr(Schema.Number) })
const ReportingLive = Reporting.toLayer(() =>
  Effect.zipRight(
    Effect.sleep("10 seconds"),
    Effect.map(Report.execute(), ({ scheduleToCloseMillis }) => scheduleToCloseMillis)
  )
)

/** Fails in most of its runs, unless its definition makes it try again. */
const Stubborn = Workflow.make("Stubborn", {
  success: Schema.Number,
  error: Unlucky,
  retry: { initialInterval: "1 minute", maximumAttempts: 2 },
  runTimeout: "1 hour",
  executionTimeout: "1 day"
})
const StubbornLive = Stubborn.toLayer(() =>
  Effect.flatMap(
    Workflow.info,
    ({ attempt, executionTimeoutMillis }) =>
      attempt < 2 ? new Unlucky({ attempt }) : Effect.succeed(executionTimeoutMillis ?? 0)
  )
)

const second = 1_000
const hour = 3_600 * second

const inTime = (name: string, program: () => Effect.Effect<void, unknown, TestEnvironment | Client>) =>
  it.effect(name, () =>
    Effect.suspend(program).pipe(
      Effect.provide(TestEnvironment.layer({ hosts: [TryingLive, ReportLive, ReportingLive, StubbornLive] }))
    ))

const now = Effect.flatMap(TestEnvironment, ({ currentTime }) => currentTime)

describe("a workflow's retry policy", () => {
  inTime(
    "makes the next run after the backoff: same input, next attempt, what failed at hand (X9, W17)",
    () =>
      Effect.gen(function*() {
        const client = yield* Client
        const begun = yield* now
        const handle = yield* client.start(Trying, ["unlucky", "application", "fine"], {
          retry: { initialInterval: "10 seconds", backoffCoefficient: 3 }
        })
        // 10 seconds, then 30: the failure's own delay is for activities (R8).
        assert.deepStrictEqual(yield* handle.result, { attempt: 3, at: begun + 40 * second, after: "Failed" })
        const last = yield* handle.describe
        assert.deepInclude(last, { attempt: 3, firstRunId: handle.runId, startAt: begun + 40 * second })
        const middle = yield* client.handle(Trying, handle.workflowId, last.previousRunId).describe
        assert.deepInclude(middle, { status: "Failed", attempt: 2, previousRunId: handle.runId, nextRunId: last.runId })
        // The failure of one run is its own end, whatever follows.
        assert.deepInclude(yield* Effect.flip(handle.runResult), { _tag: "Unlucky", attempt: 1 })
        const [turn] = yield* client.handle(Trying, handle.workflowId, handle.runId).history
        assert.deepInclude(turn?.events.at(-1), { _tag: "ExecutionFailed", retryState: "InProgress" })
      })
  )

  inTime("is none by default, and gives up at its bounds (R1, X9)", () =>
    Effect.gen(function*() {
      const client = yield* Client
      const plain = yield* client.start(Trying, ["unlucky"])
      assert.deepInclude(yield* Effect.flip(plain.result), { _tag: "Unlucky", attempt: 1 })
      const retry = { maximumAttempts: 3, nonRetryable: ["Hopeless"] }
      assert.deepInclude(yield* Effect.flip(client.execute(Trying, ["unlucky"], { retry })), { attempt: 3 })
      const hopeless = yield* client.start(Trying, ["unlucky", "hopeless"], { retry })
      assert.instanceOf(yield* Effect.flip(hopeless.result), Hopeless)
      assert.strictEqual((yield* hopeless.describe).attempt, 2)
      const refused = yield* Effect.flip(client.start(Trying, [], { retry: { maximumAttempts: -1 } }))
      assert.instanceOf(refused, ContractError)
    }))

  inTime("may stand in the definition, with the timeouts (X8, X9)", () =>
    Effect.gen(function*() {
      const client = yield* Client
      assert.strictEqual(yield* client.execute(Stubborn), 24 * hour)
      const once = client.execute(Stubborn, undefined, { retry: { maximumAttempts: 1 } })
      assert.deepInclude(yield* Effect.flip(once), { _tag: "Unlucky" })
    }))

  inTime("makes no run after a cancel request or a termination (X9)", () =>
    Effect.gen(function*() {
      const client = yield* Client
      const { sleep } = yield* TestEnvironment
      const retry = { initialInterval: "1 hour" } as const
      // In the backoff: the next run begins at once, meets the request, and is the last one.
      const canceled = yield* client.start(Trying, ["unlucky", "sleep"], { retry })
      yield* sleep("1 minute")
      assert.deepInclude(yield* canceled.describe, { attempt: 2, status: "Running", turns: 0 })
      yield* canceled.cancel("enough")
      const before = yield* now
      assert.deepInclude(yield* Effect.flip(canceled.result), { status: "Canceled" })
      assert.strictEqual(yield* now, before)
      const terminated = yield* client.start(Trying, ["unlucky", "sleep"], { retry })
      yield* sleep("1 minute")
      yield* terminated.terminate("enough")
      assert.deepInclude(yield* Effect.flip(terminated.result), { status: "Terminated" })
      assert.deepInclude(yield* terminated.describe, { attempt: 2, nextRunId: undefined })
    }))
})

describe("timeouts of runs", () => {
  inTime(
    "a run out of its time ends, and no code of it runs: no finalizer, no handler (X8)",
    () =>
      Effect.gen(function*() {
        const client = yield* Client
        const begun = yield* now
        cleanups.length = 0
        const handle = yield* client.start(Trying, ["sleep"], { runTimeout: "1 hour" })
        const failure = yield* Effect.flip(handle.result)
        assert.instanceOf(failure, WorkflowFailure)
        assert.deepInclude(failure, { status: "TimedOut" })
        assert.include(failure.message, "runTimeout")
        assert.strictEqual(yield* now, begun + hour)
        assert.deepStrictEqual(cleanups, [])
        assert.deepInclude(yield* handle.describe, {
          status: "TimedOut",
          closedAt: begun + hour,
          expiresAt: begun + hour
        })
        assert.strictEqual(yield* handle.query("attempt"), 1)
      })
  )

  inTime(
    "a run timeout is retried by policy; the execution's keeps counting over all runs, and is final (X8)",
    () =>
      Effect.gen(function*() {
        const client = yield* Client
        const begun = yield* now
        const handle = yield* client.start(Trying, ["sleep", "unlucky", "sleep"], {
          runTimeout: "2 hours",
          executionTimeout: "5 hours",
          retry: { initialInterval: "1 hour", backoffCoefficient: 1 }
        })
        const failure = yield* Effect.flip(handle.result)
        assert.deepInclude(failure, { status: "TimedOut" })
        assert.include(String(failure), "executionTimeout")
        // 2 hours, 1 of backoff, fails at once, 1 of backoff, and what is left.
        assert.strictEqual(yield* now, begun + 5 * hour)
        assert.deepInclude(yield* handle.describe, { attempt: 3, closedAt: begun + 5 * hour, nextRunId: undefined })
      })
  )

  inTime("no attempt begins that would begin past the execution's time (X8, A13)", () =>
    Effect.gen(function*() {
      const client = yield* Client
      const handle = yield* client.start(Trying, ["unlucky"], {
        executionTimeout: "1 hour",
        retry: { initialInterval: "50 minutes", backoffCoefficient: 1 }
      })
      assert.deepInclude(yield* Effect.flip(handle.result), { _tag: "Unlucky", attempt: 2 })
      const turns = yield* handle.history
      assert.deepInclude(turns.at(-1)?.events.at(-1), { _tag: "ExecutionFailed", retryState: "Timeout" })
    }))

  inTime("an activity has no more time than its run (A14)", () =>
    Effect.gen(function*() {
      const client = yield* Client
      assert.strictEqual(yield* client.execute(Reporting), undefined)
      assert.strictEqual(yield* client.execute(Reporting, undefined, { runTimeout: "1 minute" }), 50 * second)
    }))

  inTime("of no length are refused at the start", () =>
    Effect.gen(function*() {
      const client = yield* Client
      assert.instanceOf(yield* Effect.flip(client.start(Trying, [], { runTimeout: 0 })), ContractError)
      assert.instanceOf(yield* Effect.flip(client.start(Trying, [], { executionTimeout: -1 })), ContractError)
    }))
})

describe("a start that is held", () => {
  inTime(
    "begins when its time comes; a signal does not end that, and is handled then (X7)",
    () =>
      Effect.gen(function*() {
        const client = yield* Client
        const { sleep } = yield* TestEnvironment
        const begun = yield* now
        const handle = yield* client.start(Trying, ["fine"], { startDelay: "1 hour", runTimeout: "2 hours" })
        assert.deepInclude(yield* handle.describe, { turns: 0, startAt: begun + hour, expiresAt: begun + 3 * hour })
        yield* handle.signal("note")
        yield* sleep("59 minutes")
        assert.deepInclude(yield* handle.describe, { turns: 0, status: "Running" })
        const refused = yield* Effect.flip(handle.query("attempt"))
        assert.include(refused.message, "the run begins at")
        assert.deepStrictEqual(yield* handle.result, { attempt: 1, at: begun + hour, after: null })
        const [turn] = yield* handle.history
        assert.deepStrictEqual(turn?.events.slice(0, 2).map(({ _tag }) => _tag), ["ExecutionStarted", "SignalReceived"])
      })
  )

  inTime("a cancel request ends the wait: the body begins, and meets it (X7, C2)", () =>
    Effect.gen(function*() {
      const client = yield* Client
      const begun = yield* now
      const handle = yield* client.start(Trying, ["sleep"], { startDelay: "1 hour" })
      const waiting = yield* Effect.fork(Effect.flip(handle.result))
      yield* handle.cancel("enough")
      assert.deepInclude(yield* Fiber.join(waiting), { status: "Canceled" })
      assert.isBelow((yield* now) - begun, hour)
    }))
})
