/**
 * Taking measurements, and making figures of them.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Profile from "./Profile.js"

/** Milliseconds that an effect takes. */
export const millis = <E, R>(effect: Effect.Effect<unknown, E, R>): Effect.Effect<number, E, R> =>
  Effect.map(Effect.timed(effect), ([duration]) => Duration.toMillis(duration))

/**
 * Milliseconds that an effect takes, and processor time meanwhile: when the machine is busy with other things, the
 * second says more.
 */
export const costs = <E, R>(
  effect: Effect.Effect<unknown, E, R>
): Effect.Effect<{ readonly millis: number; readonly cpuMillis: number }, E, R> =>
  Profile.profiled(Effect.suspend(() => {
    const before = process.cpuUsage()
    return Effect.map(millis(effect), (millis) => {
      const { system, user } = process.cpuUsage(before)
      return { millis, cpuMillis: (system + user) / 1000 }
    })
  }))

/** The effect, so many times, so many of them at once. */
export const times = <E, R>(
  count: number,
  inFlight: number,
  effect: (n: number) => Effect.Effect<unknown, E, R>
): Effect.Effect<void, E, R> =>
  Effect.forEach(Array.from({ length: count }, (_, n) => n), effect, { concurrency: inFlight, discard: true })

/** The smallest value that so great a share of all does not exceed. */
export const percentile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

export const median = (values: ReadonlyArray<number>): number => percentile(values, 0.5)

const megabyte = 1024 * 1024

/** Memory that the process holds once garbage is collected: of the system, and of the heap. */
export const memory: Effect.Effect<{ readonly rssMb: number; readonly heapBytes: number }> = Effect.gen(function*() {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    yield* Effect.sleep("50 millis")
  }
  const { heapUsed, rss } = process.memoryUsage()
  return { rssMb: rss / megabyte, heapBytes: heapUsed }
})

/** The most memory that the process ever held. */
export const peakRssMb = (): number => process.resourceUsage().maxRSS / 1024
