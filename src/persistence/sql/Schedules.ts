/**
 * Schedules: claimed when they are due, and written with all that was decided of them.
 *
 * ```
 *   writes ──▶ revision still the one read? ──no──▶ Changed
 *               └─ workflow ids of its starts free? ──no──▶ Met
 *                   └─ rows ──▶ ends ──▶ cancel requests ──▶ runs with their Starts
 * ```
 *
 * A crash before the end of that transaction leaves the rows as they were, held until their claim is over; one after it
 * leaves the runs, each with a Start and a wake-up. Test: runtime/schedules-crash.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ChainOfRuns, Schedule, ScheduleOperations, ScheduleWrite, ScheduleWritten } from "../ScheduleStore.js"
import * as Batch from "./Batch.js"
import type { Changes } from "./Changes.js"
import type * as Creating from "./Creating.js"
import type { Database, Tx } from "./Database.js"
import type * as Imposing from "./Imposing.js"
import type * as Mailbox from "./Mailbox.js"
import type { Exists } from "./Namespaces.js"
import * as Rows from "./Rows.js"
import * as ScheduleRows from "./ScheduleRows.js"

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  db: Database,
  creating: Creating.Statements,
  mailbox: Mailbox.Statements,
  imposing: Imposing.Statements,
  exists: Exists,
  changes: Changes
): ScheduleOperations => {
  const { lockFreeRows, lockRows, text } = db.dialect
  const { columns } = ScheduleRows
  const insert = text(
    `INSERT INTO perdure_schedules (namespace, schedule_id, workflow, paused, next_at, revision, definition, state)
    VALUES (:namespace, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT DO NOTHING RETURNING schedule_id`
  )
  const byId = text(`SELECT ${columns} FROM perdure_schedules WHERE namespace = :namespace AND schedule_id = ?`)
  const remove = text(
    "DELETE FROM perdure_schedules WHERE namespace = :namespace AND schedule_id = ? RETURNING schedule_id"
  )
  const list = text(
    `SELECT ${columns} FROM perdure_schedules
    WHERE namespace = :namespace AND schedule_id > ? AND schedule_id >= ? AND schedule_id < ?
    ORDER BY schedule_id LIMIT ?`
  )
  const due = (lock: string) =>
    text(
      `SELECT schedule_id FROM perdure_schedules
      WHERE namespace = :namespace AND next_at <= ? AND (held_until IS NULL OR held_until <= ?)
      ORDER BY next_at LIMIT ?${lock}`
    )
  const look = due("")
  const take = due(lockFreeRows)
  const hold = Batch.make(db.dialect, {
    before: "UPDATE perdure_schedules SET held_until = ? WHERE namespace = :namespace AND schedule_id IN (",
    row: "?",
    after: `) RETURNING ${columns}`
  })
  const nextDue = text(
    `SELECT next_at AS at FROM perdure_schedules
    WHERE namespace = :namespace AND next_at IS NOT NULL AND held_until IS NULL ORDER BY next_at LIMIT 1`
  )
  const nextFree = text(
    `SELECT held_until AS at FROM perdure_schedules
    WHERE namespace = :namespace AND held_until IS NOT NULL ORDER BY held_until LIMIT 1`
  )
  const revisions = Batch.make(db.dialect, {
    before: "SELECT schedule_id, revision FROM perdure_schedules WHERE namespace = :namespace AND schedule_id IN (",
    row: "?",
    after: `)${lockRows}`
  })
  const update = Batch.make(db.dialect, {
    before: `UPDATE perdure_schedules SET revision = revision + 1, held_until = NULL, paused = v.column2,
      next_at = v.column3, state = v.column4, workflow = v.column5,
      definition = coalesce(v.column6, definition) FROM (VALUES`,
    row: "(?, ?, ?, ?, ?, ?)",
    after: `) AS v WHERE perdure_schedules.namespace = :namespace AND perdure_schedules.schedule_id = v.column1`
  })
  const openRuns = Batch.make(db.dialect, {
    before: `SELECT run_id, workflow_id, first_run_id, owner FROM perdure_runs
      WHERE status = 'Running' AND namespace = :namespace AND workflow_id IN (`,
    row: "?",
    after: ")"
  })
  const ends = Batch.make(db.dialect, {
    before: `SELECT r.run_id, r.workflow_id, v.column2 AS chain, r.workflow, r.status, h.turn, h.at, h.format, h.events
      FROM (VALUES`,
    row: "(?, ?)",
    // The last run that began is the open one, where there is one.
    after: `) AS v JOIN perdure_runs r ON r.run_id = (
        SELECT l.run_id FROM perdure_runs l
        WHERE l.namespace = :namespace AND l.workflow_id = v.column1 AND coalesce(l.first_run_id, l.run_id) = v.column2
        ORDER BY l.started_at DESC, l.run_id DESC LIMIT 1)
      LEFT JOIN perdure_history h ON r.status <> 'Running' AND h.run_id = r.run_id
        AND h.turn = (SELECT max(t.turn) FROM perdure_history t WHERE t.run_id = r.run_id)`
  })

  /** The open runs of the workflow ids that writes are about, by workflow id. */
  const openOf = (tx: Tx, writes: ReadonlyArray<ScheduleWrite>) =>
    Effect.gen(function*() {
      const open = new Map<string, Open>()
      const ids = new Set<string>()
      for (const { cancels, starts, terminates } of writes) {
        for (const { run } of starts) ids.add(run.workflowId)
        for (const { workflowId } of cancels) ids.add(workflowId)
        for (const { workflowId } of terminates) ids.add(workflowId)
      }
      for (const run of yield* Effect.flatMap(Batch.run(tx, openRuns, [...ids]), ScheduleRows.openRun)) {
        open.set(run.workflowId, run)
      }
      return open
    })

  const act = (tx: Tx, writes: ReadonlyArray<ScheduleWrite>, open: ReadonlyMap<string, Open>, now: number) =>
    Effect.gen(function*() {
      for (const { terminates } of writes) {
        for (const { end, ...chain } of terminates) {
          const run = ofChain(open, chain)
          if (run !== undefined) yield* imposing.end(tx, run, end, now)
        }
      }
      const mail = writes.flatMap(({ cancels }) =>
        cancels.flatMap(({ body, ...chain }) => {
          const run = ofChain(open, chain)
          return run === undefined ? [] : [{ runId: run.runId, kind: "Cancel" as const, body }]
        })
      )
      yield* mailbox.post(tx, mail, now)
      const creations = writes.flatMap(({ starts }) => starts)
      if (creations.length > 0) yield* creating.create(tx, "", creations, now)
    })

  const held = (tx: Tx, statement: string, now: number, limit: number) =>
    Effect.flatMap(tx(statement, [now, now, limit]), ScheduleRows.scheduleId)

  return {
    createSchedule: (schedule) =>
      db.write("createSchedule", (tx) =>
        Effect.zipRight(
          exists(tx),
          Effect.map(
            tx(insert, [
              schedule.scheduleId,
              schedule.workflow,
              schedule.paused ? 1 : 0,
              schedule.nextAt ?? null,
              schedule.definition,
              schedule.state
            ]),
            (rows) => rows.length > 0
          )
        )).pipe(Effect.tap((created) => created ? changes.announce : Effect.void)),

    findSchedule: (scheduleId) =>
      db.read("findSchedule", (tx) =>
        Effect.map(
          Effect.flatMap(tx(byId, [scheduleId]), ScheduleRows.schedule),
          (rows) => Option.fromNullable(rows[0])
        )),

    deleteSchedule: (scheduleId) =>
      db.write("deleteSchedule", (tx) => Effect.map(tx(remove, [scheduleId]), (rows) => rows.length > 0)),

    listSchedules: ({ after, limit, prefix }) =>
      db.read(
        "listSchedules",
        (tx) => Effect.flatMap(tx(list, [after, prefix, `${prefix}\u{10ffff}`, limit]), ScheduleRows.schedule)
      ),

    claimSchedules: (now, heldUntil, limit) =>
      Effect.flatMap(
        // Looked for without the write lock first: most polls find nothing, and must not stand in a writer's way.
        db.read("claimSchedules", (tx) => held(tx, look, now, limit)),
        (found): ReturnType<ScheduleOperations["claimSchedules"]> =>
          found.length === 0
            ? Effect.succeed([])
            : db.write("claimSchedules", (tx) =>
              Effect.gen(function*() {
                const wanted = yield* held(tx, take, now, limit)
                const claimed = yield* Effect.flatMap(Batch.run(tx, hold, wanted, [heldUntil]), ScheduleRows.schedule)
                return inOrder(claimed, wanted)
              }))
      ),

    writeSchedules: (writes, now) =>
      db.write("writeSchedules", (tx) =>
        Effect.gen(function*() {
          const known = new Map<string, number>()
          const ids = [...new Set(writes.map(({ scheduleId }) => scheduleId))]
          for (const row of yield* Effect.flatMap(Batch.run(tx, revisions, ids), ScheduleRows.read)) {
            known.set(row.scheduleId, row.revision)
          }
          const open = yield* openOf(tx, writes)
          const { accepted, results } = judge(writes, known, open)
          yield* Batch.run(
            tx,
            update,
            accepted.flatMap(({ definition, nextAt, paused, scheduleId, state, workflow }) => [
              scheduleId,
              paused ? 1 : 0,
              nextAt ?? null,
              state,
              workflow,
              definition ?? null
            ])
          )
          yield* act(tx, accepted, open, now)
          return results
        })).pipe(
          Effect.tap((results) => results.some(({ _tag }) => _tag === "Written") ? changes.announce : Effect.void)
        ),

    nextSchedule: db.read("nextSchedule", (tx) =>
      Effect.map(
        Effect.all([Effect.flatMap(tx(nextDue, []), Rows.moment), Effect.flatMap(tx(nextFree, []), Rows.moment)]),
        (found) => Rows.earliest(found.flat())
      )),

    endsOfChains: (chains) =>
      chains.length === 0 ? Effect.succeed([]) : db.read("endsOfChains", (tx) =>
        Effect.flatMap(
          Batch.run(tx, ends, chains.flatMap(({ firstRunId, workflowId }) => [workflowId, firstRunId])),
          ScheduleRows.chainEnd
        ))
  }
}

