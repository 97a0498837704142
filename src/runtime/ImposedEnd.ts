/**
 * Ends that the owner of a run gives it without its body: it is out of time (row X8), or its code does not do what its
 * history says, and its options let that fail it (row W16).
 *
 * ```
 *   load ──▶ why? ──▶ the end, its successor if one follows, its parent's word: one commit
 *                       └─ committed ──▶ its activities and steps are told, callers hear of it
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Event, Turn } from "../core/Event.js"
import * as Events from "../core/Event.js"
import type { Closing, Start } from "../core/family/Execution.js"
import type { Carried } from "../core/family/Notes.js"
import { Limits } from "../core/Limits.js"
import * as Messages from "../core/Message.js"
import type { Run, Store, StoreError, TurnCommit } from "../persistence/Store.js"
import { nothing } from "./execution/Consequences.js"
import * as Relations from "./execution/Relations.js"
import * as Successor from "./execution/Successor.js"

/** @category models @since 0.1.0 */
export interface ImposedEnd {
  readonly run: Run
  readonly closing: Closing
  readonly commit: TurnCommit
  /** The activities that it had pending. */
  readonly activities: ReadonlyArray<number>
}

/** The end, and what its run's row says from then on. @since 0.1.0 */
export interface Reason {
  readonly status: "TimedOut" | "Failed"
  /** By how the run was started; undefined where that cannot be read. */
  readonly closing: (started: Start | undefined) => Closing
}

/**
 * What ends a run that this worker owns, worked out from its first turn, or from its Start if there was none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (
  store: Store["Type"],
  run: Run,
  reason: Reason,
  now: number,
  means: Successor.Means
): Effect.Effect<ImposedEnd, StoreError> =>
  Effect.gen(function*() {
    const { runId, startedAt, turn } = run
    const rows = yield* store.history(runId, 0, 1)
    const mail = yield* store.mail(runId, 0)
    const tasks = yield* store.tasksOf(runId)
    const last = turn > 1 ? yield* store.history(runId, turn - 1, 1) : rows
    const messages = mail.flatMap(({ body }) =>
      Either.match(Messages.decode(body), { onLeft: () => [], onRight: (message) => [message] })
    )
    const started = startedBy(eventsOf(rows)) ?? messages.find((message) => message._tag === "Start")
    const at = Math.max(now, last[0]?.at ?? now)
    const ended = reason.closing(started)
    // A request that waits unseen counts: who asked for the end wants no other attempt.
    const cancelRequested = (started?.retry !== undefined || started?.cron !== undefined) &&
      (messages.some((message) => message._tag === "Cancel") || (yield* wasCanceled(store, run)))
    const carried = (run.notes === undefined ? {} : JSON.parse(run.notes)) as Carried
    const { closing, creates, next } = started === undefined
      ? { closing: ended, creates: nothing.creates, next: undefined }
      : Successor.of(
        ended,
        { runId, startedAt, started, cancelRequested, carried, versioning: { standing: run, slice: run } },
        at,
        means
      )
    // Of a run that had no turn yet, the history says at least what was started.
    const recorded: ReadonlyArray<Event> = turn > 0 || started === undefined
      ? [closing]
      : [{ ...started, _tag: "ExecutionStarted" }, closing]
    const told = run.parent === undefined ? undefined : Relations.toParent(run.parent, runId, closing)
    return {
      run,
      closing,
      activities: tasks.map(({ seq }) => seq),
      commit: {
        ...nothing,
        runId,
        epoch: run.epoch,
        history: { turn: turn + 1, at, format: Events.format, events: Events.encode(recorded) },
        close: {
          status: reason.status,
          at,
          refuseIfMail: false,
          next,
          hasChildren: true,
          scheduled: run.scheduled !== undefined && next === undefined
        },
        attention: { text: undefined },
        creates,
        outgoing: told === undefined ? nothing.outgoing : [told]
      }
    }
  })

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type Rows = Effect.Effect.Success<ReturnType<Store["Type"]["history"]>>

/** What cannot be read does not keep a run from its end. */
const eventsOf = (rows: Rows): Turn["events"] => rows.flatMap((row) => Either.getOrElse(Events.decode(row), () => []))

const startedBy = (events: Turn["events"]): Start | undefined => {
  const started = events.find((event) => event._tag === "ExecutionStarted")
  return started === undefined ? undefined : { ...started, _tag: "Start" }
}

/** Only a run that may be retried is looked through for it. */
const wasCanceled = (store: Store["Type"], run: Run): Effect.Effect<boolean, StoreError> =>
  Effect.gen(function*() {
    let turn = 0
    for (;;) {
      const rows = yield* store.history(run.runId, turn, Limits.historyPageTurns)
      if (rows.some(({ events }) => events.includes("CancelRequested")) && eventsOf(rows).some(isRequest)) return true
      if (rows.length < Limits.historyPageTurns) return false
      turn = rows[rows.length - 1]!.turn
    }
  })

const isRequest = (event: Turn["events"][number]): boolean => event._tag === "CancelRequested"
