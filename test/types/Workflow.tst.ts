import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import {
  Activity,
  type ActivityError,
  ApplicationError,
  type ChildWorkflowError,
  type Client,
  type ContractError,
  type Handle,
  SearchAttribute,
  State,
  Step,
  type StoreUnavailable,
  Workflow,
  type WorkflowAlreadyStarted,
  type WorkflowClosed,
  type WorkflowFailure,
  type WorkflowNotFound
} from "perdure"
import { describe, expect, it } from "tstyche"
import type { WorkflowContext } from "../../src/dsl/WorkflowContext.js"
import type { Approval, Item, Order, OrderStatus, Receipt } from "./order.js"
import {
  CardDeclined,
  CartClosed,
  ChargeCard,
  Greeting,
  Nightly,
  OrderRejected,
  OrderWorkflow,
  PaymentGateway,
  Ping,
  Release
} from "./order.js"

describe("children", () => {
  const order: Order = undefined as never

  it("execute gives the result; declared errors as themselves, and those of children", () => {
    expect(OrderWorkflow.execute(order)).type.toBe<
      Effect.Effect<
        Receipt,
        OrderRejected | CardDeclined | ChildWorkflowError | WorkflowAlreadyStarted,
        WorkflowContext
      >
    >()
    expect(Nightly.execute()).type.toBe<
      Effect.Effect<void, ChildWorkflowError | WorkflowAlreadyStarted, WorkflowContext>
    >()
    expect(OrderWorkflow.execute).type.not.toBeCallableWith()
    expect(OrderWorkflow.execute).type.not.toBeCallableWith("an order")
    expect(OrderWorkflow.execute).type.not.toBeCallableWith(order, { parentClosePolicy: "Forget" })
    expect(OrderWorkflow.execute).type.toBeCallableWith(order, { cancellation: "TryCancel", taskQueue: "other" })
  })

  it("a handle signals by the contract", () => {
    const started = OrderWorkflow.start(order)
    type Handle = Effect.Effect.Success<typeof started>
    expect<Handle["result"]>().type.toBe<
      Effect.Effect<Receipt, OrderRejected | CardDeclined | ChildWorkflowError, WorkflowContext>
    >()
    const signal = undefined as unknown as Handle["signal"]
    expect(signal).type.toBeCallableWith("touch")
    expect(signal).type.not.toBeCallableWith("approve")
    expect(signal).type.not.toBeCallableWith("addItem", {})
    expect(Workflow.external(OrderWorkflow, "o-1").signal("touch")).type.toBe<
      Effect.Effect<void, WorkflowNotFound | WorkflowClosed, WorkflowContext>
    >()
  })

  it("a body may leave their errors undeclared, and needs no host of them", () => {
    const layer = Nightly.toLayer(() =>
      Effect.asVoid(Effect.zipRight(Workflow.external(Nightly, "other").cancel(), Nightly.start()))
    )
    expect<Layer.Layer.Context<typeof layer>>().type.toBe<never>()
    // A client's program is no body.
    expect<Effect.Effect.Context<ReturnType<typeof Nightly.execute>>>().type.toBe<WorkflowContext>()
  })
})

