/**
 * Schedules that two processes on one file carry on, of which now one and now the other is killed or stands still: each
 * time is acted on once (H7, H8, I3, I4).
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Client, Liveness, Schedule } from "perdure"
import { Store } from "perdure/sqlite"
import { Tick } from "./processes/contract.js"
import * as Processes from "./processes/Processes.js"
import { until } from "./World.js"

const test = Processes.tests(new URL("./processes/clockwork.ts", import.meta.url), "150 seconds")

const ids = Array.from({ length: 20 }, (_, index) => `clock ${index}`)

const second = 1_000

describe("schedules in two processes", () => {
  test("lose no time and take none twice, whoever is killed or stands still meanwhile (H7, I3)", (world) =>
    Effect.gen(function*() {
      const store = yield* Store
      const { schedules } = yield* Client
      const lease = "2 seconds"
      let first = yield* world.worker("first", { lease })
      const second_ = yield* world.worker("second", { lease })
      yield* Effect.forEach(ids, (id) =>
        schedules.create(id, {
          spec: { intervals: [{ every: "1 second" }] },
          policies: { overlap: "AllowAll" },
          action: Schedule.start(Tick, undefined)
        }))
      const count = Effect.map(store.count(undefined), (found) => found.reduce((sum, { runs }) => sum + runs, 0))
      const more = Effect.flatMap(count, (before) => until(count, (now) => now >= before + 40))
      for (let round = 0; round < 2; round++) {
        yield* more
        yield* first.kill
        first = yield* world.worker(`first ${round}`, { lease })
        second_.pause()
        yield* more
        second_.wake()
      }
      yield* more
      yield* Effect.forEach(ids, (id) => schedules.handle(id).pause("the test is over"))
      // What was claimed is let go, what was begun comes to its end.
      const open = Effect.map(store.runs({ status: "Running", limit: 1_000 }), (runs) => runs.length)
      yield* until(Effect.all([open, store.nextSchedule]), ([runs, next]) => runs === 0 && next._tag === "None")

      const times = new Map<string, Array<number>>(ids.map((id) => [id, []]))
      let after: string | undefined
      for (;;) {
        const runs = yield* store.runs({ afterRunId: after, limit: 500 })
        for (const { scheduled } of runs) times.get(scheduled!.by)!.push(scheduled!.at)
        if (runs.length < 500) break
        after = runs.at(-1)!.runId
      }
      for (const [id, acted] of times) {
        acted.sort((a, b) => a - b)
        const expected = acted.map((_, index) => acted[0]! + index * second)
        assert.deepStrictEqual(acted, expected, id)
        const { counts } = yield* schedules.handle(id).describe
        assert.deepStrictEqual(counts, { actions: acted.length, skipped: 0, missed: 0, dropped: 0 })
      }
      assert.deepStrictEqual(yield* Liveness.check, [])
    }))
})
