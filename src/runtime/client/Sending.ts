/**
 * Signals and cancel requests: by the engine if it has the run, else by the mailbox. Either way they cannot be lost any
 * more once the call returns (row S1).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Headers } from "../../core/Headers.js"
import { none as noHeaders } from "../../core/Headers.js"
import type { Stored } from "../../core/Message.js"
import { headersOf } from "../../dsl/Call.js"
import { ContractError } from "../../dsl/Contract.js"
import { through } from "../../dsl/Hooks.js"
import * as Untyped from "../../dsl/Untyped.js"
import type * as Workflow from "../../dsl/Workflow.js"
import type { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import { WorkflowClosed, WorkflowNotFound } from "../../dsl/WorkflowFailure.js"
import type { Settled } from "../execution/Item.js"
import { letter } from "../execution/Item.js"
import type { Calls, Target } from "./Calls.js"
import { executionOf, isClosed, nameOf, unavailable } from "./Calls.js"
import { checkId } from "./Starting.js"

type Message = Extract<Stored, { readonly _tag: "Signal" | "Cancel" }>
type Trouble = WorkflowNotFound | WorkflowClosed | ContractError | StoreUnavailable

/** @since 0.1.0 */
export interface SignalOptions {
  readonly requestId?: string | undefined
}

/** @since 0.1.0 */
export const signal = (
  calls: Calls,
  target: Target,
  name: string,
  payload: unknown,
  options: SignalOptions = {}
): Effect.Effect<void, Trouble> =>
  Effect.suspend((): Effect.Effect<void, Trouble> =>
    through(calls.hooks.signal, callOf(target, name, payload, options), (call): Effect.Effect<void, Trouble> => {
      const prepared = prepare(target.workflow, call)
      return Either.isLeft(prepared) ? Effect.fail(prepared.left) : send(calls, target, prepared.right)
    })
  )

/** A signal as interceptors see it. @since 0.1.0 */
export interface Call {
  readonly signal: string
  readonly payload: unknown
  readonly options: SignalOptions
  readonly headers: Headers
}

/** @since 0.1.0 */
export const callOf = (target: Target, signal: string, payload: unknown, options: SignalOptions) => ({
  ...executionOf(target),
  signal,
  payload,
  options,
  headers: noHeaders
})

/** The signal as it is sent; the left side says why it is not. @since 0.1.0 */
export const prepare = (
  workflow: Workflow.Any,
  { headers, options: { requestId }, payload, signal: name }: Call
): Either.Either<Extract<Message, { readonly _tag: "Signal" }>, ContractError> => {
  const contract = Untyped.signal(workflow, name)
  if (contract instanceof ContractError) return Either.left(contract)
  const refused = requestId === undefined ? undefined : checkId(`request id of signal ${name}`, requestId)
  if (refused !== undefined) return Either.left(refused)
  const field = headersOf(`signal ${name}`, headers)
  if (Either.isLeft(field)) return Either.left(field.left)
  return Either.map(contract.payload.encode(payload), (input) => ({
    _tag: "Signal",
    name,
    ...(input === undefined ? {} : { input }),
    ...field.right,
    ...(requestId === undefined ? {} : { requestId })
  }))
}

/** A request to a closed run changes nothing, and neither does a second one (row C1). @since 0.1.0 */
export const cancel = (calls: Calls, target: Target, reason: string): Effect.Effect<void, Trouble> =>
  through(
    calls.hooks.cancel,
    { ...executionOf(target), reason },
    ({ reason }) =>
      Effect.catchTags(send(calls, target, { _tag: "Cancel", reason }), {
        WorkflowClosed: () => Effect.void,
        ContractError: () => Effect.void
      })
  )

/** @since 0.1.0 */
export const send = (calls: Calls, target: Target, message: Message): Effect.Effect<void, Trouble> => {
  const call = message._tag === "Signal" ? `signal ${message.name}` : "cancel"
  return calls.onCurrent(target, call, (runId) => {
    const mailed = byMail(calls, target, runId, message, call)
    const { engine } = calls
    if (engine === undefined || !engine.isResident(runId)) return mailed
    const told = Effect.async<Settled>((resume) =>
      engine.post(runId, letter(message, (settled) => resume(Effect.succeed(settled))))
    )
    return Effect.flatMap(calls.inOrder(runId, call, told), (settled): Effect.Effect<void, Trouble> => {
      switch (settled._tag) {
        case "Moved":
          return mailed
        case "Trouble":
          return Effect.fail(unavailable(call, settled.error))
        case "Dropped":
          return Effect.fail(
            isClosed(settled.reason)
              ? new WorkflowClosed(nameOf(target))
              : new ContractError({ subject: call, reason: settled.reason })
          )
        default:
          return Effect.void
      }
    })
  })
}

const byMail = (
  calls: Calls,
  target: Target,
  runId: string,
  message: Message,
  call: string
): Effect.Effect<void, Trouble> =>
  Effect.flatMap(calls.post(runId, message, call, target.begins), (posted): Effect.Effect<void, Trouble> => {
    switch (posted) {
      case "NotFound":
        return Effect.fail(new WorkflowNotFound(nameOf(target)))
      case "Closed":
        return Effect.fail(new WorkflowClosed(nameOf(target)))
      case "Posted":
        return Effect.void
    }
  })
