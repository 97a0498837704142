/**
 * The smallest workflow: one activity, one timer, one more activity.
 *
 *   Compose "Hello" ──▶ a day later ──▶ Compose "Goodbye"
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Client, Workflow } from "perdure"

export const Compose = Activity.make("Compose", {
  payload: { greeting: Schema.String, name: Schema.String },
  success: Schema.String,
  startToCloseTimeout: "5 seconds"
})

export const Greeting = Workflow.make("Greeting", { payload: Schema.String, success: Schema.Array(Schema.String) })

export const GreetingLive = Greeting.toLayer(Effect.fn(function*(name) {
  const hello = yield* Compose.execute({ greeting: "Hello", name })
  yield* Effect.sleep("1 day")
  return [hello, yield* Compose.execute({ greeting: "Goodbye", name })]
}))

export const ComposeLive = Compose.toLayer(({ greeting, name }) => Effect.succeed(`${greeting}, ${name}!`))

export const hosts = [GreetingLive, ComposeLive] as const

export const play = Effect.flatMap(Client, (client) => client.execute(Greeting, "Ada", { workflowId: "greet-ada" }))
