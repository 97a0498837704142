/**
 * The four services: what each of them does with a request, and when it says no for good.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { chance } from "../chance.js"
import * as Ledger from "./ledger.js"
import type { Service } from "./service.js"
import { rule } from "./service.js"

const done = (id: number) => Either.right(id)
const no = (reason: string) => Effect.succeed(Either.left(reason))

/** Takes the given entries of an order back, and answers with the number of the last one. */
const undo = (operation: string, entries: ReadonlyArray<Ledger.Entry>, key: string) =>
  Effect.map(
    Effect.forEach(entries, ({ amount, id, note, orderId }) =>
      Ledger.write({ operation, orderId, key, amount, note, undoes: id })),
    (ids) =>
      done(ids.at(-1) ?? 0)
  )

/** A warehouse: it has what was delivered, less what is reserved. */
const stock = (seed: number): Service => ({
  name: "stock",
  seed,
  rules: {
    reserve: rule(
      Schema.Struct({ sku: Schema.String, quantity: Schema.Number }),
      ({ quantity, sku }, { key, orderId }) =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const [level] = yield* sql<{ readonly free: number | null }>`
            SELECT SUM(CASE operation WHEN 'reserve' THEN -amount ELSE amount END) AS free
            FROM entries WHERE note = ${sku}`
          const free = level?.free ?? 0
          if (free < quantity) return Either.left(`${sku}: ${quantity} wanted, ${free} left`)
          return done(
            yield* Ledger.write({ operation: "reserve", orderId, key, amount: quantity, note: sku, undoes: null })
          )
        })
    ),
    release: rule(
      Schema.Struct({ reservation: Schema.Number }),
      ({ reservation }, { key, orderId }) =>
        Effect.flatMap(
          Ledger.standing("reserve", orderId),
          (entries) => undo("release", entries.filter((entry) => entry.id === reservation), key)
        )
    )
  }
})

/** A bank: some cards are not good. */
const payment = (seed: number): Service => ({
  name: "payment",
  seed,
  rules: {
    charge: rule(
      Schema.Struct({ amount: Schema.Number }),
      ({ amount }, { key, orderId }) =>
        chance(seed, "card", orderId) < 0.04
          ? no("insufficient funds")
          : Effect.map(Ledger.write({ operation: "charge", orderId, key, amount, note: "", undoes: null }), done)
    ),
    refund: rule(
      Schema.Struct({ charge: Schema.Number }),
      ({ charge }, { key, orderId }) =>
        Effect.flatMap(
          Ledger.standing("charge", orderId),
          (entries) => undo("refund", entries.filter((entry) => entry.id === charge), key)
        )
    )
  }
})

/**
 * A carrier: it does not find every address, and on some orders its systems are down all day.
 *
 * A cancellation also holds for a request that comes in later: it may have been on its way for long.
 */
const shipping = (seed: number): Service => ({
  name: "shipping",
  seed,
  badDay: (operation, orderId) => operation === "ship" && chance(seed, "bad day", orderId) < 0.03,
  rules: {
    ship: rule(Schema.Struct({ address: Schema.String }), ({ address }, { key, orderId }) =>
      Effect.gen(function*() {
        const canceled = yield* Ledger.standing("cancel", orderId)
        if (canceled.length > 0) return Either.left("the shipment was canceled")
        if (chance(seed, "address", orderId) < 0.03) return Either.left("the address is unknown")
        return done(yield* Ledger.write({ operation: "ship", orderId, key, amount: 0, note: address, undoes: null }))
      })),
    cancel: rule(
      Schema.Struct({}),
      (_, { key, orderId }) =>
        Effect.flatMap(Ledger.standing("ship", orderId), (entries) =>
          entries.length > 0
            ? undo("cancel", entries, key)
            : Effect.map(
              Ledger.write({ operation: "cancel", orderId, key, amount: 0, note: "no parcel yet", undoes: null }),
              done
            ))
    )
  }
})

const mail = (seed: number): Service => ({
  name: "mail",
  seed,
  rules: {
    send: rule(
      Schema.Struct({ email: Schema.String, text: Schema.String }),
      ({ text }, { key, orderId }) =>
        Effect.map(Ledger.write({ operation: "send", orderId, key, amount: 0, note: text, undoes: null }), done)
    )
  }
})

export const services = { stock, payment, shipping, mail }
export type ServiceName = keyof typeof services
export const serviceNames: ReadonlyArray<ServiceName> = ["stock", "payment", "shipping", "mail"]
