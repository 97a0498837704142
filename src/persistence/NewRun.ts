/**
 * What a new run is made of: its row, whose child it is, what its start asks of the other runs of its workflow id. Part
 * of the Store port.
 *
 * @since 0.1.0
 */
import type { ParentClosePolicy } from "../core/family/Execution.js"
import type { AttributeType } from "../core/family/Notes.js"
import type { Behavior } from "../core/family/Version.js"
import type { HistoryRow } from "./HistoryRow.js"
import type { NewMail, Outgoing } from "./Mail.js"

/** @category models @since 0.1.0 */
export interface NewRun {
  readonly runId: string
  readonly workflowId: string
  readonly workflow: string
  readonly taskQueue: string
  readonly startedAt: number
  /** Undefined: it is the first run of its chain. */
  readonly firstRunId?: string | undefined
  readonly previousRunId?: string | undefined
  /** Default 1. */
  readonly attempt?: number | undefined
  /** Its first turn waits until then, whatever messages come but a cancel request (row X7). */
  readonly startAt?: number | undefined
  /** When its timeouts end it (row X8). */
  readonly expiresAt?: number | undefined
  /** What its start says of it, as JSON (row W12), and what it is found by (row W13). */
  readonly notes?: string | undefined
  readonly attributes?: ReadonlyArray<AttributeChange> | undefined
  readonly parent?: ParentLink | undefined
  /** The workflow id of the first of its parents (row X15). Undefined: it has none. */
  readonly rootWorkflowId?: string | undefined
  /** The key of the version whose workers alone may have it (row V6). Undefined: none. */
  readonly pinnedTo?: string | undefined
  /** What takes the place of the behaviour that its code says. */
  readonly override?: Behavior | undefined
  /** Undefined: no schedule started it. */
  readonly scheduled?: Scheduled | undefined
}

/** Which schedule started a run, and for which of its times, in epoch milliseconds (row H2). @since 0.1.0 */
export interface Scheduled {
  readonly by: string
  readonly at: number
}

/** A search attribute that is set to texts, a number or a boolean; without a value, removed. @since 0.1.0 */
export interface AttributeChange {
  readonly name: string
  readonly type: AttributeType
  readonly value?: unknown
}

/**
 * Whose child a run is: all runs of its chain are, so that the open one is found by it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ParentLink {
  readonly runId: string
  readonly seq: number
  readonly close: ParentClosePolicy
}

/**
 * A run that the turn of another one brings into being, with its Start in its mailbox. It is due when it may begin.
 *
 * One whose workflow id has an open run once the closes of the same commit are written, or a closed one that stands in
 * its way, is left out, and its Start with
 * it; the turn goes in all the same. What follows from that is up to whoever creates it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Creation {
  readonly run: NewRun
  readonly start: NewMail
  /** Owned by the worker of the commit from the beginning, under epoch 1, which then takes its first turn; else anybody's. */
  readonly owned: boolean
  /** Which closed runs of the workflow id stand in its way (row K2). Undefined: none. */
  readonly reuse?: CreateOptions["reuse"]
  /** Words what is posted in the same commit to say whether it was created, or which run has its workflow id. */
  readonly report?:
    | ((result: Extract<CreateResult, { readonly _tag: "Created" | "AlreadyRunning" | "Refused" }>) => NewMail)
    | undefined
}

/**
 * The last turn of a run that is ended from outside.
 *
 * @category models
 * @since 0.1.0
 */
export interface ImposedEnd {
  readonly events: string
  readonly format: number
  /** Words what its parent is told, if it has one: it waits for its child. */
  readonly toParent?: ((parent: ParentLink, runId: string) => Outgoing | undefined) | undefined
}

/**
 * What a start asks besides a new run.
 *
 * @category models
 * @since 0.1.0
 */
export interface CreateOptions {
  /** Messages for the new run, after its Start. */
  readonly mail?: ReadonlyArray<NewMail> | undefined
  /** Which closed runs of the workflow id stand in the way (row X4). Undefined: none. */
  readonly reuse?: "AllowDuplicateFailedOnly" | "RejectDuplicate" | undefined
  /** The last turn of an open run of the workflow id, which then makes room (row X5). Undefined: it stands in the way. */
  readonly terminate?: ImposedEnd | undefined
  /** A second start of the workflow id with this request changes nothing (row X6). */
  readonly requestId?: string | undefined
  /** The last run of the workflow id that the caller saw, or that it saw none: another one stands in the way. */
  readonly last?: { readonly runId: string | undefined } | undefined
}

/** @category models @since 0.1.0 */
export type CreateResult =
  | { readonly _tag: "Created"; readonly terminated?: string }
  | { readonly _tag: "AlreadyRunning"; readonly runId: string }
  /** The run that an earlier start with the same request created. */
  | { readonly _tag: "Known"; readonly runId: string }
  /** The closed run that the reuse policy does not allow another one after. */
  | { readonly _tag: "Refused"; readonly runId: string }
  /** Not the last run that the caller saw. */
  | { readonly _tag: "Changed" }

/**
 * A run that takes another one anew from one of its turns on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reset {
  readonly run: NewRun
  /**
   * Of the run that is reset, the last turn that the caller saw: another one is `Changed`. `last`: so is a run that is
   * not the last one of its chain any more; default false.
   */
  readonly of: { readonly runId: string; readonly turn: number; readonly last?: boolean | undefined }
  /** The turns that it begins with. */
  readonly history: ReadonlyArray<HistoryRow>
  /** Its pending activities, each to begin with its first attempt. */
  readonly tasks: ReadonlyArray<{
    readonly seq: number
    /** The turn whose history row holds the ActivityScheduled event. */
    readonly turn: number
    readonly taskQueue: string
    readonly expiresAt: number | undefined
    readonly cancelRequested: boolean
  }>
  /** What waits for it, in order. */
  readonly mail: ReadonlyArray<NewMail>
  /** When the clock wakes it. Default at once. */
  readonly wakeAt?: number | undefined
  /** The last turn of the open run of its chain, if there is one. */
  readonly end: ImposedEnd
  /** A second reset of the workflow id with this request changes nothing. */
  readonly requestId?: string | undefined
}

/** @category models @since 0.1.0 */
export type ResetResult =
  /** And the run that was open, and is ended. */
  | { readonly _tag: "Reset"; readonly terminated: string | undefined }
  /** The run that an earlier reset with the same request made. */
  | { readonly _tag: "Known"; readonly runId: string }
  /** The run has other turns than the caller saw. */
  | { readonly _tag: "Changed" }
  | { readonly _tag: "NotFound" }
  /** The open run of another execution has the workflow id. */
  | { readonly _tag: "AlreadyRunning"; readonly runId: string }
