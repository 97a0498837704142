/**
 * The hooks of all interceptors put together, as clients, bodies and activities find them: with the types gone.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** One hook, of all interceptors that have it; the first listed is the outermost. @since 0.1.0 */
export type Hook = (call: never, next: (call: never) => Erased) => Erased

type Erased = Effect.Effect<unknown, unknown, unknown>

/**
 * Those that some interceptor has. Where there is none, a call goes its plain way.
 *
 * @category models
 * @since 0.1.0
 */
export interface Hooks {
  readonly client: {
    readonly [K in "start" | "signal" | "query" | "update" | "cancel" | "terminate" | "result"]?: Hook
  }
  readonly workflow: {
    readonly [K in Inbound | Outbound]?: Hook
  }
  readonly activity: { readonly [K in "execute" | "heartbeat"]?: Hook }
}

type Inbound = "execute" | "signal" | "query" | "update" | "validate"
type Outbound =
  | "executeActivity"
  | "startActivity"
  | "executeChild"
  | "startChild"
  | "signalExternal"
  | "cancelExternal"
  | "continueAsNew"
  | "runStep"

/** @since 0.1.0 */
export const noHooks: Hooks = { client: {}, workflow: {}, activity: {} }

/** What `Interceptor.layer` puts together. @since 0.1.0 */
export interface Composed extends Hooks {
  /** To be put around others, in order. */
  readonly interceptors: ReadonlyArray<{ readonly source: object; readonly hooks: Hooks }>
}

/**
 * The interceptors of whatever is built with them in its context: a worker, a client, one host.
 *
 * @category services
 * @since 0.1.0
 */
export class Interceptors extends Context.Reference<Interceptors>()("perdure/Interceptors", {
  defaultValue: (): Composed => ({ ...noHooks, interceptors: [] })
}) {}

/** Sends a call through a hook, where there is one. @since 0.1.0 */
export const through = <Call extends object, A, E, R>(
  hook: Hook | undefined,
  call: Call,
  next: (call: Call) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  hook === undefined
    ? next(call)
    // What it throws is a defect of the call.
    : Effect.suspend(() => hook(call as never, next)) as Effect.Effect<A, E, R>
