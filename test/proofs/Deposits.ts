/**
 * Deposits into a table of the user's own, by transactional activities: what the process that is killed runs, and what is
 * counted afterwards. Nothing in the table keeps a row from being written twice.
 */
import { SqlClient } from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, ApplicationError, Workflow } from "perdure"
import { Transactional } from "perdure/sqlite"

export const accountsMax = 12
export const depositsEach = 25

export const workflowId = (account: number): string => `account ${account}`

const Deposit = Activity.make("Deposit", {
  payload: { account: Schema.Number, n: Schema.Number },
  success: Schema.Number,
  startToCloseTimeout: "30 seconds",
  retry: { initialInterval: 1 }
})

export const Account = Workflow.make("Account", { payload: Schema.Number, success: Schema.Number })

export const AccountLive = Account.toLayer((account) =>
  Effect.gen(function*() {
    let sum = 0
    for (let n = 0; n < depositsEach; n++) sum += yield* Effect.orDie(Deposit.execute({ account, n }))
    return sum
  })
)

export const DepositLive = Transactional.toLayer(Deposit, ({ account, n }) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient
    const { attempt } = yield* Activity.info
    yield* Effect.orDie(sql`INSERT INTO deposits (account, n) VALUES (${account}, ${n})`)
    // Time to be killed in, with the row written and the outcome not.
    if (n % 5 === 0) yield* Effect.sleep(1)
    return n % 7 === 3 && attempt === 1 ? yield* new ApplicationError({ type: "Again", message: "" }) : 1
  }))

export const table = Effect.flatMap(
  SqlClient,
  (sql) => sql`CREATE TABLE IF NOT EXISTS deposits (account INTEGER NOT NULL, n INTEGER NOT NULL)`
)

/** What is in the table, as "account/n". */
export const rows = Effect.flatMap(SqlClient, (sql) =>
  Effect.map(
    sql<{ readonly account: number; readonly n: number }>`SELECT account, n FROM deposits ORDER BY account, n`,
    (rows) => rows.map(({ account, n }) => `${account}/${n}`)
  ))
