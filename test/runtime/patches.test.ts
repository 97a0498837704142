/**
 * Changed code on runs that are open, by the whole engine: workers of one form of it after the other (rows V1, V2).
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, NondeterminismError, Worker, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import { Replayer } from "perdure/testing"
import { run, test, until } from "./World.js"

const Do = Activity.make("Do", {
  payload: { what: Schema.String },
  success: Schema.String,
  startToCloseTimeout: "1 minute"
})
const DoLive = Do.toLayer(({ what }) => Effect.succeed(what))
const Parcel = Workflow.make("Parcel", { success: Schema.String, signals: { go: {} } })
type Step = Effect.Effect<string, never, never>

const doing = (what: string) => Effect.orDie(Do.execute({ what })) as Step
const before: Step = doing("old")
const patched = Effect.flatMap(Workflow.patched("route"), (yes) => yes ? doing("new") : doing("old")) as Step
const deprecated = Effect.zipRight(Workflow.deprecatePatch("route"), doing("new")) as Step
const removed: Step = doing("new")

/** Begins with the step, and ends with what it gave once it is told to. */
const form = (step: Step) =>
  Parcel.toLayer(() =>
    Effect.sync(() => {
      let went = false
      return Parcel.of({
        signals: { go: () => Effect.sync(() => void (went = true)) },
        run: Effect.zipLeft(step, Workflow.condition(() => went))
      })
    })
  )
const worker = (step: Step, options: { readonly activatesPatch?: () => boolean } = {}) =>
  run(Worker.layer({ ...options, maxCachedExecutions: 0, hosts: [form(step), DoLive] }))

const begun = (current: { readonly client: Effect.Effect.Success<ReturnType<typeof worker>>["client"] }, id: string) =>
  Effect.gen(function*() {
    const handle = yield* current.client.start(Parcel, undefined, { workflowId: id })
    yield* until(handle.history, (turns) => turns.length >= 2)
  })

const ended = (current: { readonly client: Effect.Effect.Success<ReturnType<typeof worker>>["client"] }, id: string) =>
  Effect.gen(function*() {
    const handle = current.client.handle(Parcel, id)
    yield* handle.signal("go")
    return yield* handle.result
  })

const failures = (step: Step) =>
  Effect.map(Replayer.check({ workflows: [form(step)] }), ({ failed }) => failed.map(({ error }) => error))

describe("a change in four deployments", () => {
  test("runs keep to the way that they began on, and the check tells what a deployment would break (V1, V2, V3)", () =>
    Effect.gen(function*() {
      const first = yield* worker(before)
      yield* begun(first, "old")
      yield* first.stop
      const [error] = yield* failures(removed)
      assert.instanceOf(error, NondeterminismError)
      assert.include(error?.message, "Ask Workflow.patched(id)")
      assert.deepStrictEqual(yield* failures(patched), [])

      const second = yield* worker(patched)
      yield* begun(second, "marked")
      assert.strictEqual(yield* ended(second, "old"), "old")
      yield* second.stop
      assert.match(String((yield* failures(removed))[0]?.message), /recorded: {2}patch route/)

      const third = yield* worker(deprecated)
      yield* begun(third, "deprecated")
      assert.strictEqual(yield* ended(third, "marked"), "new")
      yield* third.stop

      const fourth = yield* worker(removed)
      assert.strictEqual(yield* ended(fourth, "deprecated"), "new")
      assert.strictEqual((yield* (yield* Store).runs({ status: "Running", limit: 9 })).length, 0)
    }))

  test("a worker may let new runs take the old way, and they keep to it (V1)", () =>
    Effect.gen(function*() {
      const first = yield* worker(patched, { activatesPatch: () => false })
      yield* begun(first, "a")
      yield* first.stop
      const second = yield* worker(patched)
      assert.strictEqual(yield* ended(second, "a"), "old")
    }))
})
