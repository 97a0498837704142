/**
 * The times of a spec.
 *
 * @since 0.1.0
 */
import type { ScheduleSpec } from "./ScheduleSpec.js"

/** A time of the spec, and the moment to act on it, in epoch milliseconds. @since 0.1.0 */
export interface Time {
  readonly nominal: number
  /** `nominal` and the jitter: before the next nominal time. */
  readonly at: number
}

/**
 * The first time after the given one; undefined where there is none any more. The seed (the schedule's id) decides the
 * jitter: the same time has the same one, whoever asks.
 *
 * @category combinators
 * @since 0.1.0
 */
export const next = (_spec: ScheduleSpec, _seed: string, _after: number): Time | undefined => undefined

/**
 * The times from one to the other, both included, in order, at most so many.
 *
 * @category combinators
 * @since 0.1.0
 */
export const between = (
  _spec: ScheduleSpec,
  _seed: string,
  _from: number,
  _to: number,
  _most: number
): ReadonlyArray<Time> => []
