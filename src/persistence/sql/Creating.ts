/**
 * New runs: the one statement that writes their rows, whoever makes them.
 *
 * ```
 *   Starts.create  by a process that does not host it ──┐
 *   first turn     by the worker that hosts it ─────────┼──▶ row, unless the workflow id has an open run
 *   TurnCommit.creates   by the turn of another run ────┘
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Routing from "../../core/Routing.js"
import type { CreateOptions, Creation, NewMail, NewRun } from "../Store.js"
import type * as Attributes from "./Attributes.js"
import * as Batch from "./Batch.js"
import type { Fault, Tx } from "./Database.js"
import type { Dialect } from "./Dialect.js"
import type * as Mailbox from "./Mailbox.js"
import * as Rows from "./Rows.js"

/** @category models @since 0.1.0 */
export interface NewRow {
  readonly run: NewRun
  readonly owner: string | undefined
  readonly epoch: number
  readonly wakeAt: number | undefined
  readonly attention: string | undefined
}

/**
 * By run: the open run of its workflow id that it met; undefined where the run id itself was taken.
 *
 * @category models
 * @since 0.1.0
 */
export type Conflicts = ReadonlyMap<string, string | undefined>

/**
 * @category models
 * @since 0.1.0
 */
export interface Statements {
  /** Writes the rows of runs; those that met another are left out, and reported. */
  readonly insert: (tx: Tx, rows: ReadonlyArray<NewRow>) => Effect.Effect<Conflicts, Fault>
  /** The last run that began of a workflow id. */
  readonly last: (
    tx: Tx,
    workflowId: string
  ) => Effect.Effect<{ readonly runId: string; readonly status: string } | undefined, Fault>
  /** Writes runs with their Start messages. */
  readonly create: (
    tx: Tx,
    worker: string,
    creations: ReadonlyArray<Creation>,
    now: number
  ) => Effect.Effect<Conflicts, Fault>
}

/**
 * The open run of a workflow id, if there is one.
 *
 * @since 0.1.0
 */
const openRun = `SELECT run_id FROM perdure_runs
  WHERE status = 'Running' AND namespace = :namespace AND workflow_id = ?`

const lastRun = `SELECT run_id, status, owner FROM perdure_runs WHERE namespace = :namespace AND workflow_id = ?
  ORDER BY started_at DESC, run_id DESC LIMIT 1`

/**
 * Whether a closed run of that status stands in the way of another one.
 *
 * @since 0.1.0
 */
export const refuses = (reuse: CreateOptions["reuse"], status: string): boolean =>
  reuse === "RejectDuplicate" || reuse === "AllowDuplicateFailedOnly" && status === "Completed"

/**
 * When a run without a first turn must be looked at: when it may begin, or is out of time.
 *
 * @since 0.1.0
 */
export const firstWake = ({ expiresAt, startAt, startedAt }: NewRun): number =>
  Math.min(startAt ?? startedAt, expiresAt ?? Infinity)

/**
 * @category constructors
 * @since 0.1.0
 */
