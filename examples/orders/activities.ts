/**
 * The bodies of the activities: each is one HTTP request to a service that is not ours.
 *
 * Every attempt of an activity sends the same idempotency key, so that a service which did the work and lost its answer
 * does not do it again.
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, ApplicationError } from "perdure"
import * as Contract from "./contract.js"

/** Where the services are, and the name by which this process introduces itself to them. */
export class Services extends Context.Tag("orders/Services")<Services, {
  readonly worker: string
  readonly urls: Readonly<Record<"stock" | "payment" | "shipping" | "mail", string>>
}>() {}

/** A service said no, and will not say anything else however often it is asked. */
class Declined extends Schema.TaggedError<Declined>()("Declined", { reason: Schema.String }) {}

const Done = Schema.Struct({ id: Schema.Number })
const Refusal = Schema.Struct({ reason: Schema.String })

const post = Effect.fn("post")(function*(
  service: "stock" | "payment" | "shipping" | "mail",
  operation: string,
  payload: object
) {
  const { urls, worker } = yield* Services
  const { attempt, idempotencyKey } = yield* Activity.info
  const response = yield* HttpClient.post(`${urls[service]}/${operation}`, {
    headers: { "idempotency-key": idempotencyKey, "x-attempt": String(attempt), "x-worker": worker },
    body: HttpBody.unsafeJson(payload)
  })
  if (response.status === 422) {
    const { reason } = yield* HttpClientResponse.schemaBodyJson(Refusal)(response)
    return yield* new Declined({ reason })
  }
  const { id } = yield* Effect.flatMap(
    HttpClientResponse.filterStatusOk(response),
    HttpClientResponse.schemaBodyJson(Done)
  )
  return id
}, (request, service, operation) =>
  // Whatever is no refusal may be different next time: it fails this attempt, and the retry policy has the word.
  Effect.catchIf(
    request,
    (error) => error._tag !== "Declined",
    (error) => new ApplicationError({ type: error._tag, message: `${service}/${operation}: ${error.message}` })
  ))

/** For operations that no service refuses: were one refused all the same, somebody has to look. */
const never = (operation: string) => (declined: Declined) =>
  new ApplicationError({ type: "Refused", message: `${operation} was refused: ${declined.reason}` })

export const ReserveStockLive = Contract.ReserveStock.toLayer((payload) =>
  post("stock", "reserve", payload).pipe(Effect.catchTag("Declined", (error) => new Contract.OutOfStock(error)))
)

export const ReleaseStockLive = Contract.ReleaseStock.toLayer((payload) =>
  post("stock", "release", payload).pipe(Effect.asVoid, Effect.catchTag("Declined", never("release")))
)

export const ChargeCardLive = Contract.ChargeCard.toLayer((payload) =>
  post("payment", "charge", payload).pipe(Effect.catchTag("Declined", (error) => new Contract.CardDeclined(error)))
)

export const RefundChargeLive = Contract.RefundCharge.toLayer((payload) =>
  post("payment", "refund", payload).pipe(Effect.asVoid, Effect.catchTag("Declined", never("refund")))
)

export const ShipOrderLive = Contract.ShipOrder.toLayer((payload) =>
  post("shipping", "ship", payload).pipe(Effect.catchTag("Declined", (error) => new Contract.NotShippable(error)))
)

export const CancelShipmentLive = Contract.CancelShipment.toLayer((payload) =>
  post("shipping", "cancel", payload).pipe(Effect.asVoid, Effect.catchTag("Declined", never("cancel")))
)

export const NotifyLive = Contract.Notify.toLayer((payload) =>
  post("mail", "send", payload).pipe(Effect.asVoid, Effect.catchTag("Declined", never("send")))
)
