/**
 * Lists and counts over 1,000,000 executions, one in twenty of them open, asked by a client of its own. Each filter is asked
 * for so many different values, one page of 100 each; its figure is the 95th percentile.
 *
 * The rows are written by bare better-sqlite3 into a file that the store made, once for all rounds: a run, a turn of
 * history, two search attributes. To start so many executions would take minutes, and measure something else.
 */
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Client, StoreClient } from "perdure"
import * as Measure from "../Measure.js"
import type { Scenario } from "../Scenario.js"
import { role, store } from "../Scenario.js"

const executions = 1_000_000
/** With ten executions each. */
const customers = 100_000
const workflows = 20
const queues = 10
const asked = 20
const began = Date.UTC(2026, 0, 1)
const everyMillis = 1_000

const timeOf = (n: number): number => began + n * everyMillis
const runIdOf = (n: number): string => {
  const hex = timeOf(n).toString(16).padStart(12, "0")
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${n.toString(16).padStart(12, "0")}`
}
const customerOf = (n: number): string => `customer-${n % customers}`

const build = role("visibility", "build", (given) =>
  Effect.gen(function*() {
    // The store makes the file.
    yield* Effect.scoped(Layer.build(store(given)))
    return yield* Effect.acquireUseRelease(
      Effect.sync(() => new Sqlite(given.filename)),
      (db) => Effect.sync(() => fill(db)),
      (db) => Effect.sync(() => db.close())
    )
  }))

const fill = (db: Sqlite.Database): void => {
  db.pragma("synchronous = OFF")
  const run = db.prepare(
    `INSERT INTO perdure_runs (run_id, workflow_id, workflow, task_queue, status, epoch, started_at, closed_at, wake_at)
      VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?)`
  )
  const history = db.prepare("INSERT INTO perdure_history (run_id, turn, at, format, events) VALUES (?, 1, ?, 1, '[]')")
  const attribute = db.prepare(
    "INSERT INTO perdure_search_attributes (run_id, name, position, type, text, number) VALUES (?, ?, 0, ?, ?, ?)"
  )
  db.transaction(() => {
    for (let n = 0; n < executions; n++) {
      const id = runIdOf(n)
      const at = timeOf(n)
      const open = n % 20 === 0
      const status = open ? "Running" : n % 50 === 1 ? "Failed" : "Completed"
      const later = at + (n * 7919) % 86_400_000
      run.run(
        id,
        `order-${n}`,
        `Workflow${n % workflows}`,
        `queue-${n % queues}`,
        status,
        at,
        open ? null : later,
        open ? later + 1e12 : null
      )
      history.run(id, at)
      attribute.run(id, "customer", "keyword", customerOf(n), null)
      attribute.run(id, "amount", "double", null, (n * 104_729) % 1_000_000)
    }
  })()
}

/** Selective ones find few of the million; the others find many, or are met by no index. */
const filters: Readonly<
  Record<string, { readonly selective: boolean; readonly query: (n: number) => string | undefined }>
> = {
  workflow_id: { selective: true, query: (n) => `WorkflowId = 'order-${n}'` },
  customer: { selective: true, query: (n) => `customer = '${customerOf(n)}'` },
  customer_open: { selective: true, query: (n) => `customer = '${customerOf(n)}' AND ExecutionStatus = 'Running'` },
  amount: { selective: true, query: (n) => `amount BETWEEN ${n} AND ${n + 50}` },
  type_and_hour: {
    selective: true,
    query: (n) =>
      `WorkflowType = 'Workflow${n % workflows}' AND StartTime BETWEEN '${iso(timeOf(n))}' AND '${
        iso(timeOf(n) + 3_600_000)
      }'`
  },
  failed_of_type: {
    selective: true,
    query: (n) => `WorkflowType = 'Workflow${n % workflows}' AND ExecutionStatus = 'Failed'`
  },
  none: { selective: false, query: () => undefined },
  open: { selective: false, query: () => "ExecutionStatus = 'Running'" },
  queue: { selective: false, query: (n) => `TaskQueue = 'queue-${n % queues}'` }
}

const iso = (millis: number): string => new Date(millis).toISOString()

const ask = role("visibility", "ask", (given) =>
  Effect.gen(function*() {
    const client = yield* Client
    const values = Array.from({ length: asked }, (_, n) => (n * 48_611 + 17) % executions)
    const figures: Record<string, number> = {}
    for (const [name, { query }] of Object.entries(filters)) {
      const taken: Array<number> = []
      for (const n of values) {
        taken.push(yield* Measure.millis(client.listPage(query(n), { pageSize: 100 })))
      }
      figures[`${name}_ms`] = Measure.percentile(taken, 0.95)
    }
    const counts: Array<number> = []
    for (const n of values) counts.push(yield* Measure.millis(client.count(filters["customer"]!.query(n))))
    figures["count_ms"] = Measure.percentile(counts, 0.95)
    figures["count_all_ms"] = yield* Measure.millis(client.count())
    return figures
  }).pipe(Effect.provide(Layer.provide(StoreClient.layer, store(given)))))

export const scenario: Scenario = {
  name: "visibility",
  metrics: ["selective_ms", "none_ms", "open_ms", "queue_ms", "count_ms", "count_all_ms"],
  roles: [build, ask],
  run: (bench) =>
    Effect.gen(function*() {
      const filename = yield* bench.once(
        "visibility.db",
        (file) => Effect.flatMap(bench.start(build, file, {}), (child) => child.result)
      )
      const child = yield* bench.start(ask, filename, {})
      const figures = yield* child.result
      const selective = Object.keys(filters).filter((name) => filters[name]!.selective)
      return { selective_ms: Math.max(...selective.map((name) => figures[`${name}_ms`]!)), ...figures }
    })
}
