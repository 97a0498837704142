/**
 * One activity alone: no workflow, no worker, no store (row T3).
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Payload from "../core/Payload.js"
import * as RetryPolicy from "../core/RetryPolicy.js"
import type { Activity } from "../dsl/Activity.js"
import type { ActivityInfo } from "../dsl/ActivityContext.js"
import { ActivityContext, cancellationDetails } from "../dsl/ActivityContext.js"
import type { ApplicationError } from "../dsl/ApplicationError.js"
import { ContractError } from "../dsl/Contract.js"
import type { Hosted } from "../dsl/HostedActivity.js"
import { hostTag } from "../dsl/HostedActivity.js"

/**
 * What the attempt is told of itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Instead of the defaults: attempt 1, ids "test", a second from start to close, all moments 0. */
  readonly info?: Partial<ActivityInfo> | undefined
  /** What an earlier attempt recorded last. Must be JSON. */
  readonly lastHeartbeat?: unknown
}

/**
 * An environment for attempts of activities.
 *
 * @category models
 * @since 0.1.0
 */
export interface ActivityEnvironment {
  /**
   * Runs one attempt with the Layer's body. Payload and result go through the contract's schemas, and die with
   * `ContractError` where they do not fit; the body's errors pass unchanged. Interrupts itself when it is canceled, and
   * when the body hands its attempt over (`Activity.completeAsync`).
   */
  readonly run: <Name extends string, Payload, Success, Error, E, R>(
    activity: Activity<Name, Payload, Success, Error>,
    layer: Layer.Layer<Hosted<Name>, E, R>,
    payload: Payload
  ) => Effect.Effect<Success, Error | ApplicationError | E, R>
  /** Details of all heartbeats so far, in order; undefined for those without. Not throttled. */
  readonly heartbeats: ReadonlyArray<unknown>
  /** Asks running attempts to end, and those that begin later; returns when they have ended. The first call counts. */
  readonly cancel: Effect.Effect<void>
  /** Tells attempts that their worker shuts down (`Activity.shuttingDown`, `Activity.awaitShutdown`). */
  readonly shutDown: Effect.Effect<void>
}

/**
 * Makes an environment, with no heartbeats yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): ActivityEnvironment => {
  const heartbeats: Array<unknown> = []
  const running = new Set<Fiber.RuntimeFiber<unknown, unknown>>()
  let canceled = false
  let shuttingDown = false
  const shutDown = Effect.unsafeMakeLatch()

  const contextOf = (activity: string): Context.Tag.Service<typeof ActivityContext> => ({
    info: { ...defaults, activity, ...options.info },
    lastHeartbeat: options.lastHeartbeat as Payload.Payload,
    heartbeat: (details) =>
      Effect.suspend(() => {
        const checked = Payload.check(details)
        if (Either.isLeft(checked)) {
          return new ContractError({ subject: "heartbeat details", reason: checked.left.message })
        }
        heartbeats.push(details)
        return Effect.void
      }),
    shuttingDown: Effect.sync(() => shuttingDown),
    awaitShutdown: shutDown.await,
    cancellationDetails: Effect.sync(() => canceled ? cancellationDetails("cancelRequested") : undefined),
    completeAsync: Effect.interrupt
  })

  const attempt = (name: string, layer: Layer.Layer<Hosted<string>, unknown, never>, payload: unknown) =>
    Effect.gen(function*() {
      const { authored, services } = Context.get(yield* Layer.build(layer), hostTag(name))
      const encoded = yield* Either.mapLeft(authored.payload.encode(payload), defect)
      const decoded = yield* Either.mapLeft(authored.payload.decode(encoded), defect)
      const body = Effect.suspend(() => authored.body(decoded as never)).pipe(
        Effect.scoped,
        Effect.provide(Context.add(services, ActivityContext, contextOf(name)))
      ) as Effect.Effect<unknown, unknown>
      const result = yield* body
      return yield* Either.mapLeft(
        Either.flatMap(authored.success.encode(result), authored.success.decode),
        defect
      )
    }).pipe(Effect.scoped, Effect.catchIf(isDefect, ({ error }) => Effect.die(error)))

  const run = (activity: { readonly name: string }, layer: Layer.Layer<never>, payload: unknown) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(attempt(activity.name, layer as Layer.Layer<Hosted<string>>, payload))
      running.add(fiber)
      if (canceled) yield* Fiber.interruptFork(fiber)
      return yield* Effect.ensuring(Fiber.join(fiber), Effect.sync(() => void running.delete(fiber)))
    })

  return {
    run: run as unknown as ActivityEnvironment["run"],
    heartbeats,
    cancel: Effect.suspend(() => {
      canceled = true
      return Fiber.interruptAll(running)
    }),
    shutDown: Effect.sync(() => {
      shuttingDown = true
      shutDown.unsafeOpen()
    })
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const defaults: Omit<ActivityInfo, "activity"> = {
  activityId: "test",
  attempt: 1,
  taskToken: "test/1/1",
  idempotencyKey: "test/test",
  workflow: "test",
  workflowId: "test",
  runId: "test",
  taskQueue: "test",
  namespace: "default",
  headers: {},
  scheduledAt: 0,
  attemptScheduledAt: 0,
  startedAt: 0,
  startToCloseMillis: 1_000,
  scheduleToCloseMillis: undefined,
  heartbeatMillis: undefined,
  retry: RetryPolicy.activityDefault
}

/** A contract that is broken is a bug of the test or the body, and none of the activity's errors. */
class Defect {
  constructor(readonly error: ContractError) {}
}
const defect = (error: ContractError): Defect => new Defect(error)
const isDefect = (error: unknown): error is Defect => error instanceof Defect
