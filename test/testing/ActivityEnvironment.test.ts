/**
 * Goal: an activity runs alone, and is told, canceled and shut down by the test (row T3).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Activity } from "perdure"
import { ActivityEnvironment } from "perdure/testing"

class Declined extends Schema.TaggedError<Declined>()("Declined", { cents: Schema.Number }) {}
class Bank extends Context.Tag("Bank")<Bank, { readonly limit: number }>() {}

const Charge = Activity.make("Charge", {
  payload: { cents: Schema.Number, at: Schema.Date },
  success: Schema.String,
  error: Declined,
  startToCloseTimeout: "5 seconds"
})
const ChargeLive = Charge.toLayer(({ at, cents }) =>
  Effect.gen(function*() {
    const { limit } = yield* Bank
    yield* Activity.heartbeat({ asked: cents })
    if (cents > limit) return yield* new Declined({ cents })
    const { attempt, idempotencyKey } = yield* Activity.info
    return `${idempotencyKey} ${attempt} ${at.getUTCFullYear()}`
  })
)
const bank = Layer.succeed(Bank, { limit: 100 })
const payload = { cents: 99, at: new Date(0) }

describe("an activity environment", () => {
  it.effect("runs an attempt with default info, and keeps its heartbeats", () =>
    Effect.gen(function*() {
      const environment = ActivityEnvironment.make()
      assert.strictEqual(yield* environment.run(Charge, ChargeLive, payload), "test/test 1 1970")
      assert.deepStrictEqual(environment.heartbeats, [{ asked: 99 }])
    }).pipe(Effect.provide(bank)))

  it.effect("takes other info, and passes errors unchanged", () =>
    Effect.gen(function*() {
      const environment = ActivityEnvironment.make({ info: { attempt: 7, idempotencyKey: "k" } })
      assert.strictEqual(yield* environment.run(Charge, ChargeLive, payload), "k 7 1970")
      const error = yield* Effect.flip(environment.run(Charge, ChargeLive, { ...payload, cents: 101 }))
      assert.instanceOf(error, Declined)
      const odd = Charge.toLayer(() => Effect.die(new RangeError("odd")))
      const exit = yield* Effect.exit(environment.run(Charge, odd, payload))
      assert.instanceOf(Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined, RangeError)
    }).pipe(Effect.provide(bank)))

  it.effect("dies of values that do not fit the contract", () =>
    Effect.gen(function*() {
      const environment = ActivityEnvironment.make()
      const wrong = { cents: "many" } as unknown as typeof payload
      assert.include(
        String(yield* Effect.exit(environment.run(Charge, ChargeLive, wrong))),
        "payload of activity Charge"
      )
      const untrue = Charge.toLayer(() => Effect.succeed(5 as unknown as string))
      assert.include(String(yield* Effect.exit(environment.run(Charge, untrue, payload))), "result of activity Charge")
    }).pipe(Effect.provide(bank)))

  it.effect("cancels: the attempt is interrupted, its finalizers run, what cannot be interrupted ends first", () =>
    Effect.gen(function*() {
      const environment = ActivityEnvironment.make()
      const log: Array<string> = []
      const began = yield* Deferred.make<void>()
      const Waits = Activity.make("Waits", { startToCloseTimeout: "5 seconds" })
      const live = Waits.toLayer(() =>
        Effect.addFinalizer(() => Effect.sync(() => log.push("scope"))).pipe(
          Effect.zipRight(Deferred.succeed(began, undefined)),
          Effect.zipRight(Effect.never),
          Effect.onInterrupt(() => Effect.sync(() => log.push("interrupted")))
        )
      )
      const running = yield* Effect.fork(environment.run(Waits, live, undefined))
      yield* Deferred.await(began)
      yield* environment.cancel
      yield* environment.cancel
      const exit = yield* running.await
      assert.isTrue(Exit.isFailure(exit) && Cause.isInterrupted(exit.cause))
      assert.deepStrictEqual(log, ["interrupted", "scope"])
    }))

  it.effect("tells of the shutdown, and gives what an earlier attempt recorded", () =>
    Effect.gen(function*() {
      const environment = ActivityEnvironment.make({ lastHeartbeat: { line: 3 } })
      const Resumes = Activity.make("Resumes", { success: Schema.Unknown, startToCloseTimeout: "5 seconds" })
      const live = Resumes.toLayer(() =>
        Effect.all([
          Activity.shuttingDown,
          Effect.orDie(Activity.lastHeartbeat(Schema.Struct({ line: Schema.Number })))
        ])
      )
      assert.deepStrictEqual(yield* environment.run(Resumes, live, undefined), [false, { line: 3 }])
      yield* environment.shutDown
      assert.deepStrictEqual(yield* environment.run(Resumes, live, undefined), [true, { line: 3 }])
    }))
})
