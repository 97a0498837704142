/**
 * The simulation of the engine: worlds that seeds decide, each played to its end and judged (I2 to I6, I9).
 *
 *   PERDURE_SIM_SEEDS=5000 npm test -- simulation      so many seeds
 *   PERDURE_SIM_FROM=7000                              from this one on
 *   PERDURE_SIM_HAS="with starts"                      those of them that have executions of this kind
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { vi } from "vitest"
import * as Plan from "./Plan.js"
import * as Report from "./Report.js"
import * as Seeds from "./Seeds.js"

vi.mock("uuid", () => import("./Ids.js"))

const first = Number(process.env["PERDURE_SIM_FROM"] ?? 1)
const count = Number(process.env["PERDURE_SIM_SEEDS"] ?? 100)
const kind = process.env["PERDURE_SIM_HAS"]

describe("workers and clients in an unkind world", () => {
  Seeds.test(
    "come to the ends that their programs have (I2, I3, I4, I5, I6, I9)",
    count,
    (base) =>
      Effect.gen(function*() {
        const happened = new Map<string, number>()
        const failures: Array<Error> = []
        for (let seed = first; seed < first + count && failures.length < failuresMax; seed++) {
          if (kind !== undefined && !Plan.has(Plan.draw(seed), kind)) continue
          const played = yield* Effect.either(Report.trial(base, seed))
          if (played._tag === "Left") failures.push(played.left)
          else for (const [what, times] of played.right.happened) happened.set(what, (happened.get(what) ?? 0) + times)
        }
        if (failures.length > 0) assert.fail(failures.map(({ message }) => message).join("\n\n"))
        // A world in which nothing goes wrong proves nothing.
        if (count < 100 || kind !== undefined) return
        for (
          const what of [
            "fails before",
            "fails after",
            "crash before",
            "crash after",
            "freezes",
            "deploy",
            "rollover",
            "another start",
            "reset",
            "scheduled"
          ]
        ) {
          assert.isAbove(happened.get(what) ?? 0, 0, what)
        }
      })
  )
})

/** One says what is wrong; of more, some may be the same. */
const failuresMax = Number(process.env["PERDURE_SIM_FAILURES"] ?? 1)
