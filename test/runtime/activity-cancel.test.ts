/**
 * Cancellation of activities: by the awaiting fiber, by handle, by the run; waiting, running, and ignoring it.
 */
import { assert, describe } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { identity } from "effect/Function"
import * as Schema from "effect/Schema"
import type { ActivityError } from "perdure"
import { Activity, ApplicationError, Worker, Workflow, WorkflowFailure } from "perdure"
import type { Seen } from "./World.js"
import { gate, run, seen, test, until } from "./World.js"

describe("interrupting the wait for an activity", () => {
  test("by default asks for its cancellation and goes on at once; it is interrupted, its finalizers run (C5, A6)", () =>
    Effect.gen(function*() {
      const job = observed()
      const { client } = yield* run(hosting(job.body, (go) => interrupted(Job.execute(), go)))
      const handle = yield* client.start(Report)
      yield* job.started
      yield* handle.signal("go")
      assert.strictEqual(yield* handle.result, "went on")
      assert.strictEqual(yield* job.ended, "interrupted")
    }))

  test("by default does not wait for one that takes its time; its late result is dropped (C5)", () =>
    Effect.gen(function*() {
      const late = gate()
      const job = observed(Effect.as(late.pass, "late"), Effect.uninterruptible)
      const { client } = yield* run(
        hosting(job.body, (go) => Effect.zipRight(interrupted(Job.execute(), go), Workflow.condition(() => false)))
      )
      const handle = yield* client.start(Report)
      yield* job.started
      yield* handle.signal("go")
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.cancelRequested === true)
      yield* late.open
      assert.strictEqual(yield* job.ended, "late")
      const events = yield* until(
        Effect.map(handle.history, (turns) => turns.flatMap((turn) => turn.events.map((event) => event._tag))),
        (tags) => tags.includes("ActivityCompleted")
      )
      assert.isBelow(events.indexOf("ActivityCancelRequested"), events.indexOf("ActivityCompleted"))
      assert.strictEqual((yield* handle.describe).status, "Running")
    }))

  test("waits for its outcome with WaitCancellationCompleted (C6)", () =>
    Effect.gen(function*() {
      const cleaned = gate()
      const job = observed(Effect.onInterrupt(Effect.never, () => cleaned.pass))
      const { client } = yield* run(
        hosting(
          job.body,
          (go) => interrupted(Job.execute(undefined, { cancellation: "WaitCancellationCompleted" }), go)
        )
      )
      const handle = yield* client.start(Report)
      yield* job.started
      yield* handle.signal("go")
      // The run waits for as long as the cleaning up takes.
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.cancelRequested === true)
      assert.strictEqual((yield* handle.describe).status, "Running")
      yield* cleaned.open
      assert.strictEqual(yield* handle.result, "went on")
    }))

  test("leaves it alone with Abandon (C7)", () =>
    Effect.gen(function*() {
      const finish = gate()
      const job = observed(Effect.as(finish.pass, "finished"))
      const { client } = yield* run(
        hosting(job.body, (go) => interrupted(Job.execute(undefined, { cancellation: "Abandon" }), go))
      )
      const handle = yield* client.start(Report)
      yield* job.started
      yield* handle.signal("go")
      assert.strictEqual(yield* handle.result, "went on")
      yield* finish.open
      assert.strictEqual(yield* job.ended, "finished")
      const tags = (yield* handle.history).flatMap((turn) => turn.events.map((event) => event._tag))
      assert.notInclude(tags, "ActivityCancelRequested")
    }))

  test("in the turn that scheduled it leaves no trace of it (C8)", () =>
    Effect.gen(function*() {
      const job = observed()
      const { client } = yield* run(hosting(job.body, () =>
        Effect.gen(function*() {
          yield* Effect.timeoutOption(Effect.race(Job.execute(), Effect.yieldNow()), "1 hour")
          const handle = yield* Job.start()
          yield* handle.cancel
          return (yield* seen(handle.result)) as Seen
        })))
      const handle = yield* client.start(Report)
      assert.strictEqual(((yield* handle.result) as Seen).retryState, "CancelRequested")
      const tags = (yield* handle.history).flatMap((turn) => turn.events.map((event) => event._tag))
      assert.deepStrictEqual(tags, ["ExecutionStarted", "ExecutionCompleted"])
      assert.isFalse(job.hasStarted())
    }))
})

