/**
 * Updates, in two stages: accepted or rejected, and then the outcome.
 *
 * ```
 *   by the engine:  letter ──▶ told: Accepted, Rejected, outcome ──▶ asked again by id, if it was not final
 *   by mail:        post ──▶ reply: Accepted, Rejected, Closed ──▶ reply or history: outcome
 *   closed run:     the outcome is in its history, or it was never accepted
 * ```
 *
 * Sending an update again by its id attaches to the first one (row U4): every way that fails half-way can be taken again.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { v4 as uuid } from "uuid"
import * as Events from "../../core/Event.js"
import { isClosing } from "../../core/family/Execution.js"
import type { Outcome } from "../../core/family/Update.js"
import type { Headers } from "../../core/Headers.js"
import { none as noHeaders } from "../../core/Headers.js"
import { Limits } from "../../core/Limits.js"
import type { Stored } from "../../core/Message.js"
import { headersOf } from "../../dsl/Call.js"
import { ContractError } from "../../dsl/Contract.js"
import { through } from "../../dsl/Hooks.js"
import * as Untyped from "../../dsl/Untyped.js"
import { StoreUnavailable, UpdateFailed, WorkflowClosed, WorkflowNotFound } from "../../dsl/WorkflowFailure.js"
import type { Engine } from "../Engine.js"
import { abandoned } from "../execution/Consequences.js"
import type { Settled, UpdateAnswer } from "../execution/Item.js"
import { letter } from "../execution/Item.js"
import type { Calls, Target, TimeoutOption } from "./Calls.js"
import { executionOf, isClosed, nameOf, timeoutOf, unavailable, within } from "./Calls.js"
import { checkId } from "./Starting.js"

/** @since 0.1.0 */
export interface UpdateOptions extends TimeoutOption {
  readonly updateId?: string | undefined
}

/** @since 0.1.0 */
export interface UpdateHandle {
  readonly workflowId: string
  readonly runId: string
  readonly updateId: string
  readonly result: Effect.Effect<unknown, unknown>
}

/** @since 0.1.0 */
export type Message = Extract<Stored, { readonly _tag: "Update" }>
type Final = Outcome | Extract<UpdateAnswer, { readonly _tag: "Rejected" }>
type Trouble = WorkflowNotFound | WorkflowClosed | StoreUnavailable

/** What its sender is told first: the end of it, or how to wait for that; by the run that has it. @since 0.1.0 */
export type First = { readonly _tag: "Final"; readonly runId: string; readonly final: Final } | {
  readonly _tag: "Accepted"
  readonly runId: string
  readonly wait: Effect.Effect<Final, Trouble>
}

/** An update as interceptors see it. @since 0.1.0 */
export interface Call {
  readonly update: string
  readonly payload: unknown
  readonly options: UpdateOptions
  readonly headers: Headers
}

/** @since 0.1.0 */
export const callOf = (target: Target, update: string, payload: unknown, options: UpdateOptions) => ({
  ...executionOf(target),
  update,
  payload,
  options,
  headers: noHeaders
})

/** The update as it is sent; the left side says why it is not. @since 0.1.0 */
export const prepare = (
  target: Target,
  { headers, options: { updateId: id }, payload, update: name }: Call
): Either.Either<Message, ContractError> => {
  const contract = Untyped.update(target.workflow, name)
  if (contract instanceof ContractError) return Either.left(contract)
  const updateId = id ?? uuid()
  const refused = checkId(`update id of ${name}`, updateId)
  if (refused !== undefined) return Either.left(refused)
  const field = headersOf(`update ${name}`, headers)
  if (Either.isLeft(field)) return Either.left(field.left)
  return Either.map(
    contract.payload.encode(payload),
    (input): Message => ({
      _tag: "Update",
      id: updateId,
      name,
      ...(input === undefined ? {} : { input }),
      ...field.right
    })
  )
}

/** What its caller makes of the outcome of an update. @since 0.1.0 */
export const outcome = (
  target: Target,
  update: Pick<Message, "id" | "name">,
  final: Final
): Effect.Effect<unknown, unknown> => {
  const contract = Untyped.update(target.workflow, update.name)
  if (contract instanceof ContractError) return Effect.fail(contract)
  if (final._tag === "UpdateCompleted") return contract.success.decode(final.result)
  const { _tag, failure } = final
  const declared = failure._tag === "Declared" ? contract.error.decode(failure.error) : undefined
  return Effect.fail(
    declared !== undefined && Either.isRight(declared)
      ? declared.right
      : new UpdateFailed({
        ...nameOf(target),
        update: update.name,
        updateId: update.id,
        rejected: _tag === "Rejected",
        failure
      })
  )
}

/** The handle of an update that its run has answered at least once. @since 0.1.0 */
export const handleOf = (
  target: Target,
  message: Message,
  first: First,
  options: TimeoutOption | undefined
): UpdateHandle => ({
  workflowId: target.workflowId,
  runId: first.runId,
  updateId: message.id,
  result: first._tag === "Final"
    ? outcome(target, message, first.final)
    : within(
      target,
      `update ${message.name}`,
      timeoutOf(options),
      Effect.flatMap(first.wait, (final) => outcome(target, message, final))
    )
})

