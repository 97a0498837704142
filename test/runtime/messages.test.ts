/**
 * Goal: on the real engine, messages without a contract reach a run by every way (S6, Q4, D8, D9), and a run that ends
 * before its handlers says so once (S8).
 */
import { assert, describe } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schema from "effect/Schema"
import { State, Worker, Workflow } from "perdure"
import { disk, remote, run, test } from "./World.js"

const Office = Workflow.make("Office", {
  payload: Schema.NumberFromString,
  success: Schema.Array(Schema.Unknown),
  signals: { post: { payload: Schema.NumberFromString }, close: {}, linger: {} },
  updates: { ask: { unfinished: "Abandon" } },
  dynamic: { signals: true, queries: true, updates: true }
})

const OfficeLive = Office.toLayer((first) =>
  Effect.gen(function*() {
    const seen = yield* State.make<ReadonlyArray<unknown>>([first])
    const closing = yield* Deferred.make<void>()
    const note = (what: unknown) => seen.update((all) => [...all, what])
    return Office.of({
      signals: {
        post: note,
        close: () => Deferred.succeed(closing, undefined),
        linger: () => Effect.sleep("1 hour")
      },
      updates: { ask: () => Effect.sleep("1 hour") },
      dynamic: {
        signals: (name, payload) => note({ name, payload }),
        queries: (name, payload) => Effect.map(seen.get, (all) => ({ name, payload, all })),
        updates: (name, payload) => Effect.as(note({ update: name }), { name, payload })
      },
      run: Effect.zipRight(Deferred.await(closing), seen.get)
    })
  })
)

const ways = { warm: {}, cold: { maxCachedExecutions: 0 }, remote: {} } as const

describe("messages without a contract", () => {
  for (const way of ["warm", "cold", "remote"] as const) {
    test(
      `reach the dynamic handlers as they are, the others decoded (S6, Q4, D8) [${way}]`,
      () =>
        Effect.gen(function*() {
          const worker = yield* run(Worker.layer({ ...ways[way], hosts: [OfficeLive] }))
          const client = way === "remote" ? yield* remote : worker.client
          const typed = yield* client.start(Office, 1)
          const raw = client.handle(Workflow.untyped("Office"), typed.workflowId)
          yield* typed.raw.signal("hello", { deep: [1, null] })
          yield* raw.signal("post", "2")
          // The worker alone can tell that this does not fit: it drops it (S4).
          yield* raw.signal("post", { not: "a number" })
          yield* typed.signal("post", 3)
          assert.deepStrictEqual(yield* raw.update("sum", [1, 2]), { name: "sum", payload: [1, 2] })
          const all = [1, { name: "hello", payload: { deep: [1, null] } }, 2, 3, { update: "sum" }]
          assert.deepStrictEqual(yield* raw.query("what", 5), { name: "what", payload: 5, all })
          yield* raw.signal("close")
          assert.deepStrictEqual(yield* typed.result, all)
          assert.deepStrictEqual(yield* raw.result, all)
          // Built-in queries answer of a closed run as well.
          assert.deepInclude(yield* raw.query("__metadata"), { workflow: "Office" })
          assert.deepStrictEqual(yield* raw.query("__stack_trace"), [])
        }),
      way === "remote" ? disk : undefined
    )
  }

  test("with a reserved name are refused at the sender, and so is what is no JSON (D9)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ hosts: [OfficeLive] }))
      const { raw } = yield* client.start(Office, 1)
      for (const name of ["__perdure_x", "__stack_trace"]) {
        assert.match(String(yield* Effect.flip(raw.signal(name))), /reserved/)
        assert.match(String(yield* Effect.flip(raw.update(name))), /reserved/)
      }
      assert.match(String(yield* Effect.flip(raw.query("__temporal_x"))), /reserved/)
      assert.match(String(yield* Effect.flip(raw.signal("a", new Map()))), /a value without a contract/)
    }))

  test("start a workflow by its name, and see its errors encoded (D8)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ hosts: [OfficeLive] }))
      const started = yield* client.start(Workflow.untyped("Office"), "7", { workflowId: "by name" })
      yield* client.handle(Office, "by name").signal("close")
      assert.deepStrictEqual(yield* started.result, [7])
    }))
})

describe("handlers that the end cuts short", () => {
  /** A worker whose log is kept. */
  const logging = (options: { readonly maxCachedExecutions?: number } = {}) =>
    Effect.gen(function*() {
      const said: Array<{ readonly text: string; readonly runId: unknown }> = []
      const logger = Logger.make(({ annotations, message }) => {
        said.push({ text: String(message), runId: HashMap.unsafeGet(annotations, "runId") })
      })
      const worker = yield* run(Worker.layer({ ...options, hosts: [OfficeLive] })).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
        Logger.withMinimumLogLevel(LogLevel.Warning)
      )
      return { ...worker, said }
    })

  test("are named once, in the log of the worker, and not again when the closed run is replayed (S8)", () =>
    Effect.gen(function*() {
      const { client, said } = yield* logging({ maxCachedExecutions: 0 })
      const office = yield* client.start(Office, 1)
      yield* office.signal("linger")
      yield* office.startUpdate("ask", undefined, { updateId: "abandoned" })
      yield* office.signal("close")
      yield* office.result
      assert.isArray(yield* office.raw.query("__stack_trace"))
      assert.lengthOf(said, 1)
      assert.match(said[0]!.text, /the run ended before its handlers did.*: signal linger\. /)
      assert.strictEqual(said[0]!.runId, office.runId)
    }))

  test("are not, where none is in progress, or only such as may be abandoned (S8)", () =>
    Effect.gen(function*() {
      const { client, said } = yield* logging()
      const office = yield* client.start(Office, 1)
      const asked = yield* office.startUpdate("ask")
      yield* office.signal("close")
      yield* office.result
      assert.strictEqual((yield* Effect.flip(asked.result))._tag, "UpdateFailed")
      assert.deepStrictEqual(said, [])
    }))
})
