/**
 * One execution that runs 1,000 activities at once, from its start to its result. The worker runs as many at once.
 * The same goes before, to warm up.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Activity, Client, Worker, Workflow } from "perdure"
import * as Measure from "../Measure.js"
import type { Scenario } from "../Scenario.js"
import { role, store } from "../Scenario.js"

const activities = 1_000
const warmUp = 3

const Double = Activity.make("Double", {
  payload: { n: Schema.Number },
  success: Schema.Number,
  startToCloseTimeout: "30 seconds"
})

const Spread = Workflow.make("Spread", { payload: Schema.Number, success: Schema.Number })

const SpreadLive = Spread.toLayer((width) =>
  Effect.map(
    Effect.forEach(Array.from({ length: width }, (_, n) => n), (n) => Double.execute({ n }), {
      concurrency: "unbounded"
    }),
    (doubles) => doubles.reduce((sum, double) => sum + double, 0)
  )
)

const DoubleLive = Double.toLayer(({ n }) => Effect.succeed(2 * n))

const run = role("fanout", "run", (given) =>
  Effect.gen(function*() {
    const client = yield* Client
    const one = Effect.flatMap(client.execute(Spread, activities), (sum) =>
      sum === activities * (activities - 1) ? Effect.void : Effect.dieMessage(`the sum is wrong: ${sum}`))
    yield* Measure.times(warmUp, 1, () =>
      one)
    return yield* Measure.costs(one)
  }).pipe(
    Effect.provide(
      Layer.provide(
        Worker.layer({ hosts: [SpreadLive, DoubleLive], maxConcurrentActivities: activities }),
        store(given)
      )
    )
  ))

export const scenario: Scenario = {
  name: "fanout",
  metrics: ["wall_ms"],
  roles: [run],
  run: (bench) =>
    Effect.gen(function*() {
      const child = yield* bench.start(run, bench.file("fanout.db"), {})
      const { cpuMillis, millis } = yield* child.result
      return { wall_ms: millis, cpu_ms: cpuMillis }
    })
}
