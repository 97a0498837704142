/**
 * The committer by itself, over a store that answers when the test says so.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Store } from "perdure/sqlite"
import { Committer } from "../../src/runtime/Committer.js"
import { first, task } from "../persistence/contract/Samples.js"
import { gate, test, until } from "./World.js"

describe("a committer", () => {
  test("lets nothing in under a new name that was made under the old one (I4, I5)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const runtime = yield* Effect.runtime<never>()
      const answered = gate()
      const commits: Array<string> = []
      let worker = "old"
      const committer = new Committer(
        {
          ...store,
          commit: ({ turns, worker }) => {
            for (const { runId } of turns) commits.push(`${runId} by ${worker}`)
            return Effect.as(answered.pass, { refused: new Map(), stale: new Set() })
          }
        },
        () => worker,
        runtime,
        () => 0
      )
      const told: Array<string> = []
      const queue = (runId: string) =>
        committer.turn(
          first(runId, { tasksAdded: [task(1, { worker })] }),
          (refusal) => told.push(`${runId}: ${refusal?._tag ?? "in"}`)
        )
      queue("on its way")
      yield* until(Effect.sync(() => commits.length), (count) => count === 1)
      queue("waiting")
      worker = "new"
      committer.refuseQueued()
      assert.deepStrictEqual(told, ["waiting: Fenced"])
      yield* answered.open
      queue("after")
      yield* committer.drained
      assert.deepStrictEqual(told, ["waiting: Fenced", "on its way: in", "after: in"])
      assert.deepStrictEqual(commits, ["on its way by old", "after by new"])
    }))
})
