/**
 * Workflows: a contract of schemas, and a body given apart, as a Layer.
 *
 * The body is an Effect program that is run again from its history after any crash. What it may require is fixed by its
 * type: durable steps, and nothing that would reach the world unrecorded.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { checkName } from "./Activity.js"
import type { AnySchema, Codec, PayloadInput, PayloadType, TypeOf } from "./Contract.js"
import * as Contract from "./Contract.js"
import { implementation } from "./ErasedHandlers.js"
import type {
  BodyError,
  BodyServices,
  ErrorsOf,
  HandlersOf,
  Implementation,
  OnlyDeclared,
  QueryContract,
  QueryTypes,
  ServicesOf,
  SignalContract,
  SignalTypes,
  UpdateContract,
  UpdateTypes
} from "./Handlers.js"
import type { ActivatesPatch } from "./Patch.js"
import type * as Step from "./Step.js"
import type { WorkflowContext } from "./WorkflowContext.js"

export { allHandlersFinished, catchCancel, condition, info, now, random, uuid, withCompensation } from "./Body.js"
export type * from "./Handlers.js"
export { deprecatePatch, patched } from "./Patch.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/** What the Layer of a body asks for: its activities, and the services of its inline steps. @since 0.1.0 */
export type Requirements<R> = R extends Step.Needs<infer S> ? S : Exclude<R, WorkflowContext | Scope.Scope>

/** Says in types that a worker hosts the workflow of this name. @since 0.1.0 */
export interface HostedWorkflow<Name extends string> {
  readonly _: unique symbol
  readonly workflow: Name
}

type ToLayer<Name extends string, Payload, Success, Error, Messages> = [Messages] extends [never] ? {
    /** Gives the workflow its body. */
    <E extends Error | BodyError, R extends BodyServices>(
      body: (payload: Payload) => Effect.Effect<Success, E, R>
    ): Layer.Layer<HostedWorkflow<Name>, never, Requirements<R>>
  }
  : {
    /** Gives the workflow its body, which sets up state and ends with `of`: handlers, and the program to run. */
    <E extends Error | BodyError, R extends BodyServices, E2 extends Error | BodyError, R2 extends BodyServices>(
      body: (payload: Payload) => Effect.Effect<Implementation<Name, Success, E2, R2>, E, R>
    ): Layer.Layer<HostedWorkflow<Name>, never, Requirements<R> | Requirements<R2>>
  }

/**
 * A workflow's contract.
 *
 * @category models
 * @since 0.1.0
 */
export interface Workflow<
  Name extends string,
  in out Payload,
  in out Success,
  in out Error,
  Signals,
  Queries,
  Updates
> {
  readonly name: Name
  readonly toLayer: ToLayer<Name, Payload, Success, Error, keyof Signals | keyof Queries | keyof Updates>
  /** Puts handlers and program together; every declared handler must be there, and no other. */
  readonly of: <const I extends HandlersOf<Success, Signals, Queries, Updates>>(
    implementation: I & OnlyDeclared<I, { signals: Signals; queries: Queries; updates: Updates }>
  ) => Implementation<Name, Success, ErrorsOf<I>, ServicesOf<I>>
  /** The codecs, for the client and the runtime. */
  readonly codecs: Codecs
  readonly options: WorkflowOptions<Payload>
  readonly types?: {
    readonly payload: Payload
    readonly success: Success
    readonly error: Error
    readonly signals: Signals
    readonly queries: Queries
    readonly updates: Updates
  }
}

/** @category models @since 0.1.0 */
export interface WorkflowOptions<in Payload> {
  /** Derives the workflow id from the payload where a start names none. */
  readonly idempotencyKey?: ((payload: Payload) => string) | undefined
  /** A defect in the body, or each of which this holds, fails the run, and not the turn (row W16). Default false. */
  readonly failOnDefect?: boolean | ((defect: unknown) => boolean) | undefined
  /** A call whose input differs from the recorded one is nondeterminism in live runs too. Default false. */
  readonly strictReplay?: boolean | undefined
}

/** Compiled once per definition. @since 0.1.0 */
export interface Codecs {
  readonly payload: Codec
  readonly success: Codec
  readonly error: Codec
  readonly signals: ReadonlyMap<string, { readonly payload: Codec }>
  readonly queries: ReadonlyMap<string, { readonly payload: Codec; readonly success: Codec }>
  readonly updates: ReadonlyMap<string, { readonly payload: Codec; readonly success: Codec; readonly error: Codec }>
}

/**
 * Any workflow's contract.
 *
 * @category models
 * @since 0.1.0
 */
export interface Any {
  readonly name: string
  readonly codecs: Codecs
  readonly types?: unknown
}