describe("Workflow.make", () => {
  it("types come from the schemas, decoded", () => {
    expect<Workflow.PayloadOf<typeof OrderWorkflow>>().type.toBe<Order>()
    expect<Workflow.SuccessOf<typeof OrderWorkflow>>().type.toBe<Receipt>()
    expect<Workflow.ErrorOf<typeof OrderWorkflow>>().type.toBe<OrderRejected | CardDeclined>()
    expect<Workflow.SignalsOf<typeof OrderWorkflow>>().type.toBe<
      { readonly approve: Approval; readonly touch: void }
    >()
    expect<Workflow.QueriesOf<typeof OrderWorkflow>>().type.toBe<{
      readonly status: { readonly payload: void; readonly success: OrderStatus }
      readonly has: { readonly payload: string; readonly success: boolean }
    }>()
    expect<Workflow.UpdatesOf<typeof OrderWorkflow>>().type.toBe<{
      readonly addItem: { readonly payload: Item; readonly success: readonly Item[]; readonly error: CartClosed }
      readonly clear: { readonly payload: void; readonly success: void; readonly error: never }
    }>()
  })

  it("what is left out is void, and no error", () => {
    expect<Workflow.PayloadOf<typeof Nightly>>().type.toBe<void>()
    expect<Workflow.SuccessOf<typeof Nightly>>().type.toBe<void>()
    expect<Workflow.ErrorOf<typeof Nightly>>().type.toBe<never>()
    expect<keyof Workflow.SignalsOf<typeof Nightly>>().type.toBe<never>()
  })

  it("idempotencyKey sees the payload", () => {
    Workflow.make("Keyed", {
      payload: { id: Schema.String },
      idempotencyKey: (payload) => {
        expect(payload).type.toBe<{ readonly id: string }>()
        return payload.id
      }
    })
  })

  it("any workflow fits the erased form", () => {
    expect(OrderWorkflow).type.toBeAssignableTo<Workflow.Any>()
    expect(Nightly).type.toBeAssignableTo<Workflow.Any>()
  })
})

// DESIGN.md section 4, as written there.
const OrderWorkflowLive = OrderWorkflow.toLayer(Effect.fn(function*(order) {
  const status = yield* State.make<OrderStatus>("pending")
  const cart = yield* Ref.make<ReadonlyArray<Item>>([])
  const approval = yield* Deferred.make<Approval>()
  return OrderWorkflow.of({
    signals: { approve: (given) => Deferred.succeed(approval, given), touch: () => Effect.void },
    queries: { status: () => status.get, has: (sku) => Effect.map(cart, (items) => items.some((i) => i.sku === sku)) },
    updates: {
      addItem: {
        validate: () => Effect.flatMap(status.get, (now) => now === "paid" ? new CartClosed() : Effect.void),
        handle: (item) => Ref.updateAndGet(cart, (items) => [...items, item])
      },
      clear: () => Ref.set(cart, [])
    },
    run: Effect.gen(function*() {
      const decision = yield* Deferred.await(approval).pipe(Effect.timeoutOption("72 hours"))
      if (decision._tag === "None") return yield* new OrderRejected()
      yield* Workflow.withCompensation(Ping.execute(), () => Release.execute(order))
      const receipt = yield* ChargeCard.execute({ orderId: order.id, amount: order.total })
      yield* status.set("paid")
      return receipt
    })
  })
}))

