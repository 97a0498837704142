/**
 * Commits on their way, and what waits for them: it is run in order, once all that was handed over before it is in.
 *
 * @since 0.1.0
 */

/** @since 0.1.0 */
export class InOrder {
  /** Handed over, and not yet answered. */
  underWay = 0
  private handed = 0
  private answered = 0
  private readonly waiting: Array<readonly [number, () => void]> = []

  handOver(): void {
    this.underWay++
    this.handed++
  }

  /** The oldest commit has its answer. */
  arrived(): void {
    this.underWay--
    this.answered++
  }

  /** Runs it at once if nothing is under way, else after all that is. */
  after(run: () => void): void {
    if (this.underWay === 0) run()
    else this.waiting.push([this.handed, run])
  }

  /** Runs what waited for the commits so far; later ones may be on their way. */
  release(): void {
    while (this.waiting[0] !== undefined && this.waiting[0][0] <= this.answered) this.waiting.shift()![1]()
  }

  /** What waits for commits that will not be made. */
  takeAll(): ReadonlyArray<() => void> {
    return this.waiting.splice(0).map(([, run]) => run)
  }
}
