/**
 * Executions that repeat by a cron (X10), with what a run knows of the one before it (W17), in time that skips.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { StartOptions } from "perdure"
import { Client, ContractError, Liveness, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import { TestEnvironment } from "perdure/testing"

class Spoiled extends Schema.TaggedError<Spoiled>()("Spoiled", { n: Schema.Number }) {}

const Way = Schema.Literal("gives", "fails", "sleeps", "continues")

const Seen = Schema.Struct({
  n: Schema.Number,
  at: Schema.String,
  attempt: Schema.Number,
  last: Schema.NullOr(Schema.Number),
  failed: Schema.NullOr(Schema.String)
})

/** Goes the way of its number, which counts the runs; the last one for all that follow. */
const Report = Workflow.make("Report", {
  payload: { ways: Schema.Array(Way), continued: Schema.Boolean },
  success: Schema.Number,
  error: Spoiled,
  signals: { note: { payload: Schema.String } }
})

/** What each run saw, outside of any history. */
let seen: Array<typeof Seen.Type> = []

const ReportLive = Report.toLayer(({ continued, ways }) =>
  Effect.gen(function*() {
    const last = Option.getOrNull(yield* Workflow.lastResult(Report))
    const failure = Option.getOrNull(yield* Workflow.lastFailure(Report))
    const { attempt } = yield* Workflow.info
    const n = (last ?? 0) + 1
    return Report.of({
      signals: { note: () => Effect.void },
      run: Effect.gen(function*() {
        const at = new Date(yield* Workflow.now).toISOString()
        seen.push({ n, at, attempt, last, failed: failure?._tag ?? null })
        if (continued) return n
        switch (ways[Math.min(seen.length, ways.length) - 1]) {
          case "fails":
            return yield* new Spoiled({ n })
          case "sleeps":
            yield* Effect.sleep("90 minutes")
            return n
          case "continues":
            return yield* Workflow.continueAsNew(Report, { ways, continued: true })
          default:
            return n
        }
      })
    })
  }).pipe(Effect.orDie)
)

const inTime = (name: string, program: () => Effect.Effect<void, unknown, TestEnvironment | Client | Store>) =>
  it.live(name, () =>
    Effect.suspend(() => {
      seen = []
      return Effect.provide(
        program(),
        TestEnvironment.layer({ hosts: [ReportLive], startAt: new Date("2026-11-27T06:40:00Z") })
      )
    }))

const start = (
  ways: ReadonlyArray<typeof Way.Type>,
  options: Pick<StartOptions, "cron" | "retry" | "startDelay" | "executionTimeout"> = {}
) =>
  Effect.flatMap(
    Client,
    (client) => client.start(Report, { ways, continued: false }, { workflowId: "report", cron: "@hourly", ...options })
  )

const times = () => seen.map(({ at }) => at.slice(11, 19))