export const statements = (
  dialect: Dialect,
  mailbox: Mailbox.Statements,
  attributes: Attributes.Statements
): Statements => {
  const rows = Batch.make(dialect, {
    before: `INSERT INTO perdure_runs (run_id, workflow_id, workflow, task_queue, status, owner, epoch, wake_at,
      started_at, attention, first_run_id, previous_run_id, attempt, start_at, expires_at,
      parent_run_id, parent_seq, parent_close, notes, scheduled_by, scheduled_at, root_workflow_id, pinned_to, bucket,
      versioning_override, namespace) VALUES`,
    row: "(?, ?, ?, ?, 'Running', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, :namespace)",
    after: "ON CONFLICT DO NOTHING RETURNING run_id"
  })
  const open = dialect.text(openRun)
  const latest = dialect.text(lastRun)
  const last: Statements["last"] = (tx, workflowId) =>
    Effect.map(Effect.flatMap(tx(latest, [workflowId]), Rows.target), ([found]) => found)

  /** By run: the closed one that stands in its way. Hardly any asks. */
  const refusedOf = (tx: Tx, creations: ReadonlyArray<Creation>) =>
    Effect.gen(function*() {
      const refused = new Map<string, string>()
      for (const { reuse, run } of creations) {
        const found = reuse === undefined ? undefined : yield* last(tx, run.workflowId)
        // An open one is met by the insert.
        if (found !== undefined && found.status !== "Running" && refuses(reuse, found.status)) {
          refused.set(run.runId, found.runId)
        }
      }
      return refused
    })

  const insert: Statements["insert"] = (tx, wanted) =>
    Effect.gen(function*() {
      const created = new Set(yield* Effect.flatMap(Batch.run(tx, rows, wanted.flatMap(params)), Rows.runId))
      const found = wanted.flatMap(({ run }) =>
        run.attributes === undefined || !created.has(run.runId)
          ? []
          : run.attributes.map((attribute) => [run.runId, attribute] as const)
      )
      if (found.length > 0) {
        yield* attributes.set(tx, found)
      }
      if (created.size === wanted.length) {
        return noConflicts
      }
      const conflicts = new Map<string, string | undefined>()
      for (const { run: { runId, workflowId } } of wanted) {
        if (!created.has(runId)) {
          const [found] = yield* Effect.flatMap(tx(open, [workflowId]), Rows.runId)
          conflicts.set(runId, found === runId ? undefined : found)
        }
      }
      return conflicts
    })

  return {
    insert,
    last,
    create: (tx, worker, creations, now) =>
      Effect.gen(function*() {
        const refused = creations.every(({ reuse }) => reuse === undefined)
          ? noneRefused
          : yield* refusedOf(tx, creations)
        const allowed = refused.size === 0 ? creations : creations.filter(({ run }) => !refused.has(run.runId))
        const conflicts = yield* insert(
          tx,
          allowed.map(({ owned, run }) => ({
            run,
            owner: owned ? worker : undefined,
            epoch: owned ? 1 : 0,
            wakeAt: firstWake(run),
            attention: undefined
          }))
        )
        const starts = allowed.filter(({ run }) => !conflicts.has(run.runId)).map(({ start }) => start)
        yield* mailbox.post(tx, [...starts, ...reportsOf(creations, conflicts, refused)], now)
        return conflicts
      })
  }
}

// internal -----------------------------------------------------------------------------------------------------------

const noConflicts: Conflicts = new Map()
const noneRefused: ReadonlyMap<string, string> = new Map()

/** Says to those who want to know whether their run was created. */
const reportsOf = (
  creations: ReadonlyArray<Creation>,
  conflicts: Conflicts,
  refused: ReadonlyMap<string, string>
): ReadonlyArray<NewMail> => {
  const reports: Array<NewMail> = []
  for (const { report, run } of creations) {
    if (report === undefined) continue
    const existing = conflicts.get(run.runId)
    const closed = refused.get(run.runId)
    reports.push(report(
      closed !== undefined
        ? { _tag: "Refused", runId: closed }
        : existing === undefined
        ? { _tag: "Created" }
        : { _tag: "AlreadyRunning", runId: existing }
    ))
  }
  return reports
}

const params = ({ attention, epoch, owner, run, wakeAt }: NewRow): ReadonlyArray<unknown> => [
  run.runId,
  run.workflowId,
  run.workflow,
  run.taskQueue,
  owner ?? null,
  epoch,
  wakeAt ?? null,
  run.startedAt,
  attention ?? null,
  run.firstRunId ?? null,
  run.previousRunId ?? null,
  run.attempt ?? 1,
  run.startAt ?? null,
  run.expiresAt ?? null,
  run.parent?.runId ?? null,
  run.parent?.seq ?? null,
  run.parent?.close ?? null,
  run.notes ?? null,
  run.scheduled?.by ?? null,
  run.scheduled?.at ?? null,
  run.rootWorkflowId ?? null,
  run.pinnedTo ?? "",
  Routing.bucketOf(run.workflowId),
  run.override ?? null
]
