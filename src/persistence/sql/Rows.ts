/**
 * What each statement's rows hold, and the port's models that are built from them.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import type { Status } from "../../core/family/Execution.js"
import { ParentClosePolicy, Status as StatusSchema } from "../../core/family/Execution.js"
import type { Behavior } from "../../core/family/Version.js"
import { Behavior as BehaviorSchema } from "../../core/family/Version.js"
import * as Versions from "../../core/family/Version.js"
import type { HistoryRow, HistorySize, Mail, MailKind, Reply, Run, Task, TaskNotice, Worker } from "../Store.js"
import type { Decode, Kind } from "./Decode.js"
import { decode } from "./Decode.js"

const statuses = new Set<Status>(StatusSchema.literals)

const behaviors = new Set<Behavior | null>([...BehaviorSchema.literals, null])

/** Null: the run is nobody's child. */
const closePolicies = new Set<ParentClosePolicy | null>([...ParentClosePolicy.literals, null])

/** @since 0.1.0 */
export const run: Decode<Run> = decode(
  "perdure_runs",
  {
    run_id: "text",
    workflow_id: "text",
    workflow: "text",
    task_queue: "text",
    status: statuses,
    owner: "text?",
    epoch: "integer",
    wake_at: "integer?",
    started_at: "integer",
    closed_at: "integer?",
    attention: "text?",
    notes: "text?",
    first_run_id: "text?",
    previous_run_id: "text?",
    attempt: "integer",
    start_at: "integer?",
    expires_at: "integer?",
    parent_run_id: "text?",
    parent_seq: "integer?",
    parent_close: closePolicies,
    scheduled_by: "text?",
    scheduled_at: "integer?",
    root_workflow_id: "text?",
    history_length: "integer?",
    pinned_to: "text",
    versioning_override: behaviors,
    deployment: "text?",
    build_id: "text?",
    behavior: behaviors,
    turn: "integer"
  },
  (row: RunRow) => ({
    runId: row.run_id,
    workflowId: row.workflow_id,
    workflow: row.workflow,
    taskQueue: row.task_queue,
    status: row.status,
    owner: row.owner ?? undefined,
    epoch: row.epoch,
    wakeAt: row.wake_at ?? undefined,
    startedAt: row.started_at,
    closedAt: row.closed_at ?? undefined,
    firstRunId: row.first_run_id ?? row.run_id,
    previousRunId: row.previous_run_id ?? undefined,
    attempt: row.attempt,
    startAt: row.start_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    parent: row.parent_run_id === null
      ? undefined
      : { runId: row.parent_run_id, seq: row.parent_seq!, close: row.parent_close! },
    scheduled: row.scheduled_by === null ? undefined : { by: row.scheduled_by, at: row.scheduled_at! },
    rootWorkflowId: row.root_workflow_id ?? row.workflow_id,
    historyLength: row.history_length ?? undefined,
    pinnedTo: row.pinned_to,
    override: row.versioning_override ?? undefined,
    version: row.deployment === null || row.build_id === null
      ? undefined
      : { deployment: row.deployment, buildId: row.build_id },
    behavior: row.behavior ?? undefined,
    turn: row.turn,
    notes: row.notes ?? undefined,
    attention: row.attention ?? undefined
  })
)

/** As much of a run as a message to it needs. @since 0.1.0 */
export const target: Decode<{
  readonly runId: string
  readonly status: Status
  readonly owner: string | undefined
}> = decode(
  "perdure_runs",
  { run_id: "text", status: statuses, owner: "text?" },
  (row: Pick<RunRow, "run_id" | "status" | "owner">) => ({
    runId: row.run_id,
    status: row.status,
    owner: row.owner ?? undefined
  })
)

/** The open run of a workflow id. @since 0.1.0 */
export const openRun: Decode<{ readonly runId: string; readonly workflowId: string }> = decode(
  "perdure_runs",
  { run_id: "text", workflow_id: "text" },
  (row: Pick<RunRow, "run_id" | "workflow_id">) => ({ runId: row.run_id, workflowId: row.workflow_id })
)

/** An open run that is a child. @since 0.1.0 */
export const child: Decode<{
  readonly runId: string
  readonly owner: string | undefined
  readonly parentRunId: string
  readonly seq: number
  readonly close: ParentClosePolicy
}> = decode(
  "perdure_runs",
  { run_id: "text", owner: "text?", parent_run_id: "text", parent_seq: "integer", parent_close: closePolicies },
  (row: Pick<RunRow, "run_id" | "owner" | "parent_run_id" | "parent_seq" | "parent_close">) => ({
    runId: row.run_id,
    owner: row.owner ?? undefined,
    parentRunId: row.parent_run_id!,
    seq: row.parent_seq!,
    close: row.parent_close ?? "Terminate"
  })
)

/** @since 0.1.0 */
export const runId: Decode<string> = decode(
  "perdure_runs",
  { run_id: "text" },
  (row: Pick<RunRow, "run_id">) => row.run_id
)

