/**
 * Replay matching: does what the program asks for now equal what was recorded then?
 *
 * Kind, name, id and order are compared (row V4). Input is compared apart: a difference there is reported by the
 * replayer, and is an error in live runs only by `strictReplay`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { Caused, Command } from "./Command.js"
import * as Commands from "./Command.js"
import type { Event, Tag } from "./Event.js"
import * as Activity from "./family/Activity.js"
import * as Child from "./family/Child.js"
import * as Execution from "./family/Execution.js"
import * as External from "./family/External.js"
import * as Notes from "./family/Notes.js"
import * as Patch from "./family/Patch.js"
import * as Step from "./family/Step.js"
import * as Timer from "./family/Timer.js"
import * as Update from "./family/Update.js"
import * as Payload from "./Payload.js"

/** What to do about a divergence, by what made it. @since 0.1.0 */
export const remedies = {
  changed:
    "The code changed while this run was open. Ask Workflow.patched(id) which way to take where it changed, or leave open runs to workers with the old code and start new ones on another task queue.",
  unstable:
    "The same code did both: it depends on something that no history records, as a variable outside of the body, the machine's clock, or what was in memory. Keep state in the body, and take what is outside in by an activity or a step."
}

/**
 * The program no longer does what its history says it did (rows V3, V4).
 *
 * @category errors
 * @since 0.1.0
 */
export class NondeterminismError extends Schema.TaggedError<NondeterminismError>()("NondeterminismError", {
  workflow: Schema.String,
  runId: Schema.String,
  turn: Schema.Number,
  /** Counts from 1 over the whole history. */
  event: Schema.Number,
  recorded: Schema.String,
  attempted: Schema.String,
  /** The line of the author's code that asked for it, where it is known. */
  place: Schema.optionalWith(Schema.String, { exact: true }),
  /** The versions of effect, where it is replayed on another than it began on. */
  otherEffect: Schema.optionalWith(Schema.String, { exact: true }),
  /** The body does now this and now that: no change of the code made the difference. */
  unstable: Schema.optionalWith(Schema.Boolean, { exact: true })
}) {
  override get message(): string {
    return [
      `${this.workflow} (run ${this.runId}) does not do what its history says, at event ${this.event} of turn ${this.turn}:`,
      `  recorded:  ${this.recorded}`,
      `  attempted: ${this.attempted}`,
      ...(this.place === undefined ? [] : [`  from:      ${this.place}`]),
      ...(this.otherEffect === undefined
        ? []
        : [`  The run began on ${this.otherEffect}: a wake-up may come earlier or later.`]),
      this.unstable === true ? remedies.unstable : remedies.changed
    ].join("\n")
  }
}

/** What a family says about one kind of event that its commands become. */
interface Comparison<in E> {
  /** Equal in all that identifies it; no strings are built. */
  readonly same: (recorded: E, attempted: E) => boolean
  readonly describe: (event: E) => string
  /** What must not change either, where it has an input. */
  readonly input?: (event: E) => Payload.Payload
  /** Whether the code of today may do without what was recorded (row V2). */
  readonly mayLack?: (event: E) => boolean
}

const table: { readonly [K in Caused["_tag"]]: Comparison<Extract<Caused, { readonly _tag: K }>> } = {
  ...Execution.compare,
  ...Activity.compare,
  ...Timer.compare,
  ...Step.compare,
  ...Child.compare,
  ...External.compare,
  ...Patch.compare,
  ...Notes.compare,
  ...Update.compare
}

const comparisons = new Map(Object.entries(table)) as unknown as ReadonlyMap<Tag, Comparison<Event>>

// A command is compared as the event that it would become: neither its time nor the run's state identifies it.
const nowhere = { ...Execution.empty(), runId: "" }
const attempt = (command: Command): Event => Commands.decide(command, 0, nowhere)

/**
 * How an event that a command caused is named in a comparison.
 *
 * @category combinators
 * @since 0.1.0
 */
export const describeEvent = (event: Event): string => comparisons.get(event._tag)?.describe(event) ?? event._tag

/**
 * How a command is named in a comparison: the same words as its event has.
 *
 * @category combinators
 * @since 0.1.0
 */
export const describeCommand = (command: Command): string => describeEvent(attempt(command))

/**
 * Whether the event came from outside, and not from a command of the body.
 *
 * @category refinements
 * @since 0.1.0
 */
export const isMessageEvent = (event: Event): boolean => !comparisons.has(event._tag)

/** A difference between what was recorded and what was attempted. @since 0.1.0 */
export interface Mismatch {
  /** Index among the events of the turn. */
  readonly index: number
  readonly recorded: string
  readonly attempted: string
  readonly command: Command | undefined
}

const nothing = "nothing"

/**
 * Compares the settled commands of a replayed turn with what the turn recorded.
 *
 * @category combinators
 * @since 0.1.0
 */
export const match = (events: ReadonlyArray<Event>, commands: ReadonlyArray<Command>): Mismatch | undefined => {
  let next = 0
  for (let index = 0; index < events.length; index++) {
    const event = events[index]!
    const comparison = comparisons.get(event._tag)
    if (comparison === undefined) continue
    const command = commands[next]
    const attempted = command === undefined ? undefined : attempt(command)
    if (attempted?._tag === event._tag && comparison.same(event, attempted)) next++
    else if (comparison.mayLack?.(event) !== true) {
      return {
        index,
        recorded: describeEvent(event),
        attempted: attempted === undefined ? nothing : describeEvent(attempted),
        command
      }
    }
  }
  const extra = commands[next]
  return extra === undefined
    ? undefined
    : { index: events.length, recorded: nothing, attempted: describeCommand(extra), command: extra }
}

/**
 * The commands of a replayed turn whose input is not the recorded one: two calls swapped, or an argument changed. The
 * order of fields does not count. What `match` tells of is left to it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const inputDifferences = (
  events: ReadonlyArray<Event>,
  commands: ReadonlyArray<Command>
): ReadonlyArray<Mismatch> => {
  const found: Array<Mismatch> = []
  let next = 0
  for (let index = 0; index < events.length; index++) {
    const event = events[index]!
    const comparison = comparisons.get(event._tag)
    if (comparison === undefined) continue
    const command = commands[next]
    const attempted = command === undefined ? undefined : attempt(command)
    const same = attempted?._tag === event._tag && comparison.same(event, attempted)
    if (same || comparison.mayLack?.(event) !== true) next++
    if (!same || comparison.input === undefined) continue
    const was = comparison.input(event)
    const is = comparison.input(attempted)
    if (Payload.equals(was, is)) continue
    found.push({
      index,
      recorded: `${describeEvent(event)} with ${JSON.stringify(was)}`,
      attempted: `${describeEvent(attempted)} with ${JSON.stringify(is)}`,
      command
    })
  }
  return found
}
