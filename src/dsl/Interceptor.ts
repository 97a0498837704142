/**
 * Interceptors: middleware around the calls of clients, workflows and activities (row N6).
 *
 * ```
 *   client.start ──▶ first ──▶ second ──▶ store ──▶ first.execute ──▶ second.execute ──▶ body
 *                                                     body ──▶ first.executeActivity ──▶ second... ──▶ history
 * ```
 *
 * 1. The first listed is the outermost, on the way out and on the way in.
 * 2. Without an interceptor that has its hook, a call is as it would be without any.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { ActivityContext } from "./ActivityContext.js"
import type { Composed, Hook, Hooks } from "./Hooks.js"
import { Interceptors, noHooks } from "./Hooks.js"
import type { ActivityHooks, ClientHooks, WorkflowHooks } from "./InterceptedCalls.js"
import { WorkflowContext } from "./WorkflowContext.js"

export type { Headers } from "../core/Headers.js"
export type * from "./InterceptedCalls.js"

/**
 * The hooks of one interceptor, by where they stand.
 *
 * @category models
 * @since 0.1.0
 */
export interface Definition {
  readonly client?: ClientHooks
  readonly workflow?: WorkflowHooks
  readonly activity?: ActivityHooks
}

/**
 * Named hooks. R: the services that those of client and activity use.
 *
 * @category models
 * @since 0.1.0
 */
export interface Interceptor<out R> {
  readonly name: string
  readonly hooks: Definition
  readonly services?: (_: never) => R
}

/**
 * Makes an interceptor. Its name tells its random numbers apart from those of the bodies that it stands around, and from
 * those of other interceptors: what it draws shifts nobody's values (row W2).
 *
 * Hooks of client and activity may use any service, which the Layer then asks for. Those of a workflow may use what bodies
 * may: what they do comes again on replay, and a command that they add is part of the history, so that runs begun
 * before it was added need a patch (row V1).
 *
 * A defect in a client hook fails the call, in an activity hook the attempt, in a workflow hook the turn.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <const H extends Definition>(
  name: string,
  hooks: H & OnlyKnown<H>
): Interceptor<ServicesOf<H>> => ({ name, hooks })

/**
 * Puts interceptors around whatever is built with this Layer in its context: a whole worker with its client (`Worker.layer`),
 * a client (`StoreClient.layer`), or one host (what `toLayer` gives), also in replayers, environments and checks.
 *
 * The first listed is the outermost. Where there are interceptors already, as at a host within a worker, they stay around
 * these; one that is there already is not there twice.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <const I extends ReadonlyArray<Interceptor<unknown>>>(
  ...interceptors: I
): Layer.Layer<never, never, I[number] extends Interceptor<infer R> ? R : never> =>
  Layer.effect(
    Interceptors,
    Effect.gen(function*() {
      const services = yield* Effect.context<never>()
      const before = yield* Interceptors
      const known = new Set(before.interceptors.map(({ source }) => source))
      const added = interceptors.filter((one) => !known.has(one))
        .map((one) => ({ source: one, hooks: bind(one, services) }))
      return compose([...before.interceptors, ...added])
    })
  ) as never

// -----------------------------------------------------------------------------
// types
// -----------------------------------------------------------------------------

/** Forbids hooks that nobody would call: one with a slip in its name. @since 0.1.0 */
export type OnlyKnown<H> = {
  readonly [K in keyof H]: K extends keyof Definition
    ? { readonly [N in Exclude<keyof H[K], keyof NonNullable<Definition[K]>>]: never }
    : never
}

type ServicesIn<F> = F extends (...args: never) => Effect.Effect<unknown, unknown, infer R> ? R : never
type In<H, K extends keyof Definition> = H extends { readonly [P in K]: infer Hooks }
  ? { readonly [N in keyof Hooks]: ServicesIn<Hooks[N]> }[keyof Hooks]
  : never

/** What the hooks of client and activity use, but for what an attempt has of itself. @since 0.1.0 */
export type ServicesOf<H> = In<H, "client"> | Exclude<In<H, "activity">, ActivityContext | Scope.Scope>

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type Services = ReadonlyMap<string, unknown>
type Group = { readonly [name: string]: Hook | undefined }

/** The hooks of one interceptor with what they need around them. */
const bind = ({ hooks, name }: Interceptor<unknown>, services: Context.Context<never>): Hooks => {
  const own = lexical(services.unsafeMap)
  return {
    client: each(hooks.client, own),
    workflow: each(hooks.workflow, (hook) => withOwnRandom(hook, `interceptor/${name}`)),
    activity: each(hooks.activity, own)
  }
}

const each = (hooks: object | undefined, change: (hook: Hook) => Hook): Group =>
  Object.fromEntries(
    Object.entries(hooks ?? {}).flatMap(([name, hook]) => hook === undefined ? [] : [[name, change(hook as Hook)]])
  )

const compose = (interceptors: Composed["interceptors"]): Composed => {
  const group = (kind: keyof Hooks): Group => {
    const made: { [name: string]: Hook } = {}
    // From the innermost outwards.
    for (const { hooks } of [...interceptors].reverse()) {
      for (const [name, hook] of Object.entries<Hook>(hooks[kind])) {
        const inner = made[name]
        made[name] = inner === undefined ? hook : (call, next) => hook(call, (call) => inner(call, next))
      }
    }
    return made
  }
  return interceptors.length === 0
    ? { ...noHooks, interceptors }
    : { client: group("client"), workflow: group("workflow"), activity: group("activity"), interceptors }
}

/** Of an attempt, and not of the Layer. */
const ofCaller = [ActivityContext.key, Scope.Scope.key]

/**
 * A hook sees the services of its Layer, as any code does; what it goes on to sees its own, and whatever else the hook
 * itself provides to it.
 */
const lexical = (captured: Services) => (hook: Hook): Hook => (call, next) =>
  Effect.contextWithEffect((outer: Context.Context<never>) => {
    const inside = new Map([...outer.unsafeMap, ...captured])
    for (const key of ofCaller) if (outer.unsafeMap.has(key)) inside.set(key, outer.unsafeMap.get(key))
    const back = (now: Context.Context<unknown>): Context.Context<never> => {
      const services = new Map(now.unsafeMap)
      for (const [key, service] of inside) {
        if (services.get(key) !== service) continue
        if (outer.unsafeMap.has(key)) services.set(key, outer.unsafeMap.get(key))
        else services.delete(key)
      }
      return Context.unsafeMake(services)
    }
    return Effect.mapInputContext(
      hook(call, (call) => Effect.mapInputContext(next(call) as Effect.Effect<unknown, unknown>, back)),
      () => Context.unsafeMake<unknown>(inside)
    )
  })

/** A hook draws from a stream of its own; what it goes on to draws from the one before, unless the hook gave it another. */
const withOwnRandom = (hook: Hook, stream: string): Hook => (call, next) =>
  Effect.flatMap(WorkflowContext, (context) =>
    Effect.randomWith((outer) => {
      const own = context.randomStream(stream)
      return Effect.withRandom(
        hook(
          call,
          (call) => Effect.randomWith((now) => now === own ? Effect.withRandom(next(call), outer) : next(call))
        ),
        own
      )
    }))
