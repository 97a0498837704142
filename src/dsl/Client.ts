/**
 * The client port: starting executions and talking to them. The same in the worker's process and in any other on the
 * same store.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Turn } from "../core/Event.js"
import type { Status } from "../core/family/Execution.js"
import type { Behavior, Version } from "../core/family/Version.js"
import type * as Activity from "./Activity.js"
import type * as Batch from "./Batch.js"
import type { PayloadArgument } from "./Call.js"
import type { ContractError } from "./Contract.js"
import type { Deployments, Versioning } from "./Deployments.js"
import type { Count, FilterError, Listed, ListOptions, Page, PageOptions, Query } from "./Listed.js"
import type { NotesGiven } from "./Notes.js"
import type { ActivityCompletion, ActivityControl, ActivityKey } from "./OutsideActivity.js"
import type { ResetOptions } from "./ResetOptions.js"
import type { Schedules } from "./Schedule.js"
import type * as Terms from "./Terms.js"
import type * as Workflow from "./Workflow.js"
import type {
  CallTimeout,
  QueryFailed,
  QueryRejected,
  ResetRefused,
  StoreUnavailable,
  UpdateFailed,
  UpdateNotFound,
  WorkflowAlreadyStarted,
  WorkflowClosed,
  WorkflowContinuedAsNew,
  WorkflowFailure,
  WorkflowNotFound
} from "./WorkflowFailure.js"

/** @category models @since 0.1.0 */
export interface StartOptions extends Terms.Begin {
  /** What becomes of an open run of the same workflow id (row X5). Default "Fail". */
  readonly idConflict?: IdConflict | undefined
  /**
   * Names this start: repeated with the same workflow id and request, it gives the run that it made the first time,
   * open or closed (row X6). Default: a start that is repeated is another one.
   */
  readonly requestId?: string | undefined
  /** In place of what its code says of versions (row V6): it is pinned to a build, or moves. */
  readonly versioning?: Versioning | undefined
}

/**
 * What a start does that meets an open run of its workflow id: fails with `WorkflowAlreadyStarted`, gives that run, or
 * terminates it and starts a new one, both in one transaction.
 *
 * @category models
 * @since 0.1.0
 */
export type IdConflict = "Fail" | "UseExisting" | "TerminateExisting"

/** @category models @since 0.1.0 */
export interface SignalOptions extends CallOptions {
  /** Names this sending: repeated, it is taken in once in a run (row S1). Default: a signal sent twice comes twice. */
  readonly requestId?: string | undefined
}

/** @category models @since 0.1.0 */
export interface QueryOptions extends CallOptions {
  /**
   * Fails with `QueryRejected` where the run is closed ("NotOpen"), or has ended otherwise than well
   * ("NotCompletedCleanly") (row Q2). Default: it is asked in any status.
   */
  readonly reject?: "NotOpen" | "NotCompletedCleanly" | undefined
}

export type { IdReuse } from "./Terms.js"

/** What a start may say of the run by the workflow's contract (rows W12, W13). @since 0.1.0 */
export type StartOptionsOf<W> = StartOptions & NotesOf<W>

type NotesOf<W> = NotesGiven<Workflow.MemoOf<W>, Workflow.AttributesOf<W>>

/** @category models @since 0.1.0 */
export interface CallOptions {
  /** How long to wait for an answer. Default 10 seconds. */
  readonly timeout?: Duration.DurationInput | undefined
}

/** @category models @since 0.1.0 */
export interface UpdateOptions extends CallOptions {
  /** Deduplicates within the run: a second update with this id gets the first one's outcome (row U4). Default a UUID. */
  readonly updateId?: string | undefined
}

/** A pending activity as `describe` shows it (row X11). @since 0.1.0 */
export interface PendingActivity {
  readonly activityId: string
  readonly activity: string
  /** "handed": completed from outside (row A9). "paused": no attempt begins until an operator says so (row A15). */
  readonly state: "queued" | "started" | "lost" | "handed" | "paused"
  /** Counts from 1. */
  readonly attempt: number
  /** When the next attempt may begin, in epoch milliseconds. */
  readonly dueAt: number
  readonly lastFailure: string | undefined
  readonly heartbeat: unknown
  readonly cancelRequested: boolean
  /** An operator paused it; its attempt may still be under way. */
  readonly paused: boolean
  /** What it is for, as its call or definition said (row W20). */
  readonly summary: string | undefined
}

