/**
 * What a step is for, in a line: for those who look at the run (row W20). It steers nothing.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"
import { Limits } from "../core/Limits.js"
import { ContractError } from "./Contract.js"
import { WorkflowContext } from "./WorkflowContext.js"

/** What the steps of a fiber are for, where they do not say it themselves. @since 0.1.0 */
export const current: FiberRef.FiberRef<string | undefined> = globalValue(
  "perdure/Summary/current",
  () => FiberRef.unsafeMake<string | undefined>(undefined)
)

/** What is wrong with a summary, if anything is. @since 0.1.0 */
export const refused = (subject: string, summary: string | undefined): ContractError | undefined =>
  summary !== undefined && summary.length > Limits.summaryCharsMax
    ? new ContractError({ subject, reason: `its summary must have at most ${Limits.summaryCharsMax} characters` })
    : undefined

/**
 * Says what the timers, activities and inline steps within are for, where they do not say it themselves: a line of at
 * most 400 characters (row W20). For the timers of `Effect.timeout`, `Effect.sleep` and `Effect.retry`.
 *
 * It is recorded with each of them, passed through payload codecs, shown by `describe`, timelines and `__stack_trace`,
 * and is not compared on replay: it may be changed at any time. Children have summaries of their own.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withSummary = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  summary: string
): Effect.Effect<A, E, R | WorkflowContext> => {
  const error = refused("Workflow.withSummary", summary)
  return error === undefined
    ? Effect.zipRight(WorkflowContext, Effect.locally(effect, current, summary))
    : Effect.die(error)
}

/**
 * A durable timer, as `Effect.sleep` in a body is, that says what it is for (rows W4, W20).
 *
 * @category combinators
 * @since 0.1.0
 */
export const sleep = (
  duration: Duration.DurationInput,
  options?: { readonly summary?: string | undefined }
): Effect.Effect<void, never, WorkflowContext> =>
  options?.summary === undefined
    ? Effect.zipRight(WorkflowContext, Effect.sleep(duration))
    : withSummary(Effect.sleep(duration), options.summary)
