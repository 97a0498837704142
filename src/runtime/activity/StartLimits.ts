/**
 * Rates at which this worker starts activities: its own, and that of its queue, which all its workers share (row A17).
 *
 * What may not start yet stays queued, so that schedule-to-start can strike. Nobody waits here: the runner asks how many
 * are allowed, and is called when there may be more.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as StartRate from "../../core/StartRate.js"
import type { Store } from "../../persistence/Store.js"
import type { Timer, Timers } from "../Timers.js"

/**
 * @category models
 * @since 0.1.0
 */
export interface Rates {
  readonly taskQueue: string
  /** Starts a second; undefined is without limit. */
  readonly worker: number | undefined
  readonly queue: number | undefined
}

/** @since 0.1.0 */
export class StartLimits {
  /** When the next one may start by the worker's own rate. */
  private nextAt = 0
  /** Starts that the queue granted, and that are not used. */
  private granted = 0
  private asking = false
  private timer: Timer | undefined

  constructor(
    private readonly rates: Rates,
    private readonly store: Context.Tag.Service<typeof Store>,
    private readonly runtime: Runtime.Runtime<never>,
    private readonly now: () => number,
    private readonly timers: Timers,
    /** Called when there may be more. */
    private readonly more: () => void
  ) {}

  get allowed(): number {
    const { queue, worker } = this.rates
    const own = worker === undefined ? Infinity : StartRate.allowed(this.nextAt, worker, this.now())
    return queue === undefined ? own : Math.min(own, this.granted)
  }

  /** Counts starts; a negative count gives them back. */
  take(count: number): void {
    const { queue, worker } = this.rates
    if (worker !== undefined) this.nextAt = StartRate.after(this.nextAt, worker, this.now(), count)
    if (queue !== undefined) this.granted -= count
  }

  /** So many wait, and none is allowed: calls `more` when there may be one. */
  whenAllowed(waiting: number): void {
    // Since the caller looked the clock went on: it looks again, or nobody would.
    if (this.allowed > 0) return this.more()
    const { queue, taskQueue } = this.rates
    if (queue === undefined || this.granted > 0) return this.wakeAt(this.nextAt)
    if (this.asking || this.timer !== undefined) return
    this.asking = true
    const wanted = Math.max(1, waiting)
    Runtime.runFork(this.runtime)(Effect.match(this.store.takeStarts(taskQueue, queue, wanted, this.now()), {
      onFailure: () => {
        this.asking = false
        this.wakeAt(this.now() + 1_000)
      },
      onSuccess: ({ granted, nextAt }) => {
        this.asking = false
        this.granted += granted
        if (granted === 0) this.wakeAt(nextAt)
        else this.more()
      }
    }))
  }

  private wakeAt(at: number): void {
    if (this.timer !== undefined) return
    this.timer = this.timers.schedule(Math.ceil(at), () => {
      this.timer = undefined
      this.more()
    })
  }
}