describe("Workflow.toLayer", () => {
  it("asks for the activities that the body calls on its own task queue, by name", () => {
    expect(OrderWorkflowLive).type.toBe<
      Layer.Layer<
        Workflow.HostedWorkflow<"OrderWorkflow">,
        never,
        Activity.Hosted<"Ping"> | Activity.Hosted<"Release"> | Activity.Hosted<"ChargeCard">
      >
    >()
  })

  it("an activity that no provided Layer hosts is named", () => {
    const some = Layer.provide(OrderWorkflowLive, [PingLive, ReleaseLive])
    expect(some).type.toBe<
      Layer.Layer<Workflow.HostedWorkflow<"OrderWorkflow">, never, Activity.Hosted<"ChargeCard">>
    >()
    // @ts-expect-error 'Hosted<"ChargeCard">' is not assignable to type 'never'
    Effect.runFork(Layer.launch(some))
    const all = Layer.provide(some, Layer.provide(ChargeCardLive, GatewayLive))
    expect(all).type.toBe<Layer.Layer<Workflow.HostedWorkflow<"OrderWorkflow">>>()
    // The Layer of another activity is not the one asked for.
    expect<Activity.Hosted<"Ping">>().type.not.toBeAssignableTo<Activity.Hosted<"ChargeCard">>()
  })

  it("without handlers the body is the program itself", () => {
    expect(Greeting.toLayer((name) => Effect.succeed(`hello ${name}`))).type.toBe<
      Layer.Layer<Workflow.HostedWorkflow<"Greeting">>
    >()
    expect(Nightly.toLayer(() => Ping.execute())).type.toBe<
      Layer.Layer<Workflow.HostedWorkflow<"Nightly">, never, Activity.Hosted<"Ping">>
    >()
  })

  it("an activity on another queue asks for nothing", () => {
    expect(Nightly.toLayer(() => Ping.execute(undefined, { taskQueue: "pings" }))).type.toBe<
      Layer.Layer<Workflow.HostedWorkflow<"Nightly">>
    >()
  })

  it("the services of inline steps are asked of the Layer, not of the body", () => {
    const layer = Nightly.toLayer(() =>
      Effect.zipRight(
        Ping.execute(),
        Step.run("charge", {
          success: Schema.Void,
          execute: Effect.orDie(
            Effect.flatMap(PaymentGateway, (gateway) => Effect.asVoid(gateway.charge(1, { idempotencyKey: "" })))
          )
        })
      )
    )
    expect(layer).type.toBe<
      Layer.Layer<Workflow.HostedWorkflow<"Nightly">, never, Activity.Hosted<"Ping"> | PaymentGateway>
    >()
  })

  it("a body may use a Scope, time, and what fails a run", () => {
    expect(Nightly.toLayer(() => Effect.addFinalizer(() => Effect.void))).type.toBe<
      Layer.Layer<Workflow.HostedWorkflow<"Nightly">>
    >()
    expect(Nightly.toLayer).type.toBeCallableWith(() => Effect.asVoid(Clock.currentTimeMillis))
    expect(Nightly.toLayer).type.toBeCallableWith(() => Effect.timeout(Workflow.condition(() => true), "1 hour"))
    expect(Nightly.toLayer).type.toBeCallableWith(() => new ApplicationError({ type: "T", message: "" }))
  })
})

