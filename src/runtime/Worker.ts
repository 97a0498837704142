/**
 * The worker: runs workflows and activities of one task queue on a store, and gives a Client to the same process.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { v4 as uuid } from "uuid"
import * as Versions from "../core/family/Version.js"
import { Limits } from "../core/Limits.js"
import { Client } from "../dsl/Client.js"
import type { Hosted } from "../dsl/HostedActivity.js"
import type { ActivatesPatch } from "../dsl/Patch.js"
import type { SharedOptions } from "../dsl/RunOptions.js"
import type { WorkerVersion } from "../dsl/WorkerVersion.js"
import type { HostedWorkflow } from "../dsl/Workflow.js"
import type { StoreError } from "../persistence/Store.js"
import { Store } from "../persistence/Store.js"
import * as ClientOf from "./ClientOf.js"
import { Engine } from "./Engine.js"
import { Hosts, WorkerConfigError } from "./Hosts.js"
import { Poller } from "./Poller.js"
import * as ProcessIdentity from "./ProcessIdentity.js"
import { Slots } from "./Slots.js"
import type { Tuner } from "./SlotSupplier.js"
import { sweeping } from "./Sweeping.js"
import { Timers } from "./Timers.js"
import { TurnBound } from "./TurnBound.js"

/** What a worker can host: what `toLayer` made. @since 0.1.0 */
export type HostLayer = Layer.Layer<never, unknown, never> | Layer.Layer<never, unknown, unknown>

type AnyHost = Layer.Layer<Hosted<string> | HostedWorkflow<string>, unknown, never>
type Provided<L> = L extends Layer.Layer<infer A, unknown, infer _R> ? A : never
type Failed<L> = L extends Layer.Layer<infer _A, infer E, infer _R> ? E : never
type Needed<L> = L extends Layer.Layer<infer _A, infer _E, infer R> ? R : never

/**
 * What it says of runs (`failOnDefect`, `failOnNondeterminism`, `guard`) holds for all that it has, besides what their
 * definitions say (rows W16, D10).
 *
 * @category models
 * @since 0.1.0
 */
interface Base<Hosts extends ReadonlyArray<Layer.Layer.Any>> extends SharedOptions {
  /** The queue whose executions and activities it runs. Default "default". */
  readonly taskQueue?: string | undefined
  /** The bodies, as `toLayer` made them. Every activity that a body calls on this queue must be among them. */
  readonly hosts: Hosts
  /**
   * Attempts that this worker starts a second; more wait in the queue, where schedule-to-start can strike. At least 0.001.
   * Default without limit (row A17).
   */
  readonly maxActivitiesPerSecond?: number | undefined
  /**
   * Attempts that all workers of the task queue start a second, together. Those that set it should set the same; those that
   * do not are not held. Each start then waits for a write to the store. Default without limit (row A17).
   */
  readonly maxTaskQueueActivitiesPerSecond?: number | undefined
  /** Executions kept in memory between turns; 0 replays for every turn. Default 1,000 (row N2). */
  readonly maxCachedExecutions?: number | undefined
  /** Fibers of the executions in memory, 5 to 8 KB each. Default 10,000. */
  readonly maxCachedFibers?: number | undefined
  /**
   * How long one turn, query or validator may keep the thread; beyond, it is cut where it is, and fails as one that loops
   * (row W10). At least 1 millisecond; each turn then costs some 70 microseconds more. Default: 2 seconds, and only where it
   * is suspected, in the first turn of a run that was taken over once a worker was found gone. No turn is cut while a
   * debugger is attached.
   */
  readonly turnTimeout?: Duration.DurationInput | undefined
  /**
   * The build of the code that it runs, of which deployment (row V6): it takes what is pinned to that, and what the deployment
   * sends there (`client.deployments`). Each workflow says `versioningBehavior`, or `defaultBehavior` stands here. Default:
   * it has no version, and takes what no deployment has.
   */
  readonly version?: WorkerVersion | undefined
  /** Its word on a patch that a run meets for the first time: false, and that run takes the old way (row V1). Default: true. */
  readonly activatesPatch?: ActivatesPatch | undefined
  /** How long its ownership lasts without renewal. Default 10 seconds, at least 1. */
  readonly lease?: Duration.DurationInput | undefined
  /** How long a shutdown waits for running activities before it interrupts them (row A16). Default 10 seconds. */
  readonly shutdownGrace?: Duration.DurationInput | undefined
  /** And for those that it interrupted; what ignores that is left behind, and tried again elsewhere (row N1). Default 1 second. */
  readonly interruptGrace?: Duration.DurationInput | undefined
  /**
   * Run once if the store turns out to be damaged, or to be a newer version's: the worker has stopped, and its activities are
   * interrupted (row N1). To end the process, or to tell whoever starts it again. Default: a line in the log.
   */
  readonly onFatalError?: ((error: StoreError) => Effect.Effect<void>) | undefined
}

