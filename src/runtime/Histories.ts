/**
 * Reading the whole history of a run from a store, page by page.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Turn } from "../core/Event.js"
import * as Events from "../core/Event.js"
import { Limits } from "../core/Limits.js"
import type { HistoryRow, Store, StoreError } from "../persistence/Store.js"

/**
 * All turns recorded so far, in order. Fails with `UnreadableTurn` at the first row that does not decode.
 *
 * @category combinators
 * @since 0.1.0
 */
export const read = (
  store: Context.Tag.Service<typeof Store>,
  runId: string
): Effect.Effect<ReadonlyArray<Turn>, StoreError | Events.UnreadableTurn> =>
  Effect.gen(function*() {
    const turns: Array<Turn> = []
    for (;;) {
      const rows = yield* store.history(runId, turns.length, Limits.historyPageTurns)
      turns.push(...yield* turnsOf(rows))
      if (rows.length < Limits.historyPageTurns) return turns
    }
  })

/**
 * The turns of rows; the left side is the first one that does not decode.
 *
 * @category conversions
 * @since 0.1.0
 */
export const turnsOf = (
  rows: ReadonlyArray<HistoryRow>
): Either.Either<ReadonlyArray<Turn>, Events.UnreadableTurn> => {
  const turns: Array<Turn> = []
  for (const row of rows) {
    const events = Events.decode(row)
    if (Either.isLeft(events)) return Either.left(events.left)
    turns.push({ turn: row.turn, at: row.at, events: events.right })
  }
  return Either.right(turns)
}
