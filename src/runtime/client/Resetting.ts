/**
 * Taking a run anew from one of its turns on (row C11).
 *
 * ```
 *   read the run and its history ──▶ Reset.plan ──▶ one transaction: the open run ends, the new one is there
 *            ▲                                            │ Changed: it took a turn meanwhile
 *            └────────────────────────────────────────────┘
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Turn } from "../../core/Event.js"
import * as Events from "../../core/Event.js"
import * as Activities from "../../core/family/Activity.js"
import * as Notes from "../../core/family/Notes.js"
import * as Messages from "../../core/Message.js"
import * as Reset from "../../core/Reset.js"
import * as RunStates from "../../core/RunState.js"
import type { ResetOptions } from "../../dsl/ResetOptions.js"
import { ResetRefused, StoreUnavailable, WorkflowAlreadyStarted, WorkflowNotFound } from "../../dsl/WorkflowFailure.js"
import type { Run } from "../../persistence/Store.js"
import * as Successor from "../execution/Successor.js"
import * as Histories from "../Histories.js"
import * as Flags from "../interpreter/Flags.js"
import { make as newRunId } from "../RunIds.js"
import type { Calls, Target } from "./Calls.js"
import { nameOf } from "./Calls.js"
import { ending, imposed } from "./Removing.js"

/** The run that a reset made. @since 0.1.0 */
export interface Made {
  readonly runId: string
  readonly chain: string
}

type ResetError = WorkflowNotFound | ResetRefused | WorkflowAlreadyStarted | StoreUnavailable

/** @since 0.1.0 */
export const reset = (calls: Calls, target: Target, options: ResetOptions): Effect.Effect<Made, ResetError> => {
  const attempt = (triesLeft: number): Effect.Effect<Made, ResetError> =>
    Effect.gen(function*() {
      const run = yield* calls.find(target, "reset")
      const { requestId } = options
      const before = requestId === undefined
        ? Option.none()
        : yield* calls.of("reset", calls.store.findReset(run.workflowId, requestId))
      if (Option.isSome(before)) return { runId: before.value, chain: run.firstRunId }
      const refuse = (reason: string) => new ResetRefused({ ...nameOf(target), runId: run.runId, reason })
      const turns = yield* Effect.mapError(
        Histories.read(calls.store, run.runId),
        (error) => new StoreUnavailable({ call: "reset", detail: error.message })
      )
      const now = Successor.after(run.startedAt, calls.now())
      const made = newRunId()
      const planned = Reset.plan(turns, {
        runId: run.runId,
        newRunId: made,
        startedAt: run.startedAt,
        turn: turnOf(options, turns),
        reapply: options.reapply ?? "All",
        reason: options.reason ?? "",
        now
      })
      if (Either.isLeft(planned)) return yield* refuse(planned.left)
      const closing = { ...ending(`reset${options.reason === undefined ? "" : `: ${options.reason}`}`), newRunId: made }
      const result = yield* calls.of(
        "reset",
        calls.store.reset(
          // One who means the last run does not mean one that another reset has taken the place of meanwhile.
          requestOf(planned.right, run, turns, target.runId === undefined, made, now, options, closing),
          now
        )
      )
      switch (result._tag) {
        case "Reset":
          if (result.terminated !== undefined) calls.engine?.terminated(result.terminated, closing)
          return { runId: made, chain: run.firstRunId }
        case "Known":
          return { runId: result.runId, chain: run.firstRunId }
        case "NotFound":
          return yield* new WorkflowNotFound(nameOf(target))
        case "AlreadyRunning":
          return yield* new WorkflowAlreadyStarted({
            workflow: run.workflow,
            workflowId: run.workflowId,
            runId: result.runId
          })
        case "Changed":
          return triesLeft > 0
            ? yield* attempt(triesLeft - 1)
            : yield* refuse("it takes in messages faster than it can be read: try again, or terminate it first")
      }
    })
  return attempt(triesMax)
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const triesMax = 50

/** The turn that is taken anew: the given one, that of the given event, the last one. */
const turnOf = ({ event, turn }: ResetOptions, turns: ReadonlyArray<Turn>): number => {
  if (event !== undefined) {
    let seen = 0
    return turns.find(({ events }) => event >= 1 && (seen += events.length) >= event)?.turn ?? 0
  }
  return turn === "First" ? 1 : turn === undefined || turn === "Last" ? turns.length : turn
}

const requestOf = (
  { activities, messages, start, state, turns: kept }: Reset.Plan,
  run: Run,
  turns: ReadonlyArray<Turn>,
  last: boolean,
  runId: string,
  now: number,
  { requestId }: ResetOptions,
  closing: Parameters<typeof imposed>[0]
) => {
  // Its first turn is taken by code of today, where none is copied.
  const begun = kept.length === 0 ? { ...start, ...Flags.stamp() } : start
  const carried = Notes.after(state, [])
  return {
    run: Successor.rowOf(runId, kept.length === 0 ? begun : { ...begun, ...carried }, now),
    of: { runId: run.runId, turn: turns.length, last },
    history: kept.map(({ at, events, turn }) => ({ turn, at, format: Events.format, events: Events.encode(events) })),
    tasks: activities.map(({ cancelRequested, scheduled, turn }) => ({
      seq: scheduled.seq,
      turn,
      taskQueue: scheduled.taskQueue ?? run.taskQueue,
      expiresAt: Activities.startBy(scheduled, now, now),
      cancelRequested
    })),
    mail: messages.map((message) => ({
      runId,
      kind: message._tag,
      body: Messages.encode(message._tag === "Start" ? begun : message)
    })),
    // A step that is performed again is so by whoever takes the run over, until its first turn says otherwise (I5).
    wakeAt: RunStates.wakeAt(state) === RunStates.onTakeover ? RunStates.onTakeover : undefined,
    end: imposed(closing),
    requestId
  }
}
