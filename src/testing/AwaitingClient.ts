/**
 * A client in whose hands waiting lets time skip: for results, for updates, and nothing else.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Client } from "../dsl/Client.js"

/** What lets time skip for as long as an effect waits. @since 0.1.0 */
export type Awaiting = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/**
 * The same client; whatever handles it gives are of this kind, too.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (client: Client["Type"], awaiting: Awaiting): Client["Type"] => {
  const updateOf = (update: Updating): Updating => ({ ...update, result: awaiting(update.result) })
  const handleOf = (handle: ErasedHandle): ErasedHandle =>
    over(handle, {
      raw: () => handleOf(handle.raw),
      result: () => awaiting(handle.result),
      runResult: () => awaiting(handle.runResult),
      update: () => (...args: Args) => awaiting(handle.update(...args)),
      startUpdate: () => (...args: Args) => Effect.map(awaiting(handle.startUpdate(...args)), updateOf),
      updateHandle: () => (...args: Args) => updateOf(handle.updateHandle(...args)),
      reset: () => (...args: Args) => Effect.map(handle.reset(...args), handleOf)
    })
  const erased = client as unknown as ErasedClient
  const start = (...args: Args) => Effect.map(erased.start(...args), handleOf)
  return over(erased, {
    start: () => start,
    execute: () => (...args: Args) => Effect.flatMap(start(...args), ({ result }) => result),
    signalWithStart: () => (...args: Args) => Effect.map(erased.signalWithStart(...args), handleOf),
    updateWithStart: () => (...args: Args) =>
      Effect.map(
        awaiting(erased.updateWithStart(...args)),
        ({ handle, update }) => ({ handle: handleOf(handle), update: updateOf(update) })
      ),
    handle: () => (...args: Args) => handleOf(erased.handle(...args))
  }) as unknown as Client["Type"]
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type Args = ReadonlyArray<unknown>
type Call<A = unknown> = (...args: Args) => Effect.Effect<A, unknown>

interface Updating {
  readonly result: Effect.Effect<unknown, unknown>
}

interface ErasedHandle {
  readonly raw: ErasedHandle
  readonly result: Effect.Effect<unknown, unknown>
  readonly runResult: Effect.Effect<unknown, unknown>
  readonly update: Call
  readonly startUpdate: Call<Updating>
  readonly updateHandle: (...args: Args) => Updating
  readonly reset: Call<ErasedHandle>
}

interface ErasedClient {
  readonly start: Call<ErasedHandle>
  readonly signalWithStart: Call<ErasedHandle>
  readonly updateWithStart: Call<{ readonly handle: ErasedHandle; readonly update: Updating }>
  readonly handle: (...args: Args) => ErasedHandle
}

/** All of the target but what is made otherwise: what is added to a handle one day is there as well. */
const over = <T extends object>(target: T, otherwise: { readonly [name: string]: () => unknown }): T =>
  new Proxy(target, {
    get: (_, name) => {
      const own = typeof name === "string" && Object.hasOwn(otherwise, name) ? otherwise[name] : undefined
      if (own !== undefined) return own()
      // Its private fields are not the proxy's.
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === "function" ? (value as (...args: Args) => unknown).bind(target) : value
    }
  })
