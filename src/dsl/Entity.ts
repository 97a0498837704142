/**
 * Entities: long-lived things (a cart, an account, a device) that are addressed by a key, hold a typed state, and take
 * commands one after the other. An event-sourced actor, built on a workflow and nothing else.
 *
 * ```
 *   first message ──▶ run 1: initial state ── commands ── history grows ──▶ rollover
 *                                                                             │ snapshot
 *                     run 2: state from the snapshot ◀────────────────────────┘ ... and so on, until it ends
 * ```
 *
 * 1. Within a run the state is what the handlers made of it: replay brings it back. Between runs it is a snapshot.
 * 2. A rollover happens in a turn that leaves no handler in progress: no command meets two runs.
 * 3. Snapshots carry the version of their schema; older ones are migrated when they are read, for ever.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Body from "./Body.js"
import * as Chain from "./Chain.js"
import type { Handle } from "./Client.js"
import { Client } from "./Client.js"
import type { AnySchema, Codec, TypeOf } from "./Contract.js"
import * as Contract from "./Contract.js"
import type {
  BodyError,
  BodyServices,
  ErrorsOf,
  HandlersOf,
  OnlyDeclared,
  QueryContract,
  QueryTypes,
  ServicesOf,
  SignalContract,
  SignalTypes,
  UpdateContract,
  UpdateTypes
} from "./Handlers.js"
import * as State from "./State.js"
import * as Workflow from "./Workflow.js"
import type { WorkflowContext } from "./WorkflowContext.js"
import { WorkflowClosed, WorkflowNotFound } from "./WorkflowFailure.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/** What an entity's run begins with. @since 0.1.0 */
export interface Start {
  readonly key: string
  /** The state of the run before, encoded, and the version of its schema; none in the first. */
  readonly snapshot?: { readonly version: number; readonly state: unknown }
}

/** What the body of an entity has in hand. @since 0.1.0 */
export interface Self<S> {
  readonly key: string
  readonly state: State.State<S>
}

/** Handlers of an entity, made by `of`. @since 0.1.0 */
export interface EntityImplementation<in out Name extends string, out E, out R> {
  readonly [EntityTypeId]: { readonly name: Name; readonly error: E; readonly services: R }
}

const EntityTypeId: unique symbol = Symbol.for("perdure/Entity/Implementation")

/** A state schema of the past, and what its values are today. @since 0.1.0 */
export interface Older<S> {
  readonly codec: Codec
  readonly migrate: (old: unknown) => S
}

/**
 * An entity at its key. Messages start it where it is not alive; they return and fail as those of a workflow's handle do.
 *
 * @category models
 * @since 0.1.0
 */
export interface EntityRef<W> extends Pick<Handle<W>, "signal" | "query" | "update"> {
  readonly key: string
  /** The execution beneath, for whatever else there is to do with one: describe, cancel, result. */
  readonly handle: Handle<W>
}

/** Where an entity lives. @since 0.1.0 */
export interface AtOptions {
  /** Whose workers run it, should a message start it. Default as for `Client.start`. */
  readonly taskQueue?: string | undefined
}

/** The program of an entity is optional: without one it lives on, and its messages are all that it does. */
type EntityHandlersOf<S, Signals, Queries, Updates> =
  & Omit<HandlersOf<S, Signals, Queries, Updates>, "run">
  & { readonly run?: Effect.Effect<unknown, unknown, unknown> }