/** Sends an update; succeeds once it is accepted and cannot be lost. @since 0.1.0 */
export const startUpdate = (
  calls: Calls,
  target: Target,
  name: string,
  payload: unknown,
  options: UpdateOptions = {}
): Effect.Effect<UpdateHandle, unknown> =>
  Effect.suspend(() =>
    through(calls.hooks.update, callOf(target, name, payload, options), (call) => starting(calls, target, call))
  )

const starting = (calls: Calls, target: Target, call: Call): Effect.Effect<UpdateHandle, unknown> =>
  Effect.suspend((): Effect.Effect<UpdateHandle, unknown> => {
    const { options, update: name } = call
    const prepared = prepare(target, call)
    if (Either.isLeft(prepared)) return Effect.fail(prepared.left)
    const message = prepared.right
    return Effect.flatMap(
      within(target, `update ${name}`, timeoutOf(options), send(calls, target, message)),
      (first): Effect.Effect<UpdateHandle, unknown> =>
        first._tag === "Final" && first.final._tag === "Rejected"
          ? Effect.zipRight(outcome(target, message, first.final), Effect.never)
          : Effect.succeed(handleOf(target, message, first, options))
    )
  })

/** @since 0.1.0 */
export const send = (calls: Calls, target: Target, message: Message): Effect.Effect<First, Trouble> => {
  const { engine } = calls
  const call = `update ${message.name}`
  return calls.onCurrent(target, call, (runId) =>
    engine?.isResident(runId) === true
      ? calls.inOrder(runId, call, byEngine(calls, engine, target, runId, message))
      : byMail(calls, target, runId, message))
}

// --- by the engine

const byEngine = (
  calls: Calls,
  engine: Engine,
  target: Target,
  runId: string,
  message: Message
): Effect.Effect<First, Trouble> =>
  Effect.flatMap(
    tell(engine, runId, message, (answer) => answer),
    (told): Effect.Effect<First, Trouble> => {
      switch (told._tag) {
        case "Accepted":
          return Effect.succeed({ _tag: "Accepted", runId, wait: untilFinal(calls, engine, target, runId, message) })
        case "Rejected":
        case "UpdateCompleted":
        case "UpdateFailed":
          return Effect.succeed({ _tag: "Final", runId, final: told })
        default:
          return instead(calls, target, runId, message, told)
      }
    }
  )

/**
 * Asks again by its id, which gives its outcome if there is one by now. Once the engine does not have the run any more,
 * another worker may: then the history tells.
 */
const untilFinal = (
  calls: Calls,
  engine: Engine,
  target: Target,
  runId: string,
  message: Message
): Effect.Effect<Final, Trouble> =>
  Effect.raceFirst(
    Effect.flatMap(
      tell(engine, runId, message, (answer) => answer._tag === "Accepted" ? undefined : answer),
      (told): Effect.Effect<Final, Trouble> => {
        switch (told._tag) {
          case "Rejected":
          case "UpdateCompleted":
          case "UpdateFailed":
            return Effect.succeed(told)
          default:
            return Effect.flatMap(
              instead(calls, target, runId, message, told),
              (first) => first._tag === "Final" ? Effect.succeed(first.final) : first.wait
            )
        }
      }
    ),
    Effect.zipRight(
      Effect.repeat(Effect.sleep(residencePoll), { until: () => !engine.isResident(runId) }),
      untilRecorded(calls, { runId, turn: 0 }, message.id, undefined)
    )
  )

/** How often it is looked whether the engine still has the run. */
const residencePoll = "1 second"

/** The engine could not take it. */
const instead = (
  calls: Calls,
  target: Target,
  runId: string,
  message: Message,
  settled: Settled
): Effect.Effect<First, Trouble> => {
  switch (settled._tag) {
    case "Trouble":
      return Effect.fail(unavailable(`update ${message.name}`, settled.error))
    case "Dropped":
      return isClosed(settled.reason)
        ? ofClosed(calls, target, runId, message)
        : Effect.succeed({ _tag: "Final", runId, final: refusedFor(settled.reason) })
    default:
      return byMail(calls, target, runId, message)
  }
}

const refusedFor = (reason: string): Final => ({
  _tag: "Rejected",
  failure: { _tag: "Application", type: "UpdateRejected", message: reason }
})

/** Hands the update to the engine; ends with the first answer that is chosen, or with why there is none. */
const tell = <A extends UpdateAnswer>(
  engine: Engine,
  runId: string,
  message: Message,
  choose: (answer: UpdateAnswer) => A | undefined
): Effect.Effect<A | Exclude<Settled, { readonly _tag: "Recorded" | "PutAway" | "AlreadyRunning" }>> =>
  Effect.async((resume) => {
    let latest: A | undefined
    const stop = engine.onUpdate(runId, message.id, (answer) => {
      const chosen = choose(answer)
      if (chosen === undefined) return
      latest = chosen
      // Accepted and ended in one turn: both answers are told before this is looked at, and the later one counts.
      resume(Effect.sync(() => {
        stop()
        return latest!
      }))
    })
    engine.post(
      runId,
      letter(message, (settled) => {
        switch (settled._tag) {
          case "Moved":
          case "Dropped":
          case "Trouble":
            stop()
            return resume(Effect.succeed(settled))
        }
      })
    )
    return Effect.sync(stop)
  })

