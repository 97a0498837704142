/**
 * What interceptors see of each call, and what the calls give: plain records, to be passed on as they are or altered.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { Headers } from "../core/Headers.js"
import type { ActivityHandle, CallOptions } from "./Activity.js"
import type { ActivityInfo } from "./ActivityContext.js"
import type { ContinueOptions } from "./Chain.js"
import type { ChildHandle, ChildOptions } from "./Child.js"
import type { QueryOptions, SignalOptions, StartError, StartOptions, UpdateHandle, UpdateOptions } from "./Client.js"
import type { ContractError } from "./Contract.js"
import type { WorkflowContext } from "./WorkflowContext.js"
import type {
  CallTimeout,
  QueryFailed,
  QueryRejected,
  StoreUnavailable,
  WorkflowAlreadyStarted,
  WorkflowClosed,
  WorkflowNotFound
} from "./WorkflowFailure.js"

/**
 * Stands around a call: does something before it, after it, in its place, or with what it is given. `next` goes on to the
 * next interceptor, and from the last one to the call itself; it may be run once, several times, or not at all.
 *
 * @category models
 * @since 0.1.0
 */
export type Hook<Call, A, E, R> = (
  call: Call,
  next: (call: Call) => Effect.Effect<A, E>
) => Effect.Effect<A, E, R>

// -----------------------------------------------------------------------------
// client
// -----------------------------------------------------------------------------

/** A start, also one with a signal or an update. @category models @since 0.1.0 */
export interface StartCall {
  readonly workflow: string
  readonly payload: unknown
  /** As they were given: a workflow id that is derived is derived from the payload that is passed on. */
  readonly options: StartOptions
  readonly headers: Headers
}

/** @category models @since 0.1.0 */
export interface Started {
  readonly workflowId: string
  readonly runId: string
  /** The first run of its chain. */
  readonly chain: string
}

/** The execution that a handle means. @category models @since 0.1.0 */
export interface Execution {
  readonly workflow: string
  readonly workflowId: string
  readonly runId: string | undefined
}

/** @category models @since 0.1.0 */
export interface SignalCall extends Execution {
  readonly signal: string
  readonly payload: unknown
  readonly options: SignalOptions
  readonly headers: Headers
}

/** @category models @since 0.1.0 */
export interface QueryCall extends Execution {
  readonly query: string
  readonly payload: unknown
  readonly options: QueryOptions
  readonly headers: Headers
}

/** @category models @since 0.1.0 */
export interface UpdateCall extends Execution {
  readonly update: string
  readonly payload: unknown
  readonly options: UpdateOptions
  readonly headers: Headers
}

/** @category models @since 0.1.0 */
export interface CancelCall extends Execution {
  readonly reason: string
}

/** @category models @since 0.1.0 */
export interface TerminateCall extends Execution {
  readonly reason: string
  readonly details: unknown
}

/**
 * The calls of a client. An error of its own type a hook can add only where the contract decides on errors: the declared
 * ones of an update, or of a result.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClientHooks {
  /** `start`, `execute`, and the start of `signalWithStart` and `updateWithStart`. */
  readonly start?: Hook<StartCall, Started, StartError, unknown>
  /** `signal`, and the signal of `signalWithStart`, inside of its start. */
  readonly signal?: Hook<SignalCall, void, Unreached | ContractError, unknown>
  readonly query?: Hook<
    QueryCall,
    unknown,
    QueryFailed | QueryRejected | WorkflowNotFound | CallTimeout | ContractError | StoreUnavailable,
    unknown
  >
  /** `update`, `startUpdate`, and the update of `updateWithStart`: until it is accepted or refused. */
  readonly update?: Hook<UpdateCall, UpdateHandle<unknown, unknown>, unknown, unknown>
  readonly cancel?: Hook<CancelCall, void, WorkflowNotFound | StoreUnavailable, unknown>
  readonly terminate?: Hook<TerminateCall, void, Unreached | ContractError, unknown>
  /** The wait for the result, `execute`'s too. */
  readonly result?: Hook<Execution, unknown, unknown, unknown>
}

type Unreached = WorkflowNotFound | WorkflowClosed | StoreUnavailable

// -----------------------------------------------------------------------------
// workflow, inbound
// -----------------------------------------------------------------------------

/** The run of a body. @category models @since 0.1.0 */
export interface ExecuteCall {
  readonly workflow: string
  readonly workflowId: string
  readonly runId: string
  readonly payload: unknown
  readonly headers: Headers
}

