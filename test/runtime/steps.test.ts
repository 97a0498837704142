/**
 * Inline steps on the real engine (row L1): run once by the owner of the run, recorded, and never run again on replay.
 */
import { assert, describe } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { ApplicationError, Step, Worker, Workflow } from "perdure"
import type { Seen } from "./World.js"
import { changed, disk, gate, run, seen, test, until } from "./World.js"

describe("a step", () => {
  for (const maxCachedExecutions of [0, 1_000]) {
    test(`runs once, and its recorded result is used from then on, with a cache of ${maxCachedExecutions} (L1, N2)`, () =>
      Effect.gen(function*() {
        let runs = 0
        const { client } = yield* run(hosting(
          Effect.gen(function*() {
            const first = yield* Step.run("first", { success: Schema.Number, execute: Effect.sync(() => ++runs) })
            yield* Effect.sleep("1 millis")
            const second = yield* Step.run("second", { success: Schema.Number, execute: Effect.sync(() => ++runs) })
            yield* Effect.sleep("1 millis")
            return [first, second]
          }),
          { maxCachedExecutions }
        ))
        const handle = yield* client.start(Report)
        assert.deepStrictEqual(yield* handle.result, [1, 2])
        assert.strictEqual(runs, 2)
        const tags = (yield* handle.history).flatMap((turn) => turn.events.map((event) => event._tag))
        assert.deepStrictEqual(tags.filter((tag) => tag.startsWith("Step")), [
          "StepScheduled",
          "StepCompleted",
          "StepScheduled",
          "StepCompleted"
        ])
      }))
  }

  test("is no activity: it has no queue, and the run stays in memory while it is performed (L1, N2)", () =>
    Effect.gen(function*() {
      const started = gate()
      const done = gate()
      let runs = 0
      const { client } = yield* run(hosting(
        Step.run("wait", {
          execute: Effect.sync(() => runs++).pipe(Effect.zipRight(started.open), Effect.zipRight(done.pass))
        }),
        { maxCachedExecutions: 0 }
      ))
      const handle = yield* client.start(Report)
      yield* started.pass
      yield* handle.signal("go")
      assert.deepStrictEqual((yield* handle.describe).pendingActivities, [])
      yield* done.open
      yield* handle.result
      assert.strictEqual(runs, 1)
    }))

  test("fails with its declared error, decoded, after its retries in process (L1, R1, R4)", () =>
    Effect.gen(function*() {
      let tries = 0
      const { client } = yield* run(hosting(Step.run("decline", {
        error: Declined,
        execute: Effect.suspend(() => new Declined({ reason: `try ${++tries}` })),
        retry: { initialInterval: "1 millis", maximumAttempts: 3 }
      })))
      const error = yield* Effect.flip(client.execute(Report))
      assert.instanceOf(error, Declined)
      assert.strictEqual((error as Declined).reason, "try 3")
    }))

  test("fails with ActivityError otherwise: what was thrown, and why it was not tried again (L1, R4, R6, R7)", () =>
    Effect.gen(function*() {
      class Broken extends Error {}
      const { client } = yield* run(hosting(Effect.all([
        seen(Step.run("thrown", {
          execute: Effect.sync(() => {
            throw new Broken("pipe")
          }),
          retry: { initialInterval: "1 millis", maximumAttempts: 2 }
        })),
        seen(Step.run("final", {
          execute: new ApplicationError({ type: "Final", message: "no", nonRetryable: true })
        }))
      ])))
      const [thrown, final] = (yield* client.execute(Report)) as [Seen, Seen]
      assert.deepInclude(thrown, { attempt: 2, retryState: "MaximumAttemptsReached" })
      assert.deepInclude(thrown.failure, { _tag: "Application", type: "Broken", message: "pipe" })
      assert.deepInclude(final, { attempt: 1, retryState: "NonRetryableFailure" })
      assert.deepInclude(final.failure, { type: "Final" })
    }))

  test("is bounded by its timeout, for each attempt (L1, A11)", () =>
    Effect.gen(function*() {
      let tries = 0
      const { client } = yield* run(hosting(Step.run("slow", {
        success: Schema.Number,
        startToCloseTimeout: "30 millis",
        execute: Effect.suspend(() => ++tries === 1 ? Effect.never : Effect.succeed(tries)),
        retry: { initialInterval: "1 millis" }
      })))
      assert.strictEqual(yield* client.execute(Report), 2)
    }))

  test("whose result cannot be recorded fails at once (L1, N4)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting(
        seen(Step.run("odd", { success: Schema.Unknown, execute: Effect.succeed(new Date(0)) }))
      ))
      const outcome = (yield* client.execute(Report)) as Seen
      assert.deepInclude(outcome, { attempt: 1, retryState: "NonRetryableFailure" })
      assert.deepInclude(outcome.failure, { type: "ContractError" })
    }))

  test("uses services of its workflow's Layer (L1)", () =>
    Effect.gen(function*() {
      class Rates extends Context.Tag("Rates")<Rates, { readonly of: (currency: string) => number }>() {}
      const { client } = yield* run(Worker.layer({
        hosts: [
          Report.toLayer(() =>
            Effect.succeed(Report.of({
              signals: { go: () => Effect.void },
              run: Step.run("rate", { success: Schema.Number, execute: Effect.map(Rates, (rates) => rates.of("EUR")) })
            }))
          ).pipe(Layer.provide(Layer.succeed(Rates, { of: (currency) => currency.length })))
        ]
      }))
      assert.strictEqual(yield* client.execute(Report), 3)
    }))

  test("is interrupted with the fiber that waits for it, and its finalizers run (L1)", () =>
    Effect.gen(function*() {
      const started = gate()
      const released = gate()
      const { client } = yield* run(Worker.layer({
        hosts: [
          Report.toLayer(() =>
            Effect.gen(function*() {
              const go = yield* Deferred.make<void>()
              return Report.of({
                signals: { go: () => Deferred.succeed(go, undefined) },
                run: Effect.gen(function*() {
                  const fiber = yield* Effect.fork(Step.run("endless", {
                    execute: Effect.ensuring(Effect.zipRight(started.open, Effect.never), released.open)
                  }))
                  yield* Deferred.await(go)
                  yield* Fiber.interrupt(fiber)
                  return "went on"
                })
              })
            })
          )
        ]
      }))
      const handle = yield* client.start(Report)
      yield* started.pass
      yield* handle.signal("go")
      assert.strictEqual(yield* handle.result, "went on")
      yield* released.pass
      const tags = (yield* handle.history).flatMap((turn) => turn.events.map((event) => event._tag))
      assert.include(tags, "StepCanceled")
    }))

  test("that runs in vain ends with its run: terminated, nothing of it goes on (L1, C10)", () =>
    Effect.gen(function*() {
      const started = gate()
      const released = gate()
      const { client } = yield* run(hosting(
        Step.run("endless", { execute: Effect.ensuring(Effect.zipRight(started.open, Effect.never), released.open) })
      ))
      const handle = yield* client.start(Report)
      yield* started.pass
      yield* handle.terminate()
      yield* released.pass
    }))

  test(
    "whose worker is gone before the outcome was recorded runs again, from attempt 1 (L1)",
    () =>
      Effect.gen(function*() {
        const attempts: Array<string> = []
        const inSecond = gate()
        let tries = 0
        const step = (worker: string, endAt: number) =>
          Step.run("again", {
            success: Schema.String,
            execute: Effect.suspend(() => {
              attempts.push(`${worker} ${++tries}`)
              if (tries === endAt) {
                return Effect.zipRight(inSecond.open, worker === "ada" ? Effect.never : Effect.succeed(worker))
              }
              return Effect.die("again")
            }),
            retry: { initialInterval: "1 millis", maximumAttempts: 2 }
          })
        const ada = yield* run(hosting(step("ada", 2)))
        const handle = yield* ada.client.start(Report)
        yield* inSecond.pass
        yield* ada.stop
        tries = 0
        const bob = yield* run(hosting(step("bob", 2)))
        assert.strictEqual(yield* bob.client.handle(Report, handle.workflowId).result, "bob")
        assert.deepStrictEqual(attempts, ["ada 1", "ada 2", "bob 1", "bob 2"])
      }),
    disk
  )

  test("of many runs shares its worker with them: a hundred at once (L1, I10)", () =>
    Effect.gen(function*() {
      let now = 0
      let most = 0
      const { client } = yield* run(hosting(Effect.forEach(Array.from({ length: 150 }, (_, n) => n), (n) =>
        Step.run("crowd", {
          execute: Effect.acquireUseRelease(
            Effect.sync(() => most = Math.max(most, ++now)),
            () => Effect.sleep(`${n % 3} millis`),
            () => Effect.sync(() => now--)
          )
        }), { concurrency: "unbounded", discard: true })))
      yield* Effect.all([client.execute(Report), client.execute(Report)], { concurrency: 2 })
      assert.strictEqual(most, 100)
    }))
})

