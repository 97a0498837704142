/**
 * Payload codecs: what is done to each recorded value on its way to the store, and undone on its way back (row N5).
 *
 * ```
 *   payload ──JSON──▶ bytes ──▶ compression ──▶ encryption ──▶ {"perdure/encoded": [...], "data": base64} ──▶ row
 *                           ◀──             ◀──            ◀──
 * ```
 *
 * Encoded are inputs, headers, results, errors and details of failures, memos, heartbeats, answers to queries;
 * never ids, names, times, or search attributes. A value that was written without codecs is read as it is.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Buffer } from "node:buffer"
import * as crypto from "node:crypto"
import * as zlib from "node:zlib"

/**
 * Where a value stands, and whose it is (row N4).
 *
 * What a codec makes depend on it must be the same when the value comes back. `kind`, `workflowId` and the activity are,
 * wherever a value is found again: mail becomes history, and moves from one run of a chain to the next, which has another
 * `runId`, and may be of another `workflow`. What more a codec needs, as the id of a key, belongs into its header.
 *
 * @category models
 * @since 0.1.0
 */
export interface Place {
  /** The field, as in "input". */
  readonly kind: string
  /** Undefined in an answer to a call, which is kept until its caller takes it; there nothing but `kind` is told. */
  readonly runId: string | undefined
  /** Of a child's input and result, in its parent's history, the parent's. Undefined in a schedule: no execution has it yet. */
  readonly workflowId: string | undefined
  /** The name of the workflow; undefined too in what one run sends to another by its workflow id. */
  readonly workflow: string | undefined
  /** The activity whose input, result, failure or heartbeat it is; undefined of all other values. Looked up when it is asked for. */
  readonly activity: Effect.Effect<ActivityPlace | undefined, PayloadCodecError>
}

/** An activity of a run. @category models @since 0.1.0 */
export interface ActivityPlace {
  /** Its name. */
  readonly activity: string
  /** As `Activity.info` has it. */
  readonly activityId: string
}

/** What a codec made of some bytes, with what it must be told to undo it. @since 0.1.0 */
export interface Encoded {
  readonly bytes: Uint8Array
  /** Readable by all: the id of a key, never a key. */
  readonly header?: Readonly<Record<string, string>>
}

/**
 * One step. `encode` may leave a value alone by giving undefined; then it is not asked to undo it.
 *
 * @category models
 * @since 0.1.0
 */
export interface PayloadCodec {
  /** Recorded with each value: it says which codec undoes it, so it must stay. */
  readonly name: string
  readonly encode: (bytes: Uint8Array, place: Place) => Effect.Effect<Encoded | undefined, PayloadCodecError>
  readonly decode: (encoded: Encoded, place: Place) => Effect.Effect<Uint8Array, PayloadCodecError>
}

/**
 * A value could not be encoded, or not be undone: a key is missing or wrong, or what was stored is damaged.
 *
 * @category errors
 * @since 0.1.0
 */
