/**
 * A chain of runs whose worker is killed at every operation of its store: between an end and the first turn of the run
 * that follows, as anywhere else, nothing is lost and nothing is there twice (K10, X9, I3, I5).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { Client, Liveness, Worker, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import * as RetryPolicy from "../../src/core/RetryPolicy.js"
import * as Histories from "../../src/runtime/Histories.js"
import type { CrashPoint } from "../../src/testing/CrashingStore.js"
import * as CrashingStore from "../../src/testing/CrashingStore.js"
import * as Audit from "../../src/testing/durable/Audit.js"
import { beginning, VirtualTime } from "../../src/testing/VirtualTime.js"
import { memory } from "./World.js"

class Unlucky extends Schema.TaggedError<Unlucky>()("Unlucky", {}) {}

/** Continues once, fails once and is tried again, runs out of its time once, and completes. */
const Eventful = Workflow.make("Eventful", {
  payload: { part: Schema.Number, seen: Schema.Array(Schema.String) },
  success: Schema.Array(Schema.String),
  error: Unlucky
})
const EventfulLive = Eventful.toLayer(({ part, seen }) =>
  Effect.gen(function*() {
    const { attempt } = yield* Workflow.info
    const failure = Option.map(yield* Workflow.lastFailure(Eventful), ({ _tag }) => _tag)
    const here = `part ${part}, attempt ${attempt}, after ${Option.getOrElse(failure, () => "nothing")}`
    if (part === 1) return yield* Workflow.continueAsNew(Eventful, { part: 2, seen: [...seen, here] })
    if (attempt === 1) return yield* new Unlucky()
    if (attempt === 2) yield* Effect.sleep("1 day")
    return [...seen, here]
  })
)

const runId = "01900000-0000-7000-8000-000000000001"
const first = { runId, workflowId: "eventful", workflow: "Eventful", taskQueue: "default", startedAt: beginning }
const start = {
  _tag: "Start",
  workflow: "Eventful",
  workflowId: "eventful",
  taskQueue: "default",
  input: { part: 1, seen: [] },
  retry: RetryPolicy.make({ initialInterval: "1 second" }),
  runTimeoutMillis: 3_600_000,
  runExpiresAt: beginning + 3_600_000
}

const century = 36_500 * 86_400_000

const last = (store: Store["Type"]) => Effect.flatten(store.findLatest("eventful", runId))

/** Until the chain is at its end, or the process is dead. */
const live = (store: Store["Type"], life: CrashingStore.Life) =>
  Effect.scoped(Effect.gen(function*() {
    const { time } = life
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => CrashingStore.bury(life, scope))
    const layer = Worker.layer({ hosts: [EventfulLive], lease: century, shutdownGrace: 0 }).pipe(
      Layer.provide(CrashingStore.layer(life)),
      Layer.provide(Layer.succeed(Store, store))
    )
    const started = Effect.map(Effect.withClock(Layer.build(layer), life.clock.clock), Context.get(Client))
    const starting = yield* Effect.forkDaemon(Scope.extend(started, scope))
    for (let step = 0; step < 200; step++) {
      yield* time.rest
      const failed = starting.unsafePoll()
      if (failed !== null && Exit.isFailure(failed)) return yield* Effect.failCause(failed.cause)
      if (life.dead) return "died"
      if ((yield* last(store)).status !== "Running") return "ended"
      time.tick()
    }
    return yield* Effect.dieMessage("the chain does not come to an end")
  }))

/** One chain, whose first worker dies somewhere. */
const trial = (crash: CrashPoint | undefined) =>
  Effect.gen(function*() {
    const store = yield* Store
    yield* store.create({ ...first, expiresAt: start.runExpiresAt }, {
      runId,
      kind: "Start",
      body: JSON.stringify(start)
    })
    const time = new VirtualTime()
    const life = new CrashingStore.Life(1, time, crash)
    const lives = [yield* live(store, life)]
    assert.deepStrictEqual(yield* Liveness.check, [], JSON.stringify(crash))
    if (lives[0] === "died") {
      for (const worker of yield* store.workers) yield* store.renew(worker.id, time.now - 1)
      lives.push(yield* live(store, new CrashingStore.Life(2, time)))
    }
    const runs = yield* store.runs({ limit: 100 })
    const chain = [...runs].reverse()
    const histories = yield* Effect.forEach(chain, (run) => Histories.read(store, run.runId))
    assert.deepStrictEqual(histories.flatMap((turns) => Audit.history(turns)), [])
    return {
      operations: life.operations,
      statuses: chain.map(({ status }) => status),
      attempts: chain.map(({ attempt }) => attempt),
      previous: chain.map(({ previousRunId }) => chain.findIndex((run) => run.runId === previousRunId)),
      firsts: chain.map((run) => run.firstRunId),
      end: histories.at(-1)!.at(-1)!.events.at(-1)!
    }
  }).pipe(Effect.provide(memory), Logger.withMinimumLogLevel(LogLevel.None))

describe("a chain of runs", () => {
  it.live(
    "is the same wherever its worker is killed, at every operation of its store (K10, X8, X9, W17)",
    () =>
      Effect.gen(function*() {
        const { operations, ...calm } = yield* trial(undefined)
        assert.deepStrictEqual(calm, {
          statuses: ["ContinuedAsNew", "Failed", "TimedOut", "Completed"],
          attempts: [1, 1, 2, 3],
          previous: [-1, 0, 1, 2],
          firsts: [runId, runId, runId, runId],
          end: {
            _tag: "ExecutionCompleted",
            result: ["part 1, attempt 1, after nothing", "part 2, attempt 3, after WorkflowFailure"]
          }
        })
        const points = CrashingStore.Life.crashPoints(operations)
        assert.isAbove(points.length, 20)
        for (const point of points) {
          const { operations: _, ...crashed } = yield* trial(point)
          assert.deepStrictEqual(crashed, calm, `killed ${point.when} operation ${point.operation}`)
        }
      }),
    120_000
  )
})
