/**
 * What operators do to pending activities, and how attempts see it: pause, unpause, reset, new options (A15, A8).
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Client } from "perdure"
import { Activity, ActivityNotFound, Liveness, Worker, Workflow } from "perdure"
import type { Seen } from "./World.js"
import { gate, remote, run, seen, test, until } from "./World.js"

describe("a paused activity", () => {
  test("begins no attempt until it is unpaused; describe shows it; liveness is clean (A15, I5)", () =>
    Effect.gen(function*() {
      const attempts: Array<number> = []
      const { client } = yield* run(hosting(({ attempt }) => {
        attempts.push(attempt)
        return attempt < 3 ? Effect.die("again") : Effect.succeed("done")
      }, { retry: { initialInterval: 200, backoffCoefficient: 1 } }))
      const handle = yield* started(client)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.attempt === 2)
      yield* handle.activity("job").pause()
      yield* handle.activity("job").pause()
      assert.deepInclude((yield* handle.describe).pendingActivities[0], { state: "paused", paused: true, attempt: 2 })
      yield* Effect.sleep("300 millis")
      assert.deepStrictEqual(attempts, [1])
      assert.deepStrictEqual(yield* Liveness.check, [])
      yield* handle.activity("job").unpause()
      assert.strictEqual(yield* handle.result, "done")
      assert.deepStrictEqual(attempts, [1, 2, 3])
    }))

  test("at hand in the memory of a worker begins none either (A15)", () =>
    Effect.gen(function*() {
      const first = gate()
      const begun: Array<string> = []
      const { client } = yield* run(hosting(({ activityId }) => {
        begun.push(activityId)
        return activityId === "first" ? Effect.as(first.pass, "first") : Effect.succeed("done")
      }, { slots: 1 }))
      const handle = yield* started(client, { ahead: true })
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities.length === 2)
      yield* handle.activity("job").pause()
      yield* first.open
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities.length === 1)
      assert.deepInclude((yield* handle.describe).pendingActivities[0], { state: "paused", attempt: 1 })
      assert.deepStrictEqual(begun, ["first"])
      yield* handle.activity("job").unpause()
      assert.strictEqual(yield* handle.result, "done")
    }))

  test("that runs is told with its heartbeat, fails as ActivityPause, and waits (A15, A8)", () =>
    Effect.gen(function*() {
      const log: Array<unknown> = []
      const { client } = yield* run(
        hosting(({ attempt }) =>
          attempt === 1 ? Effect.onInterrupt(beating, () => logged(log)) : Effect.succeed(attempt)
        )
      )
      const handle = yield* started(client)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.heartbeat === 1)
      yield* handle.activity("job").pause()
      const { pendingActivities } = yield* until(
        handle.describe,
        ({ pendingActivities }) => pendingActivities[0]?.state === "paused"
      )
      assert.include(pendingActivities[0]!.lastFailure, "ActivityPause")
      assert.deepStrictEqual(log, [["paused"]])
      yield* handle.activity("job").unpause()
      assert.strictEqual(yield* handle.result, 2)
    }))

  test("that runs and never beats goes on to its end (A15)", () =>
    Effect.gen(function*() {
      const go = gate()
      const { client } = yield* run(hosting(() => Effect.as(go.pass, "done")))
      const handle = yield* started(client)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.state === "started")
      yield* handle.activity("job").pause()
      assert.deepInclude((yield* handle.describe).pendingActivities[0], { state: "started", paused: true })
      yield* go.open
      assert.strictEqual(yield* handle.result, "done")
    }))

  test("goes on with schedule-to-close, and not with schedule-to-start (A15, A12, A13)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting(() => Effect.succeed("done")))
      const handle = yield* started(client, { taskQueue: "nobody", scheduleToStart: 400, scheduleToClose: 1_200 })
      yield* handle.activity("job").pause()
      const outcome = (yield* handle.result) as Seen
      assert.deepInclude(outcome.failure, { _tag: "Timeout", timeout: "ScheduleToClose" })
    }))

  test("ends at once when its cancellation is asked for (A15, C6)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting(() => Effect.die("again"), { retry: { initialInterval: "1 hour" } }))
      const handle = yield* started(client, { wait: true })
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.attempt === 2)
      yield* handle.activity("job").pause()
      yield* handle.signal("cancel")
      assert.strictEqual(((yield* handle.result) as Seen).failure._tag, "Canceled")
    }))

  test("that was handed over is told by the heartbeat of whoever completes it (A15, A9)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(
        hosting(({ attempt }) => attempt === 1 ? Activity.completeAsync : Effect.succeed(attempt))
      )
      const handle = yield* started(client)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.state === "handed")
      const outside = (yield* remote).activity(Job, { workflowId: "w", activityId: "job" })
      yield* handle.activity("job").pause()
      assert.deepInclude(yield* Effect.flip(outside.heartbeat()), { _tag: "AsyncActivityCanceled", reason: "paused" })
      yield* outside.reportCancellation
      const paused = (yield* handle.describe).pendingActivities[0]!
      assert.deepInclude(paused, { state: "paused", attempt: 2 })
      assert.include(paused.lastFailure, "ActivityPause")
      yield* handle.activity("job").unpause()
      assert.strictEqual(yield* handle.result, 2)
    }))
})

describe("unpause", () => {
  test("may make the next attempt the first again, and forget the details (A15)", () =>
    Effect.gen(function*() {
      const log: Array<unknown> = []
      const { client } = yield* run(hosting(({ attempt }) =>
        Effect.gen(function*() {
          log.push([attempt, yield* Effect.orDie(Activity.lastHeartbeat(Schema.Unknown))])
          yield* Activity.heartbeat(attempt)
          return log.length === 3 ? "done" : yield* Effect.die("again")
        }), { retry: { initialInterval: 100, backoffCoefficient: 1 } }))
      const handle = yield* started(client)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.attempt === 3)
      yield* handle.activity("job").pause()
      yield* handle.activity("job").unpause({ resetAttempts: true, resetHeartbeat: true })
      assert.strictEqual(yield* handle.result, "done")
      assert.deepStrictEqual(log, [[1, undefined], [2, 1], [1, undefined]])
      const events = (yield* handle.history).flatMap(({ events }) => events)
      assert.deepInclude(events.find((event) => event._tag === "ActivityCompleted"), { attempt: 1 })
    }))
})

describe("a reset", () => {
  test("makes the next attempt the first again, at once, and its token another one (A15, A10)", () =>
    Effect.gen(function*() {
      const tokens: Array<string> = []
      const attempts: Array<number> = []
      const { client } = yield* run(hosting(({ attempt, taskToken }) => {
        tokens.push(taskToken)
        attempts.push(attempt)
        return tokens.length === 1 ? Effect.die("again") : Activity.completeAsync
      }, { retry: { initialInterval: "1 hour" } }))
      const handle = yield* started(client)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.attempt === 2)
      yield* handle.activity("job").reset()
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.state === "handed")
      assert.deepStrictEqual(attempts, [1, 1])
      assert.instanceOf(yield* Effect.flip(client.activity(Job, tokens[0]!).complete("no")), ActivityNotFound)
      yield* client.activity(Job, tokens[1]!).complete("done")
      assert.strictEqual(yield* handle.result, "done")
    }))

  test("tells the attempt that runs: it fails as ActivityReset, and spends no attempt (A15, A8)", () =>
    Effect.gen(function*() {
      const log: Array<unknown> = []
      const attempts: Array<number> = []
      const { client } = yield* run(hosting(({ attempt }) => {
        attempts.push(attempt)
        return attempts.length === 1 ? Effect.onInterrupt(beating, () => logged(log)) : Effect.succeed("done")
      }, { retry: { maximumAttempts: 1, initialInterval: "1 hour" } }))
      const handle = yield* started(client)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.heartbeat === 1)
      yield* handle.activity("job").reset()
      assert.strictEqual(yield* handle.result, "done")
      assert.deepStrictEqual(log, [["reset"]])
      assert.deepStrictEqual(attempts, [1, 1])
    }))

  test("keeps a pause where it is asked to (A15)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting(({ attempt }) => attempt === 1 ? Effect.die("again") : Effect.succeed(2), {
        retry: { initialInterval: "1 hour" }
      }))
      const handle = yield* started(client)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.attempt === 2)
      const job = handle.activity("job")
      yield* job.pause()
      yield* job.reset({ keepPaused: true, resetHeartbeat: true })
      assert.deepInclude((yield* handle.describe).pendingActivities[0], { state: "paused", attempt: 1 })
    }))
})

describe("new options", () => {
  test("hold for the attempts that begin from then on, and can be taken back (A15)", () =>
    Effect.gen(function*() {
      const log: Array<unknown> = []
      const { client } = yield* run(hosting(({ startToCloseMillis, retry }) => {
        log.push([startToCloseMillis, retry.maximumAttempts])
        return Effect.die("again")
      }, { retry: { initialInterval: "1 hour" } }))
      const handle = yield* started(client)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.attempt === 2)
      const job = handle.activity("job")
      yield* job.updateOptions({ startToCloseTimeout: 77, retry: { maximumAttempts: 9, initialInterval: "1 hour" } })
      yield* job.reset()
      yield* until(handle.describe, () => log.length === 2)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.attempt === 2)
      yield* job.reset({ restoreOriginal: true })
      yield* until(handle.describe, () => log.length === 3)
      assert.deepStrictEqual(log, [[10_000, 0], [77, 9], [10_000, 0]])
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.attempt === 2)
      // One attempt is all that it may have from now on, and it has had that.
      yield* job.updateOptions({ retry: { maximumAttempts: 1 } })
      yield* job.reset()
      assert.deepInclude((yield* handle.result) as Seen, { attempt: 1, retryState: "MaximumAttemptsReached" })
    }))

  test("may name another queue (A15)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting(() => Effect.succeed("done")))
      const handle = yield* started(client, { taskQueue: "nobody" })
      yield* handle.activity("job").updateOptions({ taskQueue: "default" })
      assert.strictEqual(yield* handle.result, "done")
      assert.strictEqual(
        (yield* Effect.flip(handle.activity("job").updateOptions({ taskQueue: "" })))._tag,
        "ContractError"
      )
    }))

  test("reach the attempt that runs: the policy that decides on it is the new one (A15)", () =>
    Effect.gen(function*() {
      const go = gate()
      const { client } = yield* run(hosting(() => Effect.zipRight(go.pass, Effect.die("no"))))
      const handle = yield* started(client)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.state === "started")
      yield* handle.activity("job").updateOptions({ retry: { maximumAttempts: 1 } })
      yield* Effect.sleep("50 millis")
      yield* go.open
      assert.deepInclude((yield* handle.result) as Seen, { attempt: 1, retryState: "MaximumAttemptsReached" })
    }))
})

describe("why an attempt was interrupted", () => {
  const reasons = (
    reason: string,
    ask: (handle: Effect.Effect.Success<ReturnType<typeof started>>) => Effect.Effect<unknown, unknown>,
    options: Parameters<typeof started>[1] = {}
  ) =>
    test(`${reason} (A8)`, () =>
      Effect.gen(function*() {
        const log: Array<unknown> = []
        const { client, stop } = yield* run(hosting(() => Effect.onInterrupt(beating, () => logged(log)), {
          retry: { maximumAttempts: 1 }
        }))
        const handle = yield* started(client, options)
        yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.heartbeat === 1)
        yield* reason === "workerShutdown" ? stop : ask(handle)
        yield* until(Effect.sync(() => log), (log) => log.length > 0)
        assert.deepStrictEqual(log, [[reason]])
      }))

  reasons("cancelRequested", (handle) => handle.signal("cancel"), { wait: true })
  reasons("notFound", (handle) => handle.terminate())
  reasons("workerShutdown", () => Effect.void)
  reasons("timedOut", () => Effect.void, { startToClose: 150 })

  test("the first reason stays (A8)", () =>
    Effect.gen(function*() {
      const log: Array<unknown> = []
      const go = gate()
      const { client } = yield* run(hosting(() =>
        Effect.gen(function*() {
          yield* Activity.heartbeat(1)
          yield* go.pass
          yield* logged(log)
          yield* Effect.onInterrupt(beating, () => logged(log))
        })
      ))
      const handle = yield* started(client, { wait: true })
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.heartbeat === 1)
      yield* handle.activity("job").pause()
      // Told to the worker by its next poll.
      yield* Effect.sleep("50 millis")
      yield* go.open
      yield* until(Effect.sync(() => log), (log) => log.length > 0)
      yield* handle.signal("cancel")
      yield* until(Effect.sync(() => log), (log) => log.length > 1)
      assert.deepStrictEqual(log, [["paused"], ["paused"]])
    }))
})

describe("an activity that is not pending", () => {
  test("is not found (A15)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting(() => Effect.succeed("done")))
      const handle = yield* started(client)
      yield* handle.result
      const { pause, reset, unpause, updateOptions } = handle.activity("job")
      for (const command of [pause(), unpause(), reset(), updateOptions({})]) {
        assert.instanceOf(yield* Effect.flip(command), ActivityNotFound)
      }
      assert.strictEqual(
        (yield* Effect.flip(client.handle(Report, "unknown").activity("job").pause()))._tag,
        "WorkflowNotFound"
      )
    }))
})

// --- fixtures

const Job = Activity.make("Job", { success: Schema.Unknown, startToCloseTimeout: "10 seconds" })

const Report = Workflow.make("Report", {
  payload: {
    taskQueue: Schema.optional(Schema.String),
    startToClose: Schema.optional(Schema.Number),
    scheduleToStart: Schema.optional(Schema.Number),
    scheduleToClose: Schema.optional(Schema.Number),
    /** Another activity takes the slot first. */
    ahead: Schema.optional(Schema.Boolean),
    /** Waits for the signal, cancels the activity, and waits for what it makes of that. */
    wait: Schema.optional(Schema.Boolean)
  },
  success: Schema.Unknown,
  signals: { cancel: {} }
})

