import { SqlClient } from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Activity, type ActivityError, ApplicationError, type ContractError } from "perdure"
import { Transactional } from "perdure/sqlite"
import { describe, expect, it } from "tstyche"
import type { ActivityContext } from "../../src/dsl/ActivityContext.js"
import type { WorkflowContext } from "../../src/dsl/WorkflowContext.js"
import { CardDeclined, ChargeCard, PaymentGateway, Ping, type Receipt, Release } from "./order.js"

const payload = { orderId: "1", amount: 42 }

describe("Activity.make", () => {
  it("types come from the schemas, decoded", () => {
    expect(ChargeCard).type.toBe<
      Activity.Activity<"ChargeCard", { readonly orderId: string; readonly amount: number }, Receipt, CardDeclined>
    >()
    expect(Ping).type.toBe<Activity.Activity<"Ping", void, void, never>>()
  })

  it("a schema that needs services is no contract", () => {
    const needy = Schema.String as Schema.Schema<string, string, PaymentGateway>
    // @ts-expect-error not assignable
    Activity.make("Needy", { success: needy })
  })

  it("any activity fits the erased form", () => {
    expect(ChargeCard).type.toBeAssignableTo<Activity.Any>()
    expect(Ping).type.toBeAssignableTo<Activity.Any>()
  })
})

describe("Activity.execute", () => {
  it("gives the success; declared errors and ActivityError in E; asks for a host of its name", () => {
    expect(ChargeCard.execute(payload)).type.toBe<
      Effect.Effect<Receipt, CardDeclined | ActivityError, WorkflowContext | Activity.Hosted<"ChargeCard">>
    >()
    expect(ChargeCard.execute(payload, { startToCloseTimeout: "1 minute", activityId: "charge" })).type.toBe<
      Effect.Effect<Receipt, CardDeclined | ActivityError, WorkflowContext | Activity.Hosted<"ChargeCard">>
    >()
  })

  it("on another task queue no host is asked for", () => {
    expect(ChargeCard.execute(payload, { taskQueue: "cards" })).type.toBe<
      Effect.Effect<Receipt, CardDeclined | ActivityError, WorkflowContext>
    >()
  })

  it("without a payload needs no argument", () => {
    expect(Ping.execute()).type.toBe<Effect.Effect<void, ActivityError, WorkflowContext | Activity.Hosted<"Ping">>>()
  })

  it("refuses a payload that does not fit", () => {
    expect(ChargeCard.execute).type.not.toBeCallableWith()
    expect(ChargeCard.execute).type.not.toBeCallableWith({ orderId: 1, amount: 42 })
    expect(ChargeCard.execute).type.not.toBeCallableWith({ orderId: "1" })
    expect(Ping.execute).type.not.toBeCallableWith("ping")
  })
})

describe("Activity.start", () => {
  it("gives a handle, and cannot fail", () => {
    expect(ChargeCard.start(payload)).type.toBe<
      Effect.Effect<
        Activity.ActivityHandle<Receipt, CardDeclined>,
        never,
        WorkflowContext | Activity.Hosted<"ChargeCard">
      >
    >()
    expect(ChargeCard.start(payload, { taskQueue: "cards" })).type.toBe<
      Effect.Effect<Activity.ActivityHandle<Receipt, CardDeclined>, never, WorkflowContext>
    >()
  })

  it("the handle's result is as that of execute", () => {
    const handle = null as unknown as Activity.ActivityHandle<Receipt, CardDeclined>
    expect(handle.result).type.toBe<Effect.Effect<Receipt, CardDeclined | ActivityError, WorkflowContext>>()
    expect(handle.cancel).type.toBe<Effect.Effect<void, never, WorkflowContext>>()
  })
})

describe("Activity.toLayer", () => {
  it("asks for the services of the body, but not for the attempt's own", () => {
    const layer = ChargeCard.toLayer(Effect.fn(function*({ amount }) {
      expect(amount).type.toBe<number>()
      const gateway = yield* PaymentGateway
      yield* Effect.addFinalizer(() => Effect.void)
      const { idempotencyKey } = yield* Activity.info
      return yield* gateway.charge(amount, { idempotencyKey })
    }))
    expect(layer).type.toBe<Layer.Layer<Activity.Hosted<"ChargeCard">, never, PaymentGateway>>()
  })

  it("asks for nothing where the body needs nothing", () => {
    expect(Ping.toLayer(() => Effect.void)).type.toBe<Layer.Layer<Activity.Hosted<"Ping">>>()
  })

  it("the body may fail with declared errors and ApplicationError", () => {
    expect(ChargeCard.toLayer).type.toBeCallableWith(() => Effect.fail(new CardDeclined({ reason: "" })))
    expect(ChargeCard.toLayer).type.toBeCallableWith(() =>
      Effect.fail(new ApplicationError({ type: "T", message: "" }))
    )
  })

  it("and with no other", () => {
    expect(Ping.toLayer).type.not.toBeCallableWith(() => Effect.fail(new CardDeclined({ reason: "" })))
    expect(Ping.toLayer).type.not.toBeCallableWith(() => Effect.fail("no"))
  })

  it("the body must give the success, decoded", () => {
    expect(ChargeCard.toLayer).type.not.toBeCallableWith(() => Effect.succeed({ id: "1", paidAt: "today" }))
    expect(ChargeCard.toLayer).type.not.toBeCallableWith(() => Effect.void)
  })

  it("an activity runs no durable step", () => {
    expect(Ping.toLayer(() => Effect.orDie(Release.execute({ id: "1", total: 1 })))).type.toBe<
      Layer.Layer<Activity.Hosted<"Ping">, never, WorkflowContext | Activity.Hosted<"Release">>
    >()
  })
})

describe("Activity.heartbeat", () => {
  it("works in an activity only", () => {
    expect(Activity.heartbeat({ row: 1 })).type.toBe<Effect.Effect<void, never, ActivityContext>>()
    expect(Activity.lastHeartbeat(Schema.Date)).type.toBe<
      Effect.Effect<Date | undefined, ContractError, ActivityContext>
    >()
    expect(Activity.shuttingDown).type.toBe<Effect.Effect<boolean, never, ActivityContext>>()
  })
})

describe("Activity.completeAsync", () => {
  it("fits any success, in an activity only", () => {
    expect(Activity.completeAsync).type.toBe<Effect.Effect<never, never, ActivityContext>>()
    expect(ChargeCard.toLayer(() => Activity.completeAsync)).type.toBe<
      Layer.Layer<Activity.Hosted<"ChargeCard">, never, never>
    >()
    expect(Activity.cancellationDetails).type.toBe<
      Effect.Effect<Activity.CancellationDetails | undefined, never, ActivityContext>
    >()
  })
})

describe("Transactional.toLayer", () => {
  it("asks for SQL: on a store that is not SQL it does not compile", () => {
    expect(Transactional.toLayer(Ping, () => Effect.void)).type.toBe<
      Layer.Layer<Activity.Hosted<"Ping">, never, SqlClient>
    >()
    const live = Transactional.toLayer(
      ChargeCard,
      () => Effect.flatMap(SqlClient, (sql) => Effect.zipRight(Effect.orDie(sql`SELECT 1`), Activity.completeAsync))
    )
    expect(live).type.toBe<Layer.Layer<Activity.Hosted<"ChargeCard">, never, SqlClient>>()
  })

  it("the body fits the contract", () => {
    expect(Transactional.toLayer).type.not.toBeCallableWith(ChargeCard, () => Effect.void)
    expect(Transactional.toLayer).type.not.toBeCallableWith(Ping, () => Effect.fail("no"))
  })
})
