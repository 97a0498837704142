/**
 * The port through which a body asks for durable things. The interpreter provides it; authors only see it as a
 * requirement in types: what needs it can run in a body, and nowhere else.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Random from "effect/Random"
import type { Failure } from "../core/Failure.js"
import type { ActivityCanceled, ActivityCompleted, ActivityFailed, ActivityScheduled } from "../core/family/Activity.js"
import type { ChildEnd, ChildStartFailed, ChildStartRequested } from "../core/family/Child.js"
import type { Continuation, Parent, Root, Scheduled } from "../core/family/Execution.js"
import type {
  ExternalCancelDelivered,
  ExternalCancelFailed,
  ExternalSignaled,
  ExternalSignalFailed,
  Target
} from "../core/family/External.js"
import type { Attribute, Carried, MemoField } from "../core/family/Notes.js"
import type { StepCompleted, StepFailed } from "../core/family/Step.js"
import type { Version } from "../core/family/Version.js"
import type { Headers } from "../core/Headers.js"
import type { Reason } from "../core/HistoryLimits.js"
import type { Payload } from "../core/Payload.js"
import type { RetryPolicy } from "../core/RetryPolicy.js"
import type { ContractError } from "./Contract.js"
import type { HandlerChanges } from "./ErasedHandlers.js"
import type { Hooks } from "./Hooks.js"

/**
 * What a run knows of itself (row W11).
 *
 * @category models
 * @since 0.1.0
 */
export interface WorkflowInfo {
  readonly workflow: string
  readonly workflowId: string
  readonly runId: string
  readonly taskQueue: string
  /** That of its store (row X1). Not recorded: the same for as long as the run lives. */
  readonly namespace: string
  /** The run that started this one as its child; undefined for a run that a client started. */
  readonly parent: Parent | undefined
  /** The first run of the chain from which all parents come: its own chain's, if it has no parent. */
  readonly root: Root
  /** The schedule that started the chain, and for which of its times, in epoch milliseconds (row H2). */
  readonly scheduled: Scheduled | undefined
  /** What interceptors gave the start, or the run before it, along with the payload (row N6). */
  readonly headers: Headers
  /** When the run started, in epoch milliseconds. */
  readonly startedAt: number
  /** The first run of the chain that this one belongs to: itself, unless it continues or retries another. */
  readonly firstRunId: string
  /** The run that it continues or retries. */
  readonly previousRunId: string | undefined
  /** When the first run of the chain started, in epoch milliseconds. */
  readonly firstStartedAt: number
  /** Counts from 1: the tries of the retry policy (row X9). */
  readonly attempt: number
  /** Of the whole chain; undefined: endless (row X8). */
  readonly executionTimeoutMillis: number | undefined
  /** Of this run. */
  readonly runTimeoutMillis: number | undefined
  /** When the run is out of time, in epoch milliseconds. */
  readonly expiresAt: number | undefined
  /** Undefined: a run that fails is not tried again. */
  readonly retry: RetryPolicy | undefined
  /** By which the execution repeats, if it does (row X10). */
  readonly cron: string | undefined
  /** What is set now, encoded; see `Workflow.memo` (row W12). */
  readonly memo: Readonly<Record<string, unknown>>
  /** What is set now, encoded; see `Workflow.searchAttributes` (row W13). */
  readonly searchAttributes: Readonly<Record<string, unknown>>
  /** What the run is for, as its start said (row W20). */
  readonly summary: string | undefined
  readonly details: string | undefined
  /** Encoded; see `Workflow.lastResult`. */
  readonly lastResult: Payload
  /** See `Workflow.lastFailure`. */
  readonly lastFailure: Failure | undefined
  /** Events in the history as of the message being taken in. */
  readonly historyLength: number
  /** Characters of its JSON as of the message being taken in, before payload codecs. */
  readonly historyBytes: number
  /**
   * Whether the history is long enough to continue as a new run (row K11): from 4,096 events, 4 MiB or 1,800 updates on.
   * At 51,200 events or 50 MiB the run is terminated.
   */
  readonly continueAsNewSuggested: boolean
  /** Which of these it is: empty while nothing is suggested. */
  readonly continueAsNewReasons: ReadonlyArray<Reason>
  /**
   * The build of the code that took the message being taken in, as it was recorded (row V6); undefined on a worker without
   * a version.
   */
  readonly deploymentVersion: Version | undefined
  /** Whether the body is being brought back from its history. For logs only: branching on it breaks replay. */
  readonly replaying: boolean
  /** The reason given with the cancel request, "" if none was given; undefined before any (row C1). */
  readonly cancelReason: string | undefined
}

/** An update in progress, as its handler sees it. @since 0.1.0 */
export interface CurrentUpdate {
  readonly id: string
  readonly name: string
}

/** An activity call in its encoded form, once the interpreter has given it its sequence number. @since 0.1.0 */
export type ActivityCall = (seq: number) => ActivityScheduled

/** @since 0.1.0 */
export type ActivityOutcome = ActivityCompleted | ActivityFailed | ActivityCanceled

/** An activity that was started; it may be awaited many times. @since 0.1.0 */
export interface StartedActivity {
  readonly id: string
  readonly await: Effect.Effect<ActivityOutcome>
  readonly cancel: Effect.Effect<void>
}

