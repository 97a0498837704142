/**
 * What a run says of itself to those who look at it: its memo, and the attributes that it is searched by (rows W12, W13).
 *
 *   (Start, with the first of both)
 *   UpsertMemo ──▶ MemoUpserted                         one field after the other: set, or removed
 *   UpsertSearchAttributes ──▶ SearchAttributesUpserted
 *
 * 1. Neither steers the run: what its code needs, it keeps itself. 2. A removed field leaves its event all the same.
 * 3. Values of a memo are payloads; attributes are plain, since a store searches them.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { Payload } from "../Payload.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** A field of a memo; without a value, one that is removed. @category models @since 0.1.0 */
export const MemoField = Schema.Struct({ name: Schema.String, value: optional(Schema.Unknown) })
/** @since 0.1.0 */
export type MemoField = typeof MemoField.Type

/** How a store compares the values of an attribute. @category models @since 0.1.0 */
export const AttributeType = Schema.Literal("text", "keyword", "int", "double", "bool", "datetime", "keywordList")
/** @since 0.1.0 */
export type AttributeType = typeof AttributeType.Type

/**
 * A search attribute in its stored form: texts, numbers, booleans, dates in epoch milliseconds, lists of texts. Without a
 * value, one that is removed.
 *
 * @category models
 * @since 0.1.0
 */
export const Attribute = Schema.Struct({ name: Schema.String, type: AttributeType, value: optional(Schema.Unknown) })
/** @since 0.1.0 */
export type Attribute = typeof Attribute.Type

/** What a start may carry. @since 0.1.0 */
export const carried = {
  memo: optional(Schema.Array(MemoField)),
  searchAttributes: optional(Schema.Array(Attribute)),
  /** One line on what this run is for, and more of it: fixed at the start (row W20). */
  summary: optional(Schema.String),
  details: optional(Schema.String)
}

/** @category models @since 0.1.0 */
export const MemoUpserted = Schema.TaggedStruct("MemoUpserted", { fields: Schema.Array(MemoField) })
/** @since 0.1.0 */
export type MemoUpserted = typeof MemoUpserted.Type

/** @category models @since 0.1.0 */
export const SearchAttributesUpserted = Schema.TaggedStruct("SearchAttributesUpserted", {
  attributes: Schema.Array(Attribute)
})
/** @since 0.1.0 */
export type SearchAttributesUpserted = typeof SearchAttributesUpserted.Type

/** @category models @since 0.1.0 */
export const events = [MemoUpserted, SearchAttributesUpserted] as const

/** @category models @since 0.1.0 */
export interface UpsertMemo {
  readonly _tag: "UpsertMemo"
  readonly fields: ReadonlyArray<MemoField>
}

/** @category models @since 0.1.0 */
export interface UpsertSearchAttributes {
  readonly _tag: "UpsertSearchAttributes"
  readonly attributes: ReadonlyArray<Attribute>
}

/** @since 0.1.0 */
export type Command = UpsertMemo | UpsertSearchAttributes

/** What a run's state keeps of this family: the changes since its start. @since 0.1.0 */
export interface Slice {
  memoChanges: ReadonlyArray<MemoField>
  attributeChanges: ReadonlyArray<Attribute>
}

const none: ReadonlyArray<never> = []

/** @since 0.1.0 */
export const empty = (): Slice => ({ memoChanges: none, attributeChanges: none })

/** What both kinds have. */
interface Named {
  readonly name: string
  readonly value?: unknown
}

/**
 * Changes after what was there: the last one of each name, in the order of their first.
 *
 * @category combinators
 * @since 0.1.0
 */
export const merge = <A extends Named>(before: ReadonlyArray<A>, changes: ReadonlyArray<A>): ReadonlyArray<A> => {
  if (changes.length === 0) return before
  const merged = new Map(before.map((one) => [one.name, one]))
  for (const change of changes) merged.set(change.name, change)
  return [...merged.values()]
}

/** What is there: without what was removed. @since 0.1.0 */
export const present = <A extends Named>(all: ReadonlyArray<A>): ReadonlyArray<A> =>
  all.some(({ value }) => value === undefined) ? all.filter(({ value }) => value !== undefined) : all

