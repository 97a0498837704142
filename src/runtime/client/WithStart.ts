/**
 * A message together with the start of the run that it is for, if there is none (rows S10, U13).
 *
 * ```
 *   open run? ──yes──▶ the message alone ── closed meanwhile? ──▶ from the beginning
 *       │ no
 *       └──▶ one commit, or one transaction: run, Start, message ── another one was first? ──▶ from the beginning
 * ```
 *
 * A crash before that write leaves nothing of either; one after it leaves both, and the caller, who heard nothing, asks
 * again: by the ids of the update, or of the request, it finds what it asked for.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { v4 as uuid } from "uuid"
import * as Messages from "../../core/Message.js"
import type { StartError } from "../../dsl/Client.js"
import { through } from "../../dsl/Hooks.js"
import type * as Workflow from "../../dsl/Workflow.js"
import type { CallTimeout } from "../../dsl/WorkflowFailure.js"
import { WorkflowAlreadyStarted } from "../../dsl/WorkflowFailure.js"
import { letter } from "../execution/Item.js"
import type { Calls, Target, TimeoutOption } from "./Calls.js"
import { timeoutOf, within } from "./Calls.js"
import * as KnownUpdate from "./KnownUpdate.js"
import * as Sending from "./Sending.js"
import * as Starting from "./Starting.js"
import * as Updating from "./Updating.js"

/** @since 0.1.0 */
export interface SignalToStart {
  readonly name: string
  readonly payload?: unknown
  readonly requestId?: string | undefined
}

/** @since 0.1.0 */
export interface UpdateToStart {
  readonly name: string
  readonly payload?: unknown
  readonly updateId?: string | undefined
}

/** The run that has the signal now. @since 0.1.0 */
export const signal = (
  calls: Calls,
  workflow: Workflow.Any,
  payload: unknown,
  { name, payload: value, requestId }: SignalToStart,
  options: Starting.StartOptions
): Effect.Effect<Starting.Started, StartError> =>
  through(calls.hooks.start, Starting.callOf(workflow, payload, options), (start) => {
    const signaling = Sending.callOf(targetOf(workflow, start), name, value, { requestId })
    return both<Starting.Started, StartError>("signalWithStart", (keep) =>
      through(
        calls.hooks.signal,
        signaling,
        (signal) => Effect.map(sending(calls, workflow, start, signal), keep)
      ))
  })

const sending = (
  calls: Calls,
  workflow: Workflow.Any,
  starting: Starting.Call,
  signaling: Sending.Call
): Effect.Effect<Starting.Started, StartError> =>
  Effect.suspend((): Effect.Effect<Starting.Started, StartError> => {
    const { options } = starting
    const prepared = Sending.prepare(workflow, signaling)
    if (Either.isLeft(prepared)) return Effect.fail(prepared.left)
    const message = prepared.right
    return Effect.flatMap(Starting.prepare(calls, workflow, starting), ({ message: start, run }) => {
      const { workflowId } = run
      const attempt: Effect.Effect<Starting.Started, StartError> = Effect.flatMap(
        Starting.begin(calls, run, start, options, {
          letters: [letter(message)],
          mail: [{ runId: run.runId, kind: "Signal", body: Messages.encode(message) }]
        }),
        (begun): Effect.Effect<Starting.Started, StartError> => {
          const given = Starting.started(calls, run, begun.runId)
          if (begun._tag !== "Running") return given
          const target: Target = { workflow, workflowId, runId: begun.runId, begins: true }
          return Sending.send(calls, target, message).pipe(
            Effect.zipRight(given),
            Effect.catchTags(again(attempt))
          )
        }
      )
      return attempt
    })
  })

/** The run that has the update now, and the update. @since 0.1.0 */
export const update = (
  calls: Calls,
  workflow: Workflow.Any,
  payload: unknown,
  { name, payload: value, updateId }: UpdateToStart,
  options: Starting.StartOptions & TimeoutOption
): Effect.Effect<
  Updated,
  StartError | CallTimeout
