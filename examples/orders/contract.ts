/**
 * What the order example talks about: schemas and contracts, no behaviour. Whoever starts orders, and whoever works on
 * them, share this file and nothing else.
 */
import * as Schema from "effect/Schema"
import { Activity, Workflow } from "perdure"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/** Money is integer cents throughout. */
export const Cents = Schema.Int.pipe(Schema.positive())

export const Order = Schema.Struct({
  id: Schema.NonEmptyString,
  customer: Schema.NonEmptyString,
  email: Schema.NonEmptyString,
  address: Schema.NonEmptyString,
  sku: Schema.NonEmptyString,
  quantity: Schema.Int.pipe(Schema.positive()),
  total: Cents
})
export type Order = typeof Order.Type

export const Approval = Schema.Struct({ by: Schema.String, approved: Schema.Boolean })
export type Approval = typeof Approval.Type

export const OrderStatus = Schema.Literal("placed", "awaiting approval", "reserved", "paid", "shipping", "shipped")
export type OrderStatus = typeof OrderStatus.Type

/** The numbers that the services gave: the stock's reservation, the bank's charge, the carrier's parcel. */
export const Fulfilled = Schema.Struct({ reservation: Schema.Number, charge: Schema.Number, parcel: Schema.Number })
export type Fulfilled = typeof Fulfilled.Type

/** Orders above this need somebody's approval ... */
export const approvalLimit: number = 1_000_00
/** ... and wait for it this long. A shop would wait for days; a demo has two minutes. */
export const approvalPatience = "8 seconds"

// -----------------------------------------------------------------------------
// errors: the ways in which an order may end other than well
// -----------------------------------------------------------------------------

export class OrderRejected extends Schema.TaggedError<OrderRejected>()("OrderRejected", { reason: Schema.String }) {}
export class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", { reason: Schema.String }) {}
export class CardDeclined extends Schema.TaggedError<CardDeclined>()("CardDeclined", { reason: Schema.String }) {}
export class NotShippable extends Schema.TaggedError<NotShippable>()("NotShippable", { reason: Schema.String }) {}

/** The parcel is with the carrier: its address can not be changed any more. */
export class TooLate extends Schema.TaggedError<TooLate>()("TooLate", { status: OrderStatus }) {}

// -----------------------------------------------------------------------------
// activities
// -----------------------------------------------------------------------------

// The services of this example answer within milliseconds or not at all, so an attempt is given up early.
// Attempts have no limit where nothing else is said: a service that is down delays an order and does not lose it.
const patient = {
  startToCloseTimeout: "1 second",
  retry: { initialInterval: "100 millis", maximumInterval: "1 second" }
} as const

export const ReserveStock = Activity.make("ReserveStock", {
  payload: { orderId: Schema.String, sku: Schema.String, quantity: Schema.Number },
  success: Schema.Number,
  error: OutOfStock,
  ...patient,
  retry: { ...patient.retry, nonRetryable: ["OutOfStock"] }
})

export const ReleaseStock = Activity.make("ReleaseStock", {
  payload: { orderId: Schema.String, reservation: Schema.Number },
  ...patient
})

export const ChargeCard = Activity.make("ChargeCard", {
  payload: { orderId: Schema.String, amount: Cents },
  success: Schema.Number,
  error: CardDeclined,
  ...patient,
  retry: { ...patient.retry, nonRetryable: ["CardDeclined"] }
})

export const RefundCharge = Activity.make("RefundCharge", {
  payload: { orderId: Schema.String, charge: Schema.Number },
  ...patient
})

export const ShipOrder = Activity.make("ShipOrder", {
  payload: { orderId: Schema.String, address: Schema.String },
  success: Schema.Number,
  error: NotShippable,
  ...patient,
  retry: { ...patient.retry, maximumAttempts: 4, nonRetryable: ["NotShippable"] }
})

export const CancelShipment = Activity.make("CancelShipment", {
  payload: { orderId: Schema.String },
  ...patient
})

export const Notify = Activity.make("Notify", {
  payload: { orderId: Schema.String, email: Schema.String, text: Schema.String },
  ...patient
})

// -----------------------------------------------------------------------------
// workflow
// -----------------------------------------------------------------------------

/** Whose workers run the orders. */
export const taskQueue = "orders"

export const OrderWorkflow = Workflow.make("OrderWorkflow", {
  payload: Order,
  success: Fulfilled,
  error: Schema.Union(OrderRejected, OutOfStock, CardDeclined, NotShippable),
  signals: { approve: { payload: Approval } },
  queries: { status: { success: OrderStatus } },
  updates: { changeAddress: { payload: { address: Schema.String }, success: OrderStatus, error: TooLate } },
  idempotencyKey: (order) => order.id
})
