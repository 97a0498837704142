/**
 * Draws the history of a run, for people: what a test that failed prints, and what any history can be shown as. Pure.
 *
 * ```
 *   Order o-1, run 0190c5a8-…: Failed
 *     0.000 s ┌─ started {"id":"o-1"}
 *     0.000 s ├▶ activity Charge #1 {"cents":100}
 *     0.031 s ├✗ Charge #1: CardDeclined
 *     0.031 s └─ failed: CardDeclined
 * ```
 *
 * @since 0.1.0
 */
import type { Event, Turn } from "../core/Event.js"
import type { Failure } from "../core/Failure.js"

/**
 * What stands above the drawing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Title {
  readonly workflow: string
  readonly workflowId: string
  readonly runId: string
  readonly status: string
}

/**
 * The lines of the drawing: one for each event, with the time since the start, or since `begun`, in epoch milliseconds.
 * Values are cut after 80 characters.
 *
 * @category constructors
 * @since 0.1.0
 */
export const draw = (title: Title, turns: ReadonlyArray<Turn>, begun = turns[0]?.at ?? 0): ReadonlyArray<string> => {
  const names = new Map<number, string>()
  const lines = [`${title.workflow} ${title.workflowId}, run ${title.runId}: ${title.status}`]
  const width = Math.max(0, ...turns.map((turn) => since(turn.at - begun).length))
  for (const turn of turns) {
    for (const event of turn.events) {
      lines.push(`  ${since(turn.at - begun).padStart(width)} ${describe(event, names, begun)}`)
    }
  }
  return lines
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const describe = (event: Event, names: Map<number, string>, begun: number): string => {
  const nameOf = (seq: number) => names.get(seq) ?? `#${seq}`
  switch (event._tag) {
    case "ExecutionStarted":
      return `┌─ started${value(event.input)}`
    case "ExecutionReset":
      return `├↺ turn ${event.turn} of run ${event.fromRunId} is taken anew: ${event.reason}`
    case "ActivityScheduled":
      names.set(event.seq, `${event.name} #${event.id ?? event.seq}`)
      return `├▶ activity ${nameOf(event.seq)}${value(event.input)}${purpose(event)}`
    case "ActivityCompleted":
      return `├✓ ${nameOf(event.seq)}${result(event.result)}${attempts(event.attempt)}`
    case "ActivityFailed":
      return `├✗ ${nameOf(event.seq)}: ${reason(event.failure)}${attempts(event.attempt)}`
    case "ActivityCancelRequested":
      return `├  ${nameOf(event.seq)} is asked to stop`
    case "ActivityCanceled":
      return `├✗ ${nameOf(event.seq)}: canceled`
    case "TimerStarted":
      names.set(event.seq, `timer #${event.seq}`)
      return `├◷ ${nameOf(event.seq)} until ${since(event.dueAt - begun)}${purpose(event)}`
    case "TimerFired":
      return `├◷ ${nameOf(event.seq)} fires`
    case "TimerCanceled":
      return `├  ${nameOf(event.seq)} is canceled`
    case "StepScheduled":
      names.set(event.seq, `step ${event.name} #${event.seq}`)
      return `├▶ ${nameOf(event.seq)}${purpose(event)}`
    case "StepCompleted":
      return `├✓ ${nameOf(event.seq)}${result(event.result)}`
    case "StepFailed":
      return `├✗ ${nameOf(event.seq)}: ${reason(event.failure)}`
    case "StepBackedOff":
      return `├◷ ${nameOf(event.seq)}: ${reason(event.failure)}${attempts(event.attempt)}, again at ${
        since(event.dueAt - begun)
      }`
    case "StepResumed":
      return `├▶ ${nameOf(event.seq)} again`
    case "StepCanceled":
      return `├  ${nameOf(event.seq)} is canceled`
    case "MemoUpserted":
      return `├  memo${notes(event.fields)}`
    case "SearchAttributesUpserted":
      return `├  search attributes${notes(event.attributes)}`
    case "ChildStartRequested":
      names.set(event.seq, `child ${event.workflow} ${event.workflowId}`)
      return `├▶ ${nameOf(event.seq)}${value(event.input)}`
    case "ChildStarted":
      return `├  ${nameOf(event.seq)} is there`
    case "ChildStartFailed":
      return `├✗ ${nameOf(event.seq)}: its workflow id is taken`
    case "ChildCompleted":
      return `├✓ ${nameOf(event.seq)}${result(event.result)}`
    case "ChildFailed":
    case "ChildTimedOut":
      return `├✗ ${nameOf(event.seq)}: ${reason(event.failure)}`
    case "ChildCanceled":
      return `├✗ ${nameOf(event.seq)}: canceled`
    case "ChildTerminated":
      return `├✗ ${nameOf(event.seq)}: terminated`
    case "ChildCancelRequested":
      return `├  ${nameOf(event.seq)} is asked to stop`
    case "SignalExternalRequested":
      names.set(event.seq, `signal ${event.name} to ${event.workflowId}`)
      return `├▶ ${nameOf(event.seq)}${value(event.input)}`
    case "CancelExternalRequested":
      names.set(event.seq, `cancel of ${event.workflowId}`)
      return `├▶ ${nameOf(event.seq)}`
    case "ExternalSignaled":
    case "ExternalCancelDelivered":
      return `├✓ ${nameOf(event.seq)}`
    case "ExternalSignalFailed":
    case "ExternalCancelFailed":
      return `├✗ ${nameOf(event.seq)}: ${event.reason === "Closed" ? "it is closed" : "no such execution"}`
    case "VersionAssigned":
      return event.version === undefined
        ? "├  on a worker without a version"
        : `├  on build ${event.version.buildId} of ${event.version.deployment}${
          event.behavior === "Pinned" ? ", to stay there" : ""
        }`
    case "PatchMarked":
      return `├  patch ${event.id}${event.deprecated === true ? " (deprecated)" : ""}`
    case "SignalReceived":
      return `├◀ signal ${event.name}${value(event.input)}`
    case "UpdateAccepted":
      return `├◀ update ${event.name}${value(event.input)}`
    case "UpdateCompleted":
      return `├✓ update${result(event.result)}`
    case "UpdateFailed":
      return `├✗ update: ${reason(event.failure)}`
    case "CancelRequested":
      return `├◀ cancel${event.reason === "" ? "" : `: ${event.reason}`}`
    case "ExecutionCompleted":
      return `└─ completed${value(event.result)}`
    case "ExecutionFailed":
      return `└─ failed: ${reason(event.failure)}${follower(event)}`
    case "ExecutionCanceled":
      return `└─ canceled${event.reason === "" ? "" : `: ${event.reason}`}`
    case "ExecutionTerminated":
      return `└─ terminated${event.reason === "" ? "" : `: ${event.reason}`}`
    case "ExecutionContinuedAsNew":
      return `└▶ continued as new${value(event.input)}${follower(event)}`
    case "ExecutionTimedOut":
      return `└─ timed out${event.timeout === "Execution" ? " as a whole" : ""}${follower(event)}`
  }
}

const follower = ({ newRunId }: { readonly newRunId?: string }): string =>
  newRunId === undefined ? "" : `, followed by run ${newRunId}`

/** What a step is for, as its author said (row W20). */
const purpose = ({ summary }: { readonly summary?: string }): string =>
  summary === undefined ? "" : ` · ${cut(summary)}`

const attempts = (attempt: number): string => attempt > 1 ? ` (attempt ${attempt})` : ""

const reason = (failure: Failure): string => {
  const kind = "type" in failure && typeof failure.type === "string" ? failure.type : failure._tag
  return failure.message === "" || failure.message === kind ? kind : cut(`${kind}: ${failure.message}`)
}

const notes = (all: ReadonlyArray<{ readonly name: string; readonly value?: unknown }>): string =>
  value(Object.fromEntries(all.map(({ name, value = null }) => [name, value])))

const value = (input: unknown): string => input === undefined ? "" : ` ${cut(JSON.stringify(input))}`

const result = (output: unknown): string => output === undefined ? "" : ` = ${cut(JSON.stringify(output))}`

const cut = (text: string): string => text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`
const charsMax = 80

/** As 0.031 s, 1:02:03.000 or 2 d 1:02:03.000. */
const since = (millis: number): string => {
  if (millis < 60_000) return `${(millis / 1_000).toFixed(3)} s`
  const days = Math.floor(millis / 86_400_000)
  const two = (count: number) => String(count).padStart(2, "0")
  const rest = millis % 86_400_000
  const clock = `${Math.floor(rest / 3_600_000)}:${two(Math.floor(rest / 60_000) % 60)}:${
    (rest % 60_000 / 1_000).toFixed(3).padStart(6, "0")
  }`
  return days === 0 ? clock : `${days} d ${clock}`
}
