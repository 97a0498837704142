/**
 * Entities under every crash, in one line: they roll over every few events, and every command that was acknowledged is in
 * the state once.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Entity } from "perdure"
import { Durable } from "perdure/testing"

const durable = Durable.withRunner((name, run, millis) => it(name, run, millis))

class Overdrawn extends Schema.TaggedError<Overdrawn>()("Overdrawn", {}) {}

const Cents = Schema.Int.pipe(Schema.between(1, 100))

const Account = Entity.make("Account", {
  state: Schema.Struct({ cents: Schema.Int, log: Schema.Array(Schema.Int) }),
  initial: () => ({ cents: 0, log: [] }),
  signals: { deposit: { payload: Cents } },
  queries: { log: { success: Schema.Array(Schema.Int) }, cents: { success: Schema.Int } },
  updates: { withdraw: { payload: Cents, success: Schema.Int, error: Overdrawn } }
})

const account = Account.toLayer(({ state }) => {
  const add = (cents: number) =>
    state.updateAndGet((before) => ({ cents: before.cents + cents, log: [...before.log, cents] }))
  return Effect.succeed(Account.of({
    signals: { deposit: add },
    queries: {
      log: () => Effect.map(state.get, ({ log }) => log),
      cents: () => Effect.map(state.get, ({ cents }) => cents)
    },
    updates: {
      withdraw: {
        validate: (cents) => Effect.flatMap(state.get, (now) => now.cents < cents ? new Overdrawn() : Effect.void),
        handle: (cents) => Effect.map(add(-cents), (now) => now.cents)
      }
    }
  }))
})

type Seen = Durable.Trial<typeof Account.workflow, void>

const keepsBooks = ({ query, received, updated }: Pick<Seen, "query" | "received" | "updated">) => {
  const all = [...received("deposit"), ...updated("withdraw").map((cents) => -cents)]
  const numbers = (one: number, other: number) => one - other
  assert.deepStrictEqual([...query("log")].sort(numbers), all.sort(numbers))
  assert.strictEqual(query("cents"), all.reduce((sum, cents) => sum + cents, 0))
}

describe("an entity", () => {
  durable("has each command in its state once, over all rollovers (P1, U7)", Account, {
    hosts: () => [account],
    runs: 10,
    crashPointsMax: 40,
    cancels: false,
    holds: keepsBooks,
    report: ({ branches, crashPoints, missing }) => {
      assert.deepStrictEqual(missing.filter((each) => each !== "run: completed"), [])
      assert.isAbove(crashPoints.tried, 50)
      assert.isAbove(branches.find(({ of }) => of === "run")!.ways.get("continued as new")!, 20)
    }
  })

  it.live(
    "that keeps something beside its state is found: the next run does not have it",
    () =>
      Effect.gen(function*() {
        const forgetful = Account.toLayer(({ state }) => {
          const log: Array<number> = []
          const add = (cents: number) =>
            Effect.zipRight(
              Effect.sync(() => log.push(cents)),
              state.updateAndGet((before) => ({ ...before, cents: before.cents + cents }))
            )
          return Effect.succeed(Account.of({
            signals: { deposit: add },
            queries: { log: () => Effect.succeed(log), cents: () => Effect.map(state.get, ({ cents }) => cents) },
            updates: { withdraw: (cents) => Effect.map(add(-cents), (now) => now.cents) }
          }))
        })
        const { kind, message } = yield* Effect.flip(Durable.check(Account, {
          hosts: () => [forgetful],
          shrinkMillis: 1_500,
          holds: keepsBooks
        }))
        assert.strictEqual(kind, "Holds")
        // Enough commands for a rollover, and no more.
        assert.match(message, /└▶ continued as new \{"key":.*"snapshot":.*\nAccount what happened, run 2: Running/)
      }),
    60_000
  )

  it.live("is one that is there by its key, as any other", () =>
    Effect.gen(function*() {
      const seen = new Set<string>()
      yield* Durable.check(Account, {
        hosts: () => [account],
        runs: 5,
        crashPointsMax: 1,
        holds: ({ input, runs }) => {
          assert.strictEqual(runs[0]!.workflowId, `Account:${input.key}`)
          seen.add(input.key)
        }
      })
      assert.strictEqual(seen.size, 2)
    }), 60_000)
})
