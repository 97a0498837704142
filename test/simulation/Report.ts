/**
 * What is said of a seed that failed: the least of it that still fails, how to run that again, what was found, what
 * happened before, and the history of each execution.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Turn } from "../../src/core/Event.js"
import * as Events from "../../src/core/Event.js"
import type { HistoryRow } from "../../src/persistence/Store.js"
import * as Timeline from "../../src/testing/Timeline.js"
import type { Ledger } from "./Ledger.js"
import type { Less } from "./Plan.js"
import * as Plan from "./Plan.js"
import type { Base } from "./Simulation.js"
import * as Simulation from "./Simulation.js"

/** Plays a seed; fails with the report of the least of it that still does, if anything is found. */
export const trial = (base: Base, seed: number, less: Less = Plan.whole): Effect.Effect<Ledger, SimulationFailed> =>
  Effect.flatMap(Simulation.run(base, Plan.draw(seed, less)), (ledger) =>
    ledger.findings.length === 0
      ? Effect.succeed(ledger)
      : Effect.flatMap(shrink(base, seed, less), (least) => failed(base, seed, least)))

/** The message is the whole report. */
export class SimulationFailed extends Error {
  override readonly name = "SimulationFailed"
}

/** Leaves out one kind of fault after the other, and then executions, for as long as something is found. */
const shrink = (base: Base, seed: number, less: Less): Effect.Effect<Less> =>
  Effect.gen(function*() {
    let least = less
    const fails = (candidate: Less) =>
      Effect.map(Simulation.run(base, Plan.draw(seed, candidate)), ({ findings }) => findings.length > 0)
    for (const kind of Plan.kinds) {
      const candidate = { ...least, without: [...least.without, kind] }
      if (!least.without.includes(kind) && (yield* fails(candidate))) least = candidate
    }
    for (const place of Plan.draw(seed, Plan.whole).executions.keys()) {
      const executions = (least.executions ?? [...Plan.draw(seed, Plan.whole).executions.keys()])
        .filter((each) => each !== place)
      const candidate = { ...least, executions }
      if (executions.length > 0 && (yield* fails(candidate))) least = candidate
    }
    return least
  })

const failed = (base: Base, seed: number, less: Less): Effect.Effect<never, SimulationFailed> =>
  Effect.flatMap(Simulation.run(base, Plan.draw(seed, less), true), (ledger) => {
    const lines = [
      `seed ${seed} of the simulation fails; what is left out makes no difference`,
      `again: ${commandOf(seed, less)}`,
      "",
      ...ledger.findings,
      "",
      "What happened, in virtual milliseconds (the last of it; all with PERDURE_SIM_TRACE=1):",
      ...ledger.trace.slice(-linesMax).map((line) => line.slice(0, charsMax)),
      "",
      ...[...ledger.histories].flatMap(([runId, rows]) => [...timeline(ledger, runId, rows), ""])
    ]
    return Effect.fail(new SimulationFailed(lines.join("\n")))
  })

const commandOf = (seed: number, { executions, without }: Less): string =>
  [
    `PERDURE_SIM_SEED=${seed}`,
    ...(without.length === 0 ? [] : [`PERDURE_SIM_WITHOUT="${without.join(",")}"`]),
    ...(executions === undefined ? [] : [`PERDURE_SIM_EXECUTIONS=${executions.join(",")}`]),
    "npm test -- simulation"
  ].join(" ")

const timeline = (ledger: Ledger, runId: string, rows: ReadonlyArray<HistoryRow>): ReadonlyArray<string> => {
  const workflowId = [...ledger.accounts].find(([, account]) => account.runId === runId)?.[0] ?? "of another run"
  const turns = rows.map((row): Turn => ({
    turn: row.turn,
    at: row.at,
    events: Either.getOrElse(Events.decode(row), () => [])
  }))
  return Timeline.draw({ workflow: "Generated", workflowId, runId, status: "as committed" }, turns)
}

const linesMax = 150
const charsMax = 240
