/**
 * How a run ends: from what became of its program, and of what ended it from beside, to the one command that says so.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type { Command } from "../../core/Command.js"
import type { Continuation } from "../../core/family/Execution.js"
import type { WorkflowHost } from "../../dsl/Workflow.js"
import { failureOf, isCancellation } from "./CauseFailure.js"
import { BodyDefect } from "./TurnFailure.js"

/**
 * What is known at the end.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ended {
  readonly definition: WorkflowHost["definition"]
  readonly exit: Exit.Exit<unknown, unknown>
  /** What fails the run in place of its own end. */
  readonly failing: Cause.Cause<unknown> | undefined
  /** What continues it in place of its own end. */
  readonly continuing: Continuation | undefined
  /** The reason of the cancel request, if there was one. */
  readonly cancelReason: string | undefined
}

/**
 * The command that ends the run; or why the turn fails: a result that its schema does not take.
 *
 * @category combinators
 * @since 0.1.0
 */
export const commandOf = (
  { cancelReason, continuing, definition, exit, failing }: Ended
): Either.Either<Command, BodyDefect> => {
  if (continuing !== undefined) return Either.right({ _tag: "ContinueAsNew", continuation: continuing })
  if (failing === undefined && Exit.isSuccess(exit)) {
    return Either.mapBoth(definition.codecs.success.encode(exit.value), {
      onLeft: ({ message }) => new BodyDefect({ in: `workflow ${definition.name}`, reason: message }),
      onRight: (result) => ({ _tag: "CompleteExecution", result })
    })
  }
  const cause = failing ?? (exit as Exit.Failure<unknown, unknown>).cause
  return Either.right(
    failing === undefined && cancelReason !== undefined && isCancellation(cause)
      ? { _tag: "CancelExecution", reason: cancelReason }
      : { _tag: "FailExecution", failure: failureOf(definition.codecs.error, cause) }
  )
}
