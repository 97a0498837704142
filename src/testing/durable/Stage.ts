/**
 * The outside of a run in a trial, which no crash takes away: attempts wait on it until their cue comes, then answer by
 * the plan; each is written down.
 *
 * ```
 *   attempt begins ──▶ waits for its cue ──▶ its body, if it has one ──▶ answers by the plan
 * ```
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schedulers from "effect/Scheduler"
import { defaultScheduler } from "effect/Scheduler"
import type { Failure } from "../../core/Failure.js"
import type { ActivityInfo } from "../../dsl/ActivityContext.js"
import { ActivityContext } from "../../dsl/ActivityContext.js"
import { ActivityHost, encodeFailure, hostTag } from "../../dsl/HostedActivity.js"
import { lost } from "../../runtime/activity/Attempt.js"
import type { Perform } from "../../runtime/Performing.js"
import type { Life } from "../CrashingStore.js"
import type { Answer, Message, Plan, Role } from "./Plan.js"
import * as StandIn from "./StandIn.js"

/** One attempt that began. @since 0.1.0 */
export interface Attempt {
  readonly life: number
  readonly activity: string
  readonly activityId: string
  readonly key: string
  readonly attempt: number
  readonly answer: Answer["_tag"]
}

/** A message, as far as its sender knows. @since 0.1.0 */
export interface Sent {
  readonly message: Message
  /** Acknowledged: its sender was told that it cannot be lost any more. Refused: by a validator. */
  state: "unsent" | "sent" | "acknowledged" | "refused" | "too late"
  /** The name of the error that it was refused with. */
  refusal?: string
  /** Turns in the history when it was sent last. */
  turn?: number
}

/** An attempt that waits for its cue. */
interface Waiting {
  readonly key: string
  readonly activityId: string
  readonly hangs: boolean
  readonly cue: () => void
}

/** @since 0.1.0 */
export class Stage {
  /** In the order in which they began. */
  readonly attempts: Array<Attempt> = []
  /** Attempts by key whose outcome was seen to be committed when a life ended. */
  readonly settled = new Set<string>()
  /** What began all the same after that. */
  readonly reruns: Array<string> = []
  /** Attempts that died with their process: each counts as one that failed. */
  readonly losses: Array<Pick<Attempt, "activity" | "key" | "attempt">> = []
  private readonly waits = new Set<Waiting>()
  /** The calls of each activity, in the order in which they first came up. */
  private readonly calls = new Map<string, Array<string>>()
  /** By key: how many answers were given, and to which attempt the last of them. */
  private readonly given = new Map<string, { count: number; attempt: number }>()
  private readonly roles: ReadonlyMap<string, Role>

  constructor(private readonly plan: Plan, roles: ReadonlyArray<Role>) {
    this.roles = new Map(roles.map((role) => [role.name, role]))
  }

  /** Attempts that will answer when their cue comes, oldest first. */
  get waiting(): ReadonlyArray<Waiting> {
    return [...this.waits].filter(({ hangs }) => !hangs)
  }

  /** The process that they ran in is gone. */
  forgetAll(): void {
    this.waits.clear()
  }

  /** Nobody has recorded how this attempt ended: the next one gets its answer, as a service gives it for the same key. */
  lost(activity: string, key: string, attempt: number): void {
    this.losses.push({ activity, key, attempt })
    // It may have died before anything of it ran.
    this.callOf(activity, key)
    const given = this.given.get(key)
    if (given?.attempt === attempt) given.count--
  }

  /** A host with each activity in it put on the stage. */
  wrap(layer: Layer.Layer<never>, life: Life): Layer.Layer<never> {
    return Layer.map(layer, (context: Context.Context<never>) => {
      const own = new Map(context.unsafeMap)
      for (const [key, service] of own) {
        if (service instanceof ActivityHost) own.set(key, this.host(service.name, service, life))
      }
      return Context.unsafeMake(own) as Context.Context<never>
    })
  }

  /** The host of an activity that has no body. */
  scripted(name: string, life: Life): Layer.Layer<never> {
    return Layer.succeed(hostTag(name), this.host(name, undefined, life)) as unknown as Layer.Layer<never>
  }

  /** The plan in which attempts fail where in this trial they died. */
  planWithLosses(): Plan {
    const answers: Record<string, Array<ReadonlyArray<Answer>>> = {}
    for (const [name, calls] of Object.entries(this.plan.answers)) answers[name] = [...calls]
    for (const { activity, attempt, key } of this.losses) {
      const call = this.callOf(activity, key)
      const all = answers[activity] ??= []
      while (all.length <= call) all.push([])
      const own = [...all[call]!]
      while (own.length < attempt - 1) own.push(this.roles.get(activity)!.well)
      own.splice(attempt - 1, 0, { _tag: "Lost" })
      all[call] = own
    }
    return { ...this.plan, answers }
  }

