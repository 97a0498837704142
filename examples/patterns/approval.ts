/**
 * Somebody must agree within three days; a reminder goes out after each of them.
 *
 *   request ──▶ wait for the signal ──▶ approved | rejected
 *                 │ each day: Remind
 *                 └ after three: expired
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Activity, Client, State, Workflow } from "perdure"

export const Remind = Activity.make("Remind", { payload: { day: Schema.Int }, startToCloseTimeout: "10 seconds" })

const Decision = Schema.Struct({ by: Schema.NonEmptyString, approved: Schema.Boolean })

export const Approval = Workflow.make("Approval", {
  payload: { what: Schema.String },
  success: Schema.Literal("approved", "rejected", "expired"),
  signals: { decide: { payload: Decision } },
  queries: { remindersSent: { success: Schema.Int } }
})

const days = [1, 2, 3]

export const ApprovalLive = Approval.toLayer(Effect.fn(function*() {
  const decided = yield* Deferred.make<typeof Decision.Type>()
  const reminders = yield* State.make(0)
  const remind = Effect.forEach(days.slice(0, -1), (day) =>
    Effect.sleep("1 day").pipe(
      // The decision may come while this is under way: it is interrupted, which cancels the activity.
      Effect.zipRight(Remind.execute({ day })),
      Effect.zipRight(reminders.set(day))
    ))
  return Approval.of({
    signals: { decide: (decision) => Deferred.succeed(decided, decision) },
    queries: { remindersSent: () => reminders.get },
    run: Effect.gen(function*() {
      yield* Effect.fork(remind)
      const decision = yield* Effect.timeoutOption(Deferred.await(decided), `${days.length} days`)
      if (Option.isNone(decision)) return "expired" as const
      return decision.value.approved ? "approved" as const : "rejected" as const
    })
  })
}))

export const hosts = [ApprovalLive, Remind.toLayer(() => Effect.void)] as const

export const play = Effect.gen(function*() {
  const client = yield* Client
  const request = yield* client.start(Approval, { what: "a new office" })
  const expired = yield* request.result
  const other = yield* client.start(Approval, { what: "a new chair" })
  yield* other.signal("decide", { by: "Grace", approved: true })
  return { "a new office": expired, "a new chair": yield* other.result }
})