type Info = Effect.Effect.Success<typeof Activity.info>

const hosting = (
  body: (info: Info) => Effect.Effect<unknown, never, Effect.Effect.Context<typeof Activity.info>>,
  options: { readonly retry?: Activity.Options["retry"]; readonly slots?: number } = {}
) =>
  Worker.layer({
    ...(options.slots === undefined ? {} : { maxConcurrentActivities: options.slots }),
    shutdownGrace: 10,
    hosts: [
      Job.toLayer(() => Effect.flatMap(Activity.info, body)),
      Report.toLayer((payload) =>
        Effect.sync(() => {
          let canceled = false
          return Report.of({
            signals: { cancel: () => Effect.sync(() => void (canceled = true)) },
            run: Effect.gen(function*() {
              if (payload.ahead === true) yield* Job.start(undefined, { activityId: "first" })
              const call = {
                activityId: "job",
                retry: options.retry ?? { initialInterval: 1 },
                ...(payload.startToClose === undefined ? {} : { startToCloseTimeout: payload.startToClose }),
                ...(payload.scheduleToStart === undefined ? {} : { scheduleToStartTimeout: payload.scheduleToStart }),
                ...(payload.scheduleToClose === undefined ? {} : { scheduleToCloseTimeout: payload.scheduleToClose }),
                ...(payload.wait === true ? { cancellation: "WaitCancellationCompleted" as const } : {})
              }
              const job = yield* payload.taskQueue === undefined
                ? Job.start(undefined, call)
                : Job.start(undefined, { ...call, taskQueue: payload.taskQueue })
              if (payload.wait === true) {
                yield* Workflow.condition(() => canceled)
                yield* job.cancel
              }
              return yield* seen(job.result)
            })
          })
        })
      )
    ]
  })

const started = (client: Client["Type"], payload: Workflow.PayloadOf<typeof Report> = {}) =>
  client.start(Report, payload, { workflowId: "w" })

/** Says that it lives, for ever. */
const beating: Effect.Effect<never, never, Effect.Effect.Context<typeof Activity.info>> = Effect.forever(
  Effect.zipRight(Activity.heartbeat(1), Effect.sleep("5 millis"))
)

const logged = (log: Array<unknown>) =>
  Effect.map(
    Activity.cancellationDetails,
    (details) => log.push(Object.entries(details ?? {}).filter(([, is]) => is).map(([name]) => name))
  )
