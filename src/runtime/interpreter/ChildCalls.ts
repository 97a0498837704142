/**
 * Children as the body calls them: executed and awaited, or started and awaited later; and messages to other runs.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { ChildEnd, ChildStarted, ChildStartFailed, ChildStartRequested } from "../../core/family/Child.js"
import type { Requested, Target } from "../../core/family/External.js"
import type { ChildCall, StartedChild, WorkflowContext } from "../../dsl/WorkflowContext.js"
import type { Steps } from "./Steps.js"
import { blockingOn } from "./Steps.js"

/** @category combinators @since 0.1.0 */
export const execute = (
  steps: Steps,
  parentRunId: string,
  call: ChildCall,
  place?: string
): Effect.Effect<{ readonly workflowId: string; readonly outcome: ChildEnd | ChildStartFailed }> =>
  steps.step((seq, fiber) => {
    const child = call(seq, parentRunId)
    const { workflowId } = child
    const register = (resume: Resume<Executed>): void => {
      steps.issue({ _tag: "StartChild", seq, requested: child }, place)
      untilEnd(steps, seq, (outcome) => resume(Effect.succeed({ workflowId, outcome })))
    }
    const interrupted = () => requestCancel(steps, child, "")
    if (!isPatient(child)) return steps.suspend(fiber, seq, register, interrupted)
    return Effect.async<Executed>((resume) => {
      register(resume)
      return Effect.suspend(() =>
        interrupted()
          ? Effect.async<void>((resume) => untilEnd(steps, seq, () => resume(Effect.void)), blockingOn(seq))
          : Effect.void
      )
    }, blockingOn(seq))
  })

/**
 * Waits until the child is there. Interrupted before, it asks for the child's cancellation and waits for nothing
 * (row K6); afterwards the child is its handle's (row K7).
 *
 * @category combinators
 * @since 0.1.0
 */
export const start = (
  steps: Steps,
  parentRunId: string,
  call: ChildCall,
  place?: string
): Effect.Effect<{ readonly workflowId: string; readonly started: StartedChild | ChildStartFailed }> =>
  steps.step((seq, fiber) => {
    const child = call(seq, parentRunId)
    const { workflowId } = child
    const register = (resume: Resume<Begun>): void => {
      steps.issue({ _tag: "StartChild", seq, requested: child }, place)
      steps.wait(seq, (first: Outcome) => {
        if (first._tag === "ChildStartFailed") return resume(Effect.succeed({ workflowId, started: first }))
        const started = new Started(steps, child, first.runId)
        if (first._tag === "ChildStarted") untilEnd(steps, seq, (end) => started.settle(end))
        else started.settle(first)
        resume(Effect.succeed({ workflowId, started }))
      })
    }
    return steps.suspend(fiber, seq, register, () => {
      requestCancel(steps, child, "")
      steps.leave(seq)
    })
  })

/** Sends a message to another run, and waits until it is there, or found to be without an open run to go to. @since 0.1.0 */
export const send = <A>(
  steps: Steps,
  request: (seq: number) => Requested,
  place?: string
): Effect.Effect<A> =>
  steps.step((seq, fiber) =>
    steps.pause<A>(
      fiber,
      seq,
      () => {
        const requested = request(seq)
        steps.issue(
          requested._tag === "SignalExternalRequested"
            ? { _tag: "SignalExternal", seq, requested }
            : { _tag: "CancelExternal", seq, requested },
          place
        )
      },
      Effect.succeed,
      () => steps.leave(seq)
    )
  )

/** @since 0.1.0 */
export const signal = (target: Target, name: string, { headers, input }: Sent) => (seq: number): Requested => ({
  _tag: "SignalExternalRequested",
  seq,
  ...target,
  name,
  ...(input === undefined ? {} : { input }),
  ...(headers === undefined ? {} : { headers })
})

/** @since 0.1.0 */
export const cancel = (target: Target, reason: string) => (seq: number): Requested => ({
  _tag: "CancelExternalRequested",
  seq,
  ...target,
  reason
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type Sent = Parameters<Context.Tag.Service<typeof WorkflowContext>["signalExternal"]>[2]
type Child = Omit<ChildStartRequested, "runId">
type Outcome = ChildStarted | ChildStartFailed | ChildEnd
type Executed = Effect.Effect.Success<ReturnType<typeof execute>>
type Begun = Effect.Effect.Success<ReturnType<typeof start>>
type Resume<A> = (effect: Effect.Effect<A>) => void

/** A child's number gets two outcomes: that it was started, and how it ended. */
const untilEnd = (steps: Steps, seq: number, done: (end: ChildEnd | ChildStartFailed) => void): void =>
  steps.wait(seq, (outcome: Outcome) => outcome._tag === "ChildStarted" ? untilEnd(steps, seq, done) : done(outcome))

const isPatient = ({ cancellation }: Child): boolean => cancellation === undefined

/**
 * Asks for the cancellation of a pending child by its type (row K5); whether its outcome will still come.
 *
 * A request is in the child's mailbox with the commit of the turn that asked for it, and nothing that the body does next
 * is seen before that: to wait for the request (WaitCancellationRequested) is to wait for nothing.
 */
const requestCancel = (steps: Steps, child: Child, reason: string): boolean => {
  const { cancellation, seq } = child
  if (!steps.isPending(seq)) return false
  // Started in this very turn: both commands vanish, whatever its type is, and no outcome will come (row C8).
  const unsent = steps.isUnsent(seq)
  if (unsent || cancellation !== "Abandon") steps.issue({ _tag: "RequestCancelChild", seq, reason })
  if (!unsent && isPatient(child)) return true
  steps.leave(seq)
  return false
}

class Started implements StartedChild {
  readonly _tag = "StartedChild"
  private end: ChildEnd | undefined
  private cancelRequested = false
  private readonly awaiting = new Set<Resume<ChildEnd>>()

  constructor(private readonly steps: Steps, private readonly child: Child, readonly runId: string) {}

  get seq(): number {
    return this.child.seq
  }

  get await(): Effect.Effect<ChildEnd> {
    return Effect.async<ChildEnd>((resume) => {
      if (this.end !== undefined) return resume(Effect.succeed(this.end))
      this.awaiting.add(resume)
      return Effect.sync(() => void this.awaiting.delete(resume))
    }, blockingOn(this.seq))
  }

  cancel(reason: string): Effect.Effect<void> {
    return this.steps.writing("the cancellation of a child", () => {
      if (this.end !== undefined || this.cancelRequested) return
      this.cancelRequested = true
      if (requestCancel(this.steps, this.child, reason)) return
      this.settle({ _tag: "ChildCanceled", seq: this.seq, runId: this.runId, reason })
    })
  }

  settle(end: ChildEnd | ChildStartFailed): void {
    // It was told to be started: it cannot have failed to.
    if (end._tag === "ChildStartFailed") return
    this.end = end
    for (const resume of this.awaiting) resume(Effect.succeed(end))
    this.awaiting.clear()
  }
}
