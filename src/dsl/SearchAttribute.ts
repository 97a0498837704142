/**
 * Search attributes: what runs are listed by (row W13). A definition names them, each with its type.
 *
 * Values are stored as they are, and never encoded by a payload codec: put no secrets in them.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { AttributeType } from "../core/family/Notes.js"
import { Limits } from "../core/Limits.js"
import type { AnySchema } from "./Contract.js"

/**
 * The type of a search attribute, and of its values.
 *
 * @category models
 * @since 0.1.0
 */
export interface SearchAttribute<out A> {
  readonly type: AttributeType
  readonly schema: AnySchema
  readonly value?: A
}

const make = <A, I>(type: AttributeType, schema: Schema.Schema<A, I>): SearchAttribute<A> => ({ type, schema })

const Word = Schema.String.pipe(Schema.maxLength(Limits.identifierCharsMax))

/** A text that is compared as a whole: an id, a state, a country. At most 1,000 characters. @category constructors @since 0.1.0 */
export const keyword: SearchAttribute<string> = make("keyword", Word)

/** A text that is searched for what is in it. At most 1,000 characters. @category constructors @since 0.1.0 */
export const text: SearchAttribute<string> = make("text", Word)

/** A whole number between -2^53 and 2^53. @category constructors @since 0.1.0 */
export const int: SearchAttribute<number> = make(
  "int",
  Schema.Number.pipe(Schema.filter((value) => Number.isSafeInteger(value) || "a whole number that is exact"))
)

/** A number. @category constructors @since 0.1.0 */
export const double: SearchAttribute<number> = make("double", Schema.Finite)

/** @category constructors @since 0.1.0 */
export const bool: SearchAttribute<boolean> = make("bool", Schema.Boolean)

/** A moment, to the millisecond. @category constructors @since 0.1.0 */
export const datetime: SearchAttribute<Date> = make(
  "datetime",
  Schema.transform(Schema.Number, Schema.ValidDateFromSelf, {
    strict: true,
    decode: (millis) => new Date(millis),
    encode: (date) => date.getTime()
  })
)

/** Several keywords: a run is found by each. At most 100. @category constructors @since 0.1.0 */
export const keywordList: SearchAttribute<ReadonlyArray<string>> = make(
  "keywordList",
  Schema.Array(Word).pipe(Schema.maxItems(Limits.keywordsMax))
)