// internal -----------------------------------------------------------------------------------------------------------

interface Open extends ChainOfRuns {
  readonly runId: string
  readonly owner: string | undefined
}

const ofChain = (open: ReadonlyMap<string, Open>, { firstRunId, workflowId }: ChainOfRuns): Open | undefined => {
  const run = open.get(workflowId)
  return run?.firstRunId === firstRunId ? run : undefined
}

/** Which writes may go in: a second one of the same schedule, or of the same workflow id, comes too late. */
const judge = (
  writes: ReadonlyArray<ScheduleWrite>,
  known: Map<string, number>,
  open: ReadonlyMap<string, Open>
): { readonly accepted: ReadonlyArray<ScheduleWrite>; readonly results: ReadonlyArray<ScheduleWritten> } => {
  const accepted: Array<ScheduleWrite> = []
  const taken = new Map([...open.keys()].map((workflowId) => [workflowId, true]))
  const results = writes.map((write): ScheduleWritten => {
    if (known.get(write.scheduleId) !== write.revision) return changed
    const free = new Set(
      write.terminates.flatMap((chain) => ofChain(open, chain) === undefined ? [] : [chain.workflowId])
    )
    const met = new Set<string>()
    const own = new Set<string>()
    for (const { run: { runId, workflowId } } of write.starts) {
      if (taken.has(workflowId) && !free.has(workflowId) || own.has(workflowId)) met.add(runId)
      own.add(workflowId)
    }
    if (met.size > 0) return { _tag: "Met", runIds: met }
    for (const workflowId of free) taken.delete(workflowId)
    for (const workflowId of own) taken.set(workflowId, true)
    known.delete(write.scheduleId)
    accepted.push(write)
    return written
  })
  return { accepted, results }
}

const changed: ScheduleWritten = { _tag: "Changed" }
const written: ScheduleWritten = { _tag: "Written" }

const inOrder = (schedules: ReadonlyArray<Schedule>, ids: ReadonlyArray<string>): ReadonlyArray<Schedule> => {
  const places = new Map(ids.map((id, place) => [id, place]))
  return [...schedules].sort((a, b) => places.get(a.scheduleId)! - places.get(b.scheduleId)!)
}
