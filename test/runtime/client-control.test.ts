/**
 * Cancel, terminate, describe: what operators do to a run, and see of it.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import type { WorkflowFailure } from "perdure"
import { Activity, Step, Worker, Workflow, WorkflowClosed } from "perdure"
import { Desk, desk } from "./Desk.js"
import { eventsOf, waysTo } from "./Ways.js"
import { disk, gate, remote, run, test, until } from "./World.js"

describe("cancel", () => {
  waysTo(
    "is recorded once; a second request, and one to a closed run, change nothing (C1)",
    (client) =>
      Effect.gen(function*() {
        const handle = yield* client.start(Desk, 1)
        yield* handle.cancel("first")
        yield* handle.cancel("second")
        const failure = yield* Effect.flip(handle.result)
        assert.include((failure as WorkflowFailure).message, "first")
        yield* handle.cancel("third")
        const tags = yield* eventsOf(handle)
        assert.strictEqual(tags.filter((tag) => tag === "CancelRequested").length, 1)
        assert.strictEqual(tags.at(-1), "ExecutionCanceled")
      })
  )

  test("is met by a body that catches it, and cleans up with durable steps (C2, C3, C4)", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const Tidy = Workflow.make("Tidy", { success: Schema.String })
      const CleanUp = Activity.make("CleanUp", { payload: Schema.String, startToCloseTimeout: "1 minute" })
      const { client } = yield* run(Worker.layer({
        hosts: [
          Tidy.toLayer(() =>
            Workflow.catchCancel(Effect.as(Effect.sleep("1 hour"), "slept"), (reason) =>
              Effect.gen(function*() {
                yield* CleanUp.execute(reason)
                yield* Effect.sleep("1 millis")
                return `tidied: ${reason}`
              }))
          ),
          CleanUp.toLayer((reason) => Effect.sync(() => log.push(reason)))
        ]
      }))
      const handle = yield* client.start(Tidy)
      yield* handle.cancel("closing time")
      assert.strictEqual(yield* handle.result, "tidied: closing time")
      assert.strictEqual((yield* handle.describe).status, "Completed")
      assert.deepStrictEqual(log, ["closing time"])
    }))

  test("before the first turn still lets the body begin (C2)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      const handle = yield* client.start(Desk, 1)
      yield* handle.cancel("at once")
      const log: Array<string> = []
      const Body = Workflow.make("Desk", { payload: Schema.Number })
      yield* run(Worker.layer({
        hosts: [
          Body.toLayer(() =>
            Step.run("noted", { execute: Effect.sync(() => log.push("never")) }).pipe(
              Effect.onInterrupt(() => Effect.sync(() => log.push("interrupted")))
            )
          )
        ]
      }))
      assert.deepInclude(yield* Effect.flip(handle.result), { status: "Canceled" })
      assert.deepStrictEqual(log, ["interrupted"])
    }), disk)
})

describe("terminate", () => {
  waysTo(
    "ends the run at once; a closed one cannot be terminated, and its id is free again (C10, X4)",
    (client) =>
      Effect.gen(function*() {
        const handle = yield* client.start(Desk, 1)
        yield* handle.terminate("enough")
        const { closedAt, status } = yield* handle.describe
        assert.strictEqual(status, "Terminated")
        assert.isDefined(closedAt)
        assert.instanceOf(yield* Effect.flip(handle.terminate()), WorkflowClosed)
        assert.instanceOf(yield* Effect.flip(handle.signal("add", 1)), WorkflowClosed)
        assert.deepInclude(yield* Effect.flip(handle.result), { _tag: "WorkflowFailure", status: "Terminated" })
        // The id is free again.
        yield* client.start(Desk, 2, { workflowId: handle.workflowId })
      })
  )

  test("is no damage to a query that comes while its word is on the way (Q2, Q3)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(desk())
      const handle = yield* client.start(Desk, 1)
      yield* (yield* remote).handle(Desk, handle.workflowId).terminate("enough")
      assert.strictEqual(yield* handle.query("total"), 1)
    }))

  for (const from of ["the worker's process", "another process"] as const) {
    test(`from ${from} runs no code of the run; its activities are told (C10, W15)`, () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const started = gate()
        const told = gate()
        const stepping = gate()
        const stepped = gate()
        const Busy = Workflow.make("Busy")
        const Work = Activity.make("Work", { startToCloseTimeout: "1 minute" })
        const { client } = yield* run(Worker.layer({
          hosts: [
            Busy.toLayer(() =>
              Effect.all([
                Work.execute(),
                Step.run("step", {
                  execute: Effect.onInterrupt(Effect.zipRight(stepping.open, Effect.never), () => stepped.open)
                }),
                Effect.sleep("1 hour")
              ], { concurrency: "unbounded", discard: true }).pipe(
                Effect.ensuring(Effect.sync(() => log.push("finalizer of the body")))
              )
            ),
            Work.toLayer(() =>
              Effect.onInterrupt(
                Effect.zipRight(
                  started.open,
                  Effect.forever(Effect.zipRight(Activity.heartbeat(), Effect.sleep("5 millis")))
                ),
                () => told.open
              )
            )
          ]
        }))
        const handle = yield* client.start(Busy)
        yield* started.pass
        yield* stepping.pass
        const other = from === "another process" ? yield* remote : client
        yield* other.handle(Busy, handle.workflowId).terminate()
        yield* told.pass
        yield* stepped.pass
        assert.deepInclude(yield* Effect.flip(handle.result), { status: "Terminated" })
        assert.deepStrictEqual(log, [])
        assert.deepInclude(yield* handle.describe, { status: "Terminated", pendingActivities: [] })
      }), from === "another process" ? disk : undefined)
  }
})

describe("describe", () => {
  test("shows what a run waits for: its activities with attempt, failure and heartbeat (X11)", () =>
    Effect.gen(function*() {
      const beaten = gate()
      const Busy = Workflow.make("Busy")
      const Work = Activity.make("Work", {
        payload: Schema.String,
        startToCloseTimeout: "1 minute",
        retry: { initialInterval: "1 hour" }
      })
      const { client } = yield* run(Worker.layer({
        taskQueue: "orders",
        shutdownGrace: 0,
        hosts: [
          Busy.toLayer(() =>
            Effect.all([
              Work.execute("fail", { activityId: "failing" }),
              Work.execute("beat"),
              Work.execute("far", { taskQueue: "nobody" }),
              Effect.sleep("2 hours")
            ], { concurrency: "unbounded", discard: true })
          ),
          Work.toLayer((what) =>
            what === "fail"
              ? Effect.die(new TypeError("not yet"))
              : Activity.heartbeat({ done: 3 }).pipe(Effect.zipRight(beaten.open), Effect.zipRight(Effect.never))
          )
        ]
      }))
      const handle = yield* client.start(Busy, undefined, { workflowId: "busy" })
      yield* beaten.pass
      const description = yield* until(
        handle.describe,
        ({ pendingActivities: [failing, beating] }) =>
          failing?.lastFailure !== undefined && beating?.heartbeat !== undefined
      )
      const { startedAt, wakeAt } = description
      assert.deepInclude(description, {
        workflow: "Busy",
        workflowId: "busy",
        runId: handle.runId,
        taskQueue: "orders",
        status: "Running",
        closedAt: undefined,
        turns: 1,
        attention: undefined
      })
      assert.isAbove(description.historyBytes, 100)
      assert.isDefined(description.owner)
      assert.isAtLeast(wakeAt! - startedAt, 7_200_000)
      const [failing, beating, far] = description.pendingActivities
      assert.deepInclude(failing, {
        activityId: "failing",
        activity: "Work",
        state: "queued",
        attempt: 2,
        lastFailure: "TypeError: not yet",
        cancelRequested: false
      })
      assert.isAtLeast(failing!.dueAt - startedAt, 3_600_000)
      assert.deepInclude(beating, { activityId: "2", state: "started", attempt: 1, heartbeat: { done: 3 } })
      assert.deepInclude(far, { activityId: "3", state: "queued", attempt: 1, lastFailure: undefined })
    }))

  test("says that nothing will ever wake a run, and takes it back when something does (I5)", () =>
    Effect.gen(function*() {
      const Stuck = Workflow.make("Stuck")
      const { client } = yield* run(Worker.layer({ hosts: [Stuck.toLayer(() => Effect.never)] }))
      const stuck = yield* client.start(Stuck)
      const { attention } = yield* until(stuck.describe, ({ attention }) => attention !== undefined)
      assert.deepInclude(attention, { _tag: "NoWakeUp" })
      // A cancel request reaches it all the same.
      yield* stuck.cancel()
      assert.deepInclude(yield* Effect.flip(stuck.result), { status: "Canceled" })
      assert.isUndefined((yield* stuck.describe).attention)
    }))

  test("says that the turns of a run fail: how often, why, when it is tried again (I7, W15)", () =>
    Effect.gen(function*() {
      const Faulty = Workflow.make("Faulty", { queries: { any: {} } })
      const { client } = yield* run(Worker.layer({
        hosts: [
          Faulty.toLayer(() =>
            Effect.succeed(Faulty.of({
              queries: { any: () => Effect.void },
              run: Effect.sync(() => {
                throw new RangeError("out of it")
              })
            }))
          )
        ]
      }))
      const handle = yield* client.start(Faulty)
      const { attention, status, turns } = yield* until(
        handle.describe,
        ({ attention }) => attention?._tag === "TurnFailed" && attention.failures >= 3
      )
      assert.strictEqual(status, "Running")
      assert.strictEqual(turns, 0)
      if (attention?._tag !== "TurnFailed") return assert.fail()
      assert.strictEqual(attention.error, "BodyDefect")
      assert.include(attention.message, "RangeError: out of it")
      // The third try is followed by a pause of four times the first.
      const next = yield* until(
        handle.describe,
        ({ attention }) => attention?._tag === "TurnFailed" && attention.failures >= 4
      )
      assert.isAtLeast(next.wakeAt!, attention.retryAt + 400)
      // Its queries are answered at once, by why they cannot be.
      const error = yield* Effect.flip(handle.query("any"))
      assert.strictEqual(error._tag, "QueryFailed")
      assert.include(error.message, "out of it")
      // It can be ended.
      const waiting = yield* Effect.fork(Effect.flip(handle.result))
      yield* handle.terminate()
      assert.deepInclude(yield* Fiber.join(waiting), { status: "Terminated" })
    }))
})
