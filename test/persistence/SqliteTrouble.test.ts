/**
 * What goes wrong with a SQLite file that is open: locked, full, damaged, gone; and what other processes do to it.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SqliteStore from "../../src/persistence/sqlite/SqliteStore.js"
import type { StoreError } from "../../src/persistence/Store.js"
import { Store } from "../../src/persistence/Store.js"
import { commit, done, first, last, queued, run, signal, staffed, turn, turns } from "./contract/Samples.js"
import * as Folder from "./Folder.js"
import * as Process from "./Process.js"

const onDisk = <A, E>(
  body: (filename: string) => Effect.Effect<A, E, Store | SqlClient>,
  options: Partial<SqliteStore.Options> = {}
) =>
  Effect.scoped(Effect.flatMap(Folder.make, (folder) => {
    const filename = folder.file("store.db")
    return Effect.provide(
      body(filename),
      staffed(SqliteStore.layer({ filename, durability: "process-crash", ...options }))
    )
  }))

const inMemory = <A, E>(body: Effect.Effect<A, E, Store | SqlClient>) =>
  Effect.provide(body, staffed(SqliteStore.layer({ filename: ":memory:" })))

const sql = (text: string) =>
  Effect.flatMap(SqlClient, (client) => client.unsafe<{ readonly [column: string]: unknown }>(text))

describe("a SQLite store in trouble", () => {
  it.live("a lock of another process is waited for", () =>
    onDisk((filename) =>
      Effect.scoped(Effect.gen(function*() {
        yield* done([first("r1")])
        const other = yield* Process.onDatabase(filename, "db.exec('BEGIN IMMEDIATE'); ready(); db.exec('COMMIT')")
        const [{ refused }] = yield* Effect.all([commit([turn("r1", 2)]), other.goOn], { concurrency: 2 })
        assert.strictEqual(refused.size, 0)
        assert.deepStrictEqual(yield* turns("r1"), [1, 2])
      }))
    ))

  it.effect("a lock that is not let go is reported, and nothing is lost by it; the test's clock stands still", () =>
    onDisk((filename) =>
      Effect.scoped(Effect.gen(function*() {
        yield* done([first("r1")])
        const other = yield* Process.onDatabase(filename, "db.exec('BEGIN IMMEDIATE'); ready(); db.exec('COMMIT')")
        const error = yield* Effect.flip(commit([turn("r1", 2)]))
        assert.deepStrictEqual([error.operation, error.reason, error.transient], ["commit", "Locked", true])
        assert.deepStrictEqual(yield* turns("r1"), [1])
        yield* other.goOn
        yield* done([turn("r1", 2)])
      })), { busyTimeout: "80 millis" }))

  it.live("waiting for a lock can be interrupted, and leaves the store usable", () =>
    onDisk((filename) =>
      Effect.scoped(Effect.gen(function*() {
        yield* done([first("r1")])
        const other = yield* Process.onDatabase(filename, "db.exec('BEGIN IMMEDIATE'); ready(); db.exec('COMMIT')")
        const waiting = yield* Effect.fork(commit([turn("r1", 2)]))
        yield* Effect.sleep("60 millis")
        yield* Fiber.interrupt(waiting)
        yield* other.goOn
        yield* done([turn("r1", 2)])
      }))
    ))

  it.live(
    "another process's commit is told to the listeners",
    () =>
      onDisk((filename) =>
        Effect.scoped(Effect.gen(function*() {
          const store = yield* Store
          yield* done([first("r1")])
          const post =
            "db.exec(\"INSERT INTO perdure_mailbox (run_id, kind, body, at, owner) VALUES ('r1', 'Signal', '{}', 1, 'ada')\")"
          const quick = yield* Process.onDatabase(filename, `ready(); ${post}`)
          const late = yield* Process.onDatabase(filename, `ready(); ${post}`)
          const told = yield* Effect.makeSemaphore(10)
          yield* told.take(10)
          yield* store.changes(() => Effect.runSync(told.release(1)))
          yield* quick.goOn
          yield* told.take(1)
          assert.strictEqual((yield* store.mailOf("ada", 0, 10)).length, 1)
          // Now the log is watched rather than polled.
          yield* Effect.sleep("400 millis")
          yield* late.goOn
          yield* told.take(1)
          assert.strictEqual((yield* store.mailOf("ada", 0, 10)).length, 2)
        }))
      ),
    10_000
  )

  it.live("one's own turns are not told as another's", () =>
    onDisk(() =>
      Effect.scoped(Effect.gen(function*() {
        const store = yield* Store
        let told = 0
        yield* store.changes(() => told++)
        yield* done([first("r1")])
        yield* Effect.sleep("400 millis")
        yield* done([turn("r1", 2)])
        yield* Effect.sleep("100 millis")
        assert.strictEqual(told, 0)
      }))
    ))

  it.effect("a full disk fails the commit, and all of it", () =>
    onDisk(() =>
      Effect.gen(function*() {
        yield* done([first("r1")])
        const pages = (yield* sql("PRAGMA page_count"))[0]!["page_count"]
        yield* sql(`PRAGMA max_page_count = ${Number(pages) + 2}`)
        const history = { turn: 2, at: 1, format: 1, events: "x".repeat(100_000) }
        const error = yield* Effect.flip(commit([first("r2"), turn("r1", 2, { history })]))
        assert.deepStrictEqual([error.operation, error.reason, error.transient], ["commit", "Full", true])
        assert.deepStrictEqual(yield* turns("r1"), [1])
        assert.deepStrictEqual(yield* turns("r2"), [])
        yield* sql("PRAGMA max_page_count = 1000000")
        yield* done([first("r2"), turn("r1", 2, { history })])
      })
    ))

  it.effect("a damaged row is named, by table, run and column", () =>
    inMemory(Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [queued(1)], mail: [signal("r1")] })])
      yield* loosen("perdure_runs", "perdure_history", "perdure_activity_tasks", "perdure_mailbox", "perdure_workers")
      const damage = (text: string, failing: Effect.Effect<unknown, StoreError, Store>, ...says: Array<string>) =>
        Effect.gen(function*() {
          yield* sql("SAVEPOINT sound")
          yield* sql(text)
          const { message } = yield* Effect.flip(failing)
          for (const said of ["Corrupt", ...says]) {
            assert.include(message, said)
          }
          yield* sql("ROLLBACK TO sound")
          yield* sql("RELEASE sound")
        })
      yield* damage(
        "UPDATE perdure_runs SET epoch = 'many'",
        run("r1"),
        "perdure_runs, run r1",
        "epoch holds string many"
      )
      yield* damage("UPDATE perdure_runs SET status = 'Odd'", run("r1"), "status holds string Odd", "Running")
      yield* damage("UPDATE perdure_runs SET workflow = NULL", run("r1"), "workflow holds nothing, expected text")
      yield* damage(
        "UPDATE perdure_history SET events = NULL",
        turns("r1"),
        "perdure_history, run r1",
        "events holds nothing"
      )
      yield* damage("UPDATE perdure_history SET turn = 1.5", store.lastTurn("r1"), "turn holds number 1.5")
      yield* damage(
        "UPDATE perdure_activity_tasks SET attempt = x'00'",
        store.tasksOf("r1"),
        "perdure_activity_tasks, run r1"
      )
      yield* damage(
        "UPDATE perdure_mailbox SET kind = 'Gossip'",
        store.mail("r1", 0),
        "perdure_mailbox, run r1",
        "Gossip"
      )
      yield* damage(
        "INSERT INTO perdure_workers VALUES ('w', 'soon', '', 1, 1, NULL)",
        store.workers,
        "perdure_workers",
        "lease_until"
      )
    })))

  it.effect("a damaged row fails a commit or a claim that meets it, and changes nothing", () =>
    inMemory(Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [queued(1)] }), first("r2")])
      yield* sql("DELETE FROM perdure_history WHERE run_id = 'r1'")
      const claim = yield* Effect.flip(store.claimTasks("bob", ["orders"], 2e12, 10))
      assert.strictEqual(claim.reason, "Corrupt")
      assert.include(claim.message, "run r1: task 1 is without turn 1 of its history")
      assert.strictEqual((yield* store.tasksOf("r1"))[0]!.state, "queued")
      yield* loosen("perdure_runs")
      yield* sql("UPDATE perdure_runs SET epoch = 'many' WHERE run_id = 'r1'")
      const failed = yield* Effect.flip(commit([turn("r2", 2), turn("r1", 2)]))
      assert.deepStrictEqual([failed.operation, failed.reason], ["commit", "Corrupt"])
      assert.deepStrictEqual(yield* turns("r2"), [1])
    })))

  it.effect("a constraint that is broken says which", () =>
    inMemory(Effect.gen(function*() {
      yield* done([first("r1", { tasksAdded: [queued(1)] })])
      const error = yield* Effect.flip(commit([turn("r1", 2, { tasksAdded: [queued(1)] })]))
      assert.strictEqual(error.reason, "Other")
      assert.include(error.message, "perdure_activity_tasks.run_id, perdure_activity_tasks.seq")
      yield* done([last("r1", 2)])
    })))

  it.effect("a store that was closed says so", () =>
    Effect.gen(function*() {
      const store = yield* Effect.provide(Store, SqliteStore.layer({ filename: ":memory:" }))
      const error = yield* Effect.flip(store.findRun("r1"))
      assert.deepStrictEqual([error.reason, error.transient], ["Unavailable", false])
    }))

  it.effect("a user's transaction on the same database and the store's stand in line", () =>
    inMemory(Effect.gen(function*() {
      const client = yield* SqlClient
      yield* sql("CREATE TABLE accounts (id TEXT PRIMARY KEY, balance INTEGER)")
      const inside = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const theirs = yield* Effect.fork(client.withTransaction(Effect.gen(function*() {
        yield* client`INSERT INTO accounts ${client.insert({ id: "a", balance: 1 })}`
        yield* Deferred.succeed(inside, undefined)
        yield* Deferred.await(goOn)
        return yield* Effect.fail("changed my mind")
      })))
      yield* Deferred.await(inside)
      const ours = yield* Effect.fork(done([first("r1")]))
      const tired = yield* Effect.fork(done([first("r2")]))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(tired)
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(ours)
      assert.strictEqual(yield* Effect.flip(Fiber.join(theirs)), "changed my mind")
      assert.deepStrictEqual(yield* sql("SELECT * FROM accounts"), [])
      assert.deepStrictEqual(yield* turns("r1"), [1])
      assert.deepStrictEqual(yield* turns("r2"), [])
    })))
})

/** Makes the tables take anything, as damage would. */
const loosen = (...tables: ReadonlyArray<string>) =>
  Effect.forEach(tables, (table) =>
    Effect.gen(function*() {
      yield* sql(`CREATE TABLE loose AS SELECT * FROM ${table}`)
      yield* sql(`DROP TABLE ${table}`)
      yield* sql(`ALTER TABLE loose RENAME TO ${table}`)
    }), { discard: true })
