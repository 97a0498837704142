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
      const canceled = (worker: string) => keys(store.taskNotices(worker))
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

  it.effect("an attempt that was handed over has no worker, and is found when its time is over (A9)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [task(1), task(2)] })])
      const handOver = {
        _tag: "HandOver",
        runId: "r1",
        seq: 1,
        attempt: 1,
        startedAt: now,
        expiresAt: now + 50
      } as const
      assert.deepStrictEqual(yield* write([{ ...handOver, attempt: 2 }, { ...handOver, seq: 2 }], "bob"), [0, 1])
      assert.deepStrictEqual(yield* write([handOver]), [])
      assert.deepInclude((yield* store.tasksOf("r1"))[0], { state: "handed", worker: undefined, expiresAt: now + 50 })
      yield* store.takeOver(["ada"], now, false)
      assert.deepStrictEqual(yield* tasks("r1"), [[1, "handed"], [2, "lost"]])
      assert.deepStrictEqual(yield* store.claimExpired("bob", now + 49, 9), [])
      assert.deepStrictEqual(yield* store.nextTask(["nothing"], now), Option.some(now + 50))
      const [expired] = yield* store.claimExpired("bob", now + 50, 9)
      assert.deepInclude(expired, { seq: 1, state: "handed", startedAt: now, worker: "bob" })
    }).pipe(Effect.provide(layer)))

  it.effect("an attempt under way is changed from outside, once (A9, A10)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [task(1), task(2), queued(3)] })])
      yield* write([{ _tag: "HandOver", runId: "r1", seq: 1, attempt: 1, startedAt: now, expiresAt: now + 50 }])
      const outside = (seq: number, attempt = 1) => ({ runId: "r1", seq, attempt })
      const beat = { _tag: "Heartbeat", details: "7", expiresAt: now + 90 } as const
      const ended = { _tag: "Settle", mail: { runId: "r1", kind: "ActivityOutcome", body: "out" } } as const
      const touched = yield* store.changeOutside({ ...beat, ...outside(1) }, now)
      assert.deepStrictEqual(touched, Option.some({ attempt: 1, cancelRequested: false, paused: false, forgotten: 0 }))
      yield* store.changeOutside({ ...beat, details: undefined, ...outside(1) }, now)
      yield* store.changeOutside({ ...beat, ...outside(2) }, now)
      assert.deepStrictEqual(
        (yield* store.tasksOf("r1")).map(({ expiresAt, heartbeat }) => [expiresAt, heartbeat]),
        [[now + 90, "7"], [undefined, "7"], [undefined, undefined]]
      )
      // Neither one that waits, nor an attempt that is over, nor one that is not there.
      for (const key of [outside(3), outside(1, 2), outside(9), { ...outside(1), runId: "r9" }]) {
        for (const change of [beat, ended]) {
          assert.isTrue(Option.isNone(yield* store.changeOutside({ ...change, ...key }, now)))
        }
      }
      assert.deepStrictEqual(yield* store.mail("r1", 0), [])
      assert.isTrue(Option.isSome(yield* store.changeOutside({ ...ended, ...outside(1) }, now)))
      assert.isTrue(Option.isNone(yield* store.changeOutside({ ...ended, ...outside(1) }, now)))
      assert.deepStrictEqual((yield* store.mail("r1", 0)).map(({ body, kind }) => [kind, body]), [[
        "ActivityOutcome",
        "out"
      ]])
      const again = { ...retry(2, 1), _tag: "Retry" } as Extract<TaskChange, { readonly _tag: "Retry" }>
      assert.isTrue(Option.isSome(yield* store.changeOutside(again, now)))
      assert.deepStrictEqual(yield* tasks("r1"), [[2, "queued"], [3, "queued"]])
    }).pipe(Effect.provide(layer)))

  it.effect("an operator's change applies to the task as it was read; its host hears of it (A15)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [queued(1), task(2)] })])
      const revise = (seq: number, change: object) =>
        Effect.flatMap(store.tasksOf("r1"), (all) => {
          const read = all.find((each) => each.seq === seq)!
          return store.reviseTask({ ...read, from: read.state, ...change })
        })
      assert.isFalse(yield* revise(1, { revision: 1 }))
      assert.isFalse(yield* revise(1, { attempt: 2 }))
      assert.isFalse(yield* revise(1, { from: "started" }))
      assert.isTrue(yield* revise(1, { state: "paused", paused: true, expiresAt: now + 5 }))
      assert.isTrue(yield* revise(2, { paused: true, forgotten: 1, options: "{}" }))
      // Neither begun by one who knew it before, nor claimed; its end is.
      assert.deepStrictEqual(yield* write([begin(1)]), [0])
      assert.deepStrictEqual(yield* store.claimTasks("bob", ["orders"], now + 9, 9), [])
      assert.deepStrictEqual(yield* store.taskNotices("ada"), [{
        runId: "r1",
        seq: 2,
        attempt: 1,
        open: true,
        cancelRequested: false,
        paused: true,
        forgotten: 1,
        revision: 1,
        options: "{}"
      }])
      // What fails while it is paused waits for the operator; of its timeouts only the last goes on.
      assert.deepStrictEqual(yield* write([retry(2, 1, { expiresAt: now + 1, closeBy: now + 70 })]), [])
      assert.deepInclude((yield* store.tasksOf("r1"))[1], { state: "paused", attempt: 2, expiresAt: now + 70 })
      assert.deepInclude((yield* store.claimExpired("bob", now + 5, 9))[0], { seq: 1, state: "paused" })
      assert.isTrue(yield* revise(2, { state: "queued", paused: false }))
      assert.deepStrictEqual(yield* write([{ ...begin(2, 2), revision: 1 } as TaskChange]), [0])
      assert.deepStrictEqual(yield* write([{ ...begin(2, 2), revision: 2 } as TaskChange]), [])
    }).pipe(Effect.provide(layer)))

  it.effect("a paused task whose cancellation is asked for waits for no operator any more (A15, C6)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [queued(1)] })])
      const [read] = yield* store.tasksOf("r1")
      yield* store.reviseTask({ ...read!, from: "queued", state: "paused", paused: true })
      yield* done([turn("r1", 2, { tasksCanceled: [1] })])
      assert.deepInclude((yield* store.claimTasks("bob", ["orders"], now, 9))[0], { seq: 1, cancelRequested: true })
    }).pipe(Effect.provide(layer)))
}