/** How much it does at once: a number of each kind. @category models @since 0.1.0 */
export interface Counts {
  /** Activities that run at once; more wait in the queue. Default 100 (rows A17, N3). */
  readonly maxConcurrentActivities?: number | undefined
  /** Inline steps that run at once; more wait. Default 100 (row N3). */
  readonly maxConcurrentSteps?: number | undefined
  readonly tuner?: undefined
}

/** How much it does at once: as suppliers of slots say. @category models @since 0.1.0 */
export interface Tuned {
  /** Not beside the numbers whose place it takes (row N3). */
  readonly tuner: Tuner
  readonly maxConcurrentActivities?: undefined
  readonly maxConcurrentSteps?: undefined
}

/**
 * What a worker is given.
 *
 * @category models
 * @since 0.1.0
 */
export type Options<Hosts extends ReadonlyArray<Layer.Layer.Any>> = Base<Hosts> & (Counts | Tuned)

/**
 * Runs a worker for as long as the Layer lives, and provides a `Client`.
 *
 * On release it takes no more work, waits for running activities for `shutdownGrace`, interrupts the rest (they are
 * tried again elsewhere), and gives up its lease, so that others go on at once.
 *
 * An activity that a body calls and no host provides is a missing requirement of this Layer: it does not compile. Fails
 * with `WorkerConfigError` when two hosts have one name (row D1), or there are none.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <const Hosts extends ReadonlyArray<Layer.Layer.Any>>(
  options: Options<Hosts>
): Layer.Layer<
  Client,
  StoreError | WorkerConfigError | Failed<Hosts[number]>,
  Store | Exclude<Needed<Hosts[number]>, Provided<Hosts[number]>>
> => Layer.scoped(Client, make(options as unknown as Options<ReadonlyArray<AnyHost>>)) as never

const make = (
  options: Options<ReadonlyArray<AnyHost>>
): Effect.Effect<
  Context.Tag.Service<typeof Client>,
  unknown,
  Store | Scope.Scope
> =>
  Effect.gen(function*() {
    const taskQueue = options.taskQueue ?? "default"
    yield* checkRate(taskQueue, "maxActivitiesPerSecond", options.maxActivitiesPerSecond)
    yield* checkRate(taskQueue, "maxTaskQueueActivitiesPerSecond", options.maxTaskQueueActivitiesPerSecond)
    yield* checkVersion(taskQueue, options.version)
    yield* checkSlots(taskQueue, options)
    const hosts = yield* buildHosts(taskQueue, options)
    const store = yield* Store
    const clock = yield* Effect.clock
    const runtime = yield* Effect.runtime<never>()
    const turnMillis = options.turnTimeout === undefined ? undefined : Duration.toMillis(options.turnTimeout)
    if (turnMillis !== undefined && !(turnMillis >= 1 && turnMillis < 2 ** 31)) {
      return yield* new WorkerConfigError({
        taskQueue,
        reason: `turnTimeout must be 1 millisecond or more, and less than 24 days, and is ${turnMillis} milliseconds`
      })
    }
    const turnBound = new TurnBound(turnMillis === undefined ? undefined : Math.trunc(turnMillis))
    const leaseMillis = Math.max(1_000, Duration.toMillis(options.lease ?? Limits.leaseMillis))
    const grace = options.shutdownGrace ?? "10 seconds"
    const now = () => Math.trunc(clock.unsafeCurrentTimeMillis())
    let workerId = uuid()
    const register = Effect.suspend(() =>
      store.register({
        id: workerId,
        identity: ProcessIdentity.current,
        startedAt: now(),
        leaseUntil: now() + leaseMillis,
        version: options.version
      }, taskQueue)
    )
    const timers = new Timers(clock, runtime)
    const slots = (kind: keyof Tuner, count: number) =>
      new Slots(kind, options.tuner?.[kind] ?? count, runtime, timers, now)
    const poller = new Poller(
      store,
      timers,
      runtime,
      now,
      () => workerId,
      leaseMillis,
      () => {
        workerId = uuid()
        engine.committer.refuseQueued()
        engine.activities.abandonAll()
        engine.dropAll()
        return register
      },
      () => turnBound.workerGone(),
      (error) => Effect.suspend(() => fatal(error))
    )
    const engine = new Engine(
      store,
      hosts,
      {
        taskQueue,
        turnBound,
        version: options.version,
        maxCachedExecutions: options.maxCachedExecutions ?? Limits.cachedExecutionsMax,
        maxCachedFibers: options.maxCachedFibers ?? Limits.cachedFibersMax,
        slots: {
          activities: slots("activities", options.maxConcurrentActivities ?? Limits.concurrentActivitiesMax),
          steps: slots("steps", options.maxConcurrentSteps ?? Limits.concurrentStepsMax)
        },
        rates: {
          taskQueue,
          worker: options.maxActivitiesPerSecond,
          queue: options.maxTaskQueueActivitiesPerSecond
        }
      },
      () => workerId,
      runtime,
      now,
      timers,
      {
        poke: () => poller.poke(),
        slotsFree: () => poller.slotsFree(),
        tasksLeft: () => poller.tasksLeft(),
        dueAt: (at) => poller.dueAt(at),
        mailAgain: (at) => poller.mailAgain(at)
      }
    )
    /** It owns what it owned until its lease lapses, and does nothing with it: others may see the database otherwise. */
    const fatal = (error: StoreError): Effect.Effect<void> => {
      engine.stop()
      engine.activities.interruptAll()
      engine.close()
      return Effect.zipRight(
        Effect.logFatal("the store cannot be used: this worker has stopped", error),
        options.onFatalError?.(error) ?? Effect.void
      )
    }
    yield* register
    // Before the finalizer: it must hear of changes for as long as that waits.
    yield* store.changes(() => poller.poke())
    yield* Effect.addFinalizer(() =>
      Effect.gen(function*() {
        engine.stop()
        poller.drain()
        yield* atMost(engine.activities.drained, grace)
        engine.activities.interruptAll()
        // An activity that ignores its interruption is left to the lease: it cannot hold the shutdown for ever.
        yield* atMost(engine.activities.drained, options.interruptGrace ?? "1 second")
        yield* atMost(engine.committer.drained, "5 seconds")
        poller.stop()
        engine.close()
        // What is being claimed right now must be given up with the rest.
        yield* atMost(quiet(() => poller.isPolling || engine.isLoading), "5 seconds")
        engine.committer.stop()
        timers.stop()
        yield* store.takeOver([workerId], now(), true)
      }).pipe(
        Effect.catchAll((error) => Effect.logWarning("the lease was not given up; others wait for it to lapse", error))
      )
    )
    yield* poller.takeOverGone
    yield* engine.refreshRoutes
    poller.start(engine)
    // No more often than it renews its lease. It ends before all else does: what it has begun is a transaction at most.
    yield* Effect.forkScoped(sweeping(store, Math.max(Limits.sweepMillis, leaseMillis / 3)))
    return yield* ClientOf.make(store, engine)
  })

