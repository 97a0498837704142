/**
 * Goal: a handler, and what it forks, knows which update it handles (row U11).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { Workflow } from "perdure"
import { act } from "./Bodies.js"
import { brief, Driver, hostOf } from "./Driver.js"

const { gen } = Effect
const Desk = Workflow.make("Desk", {
  success: Schema.Unknown,
  signals: { ask: {} },
  updates: { set: { success: Schema.Unknown }, other: { success: Schema.Unknown } }
})

describe("Workflow.currentUpdate (U11)", () => {
  it("is the update in its handler and in the fibers that it forks, across turns and replays; nothing elsewhere", () => {
    const outside: Array<unknown> = []
    const handler = () =>
      gen(function*() {
        const child = yield* Effect.fork(Effect.zipRight(act("child"), Workflow.currentUpdate))
        const before = yield* Workflow.currentUpdate
        return [before, yield* Fiber.join(child), yield* Effect.all([Workflow.currentUpdate], { concurrency: 2 })]
      }) as Effect.Effect<unknown, never>
    const note = Effect.flatMap(Workflow.currentUpdate, (now) => Effect.sync(() => void outside.push(now)))
    const layer = Desk.toLayer(() =>
      Effect.sync(() =>
        Desk.of({
          signals: { ask: () => note },
          updates: { set: handler, other: handler },
          run: Effect.zipRight(note, Effect.orDie(act("run"))) as Effect.Effect<unknown>
        })
      )
    )
    const driver = new Driver(hostOf(layer as never))
    driver.start()
    driver.update("set", undefined, "u1")
    driver.update("other", undefined, "u2")
    driver.restart()
    driver.signal("ask")
    const set = { id: "u1", name: "set" }
    const other = { id: "u2", name: "other" }
    // Their activities are #2 and #3; the later one is done first.
    assert.deepStrictEqual(brief(driver.complete(3)), [`update u2 = ${JSON.stringify([other, other, [other]])}`])
    assert.deepStrictEqual(brief(driver.complete(2)), [`update u1 = ${JSON.stringify([set, set, [set]])}`])
    assert.deepStrictEqual(outside, [undefined, undefined, undefined])
    driver.replay().evict()
  })
})
