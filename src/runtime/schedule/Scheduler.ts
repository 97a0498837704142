/**
 * Looks for schedules that are due, whoever created them and wherever their executions run. Every worker does.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Limits } from "../../core/Limits.js"
import type { Store, StoreError } from "../../persistence/Store.js"
import * as Carrying from "./Carrying.js"

/** @since 0.1.0 */
export class Scheduler {
  constructor(
    private readonly store: Context.Tag.Service<typeof Store>,
    private readonly now: () => number,
    /** The store will hold work at this time. */
    private readonly dueAt: (at: number) => void
  ) {}

  /** Carries on what is due, a batch at most; whether there may be more. */
  readonly carryOn: Effect.Effect<boolean, StoreError> = Effect.suspend(() =>
    Effect.flatMap(this.store.nextSchedule, (next): Effect.Effect<boolean, StoreError> => {
      if (Option.isNone(next)) return nothing
      if (next.value <= this.now()) return this.claim
      this.dueAt(next.value)
      return nothing
    })
  )

  // --- internal

  private readonly claim: Effect.Effect<boolean, StoreError> = Effect.suspend(() => {
    const { scheduleHoldMillis, scheduleRowsMax } = Limits
    const now = this.now()
    return Effect.flatMap(
      this.store.claimSchedules(now, now + scheduleHoldMillis, scheduleRowsMax),
      (rows) => rows.length === 0 ? Effect.succeed(true) : Effect.as(Carrying.on(this.store, rows, now), true)
    )
  })
}

const nothing = Effect.succeed(false)
