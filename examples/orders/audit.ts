/**
 * The audit: do the books of the services and the histories of the orders tell one story? Pure: evidence in, findings
 * out. It trusts neither side; what one of them says must be found with the other.
 *
 *   order file ──▶ history ──▶ activities ──▶ entries        nothing lost, nothing stuck, nothing half done
 *   order file ◀── history ◀── activities ◀── entries        nothing done twice, nothing done unasked
 */
import type * as Effect from "effect/Effect"
import type { Description, Handle } from "perdure"
import type { Order, OrderWorkflow } from "./contract.js"
import { approvalLimit } from "./contract.js"
import type { Entry, Ledger } from "./services/ledger.js"
import type { ServiceName } from "./services/rules.js"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

export type Turn = Effect.Effect.Success<Handle<typeof OrderWorkflow>["history"]>[number]
type Event = Turn["events"][number]
type EventOf<Tag extends Event["_tag"]> = Extract<Event, { readonly _tag: Tag }>

/** What perdure says of an order's execution. */
export interface Execution {
  readonly description: Pick<Description, "runId" | "status" | "attention" | "pendingActivities">
  readonly turns: ReadonlyArray<Turn>
}

/** A signal or an update that a customer or clerk was told had arrived: it may never be lost again. */
export interface Acknowledged {
  readonly orderId: string
  readonly message: "approve" | "changeAddress"
  readonly input: unknown
}

export interface Evidence {
  readonly orders: ReadonlyArray<Order>
  /** By order id. An order without one was lost. */
  readonly executions: ReadonlyMap<string, Execution>
  readonly ledgers: Readonly<Record<ServiceName, Ledger>>
  readonly acknowledged: ReadonlyArray<Acknowledged>
}

export type Kind =
  | "lost"
  | "stuck"
  | "history"
  | "stock"
  | "charge"
  | "shipment"
  | "mail"
  | "approval"
  | "message"
  | "compensation"
  | "unasked"

export interface Finding {
  readonly kind: Kind
  readonly orderId: string
  readonly message: string
}

// -----------------------------------------------------------------------------
// the audit
// -----------------------------------------------------------------------------

/** All that does not add up; empty when everything does. */
export const audit = (evidence: Evidence): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  const books = byOrder(evidence.ledgers)
  const acknowledged = group(evidence.acknowledged)
  const known = new Set(evidence.orders.map((order) => order.id))

  for (const order of evidence.orders) {
    const find = (kind: Kind, message: string) => void findings.push({ kind, orderId: order.id, message })
    const execution = evidence.executions.get(order.id)
    if (execution === undefined) {
      find("lost", "it was accepted, and there is no execution of it")
      continue
    }
    auditOrder({
      order,
      execution,
      history: read(execution),
      book: books.get(order.id) ?? emptyBook(),
      acknowledged: acknowledged.get(order.id) ?? []
    }, find)
  }

  for (const orderId of books.keys()) {
    if (orderId !== "" && !known.has(orderId)) {
      findings.push({ kind: "unasked", orderId, message: "the services worked on an order that nobody placed" })
    }
  }
  for (const [sku, level] of levels(evidence.ledgers.stock)) {
    if (level < 0) {
      findings.push({ kind: "stock", orderId: "", message: `${sku}: ${-level} more reserved than there were` })
    }
  }
  return findings
}

/** How an order ended, in a word, by its history; undefined while it is open. */
export const outcome = (
  execution: Pick<Execution, "turns">
): { readonly shipped: boolean; readonly reason: string } | undefined => {
  const end = read(execution).ends.at(-1)
  if (end === undefined) return undefined
  if (end._tag === "ExecutionCompleted") return { shipped: true, reason: "shipped" }
  return { shipped: false, reason: end._tag === "ExecutionFailed" ? reasonOf(end.failure) : end._tag }
}

/** What a failure says: the errors of the example's contracts all have a reason. */
export const reasonOf = (failure: EventOf<"ExecutionFailed">["failure"]): string => {
  const declared = failure._tag === "Declared" ? failure.error as { readonly reason?: string } : undefined
  return declared?.reason ?? failure.message
}

// -----------------------------------------------------------------------------
// internal: one order
// -----------------------------------------------------------------------------

interface Case {
  readonly order: Order
  readonly execution: Execution
  readonly history: History
  readonly book: Book
  readonly acknowledged: ReadonlyArray<Acknowledged>
}

type Find = (kind: Kind, message: string) => void

const auditOrder = (of: Case, find: Find): void => {
  auditHistory(of, find)
  auditKeys(of, find)
  auditMessages(of, find)
  switch (of.execution.description.status) {
    case "Running": {
      const { attention, pendingActivities } = of.execution.description
      const waits = pendingActivities.map((pending) =>
        `${pending.activity} (attempt ${pending.attempt}, ${pending.state}${
          pending.lastFailure === undefined ? "" : `, ${pending.lastFailure}`
        })`
      )
      return find(
        "stuck",
        `it is still open${attention === undefined ? "" : `: ${attention.message}`}${
          waits.length === 0 ? "" : `; waits for ${waits.join(", ")}`
        }`
      )
    }
    case "Completed":
      return auditShipped(of, find)
    case "Failed":
      return auditRejected(of, find)
    case "Canceled":
    case "Terminated":
      return find("history", `it ended as ${of.execution.description.status}, which nobody asked for`)
  }
}

