/**
 * Where activities run: slots, other task queues, other workers, and workers that shut down.
 */
import { assert, describe } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { Activity, Worker, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import * as Messages from "../../src/core/Message.js"
import type { Seen } from "./World.js"
import { changed, disk, gate, run, seen, test, until } from "./World.js"

describe("slots", () => {
  const crowd = () => {
    let now = 0
    let most = 0
    return {
      body: (n: number) =>
        Effect.acquireUseRelease(
          Effect.sync(() => most = Math.max(most, ++now)),
          () => Effect.as(Effect.sleep(`${n % 4} millis`), n),
          () => Effect.sync(() => now--)
        ),
      most: () => most
    }
  }
  const all = (count: number) =>
    Fan.toLayer(() =>
      Effect.orDie(Effect.map(
        Effect.forEach(Array.from({ length: count }, (_, n) => n), (n) => Echo.execute(n), {
          concurrency: "unbounded"
        }),
        (results) => results.reduce((sum, n) => sum + n, 0)
      ))
    )

  test("bound what runs at once; the rest waits its turn (A17, N3)", () =>
    Effect.gen(function*() {
      const { body, most } = crowd()
      const { client } = yield* run(Worker.layer({ maxConcurrentActivities: 3, hosts: [all(60), Echo.toLayer(body)] }))
      const both = yield* Effect.all([client.execute(Fan), client.execute(Fan)], { concurrency: 2 })
      assert.deepStrictEqual(both, [1770, 1770])
      assert.strictEqual(most(), 3)
    }))

  test("let a thousand at once through, ten at a time (A17)", () =>
    Effect.gen(function*() {
      const { body, most } = crowd()
      const { client } = yield* run(
        Worker.layer({ maxConcurrentActivities: 10, hosts: [all(1_000), Echo.toLayer(body)] })
      )
      assert.strictEqual(yield* client.execute(Fan), 499_500)
      assert.strictEqual(most(), 10)
    }))

  test("of several workers on one queue add up, and each attempt is run by one (A17)", () =>
    Effect.gen(function*() {
      const one = crowd()
      const two = crowd()
      const runs: Array<number> = []
      const counted = (body: (n: number) => Effect.Effect<number>) => (n: number) =>
        Effect.zipRight(Effect.sync(() => runs.push(n)), body(n))
      const { client } = yield* run(
        Worker.layer({ maxConcurrentActivities: 2, hosts: [all(80), Echo.toLayer(counted(one.body))] })
      )
      yield* run(Worker.layer({ maxConcurrentActivities: 2, hosts: [Echo.toLayer(counted(two.body))] }))
      assert.strictEqual(yield* client.execute(Fan), 3_160)
      assert.strictEqual(new Set(runs).size, 80)
      assert.strictEqual(runs.length, 80)
      assert.isAtMost(one.most(), 2)
      assert.isAtMost(two.most(), 2)
    }))

  const claimed = gate()
  const claim = gate()
  test(
    "are not exceeded by what is claimed while a run of one's own takes the last one (A17)",
    () =>
      Effect.gen(function*() {
        const started = gate()
        const done = gate()
        let now = 0
        let most = 0
        const { client } = yield* run(Worker.layer({
          taskQueue: "a",
          hosts: [Report.toLayer(() => seen(Job.execute(undefined, { taskQueue: "b" })))]
        }))
        const b = yield* run(Worker.layer({
          taskQueue: "b",
          maxConcurrentActivities: 1,
          hosts: [
            Waiting.toLayer(() =>
              Effect.succeed(Waiting.of({ signals: { go: () => Effect.void }, run: seen(Job.execute()) }))
            ),
            Job.toLayer(() =>
              Effect.sync(() => most = Math.max(most, ++now)).pipe(
                Effect.zipRight(started.open),
                Effect.zipRight(done.pass),
                Effect.ensuring(Effect.sync(() => now--))
              )
            )
          ]
        }))
        const far = yield* client.start(Report)
        // The worker of b has it, as the store says, and does not know it yet.
        yield* claimed.pass
        const own = yield* b.client.start(Waiting)
        yield* started.pass
        yield* claim.open
        yield* until(far.describe, ({ pendingActivities }) => pendingActivities[0]?.state === "started")
        yield* done.open
        yield* Effect.all([far.result, own.result])
        assert.strictEqual(most, 1)
      }),
    changed((store) => ({
      claimTasks: (worker, queues, now, limit) =>
        Effect.tap(
          store.claimTasks(worker, queues, now, limit),
          (tasks) => tasks.length > 0 ? Effect.zipRight(claimed.open, claim.pass) : Effect.void
        )
    }))
  )
})

describe("another task queue", () => {
  const Far = Activity.make("Far", {
    success: Schema.Unknown,
    startToCloseTimeout: "1 minute",
    retry: { initialInterval: "1 millis" }
  })
  const far = (options: Activity.CallOptions = {}) => Far.execute(undefined, { ...options, taskQueue: "b" })

  test("of a worker in the same process runs the activity, with its retries (A1, A17)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ taskQueue: "a", hosts: [Report.toLayer(() => seen(far()))] }))
      yield* run(Worker.layer({
        taskQueue: "b",
        hosts: [
          Far.toLayer(() =>
            Effect.flatMap(Activity.info, ({ attempt, taskQueue, workflowId }) =>
              attempt < 3 ? Effect.die("again") : Effect.succeed([attempt, taskQueue, workflowId]))
          )
        ]
      }))
      assert.deepStrictEqual(yield* client.execute(Report, undefined, { workflowId: "w" }), [3, "b", "w"])
    }), disk)

  test("gets what waited there when its worker comes", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ taskQueue: "a", hosts: [Report.toLayer(() => seen(far()))] }))
      const handle = yield* client.start(Report)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.state === "queued")
      yield* run(Worker.layer({ taskQueue: "b", hosts: [Far.toLayer(() => Effect.succeed("came"))] }))
      assert.strictEqual(yield* handle.result, "came")
    }))

  test("hears of a cancel request, and its answer counts (C5, C6)", () =>
    Effect.gen(function*() {
      const started = gate()
      const { client } = yield* run(Worker.layer({
        taskQueue: "a",
        hosts: [
          Waiting.toLayer(() =>
            Effect.gen(function*() {
              const go = yield* Deferred.make<void>()
              return Waiting.of({
                signals: { go: () => Deferred.succeed(go, undefined) },
                run: Effect.gen(function*() {
                  const job = yield* Far.start(undefined, { taskQueue: "b", cancellation: "WaitCancellationCompleted" })
                  yield* Deferred.await(go)
                  yield* job.cancel
                  return yield* seen(job.result)
                })
              })
            })
          )
        ]
      }))
      yield* run(Worker.layer({
        taskQueue: "b",
        hosts: [Far.toLayer(() => Effect.zipRight(started.open, Effect.never))],
        shutdownGrace: 0
      }))
      const handle = yield* client.start(Waiting)
      yield* started.pass
      yield* handle.signal("go")
      assert.strictEqual(((yield* handle.result) as Seen).failure._tag, "Canceled")
    }))

  test("hears that the run was terminated, and stops (C10)", () =>
    Effect.gen(function*() {
      const started = gate()
      const stopped = gate()
      const { client } = yield* run(Worker.layer({ taskQueue: "a", hosts: [Report.toLayer(() => seen(far()))] }))
      yield* run(Worker.layer({
        taskQueue: "b",
        hosts: [Far.toLayer(() => Effect.onInterrupt(Effect.zipRight(started.open, Effect.never), () => stopped.open))],
        shutdownGrace: 0
      }))
      const handle = yield* client.start(Report)
      yield* started.pass
      yield* handle.terminate()
      yield* stopped.pass
    }))
})

