/**
 * The part that all services of the example have in common: HTTP, an idempotency key on each request, and mishaps.
 *
 *   request ──▶ draw a mishap ──▶ key known? ── yes ─▶ the answer of then
 *                                     └─ no ──▶ the service's own rule ──▶ entry + answer in one transaction
 *
 * The worst mishaps are those after the work: it is done, and whoever asked for it can not know.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberSet from "effect/FiberSet"
import * as Schema from "effect/Schema"
import { chance, pick } from "../chance.js"

/** What reaches a service's rule. */
export interface Call {
  readonly orderId: string
  readonly key: string
  /** Fields beside the order's id, as they came; the rule reads them by its own schema. */
  readonly payload: unknown
}

/** A rule writes its entry and gives its number (Right), or says why it does not (Left). It runs in a transaction. */
export type Rule = (call: Call) => Effect.Effect<Either.Either<number, string>, SqlError, SqlClient.SqlClient>

export interface Service {
  readonly name: string
  readonly seed: number
  readonly rules: Readonly<Record<string, Rule>>
  /** Orders on which this service has a bad day: every request of such an order meets a mishap. */
  readonly badDay?: (operation: string, orderId: string) => boolean
}

/** Makes a rule from the schema of its payload. */
export const rule = <A, I>(
  payload: Schema.Schema<A, I>,
  body: (payload: A, call: Call) => ReturnType<Rule>
): Rule => {
  const decode = Schema.decodeUnknown(payload)
  return (call) =>
    Effect.matchEffect(decode(call.payload), {
      onFailure: (error) => Effect.succeed(Either.left(error.message)),
      onSuccess: (value) => body(value, call)
    })
}

export type Mishap = "unavailable" | "hangs" | "done, then error" | "done, then hangs" | "done late"

const mishaps: ReadonlyArray<readonly [number, Mishap]> = [
  [0.05, "unavailable"],
  [0.02, "hangs"],
  [0.04, "done, then error"],
  [0.02, "done, then hangs"],
  [0.02, "done late"]
]

/** On a bad day one of these is drawn for certain. */
const badDayFactor = 1 / mishaps.reduce((sum, [share]) => sum + share, 0)

/** Later than any attempt waits, so the work happens when whoever asked has asked again. */
const lateness = "1600 millis"

const Headers = Schema.Struct({
  "idempotency-key": Schema.String,
  "x-attempt": Schema.NumberFromString,
  "x-worker": Schema.String
})
const Body = Schema.Struct({ orderId: Schema.String }, { key: Schema.String, value: Schema.Unknown })

/** The HTTP application of a service. Work that is done late outlives its request, in `late`. */
export const app = (service: Service, late: FiberSet.FiberSet) =>
  Effect.map(SqlClient.SqlClient, (sql) => {
    /** How often a key was seen, so that a repeated request meets its own luck. */
    const seen = new Map<string, number>()

    const perform = (rule: Rule, call: Call, request: number) =>
      Effect.gen(function*() {
        const [known] = yield* sql<{ readonly status: number; readonly body: string }>`
          SELECT status, body FROM answers WHERE key = ${call.key}`
        if (known !== undefined) {
          yield* sql`UPDATE requests SET status = ${known.status}, repeated = 1 WHERE id = ${request}`
          return known
        }
        const outcome = yield* rule(call)
        const answer = Either.isRight(outcome)
          ? { status: 200, body: JSON.stringify({ id: outcome.right }) }
          : { status: 422, body: JSON.stringify({ reason: outcome.left }) }
        yield* sql`INSERT INTO answers ${sql.insert({ key: call.key, ...answer })}`
        yield* sql`UPDATE requests SET status = ${answer.status} WHERE id = ${request}`
        return answer
      }).pipe(
        sql.withTransaction,
        Effect.uninterruptible
      )

    const handle = Effect.gen(function*() {
      const { operation = "" } = yield* HttpRouter.params
      const rule = service.rules[operation]
      if (rule === undefined) return yield* HttpServerResponse.empty({ status: 404 })
      const headers = yield* HttpServerRequest.schemaHeaders(Headers)
      const payload = yield* HttpServerRequest.schemaBodyJson(Body)
      const call: Call = { orderId: payload.orderId, key: headers["idempotency-key"], payload }

      const times = (seen.get(call.key) ?? 0) + 1
      seen.set(call.key, times)
      const number = chance(service.seed, service.name, operation, call.orderId, times)
      const factor = service.badDay?.(operation, call.orderId) === true ? badDayFactor : 1
      const mishap = pick(number / factor, mishaps, undefined)

      const [request] = yield* sql<{ readonly id: number }>`INSERT INTO requests ${
        sql.insert({
          at: Date.now(),
          operation,
          orderId: call.orderId,
          key: call.key,
          attempt: headers["x-attempt"],
          worker: headers["x-worker"],
          mishap: mishap ?? ""
        })
      } RETURNING id`

      const work = perform(rule, call, request!.id)
      switch (mishap) {
        case undefined: {
          const { body, status } = yield* work
          return HttpServerResponse.text(body, { status, contentType: "application/json" })
        }
        case "unavailable":
          return HttpServerResponse.empty({ status: 503 })
        case "hangs":
          return yield* Effect.never
        case "done, then error":
          yield* work
          return HttpServerResponse.empty({ status: 500 })
        case "done, then hangs":
          yield* work
          return yield* Effect.never
        case "done late":
          yield* FiberSet.run(late, Effect.delay(work, lateness))
          return yield* Effect.never
      }
    }).pipe(Effect.catchTags({
      ParseError: (error) => HttpServerResponse.text(error.message, { status: 400 }),
      RequestError: (error) => HttpServerResponse.text(error.message, { status: 400 })
    }))

    return HttpRouter.empty.pipe(HttpRouter.post("/:operation", handle))
  })
