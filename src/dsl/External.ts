/**
 * Other executions, as a body reaches them: signals and cancel requests by their ids (rows K8, K9).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Target, Undelivered } from "../core/family/External.js"
import { none as noHeaders } from "../core/Headers.js"
import type { PayloadArgument } from "./Call.js"
import { headersOf, refusedId } from "./Call.js"
import type { Any } from "./Codecs.js"
import { ContractError } from "./Contract.js"
import { through } from "./Hooks.js"
import * as Place from "./Place.js"
import * as Untyped from "./Untyped.js"
import { WorkflowContext } from "./WorkflowContext.js"
import { WorkflowClosed, WorkflowNotFound } from "./WorkflowFailure.js"

/**
 * Another execution, or the run itself, by its workflow id.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExternalHandle<in out Signals> {
  readonly workflowId: string
  /** Undefined: whichever run of the workflow id is open. */
  readonly runId: string | undefined
  /**
   * Returns once the signal is in the other run's mailbox, and cannot be lost any more; fails where there is no such
   * run, or it is closed. Interrupting the wait does not take the signal back.
   */
  readonly signal: <K extends keyof Signals & string>(
    name: K,
    ...args: PayloadArgument<Signals[K]>
  ) => Effect.Effect<void, WorkflowNotFound | WorkflowClosed, WorkflowContext>
  /** Asks for its cancellation; the same as of `signal` holds. */
  readonly cancel: (
    reason?: string
  ) => Effect.Effect<void, WorkflowNotFound | WorkflowClosed, WorkflowContext>
}

interface Addressee {
  readonly workflow: Any
  readonly target: Target
}

/**
 * The handle of an execution, in its erased form.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (workflow: Any, workflowId: string, runId: string | undefined) => {
  const target = { workflowId, ...(runId === undefined ? {} : { runId }) }
  return {
    workflowId,
    runId,
    signal: signaling({ workflow, target }),
    cancel: canceling({ workflow, target })
  }
}

/** Sends a signal of the contract. @since 0.1.0 */
export const signaling = ({ target, workflow }: Addressee) => {
  const signal = (name: string, payload?: unknown) => {
    const place = Place.capture(signal)
    return Effect.flatMap(WorkflowContext, (context) =>
      through(
        context.hooks.signalExternal,
        { ...executionOf({ target, workflow }), signal: name, payload, headers: noHeaders },
        ({ headers, payload }) => {
          const codecs = Untyped.signal(workflow, name)
          if (codecs instanceof ContractError) return Effect.die(codecs)
          const encoded = codecs.payload.encode(payload)
          if (Either.isLeft(encoded)) return Effect.die(encoded.left)
          const field = headersOf(`signal ${name}`, headers)
          if (Either.isLeft(field)) return Effect.die(field.left)
          const refused = refusedTarget(workflow, target)
          if (refused !== undefined) return Effect.die(refused)
          return Effect.flatMap(
            context.signalExternal(target, name, { input: encoded.right, ...field.right }, place),
            (outcome) =>
              outcome._tag === "ExternalSignaled"
                ? Effect.void
                : Effect.fail(undelivered(workflow, target, outcome.reason))
          )
        }
      ))
  }
  return signal
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const canceling = ({ target, workflow }: Addressee) => {
  const cancel = (reason = "") => {
    const place = Place.capture(cancel)
    return Effect.flatMap(
      WorkflowContext,
      (context) =>
        through(context.hooks.cancelExternal, { ...executionOf({ target, workflow }), reason }, ({ reason }) => {
          const refused = refusedTarget(workflow, target)
          if (refused !== undefined) return Effect.die(refused)
          return Effect.flatMap(
            context.cancelExternal(target, reason, place),
            (outcome) =>
              outcome._tag === "ExternalCancelDelivered"
                ? Effect.void
                : Effect.fail(undelivered(workflow, target, outcome.reason))
          )
        })
    )
  }
  return cancel
}

const executionOf = ({ target: { runId, workflowId }, workflow }: Addressee) => ({
  workflow: workflow.name,
  workflowId,
  runId
})

const refusedTarget = ({ name }: Any, { runId, workflowId }: Target): ContractError | undefined => {
  const reason = refusedId("workflowId", workflowId) ?? refusedId("runId", runId)
  return reason === undefined ? undefined : new ContractError({ subject: `workflow ${name}`, reason })
}

const undelivered = ({ name: workflow }: Any, { runId, workflowId }: Target, reason: Undelivered) => {
  const execution = { workflow, workflowId, ...(runId === undefined ? {} : { runId }) }
  return reason === "NotFound" ? new WorkflowNotFound(execution) : new WorkflowClosed(execution)
}
