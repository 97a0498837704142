import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Client, ContractError, FilterError, Handle, Listed, WorkflowFailure, WorkflowNotFound } from "perdure"
import { Filter, SearchAttribute, Workflow } from "perdure"
import { ApplicationError } from "perdure"
import type {
  ActivityCompletion,
  ActivityControl,
  ActivityNotFound,
  AsyncActivityCanceled,
  CallTimeout,
  Description,
  QueryFailed,
  QueryRejected,
  StoreUnavailable,
  UpdateFailed,
  UpdateHandle,
  UpdateNotFound,
  WorkflowAlreadyStarted,
  WorkflowClosed
} from "perdure"
import { describe, expect, it } from "tstyche"
import type { CardDeclined, Cart, CartClosed, OrderRejected, OrderStatus, Receipt } from "./order.js"
import { ChargeCard, Greeting, Nightly, OrderWorkflow, Ping } from "./order.js"

declare const client: typeof Client.Service
declare const handle: Handle<typeof OrderWorkflow>
const order = { id: "1", total: 42 }

describe("Client.start", () => {
  it("gives a handle of this workflow, whose run is known", () => {
    expect(client.start(OrderWorkflow, order, { workflowId: "1", taskQueue: "orders" })).type.toBe<
      Effect.Effect<
        Handle<typeof OrderWorkflow> & { readonly runId: string },
        WorkflowAlreadyStarted | ContractError | StoreUnavailable
      >
    >()
  })

  it("refuses a payload that does not fit", () => {
    client.start(Greeting, "ada")
    // @ts-expect-error number
    client.start(Greeting, 1)
    // @ts-expect-error total
    client.start(OrderWorkflow, { id: "1" })
    // @ts-expect-error Expected 2-3 arguments, but got 1.
    client.start(OrderWorkflow)
  })

  it("without a payload needs none, but takes options", () => {
    client.start(Nightly)
    client.start(Nightly, undefined, { workflowId: "tonight" })
    // @ts-expect-error string
    client.start(Nightly, "tonight")
  })
})

describe("Client.execute", () => {
  it("gives the result, or why there is none", () => {
    expect(client.execute(OrderWorkflow, order)).type.toBe<
      Effect.Effect<
        Receipt,
        | OrderRejected
        | CardDeclined
        | WorkflowAlreadyStarted
        | ContractError
        | StoreUnavailable
        | WorkflowFailure
        | WorkflowNotFound
      >
    >()
  })
})

