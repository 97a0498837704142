/**
 * Activities on threads (D5, A6): values, failures, heartbeats, cancellation, and threads that crash.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Client } from "perdure"
import { Interceptor, Worker, Workflow } from "perdure"
import { Threads } from "perdure/threads"
import { Work } from "./threads/contract.js"
import type { Seen } from "./World.js"
import { run, seen, test, until } from "./World.js"

describe("an activity on a thread", () => {
  test("gives its result, fails by its declared error, and by what it throws (D5, R7)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      assert.strictEqual(yield* client.execute(Report, { what: "count", n: 1_000 }), 500_500)
      assert.strictEqual(yield* client.execute(Report, { what: "fail", n: 3 }), "odd 3")
      const died = (yield* client.execute(Report, { what: "die", n: 0 })) as Seen
      assert.deepInclude(died.failure, { type: "TypeError", message: "broken" })
      assert.strictEqual(died.attempt, 2)
    }))

  test("has interceptors on this side of it, which see decoded values and declared errors (D5, N6)", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const halving = Interceptor.make("halving", {
        activity: {
          execute: (call, next) =>
            next({ ...call, payload: { ...call.payload as { readonly what: string }, n: 10 } }).pipe(
              Effect.tapError((error) => Effect.sync(() => void seen.push((error as { readonly _tag: string })._tag)))
            )
        }
      })
      const { client } = yield* run(hosting().pipe(Layer.provide(Interceptor.layer(halving))))
      assert.strictEqual(yield* client.execute(Report, { what: "count", n: 1_000 }), 55)
      assert.strictEqual(yield* client.execute(Report, { what: "fail", n: 3 }), "odd 10")
      const died = (yield* client.execute(Report, { what: "die", n: 0 })) as Seen
      assert.deepInclude(died.failure, { type: "TypeError", message: "broken" })
      assert.deepStrictEqual(seen, ["Odd", "ActivityError", "ActivityError"])
    }))

  test("that crashes its thread is a failed attempt; the next one has a fresh thread (D5)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      const handle = yield* client.start(Report, { what: "exit", n: 0 })
      assert.strictEqual(yield* handle.result, 2)
    }))

  test("sends heartbeats, whose details the next attempt has (D5, A3, A5)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      assert.strictEqual(yield* client.execute(Report, { what: "resume", n: 7 }), 7)
    }))

  test("is interrupted in its thread when it is canceled (D5, A6)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      const handle = yield* canceled(client, "wait")
      assert.strictEqual(((yield* handle.result) as Seen).failure._tag, "Canceled")
      assert.strictEqual(yield* client.execute(Report, { what: "count", n: 2 }), 3)
    }))

  test("that swallows its cancellation and returns has completed (D5, A6)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      const handle = yield* canceled(client, "swallow")
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.cancelRequested === true)
      assert.strictEqual(yield* handle.result, 5)
    }))

  test("that times out keeps its thread until it ends there: its late result is nobody else's (D5, A10, A11)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      assert.strictEqual(yield* client.execute(Report, { what: "count", n: 2 }), 3)
      const late = (yield* client.execute(Report, { what: "swallow", n: 77, within: 300 })) as Seen
      assert.deepInclude(late.failure, { _tag: "Timeout", timeout: "StartToClose" })
      assert.strictEqual(yield* client.execute(Report, { what: "count", n: 4 }), 10)
      assert.strictEqual(yield* client.execute(Report, { what: "count", n: 5 }), 15)
    }))

  test("that never yields is ended with its thread, and another one works on (D5, A6)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      const handle = yield* canceled(client, "spin")
      assert.strictEqual(((yield* handle.result) as Seen).failure._tag, "Canceled")
      assert.strictEqual(yield* client.execute(Report, { what: "count", n: 2 }), 3)
    }))

  test("fails as ActivityPause when an operator pauses it (D5, A15, A8)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting())
      const handle = yield* client.start(Report, { what: "wait", n: 0 })
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.heartbeat === 1)
      yield* handle.activity("work").pause()
      const { pendingActivities } = yield* until(
        handle.describe,
        ({ pendingActivities }) => pendingActivities[0]?.state === "paused"
      )
      assert.include(pendingActivities[0]!.lastFailure, "ActivityPause")
    }))
})

// --- fixtures

const Report = Workflow.make("Report", {
  payload: { what: Schema.String, n: Schema.Number, within: Schema.optional(Schema.Number) },
  success: Schema.Unknown,
  signals: { cancel: {} }
})

const hosting = () =>
  Worker.layer({
    hosts: [
      Threads.toLayer(Work, {
        module: new URL("./threads/thread.mjs", import.meta.url),
        size: 1,
        grace: "3 seconds"
      }),
      Report.toLayer(({ n, what, within }) =>
        Effect.gen(function*() {
          let asked = false
          return Report.of({
            signals: { cancel: () => Effect.sync(() => void (asked = true)) },
            run: Effect.gen(function*() {
              const work = yield* Work.start({ what: what as "count", n }, {
                activityId: "work",
                cancellation: "WaitCancellationCompleted",
                ...(within === undefined ? {} : { startToCloseTimeout: within, retry: { maximumAttempts: 1 } })
              })
              const cancel = Effect.zipRight(Workflow.condition(() => asked), work.cancel)
              yield* Effect.fork(cancel)
              return yield* seen(work.result).pipe(Effect.catchTag("Odd", ({ n }) => Effect.succeed(`odd ${n}`)))
            })
          })
        })
      )
    ]
  })

const canceled = (client: Client["Type"], what: string) =>
  Effect.gen(function*() {
    const handle = yield* client.start(Report, { what, n: 5 })
    yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.heartbeat !== undefined)
    yield* handle.signal("cancel")
    return handle
  })
