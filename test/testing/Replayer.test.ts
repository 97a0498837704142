/**
 * Goal: histories are replayed on the code of today, and what it no longer does is told (row N7).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Activity, Client, NondeterminismError, Workflow } from "perdure"
import { Replayer, TestEnvironment } from "perdure/testing"

const Add = Activity.make("Add", {
  payload: { a: Schema.Number, b: Schema.Number },
  success: Schema.Number,
  startToCloseTimeout: "5 seconds"
})
const Other = Activity.make("Other", { success: Schema.Number, startToCloseTimeout: "5 seconds" })
const Sum = Workflow.make("Sum", {
  payload: Schema.Number,
  success: Schema.Number,
  signals: { finish: {} }
})
const performed: Array<string> = []

const body = (program: (n: number) => Effect.Effect<number, unknown, never>) =>
  Sum.toLayer((n) =>
    Effect.sync(() => {
      let finished = false
      return Sum.of({
        signals: { finish: () => Effect.sync(() => void (finished = true)) },
        run: Effect.zipRight(
          Effect.orDie(program(n)),
          Effect.zipRight(Workflow.condition(() => finished), Effect.succeed(n))
        )
      })
    })
  )
const calls = (...effects: ReadonlyArray<(n: number) => Effect.Effect<unknown, unknown, unknown>>) =>
  body((n) => Effect.as(Effect.forEach(effects, (call) => call(n)), n) as Effect.Effect<number, unknown>)

const one = (n: number) => Add.execute({ a: n, b: 1 })
const two = (n: number) => Add.execute({ a: n, b: 2 })
const today = calls(one, two)

const AddLive = Add.toLayer(({ a, b }) =>
  Effect.sync(() => {
    performed.push("Add")
    return a + b
  })
)

const environment = TestEnvironment.layer({ hosts: [today, AddLive] })

/** An open run and a closed one. */
const recorded = Effect.gen(function*() {
  const client = yield* Client
  const open = yield* client.start(Sum, 1, { workflowId: "open" })
  const closed = yield* client.start(Sum, 2, { workflowId: "closed" })
  yield* closed.signal("finish")
  yield* closed.result
  yield* (yield* TestEnvironment).sleep(1)
  return {
    open: { runId: open.runId, turns: yield* open.history },
    closed: { runId: closed.runId, turns: yield* closed.history }
  }
})

const test = (name: string, program: Effect.Effect<void, unknown, Client | TestEnvironment | never>) =>
  it.effect(name, () => Effect.provide(program, environment))

describe("the replayer", () => {
  test(
    "finds nothing where the code is the same, in open and in closed runs, and performs nothing",
    Effect.gen(function*() {
      const { closed, open } = yield* recorded
      performed.length = 0
      yield* Replayer.replay([today], open)
      yield* Replayer.replay([today], closed)
      assert.deepStrictEqual(yield* Replayer.replayAll([today], [open, closed]), { replayed: 2, failed: [] })
      assert.deepStrictEqual(performed, [])
    })
  )

  test(
    "shows what was recorded and what was attempted, side by side, and from which line",
    Effect.gen(function*() {
      const { closed } = yield* recorded
      const error = yield* Effect.flip(Replayer.replay([calls(one, () => Other.execute())], closed))
      assert.instanceOf(error, NondeterminismError)
      assert.deepInclude(error, { runId: closed.runId, workflow: "Sum", turn: 2 })
      assert.match(
        error.message,
        /recorded: {2}activity Add #2\n {2}attempted: activity Other #2\n {2}from: .*Replayer\.test\.ts/
      )
    })
  )

  test(
    "shows changed inputs and swapped calls of one activity",
    Effect.gen(function*() {
      const { open } = yield* recorded
      const error = yield* Effect.flip(Replayer.replay([calls(two, one)], open))
      assert.instanceOf(error, NondeterminismError)
      assert.include(error.message, "\"b\":1")
      assert.include(error.message, "\"b\":2")
    })
  )

  test(
    "says which workflow it was not given, and what a turn fails with",
    Effect.gen(function*() {
      const { open } = yield* recorded
      const missing = yield* Effect.flip(Replayer.replay([AddLive], open))
      assert.strictEqual(missing.message, `run ${open.runId} of Sum: UnknownWorkflow: given are: none`)
      const throwing = yield* Effect.flip(
        Replayer.replay([calls(one, () => Effect.sync(() => Date.parse("x") / Math.random()))], open)
      )
      assert.deepInclude(throwing, { _tag: "ReplayFailed", reason: "TurnFailed" })
      assert.include(throwing.message, "Math.random in a workflow body")
    })
  )

  test(
    "reads and writes histories as JSON",
    Effect.gen(function*() {
      const { closed } = yield* recorded
      const text = Replayer.toJson(closed)
      assert.deepStrictEqual(Replayer.fromJson(text), Either.right(closed))
      const broken = (text: string) =>
        Either.match(Replayer.fromJson(text), {
          onLeft: (error) => error.message,
          onRight: () => "taken"
        })
      assert.match(broken("{"), /^run \?: Unreadable: not a history/)
      assert.match(broken("{\"format\":1}"), /^run \?: Unreadable: not a history/)
      assert.match(broken(text.replace("ActivityCompleted", "ActivityForgotten")), /Unreadable: history row of turn 2/)
      assert.match(broken(text.replace("\"format\": 1", "\"format\": 99")), /upgrade it/)
    })
  )

  test(
    "checks all open runs of a store, and as many closed ones as it is told, with progress",
    Effect.gen(function*() {
      const { closed, open } = yield* recorded
      const seen: Array<number> = []
      const onProgress = ({ replayed }: { readonly replayed: number }) => seen.push(replayed)
      const changed = calls(two, one)
      const openOnly = yield* Replayer.check({ workflows: [changed], onProgress })
      assert.deepStrictEqual(openOnly.failed.map(({ runId }) => runId), [open.runId])
      assert.deepStrictEqual(seen, [1])
      const both = yield* Replayer.check({ workflows: [changed], closed: 10 })
      assert.deepStrictEqual(both.failed.map(({ runId }) => runId), [open.runId, closed.runId])
      assert.deepStrictEqual(yield* Replayer.check({ workflows: [today], closed: 10 }), { replayed: 2, failed: [] })
    }) as Effect.Effect<void, unknown, Client | TestEnvironment>
  )
})
