/**
 * 2,000 signals to one execution, 50 in flight, until all are acknowledged, that is recorded. Its result then tells
 * whether it took each one in. An execution that gets as many goes before, to warm up.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Client, Worker, Workflow } from "perdure"
import * as Measure from "../Measure.js"
import type { Scenario } from "../Scenario.js"
import { role, store } from "../Scenario.js"

const signals = 2_000
const inFlight = 50

const Counter = Workflow.make("Counter", {
  payload: Schema.Number,
  success: Schema.Number,
  signals: { add: { payload: Schema.Number } }
})

const CounterLive = Counter.toLayer(Effect.fnUntraced(function*(expected) {
  let count = 0
  let sum = 0
  return yield* Effect.succeed(Counter.of({
    signals: {
      add: (n) =>
        Effect.sync(() => {
          count++
          sum += n
        })
    },
    run: Effect.map(Workflow.condition(() => count === expected), () => sum)
  }))
}))

const run = role("signals", "run", (given) =>
  Effect.gen(function*() {
    const client = yield* Client
    const round = Effect.gen(function*() {
      const handle = yield* client.start(Counter, signals)
      const costs = yield* Measure.costs(Measure.times(signals, inFlight, (n) => handle.signal("add", n)))
      const sum = yield* handle.result
      return sum === signals * (signals - 1) / 2 ? costs : yield* Effect.dieMessage(`the sum is wrong: ${sum}`)
    })
    yield* round
    return yield* round
  }).pipe(Effect.provide(Layer.provide(Worker.layer({ hosts: [CounterLive] }), store(given)))))

export const scenario: Scenario = {
  name: "signals",
  metrics: ["signals_per_s"],
  roles: [run],
  run: (bench) =>
    Effect.gen(function*() {
      const child = yield* bench.start(run, bench.file("signals.db"), {})
      const { cpuMillis, millis } = yield* child.result
      return { signals_per_s: signals / millis * 1000, cpu_us_each: cpuMillis / signals * 1000 }
    })
}
