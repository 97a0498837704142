/**
 * How runs are taken, where the definition of a workflow, its worker, or a dynamic workflow by the name of the run may
 * each have a say.
 *
 * @since 0.1.0
 */
import type { Unfinished } from "./Handlers.js"

/**
 * What a definition and a worker may both say: whatever fails a run by one of them fails it.
 *
 * @category models
 * @since 0.1.0
 */
export interface SharedOptions {
  /**
   * A defect in the body, or each of which this holds, fails the run, and one in the handler of an update that update, and
   * neither the turn (row W16). Default false.
   */
  readonly failOnDefect?: boolean | ((defect: unknown) => boolean) | undefined
  /**
   * A run whose code does not do what its history says fails, with what differs, as a failure of type
   * `NondeterminismError` (row W16). Nothing of the code takes part in that: no finalizer, no compensation. Default false: its
   * turns fail, and the run waits for code that does.
   */
  readonly failOnNondeterminism?: boolean | undefined
  /**
   * False: nothing watches over the body (row D10). Time, random numbers, promises and I/O in it are those of the process, and
   * differ on replay; that the run can be replayed is in the author's hands. Only what wakes the body outside of a turn is
   * still found. A replayer knows the definition's word alone. Default true.
   */
  readonly guard?: boolean | undefined
}

/**
 * What a dynamic workflow says of the runs of one name (row D4).
 *
 * @category models
 * @since 0.1.0
 */
export interface DynamicOptions extends Omit<SharedOptions, "guard"> {
  /** A call whose input differs from the recorded one is nondeterminism in live runs too. Default false. */
  readonly strictReplay?: boolean | undefined
  /** What becomes of its dynamic handlers that have not ended when the run does (row S8). Default "Warn". */
  readonly unfinished?: Unfinished | undefined
}

/** What holds for a run. @since 0.1.0 */
export interface RunOptions extends SharedOptions, DynamicOptions {}

/**
 * What two say together.
 *
 * @category combinators
 * @since 0.1.0
 */
export const both = (one: RunOptions, other: RunOptions | undefined): RunOptions =>
  other === undefined ? one : {
    failOnDefect: either(one.failOnDefect, other.failOnDefect),
    failOnNondeterminism: one.failOnNondeterminism === true || other.failOnNondeterminism === true,
    guard: one.guard !== false && other.guard !== false,
    strictReplay: one.strictReplay === true || other.strictReplay === true,
    unfinished: one.unfinished ?? other.unfinished
  }

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type Fails = SharedOptions["failOnDefect"]

const either = (one: Fails, other: Fails): Fails => {
  if (one === true || other === true) return true
  if (typeof one !== "function") return typeof other === "function" ? other : false
  return typeof other === "function" ? (defect) => one(defect) || other(defect) : one
}
