/**
 * A history as it grows (row X12).
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Turn } from "../../core/Event.js"
import { isClosing } from "../../core/family/Execution.js"
import { Limits } from "../../core/Limits.js"
import type { WorkflowNotFound } from "../../dsl/WorkflowFailure.js"
import { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import * as Histories from "../Histories.js"
import type { Calls, Target } from "./Calls.js"

/** The turns of the run that the handle means now: those there are, then each as it comes, up to the run's end. @since 0.1.0 */
export const watch = (
  calls: Calls,
  target: Target
): Stream.Stream<Turn, WorkflowNotFound | StoreUnavailable> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const { runId } = yield* calls.find(target, "watch")
    const changed = yield* Effect.makeLatch(true)
    yield* calls.store.changes(() => changed.unsafeOpen())
    const wait = Effect.raceFirst(changed.await, Effect.sleep(lookAgain))
    const next = (
      after: number
    ): Effect.Effect<readonly [Chunk.Chunk<Turn>, Option.Option<number>], StoreUnavailable> =>
      Effect.gen(function*() {
        changed.unsafeClose()
        const turns = yield* page(calls, runId, after)
        const last = turns.at(-1)
        if (last === undefined) {
          // Deleted: nothing more will come.
          if (after > 0 && Option.isNone(yield* calls.of("watch", calls.store.findRun(runId)))) return end
          yield* wait
          return yield* next(after)
        }
        return [
          Chunk.unsafeFromArray(turns),
          last.events.some(isClosing) ? Option.none() : Option.some(last.turn)
        ]
      })
    return Stream.paginateChunkEffect(0, next)
  }))

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** What this process itself commits, nobody announces. */
const lookAgain = "100 millis"

const end = [Chunk.empty<Turn>(), Option.none<number>()] as const

const page = (calls: Calls, runId: string, after: number): Effect.Effect<ReadonlyArray<Turn>, StoreUnavailable> =>
  Effect.flatMap(
    calls.of("watch", calls.store.history(runId, after, Limits.historyPageTurns)),
    (rows) =>
      Effect.mapError(
        Histories.turnsOf(rows),
        (error) => new StoreUnavailable({ call: "watch", detail: error.message })
      )
  )
