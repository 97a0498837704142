/**
 * Fan-out to child workflows: each region counts its own shops, with a history, retries and a life of its own.
 *
 *   country ──▶ region north ──▶ shop, shop, shop
 *           └─▶ region south ──▶ shop, shop            a region that fails is told of, and the others go on
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Client, Workflow } from "perdure"

export class Closed extends Schema.TaggedError<Closed>()("Closed", { region: Schema.String }) {}

export const CountShop = Activity.make("CountShop", {
  payload: { shop: Schema.String },
  success: Schema.Int,
  startToCloseTimeout: "10 seconds"
})

export const Region = Workflow.make("Region", {
  payload: { region: Schema.String, shops: Schema.Array(Schema.String).pipe(Schema.maxItems(5)) },
  success: Schema.Int,
  error: Closed
})

export const Country = Workflow.make("Country", {
  payload: { regions: Schema.Array(Schema.NonEmptyString).pipe(Schema.maxItems(3)) },
  success: Schema.Struct({ total: Schema.Int, closed: Schema.Array(Schema.String) })
})

export const RegionLive = Region.toLayer(Effect.fn(function*({ region, shops }) {
  if (shops.length === 0) return yield* new Closed({ region })
  const counts = yield* Effect.forEach(shops, (shop) => CountShop.execute({ shop }), { concurrency: "unbounded" })
  return counts.reduce((sum, count) => sum + count, 0)
}))

const shopsOf = (region: string): ReadonlyArray<string> =>
  region.endsWith("moon") ? [] : [`${region} street`, `${region} square`]

export const CountryLive = Country.toLayer(Effect.fn(function*({ regions }) {
  const closed: Array<string> = []
  const counts = yield* Effect.forEach(
    regions,
    (region) =>
      Region.execute({ region, shops: shopsOf(region) }).pipe(
        Effect.catchTag("Closed", (error) => Effect.sync(() => (closed.push(error.region), 0)))
      ),
    { concurrency: "unbounded" }
  )
  return { total: counts.reduce((sum, count) => sum + count, 0), closed }
}))

export const hosts = [CountryLive, RegionLive, CountShop.toLayer(({ shop }) => Effect.succeed(shop.length))] as const

export const play = Effect.flatMap(
  Client,
  (client) => client.execute(Country, { regions: ["north", "moon", "south"] }, { workflowId: "country" })
)
