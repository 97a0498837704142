/**
 * Goal: what goes beyond a bound fails the turn and is said, and what comes near it is warned of (row X17, I10).
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schema from "effect/Schema"
import { Activity, Worker, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import { run, test, until } from "./World.js"

const Wide = Workflow.make("Wide", { payload: Schema.Number })
const Wait = Activity.make("Wait", { startToCloseTimeout: "1 hour" })

describe("a fan-out", () => {
  test("of 2,001 activities fails its turn, with words, and begins none of them; the run stays open (X17, I7)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const { client } = yield* run(Worker.layer({
        hosts: [
          Wide.toLayer((count) =>
            Effect.orDie(
              Effect.forEach(Array.from({ length: count }), () => Effect.timeout(Wait.execute(), "1 hour"), {
                concurrency: "unbounded",
                discard: true
              })
            )
          ),
          Wait.toLayer(() => Effect.never)
        ]
      }))
      const tooWide = yield* client.start(Wide, 2_001)
      const { attention, status, turns } = yield* until(tooWide.describe, ({ attention }) => attention !== undefined)
      assert.include(
        attention!.message,
        "it has 2001 activities pending, and may have 2000 at once: run fewer at a time"
      )
      assert.deepStrictEqual([status, turns], ["Running", 0])
      assert.lengthOf(yield* store.tasksOf(tooWide.runId), 0)
      yield* tooWide.terminate()
      // As many with a timeout each: timers count apart.
      const wide = yield* client.start(Wide, 2_000)
      yield* until(wide.describe, ({ pendingActivities }) => pendingActivities.length === 2_000)
      yield* wide.terminate()
    }))
})

describe("a payload of more than 256 KiB", () => {
  test("is warned of once, when it is recorded, and not when it is replayed (X17, W3)", () =>
    Effect.gen(function*() {
      const warnings: Array<string> = []
      const logger = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ logLevel, message }) => void (logLevel === LogLevel.Warning && warnings.push(String(message))))
      )
      const Box = Workflow.make("Box", {
        signals: { put: { payload: Schema.String } },
        queries: { size: { success: Schema.Number } }
      })
      const { client } = yield* run(
        Worker.layer({
          maxCachedExecutions: 0,
          hosts: [
            Box.toLayer(() =>
              Effect.sync(() => {
                let size = 0
                return Box.of({
                  signals: { put: (text) => Effect.sync(() => void (size += text.length)) },
                  queries: { size: () => Effect.sync(() => size) },
                  run: Effect.never
                })
              })
            )
          ]
        }).pipe(Layer.provide(Layer.merge(logger, Logger.minimumLogLevel(LogLevel.Warning))))
      )
      const box = yield* client.start(Box)
      yield* box.signal("put", "x".repeat(300_000))
      yield* box.signal("put", "x".repeat(200_000))
      assert.strictEqual(yield* box.query("size"), 500_000)
      const large = warnings.filter((message) => message.includes("KiB"))
      assert.lengthOf(large, 1)
      assert.include(large[0], "event SignalReceived put holds 293 KiB")
    }))
})
