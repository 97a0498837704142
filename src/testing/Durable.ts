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
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schema from "effect/Schema"
import type { Activity } from "../dsl/Activity.js"
import * as Entity from "../dsl/Entity.js"
import type { Codecs, Hosted } from "../dsl/HostedActivity.js"
import type * as Workflow from "../dsl/Workflow.js"
import type { Hosts } from "../runtime/Hosts.js"
import { Coverage } from "./durable/Coverage.js"
import * as Drawing from "./durable/Drawing.js"
import type { Failed, Rules } from "./durable/Explore.js"
import * as Explore from "./durable/Explore.js"
import type { Kind } from "./durable/Finding.js"
import type { Outcome } from "./durable/Outcome.js"
import type { Answer, Message, Role } from "./durable/Plan.js"
import * as Plan from "./durable/Plan.js"
import type { SeenRun, Trial } from "./durable/Seen.js"
import * as Seen from "./durable/Seen.js"
import * as StandIn from "./durable/StandIn.js"
import type { Subject } from "./durable/Trial.js"
import * as FreshStore from "./FreshStore.js"
import * as Replayer from "./Replayer.js"

export type { Answer, Kind, Message, Outcome, SeenRun, Trial }

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
  World,
  Before extends ReadonlyArray<Layer.Layer.Any> = readonly []
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
  /**
   * Children without a body: they end as drawn from the schemas of their contracts, or given by `script`. Those with a
   * body among the hosts run.
   */
  readonly children?: ReadonlyArray<AnyChild> | undefined
  /**
   * The bodies of the version before: some runs begin on them, and go on with `hosts` after each of their commits, as in a
   * deployment. The plan's values are those of today's contract.
   */
  readonly before?: ((world: World) => Before) | undefined
  /** What of the world a crash must not change; any value that can be compared. */
  readonly observe?: ((world: World) => unknown) | undefined
  /** What must hold at the end of each trial; throws or fails where it does not. */
  readonly holds?: ((trial: Trial<W, World>) => void | Effect.Effect<unknown, unknown>) | undefined
  /** When the run does not complete, each of these that was done must have been undone. */
  readonly compensations?: ReadonlyArray<Compensation> | undefined
  /** Instead of drawing the input from the payload's schema. */
  readonly input?: FastCheck.Arbitrary<Workflow.PayloadOf<W>> | undefined
  /** Messages in one plan: signals, updates, queries, a cancel request. Default 4; 8 for an entity. */
  readonly messagesMax?: number | undefined
  /** Whether plans may ask for cancellation. Default true. */
  readonly cancels?: boolean | undefined
  /**
   * Whether it may still be open when everything was sent and answered: waiting for a message, or going on until
   * `stepsMax` or `chainMax`. Default false; true for an entity.
   */
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
  /** Runs of the chain in one trial; more is a chain without end. Default 20. */
  readonly chainMax?: number | undefined
  /** Events after which an entity rolls over to the next run, if not earlier, so that plans reach it. Default 4. */
  readonly rolloverEvents?: number | undefined
  /** How long a failure is made smaller, in milliseconds. Default 10,000. */
  readonly shrinkMillis?: number | undefined
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

/** A child's contract, or one whose ends are given. @since 0.1.0 */
export type AnyChild = Workflow.Any | ScriptedChild

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

