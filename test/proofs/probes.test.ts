/**
 * Three things that a durable execution library may get wrong without anybody noticing:
 *
 * 1. the same activity called with three inputs gives three results;
 * 2. two different calls never share one result;
 * 3. new code that meets an old history is told so, with what was recorded and what is attempted side by side. It does
 *    not complete in silence.
 */
import { assert, describe } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Worker, Workflow } from "perdure"
import { run, test, until } from "../runtime/World.js"

const Square = Activity.make("Square", {
  payload: { of: Schema.Number },
  success: Schema.Number,
  startToCloseTimeout: "10 seconds"
})

const Cube = Activity.make("Cube", {
  payload: { of: Schema.Number },
  success: Schema.Number,
  startToCloseTimeout: "10 seconds"
})

class Over extends Schema.TaggedError<Over>()("Over", {}) {}

const contract = { success: Schema.Number, error: Over, signals: { go: {} } }
const Changing = Workflow.make("Changing", contract)
const Strict = Workflow.make("Changing", { ...contract, strictReplay: true })

/** The code that began it. */
const old = Effect.flatMap(Square.execute({ of: 2 }), (square) => Effect.as(Cube.execute({ of: 3 }), square))
type Code = Effect.Effect<
  number,
  Over | Effect.Effect.Error<typeof old>,
  Effect.Effect.Context<typeof old>
>

describe("the same activity, called three times with different inputs,", () => {
  for (const concurrency of [1, 2, "unbounded"] as const) {
    for (const maxCachedExecutions of [1_000, 0]) {
      const cache = maxCachedExecutions === 0 ? "replayed for every turn" : "in memory"
      test(`gives three results (concurrency ${concurrency}, ${cache})`, () =>
        Effect.gen(function*() {
          const calls: Array<number> = []
          const { client } = yield* run(Worker.layer({
            maxCachedExecutions,
            hosts: [
              Squares.toLayer((numbers) => Effect.forEach(numbers, (of) => Square.execute({ of }), { concurrency })),
              Square.toLayer(({ of }) => Effect.sync(() => (calls.push(of), of * of)))
            ]
          }))
          assert.deepStrictEqual(yield* client.execute(Squares, [2, 3, 4]), [4, 9, 16])
          assert.deepStrictEqual([...calls].sort(), [2, 3, 4])
        }))
    }
  }
})

describe("two different calls never share one result:", () => {
  test("not two of one activity with equal inputs", () =>
    Effect.gen(function*() {
      let count = 0
      const keys: Array<string> = []
      const { client } = yield* run(Worker.layer({
        hosts: [
          Squares.toLayer(() =>
            Effect.flatMap(
              Square.execute({ of: 1 }),
              (first) => Effect.map(both(Square.execute({ of: 1 })), (rest) => [first, ...rest])
            )
          ),
          Square.toLayer(() => Effect.map(Activity.info, ({ idempotencyKey }) => (keys.push(idempotencyKey), ++count)))
        ]
      }))
      assert.deepStrictEqual(yield* client.execute(Squares, []), [1, 2, 3])
      assert.strictEqual(new Set(keys).size, 3)
    }))

  test("not two activities with equal inputs", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({
        hosts: [
          Squares.toLayer(() => Effect.all([Square.execute({ of: 5 }), Cube.execute({ of: 5 })], unbounded)),
          Square.toLayer(({ of }) => Effect.succeed(of ** 2)),
          Cube.toLayer(({ of }) => Effect.succeed(of ** 3))
        ]
      }))
      assert.deepStrictEqual(yield* client.execute(Squares, []), [25, 125])
    }))

  test("not two that end in the reverse order", () =>
    Effect.gen(function*() {
      const second = yield* Deferred.make<void>()
      const { client } = yield* run(Worker.layer({
        hosts: [
          Squares.toLayer(() => Effect.all([Square.execute({ of: 2 }), Square.execute({ of: 3 })], unbounded)),
          Square.toLayer(({ of }) =>
            Effect.as(of === 2 ? Deferred.await(second) : Deferred.succeed(second, undefined), of * of)
          )
        ]
      }))
      assert.deepStrictEqual(yield* client.execute(Squares, []), [4, 9])
    }))

  test("not two executions under one id, one after the other", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({
        hosts: [
          Squares.toLayer((numbers) => Effect.forEach(numbers, (of) => Square.execute({ of }))),
          Square.toLayer(({ of }) => Effect.succeed(of * of))
        ]
      }))
      assert.deepStrictEqual(yield* client.execute(Squares, [2, 3], { workflowId: "squares" }), [4, 9])
      assert.deepStrictEqual(yield* client.execute(Squares, [4, 5], { workflowId: "squares" }), [16, 25])
    }))
})

