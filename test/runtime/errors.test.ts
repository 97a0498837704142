/**
 * Goal: each way in which a call can go wrong is an error of its own, typed, that says what happened to which execution
 * (row R13), and what a body sees of a timeout says which it was (row R12). `AsyncActivityCanceled` is in activity-async.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import {
  Activity,
  ActivityError,
  ApplicationError,
  CallTimeout,
  QueryFailed,
  QueryRejected,
  StoreUnavailable,
  UpdateFailed,
  UpdateNotFound,
  Worker,
  Workflow,
  WorkflowAlreadyStarted,
  WorkflowClosed,
  WorkflowContinuedAsNew,
  WorkflowFailure,
  WorkflowNotFound
} from "perdure"
import { StoreError } from "../../src/persistence/Store.js"
import { changed, remote, run, test, until } from "./World.js"

const Desk = Workflow.make("Desk", {
  payload: Schema.Literal("fail", "roll", "wait", "beat"),
  success: Schema.Unknown,
  signals: { go: {} },
  queries: { broken: {}, asked: {} },
  updates: { refuse: {}, wait: {} }
})

const Beat = Activity.make("Beat", {
  startToCloseTimeout: "1 minute",
  heartbeatTimeout: "100 millis",
  retry: { maximumAttempts: 1 }
})
const BeatLive = Beat.toLayer(() => Effect.zipRight(Activity.heartbeat({ line: 7 }), Effect.never))

const DeskLive = Desk.toLayer((how) =>
  Effect.succeed(Desk.of({
    signals: { go: () => Effect.void },
    queries: { broken: () => Effect.die("out of order"), asked: () => Effect.void },
    updates: {
      refuse: () => new ApplicationError({ type: "Refused", message: "not today" }),
      wait: () => Effect.never
    },
    run: Effect.gen(function*() {
      if (how === "fail") return yield* new ApplicationError({ type: "Broken", message: "it broke" })
      if (how === "roll") return yield* Workflow.continueAsNew(Desk, "wait")
      if (how === "beat") {
        return yield* Effect.catchIf(Beat.execute(), (error) =>
          error instanceof ActivityError, (error) =>
          Effect.succeed({ canceled: Workflow.isCanceled(error), timeout: error.isTimeout, failure: error.failure }))
      }
      return yield* Effect.never
    })
  }))
)

const worker = run(Worker.layer({ hosts: [DeskLive, BeatLive] }))

describe("what a caller is told", () => {
  test("of a run that failed: why, and as what it ended (R13, X3)", () =>
    Effect.gen(function*() {
      const { client } = yield* worker
      const error = yield* Effect.flip(client.execute(Desk, "fail", { workflowId: "d" }))
      assert.instanceOf(error, WorkflowFailure)
      assert.deepInclude(error, { workflow: "Desk", workflowId: "d", status: "Failed" })
      assert.deepInclude((error as WorkflowFailure).failure, {
        _tag: "Application",
        type: "Broken",
        message: "it broke"
      })
    }))

  test("of a run that was continued, where it asked for that one: by which (R13, K12)", () =>
    Effect.gen(function*() {
      const { client } = yield* worker
      const handle = yield* client.start(Desk, "roll", { workflowId: "d" })
      const error = yield* Effect.flip(handle.runResult)
      assert.instanceOf(error, WorkflowContinuedAsNew)
      const next = yield* until(client.handle(Desk, "d").describe, ({ runId }) => runId !== handle.runId)
      assert.deepInclude(error, { workflowId: "d", newRunId: next.runId })
    }))

  test("of a query: that it failed and why, or that the run has not the status for it (R13, Q2, Q3)", () =>
    Effect.gen(function*() {
      const { client } = yield* worker
      const handle = yield* client.start(Desk, "wait", { workflowId: "d" })
      const failed = yield* Effect.flip(handle.query("broken"))
      assert.instanceOf(failed, QueryFailed)
      assert.deepInclude(failed, { workflowId: "d", query: "broken" })
      assert.include((failed as QueryFailed).reason, "out of order")
      yield* handle.terminate("over")
      const rejected = yield* Effect.flip(handle.query("asked", undefined, { reject: "NotOpen" }))
      assert.instanceOf(rejected, QueryRejected)
      assert.deepInclude(rejected, { workflowId: "d", query: "asked", status: "Terminated" })
    }))

  test("of an update: why it failed, or that there is none of its id (R13, U3, U5)", () =>
    Effect.gen(function*() {
      const { client } = yield* worker
      const handle = yield* client.start(Desk, "wait", { workflowId: "d" })
      const failed = yield* Effect.flip(handle.update("refuse", undefined, { updateId: "u1" }))
      assert.instanceOf(failed, UpdateFailed)
      assert.deepInclude(failed, { workflowId: "d", update: "refuse", updateId: "u1", rejected: false })
      assert.deepInclude((failed as UpdateFailed).failure, { _tag: "Application", type: "Refused" })
      const unknown = yield* Effect.flip(handle.updateHandle("refuse", "u2").result)
      assert.instanceOf(unknown, UpdateNotFound)
      assert.deepInclude(unknown, { workflowId: "d", updateId: "u2" })
    }))

  test("of what nobody answers: how long it waited; the update may still run (R13, U1)", () =>
    Effect.gen(function*() {
      const alone = yield* remote
      const handle = yield* alone.start(Desk, "wait", { workflowId: "d" })
      const timeout = { timeout: "50 millis" } as const
      for (const call of [handle.query("asked", undefined, timeout), handle.update("wait", undefined, timeout)]) {
        const error = yield* Effect.flip(call as Effect.Effect<unknown, unknown>)
        assert.instanceOf(error, CallTimeout)
        assert.deepInclude(error, { workflowId: "d", afterMillis: 50 })
      }
    }))

  test("of an execution that is there, closed, or nowhere (R13, X5, S1)", () =>
    Effect.gen(function*() {
      const { client } = yield* worker
      const handle = yield* client.start(Desk, "wait", { workflowId: "d" })
      const taken = yield* Effect.flip(client.start(Desk, "wait", { workflowId: "d" }))
      assert.instanceOf(taken, WorkflowAlreadyStarted)
      assert.deepInclude(taken, { workflow: "Desk", workflowId: "d", runId: handle.runId })
      yield* handle.terminate()
      assert.instanceOf(yield* Effect.flip(handle.signal("go")), WorkflowClosed)
      const nowhere = yield* Effect.flip(client.handle(Desk, "nowhere").signal("go"))
      assert.instanceOf(nowhere, WorkflowNotFound)
      assert.deepInclude(nowhere, { workflow: "Desk", workflowId: "nowhere" })
    }))

  test(
    "of a store that does not do what it is asked: which call, and what is wrong (R13, R12)",
    () =>
      Effect.gen(function*() {
        const client = yield* remote
        const error = yield* Effect.flip(client.start(Desk, "wait"))
        assert.instanceOf(error, StoreUnavailable)
        assert.deepInclude(error, { call: "start" })
        assert.include(error.message, "disk full")
      }),
    changed(() => ({
      create: () =>
        Effect.fail(new StoreError({ operation: "create", reason: "Full", detail: "disk full", transient: false }))
    }))
  )
})

describe("what a body is told", () => {
  test("of a timeout: which, and the heartbeat that came last (R12, A4)", () =>
    Effect.gen(function*() {
      const { client } = yield* worker
      const seen = (yield* client.execute(Desk, "beat")) as Record<"canceled" | "timeout" | "failure", unknown>
      assert.deepInclude(seen, { canceled: false, timeout: true })
      assert.deepInclude(seen.failure as object, { _tag: "Timeout", timeout: "Heartbeat", lastHeartbeat: { line: 7 } })
    }))
})