/** @since 0.1.0 */
export const fence: Decode<{ readonly runId: string; readonly epoch: number }> = decode(
  "perdure_runs",
  { run_id: "text", epoch: "integer" },
  (row: Pick<RunRow, "run_id" | "epoch">) => ({ runId: row.run_id, epoch: row.epoch })
)

/** @since 0.1.0 */
export const dueRun: Decode<{ readonly runId: string; readonly at: number }> = decode(
  "perdure_runs",
  { run_id: "text", at: "integer" },
  (row: { readonly run_id: string; readonly at: number }) => ({ runId: row.run_id, at: row.at })
)

/** A time by itself. @since 0.1.0 */
export const moment: Decode<number> = decode(
  "perdure_runs or perdure_activity_tasks",
  { at: "integer" },
  (row: { readonly at: number }) => row.at
)

/** @since 0.1.0 */
export const earliest = (times: ReadonlyArray<number>): Option.Option<number> =>
  times.length === 0 ? Option.none() : Option.some(Math.min(...times))

const historyColumns: { readonly [column: string]: Kind } = {
  run_id: "text",
  turn: "integer",
  at: "integer",
  format: "integer",
  events: "text"
}

const buildHistory = (row: HistoryRow): HistoryRow => ({
  turn: row.turn,
  at: row.at,
  format: row.format,
  events: row.events
})

/** @since 0.1.0 */
export const history: Decode<HistoryRow> = decode("perdure_history", historyColumns, buildHistory)

/** History rows of several runs, each with the run it belongs to. @since 0.1.0 */
export const historyOfRuns: Decode<{ readonly runId: string; readonly row: HistoryRow }> = decode(
  "perdure_history",
  historyColumns,
  (row: HistoryRow & { readonly run_id: string }) => ({ runId: row.run_id, row: buildHistory(row) })
)

/** @since 0.1.0 */
export const turnKey: Decode<{ readonly runId: string; readonly turn: number }> = decode(
  "perdure_history",
  { run_id: "text", turn: "integer" },
  (row: { readonly run_id: string; readonly turn: number }) => ({ runId: row.run_id, turn: row.turn })
)

/** @since 0.1.0 */
export const size: Decode<HistorySize> = decode(
  "perdure_history",
  { turns: "integer", events: "integer", bytes: "integer" },
  ({ bytes, events, turns }: HistorySize) => ({ turns, events, bytes })
)

/** @since 0.1.0 */
export const count: Decode<number> = decode(
  "perdure_runs",
  { count: "integer" },
  (row: { readonly count: number }) => row.count
)

/** @since 0.1.0 */
export const statusCount: Decode<{ readonly status: Status; readonly runs: number }> = decode(
  "perdure_runs",
  { status: statuses, runs: "integer" },
  (row: { readonly status: Status; readonly runs: number }) => ({ status: row.status, runs: row.runs })
)

/** All groups in one row; those that are empty are left out. @since 0.1.0 */
export const statusCounts: Decode<ReadonlyArray<{ readonly status: Status; readonly runs: number }>> = decode(
  "perdure_runs",
  Object.fromEntries([...statuses].map((status) => [status, "integer" as const])),
  (row: { readonly [S in Status]: number }) =>
    [...statuses].flatMap((status) => row[status] === 0 ? [] : [{ status, runs: row[status] }])
)

/** @since 0.1.0 */
export const mail: Decode<Mail> = decode(
  "perdure_mailbox",
  {
    id: "integer",
    run_id: "text",
    kind: new Set<MailKind>([
      "Start",
      "Signal",
      "Update",
      "Cancel",
      "Reset",
      "ActivityOutcome",
      "StepOutcome",
      "ChildOutcome",
      "ExternalOutcome",
      "Query",
      "Terminated"
    ]),
    body: "text"
  },
  (row: { readonly id: number; readonly run_id: string; readonly kind: MailKind; readonly body: string }) => ({
    id: row.id,
    runId: row.run_id,
    kind: row.kind,
    body: row.body
  })
)

const taskColumns: { readonly [column: string]: Kind } = {
  run_id: "text",
  seq: "integer",
  turn: "integer",
  task_queue: "text",
  state: new Set<Task["state"]>(["queued", "started", "lost", "handed", "paused"]),
  worker: "text?",
  attempt: "integer",
  scheduled_at: "integer",
  due_at: "integer",
  expires_at: "integer?",
  started_at: "integer?",
  heartbeat: "text?",
  failure: "text?",
  cancel_requested: "integer",
  paused: "integer",
  forgotten: "integer",
  revision: "integer",
  options: "text?"
}

const buildTask = (row: TaskRow): Task => ({
  runId: row.run_id,
  seq: row.seq,
  turn: row.turn,
  taskQueue: row.task_queue,
  state: row.state,
  worker: row.worker ?? undefined,
  attempt: row.attempt,
  scheduledAt: row.scheduled_at,
  dueAt: row.due_at,
  expiresAt: row.expires_at ?? undefined,
  startedAt: row.started_at ?? undefined,
  heartbeat: row.heartbeat ?? undefined,
  failure: row.failure ?? undefined,
  cancelRequested: row.cancel_requested !== 0,
  paused: row.paused !== 0,
  forgotten: row.forgotten,
  revision: row.revision,
  options: row.options ?? undefined
})

