/**
 * The process that is killed: begins all accounts that are not begun, and waits for the end of all. Argument: the database.
 * It loads its code first, and then waits for a word on standard input.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import { Client, Worker } from "perdure"
import { SqliteStore } from "perdure/sqlite"
import * as Deposits from "./Deposits.js"

const [database] = process.argv.slice(2) as [string]

const program = Effect.flatMap(Client, (client) =>
  Effect.forEach(
    Array.from({ length: Deposits.accountsMax }, (_, account) => account),
    (account) => {
      const workflowId = Deposits.workflowId(account)
      return Effect.gen(function*() {
        const known = yield* Effect.option(client.handle(Deposits.Account, workflowId).describe)
        if (known._tag === "None") yield* client.start(Deposits.Account, account, { workflowId })
        yield* client.handle(Deposits.Account, workflowId).result
      })
    },
    { concurrency: "unbounded", discard: true }
  ))

const Live = Worker.layer({ hosts: [Deposits.AccountLive, Deposits.DepositLive] }).pipe(
  Layer.provide(
    Layer.tap(SqliteStore.layer({ filename: database }), (context) => Effect.provide(Deposits.table, context))
  )
)

fs.readSync(0, Buffer.alloc(1))
console.log("alive")
await Effect.runPromise(Effect.provide(program, Live))
