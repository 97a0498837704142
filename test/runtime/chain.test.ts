/**
 * Continuing as a new run: one chain of runs under one workflow id (K10 to K12), seen from bodies and from clients.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { Activity, Liveness, State, Worker, Workflow, WorkflowClosed, WorkflowContinuedAsNew } from "perdure"
import { Store } from "perdure/sqlite"
import * as Successor from "../../src/runtime/execution/Successor.js"
import type { Running } from "./World.js"
import { gate, remote, run, test, until } from "./World.js"

const Countdown = Workflow.make("Countdown", { payload: Schema.Number, success: Schema.String })
const CountdownLive = Countdown.toLayer((left) =>
  left > 0 ? Workflow.continueAsNew(Countdown, left - 1) : Effect.map(Workflow.info, (info) => JSON.stringify(info))
)

/** Counts signals and updates over all its runs, and moves to a new run when it is told to. */
const Meter = Workflow.make("Meter", {
  payload: { total: Schema.Number, runs: Schema.Number },
  success: Schema.Struct({ total: Schema.Number, runs: Schema.Number }),
  signals: { add: { payload: Schema.Number }, roll: {}, stop: {}, rollFromHandler: {} },
  queries: { total: { success: Schema.Number } },
  updates: { add: { payload: Schema.Number, success: Schema.Number }, roll: {} }
})
const meter = (log: Array<string>) =>
  Meter.toLayer(({ runs, total: before }) =>
    Effect.gen(function*() {
      const total = yield* State.make(before)
      const next = yield* Deferred.make<"roll" | "stop">()
      const roll = Effect.flatMap(total.get, (sum) => Workflow.continueAsNew(Meter, { total: sum, runs: runs + 1 }))
      return Meter.of({
        signals: {
          add: (n) => total.update((sum) => sum + n),
          roll: () => Deferred.succeed(next, "roll"),
          stop: () => Deferred.succeed(next, "stop"),
          rollFromHandler: () => roll
        },
        queries: { total: () => total.get },
        updates: { add: (n) => total.updateAndGet((sum) => sum + n), roll: () => roll },
        run: Effect.gen(function*() {
          yield* Effect.addFinalizer(() => Effect.sync(() => void log.push(`finalizer of run ${runs}`)))
          yield* Workflow.withCompensation(Effect.void, () => Effect.sync(() => void log.push("compensated")))
          const how = yield* Deferred.await(next)
          if (how === "roll") return yield* roll
          return { total: yield* total.get, runs }
        })
      })
    })
  )

const Stamp = Activity.make("Stamp", {
  success: Schema.String,
  startToCloseTimeout: "10 seconds",
  heartbeatTimeout: "200 millis"
})

