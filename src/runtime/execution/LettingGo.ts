/**
 * What a turn lets go once it is committed (I2): its senders are told, activities and steps start, cancellations go out.
 *
 * @since 0.1.0
 */
import type * as Consequences from "./Consequences.js"
import type { Surroundings } from "./Surroundings.js"

/** The copy in memory that took the turn. @since 0.1.0 */
export interface Copy {
  readonly runId: string
  /** Its worker owns nothing any more: what is let go is for others to run. */
  readonly isLost: boolean
  readonly isStopped: boolean
}

/** @since 0.1.0 */
export const letGo = <Execution extends Copy>(
  around: Surroundings<Execution>,
  execution: Execution,
  { consequences, letters }: Consequences.Release
): void => {
  const { runId } = execution
  for (const letter of letters) letter.settled?.({ _tag: "Recorded" })
  const begin = execution.isLost ? around.releaseSlot : around.startActivity
  for (const attempt of consequences.starts) begin(attempt)
  for (const attempt of consequences.queued) around.keepActivity(attempt)
  for (const seq of consequences.cancels) around.cancelActivity(runId, seq)
  for (const [id, answer] of consequences.answers) around.updateAnswered(runId, id, answer)
  for (const seq of consequences.canceledSteps) around.cancelStep(runId, seq)
  if (consequences.steps.length > 0 && !execution.isStopped) around.startSteps(execution, consequences.steps)
}
