/**
 * Properties of a workflow, for its author's tests: every crash, many orders of arrival, all kinds of answers.
 *
 * ```
 *   schemas ──▶ plans: input, messages, answers, order ──▶ trials on the real engine, in virtual time
 *                                                              └─▶ Report, or the smallest plan that fails, drawn
 * ```
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schema from "effect/Schema"
import type { Turn } from "../core/Event.js"
import type { Activity } from "../dsl/Activity.js"
import type { Codecs, Hosted } from "../dsl/HostedActivity.js"
import type * as Workflow from "../dsl/Workflow.js"
import { Hosts } from "../runtime/Hosts.js"
import { Coverage } from "./durable/Coverage.js"
import * as Drawing from "./durable/Drawing.js"
import type { Failed, Rules } from "./durable/Explore.js"
import * as Explore from "./durable/Explore.js"
import type { Kind } from "./durable/Finding.js"
import type { Outcome } from "./durable/Outcome.js"
import * as Outcomes from "./durable/Outcome.js"
import type { Answer, Message, Role } from "./durable/Plan.js"
import * as Plan from "./durable/Plan.js"
import type { Sent } from "./durable/Stage.js"
import type { Subject, Traced } from "./durable/Trial.js"
import * as Trials from "./durable/Trial.js"
import * as FreshStore from "./FreshStore.js"

export type { Answer, Kind, Message, Outcome }

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What a check is told.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<
  W extends Workflow.Any,
  Hosts extends ReadonlyArray<Layer.Layer.Any>,
  Activities extends ReadonlyArray<AnyActivity>,
  World
> {
  /**
   * Makes the outside, anew for each trial: what activities write to, and no crash takes away. Must work within the
   * process: a map, a database in memory.
   */
  readonly world?: (() => World) | undefined
  /** The workflow's body, and bodies of activities; from the trial's world. Built anew for each process. */
  readonly hosts: (world: World) => Hosts
  /** Answers of activities without a body: drawn from their schemas, or given by `script`. One with a body gives its own. */
  readonly activities?: Activities | undefined
  /** What of the world a crash must not change; any value that can be compared. */
  readonly observe?: ((world: World) => unknown) | undefined
  /** What must hold at the end of each trial; throws or fails where it does not. */
  readonly holds?: ((trial: Trial<W, World>) => void | Effect.Effect<unknown, unknown>) | undefined
  /** When the run does not complete, each of these that was done must have been undone. */
  readonly compensations?: ReadonlyArray<Compensation> | undefined
  /** Instead of drawing the input from the payload's schema. */
  readonly input?: FastCheck.Arbitrary<Workflow.PayloadOf<W>> | undefined
  /** Messages in one plan: signals, updates, queries, a cancel request. Default 4. */
  readonly messagesMax?: number | undefined
  /** Whether plans may ask for cancellation. Default true. */
  readonly cancels?: boolean | undefined
  /** Whether a run may end up waiting for a message that the plan does not send. Default false. */
  readonly mayWait?: boolean | undefined
  /** How many plans; processes are killed in those that reach something new. Default 50; `PERDURE_RUNS` overrides it. */
  readonly runs?: number | undefined
  /** Where they are drawn from: the same plans in each run. Default 1; `PERDURE_SEED` overrides it, a number or "random". */
  readonly seed?: number | undefined
  /** The plan to begin with, as a failure names it. */
  readonly path?: string | undefined
  /** Crash points of each plan, spread evenly where there are more. Default 250, all of most workflows. */
  readonly crashPointsMax?: number | undefined
  /** Answers, messages and wake-ups in one trial; more is a run without end. Default 300. */
  readonly stepsMax?: number | undefined
  /** How long a failure is made smaller, in milliseconds. Default 10,000. */
  readonly shrinkMillis?: number | undefined
}

/**
 * One trial at its end.
 *
 * @category models
 * @since 0.1.0
 */
export interface Trial<W extends Workflow.Any, World> {
  readonly input: Workflow.PayloadOf<W>
  readonly outcome: Outcome<Workflow.SuccessOf<W>, Workflow.ErrorOf<W>>
  readonly world: World
  /** The payloads of a signal, as they are in the history, in order. */
  readonly received: <K extends keyof Workflow.SignalsOf<W> & string>(
    signal: K
  ) => ReadonlyArray<Workflow.SignalsOf<W>[K]>
  /** What clients sent, in order, and what they know of it. */
  readonly sent: ReadonlyArray<Readonly<Sent>>
  /** How often an activity completed. */
  readonly completed: (activity: string) => number
  readonly turns: ReadonlyArray<Turn>
  /** Whether a process was killed. */
  readonly crashed: boolean
}

