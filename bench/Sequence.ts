/**
 * The execution of `throughput` and `latency`: five activities, one after the other, each fed by the one before.
 *
 * The activities do nothing, so that what is measured is the engine: what it records, replays, commits and dispatches.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Client, Workflow } from "perdure"

export const activitiesEach = 5

const Add = Activity.make("Add", {
  payload: { sum: Schema.Number, n: Schema.Number },
  success: Schema.Number,
  startToCloseTimeout: "30 seconds"
})

const Sum = Workflow.make("Sum", { payload: Schema.Number, success: Schema.Number })

const SumLive = Sum.toLayer(Effect.fnUntraced(function*(steps) {
  let sum = 0
  for (let n = 1; n <= steps; n++) {
    sum = yield* Add.execute({ sum, n })
  }
  return sum
}))

const AddLive = Add.toLayer(({ n, sum }) => Effect.succeed(sum + n))

export const hosts = [SumLive, AddLive] as const

/** One execution, from its start to its result. */
export const one: Effect.Effect<void, unknown, Client> = Effect.flatMap(
  Client,
  (client) =>
    Effect.flatMap(
      client.execute(Sum, activitiesEach),
      (sum) => sum === 15 ? Effect.void : Effect.dieMessage(`the sum is 15, and not ${sum}`)
    )
)
