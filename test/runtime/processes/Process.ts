/**
 * A worker as a process of its own: reads its settings from its first argument, says `ready`, and runs until it is
 * killed, or until its standard input ends.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Client } from "perdure"
import { SqliteStore, type Store } from "perdure/sqlite"
import { Settings } from "./contract.js"

const released = Effect.async<void>((resume) => {
  process.stdin.once("end", () => resume(Effect.void)).once("close", () => resume(Effect.void)).resume()
})

export const run = (worker: (settings: Settings) => Layer.Layer<Client, unknown, Store>): void => {
  const settings = Schema.decodeSync(Schema.parseJson(Settings))(process.argv[2] ?? "")
  const live = worker(settings).pipe(
    Layer.provide(SqliteStore.layer({
      filename: settings.filename,
      namespace: settings.namespace,
      durability: "process-crash"
    }))
  )
  const program = Effect.scoped(Effect.gen(function*() {
    yield* Layer.build(live)
    console.log("ready")
    yield* released
  }))
  Effect.runPromise(program).then(() => process.exit(0), (error: unknown) => {
    console.error(error)
    process.exit(1)
  })
}