// --- by mail

const byMail = (calls: Calls, target: Target, runId: string, message: Message): Effect.Effect<First, Trouble> =>
  Effect.gen(function*() {
    const call = `update ${message.name}`
    const run = yield* calls.find({ ...target, runId, chain: undefined }, call)
    const replyTo = uuid()
    const posted = yield* calls.post(run.runId, { ...message, replyTo }, call, target.begins)
    if (posted === "NotFound") return yield* new WorkflowNotFound(nameOf(target))
    if (posted === "Closed") return yield* ofClosed(calls, target, run.runId, message)
    return yield* afterPost(calls, target, run, message, replyTo)
  })

/** The first answer to an update that is in the mailbox of its run. @since 0.1.0 */
export const afterPost = (
  calls: Calls,
  target: Target,
  run: { readonly runId: string; readonly turn: number },
  message: Message,
  replyTo: string
): Effect.Effect<First, Trouble> =>
  Effect.flatMap(calls.reply(`${replyTo}/accepted`), (reply): Effect.Effect<First, Trouble> => {
    const answer = reply as UpdateAnswer | { readonly _tag: "Closed" }
    const { runId } = run
    switch (answer._tag) {
      case "Closed":
        return ofClosed(calls, target, runId, message)
      case "Accepted":
        // By the run that follows, where it waited unseen while this one ended (row U7).
        return Effect.succeed(
          answer.runId === undefined || answer.runId === runId
            ? { _tag: "Accepted", runId, wait: untilRecorded(calls, run, message.id, replyTo) }
            : {
              _tag: "Accepted",
              runId: answer.runId,
              wait: untilRecorded(calls, { runId: answer.runId, turn: 0 }, message.id, replyTo)
            }
        )
      default:
        return Effect.succeed({ _tag: "Final", runId, final: answer })
    }
  })

/**
 * Waits for the reply, if one was asked for; also reads the history on from a turn, since another worker, or another
 * caller of the same update, may have got the reply.
 *
 * @since 0.1.0
 */
export const untilRecorded = (
  calls: Calls,
  from: { readonly runId: string; readonly turn: number },
  updateId: string,
  replyTo: string | undefined
): Effect.Effect<Final, StoreUnavailable> => {
  let { turn } = from
  return calls.watch(Effect.gen(function*() {
    const reply = replyTo === undefined ? Option.none() : yield* calls.takeReply(replyTo)
    if (Option.isSome(reply)) return Option.some(reply.value as Final)
    const found = yield* search(calls, from.runId, updateId, turn)
    turn = found.turn
    if (found.outcome !== undefined) return Option.some(found.outcome)
    return found.closed ? Option.some(abandoned(updateId)) : Option.none()
  }))
}

/** The outcome of an update stays readable after the end of its run (row U5). */
const ofClosed = (
  calls: Calls,
  target: Target,
  runId: string,
  message: Message
): Effect.Effect<First, WorkflowClosed | StoreUnavailable> =>
  Effect.flatMap(search(calls, runId, message.id, 0), (found) => {
    if (found.outcome !== undefined) return Effect.succeed({ _tag: "Final", runId, final: found.outcome })
    return found.accepted
      ? Effect.succeed({ _tag: "Final", runId, final: abandoned(message.id) })
      : Effect.fail(new WorkflowClosed(nameOf(target)))
  })

/** What the history after a turn says of an update. @since 0.1.0 */
export const search = (
  calls: Calls,
  runId: string,
  updateId: string,
  afterTurn: number
): Effect.Effect<
  {
    readonly turn: number
    readonly accepted: boolean
    readonly closed: boolean
    readonly outcome: Outcome | undefined
  },
  StoreUnavailable
> =>
  Effect.gen(function*() {
    let turn = afterTurn
    let accepted = false
    let closed = false
    let outcome: Outcome | undefined
    for (;;) {
      const rows = yield* calls.of("update", calls.store.history(runId, turn, Limits.historyPageTurns))
      for (const row of rows) {
        turn = row.turn
        const events = Events.decode(row)
        if (Either.isLeft(events)) return yield* new StoreUnavailable({ call: "update", detail: events.left.message })
        for (const event of events.right) {
          if (event._tag === "UpdateAccepted" && event.id === updateId) accepted = true
          else if (event._tag === "UpdateCompleted" || event._tag === "UpdateFailed") {
            if (event.id === updateId) outcome = event
          } else if (isClosing(event)) closed = true
        }
      }
      if (rows.length < Limits.historyPageTurns) return { turn, accepted, closed, outcome }
    }
  })
