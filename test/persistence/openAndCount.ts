/**
 * Opens a store as a process of its own, as soon as the time has come, and prints what it found.
 */
import * as Effect from "effect/Effect"
import * as SqliteStore from "../../src/persistence/sqlite/SqliteStore.js"
import { Store } from "../../src/persistence/Store.js"

const [filename, at, name] = process.argv.slice(2)

const program = Effect.gen(function*() {
  const store = yield* Store
  const runId = `run of ${name}`
  const run = { runId, workflowId: runId, workflow: "W", taskQueue: "q", startedAt: 1 }
  const created = yield* store.create(run, { runId, kind: "Start", body: "{}" })
  return created._tag
}).pipe(Effect.provide(SqliteStore.layer({ filename: filename! })))

while (Date.now() < Number(at)) {
  // Both processes begin on the same millisecond: that is the race.
}
console.log(await Effect.runPromise(program.pipe(Effect.catchAll((error) => Effect.succeed(error.message)))))
