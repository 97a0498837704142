/**
 * The clock of one process: the world's time, at a speed of its own, off by so much, and moved now and then. Sleeping
 * goes by the speed alone, as on a real machine: a clock that is set does not wake anybody.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { VirtualTime } from "../../src/testing/VirtualTime.js"
import { beginning } from "../../src/testing/VirtualTime.js"

/** What is wrong with a clock: of the machine, whichever process runs on it. */
export interface Drift {
  offMillis: number
  speed: number
}

export class DriftingClock implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  readonly currentTimeMillis = Effect.sync(() => this.unsafeCurrentTimeMillis())
  readonly currentTimeNanos = Effect.sync(() => this.unsafeCurrentTimeNanos())

  constructor(
    private readonly time: VirtualTime,
    private readonly inner: Clock.Clock,
    private readonly drift: Drift
  ) {}

  unsafeCurrentTimeMillis(): number {
    return Math.trunc(beginning + (this.time.now - beginning) * this.drift.speed + this.drift.offMillis)
  }

  unsafeCurrentTimeNanos(): bigint {
    return BigInt(this.unsafeCurrentTimeMillis()) * 1_000_000n
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.inner.sleep(Duration.millis(Math.ceil(Duration.toMillis(duration) / this.drift.speed)))
    )
  }
}
