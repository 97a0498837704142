/**
 * Workflows by their name alone: for clients that have no contract, and messages that no contract declares (rows D8, S6).
 *
 * Values go and come as they are recorded: as JSON, in the encoded form of whatever contract the worker has.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { Any, Codecs, QueryCodecs, SignalCodecs, UpdateCodecs } from "./Codecs.js"
import * as Contract from "./Contract.js"
import { builtInQueries, reserved } from "./Names.js"

/**
 * A workflow whose contract is not known here: any message, any JSON.
 *
 * @category models
 * @since 0.1.0
 */
export interface Untyped extends Any {
  readonly types?: {
    readonly payload: unknown
    readonly success: unknown
    readonly error: never
    readonly signals: Readonly<Record<string, unknown>>
    readonly queries: Readonly<Record<string, { readonly payload: unknown; readonly success: unknown }>>
    readonly updates: Readonly<
      Record<string, { readonly payload: unknown; readonly success: unknown; readonly error: never }>
    >
    readonly dynamic: "signals" | "queries" | "updates"
  }
}

const any = Contract.codec(Schema.Unknown, "a value without a contract")

/** The codecs of what no contract declares: JSON, and nothing else. @since 0.1.0 */
export const rawCodecs: UpdateCodecs = {
  payload: any,
  success: any,
  error: Contract.codec(Contract.neverSchema, "an error without a contract"),
  description: undefined,
  unfinished: "Warn"
}

const codecs: Codecs = {
  ...rawCodecs,
  signals: new Map(),
  queries: new Map(),
  updates: new Map(),
  dynamic: new Set(["signals", "queries", "updates"])
}

/**
 * A workflow by its name alone, to start it and to talk to it.
 *
 * Payloads, results and messages are JSON in their encoded form. Errors that the real contract declares arrive in
 * `WorkflowFailure` and `UpdateFailed`, encoded, as a failure with the tag `Declared`. Messages are checked by the
 * worker only: a signal that it cannot read is dropped there (row S4).
 *
 * @category constructors
 * @since 0.1.0
 */
export const untyped = (name: string): Untyped => ({ name, codecs })

/**
 * The codecs of a message as its sender has them: those that the contract declares, else raw ones where it takes in any
 * name. The left side says why there are none.
 *
 * @since 0.1.0
 */
export const signal = (workflow: Any, name: string): SignalCodecs | Contract.ContractError =>
  workflow.codecs.signals.get(name) ?? dynamic(workflow, "signals", "signal", name)

/** @since 0.1.0 */
export const query = (workflow: Any, name: string): QueryCodecs | Contract.ContractError =>
  workflow.codecs.queries.get(name) ??
    ((builtInQueries as ReadonlyArray<string>).includes(name)
      ? rawCodecs
      : dynamic(workflow, "queries", "query", name))

/** @since 0.1.0 */
export const update = (workflow: Any, name: string): UpdateCodecs | Contract.ContractError =>
  workflow.codecs.updates.get(name) ?? dynamic(workflow, "updates", "update", name)

const dynamic = (
  workflow: Any,
  kind: "signals" | "queries" | "updates",
  called: string,
  name: string
): UpdateCodecs | Contract.ContractError => {
  const why = reserved(name)
  return why === undefined && workflow.codecs.dynamic.has(kind)
    ? rawCodecs
    : new Contract.ContractError({
      subject: `workflow ${workflow.name}`,
      reason: why === undefined ? `declares no ${called} ${name}` : `${called} ${JSON.stringify(name)}: ${why}`
    })
}
