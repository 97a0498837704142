/**
 * Activity tasks: each attempt has one host, and what its host writes counts only while that is so (I9).
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { StoreError, TaskChange } from "../../../src/persistence/Store.js"
import { Store } from "../../../src/persistence/Store.js"
import { commit, done, first, last, now, queued, run, signal, task, tasks, turn } from "./Samples.js"

const retry = (seq: number, attempt: number, change: Partial<TaskChange & { _tag: "Retry" }> = {}): TaskChange => ({
  _tag: "Retry",
  runId: "r1",
  seq,
  attempt,
  dueAt: now + 100,
  expiresAt: undefined,
  failure: "{\"failed\":true}",
  nextAttempt: attempt + 1,
  ...change
})

const beat = (seq: number, details: string, attempt = 1): TaskChange => ({
  _tag: "Heartbeat",
  runId: "r1",
  seq,
  attempt,
  details
})

const begin = (seq: number, attempt = 1): TaskChange => ({ _tag: "Start", runId: "r1", seq, attempt, at: now + 1 })

const settle = (seq: number, attempt = 1): TaskChange => ({
  _tag: "Settle",
  runId: "r1",
  seq,
  attempt,
  mail: { runId: "r1", kind: "ActivityOutcome", body: String(seq) }
})

const write = (changes: ReadonlyArray<TaskChange>, worker = "ada") =>
  Effect.map(commit([], { tasks: changes, worker }), ({ stale }) => [...stale].sort((a, b) => a - b))

const keys = Effect.map((found: ReadonlyArray<{ readonly seq: number }>) => found.map(({ seq }) => seq))

export const suite = (layer: Layer.Layer<Store, StoreError>) => {
  it.effect("due tasks of the queues are claimed once, with the row that scheduled them", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([
        first("r1", { tasksAdded: [queued(1), queued(2), task(3), queued(4, { taskQueue: "other" })] }),
        first("r2", { tasksAdded: [queued(1, { scheduledAt: now - 1 }), queued(2, { scheduledAt: now + 10 })] })
      ])
      const claimed = yield* store.claimTasks("bob", ["orders"], now, 10)
      assert.deepStrictEqual(claimed.map(({ runId, seq, state, worker }) => [runId, seq, state, worker]), [
        ["r2", 1, "started", "bob"],
        ["r1", 1, "started", "bob"],
        ["r1", 2, "started", "bob"]
      ])
      assert.deepStrictEqual(claimed.map((t) => [t.workflowId, t.workflow, t.startedAt, t.row.turn]), [
        ["workflow of r2", "Order", now, 1],
        ["workflow of r1", "Order", now, 1],
        ["workflow of r1", "Order", now, 1]
      ])
      assert.strictEqual(claimed[1]!.row, claimed[2]!.row)
      assert.deepStrictEqual(yield* store.claimTasks("eve", ["orders"], now, 10), [])
      assert.deepStrictEqual(yield* tasks("r1"), [[1, "started"], [2, "started"], [3, "started"], [4, "queued"]])
    }).pipe(Effect.provide(layer)))

  it.effect("a claim takes no more than its limit", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [1, 2, 3, 4, 5].map((seq) => queued(seq, { expiresAt: now })) })])
      assert.strictEqual((yield* store.claimTasks("bob", ["orders"], now, 2)).length, 2)
      assert.strictEqual((yield* store.claimTasks("bob", ["orders", "other"], now, 9)).length, 3)
    }).pipe(Effect.provide(layer)))

  it.effect("an expired task is taken to be settled, and shows that it never began", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [queued(1, { expiresAt: now + 5, scheduledAt: now })] })])
      yield* store.claimTasks("bob", ["other"], now + 5, 10)
      const [claimed] = yield* store.claimTasks("bob", ["orders"], now + 5, 10)
      assert.deepStrictEqual([claimed!.state, claimed!.startedAt, claimed!.expiresAt], ["queued", undefined, now + 5])
      assert.deepStrictEqual(yield* store.claimTasks("eve", ["orders"], now + 5, 10), [])
      yield* store.takeOver(["bob"], now + 6, false)
      const [again] = yield* store.claimTasks("eve", ["orders"], now + 6, 10)
      assert.deepStrictEqual([again!.state, again!.startedAt], ["queued", undefined])
      assert.deepStrictEqual(yield* write([settle(1)], "eve"), [])
    }).pipe(Effect.provide(layer)))

  it.effect("expired tasks of any queue are taken by anybody, due or not; others are left", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", {
        tasksAdded: [
          queued(1, { expiresAt: now + 5, taskQueue: "nobody" }),
          queued(2, { expiresAt: now + 4, scheduledAt: now + 99 }),
          queued(3, { expiresAt: now + 6 }),
          queued(4),
          task(5, { expiresAt: now })
        ]
      })])
      assert.deepStrictEqual(yield* store.claimExpired("bob", now + 3, 10), [])
      const claimed = yield* store.claimExpired("bob", now + 5, 10)
      assert.deepStrictEqual(claimed.map((t) => [t.seq, t.state, t.startedAt]), [
        [2, "queued", undefined],
        [1, "queued", undefined]
      ])
      assert.deepStrictEqual(yield* write([settle(1), settle(2)], "bob"), [])
      assert.strictEqual((yield* store.claimExpired("bob", now + 9, 1)).length, 1)
      assert.deepStrictEqual(yield* store.claimExpired("bob", now + 9, 1), [])
    }).pipe(Effect.provide(layer)))

  it.effect("the next task is the earliest one to come: due in the queues, or expired in any", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const next = store.nextTask(["orders", "more"], now)
      yield* done([first("r1", { tasksAdded: [task(1, { expiresAt: now }), queued(2, { taskQueue: "other" })] })])
      assert.deepStrictEqual(yield* next, Option.none())
      yield* done([turn("r1", 2, { tasksAdded: [queued(3, { scheduledAt: now + 9, taskQueue: "more" })] })])
      assert.deepStrictEqual(yield* next, Option.some(now + 9))
      yield* done([turn("r1", 3, { tasksAdded: [queued(4, { scheduledAt: now + 99, expiresAt: now + 7 })] })])
      assert.deepStrictEqual(yield* next, Option.some(now + 7))
      yield* done([turn("r1", 4, { tasksAdded: [queued(5, { expiresAt: now + 6, taskQueue: "other" })] })])
      assert.deepStrictEqual(yield* next, Option.some(now + 6))
    }).pipe(Effect.provide(layer)))

  it.effect("an attempt goes from start to retry to start, and what is late is stale", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [queued(1)] })])
      assert.deepStrictEqual(yield* write([begin(1), begin(1)]), [1])
      assert.deepStrictEqual(yield* write([beat(1, "half")]), [])
      assert.deepStrictEqual(yield* write([beat(1, "mine?")], "bob"), [0])
      assert.deepStrictEqual(yield* write([retry(1, 1, { expiresAt: now + 900 }), beat(1, "late"), settle(1)]), [1, 2])
      const [waiting] = yield* store.tasksOf("r1")
      assert.deepStrictEqual(
        [waiting!.state, waiting!.attempt, waiting!.dueAt, waiting!.expiresAt, waiting!.worker, waiting!.startedAt],
        ["queued", 2, now + 100, now + 900, undefined, undefined]
      )
      assert.deepStrictEqual([waiting!.heartbeat, waiting!.failure], ["half", "{\"failed\":true}"])
      assert.deepStrictEqual(yield* store.claimTasks("bob", ["orders"], now + 99, 10), [])
      const [claimed] = yield* store.claimTasks("bob", ["orders"], now + 100, 10)
      assert.deepStrictEqual([claimed!.attempt, claimed!.heartbeat], [2, "half"])
      assert.deepStrictEqual(yield* write([settle(1, 1), beat(1, "late")], "bob"), [0, 1])
    }).pipe(Effect.provide(layer)))

  it.effect("changes to one task apply in order within a batch", () =>
    Effect.gen(function*() {
      yield* done([first("r1", { tasksAdded: [task(1), task(2)] })])
      const stale = yield* write([
        beat(1, "a"),
        retry(1, 1),
        begin(1, 2),
        beat(1, "b", 2),
        beat(2, "c"),
        settle(1, 2),
        settle(1, 2)
      ])
      assert.deepStrictEqual(stale, [6])
      assert.deepStrictEqual(yield* tasks("r1"), [[2, "started"]])
    }).pipe(Effect.provide(layer)))

  it.effect("a settled task goes and its outcome is posted, in one", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [1, 2, 3].map((seq) => task(seq)) })])
      yield* store.takeOver(["nobody"], now, false)
      assert.deepStrictEqual(yield* write([settle(1), settle(9), settle(2)]), [1])
      assert.deepStrictEqual(yield* tasks("r1"), [[3, "started"]])
      assert.deepStrictEqual((yield* store.mailOf("ada", 0, 9)).map(({ body }) => body), ["1", "2"])
    }).pipe(Effect.provide(layer)))

  it.effect("an outcome for a run that nobody owns makes it due", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [task(1, { worker: "bob" })] })])
      yield* store.takeOver(["ada"], now, false)
      assert.deepStrictEqual(yield* write([settle(1)], "bob"), [])
      assert.strictEqual((yield* run("r1")).wakeAt, now)
    }).pipe(Effect.provide(layer)))

  it.effect("hosts learn what is canceled, and whose run is closed", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const canceled = (worker: string) => keys(store.canceledTasks(worker))
      yield* done([first("r1", { tasksAdded: [task(1), task(2, { worker: "bob" }), task(3, { worker: "bob" })] })])
      assert.deepStrictEqual(yield* canceled("bob"), [])
      yield* done([turn("r1", 2, { tasksCanceled: [2] })])
      assert.deepStrictEqual(yield* canceled("ada"), [])
      assert.deepStrictEqual(yield* canceled("bob"), [2])
      assert.deepStrictEqual(yield* canceled("bob"), [2])
      yield* done([last("r1", 3)])
      assert.deepStrictEqual(yield* write([retry(2, 1), settle(9)], "bob"), [0, 1])
      assert.deepStrictEqual(yield* canceled("ada"), [])
      assert.deepStrictEqual(yield* canceled("bob"), [2, 3])
      assert.deepStrictEqual(yield* canceled("bob"), [])
      assert.deepStrictEqual(yield* write([settle(2)], "bob"), [0])
    }).pipe(Effect.provide(layer)))

  it.effect("a late outcome for a closed run is dropped", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [task(1, { worker: "bob" }), task(2, { worker: "bob" })] })])
      yield* store.terminate("r1", "[]", 1, now)
      assert.deepStrictEqual(yield* write([settle(1)], "bob"), [])
      assert.deepStrictEqual((yield* store.mail("r1", 0)).map((mail) => mail.kind), ["Terminated"])
      yield* store.takeOver(["bob"], now, false)
      assert.deepStrictEqual(yield* store.claimTasks("eve", ["orders"], now, 9), [])
      yield* store.post(signal("r1"), now)
    }).pipe(Effect.provide(layer)))
}
