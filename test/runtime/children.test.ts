/**
 * Children on the real engine: started with the commit of their parent, their outcome told with their own end, and
 * closed by their policy when the parent's run closes.
 */
import { assert, describe } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { ChildWorkflowError, Liveness, Worker, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import type { Body } from "./Family.js"
import {
  closed,
  Double,
  doubleLive,
  failed,
  isBegun,
  Odd,
  Parent,
  parentOf,
  Patient,
  patientLive,
  runOf,
  tags,
  world
} from "./Family.js"
import * as World from "./World.js"

describe("a child", () => {
  World.test("gives its result, and a declared error as itself (K1, R11)", () =>
    Effect.gen(function*() {
      const client = yield* world(() => Double.execute(4))
      assert.strictEqual(yield* client.execute(Parent, 0), 8)
      const odd = yield* World.run(
        Worker.layer({ taskQueue: "odd", hosts: [doubleLive, parentOf(() => failed(Double.execute(3)))] })
      )
      assert.deepStrictEqual(yield* odd.client.execute(Parent, 0, { taskQueue: "odd" }), { _tag: "Odd", n: 3 })
    }))

  World.test("is started once, on the queue of its parent, under an id that its place gives it (K1)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const client = yield* world(() =>
        Effect.gen(function*() {
          const child = yield* Double.start(4)
          const own = yield* Workflow.info
          return { workflowId: child.workflowId, runId: child.runId, result: yield* child.result, own: own.runId }
        })
      )
      const handle = yield* client.start(Parent, 0, { workflowId: "p" })
      const told = (yield* handle.result) as Record<string, unknown>
      assert.deepInclude(told, { workflowId: `${handle.runId}/1`, result: 8, own: handle.runId })
      const runs = yield* store.runs({ limit: 10 })
      assert.deepStrictEqual(runs.map(({ workflow }) => workflow).sort(), ["Double", "Parent"])
      const child = yield* runOf(`${handle.runId}/1`)
      assert.strictEqual(child.runId, told["runId"])
      assert.strictEqual(child.taskQueue, "default")
      assert.deepStrictEqual(child.parent, { runId: handle.runId, seq: 1, close: "Terminate" })
      const [turn] = yield* client.handle(Double, child.workflowId).history
      assert.deepInclude(turn!.events[0], { parent: { runId: handle.runId, workflowId: "p", seq: 1 } })
      assert.deepStrictEqual(tags(yield* handle.history), [
        "ExecutionStarted",
        "ChildStartRequested",
        "ChildStarted",
        "ChildCompleted",
        "ExecutionCompleted"
      ])
      assert.deepStrictEqual(yield* Liveness.check, [])
    }))

  World.test("whose workflow id is taken is WorkflowAlreadyStarted, and the parent goes on (K2)", () =>
    Effect.gen(function*() {
      const client = yield* world(() =>
        Effect.all([
          failed(Double.execute(2, { workflowId: "taken" })),
          failed(Double.start(2, { workflowId: "taken" }))
        ])
      )
      const other = yield* client.start(Patient, { stubborn: false }, { workflowId: "taken" })
      const taken = { _tag: "WorkflowAlreadyStarted", workflow: "Double", workflowId: "taken", runId: other.runId }
      assert.deepStrictEqual(yield* client.execute(Parent, 0), [taken, taken])
      assert.strictEqual((yield* runOf("taken")).workflow, "Patient")
    }))

  World.test("many at once give their results by position (K1)", () =>
    Effect.gen(function*() {
      const numbers = Array.from({ length: 50 }, (_, n) => n * 2)
      const client = yield* world(() => Effect.forEach(numbers, (n) => Double.execute(n), { concurrency: "unbounded" }))
      assert.deepStrictEqual(yield* client.execute(Parent, 0), numbers.map((n) => n * 2))
    }))

  World.test("that fails, is canceled or terminated is a ChildWorkflowError, and fails its parent (R11, C3)", () =>
    Effect.gen(function*() {
      const client = yield* world(() => Patient.execute({ stubborn: false }, { workflowId: "child" }))
      const outcome = (end: Effect.Effect<unknown, unknown>) =>
        Effect.gen(function*() {
          const handle = yield* client.start(Parent, 0)
          yield* World.until(runOf("child"), ({ status, turn }) => status === "Running" && turn > 0)
          yield* end
          return yield* Effect.flip(handle.result)
        })
      const child = client.handle(Patient, "child")
      const canceled = yield* outcome(child.cancel("enough"))
      assert.deepInclude(canceled, { _tag: "WorkflowFailure", status: "Failed" })
      assert.deepInclude((canceled as { readonly failure: unknown }).failure, {
        _tag: "ChildWorkflow",
        workflow: "Patient",
        workflowId: "child",
        retryState: "CancelRequested",
        cause: { _tag: "Canceled", message: "canceled: enough" }
      })
      const terminated = yield* outcome(child.terminate("now"))
      assert.deepInclude((terminated as { readonly failure: unknown }).failure, {
        retryState: "NonRetryableFailure",
        cause: { _tag: "Terminated", message: "terminated: now" }
      })
    }))
})

