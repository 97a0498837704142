/**
 * Retention by workers: what is deleted when, and histories that are read back from an archive (X1).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as crypto from "node:crypto"
import * as fs from "node:fs"
import * as Path from "node:path"
import { Activity, Archive, Client, PayloadCodec, Worker, Workflow } from "perdure"
import { Namespaces, SqliteStore, Store } from "perdure/sqlite"
import { Replayer } from "perdure/testing"
import type { SweepPosition, Swept } from "../../src/persistence/Store.js"
import { sweeping } from "../../src/runtime/Sweeping.js"
import * as CrashingStore from "../../src/testing/CrashingStore.js"
import { VirtualTime } from "../../src/testing/VirtualTime.js"
import * as Folder from "../persistence/Folder.js"
import { memory, run, test } from "./World.js"

const Greet = Activity.make("Greet", {
  payload: Schema.String,
  success: Schema.String,
  startToCloseTimeout: "1 minute"
})
const Hello = Workflow.make("Hello", { payload: Schema.String, success: Schema.String })
const GreetLive = Greet.toLayer((name) => Effect.succeed(`confidential ${name}`))
const HelloLive = Hello.toLayer((name) => Effect.orDie(Greet.execute(`confidential ${name}`)))
/** Does something else than it did. */
const OtherLive = Hello.toLayer(() => Effect.succeed("at once"))

const hosts = [HelloLive, GreetLive] as const

const texts = (path: string): ReadonlyArray<string> =>
  fs.readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => fs.readFileSync(Path.join(entry.parentPath, entry.name), "utf8"))

describe("an archived history", () => {
  const codecs = [PayloadCodec.encryption({ keys: { k: crypto.randomBytes(32) }, current: "k" })]

  const archived = (layer?: ReturnType<typeof PayloadCodec.layer>) =>
    Effect.gen(function*() {
      const path = (yield* Folder.make).file("archive")
      const opened = yield* Layer.build(SqliteStore.layer({ filename: ":memory:", archive: Archive.directory(path) }))
      const plain = Layer.succeed(Store, Context.get(opened, Store))
      const store = layer === undefined ? plain : layer.pipe(Layer.provide(plain))
      yield* Context.get(opened, Namespaces).update("default", { retention: "1 second" })
      const { stop } = yield* Effect.provide(
        Effect.flatMap(
          run(Worker.layer({ hosts })),
          ({ client, stop }) => Effect.as(client.execute(Hello, "ada"), { stop })
        ),
        store
      )
      yield* stop
      const through = Context.get(yield* Layer.build(store), Store)
      assert.deepInclude(yield* through.sweep(Date.now() + 10_000), { deleted: 1, kept: [] })
      const [text, ...others] = texts(path)
      assert.deepStrictEqual(others, [])
      return text!
    })

  test("is read back and replayed on the code of today (X1, N7)", () =>
    Effect.gen(function*() {
      const text = yield* archived()
      const history = Either.getOrThrow(Replayer.fromJson(text))
      assert.deepInclude(history, { namespace: "default" })
      yield* Replayer.replay([HelloLive], history)
      const differs = yield* Effect.flip(Replayer.replay([OtherLive], history))
      assert.strictEqual(differs._tag, "NondeterminismError")
    }))

  test("stays encrypted, and is decoded with the codecs of its store (X1, N5)", () =>
    Effect.gen(function*() {
      const text = yield* archived(PayloadCodec.layer(codecs))
      assert.notInclude(text, "confidential")
      const decoded = yield* Archive.decode(text, codecs)
      assert.include(decoded, "confidential ada")
      yield* Replayer.replay([HelloLive], Either.getOrThrow(Replayer.fromJson(decoded)))
      assert.strictEqual((yield* Effect.flip(Archive.decode(text, [])))._tag, "PayloadCodecError")
      assert.strictEqual(yield* Archive.decode("no history", codecs), "no history")
    }))
})

describe("a worker", () => {
  test(
    "deletes what its namespace keeps no longer, by itself, and leaves what it keeps (X1)",
    () =>
      Effect.gen(function*() {
        const opened = yield* Layer.build(SqliteStore.layer({ filename: ":memory:" }))
        const store = Context.get(opened, Store)
        yield* Context.get(opened, Namespaces).update("default", { retention: "1 day" })
        const time = new VirtualTime()
        const life = new CrashingStore.Life(1, time)
        const worker = Worker.layer({ hosts, lease: "1 hour", shutdownGrace: 0 }).pipe(
          Layer.provide(CrashingStore.layer(life)),
          Layer.provide(Layer.succeed(Store, store))
        )
        const client = Context.get(yield* Effect.withClock(Layer.build(worker), life.clock.clock), Client)
        yield* client.execute(Hello, "ada", { workflowId: "old" })
        yield* time.to(time.now + Duration.toMillis("20 hours"))
        yield* client.execute(Hello, "bob", { workflowId: "young" })
        const ids = Effect.map(store.runs({ limit: 9 }), (runs) => runs.map(({ workflowId }) => workflowId).sort())
        assert.deepStrictEqual(yield* ids, ["old", "young"])
        yield* time.to(time.now + Duration.toMillis("5 hours"))
        assert.deepStrictEqual(yield* ids, ["young"])
        assert.strictEqual((yield* Effect.flip(client.handle(Hello, "old").describe))._tag, "WorkflowNotFound")
        yield* time.to(time.now + Duration.toMillis("1 day"))
        assert.deepStrictEqual(yield* ids, [])
      }),
    memory
  )
})

describe("sweeping", () => {
  const position = { closedAt: 1, startedAt: 1, runId: "r1" }

  it.effect("goes on batch by batch with rests between, and then sleeps (X1)", () =>
    Effect.gen(function*() {
      const asked: Array<readonly [number, SweepPosition | undefined]> = []
      const begun = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
      const fiber = yield* Effect.fork(sweeping({
        sweep: (now, after): Effect.Effect<Swept> => {
          asked.push([now - begun, after])
          return Effect.as(Effect.sleep("100 millis"), {
            deleted: 1,
            kept: [],
            next: asked.length < 3 ? position : undefined
          })
        }
      }, 60_000))
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(asked, [])
      yield* TestClock.adjust("10 seconds")
      // Each took 100 ms, and five times that is left to others.
      assert.deepStrictEqual(asked, [[60_000, undefined], [60_600, position], [61_200, position]])
      yield* TestClock.adjust("53 seconds")
      assert.deepStrictEqual(asked.slice(3), [[121_300, undefined]])
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("is tried again after a failure, a defect too (X1)", () =>
    Effect.gen(function*() {
      let times = 0
      const fiber = yield* Effect.fork(sweeping({
        sweep: () => {
          times++
          return Effect.die("no")
        }
      }, 60_000))
      yield* TestClock.adjust("3 minutes")
      assert.strictEqual(times, 3)
      yield* Fiber.interrupt(fiber)
    }))
})