describe("new code that meets an old history is told so, and the run waits for the right code:", () => {
  for (
    const [change, code, recorded, attempted] of [
      ["another activity", Effect.suspend(() => Cube.execute({ of: 2 })), "activity Square #1", "activity Cube #1"],
      [
        "two calls swapped",
        Effect.suspend(() => Effect.zipRight(Cube.execute({ of: 3 }), old)),
        "activity Square #1",
        "activity Cube #1"
      ],
      ["a call taken away", Square.execute({ of: 2 }), "activity Cube #2", "nothing"],
      ["a call added", Effect.suspend(() => Effect.tap(old, Cube.execute({ of: 4 }))), "nothing", "activity Cube #3"],
      ["a timer put before", Effect.zipRight(Effect.sleep("1 second"), old), "activity Square #1", "timer #1"],
      ["an end in place of a call", Effect.fail(new Over()), "activity Square #1", "failure of the run"]
    ] as ReadonlyArray<readonly [string, Code, string, string]>
  ) {
    test(change, () =>
      Effect.gen(function*() {
        const { error, message } = yield* met(Changing, code)
        assert.strictEqual(error, "NondeterminismError")
        assert.match(message, new RegExp(`recorded: +${recorded}\n +attempted: +${attempted}\n`))
        // The line of this file that asked for it, where a call did.
        if (attempted.startsWith("activity")) assert.include(message, "probes.test.ts:")
      }))
  }

  test("an input changed, where that is asked for (strictReplay)", () =>
    Effect.gen(function*() {
      const changed = Effect.flatMap(Square.execute({ of: 7 }), (square) => Effect.as(Cube.execute({ of: 3 }), square))
      const { error, message } = yield* met(Strict, changed)
      assert.strictEqual(error, "NondeterminismError")
      assert.match(
        message,
        /recorded: +activity Square #1 with {"of":2}\n +attempted: +activity Square #1 with {"of":7}/
      )
    }))
})

/** What is said of a run that one code began, and another one resumed. */
const met = (definition: typeof Changing, code: Code) =>
  Effect.gen(function*() {
    const worker = (code: Code) =>
      Worker.layer({
        hosts: [
          definition.toLayer(() =>
            Effect.gen(function*() {
              const go = yield* Deferred.make<void>()
              return definition.of({
                signals: { go: () => Deferred.succeed(go, undefined) },
                run: Effect.zipLeft(code, Deferred.await(go))
              })
            })
          ),
          Square.toLayer(({ of }) => Effect.succeed(of ** 2)),
          Cube.toLayer(({ of }) => Effect.succeed(of ** 3))
        ]
      })
    const before = yield* run(worker(old))
    const { history } = yield* before.client.start(definition, undefined, { workflowId: "changing" })
    const recorded = yield* until(history, (turns) => turns.length === 3)
    yield* before.stop

    const changed = yield* run(worker(code))
    const handle = changed.client.handle(definition, "changing")
    yield* handle.signal("go")
    const { attention, status } = yield* until(handle.describe, ({ attention }) => attention !== undefined)
    assert.strictEqual(status, "Running")
    assert.deepStrictEqual(yield* handle.history, recorded)
    yield* changed.stop

    const after = yield* run(worker(old))
    assert.strictEqual(yield* after.client.handle(definition, "changing").result, 4)
    if (attention?._tag !== "TurnFailed") return yield* Effect.fail(attention)
    return attention
  })

const Squares = Workflow.make("Squares", { payload: Schema.Array(Schema.Number), success: Schema.Array(Schema.Number) })

const unbounded = { concurrency: "unbounded" } as const

const both = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.all([effect, effect], unbounded)