/** A child whose ends are given. @category models @since 0.1.0 */
export interface ScriptedChild {
  readonly child: Workflow.Any
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
  /** Commits of runs that began on the code of `before`, after which that of `hosts` went on. */
  readonly deployments: { readonly tried: number; readonly of: number; readonly plans: number }
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
 * Gives an activity its answers: for its first call in a trial, its second, and so on; for each call one answer, or one for
 * each attempt, of which the last goes on. Calls after them succeed with a value of its schema. Likewise for a child: how
 * its first execution ends, its second, and so on; to hang is to time out after a day.
 *
 * @category constructors
 * @since 0.1.0
 */
export const script: {
  <Name extends string, Payload, Success, Error>(
    activity: Activity<Name, Payload, Success, Error>,
    ...calls: ReadonlyArray<AnswerOf<Success, Error> | ReadonlyArray<AnswerOf<Success, Error>>>
  ): Scripted<Name>
  <W extends Workflow.Any>(
    child: W,
    ...ends: ReadonlyArray<AnswerOf<Workflow.SuccessOf<W>, Workflow.ErrorOf<W>>>
  ): ScriptedChild
} = (contract: AnyActivity | Workflow.Any, ...calls: ReadonlyArray<Answer | ReadonlyArray<Answer>>) => {
  const script = calls.map((call) => Array.isArray(call) ? call as ReadonlyArray<Answer> : [call as Answer])
  return ("signals" in contract.codecs ? { child: contract, script } : { ...contract, script }) as never
}

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

/** What can be checked. @since 0.1.0 */
export type Checkable = Workflow.Any | { readonly workflow: Workflow.Any }

/** The workflow that is checked: an entity's is the one beneath. @since 0.1.0 */
export type WorkflowOf<T> = T extends { readonly workflow: infer W extends Workflow.Any } ? W
  : T extends Workflow.Any ? T
  : never

/**
 * Checks a workflow: draws plans, runs each in plain and drawn order, those that reach something new with the process
 * killed before and after every operation of its store, too, and compares. Fails with `CheckFailed` at the first plan that goes wrong, made as small as
 * could be.
 *
 * Of every trial: turns do not fail; the run ends (see `mayWait`); replay does what was recorded; nothing runs again
 * once its outcome is committed; nothing acknowledged is lost, or there twice; runs agree on what became of each other;
 * something will wake what is open (I5); what was done is undone where the run does not complete (`compensations`); and
 * what `holds` says. Of every crash: outcome and `observe` are what they are without it, or with things coming in that
 * order. All of that holds for the whole chain of runs, where one continues as new or is tried again, and for all its
 * children.
 *
 * An entity is checked as it is: `Durable.check(Cart, ...)`. Its first run is there from the beginning; messages go to
 * whichever run is open, and are too late once its program has ended.
 *
 * Time is virtual for activities and steps, too. Answers of activities with a body are disturbed: refused before, lost
 * after, tried again.
 *
 * @category combinators
 * @since 0.1.0
 */
export const check = <
  T extends Checkable,
  const Hosts extends ReadonlyArray<Layer.Layer.Any>,
  const Activities extends ReadonlyArray<AnyActivity> = readonly [],
  World = void,
  const Before extends ReadonlyArray<Layer.Layer.Any> = readonly []
>(
  subject: T,
  options: Options<WorkflowOf<T>, Hosts, Activities, World, Before>
): Effect.Effect<Report, CheckFailed, Requirements<Hosts, Activities> | Requirements<Before, Activities>> =>
  Effect.flatMap(Effect.context<never>(), (context) => checkIn(subject, options as unknown as AnyOptions, context))

/**
 * The same as a test of any runner whose tests are a name and a function: `const durable = Durable.withRunner(it)`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withRunner = (test: (name: string, run: () => Promise<void>, timeoutMillis?: number) => unknown) =>
<
  T extends Checkable,
  const Hosts extends ReadonlyArray<Layer.Layer.Any>,
  const Activities extends ReadonlyArray<AnyActivity> = readonly [],
  World = void,
  const Before extends ReadonlyArray<Layer.Layer.Any> = readonly []
>(
  name: string,
  subject: T,
  options: Options<WorkflowOf<T>, Hosts, Activities, World, Before> & {
    /** Default one minute. */
    readonly timeoutMillis?: number | undefined
    /** Looks at what was reached: demands coverage, or prints the table. */
    readonly report?: ((report: Report) => void) | undefined
  },
  ..._complete: [Requirements<Hosts, Activities> | Requirements<Before, Activities>] extends [never] ? []
    : [missing: Requirements<Hosts, Activities> | Requirements<Before, Activities>]
): void => {
  const checked = check(subject, options) as Effect.Effect<Report, CheckFailed>
  const run = () => Effect.runPromise(Effect.map(checked, (report) => void options.report?.(report)))
  test(name, run, options.timeoutMillis ?? 60_000)
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type AnyHosts = ReadonlyArray<Layer.Layer<never>>
type AnyOptions = Options<Workflow.Any, AnyHosts, ReadonlyArray<AnyActivity>, unknown, AnyHosts>

const checkIn = (
  checkable: Checkable,
  given: AnyOptions,
  context: Context.Context<never>
): Effect.Effect<Report, CheckFailed> =>
  Effect.gen(function*() {
    const isEntity = "workflow" in checkable
    const workflow = isEntity ? checkable.workflow : checkable
    const options = isEntity ? { ...entityDefaults, ...given } : given
    const world = options.world ?? (() => undefined)
    const surroundings = Layer.succeedContext(
      Context.add(context, Entity.RolloverEvents, options.rolloverEvents ?? Infinity)
    )
    const standIns = (options.children ?? []).map((each) =>
      "child" in each ? StandIn.of(each.child, each.script) : StandIn.of(each, undefined)
    )
    const within = (make: (world: unknown) => AnyHosts) => (world: unknown): AnyHosts => [
      ...make(world).map((layer) => Layer.provide(layer, surroundings)),
      ...standIns.map(({ layer }) => layer)
    ]
    const hosts = within(options.hosts)
    const before = options.before === undefined ? undefined : within(options.before)
    const bodies = hosts(world())
    const hosted = yield* Replayer.hostsOf(bodies)
    const hostedBefore = yield* Replayer.hostsOf(before?.(world()) ?? [])
    const roles = [
      ...rolesOf([hosted, hostedBefore], options.activities ?? []),
      ...standIns.map(({ role }) => role)
    ]
    const subject: Subject = {
      workflow,
      workflowId: isEntity ? (input) => `${workflow.name}:${(input as Entity.Start).key}` : () => "durable",
      roles,
      hosts,
      world,
      store: yield* Effect.orDie(FreshStore.make),
      stepsMax: options.stepsMax ?? 300,
      chainMax: options.chainMax ?? 20,
      mayWait: options.mayWait ?? false,
      deploys: false
    }
    const rules = rulesOf(workflow, options, hosted, bodies, before)
    const coverage = new Coverage(workflow, roles)
    const arbitrary = Plan.arbitrary({
      codecs: workflow.codecs,
      roles,
      input: options.input ?? (isEntity ? keys : undefined),
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
      deployments: coverage.deployments,
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

/** An entity waits for messages for ever, and a few of them make it roll over. */
const entityDefaults = { mayWait: true, messagesMax: 8, rolloverEvents: 4 }

const keys: FastCheck.Arbitrary<Entity.Start> = FastCheck.constantFrom({ key: "a" }, { key: "key 2" })

/** All activities: those with a body, whose contracts their hosts know, and those without. */
const rolesOf = (hosts: ReadonlyArray<Hosts>, scripted: ReadonlyArray<AnyActivity>): ReadonlyArray<Role> => {
  const roles = new Map<string, Role>()
  for (const { authored, name } of hosts.flatMap(({ activities }) => [...activities.values()])) {
    roles.set(name, { name, codecs: authored, hasBody: true, script: undefined, well: { _tag: "Performs" } })
  }
  for (const { codecs, name, ...rest } of scripted) {
    if (roles.has(name)) continue
    const given = "script" in rest ? rest.script as Role["script"] : undefined
    const value = Plan.usualValue(codecs.success)
    roles.set(name, { name, codecs, hasBody: false, script: given, well: { _tag: "Succeeds", value } })
  }
  return [...roles.values()]
}

const rulesOf = (
  workflow: Workflow.Any,
  options: AnyOptions,
  hosts: Hosts,
  bodies: AnyHosts,
  before: Rules["before"]
): Rules => ({
  holds: (trial, plan, deployed) => {
    const held = options.holds?.(Seen.of({ workflow, hosts, deployed }, trial, plan))
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
  before,
  crashPointsMax: options.crashPointsMax ?? 250
})
