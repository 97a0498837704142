/**
 * A loop without end: a monthly subscription, which continues as a new run before its history grows large.
 *
 *   charge ──▶ sleep a month ──▶ charge ... twelve times ──▶ continue as new, with what must be known
 *                                                    └── canceled: it ends after the month that is paid
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Client, State, Workflow } from "perdure"

export const Charge = Activity.make("Charge", {
  payload: { customer: Schema.String, month: Schema.Int },
  startToCloseTimeout: "30 seconds"
})

export const Subscription = Workflow.make("Subscription", {
  payload: { customer: Schema.String, paidMonths: Schema.Int.pipe(Schema.between(0, 1_000)) },
  success: Schema.Struct({ paidMonths: Schema.Int }),
  signals: { quit: {} },
  queries: { paidMonths: { success: Schema.Int } }
})

const monthsARun = 12

export const SubscriptionLive = Subscription.toLayer(Effect.fn(function*({ customer, paidMonths }) {
  const paid = yield* State.make(paidMonths)
  let quits = false
  return Subscription.of({
    signals: { quit: () => Effect.sync(() => void (quits = true)) },
    queries: { paidMonths: () => paid.get },
    run: Effect.gen(function*() {
      for (let month = 0; month < monthsARun; month++) {
        yield* Charge.execute({ customer, month: (yield* paid.get) + 1 })
        yield* paid.update((months) => months + 1)
        yield* Effect.sleep("30 days")
        if (quits) return { paidMonths: yield* paid.get }
      }
      // A signal that arrives in this very moment undoes it, and is handled first.
      return yield* Workflow.continueAsNew(Subscription, { customer, paidMonths: yield* paid.get })
    })
  })
}))

export const hosts = [SubscriptionLive, Charge.toLayer(() => Effect.void)] as const

export const play = Effect.gen(function*() {
  const subscription = yield* (yield* Client).start(Subscription, { customer: "ada", paidMonths: 22 })
  yield* subscription.signal("quit")
  return yield* subscription.result
})