/**
 * An entity's contract.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entity<Name extends string, in out S, Signals, Queries, Updates> {
  readonly name: Name
  /** The workflow beneath: for tests, and for what `Client` does with workflows. Its result is the last state. */
  readonly workflow: Workflow.Workflow<Name, Start, S, never, Signals, Queries, Updates>
  /**
   * Puts the handlers together; every declared one must be there, and no other. With `run`, the entity ends when that
   * program does, and the next message starts a new life of it. The program is interrupted and begins again at each
   * rollover: what it needs to know must be in the state.
   */
  readonly of: <const I extends EntityHandlersOf<S, Signals, Queries, Updates>>(
    handlers: I & OnlyDeclared<I, { signals: Signals; queries: Queries; updates: Updates }>
  ) => EntityImplementation<Name, ErrorsOf<I>, ServicesOf<I>>
  /** Gives the entity its body: from its key and state to its handlers. */
  readonly toLayer: <E extends BodyError, R extends BodyServices, E2 extends BodyError, R2 extends BodyServices>(
    body: (self: Self<S>) => Effect.Effect<EntityImplementation<Name, E2, R2>, E, R>
  ) => Layer.Layer<
    Workflow.HostedWorkflow<Name>,
    never,
    Workflow.Requirements<R> | Workflow.Requirements<R2>
  >
  /** The entity of a key: at most 900 characters. */
  readonly at: (
    key: string,
    options?: AtOptions
  ) => Effect.Effect<
    EntityRef<Workflow.Workflow<Name, Start, S, never, Signals, Queries, Updates>>,
    never,
    Client
  >
}

/** @category models @since 0.1.0 */
export interface EntityOptions<S> {
  /** The state before the first command, from the key. */
  readonly initial: (key: string) => S
  /** Schemas of the state in earlier versions of the code, the first one first; the current version is the one after. */
  readonly older?: ReadonlyArray<Older<S>> | undefined
  /** Events in the history at which the entity rolls over to a new run. Default: when it is suggested, at 4,096. */
  readonly rolloverEvents?: number | undefined
  /**
   * How long no signal or update must have come for the entity to roll over as well: to wake it then replays next to
   * nothing. Costs a timer for each such time in which something came. Default never.
   */
  readonly passivateAfter?: Duration.DurationInput | undefined
}

/**
 * Events in the history at which entities roll over that would do so later, or say nothing of it. Taken from the context
 * of an entity's Layer: `Layer.provide(CartLive, Layer.succeed(Entity.RolloverEvents, 200))`. Default: none. Tests lower
 * it, so that entities roll over in them.
 *
 * @category services
 * @since 0.1.0
 */
export class RolloverEvents extends Context.Reference<RolloverEvents>()("perdure/Entity/RolloverEvents", {
  defaultValue: (): number => Infinity
}) {}

/**
 * A snapshot cannot be read: it was written by newer code, or does not fit its schema. The turn fails, and the entity
 * waits for code that can read it.
 *
 * @category errors
 * @since 0.1.0
 */
