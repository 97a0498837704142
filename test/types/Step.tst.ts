import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { type Activity, type ActivityError, ApplicationError, Step } from "perdure"
import { describe, expect, it } from "tstyche"
import type { HostedWorkflow } from "../../src/dsl/Workflow.js"
import type { WorkflowContext } from "../../src/dsl/WorkflowContext.js"
import { CardDeclined, Nightly, PaymentGateway, Ping, Receipt } from "./order.js"

describe("Step.run", () => {
  it("gives the success; its declared error and ActivityError in E; its services as needs of the Layer", () => {
    expect(Step.run("charge", {
      success: Receipt,
      error: CardDeclined,
      execute: Effect.flatMap(PaymentGateway, (gateway) => gateway.charge(1, { idempotencyKey: "" }))
    })).type.toBe<Effect.Effect<Receipt, CardDeclined | ActivityError, WorkflowContext | Step.Needs<PaymentGateway>>>()
  })

  it("without services needs nothing but a body", () => {
    expect(Step.run("tick", { execute: Effect.void })).type.toBe<
      Effect.Effect<void, ActivityError, WorkflowContext>
    >()
  })

  it("may fail with ApplicationError, retried or not", () => {
    Step.run("tick", { execute: new ApplicationError({ type: "T", message: "" }), retry: { maximumAttempts: 1 } })
  })

  it("refuses an undeclared error, and another result", () => {
    // @ts-expect-error CardDeclined
    Step.run("tick", { execute: Effect.fail(new CardDeclined({ reason: "" })) })
    // @ts-expect-error string
    Step.run("count", { success: Schema.Number, execute: Effect.succeed("1") })
    // @ts-expect-error void
    Step.run("count", { success: Schema.Number, execute: Effect.void })
  })

  it("a durable step within it asks the Layer for what no Layer provides", () => {
    const nested = Step.run("nested", { execute: Effect.orDie(Ping.execute()) })
    expect(Nightly.toLayer(() => nested)).type.toBe<
      Layer.Layer<HostedWorkflow<"Nightly">, never, WorkflowContext | Activity.Hosted<"Ping">>
    >()
  })
})
