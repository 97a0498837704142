/**
 * The order example under every crash, and with bugs that its author might have made: each is found, and the message says
 * where to look.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { State, Workflow } from "perdure"
import { Durable } from "perdure/testing"
import type { Approval, Order, OrderStatus } from "../../../examples/orders/contract.js"
import * as Contract from "../../../examples/orders/contract.js"
import { OrderWorkflowLive } from "../../../examples/orders/workflow.js"
import * as Orders from "./Orders.js"
import { Ledger } from "./Orders.js"

const durable = Durable.withRunner((name, run, millis) => it(name, run, millis))

describe("the order workflow", () => {
  durable("is right with services that answer anything, under all crashes", Contract.OrderWorkflow, {
    hosts: () => [OrderWorkflowLive],
    activities: Orders.activities,
    input: Orders.order,
    compensations: Orders.compensations,
    report: ({ crashPoints, missing }) => {
      assert.isAbove(crashPoints.of, 120)
      assert.strictEqual(crashPoints.tried, crashPoints.of)
      // How an order can end, and what clients and services can say: all of it was tried.
      assert.deepStrictEqual(missing, [])
    }
  })

  durable("leaves services in order that do their work once for each key, under all crashes", Contract.OrderWorkflow, {
    world: () => new Ledger(),
    hosts: (ledger) => [OrderWorkflowLive, ...Orders.services(ledger)],
    input: Orders.order,
    observe: (ledger) => ledger.balance,
    // A cancel request may come between a step and its undo, in one order and not in another.
    cancels: false,
    holds: ({ completed, outcome, world }) => {
      const { charged, parcels, reserved } = world.balance
      const all = outcome._tag === "Completed" ? 1 : 0
      assert.deepStrictEqual({ charged, parcels, reserved }, { charged: all, parcels: all, reserved: all })
      assert.strictEqual(completed("Notify"), 1)
    }
  })
})

describe("a bug is found and explained:", () => {
  const surroundings = {
    world: () => new Ledger(),
    input: Orders.order,
    shrinkMillis: 1_500,
    cancels: false,
    observe: (ledger: Ledger) => ledger.balance
  }

  it.live("an activity that is not idempotent", () =>
    Effect.gen(function*() {
      const ChargeTwice = (ledger: Ledger) =>
        Contract.ChargeCard.toLayer(() => Effect.sync(() => ledger.charged.push(ledger.charged.length + 1)))
      const { detail, kind, message } = yield* Effect.flip(Durable.check(Contract.OrderWorkflow, {
        ...surroundings,
        hosts: (ledger) => [
          OrderWorkflowLive,
          Orders.StockLive(ledger),
          Orders.ReleaseLive(ledger),
          ChargeTwice(ledger),
          Orders.RefundLive(ledger),
          Orders.ShipLive(ledger),
          Orders.CancelShipmentLive(ledger),
          Orders.NotifyLive(ledger)
        ],
        holds: ({ outcome, world }) =>
          assert.strictEqual(world.balance.charged, outcome._tag === "Completed" ? 1 : 0, "charged and not refunded")
      }))
      assert.strictEqual(kind, "Holds")
      assert.include(detail, "charged and not refunded")
      // The plan that shows it: done, and tried again.
      assert.match(message, /answers +ChargeCard, call 1:.* its answer is lost|process is killed/)
      assert.match(message, /again: \{ seed: 1, path: ".*" \}/)
    }), 60_000)

  it.live("an activity that is not idempotent, by the outcome alone", () =>
    Effect.gen(function*() {
      const { kind, message } = yield* Effect.flip(Durable.check(Contract.OrderWorkflow, {
        world: () => ({ reservations: 0 }),
        // Its number is part of the result.
        hosts: (world) => [
          OrderWorkflowLive,
          Contract.ReserveStock.toLayer(() => Effect.sync(() => ++world.reservations))
        ],
        activities: Orders.activities,
        input: Orders.order,
        cancels: false,
        shrinkMillis: 1_500
      }))
      assert.include(["Outcome", "World"], kind)
      assert.include(message, "without the crash")
      assert.include(message, "the process is killed")
    }), 60_000)

  it.live("a compensation that is missing", () =>
    Effect.gen(function*() {
      const { kind, message } = yield* Effect.flip(Durable.check(Contract.OrderWorkflow, {
        hosts: () => [Unrefunded],
        activities: Orders.activities,
        input: Orders.order,
        compensations: Orders.compensations,
        shrinkMillis: 1_500
      }))
      assert.strictEqual(kind, "Compensation")
      assert.match(
        message,
        /ChargeCard was done once, the run ended as (Failed|Canceled), and RefundCharge was done never/
      )
      assert.include(message, "├✓ ChargeCard")
    }), 60_000)

  it.live("a race on a signal: one that comes early is dropped", () =>
    Effect.gen(function*() {
      const { kind, message } = yield* Effect.flip(Durable.check(Contract.OrderWorkflow, {
        hosts: () => [Hasty],
        activities: Orders.activities,
        input: Orders.order,
        runs: 40,
        shrinkMillis: 1_500,
        holds: ({ outcome, received }) => {
          const first = received("approve")[0]
          if (outcome._tag !== "Failed" || !(outcome.error instanceof Contract.OrderRejected)) return
          if (outcome.error.reason === "nobody approved it in time") {
            assert.isUndefined(first, "an answer had come, and the order says that none did")
          }
        }
      }))
      assert.strictEqual(kind, "Holds")
      assert.include(message, "an answer had come")
      assert.include(message, "◀ signal approve")
    }), 60_000)

  it.live("the clock of the machine in a body", () =>
    Effect.gen(function*() {
      const { kind, message } = yield* Effect.flip(Durable.check(Contract.OrderWorkflow, {
        hosts: () => [Clocked],
        activities: Orders.activities,
        input: Orders.order,
        shrinkMillis: 500
      }))
      assert.include(["Nondeterminism", "TurnFailed"], kind)
      assert.match(message, /recorded: +activity Notify #1 with .*\n +attempted: +activity Notify #1 with /)
      assert.include(message, "orders.test.ts:")
    }), 60_000)

  it.live("two activities whose order depends on what was in memory", () =>
    Effect.gen(function*() {
      const { kind, message } = yield* Effect.flip(Durable.check(Contract.OrderWorkflow, {
        hosts: () => [Reordered],
        activities: Orders.activities,
        input: Orders.order,
        shrinkMillis: 500
      }))
      assert.include(["Nondeterminism", "TurnFailed"], kind)
      assert.match(message, /recorded: +activity (ReserveStock|Notify) #1/)
      assert.match(message, /attempted: +activity (ReserveStock|Notify) #1/)
      assert.include(message, "orders.test.ts:")
    }), 60_000)
})

// -----------------------------------------------------------------------------
// bodies with a bug
// -----------------------------------------------------------------------------

const none = {
  signals: { approve: () => Effect.void },
  queries: { status: () => Effect.succeed("placed" as const) },
  updates: { changeAddress: () => Effect.succeed("placed" as const) }
}

const reserve = (order: Order) =>
  Contract.ReserveStock.execute({ orderId: order.id, sku: order.sku, quantity: order.quantity })
const notify = (order: Order, text: string) => Contract.Notify.execute({ orderId: order.id, email: order.email, text })
const ship = (order: Order) => Contract.ShipOrder.execute({ orderId: order.id, address: order.address })

/** Forgets to give the money back. */
const Unrefunded = Contract.OrderWorkflow.toLayer((order) =>
  Effect.succeed(Contract.OrderWorkflow.of({
    ...none,
    run: Effect.gen(function*() {
      const orderId = order.id
      const reservation = yield* Workflow.withCompensation(
        reserve(order),
        (reservation) => Contract.ReleaseStock.execute({ orderId, reservation })
      )
      const charge = yield* Contract.ChargeCard.execute({ orderId, amount: order.total })
      yield* Workflow.withCompensation(Effect.void, () => Contract.CancelShipment.execute({ orderId }))
      const parcel = yield* ship(order)
      return { reservation, charge, parcel }
    })
  }))
)

