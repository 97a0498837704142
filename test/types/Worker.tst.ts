import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Activity, type Client, SlotSupplier, type Versioning, Worker, type WorkerConfigError, Workflow } from "perdure"
import { Threads } from "perdure/threads"
import { describe, expect, it } from "tstyche"
import type { Store, StoreError } from "../../src/persistence/Store.js"
import { ChargeCard, Nightly, PaymentGateway, Ping } from "./order.js"

const NightlyLive = Nightly.toLayer(() =>
  Effect.zipRight(Ping.execute(), Effect.asVoid(Effect.ignore(ChargeCard.execute({ orderId: "1", amount: 1 }))))
)
const PingLive = Ping.toLayer(() => Effect.void)
const ChargeCardLive = ChargeCard.toLayer(({ amount }) =>
  Effect.flatMap(PaymentGateway, (gateway) => gateway.charge(amount, { idempotencyKey: "" }))
)
declare const StoreLive: Layer.Layer<Store>
declare const GatewayLive: Layer.Layer<PaymentGateway>

describe("Worker.layer", () => {
  it("gives a Client, and asks for a Store and the services of its hosts", () => {
    expect(Worker.layer({ hosts: [NightlyLive, PingLive, ChargeCardLive] })).type.toBe<
      Layer.Layer<Client, StoreError | WorkerConfigError, Store | PaymentGateway>
    >()
    expect(Worker.layer({ hosts: [PingLive] })).type.toBe<Layer.Layer<Client, StoreError | WorkerConfigError, Store>>()
  })

  it("asks for the activities that a body calls and no host provides", () => {
    expect(Worker.layer({ hosts: [NightlyLive, PingLive] })).type.toBe<
      Layer.Layer<Client, StoreError | WorkerConfigError, Store | Activity.Hosted<"ChargeCard">>
    >()
    expect(Worker.layer({ hosts: [NightlyLive] })).type.toBe<
      Layer.Layer<
        Client,
        StoreError | WorkerConfigError,
        Store | Activity.Hosted<"ChargeCard"> | Activity.Hosted<"Ping">
      >
    >()
  })

  it("with all hosts and services it runs", () => {
    const live = Layer.provide(Worker.layer({ hosts: [NightlyLive, PingLive, ChargeCardLive] }), [
      StoreLive,
      GatewayLive
    ])
    Effect.runFork(Layer.launch(live))
  })

  it("without a host that is needed it does not compile", () => {
    const live = Layer.provide(Worker.layer({ hosts: [NightlyLive, PingLive] }), [StoreLive, GatewayLive])
    // @ts-expect-error 'Hosted<"ChargeCard">' is not assignable to type 'never'
    Effect.runFork(Layer.launch(live))
  })

  it("a host's own failure to start is the worker's", () => {
    const failing = Layer.provide(PingLive, Layer.fail("no gateway"))
    expect(Worker.layer({ hosts: [failing] })).type.toBe<
      Layer.Layer<Client, StoreError | WorkerConfigError | string, Store>
    >()
  })
})

describe("dynamic hosts", () => {
  it("a dynamic activity hosts any name", () => {
    const any = Activity.dynamic((payload) => {
      expect(payload).type.toBe<unknown>()
      return Effect.succeed(1)
    })
    expect(Worker.layer({ hosts: [NightlyLive, any] })).type.toBe<
      Layer.Layer<Client, StoreError | WorkerConfigError, Store>
    >()
    expect(Activity.dynamic(() => Effect.flatMap(PaymentGateway, () => Effect.void))).type.toBe<
      Layer.Layer<Activity.Hosted<string>, never, PaymentGateway>
    >()
    expect(Activity.dynamic).type.not.toBeCallableWith(() => Effect.fail("no"))
  })

  it("a dynamic workflow is no contract to start, and asks for what its body calls", () => {
    expect(Workflow.dynamic(() => Ping.execute())).type.toBe<
      Layer.Layer<Workflow.HostedWorkflow<string>, never, Activity.Hosted<"Ping">>
    >()
    expect<typeof Workflow.dynamic>().type.not.toBeAssignableTo<Workflow.Any>()
    expect(Workflow.dynamic).type.not.toBeCallableWith(() => Effect.flatMap(PaymentGateway, () => Effect.void))
  })
})

describe("Threads.toLayer", () => {
  it("hosts the activity, and asks for nothing here", () => {
    expect(Threads.toLayer(Ping, { module: new URL("file:///ping.js") })).type.toBe<
      Layer.Layer<Activity.Hosted<"Ping">>
    >()
    expect(Threads.serve).type.toBeCallableWith(PingLive)
    expect(Threads.serve).type.not.toBeCallableWith(ChargeCardLive)
  })
})

describe("versions of workers (V6)", () => {
  it("a version names deployment and build, and behaviours are two", () => {
    const hosts = [PingLive] as const
    expect(Worker.layer).type.toBeCallableWith({
      hosts,
      version: { deployment: "shop", buildId: "1", defaultBehavior: "Pinned" }
    })
    expect(Worker.layer).type.not.toBeCallableWith({ hosts, version: { buildId: "1" } })
    expect(Worker.layer).type.not.toBeCallableWith({
      hosts,
      version: { deployment: "shop", buildId: "1", defaultBehavior: "Sticky" }
    })
    expect(Workflow.make).type.toBeCallableWith("W", { versioningBehavior: "AutoUpgrade" })
    expect(Workflow.make).type.not.toBeCallableWith("W", { versioningBehavior: "Moving" })
  })

  it("a start and an operator pin to a version, or let it move", () => {
    expect<Versioning>().type.toBeAssignableFrom("AutoUpgrade" as const)
    expect<Versioning>().type.toBeAssignableFrom({ pinned: { deployment: "shop", buildId: "1" } })
    expect<Versioning>().type.not.toBeAssignableFrom({ pinned: "1" })
    expect<Versioning>().type.not.toBeAssignableFrom("Pinned" as const)
  })
})

describe("slots (N3)", () => {
  it("are numbers, or come from a tuner, and not both", () => {
    const hosts = [PingLive] as const
    const tuner = { activities: SlotSupplier.fixed(1), steps: SlotSupplier.resourceBased() }
    expect(Worker.layer).type.toBeCallableWith({ hosts, maxConcurrentActivities: 1, maxConcurrentSteps: 1 })
    expect(Worker.layer).type.toBeCallableWith({ hosts, tuner })
    expect(Worker.layer).type.not.toBeCallableWith({ hosts, tuner, maxConcurrentActivities: 1 })
    expect(Worker.layer).type.not.toBeCallableWith({ hosts, tuner, maxConcurrentSteps: 1 })
    expect(Worker.layer).type.not.toBeCallableWith({ hosts, tuner: { activities: { available: Effect.succeed(1) } } })
  })
})
