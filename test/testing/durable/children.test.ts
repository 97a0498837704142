/**
 * Parents and children under every crash: the process is killed before and after each operation of its store, and what
 * the parent comes to, how often each child was started, and what it was told of each stay the same.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Workflow } from "perdure"
import { Durable } from "perdure/testing"

const durable = Durable.withRunner(it)

class Broken extends Schema.TaggedError<Broken>()("Broken", { part: Schema.String }) {}

const Weld = Activity.make("Weld", {
  payload: Schema.String,
  success: Schema.Number,
  error: Broken,
  startToCloseTimeout: "1 minute",
  retry: { maximumAttempts: 2, nonRetryable: ["Broken"] }
})

const Part = Workflow.make("Part", {
  payload: Schema.String,
  success: Schema.Number,
  error: Broken,
  signals: { hurry: {} }
})
const partLive = Part.toLayer((part) =>
  Effect.gen(function*() {
    return Part.of({
      signals: { hurry: () => Effect.void },
      run: Effect.zipRight(Effect.sleep("1 hour"), Weld.execute(part))
    })
  })
)

const tags = (turns: ReadonlyArray<{ readonly events: ReadonlyArray<{ readonly _tag: string }> }>, tag: string) =>
  turns.flatMap(({ events }) => events).filter(({ _tag }) => _tag === tag).length

describe("under every crash", () => {
  const Car = Workflow.make("Car", { payload: Schema.Literal("a", "b"), success: Schema.Number, error: Broken })
  const carLive = Car.toLayer((kind) =>
    Effect.gen(function*() {
      const door = yield* Part.start(`door ${kind}`)
      yield* door.signal("hurry")
      const [wheel, weight] = yield* Effect.all([Part.execute(`wheel ${kind}`), door.result], {
        concurrency: "unbounded"
      })
      return wheel + weight
    })
  )
  durable("each child is started once, and its outcome told once (K1, K3, R11)", Car, {
    hosts: () => [carLive, partLive],
    activities: [Weld],
    runs: 3,
    crashPointsMax: 50,
    holds: ({ outcome, turns }) => {
      assert.strictEqual(tags(turns, "ChildStartRequested"), 2)
      if (outcome._tag !== "Completed") return
      assert.strictEqual(tags(turns, "ChildStarted"), 2)
      assert.strictEqual(tags(turns, "ChildCompleted"), 2)
      assert.strictEqual(tags(turns, "ExternalSignaled"), 1)
    },
    timeoutMillis: 120_000
  })

  const Race = Workflow.make("Race", { payload: Schema.Literal("a", "b"), success: Schema.String, error: Broken })
  const raceLive = Race.toLayer((kind) =>
    Effect.gen(function*() {
      const late = yield* Effect.timeoutOption(Part.execute(kind, { workflowId: "slow" }), "10 minutes")
      const next = yield* Effect.either(Part.execute(kind, { workflowId: "slow", cancellation: "TryCancel" }))
      return `${late._tag} ${next._tag}`
    })
  )
  durable("a child that is canceled has gone before the next one of its id comes (K2, K5)", Race, {
    hosts: () => [raceLive, partLive],
    activities: [Durable.script(Weld, ...Array.from({ length: 4 }, () => ({ _tag: "Succeeds", value: 1 }) as const))],
    runs: 2,
    crashPointsMax: 50,
    cancels: false,
    holds: ({ outcome }) => assert.deepStrictEqual(outcome, { _tag: "Completed", value: "None Right" }),
    timeoutMillis: 120_000
  })
})
