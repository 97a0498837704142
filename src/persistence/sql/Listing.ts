/**
 * Lists and counts of runs (rows X13, X14).
 *
 * A page begins behind the last run of the page before it, by the columns that it is ordered by. Runs start and close
 * while somebody reads on: a list shows all as it was when it began. What started later is left out; what closed later
 * is among the open ones, where it was.
 *
 * ```
 *   Closed:   open, newest first ──▶ closed, the last one first        one phase after the other
 *   Newest:   by start, backwards         Oldest:   by start
 * ```
 *
 * What is sought decides how: where one of the conditions is met by few runs, those are looked up and put in order; where
 * all are met by many, a page is soon found along the order. The database does not know which, so it is asked first.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { Status } from "../../core/family/Execution.js"
import type { Filter } from "../../core/visibility/Filter.js"
import type { ListOptions, Run, Store } from "../Store.js"
import type { Database, Fault, Tx } from "./Database.js"
import * as Filtering from "./Filtering.js"
import * as Rows from "./Rows.js"
import { columnsWith } from "./Runs.js"

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (db: Database): Pick<Store["Type"], "list" | "count"> => {
  const { text } = db.dialect
  const byName = Filtering.columnsOf(db.dialect)
  const columns = columnsWith(Filtering.historyLength(db.dialect))

  const sourceOf = (tx: Tx, filter: Filter | undefined): Effect.Effect<Source, Fault> =>
    Effect.gen(function*() {
      if (filter === undefined) {
        return everything
      }
      const where = Filtering.of(filter, byName)
      for (const ids of Filtering.indexed(filter, byName)) {
        const found = yield* Effect.flatMap(
          tx(text(`SELECT count(*) AS count FROM (SELECT 1 FROM (${ids.text}) AS s LIMIT ?) AS f`), [
            ...ids.params,
            fewMax + 1
          ]),
          Rows.count
        )
        if (found[0]! <= fewMax) {
          return {
            // In SQLite the left side of a CROSS JOIN is read first.
            from: `(SELECT DISTINCT run_id FROM (${ids.text}) AS s) AS few CROSS JOIN perdure_runs r`,
            params: ids.params,
            where: {
              text: `r.run_id = few.run_id AND +r.namespace = :namespace AND ${where.text}`,
              params: where.params
            }
          }
        }
      }
      return {
        ...everything,
        where: { text: `${everything.where.text} AND ${where.text}`, params: where.params }
      }
    })

  const rowsOf = (
    tx: Tx,
    source: Source,
    where: Filtering.Sql,
    order: string,
    limit: number
  ): Effect.Effect<ReadonlyArray<Run>, Fault> =>
    Effect.flatMap(
      tx(
        text(
          `SELECT ${columns} FROM ${source.from} WHERE ${where.text} AND ${source.where.text} ORDER BY ${order} LIMIT ?`
        ),
        [...source.params, ...where.params, ...source.where.params, limit]
      ),
      Rows.run
    )

  const byStart = (tx: Tx, source: Source, { after, asOf, limit, order }: ListOptions) =>
    rowsOf(
      tx,
      source,
      order === "Oldest"
        ? after === undefined
          ? { text: "r.started_at <= ?", params: [asOf] }
          : {
            text: "r.started_at <= ? AND (r.started_at, r.run_id) > (?, ?)",
            params: [asOf, after.startedAt, after.runId]
          }
        : after === undefined
        ? { text: "r.started_at <= ?", params: [asOf] }
        : { text: "(r.started_at, r.run_id) < (?, ?)", params: [after.startedAt, after.runId] },
      order === "Oldest" ? "r.started_at, r.run_id" : "r.started_at DESC, r.run_id DESC",
      limit
    )

  const byClose = (tx: Tx, source: Source, { after, asOf, limit }: ListOptions) =>
    Effect.gen(function*() {
      const found: Array<Run> = []
      if (after?.closedAt === undefined) {
        const [startedAt, runId] = after === undefined ? [asOf + 1, ""] : [after.startedAt, after.runId]
        // Two statements: of an OR of both no index gives the order.
        const open = yield* rowsOf(
          tx,
          source,
          { text: "r.closed_at IS NULL AND (r.started_at, r.run_id) < (?, ?)", params: [startedAt, runId] },
          "r.started_at DESC, r.run_id DESC",
          limit
        )
        const closedSince = yield* rowsOf(
          tx,
          source,
          // Few, as a rule: found by when they closed, whatever the order is.
          {
            text: "r.closed_at > ? AND (r.started_at + 0, r.run_id) < (?, ?)",
            params: [asOf, startedAt, runId]
          },
          "r.started_at + 0 DESC, r.run_id DESC",
          limit
        )
        found.push(...[...open, ...closedSince].sort(newestFirst).slice(0, limit))
      }
      if (found.length < limit) {
        const closed = yield* rowsOf(
          tx,
          source,
          after?.closedAt === undefined
            ? { text: "r.closed_at <= ?", params: [asOf] }
            : {
              text: "(r.closed_at, r.started_at, r.run_id) < (?, ?, ?)",
              params: [after.closedAt, after.startedAt, after.runId]
            },
          "r.closed_at DESC, r.started_at DESC, r.run_id DESC",
          limit - found.length
        )
        found.push(...closed)
      }
      return found
    })

  return {
    list: (options) =>
      db.read(
        "list",
        (tx) =>
          Effect.flatMap(sourceOf(tx, options.filter), (source) =>
            options.order === "Closed" ? byClose(tx, source, options) : byStart(tx, source, options))
      ),
    count: (filter) =>
      db.read("count", (tx) =>
        Effect.flatMap(sourceOf(tx, filter), ({ from, params, where }) =>
          filter === undefined
            ? Effect.flatMap(
              tx(
                text(`SELECT r.status AS status, count(*) AS runs FROM ${from} WHERE ${where.text} GROUP BY r.status`),
                []
              ),
              Rows.statusCount
            )
            // For the sake of the groups SQLite would walk the index of the status, past whatever the filter says.
            : Effect.map(
              Effect.flatMap(
                tx(text(`SELECT ${eachStatus} FROM ${from} WHERE ${where.text}`), [...params, ...where.params]),
                Rows.statusCounts
              ),
              (found) => found.flat()
            )))
  }
}

// internal -----------------------------------------------------------------------------------------------------------

const eachStatus = Status.literals.map((status) => `count(*) FILTER (WHERE r.status = '${status}') AS "${status}"`)
  .join(", ")

/** Where runs are sought. */
interface Source {
  readonly from: string
  readonly params: ReadonlyArray<unknown>
  readonly where: Filtering.Sql
}

const everything: Source = {
  from: "perdure_runs r",
  params: [],
  where: { text: "r.namespace = :namespace", params: [] }
}

/** So many are put in order sooner than a page is found among a million. */
const fewMax = 5_000

const newestFirst = (a: Run, b: Run): number => b.startedAt - a.startedAt || (a.runId < b.runId ? 1 : -1)
