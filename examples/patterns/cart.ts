/**
 * An entity: a cart that is there when the first thing is put into it, and lasts for as long as it takes.
 *
 *   cart-1 ◀── add, add, remove ... ──▶ checkOut ──▶ it ends; the next add begins a new cart
 *
 * Its state is a schema. Between messages nothing of it is in memory; when its history grows, it rolls over to a new run
 * by itself, and takes its state along.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Entity, Workflow } from "perdure"

export class CartEmpty extends Schema.TaggedError<CartEmpty>()("CartEmpty", {}) {}
export class CartFull extends Schema.TaggedError<CartFull>()("CartFull", { itemsMax: Schema.Int }) {}

const Item = Schema.Struct({ sku: Schema.NonEmptyString, cents: Schema.Int.pipe(Schema.positive()) })
const Items = Schema.Struct({ items: Schema.Array(Item) })

/** Carts of last year held names only, and everything cost a euro. */
const LastYear = Schema.Struct({ skus: Schema.Array(Schema.String) })

export const Cart = Entity.make("Cart", {
  state: Items,
  initial: () => ({ items: [] }),
  older: [Entity.older(LastYear, ({ skus }) => ({ items: skus.map((sku) => ({ sku, cents: 100 })) }))],
  queries: { total: { success: Schema.Int } },
  signals: { remove: { payload: Schema.String } },
  updates: {
    add: { payload: Item, success: Schema.Int, error: CartFull },
    checkOut: { success: Schema.Int, error: CartEmpty }
  }
})

const itemsMax = 20

export const CartLive = Cart.toLayer(({ state }) =>
  Effect.sync(() => {
    const total = Effect.map(state.get, ({ items }) => items.reduce((sum, { cents }) => sum + cents, 0))
    let checkedOut = false
    return Cart.of({
      queries: { total: () => total },
      signals: { remove: (sku) => state.update(({ items }) => ({ items: items.filter((item) => item.sku !== sku) })) },
      updates: {
        add: {
          validate: () =>
            Effect.flatMap(
              state.get,
              ({ items }) => items.length < itemsMax ? Effect.void : new CartFull({ itemsMax })
            ),
          handle: (item) => Effect.zipRight(state.update(({ items }) => ({ items: [...items, item] })), total)
        },
        checkOut: {
          validate: () => Effect.flatMap(total, (cents) => cents > 0 ? Effect.void : new CartEmpty()),
          handle: () => Effect.tap(total, () => Effect.sync(() => void (checkedOut = true)))
        }
      },
      run: Workflow.condition(() => checkedOut)
    })
  })
)

export const hosts = [CartLive] as const

export const play = Effect.gen(function*() {
  const cart = yield* Cart.at("cart-1")
  yield* cart.update("add", { sku: "tea", cents: 450 })
  yield* cart.update("add", { sku: "a teapot", cents: 3_900 })
  yield* cart.signal("remove", "tea")
  return yield* cart.update("checkOut")
})
