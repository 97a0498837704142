/**
 * The way of an activity's outcome to whoever owns its run.
 *
 * @since 0.1.0
 */
import type { ActivityOutcome } from "../../core/family/Activity.js"
import * as Messages from "../../core/Message.js"
import type { Committer } from "../Committer.js"
import type { Item } from "../execution/Item.js"
import * as Items from "../execution/Item.js"
import type { Attempt } from "./Attempt.js"

/** Posts it to the run if that is here, else with the end of its task into the run's mailbox. @since 0.1.0 */
export const deliver = (
  post: (runId: string, item: Item) => void,
  committer: Committer,
  posted: () => void,
  attempt: Attempt,
  outcome: ActivityOutcome["outcome"]
): void =>
  post(
    attempt.runId,
    Items.letter({ _tag: "ActivityOutcome", outcome }, (settled) => {
      // Dropped by a copy whose ownership was lost, which knows nothing of what its successor scheduled: the store
      // decides. Where the activity has its outcome, the task is gone, and this changes nothing.
      if (settled._tag !== "Moved" && settled._tag !== "Dropped") return
      // The run is owned elsewhere: its mailbox takes the outcome, in one with the end of the task.
      committer.task({
        _tag: "Settle",
        runId: attempt.runId,
        seq: attempt.scheduled.seq,
        attempt: attempt.attempt,
        mail: {
          runId: attempt.runId,
          kind: "ActivityOutcome",
          body: Messages.encode({ _tag: "ActivityOutcome", outcome })
        }
      }, posted)
    })
  )
