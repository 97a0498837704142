/**
 * Liveness (I5): for each open run, what will wake it, and what should but will not.
 *
 * A run's history says what it waits for; the store's rows say what will wake it. Each wait must have its row:
 *
 * ```
 *   pending activity ──▶ its task row, or its outcome in the mailbox. Of a paused one the operator is the wake-up, and of
 *                        one that was handed over whoever has its token, or its timeout
 *   pending child    ──▶ its open run, or its outcome in the mailbox
 *   message to another run ──▶ what became of it, in the mailbox: both are of one commit
 *   pending timer    ──▶ a wake-up time no later than it is due
 *   pending step     ──▶ a wake-up time (for whoever takes the run over); one that waits for its next attempt, a time no
 *                        later than that
 *   no first turn    ──▶ its Start in the mailbox, and a wake-up time for when it may begin
 *   end of its time  ──▶ a wake-up time no later than that
 *   owned, started   ──▶ the row of the worker that it says: without it nobody finds out that the worker is gone
 * ```
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { Message } from "./Message.js"
import type { RunState } from "./RunState.js"
import * as RunStates from "./RunState.js"

/**
 * An open run that nothing will wake, or not for all that it waits for; or a schedule that has something to do, and that
 * nobody will look at.
 *
 * @category errors
 * @since 0.1.0
 */
export class LivenessFault extends Schema.TaggedError<LivenessFault>()("LivenessFault", {
  /** Of a lost schedule, the schedule's id. */
  runId: Schema.String,
  fault: Schema.Literal(
    "LostActivity",
    "LostTimer",
    "LostTimeout",
    "LostStep",
    "LostChild",
    "LostMessage",
    "LostStart",
    "LostOwner",
    "LostSchedule",
    "NoWakeUp"
  ),
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.fault === "LostSchedule" ? "schedule" : "open run"} ${this.runId}: ${this.fault}: ${this.detail}`
  }
}

/**
 * What the store holds for a run.
 *
 * @category models
 * @since 0.1.0
 */
export interface WakeUps {
  readonly wakeAt: number | undefined
  /** When its timeouts end it, as its row says. */
  readonly expiresAt: number | undefined
  /** Sequence numbers of the task rows. */
  readonly tasks: ReadonlySet<number>
  /** Sequence numbers of the children whose run is open. */
  readonly children: ReadonlySet<number>
  readonly mail: ReadonlyArray<Message>
  /** Workers that own the run or have started its tasks, and are not registered. */
  readonly unknownWorkers: ReadonlyArray<string>
  /** Whether the last turn said that no message will get the body on. */
  readonly unreachable: boolean
}

/**
 * The faults of one run: none for a closed one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const faults = (state: RunState, wakeUps: WakeUps): ReadonlyArray<LivenessFault> => {
  const { runId } = state
  const found: Array<LivenessFault> = []
  const add = (fault: LivenessFault["fault"], detail: string) => found.push(new LivenessFault({ runId, fault, detail }))
  if (state.closed !== undefined) return found
  if (state.turn === 0 && !wakeUps.mail.some((message) => message._tag === "Start")) {
    add("LostStart", "it has no first turn, and no start waits in its mailbox")
  } else if (state.turn === 0 && wakeUps.wakeAt === undefined) {
    add("LostStart", "it has no first turn, and no wake-up is set")
  }
  const { expiresAt, wakeAt } = wakeUps
  if (expiresAt !== undefined && (wakeAt === undefined || wakeAt > expiresAt)) {
    add("LostTimeout", `it is out of time at ${expiresAt}, and no wake-up is set for then`)
  }
  const settled = new Set<number>()
  for (const message of wakeUps.mail) if ("outcome" in message) settled.add(message.outcome.seq)
  for (const [seq, pending] of state.activities) {
    if (!wakeUps.tasks.has(seq) && !settled.has(seq)) {
      add("LostActivity", `activity ${pending.scheduled.name} #${seq} is pending and has no task`)
    }
  }
  for (const [seq, { requested }] of state.children) {
    if (!wakeUps.children.has(seq) && !settled.has(seq)) {
      const { workflow, workflowId } = requested
      add("LostChild", `child ${workflow} ${workflowId} #${seq} is pending, and no open run is it`)
    }
  }
  for (const [seq, { _tag }] of state.externals) {
    if (!settled.has(seq)) add("LostMessage", `nothing will say what became of ${_tag} #${seq}`)
  }
  const due = RunStates.wakeAt(state)
  if (due !== undefined && (wakeUps.wakeAt === undefined || wakeUps.wakeAt > due)) {
    // A failed turn keeps its own time of the next try, at which everything that is due is looked at again.
    if (due === RunStates.onTakeover) add("LostStep", "inline steps are pending, and no wake-up brings them back")
    else if (wakeUps.wakeAt === undefined) {
      const [fault, what] = RunStates.nextDue(state)?.message._tag === "StepDue"
        ? ["LostStep" as const, "the next attempt of a step"]
        : ["LostTimer" as const, "a timer"]
      add(fault, `${what} is due at ${due}, and no wake-up is set`)
    }
  }
  for (const worker of wakeUps.unknownWorkers) {
    add("LostOwner", `it waits for worker ${worker}, which is not registered: nobody will take over from it`)
  }
  if (wakeUps.unreachable) add("NoWakeUp", "the body waits for something that no timer, step or message will bring")
  return found
}
