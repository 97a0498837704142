/**
 * The real engine for a test: a store in memory, a worker, and time that skips (rows T1, T2).
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { Status } from "../core/family/Execution.js"
import { Client } from "../dsl/Client.js"
import { WorkflowHost } from "../dsl/Workflow.js"
import * as SqliteStore from "../persistence/sqlite/SqliteStore.js"
import type { Run, StoreError } from "../persistence/Store.js"
import { Store } from "../persistence/Store.js"
import * as Histories from "../runtime/Histories.js"
import { Performing } from "../runtime/Performing.js"
import * as Worker from "../runtime/Worker.js"
import * as AwaitingClient from "./AwaitingClient.js"
import * as CrashingStore from "./CrashingStore.js"
import * as Timeline from "./Timeline.js"
import { TimeSkipping } from "./TimeSkipping.js"
import { VirtualTime } from "./VirtualTime.js"

/**
 * The time of an environment, to be driven by hand.
 *
 * @category services
 * @since 0.1.0
 */
export class TestEnvironment extends Context.Tag("perdure/testing/TestEnvironment")<TestEnvironment, {
  /** In epoch milliseconds. */
  readonly currentTime: Effect.Effect<number>
  /** Lets time pass: each wake-up on the way comes at its time, and what it brings about is done before the next. */
  readonly sleep: (duration: Duration.DurationInput) => Effect.Effect<void>
  /** Sets the clock ahead at once, as a clock that jumps: all wake-ups on the way come late, together. */
  readonly adjust: (duration: Duration.DurationInput) => Effect.Effect<void>
  /** Runs an effect during which time does not skip by itself, whatever waits for a result. */
  readonly withoutTimeSkipping: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** The histories of all runs so far, drawn; see `Timeline`. */
  readonly timelines: Effect.Effect<string>
}>() {
  /**
   * An environment of its own for each time that the Layer is built, so that tests may run side by side.
   *
   * Its time stands still while anything works, and skips to the next wake-up when nothing does and the test waits for a
   * result or an update: a day's sleep takes milliseconds. Activities and steps run in real time, and time does not skip
   * while they do; their timeouts strike when time is driven by hand. An activity is mocked by hosting another Layer for
   * the same contract. A test that fails prints the histories of its runs as timelines; one that waits for what no timer,
   * activity or message will bring dies with the reason after a second, and does not hang.
   *
   * @category layers
   * @since 0.1.0
   */
  static layer<const Hosts extends ReadonlyArray<Layer.Layer.Any>>(
    options: Options<Hosts>
  ): Layer.Layer<
    Client | TestEnvironment | Store,
    StoreError | Layer.Layer.Error<WorkerLayer<Hosts>>,
    Exclude<Layer.Layer.Context<WorkerLayer<Hosts>>, Store>
  > {
    return Layer.scopedContext(make(options)) as never
  }
}

/**
 * A worker's options, and when the test begins.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<Hosts extends ReadonlyArray<Layer.Layer.Any>>
  extends Omit<Worker.Options<Hosts>, "lease" | "shutdownGrace">
{
  /** The time at the beginning. Default: 2030-01-01T00:00:00Z, the same in each run. */
  readonly startAt?: Date | undefined
}