describe("continuing as a new run", () => {
  it("the next run started last, by whatever clock: the last run of an execution is the one that did (K10, X11)", () => {
    const started = { _tag: "ExecutionStarted", workflow: "Countdown", workflowId: "w", taskQueue: "default" } as const
    const ending = { runId: "r1", startedAt: 1_000, started, cancelRequested: false, carried: {} }
    const closing = { _tag: "ExecutionContinuedAsNew", workflow: "Countdown", taskQueue: "default", input: 1 } as const
    const startedAt = (at: number) =>
      Successor.of(closing, ending, at, { newRunId: () => "r2", takes: () => true }).creates.map(({ run }) =>
        run.startedAt
      )
    assert.deepStrictEqual([900, 1_000, 1_100].map(startedAt), [[1_001], [1_000], [1_100]])
  })

  test("the next run has the same workflow id, a new run id, and says what it comes from (K10, W11)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ hosts: [CountdownLive] }))
      const store = yield* Store
      const handle = yield* client.start(Countdown, 3, { workflowId: "count", runTimeout: "1 hour" })
      const info = JSON.parse(yield* handle.result) as Readonly<Record<string, unknown>>
      const last = yield* Effect.flatten(store.findLatest("count"))
      assert.deepInclude(info, {
        workflow: "Countdown",
        workflowId: "count",
        runId: last.runId,
        firstRunId: handle.runId,
        attempt: 1,
        runTimeoutMillis: 3_600_000
      })
      const previous = yield* Effect.flatten(store.findRun(String(info["previousRunId"])))
      assert.deepInclude(previous, { status: "ContinuedAsNew", workflowId: "count", firstRunId: handle.runId })
      assert.deepInclude(last, { status: "Completed", firstRunId: handle.runId, previousRunId: previous.runId })
      assert.strictEqual((yield* store.runs({ limit: 10 })).length, 4)
      assert.deepStrictEqual(yield* Liveness.check, [])
    }))

  test("a result follows the chain in this process and in another; that of one run says which follows (K12, R13)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ hosts: [meter([])] }))
      const handle = yield* client.start(Meter, { total: 1, runs: 1 }, { workflowId: "m" })
      const elsewhere = yield* remote
      const here = yield* Effect.fork(handle.result)
      const there = yield* Effect.fork(elsewhere.handle(Meter, "m").result)
      const named = yield* Effect.fork(elsewhere.handle(Meter, "m", handle.runId).result)
      const alone = yield* Effect.fork(Effect.flip(handle.runResult))
      yield* handle.signal("roll")
      yield* until(handle.describe, ({ previousRunId, status }) => previousRunId !== undefined && status === "Running")
      yield* elsewhere.handle(Meter, "m").signal("add", 5)
      yield* handle.signal("stop")
      const end = { total: 6, runs: 2 }
      assert.deepStrictEqual(yield* Fiber.join(here), end)
      assert.deepStrictEqual(yield* Fiber.join(there), end)
      assert.deepStrictEqual(yield* Fiber.join(named), end)
      const first = yield* client.handle(Meter, "m", handle.runId).describe
      const continued = yield* Fiber.join(alone)
      assert.instanceOf(continued, WorkflowContinuedAsNew)
      assert.deepInclude(continued, { workflow: "Meter", workflowId: "m", newRunId: first.nextRunId! })
      assert.deepInclude(first, { status: "ContinuedAsNew", attempt: 1, previousRunId: undefined })
      assert.deepInclude(yield* handle.describe, {
        runId: first.nextRunId!,
        firstRunId: handle.runId,
        previousRunId: handle.runId
      })
      assert.deepInclude(
        yield* Effect.flip(elsewhere.handle(Meter, "m", handle.runId).runResult),
        { _tag: "WorkflowContinuedAsNew" }
      )
    }))

  test("finalizers run, compensations do not, and it may be called in a signal handler (K10, S5)", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const { client } = yield* run(Worker.layer({ hosts: [meter(log)] }))
      const handle = yield* client.start(Meter, { total: 1, runs: 1 })
      yield* handle.signal("rollFromHandler")
      yield* until(handle.describe, ({ previousRunId }) => previousRunId !== undefined)
      assert.deepStrictEqual(log, ["finalizer of run 1"])
      yield* handle.signal("stop")
      assert.deepStrictEqual(yield* handle.result, { total: 1, runs: 2 })
    }))

  test("in an update handler it fails the turn, with words (K10)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ hosts: [meter([])] }))
      const handle = yield* client.start(Meter, { total: 1, runs: 1 })
      const refused = yield* Effect.fork(handle.update("roll", undefined, { timeout: "10 seconds" }))
      const { attention } = yield* until(handle.describe, ({ attention }) => attention !== undefined)
      assert.deepInclude(attention, { _tag: "TurnFailed", error: "BodyDefect" })
      assert.include(attention?.message, "update roll")
      assert.include(attention?.message, "Workflow.continueAsNew is not allowed there")
      yield* Fiber.interrupt(refused)
      yield* handle.terminate()
    }))

  test("handles of a start mean their own chain: not a newer execution of the same id (U10)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ hosts: [meter([])] }))
      const elsewhere = yield* remote
      const first = yield* client.start(Meter, { total: 1, runs: 1 }, { workflowId: "same" })
      yield* first.signal("roll")
      yield* until(first.describe, ({ previousRunId }) => previousRunId !== undefined)
      yield* first.signal("stop")
      assert.deepStrictEqual(yield* first.result, { total: 1, runs: 2 })
      const second = yield* elsewhere.start(Meter, { total: 10, runs: 1 }, { workflowId: "same" })
      assert.instanceOf(yield* Effect.flip(first.signal("add", 1)), WorkflowClosed)
      assert.instanceOf(yield* Effect.flip(first.update("add", 1)), WorkflowClosed)
      assert.instanceOf(yield* Effect.flip(first.terminate()), WorkflowClosed)
      yield* first.cancel()
      assert.strictEqual((yield* first.describe).status, "Completed")
      yield* until(second.describe, ({ turns }) => turns > 0)
      assert.strictEqual(yield* second.update("add", 1), 11)
      yield* second.signal("stop")
      assert.deepStrictEqual(yield* second.result, { total: 11, runs: 1 })
      assert.deepStrictEqual(yield* first.result, { total: 1, runs: 2 })
    }))

  test("signals that come while a run continues lose nothing: the end is undone, or the next run has them (S3, K10)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ hosts: [meter([])] }))
      const elsewhere = yield* remote
      const handle = yield* client.start(Meter, { total: 0, runs: 1 }, { workflowId: "busy" })
      const add = (by: Running["client"]) =>
        Effect.forEach(Array.from({ length: 40 }), () => by.handle(Meter, "busy").signal("add", 1), { discard: true })
      const rolls = Effect.repeatN(Effect.zipRight(handle.signal("roll"), Effect.yieldNow()), 9)
      const updates = Effect.forEach(Array.from({ length: 20 }), () => handle.update("add", 100))
      const [, , , answers] = yield* Effect.all([add(client), add(elsewhere), rolls, updates], {
        concurrency: "unbounded"
      })
      assert.strictEqual(new Set(answers).size, 20)
      yield* handle.signal("stop")
      const result = yield* handle.result
      assert.strictEqual(result.total, 40 + 40 + 20 * 100)
      assert.isAbove(result.runs, 1)
      assert.deepStrictEqual(yield* Liveness.check, [])
    }))

  test("an update that waits unseen moves to the next run, and its caller hears from there (U7)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const elsewhere = yield* remote
      // No worker is there yet: all of this waits in the mailbox of the first run.
      const first = yield* elsewhere.start(Meter, { total: 0, runs: 1 }, { workflowId: "moves" })
      const worker = yield* run(Worker.layer({ hosts: [meter([])] }))
      yield* until(first.describe, ({ turns }) => turns > 0)
      yield* worker.stop
      const claimed = yield* Effect.flatten(store.findRun(first.runId))
      assert.strictEqual(claimed.owner, undefined)
      // Its next end is committed by hand, as by a worker that has not seen the update.
      yield* store.register({ id: "hand", leaseUntil: Number.MAX_SAFE_INTEGER, identity: "", startedAt: 0 })
      const owned = yield* Effect.flatten(store.claimRun("hand", first.runId))
      const asked = yield* Effect.fork(first.update("add", 7, { timeout: "15 seconds" }))
      yield* until(store.mail(first.runId, 0), (mail) => mail.length === 1)
      const next = { ...claimed, runId: `${first.runId}-next`, startedAt: claimed.startedAt + 1 }
      const { refused } = yield* store.commit({
        worker: "hand",
        tasks: [],
        now: 5,
        turns: [{
          runId: first.runId,
          epoch: owned.epoch,
          history: {
            turn: owned.turn + 1,
            at: claimed.startedAt + 1,
            format: 1,
            events: JSON.stringify([{
              _tag: "ExecutionContinuedAsNew",
              workflow: "Meter",
              input: { total: 50, runs: 2 },
              newRunId: next.runId
            }])
          },
          wake: undefined,
          attention: undefined,
          close: { status: "ContinuedAsNew", at: claimed.startedAt + 1, refuseIfMail: true, next: next.runId },
          consumed: [],
          tasksAdded: [],
          tasksRemoved: [],
          tasksCanceled: [],
          mail: [],
          replies: [],
          outgoing: [],
          creates: [{
            owned: false,
            run: {
              runId: next.runId,
              workflowId: "moves",
              workflow: "Meter",
              taskQueue: "default",
              startedAt: next.startedAt,
              firstRunId: first.runId,
              previousRunId: first.runId
            },
            start: {
              runId: next.runId,
              kind: "Start",
              body: JSON.stringify({
                _tag: "Start",
                workflow: "Meter",
                workflowId: "moves",
                taskQueue: "default",
                input: { total: 50, runs: 2 },
                firstRunId: first.runId,
                previousRunId: first.runId
              })
            }
          }]
        }]
      })
      assert.strictEqual(refused.size, 0)
      assert.deepStrictEqual((yield* store.mail(next.runId, 0)).map(({ kind }) => kind).sort(), ["Start", "Update"])
      assert.deepStrictEqual(yield* store.mail(first.runId, 0), [])
      assert.deepStrictEqual(yield* Liveness.check, [])
      yield* run(Worker.layer({ hosts: [meter([])] }))
      assert.strictEqual(yield* Fiber.join(asked), 57)
      yield* first.signal("stop")
      assert.deepStrictEqual(yield* first.result, { total: 57, runs: 2 })
    }))

  test("an accepted update whose handler has not ended fails as at any end (U7, S8)", () =>
    Effect.gen(function*() {
      const Held = Workflow.make("Held", {
        payload: Schema.Number,
        success: Schema.Number,
        signals: { roll: {} },
        updates: { never: { success: Schema.Number } }
      })
      const HeldLive = Held.toLayer((runs) =>
        Effect.gen(function*() {
          const rolled = yield* Deferred.make<void>()
          return Held.of({
            signals: { roll: () => Deferred.succeed(rolled, undefined) },
            updates: { never: () => Effect.never },
            run: runs > 1
              ? Effect.succeed(runs)
              : Effect.zipRight(Deferred.await(rolled), Workflow.continueAsNew(Held, runs + 1))
          })
        })
      )
      const { client } = yield* run(Worker.layer({ hosts: [HeldLive] }))
      const handle = yield* client.start(Held, 1)
      const near = yield* handle.startUpdate("never", undefined, { updateId: "near" })
      const far = yield* (yield* remote).handle(Held, handle.workflowId).startUpdate("never", undefined, {
        updateId: "far"
      })
      yield* handle.signal("roll")
      for (const { result } of [near, far]) {
        assert.deepInclude(yield* Effect.flip(result), { _tag: "UpdateFailed", rejected: false })
      }
      assert.strictEqual(yield* handle.result, 2)
    }))

  test("what it is given replaces what it would inherit: workflow, queue, delay, retry (K10)", () =>
    Effect.gen(function*() {
      const Other = Workflow.make("Other", { payload: { name: Schema.String }, success: Schema.String })
      const OtherLive = Other.toLayer(({ name }) =>
        Effect.map(
          Workflow.info,
          ({ attempt, retry, runTimeoutMillis, taskQueue }) =>
            `${name} on ${taskQueue}, attempt ${attempt}, ${retry?.maximumAttempts} at most, ${runTimeoutMillis} ms`
        )
      )
      const First = Workflow.make("First", { success: Schema.String })
      const FirstLive = First.toLayer(() =>
        Workflow.continueAsNew(Other, { name: "ada" }, {
          taskQueue: "others",
          delay: "300 millis",
          retry: { maximumAttempts: 3 },
          runTimeout: "1 minute"
        })
      )
      const { client } = yield* run(Worker.layer({ hosts: [FirstLive] }))
      yield* run(Worker.layer({ taskQueue: "others", hosts: [OtherLive] }))
      const began = Date.now()
      const handle = yield* client.start(First, undefined, { retry: { maximumAttempts: 9 } })
      assert.strictEqual(yield* handle.result, "ada on others, attempt 1, 3 at most, 60000 ms")
      assert.isAtLeast(Date.now() - began, 295)
      const last = yield* handle.describe
      assert.strictEqual(last.startAt! - last.startedAt, 300)
    }))

  test("activities of the run that continues run on for nobody, and are told (K10)", () =>
    Effect.gen(function*() {
      const told = gate()
      const StampLive = Stamp.toLayer(() =>
        Effect.onInterrupt(
          Effect.forever(Effect.zipRight(Activity.heartbeat(), Effect.sleep("20 millis"))),
          () => told.open
        )
      )
      const Busy = Workflow.make("Busy", { payload: Schema.Number, success: Schema.Number })
      const BusyLive = Busy.toLayer((runs) =>
        runs > 1
          ? Effect.succeed(runs)
          : Effect.gen(function*() {
            yield* Effect.forkDaemon(Stamp.execute())
            yield* Effect.sleep("20 millis")
            return yield* Workflow.continueAsNew(Busy, runs + 1)
          })
      )
      const { client } = yield* run(Worker.layer({ hosts: [BusyLive, StampLive] }))
      assert.strictEqual(yield* client.execute(Busy, 1), 2)
      yield* told.pass
      assert.deepStrictEqual(yield* Liveness.check, [])
    }))

  test("a payload that its schema refuses fails the turn (N4)", () =>
    Effect.gen(function*() {
      const Positive = Workflow.make("Positive", {
        payload: Schema.Number.pipe(Schema.positive()),
        success: Schema.Number
      })
      const PositiveLive = Positive.toLayer((n) => Workflow.continueAsNew(Positive, n - 1))
      const { client } = yield* run(Worker.layer({ hosts: [PositiveLive] }))
      const handle = yield* client.start(Positive, 2)
      const { attention } = yield* until(handle.describe, ({ attention }) => attention !== undefined)
      assert.include(attention?.message, "payload of workflow Positive")
      yield* handle.terminate()
      assert.deepInclude(yield* Effect.flip(handle.result), { _tag: "WorkflowFailure", status: "Terminated" })
    }))
})