describe("an open child when its parent's run closes (K4)", () => {
  const start = (policy: Workflow.ParentClosePolicy | undefined) =>
    Patient.start({ stubborn: false }, { workflowId: "child", parentClosePolicy: policy })

  const ends: Record<string, Body> = {
    completes: Effect.void,
    fails: Effect.fail(
      new ChildWorkflowError({
        workflow: "none",
        workflowId: "none",
        runId: "none",
        retryState: "Timeout",
        failure: { _tag: "Canceled", message: "" }
      })
    )
  }
  for (const [how, end] of Object.entries(ends)) {
    World.test(`is terminated where its parent ${how}, and theirs with it`, () =>
      Effect.gen(function*() {
        const Middle = Workflow.make("Middle")
        const middleLive = Middle.toLayer(() =>
          Effect.zipRight(Patient.start({ stubborn: false }, { workflowId: "grandchild" }), Effect.never)
        )
        const { client } = yield* World.run(
          Worker.layer({
            hosts: [
              middleLive,
              patientLive,
              parentOf((go) =>
                Effect.zipRight(Effect.zipRight(Middle.start(undefined, { workflowId: "child" }), go), end)
              )
            ]
          })
        )
        const handle = yield* client.start(Parent, 0)
        yield* isBegun("grandchild")
        yield* handle.signal("go")
        yield* Effect.exit(handle.result)
        // In the very commit: nothing has to be waited for.
        assert.strictEqual((yield* runOf("child")).status, "Terminated")
        assert.strictEqual((yield* runOf("grandchild")).status, "Terminated")
        const error = yield* Effect.flip(client.handle(Patient, "grandchild").result)
        assert.deepInclude(error, { _tag: "WorkflowFailure", status: "Terminated" })
        assert.deepStrictEqual(yield* Liveness.check, [])
      }))
  }

  World.test("is terminated where its parent is terminated from outside", () =>
    Effect.gen(function*() {
      const client = yield* world((go) => Effect.zipRight(start(undefined), go))
      const handle = yield* client.start(Parent, 0)
      yield* isBegun("child")
      yield* handle.terminate("now")
      assert.strictEqual((yield* runOf("child")).status, "Terminated")
      assert.deepStrictEqual(yield* Liveness.check, [])
    }))

  World.test("goes on by Abandon, even one that was started in the last turn", () =>
    Effect.gen(function*() {
      const client = yield* world(() => Effect.zipRight(Effect.forkDaemon(start("Abandon")), Effect.yieldNow()))
      yield* client.execute(Parent, 0)
      const child = client.handle(Patient, "child")
      yield* World.until(Effect.either(runOf("child")), (run) => run._tag === "Right")
      yield* child.signal("end", "well")
      assert.strictEqual(yield* child.result, "well")
    }))

  World.test("is asked to cancel by RequestCancel", () =>
    Effect.gen(function*() {
      const client = yield* world((go) => Effect.zipRight(start("RequestCancel"), go))
      const handle = yield* client.start(Parent, 0)
      yield* handle.signal("go")
      yield* handle.result
      assert.strictEqual((yield* closed("child")).status, "Canceled")
    }))
})

