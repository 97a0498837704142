/**
 * The saga of the kill test, and the ledger that its activities write: a file that only grows, outside of any database.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import { Activity, Step, Workflow } from "perdure"

/** How many executions there are. */
export const ordersMax = 20

export const workflowId = (order: number): string => `order ${order}`

/** Every fifth order cannot be shipped, and is undone. */
export const isRefused = (order: number): boolean => order % 5 === 0

export class Refused extends Schema.TaggedError<Refused>()("Refused", { order: Schema.Number }) {}

const Act = Activity.make("Act", {
  payload: { order: Schema.Number, what: Schema.String },
  success: Schema.String,
  error: Refused,
  startToCloseTimeout: "1 minute",
  retry: { initialInterval: "1 milli", nonRetryable: ["Refused"] }
})

export const Orders = Workflow.make("Orders", {
  payload: Schema.Number,
  success: Schema.String,
  error: Refused,
  signals: { approve: { payload: { order: Schema.Number } } }
})

export const OrdersLive = Orders.toLayer((order) =>
  Effect.gen(function*() {
    const act = (what: string) => Act.execute({ order, what })
    const approved = yield* Deferred.make<void>()
    return Orders.of({
      signals: { approve: () => Deferred.succeed(approved, undefined) },
      run: Effect.gen(function*() {
        yield* Workflow.withCompensation(act("reserve"), () => act("release"))
        yield* Deferred.await(approved)
        yield* Effect.all([Workflow.withCompensation(act("charge"), () => act("refund")), act("pack")], {
          concurrency: "unbounded"
        })
        yield* Effect.sleep("3 millis")
        yield* Step.run("note", { success: Schema.String, execute: Effect.succeed("noted") })
        return yield* Effect.timeout(act("ship"), "1 hour")
      })
    })
  })
)

/** A line of the ledger: an attempt that took effect, or an acknowledgment that was heard. */
export const Line = Schema.Struct({
  what: Schema.String,
  order: Schema.Number,
  key: Schema.String,
  attempt: Schema.Number,
  pid: Schema.Number
})
export type Line = typeof Line.Type

export const write = (ledger: string, line: Omit<Line, "pid">): void =>
  fs.appendFileSync(ledger, `${JSON.stringify({ ...line, pid: process.pid })}\n`)

export const read = (ledger: string): ReadonlyArray<Line> =>
  fs.existsSync(ledger)
    ? fs.readFileSync(ledger, "utf8").split("\n").filter((line) => line !== "").map((line) => decode(line))
    : []

const decode = Schema.decodeSync(Schema.parseJson(Line))

/** Each attempt writes its line, and takes a moment before and after. */
export const ActLive = (ledger: string) =>
  Act.toLayer(({ order, what }) =>
    Effect.gen(function*() {
      const { attempt, idempotencyKey } = yield* Activity.info
      yield* Effect.sleep("2 millis")
      if (what === "ship" && isRefused(order)) return yield* new Refused({ order })
      write(ledger, { what, order, key: idempotencyKey, attempt })
      yield* Effect.sleep("2 millis")
      return what
    })
  )
