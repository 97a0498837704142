/**
 * Attempts that are completed from outside: by token and by id, here and by a client without a worker (A9, A10).
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Client } from "perdure"
import {
  Activity,
  ActivityNotFound,
  ApplicationError,
  AsyncActivityCanceled,
  Liveness,
  Worker,
  Workflow
} from "perdure"
import type { Seen } from "./World.js"
import { disk, remote, run, seen, test, until } from "./World.js"

describe("an attempt that was handed over", () => {
  test("is completed with a typed value by the client of its own worker (A9)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      const { handle, token } = yield* handedOver(client)
      assert.deepInclude((yield* handle.describe).pendingActivities[0], { state: "handed", attempt: 1 })
      yield* client.activity(Ask, token).complete({ answer: 42 })
      assert.deepStrictEqual(yield* handle.result, { answer: 42 })
    }))

  test("is completed by a client without a worker, by workflow and activity id (A9)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      const { handle } = yield* handedOver(client)
      const other = yield* remote
      yield* other.activity(Ask, { workflowId: "w", activityId: "ask" }).complete({ answer: 1 })
      assert.deepStrictEqual(yield* handle.result, { answer: 1 })
    }))

  test("frees its slot (A9, A17)", () =>
    Effect.gen(function*() {
      const tokens: Array<string> = []
      const { client } = yield* run(hosting({ tokens, worker: { maxConcurrentActivities: 1 } }))
      yield* client.start(Report, {}, { workflowId: "one" })
      yield* client.start(Report, {}, { workflowId: "two" })
      yield* until(Effect.sync(() => tokens.length), (count) => count === 2)
    }))

  test(
    "is held by nobody: the end of its worker does it no harm, and liveness is clean (A9, I5)",
    () =>
      Effect.gen(function*() {
        const first = yield* run(hosting())
        const { token } = yield* handedOver(first.client)
        yield* first.stop
        assert.deepStrictEqual(yield* Liveness.check, [])
        const other = yield* remote
        yield* other.activity(Ask, token).complete({ answer: 3 })
        assert.deepStrictEqual(yield* Liveness.check, [])
        const second = yield* run(hosting())
        assert.deepStrictEqual(yield* second.client.handle(Report, "w").result, { answer: 3 })
      }),
    disk
  )

  test("that fails goes through the retry policy; the next attempt sees the details, and that it is the second (A9)", () =>
    Effect.gen(function*() {
      const log: Array<unknown> = []
      const tokens: Array<string> = []
      const { client } = yield* run(hosting({ tokens, log }))
      const { handle, token } = yield* handedOver(client)
      const ask = client.activity(Ask, token)
      yield* ask.heartbeat({ page: 7 })
      yield* ask.fail(new ApplicationError({ type: "Busy", message: "not now" }))
      yield* until(Effect.sync(() => tokens.length), (count) => count === 2)
      assert.deepStrictEqual(log, [[1, undefined], [2, { page: 7 }]])
      // The token is of one attempt.
      assert.instanceOf(yield* Effect.flip(ask.complete({ answer: 1 })), ActivityNotFound)
      assert.instanceOf(yield* Effect.flip(ask.heartbeat()), ActivityNotFound)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.state === "handed")
      yield* client.activity(Ask, tokens[1]!).complete({ answer: 2 })
      assert.deepStrictEqual(yield* handle.result, { answer: 2 })
    }))

  test("that fails by a declared error ends with it, decoded, where the policy says so (A9, R5)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      const { handle, token } = yield* handedOver(client)
      yield* client.activity(Ask, token).fail(new Silent({ since: 5 }))
      assert.deepStrictEqual(yield* handle.result, "silent since 5")
    }))

  test("is over once: whoever comes later is told (A9, I9)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      const { handle, token } = yield* handedOver(client)
      const asks = [client.activity(Ask, token), (yield* remote).activity(Ask, token)]
      const done = yield* Effect.all(
        asks.map((ask, n) => Effect.option(ask.complete({ answer: n }))),
        { concurrency: 2 }
      )
      assert.lengthOf(done.filter((each) => each._tag === "Some"), 1)
      yield* handle.result
      const errors = yield* Effect.forEach(["no token", "x/1/1", token], (key) =>
        Effect.flip(client.activity(Ask, key).complete({ answer: 1 })))
      assert.deepStrictEqual(
        errors.map((error) =>
          error._tag
        ),
        [
          "ActivityNotFound",
          "ActivityNotFound",
          "ActivityNotFound"
        ]
      )
      assert.instanceOf(
        yield* Effect.flip(client.activity(Ask, { workflowId: "w", activityId: "ask" }).complete({ answer: 1 })),
        ActivityNotFound
      )
    }))

  test("checks the contract: another activity's token, a value that does not fit (A9, N4)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      const { token } = yield* handedOver(client)
      assert.strictEqual((yield* Effect.flip(client.activity(Other, token).complete()))._tag, "ContractError")
      const wrong = { answer: "no number" as unknown as number }
      assert.strictEqual((yield* Effect.flip(client.activity(Ask, token).complete(wrong)))._tag, "ContractError")
    }))

  test("is told by heartbeat that its cancellation was asked for, and reports it (A9, C6, R13)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      const { handle, token } = yield* handedOver(client, { wait: true })
      const ask = client.activity(Ask, token)
      yield* ask.heartbeat()
      yield* handle.signal("cancel")
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.cancelRequested === true)
      const error = yield* Effect.flip(ask.heartbeat("last"))
      assert.instanceOf(error, AsyncActivityCanceled)
      assert.strictEqual((error as AsyncActivityCanceled).reason, "cancelRequested")
      assert.strictEqual((yield* handle.describe).pendingActivities[0]?.heartbeat, "last")
      yield* ask.reportCancellation
      assert.strictEqual(((yield* handle.result) as Seen).failure._tag, "Canceled")
    }))

  test("counts as failed when it reports a cancellation that nobody asked for (A9, A7)", () =>
    Effect.gen(function*() {
      const tokens: Array<string> = []
      const { client } = yield* run(hosting({ tokens }))
      const { token } = yield* handedOver(client)
      yield* client.activity(Ask, token).reportCancellation
      yield* until(Effect.sync(() => tokens.length), (count) => count === 2)
    }))

  test("times out as any other: start-to-close, heartbeat, schedule-to-close; its token is stale then (A9, A10)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      for (
        const [timeouts, kind] of [
          [{ startToClose: 60 }, "StartToClose"],
          [{ heartbeat: 60 }, "Heartbeat"],
          [{ scheduleToClose: 60 }, "ScheduleToClose"]
        ] as const
      ) {
        const handle = yield* client.start(Report, { ...timeouts, once: true })
        const outcome = (yield* handle.result) as Seen
        assert.deepInclude(outcome.failure, { _tag: "Timeout", timeout: kind })
      }
    }))

  test("stays alive by the heartbeats of whoever has it (A9, A4)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      const handle = yield* client.start(Report, { heartbeat: 400, once: true }, { workflowId: "w" })
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.state === "handed")
      const ask = client.activity(Ask, { workflowId: "w", activityId: "ask" })
      for (let n = 0; n < 8; n++) {
        yield* Effect.sleep("100 millis")
        yield* ask.heartbeat(n)
      }
      yield* ask.complete({ answer: 8 })
      assert.deepStrictEqual(yield* handle.result, { answer: 8 })
    }))

  test("ends with its run: the token is unknown then (A9, C10)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      const { handle, token } = yield* handedOver(client)
      yield* handle.terminate()
      assert.instanceOf(yield* Effect.flip(client.activity(Ask, token).heartbeat()), ActivityNotFound)
    }))
})

describe("an attempt whose code runs still", () => {
  test("may be completed from outside all the same: the answer may come before it is handed over (A9)", () =>
    Effect.gen(function*() {
      let completed = false
      const outside = yield* remote
      const { client } = yield* run(Worker.layer({
        hosts: [
          report,
          Other.toLayer(() => Effect.void),
          Ask.toLayer(() =>
            Effect.gen(function*() {
              const { taskToken } = yield* Activity.info
              yield* Effect.orDie(outside.activity(Ask, taskToken).complete({ answer: 9 }))
              completed = true
              return yield* Activity.completeAsync
            })
          )
        ]
      }))
      assert.deepStrictEqual(yield* client.execute(Report, {}), { answer: 9 })
      assert.isTrue(completed)
    }))

  test("has finalizers that run when it is handed over, and a value where it catches that (A9)", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const { client } = yield* run(Worker.layer({
        hosts: [
          report,
          Other.toLayer(() => Effect.void),
          Ask.toLayer(() =>
            Effect.gen(function*() {
              yield* Effect.addFinalizer(() => Effect.sync(() => log.push("closed")))
              const { attempt } = yield* Activity.info
              return attempt === 1 ? yield* Activity.completeAsync : { answer: 2 }
            })
          )
        ]
      }))
      const handle = yield* client.start(Report, { startToClose: 80 })
      assert.deepStrictEqual(yield* handle.result, { answer: 2 })
      assert.deepStrictEqual(log, ["closed", "closed"])
    }))
})

// --- fixtures

class Silent extends Schema.TaggedError<Silent>()("Silent", { since: Schema.Number }) {}

const Ask = Activity.make("Ask", {
  success: Schema.Struct({ answer: Schema.Number }),
  error: Silent,
  startToCloseTimeout: "10 seconds",
  retry: { initialInterval: 1, nonRetryable: ["Silent"] }
})

const Other = Activity.make("Other", { startToCloseTimeout: "10 seconds" })

const Report = Workflow.make("Report", {
  payload: {
    startToClose: Schema.optional(Schema.Number),
    scheduleToClose: Schema.optional(Schema.Number),
    heartbeat: Schema.optional(Schema.Number),
    once: Schema.optional(Schema.Boolean),
    wait: Schema.optional(Schema.Boolean)
  },
  success: Schema.Unknown,
  signals: { cancel: {} }
})

const report = Report.toLayer((payload) =>
  Effect.gen(function*() {
    let canceled = false
    return Report.of({
      signals: { cancel: () => Effect.sync(() => void (canceled = true)) },
      run: Effect.gen(function*() {
        const ask = yield* Ask.start(undefined, {
          activityId: "ask",
          ...(payload.startToClose === undefined ? {} : { startToCloseTimeout: payload.startToClose }),
          ...(payload.scheduleToClose === undefined ? {} : { scheduleToCloseTimeout: payload.scheduleToClose }),
          ...(payload.heartbeat === undefined ? {} : { heartbeatTimeout: payload.heartbeat }),
          ...(payload.once === true ? { retry: { maximumAttempts: 1 } } : {}),
          ...(payload.wait === true ? { cancellation: "WaitCancellationCompleted" as const } : {})
        })
        if (payload.wait === true) {
          yield* Workflow.condition(() => canceled)
          yield* ask.cancel
        }
        return yield* seen(ask.result).pipe(
          Effect.catchTag("Silent", ({ since }) => Effect.succeed(`silent since ${since}`))
        )
      })
    })
  })
)

const hosting = (options: {
  readonly tokens?: Array<string>
  readonly log?: Array<unknown>
  readonly worker?: { readonly maxConcurrentActivities: number }
} = {}) =>
  Worker.layer({
    ...options.worker,
    hosts: [
      report,
      Other.toLayer(() => Effect.void),
      Ask.toLayer(() =>
        Effect.gen(function*() {
          const { attempt, taskToken } = yield* Activity.info
          options.tokens?.push(taskToken)
          options.log?.push([attempt, yield* Effect.orDie(Activity.lastHeartbeat(Schema.Unknown))])
          return yield* Activity.completeAsync
        })
      )
    ]
  })

/** Starts a run and waits until its activity was handed over; its token is read off the task. */
const handedOver = (client: Client["Type"], options: { readonly wait?: boolean } = {}) =>
  Effect.gen(function*() {
    const handle = yield* client.start(Report, options, { workflowId: "w" })
    yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.state === "handed")
    return { handle, token: `${handle.runId}/1/1` }
  })
