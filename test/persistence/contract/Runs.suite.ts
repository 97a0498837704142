/**
 * Runs from outside: created, found, listed, claimed, woken, terminated.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { StoreError } from "../../../src/persistence/Store.js"
import { Store } from "../../../src/persistence/Store.js"
import { alone, commit, done, first, last, newRun, now, run, signal, task, turn, turns } from "./Samples.js"

const start = (runId: string) => ({ runId, kind: "Start" as const, body: "{}" })

const ids = Effect.map((runs: ReadonlyArray<{ readonly runId: string }>) => runs.map(({ runId }) => runId))

export const suite = (layer: Layer.Layer<Store, StoreError>) => {
  it.effect("a created run is unowned, due, and has its start waiting", () =>
    Effect.gen(function*() {
      const store = yield* Store
      assert.deepStrictEqual(yield* store.create(newRun("r1"), start("r1")), { _tag: "Created" })
      assert.deepStrictEqual(yield* run("r1"), {
        ...newRun("r1"),
        ...alone("r1"),
        status: "Running",
        owner: undefined,
        epoch: 0,
        wakeAt: now,
        closedAt: undefined,
        turn: 0,
        attention: undefined
      })
      assert.deepStrictEqual((yield* store.mail("r1", 0)).map(({ kind }) => kind), ["Start"])
    }).pipe(Effect.provide(layer)))

  it.effect("one open run a workflow id", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* store.create(newRun("r1", { workflowId: "w" }), start("r1"))
      assert.deepStrictEqual(yield* store.create(newRun("r2", { workflowId: "w" }), start("r2")), {
        _tag: "AlreadyRunning",
        runId: "r1"
      })
      assert.deepStrictEqual(yield* store.mail("r2", 0), [])
      yield* store.terminate("r1", "[]", 1, now)
      assert.deepStrictEqual(yield* store.create(newRun("r2", { workflowId: "w" }), start("r2")), { _tag: "Created" })
    }).pipe(Effect.provide(layer)))

  it.effect("findLatest prefers the open run, else the latest", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const latest = Effect.map(store.findLatest("w"), Option.map(({ runId }) => runId))
      assert.deepStrictEqual(yield* latest, Option.none())
      yield* done([first("r2", {}, { workflowId: "w", startedAt: now + 1 }), last("r2", 2)])
      yield* done([first("r1", {}, { workflowId: "w", startedAt: now })])
      assert.deepStrictEqual(yield* latest, Option.some("r1"))
      yield* done([last("r1", 2)])
      assert.deepStrictEqual(yield* latest, Option.some("r2"))
    }).pipe(Effect.provide(layer)))

  it.effect("runs are listed newest first, in pages, by status", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1"), first("r2"), first("r3"), last("r2", 2)])
      assert.deepStrictEqual(yield* ids(store.runs({ limit: 2 })), ["r3", "r2"])
      assert.deepStrictEqual(yield* ids(store.runs({ limit: 2, afterRunId: "r2" })), ["r1"])
      assert.deepStrictEqual(yield* ids(store.runs({ limit: 9, status: "Running" })), ["r3", "r1"])
      assert.deepStrictEqual(yield* ids(store.runs({ limit: 9, status: "Completed" })), ["r2"])
      assert.deepStrictEqual(yield* ids(store.runs({ limit: 9, status: "Running", afterRunId: "r3" })), ["r1"])
    }).pipe(Effect.provide(layer)))

  it.effect("due unowned runs of the queues are claimed once, with their mail", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* store.create(newRun("r2", { startedAt: now + 1 }), start("r2"))
      yield* store.create(newRun("r1"), start("r1"))
      yield* store.create(newRun("r3", { taskQueue: "other" }), start("r3"))
      yield* store.create(newRun("r4", { taskQueue: "more", startedAt: now + 2 }), start("r4"))
      yield* store.create(newRun("r5", { startedAt: now + 100 }), start("r5"))
      const claimed = yield* store.claimRuns("ada", ["orders", "more"], now + 10, 10)
      assert.deepStrictEqual(claimed.map((r) => [r.runId, r.owner, r.epoch]), [
        ["r1", "ada", 1],
        ["r2", "ada", 1],
        ["r4", "ada", 1]
      ])
      assert.deepStrictEqual(yield* store.claimRuns("bob", ["orders", "more"], now + 10, 10), [])
      assert.deepStrictEqual(yield* ids(store.mailOf("ada", 0, 10)), ["r2", "r1", "r4"])
      assert.deepStrictEqual(yield* ids(store.dueRuns("ada", now + 10, 10)), ["r1", "r2", "r4"])
      yield* done([turn("r1", 1, { wake: { at: undefined } })])
      assert.deepStrictEqual(yield* ids(store.dueRuns("ada", now + 10, 1)), ["r2"])
    }).pipe(Effect.provide(layer)))

  it.effect("a claim takes no more than its limit, the longest due first", () =>
    Effect.gen(function*() {
      const store = yield* Store
      for (const [n, taskQueue] of ["a", "b", "a", "b"].entries()) {
        yield* store.create(newRun(`r${n}`, { taskQueue, startedAt: now - n }), start(`r${n}`))
      }
      assert.deepStrictEqual(yield* ids(store.claimRuns("ada", ["a", "b"], now, 3)), ["r3", "r2", "r1"])
    }).pipe(Effect.provide(layer)))

  it.effect("one run is claimed whether due or not, while it is open and unowned", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* store.create(newRun("r1", { startedAt: now + 1000 }), start("r1"))
      assert.strictEqual(Option.getOrThrow(yield* store.claimRun("ada", "r1")).epoch, 1)
      assert.deepStrictEqual(yield* store.claimRun("bob", "r1"), Option.none())
      yield* store.terminate("r1", "[]", 1, now)
      assert.deepStrictEqual(yield* store.claimRun("bob", "r1"), Option.none())
      assert.deepStrictEqual(yield* store.claimRun("bob", "nobody"), Option.none())
    }).pipe(Effect.provide(layer)))

  it.effect("a negative wake-up is due for a claimer, and never for the owner", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { wake: { at: -5 } }), first("r2", { wake: { at: 0 } })])
      assert.deepStrictEqual(yield* ids(store.dueRuns("ada", now, 10)), ["r2"])
      assert.deepStrictEqual(yield* store.nextWake("ada", ["orders"], now), Option.none())
      yield* store.post(signal("r1"), now)
      yield* store.takeOver(["ada"], now, false)
      assert.strictEqual((yield* run("r1")).wakeAt, -5)
      assert.deepStrictEqual(yield* ids(store.claimRuns("bob", ["orders"], now, 10)), ["r1", "r2"])
    }).pipe(Effect.provide(layer)))

  it.effect("the next wake-up is the earliest of one's own and of one's queues", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const next = store.nextWake("ada", ["orders"], now)
      assert.deepStrictEqual(yield* next, Option.none())
      yield* done([first("r1", { wake: { at: now + 30 } })], { worker: "bob" })
      yield* store.create(newRun("r2", { startedAt: now + 10, taskQueue: "other" }), start("r2"))
      assert.deepStrictEqual(yield* next, Option.none())
      yield* store.create(newRun("r3", { startedAt: now + 20 }), start("r3"))
      assert.deepStrictEqual(yield* next, Option.some(now + 20))
      yield* done([first("r4", { wake: { at: now + 5 } }), first("r5", { wake: { at: now } })])
      assert.deepStrictEqual(yield* next, Option.some(now + 5))
    }).pipe(Effect.provide(layer)))

  it.effect("termination ends a run whoever owns it", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [task(1), task(2, { worker: undefined })], mail: [signal("r1")] })])
      assert.strictEqual(yield* store.terminate("r1", "[\"end\"]", 3, now + 9), "Posted")
      assert.strictEqual(yield* store.terminate("r1", "[]", 1, now), "Closed")
      assert.strictEqual(yield* store.terminate("nobody", "[]", 1, now), "NotFound")
      const closed = yield* run("r1")
      assert.deepStrictEqual([closed.status, closed.closedAt, closed.owner, closed.turn], [
        "Terminated",
        now + 9,
        undefined,
        2
      ])
      assert.deepStrictEqual(
        yield* store.lastTurn("r1"),
        Option.some({ turn: 2, at: now + 9, format: 3, events: "[\"end\"]" })
      )
      assert.deepStrictEqual(yield* store.tasksOf("r1"), [])
      // Its owner is told, and nobody else.
      const [news, ...more] = yield* store.mailOf("ada", 0, 10)
      assert.deepInclude(news, { runId: "r1", kind: "Terminated" })
      assert.deepStrictEqual(more, [])
      assert.deepStrictEqual(yield* store.claimQueries(["orders"], 9), [])
      yield* store.reply([], [news!.id])
      assert.deepStrictEqual(yield* store.mail("r1", 0), [])
      assert.deepStrictEqual([...(yield* commit([turn("r1", 2)])).refused], [[0, { _tag: "Fenced" }]])
      yield* store.create(newRun("r2"), start("r2"))
      yield* store.terminate("r2", "[]", 1, now)
      assert.deepStrictEqual(yield* store.mail("r2", 0), [])
      assert.deepStrictEqual(yield* turns("r2"), [1])
    }).pipe(Effect.provide(layer)))

  it.effect("termination by one whose clock is behind does not go back in time", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1")])
      yield* store.terminate("r1", "[]", 1, now - 5_000)
      assert.deepStrictEqual((yield* store.history("r1", 0, 9)).map(({ at }) => at), [now + 1, now + 1])
    }).pipe(Effect.provide(layer)))
}
