// The greeting of the README, as a user of the packed library writes it: with types, in an empty project.
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Activity, Client, Worker, Workflow } from "perdure"
import { SqliteStore } from "perdure/sqlite"
import { TestEnvironment } from "perdure/testing"

const Compose = Activity.make("Compose", {
  payload: { greeting: Schema.String, name: Schema.String },
  success: Schema.String,
  startToCloseTimeout: "5 seconds"
})
const Greeting = Workflow.make("Greeting", { payload: Schema.String, success: Schema.String })

const ComposeLive = Compose.toLayer(({ greeting, name }) => Effect.succeed(`${greeting}, ${name}!`))
const GreetingLive = Greeting.toLayer((name) => Compose.execute({ greeting: "Hello", name }))

const Live = Worker.layer({ hosts: [GreetingLive, ComposeLive] }).pipe(
  Layer.provide(SqliteStore.layer({ filename: "greetings.db" }))
)

const program = Effect.gen(function*() {
  const client = yield* Client
  const greeting: string = yield* client.execute(Greeting, "Ada", { workflowId: "greet-ada" })
  if (greeting !== "Hello, Ada!") return yield* Effect.dieMessage(`unexpected: ${greeting}`)
  console.log(greeting)
})

await Effect.runPromise(Effect.provide(program, Live))

// The same in a test, a year later.
const LateLive = Greeting.toLayer((name) =>
  Effect.zipRight(Effect.sleep("365 days"), Compose.execute({ greeting: "Hello", name }))
)
await Effect.runPromise(Effect.provide(program, TestEnvironment.layer({ hosts: [LateLive, ComposeLive] })))
