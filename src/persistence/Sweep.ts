/**
 * Deleting runs that are older than their namespace keeps them (row X1). Part of the Store port.
 *
 * @since 0.1.0
 */

/** Behind which run a sweep goes on. @category models @since 0.1.0 */
export interface SweepPosition {
  readonly closedAt: number
  readonly startedAt: number
  readonly runId: string
}

/**
 * What became of a batch of old runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Swept {
  readonly deleted: number
  /** Those that are kept against their time, and why. */
  readonly kept: ReadonlyArray<{ readonly runId: string; readonly reason: string }>
  /** Where the next batch begins; undefined: there is none now. */
  readonly next: SweepPosition | undefined
}