describe("Handle", () => {
  it("is made from a workflow and an id", () => {
    expect(client.handle(OrderWorkflow, "1")).type.toBe<Handle<typeof OrderWorkflow>>()
  })

  it("result: the success, the declared errors, and the ways a run can end", () => {
    expect(handle.result).type.toBe<
      Effect.Effect<
        Receipt,
        OrderRejected | CardDeclined | WorkflowFailure | WorkflowNotFound | ContractError | StoreUnavailable
      >
    >()
  })

  it("signal: the payload by its name", () => {
    expect(handle.signal("approve", { by: "ada", approved: true })).type.toBe<
      Effect.Effect<void, WorkflowNotFound | WorkflowClosed | ContractError | StoreUnavailable>
    >()
    handle.signal("touch")
    // @ts-expect-error approved
    handle.signal("approve", { by: "ada" })
    // @ts-expect-error Expected 2-3 arguments, but got 1.
    handle.signal("approve")
    // @ts-expect-error string
    handle.signal("touch", "hard")
  })

  it("signal: not one that is not declared", () => {
    // @ts-expect-error "aprove"
    handle.signal("aprove", { by: "ada", approved: true })
    // @ts-expect-error '"status"' is not assignable to parameter of type '"approve" | "touch"'
    handle.signal("status")
    // @ts-expect-error '"approve"' is not assignable to parameter of type 'never'
    client.handle(Nightly, "1").signal("approve")
  })

  it("query: the success by its name", () => {
    expect(handle.query("status")).type.toBe<
      Effect.Effect<
        OrderStatus,
        QueryFailed | QueryRejected | WorkflowNotFound | CallTimeout | ContractError | StoreUnavailable
      >
    >()
    expect(handle.query("has", "sku-1", { timeout: "1 second" })).type.toBe<
      Effect.Effect<
        boolean,
        QueryFailed | QueryRejected | WorkflowNotFound | CallTimeout | ContractError | StoreUnavailable
      >
    >()
    // @ts-expect-error number
    handle.query("has", 1)
    // @ts-expect-error '"approve"' is not assignable to parameter of type '"status" | "has"'
    handle.query("approve")
  })

  it("update: success and error by its name", () => {
    expect(handle.update("addItem", { sku: "1" }, { updateId: "u1" })).type.toBe<
      Effect.Effect<
        Cart,
        | CartClosed
        | UpdateFailed
        | WorkflowNotFound
        | WorkflowClosed
        | CallTimeout
        | ContractError
        | StoreUnavailable
      >
    >()
    expect(handle.update("clear")).type.toBe<
      Effect.Effect<
        void,
        UpdateFailed | WorkflowNotFound | WorkflowClosed | CallTimeout | ContractError | StoreUnavailable
      >
    >()
    // @ts-expect-error sku
    handle.update("addItem", {})
    // @ts-expect-error '"status"' is not assignable to parameter of type '"addItem" | "clear"'
    handle.update("status")
  })

  it("startUpdate: a handle of success and error", () => {
    const started = handle.startUpdate("addItem", { sku: "1" })
    expect<Effect.Effect.Success<typeof started>>().type.toBe<UpdateHandle<Cart, CartClosed>>()
  })

  it("describe, cancel, terminate", () => {
    expect(handle.describe).type.toBe<
      Effect.Effect<
        & Description
        & {
          readonly memo: Workflow.Some<Workflow.MemoOf<typeof OrderWorkflow>>
          readonly searchAttributes: Workflow.Some<Workflow.AttributesOf<typeof OrderWorkflow>>
        },
        WorkflowNotFound | StoreUnavailable
      >
    >()
    expect(handle.cancel("late")).type.toBe<Effect.Effect<void, WorkflowNotFound | StoreUnavailable>>()
    expect(handle.terminate("late", { by: "ada" })).type.toBe<
      Effect.Effect<void, WorkflowNotFound | WorkflowClosed | ContractError | StoreUnavailable>
    >()
    expect(handle.delete).type.toBe<Effect.Effect<void, WorkflowNotFound | StoreUnavailable>>()
  })
})

describe("Workflow.untyped", () => {
  it("takes any message and any JSON, and gives unknown", () => {
    const order = client.handle(Workflow.untyped("OrderWorkflow"), "1")
    expect(order).type.toBe<Handle<Workflow.Untyped>>()
    expect(handle.raw).type.toBe<Handle<Workflow.Untyped>>()
    client.start(Workflow.untyped("OrderWorkflow"))
    client.start(Workflow.untyped("OrderWorkflow"), { id: "1" }, { workflowId: "1" })
    order.signal("anything")
    order.signal("anything", 1)
    expect(order.query("anything", 1)).type.toBe<
      Effect.Effect<
        unknown,
        QueryFailed | QueryRejected | WorkflowNotFound | CallTimeout | ContractError | StoreUnavailable
      >
    >()
    order.update("anything", { deep: [] }, { updateId: "1" })
  })
})

describe("Client.activity", () => {
  const charge = client.activity(ChargeCard, "token")

  it("is typed by the contract: success and error", () => {
    expect(charge).type.toBe<ActivityCompletion<Receipt, CardDeclined>>()
    expect(charge.complete).type.not.toBeCallableWith({ id: 1 })
    expect(charge.fail).type.not.toBeCallableWith(new Error("no"))
    expect(charge.fail).type.toBeCallableWith(new ApplicationError({ type: "T", message: "" }))
    expect(client.activity(Ping, { workflowId: "1", activityId: "2" }).complete).type.toBeCallableWith()
  })

  it("heartbeat tells of a cancellation by a typed error", () => {
    expect(charge.heartbeat({ row: 1 })).type.toBe<
      Effect.Effect<void, ActivityNotFound | ContractError | StoreUnavailable | AsyncActivityCanceled>
    >()
    expect(charge.reportCancellation).type.toBe<
      Effect.Effect<void, ActivityNotFound | ContractError | StoreUnavailable>
    >()
  })
})

describe("Handle.activity", () => {
  it("takes options of a call, and no cancellation type", () => {
    const control = handle.activity("charge")
    expect(control).type.toBe<ActivityControl>()
    expect(control.updateOptions).type.toBeCallableWith({ startToCloseTimeout: "1 minute", taskQueue: "cards" })
    expect(control.updateOptions).type.not.toBeCallableWith({ cancellation: "Abandon" })
    expect(control.pause()).type.toBe<
      Effect.Effect<void, ActivityNotFound | WorkflowNotFound | ContractError | StoreUnavailable>
    >()
  })
})