  private host(name: string, given: ActivityHost | undefined, life: Life): ActivityHost {
    const role = this.roles.get(name)!
    const run: ActivityHost["run"] = (input) =>
      Effect.flatMap(ActivityContext, ({ info }) => this.attempt(role, info, given?.run(input), life))
    const authored = given?.authored ?? { ...role.codecs, body: () => Effect.void }
    return new ActivityHost(name, given?.services ?? Context.empty(), run, authored)
  }

  private attempt(
    role: Role,
    { activityId, attempt, idempotencyKey: key }: ActivityInfo,
    body: ReturnType<ActivityHost["run"]> | undefined,
    life: Life
  ): ReturnType<ActivityHost["run"]> {
    return Effect.suspend(() => {
      if (this.settled.has(key)) this.reruns.push(key)
      const answer = this.answerOf(role, key, attempt)
      this.attempts.push({ life: life.number, activity: role.name, activityId, key, attempt, answer: answer._tag })
      life.time.pulse()
      const cue = atRest(life, this.cueOf({ key, activityId, hangs: answer._tag === "Hangs" }))
      return Effect.zipRight(cue, answered(role, answer, body, `${role.name} #${activityId}, attempt ${attempt}`))
    })
  }

  private cueOf(waiting: Omit<Waiting, "cue">): Effect.Effect<void> {
    return Effect.async((resume) => {
      const entry: Waiting = {
        ...waiting,
        cue: () => {
          this.waits.delete(entry)
          resume(Effect.void)
        }
      }
      this.waits.add(entry)
      return Effect.sync(() => void this.waits.delete(entry))
    })
  }

  private answerOf(role: Role, key: string, attempt: number): Answer {
    const answers = this.plan.answers[role.name]?.[this.callOf(role.name, key)] ?? []
    const count = this.given.get(key)?.count ?? 0
    this.given.set(key, { count: count + 1, attempt })
    // What was given by hand goes on: an attempt may have timed out that the author did not think of.
    return answers[role.script === undefined ? count : Math.min(count, answers.length - 1)] ?? role.well
  }

  /** Which call of its activity it is, from 0. */
  private callOf(activity: string, key: string): number {
    let calls = this.calls.get(activity)
    if (calls === undefined) this.calls.set(activity, calls = [])
    return calls.includes(key) ? calls.indexOf(key) : calls.push(key) - 1
  }
}

/**
 * How a life performs what its authors wrote: in its own time, and no further once it is dead. A fiber that waits for
 * anything but its clock counts as work that will go on by itself.
 *
 * @since 0.1.0
 */
export const performing = (life: Life): Perform => {
  const { time } = life
  const working = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(Effect.sync(() => life.work(1)), () => effect, () => Effect.sync(() => life.work(-1)))
  const sleep: Clock.Clock["sleep"] = (duration) => atRest(life, life.clock.clock.sleep(duration))
  const clock: Clock.Clock = Object.assign(Object.create(life.clock.clock) as Clock.Clock, { sleep })
  const scheduler: Schedulers.Scheduler = {
    shouldYield: (fiber) => defaultScheduler.shouldYield(fiber),
    scheduleTask: (task, priority) => {
      if (life.dead) return
      time.pulse()
      defaultScheduler.scheduleTask(() => life.dead ? undefined : task(), priority)
    }
  }
  return (effect) => Effect.withScheduler(Effect.withClock(working(effect), clock), scheduler)
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** Waits for what does not come by itself. */
const atRest = <A, E, R>(life: Life, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(Effect.sync(() => life.work(-1)), () => effect, () => Effect.sync(() => life.work(1)))

const answered = (
  { child, codecs }: Role,
  answer: Answer,
  body: ReturnType<ActivityHost["run"]> | undefined,
  name: string
): ReturnType<ActivityHost["run"]> => {
  const broken = (type: string, message: string): Failure => ({ _tag: "Application", type, message })
  switch (answer._tag) {
    case "Succeeds":
      return Effect.orDie(codecs.success.encode(answer.value))
    case "Fails": {
      const failure = encodeFailure(codecs.error, answer.error)
      return Effect.fail(child === undefined ? failure : StandIn.byThePlan("Failed", failure.message, failure))
    }
    case "Performs":
      return body!
    case "Refuses":
      return Effect.fail(broken("Refused", `${name} is refused by the plan`))
    case "LosesAnswer":
      return Effect.zipRight(
        Effect.exit(body!),
        Effect.fail(broken("AnswerLost", `${name} is done, and its answer is lost by the plan`))
      )
    case "Lost":
      return Effect.fail(lost)
    case "Dies":
      return child === undefined
        ? Effect.die(new Error(`${name} dies by the plan`))
        : Effect.fail(StandIn.byThePlan("Died", `child ${child} dies by the plan`))
    case "Hangs":
      return Effect.dieMessage(`${name} hangs by the plan, and was called upon`)
  }
}
