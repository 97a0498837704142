/**
 * What is written about an activity's task once it is there, and what its host hears of it: part of the Store port.
 *
 * @since 0.1.0
 */
import type { ActivityTask, Revised } from "../core/ActivityTask.js"

/** The outcome as a message to its run. @since 0.1.0 */
interface OutcomeMail {
  readonly runId: string
  readonly kind: "ActivityOutcome"
  readonly body: string
}

/**
 * What an activity's host writes about an attempt. Each applies only while the row has the same attempt and is started
 * by the same worker (Start: is queued); else it is reported as stale.
 *
 * @category models
 * @since 0.1.0
 */
export type TaskChange =
  | {
    readonly _tag: "Start"
    readonly runId: string
    readonly seq: number
    readonly attempt: number
    readonly at: number
    /** What the starter knows of the task; another one is stale. Default 0: no operator touched it. */
    readonly revision?: number | undefined
  }
  | {
    readonly _tag: "Retry"
    readonly runId: string
    readonly seq: number
    readonly attempt: number
    readonly dueAt: number
    readonly expiresAt: number | undefined
    /** Instead of `expiresAt` where the task is paused. */
    readonly closeBy?: number | undefined
    readonly failure: string
    /** The next attempt's number: the same for an attempt that does not count (never begun). */
    readonly nextAttempt: number
  }
  | {
    readonly _tag: "Heartbeat"
    readonly runId: string
    readonly seq: number
    readonly attempt: number
    readonly details: string
  }
  /** The attempt goes on without its host, until somebody completes it from outside or a timeout strikes. */
  | {
    readonly _tag: "HandOver"
    readonly runId: string
    readonly seq: number
    readonly attempt: number
    readonly startedAt: number
    readonly expiresAt: number
  }
  /** An outcome for a run that is owned elsewhere: the row goes, the message is posted, in one. */
  | {
    readonly _tag: "Settle"
    readonly runId: string
    readonly seq: number
    readonly attempt: number
    readonly mail: OutcomeMail
  }

/**
 * What somebody without a worker does to an attempt that is under way, here or handed over (row A9). It applies only while
 * the row has the same attempt and is started or handed.
 *
 * @category models
 * @since 0.1.0
 */
export type OutsideChange =
  | Extract<TaskChange, { readonly _tag: "Retry" | "Settle" }>
  | {
    readonly _tag: "Heartbeat"
    readonly runId: string
    readonly seq: number
    readonly attempt: number
    /** Undefined: what was recorded stays. */
    readonly details: string | undefined
    /** The end of an attempt that was handed over; of one that runs, its host keeps the time. */
    readonly expiresAt: number
  }

/**
 * An operator's command, decided on a task as it was read: applies only while that has the same state, attempt and
 * revision.
 *
 * @category models
 * @since 0.1.0
 */
export interface TaskRevision extends Revised {
  readonly runId: string
  readonly seq: number
  readonly attempt: number
  readonly revision: number
  /** The state that it was read in. */
  readonly from: ActivityTask["state"]
}

/** What the host of an attempt should know of it. @since 0.1.0 */
export interface TaskNotice {
  readonly runId: string
  readonly seq: number
  readonly attempt: number
  /** False: its run is closed, and nobody waits for it. */
  readonly open: boolean
  readonly cancelRequested: boolean
  readonly paused: boolean
  readonly forgotten: number
  readonly revision: number
  readonly options: string | undefined
}
