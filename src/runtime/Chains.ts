/**
 * Where one run of a chain ends and the next one begins, on the side of the worker.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type { Closing } from "../core/family/Execution.js"
import { followerOf } from "../core/family/Execution.js"
import type { Creation, Refusal, StoreError, TurnCommit } from "../persistence/Store.js"
import type { Item } from "./execution/Item.js"
import * as Items from "./execution/Item.js"
import type { ImposedEnd } from "./ImposedEnd.js"

/**
 * What it asks of the engine.
 *
 * @category models
 * @since 0.1.0
 */
export interface Desk {
  readonly taskQueue: string
  readonly commit: (
    commit: TurnCommit,
    done: (refusal: Refusal | undefined) => void,
    trouble: (error: StoreError) => void
  ) => void
  /** Brings a run into memory, and hands it the items. */
  readonly load: (runId: string, items: ReadonlyArray<Item>) => void
  /** The store will hold work at this time. */
  readonly dueAt: (at: number) => void
  /** A run of which nothing is in memory is at its end. */
  readonly ended: (runId: string, closing: Closing, activities: ReadonlyArray<number>) => void
  /** It was not this worker's to end. */
  readonly moved: (items: ReadonlyArray<Item>) => void
}

/** @since 0.1.0 */
export class Chains {
  constructor(private readonly desk: Desk) {}

  /** Runs that a turn created: those of this worker begin at once, the others when they are due. */
  created(creations: ReadonlyArray<Creation>): void {
    for (const { owned, run } of creations) {
      if (owned) this.desk.load(run.runId, [])
      else if (run.taskQueue === this.desk.taskQueue) this.desk.dueAt(run.startAt ?? run.startedAt)
    }
  }

  /** Ends a run without its body (rows X8, W16). */
  end({ activities, closing, commit, run }: ImposedEnd, items: ReadonlyArray<Item>): void {
    const { desk } = this
    desk.commit(commit, (refusal) => {
      if (refusal !== undefined) return desk.moved(items)
      desk.ended(run.runId, closing, activities)
      const questions = Items.tellClosed(items, followerOf(closing) !== undefined)
      if (questions.length > 0) desk.load(run.runId, questions)
      this.created(commit.creates)
    }, (error) => Items.tellTrouble(items.filter((item) => item._tag === "Letter"), error))
  }

  /** Of a run whose first turn is held: letters wait in the mailbox until then, a question has its answer now (row X7). */
  held(items: ReadonlyArray<Item>, until: number): void {
    for (const item of items) {
      if (item._tag === "Letter") item.settled?.({ _tag: "Moved" })
      else item.answer(Either.left(`the run begins at ${new Date(until).toISOString()}`))
    }
  }
}
