/**
 * One operation on many executions (X16), and histories that are watched as they grow (X12).
 */
import { assert, describe } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Batch, FilterError, State, Worker, Workflow } from "perdure"
import { disk, remote, run, test, until } from "./World.js"

const Desk = Workflow.make("Desk", {
  success: Schema.Array(Schema.String),
  signals: { note: { payload: Schema.String }, close: {} },
  queries: { notes: { success: Schema.Array(Schema.String) } }
})
const Other = Workflow.make("Other", { signals: { note: { payload: Schema.String } } })

const DeskLive = Desk.toLayer(() =>
  Effect.gen(function*() {
    const notes = yield* State.make<ReadonlyArray<string>>([])
    const closed = yield* State.make(false)
    return Desk.of({
      signals: { note: (text) => notes.update((all) => [...all, text]), close: () => closed.set(true) },
      queries: { notes: () => notes.get },
      run: Effect.zipRight(Workflow.condition(closed.get), notes.get)
    })
  })
)
const OtherLive = Other.toLayer(() =>
  Effect.succeed(Other.of({ signals: { note: () => Effect.dieMessage("not for this one") }, run: Effect.never }))
)

const desks = (count: number) =>
  Effect.gen(function*() {
    const { client } = yield* run(Worker.layer({ hosts: [DeskLive, OtherLive] }))
    yield* Effect.forEach(
      Array.from({ length: count }, (_, index) => index),
      (index) => client.start(Desk, undefined, { workflowId: `desk-${index}` }),
      { concurrency: "unbounded" }
    )
    yield* client.start(Other, undefined, { workflowId: "desk-other" })
    return client
  })

describe("a batch (X16)", () => {
  test("signals the open runs of the workflow, each once for its job; and says how far it is", () =>
    Effect.gen(function*() {
      const client = yield* desks(25)
      yield* client.handle(Desk, "desk-3").signal("close")
      yield* client.handle(Desk, "desk-3").result
      const progress: Array<Batch.Progress> = []
      const noting = Batch.signal(Desk, "note", "pause")
      const report = yield* client.batch("WorkflowId STARTS_WITH 'desk'", noting, {
        jobId: "job",
        onProgress: (sofar) => progress.push(sofar)
      })
      assert.deepStrictEqual(report, { jobId: "job", done: 24, skipped: 0, failed: 0, of: 24, failures: [] })
      assert.deepStrictEqual(progress.map(({ done }) => done), Array.from({ length: 24 }, (_, index) => index + 1))
      // Begun again, as after a crash, it signals nobody twice; by another name it does.
      yield* client.batch("WorkflowId STARTS_WITH 'desk'", noting, { jobId: "job" })
      yield* client.batch("WorkflowId = 'desk-1'", noting)
      assert.deepStrictEqual(yield* client.handle(Desk, "desk-0").query("notes"), ["pause"])
      assert.deepStrictEqual(yield* client.handle(Desk, "desk-1").query("notes"), ["pause", "pause"])
    }))

  test("cancels, terminates, resets and deletes, from any process", () =>
    Effect.gen(function*() {
      yield* desks(4)
      const client = yield* remote
      const status = (workflowId: string) =>
        Effect.map(client.handle(Desk, workflowId).describe, ({ status }) => status)
      yield* client.batch("WorkflowId = 'desk-0'", Batch.cancel("over"))
      assert.deepInclude(yield* Effect.flip(client.handle(Desk, "desk-0").result), { status: "Canceled" })
      const ended = yield* client.batch("WorkflowType = 'Desk'", Batch.terminate("enough"))
      assert.deepInclude(ended, { done: 3, failed: 0 })
      assert.strictEqual(yield* status("desk-1"), "Terminated")
      const taken = yield* client.batch("ExecutionStatus = 'Terminated'", Batch.reset({ turn: "First" }), {
        jobId: "j"
      })
      assert.deepInclude(taken, { done: 3, failed: 0 })
      yield* until(client.count("ExecutionStatus = 'Running' AND WorkflowType = 'Desk'"), ({ total }) => total === 3)
      const again = yield* client.batch("ExecutionStatus = 'Terminated'", Batch.reset({ turn: "First" }), {
        jobId: "j"
      })
      assert.deepInclude(again, { done: 3, failed: 0 })
      assert.strictEqual((yield* client.count("WorkflowType = 'Desk'")).total, 7)
      const removed = yield* client.batch("", Batch.delete, { perSecond: 1_000, concurrency: 3 })
      assert.deepInclude(removed, { done: 8, failed: 0, of: 8 })
      assert.strictEqual((yield* client.count()).total, 0)
    }), disk)

  test("gathers what failed, and passes over what is gone", () =>
    Effect.gen(function*() {
      const client = yield* desks(2)
      const unfit = Batch.signal(Desk, "note", 7 as never)
      const report = yield* client.batch("WorkflowType = 'Desk'", unfit)
      assert.deepInclude(report, { done: 0, skipped: 0, failed: 2, of: 2 })
      assert.deepInclude(report.failures[0]?.error as object, { _tag: "ContractError" })
      const wrong = yield* Effect.flip(client.batch("WorkflowType =", Batch.cancel()))
      assert.instanceOf(wrong, FilterError)
      assert.include(wrong.message, "it ends where a value")
      assert.instanceOf(yield* Effect.flip(client.batch("", Batch.cancel(), { perSecond: 0 })), FilterError)
      assert.deepInclude(yield* client.batch("WorkflowType = 'Nothing'", Batch.cancel()), { done: 0, of: 0 })
    }))
})

describe("a history that is watched (X12)", () => {
  for (const [where, from] of [["its own process", false], ["another process", true]] as const) {
    test(
      `gives what there is, each turn as it comes, and ends with the run: in ${where}`,
      () =>
        Effect.gen(function*() {
          const here = yield* desks(1)
          const handle = (from ? yield* remote : here).handle(Desk, "desk-0")
          yield* handle.signal("note", "before")
          yield* until(handle.query("notes"), (notes) => notes.length === 1)
          const seen: Array<string> = []
          const watching = yield* Effect.fork(Stream.runCollect(Stream.tap(handle.watch, ({ events }) =>
            Effect.sync(() => {
              for (const event of events) seen.push(event._tag)
            }))))
          yield* until(
            Effect.sync(() =>
              seen
            ),
            (seen) => seen.includes("SignalReceived")
          )
          yield* handle.signal("note", "while")
          yield* until(
            Effect.sync(() => seen),
            (seen) => seen.filter((tag) => tag === "SignalReceived").length === 2
          )
          yield* handle.signal("close")
          const turns = Chunk.toReadonlyArray(yield* Fiber.join(watching))
          assert.deepStrictEqual(turns, yield* handle.history)
          assert.strictEqual(seen.at(-1), "ExecutionCompleted")
          // Of a closed run it is all of it, at once.
          assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Stream.runCollect(handle.watch)), turns)
        }),
      disk
    )
  }

  test("of a run that there is not fails; of one that is deleted it ends", () =>
    Effect.gen(function*() {
      const client = yield* desks(1)
      assert.strictEqual(
        (yield* Effect.flip(Stream.runDrain(client.handle(Desk, "nobody").watch)))._tag,
        "WorkflowNotFound"
      )
      const watching = yield* Effect.fork(Stream.runCount(client.handle(Desk, "desk-0").watch))
      yield* Effect.sleep("50 millis")
      yield* client.handle(Desk, "desk-0").delete
      assert.isAtLeast(yield* Fiber.join(watching), 1)
    }))
})