/** Listens to the answer only while it waits for it. */
const Hasty = Contract.OrderWorkflow.toLayer(Effect.fn(function*(order) {
  const status = yield* State.make<OrderStatus>("placed")
  const approval = yield* Deferred.make<Approval>()
  return Contract.OrderWorkflow.of({
    ...none,
    signals: {
      approve: (decision) =>
        Effect.flatMap(
          status.get,
          (now) => now === "awaiting approval" ? Deferred.succeed(approval, decision) : Effect.void
        )
    },
    run: Effect.gen(function*() {
      const reservation = yield* reserve(order)
      yield* status.set("awaiting approval")
      const decision = yield* Effect.timeoutOption(Deferred.await(approval), Contract.approvalPatience)
      if (Option.isNone(decision)) return yield* new Contract.OrderRejected({ reason: "nobody approved it in time" })
      return { reservation, charge: 1, parcel: yield* ship(order) }
    })
  })
}))

/** Taken before perdure can put the time of the turn in its place. */
const machineTime = Date.now

const Clocked = Contract.OrderWorkflow.toLayer((order) =>
  Effect.succeed(Contract.OrderWorkflow.of({
    ...none,
    run: Effect.gen(function*() {
      yield* notify(order, `placed at ${machineTime() + performance.now()}`)
      return { reservation: 1, charge: 1, parcel: 1 }
    })
  }))
)

let count = 0

const Reordered = Contract.OrderWorkflow.toLayer((order) =>
  Effect.succeed(Contract.OrderWorkflow.of({
    ...none,
    run: Effect.gen(function*() {
      // As a cache that is warm in one process, and cold in the next.
      const warm = yield* Effect.sync(() => count++ % 2 === 0)
      const both = [Effect.asVoid(reserve(order)), notify(order, "thank you")]
      yield* Effect.all(warm ? both : both.reverse())
      return { reservation: 1, charge: 1, parcel: 1 }
    })
  }))
)
