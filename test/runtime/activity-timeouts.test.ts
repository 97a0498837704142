/**
 * The four timeouts of activities, and heartbeats. Timeouts that must strike are short, those that must not are long.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { Activity, ApplicationError, Worker, Workflow } from "perdure"
import type { TimeoutFailure } from "../../src/core/Failure.js"
import type { Seen } from "./World.js"
import { changed, gate, run, seen, test, until } from "./World.js"

describe("start-to-close", () => {
  test("interrupts an attempt that does not end, and it is tried again (A11)", () =>
    Effect.gen(function*() {
      const released: Array<number> = []
      const { client } = yield* run(hosting({ startToCloseTimeout: "30 millis" }, ({ attempt }) =>
        attempt === 3
          ? Effect.succeed("third")
          : Effect.onInterrupt(Effect.never, () => Effect.sync(() => released.push(attempt)))))
      assert.strictEqual(yield* client.execute(Report), "third")
      assert.deepStrictEqual(released, [1, 2])
    }))

  test("is what the body sees when attempts are used up (A11, R5, R12)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting({ startToCloseTimeout: "20 millis", retry: twice }, () => Effect.never))
      const seen = (yield* client.execute(Report)) as Seen
      assert.deepInclude(seen, { attempt: 2, retryState: "MaximumAttemptsReached" })
      assert.deepInclude(seen.failure, {
        _tag: "Timeout",
        timeout: "StartToClose",
        message: "attempt 2 did not end within 20 ms"
      })
    }))

  test("ends an attempt that cannot be interrupted; its late result is dropped, its slot is kept (A10, A11, A17)", () =>
    Effect.gen(function*() {
      const late = gate()
      const log: Array<string> = []
      const { client } = yield* run(hosting(
        { startToCloseTimeout: "50 millis" },
        ({ attempt }) =>
          attempt === 1
            ? Effect.uninterruptible(Effect.as(late.pass, "late")).pipe(
              Effect.ensuring(Effect.sync(() => log.push("first ended")))
            )
            : Effect.sync(() => {
              log.push(`attempt ${attempt}`)
              return "second"
            }),
        { maxConcurrentActivities: 1 }
      ))
      const handle = yield* client.start(Report)
      // The attempt is over for everybody else, and the next one waits.
      const { pendingActivities: [pending] } = yield* until(
        handle.describe,
        ({ pendingActivities }) => pendingActivities[0]?.attempt === 2 && pendingActivities[0].dueAt <= Date.now()
      )
      assert.strictEqual(pending!.state, "queued")
      assert.strictEqual(pending!.lastFailure, "attempt 1 did not end within 50 ms")
      yield* late.open
      assert.strictEqual(yield* handle.result, "second")
      assert.deepStrictEqual(log, ["first ended", "attempt 2"])
    }))

  test("or schedule-to-close must be given: without either the turn fails, and says so (A14)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting({}, () => Effect.void))
      const handle = yield* client.start(Report)
      const { attention } = yield* until(handle.describe, (description) => description.attention !== undefined)
      assert.strictEqual(attention!._tag, "TurnFailed")
      assert.include(attention!.message, "startToCloseTimeout")
    }))
})

describe("schedule-to-start", () => {
  const late = (seen: Seen) => {
    assert.deepInclude(seen, { attempt: 1, retryState: "NonRetryableFailure" })
    assert.deepInclude(seen.failure, { _tag: "Timeout", timeout: "ScheduleToStart" })
  }

  test("strikes on a queue that nobody serves, and is not retried (A12)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({
        hosts: [
          Report.toLayer(() => seen(Job.execute(undefined, { ...options, taskQueue: "nobody" })))
        ]
      }))
      late((yield* client.execute(Report)) as Seen)
    }))

  test("strikes behind full slots (A12, A17)", () =>
    Effect.gen(function*() {
      const done = gate()
      const { client } = yield* run(Worker.layer({
        maxConcurrentActivities: 1,
        hosts: [
          Report.toLayer(() =>
            Effect.gen(function*() {
              const first = yield* Job.start(undefined, { startToCloseTimeout: "1 minute" })
              const second = yield* seen(Job.execute(undefined, options))
              return [second, yield* seen(first.result)]
            })
          ),
          Job.toLayer(() => Effect.as(done.pass, "first"))
        ]
      }))
      const handle = yield* client.start(Report)
      // The first one still runs: nothing but the timeout gets the second one out.
      yield* until(handle.describe, ({ pendingActivities }) =>
        pendingActivities.length === 1 && pendingActivities[0]!.state === "started")
      yield* done.open
      const [second, first] = (yield* handle.result) as [Seen, unknown]
      late(second)
      assert.strictEqual(first, "first")
    }))

  test("strikes for an attempt that waits for its retry behind full slots (A12)", () =>
    Effect.gen(function*() {
      const done = gate()
      const Other = Activity.make("Other", { startToCloseTimeout: "1 minute" })
      const { client } = yield* run(Worker.layer({
        maxConcurrentActivities: 1,
        hosts: [
          Report.toLayer(() =>
            Effect.gen(function*() {
              const first = yield* Job.start(undefined, { ...options, retry: { initialInterval: "20 millis" } })
              const other = yield* Other.start()
              const outcome = yield* seen(first.result)
              yield* Effect.orDie(other.result)
              return outcome
            })
          ),
          Job.toLayer(() => Effect.die("again")),
          Other.toLayer(() => done.pass)
        ]
      }))
      const handle = yield* client.start(Report)
      yield* until(handle.describe, ({ pendingActivities }) =>
        pendingActivities.length === 1 && pendingActivities[0]!.activity === "Other")
      yield* done.open
      const outcome = (yield* handle.result) as Seen
      assert.deepInclude(outcome, { attempt: 2, retryState: "NonRetryableFailure" })
      assert.deepInclude(outcome.failure, { _tag: "Timeout", timeout: "ScheduleToStart" })
    }))

  const options = { startToCloseTimeout: "1 minute", scheduleToStartTimeout: "60 millis" } as const
})

describe("schedule-to-close", () => {
  test("strikes while an attempt runs, and is not retried (A13)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting(
        { startToCloseTimeout: "1 hour", scheduleToCloseTimeout: "400 millis" },
        ({ attempt }) => attempt === 1 ? Effect.die("again") : Effect.never
      ))
      const seen = (yield* client.execute(Report)) as Seen
      // It counts from the first attempt on.
      assert.deepInclude(seen, { attempt: 2, retryState: "Timeout" })
      assert.deepInclude(seen.failure, {
        _tag: "Timeout",
        timeout: "ScheduleToClose",
        message: "no result within 400 ms of being scheduled"
      })
      assert.deepInclude((seen.failure as TimeoutFailure).cause, { type: "string", message: "again" })
    }))

  test("ends retries over which it runs out, with the last failure (A13)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting(
        { scheduleToCloseTimeout: "200 millis", retry: { initialInterval: "5 millis", backoffCoefficient: 1 } },
        ({ attempt }) => new ApplicationError({ type: "Busy", message: `attempt ${attempt}` })
      ))
      const seen = (yield* client.execute(Report)) as Seen
      assert.strictEqual(seen.retryState, "Timeout")
      assert.isAbove(seen.attempt, 1)
      // Either the next retry would have begun after it, or its attempt did not get a slot before it.
      const failure = seen.failure._tag === "Timeout" ? seen.failure.cause! : seen.failure
      assert.deepInclude(failure, { _tag: "Application", type: "Busy" })
    }))

  test("fails at once where the next retry would begin after it (A13)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting(
        { scheduleToCloseTimeout: "10 minutes", retry: { initialInterval: "1 hour" } },
        () => new ApplicationError({ type: "Busy", message: "later" })
      ))
      const seen = (yield* client.execute(Report)) as Seen
      assert.deepInclude(seen, { attempt: 1, retryState: "Timeout" })
      assert.deepInclude(seen.failure, { _tag: "Application", type: "Busy" })
    }))

  test("strikes for what nobody ever started (A13)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({
        hosts: [
          Report.toLayer(() =>
            seen(Job.execute(undefined, { scheduleToCloseTimeout: "60 millis", taskQueue: "nobody" }))
          )
        ]
      }))
      const outcome = (yield* client.execute(Report)) as Seen
      assert.strictEqual(outcome.retryState, "Timeout")
      assert.deepInclude(outcome.failure, { _tag: "Timeout", timeout: "ScheduleToClose" })
    }))
})

describe("heartbeats", () => {
  test("their absence ends the attempt; the next one has the details (A4, A5)", () =>
    Effect.gen(function*() {
      const found: Array<unknown> = []
      const { client } = yield* run(hosting(
        { ...long, heartbeatTimeout: "60 millis" },
        ({ attempt }) =>
          Effect.gen(function*() {
            found.push(yield* Activity.lastHeartbeat(Schema.Struct({ row: Schema.Number })))
            if (attempt === 3) return "done"
            if (attempt === 1) yield* Activity.heartbeat({ row: 7 })
            // A sign of life without details leaves what was recorded.
            else yield* Activity.heartbeat()
            return yield* Effect.never
          }).pipe(Effect.orDie)
      ))
      assert.strictEqual(yield* client.execute(Report), "done")
      assert.deepStrictEqual(found, [undefined, { row: 7 }, { row: 7 }])
    }))

  test("their last details are in the failure when attempts are used up (A4)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting(
        { ...long, heartbeatTimeout: "60 millis", retry: twice },
        ({ attempt }) => Effect.zipRight(Activity.heartbeat({ attempt }), Effect.never)
      ))
      const seen = (yield* client.execute(Report)) as Seen
      assert.strictEqual(seen.retryState, "MaximumAttemptsReached")
      assert.deepInclude(seen.failure, { timeout: "Heartbeat", lastHeartbeat: { attempt: 2 } })
    }))

  test("keep an attempt alive for longer than their timeout (A4)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting({ ...long, heartbeatTimeout: "400 millis" }, ({ attempt }) =>
        Effect.as(
          Effect.repeatN(Effect.zipLeft(Activity.heartbeat(), Effect.sleep("20 millis")), 40),
          attempt
        )))
      assert.strictEqual(yield* client.execute(Report), 1)
    }))

  test("without their timeout none are asked for (A4)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting(long, () => Effect.delay(Effect.succeed("quiet"), "50 millis")))
      assert.strictEqual(yield* client.execute(Report), "quiet")
    }))

  test("are recorded at once at first, and when the attempt fails the latest (A3)", () =>
    Effect.gen(function*() {
      const recorded = gate()
      const found: Array<unknown> = []
      const { client } = yield* run(hosting(long, ({ attempt }) =>
        Effect.gen(function*() {
          found.push(yield* Activity.lastHeartbeat(Schema.Number))
          if (attempt === 2) return "done"
          yield* Activity.heartbeat(1)
          yield* recorded.pass
          yield* Activity.heartbeat(2)
          yield* Activity.heartbeat(3)
          return yield* Effect.die("again")
        }).pipe(Effect.orDie)))
      const handle = yield* client.start(Report)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.heartbeat === 1)
      yield* recorded.open
      yield* handle.result
      assert.deepStrictEqual(found, [undefined, 3])
      // 2 was never written: it was superseded before its time came.
      assert.deepStrictEqual(written, ["1", "3"])
    }), spied)

  test("in between are recorded at intervals, the latest winning (A3)", () =>
    Effect.gen(function*() {
      const seenAll = gate()
      const { client } = yield* run(hosting({ ...long, heartbeatTimeout: "500 millis" }, () =>
        Effect.gen(function*() {
          for (let i = 1; i <= 50; i++) yield* Activity.heartbeat(i)
          // Signs of life, until the last details were seen.
          yield* Effect.race(
            seenAll.pass,
            Effect.forever(Effect.zipRight(Activity.heartbeat(), Effect.sleep("20 millis")))
          )
        })))
      const handle = yield* client.start(Report)
      yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.heartbeat === 50)
      yield* seenAll.open
      yield* handle.result
      assert.deepStrictEqual(written, ["1", "50"])
    }), spied)

  test("whose details are not JSON fail the attempt with that error (A3)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting({ ...long, retry: twice }, () => Activity.heartbeat(new Map())))
      const seen = (yield* client.execute(Report)) as Seen
      assert.deepInclude(seen.failure, { type: "ContractError" })
      assert.include(seen.failure.message, "heartbeat details")
    }))

  test("whose details do not fit the schema of a later version can be told from none (A5)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(hosting(long, ({ attempt }) =>
        attempt === 1
          ? Effect.zipRight(Activity.heartbeat("text"), Effect.die("again"))
          : Effect.map(Effect.exit(Activity.lastHeartbeat(Schema.Number)), Exit.isFailure)))
      assert.strictEqual(yield* client.execute(Report), true)
    }))

  const long = { startToCloseTimeout: "1 minute" } as const
})

// -----------------------------------------------------------------------------
// fixtures
// -----------------------------------------------------------------------------

const Report = Workflow.make("Report", { success: Schema.Unknown })
const Job = Activity.make("Job", { success: Schema.Unknown, retry: { initialInterval: "1 millis" } })
const twice = { initialInterval: "1 millis", maximumAttempts: 2 } as const

type Info = Effect.Effect.Success<typeof Activity.info>

/** A worker whose only workflow runs the job once. */
const hosting = (
  options: Activity.CallOptions,
  body: (info: Info) => Effect.Effect<unknown, ApplicationError, Effect.Effect.Context<typeof Activity.info>>,
  worker: { readonly maxConcurrentActivities?: number } = {}
) =>
  Worker.layer({
    ...worker,
    hosts: [
      Report.toLayer(() => seen(Job.execute(undefined, { ...options, taskQueue: undefined }))),
      Job.toLayer(() => Effect.flatMap(Activity.info, body))
    ]
  })

/** The heartbeats that were written, as JSON. */
let written: Array<string> = []

const spied = changed((store) => {
  written = []
  return {
    commit: (commit) => {
      for (const change of commit.tasks) if (change._tag === "Heartbeat") written.push(change.details)
      return store.commit(commit)
    }
  }
})
