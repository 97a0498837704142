/**
 * The messages of a workflow: what a contract says of signals, queries and updates, and what their handlers may be.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ActivityError } from "./ActivityError.js"
import type { ApplicationError } from "./ApplicationError.js"
import type { ChildWorkflowError } from "./ChildWorkflowError.js"
import type { AnySchema, PayloadInput, PayloadType, TypeOf } from "./Contract.js"
import type { ImplementationTypeId, later } from "./ErasedHandlers.js"
import type { Hosted } from "./HostedActivity.js"
import type * as Step from "./Step.js"
import type { WorkflowContext } from "./WorkflowContext.js"
import type { WorkflowAlreadyStarted, WorkflowClosed, WorkflowNotFound } from "./WorkflowFailure.js"

// -----------------------------------------------------------------------------
// models: contracts
// -----------------------------------------------------------------------------

/**
 * What becomes of a handler that has not ended when its run does (row S8): a warning that names it, or nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type Unfinished = "Warn" | "Abandon"

/** @category models @since 0.1.0 */
export interface SignalContract {
  readonly payload?: PayloadInput
  /** For people, in the answer to the query `__metadata` (row Q4). */
  readonly description?: string
  /** Default "Warn". */
  readonly unfinished?: Unfinished
}

/** @category models @since 0.1.0 */
export interface QueryContract {
  readonly payload?: PayloadInput
  readonly success?: AnySchema
  /** For people, in the answer to the query `__metadata` (row Q4). */
  readonly description?: string
}

/** @category models @since 0.1.0 */
export interface UpdateContract {
  readonly payload?: PayloadInput
  readonly success?: AnySchema
  readonly error?: AnySchema
  /** For people, in the answer to the query `__metadata` (row Q4). */
  readonly description?: string
  /** Default "Warn". Its caller is told either way. */
  readonly unfinished?: Unfinished
}

/**
 * Kinds of messages of which the workflow takes in any name, with what was sent as it is (row S6).
 *
 * @category models
 * @since 0.1.0
 */
export interface DynamicContract {
  readonly signals?: true
  readonly queries?: true
  readonly updates?: true
}

/** @since 0.1.0 */
export type Kind = keyof DynamicContract

/** Payload types by signal name. @since 0.1.0 */
export type SignalTypes<S> = {
  readonly [K in keyof S]: S[K] extends { readonly payload: infer P } ? PayloadType<P> : void
}

/** Payload and success types by query name. @since 0.1.0 */
export type QueryTypes<Q> = {
  readonly [K in keyof Q]: {
    readonly payload: Q[K] extends { readonly payload: infer P } ? PayloadType<P> : void
    readonly success: Q[K] extends { readonly success: infer S } ? TypeOf<S, void> : void
  }
}

/** Payload, success and error types by update name. @since 0.1.0 */
export type UpdateTypes<U> = {
  readonly [K in keyof U]: {
    readonly payload: U[K] extends { readonly payload: infer P } ? PayloadType<P> : void
    readonly success: U[K] extends { readonly success: infer S } ? TypeOf<S, void> : void
    readonly error: U[K] extends { readonly error: infer E } ? TypeOf<E, never> : never
  }
}

// -----------------------------------------------------------------------------
// models: bodies
// -----------------------------------------------------------------------------

/**
 * Errors that fail a run besides those it declares (row W15). Anything thrown fails the turn instead (I7).
 *
 * @category models
 * @since 0.1.0
 */
export type BodyError =
  | ApplicationError
  | ActivityError
  | ChildWorkflowError
  | WorkflowAlreadyStarted
  | WorkflowNotFound
  | WorkflowClosed
  | Cause.TimeoutException

/**
 * What a body may require: durable steps, activities that are hosted, services that its inline steps use, a Scope.
 * Any other service would do I/O in the body, and does not compile.
 *
 * @category models
 * @since 0.1.0
 */
// A union over all names: `Hosted<string>` would not accept `Hosted<"ChargeCard">` were it invariant; it is covariant.
export type BodyServices = WorkflowContext | Hosted<string> | Step.Needs<unknown> | Scope.Scope

/**
 * A body with its handlers, made by `of`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Implementation<in out Name extends string, out Success, out E, out R> {
  readonly [ImplementationTypeId]: {
    readonly name: Name
    readonly success: Success
    readonly error: E
    readonly services: R
  }
}

type AnyEffect = Effect.Effect<unknown, unknown, unknown>

/**
 * Stands in `of` for a handler that is set later, by `setHandlers` (row W18).
 *
 * @category models
 * @since 0.1.0
 */
export type Later = typeof later

type UpdateOf<Call, Validate> = Call | {
  /** Refuses the update before anything is recorded; reads only (row U2). */
  readonly validate?: Validate
  readonly handle: Call
}

