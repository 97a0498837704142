/**
 * Running scenarios: three rounds each, every process of a round on files of its own, which go when the round ends.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as Path from "node:path"
import type { Durability } from "perdure/sqlite"
import * as Children from "./Children.js"
import * as Measure from "./Measure.js"
import type { Bench, Figures, Packaging, Scenario } from "./Scenario.js"
import { BenchError } from "./Scenario.js"

/** A metric over all rounds. */
export interface Figure {
  readonly metric: string
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

export interface Options {
  readonly scenarios: ReadonlyArray<Scenario>
  readonly durability: Durability
  readonly rounds: number
  /** The compiled `child.ts`. */
  readonly entries: Readonly<Record<Packaging, string>>
  /** Where databases go: on a real disk, or syncs cost nothing. */
  readonly folder: string
}

/** Gives the function that runs a scenario. What it keeps for later rounds goes when the scope ends. */
export const make = (
  options: Options
): Effect.Effect<(scenario: Scenario) => Effect.Effect<ReadonlyArray<Figure>, BenchError>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const root = yield* temporaryFolder(options.folder, "bench-")
    const kept = new Map<string, string>()
    /** By round, then by scenario. */
    const done = Array.from({ length: options.rounds }, () => new Map<string, Figures>())

    const benchOf = (folder: string, round: number): Bench => {
      const bench: Bench = {
        file: (name) => Path.join(folder, name),
        start: (role, filename, args, packaging = "bundled") =>
          Children.start(options.entries[packaging], role, { filename, durability: options.durability, args }),
        once: (key, make) =>
          Effect.suspend(() => {
            const file = kept.get(key) ?? Path.join(root, key)
            if (kept.has(key)) return Effect.succeed(file)
            return Effect.scoped(make(file)).pipe(Effect.map(() => {
              kept.set(key, file)
              return file
            }))
          }),
        figuresOf: (name) => {
          const scenario = options.scenarios.find((each) => each.name === name)
          return scenario === undefined
            ? Effect.fail(new BenchError({ reason: `there is no scenario ${name}` }))
            : runRound(scenario, round)
        }
      }
      return bench
    }

    const runRound = (scenario: Scenario, round: number): Effect.Effect<Figures, BenchError> =>
      Effect.gen(function*() {
        const known = done[round]!.get(scenario.name)
        if (known !== undefined) return known
        const folder = yield* temporaryFolder(root, `${scenario.name}-`)
        const figures = yield* scenario.run(benchOf(folder, round))
        done[round]!.set(scenario.name, figures)
        yield* Console.error(`${scenario.name} ${round + 1}/${options.rounds}: ${show(figures)}`)
        return figures
      }).pipe(Effect.scoped)

    return (scenario) =>
      Effect.map(
        Effect.forEach(Array.from({ length: options.rounds }, (_, n) => n), (round) => runRound(scenario, round)),
        (rounds) =>
          scenario.metrics.map((metric) => {
            const values = rounds.map((figures) => figures[metric] ?? Number.NaN)
            return {
              metric,
              median: Measure.median(values),
              lowest: Math.min(...values),
              highest: Math.max(...values)
            }
          })
      )
  })

/** Three digits of what is small, none after the point of what is large. */
export const rounded = (value: number): number =>
  Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(3))

const show = (figures: Figures): string =>
  Object.entries(figures).map(([metric, value]) => `${metric} ${rounded(value)}`).join(", ")

/** Removed when the scope ends, after the processes that were started in it later. */
const temporaryFolder = (parent: string, prefix: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      fs.mkdirSync(parent, { recursive: true })
      return fs.mkdtempSync(Path.join(parent, prefix))
    }),
    (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  )
