/**
 * Deployments in the middle: runs begin on the code of before, and go on with that of today after each of their commits.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Workflow } from "perdure"
import { Durable } from "perdure/testing"

const durable = Durable.withRunner((name, run, millis) => it(name, run, millis))

const Ship = Activity.make("Ship", { payload: Schema.String, startToCloseTimeout: "5 seconds" })
const CheckFraud = Activity.make("CheckFraud", {
  payload: Schema.String,
  success: Schema.Boolean,
  startToCloseTimeout: "5 seconds"
})
const Order = Workflow.make("Order", {
  payload: Schema.Literal("tea", "salt"),
  success: Schema.Literal("shipped", "refused")
})

const ship = (sku: string) => Effect.as(Effect.zipRight(Effect.sleep("1 hour"), Ship.execute(sku)), "shipped" as const)
const checked = (sku: string) =>
  Effect.flatMap(CheckFraud.execute(sku), (isFraud) => isFraud ? Effect.succeed("refused" as const) : ship(sku))

const before = Order.toLayer((sku) => ship(sku))
const patched = Order.toLayer(Effect.fn(function*(sku) {
  return yield* (yield* Workflow.patched("fraud")) ? checked(sku) : ship(sku)
}))
const unpatched = Order.toLayer((sku) => checked(sku))

const ordering = {
  activities: [Ship, CheckFraud],
  messagesMax: 1,
  runs: 8,
  crashPointsMax: 20
} as const

describe("a deployment in the middle", () => {
  durable("is right where a patch parts the ways (V1, V3)", Order, {
    ...ordering,
    before: () => [before],
    hosts: () => [patched],
    holds: ({ completed, deployed, outcome }) => {
      // What began without the check ships without it.
      if (deployed && completed("CheckFraud") === 0 && outcome._tag === "Completed") {
        assert.strictEqual(outcome.value, "shipped")
      }
    },
    report: ({ branches, deployments, table }) => {
      assert.strictEqual(deployments.tried, deployments.of)
      assert.isAbove(deployments.tried, 5)
      assert.match(table, /deployed at \d+ of \d+ commits of \d+ plans/)
      assert.isAbove(branches.find(({ of }) => of === "patch fraud")!.ways.get("marked")!, 0)
    }
  })

  it.live("without a patch is found, with both sides, the line and the remedy (V3, V4)", () =>
    Effect.gen(function*() {
      const { detail, kind, message } = yield* Effect.flip(Durable.check(Order, {
        ...ordering,
        shrinkMillis: 1_000,
        before: () => [before],
        hosts: () => [unpatched]
      }))
      assert.strictEqual(kind, "Deployment")
      assert.match(detail, /recorded: {2}timer #1.*\n {2}attempted: activity CheckFraud #1/)
      assert.match(detail, /deployments\.test\.ts:\d+/)
      assert.include(detail, "Ask Workflow.patched(id) which way to take")
      assert.include(message, "begun on the code of before, and gone on with that of today after operation")
      assert.match(
        message,
        /Order with the deployment: Running\n.*┌─ started.*\n.*◷ timer #1.*\n +╳ {2}the process is killed; one with the code of today goes on/
      )
    }), 60_000)

  it.live("with a schema that does not read what was recorded is found (D7)", () =>
    Effect.gen(function*() {
      const weigh = <A, I>(success: Schema.Schema<A, I>, value: A) => {
        const Weigh = Activity.make("Weigh", { success, startToCloseTimeout: "5 seconds" })
        return [
          Order.toLayer(() => Effect.as(Effect.zipRight(Weigh.execute(), Effect.sleep("1 hour")), "shipped" as const)),
          Weigh.toLayer(() => Effect.succeed(value))
        ] as const
      }
      const grams = Schema.Struct({ grams: Schema.Number })
      const { detail, kind } = yield* Effect.flip(Durable.check(Order, {
        runs: 2,
        crashPointsMax: 5,
        shrinkMillis: 500,
        before: () => weigh(Schema.Number, 4),
        hosts: () => weigh(grams, { grams: 4 })
      }))
      assert.strictEqual(kind, "Deployment")
      assert.match(detail, /result of activity Weigh/)
    }), 60_000)

  it.live(
    "is tried from each commit of what began before, and from none where there is no code of before",
    () =>
      Effect.gen(function*() {
        const { deployments, table } = yield* Durable.check(Order, {
          ...ordering,
          runs: 2,
          hosts: () => [patched]
        })
        assert.deepStrictEqual(deployments, { tried: 0, of: 0, plans: 0 })
        assert.notInclude(table, "deployed")
      }),
    60_000
  )
})
