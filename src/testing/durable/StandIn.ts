/**
 * A child without a body: a workflow that takes in what it is sent, and ends as the plan has it.
 *
 * ```
 *   parent ──▶ child, a run like any other ──▶ an activity of the same contract ──▶ answers by the plan
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import type { Failure } from "../../core/Failure.js"
import * as Activity from "../../dsl/Activity.js"
import type { ActivityError } from "../../dsl/ActivityError.js"
import { ApplicationError } from "../../dsl/ApplicationError.js"
import type { Codec } from "../../dsl/Contract.js"
import type * as Workflow from "../../dsl/Workflow.js"
import type { Answer, Role } from "./Plan.js"
import { usualValue } from "./Plan.js"

/** @since 0.1.0 */
export interface StandIn {
  readonly layer: Layer.Layer<never>
  readonly role: Role
}

/** @since 0.1.0 */
export const of = (workflow: Workflow.Any, script: ReadonlyArray<ReadonlyArray<Answer>> | undefined): StandIn => {
  const { codecs, name } = workflow
  const activity = Activity.make(`${name} (child)`, {
    payload: codecs.payload.schema,
    success: codecs.success.schema,
    // One that hangs is done for after a day. One whose process dies is tried again: a crash does not fail a child.
    scheduleToCloseTimeout: "1 day"
  }) as unknown as ErasedActivity
  const definition = workflow as ErasedDefinition
  const run = (payload: unknown) =>
    Effect.catchAll(
      activity.execute(payload),
      (error) => error.isCanceled ? Effect.fail(error) : Effect.fail(errorOf(codecs.error, error))
    )
  const layer = definition.toLayer((payload) =>
    Effect.sync(() => definition.of({ ...handlersOf(workflow), run: run(payload) }))
  )
  const well: Answer = { _tag: "Succeeds", value: usualValue(codecs.success) }
  return { layer, role: { name: activity.name, codecs, hasBody: false, script, well, child: name } }
}

/** How the activity fails where the child does: for good, and with what the child is to fail with. @since 0.1.0 */
export const byThePlan = (type: string, message: string, planned?: Failure): Failure => ({
  _tag: "Application",
  type,
  message,
  nonRetryable: true,
  ...(planned === undefined ? {} : { details: planned })
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface ErasedActivity {
  readonly name: string
  readonly execute: (payload: unknown) => Effect.Effect<unknown, ActivityError>
}

interface ErasedDefinition extends Workflow.Any {
  readonly of: (implementation: object) => unknown
  readonly toLayer: (body: (payload: unknown) => Effect.Effect<unknown>) => Layer.Layer<never>
}

/** As the plan has it: see `byThePlan`. */
const errorOf = (declared: Codec, { failure, message }: ActivityError): unknown => {
  const planned = failure._tag === "Application" ? failure.details as Failure | undefined : undefined
  if (planned?._tag === "Declared") return Either.getOrThrow(declared.decode(planned.error as never))
  return new ApplicationError({ type: failure._tag === "Application" ? failure.type : failure._tag, message })
}

/** Signals are taken in, questions answered with a value of their schemas. */
const handlersOf = ({ codecs }: Workflow.Any) => {
  const signals = Object.fromEntries([...codecs.signals.keys()].map((name) => [name, () => Effect.void]))
  return {
    ...(codecs.signals.size === 0 ? {} : { signals }),
    ...(codecs.queries.size === 0 ? {} : { queries: answering(codecs.queries) }),
    ...(codecs.updates.size === 0 ? {} : { updates: answering(codecs.updates) })
  }
}

const answering = (contracts: ReadonlyMap<string, { readonly success: Codec }>) =>
  Object.fromEntries([...contracts].map(([name, { success }]) => {
    const value = usualValue(success)
    return [name, () => Effect.succeed(value)]
  }))