/** A child whose outcome the run does not have yet, as `describe` shows it (row X11). @since 0.1.0 */
export interface PendingChild {
  readonly workflow: string
  readonly workflowId: string
  /** Its open run: not the first one, if that was retried or continued. */
  readonly runId: string
  readonly startedAt: number
}

/** Why an open run does not get on. @since 0.1.0 */
export type Attention =
  /** Its turns fail; the next try is at `retryAt` (I7, rows W15, W16). */
  | {
    readonly _tag: "TurnFailed"
    readonly failures: number
    readonly error: string
    readonly message: string
    readonly retryAt: number
  }
  /** Nothing will ever wake it but a message that it does not wait for (I5). */
  | { readonly _tag: "NoWakeUp"; readonly message: string }
  /** It is pinned to a version of which no worker is there (row V6). */
  | { readonly _tag: "NoWorker"; readonly message: string }

/** @category models @since 0.1.0 */
export interface Description {
  readonly workflow: string
  readonly workflowId: string
  readonly runId: string
  readonly taskQueue: string
  readonly status: Status
  readonly startedAt: number
  readonly closedAt: number | undefined
  /** The first run of the chain that it belongs to: itself, unless it continues or retries another. */
  readonly firstRunId: string
  /** The run that it continues or retries. */
  readonly previousRunId: string | undefined
  /** The run that continues or retries it. */
  readonly nextRunId: string | undefined
  /** Counts from 1: the tries of the retry policy. */
  readonly attempt: number
  /** When its first turn may begin, in epoch milliseconds, where that is held. */
  readonly startAt: number | undefined
  /** The expression by which it is repeated (row X10). */
  readonly cron: string | undefined
  /** When it is out of time, in epoch milliseconds. */
  readonly expiresAt: number | undefined
  /** Turns in the history. */
  readonly turns: number
  /** Events in them. */
  readonly historyLength: number
  /** As they are stored, after payload codecs. */
  readonly historyBytes: number
  readonly attention: Attention | undefined
  readonly pendingActivities: ReadonlyArray<PendingActivity>
  /** Children that are open; those of them that it abandoned, too. */
  readonly pendingChildren: ReadonlyArray<PendingChild>
  /** The run that started it as its child; undefined for one that a client started. */
  readonly parent: { readonly workflowId: string; readonly runId: string } | undefined
  /** The first run of the chain from which all its parents come: its own chain's, if it has no parent. */
  readonly root: { readonly workflowId: string; readonly runId: string }
  /** The schedule that started its chain, and for which of its times, in epoch milliseconds (row H2). */
  readonly scheduled: { readonly by: string; readonly at: number } | undefined
  /** As its start said; see `StartOptions`. */
  readonly summary: string | undefined
  readonly details: string | undefined
  /** Fields that are set, decoded; one that does not fit its schema any more as it is stored (row W12). */
  readonly memo: Readonly<Record<string, unknown>>
  /** The same of its search attributes (row W13). */
  readonly searchAttributes: Readonly<Record<string, unknown>>
  /** The version that took its last turn (row V6); undefined: a worker without one, or none yet. */
  readonly version: Version | undefined
  /** As its code says there, and what takes the place of that. */
  readonly versioningBehavior: Behavior | undefined
  readonly versioningOverride: Versioning | undefined
  /** The version whose workers alone may have it. */
  readonly pinnedTo: Version | undefined
  /** The worker that owns it, if any. */
  readonly owner: string | undefined
  /** When the clock wakes it next, in epoch milliseconds. */
  readonly wakeAt: number | undefined
}

/** An update in progress. Its ids rebuild it, in any process: `client.handle(...).updateHandle(...)`. @since 0.1.0 */
export interface UpdateHandle<out Success, out Error> {
  readonly workflowId: string
  readonly runId: string
  readonly updateId: string
  readonly result: Effect.Effect<Success, Error | UpdateFailed | WorkflowClosed | CallTimeout | StoreUnavailable>
}

/**
 * An execution, by its workflow id; by its run where the run is known.
 *
 * The handle that a start gave means the chain of runs that it began, and no other execution of the same workflow id (row
 * U10): messages go to whichever of its runs is open. One that was made by workflow id alone means the open execution of
 * that id, else the latest; one that names a run means that run alone, but for its result.
 *
 * @category models
 * @since 0.1.0
 */
