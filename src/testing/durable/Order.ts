/**
 * What comes next in a trial, where several things could: an attempt's answer, the next message, the next wake-up of the
 * clock. Data in, data out.
 *
 * @since 0.1.0
 */
import type { Event, Turn } from "../../core/Event.js"
import * as Activities from "../../core/family/Activity.js"
import * as Replay from "../../core/Replay.js"
import type { Recorded } from "./Runs.js"
import type { Sent } from "./Stage.js"

/** What can come next. @since 0.1.0 */
export type Cue =
  | { readonly _tag: "Answer"; readonly key: string }
  /** By the place of the message in the plan. */
  | { readonly _tag: "Send"; readonly index: number }
  | { readonly _tag: "Tick" }

/** Chooses among what can come next, at a turn of the chain; undefined lets the plain order choose. @since 0.1.0 */
export type Order = (
  cues: ReadonlyArray<Cue>,
  turn: number
) => { readonly cue: Cue; readonly rests: boolean } | undefined

/** Answers first, oldest first; then messages; time passes when nothing else is left. @since 0.1.0 */
export const plain: Order = () => undefined

/** By numbers that were drawn: each chooses one of all cues, and whether the engine comes to rest before the next. @since 0.1.0 */
export const drawn = (numbers: ReadonlyArray<number>): Order => {
  let index = 0
  return (cues) => {
    const number = numbers[index++]
    return number === undefined
      ? undefined
      : { cue: cues[(number >>> 1) % cues.length]!, rests: (number & 1) === 0 }
  }
}

/** What is known of the trial that is followed. @since 0.1.0 */
export interface Followed {
  readonly chain: ReadonlyArray<Recorded>
  readonly sent: ReadonlyArray<Sent>
}

/**
 * The order in which things came in a trial: by the histories of its chain, and for messages that left no event by when
 * they were sent. What came to a child is known by when the child's end came.
 *
 * @since 0.1.0
 */
export const following = ({ chain, sent }: Followed): Order => {
  const causes = chain.flatMap(({ run, turns }) => {
    const keys = keysOf(run.runId, turns)
    return turns.map(({ events }) => ({ events, keys }))
  })
  return (cues, turn) => {
    const cause = causes[turn]
    const next = cause?.events.find(Replay.isMessageEvent)
    const find = (holds: (cue: Cue) => boolean) => {
      const cue = cues.find(holds)
      return cue === undefined ? undefined : { cue, rests: true }
    }
    const tick = () => find(({ _tag }) => _tag === "Tick")
    const traceless = find((cue) =>
      cue._tag === "Send" && leftNoEvent(sent[cue.index]!) && sent[cue.index]!.turn! <= turn
    )
    if (traceless !== undefined) return traceless
    switch (next?._tag) {
      case "SignalReceived":
      case "UpdateAccepted":
      case "CancelRequested":
        return find(({ _tag }) => _tag === "Send")
      case "ActivityCompleted":
      case "ActivityFailed":
      case "ActivityCanceled":
        return find((cue) => cue._tag === "Answer" && cue.key === cause!.keys.get(next.seq)) ?? tick()
      case "ChildCompleted":
      case "ChildFailed":
      case "ChildCanceled":
      case "ChildTerminated":
      case "ChildTimedOut":
        return find((cue) => cue._tag === "Answer" && placeOf(cue.key) === placeOf(cause!.keys.get(next.seq)!)) ??
          tick()
      case "TimerFired":
        return tick()
      case "ExecutionStarted":
        // A run that follows may have found messages in its mailbox when it began; else it begins when its time comes.
        return turn === 0
          ? undefined
          : find((cue) => cue._tag === "Send" && came(causes, sent, cue.index, turn)) ?? tick()
      default:
        return undefined
    }
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const leftNoEvent = ({ message, state, turn }: Sent): boolean =>
  turn !== undefined && (state === "refused" || state === "too late" || message._tag === "Query")

/** By sequence number: the keys of activities, and the first run ids of children. */
const keysOf = (runId: string, turns: ReadonlyArray<Turn>): ReadonlyMap<number, string> => {
  const keys = new Map<number, string>()
  for (const { events } of turns) {
    for (const event of events) {
      if (event._tag === "ActivityScheduled") keys.set(event.seq, Activities.idempotencyKey(runId, event))
      else if (event._tag === "ChildStartRequested") keys.set(event.seq, event.runId)
    }
  }
  return keys
}

/** What the run ids of a child have in common in all trials: not the time, nor their number in its chain. */
const placeOf = (key: string): string => key.slice(14, 23)

/** Whether the message had come by that turn: those that left an event came in the order of the plan. */
const came = (
  causes: ReadonlyArray<{ readonly events: ReadonlyArray<Event> }>,
  sent: ReadonlyArray<Sent>,
  index: number,
  turn: number
): boolean => {
  const before = sent.slice(0, index).filter((each) => !leftNoEvent(each)).length
  let there = 0
  for (const { events } of causes.slice(0, turn + 1)) for (const { _tag } of events) if (isMessage.has(_tag)) there++
  return before < there
}

const isMessage: ReadonlySet<string> = new Set(["SignalReceived", "UpdateAccepted", "CancelRequested"])
