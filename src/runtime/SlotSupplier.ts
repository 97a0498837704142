/**
 * Slots: how much of a kind of work a worker does at once (row N3).
 *
 * A worker asks a supplier how many more may begin, and tells it of each that does, and of each that is over. It asks on
 * one thread and does not wait: between what is said to be available and what is reserved, nothing else happens.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as os from "node:os"
import { performance } from "node:perf_hooks"

/**
 * One that fails, dies, or does not answer at once, supplies nothing until it is asked again, a tenth of a second later; the
 * worker warns, and lives.
 *
 * @category models
 * @since 0.1.0
 */
export interface SlotSupplier {
  /** How many more may begin now. */
  readonly available: Effect.Effect<number, unknown>
  /** One begins. */
  readonly reserve: Effect.Effect<void, unknown>
  /** One is over. */
  readonly release: Effect.Effect<void, unknown>
}

/**
 * Where a worker's slots come from, by kind; 100 of those that are left out. The same supplier may serve several workers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tuner {
  readonly activities?: SlotSupplier | undefined
  /** Inline steps. */
  readonly steps?: SlotSupplier | undefined
}

/** How busy the process and its machine are, from 0 to 1. @category models @since 0.1.0 */
export interface Usage {
  readonly memory: number
  readonly cpu: number
}

/** @category models @since 0.1.0 */
export interface ResourceOptions {
  /** A further slot is given only below it: the memory of this process, as a part of what it may have. Default 0.8. */
  readonly targetMemory?: number | undefined
  /** The same of the processor: the machine's, or this thread's, whichever is busier. Default 0.9. */
  readonly targetCpu?: number | undefined
  /** So many are given, however busy it is. Default 5. */
  readonly minimum?: number | undefined
  /** No more than so many. Default 500. */
  readonly maximum?: number | undefined
  /** Between two further slots, so that one shows what it costs before the next. Default 50 milliseconds. */
  readonly rampThrottle?: Duration.DurationInput | undefined
  /** Default: of this process, a quarter of a second old at most. */
  readonly measure?: Effect.Effect<Usage> | undefined
}

/** As many as are given. @category constructors @since 0.1.0 */
export const fixed = (count: number): SlotSupplier => {
  let taken = 0
  return {
    available: Effect.sync(() => count - taken),
    reserve: Effect.sync(() => void taken++),
    release: Effect.sync(() => void taken--)
  }
}

/**
 * As many as memory and processor bear: up to `minimum` at once, then one by one while both are below their targets.
 *
 * @category constructors
 * @since 0.1.0
 */
export const resourceBased = (options: ResourceOptions = {}): SlotSupplier => {
  const { maximum = 500, measure = measured, minimum = 5, targetCpu = 0.9, targetMemory = 0.8 } = options
  const throttleMillis = Duration.toMillis(options.rampThrottle ?? "50 millis")
  let taken = 0
  let rampedAt = -Infinity
  return {
    available: Effect.gen(function*() {
      if (taken < minimum) return minimum - taken
      if (taken >= maximum || (yield* Clock.currentTimeMillis) - rampedAt < throttleMillis) return 0
      const { cpu, memory } = yield* measure
      return memory < targetMemory && cpu < targetCpu ? 1 : 0
    }),
    reserve: Effect.map(Clock.currentTimeMillis, (now) => {
      if (++taken > minimum) rampedAt = now
    }),
    release: Effect.sync(() => void taken--)
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const measureMillis = 250

let last: { readonly at: number; readonly usage: Usage } | undefined
let loop = performance.eventLoopUtilization()
let cores = os.cpus()

/** Shared by all suppliers of the process: each look is at what was since the one before it. */
const measured: Effect.Effect<Usage> = Effect.sync(() => {
  const at = performance.now()
  if (last !== undefined && at - last.at < measureMillis) return last.usage
  const loopNow = performance.eventLoopUtilization()
  const coresNow = os.cpus()
  const bound = process.constrainedMemory()
  const memory = process.memoryUsage.rss() / (bound > 0 && bound < os.totalmem() ? bound : os.totalmem())
  const thread = performance.eventLoopUtilization(loopNow, loop).utilization
  const usage = { memory, cpu: Math.max(thread, busy(cores, coresNow)) }
  loop = loopNow
  cores = coresNow
  last = { at, usage }
  return usage
})

const busy = (before: ReadonlyArray<os.CpuInfo>, now: ReadonlyArray<os.CpuInfo>): number => {
  const [idle, all] = [before, now].map((each) => timesOf(each)).reduce(([i0, a0], [i1, a1]) => [i1! - i0!, a1! - a0!])
  return all === 0 ? 0 : 1 - idle! / all!
}

const timesOf = (cores: ReadonlyArray<os.CpuInfo>): ReadonlyArray<number> => [
  cores.reduce((sum, { times }) => sum + times.idle, 0),
  cores.reduce((sum, { times: { idle, irq, nice, sys, user } }) => sum + idle + irq + nice + sys + user, 0)
]
