/**
 * Bringing executions back from their histories: five closed runs of 10,000 steps, 100,000 events in all, are asked a
 * query each, which a closed run answers by being replayed from the store. Counted are the reads, the decoding, the
 * checks and the body itself. One run is asked before, twice, to warm up.
 *
 * A single run is bounded to 51,200 events, hence five.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Activity, Client, Worker, Workflow } from "perdure"
import * as Measure from "../Measure.js"
import type { Scenario } from "../Scenario.js"
import { role, store } from "../Scenario.js"

const runs = 5
const stepsEach = 10_000
/** An activity is scheduled, and completes. */
const events = runs * stepsEach * 2

const Add = Activity.make("Add", {
  payload: { sum: Schema.Number, n: Schema.Number },
  success: Schema.Number,
  startToCloseTimeout: "30 seconds"
})

const Past = Workflow.make("Past", {
  payload: Schema.Number,
  success: Schema.Number,
  queries: { done: { success: Schema.Number } }
})

const PastLive = Past.toLayer(Effect.fnUntraced(function*(count) {
  let done = 0
  return yield* Effect.succeed(Past.of({
    queries: { done: () => Effect.sync(() => done) },
    run: Effect.gen(function*() {
      let sum = 0
      while (done < count) {
        sum = yield* Add.execute({ sum, n: done + 1 })
        done++
      }
      return sum
    })
  }))
}))

const AddLive = Add.toLayer(({ n, sum }) => Effect.succeed(sum + n))

const live = Worker.layer({ hosts: [PastLive, AddLive] })

const workflowId = (n: number): string => `past-${n}`

const build = role("replay", "build", (given) =>
  Effect.gen(function*() {
    const client = yield* Client
    yield* Measure.times(runs, runs, (n) => client.execute(Past, stepsEach, { workflowId: workflowId(n) }))
    // How it is written is not measured here, and without a sync a turn it takes a third of the time.
  }).pipe(Effect.provide(Layer.provide(live, store({ ...given, durability: "process-crash" })))))

const run = role("replay", "run", (given) =>
  Effect.gen(function*() {
    const client = yield* Client
    const ask = (n: number) =>
      Effect.flatMap(client.handle(Past, workflowId(n)).query("done", undefined, { timeout: "1 minute" }), (done) =>
        done === stepsEach ? Effect.void : Effect.dieMessage(`${done} steps were replayed, and not ${stepsEach}`))
    yield* Measure.times(2, 1, () =>
      ask(0))
    return yield* Measure.costs(Measure.times(runs, 1, ask))
  }).pipe(Effect.provide(Layer.provide(live, store(given)))))

export const scenario: Scenario = {
  name: "replay",
  metrics: ["events_per_s"],
  roles: [build, run],
  run: (bench) =>
    Effect.gen(function*() {
      const filename = yield* bench.once("replay.db", (file) =>
        Effect.gen(function*() {
          const child = yield* bench.start(build, file, {})
          yield* child.result
        }))
      const child = yield* bench.start(run, filename, {})
      const { cpuMillis, millis } = yield* child.result
      return { events_per_s: events / millis * 1000, cpu_us_per_event: cpuMillis / events * 1000 }
    })
}
