/**
 * Activities whose writes to the user's own tables are committed with their outcome: exactly once (I9).
 */
import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Client } from "perdure"
import { Activity, ApplicationError, Worker, Workflow } from "perdure"
import { SqliteStore, Store, Transactional } from "perdure/sqlite"
import type { Seen } from "./World.js"
import { run, seen } from "./World.js"

describe("a transactional activity", () => {
  test("commits what it writes with its outcome, and gives its result (I9)", () =>
    Effect.gen(function*() {
      const { client } = yield* running(({ n }) => Effect.as(insert(n), n + 1))
      assert.strictEqual(yield* client.execute(Report, { n: 1 }), 2)
      assert.deepStrictEqual(yield* rows, [1])
    }))

  test("that fails leaves nothing of it, and is a failed attempt; the next one writes (I9, A11)", () =>
    Effect.gen(function*() {
      const { client } = yield* running(({ attempt, n }) =>
        Effect.gen(function*() {
          yield* insert(n * 10 + attempt)
          if (attempt === 1) return yield* new ApplicationError({ type: "No", message: "" })
          if (attempt === 2) return yield* Effect.die("no")
          if (attempt === 3) return yield* Effect.interrupt
          return attempt
        })
      )
      assert.strictEqual(yield* client.execute(Report, { n: 1 }), 4)
      assert.deepStrictEqual(yield* rows, [14])
    }))

  test("whose result does not fit its contract leaves nothing either (I9, N4)", () =>
    Effect.gen(function*() {
      const { client } = yield* running(({ n }) => Effect.as(insert(n), "no number" as unknown as number))
      assert.deepInclude((yield* client.execute(Report, { n: 1 })) as Seen, { retryState: "NonRetryableFailure" })
      assert.deepStrictEqual(yield* rows, [])
    }))

  test("that times out leaves nothing, and counts as timed out (I9, A11)", () =>
    Effect.gen(function*() {
      const { client } = yield* running(({ attempt, n }) =>
        Effect.zipRight(insert(n * 10 + attempt), attempt === 1 ? Effect.never : Effect.succeed(attempt))
      )
      assert.strictEqual(yield* client.execute(Report, { n: 1, startToClose: 100 }), 2)
      assert.deepStrictEqual(yield* rows, [12])
    }))

  test("whose time is over while it commits has its outcome all the same (I9)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      let poke = () => {}
      const slow: Store["Type"] = {
        ...store,
        // Nobody hears of the outcome before the time is over.
        changes: (listener) => Effect.sync(() => void (poke = listener)),
        settleWith: (settled, work) =>
          Effect.uninterruptible(Effect.zipLeft(store.settleWith(settled, work), Effect.sleep("200 millis")))
      }
      const { client } = yield* Effect.provideService(running(({ n }) => Effect.as(insert(n), n)), Store, slow)
      const handle = yield* client.start(Report, { n: 1, startToClose: 60, once: true })
      yield* Effect.sleep("300 millis")
      poke()
      assert.strictEqual(yield* handle.result, 1)
      assert.deepStrictEqual(yield* rows, [1])
    }))

  test("of a run that is gone is not begun (I9, C10)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const { client } = yield* running(({ n }) => Effect.as(insert(n), n))
      const handle = yield* client.start(Report, { n: 1 })
      yield* handle.result
      let settled: boolean | undefined
      const key = { worker: "", runId: handle.runId, seq: 1, attempt: 1, now: 0 }
      assert.isFalse(
        yield* store.settleWith({ ...key, committed: (is) => void (settled = is) }, () => Effect.die("not begun"))
      )
      assert.isFalse(settled)
    }))

  test("may nest a transaction of its own, of which a part is undone (I9)", () =>
    Effect.gen(function*() {
      const { client } = yield* running(({ n }) =>
        Effect.gen(function*() {
          const sql = yield* SqlClient
          yield* insert(n)
          yield* Effect.ignore(sql.withTransaction(Effect.zipRight(insert(n + 1), Effect.fail("undone"))))
          yield* Effect.orDie(sql.withTransaction(insert(n + 2)))
          return n
        })
      )
      assert.strictEqual(yield* client.execute(Report, { n: 1 }), 1)
      assert.deepStrictEqual(yield* rows, [1, 3])
    }))

  test("stands in the way of nobody when many run at once (I9)", () =>
    Effect.gen(function*() {
      const { client } = yield* running(({ n }) => Effect.as(insert(n), n))
      const all = Array.from({ length: 60 }, (_, n) => n)
      const done = yield* Effect.forEach(all, (n) => client.execute(Report, { n }), { concurrency: "unbounded" })
      assert.deepStrictEqual(done, all)
      assert.deepStrictEqual([...yield* rows].sort((a, b) => a - b), all)
    }))
})

// --- fixtures

const Deposit = Activity.make("Deposit", {
  payload: Schema.Number,
  success: Schema.Number,
  startToCloseTimeout: "10 seconds",
  retry: { initialInterval: 1 }
})

const Report = Workflow.make("Report", {
  payload: {
    n: Schema.Number,
    startToClose: Schema.optional(Schema.Number),
    once: Schema.optional(Schema.Boolean)
  },
  success: Schema.Unknown
})

/** The user's own table, in the store's own database. */
const database = SqliteStore.layer({ filename: ":memory:" }).pipe(
  Layer.tap((context) => {
    const sql = context.unsafeMap.get(SqlClient.key) as SqlClient
    return sql`CREATE TABLE deposits (n INTEGER NOT NULL)`
  }),
  Layer.orDie
)

const test = (name: string, program: () => Effect.Effect<void, unknown, Store | SqlClient | Scope.Scope>) =>
  it.live(
    name,
    () => Effect.suspend(program).pipe(Effect.timeout("20 seconds"), Effect.scoped, Effect.provide(database))
  )

const insert = (n: number) =>
  Effect.orDie(Effect.flatMap(SqlClient, (sql) => sql`INSERT INTO deposits (n) VALUES (${n})`))

const rows = Effect.flatMap(
  SqlClient,
  (sql) =>
    Effect.map(sql<{ readonly n: number }>`SELECT n FROM deposits ORDER BY rowid`, (rows) => rows.map(({ n }) => n))
)

interface Call {
  readonly n: number
  readonly attempt: number
}

const running = (
  body: (call: Call) => Effect.Effect<number, ApplicationError, SqlClient>,
  options: { readonly slots?: number } = {}
): Effect.Effect<{ readonly client: Client["Type"] }, unknown, Store | SqlClient | Scope.Scope> =>
  Effect.flatMap(SqlClient, (sql) =>
    run(Layer.provide(
      Worker.layer({
        ...(options.slots === undefined ? {} : { maxConcurrentActivities: options.slots }),
        hosts: [
          Transactional.toLayer(Deposit, (n) => Effect.flatMap(Activity.info, ({ attempt }) => body({ attempt, n }))),
          Report.toLayer(({ n, once, startToClose }) =>
            seen(Deposit.execute(n, {
              ...(startToClose === undefined ? {} : { startToCloseTimeout: startToClose }),
              ...(once === true ? { retry: { maximumAttempts: 1 } } : {})
            }))
          )
        ]
      }),
      Layer.succeed(SqlClient, sql)
    )))
