/**
 * Reads of the mailbox that are under way: what a turn took in meanwhile is left out of what they bring, since the row
 * may be in it still, although it is gone.
 *
 * ```
 *   read begins ──▶ the store reads row 7 ──────────────▶ the answer comes: 7 is left out
 *                         turn takes 7 in ──▶ committed ──┘
 * ```
 *
 * A copy in memory knows each row that it was handed; one that was forgotten and brought back in between does not.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Mail } from "../persistence/Store.js"

/** @since 0.1.0 */
export class MailReads {
  private underWay = 0
  /** Rows that went since the first of the reads under way began: none is kept longer than it takes them to end. */
  private readonly gone = new Set<number>()

  /** Rows whose turn is committed. */
  consumed(ids: ReadonlyArray<number>): void {
    if (this.underWay > 0) { for (const id of ids) this.gone.add(id) }
  }

  /** Reads, and hands what is there still to `use`, in the order of its rows. */
  through<A, E>(
    read: Effect.Effect<ReadonlyArray<Mail>, E>,
    use: (fresh: ReadonlyArray<Mail>, all: ReadonlyArray<Mail>) => A
  ): Effect.Effect<A, E> {
    return Effect.acquireUseRelease(
      Effect.sync(() => void this.underWay++),
      // In one go with the answer: nothing can be committed in between.
      () =>
        Effect.map(read, (all) => use(this.gone.size === 0 ? all : all.filter(({ id }) => !this.gone.has(id)), all)),
      () =>
        Effect.sync(() => {
          if (--this.underWay === 0) this.gone.clear()
        })
    )
  }
}
