/**
 * 10,000 schedules that act each minute, their executions included, which are done at once: how late they start, and what
 * the worker's process costs meanwhile, in shares of a core. Once with the schedules spread over the minute, 167 a second,
 * and once with all of them at its first second.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Client, Schedule, StoreClient, Worker, Workflow } from "perdure"
import * as Measure from "../Measure.js"
import type { Given, Scenario } from "../Scenario.js"
import { BenchError, role, store } from "../Scenario.js"

const schedules = 10_000
const minute = 60_000

const Tick = Workflow.make("Tick", {})
const live = Worker.layer({ hosts: [Tick.toLayer(() => Effect.void)] })

interface Args {
  readonly spread: boolean
}

/** Nobody acts meanwhile. */
const create = role("schedules", "create", (given: Given<Args>) =>
  Effect.gen(function*() {
    const client = yield* Client
    const millis = yield* Measure.millis(Measure.times(schedules, 100, (n) =>
      client.schedules.create(`tick-${n}`, {
        spec: { intervals: [{ every: minute, offset: given.args.spread ? (n % 60) * 1_000 : 0 }] },
        action: Schedule.start(Tick)
      })))
    return schedules / millis * 1_000
  }).pipe(Effect.provide(Layer.provide(StoreClient.layer, store(given)))))

const act = role("schedules", "act", (given: Given<Args>) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient
    // First it makes up for what was missed before it came.
    yield* Effect.sleep(settleMillis)
    const from = Math.ceil(Date.now() / 1_000) * 1_000
    yield* Effect.sleep(from - Date.now())
    const before = process.cpuUsage()
    yield* Effect.sleep(minute)
    const { system, user } = process.cpuUsage(before)
    yield* Effect.sleep(settleMillis)
    const rows = yield* sql<{ readonly late: number; readonly status: string }>`
      SELECT started_at - scheduled_at AS late, status FROM perdure_runs
      WHERE scheduled_at >= ${from} AND scheduled_at < ${from + minute}`
    const done = rows.filter(({ status }) => status === "Completed").length
    if (rows.length !== schedules || done < schedules) {
      return yield* new BenchError({ reason: `${rows.length} of ${schedules} acted, ${done} are done` })
    }
    const late = rows.map(({ late }) => late)
    return {
      p50: Measure.percentile(late, 0.5),
      p99: Measure.percentile(late, 0.99),
      cores: (system + user) / 1_000 / minute
    }
  }).pipe(Effect.provide(Layer.provideMerge(live, store(given)))))

const settleMillis = 10_000

export const scenario: Scenario = {
  name: "schedules",
  metrics: [
    "lateness_p50_ms",
    "lateness_p99_ms",
    "cpu_cores",
    "at_once_lateness_p50_ms",
    "at_once_lateness_p99_ms",
    "created_per_s"
  ],
  roles: [create, act],
  run: (bench) =>
    Effect.gen(function*() {
      const acting = (spread: boolean) =>
        Effect.gen(function*() {
          const filename = bench.file(spread ? "spread.db" : "at-once.db")
          const created = yield* (yield* bench.start(create, filename, { spread })).result
          const child = yield* bench.start(act, filename, { spread })
          return { created, ...(yield* child.result) }
        })
      const spread = yield* acting(true)
      const burst = yield* acting(false)
      return {
        lateness_p50_ms: spread.p50,
        lateness_p99_ms: spread.p99,
        cpu_cores: spread.cores,
        at_once_lateness_p50_ms: burst.p50,
        at_once_lateness_p99_ms: burst.p99,
        at_once_cpu_cores: burst.cores,
        created_per_s: spread.created
      }
    })
}
