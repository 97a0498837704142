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

/** What `of` made, in its erased form. @since 0.1.0 */
export interface ErasedImplementation {
  readonly signals: ReadonlyMap<string, Handler>
  readonly queries: ReadonlyMap<string, QueryHandler>
  readonly updates: ReadonlyMap<string, UpdateHandler>
  readonly run: Effect.Effect<unknown, unknown, unknown>
}

/** As authors write it. @since 0.1.0 */
export interface Given {
  readonly signals?: Record<string, Handler>
  readonly queries?: Record<string, QueryHandler>
  readonly updates?: Record<
    string,
    Handler | { readonly validate?: UpdateHandler["validate"]; readonly handle: Handler }
  >
  readonly run: Effect.Effect<unknown, unknown, unknown>
}

/** @since 0.1.0 */
export const ImplementationTypeId: unique symbol = Symbol.for("perdure/Workflow/Implementation")

/** See `Workflow.of`. @since 0.1.0 */
export const implementation = (
  given: Given
): ErasedImplementation & { readonly [ImplementationTypeId]: true } => ({
  [ImplementationTypeId]: true,
  signals: new Map(Object.entries(given.signals ?? {})),
  queries: new Map(Object.entries(given.queries ?? {})),
  updates: new Map(
    Object.entries(given.updates ?? {}).map(([key, handler]) => [
      key,
      typeof handler === "function"
        ? { validate: undefined, handle: handler }
        : { validate: handler.validate, handle: handler.handle }
    ])
  ),
  run: given.run
})

/** @internal */
export const isImplementation = (value: unknown): value is ErasedImplementation =>
  typeof value === "object" && value !== null && ImplementationTypeId in value
