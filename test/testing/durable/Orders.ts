/**
 * The order example's surroundings for tests: services in memory, which honour the idempotency key as real ones do, and
 * orders worth testing.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { Activity } from "perdure"
import * as Contract from "../../../examples/orders/contract.js"

/** What the services hold. */
export class Ledger {
  private readonly done = new Map<string, number>()
  readonly reserved = new Set<number>()
  readonly charged: Array<number> = []
  readonly refunded: Array<number> = []
  readonly parcels = new Set<string>()
  readonly mails: Array<string> = []

  /** Does a thing once for each key, and gives its number. */
  once(key: string, act: (id: number) => void): number {
    const known = this.done.get(key)
    if (known !== undefined) return known
    const id = this.done.size + 1
    this.done.set(key, id)
    act(id)
    return id
  }

  /** What has become of stock, money, parcels and mails. */
  get balance() {
    const { charged, mails, parcels, refunded, reserved } = this
    return { reserved: reserved.size, charged: charged.length - refunded.length, parcels: parcels.size, mails }
  }
}

/** Does a thing once, however often the attempt is made. */
export const once = (ledger: Ledger, act: (id: number) => void) =>
  Effect.map(Activity.info, ({ idempotencyKey }) => ledger.once(idempotencyKey, act))

export const StockLive = (ledger: Ledger) =>
  Contract.ReserveStock.toLayer(() => once(ledger, (id) => ledger.reserved.add(id)))

export const ReleaseLive = (ledger: Ledger) =>
  Contract.ReleaseStock.toLayer(({ reservation }) => once(ledger, () => ledger.reserved.delete(reservation)))

export const ChargeLive = (ledger: Ledger) =>
  Contract.ChargeCard.toLayer(() => once(ledger, (id) => ledger.charged.push(id)))

export const RefundLive = (ledger: Ledger) =>
  Contract.RefundCharge.toLayer(({ charge }) => Effect.asVoid(once(ledger, () => ledger.refunded.push(charge))))

export const ShipLive = (ledger: Ledger) =>
  Contract.ShipOrder.toLayer(({ address, orderId }) =>
    address.startsWith("nowhere")
      ? new Contract.NotShippable({ reason: "no such place" })
      : once(ledger, () => ledger.parcels.add(orderId))
  )

export const CancelShipmentLive = (ledger: Ledger) =>
  Contract.CancelShipment.toLayer(({ orderId }) => Effect.asVoid(once(ledger, () => ledger.parcels.delete(orderId))))

export const NotifyLive = (ledger: Ledger) =>
  Contract.Notify.toLayer(({ text }) => Effect.asVoid(once(ledger, () => ledger.mails.push(text))))

/** All services of a shop. */
export const services = (ledger: Ledger) =>
  [
    StockLive(ledger),
    ReleaseLive(ledger),
    ChargeLive(ledger),
    RefundLive(ledger),
    ShipLive(ledger),
    CancelShipmentLive(ledger),
    NotifyLive(ledger)
  ] as const

/** All activities, to be answered from their schemas. */
export const activities = [
  Contract.ReserveStock,
  Contract.ReleaseStock,
  Contract.ChargeCard,
  Contract.RefundCharge,
  Contract.ShipOrder,
  Contract.CancelShipment,
  Contract.Notify
] as const

/** Orders below and above the limit of approval, to places that exist and to others. */
export const order: FastCheck.Arbitrary<Contract.Order> = FastCheck.tuple(
  Arbitrary.make(Contract.Order),
  FastCheck.constantFrom(1_00, 2_000_00),
  FastCheck.constantFrom("1 Main Street", "nowhere")
).map(([order, total, address]) => ({ ...order, total, address }))

/** What is done, and what undoes it. A shipment whose answer never came may have left all the same. */
export const compensations = [
  { of: Contract.ReserveStock, by: Contract.ReleaseStock },
  { of: Contract.ChargeCard, by: Contract.RefundCharge },
  { of: Contract.ShipOrder, by: Contract.CancelShipment, inDoubt: true }
] as const
