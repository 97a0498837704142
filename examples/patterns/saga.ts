/**
 * A saga: steps in three systems that know nothing of each other, undone in reverse order when a later one fails for good.
 *
 *   book flight ──▶ book hotel ──▶ book car
 *        ▲              ▲              │ fails
 *   cancel flight ◀── cancel hotel ◀───┘
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Client, Workflow } from "perdure"

export class SoldOut extends Schema.TaggedError<SoldOut>()("SoldOut", { what: Schema.String }) {}

const booking = (name: string) =>
  Activity.make(name, {
    payload: { trip: Schema.String },
    success: Schema.String,
    error: SoldOut,
    startToCloseTimeout: "10 seconds",
    retry: { nonRetryable: ["SoldOut"] }
  })
// Tried until it is done: a booking that stays costs money.
const cancellation = (name: string) =>
  Activity.make(name, { payload: { trip: Schema.String }, startToCloseTimeout: "10 seconds" })

export const BookFlight = booking("BookFlight")
export const BookHotel = booking("BookHotel")
export const BookCar = booking("BookCar")
export const CancelFlight = cancellation("CancelFlight")
export const CancelHotel = cancellation("CancelHotel")

export const Trip = Workflow.make("Trip", {
  payload: { trip: Schema.String },
  success: Schema.Struct({ flight: Schema.String, hotel: Schema.String, car: Schema.String }),
  error: SoldOut
})

export const TripLive = Trip.toLayer(Effect.fn(function*({ trip }) {
  // Registered first: a booking that was interrupted, and may have been made all the same, is canceled too.
  yield* Workflow.withCompensation(Effect.void, () => CancelFlight.execute({ trip }))
  const flight = yield* BookFlight.execute({ trip })
  yield* Workflow.withCompensation(Effect.void, () => CancelHotel.execute({ trip }))
  const hotel = yield* BookHotel.execute({ trip })
  const car = yield* BookCar.execute({ trip })
  return { flight, hotel, car }
}))

const done = (what: string) => Effect.succeed(`${what} is booked`)

export const hosts = [
  TripLive,
  BookFlight.toLayer(() => done("flight")),
  BookHotel.toLayer(() => done("hotel")),
  BookCar.toLayer(() => new SoldOut({ what: "car" })),
  CancelFlight.toLayer(() => Effect.void),
  CancelHotel.toLayer(() => Effect.void)
] as const

export const play = Effect.flatMap(Client, (client) => Effect.flip(client.execute(Trip, { trip: "rome" })))
