/**
 * Goal: what steps are for is recorded with them and shown, and what a child is for with the child (rows W20, W4, K1).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Activity, Client, SearchAttribute, Step, Worker, Workflow } from "perdure"
import { TestEnvironment } from "perdure/testing"
import { Driver, hostOf } from "./interpreter/Driver.js"
import { test, until } from "./World.js"
import * as World from "./World.js"

const Charge = Activity.make("Charge", { startToCloseTimeout: "1 day", summary: "take the money" })
const Refund = Activity.make("Refund", { startToCloseTimeout: "1 day" })
const Order = Workflow.make("Order")

const events = (history: ReadonlyArray<{ readonly events: ReadonlyArray<{ readonly _tag: string }> }>, tag: string) =>
  history.flatMap(({ events }) => events).filter(({ _tag }) => _tag === tag) as unknown as ReadonlyArray<
    { readonly summary?: string }
  >

describe("what a step is for", () => {
  it.effect("is recorded with activities, timers and steps, by call, definition or surroundings, and drawn (W20, W4)", () => {
    const body = Effect.gen(function*() {
      yield* Charge.execute()
      yield* Charge.execute(undefined, { summary: "take it again" })
      yield* Refund.execute()
      yield* Workflow.withSummary(
        Effect.gen(function*() {
          yield* Effect.timeout(Refund.execute(), "3 days")
          yield* Charge.execute()
          yield* Effect.sleep("1 hour")
          yield* Step.run("count", { execute: Effect.void })
        }),
        "give it back"
      )
      yield* Step.run("note", { execute: Effect.void, summary: "write it down" })
      yield* Workflow.sleep("3 days", { summary: "wait for payment" })
      yield* Workflow.sleep("1 hour")
      yield* Effect.sleep("1 hour")
    })
    const env = TestEnvironment.layer({
      hosts: [
        Order.toLayer(() => Effect.orDie(body)),
        Charge.toLayer(() => Effect.void),
        Refund.toLayer(() => Effect.void)
      ]
    })
    return Effect.gen(function*() {
      const handle = yield* (yield* Client).start(Order)
      yield* handle.result
      const history = yield* handle.history
      const summaries = (tag: string) => events(history, tag).map(({ summary }) => summary)
      assert.deepStrictEqual(summaries("ActivityScheduled"), [
        "take the money",
        "take it again",
        undefined,
        "give it back",
        "take the money"
      ])
      assert.deepStrictEqual(summaries("TimerStarted"), [
        "give it back",
        "give it back",
        "wait for payment",
        undefined,
        undefined
      ])
      assert.deepStrictEqual(summaries("StepScheduled"), ["give it back", "write it down"])
      // What says nothing costs nothing: the field is not there.
      assert.isFalse("summary" in events(history, "TimerStarted")[4]!)
      const text = yield* (yield* TestEnvironment).timelines
      assert.match(text, /├▶ activity Charge #1 · take the money\n/)
      assert.match(text, /├◷ timer #\d+ until 3 d 1:00:00\.000 · wait for payment\n/)
      assert.match(text, /├▶ step note #\d+ · write it down\n/)
    }).pipe(Effect.provide(env))
  })

  test("is shown by describe while an activity is pending (W20, X11)", () =>
    Effect.gen(function*() {
      const { client } = yield* World.run(Worker.layer({
        hosts: [
          Order.toLayer(() => Effect.orDie(Effect.all([Charge.execute(), Refund.execute()], { concurrency: 2 }))),
          Charge.toLayer(() => Effect.never),
          Refund.toLayer(() => Effect.never)
        ]
      }))
      const handle = yield* client.start(Order)
      const { pendingActivities } = yield* until(handle.describe, (seen) => seen.pendingActivities.length === 2)
      assert.deepStrictEqual(pendingActivities.map(({ activity, summary }) => [activity, summary]), [
        ["Charge", "take the money"],
        ["Refund", undefined]
      ])
    }))

  it("is in the answer to __stack_trace, until the step is over; and a change of it replays (W20, Q4, V4)", () => {
    let summary = "wait"
    const body = () =>
      Effect.orDie(
        Effect.all([Workflow.sleep("1 hour", { summary }), Charge.execute()], { concurrency: "unbounded" })
      )
    const driver = new Driver(hostOf(Order.toLayer(body) as unknown as Layer.Layer<never>))
    driver.start()
    const standing = () =>
      (Either.getOrThrow(driver.interpreter.query("__stack_trace", undefined)) as ReadonlyArray<
        { readonly step?: number; readonly summary?: string }
      >).flatMap((each) => each.step === undefined ? [] : [each.summary])
    assert.sameMembers([...new Set(standing())], ["wait", "take the money"])
    driver.fire()
    assert.notInclude(standing(), "wait")
    assert.include(standing(), "take the money")
    summary = "wait for long"
    driver.replay()
  })

  it.effect("of more than 400 characters is refused, where it is written (W20, I10)", () =>
    Effect.gen(function*() {
      const long = "x".repeat(401)
      const refusal = /its summary must have at most 400 characters/
      assert.throws(() => Activity.make("Long", { startToCloseTimeout: 1, summary: long }), refusal)
      assert.throws(() => Step.run("long", { execute: Effect.void, summary: long }), refusal)
      for (const asked of [Workflow.withSummary(Effect.void, long), Workflow.sleep(1, { summary: long })]) {
        const exit = yield* Effect.exit(asked as Effect.Effect<void>)
        assert.match(String(exit), refusal)
      }
    }))
})

describe("a child", () => {
  const Part = Workflow.make("Part", {
    success: Schema.Unknown,
    memo: { note: Schema.String },
    searchAttributes: { region: SearchAttribute.keyword }
  })
  const partLive = Part.toLayer(() =>
    Effect.gen(function*() {
      const { parent, root } = yield* Workflow.info
      const [memo, attributes] = yield* Effect.all([Workflow.memo(Part), Workflow.searchAttributes(Part)])
      return { memo, attributes, parent: parent?.workflowId, root: root.workflowId }
    })
  )
  const Middle = Workflow.make("Middle", { success: Schema.Unknown })
  const Whole = Workflow.make("Whole", { success: Schema.Unknown })
  const wholeLive = Whole.toLayer(() => Effect.orDie(Middle.execute(undefined, { workflowId: "middle" })))
  const middleLive = Middle.toLayer(() =>
    Effect.orDie(Part.execute(undefined, {
      workflowId: "part",
      memo: { note: "left" },
      searchAttributes: { region: "eu" },
      summary: "the left part",
      details: "**left**"
    }))
  )

  it.effect("is given memo, search attributes, summary and details by its start, and knows its root (K1, W11, W20)", () =>
    Effect.gen(function*() {
      const client = yield* Client
      assert.deepStrictEqual(yield* client.execute(Whole, undefined, { workflowId: "whole" }), {
        memo: { note: "left" },
        attributes: { region: "eu" },
        parent: "middle",
        root: "whole"
      })
      assert.deepInclude(yield* client.handle(Part, "part").describe, {
        memo: { note: "left" },
        searchAttributes: { region: "eu" },
        summary: "the left part",
        details: "**left**"
      })
    }).pipe(Effect.provide(TestEnvironment.layer({ hosts: [wholeLive, middleLive, partLive] }))))

  it.effect("is repeated by a cron until it is canceled, and then tells its parent (K1, X10)", () => {
    const Parent = Workflow.make("Parent", { success: Schema.Unknown })
    const Nightly = Workflow.make("Nightly")
    let runs = 0
    const env = TestEnvironment.layer({
      hosts: [
        Parent.toLayer(() =>
          Effect.gen(function*() {
            const child = yield* Effect.orDie(Nightly.start(undefined, { cron: "@hourly" }))
            yield* Effect.sleep("150 minutes")
            yield* child.cancel()
            return (yield* Effect.orDie(Effect.flip(child.result))).failure._tag
          })
        ),
        Nightly.toLayer(() => Effect.orDie(Step.run("count", { execute: Effect.sync(() => void runs++) })))
      ]
    })
    return Effect.gen(function*() {
      assert.strictEqual(yield* (yield* Client).execute(Parent), "Canceled")
      assert.strictEqual(runs, 2)
    }).pipe(Effect.provide(env))
  })

  it.effect("after a closed one of its id is started where its idReuse allows it, else told to the parent (K1, K2)", () => {
    const Parent = Workflow.make("Parent", { success: Schema.Unknown })
    const Child = Workflow.make("Child", { payload: Schema.Boolean, error: Schema.String })
    const tried = (fails: boolean, idReuse: "AllowDuplicate" | "AllowDuplicateFailedOnly" | "RejectDuplicate") =>
      Effect.map(
        Effect.either(Child.execute(fails, { workflowId: "child", idReuse })),
        (outcome) =>
          Either.isRight(outcome)
            ? "completed"
            : typeof outcome.left === "string"
            ? outcome.left
            : `${outcome.left._tag}${"closed" in outcome.left && outcome.left.closed === true ? " (closed)" : ""}`
      )
    const env = TestEnvironment.layer({
      hosts: [
        Parent.toLayer(() =>
          Effect.gen(function*() {
            return [
              yield* tried(true, "RejectDuplicate"),
              yield* tried(true, "RejectDuplicate"),
              yield* tried(false, "AllowDuplicateFailedOnly"),
              yield* tried(false, "AllowDuplicateFailedOnly"),
              yield* tried(false, "AllowDuplicate")
            ]
          })
        ),
        Child.toLayer((fails) => fails ? Effect.fail("failed") : Effect.void)
      ]
    })
    return Effect.gen(function*() {
      assert.deepStrictEqual(yield* (yield* Client).execute(Parent), [
        "failed",
        "WorkflowAlreadyStarted (closed)",
        "completed",
        "WorkflowAlreadyStarted (closed)",
        "completed"
      ])
    }).pipe(Effect.provide(env))
  })
})