export interface Handle<W> {
  readonly workflowId: string
  readonly runId: string | undefined
  /**
   * The same execution without its contract: for messages with undeclared names, which a workflow with dynamic handlers
   * takes in (row S6), and for the queries that every workflow answers, `__metadata` and `__stack_trace` (row Q4).
   */
  readonly raw: Handle<Workflow.Untyped>
  /**
   * Waits for the end: the result, a declared error, or `WorkflowFailure` (row X3). Follows the chain from its run on, to
   * the last one (row K12).
   */
  readonly result: Effect.Effect<
    Workflow.SuccessOf<W>,
    Workflow.ErrorOf<W> | WorkflowFailure | WorkflowNotFound | ContractError | StoreUnavailable
  >
  /** As `result`, but of its run alone: fails with `WorkflowContinuedAsNew` where another one continues it (row K12). */
  readonly runResult: Effect.Effect<
    Workflow.SuccessOf<W>,
    | Workflow.ErrorOf<W>
    | WorkflowFailure
    | WorkflowContinuedAsNew
    | WorkflowNotFound
    | ContractError
    | StoreUnavailable
  >
  /** Returns once the signal cannot be lost any more (row S1). */
  readonly signal: <K extends keyof Workflow.SignalsOf<W> & string>(
    name: K,
    ...args: PayloadArgument<Workflow.SignalsOf<W>[K], SignalOptions>
  ) => Effect.Effect<void, WorkflowNotFound | WorkflowClosed | ContractError | StoreUnavailable>
  /** Reads the run's state as of all that was acknowledged before; works on closed runs too (rows Q1, Q2). */
  readonly query: <K extends keyof Workflow.QueriesOf<W> & string>(
    name: K,
    ...args: PayloadArgument<Field<Workflow.QueriesOf<W>[K], "payload">, QueryOptions>
  ) => Effect.Effect<
    Field<Workflow.QueriesOf<W>[K], "success">,
    QueryFailed | QueryRejected | WorkflowNotFound | CallTimeout | ContractError | StoreUnavailable
  >
  /** Runs an update and waits for its outcome (row U1). */
  readonly update: <K extends keyof Workflow.UpdatesOf<W> & string>(
    name: K,
    ...args: PayloadArgument<Field<Workflow.UpdatesOf<W>[K], "payload">, UpdateOptions>
  ) => Effect.Effect<
    Field<Workflow.UpdatesOf<W>[K], "success">,
    | Field<Workflow.UpdatesOf<W>[K], "error">
    | UpdateFailed
    | WorkflowNotFound
    | WorkflowClosed
    | CallTimeout
    | ContractError
    | StoreUnavailable
  >
  /** Returns once the update is accepted and cannot be lost any more, or rejected (row U1). */
  readonly startUpdate: <K extends keyof Workflow.UpdatesOf<W> & string>(
    name: K,
    ...args: PayloadArgument<Field<Workflow.UpdatesOf<W>[K], "payload">, UpdateOptions>
  ) => Effect.Effect<
    UpdateHandle<Field<Workflow.UpdatesOf<W>[K], "success">, Field<Workflow.UpdatesOf<W>[K], "error">>,
    | Field<Workflow.UpdatesOf<W>[K], "error">
    | UpdateFailed
    | WorkflowNotFound
    | WorkflowClosed
    | CallTimeout
    | ContractError
    | StoreUnavailable
  >
  /**
   * The handle of an update that was sent before, by anybody, to this execution (row U5). Not checked until it is used:
   * its result fails with `UpdateNotFound` where the run has accepted no such update. Readable after the end of the run.
   */
  readonly updateHandle: <K extends keyof Workflow.UpdatesOf<W> & string>(
    name: K,
    updateId: string,
    options?: CallOptions
  ) => {
    readonly workflowId: string
    readonly updateId: string
    readonly result: Effect.Effect<
      Field<Workflow.UpdatesOf<W>[K], "success">,
      | Field<Workflow.UpdatesOf<W>[K], "error">
      | UpdateFailed
      | UpdateNotFound
      | WorkflowNotFound
      | CallTimeout
      | ContractError
      | StoreUnavailable
    >
  }
  /** Asks for cancellation; a request to a closed run, or a second one, changes nothing (row C1). */
  readonly cancel: (reason?: string) => Effect.Effect<void, WorkflowNotFound | StoreUnavailable>
  /**
   * Ends the run at once; no code of it runs any more. Who waits for its result sees the reason, and the details, which
   * are JSON (row C10).
   */
  readonly terminate: (
    reason?: string,
    details?: unknown
  ) => Effect.Effect<void, WorkflowNotFound | WorkflowClosed | ContractError | StoreUnavailable>
  /**
   * Takes the run anew from one of its turns on, open or closed: a new run of the same chain begins with copies of the turns
   * before, and an open run of the chain is terminated in the same commit (row C11). For runs that went wrong, once the code
   * is right. Gives the handle of the new run's chain; who waits for the result of the old one gets that of the new one.
   *
   * Activities that the copied turns left pending run again. Random numbers are others from there on (row W2). Cancel
   * requests behind that turn do not come again. The time of the run counts anew, that of the execution if it was over.
   *
   * Fails with `ResetRefused` where there is no such turn, or it would leave a child behind that the run waits for; with
   * `WorkflowAlreadyStarted` where another execution has the workflow id.
   */
  readonly reset: (
    options?: ResetOptions
  ) => Effect.Effect<Handle<W>, WorkflowNotFound | ResetRefused | WorkflowAlreadyStarted | StoreUnavailable>
  /**
   * Takes the run out of the store, with its history and all that waits for it; an open one is ended first, and no code
   * of it runs any more (row C12). Nothing brings it back. Its workflow id is free again, also for `idReuse`.
   */
  readonly delete: Effect.Effect<void, WorkflowNotFound | StoreUnavailable>
  /**
   * Pins the open run to a build, or lets it move, whatever its code says; undefined takes that back (row V6). Whoever has it
   * loses it, and goes on with nothing of it. A build of another history makes its turns fail: see `Replayer`.
   */
  readonly setVersioning: (
    versioning: Versioning | undefined
  ) => Effect.Effect<void, WorkflowNotFound | WorkflowClosed | StoreUnavailable>
  readonly describe: Effect.Effect<
    & Description
    & {
      readonly memo: Workflow.Some<Workflow.MemoOf<W>>
      readonly searchAttributes: Workflow.Some<Workflow.AttributesOf<W>>
    },
    WorkflowNotFound | StoreUnavailable
  >
  /** A pending activity of the run, for operators. Not checked until it is used (row A15). */
  readonly activity: (activityId: string) => ActivityControl
  /** The turns of its run as they are recorded: those there are, then each as it comes, up to the run's end (row X12). */
  readonly watch: Stream.Stream<Turn, WorkflowNotFound | StoreUnavailable>
  /** All turns recorded so far, in order. */
  readonly history: Effect.Effect<ReadonlyArray<Turn>, WorkflowNotFound | StoreUnavailable>
}

