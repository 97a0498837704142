/**
 * Signals and cancel requests from one run to another (rows K8, K9), and to itself.
 *
 *   SignalExternal ──▶ SignalExternalRequested ──▶ ExternalSignaled | ExternalSignalFailed
 *   CancelExternal ──▶ CancelExternalRequested ──▶ ExternalCancelDelivered | ExternalCancelFailed
 *
 * The commit that records a request puts the message into the other run's mailbox, or finds no open run there, and posts
 * which of both it was into the mailbox of the sender (I3): it is delivered once, and acknowledged once.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Headers } from "../Headers.js"
import type { Payload } from "../Payload.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** Whom a message is for. */
const target = {
  workflowId: Schema.String,
  /** Absent: the open run of the workflow id. */
  runId: optional(Schema.String),
  /** The sequence number of the run's own child: then it is for the open run of that child, whatever its ids. */
  child: optional(Schema.Number)
}

/** @category models @since 0.1.0 */
export const Target = Schema.Struct(target)
/** @since 0.1.0 */
export type Target = typeof Target.Type

/** @category models @since 0.1.0 */
export const SignalExternalRequested = Schema.TaggedStruct("SignalExternalRequested", {
  seq: Schema.Number,
  ...target,
  name: Schema.String,
  input: optional(Schema.Unknown),
  headers: optional(Headers)
})
/** @since 0.1.0 */
export type SignalExternalRequested = typeof SignalExternalRequested.Type

/** @category models @since 0.1.0 */
export const CancelExternalRequested = Schema.TaggedStruct("CancelExternalRequested", {
  seq: Schema.Number,
  ...target,
  reason: Schema.String
})
/** @since 0.1.0 */
export type CancelExternalRequested = typeof CancelExternalRequested.Type

/** Why a message was not delivered: no run was found, or it is closed. @category models @since 0.1.0 */
export const Undelivered = Schema.Literal("NotFound", "Closed")
/** @since 0.1.0 */
export type Undelivered = typeof Undelivered.Type

/** @category models @since 0.1.0 */
export const ExternalSignaled = Schema.TaggedStruct("ExternalSignaled", { seq: Schema.Number })
/** @since 0.1.0 */
export type ExternalSignaled = typeof ExternalSignaled.Type

/** @category models @since 0.1.0 */
export const ExternalSignalFailed = Schema.TaggedStruct("ExternalSignalFailed", {
  seq: Schema.Number,
  reason: Undelivered
})
/** @since 0.1.0 */
export type ExternalSignalFailed = typeof ExternalSignalFailed.Type

/** @category models @since 0.1.0 */
export const ExternalCancelDelivered = Schema.TaggedStruct("ExternalCancelDelivered", { seq: Schema.Number })
/** @since 0.1.0 */
export type ExternalCancelDelivered = typeof ExternalCancelDelivered.Type

/** @category models @since 0.1.0 */
export const ExternalCancelFailed = Schema.TaggedStruct("ExternalCancelFailed", {
  seq: Schema.Number,
  reason: Undelivered
})
/** @since 0.1.0 */
export type ExternalCancelFailed = typeof ExternalCancelFailed.Type

/** @category models @since 0.1.0 */
export const events = [
  SignalExternalRequested,
  ExternalSignaled,
  ExternalSignalFailed,
  CancelExternalRequested,
  ExternalCancelDelivered,
  ExternalCancelFailed
] as const

/** @category models @since 0.1.0 */
export interface SignalExternal {
  readonly _tag: "SignalExternal"
  readonly seq: number
  readonly requested: SignalExternalRequested
}

/** @category models @since 0.1.0 */
export interface CancelExternal {
  readonly _tag: "CancelExternal"
  readonly seq: number
  readonly requested: CancelExternalRequested
}

/** @since 0.1.0 */
export type Command = SignalExternal | CancelExternal

/**
 * What became of a request, as the store tells the sender.
 *
 * @category models
 * @since 0.1.0
 */
export const ExternalOutcome = Schema.TaggedStruct("ExternalOutcome", {
  outcome: Schema.Union(ExternalSignaled, ExternalSignalFailed, ExternalCancelDelivered, ExternalCancelFailed)
})
/** @since 0.1.0 */
export type ExternalOutcome = typeof ExternalOutcome.Type

/** @since 0.1.0 */
export type Requested = SignalExternalRequested | CancelExternalRequested

/** What a run's state keeps of this family: requests that are not acknowledged, by sequence number. @since 0.1.0 */
export interface Slice {
  readonly externals: Map<number, Requested>
}

/** @since 0.1.0 */
export const empty = (): Slice => ({ externals: new Map() })

const request = (state: Slice, event: Requested): void => {
  state.externals.set(event.seq, event)
}

const settle = (state: Slice, event: { readonly seq: number }): void => {
  state.externals.delete(event.seq)
}

/** @since 0.1.0 */
export const evolve = {
  SignalExternalRequested: request,
  ExternalSignaled: settle,
  ExternalSignalFailed: settle,
  CancelExternalRequested: request,
  ExternalCancelDelivered: settle,
  ExternalCancelFailed: settle
}

/** @since 0.1.0 */
export const decide = {
  SignalExternal: (command: SignalExternal): SignalExternalRequested => command.requested,
  CancelExternal: (command: CancelExternal): CancelExternalRequested => command.requested
}

const sameTarget = (recorded: Target, attempted: Target): boolean =>
  recorded.workflowId === attempted.workflowId && recorded.runId === attempted.runId &&
  recorded.child === attempted.child

/** What identifies an event that a command becomes, and its words: what a replay compares (row V4). @since 0.1.0 */
export const compare = {
  SignalExternalRequested: {
    same: (recorded: SignalExternalRequested, attempted: SignalExternalRequested): boolean =>
      recorded.seq === attempted.seq && recorded.name === attempted.name && sameTarget(recorded, attempted),
    describe: (event: SignalExternalRequested): string =>
      `signal ${event.name} to workflow ${event.workflowId} #${event.seq}`,
    input: (event: SignalExternalRequested): Payload => event.input
  },
  CancelExternalRequested: {
    same: (recorded: CancelExternalRequested, attempted: CancelExternalRequested): boolean =>
      recorded.seq === attempted.seq && sameTarget(recorded, attempted),
    describe: (event: CancelExternalRequested): string => `cancel of workflow ${event.workflowId} #${event.seq}`
  }
}

/** @since 0.1.0 */
export const accept = {
  ExternalOutcome: (state: Slice, { outcome }: ExternalOutcome): ExternalOutcome["outcome"] | string =>
    state.externals.has(outcome.seq)
      ? outcome
      : `message ${outcome.seq} to another run is not pending: what became of it is already recorded`
}

/** What the sender is told once its request is delivered, or not. @since 0.1.0 */
export const outcomeOf = ({ _tag, seq }: Requested, undelivered: Undelivered | undefined): ExternalOutcome => ({
  _tag: "ExternalOutcome",
  outcome: _tag === "SignalExternalRequested"
    ? undelivered === undefined
      ? { _tag: "ExternalSignaled", seq }
      : { _tag: "ExternalSignalFailed", seq, reason: undelivered }
    : undelivered === undefined
    ? { _tag: "ExternalCancelDelivered", seq }
    : { _tag: "ExternalCancelFailed", seq, reason: undelivered }
})
