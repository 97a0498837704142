/**
 * The runtime on which the fibers of one body run: effect's own, with what reaches outside replaced.
 *
 * Everything is set through fiber refs, so that it holds for every fiber that descends from the body, daemons too.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as HashSet from "effect/HashSet"
import * as Logger from "effect/Logger"
import * as Request from "effect/Request"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import type * as Scheduler from "effect/Scheduler"
import type { WorkflowContext } from "../../dsl/WorkflowContext.js"
import type { FiberTracker } from "./FiberTracker.js"

type Erased = Effect.Effect<unknown, unknown, unknown>
type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

/** A log entry of a body, let go after the turn. @since 0.1.0 */
export type LogEntry = Logger.Logger.Options<unknown>

/** @category models @since 0.1.0 */
export interface BodyRuntime extends Runtime.Runtime<never> {}

// With metrics on, a fiber of an evicted body would count as active for ever, and each end of one would read the clock.
const flags = RuntimeFlags.disable(Runtime.defaultRuntimeFlags, RuntimeFlags.RuntimeMetrics)

/** @category constructors @since 0.1.0 */
export const make = (body: {
  readonly context: Context.Context<WorkflowContext>
  readonly services: Context.Context<DefaultServices.DefaultServices>
  readonly tracker: FiberTracker
  readonly log: (entry: LogEntry) => void
}): BodyRuntime =>
  Runtime.make({
    context: body.context as Context.Context<never>,
    runtimeFlags: flags,
    fiberRefs: FiberRefs.updateManyAs(same, {
      entries: [
        [DefaultServices.currentServices, [[nobody, body.services]]],
        [FiberRef.currentSupervisor, [[nobody, body.tracker]]],
        [FiberRef.currentRequestCache, [[nobody, requestCache()]]],
        [bodyLog, [[nobody, body.log]]]
      ]
    })
  })

/** Forks on a scheduler of ours: the first step, too, is a task of it. @since 0.1.0 */
export const fork = (
  runtime: BodyRuntime,
  effect: Erased,
  scheduler: Scheduler.Scheduler,
  updateRefs?: (refs: FiberRefs.FiberRefs, fiberId: FiberId.Runtime) => FiberRefs.FiberRefs
): AnyFiber =>
  Runtime.runFork(runtime)(effect as Effect.Effect<unknown, unknown>, {
    scheduler,
    immediate: false,
    ...(updateRefs === undefined ? {} : { updateRefs })
  })

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// The refs belong to no fiber yet: every fiber forks its own from them.
const nobody = FiberId.make(-1, 0) as FiberId.Single as FiberId.Runtime

const bodyLog = FiberRef.unsafeMake<(entry: LogEntry) => void>(() => {})

const logger = Logger.make<unknown, void>((entry) => FiberRefs.getOrDefault(entry.context, bodyLog)(entry))

/** What is the same for all bodies. */
const same = FiberRefs.updateManyAs(Runtime.defaultRuntime.fiberRefs, {
  entries: [
    [FiberRef.currentTracerEnabled, [[nobody, false]]],
    [FiberRef.currentRequestBatchingEnabled, [[nobody, false]]],
    [FiberRef.currentLoggers, [[nobody, HashSet.make(logger)]]]
  ]
})

/**
 * Requests are cached per body: effect's own cache is one per process, so that the second run would ask for nothing.
 * Made when it is first used, since hardly a body does.
 */
const requestCache = (): Request.Cache => {
  let cache: Request.Cache | undefined
  return new Proxy({} as Request.Cache, {
    get: (_, key) => {
      cache ??= Effect.runSync(Request.makeCache({ capacity: requestCacheCapacity, timeToLive: "60 seconds" }))
      return Reflect.get(cache, key, cache) as unknown
    }
  })
}
const requestCacheCapacity = 1_024
