/**
 * What is logged of activities, and a client in their hands (A2, R9, A18).
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schema from "effect/Schema"
import { Activity, ApplicationError, Client, StoreClient, Worker, Workflow } from "perdure"
import { run, seen, test } from "./World.js"

interface Line {
  readonly level: string
  readonly message: string
  readonly annotations: Readonly<Record<string, unknown>>
}

/** All lines that are logged from here on. */
const listening = (lines: Array<Line>) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  effect.pipe(
    Logger.withMinimumLogLevel(LogLevel.All),
    Effect.provide(
      Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ annotations, logLevel, message }) => {
          lines.push({
            level: logLevel.label,
            message: String(Array.isArray(message) ? message[0] : message),
            annotations: Object.fromEntries(annotations)
          })
        })
      )
    )
  )

describe("what an activity logs", () => {
  test("says which attempt it is of, in its own fibers too; the author's annotations stay, and go no further (A2)", () =>
    Effect.gen(function*() {
      const lines: Array<Line> = []
      yield* listening(lines)(Effect.gen(function*() {
        const { client } = yield* run(Worker.layer({
          hosts: [
            Report.toLayer(() => seen(Job.execute(0, { activityId: "job" }))),
            Job.toLayer(() =>
              Effect.gen(function*() {
                yield* Effect.annotateLogs(Effect.logInfo("mine"), { attempt: "my own", page: 7 })
                yield* Effect.all([Effect.logInfo("child"), Effect.void], { concurrency: 2 })
                return 1
              })
            )
          ]
        }))
        const handle = yield* client.start(Report, undefined, { workflowId: "w" })
        yield* handle.result
        yield* Effect.logInfo("outside")
        const of = (message: string) => lines.find((line) => line.message === message)?.annotations
        const own = { activity: "Job", activityId: "job", workflow: "Report", workflowId: "w", runId: handle.runId }
        assert.deepStrictEqual(of("mine"), { ...own, attempt: "my own", page: 7 })
        assert.deepStrictEqual(of("child"), { ...own, attempt: 1 })
        assert.deepStrictEqual(of("outside"), {})
      }))
    }))
})

describe("a failed attempt", () => {
  test("is a warning, and a benign one is not (R9)", () =>
    Effect.gen(function*() {
      const lines: Array<Line> = []
      yield* listening(lines)(Effect.gen(function*() {
        const { client } = yield* run(Worker.layer({
          hosts: [
            Report.toLayer(() => Effect.all([seen(Job.execute(1)), seen(Job.execute(2))])),
            Job.toLayer((n) =>
              new ApplicationError({ type: "No", message: `no ${n}`, ...(n === 2 ? { category: "Benign" } : {}) })
            )
          ]
        }))
        yield* client.execute(Report)
      }))
      const levels = (n: number) =>
        lines.filter(({ message }) => message.includes("of activity Job failed") && message.includes(`no ${n}`))
          .map(({ level }) => level)
      assert.deepStrictEqual(levels(1), ["WARN", "WARN"])
      assert.deepStrictEqual(levels(2), ["DEBUG", "DEBUG"])
    }))
})

describe("a client in an activity", () => {
  test("is a service like any other: it signals its own workflow (A18, K9)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(
        Worker.layer({
          hosts: [
            Waiting.toLayer(() =>
              Effect.sync(() => {
                let word = ""
                return Waiting.of({
                  signals: { say: (said) => Effect.sync(() => void (word = said)) },
                  run: Effect.gen(function*() {
                    yield* Effect.orDie(Job.execute(1))
                    yield* Workflow.condition(() => word !== "")
                    return word
                  })
                })
              })
            ),
            Job.toLayer((n) =>
              Effect.gen(function*() {
                const own = yield* Client
                const { runId, workflowId } = yield* Activity.info
                yield* Effect.orDie(own.handle(Waiting, workflowId, runId).signal("say", "from the activity"))
                return n
              })
            )
          ]
        }).pipe(Layer.provide(StoreClient.layer))
      )
      assert.strictEqual(yield* client.execute(Waiting), "from the activity")
    }))
})

// --- fixtures

const Job = Activity.make("Job", {
  payload: Schema.Number,
  success: Schema.Number,
  startToCloseTimeout: "10 seconds",
  retry: { initialInterval: 1, maximumAttempts: 2 }
})
const Report = Workflow.make("Report", { success: Schema.Unknown })
const Waiting = Workflow.make("Waiting", { success: Schema.String, signals: { say: { payload: Schema.String } } })
