/**
 * What is logged of attempts: the lines of their own code, with what tells the attempt apart, and their failures.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Logger from "effect/Logger"
import type { Failure } from "../../core/Failure.js"
import * as Failures from "../../core/Failure.js"
import * as Activities from "../../core/family/Activity.js"
import type { Decision } from "../../core/RetryPolicy.js"
import { ActivityContext } from "../../dsl/ActivityContext.js"
import type { Attempt } from "./Attempt.js"
import * as Attempts from "./Attempt.js"

/**
 * The worker's loggers, which add the attempt's own annotations to what its code logs (row A2). They are looked up as a
 * line is logged: an attempt that logs nothing pays nothing. What the author annotated goes first.
 *
 * @since 0.1.0
 */
export const annotating = (refs: FiberRefs.FiberRefs): FiberRefs.FiberRefs =>
  FiberRefs.updateAs(refs, {
    fiberId: FiberId.none,
    fiberRef: FiberRef.currentLoggers,
    value: HashSet.map(FiberRefs.getOrDefault(refs, FiberRef.currentLoggers), annotated)
  })

/** A failed attempt, and what follows it; a benign failure is for those who look for it (row R9). @since 0.1.0 */
export const failed = (attempt: Attempt, failure: Failure, decision: Decision): Effect.Effect<void> => {
  const benign = failure._tag === "Application" && failure.category === "Benign"
  const message = `attempt ${Attempts.numberOf(attempt)} of activity ${attempt.scheduled.name} failed, and ${
    decision._tag === "Stop" ? "no other one follows" : `is tried again in ${decision.delayMillis} ms`
  }: ${Failures.render(failure)}`
  return Effect.annotateLogs(benign ? Effect.logDebug(message) : Effect.logWarning(message), {
    activity: attempt.scheduled.name,
    activityId: Activities.idOf(attempt.scheduled),
    attempt: Attempts.numberOf(attempt),
    workflow: attempt.workflow,
    workflowId: attempt.workflowId,
    runId: attempt.runId
  })
}

// internal -----------------------------------------------------------------------------------------------------------

const annotated = <A>(logger: Logger.Logger<unknown, A>): Logger.Logger<unknown, A> =>
  Logger.make((options) => {
    const context = FiberRefs.getOrDefault(options.context, FiberRef.currentContext)
    const found = Context.getOption(context as Context.Context<ActivityContext>, ActivityContext)
    if (found._tag === "None") return logger.log(options)
    const { activity, activityId, attempt, runId, workflow, workflowId } = found.value.info
    let { annotations } = options
    for (const [key, value] of Object.entries({ activity, activityId, attempt, workflow, workflowId, runId })) {
      if (!HashMap.has(annotations, key)) annotations = HashMap.set(annotations, key, value)
    }
    return logger.log({ ...options, annotations })
  })