describe("interrupting what awaits a child (K5)", () => {
  const race =
    (cancellation: Workflow.ChildCancellationType | undefined, stubborn: boolean) => (go: Effect.Effect<void>) =>
      Effect.raceFirst(
        Patient.execute({ stubborn }, { workflowId: "child", cancellation, parentClosePolicy: "Abandon" }),
        Effect.as(go, "gone")
      )
  const interrupted = (cancellation: Workflow.ChildCancellationType | undefined, stubborn: boolean) =>
    Effect.gen(function*() {
      const client = yield* world(race(cancellation, stubborn))
      const handle = yield* client.start(Parent, 0)
      yield* isBegun("child")
      yield* handle.signal("go")
      return { client, handle, child: client.handle(Patient, "child") }
    })

  World.test("waits until it is canceled, by default", () =>
    Effect.gen(function*() {
      const { child, handle } = yield* interrupted(undefined, true)
      const waiting = yield* Effect.fork(handle.result)
      yield* World.until(child.history, (turns) => tags(turns).includes("CancelRequested"))
      assert.isTrue((yield* handle.describe).status === "Running")
      yield* child.signal("end", "stayed")
      assert.strictEqual(yield* Fiber.join(waiting), "gone")
      assert.strictEqual(yield* child.result, ", stayed")
    }))

  for (const type of ["TryCancel", "WaitCancellationRequested"] as const) {
    World.test(`asks for it and goes on, by ${type}: the request is in the commit`, () =>
      Effect.gen(function*() {
        const { child, handle } = yield* interrupted(type, true)
        assert.strictEqual(yield* handle.result, "gone")
        yield* World.until(child.history, (turns) => tags(turns).includes("CancelRequested"))
        assert.isTrue(tags(yield* handle.history).includes("ChildCancelRequested"))
      }))
  }

  World.test("does nothing to it, by Abandon", () =>
    Effect.gen(function*() {
      const { child, handle } = yield* interrupted("Abandon", false)
      assert.strictEqual(yield* handle.result, "gone")
      yield* child.signal("end", "on")
      assert.strictEqual(yield* child.result, "on")
      assert.isFalse(tags(yield* handle.history).includes("ChildCancelRequested"))
    }))

  World.test("in the turn that started it leaves no event, and no child (C8)", () =>
    Effect.gen(function*() {
      const client = yield* world(() => Effect.raceFirst(Double.execute(2), Effect.succeed("first")))
      const handle = yield* client.start(Parent, 0)
      assert.strictEqual(yield* handle.result, "first")
      assert.deepStrictEqual(tags(yield* handle.history), ["ExecutionStarted", "ExecutionCompleted"])
    }))

  World.test("canceling the parent cancels it, and the parent's end says so (C3)", () =>
    Effect.gen(function*() {
      const client = yield* world(() => Patient.execute({ stubborn: false }, { workflowId: "child" }))
      const handle = yield* client.start(Parent, 0)
      yield* isBegun("child")
      yield* handle.cancel("late")
      assert.deepInclude(yield* Effect.flip(handle.result), { status: "Canceled" })
      assert.strictEqual((yield* runOf("child")).status, "Canceled")
    }))
})