describe("a crowd of runs that wait for their steps", () => {
  let polls = 0
  test(
    "does not hold up the worker's poll: others wake in time, and it comes to rest (L1, I12)",
    () =>
      Effect.gen(function*() {
        const done = gate()
        polls = 0
        const Sleeper = Workflow.make("Sleeper")
        const { client } = yield* run(Worker.layer({
          maxCachedExecutions: 0,
          hosts: [
            Report.toLayer(() =>
              Effect.succeed(Report.of({
                signals: { go: () => Effect.void },
                run: Step.run("wait", { execute: done.pass })
              }))
            ),
            Sleeper.toLayer(() => Effect.sleep("30 millis"))
          ]
        }))
        const handles = yield* Effect.forEach(Array.from({ length: 300 }), () => client.start(Report), {
          concurrency: "unbounded"
        })
        yield* client.execute(Sleeper)
        const before = polls
        yield* Effect.sleep("300 millis")
        assert.isBelow(polls - before, 20)
        yield* done.open
        yield* Effect.forEach(handles, (handle) => handle.result, { concurrency: "unbounded", discard: true })
        yield* until(handles[0]!.describe, ({ status }) => status === "Completed")
      }),
    changed((store) => ({
      dueRuns: (...args) => Effect.zipRight(Effect.sync(() => polls++), store.dueRuns(...args))
    }))
  )
})

// -----------------------------------------------------------------------------
// fixtures
// -----------------------------------------------------------------------------

class Declined extends Schema.TaggedError<Declined>()("Declined", { reason: Schema.String }) {}

const Report = Workflow.make("Report", { success: Schema.Unknown, error: Declined, signals: { go: {} } })

type Program = Effect.Effect<
  unknown,
  Declined | Effect.Effect.Error<ReturnType<typeof Step.run>>,
  Effect.Effect.Context<typeof Workflow.info>
>

/** A worker whose only workflow is the given program. */
const hosting = (program: Program, options: { readonly maxCachedExecutions?: number } = {}) =>
  Worker.layer({
    ...options,
    hosts: [
      Report.toLayer(() => Effect.succeed(Report.of({ signals: { go: () => Effect.void }, run: program })))
    ]
  })
