/** The contract of DESIGN.md section 4, for the type tests. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Workflow } from "perdure"

export class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { reason: Schema.String }) {}
export class OrderRejected extends Schema.TaggedError<OrderRejected>()("OrderRejected", {}) {}
export class CartClosed extends Schema.TaggedError<CartClosed>()("CartClosed", {}) {}

export const Receipt = Schema.Struct({ id: Schema.String, paidAt: Schema.Date })
export type Receipt = typeof Receipt.Type
export const Order = Schema.Struct({ id: Schema.String, total: Schema.Number })
export type Order = typeof Order.Type
export const Approval = Schema.Struct({ by: Schema.String, approved: Schema.Boolean })
export type Approval = typeof Approval.Type
export const OrderStatus = Schema.Literal("pending", "paid")
export type OrderStatus = typeof OrderStatus.Type
export const Item = Schema.Struct({ sku: Schema.String })
export type Item = typeof Item.Type
export const Cart = Schema.Array(Item)
export type Cart = typeof Cart.Type

export const ChargeCard = Activity.make("ChargeCard", {
  payload: { orderId: Schema.String, amount: Schema.Number },
  success: Receipt,
  error: CardDeclined,
  startToCloseTimeout: "30 seconds",
  retry: { maximumAttempts: 5, nonRetryable: ["CardDeclined"] }
})

export const Release = Activity.make("Release", { payload: Order, startToCloseTimeout: "30 seconds" })

export const Ping = Activity.make("Ping", { startToCloseTimeout: "1 second" })

export const OrderWorkflow = Workflow.make("OrderWorkflow", {
  payload: Order,
  success: Receipt,
  error: Schema.Union(OrderRejected, CardDeclined),
  signals: { approve: { payload: Approval }, touch: {} },
  queries: { status: { success: OrderStatus }, has: { payload: Schema.String, success: Schema.Boolean } },
  updates: { addItem: { payload: Item, success: Cart, error: CartClosed }, clear: {} }
})

export const Greeting = Workflow.make("Greeting", { payload: Schema.String, success: Schema.String })

export const Nightly = Workflow.make("Nightly")

/** A service that does I/O. */
export class PaymentGateway extends Context.Tag("PaymentGateway")<PaymentGateway, {
  readonly charge: (
    amount: number,
    options: { readonly idempotencyKey: string }
  ) => Effect.Effect<Receipt, CardDeclined>
}>() {}