type Field<T, K extends string> = T extends { readonly [P in K]: infer V } ? V : never

type Named<K extends string, P> = [P] extends [void] ? { readonly name: K; readonly payload?: undefined }
  : { readonly name: K; readonly payload: P }

/** A signal to be sent with a start: its name, its payload, and the request that names this sending. @since 0.1.0 */
export type SignalMessage<W> =
  & { [K in keyof Workflow.SignalsOf<W> & string]: Named<K, Workflow.SignalsOf<W>[K]> }[
    & keyof Workflow.SignalsOf<W>
    & string
  ]
  & { readonly requestId?: string | undefined }

/** An update to be sent with a start: its name, its payload, and its id, by default a UUID. @since 0.1.0 */
export type UpdateMessage<K extends string, P> = Named<K, P> & { readonly updateId?: string | undefined }

/** The workflow id may come from the definition's `idempotencyKey`. @category models @since 0.1.0 */
export interface SignalWithStartOptions extends Omit<StartOptions, "idConflict" | "startDelay" | "cron"> {
  /** Default "UseExisting". A signal cannot be refused for a run that is open: there is no "Fail". */
  readonly idConflict?: "UseExisting" | "TerminateExisting" | undefined
}

/** @category models @since 0.1.0 */
export interface UpdateWithStartOptions
  extends Omit<StartOptions, "idConflict" | "requestId" | "startDelay" | "cron">, CallOptions
{
  /**
   * What becomes of an open run: it gets the update, or it fails the call with `WorkflowAlreadyStarted`, unless it has
   * accepted the update already. Has no default: the two are too different to be guessed.
   */
  readonly idConflict: "Fail" | "UseExisting"
}

/** What every start can fail with. @since 0.1.0 */
export type StartError = WorkflowAlreadyStarted | ContractError | StoreUnavailable

/**
 * @category services
 * @since 0.1.0
 */
