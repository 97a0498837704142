/**
 * Goal: an inline step whose next attempt is far off waits as a timer does: recorded, out of memory, through restarts,
 * and with the attempt carried (row L1). Method: the real engine, in time that skips, or with waits of milliseconds.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { Client, Liveness, Step, Worker, Workflow } from "perdure"
import { Durable, TestEnvironment } from "perdure/testing"
import type { Seen } from "./World.js"
import { disk, run, seen, test, until } from "./World.js"

const Report = Workflow.make("Report", { success: Schema.Unknown, signals: { stop: {} } })
type Body = Effect.Effect<unknown, never, Effect.Effect.Context<typeof Workflow.info>>
const hosting = (body: Body) =>
  Report.toLayer(() =>
    Effect.gen(function*() {
      const stop = yield* Deferred.make<void>()
      return Report.of({
        signals: { stop: () => Deferred.succeed(stop, undefined) },
        run: Effect.raceFirst(body, Effect.as(Deferred.await(stop), "stopped"))
      })
    })
  )

const stepEvents = (history: ReadonlyArray<{ readonly events: ReadonlyArray<{ readonly _tag: string }> }>) =>
  history.flatMap(({ events }) => events.map(({ _tag }) => _tag)).filter((tag) => tag.startsWith("Step"))

const hour = 3_600_000

describe("a step whose next attempt is far off", () => {
  it.effect("waits as a timer: at the times of its policy, and then goes on with the attempt after (L1, R1)", () => {
    const at: Array<number> = []
    let started = 0
    const env = TestEnvironment.layer({
      hosts: [hosting(Effect.orDie(Step.run("flaky", {
        success: Schema.Number,
        execute: Effect.suspend(() => {
          at.push(++started)
          return started < 4 ? Effect.die("not yet") : Effect.succeed(started)
        }),
        retry: { initialInterval: "1 hour", backoffCoefficient: 2 }
      })))]
    })
    return Effect.gen(function*() {
      const environment = yield* TestEnvironment
      const begun = yield* environment.currentTime
      const handle = yield* (yield* Client).start(Report)
      assert.strictEqual(yield* handle.result, 4)
      assert.strictEqual((yield* environment.currentTime) - begun, 7 * hour)
      const history = yield* handle.history
      assert.deepStrictEqual(stepEvents(history), [
        "StepScheduled",
        ...Array.from({ length: 3 }, () => ["StepBackedOff", "StepResumed"]).flat(),
        "StepCompleted"
      ])
      const waits = history.flatMap(({ events }) => events).filter((event) => event._tag === "StepBackedOff")
      assert.deepStrictEqual(waits.map(({ attempt, dueAt }) => [attempt, dueAt - begun]), [
        [1, hour],
        [2, 3 * hour],
        [3, 7 * hour]
      ])
      const text = yield* environment.timelines
      assert.match(text, /0\.000 s ├◷ step flaky #1: string: not yet, again at 1:00:00\.000/)
      assert.match(text, /1:00:00\.000 ├▶ step flaky #1 again/)
    }).pipe(Effect.provide(env))
  })

  it.effect("a delay within the bound of its call is waited out in process, and leaves no event (L1)", () => {
    let started = 0
    const env = TestEnvironment.layer({
      hosts: [hosting(Effect.orDie(Step.run("flaky", {
        execute: Effect.suspend(() => ++started < 3 ? Effect.die("not yet") : Effect.void),
        retry: { initialInterval: "10 seconds", backoffCoefficient: 1 }
      })))]
    })
    return Effect.gen(function*() {
      const handle = yield* (yield* Client).start(Report)
      yield* handle.result
      assert.deepStrictEqual(stepEvents(yield* handle.history), ["StepScheduled", "StepCompleted"])
      assert.strictEqual(started, 3)
    }).pipe(Effect.provide(env))
  })

  it.effect("its attempts count on over the waits, and it fails with the last of them (L1, R4)", () => {
    const env = TestEnvironment.layer({
      hosts: [hosting(seen(Step.run("never", {
        execute: Effect.die("no"),
        retry: { initialInterval: "1 minute", maximumAttempts: 3 }
      })))]
    })
    return Effect.gen(function*() {
      const outcome = yield* (yield* Client).execute(Report)
      assert.deepInclude(outcome, { attempt: 3, retryState: "MaximumAttemptsReached" })
    }).pipe(Effect.provide(env))
  })

  it.effect("no attempt begins after the time of the whole step: it fails at once (L1, A13)", () => {
    const env = TestEnvironment.layer({
      hosts: [hosting(seen(Step.run("never", {
        execute: Effect.die("no"),
        scheduleToCloseTimeout: "4 hours",
        retry: { initialInterval: "1 hour", backoffCoefficient: 2 }
      })))]
    })
    return Effect.gen(function*() {
      const environment = yield* TestEnvironment
      const begun = yield* environment.currentTime
      const outcome = yield* (yield* Client).execute(Report)
      // After 1 and 3 hours; the next attempt would begin after 7.
      assert.strictEqual((yield* environment.currentTime) - begun, 3 * hour)
      assert.deepInclude(outcome, { attempt: 3, retryState: "Timeout" })
    }).pipe(Effect.provide(env))
  })

  it.effect("one whose worker comes back after that time is not tried again (L1, A13)", () => {
    let tries = 0
    const env = TestEnvironment.layer({
      hosts: [hosting(seen(Step.run("late", {
        execute: Effect.suspend(() => Effect.die(`no ${++tries}`)),
        scheduleToCloseTimeout: "4 hours",
        retry: { initialInterval: "1 hour" }
      })))]
    })
    return Effect.gen(function*() {
      const environment = yield* TestEnvironment
      const handle = yield* (yield* Client).start(Report)
      yield* environment.sleep("1 minute")
      yield* environment.adjust("5 hours")
      const outcome = (yield* handle.result) as Seen
      assert.deepInclude(outcome, { attempt: 2, retryState: "Timeout" })
      assert.deepInclude(outcome.failure, { _tag: "Timeout", timeout: "ScheduleToClose" })
      assert.strictEqual(tries, 1)
    }).pipe(Effect.provide(env))
  })

  it.effect("is canceled in its wait at once, with the run or with its fiber (L1, C8)", () => {
    const env = TestEnvironment.layer({
      hosts: [
        hosting(Effect.orDie(Step.run("never", { execute: Effect.die("no"), retry: { initialInterval: "1 day" } })))
      ]
    })
    return Effect.gen(function*() {
      const environment = yield* TestEnvironment
      const client = yield* Client
      const begun = yield* environment.currentTime
      const canceled = yield* client.start(Report)
      const stopped = yield* client.start(Report)
      yield* environment.sleep("1 minute")
      yield* canceled.cancel("enough")
      yield* stopped.signal("stop")
      assert.strictEqual(yield* stopped.result, "stopped")
      assert.isTrue((yield* Effect.exit(canceled.result))._tag === "Failure")
      assert.strictEqual((yield* canceled.describe).status, "Canceled")
      assert.isBelow((yield* environment.currentTime) - begun, hour)
      for (const handle of [canceled, stopped]) assert.include(stepEvents(yield* handle.history), "StepCanceled")
    }).pipe(Effect.provide(env))
  })

  test(
    "leaves memory meanwhile, wakes by the store's clock, and survives the end of its worker (L1, I5, N2)",
    () =>
      Effect.gen(function*() {
        let tries = 0
        const worker = Worker.layer({
          maxCachedExecutions: 0,
          hosts: [hosting(Effect.orDie(Step.run("flaky", {
            success: Schema.Number,
            execute: Effect.suspend(() => ++tries < 3 ? Effect.die("not yet") : Effect.succeed(tries)),
            retry: { initialInterval: "300 millis", backoffCoefficient: 1 },
            inProcessBackoffMax: "50 millis"
          })))]
        })
        const ada = yield* run(worker)
        const handle = yield* ada.client.start(Report)
        yield* until(handle.history, (history) => stepEvents(history).includes("StepBackedOff"))
        assert.deepStrictEqual(yield* Liveness.check, [])
        yield* until(Effect.sync(() => tries), (tries) => tries === 2)
        yield* until(handle.history, (history) => stepEvents(history).length === 4)
        yield* ada.stop
        assert.deepStrictEqual(yield* Liveness.check, [])
        const bob = yield* run(worker)
        assert.strictEqual(yield* bob.client.handle(Report, handle.workflowId).result, 3)
        assert.deepStrictEqual(stepEvents(yield* bob.client.handle(Report, handle.workflowId).history), [
          "StepScheduled",
          "StepBackedOff",
          "StepResumed",
          "StepBackedOff",
          "StepResumed",
          "StepCompleted"
        ])
      }),
    disk
  )
})

describe("under every crash", () => {
  const durable = Durable.withRunner(it)
  durable(
    "a step goes on with the attempt after the last recorded one, and ends as it would have (L1, I5, I6)",
    Report,
    {
      world: () => ({ started: 0 }),
      hosts: (world) => [hosting(
        Effect.gen(function*() {
          const never = yield* Effect.fork(seen(Step.run("never", {
            execute: Effect.suspend(() => (world.started++, Effect.die("no"))),
            retry: { initialInterval: "1 hour", maximumAttempts: 3, backoffCoefficient: 1 }
          })))
          yield* Effect.sleep("30 minutes")
          const other = yield* Effect.timeoutOption(
            Effect.orDie(Step.run("other", { execute: Effect.die("no"), retry: { initialInterval: "1 day" } })),
            "30 minutes"
          )
          return [other._tag, yield* Fiber.join(never)]
        })
      )],
      runs: 3,
      cancels: false,
      holds: ({ crashed, outcome, turns, world }) => {
        if (stepEvents(turns).length < 8) return
        assert.deepInclude(outcome, { _tag: "Completed" })
        const [other, never] = (outcome as { readonly value: unknown }).value as [string, Record<string, unknown>]
        assert.strictEqual(other, "None")
        assert.deepInclude(never, { attempt: 3, retryState: "MaximumAttemptsReached" })
        // The attempt that was under way is made again, and none that is recorded.
        assert.isAtMost(world.started, crashed ? 4 : 3)
      },
      timeoutMillis: 120_000
    }
  )
})
