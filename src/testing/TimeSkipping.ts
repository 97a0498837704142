/**
 * When time may skip: somebody waits for what only time can bring, nobody works, and nothing holds the clock.
 *
 * ```
 *   awaited? ──▶ not held? ──▶ at rest? ──▶ no attempt runs? ──▶ tick: to the next wake-up ──▶ again
 *                                                  └── no wake-up ──▶ whoever waits is told that it is stuck
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Perform } from "../runtime/Performing.js"
import type { VirtualTime } from "./VirtualTime.js"

/** @since 0.1.0 */
export class TimeSkipping {
  private awaited = 0
  private held = 0
  private performing = 0
  private looping = false
  private readonly waiting = new Set<(stuck: Effect.Effect<never>) => void>()

  constructor(
    private readonly time: VirtualTime,
    /** Why no time can bring the runs any further; undefined while it can. Asked only when nothing is due for long. */
    private readonly whyStuck: Effect.Effect<string | undefined>
  ) {}

  /** Activities and steps run in real time, and hold the clock for as long as they do. */
  readonly perform: Perform = (effect) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        this.performing++
        this.time.pulse()
      }),
      () => Effect.withClock(effect, live),
      () =>
        Effect.sync(() => {
          this.performing--
          this.time.pulse()
          this.go()
        })
    )

  /** Lets time skip for as long as the effect waits; dies when time cannot help it. */
  awaiting<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    const stuck = Effect.async<never>((resume) => {
      this.waiting.add(resume)
      return Effect.sync(() => void this.waiting.delete(resume))
    })
    return Effect.acquireUseRelease(
      Effect.sync(() => {
        this.awaited++
        this.go()
      }),
      () => Effect.raceFirst(effect, stuck),
      () => Effect.sync(() => void this.awaited--)
    )
  }

  /** Lets no time skip by itself while the effect runs. */
  holding<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.acquireUseRelease(
      Effect.sync(() => void this.held++),
      () => effect,
      () =>
        Effect.sync(() => {
          this.held--
          this.go()
        })
    )
  }

  /** Runs an effect to its end, with time skipping whatever else goes on: the test is over. */
  through<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.flatMap(Effect.forkDaemon(effect), (fiber) => {
      const go: Effect.Effect<A, E> = Effect.flatMap(this.time.rest, () => {
        if (fiber.unsafePoll() !== null) return Effect.flatten(fiber.await)
        this.time.tick()
        return go
      })
      return go
    })
  }

  private get maySkip(): boolean {
    return this.awaited > 0 && this.held === 0 && this.performing === 0
  }

  private go(): void {
    if (this.looping || !this.maySkip) return
    this.looping = true
    Effect.runFork(this.loop)
  }

  private readonly loop: Effect.Effect<void> = Effect.suspend(() =>
    Effect.flatMap(this.time.rest, () => {
      if (!this.maySkip) {
        this.looping = false
        return Effect.void
      }
      const { next, now } = this.time
      if (next !== undefined && next - now < longMillis) return this.tick
      return Effect.flatMap(
        this.whyStuck,
        (why) => why === undefined && next !== undefined ? this.tick : this.stuck(why ?? "nothing is due any more")
      )
    })
  )

  private readonly tick: Effect.Effect<void> = Effect.suspend(() => {
    this.time.tick()
    return this.loop
  })

  /** The test itself may be about to do something in real time: it has a second for it. */
  private stuck(why: string): Effect.Effect<void> {
    const { happened } = this.time
    return Effect.zipRight(
      live.sleep(grace),
      Effect.suspend(() => {
        if (!this.maySkip || this.time.happened !== happened) return this.loop
        this.looping = false
        const told = [...this.waiting]
        this.waiting.clear()
        for (const resume of told) resume(Effect.dieMessage(why))
        return Effect.void
      })
    )
  }
}

const live = Clock.make()

const grace = Duration.seconds(1)

/** The worker's own wake-ups are a day apart when nothing else is due. */
const longMillis = 86_400_000
