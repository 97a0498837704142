/**
 * Handlers without their types, as the interpreter holds them: what `of` gives, put in order by kind and name.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"

/** A handler of a signal or of an update. @since 0.1.0 */
export type Handler = (payload: unknown) => Effect.Effect<unknown, unknown, unknown>

/** A handler of a query. @since 0.1.0 */
export type QueryHandler = (payload: unknown) => Effect.Effect<unknown, unknown>

/** A handler of an update, in its erased form. @since 0.1.0 */
export interface UpdateHandler {
  readonly validate: ((payload: unknown) => Effect.Effect<unknown, unknown>) | undefined
  readonly handle: Handler
}

/** Handlers of names that the contract does not declare, with what was sent as it is (row S6). @since 0.1.0 */
export interface DynamicHandlers {
  readonly signals: HandlesDynamically | undefined
  readonly queries: ReadsDynamically | undefined
  readonly updates: {
    readonly validate: ReadsDynamically | undefined
    readonly handle: HandlesDynamically
  } | undefined
}

/** The handlers that a body has at some time. @since 0.1.0 */
export interface HandlerSet {
  readonly signals: ReadonlyMap<string, Handler>
  readonly queries: ReadonlyMap<string, QueryHandler>
  readonly updates: ReadonlyMap<string, UpdateHandler>
  readonly dynamic: DynamicHandlers
}

/** What `of` made, in its erased form. @since 0.1.0 */
export interface ErasedImplementation extends HandlerSet {
  readonly run: Effect.Effect<unknown, unknown, unknown>
}

/** Handlers to be set, and (undefined) to be taken away. @since 0.1.0 */
export interface HandlerChanges {
  /** The workflow whose contract they fit. */
  readonly workflow: string
  readonly signals: ReadonlyMap<string, Handler | undefined>
  readonly queries: ReadonlyMap<string, QueryHandler | undefined>
  readonly updates: ReadonlyMap<string, UpdateHandler | undefined>
  readonly dynamic: Partial<DynamicHandlers>
}

/** Stands in `of` for a handler that is set later, while the run goes on (row W18). @since 0.1.0 */
export const later: unique symbol = Symbol.for("perdure/Workflow/later")

type GivenUpdate<Call, Validate> = Call | typeof later | undefined | {
  readonly validate?: Validate | undefined
  readonly handle: Call
}
type ReadsDynamically = (name: string, payload: unknown) => Effect.Effect<unknown, unknown>
type HandlesDynamically = (name: string, payload: unknown) => Effect.Effect<unknown, unknown, unknown>

/** As authors write them. @since 0.1.0 */
export interface Given {
  readonly signals?: Record<string, Handler | typeof later | undefined>
  readonly queries?: Record<string, QueryHandler | typeof later | undefined>
  readonly updates?: Record<string, GivenUpdate<Handler, QueryHandler>>
  readonly dynamic?: {
    readonly signals?: HandlesDynamically | typeof later | undefined
    readonly queries?: ReadsDynamically | typeof later | undefined
    readonly updates?: GivenUpdate<HandlesDynamically, ReadsDynamically>
  }
}

/** @since 0.1.0 */
export const ImplementationTypeId: unique symbol = Symbol.for("perdure/Workflow/Implementation")

/** @since 0.1.0 */
export const none: HandlerSet = {
  signals: new Map(),
  queries: new Map(),
  updates: new Map(),
  dynamic: { signals: undefined, queries: undefined, updates: undefined }
}

/** See `Workflow.of`. @since 0.1.0 */
export const implementation = (
  given: Given & { readonly run: Effect.Effect<unknown, unknown, unknown> }
): ErasedImplementation & { readonly [ImplementationTypeId]: true } => ({
  [ImplementationTypeId]: true,
  ...changed(none, changes("", given)),
  run: given.run
})

/** See `Workflow.setHandlers`. @since 0.1.0 */
export const changes = (workflow: string, given: Given): HandlerChanges => {
  const dynamic: { -readonly [K in keyof DynamicHandlers]?: DynamicHandlers[K] } = {}
  if (given.dynamic !== undefined) {
    if ("signals" in given.dynamic) dynamic.signals = present(given.dynamic.signals)
    if ("queries" in given.dynamic) dynamic.queries = present(given.dynamic.queries)
    if ("updates" in given.dynamic) dynamic.updates = update(given.dynamic.updates)
  }
  return {
    workflow,
    signals: each(given.signals, present),
    queries: each(given.queries, present),
    updates: each<GivenUpdate<Handler, QueryHandler>, UpdateHandler>(given.updates, update),
    dynamic
  }
}

/** The handlers after a change. @since 0.1.0 */
export const changed = (before: HandlerSet, by: HandlerChanges): HandlerSet => ({
  signals: merged(before.signals, by.signals),
  queries: merged(before.queries, by.queries),
  updates: merged(before.updates, by.updates),
  dynamic: { ...before.dynamic, ...by.dynamic }
})

/** The handlers of both; where both have one, that of the second. @since 0.1.0 */
export const joined = (before: HandlerSet, after: HandlerSet): HandlerSet =>
  before === none ? after : {
    signals: merged(before.signals, after.signals),
    queries: merged(before.queries, after.queries),
    updates: merged(before.updates, after.updates),
    dynamic: {
      signals: after.dynamic.signals ?? before.dynamic.signals,
      queries: after.dynamic.queries ?? before.dynamic.queries,
      updates: after.dynamic.updates ?? before.dynamic.updates
    }
  }

/** @internal */
export const isImplementation = (value: unknown): value is ErasedImplementation =>
  typeof value === "object" && value !== null && ImplementationTypeId in value

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const present = <A>(given: A | typeof later | undefined): A | undefined => given === later ? undefined : given as A

const update = <Call, Validate>(given: GivenUpdate<Call, Validate>) => {
  const found = present(given) as Call | { readonly validate?: Validate; readonly handle: Call } | undefined
  if (found === undefined) return undefined
  if (typeof found === "function") return { validate: undefined, handle: found }
  const { handle, validate } = found as { readonly validate?: Validate; readonly handle: Call }
  return { validate, handle }
}

const each = <A, B>(
  given: Record<string, A> | undefined,
  of: (one: A) => B | undefined
): ReadonlyMap<string, B | undefined> => new Map(Object.entries(given ?? {}).map(([name, one]) => [name, of(one)]))

const merged = <A>(before: ReadonlyMap<string, A>, by: ReadonlyMap<string, A | undefined>): ReadonlyMap<string, A> => {
  if (by.size === 0) return before
  const after = new Map(before)
  for (const [name, one] of by) {
    if (one === undefined) after.delete(name)
    else after.set(name, one)
  }
  return after
}
