/**
 * Starts and signals in the caller's own SQL transaction: there with what else it wrote, or not at all.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { SqlClient } from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { randomBytes } from "node:crypto"
import { Activity, PayloadCodec, Worker, Workflow } from "perdure"
import { SqliteStore, Store, Transactional } from "perdure/sqlite"
import * as Folder from "../persistence/Folder.js"
import { remote, run, until } from "./World.js"

describe("a transaction client", () => {
  test("starts a workflow with the commit, and not before (X2)", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient
      const { client } = yield* running
      const store = yield* Store
      const within = yield* Transactional.client
      const { before, handle } = yield* sql.withTransaction(Effect.gen(function*() {
        yield* insert(1)
        const handle = yield* within.start(Order, { n: 1 }, { workflowId: "order 1" })
        // Long enough for a worker that would see it.
        yield* Effect.sleep("50 millis")
        return { handle, before: begun.has(1) }
      }))
      assert.isFalse(before)
      assert.strictEqual(handle.workflowId, "order 1")
      assert.strictEqual(yield* client.handle(Order, "order 1", handle.runId).result, 1)
      assert.deepStrictEqual(yield* rows, [1])
      assert.strictEqual((yield* store.runs({ limit: 10 })).length, 1)
    }))

  test("leaves nothing of a start where the transaction rolls back (X2)", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient
      const { client } = yield* running
      const store = yield* Store
      const within = yield* Transactional.client
      const failed = yield* Effect.flip(sql.withTransaction(Effect.gen(function*() {
        yield* insert(2)
        yield* within.start(Order, { n: 2 }, { workflowId: "order 2", requestId: "once" })
        return yield* Effect.fail("changed my mind")
      })))
      assert.strictEqual(failed, "changed my mind")
      assert.deepStrictEqual(yield* rows, [])
      assert.deepStrictEqual(yield* store.runs({ limit: 10 }), [])
      // Neither its workflow id nor its request is taken.
      assert.strictEqual(yield* client.execute(Order, { n: 2 }, { workflowId: "order 2", requestId: "once" }), 2)
    }))

  test("sends signals and cancel requests with the commit, and none with a rollback (S1, C1)", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient
      const { client } = yield* running
      const within = yield* Transactional.client
      const handle = yield* client.start(Waiting, undefined, { workflowId: "waits" })
      yield* Effect.flip(
        sql.withTransaction(Effect.zipRight(within.handle(Waiting, "waits").signal("go", "no"), Effect.fail("undone")))
      )
      yield* sql.withTransaction(Effect.zipRight(insert(3), within.handle(Waiting, "waits").signal("go", "yes")))
      assert.strictEqual(yield* handle.result, "yes")

      const canceled = yield* client.start(Waiting, undefined, { workflowId: "canceled" })
      yield* Effect.flip(
        sql.withTransaction(Effect.zipRight(within.handle(Waiting, "canceled").cancel("no"), Effect.fail("undone")))
      )
      assert.strictEqual((yield* canceled.describe).status, "Running")
      yield* sql.withTransaction(within.handle(Waiting, "canceled").cancel("yes"))
      yield* until(canceled.describe, ({ status }) => status === "Canceled")
    }))

  test("signals what it starts in the same transaction (S10)", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient
      const { client } = yield* running
      const within = yield* Transactional.client
      yield* sql.withTransaction(Effect.gen(function*() {
        const handle = yield* within.start(Waiting, undefined, { workflowId: "both" })
        yield* handle.signal("go", "started and told")
        yield* within.signalWithStart(Waiting, undefined, { name: "go", payload: "with" }, { workflowId: "with start" })
      }))
      assert.strictEqual(yield* client.handle(Waiting, "both").result, "started and told")
      assert.strictEqual(yield* client.handle(Waiting, "with start").result, "with")
    }))

  test("fails a start that meets an open run, and the transaction goes on (X5)", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient
      const { client } = yield* running
      const within = yield* Transactional.client
      const open = yield* client.start(Waiting, undefined, { workflowId: "taken" })
      const error = yield* sql.withTransaction(Effect.gen(function*() {
        yield* insert(4)
        const error = yield* Effect.flip(within.start(Waiting, undefined, { workflowId: "taken" }))
        yield* insert(5)
        return error
      }))
      assert.deepInclude(error as object, { _tag: "WorkflowAlreadyStarted", runId: open.runId })
      assert.deepStrictEqual(yield* rows, [4, 5])
    }))

  test("undoes a start alone where its savepoint is undone (X2)", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient
      const { client } = yield* running
      const within = yield* Transactional.client
      yield* sql.withTransaction(Effect.gen(function*() {
        yield* within.start(Order, { n: 6 }, { workflowId: "stays" })
        yield* Effect.ignore(sql.withTransaction(
          Effect.zipRight(within.start(Order, { n: 7 }, { workflowId: "undone" }), Effect.fail("undone"))
        ))
      }))
      assert.strictEqual(yield* client.handle(Order, "stays").result, 6)
      assert.deepInclude(yield* Effect.flip(client.handle(Order, "undone").describe), { _tag: "WorkflowNotFound" })
    }))

  test("takes part in a transaction of another connection to the same file (X2)", () =>
    Effect.gen(function*() {
      const { filename } = yield* File
      const sql = yield* another(filename)
      const { client } = yield* running
      const within = yield* Transactional.client
      yield* sql.withTransaction(Effect.gen(function*() {
        yield* sql`INSERT INTO deposits (n) VALUES (8)`
        yield* within.start(Order, { n: 8 }, { workflowId: "order 8" })
        // The store goes on meanwhile, by its own connection, and sees nothing of it.
        assert.deepInclude(yield* Effect.flip(client.handle(Order, "order 8").describe), { _tag: "WorkflowNotFound" })
      }))
      assert.strictEqual(yield* client.handle(Order, "order 8").result, 8)
      assert.deepStrictEqual(yield* rows, [8])
      yield* Effect.flip(sql.withTransaction(
        Effect.zipRight(within.start(Order, { n: 9 }, { workflowId: "order 9" }), Effect.fail("undone"))
      ))
      assert.deepInclude(yield* Effect.flip(client.handle(Order, "order 9").describe), { _tag: "WorkflowNotFound" })
    }))

  test("refuses a transaction of another database, which it does not touch (X2)", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make
      const file = folder.file("other.db")
      // A store itself, so that the tables would be there.
      yield* Effect.scoped(Layer.build(SqliteStore.layer({ filename: file })))
      const other = yield* another(file)
      const within = yield* Transactional.client
      const error = yield* Effect.flip(other.withTransaction(within.start(Order, { n: 1 })))
      assert.deepInclude(error, { _tag: "StoreUnavailable" })
      assert.include(String(error.message), "other.db")
      assert.deepStrictEqual(yield* other`SELECT run_id FROM perdure_runs`, [])
    }))

  test("says where there is no transaction (X2)", () =>
    Effect.gen(function*() {
      const within = yield* Transactional.client
      const calls: ReadonlyArray<Effect.Effect<unknown, { readonly _tag: string; readonly message: string }>> = [
        within.start(Order, { n: 1 }),
        within.handle(Waiting, "waits").signal("go", ""),
        within.handle(Waiting, "waits").cancel()
      ]
      for (const call of calls) {
        const error = yield* Effect.flip(call)
        assert.deepInclude(error, { _tag: "ContractError" })
        assert.include(error.message, "withTransaction")
      }
    }))

  test("tells at once that a transaction must begin again, since another process wrote after it read (X2)", () =>
    Effect.gen(function*() {
      const { filename } = yield* File
      const sql = yield* another(filename)
      const own = yield* SqlClient
      const within = yield* Transactional.client
      let tries = 0
      const order = sql.withTransaction(Effect.gen(function*() {
        tries++
        yield* sql`SELECT n FROM deposits`
        // The store's own connection is another process to this one. Outside of this fiber, whose transaction it would join.
        if (tries === 1) {
          yield* Effect.promise(() => Effect.runPromise(Effect.provideService(insert(10), SqlClient, own)))
        }
        return yield* within.start(Order, { n: 10 }, { workflowId: "order 10" })
      }))
      const error = yield* Effect.flip(order)
      assert.deepInclude(error, { _tag: "StoreUnavailable" })
      yield* order
      assert.strictEqual(tries, 2)
      assert.strictEqual((yield* (yield* remote).handle(Order, "order 10").describe).status, "Running")
    }))

  test("in a transactional activity, starts a workflow with its outcome, once (I9)", () =>
    Effect.gen(function*() {
      const { client } = yield* running
      const store = yield* Store
      assert.strictEqual(yield* client.execute(Outer, undefined, { workflowId: "outer" }), "order of attempt 3")
      assert.strictEqual(yield* client.handle(Order, "order of attempt 3").result, 3)
      assert.deepStrictEqual((yield* store.runs({ limit: 10 })).map(({ workflowId }) => workflowId).sort(), [
        "order of attempt 3",
        "outer"
      ])
    }))

  test("encodes payloads as any other start does (N5)", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient
      const codecs = PayloadCodec.layer([PayloadCodec.encryption({ keys: { k: randomBytes(32) }, current: "k" })])
      const store = yield* Layer.build(Layer.provide(codecs, Layer.succeed(Store, yield* Store)))
      const within = yield* Effect.provide(Transactional.client, store)
      yield* sql.withTransaction(within.start(Waiting, undefined, { workflowId: "plain" }))
      yield* sql.withTransaction(within.handle(Waiting, "plain").signal("go", "top secret"))
      const mail = yield* sql<{ body: string }>`SELECT body FROM perdure_mailbox`
      assert.strictEqual(mail.length, 2)
      for (const { body } of mail) assert.notInclude(body, "top secret")
    }))
})

// --- fixtures

const Order = Workflow.make("Order", { payload: { n: Schema.Number }, success: Schema.Number })

const Waiting = Workflow.make("Waiting", {
  success: Schema.String,
  signals: { go: { payload: Schema.String } }
})

const Begin = Activity.make("Begin", {
  success: Schema.String,
  startToCloseTimeout: "10 seconds",
  retry: { initialInterval: 1 }
})

const Outer = Workflow.make("Outer", { success: Schema.String })

/** Numbers of the orders whose bodies have begun. */
const begun = new Set<number>()

