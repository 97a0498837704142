/**
 * The conditions that fibers of one body wait for: asked again after every progress, until none gets further (row W5).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { Limits } from "../../core/Limits.js"
import { RunawayTurn } from "./TurnFailure.js"
import type { TurnScheduler } from "./TurnScheduler.js"

type Resume = (effect: Effect.Effect<void>) => void

/** @since 0.1.0 */
export class Conditions {
  private parked: Array<Resume> = []
  /** Counts predicates that came to hold: progress, for the re-checks. */
  private met = 0

  /** Drains the queue, then asks the conditions again, until neither gets any further. */
  settle(scheduler: TurnScheduler): void {
    scheduler.drain()
    for (let round = 0; this.recheck(); round++) {
      if (round >= Limits.turnConditionRoundsMax) {
        throw new RunawayTurn({ bound: "rounds of conditions", limit: Limits.turnConditionRoundsMax })
      }
      const before = this.met
      scheduler.drain()
      if (this.met === before) break
    }
  }

  wait(asked: Effect.Effect<boolean>): Effect.Effect<void> {
    const check: Effect.Effect<void> = Effect.flatMap(asked, (holds) => {
      if (!holds) return Effect.zipRight(park, check)
      this.met++
      return Effect.void
    })
    const park = Effect.async<void>((resume) => {
      this.parked.push(resume)
      return Effect.sync(() => {
        const index = this.parked.indexOf(resume)
        if (index >= 0) this.parked.splice(index, 1)
      })
    })
    return check
  }

  forget(): void {
    this.parked = []
  }

  /** Resumes all fibers that wait for a condition; false when there are none. */
  private recheck(): boolean {
    if (this.parked.length === 0) return false
    const parked = this.parked
    this.parked = []
    for (const resume of parked) resume(Effect.void)
    return true
  }
}
