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
import type { Event } from "./Event.js"
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
 * What the log is told of a turn that is recorded: that it made the history long, or holds a large payload (row X17).
 *
 * @category combinators
 * @since 0.1.0
 */
export const warnings = (
  eventsBefore: number,
  bytesBefore: number,
  after: Past,
  turn: { readonly events: ReadonlyArray<Event>; readonly bytes?: number }
): ReadonlyArray<string> => {
  const long = passed(eventsBefore, after.events, Limits.historyEventsWarned) ||
    passed(bytesBefore, after.bytes, Limits.historyBytesWarned)
  const large = (turn.bytes ?? 0) > Limits.payloadBytesWarned
  if (!long && !large) return silence
  return [...(long ? [longHistory(after)] : []), ...(large ? turn.events.flatMap(largePayload) : [])]
}

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

const silence: ReadonlyArray<string> = []

const longHistory = (past: Past): string =>
  `its history has ${sizeOf(past)}: at ${Limits.historyEventsMax} events or ${mebibytes(Limits.historyBytesMax)} it is `
  + "terminated. Let it continue as new where Workflow.info suggests it"

/** Of an event by itself, payload codecs or not: what it holds besides its payload is short. */
const largePayload = (event: Event): ReadonlyArray<string> => {
  const { length } = JSON.stringify(event)
  return length <= Limits.payloadBytesWarned ? [] : [
    `event ${event._tag}${"name" in event ? ` ${event.name}` : ""} holds ${
      Math.round(length / 1_024)
    } KiB, which every `
    + `replay reads again; more than ${Limits.payloadBytesMax / 1_048_576} MiB are refused: record where it is kept`
  ]
}

const passed = (before: number, after: number, limit: number): boolean => before < limit && after >= limit

const sizeOf = ({ bytes, events }: Past): string => `${events} events in ${mebibytes(bytes)}`

const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`
