/**
 * Who wants to know that something was written, and telling them.
 *
 * What another process commits is seen by the dialect's own means, which calls `announce`; what another user of this
 * same store commits is announced by the operation itself.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/**
 * @category models
 * @since 0.1.0
 */
export interface Changes {
  readonly announce: Effect.Effect<void>
  /** For what interests everybody but the one who wrote it: the writer needs no word of its own commit. */
  readonly announceToOthers: Effect.Effect<void>
  readonly listen: (listener: () => void) => Effect.Effect<void, never, Scope.Scope>
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (watch: {
  /** The first listener has come. */
  readonly begin: () => void
  /** The last one has gone. */
  readonly end: () => void
}): Changes => {
  const listeners = new Set<{ readonly call: () => void }>()
  const announce = Effect.sync(() => {
    for (const { call } of listeners) {
      call()
    }
  })
  return {
    announce,
    // There is no telling who of the listeners wrote, so that with two both are called.
    announceToOthers: Effect.suspend(() => listeners.size > 1 ? announce : Effect.void),
    listen: (call) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const entry = { call }
          listeners.add(entry)
          if (listeners.size === 1) {
            watch.begin()
          }
          return entry
        }),
        (entry) =>
          Effect.sync(() => {
            listeners.delete(entry)
            if (listeners.size === 0) {
              watch.end()
            }
          })
      )
  }
}
