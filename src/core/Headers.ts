/**
 * Headers: what interceptors send along with a call, beside its payload. They are recorded with what carried them.
 *
 * 1. A record of texts to JSON, bounded in number and size. What has none has no field: nothing is written for them.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Limits } from "./Limits.js"
import * as Payload from "./Payload.js"

/**
 * Names to JSON values.
 *
 * @category models
 * @since 0.1.0
 */
export const Headers = Schema.Record({ key: Schema.String, value: Schema.Unknown })
/** @since 0.1.0 */
export type Headers = typeof Headers.Type

/** @since 0.1.0 */
export const none: Headers = Object.freeze({})

/** As they stand in an event or a message: no field where there are none. @since 0.1.0 */
export interface Field {
  readonly headers?: Headers
}

const noField: Field = {}

/**
 * The field of a message or event; the left side says why these headers cannot be recorded.
 *
 * @category constructors
 * @since 0.1.0
 */
export const field = (headers: Headers): Either.Either<Field, string> => {
  if (headers === none) return Either.right(noField)
  const names = Object.keys(headers)
  if (names.length === 0) return Either.right(noField)
  if (names.length > Limits.headersMax) {
    return Either.left(`${names.length} headers, more than ${Limits.headersMax}`)
  }
  const checked = Payload.check(headers, Limits.headersBytesMax)
  return Either.isLeft(checked)
    ? Either.left(`headers${checked.left.path === "" ? "" : ` at ${checked.left.path}`}: ${checked.left.reason}`)
    : Either.right({ headers })
}