/**
 * A pair of activities: what was done, and what undoes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Compensation {
  readonly of: AnyActivity
  readonly by: AnyActivity
  /** Whether one that may have been done, although its answer never came, must be undone too. Default false. */
  readonly inDoubt?: boolean | undefined
}

/** An activity's contract, whatever its types. @since 0.1.0 */
export interface AnyActivity {
  readonly name: string
  readonly codecs: Codecs
}

/**
 * An activity whose answers are given.
 *
 * @category models
 * @since 0.1.0
 */
export interface Scripted<Name extends string> {
  readonly name: Name
  readonly codecs: Codecs
  readonly script: ReadonlyArray<ReadonlyArray<Answer>>
}

/**
 * What was tried, and what of it was reached.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly workflow: string
  readonly plans: number
  readonly trials: number
  /** Of the plans that reached something new. */
  readonly crashPoints: { readonly tried: number; readonly of: number; readonly plans: number }
  /** Histories that differ in more than their values. */
  readonly histories: number
  /** The ways in which run, handlers, activities and timers went, with how often. */
  readonly branches: Coverage["branches"]
  /** What the contracts declare and no trial reached, as in "ChargeCard: CardDeclined". */
  readonly missing: ReadonlyArray<string>
  /** All of it, as a table. */
  readonly table: string
}

/**
 * A trial that went wrong, and the smallest plan found that does: `message` draws it as a timeline, and says how to run it
 * again.
 *
 * @category errors
 * @since 0.1.0
 */
