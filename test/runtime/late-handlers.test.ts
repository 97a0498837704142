/**
 * Handlers that the body sets up late: what comes before is kept for them, and sees the state that was made by then.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Client, State, Workflow } from "perdure"
import { TestEnvironment } from "perdure/testing"

const Counter = Workflow.make("Counter", {
  payload: Schema.Number,
  success: Schema.Number,
  signals: { add: { payload: Schema.Number } },
  updates: { addAndGet: { payload: Schema.Number, success: Schema.Number } },
  queries: { sum: { success: Schema.Number } }
})
const CounterLive = Counter.toLayer((initial) =>
  Effect.gen(function*() {
    // The body is at work before it has handlers: for a day.
    yield* Effect.sleep("1 day")
    const sum = yield* State.make(initial)
    const add = (n: number) => Effect.zipRight(sum.update((before) => before + n), sum.get)
    return Counter.of({
      signals: { add: (n) => Effect.asVoid(add(n)) },
      updates: { addAndGet: add },
      queries: { sum: () => sum.get },
      run: Effect.zipRight(Workflow.condition(Effect.map(sum.get, (total) => total >= 100)), sum.get)
    })
  })
)
const environment = TestEnvironment.layer({ hosts: [CounterLive] })

it.effect("D3, U6, S2: an update and a signal wait for their handlers, which see the state made before", () =>
  Effect.gen(function*() {
    const handle = yield* (yield* Client).start(Counter, 10)
    const updated = yield* Effect.fork(handle.update("addAndGet", 5))
    yield* handle.signal("add", 85)
    assert.include(String(yield* Effect.flip(handle.query("sum"))), "has not set up its handlers yet")
    assert.oneOf(yield* updated, [15, 100])
    assert.strictEqual(yield* handle.result, 100)
    assert.strictEqual(
      yield* (yield* TestEnvironment).currentTime,
      Date.parse("2030-01-02T00:00:00Z")
    )
  }).pipe(Effect.provide(environment)))
