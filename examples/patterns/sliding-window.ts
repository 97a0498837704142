/**
 * A batch of any size, a few at a time: as one record is done the next one begins, and when enough have begun the batch
 * continues as a new run, so that no history grows large.
 *
 *   records 0 1 2 │ 3 4 5 6 ...      the window moves on as children end
 *                 └─ after so many: continue as new at the next record
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Client, Workflow } from "perdure"

export const Store = Activity.make("Store", { payload: { record: Schema.Int }, startToCloseTimeout: "10 seconds" })

export const RecordWorkflow = Workflow.make("Record", { payload: { record: Schema.Int } })

export const Batch = Workflow.make("Batch", {
  payload: {
    from: Schema.Int.pipe(Schema.nonNegative()),
    to: Schema.Int.pipe(Schema.nonNegative()),
    done: Schema.Int.pipe(Schema.nonNegative())
  },
  success: Schema.Int
})

const windowSize = 3
const recordsARun = 10

export const RecordLive = RecordWorkflow.toLayer(({ record }) =>
  Effect.zipRight(Effect.sleep(`${1 + record % 3} seconds`), Store.execute({ record }))
)

export const BatchLive = Batch.toLayer(Effect.fn(function*({ done, from, to }) {
  const next = Math.min(to, from + recordsARun)
  const records = Array.from({ length: Math.max(0, next - from) }, (_, index) => from + index)
  yield* Effect.forEach(records, (record) => RecordWorkflow.execute({ record }), { concurrency: windowSize })
  const total = done + records.length
  if (next >= to) return total
  return yield* Workflow.continueAsNew(Batch, { from: next, to, done: total })
}))

export const hosts = [BatchLive, RecordLive, Store.toLayer(() => Effect.void)] as const

export const play = Effect.flatMap(
  Client,
  (client) => client.execute(Batch, { from: 0, to: 25, done: 0 }, { workflowId: "batch" })
)