export class CheckFailed extends Schema.TaggedError<CheckFailed>()("CheckFailed", {
  workflow: Schema.String,
  kind: Schema.String,
  detail: Schema.String,
  seed: Schema.Number,
  path: Schema.String,
  drawing: Schema.String
}) {
  override get message(): string {
    return `${this.drawing}\n\n  again: { seed: ${this.seed}, path: "${this.path}" }`
  }
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * Gives an activity its answers: for its first call in a run, its second, and so on; for each call one answer, or one for
 * each attempt, of which the last goes on. Calls after them succeed with a value of its schema.
 *
 * @category constructors
 * @since 0.1.0
 */
export const script = <Name extends string, Payload, Success, Error>(
  activity: Activity<Name, Payload, Success, Error>,
  ...calls: ReadonlyArray<AnswerOf<Success, Error> | ReadonlyArray<AnswerOf<Success, Error>>>
): Scripted<Name> => ({
  name: activity.name,
  codecs: activity.codecs,
  script: calls.map((call) => Array.isArray(call) ? call as ReadonlyArray<Answer> : [call as Answer])
})

/** The answers of an activity without a body. @since 0.1.0 */
export type AnswerOf<Success, Error> =
  | { readonly _tag: "Succeeds"; readonly value: Success }
  | { readonly _tag: "Fails"; readonly error: Error }
  | { readonly _tag: "Dies" | "Hangs" }

type ScriptedNames<Activities> = Activities extends ReadonlyArray<infer A>
  ? A extends { readonly name: infer Name extends string } ? Hosted<Name> : never
  : never
type Provided<L> = L extends Layer.Layer<infer A, infer _E, infer _R> ? A : never
type Needed<L> = L extends Layer.Layer<infer _A, infer _E, infer R> ? R : never

/** What the hosts need and nothing gives: an activity that is missing, services of bodies. @since 0.1.0 */
export type Requirements<Hosts extends ReadonlyArray<Layer.Layer.Any>, Activities> = Exclude<
  Needed<Hosts[number]>,
  Provided<Hosts[number]> | ScriptedNames<Activities>
>

/**
 * Checks a workflow: draws plans, runs each in plain and drawn order, those that reach something new with the process
 * killed before and after every operation of its store, too, and compares. Fails with `CheckFailed` at the first plan that goes wrong, made as small as
 * could be.
 *
 * Of every trial: turns do not fail; the run ends (see `mayWait`); replay does what was recorded; nothing runs again
 * once its outcome is committed; nothing acknowledged is lost; something will wake what is open (I5); what was done is
 * undone where the run does not complete (`compensations`); and what `holds` says. Of every crash: outcome and `observe`
 * are what they are without it, or with things coming in that order.
 *
 * Of a chain of runs the first one is tried: where it is continued as new, or tried again, its end is the outcome, and the
 * runs that follow are not looked at.
 *
 * Time is virtual for activities and steps, too. Answers of activities with a body are disturbed: refused before, lost
 * after, tried again.
 *
 * @category combinators
 * @since 0.1.0
 */
export const check = <
  W extends Workflow.Any,
  const Hosts extends ReadonlyArray<Layer.Layer.Any>,
  const Activities extends ReadonlyArray<AnyActivity> = readonly [],
  World = void
>(
  workflow: W,
  options: Options<W, Hosts, Activities, World>
): Effect.Effect<Report, CheckFailed, Requirements<Hosts, Activities>> =>
  Effect.flatMap(Effect.context<never>(), (context) => checkIn(workflow, options as unknown as AnyOptions, context))

/**
 * The same as a test of any runner whose tests are a name and a function: `const durable = Durable.withRunner(it)`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withRunner = (test: (name: string, run: () => Promise<void>, timeoutMillis?: number) => unknown) =>
<
  W extends Workflow.Any,
  const Hosts extends ReadonlyArray<Layer.Layer.Any>,
  const Activities extends ReadonlyArray<AnyActivity> = readonly [],
  World = void
>(
  name: string,
  workflow: W,
  options: Options<W, Hosts, Activities, World> & {
    /** Default one minute. */
    readonly timeoutMillis?: number | undefined
    /** Looks at what was reached: demands coverage, or prints the table. */
    readonly report?: ((report: Report) => void) | undefined
  },
  ..._complete: [Requirements<Hosts, Activities>] extends [never] ? []
    : [missing: Requirements<Hosts, Activities>]
): void => {
  const checked = check(workflow, options) as Effect.Effect<Report, CheckFailed>
  const run = () => Effect.runPromise(Effect.map(checked, (report) => void options.report?.(report)))
  test(name, run, options.timeoutMillis ?? 60_000)
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type AnyOptions = Options<Workflow.Any, ReadonlyArray<Layer.Layer<never>>, ReadonlyArray<AnyActivity>, unknown>

const checkIn = (
  workflow: Workflow.Any,
  options: AnyOptions,
  context: Context.Context<never>
): Effect.Effect<Report, CheckFailed> =>
  Effect.gen(function*() {
    const world = options.world ?? (() => undefined)
    const surroundings = Layer.succeedContext(context)
    const hosts = (world: unknown) => options.hosts(world).map((layer) => Layer.provide(layer, surroundings))
    const bodies = hosts(world())
    const roles = yield* rolesOf(bodies, options.activities ?? [])
    const store = yield* Effect.orDie(FreshStore.make)
    const subject: Subject = { workflow, roles, hosts, world, store, stepsMax: options.stepsMax ?? 300 }
    const rules = rulesOf(workflow, options, bodies)
    const coverage = new Coverage(workflow, roles)
    const arbitrary = Plan.arbitrary({
      codecs: workflow.codecs,
      roles,
      input: options.input,
      messagesMax: options.messagesMax ?? 4,
      cancels: options.cancels ?? true
    })

    // Outside of fast-check, which knows the smallest plan that failed and not what it failed with.
    let failed: Failed | undefined
    let until = Infinity
    const fails = async (plan: Plan.Plan): Promise<boolean> => {
      if (Date.now() > until) return false
      const explored = Explore.explore(
        subject,
        rules,
        plan,
        failed === undefined ? coverage : new Coverage(workflow, roles),
        failed
      )
      const found = await Effect.runPromise(quietly(explored))
      // One that fails otherwise is another failure, and no smaller one.
      if (found === undefined || (failed !== undefined && failed.finding.kind !== found.finding.kind)) return false
      if (failed === undefined) until = Date.now() + (options.shrinkMillis ?? 10_000)
      failed = found
      return true
    }
    const details = yield* Effect.promise(() =>
      FastCheck.check(
        FastCheck.asyncProperty(arbitrary, async (plan) => !(await fails(plan))),
        {
          seed: seedOf(options.seed),
          numRuns: runsOf(options.runs),
          ...(options.path === undefined ? {} : { path: options.path })
        }
      )
    )
    if (details.failed && failed !== undefined) {
      const { finding } = failed as Failed
      return yield* new CheckFailed({
        workflow: workflow.name,
        kind: finding.kind,
        detail: finding.detail,
        seed: details.seed,
        path: details.counterexamplePath ?? "0",
        drawing: Drawing.failure(workflow.name, failed)
      })
    }
    // Not a plan that failed, but something in the way of drawing or running them.
    if (details.failed) return yield* Effect.die(details.errorInstance)
    return {
      workflow: workflow.name,
      plans: details.numRuns,
      trials: coverage.trials,
      crashPoints: coverage.crashPoints,
      histories: coverage.histories,
      branches: coverage.branches,
      missing: coverage.missing,
      table: Drawing.coverage(workflow.name, details.numRuns, coverage)
    }
  }).pipe(Effect.scoped)

/** The bodies log as they like, thousands of times; and nobody looks at the spans of each statement. */
const quietly = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.withTracerEnabled(Logger.withMinimumLogLevel(effect, LogLevel.None), false)

const seedOf = (seed: number | undefined): number => {
  const { PERDURE_SEED } = process.env
  if (PERDURE_SEED === "random") return Math.trunc(Math.random() * 2 ** 31)
  return PERDURE_SEED === undefined ? seed ?? 1 : Number(PERDURE_SEED)
}

const runsOf = (runs: number | undefined): number => {
  const { PERDURE_RUNS } = process.env
  return PERDURE_RUNS === undefined ? runs ?? 50 : Number(PERDURE_RUNS)
}

/** All activities: those with a body, whose contracts their hosts know, and those without. */
const rolesOf = (bodies: ReadonlyArray<Layer.Layer<never>>, scripted: ReadonlyArray<AnyActivity>) =>
  Effect.scoped(Effect.gen(function*() {
    const hosts = new Hosts()
    for (const layer of bodies) hosts.add((yield* Layer.build(layer)) as Context.Context<never>)
    const roles: Array<Role> = [...hosts.activities.values()].map(({ authored, name }) => ({
      name,
      codecs: authored,
      hasBody: true,
      script: undefined,
      well: { _tag: "Performs" }
    }))
    for (const { codecs, name, ...rest } of scripted) {
      if (hosts.activities.has(name)) continue
      const given = "script" in rest ? rest.script as Role["script"] : undefined
      const value = Plan.usualValue(codecs.success)
      roles.push({ name, codecs, hasBody: false, script: given, well: { _tag: "Succeeds", value } })
    }
    return roles
  }))

const rulesOf = (workflow: Workflow.Any, options: AnyOptions, bodies: Rules["bodies"]): Rules => ({
  holds: (trial, plan) => {
    const held = options.holds?.(trialOf(workflow, trial, plan))
    return Effect.isEffect(held) ? held : Effect.void
  },
  compensations: (options.compensations ?? []).map(({ by, inDoubt, of }) => ({
    of: of.name,
    by: by.name,
    inDoubt: inDoubt ?? false
  })),
  mayWait: options.mayWait ?? false,
  observe: options.observe,
  bodies,
  crashPointsMax: options.crashPointsMax ?? 250
})

const trialOf = (workflow: Workflow.Any, traced: Traced, { input }: Plan.Plan): Trial<Workflow.Any, unknown> => {
  const { deaths, sent, turns, world } = traced
  const events = turns.flatMap(({ events }) => events)
  const trial = {
    input,
    outcome: Outcomes.of(workflow, Trials.runId, turns),
    world,
    sent,
    turns,
    crashed: deaths.length > 0,
    received: (signal: string) =>
      events.flatMap((event) =>
        event._tag === "SignalReceived" && event.name === signal
          ? [Effect.runSync(workflow.codecs.signals.get(signal)!.payload.decode(event.input))]
          : []
      ),
    completed: (activity: string) => {
      const seqs = new Set<number>()
      for (const event of events) if (event._tag === "ActivityScheduled" && event.name === activity) seqs.add(event.seq)
      return events.filter((event) => event._tag === "ActivityCompleted" && seqs.has(event.seq)).length
    }
  }
  return trial as unknown as Trial<Workflow.Any, unknown>
}
