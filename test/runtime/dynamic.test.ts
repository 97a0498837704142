/**
 * Hosts of names that have no other: the dynamic workflow and the dynamic activity (D4, D6).
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Activity, ApplicationError, State, Worker, WorkerConfigError, Workflow } from "perdure"
import { Replayer } from "perdure/testing"
import type { Seen } from "./World.js"
import { run, seen, test } from "./World.js"

describe("a dynamic activity", () => {
  test("serves names that no other host has, with the raw payload and the real name (D6)", () =>
    Effect.gen(function*() {
      const log: Array<unknown> = []
      const { client } = yield* run(Worker.layer({
        hosts: [
          Both.toLayer(() =>
            Effect.orDie(Effect.all([Known.execute({ at: new Date(0) }), Unknown.execute({ at: new Date(0) })]))
          ),
          Known.toLayer(() => Effect.succeed(new Date(1))),
          Activity.dynamic((payload) =>
            Effect.map(Activity.info, ({ activity }) => {
              log.push([activity, payload])
              return "1970-01-01T00:00:00.002Z"
            })
          )
        ]
      }))
      assert.deepStrictEqual(yield* client.execute(Both), [new Date(1), new Date(2)])
      assert.deepStrictEqual(log, [["Unknown", { at: "1970-01-01T00:00:00.000Z" }]])
    }))

  test("fails and retries as any other; what is no JSON is not retried (D6, R7, N4)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({
        hosts: [
          Outcome.toLayer(() =>
            Effect.all([
              seen(Unknown.execute({ at: new Date(0) }, { retry: { maximumAttempts: 2, initialInterval: 1 } })),
              seen(Known.execute({ at: new Date(0) }))
            ])
          ),
          Activity.dynamic((): Effect.Effect<unknown, ApplicationError, Effect.Effect.Context<typeof Activity.info>> =>
            Effect.flatMap(Activity.info, ({ activity }) =>
              activity === "Known"
                ? Effect.succeed(() => 1)
                : new ApplicationError({ type: "No", message: activity }))
          )
        ]
      }))
      const [failed, wrong] = (yield* client.execute(Outcome)) as ReadonlyArray<Seen>
      assert.deepInclude(failed, { attempt: 2, retryState: "MaximumAttemptsReached" })
      assert.deepInclude(failed!.failure, { type: "No", message: "Unknown" })
      assert.deepInclude(wrong, { attempt: 1, retryState: "NonRetryableFailure" })
    }))

  test("is one of a worker, merged or apart (D6)", () =>
    Effect.gen(function*() {
      const one = Activity.dynamic(() => Effect.succeed(1))
      const other = Activity.dynamic(() => Effect.succeed(2))
      for (const hosts of [[one, other], [Layer.merge(one, other)], [one, one]]) {
        const error = yield* Effect.flip(run(Worker.layer({ hosts })))
        assert.instanceOf(error, WorkerConfigError)
        assert.include((error as WorkerConfigError).message, "the dynamic activity is hosted twice")
      }
    }))
})

describe("a dynamic workflow", () => {
  test("runs workflows of any name, with the raw payload and the real name; replays as such (D4)", () =>
    Effect.gen(function*() {
      const body = Workflow.dynamic((payload) =>
        Effect.gen(function*() {
          const { workflow } = yield* Workflow.info
          yield* Effect.sleep(5)
          return `${workflow} of ${JSON.stringify(payload)}`
        })
      )
      const { client } = yield* run(Worker.layer({
        maxCachedExecutions: 0,
        hosts: [body, Both.toLayer(() => Effect.succeed([]))]
      }))
      const handle = yield* client.start(Workflow.untyped("Anything"), { at: 1 })
      assert.strictEqual(yield* handle.result, "Anything of {\"at\":1}")
      assert.strictEqual((yield* handle.describe).workflow, "Anything")
      assert.strictEqual(yield* client.execute(Named, "x"), "Named of \"x\"")
      assert.deepStrictEqual(yield* client.execute(Both), [])
      yield* Replayer.replay([body], { runId: handle.runId, turns: yield* handle.history })
    }))

  test("takes in messages of any name with `of` (D4, S6, Q4)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({
        hosts: [
          Workflow.dynamic(() =>
            Effect.gen(function*() {
              const got = yield* State.make<ReadonlyArray<string>>([])
              return Workflow.dynamic.of({
                signals: {},
                queries: {},
                updates: {},
                dynamic: {
                  signals: (name, payload) => got.update((all) => [...all, `${name} ${String(payload)}`]),
                  queries: () => got.get,
                  updates: (name) => Effect.succeed(name)
                },
                run: Effect.zipRight(
                  Workflow.condition(Effect.map(got.get, (all) => all.length === 2)),
                  got.get
                )
              })
            })
          )
        ]
      }))
      const handle = yield* client.start(Workflow.untyped("Any"))
      yield* handle.signal("one", 1)
      assert.deepStrictEqual(yield* handle.query("whatever"), ["one 1"])
      assert.strictEqual(yield* handle.update("check"), "check")
      yield* handle.signal("two", 2)
      assert.deepStrictEqual(yield* handle.result, ["one 1", "two 2"])
    }))

  test("is one of a worker (D4)", () =>
    Effect.gen(function*() {
      const one = Workflow.dynamic(() => Effect.succeed(1))
      const error = yield* Effect.flip(run(Worker.layer({ hosts: [one, Workflow.dynamic(() => Effect.succeed(2))] })))
      assert.include((error as WorkerConfigError).message, "the dynamic workflow is hosted twice")
    }))
})

// --- fixtures

const options = { payload: { at: Schema.Date }, success: Schema.Date, startToCloseTimeout: "10 seconds" } as const
const Known = Activity.make("Known", options)
const Unknown = Activity.make("Unknown", options)
const Both = Workflow.make("Both", { success: Schema.Array(Schema.Date) })
const Outcome = Workflow.make("Outcome", { success: Schema.Unknown })
const Named = Workflow.make("Named", { payload: Schema.String, success: Schema.String })
