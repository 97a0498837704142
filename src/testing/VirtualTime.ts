/**
 * Time of a test: it stands still until the program under test is at rest, and then goes to the next wake-up. So a
 * workflow that sleeps for a year is done in a millisecond, and which of two things comes first never depends on the
 * machine.
 *
 * ```
 *   at rest? ──yes──▶ earliest sleeper ──▶ now = its time, it wakes ──▶ at rest? ...
 * ```
 *
 * Each life (one process of the program) has a clock of its own over the same time: when it dies, its sleepers are gone.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { TimerClock } from "../runtime/Timers.js"

interface Sleeper {
  readonly at: number
  readonly order: number
  readonly wake: () => void
  readonly interrupt: () => void
}

/** Where every proof begins, in epoch milliseconds. */
export const beginning = 1_800_000_000_000

/** Rounds after which a program that never rests is given up: some seconds. */
const roundsMax = 100_000

/** Rounds of the event loop in which nothing happens, after which nothing will: the engine takes two at most. */
const quietRounds = 6

export class VirtualTime {
  /** In epoch milliseconds. */
  now = beginning
  private order = 0
  private sleepers: Array<Sleeper> = []
  /** Counts whatever shows that something goes on. */
  private pulses = 0
  /** What is under way and will go on by itself. */
  private busy = 0

  /** Changes whenever something happened. */
  get happened(): number {
    return this.pulses
  }

  /** Says that something happened. */
  pulse(): void {
    this.pulses++
  }

  begin(): void {
    this.busy++
    this.pulses++
  }

  end(): void {
    this.busy--
    this.pulses++
  }

  /** When the next sleeper wakes. */
  get next(): number | undefined {
    return this.first()?.at
  }

  /** Waits until nothing goes on any more without the clock. */
  readonly rest: Effect.Effect<void> = Effect.async<void>((resume) => {
    let quiet = 0
    let rounds = 0
    let seen = this.pulses
    const round = () => {
      if (++rounds > roundsMax) {
        return resume(
          Effect.dieMessage(`no rest: ${this.busy} operations under way, ${this.pulses - seen} events a round`)
        )
      }
      if (this.busy > 0 || this.pulses !== seen) quiet = 0
      else if (++quiet >= quietRounds) return resume(Effect.void)
      seen = this.pulses
      setImmediate(round)
    }
    setImmediate(round)
  })

  /** Goes to the next wake-up; false when there is none. */
  tick(): boolean {
    const first = this.first()
    if (first === undefined) return false
    this.now = Math.max(this.now, first.at)
    // All that is due now, in the order of their due times; those that come by it wait for the next tick.
    const due = this.sleepers.filter((sleeper) => sleeper.at <= this.now).sort(byTime)
    this.sleepers = this.sleepers.filter((sleeper) => sleeper.at > this.now)
    this.pulses++
    for (const sleeper of due) sleeper.wake()
    return true
  }

  /** Goes to a time, with a rest at each wake-up on the way and at the end. */
  to(at: number): Effect.Effect<void> {
    return Effect.flatMap(this.rest, () => {
      const { next } = this
      if (next !== undefined && next <= at) return Effect.suspend(() => (this.tick(), this.to(at)))
      if (this.now >= at) return Effect.void
      this.now = at
      return this.rest
    })
  }

  /** A clock whose sleepers are forgotten when the life is over, and interrupted when it is buried. */
  clock(): {
    readonly clock: Clock.Clock
    readonly forget: () => void
    readonly remember: () => void
    readonly bury: () => void
  } {
    let over = false
    let buried = false
    let orphans: Array<Sleeper> = []
    const own = new Set<Sleeper>()
    const sleep = (millis: number): Effect.Effect<void> =>
      Effect.async<void>((resume) => {
        if (buried) return resume(Effect.interrupt)
        const sleeper: Sleeper = {
          at: this.now + Math.max(0, millis),
          order: this.order++,
          wake: () => {
            own.delete(sleeper)
            resume(Effect.void)
          },
          interrupt: () => resume(Effect.interrupt)
        }
        if (over) return void orphans.push(sleeper)
        own.add(sleeper)
        this.sleepers.push(sleeper)
        this.pulses++
        return Effect.sync(() => {
          own.delete(sleeper)
          this.sleepers = this.sleepers.filter((each) => each !== sleeper)
        })
      })
    const forget = () => {
      over = true
      orphans = [...own]
      this.sleepers = this.sleepers.filter((sleeper) => !own.has(sleeper))
      own.clear()
    }
    return {
      clock: new VirtualClock(() => this.now, sleep),
      forget,
      remember: () => {
        over = false
        for (const sleeper of orphans.splice(0)) {
          own.add(sleeper)
          this.sleepers.push(sleeper)
        }
        this.pulses++
      },
      bury: () => {
        if (!over) forget()
        buried = true
        for (const sleeper of orphans.splice(0)) sleeper.interrupt()
      }
    }
  }

  private first(): Sleeper | undefined {
    let first: Sleeper | undefined
    for (const sleeper of this.sleepers) if (first === undefined || byTime(sleeper, first) < 0) first = sleeper
    return first
  }
}

const byTime = (a: Sleeper, b: Sleeper): number => a.at - b.at || a.order - b.order

class VirtualClock implements TimerClock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  readonly sleepMillisMax = Infinity
  readonly currentTimeMillis: Effect.Effect<number>
  readonly currentTimeNanos: Effect.Effect<bigint>

  constructor(private readonly now: () => number, private readonly wait: (millis: number) => Effect.Effect<void>) {
    this.currentTimeMillis = Effect.sync(now)
    this.currentTimeNanos = Effect.sync(() => this.unsafeCurrentTimeNanos())
  }

  unsafeCurrentTimeMillis(): number {
    return this.now()
  }

  unsafeCurrentTimeNanos(): bigint {
    return BigInt(this.now()) * 1_000_000n
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return this.wait(Duration.toMillis(duration))
  }
}