/** @since 0.1.0 */
export const evolve = {
  MemoUpserted: (state: Slice, { fields }: MemoUpserted): void => {
    state.memoChanges = merge(state.memoChanges, fields)
  },
  SearchAttributesUpserted: (state: Slice, { attributes }: SearchAttributesUpserted): void => {
    state.attributeChanges = merge(state.attributeChanges, attributes)
  }
}

/** @since 0.1.0 */
export const decide = {
  UpsertMemo: ({ fields }: UpsertMemo): MemoUpserted => ({ _tag: "MemoUpserted", fields }),
  UpsertSearchAttributes: ({ attributes }: UpsertSearchAttributes): SearchAttributesUpserted => ({
    _tag: "SearchAttributesUpserted",
    attributes
  })
}

const names = (all: ReadonlyArray<Named>): string => all.map(({ name }) => name).join(", ")
const values = (all: ReadonlyArray<Named>): Payload => all.map(({ name, value }) => ({ name, value }))

/** What identifies an event that a command becomes, and its words: what a replay compares (row V4). @since 0.1.0 */
export const compare = {
  MemoUpserted: {
    same: (recorded: MemoUpserted, attempted: MemoUpserted): boolean =>
      names(recorded.fields) === names(attempted.fields),
    describe: ({ fields }: MemoUpserted): string => `change of memo ${names(fields)}`,
    input: ({ fields }: MemoUpserted): Payload => values(fields)
  },
  SearchAttributesUpserted: {
    same: (recorded: SearchAttributesUpserted, attempted: SearchAttributesUpserted): boolean =>
      names(recorded.attributes) === names(attempted.attributes),
    describe: ({ attributes }: SearchAttributesUpserted): string => `change of search attributes ${names(attributes)}`,
    input: ({ attributes }: SearchAttributesUpserted): Payload => values(attributes)
  }
}

interface Began extends Carried {
  readonly _tag: "ExecutionStarted"
}

/** What a start carries of all this. @since 0.1.0 */
export interface Carried {
  readonly memo?: ReadonlyArray<MemoField>
  readonly searchAttributes?: ReadonlyArray<Attribute>
  readonly summary?: string
  readonly details?: string
}

/**
 * What a run says of itself once the events of a turn are in: what is shown of it, and handed on to the run that follows
 * it (row K10).
 *
 * @category combinators
 * @since 0.1.0
 */
export const after = (
  state: Slice & { readonly started: Carried | undefined },
  events: ReadonlyArray<{ readonly _tag: string }> = none
): Carried => {
  const { attributeChanges, memoChanges } = state
  const slice: Slice = { attributeChanges, memoChanges }
  let { started } = state
  for (const event of events as ReadonlyArray<MemoUpserted | SearchAttributesUpserted | Began>) {
    if (event._tag === "ExecutionStarted") started = event
    if (event._tag === "MemoUpserted") evolve.MemoUpserted(slice, event)
    if (event._tag === "SearchAttributesUpserted") evolve.SearchAttributesUpserted(slice, event)
  }
  const { details, memo = none, searchAttributes = none, summary } = started ?? {}
  const fields = present(merge(memo, slice.memoChanges))
  const attributes = present(merge(searchAttributes, slice.attributeChanges))
  return {
    ...(fields.length === 0 ? {} : { memo: fields }),
    ...(attributes.length === 0 ? {} : { searchAttributes: attributes }),
    ...(summary === undefined ? {} : { summary }),
    ...(details === undefined ? {} : { details })
  }
}

/**
 * What a store keeps of it beside the history: as JSON for who looks at the run, and what it is found by.
 *
 * @category combinators
 * @since 0.1.0
 */
export const rows = (carried: Carried): { readonly notes?: string; readonly attributes?: ReadonlyArray<Attribute> } => {
  const { details, memo, searchAttributes, summary } = carried
  if (memo === undefined && searchAttributes === undefined && summary === undefined && details === undefined) return {}
  return {
    notes: JSON.stringify({ memo, searchAttributes, summary, details }),
    ...(searchAttributes === undefined ? {} : { attributes: searchAttributes })
  }
}
