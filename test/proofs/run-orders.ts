/**
 * The process that is killed: takes orders one after the other, each in a transaction of its own that also starts the
 * order's workflow; every third one is rolled back. Argument: the database. It hosts no workflow code.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { SqliteStore, Transactional } from "perdure/sqlite"
import * as Takings from "./Takings.js"

const [database] = process.argv.slice(2) as [string]

const program = Effect.gen(function*() {
  const sql = yield* SqlClient
  const client = yield* Transactional.client
  yield* Takings.table
  const first = yield* Takings.next
  for (let n = first;; n++) {
    yield* Effect.ignore(sql.withTransaction(Effect.gen(function*() {
      // In turn, since a crash may come behind either.
      if (n % 2 === 0) yield* Takings.insert(n)
      yield* client.start(Takings.Order, n, { workflowId: Takings.workflowId(n) })
      if (n % 2 === 1) yield* Takings.insert(n)
      if (n % 3 === 0) return yield* Effect.fail("sold out")
    })))
  }
})

fs.readSync(0, Buffer.alloc(1))
console.log("alive")
await Effect.runPromise(Effect.provide(program, SqliteStore.layer({ filename: database })))
