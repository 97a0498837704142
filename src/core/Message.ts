/**
 * Messages: what reaches a run from outside, and the decision whether it becomes an event.
 *
 *   Start | Signal | Update | Cancel | Reset | ActivityOutcome | StepOutcome | ChildOutcome | ExternalOutcome
 *     | TimerDue | StepDue ──accept──▶ Event, or a reason to drop it
 *
 * Those that may wait in a store's mailbox have a schema; what is due by the clock is read off the run's own state.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { Event } from "./Event.js"
import * as Activity from "./family/Activity.js"
import * as Child from "./family/Child.js"
import * as Execution from "./family/Execution.js"
import * as External from "./family/External.js"
import * as Signal from "./family/Signal.js"
import * as Step from "./family/Step.js"
import * as Timer from "./family/Timer.js"
import * as Update from "./family/Update.js"
import { Headers } from "./Headers.js"
import type { Due, RunState } from "./RunState.js"

/** A question to a run; it leaves no event. @since 0.1.0 */
export const Query = Schema.TaggedStruct("Query", {
  name: Schema.String,
  input: Schema.optionalWith(Schema.Unknown, { exact: true }),
  headers: Schema.optionalWith(Headers, { exact: true }),
  replyTo: Schema.String
})
/** @since 0.1.0 */
export type Query = typeof Query.Type

/**
 * A message that a store can hold.
 *
 * @category models
 * @since 0.1.0
 */
export const Stored = Schema.Union(
  Execution.Start,
  Execution.Cancel,
  Execution.Reset,
  Signal.Signal,
  Update.Update,
  Activity.ActivityOutcome,
  Step.StepOutcome,
  Child.ChildOutcome,
  External.ExternalOutcome,
  Query
)
/** @since 0.1.0 */
export type Stored = typeof Stored.Type

/**
 * A message that a turn takes in.
 *
 * @category models
 * @since 0.1.0
 */
export type Message = Exclude<Stored, Query> | Due

/** Whether the clock brings it: then it need not be kept. @since 0.1.0 */
export const isDue = (message: Message): message is Due => message._tag === "TimerDue" || message._tag === "StepDue"

const table = {
  ...Execution.accept,
  ...Signal.accept,
  ...Update.accept,
  ...Activity.accept,
  ...Step.accept,
  ...Child.accept,
  ...External.accept,
  ...Timer.accept
}

type Accept = (state: RunState, message: Message) => Event | string

/**
 * The event that a message becomes, or the reason why it is dropped.
 *
 * @category combinators
 * @since 0.1.0
 */
export const accept = (state: RunState, message: Message): Event | string =>
  state.closed === undefined
    ? (table[message._tag] as Accept)(state, message)
    : `the run is closed (${state.status})`

/** @since 0.1.0 */
export const encode = (message: Stored): string => JSON.stringify(message)

/**
 * The stored events of a run that ends before its first turn: its start, as it waited in the mailbox, then its end. A text
 * that is no start is left out.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withStart = (start: string, events: string): string => {
  const { _tag, ...started } = JSON.parse(start) as { readonly _tag?: string }
  if (_tag !== "Start") return events
  return JSON.stringify([{ _tag: "ExecutionStarted", ...started }, ...JSON.parse(events) as ReadonlyArray<unknown>])
}

const decodeStored = Schema.decodeUnknownEither(Schema.parseJson(Stored), { errors: "first" })

/**
 * Reads a stored message; the left side says what is wrong with it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decode = (body: string): Either.Either<Stored, string> =>
  Either.mapLeft(decodeStored(body), (error) => ParseResult.TreeFormatter.formatErrorSync(error))