describe("canceling by handle", () => {
  const by = (cancellation: Activity.CallOptions["cancellation"], go: Effect.Effect<void>) =>
    Effect.gen(function*() {
      const other = yield* Job.start(undefined, { activityId: "other" })
      const handle = yield* Job.start(undefined, { activityId: "canceled", cancellation })
      yield* go
      yield* handle.cancel
      const canceled = yield* seen(handle.result)
      yield* Effect.fork(other.cancel)
      return canceled
    })

  test("shows it canceled at once by default, and touches no other (C5, C9)", () =>
    Effect.gen(function*() {
      const canceled: Array<string> = []
      let started = 0
      const { client } = yield* run(hosting(
        ({ activityId }) =>
          Effect.onInterrupt(Effect.zipRight(Effect.sync(() => started++), Effect.never), () =>
            Effect.sync(() => canceled.push(activityId))),
        (go) =>
          Effect.zipLeft(by("TryCancel", go), Effect.sleep("1 hour"))
      ))
      const handle = yield* client.start(Report)
      yield* until(Effect.sync(() => started), (started) => started === 2)
      yield* handle.signal("go")
      yield* until(Effect.sync(() => canceled), (canceled) => canceled.length > 0)
      assert.strictEqual(canceled[0], "canceled")
    }))

  test("shows what it makes of the request with WaitCancellationCompleted: it may succeed all the same (C6, C9, A6)", () =>
    Effect.gen(function*() {
      const done = gate()
      const job = observed(Effect.as(done.pass, "saved"), Effect.uninterruptible)
      const { client } = yield* run(hosting(job.body, (go) => by("WaitCancellationCompleted", go)))
      const handle = yield* client.start(Report)
      yield* job.started
      yield* handle.signal("go")
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities.some((each) => each.cancelRequested))
      yield* done.open
      assert.strictEqual(yield* handle.result, "saved")
    }))

  test("or fail, which is not tried again (C6, R4)", () =>
    Effect.gen(function*() {
      const started = gate()
      const done = gate()
      const { client } = yield* run(hosting(
        () =>
          Effect.uninterruptible(
            started.open.pipe(
              Effect.zipRight(done.pass),
              Effect.zipRight(new ApplicationError({ type: "Broken", message: "while it was canceled" }))
            )
          ),
        (go) => by("WaitCancellationCompleted", go)
      ))
      const handle = yield* client.start(Report)
      yield* started.pass
      yield* handle.signal("go")
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities.some((each) => each.cancelRequested))
      yield* done.open
      const outcome = (yield* handle.result) as Seen
      assert.deepInclude(outcome, { attempt: 1, retryState: "CancelRequested" })
      assert.deepInclude(outcome.failure, { type: "Broken" })
    }))

  test("shows it canceled at once with Abandon, and it runs on (C7, C9)", () =>
    Effect.gen(function*() {
      const job = observed(Effect.never)
      const { client } = yield* run(hosting(job.body, (go) =>
        Effect.gen(function*() {
          const handle = yield* Job.start(undefined, { cancellation: "Abandon" })
          yield* go
          yield* handle.cancel
          return yield* seen(handle.result)
        })))
      const handle = yield* client.start(Report)
      yield* job.started
      yield* handle.signal("go")
      assert.strictEqual(((yield* handle.result) as Seen).failure._tag, "Canceled")
      assert.isFalse(job.hasEnded())
    }))
})

