/**
 * Goal: a check says what it tried and what it found, on workflows so small that each finding has one cause.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { Activity, Workflow } from "perdure"
import { Durable } from "perdure/testing"

class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

const Ask = Activity.make("Ask", {
  payload: Schema.Number,
  success: Schema.Number,
  error: Refused,
  startToCloseTimeout: "5 seconds",
  retry: { maximumAttempts: 5, nonRetryable: ["Refused"] }
})
const Sum = Workflow.make("Sum", { payload: Schema.Int, success: Schema.Number, error: Refused })
const SumLive = Sum.toLayer((n) =>
  Effect.map(Effect.all([Ask.execute(n), Ask.execute(n + 1)], { concurrency: 2 }), ([a, b]) => a + b)
)

const Gate = Workflow.make("Gate", { success: Schema.String, signals: { open: { payload: Schema.String } } })
const GateLive = Gate.toLayer(() =>
  Effect.map(Deferred.make<string>(), (opened) =>
    Gate.of({
      signals: { open: (by) => Deferred.succeed(opened, by) },
      run: Deferred.await(opened)
    }))
)

const few = { runs: 12, shrinkMillis: 300 }

describe("a check", () => {
  it.live("gives the answers that it was given, call by call and attempt by attempt", () =>
    Effect.gen(function*() {
      const report = yield* Durable.check(Sum, {
        ...few,
        cancels: false,
        hosts: () => [SumLive],
        activities: [
          Durable.script(Ask, [{ _tag: "Dies" }, { _tag: "Succeeds", value: 1 }], { _tag: "Succeeds", value: 2 })
        ],
        holds: ({ completed, outcome }) => {
          assert.deepStrictEqual(outcome, { _tag: "Completed", value: 3 })
          assert.strictEqual(completed("Ask"), 2)
        }
      })
      // Nothing ever made it fail: the coverage says so.
      assert.deepStrictEqual(report.missing, ["run: Refused", "Ask: Refused"])
      assert.isAbove(report.crashPoints.tried, 20)
      assert.strictEqual(report.crashPoints.tried, report.crashPoints.of)
      assert.match(report.table, /^Sum: 12 plans, \d+ trials, /)
      assert.include(report.table, "never reached: run: Refused, Ask: Refused")
    }))

  it.live("reaches each declared error of an activity, and its timeouts", () =>
    Effect.gen(function*() {
      const { branches, missing } = yield* Durable.check(Sum, { hosts: () => [SumLive], activities: [Ask], runs: 40 })
      assert.deepStrictEqual(missing, [])
      const ways = new Map(branches.map(({ of, ways }) => [of, [...ways.keys()]]))
      assert.includeMembers(ways.get("Ask")!, ["completed", "Refused"])
      assert.includeMembers(ways.get("run")!, ["completed", "Refused", "canceled"])
    }), 60_000)

  it.live("tells of a run that waits for a message which nobody sends, unless it may", () =>
    Effect.gen(function*() {
      const waiting = yield* Effect.flip(Durable.check(Gate, { ...few, hosts: () => [GateLive] }))
      assert.deepInclude(waiting, { _tag: "CheckFailed", workflow: "Gate", kind: "Waiting" })
      const { missing } = yield* Durable.check(Gate, { ...few, hosts: () => [GateLive], mayWait: true })
      assert.deepStrictEqual(missing, [])
    }), 60_000)

  it.live("tells of a run without end", () =>
    Effect.gen(function*() {
      const Forever = Workflow.make("Forever")
      const { kind } = yield* Effect.flip(Durable.check(Forever, {
        ...few,
        hosts: () => [Forever.toLayer(() => Effect.forever(Effect.sleep("1 day")))],
        cancels: false,
        stepsMax: 50
      }))
      assert.strictEqual(kind, "Endless")
    }))

  it.live("tells of a body that throws, and where", () =>
    Effect.gen(function*() {
      const Small = Workflow.make("Small", { payload: Schema.Int })
      const { detail, kind, message } = yield* Effect.flip(Durable.check(Small, {
        runs: 20,
        hosts: () => [Small.toLayer((n) => n > 10 ? Effect.die(new TypeError(`${n} is much`)) : Effect.void)]
      }))
      assert.strictEqual(kind, "TurnFailed")
      assert.match(detail, /TypeError: 11 is much/)
      // The smallest number that is too large.
      assert.match(message, /input +11\n/)
    }))

  it.live("tells of a world that a crash changed", () =>
    Effect.gen(function*() {
      const { kind, message } = yield* Effect.flip(Durable.check(Sum, {
        ...few,
        input: FastCheck.constant(1),
        cancels: false,
        world: () => ({ asked: 0 }),
        hosts: (world) => [SumLive, Ask.toLayer((n) => Effect.sync(() => (world.asked++, n)))],
        observe: ({ asked }) => asked
      }))
      assert.strictEqual(kind, "World")
      assert.match(message, /without the crash: 2; with it: 3/)
    }), 60_000)

  it.live("takes an attempt that died with its process for one that failed", () =>
    Effect.gen(function*() {
      const Once = Activity.make("Once", { startToCloseTimeout: "1 second", retry: { maximumAttempts: 1 } })
      const Careful = Workflow.make("Careful", { success: Schema.String })
      const { branches } = yield* Durable.check(Careful, {
        ...few,
        hosts: () => [
          Careful.toLayer(() => Effect.match(Once.execute(), { onSuccess: () => "done", onFailure: () => "in doubt" }))
        ],
        activities: [Durable.script(Once, { _tag: "Succeeds", value: undefined })],
        cancels: false
      })
      assert.isAbove(branches.find(({ of }) => of === "Once")!.ways.get("timeout StartToClose")!, 0)
    }), 60_000)

  it.live("fails in the same way again from the seed and path that it named", () =>
    Effect.gen(function*() {
      const options = {
        ...few,
        runs: 60,
        hosts: () => [SumLive],
        activities: [Ask],
        holds: ({ outcome }: { readonly outcome: Durable.Outcome<number, unknown> }) =>
          assert.isFalse(outcome._tag === "Completed" && outcome.value < 0, "a negative sum")
      } as const
      const first = yield* Effect.flip(Durable.check(Sum, options))
      assert.strictEqual(first.kind, "Holds")
      const { path, seed } = first
      const again = yield* Effect.flip(Durable.check(Sum, { ...options, seed, path, runs: 1 }))
      assert.deepInclude(again, { kind: first.kind, detail: first.detail })
    }), 60_000)
})
