/**
 * The worker: what it hosts, what it keeps in memory, and how it ends.
 */
import { assert, describe } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { Activity, State, Step, Worker, WorkerConfigError, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import { Desk, desk, hosted } from "./Desk.js"
import { disk, gate, remote, run, test, until } from "./World.js"

describe("a worker", () => {
  const Job = Activity.make("Job", { startToCloseTimeout: "1 minute" })
  const refused = (worker: Parameters<typeof run>[0], reason: string) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(run(worker))
      assert.instanceOf(error, WorkerConfigError)
      assert.include((error as WorkerConfigError).message, reason)
      assert.deepStrictEqual(yield* (yield* Store).workers, [])
    })

  test("refuses two bodies of one workflow, or of one activity (D1)", () =>
    Effect.zipRight(
      refused(Worker.layer({ hosts: [hosted(), hosted()] }), "workflow Desk is hosted twice"),
      refused(
        Worker.layer({ hosts: [Job.toLayer(() => Effect.void), hosted(), Job.toLayer(() => Effect.void)] }),
        "activity Job is hosted twice"
      )
    ))

  test("refuses to host nothing (D1)", () => refused(Worker.layer({ hosts: [] }), "no workflow and no activity"))

  test("may host a workflow and an activity of one name (D1)", () =>
    Effect.gen(function*() {
      const Same = Workflow.make("Job")
      const { client } = yield* run(Worker.layer({
        hosts: [Same.toLayer(() => Effect.orDie(Job.execute())), Job.toLayer(() => Effect.void)]
      }))
      yield* client.execute(Same)
    }))

  test("leaves the runs of other queues alone (X2)", () =>
    Effect.gen(function*() {
      const a = yield* run(desk({ taskQueue: "a" }))
      const onB = yield* a.client.start(Desk, 1, { taskQueue: "b" })
      const onA = yield* a.client.start(Desk, 1)
      yield* onA.signal("end", "complete")
      yield* onA.result
      assert.deepInclude(yield* onB.describe, { owner: undefined, turns: 0 })
      yield* run(desk({ taskQueue: "b" }))
      assert.strictEqual(yield* onB.update("add", 1), 2)
    }))
})

describe("the cache", () => {
  const Rich = Workflow.make("Rich", {
    payload: Schema.String,
    success: Schema.Unknown,
    signals: { go: { payload: Schema.Number } },
    updates: { ask: { success: Schema.Number } },
    queries: { seen: { success: Schema.Array(Schema.Number) } }
  })
  const Echo = Activity.make("Echo", {
    payload: Schema.String,
    success: Schema.String,
    startToCloseTimeout: "1 minute",
    retry: { initialInterval: "1 millis" }
  })
  const richly = (released: Array<string>) =>
    [
      Rich.toLayer((name) =>
        Effect.gen(function*() {
          const seen = yield* State.make<ReadonlyArray<number>>([])
          return Rich.of({
            signals: { go: (n) => seen.update((all) => [...all, n]) },
            updates: {
              ask: () => Effect.zipRight(Effect.sleep("1 millis"), Effect.map(seen.get, (all) => all.length))
            },
            queries: { seen: () => seen.get },
            run: Effect.gen(function*() {
              yield* Effect.acquireRelease(Effect.void, () => Effect.sync(() => released.push(name)))
              const first = yield* Echo.execute(name)
              yield* Workflow.condition(Effect.map(seen.get, (all) => all.length >= 2))
              const drawn = yield* Workflow.random
              const timed = yield* Effect.timeoutOption(Effect.never, "2 millis")
              const both = yield* Effect.all([Echo.execute("x"), Effect.sleep("1 millis")], { concurrency: 2 })
              const step = yield* Step.run("step", { success: Schema.Number, execute: Effect.succeed(42) })
              return [first, drawn < 1, timed._tag, both[0], step]
            }).pipe(Effect.scoped, Effect.ensuring(Effect.sync(() => released.push(`${name} ended`))))
          })
        })
      ),
      Echo.toLayer((text) =>
        Effect.flatMap(Activity.info, ({ attempt }) => attempt === 1 ? Effect.die("again") : Effect.succeed(text))
      )
    ] as const

  /** Two executions side by side, driven step by step; the events of both, without their times and ids. */
  const play = (maxCachedExecutions: number | undefined) =>
    Effect.gen(function*() {
      const released: Array<string> = []
      const { client, stop } = yield* run(Worker.layer({ maxCachedExecutions, hosts: richly(released) }))
      const handles = yield* Effect.forEach(["a", "b"], (name) => client.start(Rich, name))
      for (const handle of handles) yield* until(handle.history, (turns) => turns.length === 2)
      for (const handle of handles) yield* handle.signal("go", 1)
      for (const handle of handles) assert.deepStrictEqual(yield* handle.query("seen"), [1])
      for (const handle of handles) assert.strictEqual(yield* handle.update("ask"), 1)
      // Nothing of a body ends because it is forgotten.
      assert.deepStrictEqual(released, [])
      for (const handle of handles) yield* handle.signal("go", 2)
      const results = yield* Effect.forEach(handles, (handle) => handle.result)
      const atTheEnd = [...released].sort()
      for (const handle of handles) assert.deepStrictEqual(yield* handle.query("seen"), [1, 2])
      const histories = yield* Effect.forEach(handles, (handle) => handle.history)
      yield* stop
      return {
        results,
        released: atTheEnd,
        // The two outcomes of one fan-out race: their turns may stand in either order.
        events: histories.map((turns) =>
          turns.flatMap((turn) => turn.events.map((event) => JSON.stringify(event, bare))).sort()
        )
      }
    })

  test("of any size gives the same histories and results; forgetting a run ends nothing of it (N2)", () =>
    Effect.gen(function*() {
      const all = yield* play(undefined)
      assert.deepStrictEqual(all.results[0], ["a", true, "None", "x", 42])
      assert.deepStrictEqual(all.released, ["a", "a ended", "b", "b ended"])
      assert.deepStrictEqual(yield* play(0), all)
      assert.deepStrictEqual(yield* play(1), all)
    }))
  /** Without times, ids, and the address of a caller. */
  const bare = (key: string, value: unknown): unknown =>
    ["dueAt", "workflowId", "id", "replyTo"].includes(key) ? undefined : value

  test("of fibers bounds it too (N2)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ maxCachedFibers: 1, hosts: [hosted()] }))
      const handles = yield* Effect.forEach([1, 2, 3], (n) => client.start(Desk, n))
      for (const handle of handles) yield* handle.signal("add", 10)
      assert.deepStrictEqual(yield* Effect.forEach(handles, (handle) => handle.query("total")), [11, 12, 13])
    }))

  test("that is empty still fires timers, in order (N2, W4)", () =>
    Effect.gen(function*() {
      const Sleepy = Workflow.make("Sleepy", { success: Schema.Array(Schema.Number) })
      const { client } = yield* run(Worker.layer({
        maxCachedExecutions: 0,
        hosts: [
          Sleepy.toLayer(() =>
            Effect.gen(function*() {
              const woken: Array<number> = []
              yield* Effect.forEach(
                [30, 10, 20, 10, 0, -5],
                (millis) => Effect.map(Effect.sleep(millis), () => woken.push(millis)),
                { concurrency: "unbounded" }
              )
              for (let i = 0; i < 5; i++) yield* Effect.sleep("1 millis")
              return woken
            })
          )
        ]
      }))
      assert.deepStrictEqual(yield* client.execute(Sleepy), [0, -5, 10, 10, 20, 30])
    }))
})