describe("a message that comes with a start", () => {
  it("fits the contract", () => {
    expect(
      client.signalWithStart(OrderWorkflow, order, { name: "touch" }, { workflowId: "1" })
    ).type.toBe<
      Effect.Effect<
        Handle<typeof OrderWorkflow> & { readonly runId: string },
        WorkflowAlreadyStarted | ContractError | StoreUnavailable
      >
    >()
    client.signalWithStart(OrderWorkflow, order, { name: "approve", payload: { by: "ada", approved: true } }, {})
    // @ts-expect-error Property 'payload' is missing
    client.signalWithStart(OrderWorkflow, order, { name: "approve" }, {})
    // @ts-expect-error not assignable
    client.signalWithStart(OrderWorkflow, order, { name: "slip" }, {})
    // @ts-expect-error not assignable
    client.signalWithStart(OrderWorkflow, order, { name: "touch" }, { idConflict: "Fail" })
  })

  it("an update says what becomes of an open run, and fails apart from the start", () => {
    const sent = client.updateWithStart(OrderWorkflow, order, { name: "clear" }, { idConflict: "UseExisting" })
    expect(sent).type.toBe<
      Effect.Effect<
        {
          readonly handle: Handle<typeof OrderWorkflow> & { readonly runId: string }
          readonly update: UpdateHandle<void, never>
        },
        WorkflowAlreadyStarted | ContractError | StoreUnavailable | CallTimeout
      >
    >()
    // @ts-expect-error Property 'idConflict' is missing
    client.updateWithStart(OrderWorkflow, order, { name: "clear" }, { workflowId: "1" })
    // @ts-expect-error not assignable
    client.updateWithStart(OrderWorkflow, order, { name: "clear" }, { idConflict: "TerminateExisting" })
    // @ts-expect-error Property 'payload' is missing
    client.updateWithStart(OrderWorkflow, order, { name: "addItem" }, { idConflict: "Fail" })
  })
})

describe("policies of a start", () => {
  it("are the ones there are", () => {
    client.start(Nightly, undefined, { idReuse: "RejectDuplicate", idConflict: "TerminateExisting", requestId: "1" })
    // @ts-expect-error not assignable
    client.start(Nightly, undefined, { idReuse: "Never" })
  })
})

describe("Handle.updateHandle", () => {
  it("has the types of its update, and may not find it", () => {
    expect(handle.updateHandle("addItem", "1").result).type.toBe<
      Effect.Effect<
        Cart,
        | CartClosed
        | UpdateFailed
        | UpdateNotFound
        | WorkflowNotFound
        | CallTimeout
        | ContractError
        | StoreUnavailable
      >
    >()
    // @ts-expect-error not assignable
    handle.updateHandle("slip", "1")
  })
})

describe("Filter", () => {
  const Found = Workflow.make("Found", {
    searchAttributes: {
      customer: SearchAttribute.keyword,
      amount: SearchAttribute.double,
      due: SearchAttribute.datetime,
      paid: SearchAttribute.bool,
      tags: SearchAttribute.keywordList
    }
  })

  it("compares an attribute as its type allows", () => {
    Filter.attribute(Found, "customer").startsWith("a")
    Filter.attribute(Found, "amount").lessThan(1)
    Filter.attribute(Found, "due").before(new Date())
    Filter.attribute(Found, "paid").is(true)
    Filter.attribute(Found, "tags").hasAny("a", "b")
    expect(Filter.attribute(Found, "amount")).type.not.toHaveProperty("startsWith")
    expect(Filter.attribute(Found, "due")).type.not.toHaveProperty("is")
    expect(Filter.attribute(Found, "customer").is).type.not.toBeCallableWith(1)
    expect(Filter.attribute).type.not.toBeCallableWith(Found, "nothing")
    expect(Filter.status.is).type.not.toBeCallableWith("Done")
    expect(Filter.all).type.not.toBeCallableWith()
  })

  it("is what a list takes, and so is its text", () => {
    expect(client.list(Filter.status.is("Failed"))).type.toBe<Stream.Stream<Listed, FilterError | StoreUnavailable>>()
    client.list("ExecutionStatus = 'Failed'")
    expect(client.list).type.not.toBeCallableWith(1)
  })
})
