/**
 * The execution of `throughput`, one at a time: from the start to the result, five activities and six commits.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Worker } from "perdure"
import * as Measure from "../Measure.js"
import type { Scenario } from "../Scenario.js"
import { role, store } from "../Scenario.js"
import { hosts, one } from "../Sequence.js"

const executions = 1_000
const warmUp = 500

const run = role("latency", "run", (given) =>
  Effect.gen(function*() {
    yield* Measure.times(warmUp, 1, () => one)
    const taken: Array<number> = []
    const { cpuMillis } = yield* Measure.costs(
      Measure.times(executions, 1, () => Effect.map(Measure.millis(one), (millis) => taken.push(millis)))
    )
    return { taken, cpuMillis }
  }).pipe(Effect.provide(Layer.provide(Worker.layer({ hosts }), store(given)))))

export const scenario: Scenario = {
  name: "latency",
  metrics: ["p50_ms", "p95_ms", "p99_ms"],
  roles: [run],
  run: (bench) =>
    Effect.gen(function*() {
      const child = yield* bench.start(run, bench.file("latency.db"), {})
      const { cpuMillis, taken } = yield* child.result
      return {
        p50_ms: Measure.percentile(taken, 0.5),
        p95_ms: Measure.percentile(taken, 0.95),
        p99_ms: Measure.percentile(taken, 0.99),
        cpu_ms_each: cpuMillis / executions
      }
    })
}
