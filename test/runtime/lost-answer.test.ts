/**
 * A commit whose answer comes late or never, while a poll finds what is in it already.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Liveness, Worker, Workflow } from "perdure"
import { StoreError } from "perdure/sqlite"
import { Parent, parentOf } from "./Family.js"
import * as World from "./World.js"

const Slow = Workflow.make("Slow", { success: Schema.String })
const slowLive = Slow.toLayer(() => Effect.as(Effect.sleep("300 millis"), "done"))

describe("a run that a commit without an answer created", () => {
  let lost = 0
  World.test(
    "is brought into memory once, though a poll finds it before the answer comes (I4, K1)",
    () =>
      Effect.gen(function*() {
        const { client } = yield* World.run(
          // The turn that starts the run is not the one whose answer is lost: its caller would be told.
          Worker.layer({ hosts: [slowLive, parentOf(() => Effect.zipRight(Effect.sleep("1 millis"), Slow.execute()))] })
        )
        assert.strictEqual(yield* client.execute(Parent, 0), "done")
        assert.strictEqual(lost, 1)
        assert.deepStrictEqual(yield* Liveness.check, [])
      }),
    World.changed((store) => ({
      commit: (commit) =>
        lost > 0
          // Whoever reads the run again finds it as it was before its first turn.
          ? Effect.zipRight(Effect.sleep("50 millis"), store.commit(commit))
          : Effect.flatMap(store.commit(commit), (committed) => {
            if (commit.turns.every(({ creates }) => creates.length === 0)) return Effect.succeed(committed)
            lost++
            // Long enough for the poll that the commit's announcement brings about.
            return Effect.zipRight(Effect.sleep("100 millis"), new StoreError(unanswered))
          })
    }))
  )
})

const unanswered = { operation: "commit", reason: "Unavailable", detail: "made by the test", transient: true } as const
