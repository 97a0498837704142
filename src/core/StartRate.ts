/**
 * How many may start by now at a given rate: a bucket that fills evenly, kept as one number (row A17).
 *
 * ```
 *   nextAt ──────┬───────┬───────┬──▶ time          one start each 1000 / perSecond ms; what was not used is kept for a
 *                1       2       3 may have started  tenth of a second, so that a late timer loses nothing
 * ```
 *
 * @since 0.1.0
 */

/** How long one start takes at the rate, in milliseconds. @since 0.1.0 */
const intervalOf = (perSecond: number): number => 1_000 / perSecond

const burstOf = (perSecond: number): number => Math.max(1, Math.ceil(perSecond / 10))

/**
 * How many may start now. `nextAt` is when the next one may, in milliseconds; 0 at the beginning.
 *
 * @category combinators
 * @since 0.1.0
 */
export const allowed = (nextAt: number, perSecond: number, now: number): number =>
  now < nextAt ? 0 : Math.min(burstOf(perSecond), Math.floor((now - nextAt) / intervalOf(perSecond)) + 1)

/**
 * When the next one may start, after so many have. A negative count gives starts back.
 *
 * @category combinators
 * @since 0.1.0
 */
export const after = (nextAt: number, perSecond: number, now: number, count: number): number => {
  const interval = intervalOf(perSecond)
  return Math.max(nextAt, now - (burstOf(perSecond) - 1) * interval) + count * interval
}
