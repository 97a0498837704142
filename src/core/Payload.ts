/**
 * Payloads: values in their encoded form, as they stand in events and messages.
 *
 * A payload is what a Schema encoded to, and must be JSON through and through: what `JSON.stringify` would silently
 * change (NaN to null, a Map to {}, a Date to text) is refused here, at the author's call, not found on a replay.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Limits } from "./Limits.js"

/**
 * An encoded value. `undefined` stands for an absent value, as `Schema.Void` encodes to.
 *
 * @category models
 * @since 0.1.0
 */
export type Payload = unknown

/**
 * The value of a contract cannot be recorded: it is not JSON, or it is too large.
 *
 * @category errors
 * @since 0.1.0
 */
export class PayloadError extends Schema.TaggedError<PayloadError>()("PayloadError", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `payload${this.path === "" ? "" : ` at ${this.path}`}: ${this.reason}`
  }
}

/**
 * Checks that a value is JSON and within the size limit, and estimates its encoded size in bytes.
 *
 * The estimate counts characters plus punctuation; it is exact enough for a limit and needs no second encoding.
 *
 * @category constructors
 * @since 0.1.0
 */
export const check = (
  value: Payload,
  bytesMax: number = Limits.payloadBytesMax
): Either.Either<number, PayloadError> => {
  if (value === undefined) return Either.right(0)
  const walk: Walk = { bytes: 0, bytesMax, reason: "", path: undefined }
  try {
    if (takes(walk, value, 0)) {
      if (walk.bytes <= bytesMax) return Either.right(walk.bytes)
      walk.reason = `${walk.bytes} bytes, more than ${bytesMax}`
    }
  } catch (error) {
    walk.path = undefined
    walk.reason = `it cannot be read (${error instanceof Error ? error.message : "its getters throw"})`
  }
  const path = walk.path === undefined ? "" : walk.path.reverse().join("").replace(/^\./, "")
  return Either.left(new PayloadError({ path, reason: walk.reason }))
}

/** Every replayed call passes here: the path of a fault is put together only once there is one, on the way back. */
interface Walk {
  bytes: number
  readonly bytesMax: number
  reason: string
  /** From the fault outwards; undefined where the fault is of the whole value. */
  path: Array<string> | undefined
}

const refuse = (walk: Walk, reason: string): false => {
  walk.reason = reason
  walk.path = []
  return false
}

const within = (walk: Walk, key: string): false => {
  walk.path?.push(key)
  return false
}

const takes = (walk: Walk, value: unknown, depth: number): boolean => {
  if (walk.bytes > walk.bytesMax) {
    walk.reason = `more than ${walk.bytesMax} bytes`
    return false
  }
  switch (typeof value) {
    case "string":
      walk.bytes += value.length + 2
      return true
    case "number":
      walk.bytes += 8
      return Number.isFinite(value) || refuse(walk, `${value} is not JSON`)
    case "boolean":
      walk.bytes += 5
      return true
    case "object": {
      walk.bytes += 2
      if (value === null) return true
      if (depth >= Limits.payloadDepthMax) return refuse(walk, `nested deeper than ${Limits.payloadDepthMax}`)
      return Array.isArray(value) ? takesList(walk, value, depth) : takesFields(walk, value, depth)
    }
    default:
      return refuse(walk, `a value of type ${typeof value} is not JSON`)
  }
}

const takesList = (walk: Walk, list: ReadonlyArray<unknown>, depth: number): boolean => {
  for (let i = 0; i < list.length; i++) {
    walk.bytes += 1
    if (!takes(walk, list[i], depth + 1)) return within(walk, `[${i}]`)
  }
  return true
}

const takesFields = (walk: Walk, value: object, depth: number): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    // Class instances that a schema left as they are (a Map, a Date) would lose their content in JSON.
    return refuse(
      walk,
      `a ${value.constructor?.name ?? "class instance"} is not JSON; give the schema an encoding`
    )
  }
  for (const key in value) {
    const field: unknown = (value as Record<string, unknown>)[key]
    if (field === undefined) continue
    walk.bytes += key.length + 4
    if (!takes(walk, field, depth + 1)) return within(walk, `.${key}`)
  }
  return true
}

/**
 * Whether two payloads are the same JSON value. The order of fields does not count, and an undefined field is an absent
 * one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const equals = (a: Payload, b: Payload): boolean => {
  if (a === b) return true
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => equals(item, b[i]))
  }
  const left = a as Readonly<Record<string, unknown>>
  const right = b as Readonly<Record<string, unknown>>
  return Object.keys(left).every((key) => equals(left[key], own(right, key))) &&
    Object.keys(right).every((key) => right[key] === undefined || own(left, key) !== undefined)
}

const own = (fields: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(fields, key) ? fields[key] : undefined
