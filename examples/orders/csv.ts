/**
 * Reads orders from CSV. What is wrong with a line is told with its number, and harms no other line.
 */
import { parse } from "csv-parse/sync"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { Order } from "./contract.js"

/** A line, or the several lines of a quoted field, that is no order. */
export interface Malformed {
  /** Counts from 1, the header included. */
  readonly line: number
  readonly reason: string
}

export interface Orders {
  readonly orders: ReadonlyArray<Order>
  readonly malformed: ReadonlyArray<Malformed>
}

const columns = ["order", "customer", "email", "address", "sku", "quantity", "total"] as const

const words = Schema.Trim.pipe(Schema.nonEmptyString({ message: () => "is missing" }))

const Quantity = Schema.Trim.pipe(
  Schema.pattern(/^[1-9]\d{0,5}$/, { message: () => "is not a whole number above 0" }),
  Schema.compose(Schema.NumberFromString)
)

/** "129.9" is 12990 cents. By digits: a float would lose some. */
const Money = Schema.transform(
  Schema.Trim.pipe(Schema.pattern(/^\d{1,9}(\.\d{1,2})?$/, { message: () => "is not an amount such as 129.90" })),
  Schema.Int.pipe(Schema.positive({ message: () => "is not above 0" })),
  {
    strict: true,
    decode: (text) => {
      const [whole = "", cents = ""] = text.split(".")
      return Number(whole) * 100 + Number(cents.padEnd(2, "0"))
    },
    encode: (cents) => (cents / 100).toFixed(2)
  }
)

const Row = Schema.Struct({
  order: words,
  customer: words,
  email: Schema.Trim.pipe(Schema.pattern(/^[^@\s]+@[^@\s]+$/, { message: () => "is not an address with an @" })),
  address: words,
  sku: words,
  quantity: Quantity,
  total: Money
})
const decodeRow = Schema.decodeUnknownEither(Row, { errors: "all" })

/** Reads a whole file's text. */
export const read = (text: string): Orders => {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/)
  const orders: Array<Order> = []
  const malformed: Array<Malformed> = []
  const firstLine = new Map<string, number>()

  const header = record(lines, 0)
  const names = Either.isRight(header) ? header.right.fields.map((name) => name.trim().toLowerCase()) : []
  const missing = columns.filter((column) => !names.includes(column))
  if (missing.length > 0) {
    return { orders, malformed: [{ line: 1, reason: `the header has no column ${missing.join(", ")}` }] }
  }

  for (let index = Either.isRight(header) ? header.right.next : 1; index < lines.length;) {
    const line = index + 1
    if (lines[index]!.trim() === "") {
      index++
      continue
    }
    const read = record(lines, index, names.length)
    if (Either.isLeft(read)) {
      malformed.push({ line, reason: read.left })
      index++
      continue
    }
    index = read.right.next
    const row = decodeRow(Object.fromEntries(names.map((name, column) => [name, read.right.fields[column]])))
    if (Either.isLeft(row)) {
      const issues = ParseResult.ArrayFormatter.formatErrorSync(row.left)
      malformed.push({ line, reason: issues.map(({ message, path }) => `${path.join(".")} ${message}`).join("; ") })
      continue
    }
    const { order: id, ...rest } = row.right
    const before = firstLine.get(id)
    if (before !== undefined) {
      malformed.push({ line, reason: `order ${id} stands in line ${before} already` })
      continue
    }
    firstLine.set(id, line)
    orders.push({ id, ...rest })
  }
  return { orders, malformed }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** A quoted field may hold line breaks, but nobody's address has more lines than this. */
const recordLinesMax = 10

/**
 * The record that begins in a line, and the line after it.
 *
 * Records are parsed one by one, as a quote that is never closed would otherwise swallow the rest of the file. Here it
 * spoils its own line: when no few lines make a record of the right width out of it, reading goes on with the next one.
 */
const record = (
  lines: ReadonlyArray<string>,
  start: number,
  width?: number
): Either.Either<{ readonly fields: ReadonlyArray<string>; readonly next: number }, string> => {
  let reason = ""
  for (let end = start + 1; end <= Math.min(start + recordLinesMax, lines.length); end++) {
    const parsed = Either.try({
      try: () =>
        (parse(lines.slice(start, end).join("\n"), { relax_column_count: true }) as Array<Array<string>>)[0] ?? [],
      catch: (error) => error as Error & { readonly code?: string }
    })
    if (Either.isRight(parsed)) {
      const fields = parsed.right
      if (width === undefined || fields.length === width) return Either.right({ fields, next: end })
      return Either.left(end > start + 1 ? reason : `has ${fields.length} fields instead of ${width}`)
    }
    if (reason === "") reason = readable(parsed.left)
    // Only an open quote can be closed by a later line.
    if (parsed.left.code !== "CSV_QUOTE_NOT_CLOSED") break
  }
  return Either.left(reason)
}

const readable = (error: { readonly code?: string; readonly message: string }): string =>
  error.code?.includes("QUOTE") === true ? "has a quote that is out of place or never closed" : error.message