describe("what does not compile", () => {
  it("a service that would do I/O in a body", () => {
    // @ts-expect-error 'PaymentGateway' is not assignable to type 'BodyServices'
    Nightly.toLayer(() => Effect.asVoid(PaymentGateway))
    // @ts-expect-error 'PaymentGateway' is not assignable to type 'BodyServices'
    OrderWorkflow.toLayer(() => Effect.as(PaymentGateway, OrderWorkflow.of(handlers)))
    const run = OrderWorkflow.of({ ...handlers, run: Effect.zipRight(PaymentGateway, handlers.run) })
    // @ts-expect-error 'PaymentGateway' is not assignable to type 'BodyServices'
    OrderWorkflow.toLayer(() => Effect.succeed(run))
  })

  it("a service that would do I/O in a handler", () => {
    const signal = OrderWorkflow.of({
      ...handlers,
      signals: { approve: () => Effect.void, touch: () => PaymentGateway }
    })
    // @ts-expect-error 'PaymentGateway' is not assignable to type 'BodyServices'
    OrderWorkflow.toLayer(() => Effect.succeed(signal))
    const clear = () => Effect.asVoid(PaymentGateway)
    // @ts-expect-error 'PaymentGateway' is not assignable to type 'BodyServices'
    OrderWorkflow.of({ ...handlers, updates: { ...handlers.updates, clear } })
    const status = () => Effect.as(PaymentGateway, "paid" as const)
    // @ts-expect-error 'PaymentGateway' is not assignable to type 'never'
    OrderWorkflow.of({ ...handlers, queries: { ...handlers.queries, status } })
  })

  it("an error that the contract does not declare", () => {
    // @ts-expect-error CardDeclined
    Nightly.toLayer(() => Effect.fail(new CardDeclined({ reason: "" })))
    // @ts-expect-error CardDeclined
    Nightly.toLayer(() => Effect.asVoid(ChargeCard.execute({ orderId: "", amount: 1 })))
    const run = OrderWorkflow.of({ ...handlers, run: Effect.fail(new CartClosed()) })
    // @ts-expect-error CartClosed
    OrderWorkflow.toLayer(() => Effect.succeed(run))
    const signals = { ...handlers.signals, touch: () => new CartClosed() }
    const signal = OrderWorkflow.of({ ...handlers, signals })
    // @ts-expect-error CartClosed
    OrderWorkflow.toLayer(() => Effect.succeed(signal))
    const fails = () => new OrderRejected()
    // @ts-expect-error OrderRejected
    OrderWorkflow.of({ ...handlers, updates: { ...handlers.updates, clear: fails } })
    // @ts-expect-error OrderRejected
    OrderWorkflow.of({ ...handlers, queries: { ...handlers.queries, status: fails } })
  })

  it("another result", () => {
    // @ts-expect-error 'number' is not assignable to type 'string'
    Greeting.toLayer(() => Effect.succeed(1))
    // @ts-expect-error 'string' is not assignable
    OrderWorkflow.of({ ...handlers, run: Effect.succeed("paid") })
    const open = () => Effect.succeed("open" as const)
    // @ts-expect-error '"open"' is not assignable
    OrderWorkflow.of({ ...handlers, queries: { ...handlers.queries, status: open } })
    const addItem = () => Effect.succeed(1)
    // @ts-expect-error 'number' is not assignable
    OrderWorkflow.of({ ...handlers, updates: { ...handlers.updates, addItem } })
  })

  it("a missing handler", () => {
    const { queries, run, signals, updates } = handlers
    // @ts-expect-error Property 'updates' is missing
    OrderWorkflow.of({ signals, queries, run })
    // @ts-expect-error Property 'run' is missing
    OrderWorkflow.of({ signals, queries, updates })
    // @ts-expect-error Property 'touch' is missing
    OrderWorkflow.of({ ...handlers, signals: { approve: signals.approve } })
    // @ts-expect-error Property 'has' is missing
    OrderWorkflow.of({ ...handlers, queries: { status: queries.status } })
    // @ts-expect-error Property 'clear' is missing
    OrderWorkflow.of({ ...handlers, updates: { addItem: updates.addItem } })
    const clear = { validate: () => Effect.void }
    // @ts-expect-error Property 'handle' is missing
    OrderWorkflow.of({ ...handlers, updates: { ...updates, clear } })
  })

  it("a handler that nothing declares", () => {
    const stray = () => Effect.succeed(1)
    // @ts-expect-error is not assignable to type 'never'
    OrderWorkflow.of({ ...handlers, signals: { ...handlers.signals, aprove: stray } })
    // @ts-expect-error is not assignable to type 'never'
    OrderWorkflow.of({ ...handlers, queries: { ...handlers.queries, total: stray } })
    // @ts-expect-error is not assignable to type 'never'
    OrderWorkflow.of({ ...handlers, updates: { ...handlers.updates, drop: stray } })
    // @ts-expect-error is not assignable to type 'never'
    Nightly.of({ run: Effect.void, signals: { approve: stray } })
    // @ts-expect-error is not assignable to type 'never'
    Nightly.of({ run: Effect.void, signal: stray })
  })

  it("a handler of another payload", () => {
    const approve = (count: number) => Effect.asVoid(Effect.succeed(count))
    // @ts-expect-error is not assignable to type 'number'
    OrderWorkflow.of({ ...handlers, signals: { ...handlers.signals, approve } })
    const has = (count: number) => Effect.succeed(count > 0)
    // @ts-expect-error 'string' is not assignable to type 'number'
    OrderWorkflow.of({ ...handlers, queries: { ...handlers.queries, has } })
  })

  it("I11: a query that commands", () => {
    const runs = () => Effect.as(Effect.orDie(Ping.execute()), "paid" as const)
    // @ts-expect-error 'WorkflowContext' is not assignable to type 'never'
    OrderWorkflow.of({ ...handlers, queries: { ...handlers.queries, status: runs } })
    const writes = () => Effect.as(state.set(2), "paid" as const)
    // @ts-expect-error 'WorkflowContext' is not assignable to type 'never'
    OrderWorkflow.of({ ...handlers, queries: { ...handlers.queries, status: writes } })
    const waits = () => Effect.as(Workflow.condition(() => true), "paid" as const)
    // @ts-expect-error 'WorkflowContext' is not assignable to type 'never'
    OrderWorkflow.of({ ...handlers, queries: { ...handlers.queries, status: waits } })
  })

  it("I11, U2: a validator that commands", () => {
    const runs = { validate: () => Effect.orDie(Ping.execute()), handle: () => Effect.void }
    // @ts-expect-error 'WorkflowContext' is not assignable to type 'never'
    OrderWorkflow.of({ ...handlers, updates: { ...handlers.updates, clear: runs } })
    const writes = { validate: () => state.set(2), handle: () => Effect.void }
    // @ts-expect-error 'WorkflowContext' is not assignable to type 'never'
    OrderWorkflow.of({ ...handlers, updates: { ...handlers.updates, clear: writes } })
  })

  it("U2: a validator that refuses with an undeclared error", () => {
    const clear = { validate: () => new CartClosed(), handle: () => Effect.void }
    // @ts-expect-error CartClosed
    OrderWorkflow.of({ ...handlers, updates: { ...handlers.updates, clear } })
  })

  it("a body that does not end with of, where there are handlers", () => {
    // @ts-expect-error Implementation
    OrderWorkflow.toLayer(() => Effect.orDie(ChargeCard.execute({ orderId: "", amount: 1 })))
  })

  it("the implementation of another workflow", () => {
    const Other = Workflow.make("Other", { signals: { touch: {} } })
    const other = Other.of({ signals: { touch: () => Effect.void }, run: Effect.void })
    const Same = Workflow.make("Same", { signals: { touch: {} } })
    Other.toLayer(() => Effect.succeed(other))
    // @ts-expect-error Type '"Other"' is not assignable to type '"Same"'
    Same.toLayer(() => Effect.succeed(other))
  })

  it("an activity's context in a body", () => {
    // @ts-expect-error 'ActivityContext' is not assignable to type 'BodyServices'
    Nightly.toLayer(() => Activity.heartbeat())
  })
})