/** Handlers of names that the contract does not declare: used where no handler has the name (row S6). @since 0.1.0 */
export interface DynamicHandlers {
  readonly signals: ((name: string, payload: unknown) => AnyEffect) | Later
  /** The result must be JSON. */
  readonly queries: ((name: string, payload: unknown) => Effect.Effect<unknown, ApplicationError>) | Later
  /** The result must be JSON. */
  readonly updates:
    | UpdateOf<
      (name: string, payload: unknown) => Effect.Effect<unknown, BodyError, BodyServices>,
      (name: string, payload: unknown) => Effect.Effect<unknown, ApplicationError>
    >
    | Later
}

/** What each kind of handler may be, by the contract. @since 0.1.0 */
export interface Handlers<Success, Signals, Queries, Updates> {
  readonly signals: { readonly [K in keyof Signals]: ((payload: Signals[K]) => AnyEffect) | Later }
  readonly queries: {
    readonly [K in keyof Queries]: Queries[K] extends { readonly payload: infer P; readonly success: infer S }
      ? ((payload: P) => Effect.Effect<S, ApplicationError>) | Later
      : never
  }
  readonly updates: {
    readonly [K in keyof Updates]: Updates[K] extends
      { readonly payload: infer P; readonly success: infer S; readonly error: infer E } ?
        | UpdateOf<
          (payload: P) => Effect.Effect<S, E | BodyError, BodyServices>,
          (payload: P) => Effect.Effect<unknown, E | ApplicationError>
        >
        | Later
      : never
  }
  readonly run: Effect.Effect<Success, unknown, unknown>
}

/** Kinds of which the contract declares none may be left out. @since 0.1.0 */
export type HandlersOf<Success, Signals, Queries, Updates, Dynamic extends Kind = never> =
  & Pick<Handlers<Success, Signals, Queries, Updates>, "run">
  & ([keyof Signals] extends [never] ? unknown : Pick<Handlers<Success, Signals, Queries, Updates>, "signals">)
  & ([keyof Queries] extends [never] ? unknown : Pick<Handlers<Success, Signals, Queries, Updates>, "queries">)
  & ([keyof Updates] extends [never] ? unknown : Pick<Handlers<Success, Signals, Queries, Updates>, "updates">)
  & ([Dynamic] extends [never] ? unknown : { readonly dynamic: Pick<DynamicHandlers, Dynamic> })

/** Some handlers of a contract, to be set while a run goes on; undefined takes one away (row W18). @since 0.1.0 */
export interface SomeHandlers<Error, Signals, Queries, Updates, Dynamic extends Kind> {
  readonly signals?: {
    readonly [K in keyof Signals]?:
      | ((payload: Signals[K]) => Effect.Effect<unknown, Error | BodyError, BodyServices>)
      | undefined
  }
  readonly queries?: {
    readonly [K in keyof Queries]?: Exclude<Handlers<never, {}, Queries, {}>["queries"][K], Later> | undefined
  }
  readonly updates?: {
    readonly [K in keyof Updates]?: Exclude<Handlers<never, {}, {}, Updates>["updates"][K], Later> | undefined
  }
  readonly dynamic?: {
    readonly [K in Dynamic]?:
      | (K extends "signals"
        ? (name: string, payload: unknown) => Effect.Effect<unknown, Error | BodyError, BodyServices>
        : Exclude<DynamicHandlers[K], Later>)
      | undefined
  }
}

/** Forbids handlers that the contract does not declare: one with a slip in its name would never be called. */
export type OnlyDeclared<I, Contract> = {
  readonly [Kind in keyof I]: Kind extends "run" ? unknown
    : Kind extends keyof Contract ? { readonly [Name in Exclude<keyof I[Kind], keyof Contract[Kind]>]: never }
    : never
}

type EffectOf<F> = F extends (...args: never) => infer Eff ? Eff
  : F extends { readonly handle: (...args: never) => infer Eff } ? Eff
  : never
type Each<I, Kind extends string> = I extends { readonly [K in Kind]: infer H } ? EffectOf<H[keyof H]> : never
type Dynamically<I, Kind extends string> = I extends { readonly dynamic: { readonly [K in Kind]: infer H } }
  ? EffectOf<H>
  : never
type ErrorIn<Eff> = Eff extends Effect.Effect<unknown, infer E, unknown> ? E : never
type ServicesIn<Eff> = Eff extends Effect.Effect<unknown, unknown, infer R> ? R : never
type RunOf<I> = I extends { readonly run: infer Eff } ? Eff : never

/** The errors of the run and of signal handlers, which fail the run alike (row S5). @since 0.1.0 */
export type ErrorsOf<I> = ErrorIn<RunOf<I>> | ErrorIn<Each<I, "signals">> | ErrorIn<Dynamically<I, "signals">>

/** The requirements of the run and of all handlers. @since 0.1.0 */
export type ServicesOf<I> =
  | ServicesIn<RunOf<I>>
  | ServicesIn<Each<I, "signals">>
  | ServicesIn<Each<I, "updates">>
  | ServicesIn<Dynamically<I, "signals">>
  | ServicesIn<Dynamically<I, "updates">>
