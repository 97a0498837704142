/**
 * All that is tried of one plan, and what must hold of it.
 *
 * ```
 *   plain order, no crash ──▶ sound? what the test says holds?
 *   drawn order           ──▶ likewise
 *       └─ anything reached that no plan before has reached?
 *   plain order, killed at operation 1, 2, 3 ... ──▶ sound? the same outcome, the same world?
 *   drawn order, killed somewhere ──▶ sound?
 * ```
 *
 * A crash may make things come in another order, as any delay may, and an attempt that dies with its process counts as
 * one that failed. So a different outcome is not wrong yet: it is when the same order without a crash, and with those
 * attempts failing, does not lead to it.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import { isDeepStrictEqual } from "node:util"
import type { Event, Turn } from "../../core/Event.js"
import * as Activities from "../../core/family/Activity.js"
import type { CrashPoint } from "../CrashingStore.js"
import { Life } from "../CrashingStore.js"
import * as Replayer from "../Replayer.js"
import type { Coverage } from "./Coverage.js"
import * as Finding from "./Finding.js"
import * as Outcome from "./Outcome.js"
import type { Plan } from "./Plan.js"
import * as Trials from "./Trial.js"

/** What must hold of each trial, besides what must hold of any. @since 0.1.0 */
export interface Rules {
  /** Throws or fails where it does not hold. */
  readonly holds: (trial: Trials.Traced, plan: Plan) => Effect.Effect<unknown, unknown>
  readonly compensations: ReadonlyArray<Compensation>
  readonly mayWait: boolean
  /** What of the world must be the same with a crash as without. */
  readonly observe: ((world: unknown) => unknown) | undefined
  /** The bodies, for replay. */
  readonly bodies: ReadonlyArray<Layer.Layer<never>>
  readonly crashPointsMax: number
}

/** When the run does not complete, each `of` that is done is undone by a `by`. @since 0.1.0 */
export interface Compensation {
  readonly of: string
  readonly by: string
  /** Whether one that may have been done, although its answer never came, must be undone as well. */
  readonly inDoubt: boolean
}

/** A trial that went wrong. @since 0.1.0 */
export interface Failed {
  readonly finding: Finding.Finding
  readonly plan: Plan
  readonly trial: Trials.Traced
  readonly order: "plain" | "drawn"
  readonly crash: CrashPoint | undefined
  /** The same without the crash, where they are compared. */
  readonly calm: Trials.Traced | undefined
}

/**
 * The first trial of a plan that goes wrong, if one does. Processes are killed in plans that reach something new, or to see
 * whether a smaller plan fails like `first`, near its crash.
 *
 * @since 0.1.0
 */
export const explore = (
  subject: Trials.Subject,
  rules: Rules,
  plan: Plan,
  coverage: Coverage,
  first: Failed | undefined
): Effect.Effect<Failed | undefined> =>
  Effect.gen(function*() {
    const attempt = (order: "plain" | "drawn", crash: CrashPoint | undefined, calm?: Trials.Traced) =>
      Effect.gen(function*() {
        const chosen = order === "plain" ? Trials.plain : Trials.drawn(plan.order)
        const trial = yield* Trials.run(subject, plan, chosen, crash === undefined ? [] : [crash])
        const isNew = coverage.record(trial)
        const finding = (yield* judge(subject, rules, plan, trial)) ??
          (calm === undefined ? undefined : yield* compare(subject, rules, plan, calm, trial))
        return {
          trial,
          isNew,
          failed: finding === undefined ? undefined : { finding, plan, trial, order, crash, calm }
        }
      })

    const calm = yield* attempt("plain", undefined)
    if (calm.failed !== undefined) return calm.failed
    const ordered = yield* attempt("drawn", undefined)
    if (ordered.failed !== undefined) return ordered.failed

    const crashes = first === undefined ? calm.isNew || ordered.isNew : first.crash !== undefined
    if (!crashes) return undefined
    const points = Life.distinctCrashPoints(calm.trial.operations[0]!)
    const tried = spread(points, rules.crashPointsMax)
    coverage.crashPoints.plans++
    coverage.crashPoints.of += points.length
    for (const point of likeFirst(tried, first?.crash)) {
      const { failed, trial } = yield* attempt("plain", point, calm.trial)
      if (trial.deaths.length > 0) coverage.crashPoints.tried++
      if (failed !== undefined) return failed
    }

    // One more, somewhere in the other order: where depends on the plan alone.
    const others = Life.distinctCrashPoints(ordered.trial.operations[0]!)
    const somewhere = others[plan.order.reduce((sum, number) => sum + number % 9_973, 0) % others.length]
    return (yield* attempt("drawn", somewhere)).failed
  })

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** Every n-th, where there are more than are wanted. */
const spread = <A>(all: ReadonlyArray<A>, max: number): ReadonlyArray<A> =>
  all.length <= max ? all : Array.from({ length: max }, (_, index) => all[Math.floor(index * all.length / max)]!)

