/**
 * Flags of replay behaviour: where a version of perdure orders or numbers what a body does otherwise than the one before
 * it, old histories are still replayed in the old way (row V5).
 *
 * ```
 *   Start, stamped with the flags of the code that starts ──▶ ExecutionStarted ──▶ each turn of the run: has(flag)?
 * ```
 *
 * To change such a behaviour: give it a flag here, with the next number, and ask `interpreter.has(flag)` where the ways
 * part. A number is never used again.
 *
 * 1. A run has the flags that it was started with, for ever: those that came later are off in it.
 * 2. A flag that this version does not know fails the turn, not the run: a newer worker may take it.
 *
 * @since 0.1.0
 */
import { BodyDefect } from "./TurnFailure.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface Flag {
  readonly number: number
  /** The version that brought it. */
  readonly since: string
  /** What a run without it gets. */
  readonly before: string
  /** What a run with it gets. */
  readonly now: string
}

/** All flags of this version: none was needed since format 1. @since 0.1.0 */
export const known: ReadonlyArray<Flag> = []

/** The version of effect: wake-ups may move by a hop between two. @since 0.1.0 */
const effect = "effect 3.22"

/**
 * What each start carries of the code that made it: whoever makes a `Start` message puts it in.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stamp = (flags = known): { readonly effect: string; readonly flags?: ReadonlyArray<number> } =>
  flags.length === 0 ? { effect } : { effect, flags: flags.map(({ number }) => number) }

const none: ReadonlySet<number> = new Set()

/**
 * The flags of a run, by what its start recorded. Throws at one that is not among the known ones.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (recorded: ReadonlyArray<number> | undefined, flags: ReadonlyArray<Flag>): ReadonlySet<number> => {
  if (recorded === undefined || recorded.length === 0) return none
  const unknown = recorded.filter((number) => !flags.some((flag) => flag.number === number))
  if (unknown.length === 0) return new Set(recorded)
  throw new BodyDefect({
    in: "the run",
    reason: `it was started with replay flag ${unknown.join(", ")}, which this version of perdure does not know: ` +
      "it was started by a newer one. Upgrade this worker"
  })
}

/**
 * What to add to a divergence of a run that began on another version of effect; undefined where it did not.
 *
 * @category combinators
 * @since 0.1.0
 */
export const otherEffect = (started: string | undefined): string | undefined =>
  started === undefined || started === effect ? undefined : `${started}, and is replayed on ${effect}`
