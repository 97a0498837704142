/**
 * 2,000 executions of five sequential activities, 100 in flight. A round of the same size goes before, to warm up.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { statSync } from "node:fs"
import type { Client } from "perdure"
import { Worker } from "perdure"
import { Store } from "perdure/sqlite"
import * as Measure from "../Measure.js"
import type { Scenario } from "../Scenario.js"
import { role, store } from "../Scenario.js"
import { activitiesEach, hosts, one } from "../Sequence.js"
import { write } from "./limit.js"

const executions = 2_000
const inFlight = 100

const run = role("throughput", "run", (given) => {
  /** History rows of each transaction, in order: what `limit` writes in as many. */
  const commits: Array<number> = []
  const counting = Layer.effect(
    Store,
    Effect.map(Store, (store) =>
      Store.of({
        ...store,
        commit: (commit) => {
          let rows = 0
          for (const turn of commit.turns) if (turn.history !== undefined) rows++
          if (rows > 0) commits.push(rows)
          return store.commit(commit)
        }
      }))
  )
  const live = Worker.layer({ hosts }).pipe(Layer.provide(counting), Layer.provide(store(given)))
  return Effect.gen(function*() {
    const client = yield* Effect.context<Client>()
    const round = Effect.provide(Measure.times(executions, inFlight, () => one), client)
    yield* round
    const warmUpCommits = commits.length
    const costs = yield* Measure.costs(round)
    return { ...costs, commits: [...commits], warmUpCommits, peakRssMb: Measure.peakRssMb() }
  }).pipe(Effect.provide(live))
})

export const scenario: Scenario = {
  name: "throughput",
  metrics: ["steps_per_s", "executions_per_s", "peak_rss_mb", "bytes_per_execution", "ratio_to_limit"],
  roles: [run],
  run: (bench) =>
    Effect.gen(function*() {
      const filename = bench.file("throughput.db")
      const child = yield* bench.start(run, filename, {})
      const { commits, cpuMillis, millis, peakRssMb, warmUpCommits } = yield* child.result
      const limit = yield* bench.start(write, bench.file("limit.db"), { source: filename, commits, warmUpCommits })
      const raw = yield* limit.result
      const perSecond = (count: number, taken: number) => count / taken * 1000
      const steps = perSecond(executions * activitiesEach, millis)
      const limitSteps = perSecond(executions * activitiesEach, raw.millis)
      return {
        steps_per_s: steps,
        executions_per_s: perSecond(executions, millis),
        peak_rss_mb: peakRssMb,
        // The child has closed the file, and with it the log went into it.
        bytes_per_execution: statSync(filename).size / (2 * executions),
        ratio_to_limit: steps / limitSteps,
        limit_steps_per_s: limitSteps,
        cpu_us_per_step: cpuMillis / (executions * activitiesEach) * 1000,
        turns_per_commit: Measure.median(commits.slice(warmUpCommits)),
        commits: commits.length - warmUpCommits
      }
    })
}
