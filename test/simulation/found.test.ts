/**
 * Seeds that found something. They stay, so that it is not made again; `npm run faults` breaks the engine and asks them.
 *
 *   PERDURE_SIM_SEED=4711 npm test -- simulation/found      any other seed, in their place
 *   PERDURE_SIM_WITHOUT="crash,freeze"                      without these kinds of faults (Plan.ts lists them)
 *   PERDURE_SIM_EXECUTIONS=0,2                              of the executions, only these
 *   PERDURE_SIM_TRACE=1                                     prints all that happens
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { vi } from "vitest"
import type { Kind } from "./Plan.js"
import * as Plan from "./Plan.js"
import * as Report from "./Report.js"
import * as Seeds from "./Seeds.js"
import * as Simulation from "./Simulation.js"

vi.mock("uuid", () => import("./Ids.js"))

const before: ReadonlyArray<Kind> = ["with starts", "resets", "schedules"]
const single: ReadonlyArray<Kind> = ["chains", "patches", "entities", ...before]
const alone: ReadonlyArray<Kind> = ["kin", ...single]

const found: ReadonlyArray<{
  readonly seed: number
  readonly found: string
  /** What there was not yet when it was found. */
  readonly without?: ReadonlyArray<Kind>
}> = [
  {
    seed: 8,
    without: alone,
    found: "a commit whose answer was lost meets its own turns when it is tried again, for ever"
  },
  {
    seed: 1266,
    without: alone,
    found: "a run that was forgotten and brought back takes mail in that its copy had consumed"
  },
  { seed: 2040, without: alone, found: "mail that was read before its turn was committed is taken in again" },
  {
    seed: 1507,
    without: alone,
    found: "a run that was terminated while it was brought back stays, and answers nobody"
  },
  { seed: 2365, without: alone, found: "a query of such a run waits for ever" },
  { seed: 57, without: single, found: "an attempt begins twice that is claimed while its own start is written" },
  { seed: 326, without: single, found: "a child is brought in twice whose parent's commit has no answer" },
  {
    seed: 2092,
    without: before,
    found: "a chain breaks where a child takes its workflow id in the batch that continues it"
  },
  {
    seed: 1428,
    without: before,
    found: "mail that a poll shows to a copy on its way out brings the run back too early, and is taken in twice"
  },
  {
    seed: 2983,
    without: before,
    found: "a commit whose answer comes after the lease was lost begins its activities all the same"
  },
  {
    seed: 9111,
    without: ["resets", "schedules"],
    found: "an update that is sent again is refused by the run that it started, whose first turn is to come"
  },
  { seed: 12253, found: "a timer fires before its time, where the clock is set back before its turn is taken" },
  { seed: 9001, without: ["schedules"], found: "a reset forgets what another one has made of the same run meanwhile" },
  // These found faults that were made on purpose (test/faults/faults.ts).
  { seed: 8, without: before, found: "a run ends over the head of signals that wait" },
  { seed: 6, without: before, found: "an entity forgets what came before a rollover" },
  { seed: 18, without: before, found: "a rollover cuts handlers short" },
  { seed: 4, without: single, found: "a child is not asked to stop when its parent has ended" },
  {
    seed: 9,
    without: alone,
    found: "a worker that was taken over goes on claiming, or a copy whose turn was fenced goes on"
  },
  { seed: 10, without: alone, found: "a commit that failed is not tried again" },
  { seed: 14, without: alone, found: "an attempt that was lost with its worker is made again under its number" },
  { seed: 9, without: ["resets"], found: "a message with a start gives up where the run ends to which it goes" },
  { seed: 8, without: ["with starts", "resets"], found: "a schedule is written over what somebody else wrote" },
  { seed: 9, without: ["with starts", "resets"], found: "an action begins beside the one that it was to terminate" }
]

const { PERDURE_SIM_EXECUTIONS, PERDURE_SIM_SEED, PERDURE_SIM_TRACE, PERDURE_SIM_WITHOUT } = process.env

if (PERDURE_SIM_SEED !== undefined) {
  describe("the seed", () => {
    Seeds.test(`${PERDURE_SIM_SEED} is played as any other`, 40, (base) =>
      Effect.gen(function*() {
        const seed = Number(PERDURE_SIM_SEED)
        const less: Plan.Less = {
          without: (PERDURE_SIM_WITHOUT ?? "").split(",").filter((kind) => kind !== "") as ReadonlyArray<
            string
          > as ReadonlyArray<Kind>,
          executions: PERDURE_SIM_EXECUTIONS?.split(",").map(Number)
        }
        if (PERDURE_SIM_TRACE !== undefined) {
          console.log((yield* Simulation.run(base, Plan.draw(seed, less), true)).trace.join("\n"))
        }
        yield* Report.trial(base, seed, less)
      }))
  })
} else {
  describe("a seed", () => {
    for (const each of found) {
      Seeds.test(
        `finds no more that ${each.found} (${each.seed})`,
        40,
        (base) => Effect.asVoid(Report.trial(base, each.seed, { ...Plan.whole, without: each.without ?? [] }))
      )
    }

    Seeds.test("decides all that happens", 8, (base) =>
      Effect.gen(function*() {
        for (const seed of [3, 62]) {
          const once = yield* Simulation.run(base, Plan.draw(seed), true)
          const again = yield* Simulation.run(base, Plan.draw(seed), true)
          assert.deepStrictEqual(again.trace, once.trace)
        }
      }))
  })
}
