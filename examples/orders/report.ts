/**
 * The summary that the demo ends with. Pure: evidence in, lines out.
 */
import type { Evidence, Finding } from "./audit.js"
import { outcome } from "./audit.js"
import type { Malformed } from "./csv.js"
import type { Progress } from "./customers.js"
import type { Kill } from "./timeline.js"

export interface Run {
  readonly evidence: Evidence
  readonly findings: ReadonlyArray<Finding>
  readonly malformed: ReadonlyArray<Malformed>
  readonly kills: ReadonlyArray<Kill>
  readonly progress: Progress
  readonly millis: number
}

/** The table. */
export const summary = ({ evidence, findings, kills, malformed, millis, progress }: Run): ReadonlyArray<string> => {
  const { stock, payment, shipping, mail } = evidence.ledgers
  const endings = tally(
    [...evidence.executions.values()].map((execution) => outcome(execution)?.reason ?? "still open")
  )
  const rejections = [
    ...tally(
      [...endings].flatMap(([reason, count]) => reason === "shipped" ? [] : Array<string>(count).fill(kindOf(reason)))
    )
  ]
  const turns = [...evidence.executions.values()].reduce((sum, { turns }) => sum + turns.length, 0)
  const requests = [stock, payment, shipping, mail].flatMap((ledger) => ledger.requests)
  const mishaps = tally(requests.flatMap(({ mishap }) => mishap === "" ? [] : [mishap]))
  const booked = (ledger: Evidence["ledgers"]["stock"], operation: string) =>
    ledger.entries.filter((entry) => entry.operation === operation)
  const money = (operation: string) => {
    const entries = booked(payment, operation)
    const cents = entries.reduce((sum, entry) => sum + entry.amount, 0)
    return [String(entries.length), (cents / 100).toFixed(2)] as const
  }
  const signals = progress.acknowledged.filter(({ message }) => message === "approve").length

  return table([
    ["orders accepted", String(evidence.orders.length), `${malformed.length} malformed lines left out`],
    ["  shipped", String(endings.get("shipped") ?? 0)],
    ...rejections.sort(([, a], [, b]) => b - a).map(([reason, count]) => [`  ${reason}`, String(count)]),
    [],
    ["charges", ...money("charge")],
    ["refunds", ...money("refund")],
    ["reservations", String(booked(stock, "reserve").length), `${booked(stock, "release").length} released`],
    [
      "parcels",
      String(booked(shipping, "ship").length),
      `${booked(shipping, "cancel").filter((entry) => entry.undoes !== null).length} called back`
    ],
    ["mails", String(booked(mail, "send").length)],
    [],
    ["approvals signaled", String(signals), `${progress.acknowledged.length - signals} addresses changed by update`],
    [
      "requests",
      String(requests.length),
      `${requests.filter(({ repeated }) => repeated === 1).length} of them repeats`
    ],
    ...[...mishaps].map(([mishap, count]) => [`  ${mishap}`, String(count)]),
    ["turns recorded", String(turns)],
    ["workers killed", String(kills.length), "by SIGKILL"],
    ["time taken", `${(millis / 1000).toFixed(1)} s`],
    [],
    ["audit findings", String(findings.length), findings.length === 0 ? "books and histories agree" : ""]
  ])
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** Some reasons name a SKU or a clerk; the table counts by what comes to the same. */
const kindOf = (reason: string): string =>
  / wanted, /.test(reason) ? "rejected: out of stock" : reason === "still open" ? reason : `rejected: ${reason}`

const tally = (values: ReadonlyArray<string>): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  const [first, second, third] = [width(0), width(1), width(2)]
  const rule = (left: string, middle: string, right: string) =>
    `${left}${[first, second, third].map((length) => "─".repeat(length + 2)).join(middle)}${right}`
  return [
    rule("┌", "┬", "┐"),
    ...rows.map((row) =>
      row.length === 0
        ? rule("├", "┼", "┤")
        : `│ ${(row[0] ?? "").padEnd(first)} │ ${(row[1] ?? "").padStart(second)} │ ${(row[2] ?? "").padEnd(third)} │`
    ),
    rule("└", "┴", "┘")
  ]
}
