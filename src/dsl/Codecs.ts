/**
 * The codecs of a workflow's contract: compiled once per definition, for the client and the runtime.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { checkName } from "./Activity.js"
import type { AnySchema, Codec, PayloadInput } from "./Contract.js"
import * as Contract from "./Contract.js"
import type { DynamicContract, Kind, QueryContract, SignalContract, Unfinished, UpdateContract } from "./Handlers.js"
import type { NoteCodecs } from "./Notes.js"

/** Compiled once per definition. @since 0.1.0 */
export interface Codecs {
  readonly payload: Codec
  readonly success: Codec
  readonly error: Codec
  readonly signals: ReadonlyMap<string, SignalCodecs>
  readonly queries: ReadonlyMap<string, QueryCodecs>
  readonly updates: ReadonlyMap<string, UpdateCodecs>
  /** Kinds of messages of which any name is taken in. */
  readonly dynamic: ReadonlySet<Kind>
}

/** @since 0.1.0 */
export interface SignalCodecs {
  readonly payload: Codec
  readonly description: string | undefined
  readonly unfinished: Unfinished
}

/** @since 0.1.0 */
export interface QueryCodecs {
  readonly payload: Codec
  readonly success: Codec
  readonly description: string | undefined
}

/** @since 0.1.0 */
export interface UpdateCodecs {
  readonly payload: Codec
  readonly success: Codec
  readonly error: Codec
  readonly description: string | undefined
  readonly unfinished: Unfinished
}

/**
 * Any workflow's contract.
 *
 * @category models
 * @since 0.1.0
 */
export interface Any {
  readonly name: string
  readonly codecs: Codecs
  readonly notes?: NoteCodecs | undefined
  readonly types?: unknown
}

/** The types of a workflow by part. @since 0.1.0 */
export type Types<W> = W extends { readonly types?: infer T } ? NonNullable<T> : never
/** @since 0.1.0 */
export type PayloadOf<W> = Types<W> extends { readonly payload: infer P } ? P : never
/** @since 0.1.0 */
export type SuccessOf<W> = Types<W> extends { readonly success: infer S } ? S : never
/** @since 0.1.0 */
export type ErrorOf<W> = Types<W> extends { readonly error: infer E } ? E : never
/** @since 0.1.0 */
export type SignalsOf<W> = Types<W> extends { readonly signals: infer S } ? S : never
/** @since 0.1.0 */
export type QueriesOf<W> = Types<W> extends { readonly queries: infer Q } ? Q : never
/** @since 0.1.0 */
export type UpdatesOf<W> = Types<W> extends { readonly updates: infer U } ? U : never

/** The codecs of a definition; throws on a name that may not be given (row D9). @since 0.1.0 */
export const compile = (name: string, options: {
  readonly payload?: PayloadInput | undefined
  readonly success?: AnySchema | undefined
  readonly error?: AnySchema | undefined
  readonly signals?: Record<string, SignalContract>
  readonly queries?: Record<string, QueryContract>
  readonly updates?: Record<string, UpdateContract>
  readonly dynamic?: DynamicContract
}): Codecs => {
  const each = <C, Out>(
    kind: string,
    contracts: Record<string, C> | undefined,
    make: (contract: C, of: string) => Out
  ) =>
    new Map(
      Object.entries(contracts ?? {}).map(([key, contract]) => {
        checkName(`${kind} of workflow ${name}`, key)
        return [key, make(contract, `${kind} ${name}.${key}`)] as const
      })
    )
  return {
    payload: Contract.codec(Contract.payloadSchema(options.payload), `payload of workflow ${name}`),
    success: Contract.codec(options.success ?? Schema.Void, `result of workflow ${name}`),
    error: Contract.codec(options.error ?? Contract.neverSchema, `error of workflow ${name}`),
    signals: each("signal", options.signals, (contract, of) => ({
      payload: Contract.codec(Contract.payloadSchema(contract.payload), `payload of ${of}`),
      description: contract.description,
      unfinished: contract.unfinished ?? "Warn"
    })),
    queries: each("query", options.queries, (contract, of) => ({
      payload: Contract.codec(Contract.payloadSchema(contract.payload), `payload of ${of}`),
      success: Contract.codec(contract.success ?? Schema.Void, `result of ${of}`),
      description: contract.description
    })),
    updates: each("update", options.updates, (contract, of) => ({
      payload: Contract.codec(Contract.payloadSchema(contract.payload), `payload of ${of}`),
      success: Contract.codec(contract.success ?? Schema.Void, `result of ${of}`),
      error: Contract.codec(contract.error ?? Contract.neverSchema, `error of ${of}`),
      description: contract.description,
      unfinished: contract.unfinished ?? "Warn"
    })),
    dynamic: new Set((["signals", "queries", "updates"] as const).filter((kind) => options.dynamic?.[kind] === true))
  }
}
