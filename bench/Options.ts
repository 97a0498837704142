/**
 * What the command line asks for.
 */
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import type { Durability } from "perdure/sqlite"
import { BenchError } from "./Scenario.js"

export interface Options {
  readonly json: boolean
  readonly docs: boolean
  /** Empty for all. */
  readonly scenarios: ReadonlyArray<string>
  readonly durability: Durability
  readonly store: "sqlite"
  readonly runs: number
}

export const read = (args: ReadonlyArray<string>, known: ReadonlyArray<string>): Effect.Effect<Options, BenchError> =>
  Effect.gen(function*() {
    const { values } = yield* Effect.try({
      try: () =>
        parseArgs({
          args: [...args],
          options: {
            json: { type: "boolean", default: false },
            docs: { type: "boolean", default: false },
            scenario: { type: "string", multiple: true, default: [] },
            durability: { type: "string", default: "power-loss" },
            store: { type: "string", default: "sqlite" },
            runs: { type: "string", default: "3" }
          }
        }),
      catch: (error) => new BenchError({ reason: error instanceof Error ? error.message : String(error) })
    })
    const runs = Number(values.runs)
    if (!Number.isInteger(runs) || runs < 1) {
      return yield* new BenchError({ reason: `--runs ${values.runs}: a whole number from 1` })
    }
    return {
      json: values.json,
      docs: values.docs,
      scenarios: yield* Effect.forEach(values.scenario, (name) => oneOf("scenario", name, known)),
      durability: yield* oneOf<Durability>("durability", values.durability, ["power-loss", "process-crash"]),
      store: yield* oneOf<"sqlite">("store", values.store, ["sqlite"]),
      runs
    }
  })

const oneOf = <A extends string>(
  option: string,
  value: string,
  known: ReadonlyArray<A>
): Effect.Effect<A, BenchError> =>
  known.includes(value as A)
    ? Effect.succeed(value as A)
    : Effect.fail(new BenchError({ reason: `--${option} ${value}: there is ${known.join(", ")}` }))
