/**
 * A timer that can be moved while it runs: an auction whose end is put off by each late bid.
 *
 *   sleep until the end ──▶ it was moved? ──▶ sleep again ──▶ it is over
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Client, State, Workflow } from "perdure"

const Bid = Schema.Struct({ by: Schema.NonEmptyString, cents: Schema.Int.pipe(Schema.positive()) })

export class TooLow extends Schema.TaggedError<TooLow>()("TooLow", { highest: Schema.Int }) {}

export const Auction = Workflow.make("Auction", {
  payload: { lot: Schema.String },
  success: Schema.Struct({ winner: Schema.NullOr(Schema.String), cents: Schema.Int }),
  updates: { bid: { payload: Bid, success: Schema.DateFromNumber, error: TooLow } },
  queries: { highest: { success: Schema.Int } }
})

const opening = 5 * 60_000
const extension = 10 * 60_000

export const AuctionLive = Auction.toLayer(Effect.fn(function*() {
  const best = yield* State.make<{ readonly by: string | null; readonly cents: number }>({ by: null, cents: 0 })
  const begun = yield* Workflow.now
  const endsAt = yield* State.make(begun + opening)
  return Auction.of({
    queries: { highest: () => Effect.map(best.get, ({ cents }) => cents) },
    updates: {
      bid: {
        validate: ({ cents }) =>
          Effect.flatMap(
            best.get,
            (highest) => cents > highest.cents ? Effect.void : new TooLow({ highest: highest.cents })
          ),
        handle: (bid) =>
          Effect.gen(function*() {
            yield* best.set(bid)
            const now = yield* Workflow.now
            return new Date(yield* endsAt.updateAndGet((at) => Math.max(at, now + extension)))
          })
      }
    },
    run: Effect.gen(function*() {
      for (;;) {
        const left = (yield* endsAt.get) - (yield* Workflow.now)
        if (left <= 0) break
        yield* Effect.sleep(left)
      }
      const { by, cents } = yield* best.get
      return { winner: by, cents }
    })
  })
}))

export const hosts = [AuctionLive] as const

export const play = Effect.gen(function*() {
  const auction = yield* (yield* Client).start(Auction, { lot: "a blue vase" })
  yield* auction.update("bid", { by: "Ada", cents: 900 })
  yield* auction.update("bid", { by: "Grace", cents: 1_000 })
  return yield* auction.result
})