export class SnapshotUnreadable extends Schema.TaggedError<SnapshotUnreadable>()("SnapshotUnreadable", {
  entity: Schema.String,
  key: Schema.String,
  /** Of the snapshot. */
  version: Schema.Number,
  /** Of this code. */
  current: Schema.Number,
  reason: Schema.String
}) {
  override get message(): string {
    return `the state of ${this.entity} ${
      JSON.stringify(this.key)
    }, written in version ${this.version}, cannot be read by ` +
      `version ${this.current}: ${this.reason}`
  }
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A state schema of the past: its values are brought to what they are today.
 *
 * @category constructors
 * @since 0.1.0
 */
export const older = <A, I, S>(schema: Schema.Schema<A, I>, migrate: (old: A) => S): Older<S> => ({
  codec: Contract.codec(schema, "an older state"),
  migrate: migrate as (old: unknown) => S
})

/**
 * Defines an entity. Its execution has the workflow id `NAME:KEY`, so that keys of two kinds of entities never meet.
 *
 * Throws `ContractError` on a name that is empty, reserved or too long (row D9).
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <
  const Name extends string,
  State extends AnySchema,
  const Signals extends Record<string, SignalContract> = {},
  const Queries extends Record<string, QueryContract> = {},
  const Updates extends Record<string, UpdateContract> = {}
>(
  name: Name,
  options: EntityOptions<TypeOf<State, never>> & {
    readonly state: State
    readonly signals?: Signals
    readonly queries?: Queries
    readonly updates?: Updates
  }
): Entity<Name, TypeOf<State, never>, SignalTypes<Signals>, QueryTypes<Queries>, UpdateTypes<Updates>> => {
  const { queries, signals, state, updates } = options
  const workflow = Workflow.make(name, {
    payload: StartSchema,
    success: state,
    ...(signals === undefined ? {} : { signals }),
    ...(queries === undefined ? {} : { queries }),
    ...(updates === undefined ? {} : { updates })
  }) as unknown as ErasedWorkflow
  const codec = Contract.codec(state, `state of entity ${name}`)
  const erased = options as unknown as EntityOptions<unknown>
  return {
    name,
    workflow,
    of: (handlers: ErasedHandlers) => handlers,
    toLayer: (body: ErasedBody) =>
      Layer.unwrapEffect(Effect.map(RolloverEvents, (atMost) => {
        const earlier = { ...erased, rolloverEvents: Math.min(atMost, erased.rolloverEvents ?? Infinity) }
        const own = atMost === Infinity ? erased : earlier
        return workflow.toLayer((start: Start) => live(workflow, codec, own, body, start))
      })),
    at: (key: string, at: AtOptions = {}) => Effect.map(Client, (client) => refOf(client, workflow, key, at))
  } as never
}

// -----------------------------------------------------------------------------
// internal: the body
// -----------------------------------------------------------------------------

const StartSchema = Schema.Struct({
  key: Schema.String,
  snapshot: Schema.optionalWith(Schema.Struct({ version: Schema.Number, state: Schema.Unknown }), { exact: true })
})

type AnyEffect = Effect.Effect<unknown, unknown, WorkflowContext>
type ErasedHandler = (...args: ReadonlyArray<unknown>) => AnyEffect
type ErasedUpdate = ErasedHandler | { readonly validate?: ErasedHandler; readonly handle: ErasedHandler }

interface ErasedHandlers {
  readonly signals?: Record<string, ErasedHandler>
  readonly queries?: Record<string, ErasedHandler>
  readonly updates?: Record<string, ErasedUpdate>
  readonly run?: AnyEffect
}

type ErasedBody = (self: Self<unknown>) => Effect.Effect<ErasedHandlers, unknown, WorkflowContext>

interface ErasedWorkflow extends Workflow.Any {
  readonly of: (implementation: unknown) => unknown
  readonly toLayer: (body: (start: Start) => AnyEffect) => Layer.Layer<never>
}

/** What came to a run: signals and updates. */
interface Traffic {
  messages: number
}

const live = (
  workflow: ErasedWorkflow,
  codec: Codec,
  options: EntityOptions<unknown>,
  body: ErasedBody,
  { key, snapshot }: Start
): AnyEffect =>
  Effect.gen(function*() {
    const current = (options.older?.length ?? 0) + 1
    const state = yield* State.make(
      snapshot === undefined ? options.initial(key) : yield* restore(workflow.name, codec, options, key, snapshot)
    )
    const traffic: Traffic = { messages: 0 }
    const made = yield* body({ key, state })
    const rollover = Effect.gen(function*() {
      const encoded = codec.encode(yield* state.get)
      if (Either.isLeft(encoded)) return yield* Effect.die(encoded.left)
      const next: Start = { key, snapshot: { version: current, state: encoded.right } }
      return yield* Chain.continueAsNew(
        workflow as unknown as Workflow.Workflow<string, Start, unknown, never, {}, {}, {}>,
        next
      )
    })
    const ended = made.run === undefined ? Effect.never : Effect.as(made.run, true)
    const run = Effect.flatMap(
      Effect.raceFirst(ended, Effect.as(mayRollOver(options, traffic), false)),
      (isOver) => Effect.zipRight(settled, isOver ? state.get : rollover)
    )
    return workflow.of({ ...counted(made, traffic), run })
  })

/** Waits until no handler is in progress. */
const settled = Body.condition(Body.allHandlersFinished)

/** Waits until the history is long, or nothing has come for long, and no handler is in progress. */
const mayRollOver = ({ passivateAfter, rolloverEvents }: EntityOptions<unknown>, traffic: Traffic) => {
  const isLong = Effect.map(
    Body.info,
    ({ continueAsNewSuggested, historyLength }) =>
      rolloverEvents === undefined ? continueAsNewSuggested : historyLength >= rolloverEvents
  )
  const long = Body.condition(isLong)
  const due = passivateAfter === undefined ? long : Effect.raceFirst(long, quiet(passivateAfter, traffic))
  // The program is interrupted no earlier than need be.
  return Effect.zipRight(due, settled)
}

/** Waits until something has come, and then nothing more for so long. */
const quiet = (after: Duration.DurationInput, traffic: Traffic): Effect.Effect<void, never, WorkflowContext> =>
  Effect.gen(function*() {
    yield* Body.condition(() => traffic.messages > 0)
    for (;;) {
      const before = traffic.messages
      yield* Effect.sleep(after)
      if (traffic.messages === before) return
    }
  })

const counted = (made: ErasedHandlers, traffic: Traffic): ErasedHandlers => {
  const counting = (handler: ErasedHandler): ErasedHandler => (...args) => {
    traffic.messages++
    return handler(...args)
  }
  const each = <A>(handlers: Record<string, A> | undefined, change: (handler: A) => A) =>
    handlers === undefined
      ? undefined
      : Object.fromEntries(Object.entries(handlers).map(([name, handler]) => [name, change(handler)]))
  const signals = each(made.signals, counting)
  const updates = each(
    made.updates,
    (update) => typeof update === "function" ? counting(update) : { ...update, handle: counting(update.handle) }
  )
  return { ...made, ...(signals === undefined ? {} : { signals }), ...(updates === undefined ? {} : { updates }) }
}

const restore = (
  entity: string,
  codec: Codec,
  { older = [] }: EntityOptions<unknown>,
  key: string,
  { state, version }: NonNullable<Start["snapshot"]>
): Effect.Effect<unknown> => {
  const current = older.length + 1
  const refuse = (reason: string) => Effect.die(new SnapshotUnreadable({ entity, key, version, current, reason }))
  const past = version === current ? undefined : older[version - 1]
  if (version !== current && past === undefined) {
    return refuse(version > current ? "it was written by newer code" : "no schema of that version is given")
  }
  const decoded = (past?.codec ?? codec).decode(state as never)
  if (Either.isLeft(decoded)) return refuse(decoded.left.reason)
  return past === undefined ? Effect.succeed(decoded.right) : Effect.sync(() => past.migrate(decoded.right))
}

// -----------------------------------------------------------------------------
// internal: the client
// -----------------------------------------------------------------------------

/** Lives of one key that may end between a message's start of it and its arrival, before the sender is told. */
const livesMax = 3

const refOf = (client: Client["Type"], workflow: ErasedWorkflow, key: string, { taskQueue }: AtOptions) => {
  const workflowId = `${workflow.name}:${key}`
  const handle = client.handle(workflow, workflowId) as unknown as ErasedHandle
  const { start } = client as unknown as ErasedClient
  const awaken = Effect.catchTag(
    start(workflow, { key } satisfies Start, { workflowId, taskQueue }),
    "WorkflowAlreadyStarted",
    () => Effect.void
  )
  const alive = (call: AnyCall, isLost: (error: unknown) => boolean): AnyCall => (...args) => {
    const attempt = (life: number): Effect.Effect<unknown, unknown> =>
      Effect.catchAll(
        call(...args),
        (error) => isLost(error) && life < livesMax ? Effect.zipRight(awaken, attempt(life + 1)) : Effect.fail(error)
      )
    return attempt(0)
  }
  const isGone = (error: unknown) => error instanceof WorkflowNotFound || error instanceof WorkflowClosed
  return {
    key,
    handle,
    signal: alive((...args) => handle.signal(...args), isGone),
    update: alive((...args) => handle.update(...args), isGone),
    // One that has ended still answers, with its last state.
    query: alive((...args) => handle.query(...args), (error) => error instanceof WorkflowNotFound)
  }
}

type AnyCall = (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>

interface ErasedHandle {
  readonly signal: AnyCall
  readonly query: AnyCall
  readonly update: AnyCall
}

interface ErasedClient {
  readonly start: (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, { readonly _tag: string }>
}
