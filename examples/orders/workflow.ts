/**
 * The life of an order: an ordinary program, which perdure brings back after any crash, at the step where it was.
 *
 *   approval (above a limit) ──▶ reserve stock ──▶ charge ──▶ ship ──▶ notify
 *                                     │               │         │
 *                         on failure: release  ◀── refund ◀── cancel
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { State, Workflow } from "perdure"
import type { Approval, OrderStatus } from "./contract.js"
import * as Contract from "./contract.js"

export const OrderWorkflowLive = Contract.OrderWorkflow.toLayer(Effect.fn(function*(order) {
  const status = yield* State.make<OrderStatus>("placed")
  const address = yield* State.make(order.address)
  const approval = yield* Deferred.make<Approval>()
  const orderId = order.id

  // A durable wait: the timer and the signal both survive the process that waits for them.
  const approve = Effect.gen(function*() {
    yield* status.set("awaiting approval")
    const decision = yield* Deferred.await(approval).pipe(Effect.timeoutOption(Contract.approvalPatience))
    if (Option.isNone(decision)) return yield* new Contract.OrderRejected({ reason: "nobody approved it in time" })
    const { approved, by } = decision.value
    if (!approved) return yield* new Contract.OrderRejected({ reason: `turned down by ${by}` })
  })

  const fulfil = Effect.gen(function*() {
    if (order.total > Contract.approvalLimit) yield* approve

    // Each step says how to undo it. Should a later one fail for good, the undo steps run in reverse order.
    const reservation = yield* Workflow.withCompensation(
      Contract.ReserveStock.execute({ orderId, sku: order.sku, quantity: order.quantity }),
      (reservation) => Contract.ReleaseStock.execute({ orderId, reservation })
    )
    yield* status.set("reserved")

    const charge = yield* Workflow.withCompensation(
      Contract.ChargeCard.execute({ orderId, amount: order.total }),
      (charge) => Contract.RefundCharge.execute({ orderId, charge })
    )
    yield* status.set("paid")

    // We give the carrier up after four attempts, and then do not know whether one of them got through. So this undo is
    // registered ahead of the step: it applies whether the parcel left or not.
    yield* Workflow.withCompensation(Effect.void, () => Contract.CancelShipment.execute({ orderId }))
    yield* status.set("shipping")
    const parcel = yield* Contract.ShipOrder.execute({ orderId, address: yield* address.get }).pipe(
      Effect.catchTag("ActivityError", () => new Contract.NotShippable({ reason: "the carrier can not be reached" }))
    )
    yield* status.set("shipped")

    return { reservation, charge, parcel }
  })

  const notify = (text: string) => Contract.Notify.execute({ orderId, email: order.email, text })

  return Contract.OrderWorkflow.of({
    signals: { approve: (decision) => Deferred.succeed(approval, decision) },
    queries: { status: () => status.get },
    updates: {
      changeAddress: {
        // Asked before anything is recorded: a refused update leaves no trace.
        validate: () =>
          Effect.filterOrFail(
            status.get,
            (now) => now !== "shipping" && now !== "shipped",
            (now) => new Contract.TooLate({ status: now })
          ),
        handle: (change) => Effect.zipRight(address.set(change.address), status.get)
      }
    },
    run: fulfil.pipe(
      Effect.tap(() => notify("Your order is on its way.")),
      Effect.tapError(() => notify("We are sorry: your order can not be delivered."))
    )
  })
}))
