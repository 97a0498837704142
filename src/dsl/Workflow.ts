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
import type { Behavior, VersionAssigned } from "../core/family/Version.js"
import * as RetryPolicy from "../core/RetryPolicy.js"
import { checkName } from "./Activity.js"
import * as Child from "./Child.js"
import type { Any, Codecs, SignalsOf } from "./Codecs.js"
import { compile } from "./Codecs.js"
import type { AnySchema, PayloadInput, PayloadType, TypeOf } from "./Contract.js"
import type { Given } from "./ErasedHandlers.js"
import { changes, implementation } from "./ErasedHandlers.js"
import type { ExternalHandle } from "./External.js"
import * as External from "./External.js"
import type {
  BodyError,
  BodyServices,
  DynamicContract,
  ErrorsOf,
  HandlersOf,
  Implementation,
  Kind,
  OnlyDeclared,
  QueryContract,
  QueryTypes,
  ServicesOf,
  SignalContract,
  SignalTypes,
  SomeHandlers,
  UpdateContract,
  UpdateTypes
} from "./Handlers.js"
import type { Hooks } from "./Hooks.js"
import { Interceptors } from "./Hooks.js"
import { dynamicName } from "./HostedActivity.js"
import type { AttributeContract, AttributeTypes, MemoContract, MemoTypes, NoteCodecs } from "./Notes.js"
import { compile as compileNotes } from "./Notes.js"
import type { ActivatesPatch } from "./Patch.js"
import * as RunOptions from "./RunOptions.js"
import type * as Step from "./Step.js"
import type * as Terms from "./Terms.js"
import type { WorkerVersion } from "./WorkerVersion.js"
import { assignedBy } from "./WorkerVersion.js"
import type { WorkflowInfo } from "./WorkflowContext.js"
import { WorkflowContext } from "./WorkflowContext.js"

export type { ChildCancellationType } from "../core/family/Child.js"
export type { ParentClosePolicy } from "../core/family/Execution.js"
export {
  allHandlersFinished,
  catchCancel,
  condition,
  currentUpdate,
  info,
  now,
  random,
  unguarded,
  uuid,
  withCompensation
} from "./Body.js"
export { isCanceled } from "./Cancellation.js"
export { continueAsNew, lastFailure, lastResult } from "./Chain.js"
export type { ContinueOptions, ContinueOptionsOf } from "./Chain.js"
export type { ChildHandle, ChildOptions } from "./Child.js"
export type * from "./Codecs.js"
export { later } from "./ErasedHandlers.js"
export type { ExternalHandle } from "./External.js"
export type * from "./Handlers.js"
export type { AttributesOf, AttributeTypes, Change, MemoOf, MemoTypes, NoteCodecs, Some } from "./Notes.js"
export { memo, searchAttributes, setCurrentDetails, upsertMemo, upsertSearchAttributes } from "./Notes.js"
export { deprecatePatch, patched } from "./Patch.js"
export type { DynamicOptions, SharedOptions } from "./RunOptions.js"
export { sleep, withSummary } from "./Summary.js"
export { type Untyped, untyped } from "./Untyped.js"

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
  Updates,
  Dynamic extends Kind = never,
  Memo = {},
  Attributes = {}
> {
  readonly name: Name
  readonly toLayer: ToLayer<Name, Payload, Success, Error, keyof Signals | keyof Queries | keyof Updates | Dynamic>
  /**
   * Puts handlers and program together; every declared handler must be there (or `Workflow.later`), and no other.
   *
   * A message goes to the handler of its name; where there is none, to the dynamic one of its kind, if the contract has
   * it (row S6). A signal without either waits until there is one (row S2).
   */
  readonly of: <const I extends HandlersOf<Success, Signals, Queries, Updates, Dynamic>>(
    implementation:
      & I
      & OnlyDeclared<I, { signals: Signals; queries: Queries; updates: Updates; dynamic: Record<Dynamic, unknown> }>
  ) => Implementation<Name, Success, ErrorsOf<I>, ServicesOf<I>>
  /**
   * Sets handlers while the run goes on, or takes them away, where given as undefined; the others stay (row W18).
   *
   * Signals that wait for a handler that is set are handled at once, in the order of their arrival, before this
   * returns; a dynamic one takes all that wait. Leaves no event: on replay the body does the same again. Dies in a
   * query, in a validator, and in the body of another workflow.
   */
  readonly setHandlers: <const I extends SomeHandlers<Error, Signals, Queries, Updates, Dynamic>>(
    handlers:
      & I
      & OnlyDeclared<I, { signals: Signals; queries: Queries; updates: Updates; dynamic: Record<Dynamic, unknown> }>
  ) => Effect.Effect<void, never, WorkflowContext | ServicesOf<I>>
  /** The codecs, for the client and the runtime. */
  readonly codecs: Codecs
  /** Memo and search attributes, if it declares any. */
  readonly notes: NoteCodecs | undefined
  readonly options: WorkflowOptions<Payload>
  /** Starts it as a child, from the body of another workflow, and waits for its outcome: see `Child.Calls`. */
  readonly execute: Child.Calls<Payload, Success, Error, Signals, Memo, Attributes>["execute"]
  /** Starts it as a child, from the body of another workflow, and gives its handle: see `Child.Calls`. */
  readonly start: Child.Calls<Payload, Success, Error, Signals, Memo, Attributes>["start"]
  readonly types?: {
    readonly payload: Payload
    readonly success: Success
    readonly error: Error
    readonly signals: Signals
    readonly queries: Queries
    readonly updates: Updates
    readonly dynamic: Dynamic
    readonly memo: Memo
    readonly attributes: Attributes
  }
}

