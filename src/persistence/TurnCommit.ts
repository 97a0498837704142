/**
 * What a turn writes, and what came of it. Part of the Store port.
 *
 * @since 0.1.0
 */
import type { Status } from "../core/family/Execution.js"
import type { Behavior, Version } from "../core/family/Version.js"
import type { HistoryRow } from "./HistoryRow.js"
import type { NewMail, Outgoing } from "./Mail.js"
import type { AttributeChange, Creation, NewRun } from "./NewRun.js"
import type { TaskChange } from "./TaskChange.js"

/** The worker that writes, for the fence. @since 0.1.0 */
export type WorkerId = string

/** @category models @since 0.1.0 */
export interface NewTask {
  readonly seq: number
  readonly taskQueue: string
  /** The worker that starts it with this commit, without a queue; undefined leaves it queued. */
  readonly worker: WorkerId | undefined
  readonly scheduledAt: number
  /** When a queued attempt has waited too long. */
  readonly expiresAt: number | undefined
  /** The key of the version whose workers alone may start it. Undefined: none. */
  readonly pinnedTo?: string | undefined
}

/** What one turn writes. @since 0.1.0 */
export interface TurnCommit {
  readonly runId: string
  /** The epoch under which the worker owns the run; a new run begins with 1. */
  readonly epoch: number
  /** Set on the first turn of a run that is created with it, owned by the worker. */
  readonly create?: NewRun | undefined
  /** Undefined: nothing for the history (a failed turn, or only messages to put away). */
  readonly history: HistoryRow | undefined
  /** Undefined leaves it as it is. `at: undefined` clears it. */
  readonly wake: { readonly at: number | undefined } | undefined
  /** Undefined leaves it as it is. `text: undefined` clears it. */
  readonly attention: { readonly text: string | undefined } | undefined
  /** Undefined leaves what the run says of itself as it is. */
  readonly notes?: string | undefined
  readonly attributes?: ReadonlyArray<AttributeChange> | undefined
  /** Set when the turn ends the run. */
  readonly close:
    | {
      readonly status: Exclude<Status, "Running">
      readonly at: number
      readonly refuseIfMail: boolean
      /** The run among `creates` that follows it: signals, updates and cancel requests that still wait move there (row U7). */
      readonly next?: string | undefined
      /** It may have open children, whose close policies are applied. Default false. */
      readonly hasChildren?: boolean | undefined
      /** It is the last run of a chain that a schedule started, which becomes due. Default false. */
      readonly scheduled?: boolean | undefined
      /** Events in its history, where they are known. */
      readonly historyLength?: number | undefined
    }
    | undefined
  /** Another version than before has the run from this turn on; nothing leaves it as it is. */
  readonly assigned?: Assigned | undefined
  /** Gives the run up: others may have it at once, under another epoch. Default false. */
  readonly release?: boolean | undefined
  /** Mailbox rows that the turn took in, or dropped. */
  readonly consumed: ReadonlyArray<number>
  readonly tasksAdded: ReadonlyArray<NewTask>
  /** Sequence numbers of activities that have their outcome. */
  readonly tasksRemoved: ReadonlyArray<number>
  /** Sequence numbers of activities whose cancellation is asked for. */
  readonly tasksCanceled: ReadonlyArray<number>
  /** Messages of this run that were acknowledged or must not be lost, put away for a later turn. */
  readonly mail: ReadonlyArray<NewMail>
  readonly replies: ReadonlyArray<Reply>
  /** Runs that begin with this commit, written after its closes. */
  readonly creates: ReadonlyArray<Creation>
  /** Messages to other runs. */
  readonly outgoing: ReadonlyArray<Outgoing>
}

/** The version that a run is on (row V6). @category models @since 0.1.0 */
export interface Assigned {
  readonly version: Version | undefined
  readonly behavior: Behavior | undefined
  readonly pinnedTo: string
}

/** @category models @since 0.1.0 */
export interface Reply {
  readonly requestId: string
  readonly at: number
  readonly body: string
}

/** @category models @since 0.1.0 */
export interface Commit {
  readonly worker: WorkerId
  /** In order; several of one run stand in the order of their turns. */
  readonly turns: ReadonlyArray<TurnCommit>
  readonly tasks: ReadonlyArray<TaskChange>
  readonly now: number
  /**
   * The same was committed before, and its answer was lost: what of it is in already is answered as it would have been
   * then, and not written once more.
   */
  readonly again?: boolean | undefined
}

/**
 * Why a turn was not committed. All later turns of the same run in the batch are refused with it.
 *
 * - Fenced: the run is owned by another worker or epoch, or closed. Drop the copy in memory.
 * - AlreadyRunning: `create` met an open run of the same workflow id.
 * - MailWaiting: `refuseIfMail` met a message that the turn had not seen (row S3).
 *
 * @category models
 * @since 0.1.0
 */
export type Refusal =
  | { readonly _tag: "Fenced" }
  | { readonly _tag: "AlreadyRunning"; readonly runId: string }
  | { readonly _tag: "MailWaiting" }

/** @category models @since 0.1.0 */
export interface Committed {
  /** By index in `Commit.turns`; empty when all went in, which is nearly always. */
  readonly refused: ReadonlyMap<number, Refusal>
  /** Indexes in `Commit.tasks` that no longer applied. */
  readonly stale: ReadonlySet<number>
}
