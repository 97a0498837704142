/**
 * A turn as it is kept. Part of the Store port.
 *
 * @since 0.1.0
 */

/** @category models @since 0.1.0 */
export interface HistoryRow {
  readonly turn: number
  readonly at: number
  readonly format: number
  readonly events: string
}
