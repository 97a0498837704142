/**
 * The process that is killed: begins all orders that are not begun, approves those that nobody heard to be approved, and
 * waits for the end of all. Arguments: the database, the ledger. It loads its code first, and then waits for a word on
 * standard input: the next one is made ready while this one lives.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import { Client, Worker } from "perdure"
import { SqliteStore } from "perdure/sqlite"
import * as Orders from "./Orders.js"

const [database, ledger] = process.argv.slice(2) as [string, string]

const program = Effect.gen(function*() {
  const client = yield* Client
  const heard = new Set(Orders.read(ledger).filter(({ what }) => what === "approved").map(({ order }) => order))
  yield* Effect.forEach(
    Array.from({ length: Orders.ordersMax }, (_, order) => order),
    (order) =>
      Effect.gen(function*() {
        const workflowId = Orders.workflowId(order)
        const known = yield* Effect.option(client.handle(Orders.Orders, workflowId).describe)
        const handle = known._tag === "Some"
          ? client.handle(Orders.Orders, workflowId, known.value.runId)
          : yield* client.start(Orders.Orders, order, { workflowId })
        if (!heard.has(order)) {
          yield* Effect.catchTag(handle.signal("approve", { order }), "WorkflowClosed", () => Effect.void)
          Orders.write(ledger, { what: "approved", order, key: "", attempt: 0 })
        }
        yield* Effect.exit(handle.result)
      }),
    { concurrency: 7, discard: true }
  )
})

const Live = Worker.layer({ hosts: [Orders.OrdersLive, Orders.ActLive(ledger)] }).pipe(
  Layer.provide(SqliteStore.layer({ filename: database }))
)

fs.readSync(0, Buffer.alloc(1))
await Effect.runPromise(Effect.provide(program, Live))
