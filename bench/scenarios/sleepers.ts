/**
 * 10,000 executions that sleep an hour: how fast they start, 100 in flight; what memory they take; and after their
 * process was killed, what a new one takes, and how soon after its spawn it has served a new execution.
 *
 * 5,000 executions that do not sleep go before, to warm up.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Client, Worker } from "perdure"
import * as Measure from "../Measure.js"
import type { Packaging, Scenario } from "../Scenario.js"
import { role, store } from "../Scenario.js"
import { hosts, Sleeper } from "../Sleep.js"

const sleepers = 10_000
const warmUp = 5_000
const inFlight = 100

const live = Worker.layer({ hosts })

const begin = role("sleepers", "begin", (given) =>
  Effect.gen(function*() {
    const client = yield* Client
    yield* Measure.times(warmUp, inFlight, () => client.execute(Sleeper, { minutes: 0 }))
    const before = yield* Measure.memory
    const { cpuMillis, millis } = yield* Measure.costs(
      Measure.times(sleepers, inFlight, () => client.start(Sleeper, { minutes: 60 }))
    )
    const after = yield* Measure.memory
    yield* given.say("asleep", {
      started_per_s: sleepers / millis * 1000,
      rss_mb: after.rssMb,
      cpu_us_each: cpuMillis / sleepers * 1000,
      heap_bytes_each: (after.heapBytes - before.heapBytes) / sleepers
    })
    // Until it is killed.
    yield* Effect.never
  }).pipe(Effect.provide(Layer.provide(live, store(given)))))

const restart = role("sleepers", "restart", (given) =>
  Effect.gen(function*() {
    const client = yield* Client
    yield* given.say("opened")
    yield* client.execute(Sleeper, { minutes: 0 })
    yield* given.say("served")
    return yield* Measure.memory
  }).pipe(Effect.provide(Layer.provide(live, store(given)))))

export const scenario: Scenario = {
  name: "sleepers",
  metrics: ["started_per_s", "rss_mb", "restart_rss_mb", "restart_to_served_ms", "unbundled_restart_to_served_ms"],
  roles: [begin, restart],
  run: (bench) =>
    Effect.gen(function*() {
      const filename = bench.file("sleepers.db")
      const first = yield* bench.start(begin, filename, {})
      const { figures } = yield* first.said("asleep")
      yield* first.kill
      const restarted = (packaging: Packaging) =>
        Effect.gen(function*() {
          const child = yield* bench.start(restart, filename, {}, packaging)
          const served = (yield* child.said("served")).millis
          const opened = (yield* child.said("opened")).millis
          const { rssMb } = yield* child.result
          yield* child.kill
          return { served, opened, rssMb }
        })
      const bundled = yield* restarted("bundled")
      const modules = yield* restarted("modules")
      return {
        ...figures,
        restart_rss_mb: bundled.rssMb,
        restart_to_served_ms: bundled.served,
        unbundled_restart_to_served_ms: modules.served,
        restart_to_opened_ms: bundled.opened
      }
    })
}
