/**
 * The places in effect 3.x that the interpreter reaches into: by their global keys the set of root fibers, the cache of
 * identity hashes, the fiber that runs and the counter of fiber ids; and the generator behind the process's own Random. Nothing else of
 * effect's insides is used.
 *
 * An upgrade that moves one is found here, with a clear error, before a worker starts.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as GlobalValue from "effect/GlobalValue"
import * as Hash from "effect/Hash"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import type { PCGRandom } from "effect/Utils"

const absent = (what: string) => (): never => {
  throw new Error(`perdure does not fit this version of effect: ${what} is not where it was. Use effect ^3.22.`)
}

// Each of these makes one of the globals looked up below. An import for its effect alone would be dropped by bundlers,
// since effect declares that it has none.
Fiber.unsafeRoots()
Hash.random({})
FiberId.unsafeMake()
Metric.unsafeSnapshot()

/** Fibers that effect keeps alive until they end; an evicted body's must be taken out, or they leak. @since 0.1.0 */
export const roots: Set<Fiber.RuntimeFiber<unknown, unknown>> = GlobalValue.globalValue<
  { readonly roots: Set<Fiber.RuntimeFiber<unknown, unknown>> }
>(Symbol.for("effect/FiberScope/Global"), absent("the global fiber scope")).roots

/** Hashes of objects by identity, drawn at random outside of turns. @since 0.1.0 */
export const identityHashes: WeakMap<object, number> = GlobalValue.globalValue<WeakMap<object, number>>(
  Symbol.for("effect/Hash/randomHashCache"),
  absent("the hash cache")
)

/** The number of the next fiber. @since 0.1.0 */
export const fiberCounter: { current: number } = GlobalValue.globalValue<{ current: number }>(
  Symbol.for("effect/Fiber/Id/_fiberCounter"),
  absent("the fiber counter")
)

/** What every fiber draws from that has no Random of its own: seeded once per process. @since 0.1.0 */
export const processRandom: PCGRandom =
  (Context.get(DefaultServices.liveServices, Random.Random) as unknown as { readonly PRNG: PCGRandom }).PRNG

/** Where metrics get what counts for them: one hook each, by its key. @since 0.1.0 */
export const metricRegistry = GlobalValue.globalValue<
  & Record<
    "get" | "getCounter" | "getGauge" | "getFrequency" | "getHistogram" | "getSummary",
    (key: never) => unknown
  >
  & { readonly map: Iterable<readonly [unknown, unknown]> }
>(Symbol.for("effect/Metric/globalMetricRegistry"), absent("the registry of metrics"))

/** The fiber that the process is running right now. @since 0.1.0 */
export const currentFiber = {
  set: (fiber: Fiber.RuntimeFiber<unknown, unknown> | null): void => {
    ;(globalThis as { "effect/FiberCurrent"?: unknown })["effect/FiberCurrent"] = fiber
  }
}

if (!(roots instanceof Set)) absent("the set of root fibers")()
if (!(identityHashes instanceof WeakMap)) absent("the cache of hashes")()
if (typeof metricRegistry.getCounter !== "function" || metricRegistry.map === undefined) absent("the metrics' hooks")()
if (typeof fiberCounter.current !== "number") absent("the fiber counter's value")()
Effect.runSync(Effect.sync(() => {
  if (!("effect/FiberCurrent" in globalThis)) absent("the fiber that runs")()
}))
if (typeof processRandom?.number !== "function") absent("the generator of random numbers")()
