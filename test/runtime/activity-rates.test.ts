/**
 * Rates at which attempts start: of a worker, of a task queue with several workers; and what an attempt sees of the end of
 * its worker.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { Activity, Worker, WorkerConfigError, Workflow } from "perdure"
import { StartLimits } from "../../src/runtime/activity/StartLimits.js"
import type { Seen } from "./World.js"
import { gate, run, seen, test } from "./World.js"

describe("a rate", () => {
  const inTime = (starts: ReadonlyArray<number>, perSecond: number, ahead = 0) => {
    const took = starts[starts.length - 1]! - starts[0]!
    const burst = Math.max(1, Math.ceil(perSecond / 10))
    assert.isAtLeast(took, (starts.length - burst - ahead) * 1_000 / perSecond - 100)
  }

  test("of a worker holds its starts, those with a slot of their own too (A17)", () =>
    Effect.gen(function*() {
      const starts: Array<number> = []
      const { client } = yield* run(fanning(starts, { maxActivitiesPerSecond: 40 }))
      assert.strictEqual(yield* client.execute(Fan, 24), 24)
      assert.lengthOf(starts, 24)
      inTime(starts, 40)
    }))

  test("of a queue holds all its workers together (A17)", () =>
    Effect.gen(function*() {
      const starts: Array<number> = []
      const rate = { maxTaskQueueActivitiesPerSecond: 40 }
      const { client } = yield* run(fanning(starts, rate))
      yield* run(fanning(starts, rate))
      yield* run(fanning(starts, rate))
      const done = yield* Effect.all([client.execute(Fan, 15), client.execute(Fan, 15)], { concurrency: 2 })
      assert.deepStrictEqual(done, [15, 15])
      // What was granted before the first one started: each worker may hold a few.
      inTime(starts, 40, 6)
    }))

  test("leaves what it holds in the queue, where schedule-to-start strikes (A17, A12)", () =>
    Effect.gen(function*() {
      for (
        const rate of [{ maxActivitiesPerSecond: 0.2 }, { maxTaskQueueActivitiesPerSecond: 0.2, taskQueue: "slow" }]
      ) {
        const starts: Array<number> = []
        const { client, stop } = yield* run(fanning(starts, rate))
        const handle = yield* client.start(Two)
        const [first, second] = (yield* handle.result) as [unknown, Seen]
        assert.strictEqual(first, 1)
        assert.deepInclude(second.failure, { _tag: "Timeout", timeout: "ScheduleToStart" })
        assert.lengthOf(starts, 1)
        yield* stop
      }
    }))

  test("holds what comes from the store as well (A17)", () =>
    Effect.gen(function*() {
      const starts: Array<number> = []
      const { client } = yield* run(fanning([], { taskQueue: "bodies" }))
      const waiting = yield* Effect.fork(client.execute(Far))
      yield* run(fanning(starts, { taskQueue: "far", maxActivitiesPerSecond: 40 }))
      assert.strictEqual(yield* Fiber.join(waiting), 16)
      inTime(starts, 40)
    }))

  it("that allows a start by the time it is asked when, is looked at again at once (A17)", () => {
    let now = 1_000
    let looked = 0
    const rates = { worker: 10, queue: undefined, taskQueue: "q" }
    const limits = new StartLimits(
      rates,
      undefined as never,
      Runtime.defaultRuntime,
      () => now,
      undefined as never,
      () => {
        looked++
      }
    )
    limits.take(limits.allowed)
    assert.strictEqual(limits.allowed, 0)
    now += 1_000
    limits.whenAllowed(1)
    assert.strictEqual(looked, 1)
  })

  test("that means nothing is refused (A17)", () =>
    Effect.gen(function*() {
      for (const rate of [0, -1, NaN, Infinity]) {
        const error = yield* Effect.flip(run(fanning([], { maxActivitiesPerSecond: rate })))
        assert.instanceOf(error, WorkerConfigError)
      }
    }))
})

describe("the end of a worker", () => {
  test("is heard by an attempt that waits for it, which ends in its own way, beating (A16)", () =>
    Effect.gen(function*() {
      const started = gate()
      const { client, stop } = yield* run(single(
        started.open.pipe(
          Effect.zipRight(Activity.awaitShutdown),
          Effect.zipRight(Activity.heartbeat("kept")),
          Effect.zipRight(Activity.awaitShutdown),
          Effect.zipRight(Effect.die("not done"))
        )
      ))
      const handle = yield* client.start(Fan, 1)
      yield* started.pass
      yield* stop
      assert.deepInclude((yield* handle.describe).pendingActivities[0], {
        state: "queued",
        attempt: 2,
        heartbeat: "kept"
      })
    }))

  test("is told as such: interrupted after the grace, did not complete in time, tried elsewhere (A16, A8)", () =>
    Effect.gen(function*() {
      const started = gate()
      const seenFlags: Array<unknown> = []
      const { client, stop } = yield* run(single(
        Effect.onInterrupt(
          Effect.zipRight(started.open, Effect.never),
          () => Effect.map(Activity.cancellationDetails, (details) => seenFlags.push(details?.workerShutdown))
        )
      ))
      const handle = yield* client.start(Fan, 1)
      yield* started.pass
      yield* stop
      assert.deepStrictEqual(seenFlags, [true])
      assert.include((yield* handle.describe).pendingActivities[0]?.lastFailure, "did not complete in time")
      const next = yield* run(fanning([], {}))
      assert.strictEqual(yield* next.client.handle(Fan, handle.workflowId).result, 1)
    }))

  test("that is waited for in vain leaves nothing behind when the attempt ends (A16)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(single(
        Effect.as(Effect.timeoutOption(Activity.awaitShutdown, "5 millis"), 1)
      ))
      assert.strictEqual(yield* client.execute(Fan, 1), 1)
    }))
})

// --- fixtures

const Echo = Activity.make("Echo", { success: Schema.Number, startToCloseTimeout: "10 seconds" })
const Fan = Workflow.make("Fan", { payload: Schema.Number, success: Schema.Number })
const Two = Workflow.make("Two", { success: Schema.Unknown })
const Far = Workflow.make("Far", { success: Schema.Number })

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((sum, n) => sum + n, 0)
const fan = Fan.toLayer((count) =>
  Effect.map(
    Effect.orDie(Effect.all(Array.from({ length: count }, () => Echo.execute()), { concurrency: "unbounded" })),
    sum
  )
)

const fanning = (
  starts: Array<number>,
  options: Omit<Worker.Options<[]>, "hosts" | "tuner">
) =>
  Worker.layer({
    ...options,
    hosts: [
      fan,
      Two.toLayer(() =>
        Effect.all([
          Echo.execute(),
          seen(Effect.zipRight(Effect.sleep(1), Echo.execute(undefined, { scheduleToStartTimeout: 150 })))
        ], { concurrency: 2 })
      ),
      Far.toLayer(() =>
        Effect.map(
          Effect.orDie(
            Effect.all(Array.from({ length: 16 }, () => Echo.execute(undefined, { taskQueue: "far" })), {
              concurrency: "unbounded"
            })
          ),
          sum
        )
      ),
      Echo.toLayer(() =>
        Effect.sync(() => {
          starts.push(performance.now())
          return 1
        })
      )
    ]
  })

const single = (
  body: Effect.Effect<number, never, Effect.Effect.Context<typeof Activity.info>>
): ReturnType<typeof fanning> => Worker.layer({ shutdownGrace: "20 millis", hosts: [fan, Echo.toLayer(() => body)] })
