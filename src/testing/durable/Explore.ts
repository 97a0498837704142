/**
 * All that is tried of one plan, and what must hold of it.
 *
 * ```
 *   plain order, no crash ──▶ sound? what the test says holds?
 *   drawn order           ──▶ likewise
 *       └─ anything reached that no plan before has reached?
 *   plain order, killed at operation 1, 2, 3 ... ──▶ sound? the same outcome, the same world?
 *   drawn order, killed somewhere ──▶ sound?
 *   begun on the code of before, killed after each commit, on with that of today ──▶ sound?
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
import type { Event } from "../../core/Event.js"
import * as Activities from "../../core/family/Activity.js"
import type { CrashPoint } from "../CrashingStore.js"
import { Life } from "../CrashingStore.js"
import * as Replayer from "../Replayer.js"
import type { Coverage } from "./Coverage.js"
import * as Finding from "./Finding.js"
import { closingOf } from "./Kin.js"
import * as Order from "./Order.js"
import * as Outcome from "./Outcome.js"
import type { Plan } from "./Plan.js"
import type { Recorded } from "./Runs.js"
import * as Runs from "./Runs.js"
import * as Trials from "./Trial.js"

/** What must hold of each trial, besides what must hold of any. @since 0.1.0 */
export interface Rules {
  /** Throws or fails where it does not hold. */
  readonly holds: (trial: Trials.Traced, plan: Plan, deployed: boolean) => Effect.Effect<unknown, unknown>
  readonly compensations: ReadonlyArray<Compensation>
  readonly mayWait: boolean
  /** What of the world must be the same with a crash as without. */
  readonly observe: ((world: unknown) => unknown) | undefined
  /** The bodies, for replay. */
  readonly bodies: ReadonlyArray<Layer.Layer<never>>
  /** The bodies of the version before. */
  readonly before: ((world: unknown) => ReadonlyArray<Layer.Layer<never>>) | undefined
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
  /** Whether the code of today took over from the one before at the crash. */
  readonly deploys: boolean
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
    const { before } = rules
    const deploying = before === undefined || first?.deploys === false
      ? Effect.succeed(undefined)
      : deployments(subject, { ...rules, before }, plan, coverage, first)
    if (first?.deploys === true) return yield* deploying

    const attempt = (order: "plain" | "drawn", crash: CrashPoint | undefined, calm?: Trials.Traced) =>
      Effect.gen(function*() {
        const chosen = order === "plain" ? Order.plain : Order.drawn(plan.order)
        const trial = yield* Trials.run(subject, plan, chosen, crash === undefined ? [] : [crash])
        const isNew = coverage.record(trial)
        const finding = (yield* judge(subject, rules, plan, trial)) ??
          (calm === undefined ? undefined : yield* compare(subject, rules, plan, calm, trial))
        return {
          trial,
          isNew,
          failed: finding === undefined ? undefined : { finding, plan, trial, order, crash, calm, deploys: false }
        }
      })

    const calm = yield* attempt("plain", undefined)
    if (calm.failed !== undefined) return calm.failed
    const ordered = yield* attempt("drawn", undefined)
    if (ordered.failed !== undefined) return ordered.failed

    const crashes = first === undefined ? calm.isNew || ordered.isNew : first.crash !== undefined
    if (!crashes) return yield* deploying
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
    return (yield* attempt("drawn", somewhere)).failed ?? (yield* deploying)
  })

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/**
 * Begins on the code of before, and goes on with that of today after each of its commits: what is in memory then makes no
 * difference to who takes over, only what is in the history.
 */
