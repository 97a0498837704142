/**
 * Closed runs that are older than their namespace keeps them: archived, where there is an archive, and deleted, a batch
 * at a time. Each closed run by itself, whether or not others of its chain are open.
 *
 * ```
 *   retention? ──▶ closed long enough? ──▶ archived ──▶ one transaction: the runs, and all that is kept of them
 *     none: done       none: done            └─ fails: kept     └─ of a long history only the first part ──▶ the rest,
 *                                                                  piece by piece, by whoever sweeps next
 * ```
 *
 * 1. A transaction takes out at most `turnsMax` turns, so that no commit waits long behind it.
 * 2. Nothing is deleted before it is archived, where the namespace or the store says so. A crash between leaves both.
 * 3. Several workers may sweep at once: what one has deleted is not there for the other one.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Events from "../../core/Event.js"
import type { Archive } from "../Archive.js"
import type { Run, Store, StoreError, SweepPosition, Swept } from "../Store.js"
import type { Database, Tx } from "./Database.js"
import { decode } from "./Decode.js"
import * as Deleting from "./Deleting.js"
import type { Place } from "./Namespaces.js"
import * as Rows from "./Rows.js"
import { columns } from "./Runs.js"

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  db: Database,
  namespace: Place,
  archive: Archive | undefined,
  read: Store["Type"]["history"]
): Pick<Store["Type"], "sweep"> => {
  const { text } = db.dialect
  const policy = text("SELECT retention, archived FROM perdure_namespaces WHERE id = :namespace")
  const old = text(
    `SELECT ${columns} FROM perdure_runs r
    WHERE r.namespace = :namespace AND r.closed_at <= ? AND (r.closed_at, r.started_at, r.run_id) > (?, ?, ?)
    ORDER BY r.closed_at, r.started_at, r.run_id LIMIT ?`
  )
  const removed = text("SELECT run_id FROM perdure_removed_runs LIMIT 1")
  const remember = text("INSERT INTO perdure_removed_runs (run_id) VALUES (?) ON CONFLICT DO NOTHING")
  const piece = text(
    `DELETE FROM perdure_history WHERE run_id = ? AND turn <= ? + (
      SELECT min(h.turn) FROM perdure_history h WHERE h.run_id = ?)`
  )
  const rest = text("SELECT run_id, turn FROM perdure_history WHERE run_id = ? LIMIT 1")
  const forget = text("DELETE FROM perdure_removed_runs WHERE run_id = ?")
  const row = text(
    "DELETE FROM perdure_runs WHERE run_id = ? AND status <> 'Running' AND +namespace = :namespace RETURNING run_id"
  )
  const history = text(Deleting.history)
  const belongings = Deleting.belongings.map(text)

  /** What is left of a long history. Whether there is more of it, or of others. */
  const removePiece = db.write("sweep", (tx) =>
    Effect.gen(function*() {
      const [runId] = yield* Effect.flatMap(tx(removed, []), Rows.runId)
      if (runId === undefined) {
        return false
      }
      yield* tx(piece, [runId, turnsMax - 1, runId])
      if ((yield* tx(rest, [runId])).length === 0) {
        yield* tx(forget, [runId])
      }
      return true
    }))

  const removePieces: Effect.Effect<boolean, StoreError> = Effect.flatMap(
    // Looked for without the write lock: hardly ever is there any.
    db.read("sweep", (tx) => tx(removed, [])),
    (found) => found.length === 0 ? Effect.succeed(false) : removePiece
  )

  const find = (now: number, after: SweepPosition | undefined) =>
    db.read("sweep", (tx) =>
      Effect.gen(function*() {
        const [found] = yield* Effect.flatMap(tx(policy, []), policyRow)
        if (found === undefined || found.retention === null) {
          return { archived: false, runs: [] }
        }
        const { closedAt, runId, startedAt } = after ?? { closedAt: -1, startedAt: -1, runId: "" }
        const rows = tx(old, [now - found.retention, closedAt, startedAt, runId, runsMax])
        return { archived: found.archived !== 0, runs: yield* Effect.flatMap(rows, Rows.run) }
      }))

  const remove = (tx: Tx, batch: ReadonlyArray<Run>) =>
    Effect.gen(function*() {
      let deleted = 0
      for (const { runId, turn } of batch) {
        if ((yield* tx(row, [runId])).length === 0) {
          continue
        }
        deleted++
        for (const statement of belongings) {
          yield* tx(statement, [runId])
        }
        yield* tx(turn > turnsMax ? remember : history, [runId])
      }
      return deleted
    })

  const textOf = (run: Run): Effect.Effect<string, StoreError> =>
    Effect.gen(function*() {
      const turns: Array<string> = []
      let turn = 0
      for (;;) {
        const rows = yield* read(run.runId, turn, pageTurns)
        for (const { at, events, format, turn } of rows) {
          turns.push(`{"turn":${turn},"at":${at},"format":${format},"events":${events}}`)
        }
        if (rows.length < pageTurns) {
          break
        }
        turn = rows[rows.length - 1]!.turn
      }
      const { closedAt, firstRunId, runId, startedAt, status, taskQueue, workflow, workflowId } = run
      const about = { format: Events.format, namespace: namespace.name, runId, workflowId, workflow }
      const head = JSON.stringify({ ...about, taskQueue, firstRunId, status, startedAt, closedAt })
      return `${head.slice(0, -1)},"turns":[\n${turns.join(",\n")}\n]}\n`
    })

  /** Undefined: the run may be deleted. Else why not. */
  const put = (run: Run, { put }: Archive): Effect.Effect<string | undefined, StoreError> =>
    Effect.flatMap(textOf(run), (history) => {
      const { closedAt, runId, startedAt, status, workflow, workflowId } = run
      const dates = { startedAt: new Date(startedAt), closedAt: new Date(closedAt!) }
      return Effect.match(
        put({ namespace: namespace.name, runId, workflowId, workflow, status, ...dates, history }),
        { onFailure: ({ reason }) => reason, onSuccess: () => undefined }
      )
    })

  return {
    sweep: (now, after) =>
      Effect.gen(function*() {
        if (yield* removePieces) {
          return { deleted: 0, kept: [], next: after ?? beginning }
        }
        const found = yield* find(now, after)
        const batch = upTo(turnsMax, found.runs)
        const [oldest] = batch
        if (oldest === undefined) {
          return nothing
        }
        if (found.archived && archive === undefined) {
          const reason = `namespace ${namespace.name} archives its runs, and the store of this worker has no archive`
          return { deleted: 0, kept: [{ runId: oldest.runId, reason }], next: undefined }
        }
        const kept: Array<Swept["kept"][number]> = []
        const free: Array<Run> = []
        for (const run of batch) {
          const reason = archive === undefined ? undefined : yield* put(run, archive)
          if (reason === undefined) {
            free.push(run)
          } else {
            kept.push({ runId: run.runId, reason })
          }
          // It is the archive that is in trouble, and not the run.
          if (free.length === 0 && kept.length === triesMax) {
            return { deleted: 0, kept, next: undefined }
          }
        }
        // A crash here leaves runs that are archived: they are put once more, and deleted then.
        const deleted = free.length === 0 ? 0 : yield* db.write("sweep", (tx) => remove(tx, free))
        const { closedAt, runId, startedAt, turn } = batch[batch.length - 1]!
        const isLast = batch.length === found.runs.length && batch.length < runsMax && turn <= turnsMax
        return { deleted, kept, next: isLast ? undefined : { closedAt: closedAt!, startedAt, runId } }
      })
  }
}

// internal -----------------------------------------------------------------------------------------------------------

/** Runs of one batch. */
const runsMax = 100

/** Turns of one batch, but of a run by itself: deleting so many takes some 10 ms. */
const turnsMax = 1_000

const pageTurns = 500

/** Histories that an archive refuses one after the other, before it is left alone for now. */
const triesMax = 3

const beginning: SweepPosition = { closedAt: -1, startedAt: -1, runId: "" }

const nothing: Swept = { deleted: 0, kept: [], next: undefined }

const policyRow = decode(
  "perdure_namespaces",
  { retention: "integer?", archived: "integer" },
  (row: { readonly retention: number | null; readonly archived: number }) => row
)

/** As many of the first ones as have so many turns, and one at least. */
const upTo = (turns: number, runs: ReadonlyArray<Run>): ReadonlyArray<Run> => {
  let sum = 0
  const end = runs.findIndex((run) => (sum += run.turn) > turns)
  return end < 0 ? runs : runs.slice(0, Math.max(1, end))
}