describe("a child that was canceled", () => {
  World.test("fails its parent later as canceled, if that was asked to cancel: the request is sticky (C3)", () =>
    Effect.gen(function*() {
      const client = yield* world((go) =>
        Effect.gen(function*() {
          const child = yield* Patient.start({ stubborn: false }, { workflowId: "child" })
          yield* Workflow.catchCancel(Effect.never, () => Effect.void)
          yield* go
          yield* child.cancel("enough")
          yield* child.result
        })
      )
      const handle = yield* client.start(Parent, 0)
      yield* isBegun("child")
      yield* handle.cancel("late")
      yield* handle.signal("go")
      assert.deepInclude(yield* Effect.flip(handle.result), { status: "Canceled" })
    }))

  World.test("fails it as ever, if it was not (C3, R11)", () =>
    Effect.gen(function*() {
      const client = yield* world(() =>
        Effect.gen(function*() {
          const child = yield* Patient.start({ stubborn: false }, { workflowId: "child" })
          yield* child.cancel("enough")
          yield* child.result
        })
      )
      const handle = yield* client.start(Parent, 0)
      assert.deepInclude(yield* Effect.flip(handle.result), { status: "Failed" })
    }))
})

describe("a child on a queue that nobody serves (K6)", () => {
  const options = { workflowId: "child", taskQueue: "nobody" }

  World.test("is there, and pending; canceled with its parent, it ends at once", () =>
    Effect.gen(function*() {
      const client = yield* world(() => Double.execute(2, options))
      const handle = yield* client.start(Parent, 0)
      yield* World.until(handle.history, (turns) => tags(turns).includes("ChildStarted"))
      assert.strictEqual((yield* runOf("child")).status, "Running")
      assert.deepStrictEqual(yield* Liveness.check, [])
      yield* handle.cancel("late")
      assert.deepInclude(yield* Effect.flip(handle.result), { status: "Canceled" })
      assert.strictEqual((yield* runOf("child")).status, "Canceled")
      // Its one turn is no code's: a worker that comes later can answer for it.
      const { client: later } = yield* World.run(Worker.layer({ taskQueue: "nobody", hosts: [doubleLive] }))
      assert.deepInclude(yield* Effect.flip(later.handle(Double, "child").result), { status: "Canceled" })
    }))

  World.test("start returns all the same; a timeout around it does not cancel the parent", () =>
    Effect.gen(function*() {
      const client = yield* world(() =>
        Effect.gen(function*() {
          const child = yield* Double.start(2, options)
          const late = yield* Effect.timeoutOption(child.result, "20 millis")
          yield* child.cancel("enough")
          return [late._tag, yield* failed(child.result)]
        })
      )
      const [late, error] = (yield* client.execute(Parent, 0)) as [string, object]
      assert.strictEqual(late, "None")
      assert.deepInclude(error, {
        _tag: "ChildWorkflowError",
        failure: { _tag: "Canceled", message: "canceled: enough" }
      })
    }))
})

describe("the handle of a child", () => {
  World.test("is what cancels it; interrupting its starter does nothing (K7)", () =>
    Effect.gen(function*() {
      const client = yield* world((go) =>
        Effect.gen(function*() {
          const started = yield* Deferred.make<Effect.Effect.Success<ReturnType<typeof Patient.start>>>()
          const starter = yield* Effect.fork(
            Effect.zipRight(
              Effect.flatMap(
                Patient.start({ stubborn: false }, { workflowId: "child" }),
                (child) => Deferred.succeed(started, child)
              ),
              Effect.never
            )
          )
          const child = yield* Deferred.await(started)
          yield* Fiber.interrupt(starter)
          yield* go
          yield* child.cancel("by its handle")
          return yield* failed(child.result)
        })
      )
      const handle = yield* client.start(Parent, 0)
      yield* isBegun("child")
      assert.isFalse(tags(yield* handle.history).includes("ChildCancelRequested"))
      yield* handle.signal("go")
      assert.deepInclude((yield* handle.result) as object, {
        failure: { _tag: "Canceled", message: "canceled: by its handle" }
      })
    }))

  World.test("signals it while it is open; afterwards it is closed (K1, K9)", () =>
    Effect.gen(function*() {
      const client = yield* world(() =>
        Effect.gen(function*() {
          const child = yield* Patient.start({ stubborn: false })
          yield* child.signal("end", "well")
          const result = yield* child.result
          return [result, yield* failed(child.signal("end", "again"))]
        })
      )
      const [result, error] = (yield* client.execute(Parent, 0)) as [string, object]
      assert.strictEqual(result, "well")
      assert.deepInclude(error, { _tag: "WorkflowClosed", workflow: "Patient" })
    }))
})

