/**
 * What the store knows of a run: its description, its history.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { attemptOf } from "../../core/ActivityTask.js"
import type { Turn } from "../../core/Event.js"
import * as Events from "../../core/Event.js"
import * as Failures from "../../core/Failure.js"
import * as Activities from "../../core/family/Activity.js"
import type { Start } from "../../core/family/Execution.js"
import { followerOf } from "../../core/family/Execution.js"
import type { Carried } from "../../core/family/Notes.js"
import * as Versions from "../../core/family/Version.js"
import * as Messages from "../../core/Message.js"
import type { Attention, Description, PendingActivity, PendingChild } from "../../dsl/Client.js"
import type { Versioning } from "../../dsl/Deployments.js"
import * as Notes from "../../dsl/Notes.js"
import type { WorkflowNotFound } from "../../dsl/WorkflowFailure.js"
import { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import type { Run } from "../../persistence/Store.js"
import * as Histories from "../Histories.js"
import type { Calls, Target } from "./Calls.js"
import * as Ending from "./Ending.js"
import { scheduledBy } from "./PendingTasks.js"

/** Row X11. @since 0.1.0 */
export const describe = (
  calls: Calls,
  target: Target
): Effect.Effect<Description, WorkflowNotFound | StoreUnavailable> =>
  Effect.gen(function*() {
    const { store } = calls
    const run = yield* calls.find(target, "describe")
    const size = yield* calls.of("describe", store.size(run.runId))
    const tasks = yield* calls.of("describe", store.tasksOf(run.runId))
    const notes = (run.notes === undefined ? {} : JSON.parse(run.notes)) as Carried
    const memo = Notes.shown(notes.memo ?? [], (name) => target.workflow.notes?.memo.get(name))
    const searchAttributes = Notes.shown(notes.searchAttributes ?? [], (name) =>
      target.workflow.notes?.attributes.get(name)?.codec)
    const start = yield* startOf(calls, run)
    const children = yield* childrenOf(calls, run)
    const scheduled = yield* scheduledBy(calls, "describe", run.runId, tasks)
    return {
      workflow: run.workflow,
      workflowId: run.workflowId,
      runId: run.runId,
      taskQueue: run.taskQueue,
      status: run.status,
      startedAt: run.startedAt,
      closedAt: run.closedAt,
      firstRunId: run.firstRunId,
      previousRunId: run.previousRunId,
      nextRunId: yield* nextOf(calls, run),
      attempt: run.attempt,
      startAt: run.startAt,
      expiresAt: run.expiresAt,
      cron: start?.cron,
      turns: size.turns,
      historyLength: size.events,
      historyBytes: size.bytes,
      attention: run.attention === undefined
        ? yield* noWorkerOf(calls, run)
        : JSON.parse(run.attention) as Attention,
      pendingActivities: tasks.map((task): PendingActivity => {
        const event = scheduled.get(task.seq)
        return {
          activityId: event === undefined ? String(task.seq) : Activities.idOf(event),
          activity: event?.name ?? "unknown",
          state: task.state,
          attempt: attemptOf(task),
          paused: task.paused,
          dueAt: task.dueAt,
          lastFailure: task.failure === undefined ? undefined : rendered(task.failure),
          heartbeat: task.heartbeat === undefined ? undefined : JSON.parse(task.heartbeat) as unknown,
          cancelRequested: task.cancelRequested,
          summary: event?.summary
        }
      }),
      pendingChildren: children,
      parent: start?.parent === undefined
        ? undefined
        : { workflowId: start.parent.workflowId, runId: start.parent.runId },
      root: start?.root ?? { workflowId: run.workflowId, runId: run.firstRunId },
      scheduled: run.scheduled,
      summary: notes.summary,
      details: notes.details,
      memo,
      searchAttributes,
      version: run.version,
      versioningBehavior: run.behavior,
      versioningOverride: overrideOf(run),
      pinnedTo: Versions.ofKey(run.pinnedTo),
      owner: run.owner,
      wakeAt: run.wakeAt
    }
  })

const overrideOf = ({ override, pinnedTo }: Run): Versioning | undefined => {
  const pinned = Versions.ofKey(pinnedTo)
  return override === "Pinned" && pinned !== undefined ? { pinned } : override === undefined ? undefined : "AutoUpgrade"
}

/** Of a run that waits for a version: that no worker of it is there. */
const noWorkerOf = (calls: Calls, run: Run): Effect.Effect<Attention | undefined, StoreUnavailable> => {
  const pinned = run.status === "Running" && run.owner === undefined ? Versions.ofKey(run.pinnedTo) : undefined
  if (pinned === undefined) return Effect.succeed(undefined)
  const { buildId, deployment } = pinned
  return Effect.map(calls.of("describe", calls.store.workersOf(pinned)), (workers) =>
    workers > 0 ? undefined : {
      _tag: "NoWorker",
      message:
        `it is pinned to build ${buildId} of deployment ${deployment}, and no worker of it is there: start one, or `
        + "move the run by setVersioning"
    })
}

/** What it was started with: in its first turn, or before that in its mailbox; undefined where that cannot be read. */
const startOf = (
  calls: Calls,
  { runId, turn }: Run
): Effect.Effect<Omit<Start, "_tag"> | undefined, StoreUnavailable> =>
  Effect.gen(function*() {
    if (turn === 0) {
      const mail = (yield* calls.of("describe", calls.store.mail(runId, 0))).find(({ kind }) => kind === "Start")
      const message = mail === undefined
        ? undefined
        : Option.getOrUndefined(Either.getRight(Messages.decode(mail.body)))
      return message?._tag === "Start" ? message : undefined
    }
    const [row] = yield* calls.of("describe", calls.store.history(runId, 0, 1))
    const events = row === undefined ? [] : Either.getOrElse(Events.decode(row), () => [])
    return events.find((event) => event._tag === "ExecutionStarted")
  })

const childrenOf = (
  calls: Calls,
  { runId, status }: Run
): Effect.Effect<ReadonlyArray<PendingChild>, StoreUnavailable> =>
  Effect.gen(function*() {
    if (status !== "Running") return []
    const found: Array<PendingChild> = []
    for (const child of yield* calls.of("describe", calls.store.openChildren(runId))) {
      const run = yield* calls.of("describe", calls.store.findRun(child.runId))
      if (Option.isNone(run) || run.value.status !== "Running") continue
      const { startedAt, workflow, workflowId } = run.value
      found.push({ workflow, workflowId, runId: child.runId, startedAt })
    }
    return found
  })

/** What cannot be read is left out: `history` says what is wrong with it. */
const nextOf = (calls: Calls, run: Run): Effect.Effect<string | undefined> =>
  run.status === "Running"
    ? Effect.succeed(undefined)
    : Effect.orElseSucceed(Effect.map(Ending.closingOf(calls, run), followerOf), () => undefined)

/** All turns, in order. @since 0.1.0 */
export const history = (
  calls: Calls,
  target: Target
): Effect.Effect<ReadonlyArray<Turn>, WorkflowNotFound | StoreUnavailable> =>
  Effect.gen(function*() {
    const run = yield* calls.find(target, "history")
    return yield* Effect.mapError(
      Histories.read(calls.store, run.runId),
      (error) => new StoreUnavailable({ call: "history", detail: error.message })
    )
  })

const decodeFailure = Schema.decodeOption(Schema.parseJson(Failures.Failure))

const rendered = (failure: string): string => {
  const decoded = decodeFailure(failure)
  return decoded._tag === "Some" ? Failures.render(decoded.value) : failure
}
