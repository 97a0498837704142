/**
 * Queries: asked of the engine of this process, which brings the run into memory if it may; else by mail.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { v4 as uuid } from "uuid"
import type { Headers } from "../../core/Headers.js"
import { none as noHeaders } from "../../core/Headers.js"
import { headersOf } from "../../dsl/Call.js"
import { ContractError } from "../../dsl/Contract.js"
import { through } from "../../dsl/Hooks.js"
import * as Untyped from "../../dsl/Untyped.js"
import type { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import { QueryFailed, QueryRejected, WorkflowNotFound } from "../../dsl/WorkflowFailure.js"
import { movedReason } from "../Replies.js"
import type { Calls, Target, TimeoutOption } from "./Calls.js"
import { executionOf, nameOf, timeoutOf, within } from "./Calls.js"

/** @since 0.1.0 */
export interface QueryOptions extends TimeoutOption {
  readonly reject?: "NotOpen" | "NotCompletedCleanly" | undefined
}

type Answer = Either.Either<unknown, string>

/** @since 0.1.0 */
export const query = (
  calls: Calls,
  target: Target,
  name: string,
  payload: unknown,
  options: QueryOptions = {}
): Effect.Effect<unknown, unknown> =>
  through(
    calls.hooks.query,
    { ...executionOf(target), query: name, payload, options, headers: noHeaders },
    (call) => asking(calls, target, name, call)
  )

interface Asked {
  readonly name: string
  readonly input: unknown
  readonly headers?: Headers
}

const asking = (
  calls: Calls,
  target: Target,
  name: string,
  { headers, options, payload }: {
    readonly payload: unknown
    readonly options: QueryOptions
    readonly headers: Headers
  }
): Effect.Effect<unknown, unknown> =>
  Effect.suspend(() => {
    const contract = Untyped.query(target.workflow, name)
    if (contract instanceof ContractError) return Effect.fail(contract)
    const encoded = contract.payload.encode(payload)
    if (Either.isLeft(encoded)) return Effect.fail(encoded.left)
    const field = headersOf(`query ${name}`, headers)
    if (Either.isLeft(field)) return Effect.fail(field.left)
    const call = `query ${name}`
    const sent: Asked = { name, input: encoded.right, ...field.right }
    const answered = Effect.flatMap(asked(calls, target, name, options), (runId) =>
      Effect.flatMap(
        ask(calls, runId, sent),
        (answer) =>
          Either.isLeft(answer) && answer.left === movedReason
            ? askByMail(calls, target, runId, sent)
            : Effect.succeed(answer)
      ))
    return within(
      target,
      call,
      timeoutOf(options),
      Effect.flatMap(
        answered,
        (answer): Effect.Effect<unknown, unknown> =>
          Either.isLeft(answer)
            ? Effect.fail(new QueryFailed({ ...nameOf(target), query: name, reason: answer.left }))
            : contract.success.decode(answer.right)
      )
    )
  })

/** The run to be asked, unless its caller wants no answer of a run with such a status (row Q2). */
const asked = (
  calls: Calls,
  target: Target,
  name: string,
  options: QueryOptions | undefined
): Effect.Effect<string, WorkflowNotFound | QueryRejected | StoreUnavailable> => {
  const reject = options?.reject
  if (reject === undefined) return calls.runIdOf(target, `query ${name}`)
  return Effect.flatMap(calls.find(target, `query ${name}`), ({ runId, status }) => {
    const accepted = status === "Running" || reject === "NotCompletedCleanly" && status === "Completed"
    return accepted ? Effect.succeed(runId) : Effect.fail(new QueryRejected({ ...nameOf(target), query: name, status }))
  })
}

/** It sees all that was acknowledged before, here and in other processes (row Q1). */
const ask = (
  calls: Calls,
  runId: string,
  sent: Asked
): Effect.Effect<Answer, StoreUnavailable> => {
  const { engine } = calls
  if (engine === undefined) return Effect.succeed(Either.left(movedReason))
  const asked = Effect.async<Answer>((resume) =>
    engine.post(runId, { _tag: "Question", ...sent, answer: (answer) => resume(Effect.succeed(answer)) })
  )
  // A run that is brought back for it reads its mailbox then.
  return engine.isResident(runId) ? Effect.zipRight(calls.catchUp(runId, `query ${sent.name}`), asked) : asked
}

const askByMail = (calls: Calls, target: Target, runId: string, { headers, input, name }: Asked) =>
  Effect.gen(function*() {
    const replyTo = uuid()
    const message = {
      _tag: "Query" as const,
      name,
      replyTo,
      ...(input === undefined ? {} : { input }),
      ...(headers === undefined ? {} : { headers })
    }
    const posted = yield* calls.post(runId, message, `query ${name}`)
    if (posted === "NotFound") return yield* new WorkflowNotFound(nameOf(target))
    const reply = (yield* calls.reply(replyTo)) as
      | { readonly _tag: "Answered"; readonly value?: unknown }
      | { readonly _tag: "Refused"; readonly reason: string }
    return (reply._tag === "Answered" ? Either.right(reply.value) : Either.left(reply.reason)) as Answer
  })