describe("a child that is a chain of runs (K3)", () => {
  const Countdown = Workflow.make("Countdown", { payload: Schema.Number, success: Schema.String })
  const countdownLive = Countdown.toLayer((n) =>
    n === 0
      ? Effect.map(Workflow.info, ({ parent }) => `done for ${parent?.workflowId}`)
      : Workflow.continueAsNew(Countdown, n - 1)
  )
  const Flaky = Workflow.make("Flaky", {
    success: Schema.Number,
    error: Odd,
    retry: { maximumAttempts: 3, initialInterval: "1 millis" }
  })
  const flakyLive = (attempts: number) =>
    Flaky.toLayer(() =>
      Effect.flatMap(
        Workflow.info,
        ({ attempt }) => attempt < attempts ? new Odd({ n: attempt }) : Effect.succeed(attempt)
      )
    )
  const hosted = (body: Body, attempts = 3) =>
    Effect.map(
      World.run(Worker.layer({ hosts: [countdownLive, flakyLive(attempts), patientLive, parentOf(() => body)] })),
      ({ client }) => client
    )

  World.test("gives the result of the last run that continues it", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const client = yield* hosted(Countdown.execute(2, { workflowId: "child" }))
      const handle = yield* client.start(Parent, 0, { workflowId: "p" })
      assert.strictEqual(yield* handle.result, "done for p")
      const runs = (yield* store.runs({ limit: 10 })).filter(({ workflow }) => workflow === "Countdown")
      assert.strictEqual(runs.length, 3)
      for (const { parent } of runs) assert.deepStrictEqual(parent, { runId: handle.runId, seq: 1, close: "Terminate" })
      assert.strictEqual(tags(yield* handle.history).filter((tag) => tag === "ChildCompleted").length, 1)
    }))

  World.test("gives the result of the attempt that succeeds, or the error of the last one with its retry state", () =>
    Effect.gen(function*() {
      const client = yield* hosted(Flaky.execute())
      assert.strictEqual(yield* client.execute(Parent, 0), 3)
      const other = yield* World.run(
        Worker.layer({ taskQueue: "other", hosts: [flakyLive(9), parentOf(() => failed(Flaky.execute()))] })
      )
      const handle = yield* other.client.start(Parent, 0, { taskQueue: "other" })
      assert.deepStrictEqual(yield* handle.result, { _tag: "Odd", n: 3 })
      const failures = (yield* handle.history).flatMap(({ events }) => events)
        .filter((event) => event._tag === "ChildFailed")
      assert.deepStrictEqual(failures.map(({ retryState }) => retryState), ["MaximumAttemptsReached"])
    }))

  World.test("that is out of time is a ChildWorkflowError of a timeout (R11)", () =>
    Effect.gen(function*() {
      const client = yield* hosted(
        failed(Patient.execute({ stubborn: false }, { workflowId: "child", executionTimeout: "50 millis" }))
      )
      assert.deepInclude((yield* client.execute(Parent, 0)) as object, {
        _tag: "ChildWorkflowError",
        workflowId: "child"
      })
      assert.strictEqual((yield* runOf("child")).status, "TimedOut")
    }))

  World.test("is reached by the signals and the cancel request of its handle, whichever run is open", () =>
    Effect.gen(function*() {
      const Relay = Workflow.make("Relay", { payload: Schema.Number, success: Schema.String, signals: { next: {} } })
      const relayLive = Relay.toLayer((n) =>
        Effect.gen(function*() {
          const next = yield* Deferred.make<void>()
          return Relay.of({
            signals: { next: () => Deferred.succeed(next, undefined) },
            run: Effect.zipRight(
              Deferred.await(next),
              n === 0 ? Effect.succeed("end") : Workflow.continueAsNew(Relay, n - 1)
            )
          })
        })
      )
      const { client } = yield* World.run(
        Worker.layer({
          hosts: [
            relayLive,
            parentOf((go) =>
              Effect.gen(function*() {
                const child = yield* Relay.start(1, { workflowId: "relay" })
                yield* child.signal("next")
                yield* go
                yield* child.cancel("enough")
                return yield* failed(child.result)
              })
            )
          ]
        })
      )
      const handle = yield* client.start(Parent, 0)
      yield* World.until(
        Effect.either(runOf("relay")),
        (run) => run._tag === "Right" && run.right.previousRunId !== undefined && run.right.turn > 0
      )
      yield* handle.signal("go")
      assert.deepInclude((yield* handle.result) as object, {
        runId: (yield* runOf("relay")).runId,
        failure: { _tag: "Canceled", message: "canceled: enough" }
      })
    }))
})

