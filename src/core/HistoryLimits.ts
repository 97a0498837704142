/**
 * How long a history may grow (row K11).
 *
 * ```
 *   suggested ─────────▶ warned ─────────▶ exceeded
 *   to continue as new   once, in the log   the run is terminated: no turn follows
 * ```
 *
 * What is counted is what the history holds, so that it is the same whenever the run is brought back: events, updates,
 * and characters of the turns' JSON as it is before payload codecs, of which there is one byte each but for other
 * scripts.
 *
 * @since 0.1.0
 */
import type { ExecutionTerminated } from "./family/Execution.js"
import { Limits } from "./Limits.js"

/**
 * A history so far.
 *
 * @category models
 * @since 0.1.0
 */
export interface Past {
  readonly events: number
  readonly bytes: number
  readonly updates: { readonly size: number }
}

/** Why continuing as new is suggested. @category models @since 0.1.0 */
export type Reason = "HistoryEvents" | "HistoryBytes" | "Updates"

const none: ReadonlyArray<Reason> = []

/**
 * Why continuing as new is suggested; none while the history is short.
 *
 * @category combinators
 * @since 0.1.0
 */
export const reasons = (events: number, bytes: number, updates: number): ReadonlyArray<Reason> => {
  const many = events >= Limits.historyEventsSuggested
  const large = bytes >= Limits.historyBytesSuggested
  const updated = updates >= Limits.updatesSuggested
  if (!many && !large && !updated) return none
  return [
    ...(many ? ["HistoryEvents" as const] : []),
    ...(large ? ["HistoryBytes" as const] : []),
    ...(updated ? ["Updates" as const] : [])
  ]
}

/**
 * What is to be said of a history that this turn made long; undefined for all other turns.
 *
 * @category combinators
 * @since 0.1.0
 */
export const warning = (eventsBefore: number, bytesBefore: number, after: Past): string | undefined =>
  passed(eventsBefore, after.events, Limits.historyEventsWarned) ||
    passed(bytesBefore, after.bytes, Limits.historyBytesWarned)
    ? `its history has ${sizeOf(after)}: at ${Limits.historyEventsMax} events or ${
      mebibytes(Limits.historyBytesMax)
    } it ` +
      "is terminated. Let it continue as new where Workflow.info suggests it"
    : undefined

/**
 * The end of a run whose history is too long to go on; undefined for all others.
 *
 * @category combinators
 * @since 0.1.0
 */
export const exceeded = (past: Past): ExecutionTerminated | undefined =>
  past.events < Limits.historyEventsMax && past.bytes < Limits.historyBytesMax ? undefined : {
    _tag: "ExecutionTerminated",
    reason: `its history has ${sizeOf(past)}, and may have ${Limits.historyEventsMax} events and ${
      mebibytes(Limits.historyBytesMax)
    }: let such a workflow continue as new where Workflow.info suggests it`
  }

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const passed = (before: number, after: number, limit: number): boolean => before < limit && after >= limit

const sizeOf = ({ bytes, events }: Past): string => `${events} events in ${mebibytes(bytes)}`

const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`