describe("Workflow.of", () => {
  it("payloads of handlers are inferred", () => {
    OrderWorkflow.of({
      signals: {
        approve: (given) => Effect.sync(() => expect(given).type.toBe<Approval>()),
        touch: (given) => Effect.sync(() => expect(given).type.toBe<void>())
      },
      queries: {
        status: () => Effect.succeed("paid"),
        has: (given) => Effect.sync(() => (expect(given).type.toBe<string>(), true))
      },
      updates: {
        addItem: {
          validate: (given) => Effect.sync(() => expect(given).type.toBe<Item>()),
          handle: (given) => Effect.sync(() => (expect(given).type.toBe<Item>(), []))
        },
        clear: () => Effect.void
      },
      run: handlers.run
    })
  })

  it("gathers the errors and the services of the program, its signals and updates", () => {
    expect(OrderWorkflow.of({
      ...handlers,
      signals: { ...handlers.signals, touch: () => Ping.execute() },
      updates: {
        addItem: () => Effect.as(Release.execute({ id: "", total: 1 }), []),
        clear: { handle: () => Ping.execute() }
      },
      run: ChargeCard.execute({ orderId: "", amount: 1 })
    })).type.toBe<
      Workflow.Implementation<
        "OrderWorkflow",
        Receipt,
        CardDeclined | ActivityError,
        WorkflowContext | Activity.Hosted<"Ping"> | Activity.Hosted<"Release"> | Activity.Hosted<"ChargeCard">
      >
    >()
  })

  it("kinds of which none are declared may be left out", () => {
    const Signaled = Workflow.make("Signaled", { signals: { touch: {} } })
    Signaled.of({ signals: { touch: () => Effect.void }, run: Effect.void })
    Nightly.of({ run: Effect.void })
  })
})