describe("a cron", () => {
  inTime(
    "repeats under one workflow id, each run with what the one before gave (X10, W17)",
    () =>
      Effect.gen(function*() {
        const handle = yield* start(["gives"])
        const held = yield* handle.describe
        assert.deepInclude(held, { status: "Running", startAt: Date.parse("2026-11-27T07:00:00Z") })
        assert.deepStrictEqual(yield* Liveness.check, [])
        const env = yield* TestEnvironment
        yield* env.sleep("3 hours")
        assert.deepStrictEqual(times(), ["07:00:00", "08:00:00", "09:00:00"])
        assert.deepStrictEqual(seen.map(({ last }) => last), [null, 1, 2])
        const store = yield* Store
        const runs = yield* store.runs({ limit: 10 })
        assert.deepStrictEqual(runs.map(({ status }) => status).sort(), [
          "Completed",
          "Completed",
          "Completed",
          "Running"
        ])
        assert.deepStrictEqual(new Set(runs.map(({ firstRunId }) => firstRunId)), new Set([handle.runId]))
        assert.deepStrictEqual(yield* Liveness.check, [])
        yield* handle.cancel("enough")
        // The run that had not begun meets the request at its first wait, has none, and is the last.
        yield* handle.result
        yield* env.sleep("3 hours")
        assert.strictEqual((yield* store.runs({ limit: 10 })).filter(({ status }) => status === "Running").length, 0)
      })
  )

  inTime("leaves out what was missed while a run went on (X10)", () =>
    Effect.gen(function*() {
      yield* start(["sleeps"])
      yield* (yield* TestEnvironment).sleep("6 hours")
      assert.deepStrictEqual(times(), ["07:00:00", "09:00:00", "11:00:00"])
    }))

  inTime(
    "goes on after a failure, which the next run sees; retries come first (X10, X9, W17)",
    () =>
      Effect.gen(function*() {
        yield* start(["gives", "fails", "fails", "gives"], {
          retry: { initialInterval: "1 minute", maximumAttempts: 2 }
        })
        yield* (yield* TestEnvironment).sleep("4 hours")
        assert.deepStrictEqual(seen.map(({ at, ...rest }) => ({ at: at.slice(11, 19), ...rest })), [
          { at: "07:00:00", n: 1, attempt: 1, last: null, failed: null },
          { at: "08:00:00", n: 2, attempt: 1, last: 1, failed: null },
          { at: "08:01:00", n: 2, attempt: 2, last: 1, failed: "Spoiled" },
          { at: "09:00:00", n: 2, attempt: 1, last: 1, failed: "Spoiled" },
          { at: "10:00:00", n: 3, attempt: 1, last: 2, failed: null }
        ])
      })
  )

  inTime("is kept by a run that continues as new, which begins at once (X10, K10)", () =>
    Effect.gen(function*() {
      yield* start(["continues", "gives"])
      yield* (yield* TestEnvironment).sleep("90 minutes")
      assert.deepStrictEqual(times(), ["07:00:00", "07:00:00", "08:00:00"])
    }))

  inTime("ends by a termination, and by the time of the execution (X10, X8)", () =>
    Effect.gen(function*() {
      const env = yield* TestEnvironment
      const handle = yield* start(["gives"])
      yield* env.sleep("1 hour")
      yield* handle.terminate("enough")
      yield* env.sleep("5 hours")
      assert.strictEqual(seen.length, 1)
      assert.deepInclude(yield* Effect.flip(handle.result), { status: "Terminated" })
      yield* start(["gives"], { executionTimeout: "90 minutes" })
      yield* env.sleep("5 hours")
      assert.strictEqual(seen.length, 3)
    }))

  inTime("keeps signals that come between two runs for the next one (X10, X7)", () =>
    Effect.gen(function*() {
      const handle = yield* start(["gives"])
      const env = yield* TestEnvironment
      yield* env.sleep("1 hour")
      yield* handle.signal("note", "between")
      assert.strictEqual(seen.length, 1)
      yield* env.sleep("1 hour")
      const store = yield* Store
      const runs = yield* store.runs({ limit: 10 })
      const notes = yield* Effect.forEach(runs, (run) =>
        Effect.map(store.history(run.runId, 0, 10), (rows) =>
          rows.filter(({ events }) =>
            events.includes("between")
          ).length))
      assert.deepStrictEqual(notes.sort(), [0, 0, 1])
      assert.deepStrictEqual(times(), ["07:00:00", "08:00:00"])
    }))

  inTime("that means nothing, or goes with a delay, is refused at the start (X10, X7)", () =>
    Effect.gen(function*() {
      for (
        const [options, reason] of [
          [{ cron: "every day" }, "no cron expression"],
          [{ cron: "0 0 30 2 *" }, "never comes"],
          [{ startDelay: "1 minute" }, "goes with no cron"]
        ] as const
      ) {
        const refused = yield* Effect.flip(start(["gives"], options))
        assert.instanceOf(refused, ContractError)
        assert.include((refused as ContractError).message, reason)
      }
    }))
})
