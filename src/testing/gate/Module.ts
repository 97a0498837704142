/**
 * The workflows that a module exports.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Workflows } from "../Replayer.js"

/**
 * Loads a module by its URL: the Layers among its exports, alone or in lists. Fails with what is wrong with it.
 *
 * @since 0.1.0
 */
export const load = (url: string): Effect.Effect<Workflows, string> =>
  Effect.gen(function*() {
    const exports = yield* Effect.tryPromise({
      try: () => import(url) as Promise<Record<string, unknown>>,
      catch: (error) => error instanceof Error ? error.message : String(error)
    })
    const layers = new Set(Object.values(exports).flat().filter(Layer.isLayer))
    return layers.size === 0 ? yield* Effect.fail("it exports no Layer") : [...layers]
  })
