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

/**
 * How long a history is, without reading it: its turns, the events in them, and the bytes of these as they are stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface HistorySize {
  readonly turns: number
  readonly events: number
  readonly bytes: number
}
