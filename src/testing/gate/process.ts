/**
 * A process of the gate: loads the module and opens the store by itself, and replays the runs that it is given.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as SqliteStore from "../../persistence/sqlite/SqliteStore.js"
import * as Replayer from "../Replayer.js"
import * as Module from "./Module.js"
import type { Answer, Batch, Task } from "./Protocol.js"
import { ReplayError } from "./Protocol.js"

const { module, namespace, store } = JSON.parse(process.argv[2]!) as Task
const answer = (message: Answer): void => void process.send!(message)
const encode = Schema.encodeSync(ReplayError)

const runtime = ManagedRuntime.make(SqliteStore.layer({ filename: store, namespace }))

const begin = Effect.gen(function*() {
  const workflows = yield* Module.load(module)
  const scope = yield* Scope.make()
  return yield* Scope.extend(Replayer.replayerOf(workflows), scope)
})

const replayOf = await Effect.runPromise(Effect.either(begin))
if (replayOf._tag === "Left") answer({ _tag: "Refused", reason: replayOf.left })
else {
  const replay = replayOf.right
  process.on("message", (batch: Batch) => {
    const all = Effect.forEach(batch, (runId) => Effect.map(replay(runId), (error) => ({ runId, error })))
    void runtime.runPromise(all).then((results) =>
      answer({
        _tag: "Replayed",
        failed: results.flatMap(({ error, runId }) => error === undefined ? [] : [{ runId, error: encode(error) }])
      })
    )
  })
  answer({ _tag: "Ready" })
}
