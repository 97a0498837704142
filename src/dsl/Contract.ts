/**
 * Contracts: how schemas given in a definition become types, and codecs that are compiled once.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Payload from "../core/Payload.js"

/**
 * A schema without services: contracts are data, the same in every process.
 *
 * @category models
 * @since 0.1.0
 */
export type AnySchema = Schema.Schema.AnyNoContext

/**
 * A payload is a schema, or the fields of a struct.
 *
 * @category models
 * @since 0.1.0
 */
export type PayloadInput = AnySchema | Schema.Struct.Fields

/** The decoded type of what was given as a payload. @since 0.1.0 */
export type PayloadType<P> = P extends AnySchema ? Schema.Schema.Type<P>
  : P extends Schema.Struct.Fields ? Schema.Schema.Type<Schema.Struct<P>>
  : void

/** The schema of errors where none are declared. @since 0.1.0 */
export const neverSchema: AnySchema = Schema.Never as unknown as AnySchema

/** The decoded type of a schema that may be left out. @since 0.1.0 */
export type TypeOf<S, Default> = S extends AnySchema ? Schema.Schema.Type<S> : Default

/**
 * A value does not fit the schema of its contract.
 *
 * @category errors
 * @since 0.1.0
 */
export class ContractError extends Schema.TaggedError<ContractError>()("ContractError", {
  /** What was read or written, as in "payload of activity ChargeCard". */
  subject: Schema.String,
  reason: Schema.String,
  /** The field that does not fit, as in `lines[2].price`; the whole value where it is left out. */
  path: Schema.optionalWith(Schema.String, { exact: true })
}) {
  override get message(): string {
    return `${this.subject}: ${this.reason}`
  }
}

/**
 * Both directions of one schema, compiled once. The left sides are errors, never defects.
 *
 * @category models
 * @since 0.1.0
 */
export interface Codec {
  /** What it was compiled from: tests generate values of it. */
  readonly schema: AnySchema
  readonly encode: (value: unknown) => Either.Either<Payload.Payload, ContractError>
  readonly decode: (payload: Payload.Payload) => Either.Either<unknown, ContractError>
}

const isSchema = (input: PayloadInput): input is AnySchema => Schema.isSchema(input)

/** @since 0.1.0 */
export const payloadSchema = (input: PayloadInput | undefined): AnySchema =>
  input === undefined ? Schema.Void : isSchema(input) ? input : Schema.Struct(input) as unknown as AnySchema

/**
 * Compiles a schema to a codec. `subject` names it in errors.
 *
 * @category constructors
 * @since 0.1.0
 */
export const codec = (schema: AnySchema, subject: string): Codec => {
  const refuse = (error: { readonly message: string }) =>
    new ContractError({ subject, reason: error.message, ...pathOf(error) })
  // A void value carries nothing: it is left out of the event altogether.
  if (schema.ast === Schema.Void.ast) {
    return { schema, encode: () => Either.right(undefined), decode: () => Either.right(undefined) }
  }
  const encode = refusing(Schema.encodeUnknownEither(schema as Schema.Schema<unknown, unknown>))
  const decode = refusing(Schema.decodeUnknownEither(schema as Schema.Schema<unknown, unknown>))
  return {
    schema,
    encode: (value) => {
      const encoded = encode(value)
      if (Either.isLeft(encoded)) return Either.left(refuse(encoded.left))
      const checked = Payload.check(encoded.right)
      return Either.isLeft(checked) ? Either.left(refuse(checked.left)) : Either.right(encoded.right)
    },
    decode: (payload) => {
      const decoded = decode(payload)
      return Either.isLeft(decoded) ? Either.left(refuse(decoded.left)) : Either.right(decoded.right)
    }
  }
}

const pathOf = (error: unknown): { readonly path?: string } => {
  if (!ParseResult.isParseError(error)) return {}
  const path = ParseResult.ArrayFormatter.formatErrorSync(error)[0]?.path ?? []
  if (path.length === 0) return {}
  const steps = path.map((step) => typeof step === "number" ? `[${step}]` : `.${String(step)}`)
  return { path: steps.join("").replace(/^\./, "") }
}

/** What a schema throws at bad input (a union, at a tag that cannot be made a text; an author's transformation) refuses it. */
const refusing =
  (parse: (value: unknown) => Either.Either<unknown, ParseResult.ParseError>) =>
  (value: unknown): Either.Either<unknown, { readonly message: string }> => {
    try {
      return parse(value)
    } catch (thrown) {
      return Either.left({ message: `cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}` })
    }
  }
