/**
 * Completing an attempt from outside (rows A9, A10): a change of its task, and what its run is told of it, in one.
 *
 * ```
 *   find the task ──▶ complete:            Settle: the task goes, the outcome is mailed
 *                ├──▶ fail ──▶ retry policy ──▶ Retry, or Settle
 *                └──▶ heartbeat:           recorded; the answer tells whether the attempt was asked to end
 * ```
 *
 * The task decides whether the attempt is still under way: between finding it and changing it nothing is held.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ActivityTasks from "../../core/ActivityTask.js"
import type { Failure } from "../../core/Failure.js"
import * as Activities from "../../core/family/Activity.js"
import * as Messages from "../../core/Message.js"
import * as Payload from "../../core/Payload.js"
import * as TaskToken from "../../core/TaskToken.js"
import { ContractError } from "../../dsl/Contract.js"
import type { Codecs } from "../../dsl/HostedActivity.js"
import { encodeFailure } from "../../dsl/HostedActivity.js"
import type { ActivityKey } from "../../dsl/OutsideActivity.js"
import { ActivityNotFound, AsyncActivityCanceled } from "../../dsl/OutsideActivity.js"
import type { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import type { OutsideChange } from "../../persistence/Store.js"
import type { Attempt, Outcome } from "../activity/Attempt.js"
import * as Attempts from "../activity/Attempt.js"
import type { Calls } from "./Calls.js"
import type { Pending } from "./PendingTasks.js"
import * as PendingTasks from "./PendingTasks.js"

/** An activity's contract. @since 0.1.0 */
export interface Contract {
  readonly name: string
  readonly codecs: Codecs
}