class File extends Context.Tag("File")<File, { readonly filename: string }>() {}

const database = Layer.unwrapScoped(Effect.map(Folder.make, (folder) => {
  const filename = folder.file("test.db")
  // Longer than a test may take: what waits for a lock that does not go away is seen.
  return SqliteStore.layer({ filename, busyTimeout: "1 minute" }).pipe(
    Layer.tap((context) => {
      const sql = context.unsafeMap.get(SqlClient.key) as SqlClient
      return sql`CREATE TABLE deposits (n INTEGER NOT NULL)`
    }),
    Layer.orDie,
    Layer.merge(Layer.succeed(File, { filename }))
  )
}))

const test = (name: string, program: () => Effect.Effect<void, unknown, Store | SqlClient | File | Scope.Scope>) =>
  it.live(
    name,
    () => Effect.suspend(program).pipe(Effect.timeout("20 seconds"), Effect.scoped, Effect.provide(database))
  )

/** A client of the user's own, as in another part of the program. */
const another = (filename: string) => Effect.provide(SqliteClient.make({ filename }), Reactivity.layer)

const insert = (n: number) =>
  Effect.orDie(Effect.flatMap(SqlClient, (sql) => sql`INSERT INTO deposits (n) VALUES (${n})`))

const rows = Effect.flatMap(
  SqlClient,
  (sql) =>
    Effect.map(sql<{ readonly n: number }>`SELECT n FROM deposits ORDER BY rowid`, (rows) => rows.map(({ n }) => n))
)

const running = Effect.gen(function*() {
  const sql = yield* SqlClient
  const store = yield* Store
  return yield* run(Layer.provide(
    Worker.layer({
      hosts: [
        Order.toLayer(({ n }) => Effect.as(Effect.sync(() => void begun.add(n)), n)),
        Waiting.toLayer(() =>
          Effect.map(Deferred.make<string>(), (told) =>
            Waiting.of({
              signals: { go: (word) => Deferred.succeed(told, word) },
              run: Deferred.await(told)
            }))
        ),
        Outer.toLayer(() => Begin.execute()),
        Transactional.toLayer(Begin, () =>
          Effect.gen(function*() {
            const { attempt } = yield* Activity.info
            const within = yield* Transactional.client
            const handle = yield* Effect.orDie(
              within.start(Order, { n: attempt }, { workflowId: `order of attempt ${attempt}` })
            )
            if (attempt < 3) return yield* Effect.die("not yet")
            return handle.workflowId
          }))
      ]
    }),
    Layer.merge(Layer.succeed(SqlClient, sql), Layer.succeed(Store, store))
  ))
})
