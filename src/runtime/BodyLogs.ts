/**
 * Log entries of bodies, given to the loggers of the worker once their turn is over.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { LogEntry } from "./interpreter/Interpreter.js"

/** @since 0.1.0 */
export const emit = (entries: ReadonlyArray<LogEntry>): Effect.Effect<void> =>
  Effect.forEach(entries, (entry) =>
    Effect.annotateLogs(
      Effect.logWithLevel(
        entry.logLevel,
        ...(Array.isArray(entry.message) ? entry.message : [entry.message]) as [unknown]
      ),
      Object.fromEntries(entry.annotations)
    ), { discard: true })
