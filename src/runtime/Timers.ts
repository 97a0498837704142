/**
 * Wake-ups of one worker: a heap of moments, and one sleeping fiber for the earliest.
 *
 * Entries can be taken out again in logarithmic time: nearly all of them are timeouts that never strike.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"

/** @since 0.1.0 */
export interface Timer {
  readonly at: number
  readonly fire: () => void
  /** Place in the heap; -1 once it fired or was canceled. */
  index: number
}

/** A clock that says for how long it can be slept on at most, in milliseconds; one that does not: for a day. @since 0.1.0 */
export interface TimerClock extends Clock.Clock {
  readonly sleepMillisMax?: number
}

/** A day: longer delays do not fit a JavaScript timer, and the machine's clock may jump meanwhile. */
const dayMillis = 86_400_000

/** @since 0.1.0 */
export class Timers {
  private readonly heap: Array<Timer> = []
  private sleeper: Fiber.RuntimeFiber<void> | undefined
  private sleepsUntil = Infinity
  private stopped = false

  constructor(private readonly clock: TimerClock, private readonly runtime: Runtime.Runtime<never>) {}

  /** Calls `fire` at the given time, in epoch milliseconds, or as soon as possible if it has passed. */
  schedule(at: number, fire: () => void): Timer {
    const timer: Timer = { at, fire, index: this.stopped ? -1 : this.heap.length }
    if (this.stopped) return timer
    this.heap.push(timer)
    this.up(timer)
    if (at < this.sleepsUntil) this.sleep()
    return timer
  }

  cancel(timer: Timer | undefined): void {
    if (timer === undefined || timer.index < 0) return
    const index = timer.index
    const last = this.heap.pop()!
    timer.index = -1
    if (last === timer) return
    this.heap[index] = last
    last.index = index
    this.up(last)
    this.down(last)
  }

  stop(): void {
    this.stopped = true
    for (const timer of this.heap) timer.index = -1
    this.heap.length = 0
    this.wake()
  }

  private wake(): void {
    const sleeper = this.sleeper
    this.sleeper = undefined
    this.sleepsUntil = Infinity
    if (sleeper !== undefined) sleeper.unsafeInterruptAsFork(sleeper.id())
  }

  private sleep(): void {
    this.wake()
    const first = this.heap[0]
    if (first === undefined || this.stopped) return
    this.sleepsUntil = first.at
    const { sleepMillisMax = dayMillis } = this.clock
    const millis = Math.min(Math.max(0, first.at - this.clock.unsafeCurrentTimeMillis()), sleepMillisMax)
    this.sleeper = Runtime.runFork(this.runtime)(
      Effect.flatMap(this.clock.sleep(Duration.millis(millis)), () => Effect.sync(() => this.ring()))
    )
  }

  private ring(): void {
    this.sleeper = undefined
    this.sleepsUntil = Infinity
    const now = this.clock.unsafeCurrentTimeMillis()
    for (let first = this.heap[0]; first !== undefined && first.at <= now; first = this.heap[0]) {
      this.cancel(first)
      try {
        first.fire()
      } catch (defect) {
        // One that throws must not hold up the others.
        Runtime.runFork(this.runtime)(Effect.logError("a wake-up failed", defect))
      }
    }
    this.sleep()
  }

  private up(timer: Timer): void {
    const { heap } = this
    while (timer.index > 0) {
      const parent = heap[(timer.index - 1) >> 1]!
      if (parent.at <= timer.at) return
      this.swap(timer, parent)
    }
  }

  private down(timer: Timer): void {
    const { heap } = this
    for (;;) {
      const left = heap[2 * timer.index + 1]
      const right = heap[2 * timer.index + 2]
      const least = right !== undefined && left !== undefined && right.at < left.at ? right : left
      if (least === undefined || timer.at <= least.at) return
      this.swap(timer, least)
    }
  }

  private swap(a: Timer, b: Timer): void {
    const index = a.index
    a.index = b.index
    b.index = index
    this.heap[a.index] = a
    this.heap[b.index] = b
  }
}
