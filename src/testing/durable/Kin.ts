/**
 * What the runs of a trial owe each other: each has a history of its own, and all must tell the same story, wherever the
 * process died. Pure.
 *
 * 1. An end that is followed names a run that is there, and that one names it; nobody else follows it (I3, rows K10, X9).
 * 2. One run of a workflow id is open at a time, and a run is open exactly while its history has no end.
 * 3. A child is there when its parent asked for it, and only then; the parent is told what became of it (rows K1, K3).
 * 4. When a parent has closed, the policy of each child that was open then has been applied (row K4).
 *
 * @since 0.1.0
 */
import type { Event, Turn } from "../../core/Event.js"
import type { ChildEnd, ChildStartRequested } from "../../core/family/Child.js"
import type { Closing } from "../../core/family/Execution.js"
import { followerOf, isClosing } from "../../core/family/Execution.js"
import type { Recorded } from "./Runs.js"

/** The end of a run, if it has one. @since 0.1.0 */
export const closingOf = (turns: ReadonlyArray<Turn>): Closing | undefined => turns.at(-1)?.events.find(isClosing)

/** Faults, in words. A cancel request that waits in the mailbox of a run counts as one. @since 0.1.0 */
export const faults = (
  runs: ReadonlyArray<Recorded>,
  cancelWaits: (runId: string) => boolean
): ReadonlyArray<string> => {
  const found: Array<string> = []
  const claim = (holds: boolean, words: () => string) => {
    if (!holds) found.push(words())
  }
  const byId = new Map(runs.map((each) => [each.run.runId, each]))
  const open = new Map<string, string>()
  for (const { run, turns } of runs) {
    const { previousRunId, runId, status, workflowId } = run
    const closing = closingOf(turns)
    const follower = closing === undefined ? undefined : followerOf(closing)
    claim(
      (status === "Running") === (closing === undefined),
      () => `run ${runId} is ${status}, and its history has ${closing === undefined ? "no end" : closing._tag}`
    )
    if (status === "Running") {
      claim(!open.has(workflowId), () => `runs ${open.get(workflowId)} and ${runId} of ${workflowId} are open at once`)
      open.set(workflowId, runId)
    }
    if (follower !== undefined) {
      claim(
        byId.get(follower)?.run.previousRunId === runId,
        () => `run ${runId} is followed by ${follower}, and there is no such run`
      )
    }
    const before = previousRunId === undefined ? undefined : closingOf(byId.get(previousRunId)?.turns ?? [])
    claim(
      previousRunId === undefined || before !== undefined && followerOf(before) === runId,
      () => `run ${runId} follows ${previousRunId}, which knows nothing of that`
    )
  }
  for (const parent of runs) for (const words of ofChildren(parent, runs, cancelWaits)) found.push(words)
  for (const { run } of runs) {
    const parent = run.parent === undefined ? undefined : byId.get(run.parent.runId)
    claim(
      run.parent === undefined || parent !== undefined && requestsOf(parent.turns).has(run.parent.seq),
      () => `run ${run.runId} of ${run.workflowId} is a child that nobody asked for`
    )
  }
  return found
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const eventsOf = (turns: ReadonlyArray<Turn>): ReadonlyArray<Event> => turns.flatMap(({ events }) => events)

const requestsOf = (turns: ReadonlyArray<Turn>): ReadonlyMap<number, ChildStartRequested> =>
  new Map(eventsOf(turns).flatMap((event) => event._tag === "ChildStartRequested" ? [[event.seq, event] as const] : []))

const isEnd = (event: Event): event is ChildEnd =>
  event._tag === "ChildCompleted" || event._tag === "ChildFailed" || event._tag === "ChildCanceled" ||
  event._tag === "ChildTerminated" || event._tag === "ChildTimedOut"

const ofChildren = (
  { run, turns }: Recorded,
  runs: ReadonlyArray<Recorded>,
  cancelWaits: (runId: string) => boolean
): ReadonlyArray<string> => {
  const events = eventsOf(turns)
  const told = new Map(events.flatMap((event) => isEnd(event) ? [[event.seq, event] as const] : []))
  const refused = new Set(events.flatMap((event) => event._tag === "ChildStartFailed" ? [event.seq] : []))
  const isOver = closingOf(turns) !== undefined
  return [...requestsOf(turns).values()].flatMap((request): ReadonlyArray<string> => {
    const name = `child ${request.workflow} ${request.workflowId} #${request.seq} of run ${run.runId}`
    const chain = runs.filter((each) => each.run.firstRunId === request.runId)
    const last = chain.at(-1)
    if (refused.has(request.seq)) return last === undefined ? [] : [`${name} was refused, and is there`]
    // Whether its id was taken the parent may not have been told yet.
    if (last === undefined) return isOver || !told.has(request.seq) ? [] : [`${name} has an end, and is not there`]
    const end = closingOf(last.turns)
    const tale = told.get(request.seq)
    if (tale !== undefined) {
      return tale.runId === last.run.runId && end !== undefined && agrees(tale, end)
        ? []
        : [`${name} ended as ${end?._tag ?? "nothing yet"}, and the parent was told ${tale._tag}`]
    }
    if (!isOver) return []
    switch (request.parentClose ?? "Terminate") {
      case "Terminate":
        return end === undefined ? [`${name} is open after the parent's end, and was to be terminated`] : []
      case "RequestCancel": {
        const isAsked = end !== undefined || cancelWaits(last.run.runId) ||
          chain.some(({ turns }) => eventsOf(turns).some(({ _tag }) => _tag === "CancelRequested"))
        return isAsked ? [] : [`${name} goes on after the parent's end, and was to be asked to cancel`]
      }
      case "Abandon":
        return end?._tag === "ExecutionTerminated" ? [`${name} was terminated, and was to be left alone`] : []
    }
  })
}

const agrees = (tale: ChildEnd, end: Closing): boolean => {
  switch (tale._tag) {
    case "ChildCompleted":
      return end._tag === "ExecutionCompleted" && JSON.stringify(tale.result) === JSON.stringify(end.result)
    case "ChildFailed":
      return end._tag === "ExecutionFailed" && JSON.stringify(tale.failure) === JSON.stringify(end.failure)
    case "ChildCanceled":
      return end._tag === "ExecutionCanceled"
    case "ChildTerminated":
      return end._tag === "ExecutionTerminated"
    case "ChildTimedOut":
      return end._tag === "ExecutionTimedOut"
  }
}