/** @since 0.1.0 */
export const task: Decode<Task> = decode("perdure_activity_tasks", taskColumns, buildTask)

/** Tasks with the workflow of their run. @since 0.1.0 */
export const taskOfRun: Decode<Task & { readonly workflowId: string; readonly workflow: string }> = decode(
  "perdure_activity_tasks",
  { ...taskColumns, workflow_id: "text", workflow: "text" },
  (row: TaskRow & { readonly workflow_id: string; readonly workflow: string }) => ({
    ...buildTask(row),
    workflowId: row.workflow_id,
    workflow: row.workflow
  })
)

/** What names a task. @category models @since 0.1.0 */
export interface TaskKey {
  readonly runId: string
  readonly seq: number
}

const buildKey = (row: Pick<TaskRow, "run_id" | "seq">): TaskKey => ({ runId: row.run_id, seq: row.seq })

/** @since 0.1.0 */
export const taskKey: Decode<TaskKey> = decode("perdure_activity_tasks", { run_id: "text", seq: "integer" }, buildKey)

/** @since 0.1.0 */
export const dueTask: Decode<TaskKey & { readonly at: number }> = decode(
  "perdure_activity_tasks",
  { run_id: "text", seq: "integer", at: "integer" },
  (row: Pick<TaskRow, "run_id" | "seq"> & { readonly at: number }) => ({ ...buildKey(row), at: row.at })
)

/** @since 0.1.0 */
export const taskNotice: Decode<TaskNotice> = decode(
  "perdure_activity_tasks",
  {
    run_id: "text",
    seq: "integer",
    attempt: "integer",
    open: "integer",
    cancel_requested: "integer",
    paused: "integer",
    forgotten: "integer",
    revision: "integer",
    options: "text?"
  },
  (row: TaskRow & { readonly open: number }) => ({
    ...buildKey(row),
    attempt: row.attempt,
    open: row.open !== 0,
    cancelRequested: row.cancel_requested !== 0,
    paused: row.paused !== 0,
    forgotten: row.forgotten,
    revision: row.revision,
    options: row.options ?? undefined
  })
)

/** What somebody outside is told of the attempt that it changes. @since 0.1.0 */
export const touchedTask: Decode<Pick<Task, "attempt" | "cancelRequested" | "paused" | "forgotten">> = decode(
  "perdure_activity_tasks",
  { attempt: "integer", cancel_requested: "integer", paused: "integer", forgotten: "integer" },
  (row: TaskRow) => ({
    attempt: row.attempt,
    cancelRequested: row.cancel_requested !== 0,
    paused: row.paused !== 0,
    forgotten: row.forgotten
  })
)

/** @since 0.1.0 */
export const reply: Decode<Reply> = decode(
  "perdure_replies",
  { request_id: "text", at: "integer", body: "text" },
  (row: { readonly request_id: string; readonly at: number; readonly body: string }) => ({
    requestId: row.request_id,
    at: row.at,
    body: row.body
  })
)

/** @since 0.1.0 */
export const worker: Decode<Worker> = decode(
  "perdure_workers",
  { id: "text", lease_until: "integer", identity: "text", started_at: "integer", version: "text?" },
  (row: WorkerRow) => ({
    id: row.id,
    leaseUntil: row.lease_until,
    identity: row.identity,
    startedAt: row.started_at,
    ...(row.version === null ? {} : { version: Versions.ofKey(row.version) })
  })
)

// internal -----------------------------------------------------------------------------------------------------------

interface RunRow {
  readonly run_id: string
  readonly workflow_id: string
  readonly workflow: string
  readonly task_queue: string
  readonly status: Status
  readonly owner: string | null
  readonly epoch: number
  readonly wake_at: number | null
  readonly started_at: number
  readonly closed_at: number | null
  readonly attention: string | null
  readonly notes: string | null
  readonly first_run_id: string | null
  readonly previous_run_id: string | null
  readonly attempt: number
  readonly start_at: number | null
  readonly expires_at: number | null
  readonly parent_run_id: string | null
  readonly parent_seq: number | null
  readonly parent_close: ParentClosePolicy | null
  readonly scheduled_by: string | null
  readonly scheduled_at: number | null
  readonly root_workflow_id: string | null
  readonly history_length: number | null
  readonly pinned_to: string
  readonly versioning_override: Behavior | null
  readonly deployment: string | null
  readonly build_id: string | null
  readonly behavior: Behavior | null
  readonly turn: number
}

interface TaskRow {
  readonly run_id: string
  readonly seq: number
  readonly turn: number
  readonly task_queue: string
  readonly state: Task["state"]
  readonly worker: string | null
  readonly attempt: number
  readonly scheduled_at: number
  readonly due_at: number
  readonly expires_at: number | null
  readonly started_at: number | null
  readonly heartbeat: string | null
  readonly failure: string | null
  readonly cancel_requested: number
  readonly paused: number
  readonly forgotten: number
  readonly revision: number
  readonly options: string | null
}

interface WorkerRow {
  readonly id: string
  readonly lease_until: number
  readonly identity: string
  readonly started_at: number
  readonly version: string | null
}
