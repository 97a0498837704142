/**
 * The life of a worker (N1, N2): what ends it, how long it may take to end, and what it keeps in memory meanwhile.
 */
import { assert, describe } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, Worker, Workflow } from "perdure"
import { StoreError } from "perdure/sqlite"
import { changed, run, test, until } from "./World.js"

const Stuck = Activity.make("Stuck", { startToCloseTimeout: "1 minute" })
const Asking = Workflow.make("Asking", { payload: Schema.Boolean })

describe("a store that nothing can be done with", () => {
  for (const reason of ["Corrupt", "Foreign", "Newer"] as const) {
    let asked = 0
    let broken = false
    const store = changed(({ dueRuns }) => ({
      dueRuns: (...args) => {
        asked++
        return broken
          ? Effect.fail(
            new StoreError({ operation: "dueRuns", reason, detail: "as told", transient: false })
          )
          : dueRuns(...args)
      }
    }))
    test(
      `(${reason}) stops its worker, which says so once, and interrupts what runs (N1)`,
      () =>
        Effect.gen(function*() {
          const told: Array<string> = []
          const interrupted = yield* Deferred.make<void>()
          const { client, stop } = yield* run(Worker.layer({
            hosts: [
              Stuck.toLayer(() => Effect.onInterrupt(Effect.never, () => Deferred.succeed(interrupted, undefined))),
              Asking.toLayer(() => Effect.orDie(Stuck.execute()))
            ],
            onFatalError: (error) => Effect.sync(() => void told.push(error.reason))
          }))
          const handle = yield* client.start(Asking, true)
          yield* until(handle.describe, ({ pendingActivities }) => pendingActivities[0]?.state === "started")
          broken = true
          // Anything makes it look.
          yield* Effect.ignore(client.start(Asking, false, { startDelay: "1 minute" }))
          yield* Deferred.await(interrupted)
          yield* until(Effect.sync(() => told.length), (count) => count === 1)
          const before = asked
          yield* Effect.ignore(client.start(Asking, false, { startDelay: "1 minute" }))
          yield* Effect.sleep("200 millis")
          assert.deepStrictEqual(told, [reason])
          assert.strictEqual(asked, before, "it looks no more")
          yield* stop
        }),
      store
    )
  }

  let asked = 0
  test(
    "is not one that is only out of reach: that is waited for (N1)",
    () =>
      Effect.gen(function*() {
        const told: Array<string> = []
        const { client } = yield* run(Worker.layer({
          hosts: [Stuck.toLayer(() => Effect.void), Asking.toLayer(() => Effect.orDie(Stuck.execute()))],
          onFatalError: (error) => Effect.sync(() => void told.push(error.reason))
        }))
        yield* client.execute(Asking, true)
        yield* until(Effect.sync(() => asked), (count) => count > 2)
        assert.deepStrictEqual(told, [])
      }),
    changed(({ dueRuns }) => ({
      dueRuns: (...args) =>
        ++asked <= 2
          ? Effect.fail(
            new StoreError({
              operation: "dueRuns",
              reason: "Unavailable",
              detail: "as told",
              transient: true
            })
          )
          : dueRuns(...args)
    }))
  )
})

describe("the end of a worker", () => {
  test("has a deadline, whatever its activities do (N1, A16)", () =>
    Effect.gen(function*() {
      const begun = yield* Deferred.make<void>()
      const { client, stop } = yield* run(Worker.layer({
        hosts: [
          Stuck.toLayer(() =>
            Effect.zipRight(Deferred.succeed(begun, undefined), Effect.uninterruptible(Effect.sleep("4 seconds")))
          ),
          Asking.toLayer(() => Effect.orDie(Stuck.execute()))
        ],
        shutdownGrace: "100 millis",
        interruptGrace: "200 millis"
      }))
      const handle = yield* client.start(Asking, true)
      yield* Deferred.await(begun)
      const from = Date.now()
      yield* stop
      assert.isAtLeast(Date.now() - from, 300)
      assert.isBelow(Date.now() - from, 2_500)
      // Given back, and not lost: whoever comes next takes the same attempt.
      const pending = (yield* handle.describe).pendingActivities[0]
      assert.deepInclude(pending, { state: "queued", attempt: 1 })
    }))
})

const Clean = Activity.make("Clean", { startToCloseTimeout: "10 seconds" })
const Guest = Workflow.make("Guest", {
  success: Schema.Array(Schema.Number),
  signals: { say: { payload: Schema.Number }, leave: {} },
  queries: { said: { success: Schema.Number } },
  updates: { ask: { payload: Schema.Number, success: Schema.Number } }
})

describe("a cache", () => {
  const results: Array<unknown> = []
  for (const maxCachedExecutions of [0, 1, 2, 1_000]) {
    test(`of ${maxCachedExecutions} runs runs the same; no finalizer and no command comes of an eviction (N2)`, () =>
      Effect.gen(function*() {
        const finalized: Array<string> = []
        let cleaned = 0
        const { client } = yield* run(Worker.layer({
          maxCachedExecutions,
          hosts: [
            Clean.toLayer(() => Effect.sync(() => void cleaned++)),
            Guest.toLayer(() =>
              Effect.sync(() => {
                const said: Array<number> = []
                let left = false
                return Guest.of({
                  signals: {
                    say: (n) =>
                      Effect.zipRight(Effect.sleep("1 millis"), Effect.sync(() => void said.push(n))).pipe(
                        Effect.ensuring(Effect.sync(() => void finalized.push("handler")))
                      ),
                    leave: () => Effect.sync(() => void (left = true))
                  },
                  queries: { said: () => Effect.succeed(said.length) },
                  updates: { ask: (n) => Effect.map(Effect.sleep("1 millis"), () => n + said.length) },
                  run: Effect.as(Workflow.condition(() => left), said).pipe(
                    Effect.ensuring(Effect.orDie(Clean.execute())),
                    Effect.ensuring(Effect.sync(() => void finalized.push("run")))
                  )
                })
              })
            )
          ]
        }))
        const guests = yield* Effect.forEach(
          [1, 2, 3, 4],
          (n) => client.start(Guest, undefined, { workflowId: `g${n}` })
        )
        for (const round of [10, 20]) {
          yield* Effect.forEach(guests, (guest, i) => guest.signal("say", round + i))
          yield* Effect.forEach(guests, (guest) => until(guest.query("said"), (count) => count === round / 10))
        }
        assert.deepStrictEqual(yield* Effect.forEach(guests, (guest) => guest.update("ask", 5)), [7, 7, 7, 7])
        assert.deepStrictEqual([cleaned, finalized.includes("run")], [0, false])
        for (const guest of guests) {
          const events = (yield* guest.history).flatMap((turn) => turn.events.map(({ _tag }) => _tag))
          assert.notInclude(events, "ActivityScheduled")
        }
        yield* Effect.forEach(guests, (guest) => guest.signal("leave"))
        results.push(yield* Effect.forEach(guests, (guest) => guest.result))
        assert.strictEqual(cleaned, 4)
        assert.deepStrictEqual(results.at(-1), [[10, 20], [11, 21], [12, 22], [13, 23]])
        assert.deepStrictEqual(results.at(-1), results[0])
      }))
  }
})