describe("what a body may ask", () => {
  it("is for a body only", () => {
    expect(Workflow.info).type.toBeAssignableTo<Effect.Effect<unknown, never, WorkflowContext>>()
    expect(Workflow.now).type.toBe<Effect.Effect<number, never, WorkflowContext>>()
    expect(Workflow.random).type.toBe<Effect.Effect<number, never, WorkflowContext>>()
    expect(Workflow.uuid).type.toBe<Effect.Effect<string, never, WorkflowContext>>()
    expect(Workflow.condition(() => true)).type.toBe<Effect.Effect<void, never, WorkflowContext>>()
    expect(Workflow.allHandlersFinished).type.toBe<Effect.Effect<boolean, never, WorkflowContext>>()
  })

  it("withCompensation keeps result and error, and asks for what both need", () => {
    expect(
      Workflow.withCompensation(ChargeCard.execute({ orderId: "", amount: 1 }), (receipt) => {
        expect(receipt).type.toBe<Receipt>()
        return Ping.execute()
      })
    ).type.toBe<
      Effect.Effect<
        Receipt,
        CardDeclined | ActivityError,
        WorkflowContext | Activity.Hosted<"ChargeCard"> | Activity.Hosted<"Ping">
      >
    >()
  })

  it("catchCancel gives either result, and either error", () => {
    expect(
      Workflow.catchCancel(Effect.timeout(Ping.execute(), "1 second"), (reason) => {
        expect(reason).type.toBe<string>()
        return Effect.fail(new OrderRejected())
      })
    ).type.toBe<
      Effect.Effect<
        void,
        ActivityError | Cause.TimeoutException | OrderRejected,
        WorkflowContext | Activity.Hosted<"Ping">
      >
    >()
  })
})

describe("Workflow.continueAsNew", () => {
  it("takes the payload of the workflow that it is given, and never returns (K10)", () => {
    expect(Workflow.continueAsNew(OrderWorkflow, { id: "1", total: 2 }, { delay: "1 minute" })).type.toBe<
      Effect.Effect<never, never, WorkflowContext>
    >()
    expect(Workflow.continueAsNew(Nightly)).type.toBe<Effect.Effect<never, never, WorkflowContext>>()
    expect(Workflow.continueAsNew).type.not.toBeCallableWith(OrderWorkflow, { id: "1" })
    expect(Workflow.continueAsNew).type.not.toBeCallableWith(OrderWorkflow)
    expect(Workflow.continueAsNew).type.not.toBeCallableWith(Greeting, 1)
  })

  it("what came before is read by the contract (W17)", () => {
    expect(Workflow.lastResult(OrderWorkflow)).type.toBe<
      Effect.Effect<Option.Option<Receipt>, ContractError, WorkflowContext>
    >()
    expect(Workflow.lastFailure(OrderWorkflow)).type.toBe<
      Effect.Effect<Option.Option<OrderRejected | CardDeclined | WorkflowFailure>, never, WorkflowContext>
    >()
  })
})

const state = null as unknown as State.State<number>

const handlers = {
  signals: { approve: (given: Approval) => Effect.log(given.by), touch: () => Effect.void },
  queries: { status: () => Effect.succeed("paid" as const), has: (sku: string) => Effect.succeed(sku !== "") },
  updates: { addItem: (item: Item) => Effect.succeed([item]), clear: () => Effect.void },
  run: Effect.succeed(null as unknown as Receipt)
}

const PingLive = Ping.toLayer(() => Effect.void)
const ReleaseLive = Release.toLayer(() => Effect.void)
const ChargeCardLive = ChargeCard.toLayer(({ amount }) =>
  Effect.flatMap(PaymentGateway, (gateway) => gateway.charge(amount, { idempotencyKey: "" }))
)
declare const GatewayLive: Layer.Layer<PaymentGateway>