/** A plan that is made smaller fails near the place at which the larger one failed. */
const likeFirst = (points: ReadonlyArray<CrashPoint>, first: CrashPoint | undefined): ReadonlyArray<CrashPoint> =>
  first === undefined
    ? points
    : [...points].sort((a, b) => Math.abs(a.operation - first.operation) - Math.abs(b.operation - first.operation))

/** What is wrong with a trial by itself. */
const judge = (
  subject: Trials.Subject,
  rules: Rules,
  plan: Plan,
  trial: Trials.Traced
): Effect.Effect<Finding.Finding | undefined> =>
  Effect.gen(function*() {
    if (trial.findings.length > 0) return trial.findings[0]
    const outcome = Outcome.of(subject.workflow, Trials.runId, trial.turns)
    for (const { runId, turns } of [{ runId: Trials.runId, turns: trial.turns }, ...trial.others]) {
      // A child that was ended before it began has nothing to replay.
      if (turns[0]?.events[0]?._tag !== "ExecutionStarted") continue
      const replayed = yield* Effect.either(Replayer.replay(rules.bodies, { runId, turns }))
      if (replayed._tag === "Left") return { kind: "Nondeterminism", detail: Finding.unstable(replayed.left.message) }
    }
    if (outcome._tag === "Open" && !rules.mayWait) {
      return {
        kind: "Waiting",
        detail: "everything was sent and answered, no timer is set, and the run is still open." +
          " Where it may wait for a message that nobody sends, say so by `mayWait`"
      }
    }
    const undone = notUndone(rules.compensations, outcome, trial)
    if (undone !== undefined) return { kind: "Compensation", detail: undone }
    const held = yield* Effect.exit(Effect.suspend(() => rules.holds(trial, plan)))
    return Exit.isSuccess(held) ? undefined : { kind: "Holds", detail: wordsOf(Cause.squash(held.cause)) }
  })

const wordsOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

/** What a crash changed. */
const compare = (
  subject: Trials.Subject,
  rules: Rules,
  plan: Plan,
  calm: Trials.Traced,
  crashed: Trials.Traced
): Effect.Effect<Finding.Finding | undefined> =>
  Effect.gen(function*() {
    if (same(rules, calm, crashed)) return undefined
    for (const likewise of crashed.withLosses === undefined ? [plan] : [plan, crashed.withLosses]) {
      const trial = yield* Trials.run(subject, likewise, Trials.following(crashed), [])
      if (same(rules, trial, crashed)) return undefined
    }
    const before = Outcome.essence(calm.turns)
    const after = Outcome.essence(crashed.turns)
    if (before !== after) return { kind: "Outcome", detail: `without the crash: ${before}; with it: ${after}` }
    const seen = (trial: Trials.Traced) => JSON.stringify(rules.observe?.(trial.world))
    return { kind: "World", detail: `without the crash: ${seen(calm)}; with it: ${seen(crashed)}` }
  })

const same = ({ observe }: Rules, one: Trials.Traced, other: Trials.Traced): boolean =>
  Outcome.essence(one.turns) === Outcome.essence(other.turns) &&
  (observe === undefined || isDeepStrictEqual(observe(one.world), observe(other.world)))

const notUndone = (
  compensations: ReadonlyArray<Compensation>,
  outcome: Outcome.Outcome<unknown, unknown>,
  { attempts, turns }: Trials.Traced
): string | undefined => {
  // One that is continued carries on what it has done (row K10).
  if (outcome._tag === "Completed" || outcome._tag === "Open" || outcome._tag === "ContinuedAsNew") return undefined
  for (const { by, inDoubt, of } of compensations) {
    const done = callsOf(of, turns).filter(({ end, key }) =>
      end?._tag === "ActivityCompleted" ||
      (inDoubt && attempts.some((attempt) => attempt.key === key) &&
        !(end?._tag === "ActivityFailed" && end.failure._tag === "Declared"))
    ).length
    const undone = callsOf(by, turns).filter(({ end }) => end?._tag === "ActivityCompleted").length
    if (undone < done) {
      const doubt = inDoubt ? "done, or may have been done," : "done"
      return `${of} was ${doubt} ${times(done)}, the run ended as ${outcome._tag}, and ${by} was done ${times(undone)}`
    }
  }
  return undefined
}

const times = (count: number): string => count === 0 ? "never" : count === 1 ? "once" : `${count} times`

interface Call {
  readonly key: string
  end: Extract<Event, { readonly _tag: `Activity${"Completed" | "Failed" | "Canceled"}` }> | undefined
}

const callsOf = (name: string, turns: ReadonlyArray<Turn>): ReadonlyArray<Call> => {
  const calls = new Map<number, Call>()
  for (const { events } of turns) {
    for (const event of events) {
      switch (event._tag) {
        case "ActivityScheduled":
          if (event.name === name) {
            calls.set(event.seq, { key: Activities.idempotencyKey(Trials.runId, event), end: undefined })
          }
          break
        case "ActivityCompleted":
        case "ActivityFailed":
        case "ActivityCanceled": {
          const call = calls.get(event.seq)
          if (call !== undefined) call.end = event
          break
        }
        default:
          break
      }
    }
  }
  return [...calls.values()]
}