/** @category models @since 0.1.0 */
export interface WorkflowOptions<in Payload> extends Terms.Options, RunOptions.SharedOptions {
  /** Derives the workflow id from the payload where a start names none. */
  readonly idempotencyKey?: ((payload: Payload) => string) | undefined
  /** A call whose input differs from the recorded one is nondeterminism in live runs too. Default false. */
  readonly strictReplay?: boolean | undefined
  /**
   * What becomes of its runs when another version of the workers is made current (row V6): "Pinned", they stay with the
   * build that they began on; "AutoUpgrade", they move at their next turn. Default: what the worker says; workers without
   * a version do not ask.
   */
  readonly versioningBehavior?: Behavior | undefined
}

/** What a worker says of all runs that it has. @since 0.1.0 */
export interface WorkerOptions {
  readonly activatesPatch?: ActivatesPatch | undefined
  readonly version?: WorkerVersion | undefined
  readonly runs?: RunOptions.SharedOptions | undefined
}

/** See `dynamic`. @since 0.1.0 */
export type OptionsOf = (
  info: WorkflowInfo
) => RunOptions.DynamicOptions | Effect.Effect<RunOptions.DynamicOptions, unknown, WorkflowContext>

/**
 * What a worker holds of a workflow: its contract, its body, and the services that its inline steps use.
 *
 * @category models
 * @since 0.1.0
 */
export class WorkflowHost {
  /** What its definition and its worker say together. */
  readonly options: RunOptions.RunOptions
  /** Those of the interceptors that its Layer was built with. */
  readonly hooks: Hooks["workflow"]
  /** What a turn here records, where the one before it was taken elsewhere. */
  readonly assigned: VersionAssigned