describe("dynamic handlers", () => {
  const Any = Workflow.make("Any", {
    error: OrderRejected,
    signals: { named: { payload: Schema.Number } },
    dynamic: { signals: true, updates: true }
  })
  const named = () => Effect.void

  it("must be there for the kinds that the contract has, and for no other", () => {
    const fits = Any.of({
      signals: { named },
      dynamic: {
        signals: (name, payload) => {
          expect(name).type.toBe<string>()
          expect(payload).type.toBe<unknown>()
          return Ping.execute()
        },
        updates: (name) => Effect.succeed(name)
      },
      run: Effect.void
    })
    expect(fits).type.toBe<
      Workflow.Implementation<"Any", void, ActivityError, WorkflowContext | Activity.Hosted<"Ping">>
    >()
    // @ts-expect-error Property 'dynamic' is missing
    Any.of({ signals: { named }, run: Effect.void })
    // @ts-expect-error Property 'updates' is missing
    Any.of({ signals: { named }, dynamic: { signals: () => Effect.void }, run: Effect.void })
    Any.of({
      signals: { named },
      // @ts-expect-error not assignable to type 'never'
      dynamic: { signals: () => Effect.void, updates: () => Effect.void, queries: () => Effect.void },
      run: Effect.void
    })
    // @ts-expect-error not assignable to type 'never'
    Nightly.of({ dynamic: { signals: () => Effect.void }, run: Effect.void })
  })

  it("a workflow whose only handlers are dynamic needs `of`", () => {
    const Only = Workflow.make("Only", { dynamic: { queries: true } })
    // @ts-expect-error Implementation
    Only.toLayer(() => Effect.void)
    Only.toLayer(() => Effect.succeed(Only.of({ dynamic: { queries: () => Effect.succeed(1) }, run: Effect.void })))
  })

  it("a query reads only, an update fails as a body may", () => {
    const Asks = Workflow.make("Asks", { dynamic: { queries: true, updates: true } })
    Asks.of({
      dynamic: {
        // @ts-expect-error not assignable
        queries: () => Ping.execute(),
        updates: () => Effect.void
      },
      run: Effect.void
    })
    Asks.of({
      dynamic: {
        queries: () => Effect.void,
        // @ts-expect-error not assignable
        updates: () => new OrderRejected()
      },
      run: Effect.void
    })
  })
})

describe("Workflow.setHandlers", () => {
  const Late = Workflow.make("Late", {
    error: OrderRejected,
    signals: { go: { payload: Schema.Number }, stop: {} },
    queries: { how: { success: Schema.String } },
    updates: { ask: { payload: Schema.String, success: Schema.Number } },
    dynamic: { signals: true }
  })

  it("takes some of the handlers, and undefined", () => {
    expect(Late.setHandlers({ signals: { go: undefined }, dynamic: { signals: undefined } })).type.toBe<
      Effect.Effect<void, never, WorkflowContext>
    >()
    expect(Late.setHandlers({
      signals: {
        go: (n) => {
          expect(n).type.toBe<number>()
          return Ping.execute()
        }
      },
      queries: { how: () => Effect.succeed("well") }
    })).type.toBe<Effect.Effect<void, never, WorkflowContext | Activity.Hosted<"Ping">>>()
  })

  it("refuses what the contract does not have, and what does not fit it", () => {
    // @ts-expect-error 'slip' does not exist in type
    Late.setHandlers({ signals: { slip: () => Effect.void } })
    // @ts-expect-error not assignable
    Late.setHandlers({ queries: { how: () => Effect.succeed(1) } })
    // @ts-expect-error not assignable
    Late.setHandlers({ signals: { go: () => new CardDeclined({ reason: "" }) } })
    // @ts-expect-error not assignable
    Late.setHandlers({ dynamic: { signals: () => new CardDeclined({ reason: "" }) } })
    // @ts-expect-error 'queries' does not exist in type
    Late.setHandlers({ dynamic: { queries: () => Effect.void } })
  })

  it("Workflow.later stands for a handler in `of`, and for nothing in setHandlers", () => {
    Late.of({
      signals: { go: Workflow.later, stop: () => Effect.void },
      queries: { how: Workflow.later },
      updates: { ask: Workflow.later },
      dynamic: { signals: Workflow.later },
      run: Effect.void
    })
    // @ts-expect-error not assignable
    Late.setHandlers({ signals: { go: Workflow.later } })
  })
})