describe("an outcome", () => {
  test("that comes again, or late, is dropped (I9, A10)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const { client } = yield* run(Worker.layer({
        hosts: [
          Waiting.toLayer(() =>
            Effect.gen(function*() {
              const go = yield* Deferred.make<void>()
              return Waiting.of({
                signals: { go: () => Deferred.succeed(go, undefined) },
                run: Effect.zipLeft(Effect.orDie(Echo.execute(1)), Deferred.await(go))
              })
            })
          ),
          Echo.toLayer((n) => Effect.succeed(n))
        ]
      }))
      const handle = yield* client.start(Waiting)
      yield* until(handle.history, (turns) => turns.length === 2)
      const again = Messages.encode({
        _tag: "ActivityOutcome",
        outcome: { _tag: "ActivityCompleted", seq: 1, attempt: 1, result: 666 }
      })
      yield* store.post({ runId: handle.runId, kind: "ActivityOutcome", body: again }, Date.now())
      yield* handle.signal("go")
      assert.strictEqual(yield* handle.result, 1)
      assert.strictEqual((yield* handle.history).length, 3)
      assert.deepStrictEqual(yield* store.mail(handle.runId, 0), [])
    }))
})

describe("a worker that shuts down", () => {
  test("tells its activities, and waits for those that end in time (A16, N1)", () =>
    Effect.gen(function*() {
      const started = gate()
      const told = gate()
      const { client, stop } = yield* run(Worker.layer({
        hosts: [
          Report.toLayer(() => seen(Job.execute())),
          Job.toLayer(() =>
            started.open.pipe(
              Effect.zipRight(until(Activity.shuttingDown, (shuttingDown) => shuttingDown)),
              Effect.zipRight(told.open),
              // Heartbeats still work meanwhile.
              Effect.zipRight(Activity.heartbeat("ending")),
              Effect.as("ended in time"),
              Effect.orDie
            )
          )
        ]
      }))
      const handle = yield* client.start(Report)
      yield* started.pass
      const stopping = yield* Effect.fork(stop)
      yield* told.pass
      yield* Fiber.join(stopping)
      assert.strictEqual((yield* handle.describe).status, "Completed")
      assert.strictEqual(yield* handle.result, "ended in time")
    }), disk)

  test(
    "interrupts those that do not, and another worker tries them again at once (A16, N1)",
    () =>
      Effect.gen(function*() {
        const started = gate()
        const log: Array<string> = []
        const { client, stop } = yield* run(Worker.layer({
          shutdownGrace: "20 millis",
          hosts: [
            Report.toLayer(() => seen(Job.execute())),
            Job.toLayer(() =>
              Effect.onInterrupt(
                Effect.zipRight(started.open, Effect.never),
                () => Effect.sync(() => log.push("interrupted"))
              )
            )
          ]
        }))
        const handle = yield* client.start(Report)
        yield* started.pass
        yield* stop
        assert.deepStrictEqual(log, ["interrupted"])
        const { owner, pendingActivities: [pending] } = yield* handle.describe
        assert.isUndefined(owner)
        assert.deepInclude(pending, { state: "queued", attempt: 2 })
        assert.include(pending!.lastFailure, "WorkerShutdown")
        const next = yield* run(Worker.layer({
          hosts: [
            Report.toLayer(() => seen(Job.execute())),
            Job.toLayer(() => Effect.map(Activity.info, ({ attempt }) => attempt))
          ]
        }))
        assert.strictEqual(yield* next.client.handle(Report, handle.workflowId).result, 2)
      }),
    disk
  )

  test(
    "is not held up by one that cannot be interrupted; its attempt is given back (A16, N1)",
    () =>
      Effect.gen(function*() {
        const started = gate()
        const late = gate()
        const { client, stop } = yield* run(Worker.layer({
          shutdownGrace: 0,
          hosts: [
            Report.toLayer(() => seen(Job.execute(undefined, { retry: { maximumAttempts: 1 } }))),
            Job.toLayer(() => Effect.uninterruptible(Effect.as(Effect.zipRight(started.open, late.pass), "late")))
          ]
        }))
        const handle = yield* client.start(Report)
        yield* started.pass
        yield* stop
        const { pendingActivities: [pending] } = yield* handle.describe
        assert.deepInclude(pending, { state: "queued", attempt: 1 })
        yield* late.open
        const next = yield* run(Worker.layer({
          hosts: [
            Report.toLayer(() => seen(Job.execute(undefined, { retry: { maximumAttempts: 1 } }))),
            Job.toLayer(() => Effect.succeed("again"))
          ]
        }))
        assert.strictEqual(yield* next.client.handle(Report, handle.workflowId).result, "again")
      }),
    disk
  )
})

// -----------------------------------------------------------------------------
// fixtures
// -----------------------------------------------------------------------------

const Report = Workflow.make("Report", { success: Schema.Unknown })
const Waiting = Workflow.make("Waiting", { success: Schema.Unknown, signals: { go: {} } })
const Fan = Workflow.make("Fan", { success: Schema.Number })
const Echo = Activity.make("Echo", {
  payload: Schema.Number,
  success: Schema.Number,
  startToCloseTimeout: "1 minute"
})
const Job = Activity.make("Job", {
  success: Schema.Unknown,
  startToCloseTimeout: "1 minute",
  retry: { initialInterval: "1 millis" }
})