describe("a shutdown", () => {
  const Held = Workflow.make("Held", {
    success: Schema.Number,
    signals: { go: { payload: Schema.Number } }
  })
  const Job = Activity.make("Job", { startToCloseTimeout: "1 minute" })
  const holding = Held.toLayer(() =>
    Effect.gen(function*() {
      const go = yield* Deferred.make<number>()
      return Held.of({
        signals: { go: (n) => Deferred.succeed(go, n) },
        run: Effect.zipRight(Effect.orDie(Job.execute()), Deferred.await(go))
      })
    })
  )

  test("gives up the lease, so that others go on at once (N1)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const ada = yield* run(Worker.layer({ lease: "1 hour", hosts: [hosted()] }))
      const handle = yield* ada.client.start(Desk, 1, { workflowId: "w" })
      yield* handle.signal("add", 2)
      assert.isDefined((yield* handle.describe).owner)
      yield* ada.stop
      assert.deepStrictEqual(yield* store.workers, [])
      assert.isUndefined((yield* handle.describe).owner)
      const bob = yield* run(desk())
      assert.strictEqual(yield* bob.client.handle(Desk, "w").update("add", 3), 6)
    }), disk)

  test("goes on with the runs that it has until its activities have ended (A16, N1)", () =>
    Effect.gen(function*() {
      const started = gate()
      const done = gate()
      const { client, stop } = yield* run(Worker.layer({
        // Shorter than the shutdown takes: it is renewed all the same.
        lease: "1 second",
        hosts: [holding, Job.toLayer(() => Effect.zipRight(started.open, done.pass)), hosted()]
      }))
      const held = yield* client.start(Held)
      const other = yield* client.start(Desk, 1)
      yield* started.pass
      const stopping = yield* Effect.fork(stop)
      const far = yield* remote
      // What comes meanwhile, from here or elsewhere, is taken in; new runs wait for another worker.
      assert.strictEqual(yield* far.handle(Desk, other.workflowId).update("add", 4), 5)
      const late = yield* far.start(Desk, 1)
      yield* held.signal("go", 7)
      yield* Effect.sleep("1200 millis")
      assert.isDefined((yield* held.describe).owner)
      yield* done.open
      yield* Fiber.join(stopping)
      assert.strictEqual(yield* held.result, 7)
      assert.deepInclude(yield* late.describe, { owner: undefined, turns: 0 })
    }), disk)

  test("leaves its client usable: calls go through the store, to whoever is there (N1)", () =>
    Effect.gen(function*() {
      const ada = yield* run(desk())
      const handle = yield* ada.client.start(Desk, 1)
      yield* ada.stop
      yield* handle.signal("add", 1)
      const next = yield* ada.client.start(Desk, 10)
      yield* run(desk())
      assert.strictEqual(yield* handle.query("total"), 2)
      assert.strictEqual(yield* next.update("add", 1), 11)
    }), disk)

  test("gets on while somebody asks its store again and again without a pause (N1)", () =>
    Effect.gen(function*() {
      yield* run(desk())
      const far = yield* remote
      const handle = yield* far.start(Desk, 1)
      // On SQLite each answer comes at once: nothing else would ever have its turn.
      let asked = 0
      yield* Effect.repeat(Effect.tap(handle.describe, () => asked++), {
        until: ({ turns }) => turns > 0 || asked > 1_000
      })
      assert.isBelow(asked, 1_000)
    }), disk)
})
