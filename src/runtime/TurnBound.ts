/**
 * How long a turn may keep the thread of a worker (row W10).
 *
 * Bounding a turn costs more than most turns do. So every turn is bounded only where a worker is told to; else the first
 * one of each run that has changed hands, once a worker was found gone without a word: what kept that one's thread for ever
 * would keep the next one's, too.
 *
 * @since 0.1.0
 */
import { Limits } from "../core/Limits.js"

/** @since 0.1.0 */
export class TurnBound {
  private gone = false

  constructor(
    /** What each turn has, in milliseconds, if that was asked for. */
    readonly each: number | undefined
  ) {}

  /** A worker is gone, and did not say so. */
  workerGone(): void {
    this.gone = true
  }

  /** In milliseconds; undefined for no bound. */
  of(epoch: number, afterLoad: boolean): number | undefined {
    if (this.each !== undefined) return this.each
    return this.gone && afterLoad && epoch > 1 ? Limits.turnMillisMax : undefined
  }
}
