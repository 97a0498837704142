/**
 * Goal: a start with a message that meets a run whose first turn is held lets it begin, and nothing is lost wherever a
 * process is killed meanwhile (rows X7, S10, U13). Method: virtual time, which passes ten minutes at most: the hour of the
 * delay never comes.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { Client, Liveness, State, Worker, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import type { CrashPoint } from "../../src/testing/CrashingStore.js"
import * as CrashingStore from "../../src/testing/CrashingStore.js"
import { Life } from "../../src/testing/CrashingStore.js"
import { VirtualTime } from "../../src/testing/VirtualTime.js"
import * as Playing from "../proofs/Playing.js"
import { memory } from "./World.js"

const Counter = Workflow.make("Counter", {
  payload: Schema.Number,
  signals: { add: { payload: Schema.Number } },
  queries: { total: { success: Schema.Number } },
  updates: { add: { payload: Schema.Number, success: Schema.Number } }
})
const CounterLive = Counter.toLayer((initial) =>
  Effect.gen(function*() {
    const total = yield* State.make(initial)
    return Counter.of({
      signals: { add: (n) => total.update((sum) => sum + n) },
      queries: { total: () => total.get },
      updates: { add: (n) => total.updateAndGet((sum) => sum + n) },
      run: Effect.never
    })
  })
)

const workflowId = "held"
const held = (client: Client["Type"]) =>
  client.start(Counter, 100, { workflowId, startDelay: "1 hour", requestId: "start" })

/** What a process asks for, and the next one again: the total that it sees then. */
const ways: Record<string, (client: Client["Type"]) => Effect.Effect<number, unknown>> = {
  "a signal-with-start": (client) =>
    Effect.gen(function*() {
      yield* held(client)
      const signal = { name: "add", payload: 1, requestId: "s" } as const
      const handle = yield* client.signalWithStart(Counter, 7, signal, { workflowId })
      return yield* handle.query("total")
    }),
  "an update-with-start": (client) =>
    Effect.gen(function*() {
      yield* held(client)
      const { handle, update } = yield* client.updateWithStart(
        Counter,
        7,
        { name: "add", payload: 1, updateId: "u" },
        { workflowId, idConflict: "UseExisting", timeout: "1 minute" }
      )
      return Math.max(yield* update.result, yield* handle.query("total"))
    })
}

describe("a run whose start is delayed", () => {
  for (const [name, ask] of Object.entries(ways)) {
    it.live(`begins with ${name}, wherever the worker is killed (X7, I3, I5)`, () =>
      Effect.gen(function*() {
        const calm = yield* lives(ask, undefined)
        const points = Life.crashPoints(calm)
        assert.isAtLeast(points.length, 8)
        for (const point of points) yield* lives(ask, point)
      }), 120_000)
  }

  it.live("stays held whatever plain signals come (X7)", () =>
    Effect.gen(function*() {
      const plain = (client: Client["Type"]) =>
        Effect.gen(function*() {
          const handle = yield* held(client)
          yield* handle.signal("add", 1)
          const error = yield* Effect.flip(handle.query("total"))
          assert.include(String(error), "the run begins at")
          return 101
        })
      yield* lives(plain, undefined)
    }))
})

/** Operations of the first process. */
const lives = (ask: (client: Client["Type"]) => Effect.Effect<number, unknown>, crash: CrashPoint | undefined) =>
  Effect.scoped(Effect.gen(function*() {
    const store = yield* Store
    const time = new VirtualTime()
    const first = new Life(1, time, crash)
    for (const life of crash === undefined ? [first] : [first, new Life(2, time)]) {
      // Whoever comes finds the dead one's lease lapsed.
      for (const worker of yield* store.workers) yield* store.renew(worker.id, time.now - 1)
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => CrashingStore.bury(life, scope))
      const whole = Effect.provideService(Effect.flatMap(worker(life, store), ask), Scope.Scope, scope)
      const ended = yield* Playing.drive(yield* Effect.forkDaemon(whole), life, 600_000)
      assert.deepStrictEqual(yield* Liveness.check, [])
      if (typeof ended === "string") continue
      assert.deepStrictEqual(ended, Exit.succeed(101))
      assert.lengthOf(yield* store.runs({ limit: 9 }), 1, "started twice")
      return life.operations
    }
    return yield* Effect.dieMessage("both died")
  })).pipe(
    Effect.provide(memory),
    Logger.withMinimumLogLevel(LogLevel.None),
    Effect.mapError((error) => new Error(`${String(error)}; killed at ${JSON.stringify(crash)}`))
  )

const worker = (life: Life, store: Store["Type"]) =>
  Effect.map(
    Effect.withClock(
      Layer.build(
        Worker.layer({ hosts: [CounterLive], lease: 3_600_000, shutdownGrace: 0 }).pipe(
          Layer.provide(CrashingStore.layer(life)),
          Layer.provide(Layer.succeed(Store, store))
        )
      ),
      life.clock.clock
    ),
    (context) => Context.get(context, Client)
  )