describe("the policy of a child (K4)", () => {
  World.test("is applied when its parent continues as a new run, or is out of time", () =>
    Effect.gen(function*() {
      const Once = Workflow.make("Once", { payload: Schema.Boolean, success: Schema.String })
      const onceLive = Once.toLayer((again) =>
        again
          ? Effect.zipRight(
            Patient.start({ stubborn: false }, { workflowId: "continued" }),
            Workflow.continueAsNew(Once, false)
          )
          : Effect.succeed("new run")
      )
      const { client } = yield* World.run(
        Worker.layer({
          hosts: [
            onceLive,
            patientLive,
            parentOf((go) => Effect.zipRight(Patient.start({ stubborn: false }, { workflowId: "timed" }), go))
          ]
        })
      )
      assert.strictEqual(yield* client.execute(Once, true), "new run")
      assert.strictEqual((yield* runOf("continued")).status, "Terminated")
      const late = yield* client.start(Parent, 0, { executionTimeout: "100 millis" })
      yield* Effect.exit(late.result)
      assert.strictEqual((yield* runOf("timed")).status, "Terminated")
      assert.deepStrictEqual(yield* Liveness.check, [])
    }))
})

describe("on two workers", () => {
  World.test("a child of another queue starts there, and its outcome comes back (K1)", () =>
    Effect.gen(function*() {
      const { client } = yield* World.run(
        Worker.layer({ hosts: [parentOf(() => Double.execute(20, { taskQueue: "other" }))] })
      )
      yield* World.run(Worker.layer({ taskQueue: "other", hosts: [doubleLive] }))
      assert.strictEqual(yield* client.execute(Parent, 0), 40)
    }))

  World.test("goes on when the worker of either stops and another one comes", () =>
    Effect.gen(function*() {
      const body = (go: Effect.Effect<void>) =>
        Effect.zipLeft(Patient.execute({ stubborn: false }, { workflowId: "child" }), go)
      const worker = () => World.run(Worker.layer({ hosts: [patientLive, parentOf(body)] }))
      const first = yield* worker()
      const { runId } = yield* first.client.start(Parent, 0, { workflowId: "p" })
      yield* isBegun("child")
      yield* first.stop
      const remote = yield* World.remote
      yield* remote.handle(Patient, "child").signal("end", "well")
      yield* remote.handle(Parent, "p").signal("go")
      const { client } = yield* worker()
      const exit = yield* Effect.exit(client.handle(Parent, "p", runId).result)
      assert.deepStrictEqual(exit, Exit.succeed("well"))
    }))
})
