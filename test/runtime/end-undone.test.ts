/**
 * Row S3: a signal that waits when a run is about to end is handled first, and the end is taken again after it.
 *
 * The mailbox holds the outcome that ends the run before the signal that must undo the end: taken in the order of the
 * mailbox alone, the end would be undone for ever.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Activity, Client, StoreClient, Worker, Workflow } from "perdure"
import { SqliteStore } from "perdure/sqlite"

const Slow = Activity.make("Slow", { success: Schema.Number, startToCloseTimeout: "10 seconds" })
const Counting = Workflow.make("Counting", {
  success: Schema.Number,
  signals: { add: { payload: Schema.Number } }
})
const CountingLive = Counting.toLayer(() =>
  Effect.sync(() => {
    let sum = 0
    return Counting.of({
      signals: { add: (n) => Effect.sync(() => void (sum += n)) },
      run: Effect.map(Slow.execute(undefined, { taskQueue: "elsewhere" }), (n) => n + sum)
    })
  })
)
const SlowLive = Slow.toLayer(() => Effect.succeed(100))

it.live("S3: an outcome and then signals in the mailbox of a cold run end it once, with all signals in", () =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "perdure-"))),
      (name) => Effect.sync(() => fs.rmSync(name, { recursive: true }))
    )
    const store = SqliteStore.layer({ filename: path.join(folder, "orders.db") })
    const hosting = Worker.layer({ taskQueue: "here", hosts: [CountingLive] }).pipe(Layer.provide(store))
    const started = Effect.gen(function*() {
      const client = yield* Client
      yield* client.start(Counting, undefined, { workflowId: "c", taskQueue: "here" })
    })
    yield* Effect.provide(started, hosting)
    // With the workflow's worker gone, the outcome arrives in the mailbox, and then the signals do.
    const elsewhere = Worker.layer({ taskQueue: "elsewhere", hosts: [SlowLive] }).pipe(Layer.provide(store))
    const outcome = Effect.gen(function*() {
      const handle = (yield* Client).handle(Counting, "c")
      yield* Effect.repeat(Effect.delay(handle.describe, "20 millis"), {
        until: (run) => run.pendingActivities.length === 0
      })
    })
    yield* Effect.provide(outcome, elsewhere)
    const signals = Effect.gen(function*() {
      const handle = (yield* Client).handle(Counting, "c")
      yield* handle.signal("add", 1)
      yield* handle.signal("add", 2)
    })
    yield* Effect.provide(signals, StoreClient.layer.pipe(Layer.provide(store)))
    const result = Effect.gen(function*() {
      const handle = (yield* Client).handle(Counting, "c")
      return { result: yield* handle.result, history: yield* handle.history }
    })
    const ended = yield* Effect.provide(result, hosting)
    assert.strictEqual(ended.result, 103)
    const tags = ended.history.flatMap((turn) => turn.events.map((event) => event._tag))
    assert.strictEqual(tags.filter((tag) => tag === "SignalReceived").length, 2)
    assert.strictEqual(tags.at(-1), "ExecutionCompleted")
  }).pipe(Effect.scoped))
