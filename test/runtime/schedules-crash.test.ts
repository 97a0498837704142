/**
 * A worker that carries a schedule on, killed at every operation of its store: between a claim and what is decided, as
 * anywhere else, no time is acted on twice, and none is lost (H7, I3, I5).
 */
import { assert, describe, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { Client, Liveness, Schedule, StoreClient, Worker, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import type { CrashPoint } from "../../src/testing/CrashingStore.js"
import * as CrashingStore from "../../src/testing/CrashingStore.js"
import { beginning, VirtualTime } from "../../src/testing/VirtualTime.js"
import { memory } from "./World.js"

/** Takes a minute and a half, and gives how many there were before it. */
const Count = Workflow.make("Count", { payload: Schema.Number, success: Schema.Number })
const CountLive = Count.toLayer((from) =>
  Effect.gen(function*() {
    const last = yield* Effect.orDie(Workflow.lastResult(Count))
    yield* Effect.sleep("90 seconds")
    return Option.getOrElse(last, () => from) + 1
  })
)

const minute = 60_000
const century = 36_500 * 86_400_000

const handle = Effect.map(Client, ({ schedules }) => schedules.handle("count"))

/** Twice, a minute apart, each to wait for the one before; then nothing more. */
const create = Effect.flatMap(Client, ({ schedules }) =>
  schedules.create("count", {
    spec: { intervals: [{ every: "1 minute" }], endAt: beginning + 2 * minute },
    policies: { overlap: "BufferAll" },
    action: Schedule.start(Count, 0)
  }))

const isDone = Effect.flatMap(
  handle,
  ({ describe }) =>
    Effect.map(
      describe,
      ({ counts, running, waiting }) => counts.actions === 2 && running.length === 0 && waiting.length === 0
    )
)

/** Until the schedule has done all that it had to do, or the process is dead. */
const live = (store: Store["Type"], life: CrashingStore.Life, client: Context.Context<Client>) =>
  Effect.scoped(Effect.gen(function*() {
    const { time } = life
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => CrashingStore.bury(life, scope))
    const layer = Worker.layer({ hosts: [CountLive], lease: century, shutdownGrace: 0 }).pipe(
      Layer.provide(CrashingStore.layer(life)),
      Layer.provide(Layer.succeed(Store, store))
    )
    const starting = yield* Effect.forkDaemon(
      Scope.extend(Effect.withClock(Layer.build(layer), life.clock.clock), scope)
    )
    for (let step = 0; step < 200; step++) {
      yield* time.rest
      const failed = starting.unsafePoll()
      if (failed !== null && Exit.isFailure(failed)) return yield* Effect.failCause(failed.cause)
      if (life.dead) return "died"
      if (yield* Effect.provide(isDone, client)) return "done"
      time.tick()
    }
    return yield* Effect.dieMessage("the schedule does not come to its end")
  }))

const trial = (crash: CrashPoint | undefined) =>
  Effect.scoped(Effect.gen(function*() {
    const store = yield* Store
    const time = new VirtualTime()
    const client = yield* Effect.withClock(Layer.build(StoreClient.layer), time.clock().clock)
    yield* Effect.provide(create, client)
    const life = new CrashingStore.Life(1, time, crash)
    const lives = [yield* live(store, life, client)]
    assert.deepStrictEqual(yield* Liveness.check, [], JSON.stringify(crash))
    if (lives[0] === "died") {
      for (const worker of yield* store.workers) yield* store.renew(worker.id, time.now - 1)
      lives.push(yield* live(store, new CrashingStore.Life(2, time), client))
    }
    assert.deepStrictEqual(yield* Liveness.check, [], JSON.stringify(crash))
    const { counts, recent } = yield* Effect.provide(Effect.flatMap(handle, ({ describe }) => describe), client)
    const results = yield* Effect.provide(
      Effect.flatMap(Client, (client) =>
        Effect.forEach(recent, ({ runId, workflowId }) => client.handle(Count, workflowId, runId).result)),
      client
    )
    return {
      operations: life.operations,
      results,
      runs: (yield* store.runs({ limit: 100 })).map(({ scheduled, status, workflowId }) => [
        workflowId,
        status,
        scheduled!.at - beginning
      ]),
      recent: recent.map(({ ended, scheduledAt }) => [scheduledAt - beginning, ended]),
      counts
    }
  })).pipe(Effect.provide(memory), Logger.withMinimumLogLevel(LogLevel.None))

describe("a schedule", () => {
  it.live(
    "does the same wherever its worker is killed, at every operation of its store (H7, H8, W17, I3)",
    () =>
      Effect.gen(function*() {
        const { operations, ...calm } = yield* trial(undefined)
        assert.deepStrictEqual(calm.counts, { actions: 2, skipped: 0, missed: 0, dropped: 0 })
        assert.deepStrictEqual(calm.recent, [[minute, "Completed"], [2 * minute, "Completed"]])
        assert.deepStrictEqual(calm.results, [1, 2])
        assert.lengthOf(calm.runs, 2)
        assert.include(operations, "claimSchedules")
        assert.include(operations, "writeSchedules")
        const points = CrashingStore.Life.distinctCrashPoints(operations)
        assert.isAbove(points.length, 20)
        for (const point of points) {
          const { operations: _, ...crashed } = yield* trial(point)
          assert.deepStrictEqual(
            crashed,
            calm,
            `killed ${point.when} operation ${point.operation}, ${operations[point.operation - 1]}`
          )
        }
      }),
    180_000
  )

  const downFor = (minutes: number, policies: Schedule.Policies) =>
    Effect.scoped(Effect.gen(function*() {
      const store = yield* Store
      const time = new VirtualTime()
      const client = yield* Effect.withClock(Layer.build(StoreClient.layer), time.clock().clock)
      const schedule = yield* Effect.provide(
        Effect.flatMap(Client, ({ schedules }) =>
          schedules.create("late", {
            spec: { intervals: [{ every: "1 minute" }] },
            policies,
            action: Schedule.start(Count, 0)
          })),
        client
      )
      time.now += minutes * minute
      const life = new CrashingStore.Life(1, time)
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => CrashingStore.bury(life, scope))
      const worker = Worker.layer({ hosts: [CountLive], lease: century, shutdownGrace: 0 }).pipe(
        Layer.provide(CrashingStore.layer(life)),
        Layer.provide(Layer.succeed(Store, store))
      )
      yield* Effect.forkDaemon(Scope.extend(Effect.withClock(Layer.build(worker), life.clock.clock), scope))
      yield* time.rest
      const { counts, recent } = yield* schedule.describe
      return { counts, late: recent.map(({ scheduledAt }) => (time.now - scheduledAt) / minute) }
    })).pipe(Effect.provide(memory), Logger.withMinimumLogLevel(LogLevel.None))

  it.live(
    "makes up for the times at which no worker was there, as far back as its window says (H8)",
    () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* downFor(4, { overlap: "AllowAll" }), {
          counts: { actions: 4, skipped: 0, missed: 0, dropped: 0 },
          late: [3, 2, 1, 0]
        })
        assert.deepStrictEqual(yield* downFor(4, { overlap: "AllowAll", catchupWindow: "61 seconds" }), {
          counts: { actions: 2, skipped: 0, missed: 2, dropped: 0 },
          late: [1, 0]
        })
        // More than are looked at in one go.
        assert.deepStrictEqual(yield* downFor(60 * 24 * 2, { catchupWindow: "10 seconds" }), {
          counts: { actions: 1, skipped: 0, missed: 2_879, dropped: 0 },
          late: [0]
        })
      }),
    30_000
  )

  it.live("does what was due before a pause, though no worker had looked at it yet (H10)", () =>
    Effect.scoped(Effect.gen(function*() {
      const time = new VirtualTime()
      const client = yield* Effect.withClock(Layer.build(StoreClient.layer), time.clock().clock)
      yield* Effect.provide(create, client)
      const schedule = yield* Effect.provide(handle, client)
      time.now += minute
      yield* schedule.pause()
      time.now += minute
      yield* schedule.pause("still")
      const { counts, recent } = yield* schedule.describe
      assert.deepInclude(counts, { actions: 1, skipped: 0 })
      assert.deepStrictEqual(recent.map(({ scheduledAt }) => scheduledAt), [beginning + minute])
    })).pipe(Effect.provide(memory)))
})