type WorkerLayer<Hosts extends ReadonlyArray<Layer.Layer.Any>> = ReturnType<typeof Worker.layer<Hosts>>

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const make = <const Hosts extends ReadonlyArray<Layer.Layer.Any>>({ startAt, ...options }: Options<Hosts>) =>
  Effect.gen(function*() {
    const time = new VirtualTime()
    time.now = (startAt ?? new Date("2030-01-01T00:00:00Z")).getTime()
    const life = new CrashingStore.Life(1, time)
    const store = Context.get(yield* Layer.build(SqliteStore.layer({ filename: ":memory:" })), Store)
    const skipping = new TimeSkipping(time, whyStuck(store))
    const scope = yield* Scope.make()
    // The worker's end waits, too, on the clock that it was begun with.
    yield* Effect.addFinalizer((exit) => skipping.through(Scope.close(scope, exit)))
    const observed = CrashingStore.layer(life).pipe(Layer.provide(Layer.succeed(Store, store)))
    const hosts = options.hosts.map((layer) => assertive(layer as Layer.Layer<never>))
    const worker = Worker.layer({ ...options as Worker.Counts, hosts, lease: leaseMillis, shutdownGrace: 0 }).pipe(
      Layer.provide(Layer.merge(observed, Layer.succeed(Performing, skipping.perform)))
    ) as Layer.Layer<Client>
    const context = yield* Effect.withClock(Layer.buildWithScope(worker, scope), life.clock.clock)
    const timelines = drawAll(store)
    yield* Effect.addFinalizer((exit) =>
      Exit.isFailure(exit)
        ? Effect.flatMap(timelines, (text) => Effect.sync(() => process.stderr.write(`${text}\n`)))
        : Effect.void
    )
    const millis = (duration: Duration.DurationInput) => Duration.toMillis(duration)
    return Context.empty().pipe(
      Context.add(Client, AwaitingClient.make(Context.get(context, Client), (effect) => skipping.awaiting(effect))),
      Context.add(Store, store),
      Context.add(TestEnvironment, {
        currentTime: Effect.sync(() => time.now),
        sleep: (duration) => skipping.holding(Effect.suspend(() => time.to(time.now + millis(duration)))),
        adjust: (duration) =>
          skipping.holding(Effect.suspend(() => {
            time.now += millis(duration)
            time.pulse()
            return time.to(time.now)
          })),
        withoutTimeSkipping: (effect) => skipping.holding(effect),
        timelines
      })
    )
  })

/** A workflow whose assertions fail the run, where another defect fails the turn: the test that awaits it is told (row T2). */
const assertive = (host: Layer.Layer<never>): Layer.Layer<never> =>
  Layer.map(host, (context: Context.Context<never>) => {
    const services = new Map(context.unsafeMap)
    for (const [key, service] of services) {
      if (!(service instanceof WorkflowHost)) continue
      const { failOnDefect } = service.definition.options
      const fails = (defect: unknown) =>
        isAssertionError(defect) || failOnDefect === true ||
        (typeof failOnDefect === "function" && failOnDefect(defect))
      const definition = { ...service.definition, options: { ...service.definition.options, failOnDefect: fails } }
      services.set(
        key,
        new WorkflowHost(definition, service.body, service.services, service.worker, service.optionsOf)
      )
    }
    return Context.unsafeMake(services) as Context.Context<never>
  })

/** Of node:assert, chai, vitest and their kin: all go by this name. */
const isAssertionError = (defect: unknown): boolean => defect instanceof Error && defect.name === "AssertionError"

/** A century: nobody takes this worker over, and its renewals are no wake-ups worth skipping to. */
const leaseMillis = 36_500 * 86_400_000

const openRuns = (store: Store["Type"]): Effect.Effect<ReadonlyArray<Run>> =>
  Effect.orDie(store.runs({ status: "Running", afterRunId: undefined, limit: 100 }))

/** Names the open runs if none of them has a wake-up or an activity ahead, and no schedule will start another one. */
const whyStuck = (store: Store["Type"]): Effect.Effect<string | undefined> =>
  Effect.gen(function*() {
    if (Option.isSome(yield* Effect.orDie(store.nextSchedule))) return undefined
    const runs = yield* openRuns(store)
    for (const run of runs) {
      if (run.wakeAt !== undefined) return undefined
      if ((yield* Effect.orDie(store.tasksOf(run.runId))).length > 0) return undefined
    }
    const names = runs.map((run) => `${run.workflow} ${run.workflowId}`).join(", ")
    return runs.length === 0
      ? "the test waits, and no run is open"
      : `the test waits, and no timer or activity will get an open run any further: ${names}`
  })

const drawAll = (store: Store["Type"]): Effect.Effect<string> =>
  Effect.gen(function*() {
    const drawings: Array<string> = []
    for (const status of Status.literals) {
      for (const run of yield* store.runs({ status, afterRunId: undefined, limit: 20 })) {
        drawings.push(Timeline.draw(run, yield* Histories.read(store, run.runId)).join("\n"))
      }
    }
    return drawings.join("\n\n")
  }).pipe(Effect.orDie)
