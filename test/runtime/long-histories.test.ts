/**
 * Goal: a run is told in time that its history grows long, the same after every replay; one that cannot go on any more
 * is ended, and whoever waits for it hears of it (row K11). Method: the real engine, and payloads of megabytes.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import { ChildWorkflowError, type Client, Liveness, PayloadCodec, Worker, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import { run, test, until } from "./World.js"

const Log = Workflow.make("Log", {
  success: Schema.Unknown,
  signals: { put: { payload: Schema.String }, end: {} },
  queries: { seen: { success: Schema.Unknown } },
  updates: { add: {} }
})

/** Tells what it saw at the beginning of each turn with a signal. */
const LogLive = Log.toLayer(() =>
  Effect.sync(() => {
    const seen: Array<unknown> = []
    let ended = false
    const look = Effect.map(
      Workflow.info,
      ({ continueAsNewReasons, continueAsNewSuggested, historyBytes, historyLength }) =>
        void seen.push([historyLength, historyBytes, continueAsNewSuggested, [...continueAsNewReasons]])
    )
    return Log.of({
      signals: { put: () => look, end: () => Effect.zipRight(look, Effect.sync(() => void (ended = true))) },
      queries: { seen: () => Effect.sync(() => seen) },
      updates: { add: () => Effect.void },
      run: Effect.map(Workflow.condition(() => ended), () => seen)
    })
  })
)

const mebibyte = "x".repeat(1_048_576)

const story = (client: Client["Type"], text: string) =>
  Effect.gen(function*() {
    const handle = yield* client.start(Log)
    for (let i = 0; i < 5; i++) yield* handle.signal("put", `${i} ${text}`)
    yield* handle.signal("end")
    const result = (yield* handle.result) as ReadonlyArray<readonly [number, number, boolean, ReadonlyArray<string>]>
    assert.deepStrictEqual(yield* handle.query("seen"), result)
    return result
  })

describe("a long history", () => {
  test("suggests to continue by its bytes, the same cached, replayed and with payload codecs (K11, N2, N5)", () =>
    Effect.gen(function*() {
      const worker = (maxCachedExecutions: number) => Worker.layer({ maxCachedExecutions, hosts: [LogLive] })
      const codecs = PayloadCodec.layer([
        PayloadCodec.compression(),
        PayloadCodec.encryption({ keys: { k: randomBytes(32) }, current: "k" })
      ])
      const cached = yield* run(worker(1_000))
      const seen = yield* story(cached.client, mebibyte)
      assert.deepStrictEqual(seen.map(([events]) => events), [1, 2, 3, 4, 5, 6])
      assert.deepStrictEqual(seen.map(([, , suggested, reasons]) => [suggested, reasons.join()]), [
        ...Array.from({ length: 4 }, () => [false, ""]),
        [true, "HistoryBytes"],
        [true, "HistoryBytes"]
      ])
      yield* cached.stop
      const evicting = yield* run(worker(0))
      assert.deepStrictEqual(yield* story(evicting.client, mebibyte), seen)
      yield* evicting.stop
      const encrypting = yield* run(Layer.provide(worker(0), codecs))
      assert.deepStrictEqual(yield* story(encrypting.client, mebibyte), seen)
    }))

  test("suggests it by its updates (K11, U12)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ hosts: [LogLive] }))
      const handle = yield* client.start(Log)
      for (let i = 0; i < 1_800; i++) yield* handle.update("add")
      yield* handle.signal("put", "")
      assert.deepStrictEqual(((yield* handle.query("seen")) as ReadonlyArray<ReadonlyArray<unknown>>)[0]!.slice(2), [
        true,
        ["Updates"]
      ])
    }))

  test("at its limit is warned of, then ends its run: callers, updates, parent and children hear of it (K11, I10, K3, K4)", () =>
    Effect.gen(function*() {
      const warnings: Array<string> = []
      const logger = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ annotations, logLevel, message }) => {
          if (logLevel === LogLevel.Warning && HashMap.has(annotations, "runId")) warnings.push(String(message))
        })
      )
      const Hoard = Workflow.make("Hoard", {
        signals: { put: { payload: Schema.String } },
        updates: { wait: {} }
      })
      const Leaf = Workflow.make("Leaf")
      const Parent = Workflow.make("Parent", { success: Schema.Unknown })
      const hosts = [
        Parent.toLayer(() =>
          Effect.flip(Hoard.execute(undefined, { workflowId: "hoard" })).pipe(
            Effect.map((error) => error instanceof ChildWorkflowError ? error.failure : error),
            Effect.orDie
          )
        ),
        Hoard.toLayer(() =>
          Effect.succeed(Hoard.of({
            signals: { put: () => Effect.void },
            updates: { wait: () => Effect.never },
            run: Effect.orDie(Leaf.execute(undefined, { workflowId: "leaf" }))
          }))
        ),
        Leaf.toLayer(() => Effect.never)
      ]
      const { client } = yield* run(
        Layer.provide(Worker.layer({ hosts }), Layer.merge(logger, Logger.minimumLogLevel(LogLevel.Warning)))
      )
      const parent = yield* client.start(Parent)
      const hoard = client.handle(Hoard, "hoard")
      yield* until(Effect.either(hoard.describe), (found) => found._tag === "Right" && found.right.turns > 0)
      const waiting = yield* Effect.fork(Effect.flip(hoard.update("wait", undefined, { timeout: "15 seconds" })))
      const sent = yield* Effect.iterate(0, {
        while: (count) => count >= 0,
        body: (count) =>
          Effect.match(hoard.signal("put", mebibyte + mebibyte.slice(100_000)), {
            onFailure: (error) => (assert.strictEqual(error._tag, "WorkflowClosed"), -count),
            onSuccess: () => count + 1
          })
      })
      assert.strictEqual(sent, -27)
      const failure = (yield* parent.result) as { readonly _tag: string; readonly message: string }
      assert.strictEqual(failure._tag, "Terminated")
      assert.match(failure.message, /its history has \d+ events in 5\d\.\d MiB, and may have/)
      assert.match(String(yield* waiting), /the run ended before/)
      assert.deepInclude(yield* Effect.flip(hoard.result), { _tag: "WorkflowFailure", status: "Terminated" })
      const store = yield* Store
      const leaf = yield* Effect.flatten(store.findLatest("leaf"))
      yield* until(client.handle(Leaf, "leaf").describe, ({ status }) => status !== "Running")
      assert.strictEqual((yield* client.handle(Leaf, "leaf").describe).status, "Terminated")
      assert.strictEqual(leaf.workflow, "Leaf")
      assert.strictEqual(warnings.filter((message) => message.includes("its history has")).length, 1)
      assert.deepStrictEqual(yield* Liveness.check, [])
    }))
})
