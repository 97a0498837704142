/**
 * One execution of 10,000 steps waits for a signal before its last one; its process is killed. How long a new process
 * takes from its spawn to the result: starting Node, loading the modules, opening the database and its log, taking over
 * from the dead worker, replaying 10,000 steps, recording the signal, running the last step, recording the end.
 *
 * The history is made once; each round gets a copy of the files as the kill left them.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import { Activity, Client, Worker, Workflow } from "perdure"
import * as Measure from "../Measure.js"
import type { Packaging, Scenario } from "../Scenario.js"
import { role, store } from "../Scenario.js"

const steps = 10_000

const Add = Activity.make("Add", {
  payload: { sum: Schema.Number, n: Schema.Number },
  success: Schema.Number,
  startToCloseTimeout: "30 seconds"
})

const Long = Workflow.make("Long", {
  payload: Schema.Number,
  success: Schema.Number,
  signals: { finish: {} }
})

const LongLive = Long.toLayer(Effect.fnUntraced(function*(count) {
  let finish = false
  return yield* Effect.succeed(Long.of({
    signals: { finish: () => Effect.sync(() => finish = true) },
    run: Effect.gen(function*() {
      let sum = 0
      for (let n = 1; n < count; n++) {
        sum = yield* Add.execute({ sum, n })
      }
      yield* Workflow.condition(() => finish)
      return yield* Add.execute({ sum, n: count })
    })
  }))
}))

const AddLive = Add.toLayer(({ n, sum }) => Effect.succeed(sum + n))

const live = Worker.layer({ hosts: [LongLive, AddLive] })

const workflowId = "long"

const build = role("recovery", "build", (given) =>
  Effect.gen(function*() {
    const client = yield* Client
    const handle = yield* client.start(Long, steps, { workflowId })
    // A turn for the start, and one for each step but the last.
    yield* Effect.repeat(Effect.delay(handle.describe, "100 millis"), { until: ({ turns }) => turns === steps })
    yield* given.say("built")
    yield* Effect.never
  }).pipe(Effect.provide(Layer.provide(live, store(given)))))

const resume = role("recovery", "resume", (given) =>
  Effect.gen(function*() {
    yield* given.say("loaded")
    yield* Effect.gen(function*() {
      yield* given.say("opened")
      const handle = (yield* Client).handle(Long, workflowId)
      yield* handle.signal("finish")
      const sum = yield* handle.result
      if (sum !== steps * (steps + 1) / 2) yield* Effect.dieMessage(`the sum is wrong: ${sum}`)
      yield* given.say("result")
    }).pipe(Effect.provide(Layer.provide(live, store(given))))
    return Measure.peakRssMb()
  }))

export const scenario: Scenario = {
  name: "recovery",
  metrics: ["start_to_result_ms", "unbundled_start_to_result_ms"],
  roles: [build, resume],
  run: (bench) =>
    Effect.gen(function*() {
      const built = yield* bench.once("recovery.db", (file) =>
        Effect.gen(function*() {
          const child = yield* bench.start(build, file, {})
          yield* child.said("built")
          yield* child.kill
        }))
      const resumed = (packaging: Packaging) =>
        Effect.gen(function*() {
          const filename = bench.file(`${packaging}.db`)
          for (const ending of ["", "-wal"]) copy(built + ending, filename + ending)
          const child = yield* bench.start(resume, filename, {}, packaging)
          const result = (yield* child.said("result")).millis
          const loaded = (yield* child.said("loaded")).millis
          const opened = (yield* child.said("opened")).millis
          return { result, loaded, opened, peakRssMb: yield* child.result }
        })
      const bundled = yield* resumed("bundled")
      const modules = yield* resumed("modules")
      return {
        start_to_result_ms: bundled.result,
        unbundled_start_to_result_ms: modules.result,
        start_to_loaded_ms: bundled.loaded,
        unbundled_start_to_loaded_ms: modules.loaded,
        start_to_opened_ms: bundled.opened,
        resume_peak_rss_mb: bundled.peakRssMb
      }
    })
}

/** Synced, so that the disk is not busy with it when the clock runs. */
const copy = (from: string, to: string): void => {
  fs.copyFileSync(from, to)
  const file = fs.openSync(to, "r+")
  fs.fsyncSync(file)
  fs.closeSync(file)
}
