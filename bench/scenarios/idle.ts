/**
 * What a worker costs that has nothing to do: processor time of its process over 20 seconds, with 1,000 executions
 * asleep. It settles for 20 seconds before: some 15 seconds after a burst of work, V8 collects all garbage twice to give
 * memory back, which is no cost of idling.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Client, Worker } from "perdure"
import * as Measure from "../Measure.js"
import type { Scenario } from "../Scenario.js"
import { role, store } from "../Scenario.js"
import { hosts, Sleeper } from "../Sleep.js"

const sleepers = 1_000

const run = role("idle", "run", (given) =>
  Effect.gen(function*() {
    const client = yield* Client
    yield* Measure.times(sleepers, 100, () => client.start(Sleeper, { minutes: 60 }))
    yield* Effect.sleep("20 seconds")
    const before = process.cpuUsage()
    yield* Effect.sleep("20 seconds")
    const { system, user } = process.cpuUsage(before)
    return (system + user) / 1e6
  }).pipe(Effect.provide(Layer.provide(Worker.layer({ hosts }), store(given)))))

export const scenario: Scenario = {
  name: "idle",
  metrics: ["cpu_s_per_20s"],
  roles: [run],
  run: (bench) =>
    Effect.gen(function*() {
      const child = yield* bench.start(run, bench.file("idle.db"), {})
      return { cpu_s_per_20s: yield* child.result }
    })
}