const checkSlots = (
  taskQueue: string,
  given: { readonly [K in keyof Tuned | keyof Counts]?: unknown }
): Effect.Effect<void, WorkerConfigError> => {
  const { maxConcurrentActivities, maxConcurrentSteps, tuner } = given
  for (const [name, count] of Object.entries({ maxConcurrentActivities, maxConcurrentSteps })) {
    if (count === undefined) continue
    const reason = tuner !== undefined
      ? `${name} and a tuner exclude each other`
      : !(Number(count) >= 0)
      ? `${name} must be 0 or more, and is ${String(count)}`
      : undefined
    if (reason !== undefined) return new WorkerConfigError({ taskQueue, reason })
  }
  return Effect.void
}

const checkVersion = (taskQueue: string, version: WorkerVersion | undefined) => {
  if (version === undefined) return Effect.void
  const reason = Versions.fault(version)
  return reason === undefined ? Effect.void : new WorkerConfigError({ taskQueue, reason: `version: ${reason}` })
}

const checkRate = (taskQueue: string, option: string, rate: number | undefined) =>
  rate === undefined || (rate >= 0.001 && rate < Infinity)
    ? Effect.void
    : new WorkerConfigError({ taskQueue, reason: `${option} must be 0.001 or more, and finite, and is ${rate}` })

/** Finalizers are uninterruptible, and so would the loser of a race in one be. */
const atMost = (effect: Effect.Effect<void>, duration: Duration.DurationInput): Effect.Effect<void> =>
  Effect.interruptible(Effect.raceFirst(effect, Effect.sleep(duration)))

const quiet = (busy: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => busy() ? Effect.zipRight(Effect.sleep("5 millis"), quiet(busy)) : Effect.void)

/** Builds the hosts one by one, so that two of one name are seen, and shares what they depend on. */
const buildHosts = (taskQueue: string, options: Options<ReadonlyArray<AnyHost>>) =>
  Effect.gen(function*() {
    const { activatesPatch, failOnDefect, failOnNondeterminism, guard, version } = options
    const hosts = new Hosts({ activatesPatch, version, runs: { failOnDefect, failOnNondeterminism, guard } })
    const scope = yield* Effect.scope
    const memo = yield* Layer.makeMemoMap
    for (const layer of options.hosts) {
      const twice = hosts.add((yield* Layer.buildWithMemoMap(layer, memo, scope)) as Context.Context<never>)
      if (twice !== undefined) {
        return yield* new WorkerConfigError({ taskQueue, reason: `${twice} is hosted twice` })
      }
    }
    if (hosts.size === 0) {
      return yield* new WorkerConfigError({ taskQueue, reason: "no workflow and no activity to host" })
    }
    const unsaid = version === undefined ? [] : hosts.withoutBehavior
    if (unsaid.length > 0) {
      return yield* new WorkerConfigError({
        taskQueue,
        reason:
          `it has a version, and nothing says what becomes of open runs of ${unsaid.join(", ")} when another one is `
          + "made current: give them versioningBehavior, or the worker version.defaultBehavior"
      })
    }
    return hosts
  })
