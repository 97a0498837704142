import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Client, WorkerConfigError } from "perdure"
import { Activity, Entity, Workflow } from "perdure"
import type { Store, StoreError } from "perdure/sqlite"
import { ActivityEnvironment, Durable, TestEnvironment } from "perdure/testing"
import { describe, expect, it } from "tstyche"

class Declined extends Schema.TaggedError<Declined>()("Declined", {}) {}
class Bank extends Context.Tag("Bank")<Bank, { readonly limit: number }>() {}
const Charge = Activity.make("Charge", {
  payload: Schema.Number,
  success: Schema.String,
  error: Declined,
  startToCloseTimeout: "1 second"
})
const Other = Activity.make("Other", { startToCloseTimeout: "1 second" })
const Order = Workflow.make("Order", { success: Schema.String, error: Declined })
const OrderLive = Order.toLayer(() => Effect.catchTag(Charge.execute(1), "ActivityError", Effect.die))
const ChargeLive = Charge.toLayer(() => Effect.map(Bank, ({ limit }) => String(limit)))
const ChargeMock = Charge.toLayer(() => Effect.succeed("mocked"))
const OtherLive = Other.toLayer(() => Effect.void)

describe("TestEnvironment.layer", () => {
  it("gives the client, the environment and the store, and needs what its hosts need", () => {
    expect(TestEnvironment.layer({ hosts: [OrderLive, ChargeMock] })).type.toBe<
      Layer.Layer<Client | TestEnvironment | Store, StoreError | WorkerConfigError>
    >()
    expect(TestEnvironment.layer({ hosts: [OrderLive, ChargeLive] })).type.toBe<
      Layer.Layer<Client | TestEnvironment | Store, StoreError | WorkerConfigError, Bank>
    >()
  })

  it("asks for an activity that nobody mocks", () => {
    expect(TestEnvironment.layer({ hosts: [OrderLive, OtherLive] })).type.toBe<
      Layer.Layer<Client | TestEnvironment | Store, StoreError | WorkerConfigError, Activity.Hosted<"Charge">>
    >()
  })
})

describe("ActivityEnvironment.run", () => {
  const environment = ActivityEnvironment.make()

  it("has the types of the contract", () => {
    const run = environment.run(Charge, ChargeLive, 1)
    expect<Effect.Effect.Success<typeof run>>().type.toBe<string>()
    expect<Effect.Effect.Context<typeof run>>().type.toBe<Bank>()
    expect<Declined>().type.toBeAssignableTo<Effect.Effect.Error<typeof run>>()
  })

  it("takes no other payload, and no other activity's body", () => {
    expect(environment.run).type.not.toBeCallableWith(Charge, ChargeLive, "1")
    expect(environment.run).type.not.toBeCallableWith(Charge, OtherLive, 1)
  })
})

describe("Durable.check", () => {
  it("gives a report, and needs nothing where every activity has a body or answers", () => {
    expect(Durable.check(Order, { hosts: () => [OrderLive], activities: [Charge] })).type.toBe<
      Effect.Effect<Durable.Report, Durable.CheckFailed>
    >()
    expect(Durable.check(Order, { hosts: () => [OrderLive, ChargeMock] })).type.toBe<
      Effect.Effect<Durable.Report, Durable.CheckFailed>
    >()
  })

  it("asks for an activity that is missing, and for services of bodies", () => {
    expect(Durable.check(Order, { hosts: () => [OrderLive], activities: [Other] })).type.toBe<
      Effect.Effect<Durable.Report, Durable.CheckFailed, Activity.Hosted<"Charge">>
    >()
    expect(Durable.check(Order, { hosts: () => [OrderLive, ChargeLive] })).type.toBe<
      Effect.Effect<Durable.Report, Durable.CheckFailed, Bank>
    >()
  })

  it("hands trials to `holds` with the types of the contract", () => {
    Durable.check(Order, {
      hosts: () => [OrderLive],
      activities: [Charge],
      world: () => ({ charged: 0 }),
      holds: ({ outcome, world }) => {
        expect(world).type.toBe<{ charged: number }>()
        if (outcome._tag === "Completed") expect(outcome.value).type.toBe<string>()
      }
    })
  })

  it("takes scripts of the activity's own types only", () => {
    Durable.script(Charge, { _tag: "Succeeds", value: "r-1" }, [{ _tag: "Fails", error: new Declined() }])
    expect(Durable.script).type.not.toBeCallableWith(Charge, { _tag: "Succeeds", value: 1 })
  })

  it("takes ends of a child's own types only, and asks for no body of it", () => {
    Durable.script(Order, { _tag: "Fails", error: new Declined() }, { _tag: "Succeeds", value: "r-1" })
    expect(Durable.script).type.not.toBeCallableWith(Order, { _tag: "Succeeds", value: 1 })
    const Parent = Workflow.make("Parent", { success: Schema.String, error: Declined })
    const ParentLive = Parent.toLayer(() => Order.execute())
    expect(Durable.check(Parent, { hosts: () => [ParentLive], children: [Order] })).type.toBe<
      Effect.Effect<Durable.Report, Durable.CheckFailed>
    >()
  })

  it("asks for the activities of the code of before as well", () => {
    expect(Durable.check(Order, { hosts: () => [OrderLive, ChargeMock], before: () => [OrderLive] })).type.toBe<
      Effect.Effect<Durable.Report, Durable.CheckFailed, Activity.Hosted<"Charge">>
    >()
  })

  it("takes an entity as it is, and answers its queries", () => {
    const Counter = Entity.make("Counter", {
      state: Schema.Struct({ count: Schema.Int }),
      initial: () => ({ count: 0 }),
      signals: { add: { payload: Schema.Int } },
      queries: { count: { success: Schema.Int }, over: { payload: Schema.Int, success: Schema.Boolean } },
      updates: { reset: { payload: Schema.Literal("now") } }
    })
    const CounterLive = Counter.toLayer(() =>
      Effect.succeed(Counter.of({
        signals: { add: () => Effect.void },
        queries: { count: () => Effect.succeed(0), over: () => Effect.succeed(false) },
        updates: { reset: () => Effect.void }
      }))
    )
    Durable.check(Counter, {
      hosts: () => [CounterLive],
      holds: ({ outcome, query, received, updated }) => {
        expect(query("count")).type.toBe<number>()
        expect(query("over", 3)).type.toBe<boolean>()
        expect(query).type.not.toBeCallableWith("over")
        expect(query).type.not.toBeCallableWith("none")
        expect(received("add")).type.toBe<ReadonlyArray<number>>()
        expect(updated("reset")).type.toBe<ReadonlyArray<"now">>()
        if (outcome._tag === "Completed") expect(outcome.value).type.toBe<{ readonly count: number }>()
      }
    })
  })

  it("is a test only where nothing is missing", () => {
    const durable = Durable.withRunner(() => {})
    durable("complete", Order, { hosts: () => [OrderLive], activities: [Charge] })
    // @ts-expect-error Expected 4 arguments
    durable("incomplete", Order, { hosts: () => [OrderLive] })
  })
})
