/**
 * The port between an execution and the worker that has it in memory.
 *
 * @since 0.1.0
 */
import type { Closing } from "../../core/family/Execution.js"
import type { Creation, NewRun, Refusal, StoreError, TurnCommit } from "../../persistence/Store.js"
import type { Attempt } from "../activity/Attempt.js"
import type { LogEntry } from "../interpreter/Interpreter.js"
import type { Routes } from "../Routes.js"
import type { Timer } from "../Timers.js"
import type { TurnBound } from "../TurnBound.js"
import type { Item, UpdateAnswer } from "./Item.js"

/**
 * What an execution asks of its worker.
 *
 * @category models
 * @since 0.1.0
 */
export interface Surroundings<Execution> {
  readonly namespace: string
  readonly now: () => number
  readonly workerId: () => string
  readonly serves: (taskQueue: string) => boolean
  /** Whether a run that is to begin is this worker's to run. */
  readonly takes: (run: NewRun) => boolean
  readonly routes: Routes
  readonly newRunId: (creator: string) => string
  readonly commit: (
    commit: TurnCommit,
    done: (refusal: Refusal | undefined) => void,
    trouble: (error: StoreError) => void
  ) => void
  readonly turnBound: TurnBound
  readonly reserveSlot: () => boolean
  readonly releaseSlot: () => void
  readonly startActivity: (attempt: Attempt) => void
  readonly keepActivity: (attempt: Attempt) => void
  readonly cancelActivity: (runId: string, seq: number) => void
  readonly startSteps: (execution: Execution, seqs: ReadonlyArray<number>) => void
  readonly cancelStep: (runId: string, seq: number) => void
  readonly schedule: (at: number, fire: () => void) => Timer
  readonly unschedule: (timer: Timer | undefined) => void
  readonly updateAnswered: (runId: string, updateId: string, answer: UpdateAnswer) => void
  /** Runs that a turn brought into being are in the store. */
  readonly created: (creations: ReadonlyArray<Creation>) => void
  readonly closed: (execution: Execution, closing: Closing) => void
  readonly log: (execution: Execution, entries: ReadonlyArray<LogEntry>) => void
  readonly warn: (execution: Execution, message: string) => void
  /** Bring it back from the store and hand it the items; undefined if it only has to go. */
  readonly drop: (execution: Execution, items: ReadonlyArray<Item>, why: "Refused" | "Failed" | "Reload") => void
  /** It came to a copy that goes as soon as its commits have arrived: to be brought back before that would be too early. */
  readonly tooLate: (item: Item) => void
  readonly touched: (execution: Execution) => void
}
