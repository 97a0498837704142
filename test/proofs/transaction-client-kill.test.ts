/**
 * A real process, killed with SIGKILL at random moments while it writes rows of its own and starts workflows in the same
 * transactions. At every moment there are as many of the one as of the other, and the same (X2).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { SqliteStore, Store } from "perdure/sqlite"
import * as Folder from "../persistence/Folder.js"
import { live } from "./Killing.js"
import { quietly, seed, testMillis } from "./Runs.js"
import * as Takings from "./Takings.js"

describe("a process that is killed while it starts workflows in transactions of its own", () => {
  it.live(
    `leaves a workflow for each row, and a row for each workflow (X2), seed ${seed()}`,
    () =>
      Effect.scoped(Effect.gen(function*() {
        const folder = yield* Folder.make
        const database = folder.file("orders.db")
        const moments = FastCheck.sample(FastCheck.integer({ min: 30, max: 300 }), { numRuns: kills, seed: seed() })
        let before = 0
        for (const millis of moments) {
          assert.strictEqual(yield* live("./run-orders.ts", database, millis), "SIGKILL")
          const { rows, runs } = yield* Effect.provide(found, SqliteStore.layer({ filename: database }))
          assert.deepStrictEqual(rows.map(Takings.workflowId).sort(), [...runs].sort())
          assert.isFalse(rows.some((n) => n % 3 === 0), "what was rolled back is there")
          assert.isAtLeast(rows.length, before)
          before = rows.length
        }
        assert.isAbove(before, 0, "it was always killed before it took an order")
      })).pipe(quietly),
    testMillis
  )
})

const kills = 4

const found = Effect.gen(function*() {
  const store = yield* Store
  const rows = yield* Takings.rows
  const runs: Array<string> = []
  for (let afterRunId: string | undefined;;) {
    const page = yield* store.runs({ limit: 1_000, afterRunId })
    if (page.length === 0) return { rows, runs }
    runs.push(...page.map(({ workflowId }) => workflowId))
    afterRunId = page[page.length - 1]!.runId
  }
})
