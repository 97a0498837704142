/**
 * What a decision of the core comes to in the store: the row, the runs that begin, the requests and the ends.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Events from "../../core/Event.js"
import type { Closing, Start as StartMessage } from "../../core/family/Execution.js"
import { isClosing } from "../../core/family/Execution.js"
import type { Carried } from "../../core/family/Notes.js"
import * as Messages from "../../core/Message.js"
import type { Decision, Ended, Start } from "../../core/schedule/Advance.js"
import type { ScheduleAction } from "../../core/schedule/ScheduleState.js"
import * as Succession from "../../core/Succession.js"
import type { StoredAction } from "../../dsl/Schedule.js"
import type { ChainEnd, Creation, Schedule as Row, ScheduleWrite } from "../../persistence/Store.js"
import { ending, imposed } from "../client/Removing.js"
import * as Successor from "../execution/Successor.js"
import * as Flags from "../interpreter/Flags.js"
import * as StoredSchedule from "./StoredSchedule.js"

/**
 * What is to be written of a schedule that was read with this row.
 *
 * @category constructors
 * @since 0.1.0
 */
export const writeOf = (row: Row, decision: Decision, now: number): ScheduleWrite => {
  const { cancels, schedule, starts, terminates, wakeAt } = decision
  const { scheduleId } = row
  const { overlap } = schedule.policy
  return {
    scheduleId,
    revision: row.revision,
    definition: undefined,
    ...StoredSchedule.columnsOf(schedule, wakeAt),
    starts: starts.map((start) => creationOf(scheduleId, schedule.action, start, now)),
    cancels: cancels.map((chain) => ({
      workflowId: chain.workflowId,
      firstRunId: chain.firstRunId,
      body: Messages.encode({ _tag: "Cancel", reason: because(scheduleId, overlap) })
    })),
    terminates: terminates.map((chain) => ({
      workflowId: chain.workflowId,
      firstRunId: chain.firstRunId,
      end: imposed(ending(because(scheduleId, overlap)))
    }))
  }
}

/**
 * How a chain that has no open run any more came to its end; undefined while it goes on.
 *
 * @category combinators
 * @since 0.1.0
 */
export const endedOf = (firstRunId: string, end: ChainEnd | undefined): Ended | undefined => {
  // Its runs were deleted: nothing else is known of it.
  if (end === undefined) return { firstRunId, status: "Terminated" }
  const { last, status } = end
  if (status === "Running") return undefined
  const closing = last === undefined
    ? undefined
    : Either.getOrElse(Events.decode(last), (): ReadonlyArray<Events.Event> => []).find(isClosing)
  return {
    firstRunId,
    // The run that continued it was deleted.
    status: status === "ContinuedAsNew" ? "Terminated" : status,
    ...(closing === undefined ? {} : outcomeOf(closing))
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const because = (scheduleId: string, overlap: string): string =>
  `its schedule ${scheduleId} came to its next time, with the overlap policy ${overlap}`

const outcomeOf = (closing: Closing): Pick<Ended, "result" | "failure"> => {
  switch (closing._tag) {
    case "ExecutionCompleted":
      return closing.result === undefined ? {} : { result: closing.result }
    case "ExecutionFailed":
      return { failure: closing.failure }
    case "ExecutionTimedOut":
      return { failure: Succession.timeoutFailure(closing.timeout) }
    default:
      return {}
  }
}

const creationOf = (by: string, action: ScheduleAction, start: Start, now: number): Creation => {
  const { attributes, input, memo, options, taskQueue, workflow } = action as ScheduleAction & StoredAction
  const carried: Carried = {
    ...(memo === undefined ? {} : { memo }),
    ...(attributes === undefined ? {} : { searchAttributes: attributes }),
    ...(options?.summary === undefined ? {} : { summary: options.summary }),
    ...(options?.details === undefined ? {} : { details: options.details })
  }
  const message: StartMessage = {
    ...Succession.first(
      {
        workflow,
        workflowId: start.workflowId,
        taskQueue,
        // Its first turn is taken by code of today.
        ...Flags.stamp(),
        ...carried,
        ...(input === undefined ? {} : { input })
      },
      options?.terms ?? {},
      now
    ),
    scheduled: { by, at: start.nominal },
    ...(start.lastResult === undefined ? {} : { lastResult: start.lastResult }),
    ...(start.lastFailure === undefined ? {} : { lastFailure: start.lastFailure })
  }
  return {
    run: Successor.rowOf(start.firstRunId, message, now),
    start: { runId: start.firstRunId, kind: "Start", body: Messages.encode(message) },
    owned: false
  }
}
