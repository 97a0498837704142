/**
 * The worker's part in retention: now and then it has the store delete what its namespace keeps no longer (row X1).
 *
 * ```
 *   sleep ──▶ sweep ──▶ more? ──▶ pause ──▶ sweep ──▶ ...
 *     ▲          └─ no, or it fails ─┐
 *     └──────────────────────────────┘
 * ```
 *
 * Live work goes first: between two batches it rests for several times as long as a batch took.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Limits } from "../core/Limits.js"
import type { Store, StoreError, SweepPosition } from "../persistence/Store.js"

/**
 * Sweeps for as long as it is let.
 *
 * @category combinators
 * @since 0.1.0
 */
export const sweeping = (store: Pick<Store["Type"], "sweep">, everyMillis: number): Effect.Effect<never> =>
  Effect.sleep(Duration.millis(everyMillis)).pipe(
    Effect.zipRight(round(store)),
    Effect.catchAllCause((cause) =>
      // One that is told to stop has no later.
      Cause.isInterruptedOnly(cause)
        ? Effect.failCause(cause as Cause.Cause<never>)
        : Effect.logWarning("old runs were not deleted; it is tried again later", cause)
    ),
    Effect.forever
  )

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** Batch after batch, until nothing is left that can be deleted now. */
const round = (store: Pick<Store["Type"], "sweep">, after?: SweepPosition): Effect.Effect<void, StoreError> =>
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    const begun = clock.unsafeCurrentTimeMillis()
    const { kept, next } = yield* store.sweep(Math.trunc(begun), after)
    for (const { reason, runId } of kept) {
      yield* Effect.logWarning(`run ${runId} is old enough, and is not deleted: ${reason}`)
    }
    if (next === undefined) return
    const took = clock.unsafeCurrentTimeMillis() - begun
    yield* Effect.sleep(Duration.millis(Math.max(Limits.sweepPauseMillis, took * Limits.sweepRestShare)))
    yield* round(store, next)
  })