/** The history is whole: no gap, one beginning with the order as it was placed, one end. */
const auditHistory = ({ execution, history, order }: Case, find: Find): void => {
  const gap = execution.turns.findIndex((turn, index) => turn.turn !== index + 1)
  if (gap >= 0) find("history", `turn ${gap + 1} is missing from its history`)
  const [first] = history.events
  if (first?._tag !== "ExecutionStarted") return find("history", "its history does not begin with its start")
  if (!same(first.input, order)) find("history", "its history began with another order than the one placed")
  const { status } = execution.description
  const expected = status === "Running" ? 0 : 1
  if (history.ends.length !== expected || (expected === 1 && history.ends[0]!._tag !== `Execution${status}`)) {
    const ends = history.ends.map((end) => end._tag).join(", ")
    find("history", `it is shown as ${status}, and its history ends with ${ends === "" ? "nothing" : ends}`)
  }
}

const operationOf: Readonly<Record<string, readonly [ServiceName, string]>> = {
  ReserveStock: ["stock", "reserve"],
  ReleaseStock: ["stock", "release"],
  ChargeCard: ["payment", "charge"],
  RefundCharge: ["payment", "refund"],
  ShipOrder: ["shipping", "ship"],
  CancelShipment: ["shipping", "cancel"],
  Notify: ["mail", "send"]
}

/** Entry by entry: each was asked for by an activity of the run, and each activity that completed left its entry. */
const auditKeys = ({ book, execution, history }: Case, find: Find): void => {
  const scheduled = new Map<string, EventOf<"ActivityScheduled">>(
    history.events.flatMap((event) =>
      event._tag === "ActivityScheduled"
        ? [[`${execution.description.runId}/${event.id ?? event.seq}`, event] as const]
        : []
    )
  )
  const written = new Map<string, Array<Entry>>()
  for (const [service, entries] of Object.entries(book)) {
    for (const entry of entries) {
      const [, operation] = operationOf[scheduled.get(entry.key)?.name ?? ""] ?? []
      if (operation !== entry.operation) {
        find("unasked", `${service} has a ${entry.operation} (${entry.id}) that its history does not ask for`)
      }
      written.set(entry.key, [...written.get(entry.key) ?? [], entry])
    }
  }
  const completed = new Map(
    history.events.flatMap((event) => event._tag === "ActivityCompleted" ? [[event.seq, event] as const] : [])
  )
  for (const [key, activity] of scheduled) {
    const outcome = completed.get(activity.seq)
    if (outcome === undefined) continue
    const entries = written.get(key) ?? []
    if (entries.length !== 1) {
      find("history", `${activity.name} is completed, and left ${entries.length} entries instead of 1`)
    } else if (typeof outcome.result === "number" && outcome.result !== entries[0]!.id) {
      find("history", `${activity.name} returned ${outcome.result}, and the service wrote ${entries[0]!.id}`)
    }
  }
}

/** Whatever was acknowledged to a caller is in the history, as often as it was. */
const auditMessages = ({ acknowledged, history }: Case, find: Find): void => {
  const recorded = history.events.flatMap((event) =>
    event._tag === "SignalReceived" || event._tag === "UpdateAccepted"
      ? [{ message: event.name, input: event.input }]
      : []
  )
  for (const { input, message } of acknowledged) {
    const found = recorded.findIndex((record) => record.message === message && same(record.input, input))
    if (found >= 0) recorded.splice(found, 1)
    else find("message", `${message} was acknowledged, and is not in its history`)
  }
}

/** Reserved once, charged once, shipped once, told once; by the right amounts, and none of it taken back. */
const auditShipped = ({ book, history, order }: Case, find: Find): void => {
  const once = (kind: Kind, entries: ReadonlyArray<Entry>, operation: string, undo: string): Entry | undefined => {
    const done = entries.filter((entry) => entry.operation === operation)
    const undone = entries.filter((entry) => entry.operation === undo)
    if (done.length !== 1) find(kind, `it was shipped, with ${done.length} × ${operation} instead of 1`)
    if (undone.length !== 0) find(kind, `it was shipped, with ${undone.length} × ${undo}`)
    return done[0]
  }
  const reservation = once("stock", book.stock, "reserve", "release")
  if (reservation !== undefined && (reservation.amount !== order.quantity || reservation.note !== order.sku)) {
    find("stock", `${reservation.amount} × ${reservation.note} were reserved, not ${order.quantity} × ${order.sku}`)
  }
  const charge = once("charge", book.payment, "charge", "refund")
  if (charge !== undefined && charge.amount !== order.total) {
    find("charge", `${charge.amount} cents were charged instead of ${order.total}`)
  }
  const parcel = once("shipment", book.shipping, "ship", "cancel")
  const address = history.addresses.at(-1) ?? order.address
  if (parcel !== undefined && parcel.note !== address) {
    find("shipment", `the parcel went to ${parcel.note} instead of ${address}`)
  }
  if (book.mail.length !== 1) find("mail", `it was shipped, with ${book.mail.length} mails instead of 1`)
  if (order.total > approvalLimit && history.approvals[0] !== true) {
    find("approval", "it is above the limit and was shipped without approval")
  }
}

