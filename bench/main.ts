/**
 * The benchmarks. What they measure is in docs/benchmarks.md.
 *
 *   npm run bench                                 all scenarios, as a table
 *   npm run --silent bench -- --json              one JSON object a line
 *   npm run bench -- --scenario throughput        one; may be given several times
 *   npm run bench -- --durability process-crash   or power-loss, the default
 *   npm run bench -- --runs 1                     instead of 3
 *   npm run bench -- --docs                       writes the figures into docs/benchmarks.md
 *   BENCH_PROFILE=/tmp/profiles npm run bench     leaves a CPU profile of each process
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { compile } from "./Compile.js"
import * as Options from "./Options.js"
import * as Report from "./Report.js"
import * as Rounds from "./Rounds.js"
import type { BenchError, Scenario } from "./Scenario.js"
import { scenario as fanout } from "./scenarios/fanout.js"
import { scenario as idle } from "./scenarios/idle.js"
import { scenario as latency } from "./scenarios/latency.js"
import { scenario as limit } from "./scenarios/limit.js"
import { scenario as recovery } from "./scenarios/recovery.js"
import { scenario as replay } from "./scenarios/replay.js"
import { scenario as schedules } from "./scenarios/schedules.js"
import { scenario as signals } from "./scenarios/signals.js"
import { scenario as sleepers } from "./scenarios/sleepers.js"
import { scenario as throughput } from "./scenarios/throughput.js"
import { scenario as visibility } from "./scenarios/visibility.js"

const scenarios: ReadonlyArray<Scenario> = [
  throughput,
  limit,
  latency,
  fanout,
  recovery,
  replay,
  sleepers,
  signals,
  idle,
  visibility,
  schedules
]

const root = fileURLToPath(new URL("..", import.meta.url))

const program = Effect.gen(function*() {
  const options = yield* Options.read(process.argv.slice(2), scenarios.map((each) => each.name))
  const { docs, durability, json, runs: rounds, store } = options
  const chosen = scenarios.filter((each) => options.scenarios.length === 0 || options.scenarios.includes(each.name))
  const folder = Path.join(root, ".cache/bench/databases")
  const entries = yield* Effect.promise(() => compile(root))
  const machine = yield* Report.machine(folder)
  for (const line of machine) yield* Console.error(line)
  const run = yield* Rounds.make({ scenarios, durability, rounds, entries, folder })
  const lines: Array<Report.Line> = []
  for (const scenario of chosen) {
    const figures = yield* Effect.either(run(scenario))
    if (figures._tag === "Left") {
      // The others may still tell something.
      yield* complain(figures.left)
      continue
    }
    const line = { scenario: scenario.name, store, durability, figures: figures.right }
    lines.push(line)
    if (json) yield* Console.log(Report.json(line))
  }
  if (!json) yield* Console.log(Report.table(lines))
  if (docs) yield* Report.intoDocs(Path.join(root, "docs/benchmarks.md"), durability, machine, lines)
}).pipe(Effect.scoped)

const complain = (error: BenchError): Effect.Effect<void> =>
  Effect.zipRight(Console.error(error.message), Effect.sync(() => void (process.exitCode = 1)))

NodeRuntime.runMain(Effect.catchAll(program, complain))