const deployments = (
  subject: Trials.Subject,
  rules: Rules & { readonly before: NonNullable<Rules["before"]> },
  plan: Plan,
  coverage: Coverage,
  first: Failed | undefined
): Effect.Effect<Failed | undefined> =>
  Effect.gen(function*() {
    const { before } = rules
    const old = yield* Trials.run({ ...subject, hosts: before }, plan, Order.plain, [])
    const failed = (finding: Finding.Finding, trial: Trials.Traced, crash: CrashPoint | undefined): Failed => ({
      finding,
      plan,
      trial,
      order: "plain",
      crash,
      deploys: true,
      calm: old
    })
    const fault = old.findings[0]
    if (fault !== undefined) {
      return failed({ ...fault, detail: `on the code of before: ${fault.detail}` }, old, undefined)
    }
    if (!coverage.ofBefore.record(old) && first === undefined) return undefined
    const points = Life.crashPoints(old.operations[0]!).filter(({ operation, when }) =>
      when === "after" && old.operations[0]![operation - 1] === "commit"
    )
    const tried = spread(points, rules.crashPointsMax)
    coverage.deployments.plans++
    coverage.deployments.of += points.length
    const hosts: Trials.Subject["hosts"] = (world, life) => life === 1 ? before(world) : subject.hosts(world, life)
    const deploying = { ...subject, hosts, deploys: true }
    for (const point of likeFirst(tried, first?.crash)) {
      const trial = yield* Trials.run(deploying, plan, Order.plain, [point])
      if (trial.deaths.length > 0) coverage.deployments.tried++
      const finding = yield* judge(deploying, rules, plan, trial)
      if (finding === undefined) continue
      const { kind } = finding
      const isOfCode = kind === "TurnFailed" || kind === "Nondeterminism"
      return failed(isOfCode ? { ...finding, kind: "Deployment" } : finding, trial, point)
    }
    return undefined
  })

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
    for (const { run: { runId }, turns } of Runs.all(trial)) {
      // One that was ended before it began has nothing to replay; one that had ended before a deployment meets no new code.
      if (turns[0]?.events[0]?._tag !== "ExecutionStarted") continue
      if (subject.deploys && trial.deaths[0]?.closed.has(runId) === true) continue
      const replayed = yield* Effect.either(Replayer.replay(rules.bodies, { runId, turns }))
      if (replayed._tag === "Left") {
        return { kind: "Nondeterminism", detail: Finding.inCheck(replayed.left.message, subject.deploys) }
      }
    }
    if (closingOf(Runs.last(trial).turns) === undefined && !rules.mayWait) {
      return {
        kind: "Waiting",
        detail: "everything was sent and answered, no timer is set, and the run is still open." +
          " Where it may wait for a message that nobody sends, say so by `mayWait`"
      }
    }
    const undone = notUndone(rules.compensations, trial)
    if (undone !== undefined) {
      return { kind: "Compensation", detail: undone }
    }
    const held = yield* Effect.exit(Effect.suspend(() => rules.holds(trial, plan, subject.deploys)))
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
      const trial = yield* Trials.run(subject, likewise, Order.following(crashed), [])
      if (same(rules, trial, crashed)) return undefined
    }
    const before = Outcome.essence(Runs.last(calm))
    const after = Outcome.essence(Runs.last(crashed))
    if (before !== after) return { kind: "Outcome", detail: `without the crash: ${before}; with it: ${after}` }
    const seen = (trial: Trials.Traced) => JSON.stringify(rules.observe?.(trial.world))
    return { kind: "World", detail: `without the crash: ${seen(calm)}; with it: ${seen(crashed)}` }
  })

/** One that a bound ended has done what it did until then: how much that is says nothing. */
const same = ({ observe }: Rules, one: Trials.Traced, other: Trials.Traced): boolean =>
  Outcome.essence(Runs.last(one)) === Outcome.essence(Runs.last(other)) &&
  (observe === undefined || one.isCut || other.isCut || isDeepStrictEqual(observe(one.world), observe(other.world)))

const notUndone = (
  compensations: ReadonlyArray<Compensation>,
  { attempts, chain }: Trials.Traced
): string | undefined => {
  const tries = triesOf(chain)
  for (const [index, attempt] of tries.entries()) {
    const end = closingOf(attempt.at(-1)!.turns)?._tag
    // Of one that is continued the next run carries on what was done (row K10).
    if (end === undefined || end === "ExecutionCompleted" || end === "ExecutionContinuedAsNew") continue
    for (const { by, inDoubt, of } of compensations) {
      const done = callsOf(of, attempt).filter(({ end, key }) =>
        end?._tag === "ActivityCompleted" ||
        (inDoubt && attempts.some((attempt) => attempt.key === key) &&
          !(end?._tag === "ActivityFailed" && end.failure._tag === "Declared"))
      ).length
      const undone = callsOf(by, attempt).filter(({ end }) => end?._tag === "ActivityCompleted").length
      if (undone < done) {
        const doubt = inDoubt ? "done, or may have been done," : "done"
        const as = end.replace(/^Execution/, "")
        const which = tries.length === 1 ? "the run" : `attempt ${index + 1}`
        return `${of} was ${doubt} ${Finding.times(done)}, ${which} ended as ${as}, and ${by} was done ${
          Finding.times(undone)
        }`
      }
    }
  }
  return undefined
}

/** The runs of each attempt of the chain: one that is tried again must have undone by itself what it did. */
const triesOf = (chain: ReadonlyArray<Recorded>): ReadonlyArray<ReadonlyArray<Recorded>> => {
  const tries: Array<Array<Recorded>> = []
  for (const each of chain) {
    const before = tries.at(-1)
    if (before !== undefined && closingOf(before.at(-1)!.turns)?._tag === "ExecutionContinuedAsNew") before.push(each)
    else tries.push([each])
  }
  return tries
}

interface Call {
  readonly key: string
  end: Extract<Event, { readonly _tag: `Activity${"Completed" | "Failed" | "Canceled"}` }> | undefined
}

const callsOf = (name: string, runs: ReadonlyArray<Recorded>): ReadonlyArray<Call> =>
  runs.flatMap(({ run, turns }) => {
    const calls = new Map<number, Call>()
    for (const { events } of turns) {
      for (const event of events) {
        if (event._tag === "ActivityScheduled") {
          if (event.name === name) {
            calls.set(event.seq, { key: Activities.idempotencyKey(run.runId, event), end: undefined })
          }
        } else if (
          event._tag === "ActivityCompleted" || event._tag === "ActivityFailed" || event._tag === "ActivityCanceled"
        ) {
          const call = calls.get(event.seq)
          if (call !== undefined) {
            call.end = event
          }
        }
      }
    }
    return [...calls.values()]
  })