export class Client extends Context.Tag("perdure/Client")<Client, {
  /** Starts an execution; returns once the start cannot be lost any more. No worker needs to run (row X2). */
  readonly start: <W extends Workflow.Any>(
    workflow: W,
    ...args: PayloadArgument<Workflow.PayloadOf<W>, StartOptionsOf<W>>
  ) => Effect.Effect<Handle<W> & { readonly runId: string }, StartError>
  /** Starts an execution and waits for its result. */
  readonly execute: <W extends Workflow.Any>(
    workflow: W,
    ...args: PayloadArgument<Workflow.PayloadOf<W>, StartOptionsOf<W>>
  ) => Effect.Effect<
    Workflow.SuccessOf<W>,
    StartError | Workflow.ErrorOf<W> | WorkflowFailure | WorkflowNotFound
  >
  /**
   * Sends a signal to the open run of the workflow id; where there is none, starts one with the signal as its first
   * message, ahead of its program (row S10). Both in one: no start is seen without the signal.
   *
   * The payload of the start is left aside where a run is open; one whose first turn is held begins at once (row X7).
   * Returns once neither can be lost any more.
   */
  readonly signalWithStart: <W extends Workflow.Any>(
    workflow: W,
    payload: Workflow.PayloadOf<W>,
    signal: SignalMessage<W>,
    options: SignalWithStartOptions & NotesOf<W>
  ) => Effect.Effect<Handle<W> & { readonly runId: string }, StartError>
  /**
   * Sends an update to the open run of the workflow id; where there is none, starts one with the update as its first
   * message, in one (row U13). An update that the last run knows by its id is attached to, though that run be closed,
   * and nothing is started.
   *
   * Returns once the update was accepted or refused. The start stands, whatever becomes of the update: its failure is
   * seen in `update.result`.
   */
  readonly updateWithStart: <W extends Workflow.Any, K extends keyof Workflow.UpdatesOf<W> & string>(
    workflow: W,
    payload: Workflow.PayloadOf<W>,
    update: UpdateMessage<K, Field<Workflow.UpdatesOf<W>[K], "payload">>,
    options: UpdateWithStartOptions & NotesOf<W>
  ) => Effect.Effect<
    {
      readonly handle: Handle<W> & { readonly runId: string }
      readonly update: UpdateHandle<
        Field<Workflow.UpdatesOf<W>[K], "success">,
        Field<Workflow.UpdatesOf<W>[K], "error">
      >
    },
    StartError | CallTimeout
  >
  /**
   * Runs of all workflows, or those that a filter finds, as they are read page by page (row X13). The list is as it was when
   * it began: what starts or closes meanwhile changes nothing in it. Fails with `FilterError` where the filter says nothing.
   */
  readonly list: (query?: Query, options?: ListOptions) => Stream.Stream<Listed, FilterError | StoreUnavailable>
  /** One page of such a list, with a cursor for the next one. */
  readonly listPage: (query?: Query, options?: PageOptions) => Effect.Effect<Page, FilterError | StoreUnavailable>
  /** How many runs there are, or how many a filter finds, in all and by status (row X14). */
  readonly count: (query?: Query) => Effect.Effect<Count, FilterError | StoreUnavailable>
  /**
   * Does one thing to each run that a filter finds, as the list is when the batch begins (row X16). Narrowed to what the
   * operation is for: signals, cancel requests and terminations go to open runs, signals to those of their workflow. It runs
   * in this process; where that dies, the batch may be begun again with its `jobId`.
   */
  readonly batch: (
    query: Query,
    operation: Batch.Operation,
    options?: Batch.Options
  ) => Effect.Effect<Batch.Report, FilterError | StoreUnavailable>
  /** What starts executions by the clock (rows H1 to H14). */
  readonly schedules: Schedules
  /** The versions of workers, and where runs go (row V6). */
  readonly deployments: Deployments
  /** The handle of an execution that was started before, here or elsewhere. Not checked until it is used. */
  readonly handle: <W extends Workflow.Any>(workflow: W, workflowId: string, runId?: string) => Handle<W>
  /** An attempt of an activity, to complete it from outside. Not checked until it is used (rows A9, A10). */
  readonly activity: <Name extends string, Payload, Success, Error>(
    activity: Activity.Activity<Name, Payload, Success, Error>,
    key: ActivityKey
  ) => ActivityCompletion<Success, Error>
}>() {}