  constructor(
    readonly definition: Any & {
      readonly options: WorkflowOptions<never>
      /** Serves all names that have no host of their own (row D4). */
      readonly dynamic?: boolean
    },
    readonly body: (payload: unknown) => Effect.Effect<unknown, unknown, unknown>,
    readonly services: Context.Context<never>,
    /** What its worker says. */
    readonly worker: WorkerOptions = {},
    /** What a dynamic workflow says of a run, by what the run is. */
    readonly optionsOf?: OptionsOf
  ) {
    this.options = RunOptions.both(definition.options, worker.runs)
    this.hooks = Context.get(services, Interceptors).workflow
    this.assigned = assignedBy(worker.version, definition.options.versioningBehavior)
  }
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
 * Throws `ContractError` on a name that is empty, reserved or too long (row D9), and `RetryPolicyError` on a retry policy
 * that means nothing (row R2).
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
  const Updates extends Record<string, UpdateContract> = {},
  const Dynamic extends DynamicContract = {},
  const Memo extends MemoContract = {},
  const Attributes extends AttributeContract = {}
>(
  name: Name,
  options: WorkflowOptions<PayloadType<P>> & {
    readonly payload?: P
    readonly success?: S
    readonly error?: E
    readonly signals?: Signals
    readonly queries?: Queries
    readonly updates?: Updates
    /** Kinds of messages whose undeclared names are taken in as well (rows S6, Q4). */
    readonly dynamic?: Dynamic
    /** What a run may say of itself to those who look at it, by name (row W12). */
    readonly memo?: Memo
    /** What runs are listed by, by name (row W13). */
    readonly searchAttributes?: Attributes
  } = {}
): Workflow<
  Name,
  PayloadType<P>,
  TypeOf<S, void>,
  TypeOf<E, never>,
  SignalTypes<Signals>,
  QueryTypes<Queries>,
  UpdateTypes<Updates>,
  keyof Dynamic & Kind,
  MemoTypes<Memo>,
  AttributeTypes<Attributes>
> => {
  checkName("workflow", name)
  // One that means nothing is refused here, and not at some start.
  if (options.retry !== undefined) RetryPolicy.make(options.retry)
  const codecs = compile(name, options)
  const notes = compileNotes(name, options.memo, options.searchAttributes)
  const tag = hostTag(name)
  const definition = {
    name,
    codecs,
    notes,
    options: {
      idempotencyKey: options.idempotencyKey,
      failOnDefect: options.failOnDefect,
      failOnNondeterminism: options.failOnNondeterminism,
      guard: options.guard,
      strictReplay: options.strictReplay,
      versioningBehavior: options.versioningBehavior,
      retry: options.retry,
      executionTimeout: options.executionTimeout,
      runTimeout: options.runTimeout
    },
    of: implementation,
    ...Child.callsOf({ name, codecs, notes, options }),
    setHandlers: (given: Given) =>
      Effect.flatMap(WorkflowContext, (context) => context.setHandlers(changes(name, given))),
    toLayer: (body: WorkflowHost["body"]) =>
      Layer.effect(
        tag,
        Effect.map(Effect.context<never>(), (services) => new WorkflowHost(definition as never, body, services))
      )
  }
  return definition as never
}

/**
 * The handle of another execution, or of the run itself, for its signals and its cancellation (rows K8, K9). The open
 * run of the workflow id, or the run that is named. Not checked until it is used.
 *
 * A run that wants to update or query another, or itself, does so in an activity, with a client.
 *
 * @category constructors
 * @since 0.1.0
 */
export const external = <W extends Any>(
  workflow: W,
  workflowId: string,
  runId?: string
): ExternalHandle<SignalsOf<W>> => External.make(workflow, workflowId, runId) as never

const anyName = make(dynamicName, {
  payload: Schema.Unknown,
  success: Schema.Unknown,
  dynamic: { signals: true, queries: true, updates: true }
})

/**
 * Gives a body to every workflow whose name no other host of the worker has; at most one a worker (row D4).
 *
 * Its payload is the value as it was sent, encoded; its name is in `Workflow.info`. What it gives must be JSON. With
 * `dynamic.of` it takes in signals, queries and updates of any name. It is no contract: nobody starts it by reference.
 *
 * `options` tells how a run is taken, by what the run is: its real name, its ids. Asked at the start of the run, and again
 * on replay, read-only, before the body begins; what it throws or fails with fails the turn.
 *
 * A name that gets a host of its own later is served by that from then on, which must do the same on replay.
 *
 * @category layers
 * @since 0.1.0
 */
export const dynamic: DynamicWorkflow = Object.assign(
  (body: WorkflowHost["body"], { options, versioningBehavior }: DynamicGiven = {}) =>
    Layer.effect(
      // A tag of its own each time: of two, both reach the worker, which refuses them.
      hostTag(`${dynamicName}/${dynamics++}`),
      Effect.map(
        Effect.context<never>(),
        (services) => {
          const definition = { ...anyName, options: { ...anyName.options, versioningBehavior }, dynamic: true }
          return new WorkflowHost(definition, body, services, {}, options)
        }
      )
    ),
  { of: anyName.of, setHandlers: anyName.setHandlers }
) as never

/** What is given with the body of a dynamic workflow. @category models @since 0.1.0 */
export interface DynamicGiven extends Pick<WorkflowOptions<never>, "versioningBehavior"> {
  readonly options?: OptionsOf | undefined
}

/** See `dynamic`. @category models @since 0.1.0 */
export interface DynamicWorkflow extends Pick<typeof anyName, "of" | "setHandlers"> {
  <E extends BodyError, R extends BodyServices, E2 extends BodyError, R2 extends BodyServices>(
    body: (payload: unknown) => Effect.Effect<Implementation<typeof dynamicName, unknown, E2, R2>, E, R>,
    options?: DynamicGiven
  ): Layer.Layer<HostedWorkflow<string>, never, Requirements<R> | Requirements<R2>>
  <E extends BodyError, R extends BodyServices>(
    body: (payload: unknown) => Effect.Effect<unknown, E, R>,
    options?: DynamicGiven
  ): Layer.Layer<HostedWorkflow<string>, never, Requirements<R>>
}

let dynamics = 0
