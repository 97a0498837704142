/**
 * Why a turn failed. A failed turn commits nothing; the run stays open and the turn is tried again (I7).
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/**
 * A body took or awaited something from outside that no event records (I8).
 *
 * @category errors
 * @since 0.1.0
 */
export class UnrecordedAccess extends Schema.TaggedError<UnrecordedAccess>()("UnrecordedAccess", {
  /** What was used, as in "Math.random". */
  access: Schema.String,
  /** What to use instead. */
  instead: Schema.String,
  /** The line that did it, where it is known. */
  place: Schema.optional(Schema.String)
}) {
  override get message(): string {
    return `${this.access} in a workflow body${
      this.place === undefined ? "" : ` (${this.place})`
    }: it would not be the same on replay. Use ${this.instead}.`
  }
}

/**
 * A body did not come to rest within its budget.
 *
 * @category errors
 * @since 0.1.0
 */
export class RunawayTurn extends Schema.TaggedError<RunawayTurn>()("RunawayTurn", {
  bound: Schema.String,
  limit: Schema.Number,
  place: Schema.optional(Schema.String)
}) {
  override get message(): string {
    return `the body did not come to rest within ${this.limit} ${this.bound}${
      this.place === undefined ? "" : ` (in span ${this.place})`
    }: a loop without a durable step in it?`
  }
}

/** The bound of a turn that was cut by the clock. @since 0.1.0 */
export const keptTheThread = "milliseconds, and kept the thread"

/**
 * The body, a handler or a compensation threw, or hit one of the engine's bounds.
 *
 * @category errors
 * @since 0.1.0
 */
export class BodyDefect extends Schema.TaggedError<BodyDefect>()("BodyDefect", {
  in: Schema.String,
  reason: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `${this.in} threw: ${this.reason}`
  }
}

/**
 * What an event recorded cannot be read with the schema of today (row D7). The run stays open: code whose schema reads
 * what was written, as one where a new field has a default, takes it on.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnreadablePayload extends Schema.TaggedError<UnreadablePayload>()("UnreadablePayload", {
  workflow: Schema.String,
  runId: Schema.String,
  /** Counts from 1 over the whole history. */
  event: Schema.Number,
  /** The event's tag. */
  kind: Schema.String,
  /** Which schema, as in "result of activity ChargeCard". */
  subject: Schema.String,
  /** The field that does not fit, as in `lines[2].price`; "" for the whole value. */
  path: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.workflow} (run ${this.runId}): what event ${this.event} (${this.kind}) recorded cannot be read as ${this.subject}${
      this.path === "" ? "" : `, at ${this.path}`
    }: ${this.reason}\nIt was written with another schema. Let this one read it: give a new field a default, keep an old one optional.`
  }
}

/** @since 0.1.0 */
export const defect = (where: string, cause: Cause.Cause<unknown>): BodyDefect | UnreadablePayload => {
  // Beside a typed failure, as in a failed fan-out, the defect is what fails the turn.
  const thrown = Option.getOrElse(Cause.dieOption(cause), () => Cause.squash(cause))
  if (thrown instanceof UnreadablePayload) return thrown
  return new BodyDefect({
    in: where,
    reason: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown),
    cause: thrown
  })
}

/**
 * The first line of a stack that belongs to the author: not to this library, to effect, or to Node itself.
 *
 * @since 0.1.0
 */
export const authorPlace = (stack: string | undefined): string | undefined => {
  if (stack === undefined) return undefined
  for (const line of stack.split("\n").slice(1)) {
    // Below are the frames of whoever caused the turn.
    if (line.includes("TurnScheduler.drain")) return undefined
    const place = /[\s(]((?:file:\/\/)?\/[^()]+:\d+:\d+|[A-Za-z]:\\[^()]+:\d+:\d+)\)?$/.exec(line)?.[1]
    if (place !== undefined && isAuthors(place)) return place.replace(/^file:\/\//, "")
  }
  return undefined
}

/** Whether a file belongs to the author. @since 0.1.0 */
export const isAuthors = (file: string): boolean =>
  !file.includes("/node_modules/") && !file.replace(/^file:\/\//, "").startsWith(here)

// This library's own folder, wherever it is installed. In a bundle there is none, and no line is left out for it.
const here = /^file:\/\/(.*\/)runtime\/interpreter\/TurnFailure\.[jt]s$/.exec(import.meta.url)?.[1] ?? "\0"