describe("memo and search attributes (W12, W13)", () => {
  const Trip = Workflow.make("Trip", {
    memo: { note: Schema.String, when: Schema.DateFromString },
    searchAttributes: { region: SearchAttribute.keyword, total: SearchAttribute.double, due: SearchAttribute.datetime }
  })

  it("have the types of the definition", () => {
    expect<Workflow.MemoOf<typeof Trip>>().type.toBe<{ readonly note: string; readonly when: Date }>()
    expect<Workflow.AttributesOf<typeof Trip>>().type.toBe<
      { readonly region: string; readonly total: number; readonly due: Date }
    >()
    expect(Workflow.memo(Trip)).type.toBe<
      Effect.Effect<{ readonly note?: string; readonly when?: Date }, never, WorkflowContext>
    >()
  })

  it("upserts take declared names of the right type, and null", () => {
    expect(Workflow.upsertMemo).type.toBeCallableWith(Trip, { note: "x", when: null })
    expect(Workflow.upsertMemo).type.not.toBeCallableWith(Trip, { note: 1 })
    expect(Workflow.upsertMemo).type.not.toBeCallableWith(Trip, { planet: "x" })
    expect(Workflow.upsertSearchAttributes).type.toBeCallableWith(Trip, { total: 1, due: new Date(0), region: null })
    expect(Workflow.upsertSearchAttributes).type.not.toBeCallableWith(Trip, { total: "1" })
    expect(Workflow.upsertSearchAttributes).type.not.toBeCallableWith(Trip, { planet: "x" })
  })

  it("starts take them, each of its type", () => {
    const start = {} as Client["Type"]["start"]
    expect(start).type.toBeCallableWith(Trip, undefined, { memo: { note: "x" }, searchAttributes: { total: 2 } })
    expect(start).type.not.toBeCallableWith(Trip, undefined, { memo: { note: 2 } })
    expect(start).type.not.toBeCallableWith(Trip, undefined, { searchAttributes: { total: "2" } })
    expect(start).type.not.toBeCallableWith(Trip, undefined, { searchAttributes: { planet: 2 } })
    // A workflow that declares none takes none.
    expect(start).type.not.toBeCallableWith(Nightly, undefined, { memo: { note: "x" } })
  })

  it("those of the run that continues it are of the definition it is given (K10)", () => {
    expect(Workflow.continueAsNew).type.toBeCallableWith(Trip, undefined, { memo: { note: "x" }, runTimeout: "1 day" })
    expect(Workflow.continueAsNew).type.not.toBeCallableWith(Trip, undefined, { memo: { note: 2 } })
    expect(Workflow.continueAsNew).type.not.toBeCallableWith(Nightly, undefined, { memo: { note: "x" } })
  })

  it("those of a child are of its definition (K1)", () => {
    expect(Trip.execute).type.toBeCallableWith(undefined, { memo: { note: "x" }, searchAttributes: { total: 2 } })
    expect(Trip.start).type.not.toBeCallableWith(undefined, { memo: { note: 2 } })
    expect(Nightly.execute).type.not.toBeCallableWith(undefined, { memo: { note: "x" } })
    expect(Nightly.execute).type.toBeCallableWith(undefined, { summary: "at night", idReuse: "RejectDuplicate" })
  })

  it("are in the description", () => {
    const handle = {} as Handle<typeof Trip>
    expect(Effect.map(handle.describe, ({ searchAttributes }) => searchAttributes.due)).type.toBe<
      Effect.Effect<Date | undefined, StoreUnavailable | WorkflowNotFound>
    >()
  })

  it("a definition takes schemas and search attributes only", () => {
    expect(Workflow.make).type.not.toBeCallableWith("T", { searchAttributes: { region: Schema.String } })
    expect(Workflow.make).type.not.toBeCallableWith("T", { memo: { note: "text" } })
  })
})
