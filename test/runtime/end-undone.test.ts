/**
 * Row S3: a signal that waits when a run is about to end is handled first, and the end is taken again after it.
 *
 * The mailbox holds the outcome that ends the run before the signal that must undo the end: taken in the order of the
 * mailbox alone, the end would be undone for ever.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { Handle } from "perdure"
import { Activity, Client, State, StoreClient, Worker, Workflow } from "perdure"
import { SqliteStore } from "perdure/sqlite"
import * as Messages from "../../src/core/Message.js"
import { changed } from "./World.js"

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "perdure-"))),
  (name) => Effect.sync(() => fs.rmSync(name, { recursive: true }))
)

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
    const folder = yield* temporaryFolder
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

const Race = Workflow.make("Race", {
  success: Schema.String,
  signals: { finish: { payload: Schema.String } }
})
const RaceLive = Race.toLayer(() =>
  Effect.gen(function*() {
    const winners = yield* State.make<ReadonlyArray<string>>([])
    return Race.of({
      signals: { finish: (name) => winners.update((all) => [...all, name]) },
      run: Effect.zipRight(
        Workflow.condition(Effect.map(winners.get, (all) => all.length > 0)),
        Effect.map(winners.get, (all) => all.join(", "))
      )
    })
  })
)

/** A run whose worker is gone gets messages, and then a worker again: its result, or why there is none, and its history. */
const cold = (
  send: (handle: Handle<typeof Race>) => Effect.Effect<void, unknown>
) =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const store = SqliteStore.layer({ filename: path.join(folder, "races.db") })
    const hosting = Worker.layer({ taskQueue: "here", hosts: [RaceLive] }).pipe(Layer.provide(store))
    const started = Effect.flatMap(
      Client,
      (client) => client.start(Race, undefined, { workflowId: "r", taskQueue: "here" })
    )
    yield* Effect.provide(started, hosting)
    const messages = Effect.flatMap(Client, (client) => send(client.handle(Race, "r")))
    yield* Effect.provide(messages, StoreClient.layer.pipe(Layer.provide(store)))
    const seen = Effect.gen(function*() {
      const handle = (yield* Client).handle(Race, "r")
      return { result: yield* Effect.either(handle.result), history: yield* handle.history }
    })
    const ended = yield* Effect.provide(seen, hosting)
    assert.deepStrictEqual(yield* Effect.provide(seen, hosting), ended)
    return ended
  })

it.live("S3: signals that wait for a cold run, each of which ends it, end it together and in their order", () =>
  Effect.gen(function*() {
    const { history, result } = yield* cold((handle) =>
      Effect.forEach(["Ada", "Bo", "Cy"], (name) => handle.signal("finish", name), { discard: true })
    )
    assert.deepStrictEqual(result, Either.right("Ada, Bo, Cy"))
    assert.deepStrictEqual(
      history.slice(1).map((turn) => turn.events.map((event) => event._tag)),
      [["SignalReceived", "SignalReceived", "SignalReceived", "ExecutionCompleted"]]
    )
  }).pipe(Effect.scoped))

it.live("S3: a signal that another process sends while the end is on its way to disk refuses that end", () =>
  Effect.gen(function*() {
    const posted: Array<string> = []
    // Between the turn that ends the run and its commit.
    const store = changed((store) => ({
      commit: (commit) => {
        const ending = posted.length === 0 ? commit.turns.find((turn) => turn.close !== undefined) : undefined
        if (ending === undefined) return store.commit(commit)
        const signal = { _tag: "Signal", name: "finish", input: "Bo" } as const
        return store.post({ runId: ending.runId, kind: "Signal", body: Messages.encode(signal) }, Date.now()).pipe(
          Effect.tap((result) => Effect.sync(() => posted.push(result))),
          Effect.zipRight(Effect.suspend(() => store.commit(commit)))
        )
      }
    }))
    const program = Effect.gen(function*() {
      const handle = yield* (yield* Client).start(Race, undefined, { workflowId: "r", taskQueue: "here" })
      yield* handle.signal("finish", "Ada")
      return { result: yield* handle.result, history: yield* handle.history }
    })
    const hosting = Worker.layer({ taskQueue: "here", hosts: [RaceLive] }).pipe(Layer.provide(store))
    const { history, result } = yield* Effect.provide(program, hosting)
    assert.deepStrictEqual(posted, ["Posted"])
    assert.strictEqual(result, "Ada, Bo")
    assert.deepStrictEqual(
      history.slice(1).map((turn) => turn.events.map((event) => event._tag)),
      [["SignalReceived", "SignalReceived", "ExecutionCompleted"]]
    )
  }))

it.live("S1, S3: of senders that race to end a run in memory, those are told of success whose signals it has", () =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const store = SqliteStore.layer({ filename: path.join(folder, "races.db") })
    const hosting = Worker.layer({ taskQueue: "here", hosts: [RaceLive] }).pipe(Layer.provide(store))
    const program = Effect.gen(function*() {
      const client = yield* Client
      const handle = yield* client.start(Race, undefined, { workflowId: "r", taskQueue: "here" })
      const sent = yield* Effect.forEach(
        ["a", "b", "c", "d", "e", "f"],
        (name) => Effect.map(Effect.either(handle.signal("finish", name)), (sent) => [name, sent] as const),
        { concurrency: "unbounded" }
      )
      return { sent, result: yield* handle.result, history: yield* handle.history }
    })
    const { history, result, sent } = yield* Effect.provide(program, hosting)
    const received = history.flatMap((turn) =>
      turn.events.flatMap((event) => event._tag === "SignalReceived" ? [event.input] : [])
    )
    const acknowledged = sent.flatMap(([name, told]) => Either.isRight(told) ? [name] : [])
    assert.isNotEmpty(acknowledged)
    assert.deepStrictEqual(received, acknowledged)
    assert.strictEqual(result, acknowledged.join(", "))
    for (const [, told] of sent) if (Either.isLeft(told)) assert.strictEqual(told.left._tag, "WorkflowClosed")
  }).pipe(Effect.scoped))

it.live("C1, S3: cancel requests and signals that wait with an outcome that ends the run go in once each", () =>
  Effect.gen(function*() {
    const { history } = yield* cold((handle) =>
      Effect.gen(function*() {
        yield* handle.cancel("first")
        yield* handle.signal("finish", "Ada")
        yield* handle.cancel("second")
        yield* handle.signal("finish", "Bo")
      })
    )
    const tags = history.slice(1).flatMap((turn) => turn.events.map((event) => event._tag))
    assert.deepStrictEqual(tags, ["CancelRequested", "SignalReceived", "SignalReceived", tags.at(-1)!])
    assert.match(tags.at(-1)!, /^Execution(Completed|Canceled)$/)
  }).pipe(Effect.scoped))
