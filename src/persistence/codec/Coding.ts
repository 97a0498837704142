/**
 * Finds the payloads in stored texts, and passes each through the codecs.
 *
 * Texts are JSON: events, messages, failures, answers. Payloads stand in the fields named below, wherever the object is
 * nested, and nothing within a payload is looked at.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { Buffer } from "node:buffer"
import type { StoreError } from "../Store.js"
import type { Owner } from "./Owners.js"
import { isScheduled, scheduledIn } from "./Owners.js"
import type { ActivityPlace, Encoded, PayloadCodec, Place } from "./PayloadCodec.js"
import { PayloadCodecError } from "./PayloadCodec.js"

/** @since 0.1.0 */
export interface Options {
  readonly codecs: ReadonlyArray<PayloadCodec>
  /** Whether messages and stacks of failures are encoded too. */
  readonly failureMessages: boolean
}

/** The field of an encoded payload that names its codecs, in the order in which they were applied. */
const mark = "perdure/encoded"

const payloads = new Set([
  "input",
  "result",
  "error",
  "details",
  "summary",
  "lastResult",
  "lastHeartbeat",
  "value",
  "headers"
])
const messages = new Set(["message", "stack"])
/** Never encoded, whatever is in them. */
const plain = new Set(["searchAttributes", "attributes"])

/** @since 0.1.0 */
export class Coding {
  constructor(private readonly options: Options) {}

  /** A stored text with its payloads encoded. */
  encode(text: string, owner: Owner): Effect.Effect<string, Trouble> {
    return this.through(text, owner, (value, place) => this.encodeValue(value, place))
  }

  /** The text as it was before. */
  decode(text: string, owner: Owner): Effect.Effect<string, Trouble> {
    if (text.includes(mark)) return this.through(text, owner, (value, place) => this.decodeValue(value, place))
    // Their outcomes come later, and do not name them.
    for (const scheduled of scheduledIn(text)) owner.met(scheduled.seq, called(scheduled))
    return Effect.succeed(text)
  }

  /** A text in which no activity is named, of an activity that is known. */
  encodeWithin(text: string, { owner, seq }: Whole): Effect.Effect<string, Trouble> {
    return this.through(text, owner, (value, place) => this.encodeValue(value, place), seq)
  }

  decodeWithin(text: string, { owner, seq }: Whole): Effect.Effect<string, Trouble> {
    return text.includes(mark)
      ? this.through(text, owner, (value, place) => this.decodeValue(value, place), seq)
      : Effect.succeed(text)
  }

  /** A text that is one payload. */
  encodeWhole(text: string, whole: Whole): Effect.Effect<string, Trouble> {
    return Effect.flatMap(
      placeOf(whole),
      (place) => Effect.map(this.encodeText(text, place), (coded) => coded === undefined ? text : JSON.stringify(coded))
    )
  }

  decodeWhole(text: string, whole: Whole): Effect.Effect<string, Trouble> {
    return text.includes(mark)
      ? Effect.flatMap(placeOf(whole), (place) => this.decodeText(JSON.parse(text) as Marked, place))
      : Effect.succeed(text)
  }

  // --- internal

  private through(
    text: string,
    owner: Owner,
    code: (value: unknown, place: Place) => Effect.Effect<unknown, PayloadCodecError>,
    within?: number
  ): Effect.Effect<string, Trouble> {
    // Some messages have no body at all.
    if (!text.startsWith("{") && !text.startsWith("[")) return Effect.succeed(text)
    const parsed: unknown = JSON.parse(text)
    const slots: Array<Slot> = []
    this.find(parsed, slots, owner, within)
    if (slots.length === 0) return Effect.succeed(text)
    return Effect.as(
      Effect.forEach(
        slots,
        ({ holder, key, seq }) =>
          Effect.map(
            Effect.flatMap(placeOf({ owner, kind: key, seq }), (place) => code(holder[key], place)),
            (coded) => {
              holder[key] = coded
            }
          ),
        { discard: true }
      ),
      parsed
    ).pipe(Effect.map((coded) => JSON.stringify(coded)))
  }