> =>
  Effect.suspend(() => {
    let handle: Updating.UpdateHandle | undefined
    return Effect.map(
      through(calls.hooks.start, Starting.callOf(workflow, payload, options), (start) => {
        const updating = Updating.callOf(targetOf(workflow, start), name, value, {
          timeout: options.timeout,
          updateId
        })
        return both<Starting.Started, StartError | CallTimeout>("updateWithStart", (keep) =>
          Effect.map(
            through(
              calls.hooks.update,
              updating,
              (update) =>
                Effect.map(updatingWith(calls, workflow, start, update), (updated) => {
                  keep(updated.run)
                  return updated.update
                })
            ),
            (given) => void (handle = given)
          ))
      }),
      (run) => ({ run, update: handle! })
    )
  })

interface Updated {
  readonly run: Starting.Started
  readonly update: Updating.UpdateHandle
}

const updatingWith = (
  calls: Calls,
  workflow: Workflow.Any,
  starting: Starting.Call & { readonly options: TimeoutOption },
  updating: Updating.Call
): Effect.Effect<Updated, StartError | CallTimeout> =>
  Effect.flatMap(Starting.prepare(calls, workflow, starting), ({ message: start, run }) => {
    const { options } = starting
    const { options: { updateId }, update: name } = updating
    const { workflowId } = run
    const target: Target = { workflow, workflowId, runId: undefined }
    const prepared = Updating.prepare(target, updating)
    if (Either.isLeft(prepared)) return Effect.fail(prepared.left)
    const message = prepared.right
    const exists = (runId: string) => new WorkflowAlreadyStarted({ workflow: workflow.name, workflowId, runId })

    const attempt: Effect.Effect<Updating.First, StartError> = Effect.gen(function*() {
      const last = yield* calls.latest(workflowId, "updateWithStart")
      // Read before the history: what a turn takes in meanwhile is found there.
      const waiting = last?.status === "Running" && updateId !== undefined && options.idConflict === "Fail" &&
        (yield* KnownUpdate.waits(calls, last.runId, updateId))
      // Only one that was sent with a given id can be known already.
      const known = last === undefined || updateId === undefined
        ? undefined
        : yield* KnownUpdate.find(calls, last.runId, updateId)
      if (last?.status === "Running") {
        if (known === undefined && options.idConflict === "Fail" && !waiting) return yield* exists(last.runId)
        return yield* Effect.catchTags(
          Updating.send(calls, { ...target, runId: last.runId, begins: true }, message),
          again(attempt)
        )
      }
      // An update whose outcome a closed run recorded is attached to; of one that it cut short, another may make more.
      if (known?.stands === "Ended") return known.first
      const replyTo = uuid()
      const begun = yield* Starting.beginInStore(calls, run, start, { ...options, idConflict: "Fail" }, {
        mail: [{ runId: run.runId, kind: "Update", body: Messages.encode({ ...message, replyTo }) }],
        last: { runId: last?.runId }
      })
      if (begun._tag !== "Begun") return yield* attempt
      return yield* Effect.catchTags(
        Updating.afterPost(calls, target, { runId: run.runId, turn: 0 }, message, replyTo),
        again(attempt)
      )
    })
    return Effect.flatMap(
      within(target, `update ${name}`, timeoutOf(options), attempt),
      (first) =>
        Effect.map(Starting.started(calls, run, first.runId), (run) => ({
          run,
          update: Updating.handleOf({ ...target, runId: first.runId }, message, first, options)
        }))
    )
  })

const targetOf = (workflow: Workflow.Any, { options: { workflowId = "" } }: Starting.Call): Target => ({
  workflow,
  workflowId,
  runId: undefined
})

/** What the innermost of a start and its message gives, past the hooks of the message, which give something else. */
const both = <A, E>(
  call: string,
  within: (keep: (given: A) => void) => Effect.Effect<unknown, unknown>
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    let kept: A | undefined
    return Effect.flatMap(
      within((given) => {
        kept = given
      }),
      () =>
        kept === undefined
          ? Effect.die(
            new Error(`${call}: a hook of an interceptor did not go on with its message: nothing was started`)
          )
          : Effect.succeed(kept)
    ) as Effect.Effect<A, E>
  })

/** The run ended meanwhile, or was deleted. */
const again = <A>(attempt: A) => ({ WorkflowClosed: () => attempt, WorkflowNotFound: () => attempt })
