/**
 * How a run is taken anew.
 *
 * @since 0.1.0
 */

/**
 * From where a run is taken anew (row C11).
 *
 * @category models
 * @since 0.1.0
 */
export interface ResetOptions {
  /**
   * The turn that is taken anew, as `history` numbers them: what it took in comes again, and what it did then is decided
   * by the code of today. "First" begins with the start, and nothing is kept. Default "Last".
   */
  readonly turn?: number | "First" | "Last" | undefined
  /** The same by the number of an event, which counts from 1 over the whole history: the turn that recorded it. */
  readonly event?: number | undefined
  /** Which of the messages behind that turn come again. Default "All": signals and updates. */
  readonly reapply?: "All" | "Signals" | "Updates" | "None" | undefined
  /** Shown in both histories. */
  readonly reason?: string | undefined
  /** Names this reset: repeated with the same workflow id and request, it gives the run that it made the first time. */
  readonly requestId?: string | undefined
}