/** It ended by an error that its contract declares, and nothing is left of what it did. */
const auditRejected = ({ book, history }: Case, find: Find): void => {
  const end = history.ends.at(-1)
  if (end?._tag === "ExecutionFailed" && end.failure._tag !== "Declared") {
    find("history", `it failed in a way that its contract does not know: ${end.failure.message}`)
  }
  const undone = (entries: ReadonlyArray<Entry>, operation: string, undo: string): void => {
    const done = entries.filter((entry) => entry.operation === operation)
    if (done.length > 1) find("compensation", `it was rejected, with ${done.length} × ${operation}`)
    for (const entry of done) {
      const undos = entries.filter((other) => other.operation === undo && other.undoes === entry.id)
      if (undos.length === 0) find("compensation", `it was rejected, and ${operation} ${entry.id} was not undone`)
      if (undos.length > 1) find("compensation", `${operation} ${entry.id} was undone ${undos.length} times`)
      for (const { amount } of undos) {
        if (amount !== entry.amount) {
          find("compensation", `${amount} of ${entry.amount} of ${operation} ${entry.id} undone`)
        }
      }
    }
  }
  undone(book.stock, "reserve", "release")
  undone(book.payment, "charge", "refund")
  undone(book.shipping, "ship", "cancel")
  if (book.mail.length !== 1) find("mail", `it was rejected, with ${book.mail.length} mails instead of 1`)
}

// -----------------------------------------------------------------------------
// internal: reading
// -----------------------------------------------------------------------------

interface History {
  readonly events: ReadonlyArray<Event>
  readonly ends: ReadonlyArray<
    EventOf<"ExecutionCompleted" | "ExecutionFailed" | "ExecutionCanceled" | "ExecutionTerminated">
  >
  /** Decisions, in the order in which they came; the first one counts. */
  readonly approvals: ReadonlyArray<boolean>
  /** Changes of address that took effect, in order. */
  readonly addresses: ReadonlyArray<string>
}

const read = ({ turns }: Pick<Execution, "turns">): History => {
  const events = turns.flatMap((turn) => turn.events)
  const accepted = new Map<string, string>()
  const ends: Array<History["ends"][number]> = []
  const approvals: Array<boolean> = []
  const addresses: Array<string> = []
  for (const event of events) {
    switch (event._tag) {
      case "ExecutionCompleted":
      case "ExecutionFailed":
      case "ExecutionCanceled":
      case "ExecutionTerminated":
        ends.push(event)
        break
      case "SignalReceived":
        approvals.push((event.input as { readonly approved: boolean }).approved)
        break
      case "UpdateAccepted":
        accepted.set(event.id, (event.input as { readonly address: string }).address)
        break
      case "UpdateCompleted":
        addresses.push(accepted.get(event.id) ?? "an address that no update asked for")
        break
      default:
    }
  }
  return { events, ends, approvals, addresses }
}

type Book = Record<ServiceName, Array<Entry>>

const emptyBook = (): Book => ({ stock: [], payment: [], shipping: [], mail: [] })

const byOrder = (ledgers: Evidence["ledgers"]): Map<string, Book> => {
  const books = new Map<string, Book>()
  for (const service of ["stock", "payment", "shipping", "mail"] as const) {
    for (const entry of ledgers[service].entries) {
      const book = books.get(entry.orderId) ?? emptyBook()
      book[service].push(entry)
      books.set(entry.orderId, book)
    }
  }
  return books
}

const levels = (stock: Ledger): Map<string, number> => {
  const levels = new Map<string, number>()
  for (const { amount, note, operation } of stock.entries) {
    levels.set(note, (levels.get(note) ?? 0) + (operation === "reserve" ? -amount : amount))
  }
  return levels
}

const group = (acknowledged: ReadonlyArray<Acknowledged>): Map<string, Array<Acknowledged>> => {
  const groups = new Map<string, Array<Acknowledged>>()
  for (const one of acknowledged) groups.set(one.orderId, [...groups.get(one.orderId) ?? [], one])
  return groups
}

/** Equal as JSON, whatever the order of the fields. */
const same = (a: unknown, b: unknown): boolean => sorted(a) === sorted(b)
const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1))
      : inner)
