/**
 * Signals: facts sent to a run. An acknowledged signal is a recorded one (row S1).
 *
 *   Signal ──▶ SignalReceived
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Limits } from "../Limits.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** @category models @since 0.1.0 */
export const SignalReceived = Schema.TaggedStruct("SignalReceived", {
  name: Schema.String,
  input: optional(Schema.Unknown),
  /** Its payload could not be read when it came, and no handler got it (row S4). */
  dropped: optional(Schema.Literal(true))
})
/** @since 0.1.0 */
export type SignalReceived = typeof SignalReceived.Type

/** @category models @since 0.1.0 */
export const events = [SignalReceived] as const

/** @category models @since 0.1.0 */
export const Signal = Schema.TaggedStruct("Signal", { name: Schema.String, input: optional(Schema.Unknown) })
/** @since 0.1.0 */
export type Signal = typeof Signal.Type

/** What a run's state keeps of this family. @since 0.1.0 */
export interface Slice {
  signals: number
}

/** @since 0.1.0 */
export const empty = (): Slice => ({ signals: 0 })

/** @since 0.1.0 */
export const evolve = {
  SignalReceived: (state: Slice, _event: SignalReceived): void => {
    state.signals++
  }
}

/** @since 0.1.0 */
export const accept = {
  Signal: (state: Slice, message: Signal): SignalReceived | string =>
    state.signals >= Limits.signalsMax
      ? `this run took in ${Limits.signalsMax} signals, its limit; continue as a new run`
      : { ...message, _tag: "SignalReceived" }
}
