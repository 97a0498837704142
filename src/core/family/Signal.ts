/**
 * Signals: facts sent to a run. An acknowledged signal is a recorded one (row S1).
 *
 *   Signal ──▶ SignalReceived
 *
 * 1. A request is taken in once in a run, however often its sender repeats it (row S1).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Headers } from "../Headers.js"
import { Limits } from "../Limits.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** @category models @since 0.1.0 */
export const SignalReceived = Schema.TaggedStruct("SignalReceived", {
  name: Schema.String,
  input: optional(Schema.Unknown),
  headers: optional(Headers),
  /** Its payload could not be read when it came, and no handler got it (row S4). */
  dropped: optional(Schema.Literal(true)),
  /** The sender's name for this sending. */
  requestId: optional(Schema.String)
})
/** @since 0.1.0 */
export type SignalReceived = typeof SignalReceived.Type

/** @category models @since 0.1.0 */
export const events = [SignalReceived] as const

/** @category models @since 0.1.0 */
export const Signal = Schema.TaggedStruct("Signal", {
  name: Schema.String,
  input: optional(Schema.Unknown),
  headers: optional(Headers),
  requestId: optional(Schema.String)
})
/** @since 0.1.0 */
export type Signal = typeof Signal.Type

/** What a run's state keeps of this family. @since 0.1.0 */
export interface Slice {
  signals: number
  /** Made for the first signal that names a request: hardly a run has one. */
  signalRequests: Set<string> | undefined
}

/** @since 0.1.0 */
export const empty = (): Slice => ({ signals: 0, signalRequests: undefined })

/** @since 0.1.0 */
export const evolve = {
  SignalReceived: (state: Slice, event: SignalReceived): void => {
    state.signals++
    if (event.requestId !== undefined) (state.signalRequests ??= new Set()).add(event.requestId)
  }
}

/** Why a signal that was taken in before is dropped: its sender is told that it was. @since 0.1.0 */
export const repeated = "a signal with this request was taken in before"

/** @since 0.1.0 */
export const accept = {
  Signal: (state: Slice, message: Signal): SignalReceived | string =>
    message.requestId !== undefined && state.signalRequests?.has(message.requestId) === true
      ? repeated
      : state.signals >= Limits.signalsMax
      ? `this run took in ${Limits.signalsMax} signals, its limit; continue as a new run`
      : { ...message, _tag: "SignalReceived" }
}