/** The handle of one attempt; see `ActivityCompletion` of the dsl, whose types it is given. @since 0.1.0 */
export const make = (calls: Calls, contract: Contract, key: ActivityKey) => {
  const subject = subjectOf(contract, key)
  const notFound = new ActivityNotFound({ subject })

  const under = <A, E>(call: string, then: (pending: Pending) => Effect.Effect<A, E>) =>
    Effect.flatMap(find(calls, call, key), (pending): Effect.Effect<A, E | ActivityNotFound | ContractError> => {
      if (pending === undefined || !isUnderWay(pending)) return Effect.fail(notFound)
      const { name } = pending.recorded
      return name === contract.name
        ? then(pending)
        : Effect.fail(new ContractError({ subject, reason: `is an activity ${name}` }))
    })

  const change = (call: string, to: OutsideChange) =>
    Effect.flatMap(
      calls.of(call, calls.store.changeOutside(to, calls.now())),
      Option.match({ onNone: () => Effect.fail(notFound), onSome: Effect.succeed })
    )

  const settle = (call: string, { task }: Pending, outcome: Outcome) =>
    Effect.asVoid(change(call, {
      _tag: "Settle",
      runId: task.runId,
      seq: task.seq,
      attempt: task.attempt,
      mail: {
        runId: task.runId,
        kind: "ActivityOutcome",
        body: Messages.encode({ _tag: "ActivityOutcome", outcome })
      }
    }))

  const failed = (call: string, pending: Pending, failure: Failure) => {
    const { task } = pending
    const attempt = attemptOf(pending)
    const { scheduled } = attempt
    const now = calls.now()
    const decision = Attempts.next(attempt, failure, task.cancelRequested, now)
    if (decision._tag === "Stop") {
      return settle(call, pending, Attempts.failed(attempt, failure, decision.retryState))
    }
    const dueAt = Math.ceil(now + decision.delayMillis)
    return Effect.asVoid(change(call, {
      _tag: "Retry",
      runId: task.runId,
      seq: task.seq,
      attempt: task.attempt,
      nextAttempt: task.attempt + 1,
      dueAt,
      expiresAt: Activities.startBy(scheduled, task.scheduledAt, dueAt),
      closeBy: Activities.closeBy(scheduled, task.scheduledAt),
      failure: JSON.stringify(failure)
    }))
  }

  const reasonOf = (task: {
    readonly attempt: number
    readonly forgotten: number
    readonly cancelRequested: boolean
    readonly paused: boolean
  }): AsyncActivityCanceled["reason"] | undefined =>
    task.cancelRequested
      ? "cancelRequested"
      : ActivityTasks.isReset(task)
      ? "reset"
      : task.paused
      ? "paused"
      : undefined

  return {
    complete: (value: unknown) =>
      Effect.suspend(() => {
        const encoded = contract.codecs.success.encode(value)
        return Either.isLeft(encoded) ?
          Effect.fail(encoded.left) :
          under(
            "complete",
            (pending) => settle("complete", pending, Attempts.completed(attemptOf(pending), encoded.right))
          )
      }),
    fail: (error: unknown) =>
      under("fail", (pending) => failed("fail", pending, encodeFailure(contract.codecs.error, error))),
    heartbeat: (details?: unknown) =>
      Effect.suspend(() => {
        const checked = Payload.check(details)
        if (Either.isLeft(checked)) {
          return Effect.fail(new ContractError({ subject: "heartbeat details", reason: checked.left.message }))
        }
        return under("heartbeat", ({ recorded, task }) => {
          const now = calls.now()
          const scheduled = ActivityTasks.inForce(recorded, task.options)
          const recordedAs = change("heartbeat", {
            _tag: "Heartbeat",
            runId: task.runId,
            seq: task.seq,
            attempt: task.attempt,
            details: details === undefined ? undefined : JSON.stringify(details),
            expiresAt: ActivityTasks.handedUntil(scheduled, task.scheduledAt, task.startedAt ?? now, now)
          })
          return Effect.flatMap(recordedAs, (touched): Effect.Effect<void, AsyncActivityCanceled> => {
            const reason = reasonOf(touched)
            return reason === undefined ? Effect.void : Effect.fail(new AsyncActivityCanceled({ subject, reason }))
          })
        })
      }),
    reportCancellation: under("reportCancellation", (pending) => {
      switch (reasonOf(pending.task)) {
        case "cancelRequested":
          return settle("reportCancellation", pending, Attempts.canceled(attemptOf(pending)))
        case "paused":
          return failed("reportCancellation", pending, Attempts.paused)
        case "reset":
          return failed("reportCancellation", pending, Attempts.reset)
        case undefined:
          return failed("reportCancellation", pending, Attempts.selfInterrupted)
      }
    })
  }
}

// internal -----------------------------------------------------------------------------------------------------------

const subjectOf = ({ name }: Contract, key: ActivityKey): string =>
  typeof key === "string" ? `${name} (token ${key})` : `${name} #${key.activityId} of workflow ${key.workflowId}`

const isUnderWay = ({ task }: Pending): boolean => task.state === "started" || task.state === "handed"

const find = (
  calls: Calls,
  call: string,
  key: ActivityKey
): Effect.Effect<Pending | undefined, StoreUnavailable> =>
  Effect.gen(function*() {
    if (typeof key === "string") {
      const token = TaskToken.parse(key)
      return token === undefined
        ? undefined
        : yield* PendingTasks.find(
          calls,
          call,
          token.runId,
          ({ task }) => task.seq === token.seq && task.attempt === token.attempt
        )
    }
    const found = key.runId === undefined
      ? yield* calls.of(call, calls.store.findLatest(key.workflowId))
      : yield* calls.of(call, calls.store.findRun(key.runId))
    return Option.isNone(found)
      ? undefined
      : yield* PendingTasks.find(calls, call, found.value.runId, PendingTasks.hasId(key.activityId))
  })

/** As its host would have it, as far as outcomes and retries ask. */
const attemptOf = ({ recorded, task }: Pending): Attempt =>
  Attempts.ofTask(task, recorded, { workflowId: "", workflow: "" })