/** The types of a workflow by part. @since 0.1.0 */
export type Types<W> = W extends { readonly types?: infer T } ? NonNullable<T> : never
/** @since 0.1.0 */
export type PayloadOf<W> = Types<W> extends { readonly payload: infer P } ? P : never
/** @since 0.1.0 */
export type SuccessOf<W> = Types<W> extends { readonly success: infer S } ? S : never
/** @since 0.1.0 */
export type ErrorOf<W> = Types<W> extends { readonly error: infer E } ? E : never
/** @since 0.1.0 */
export type SignalsOf<W> = Types<W> extends { readonly signals: infer S } ? S : never
/** @since 0.1.0 */
export type QueriesOf<W> = Types<W> extends { readonly queries: infer Q } ? Q : never
/** @since 0.1.0 */
export type UpdatesOf<W> = Types<W> extends { readonly updates: infer U } ? U : never

/**
 * What a worker holds of a workflow: its contract, its body, and the services that its inline steps use.
 *
 * @category models
 * @since 0.1.0
 */
export class WorkflowHost {
  constructor(
    readonly definition: Any & { readonly options: WorkflowOptions<never> },
    readonly body: (payload: unknown) => Effect.Effect<unknown, unknown, unknown>,
    readonly services: Context.Context<never>,
    readonly activatesPatch?: ActivatesPatch
  ) {}
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/** The tag under which a Layer provides a workflow's body. @since 0.1.0 */
export const hostTag = <Name extends string>(name: Name): Context.Tag<HostedWorkflow<Name>, WorkflowHost> =>
  Context.GenericTag<HostedWorkflow<Name>, WorkflowHost>(`perdure/Workflow/${name}`)

/**
 * Defines a workflow. Clients and workers share the definition; only workers need the body.
 *
 * Throws `ContractError` on a name that is empty, reserved or too long (row D9).
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <
  const Name extends string,
  P extends PayloadInput | undefined = undefined,
  S extends AnySchema | undefined = undefined,
  E extends AnySchema | undefined = undefined,
  const Signals extends Record<string, SignalContract> = {},
  const Queries extends Record<string, QueryContract> = {},
  const Updates extends Record<string, UpdateContract> = {}
>(
  name: Name,
  options: WorkflowOptions<PayloadType<P>> & {
    readonly payload?: P
    readonly success?: S
    readonly error?: E
    readonly signals?: Signals
    readonly queries?: Queries
    readonly updates?: Updates
  } = {}
): Workflow<
  Name,
  PayloadType<P>,
  TypeOf<S, void>,
  TypeOf<E, never>,
  SignalTypes<Signals>,
  QueryTypes<Queries>,
  UpdateTypes<Updates>
> => {
  checkName("workflow", name)
  const codecs = compile(name, options)
  const tag = hostTag(name)
  const definition = {
    name,
    codecs,
    options: {
      idempotencyKey: options.idempotencyKey,
      failOnDefect: options.failOnDefect,
      strictReplay: options.strictReplay
    },
    of: implementation,
    toLayer: (body: WorkflowHost["body"]) =>
      Layer.effect(
        tag,
        Effect.map(Effect.context<never>(), (services) => new WorkflowHost(definition as never, body, services))
      )
  }
  return definition as never
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const compile = (name: string, options: {
  readonly payload?: PayloadInput | undefined
  readonly success?: AnySchema | undefined
  readonly error?: AnySchema | undefined
  readonly signals?: Record<string, SignalContract>
  readonly queries?: Record<string, QueryContract>
  readonly updates?: Record<string, UpdateContract>
}): Codecs => {
  const each = <C, Out>(
    kind: string,
    contracts: Record<string, C> | undefined,
    make: (contract: C, of: string) => Out
  ) =>
    new Map(
      Object.entries(contracts ?? {}).map(([key, contract]) => {
        checkName(`${kind} of workflow ${name}`, key)
        return [key, make(contract, `${kind} ${name}.${key}`)] as const
      })
    )
  return {
    payload: Contract.codec(Contract.payloadSchema(options.payload), `payload of workflow ${name}`),
    success: Contract.codec(options.success ?? Schema.Void, `result of workflow ${name}`),
    error: Contract.codec(options.error ?? Contract.neverSchema, `error of workflow ${name}`),
    signals: each("signal", options.signals, (contract, of) => ({
      payload: Contract.codec(Contract.payloadSchema(contract.payload), `payload of ${of}`)
    })),
    queries: each("query", options.queries, (contract, of) => ({
      payload: Contract.codec(Contract.payloadSchema(contract.payload), `payload of ${of}`),
      success: Contract.codec(contract.success ?? Schema.Void, `result of ${of}`)
    })),
    updates: each("update", options.updates, (contract, of) => ({
      payload: Contract.codec(Contract.payloadSchema(contract.payload), `payload of ${of}`),
      success: Contract.codec(contract.success ?? Schema.Void, `result of ${of}`),
      error: Contract.codec(contract.error ?? Contract.neverSchema, `error of ${of}`)
    }))
  }
}
