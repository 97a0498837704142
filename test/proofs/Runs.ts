/**
 * How much is tried, and from where: `PERDURE_PROOF_RUNS` generated programs for each property (each has a default that
 * suits CI), from `PERDURE_PROOF_SEED`: a number, or "random". A failure prints its seed and its smallest program.
 */
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"

const { LOG, PERDURE_PROOF_RUNS, PERDURE_PROOF_SEED } = process.env

export const runs = (usual: number): number => PERDURE_PROOF_RUNS === undefined ? usual : Number(PERDURE_PROOF_RUNS)

// The same programs in each run of CI: what is green stays green. Other seeds are for those who look for trouble.
const usualSeed = 20_26_11

export const seed = (): number =>
  PERDURE_PROOF_SEED === undefined
    ? usualSeed
    : PERDURE_PROOF_SEED === "random"
    ? Math.trunc(Math.random() * 2 ** 31)
    : Number(PERDURE_PROOF_SEED)

/** Longest time of one property, its shrinking included: what was found by then is reported. */
const propertyMillis = 240_000

/** The test around it must live longer, or its report is lost. */
export const testMillis = propertyMillis + 30_000

/** Holds for every value that is drawn; the seed, the path and the smallest counterexample are in the error. */
export const forAll = <A>(
  arbitrary: FastCheck.Arbitrary<A>,
  usualRuns: number,
  holds: (value: A) => Effect.Effect<void, unknown>
): Effect.Effect<void> =>
  Effect.promise(() =>
    FastCheck.assert(FastCheck.asyncProperty(arbitrary, (value) => Effect.runPromise(quietly(holds(value)))), {
      numRuns: runs(usualRuns),
      seed: seed(),
      interruptAfterTimeLimit: propertyMillis,
      markInterruptAsFailure: true
    })
  )

/** Without the engine's own words, unless LOG is set: a worker that is killed says much. Without spans, too: they cost. */
export const quietly = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withTracerEnabled(
    Logger.withMinimumLogLevel(effect, LOG === undefined ? LogLevel.None : LogLevel.All),
    false
  )