/** An inline step: the effect runs outside the body, in the process that owns the run. @since 0.1.0 */
export interface StepCall {
  readonly name: string
  /** Fails with what was thrown or declared, already as a recorded failure, through `Failure` values in E. */
  readonly execute: Effect.Effect<Payload, unknown, unknown>
  readonly retry: RetryPolicy
  readonly startToCloseMillis: number | undefined
  /** From the turn that asked for it to its outcome, with all attempts and delays. */
  readonly scheduleToCloseMillis: number | undefined
  /** A longer delay between two attempts is a durable wait. */
  readonly inProcessBackoffMillisMax: number
  readonly summary: string | undefined
}

/** @since 0.1.0 */
export type StepOutcome = StepCompleted | StepFailed

/** A child's start in its encoded form, once the interpreter has given it its number, and said whose child it is. @since 0.1.0 */
export type ChildCall = (seq: number, parentRunId: string) => Omit<ChildStartRequested, "runId">

/** A child that was started; it may be awaited many times. @since 0.1.0 */
export interface StartedChild {
  readonly _tag: "StartedChild"
  readonly seq: number
  readonly runId: string
  readonly await: Effect.Effect<ChildEnd>
  readonly cancel: (reason: string) => Effect.Effect<void>
}

/**
 * @category services
 * @since 0.1.0
 */
export class WorkflowContext extends Context.Tag("perdure/WorkflowContext")<WorkflowContext, {
  readonly info: Effect.Effect<WorkflowInfo>
  /** What stands around the body's calls. */
  readonly hooks: Hooks["workflow"]
  /** Random numbers apart from those of the body: of a name, seeded by the run (row W2). */
  readonly randomStream: (name: string) => Random.Random
  /** Interrupting the awaiting fiber cancels the activity by its cancellation type. */
  readonly executeActivity: (call: ActivityCall, place?: string) => Effect.Effect<ActivityOutcome>
  readonly startActivity: (call: ActivityCall, place?: string) => Effect.Effect<StartedActivity>
  readonly runStep: (call: StepCall, place?: string) => Effect.Effect<StepOutcome>
  /** Interrupting the awaiting fiber cancels the child by its cancellation type. */
  readonly executeChild: (call: ChildCall, place?: string) => Effect.Effect<{
    readonly workflowId: string
    readonly outcome: ChildEnd | ChildStartFailed
  }>
  /** Returns once the child is there, or its workflow id was found taken. */
  readonly startChild: (call: ChildCall, place?: string) => Effect.Effect<{
    readonly workflowId: string
    readonly started: StartedChild | ChildStartFailed
  }>
  readonly signalExternal: (
    target: Target,
    name: string,
    sent: { readonly input?: Payload; readonly headers?: Headers },
    place?: string
  ) => Effect.Effect<ExternalSignaled | ExternalSignalFailed>
  readonly cancelExternal: (
    target: Target,
    reason: string,
    place?: string
  ) => Effect.Effect<ExternalCancelDelivered | ExternalCancelFailed>
  /** Waits until the predicate holds; it is asked again after every progress. */
  readonly condition: (predicate: Effect.Effect<boolean, never, WorkflowContext>) => Effect.Effect<void>
  /** Signal and update handlers that have begun and not ended. */
  readonly handlersInProgress: Effect.Effect<number>
  /** Sets and unsets handlers, and handles the signals that waited for them (row W18). */
  readonly setHandlers: (changes: HandlerChanges) => Effect.Effect<void>
  /** Ends the run, to be continued by a new one. */
  readonly continueAsNew: (continuation: Continuation) => Effect.Effect<never>
  /** Registers an undo step, run in reverse order if the run fails or is canceled. */
  readonly compensate: (undo: Effect.Effect<void, unknown, unknown>) => Effect.Effect<void>
  /** Runs the effect so that a cancel request interrupts it alone; the interruption becomes the fallback. */
  readonly catchCancel: <A, E, R, A2, E2, R2>(
    effect: Effect.Effect<A, E, R>,
    fallback: (reason: string) => Effect.Effect<A2, E2, R2>
  ) => Effect.Effect<A | A2, E | E2, R | R2>
  /** Runs a function without the guard. */
  readonly unguarded: <A>(run: () => A) => Effect.Effect<A>
  /** Dies in a query or validator (I11). */
  readonly assertWritable: (what: string) => Effect.Effect<void>
  /** Fails the turn: what an event recorded does not fit the schema of today (row D7). */
  readonly unreadable: (event: { readonly seq: number }, error: ContractError) => Effect.Effect<never>
  /** The update whose handler the fiber belongs to (row U11). */
  readonly currentUpdate: Effect.Effect<CurrentUpdate | undefined>
  /** What the run says of itself now. */
  readonly notes: Effect.Effect<Carried>
  readonly upsertMemo: (fields: ReadonlyArray<MemoField>) => Effect.Effect<void>
  readonly upsertSearchAttributes: (attributes: ReadonlyArray<Attribute>) => Effect.Effect<void>
  readonly setCurrentDetails: (details: string) => Effect.Effect<void>
  /** Whether the run takes the new way at a patch. */
  readonly askPatch: (id: string, deprecated: boolean, place?: string) => Effect.Effect<boolean>
}>() {}