describe("a cancel request", () => {
  const wait = { cancellation: "WaitCancellationCompleted" } as const

  test("ends an activity that waits for a slot (C6)", () =>
    Effect.gen(function*() {
      const job = observed()
      const { client } = yield* run(hosting(
        job.body,
        (go) =>
          Effect.gen(function*() {
            yield* Job.start()
            const second = yield* Job.start(undefined, wait)
            yield* go
            yield* second.cancel
            return yield* seen(second.result)
          }),
        { maxConcurrentActivities: 1 }
      ))
      const handle = yield* client.start(Report)
      yield* job.started
      yield* handle.signal("go")
      const outcome = (yield* handle.result) as Seen
      assert.deepInclude(outcome, { attempt: 1, retryState: "CancelRequested" })
      assert.strictEqual(outcome.failure._tag, "Canceled")
    }))

  test("ends an activity that gets its slot in the very turn that cancels it (C6)", () =>
    Effect.gen(function*() {
      const started: Array<string> = []
      const { client } = yield* run(hosting(
        ({ activityId }) => {
          started.push(activityId)
          return activityId === "second" ? Effect.never : Effect.succeed(1)
        },
        () =>
          Effect.gen(function*() {
            const first = yield* Job.start(undefined, { activityId: "first" })
            const second = yield* Job.start(undefined, { ...wait, activityId: "second" })
            yield* first.result
            yield* second.cancel
            return yield* seen(second.result)
          }),
        { maxConcurrentActivities: 1 }
      ))
      const outcome = (yield* client.execute(Report)) as Seen
      assert.strictEqual(outcome.failure._tag, "Canceled")
      assert.deepStrictEqual(started, ["first"])
    }))

  test("ends an activity that waits for its next attempt (C6)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting(
        () => Effect.die("again"),
        (go) =>
          Effect.gen(function*() {
            const job = yield* Job.start(undefined, { ...wait, retry: { initialInterval: "1 hour" } })
            yield* go
            yield* job.cancel
            return yield* seen(job.result)
          })
      ))
      const handle = yield* client.start(Report)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.attempt === 2)
      yield* handle.signal("go")
      const outcome = (yield* handle.result) as Seen
      assert.strictEqual(outcome.failure._tag, "Canceled")
    }))

  test("ends an activity of a queue that nobody serves (C6)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting(
        () => Effect.void,
        (go) =>
          Effect.gen(function*() {
            const job = yield* Job.start(undefined, { ...wait, taskQueue: "nobody" })
            yield* go
            yield* job.cancel
            return yield* seen(job.result)
          })
      ))
      const handle = yield* client.start(Report)
      yield* handle.signal("go")
      const outcome = (yield* handle.result) as Seen
      assert.strictEqual(outcome.failure._tag, "Canceled")
    }))

  test("is told with the next heartbeat too, and an uninterruptible region goes on (A3, A6)", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const started = gate()
      const told = gate()
      const { client } = yield* run(hosting(
        () =>
          Effect.gen(function*() {
            yield* Effect.uninterruptible(Effect.gen(function*() {
              yield* started.open
              yield* told.pass
              yield* Activity.heartbeat("still here")
              log.push("goes on")
            }))
            yield* Activity.heartbeat("never")
            log.push("must not come")
          }),
        (go) =>
          Effect.gen(function*() {
            const job = yield* Job.start(undefined, wait)
            yield* go
            yield* job.cancel
            return yield* seen(job.result)
          })
      ))
      const handle = yield* client.start(Report)
      yield* started.pass
      yield* handle.signal("go")
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.cancelRequested === true)
      yield* told.open
      const outcome = (yield* handle.result) as Seen
      assert.strictEqual(outcome.failure._tag, "Canceled")
      assert.deepStrictEqual(log, ["goes on"])
    }))

  test("of the run cancels the activity it waits for, and the run ends as canceled (C2, C3)", () =>
    Effect.gen(function*() {
      const job = observed()
      const { client } = yield* run(hosting(job.body, () => Effect.orDie(Job.execute())))
      const handle = yield* client.start(Report)
      yield* job.started
      yield* handle.cancel("enough")
      const error = yield* Effect.flip(handle.result)
      assert.instanceOf(error, WorkflowFailure)
      assert.strictEqual((error as WorkflowFailure).status, "Canceled")
      assert.strictEqual(yield* job.ended, "interrupted")
    }))

  test("that nobody made leaves an interruption a failure like any other (A7)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting(
        ({ attempt }) => attempt === 1 ? Effect.interrupt : Effect.succeed("second"),
        () => Effect.orDie(Job.execute())
      ))
      const handle = yield* client.start(Report)
      assert.strictEqual(yield* handle.result, "second")
    }))
})

// -----------------------------------------------------------------------------
// fixtures
// -----------------------------------------------------------------------------

const Report = Workflow.make("Report", { success: Schema.Unknown, signals: { go: {} } })
const Job = Activity.make("Job", {
  success: Schema.Unknown,
  startToCloseTimeout: "1 minute",
  retry: { initialInterval: "1 millis" }
})

type Info = Effect.Effect.Success<typeof Activity.info>
type Body = (info: Info) => Effect.Effect<unknown, ApplicationError, Effect.Effect.Context<typeof Activity.info>>
type Services = Effect.Effect.Context<typeof Workflow.info> | Activity.Hosted<"Job">
type Program = Effect.Effect<unknown, ActivityError, Services>

/** A worker whose workflow runs the given program; `go` waits for the signal. */
const hosting = (
  body: Body,
  program: (go: Effect.Effect<void>) => Program,
  options: { readonly maxConcurrentActivities?: number } = {}
) =>
  Worker.layer({
    ...options,
    shutdownGrace: 0,
    hosts: [
      Report.toLayer(() =>
        Effect.gen(function*() {
          const go = yield* Deferred.make<void>()
          return Report.of({
            signals: { go: () => Deferred.succeed(go, undefined) },
            run: program(Deferred.await(go))
          })
        })
      ),
      Job.toLayer(() => Effect.flatMap(Activity.info, body))
    ]
  })

/** Waits for the activity until it may go, then interrupts the wait. */
const interrupted = (wait: Program, go: Effect.Effect<void>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(wait)
    yield* go
    yield* Fiber.interrupt(fiber)
    return "went on"
  })

/** An activity that tells when it starts and how it ends. By default it would never end. */
const observed = (
  work: Effect.Effect<unknown> = Effect.never,
  whole: (body: Effect.Effect<unknown>) => Effect.Effect<unknown> = identity
) => {
  const started = Deferred.unsafeMake<void>(FiberId.none)
  const ended = Deferred.unsafeMake<unknown>(FiberId.none)
  let flags = ""
  return {
    body: () =>
      Deferred.succeed(started, undefined).pipe(
        Effect.tap(Effect.sync(() => flags += "s")),
        Effect.zipRight(work),
        Effect.tap((value) => Deferred.succeed(ended, value)),
        Effect.onInterrupt(() => Deferred.succeed(ended, "interrupted")),
        Effect.ensuring(Effect.sync(() => flags += "e")),
        whole
      ),
    started: Deferred.await(started),
    ended: Deferred.await(ended),
    hasStarted: () => flags.includes("s"),
    hasEnded: () => flags.includes("e")
  }
}