  private find(node: unknown, slots: Array<Slot>, owner: Owner, within?: number): void {
    if (typeof node !== "object" || node === null) return
    if (Array.isArray(node)) return node.forEach((each) => this.find(each, slots, owner, within))
    const holder = node as Record<string, unknown>
    const seq = ofActivities.has(holder["_tag"]) ? holder["seq"] as number : within
    if (isScheduled(node)) owner.met(node.seq, called(node))
    for (const key of Object.keys(holder)) {
      if (payloads.has(key) || (this.options.failureMessages && messages.has(key))) slots.push({ holder, key, seq })
      else if (!plain.has(key)) this.find(holder[key], slots, owner, seq)
    }
  }

  private encodeValue(value: unknown, place: Place): Effect.Effect<unknown, PayloadCodecError> {
    return Effect.map(this.encodeText(JSON.stringify(value), place), (coded) => coded ?? value)
  }

  private decodeValue(value: unknown, place: Place): Effect.Effect<unknown, PayloadCodecError> {
    return isMarked(value)
      ? Effect.map(this.decodeText(value, place), (text) => JSON.parse(text) as unknown)
      : Effect.succeed(value)
  }

  /** Undefined: no codec did anything. */
  private encodeText(text: string, place: Place): Effect.Effect<Marked | undefined, PayloadCodecError> {
    return Effect.gen(this, function*() {
      let bytes: Uint8Array = Buffer.from(text)
      const steps: Array<Step> = []
      for (const codec of this.options.codecs) {
        const encoded = yield* codec.encode(bytes, place)
        if (encoded === undefined) continue
        bytes = encoded.bytes
        steps.push({ codec: codec.name, ...(encoded.header === undefined ? {} : { header: encoded.header }) })
      }
      // An author's own value that looks like an encoded one must not be taken for it.
      if (steps.length === 0 && !text.includes(mark)) return undefined
      return { [mark]: steps, data: Buffer.from(bytes).toString("base64") }
    })
  }

  private decodeText(value: Marked, place: Place): Effect.Effect<string, PayloadCodecError> {
    return Effect.gen(this, function*() {
      let bytes: Uint8Array = Buffer.from(value.data, "base64")
      for (const { codec: name, header } of [...value[mark]].reverse()) {
        const codec = this.options.codecs.find((one) => one.name === name)
        if (codec === undefined) {
          return yield* new PayloadCodecError({
            codec: name,
            kind: place.kind,
            ...(place.runId === undefined ? {} : { runId: place.runId }),
            reason: "it is not among the codecs of this process"
          })
        }
        const encoded: Encoded = header === undefined ? { bytes } : { bytes, header }
        bytes = yield* codec.decode(encoded, place)
      }
      return Buffer.from(bytes).toString()
    })
  }
}

type Trouble = PayloadCodecError | StoreError

/** A value that is a text of its own. @since 0.1.0 */
export interface Whole {
  readonly owner: Owner
  readonly kind: string
  /** The number of the activity that it is of. */
  readonly seq: number | undefined
}

interface Slot {
  readonly holder: Record<string, unknown>
  readonly key: string
  readonly seq: number | undefined
}

/** What carries values of an activity, and names it by its number. */
const ofActivities = new Set<unknown>([
  "ActivityScheduled",
  "ActivityCompleted",
  "ActivityFailed",
  "ActivityCanceled"
])

const called = ({ id, name, seq }: { readonly seq: number; readonly name: string; readonly id?: string }) => ({
  activity: name,
  activityId: id ?? String(seq)
})

const placeOf = ({ kind, owner, seq }: Whole): Effect.Effect<Place, StoreError> =>
  Effect.map(owner.execution, (execution) => ({
    kind,
    runId: owner.runId,
    workflowId: execution?.workflowId,
    workflow: execution?.workflow,
    activity: seq === undefined ? noActivity : Effect.mapError(
      owner.activity(seq),
      ({ message }) =>
        new PayloadCodecError({
          codec: "none",
          kind,
          ...(owner.runId === undefined ? {} : { runId: owner.runId }),
          reason: `whose it is could not be looked up: ${message}`
        })
    )
  }))

const noActivity: Effect.Effect<ActivityPlace | undefined> = Effect.succeed(undefined)

interface Step {
  readonly codec: string
  readonly header?: Readonly<Record<string, string>>
}

interface Marked {
  readonly [mark]: ReadonlyArray<Step>
  readonly data: string
}

const isMarked = (value: unknown): value is Marked => typeof value === "object" && value !== null && mark in value
