/**
 * What every history must be, whatever made it (I6, I9), and what must be in it of what was promised (I2).
 *
 * Findings are words; a clean history has none.
 */
import type { Event, Turn } from "../../core/Event.js"
import * as Activities from "../../core/family/Activity.js"
import { isImposed } from "../../core/family/Execution.js"

/** Faults of a history by itself. */
export const history = (turns: ReadonlyArray<Turn>): ReadonlyArray<string> => {
  const found: Array<string> = []
  const pending = new Map<number, { readonly event: Event; readonly kind: string }>()
  const accepted = new Set<string>()
  const answered = new Set<string>()
  const begun = new Set<number>()
  const patches = new Set<string>()
  /** Steps between two attempts: when they may go on. */
  const resting = new Map<number, number>()
  const attempts = new Map<number, number>()
  let lastAt = -Infinity
  let lastSeq = 0
  let started = false
  let canceled = false
  let closed = false
  turns.forEach((turn, index) => {
    const at = `turn ${turn.turn}`
    const claim = (holds: boolean, words: string) => {
      if (!holds) found.push(`${at}: ${words}`)
    }
    claim(turn.turn === index + 1, `stands at place ${index + 1}`)
    claim(turn.at >= lastAt, "goes back in time")
    claim(!closed, "follows the end of the run")
    claim(turn.events.length > 0, "is empty")
    lastAt = turn.at
    for (const event of turn.events) {
      claim(
        started || event._tag === "ExecutionStarted" || turns.length === 1 && isImposed(turn.events),
        `${event._tag} before the start`
      )
      claim(!closed || isAnswer(event), `${event._tag} after the end`)
      switch (event._tag) {
        case "ExecutionStarted":
          claim(!started, "starts again")
          started = true
          break
        case "CancelRequested":
          claim(!canceled, "a second cancel request")
          canceled = true
          break
        case "ExecutionCompleted":
        case "ExecutionFailed":
        case "ExecutionCanceled":
        case "ExecutionTerminated":
        case "ExecutionContinuedAsNew":
        case "ExecutionTimedOut":
          closed = true
          claim(
            event._tag !== "ExecutionContinuedAsNew" || event.newRunId !== undefined,
            "continues as a new run, and does not say which"
          )
          break
        case "ActivityScheduled":
        case "TimerStarted":
        case "StepScheduled":
        case "ChildStartRequested":
        case "SignalExternalRequested":
        case "CancelExternalRequested":
          claim(event.seq > lastSeq, `#${event.seq} comes after #${lastSeq}`)
          lastSeq = event.seq
          pending.set(event.seq, { event, kind: kindOf(event) })
          break
        case "ActivityCompleted":
        case "ActivityFailed":
        case "ActivityCanceled":
        case "TimerFired":
        case "TimerCanceled":
        case "StepCompleted":
        case "StepFailed":
        case "StepCanceled":
        case "ChildStartFailed":
        case "ChildCompleted":
        case "ChildFailed":
        case "ChildCanceled":
        case "ChildTerminated":
        case "ChildTimedOut":
        case "ExternalSignaled":
        case "ExternalSignalFailed":
        case "ExternalCancelDelivered":
        case "ExternalCancelFailed": {
          const of = pending.get(event.seq)
          pending.delete(event.seq)
          claim(of?.kind === kindOf(event), `${event._tag} #${event.seq}, which is not pending`)
          claim(!resting.delete(event.seq) || event._tag === "StepCanceled", `#${event.seq} ends between two attempts`)
          if (event._tag === "TimerFired" && of?.event._tag === "TimerStarted") {
            claim(turn.at >= of.event.dueAt, `timer #${event.seq} fired ${of.event.dueAt - turn.at} ms early`)
          }
          break
        }
        case "StepBackedOff":
          claim(pending.get(event.seq)?.kind === "Step", `${event._tag} #${event.seq}, which is not pending`)
          claim(!resting.has(event.seq), `step #${event.seq} waits already`)
          claim(event.attempt > (attempts.get(event.seq) ?? 0), `attempt ${event.attempt} of step #${event.seq} again`)
          attempts.set(event.seq, event.attempt)
          resting.set(event.seq, event.dueAt)
          break
        case "StepResumed":
          claim(turn.at >= (resting.get(event.seq) ?? Infinity), `step #${event.seq} goes on, and may not`)
          resting.delete(event.seq)
          break
        case "ChildStarted":
          claim(!begun.has(event.seq), `child #${event.seq} started again`)
          begun.add(event.seq)
          claim(pending.get(event.seq)?.kind === "Child", `${event._tag} #${event.seq}, which is not pending`)
          break
        case "ActivityCancelRequested":
        case "ChildCancelRequested":
          claim(pending.get(event.seq)?.kind === kindOf(event), `${event._tag} #${event.seq}, which is not pending`)
          break
        case "PatchMarked":
          claim(!patches.has(event.id), `patch ${event.id} is marked again`)
          patches.add(event.id)
          break
        case "UpdateAccepted":
          claim(!accepted.has(event.id), `update ${event.id} accepted again`)
          accepted.add(event.id)
          break
        case "UpdateCompleted":
        case "UpdateFailed":
          claim(accepted.has(event.id) && !answered.has(event.id), `update ${event.id} answered, and not awaited`)
          answered.add(event.id)
          break
        default:
          break
      }
    }
  })
  return found
}

/** The history of a later moment is that of an earlier one, and more (I6). */
export const append = (before: ReadonlyArray<Turn>, after: ReadonlyArray<Turn>): ReadonlyArray<string> =>
  before.flatMap((turn, index) =>
    JSON.stringify(turn) === JSON.stringify(after[index]) ? [] : [`turn ${turn.turn} was rewritten`]
  )

/** Activities by idempotency key: the attempt that their recorded outcome is of. Steps by name. */
export const outcomes = (runId: string, turns: ReadonlyArray<Turn>) => {
  const keys = new Map<number, string>()
  const activities = new Map<string, number>()
  const scheduled = new Set<string>()
  const steps = new Set<string>()
  for (const { events } of turns) {
    for (const event of events) {
      switch (event._tag) {
        case "ActivityScheduled": {
          const key = Activities.idempotencyKey(runId, event)
          keys.set(event.seq, key)
          scheduled.add(key)
          break
        }
        case "StepScheduled":
          keys.set(event.seq, event.name)
          scheduled.add(event.name)
          break
        case "ActivityCompleted":
        case "ActivityFailed":
        case "ActivityCanceled":
          activities.set(keys.get(event.seq) ?? `#${event.seq}`, event.attempt)
          break
        case "StepCompleted":
        case "StepFailed":
        case "StepCanceled":
          steps.add(keys.get(event.seq) ?? `#${event.seq}`)
          break
        default:
          break
      }
    }
  }
  return { scheduled, activities, steps }
}

const isAnswer = (event: Event): boolean => event._tag === "UpdateCompleted" || event._tag === "UpdateFailed"

const kindOf = (event: Event): string => /^(Activity|Timer|Step|Child)|External/.exec(event._tag)?.[0] ?? event._tag