export class PayloadCodecError extends Schema.TaggedError<PayloadCodecError>()("PayloadCodecError", {
  codec: Schema.String,
  runId: Schema.optionalWith(Schema.String, { exact: true }),
  kind: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.kind}${this.runId === undefined ? "" : ` of run ${this.runId}`}: codec ${this.codec}: ${this.reason}`
  }
}

const fail = (codec: string, { kind, runId }: Place, reason: string) =>
  new PayloadCodecError({ codec, kind, reason, ...(runId === undefined ? {} : { runId }) })

const attempt = <A>(codec: string, place: Place, run: () => A): Effect.Effect<A, PayloadCodecError> =>
  Effect.try({
    try: run,
    catch: (error) => fail(codec, place, error instanceof Error ? error.message : String(error))
  })

/**
 * Compresses values of at least `minimumBytes` (default 1,024), where that makes them smaller. Put it before encryption.
 *
 * @category constructors
 * @since 0.1.0
 */
export const compression = ({ minimumBytes = 1_024 }: { readonly minimumBytes?: number } = {}): PayloadCodec => ({
  name: "deflate",
  encode: (bytes, place) =>
    bytes.length < minimumBytes ? Effect.succeed(undefined) : Effect.map(
      attempt("deflate", place, () => zlib.deflateRawSync(bytes)),
      (smaller) => smaller.length < bytes.length ? { bytes: smaller } : undefined
    ),
  decode: ({ bytes }, place) =>
    attempt("deflate", place, () => zlib.inflateRawSync(bytes, { maxOutputLength: inflatedBytesMax }))
})

/** A bound on what a few damaged or hostile bytes may swell to. */
const inflatedBytesMax = 64 * 1024 * 1024

/**
 * Encrypts values by AES-256-GCM, bound to their field, so that no input can be put in the place of a result.
 *
 * To rotate, add a key, make it the current one, and keep the old ones for as long as values with them are kept.
 *
 * @category constructors
 * @since 0.1.0
 */
export const encryption = (options: {
  /** 32 bytes each, by id. */
  readonly keys: Readonly<Record<string, Uint8Array>>
  /** The id of the key that encrypts from now on. */
  readonly current: string
}): PayloadCodec => {
  const keyOf = (id: string | undefined): Uint8Array => {
    const key = id === undefined ? undefined : options.keys[id]
    if (key === undefined) {
      throw new Error(
        `it was encrypted with key ${id}, which is not among those given: ${Object.keys(options.keys).join(", ")}`
      )
    }
    return key
  }
  for (const [id, key] of Object.entries(options.keys)) {
    if (key.length !== 32) throw new Error(`key ${id} has ${key.length} bytes, AES-256 takes 32`)
  }
  if (options.keys[options.current] === undefined) throw new Error(`the current key ${options.current} is not given`)
  return {
    name: algorithm,
    encode: (bytes, place) =>
      attempt(algorithm, place, () => {
        const nonce = crypto.randomBytes(12)
        const cipher = crypto.createCipheriv(algorithm, keyOf(options.current), nonce)
        cipher.setAAD(boundTo(place))
        const body = [cipher.update(bytes), cipher.final()]
        return { bytes: Buffer.concat([nonce, cipher.getAuthTag(), ...body]), header: { key: options.current } }
      }),
    decode: ({ bytes, header }, place) =>
      attempt(algorithm, place, () => {
        const decipher = crypto.createDecipheriv(algorithm, keyOf(header?.["key"]), bytes.subarray(0, 12))
        decipher.setAAD(boundTo(place))
        decipher.setAuthTag(bytes.subarray(12, 28))
        try {
          return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()])
        } catch {
          throw new Error(`key ${header?.["key"]} does not open it: another key goes by that id, or it was changed`)
        }
      })
  }
}

const algorithm = "aes-256-gcm"

// Of the place only what is the same wherever the value is copied to: mail becomes history, one run's memo the next one's.
const boundTo = ({ kind }: Place): Uint8Array => Buffer.from(kind)

/**
 * Where large values are kept apart from their history.
 *
 * @category models
 * @since 0.1.0
 */
export interface PayloadStore {
  /** Kept by their content: the same bytes twice are one. Gives what finds them again. */
  readonly put: (bytes: Uint8Array) => Effect.Effect<string, Error>
  readonly get: (reference: string) => Effect.Effect<Uint8Array, Error>
}

/**
 * Keeps values above `bytesMax` (default 128 KiB) in a store of their own, and a reference in their place: a claim check.
 * Put it last. What no history refers to any more is for you to remove.
 *
 * @category constructors
 * @since 0.1.0
 */
export const claimCheck = (
  store: PayloadStore,
  { bytesMax = 131_072 }: { readonly bytesMax?: number } = {}
): PayloadCodec => ({
  name: "claim-check",
  encode: (bytes, place) =>
    bytes.length <= bytesMax
      ? Effect.succeed(undefined)
      : Effect.mapBoth(store.put(bytes), {
        onSuccess: (reference) => ({ bytes: Buffer.from(reference) }),
        onFailure: (error) => fail("claim-check", place, error.message)
      }),
  decode: ({ bytes }, place) =>
    Effect.mapError(store.get(Buffer.from(bytes).toString()), (error) => fail("claim-check", place, error.message))
})