/** @category models @since 0.1.0 */
export interface SignalReceipt {
  readonly signal: string
  readonly payload: unknown
  readonly headers: Headers
}

/** @category models @since 0.1.0 */
export interface QueryReceipt {
  readonly query: string
  readonly payload: unknown
  readonly headers: Headers
}

/** @category models @since 0.1.0 */
export interface UpdateReceipt {
  readonly update: string
  readonly updateId: string
  readonly payload: unknown
  readonly headers: Headers
}

// -----------------------------------------------------------------------------
// workflow, outbound
// -----------------------------------------------------------------------------

/** @category models @since 0.1.0 */
export interface ActivityCall {
  readonly activity: string
  readonly payload: unknown
  readonly options: CallOptions & { readonly taskQueue?: string | undefined }
  /** For each of its attempts, in `Activity.info`. */
  readonly headers: Headers
}

/** @category models @since 0.1.0 */
export interface ChildCall {
  readonly workflow: string
  readonly payload: unknown
  readonly options: ChildOptions
  readonly headers: Headers
}

/** @category models @since 0.1.0 */
export interface SignalExternalCall extends Execution {
  readonly signal: string
  readonly payload: unknown
  readonly headers: Headers
}

/** @category models @since 0.1.0 */
export interface CancelExternalCall extends Execution {
  readonly reason: string
}

/** @category models @since 0.1.0 */
export interface ContinueAsNewCall {
  readonly workflow: string
  readonly payload: unknown
  readonly options: ContinueOptions
  /** Those of the run that ends. */
  readonly headers: Headers
}

/** An inline step. @category models @since 0.1.0 */
export interface StepCall {
  readonly step: string
}

type InBody<Call, A, E> = Hook<Call, A, E, WorkflowContext>

/**
 * The calls into a workflow's body and out of it. They are part of the body: they run again on replay, the guard watches
 * them, and what they add to its commands is in its history.
 *
 * @category models
 * @since 0.1.0
 */
export interface WorkflowHooks {
  /** The body, from the first turn to the end of its program; not its handlers. */
  readonly execute?: InBody<ExecuteCall, unknown, unknown>
  readonly signal?: InBody<SignalReceipt, unknown, unknown>
  /** Only reads (I11). */
  readonly query?: InBody<QueryReceipt, unknown, unknown>
  /** Fails the update with what it fails with. */
  readonly update?: InBody<UpdateReceipt, unknown, unknown>
  /** Refuses the update by failing, also where it has no validator. Only reads (I11); may be asked more than once. */
  readonly validate?: InBody<UpdateReceipt, unknown, unknown>
  /** `execute` of an activity, until its outcome. */
  readonly executeActivity?: InBody<ActivityCall, unknown, unknown>
  /** `start` of an activity, until it has its handle. */
  readonly startActivity?: InBody<ActivityCall, ActivityHandle<unknown, unknown>, never>
  /** `execute` of a child, until its outcome. */
  readonly executeChild?: InBody<ChildCall, unknown, unknown>
  /** `start` of a child, until it has its handle. */
  readonly startChild?: InBody<ChildCall, ChildHandle<unknown, unknown, {}>, WorkflowAlreadyStarted>
  /** A signal to a child or to any other execution. */
  readonly signalExternal?: InBody<SignalExternalCall, void, WorkflowNotFound | WorkflowClosed>
  /** A cancel request to an execution that is no child. */
  readonly cancelExternal?: InBody<CancelExternalCall, void, WorkflowNotFound | WorkflowClosed>
  readonly continueAsNew?: InBody<ContinueAsNewCall, never, never>
  readonly runStep?: InBody<StepCall, unknown, unknown>
}

// -----------------------------------------------------------------------------
// activity
// -----------------------------------------------------------------------------

/** One attempt. @category models @since 0.1.0 */
export interface AttemptCall {
  readonly info: ActivityInfo
  readonly payload: unknown
  readonly headers: Headers
}

/** @category models @since 0.1.0 */
export interface HeartbeatCall {
  readonly info: ActivityInfo
  readonly details: unknown
}

/** The calls into an activity's body and out of it. @category models @since 0.1.0 */
export interface ActivityHooks {
  /** One attempt: what it fails with is the attempt's failure, retried by the policy. */
  readonly execute?: Hook<AttemptCall, unknown, unknown, unknown>
  readonly heartbeat?: Hook<HeartbeatCall, void, ContractError, unknown>
}
