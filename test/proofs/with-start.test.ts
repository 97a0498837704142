/**
 * A crash at every operation of the store while a message is sent together with the start of its run (S10, U13): before
 * it took effect, and after it did and before the answer came. Whoever sends again by the same ids finds one run with
 * one message; no start is ever seen without its message, and what is left has something to wake it (I3, I5).
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
import { SqliteStore, Store } from "perdure/sqlite"
import type { CrashPoint } from "../../src/testing/CrashingStore.js"
import * as CrashingStore from "../../src/testing/CrashingStore.js"
import { Life } from "../../src/testing/CrashingStore.js"
import { VirtualTime } from "../../src/testing/VirtualTime.js"
import * as Folder from "../persistence/Folder.js"
import * as Playing from "./Playing.js"
import { testMillis } from "./Runs.js"

const Counter = Workflow.make("Counter", {
  payload: Schema.Number,
  success: Schema.Number,
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

const workflowId = "the one"
type TheClient = Context.Tag.Service<typeof Client>

/** What a life asks for, again and again, until it is answered: the total that it sees then. */
const sendings: Record<string, (client: TheClient) => Effect.Effect<number, unknown>> = {
  "signal-with-start by the engine (S10)": (client) =>
    Effect.flatMap(
      client.signalWithStart(Counter, 100, { name: "add", payload: 1, requestId: "s" }, { workflowId }),
      (handle) => handle.query("total")
    ),
  "signal-with-start by the store (S10, X6)": (client) =>
    Effect.flatMap(
      client.signalWithStart(Counter, 100, { name: "add", payload: 1, requestId: "s" }, {
        workflowId,
        requestId: "start"
      }),
      (handle) => handle.query("total")
    ),
  "update-with-start (U13)": (client) =>
    Effect.flatMap(
      client.updateWithStart(Counter, 100, { name: "add", payload: 1, updateId: "u" }, {
        workflowId,
        idConflict: "UseExisting",
        timeout: "1 minute"
      }),
      ({ handle, update }) => Effect.zipRight(update.result, handle.query("total"))
    )
}

describe("a crash at any operation of the store", () => {
  for (const [name, send] of Object.entries(sendings)) {
    it.live(`leaves of ${name} both, start and message, or neither`, () =>
      Effect.gen(function*() {
        const [calm] = yield* lives(send, [])
        const points = Life.crashPoints(calm!.operations)
        assert.isAtLeast(points.length, 8)
        for (const point of points) assert.lengthOf(yield* lives(send, [point]), 2, `nobody died at ${point.operation}`)
      }), testMillis)
  }
})

const lives = (send: (client: TheClient) => Effect.Effect<number, unknown>, points: ReadonlyArray<CrashPoint>) =>
  Effect.scoped(Effect.gen(function*() {
    const time = new VirtualTime()
    const folder = yield* Folder.make
    const store = Context.get(
      yield* Layer.build(SqliteStore.layer({ filename: folder.file("w.db"), durability: "process-crash" })),
      Store
    )
    const lived: Array<Life> = []
    for (let number = 1;; number++) {
      const life = new Life(number, time, points[number - 1])
      lived.push(life)
      // Whoever comes finds the dead one's lease lapsed.
      for (const worker of yield* store.workers) yield* store.renew(worker.id, time.now - 1)
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => CrashingStore.bury(life, scope))
      const whole = Effect.provideService(Effect.flatMap(worker(life, store), send), Scope.Scope, scope)
      const ended = yield* Playing.drive(yield* Effect.forkDaemon(whole), life, 600_000)
      yield* inspect(store)
      if (typeof ended === "string") continue
      assert.deepStrictEqual(ended, Exit.succeed(101))
      const runs = yield* store.runs({ limit: 9 })
      assert.lengthOf(runs, 1, "started twice")
      return lived
    }
  })).pipe(
    Logger.withMinimumLogLevel(LogLevel.None),
    Effect.mapError((error) => new Error(`${String(error)}; killed at ${JSON.stringify(points)}`))
  )

const worker = (life: Life, store: Store["Type"]) =>
  Effect.map(
    Effect.withClock(
      Layer.build(
        Worker.layer({ taskQueue: "default", hosts: [CounterLive], lease: 3_600_000, shutdownGrace: 0 }).pipe(
          Layer.provide(CrashingStore.layer(life)),
          Layer.provide(Layer.succeed(Store, store))
        )
      ),
      life.clock.clock
    ),
    (context) => Context.get(context, Client)
  )

/** As a crash left it. */
const inspect = (store: Store["Type"]) =>
  Effect.gen(function*() {
    assert.deepStrictEqual(yield* Effect.provideService(Liveness.check, Store, store), [])
    for (const { runId } of yield* store.runs({ limit: 9 })) {
      const [first] = yield* Playing.turnsOf(store, runId)
      const seen = first === undefined
        ? (yield* store.mail(runId, 0)).map(({ kind }) => kind)
        : first.events.map(({ _tag }) => _tag)
      const messages = seen.filter((kind) => /^(Signal|Update)(Received|Accepted)?$/.test(kind))
      assert.lengthOf(messages, 1, `a start with ${seen.join(", ")}`)
    }
  })
