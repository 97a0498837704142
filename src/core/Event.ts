/**
 * Events: the recorded facts of a run, of all families, and their stored form.
 *
 * One history row holds the events of one turn: what the message brought, then what the commands became. Rows carry
 * the format version they were written in; old formats are brought up to date on reading, for ever (I6).
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Activity from "./family/Activity.js"
import * as Child from "./family/Child.js"
import * as Execution from "./family/Execution.js"
import * as External from "./family/External.js"
import * as Notes from "./family/Notes.js"
import * as Patch from "./family/Patch.js"
import * as Signal from "./family/Signal.js"
import * as Step from "./family/Step.js"
import * as Timer from "./family/Timer.js"
import * as Update from "./family/Update.js"
import * as Version from "./family/Version.js"
import * as Shape from "./Shape.js"

/**
 * The format that is written now. A change of any event's shape raises it and adds an upcaster.
 *
 * @category models
 * @since 0.1.0
 */
export const format = 1

/**
 * One recorded fact.
 *
 * @category models
 * @since 0.1.0
 */
export const Event = Schema.Union(
  ...Execution.events,
  ...Activity.events,
  ...Child.events,
  ...External.events,
  ...Timer.events,
  ...Step.events,
  ...Patch.events,
  ...Notes.events,
  ...Signal.events,
  ...Update.events,
  ...Version.events
)
/** @since 0.1.0 */
export type Event = typeof Event.Type
/** @since 0.1.0 */
export type Tag = Event["_tag"]

/**
 * The events of one turn.
 *
 * @category models
 * @since 0.1.0
 */
export interface Turn {
  /** Counts from 1, without gaps. */
  readonly turn: number
  /** The time of the message taken in, in epoch milliseconds. Never before the last turn's. */
  readonly at: number
  readonly events: ReadonlyArray<Event>
  /** Characters of its stored form, before codecs, where whoever has it knows (row K11). */
  readonly bytes?: number
}

/**
 * A history row cannot be read: it is damaged, or was written by a newer version.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnreadableTurn extends Schema.TaggedError<UnreadableTurn>()("UnreadableTurn", {
  turn: Schema.Number,
  reason: Schema.String
}) {
  override get message(): string {
    return `history row of turn ${this.turn} cannot be read: ${this.reason}`
  }
}

/**
 * Brings the raw events of one format to the next one. Keyed by the format that they were written in.
 *
 * @category models
 * @since 0.1.0
 */
export type Upcasters = Readonly<Record<number, (events: ReadonlyArray<unknown>) => ReadonlyArray<unknown>>>

/** Format 1 is the first one: nothing to bring up to date yet. */
const upcasters: Upcasters = {}
const current = { format, upcasters }

// Every replay passes through the check; the schema's own decoder is asked only for what is wrong (Shape.ts).
const isEvents = Shape.compile(Schema.Array(Event))
const decodeEvents = Schema.decodeUnknownEither(Schema.Array(Event), { errors: "first", exact: true })

/**
 * The stored form of a turn's events.
 *
 * @category combinators
 * @since 0.1.0
 */
export const encode = (events: ReadonlyArray<Event>): string => JSON.stringify(events)

const unreadable = (turn: number, reason: string) => Either.left(new UnreadableTurn({ turn, reason }))
const explain = (turn: number, events: ReadonlyArray<unknown>) =>
  Either.mapLeft(
    decodeEvents(events),
    (error) => new UnreadableTurn({ turn, reason: ParseResult.TreeFormatter.formatErrorSync(error) })
  )
const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

/** Whoever stands between a store and its reader may say why it could not hand the events on. */
const reasonIn = (raw: unknown): string | undefined => {
  const { unreadable } = (raw ?? {}) as { readonly unreadable?: unknown }
  return typeof unreadable === "string" ? unreadable : undefined
}

/**
 * Reads the stored form of a turn's events, of any format so far.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decode = (
  row: { readonly turn: number; readonly format: number; readonly events: string },
  known: { readonly format: number; readonly upcasters: Upcasters } = current
): Either.Either<ReadonlyArray<Event>, UnreadableTurn> => {
  if (row.format > known.format) {
    return unreadable(
      row.turn,
      `it has format ${row.format}, this version of perdure reads up to ${known.format}: upgrade it`
    )
  }
  let raw: unknown
  try {
    raw = JSON.parse(row.events)
  } catch (error) {
    return unreadable(row.turn, `not JSON (${messageOf(error)})`)
  }
  if (!Array.isArray(raw)) return unreadable(row.turn, reasonIn(raw) ?? "not a list of events")
  let events: ReadonlyArray<unknown> = raw
  for (let from = row.format; from < known.format; from++) {
    const upcast = known.upcasters[from]
    if (upcast === undefined) return unreadable(row.turn, `no way is known from format ${from} to ${from + 1}`)
    try {
      events = upcast(events)
    } catch (error) {
      return unreadable(row.turn, `the way from format ${from} to ${from + 1} failed (${messageOf(error)})`)
    }
  }
  if (isEvents(events)) return Either.right(events)
  return explain(row.turn, events)
}
