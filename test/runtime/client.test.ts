/**
 * Starting executions, signals, queries and results, by an engine in the same process and through the store alone.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import {
  ContractError,
  QueryFailed,
  State,
  Worker,
  Workflow,
  WorkflowAlreadyStarted,
  WorkflowClosed,
  WorkflowFailure,
  WorkflowNotFound
} from "perdure"
import { Desk, desk, Refused } from "./Desk.js"
import { eventsOf, waysTo } from "./Ways.js"
import { changed, disk, gate, remote, run, test, until } from "./World.js"

describe("start", () => {
  waysTo("gives a handle of the new run, whose id rises with time (X2)", (client) =>
    Effect.gen(function*() {
      const first = yield* client.start(Desk, 1, { workflowId: "w" })
      assert.strictEqual(first.workflowId, "w")
      yield* first.signal("end", "complete")
      yield* first.result
      const second = yield* client.start(Desk, 2, { workflowId: "w" })
      assert.isAbove(second.runId.localeCompare(first.runId), 0)
      assert.strictEqual(yield* second.query("total"), 2)
    }))

  waysTo("fails while an execution of the id is open, and names its run (X5)", (client) =>
    Effect.gen(function*() {
      const first = yield* client.start(Desk, 1, { workflowId: "w" })
      const error = yield* Effect.flip(client.start(Desk, 2, { workflowId: "w" }))
      assert.instanceOf(error, WorkflowAlreadyStarted)
      assert.deepInclude(error, { workflowId: "w", runId: first.runId })
      assert.strictEqual(yield* first.query("total"), 1)
    }))

  waysTo("of many at once by one id succeeds for exactly one (X5)", (client) =>
    Effect.gen(function*() {
      const started = yield* Effect.forEach([1, 2, 3, 4, 5], (n) =>
        Effect.either(client.start(Desk, n, { workflowId: "w" })), { concurrency: "unbounded" })
      assert.strictEqual(started.filter(Either.isRight).length, 1)
      const { runId } = started.find(Either.isRight)!.right
      for (const each of started) {
        if (Either.isLeft(each)) {
          assert.deepInclude(each.left, { _tag: "WorkflowAlreadyStarted", runId })
        }
      }
    }))

  waysTo(
    "refuses a payload that does not fit, and ids that are too long or empty (N4, X17)",
    (client) =>
      Effect.gen(function*() {
        const refused = (start: Effect.Effect<unknown, unknown>) =>
          Effect.map(Effect.flip(start), (error) => {
            assert.instanceOf(error, ContractError)
            return (error as ContractError).subject
          })
        assert.strictEqual(yield* refused(client.start(Desk, "x" as never)), "payload of workflow Desk")
        assert.strictEqual(yield* refused(client.start(Desk, 1, { workflowId: "x".repeat(1_001) })), "workflowId")
        assert.strictEqual(yield* refused(client.start(Desk, 1, { workflowId: "" })), "workflowId")
        assert.strictEqual(yield* refused(client.start(Desk, 1, { taskQueue: "x".repeat(1_001) })), "taskQueue")
        const longest = yield* client.start(Desk, 1, { workflowId: "x".repeat(1_000) })
        assert.strictEqual(longest.workflowId.length, 1_000)
      })
  )

  test("derives the id by the definition's idempotencyKey, or takes a UUID; one that is given wins (X2)", () =>
    Effect.gen(function*() {
      const Keyed = Workflow.make("Keyed", {
        payload: { order: Schema.String },
        idempotencyKey: ({ order }) => `order-${order}`
      })
      const { client } = yield* run(Worker.layer({ hosts: [Keyed.toLayer(() => Effect.sleep("1 hour"))] }))
      assert.strictEqual((yield* client.start(Keyed, { order: "7" })).workflowId, "order-7")
      assert.strictEqual((yield* Effect.flip(client.start(Keyed, { order: "7" })))._tag, "WorkflowAlreadyStarted")
      assert.strictEqual((yield* client.start(Keyed, { order: "7" }, { workflowId: "own" })).workflowId, "own")
      const { client: other } = yield* run(desk({ taskQueue: "other" }))
      const [one, two] = yield* Effect.all([other.start(Desk, 1), other.start(Desk, 1)])
      assert.notStrictEqual(one.workflowId, two.workflowId)
    }))

  test("needs no worker: it waits for one to come (X2)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      const handle = yield* client.start(Desk, 5, { workflowId: "early" })
      yield* handle.signal("add", 2)
      assert.deepInclude(yield* handle.describe, { status: "Running", owner: undefined, turns: 0 })
      yield* run(desk())
      assert.strictEqual(yield* handle.query("total"), 7)
      // The first turn took in what already waited (DESIGN section 5).
      assert.deepStrictEqual((yield* eventsOf(handle)).slice(0, 2), ["ExecutionStarted", "SignalReceived"])
    }), disk)
})

describe("result", () => {
  waysTo(
    "is what the run returned, for handles by id and by run, before and after its end (X3)",
    (client) =>
      Effect.gen(function*() {
        const handle = yield* client.start(Desk, 41, { workflowId: "w" })
        const waiting = yield* Effect.fork(
          Effect.all([handle.result, client.handle(Desk, "w").result], { concurrency: 2 })
        )
        yield* handle.signal("add", 1)
        yield* handle.signal("end", "complete")
        assert.deepStrictEqual(yield* waiting, [42, 42])
        assert.strictEqual(yield* client.handle(Desk, "w").result, 42)
        assert.strictEqual(yield* client.handle(Desk, "w", handle.runId).result, 42)
      })
  )

  waysTo(
    "is the declared error, decoded, or WorkflowFailure: failed, canceled, terminated (X3, R13)",
    (client) =>
      Effect.gen(function*() {
        const endedBy = (
          end: (
            handle: Effect.Effect.Success<ReturnType<typeof client.start<typeof Desk>>>
          ) => Effect.Effect<void, unknown>
        ) =>
          Effect.gen(function*() {
            const handle = yield* client.start(Desk, 1)
            yield* end(handle)
            const error = yield* Effect.flip(handle.result)
            return { error, status: (yield* handle.describe).status, handle }
          })
        const declared = yield* endedBy((handle) => handle.signal("end", "fail"))
        assert.instanceOf(declared.error, Refused)
        assert.strictEqual(declared.status, "Failed")

        const failed = yield* endedBy((handle) => handle.signal("end", "application"))
        assert.instanceOf(failed.error, WorkflowFailure)
        assert.deepInclude(failed.error, { status: "Failed", workflowId: failed.handle.workflowId })
        assert.deepInclude((failed.error as WorkflowFailure).failure, { type: "Asked", details: [1] })
        assert.strictEqual(failed.status, "Failed")

        const canceled = yield* endedBy((handle) => handle.cancel("no longer needed"))
        assert.deepInclude(canceled.error, { _tag: "WorkflowFailure", status: "Canceled" })
        assert.include((canceled.error as WorkflowFailure).message, "no longer needed")
        assert.strictEqual(canceled.status, "Canceled")

        const terminated = yield* endedBy((handle) => handle.terminate("out of control"))
        assert.deepInclude(terminated.error, { _tag: "WorkflowFailure", status: "Terminated" })
        assert.include((terminated.error as WorkflowFailure).message, "out of control")
        assert.strictEqual(terminated.status, "Terminated")
      })
  )

  waysTo("of an execution that there is not is WorkflowNotFound (X3, C1)", (client) =>
    Effect.gen(function*() {
      const nobody = client.handle(Desk, "nobody")
      const calls: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
        nobody.result,
        nobody.signal("add", 1),
        nobody.query("total"),
        nobody.update("add", 1),
        nobody.cancel(),
        nobody.terminate(),
        nobody.describe,
        nobody.history,
        client.handle(Desk, "nobody", "0190-not-a-run").query("total")
      ]
      for (const call of calls) assert.instanceOf(yield* Effect.flip(call), WorkflowNotFound)
    }))

  test(
    "reaches a waiting caller in the worker's process when another process terminates the run (X3, C10)",
    () =>
      Effect.gen(function*() {
        const { client } = yield* run(desk())
        const handle = yield* client.start(Desk, 1, { workflowId: "w" })
        const waiting = yield* Effect.fork(Effect.flip(handle.result))
        yield* Effect.yieldNow()
        yield* (yield* remote).handle(Desk, "w").terminate("from outside")
        assert.deepInclude(yield* waiting, { _tag: "WorkflowFailure", status: "Terminated" })
      }),
    disk
  )
})

describe("signal", () => {
  waysTo("is taken in once, in the order in which it was sent (S1, S7)", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 0)
      for (let n = 1; n <= 5; n++) yield* handle.signal("add", n)
      yield* client.handle(Desk, handle.workflowId).signal("add", 6)
      assert.strictEqual(yield* handle.query("total"), 21)
      const inputs = (yield* handle.history).flatMap((turn) =>
        turn.events.flatMap((event) => event._tag === "SignalReceived" ? [event.input] : [])
      )
      assert.deepStrictEqual(inputs, [1, 2, 3, 4, 5, 6])
    }))

  const posting = gate()
  const post = gate()
  test(
    "by mail is not overtaken by the next one, for which the engine has the run (S1)",
    () =>
      Effect.gen(function*() {
        const { client } = yield* run(desk({ maxCachedExecutions: 1 }))
        const handle = yield* client.start(Desk, 0)
        const other = yield* client.start(Desk, 0)
        yield* other.query("total")
        // The first is not in memory: it is on its way through the store when a query brings it back.
        const first = yield* Effect.fork(handle.signal("add", 1))
        yield* posting.pass
        yield* handle.query("total")
        yield* post.open
        yield* Fiber.join(first)
        yield* handle.signal("add", 2)
        const inputs = yield* until(
          Effect.map(handle.history, (turns) =>
            turns.flatMap((turn) =>
              turn.events.flatMap((event) =>
                event._tag === "SignalReceived" ? [event.input] : []
              )
            )),
          (inputs) => inputs.length === 2
        )
        assert.deepStrictEqual(inputs, [1, 2])
      }),
    changed((store) => ({
      post: (mail, now) => Effect.zipRight(Effect.zipRight(posting.open, post.pass), store.post(mail, now))
    }))
  )

  waysTo("to a closed run fails (S1)", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 0)
      yield* handle.signal("end", "complete")
      yield* handle.result
      assert.instanceOf(yield* Effect.flip(handle.signal("add", 1)), WorkflowClosed)
    }))

  waysTo(
    "with a name or payload that the contract does not have is refused at once (S4, D8)",
    (client) =>
      Effect.gen(function*() {
        const handle = yield* client.start(Desk, 0)
        assert.include(
          (yield* Effect.flip(handle.signal("nope" as never, 1 as never))).message,
          "declares no signal nope"
        )
        assert.include((yield* Effect.flip(handle.signal("add", "x" as never))).message, "payload of signal Desk.add")
        assert.strictEqual(yield* handle.query("total"), 0)
      })
  )

  test("beyond the limit of a run is refused, and said so (X17, I10)", () =>
    Effect.gen(function*() {
      const Sink = Workflow.make("Sink", { signals: { drop: {} }, queries: { count: { success: Schema.Number } } })
      const { client } = yield* run(Worker.layer({
        hosts: [
          Sink.toLayer(() =>
            Effect.gen(function*() {
              const count = yield* State.make(0)
              return Sink.of({
                signals: { drop: () => count.update((n) => n + 1) },
                queries: { count: () => count.get },
                run: Effect.sleep("1 hour")
              })
            })
          )
        ]
      }))
      const handle = yield* client.start(Sink)
      yield* Effect.forEach(Array.from({ length: 10_000 }), () => handle.signal("drop"), {
        concurrency: "unbounded",
        discard: true
      })
      const error = yield* Effect.flip(handle.signal("drop"))
      assert.strictEqual(error._tag, "ContractError")
      assert.include(error.message, "10000 signals")
      assert.strictEqual(yield* handle.query("count"), 10_000)
    }))
})

describe("query", () => {
  waysTo(
    "sees all that was acknowledged before, takes a payload, and leaves no event (Q1)",
    (client) =>
      Effect.gen(function*() {
        const handle = yield* client.start(Desk, 1)
        yield* handle.signal("add", 2)
        assert.strictEqual(yield* handle.query("times", 10), 30)
        yield* handle.update("add", 4)
        const turns = yield* handle.history
        assert.strictEqual(yield* client.handle(Desk, handle.workflowId).query("total"), 7)
        assert.deepStrictEqual(yield* handle.history, turns)
      })
  )

  waysTo("works on a closed run (Q2)", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 1)
      yield* handle.signal("add", 2)
      yield* handle.signal("end", "complete")
      yield* handle.result
      const turns = (yield* handle.history).length
      assert.strictEqual(yield* handle.query("total"), 3)
      assert.strictEqual(yield* client.handle(Desk, handle.workflowId).query("times", 2), 6)
      assert.strictEqual((yield* handle.history).length, turns)
    }))

  waysTo("works on a terminated run (Q2, C10)", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 1)
      yield* handle.update("add", 2)
      yield* handle.terminate()
      assert.strictEqual(yield* handle.query("total"), 3)
    }))

  waysTo("that fails, or is unknown, says why, and the run goes on (Q3)", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 1)
      const broken = yield* Effect.flip(handle.query("broken"))
      assert.instanceOf(broken, QueryFailed)
      assert.include(broken.message, "cannot tell")
      assert.include((yield* Effect.flip(handle.query("nope" as never))).message, "declares no query nope")
      assert.include((yield* Effect.flip(handle.query("times", "x" as never))).message, "payload of query Desk.times")
      assert.strictEqual(yield* handle.query("total"), 1)
    }))

  test("that the worker's code does not know names those that it does (Q3)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(desk())
      const { workflowId } = yield* client.start(Desk, 1)
      const Newer = Workflow.make("Desk", { queries: { future: { success: Schema.Number } } })
      const error = yield* Effect.flip(client.handle(Newer, workflowId).query("future"))
      assert.instanceOf(error, QueryFailed)
      assert.include(error.message, "unknown query future; known are: total, times, broken")
    }))

  test("without a worker is not answered in time, and says so (Q3)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      const handle = yield* client.start(Desk, 1)
      const error = yield* Effect.flip(handle.query("total", undefined, { timeout: "50 millis" }))
      assert.deepInclude(error, { _tag: "CallTimeout", call: "query total", afterMillis: 50 })
    }))

  test("of a closed run is left to a worker that has the code (Q2)", () =>
    Effect.gen(function*() {
      const first = yield* run(desk())
      const handle = yield* first.client.start(Desk, 9, { workflowId: "w" })
      yield* handle.signal("end", "complete")
      yield* handle.result
      yield* first.stop
      const Other = Workflow.make("Other")
      const second = yield* run(Worker.layer({ hosts: [Other.toLayer(() => Effect.void)] }))
      const client = yield* remote
      const asked = yield* Effect.fork(client.handle(Desk, "w").query("total", undefined, { timeout: "15 seconds" }))
      // The worker without the code has polled by the time it ran something itself.
      yield* second.client.execute(Other)
      yield* run(desk())
      assert.strictEqual(yield* asked, 9)
    }), disk)
})

describe("history", () => {
  waysTo("has every turn in order, with its time (X12)", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 1)
      // Messages that come before the first turn would be part of it.
      yield* until(handle.describe, ({ turns }) => turns === 1)
      yield* handle.signal("add", 2)
      yield* until(handle.describe, ({ turns }) => turns === 2)
      yield* handle.signal("end", "complete")
      yield* handle.result
      const turns = yield* handle.history
      assert.deepStrictEqual(turns.map((turn) => turn.turn), [1, 2, 3])
      assert.deepStrictEqual(turns.map((turn) => turn.at), turns.map((turn) => turn.at).sort())
      assert.deepStrictEqual(turns.map((turn) => turn.events.map((event) => event._tag)), [
        ["ExecutionStarted"],
        ["SignalReceived"],
        ["SignalReceived", "ExecutionCompleted"]
      ])
      yield* until(handle.describe, ({ closedAt, turns }) => turns === 3 && closedAt !== undefined)
    }))
})
