/**
 * Any batching of the same messages gives the same history (I1): one at a time or in bursts, on any cache, on a store
 * that is slow so that turns pile up, among other runs, with queries in between.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { SqliteStore } from "perdure/sqlite"
import type { Turn } from "../../src/core/Event.js"
import * as Replay from "../../src/core/Replay.js"
import * as Audit from "../../src/testing/durable/Audit.js"
import * as Programs from "./Program.js"
import type { Manner } from "./Puppets.js"
import * as Puppets from "./Puppets.js"
import { forAll, testMillis } from "./Runs.js"

describe("batching", () => {
  it.live("of the same messages gives the same history, to the letter (I1, I11)", () =>
    forAll(
      FastCheck.tuple(Programs.scenario(size), draws, bursts),
      40,
      ([scenario, draws, bursts]) =>
        Effect.gen(function*() {
          const { histories, score } = yield* inMemory(Puppets.rehearse(scenario, draws))
          for (const turns of Object.values(histories)) assert.deepStrictEqual(Audit.history(turns), [])
          for (const manner of manners(bursts)) {
            const performed = yield* inMemory(Puppets.perform(scenario, score, manner))
            assert.deepStrictEqual(performed, histories, `${manner.name}, for ${JSON.stringify(score)}`)
          }
        })
    ), testMillis)

  it.live("of what runs tell each other gives the same histories, where it comes in the same order (I1)", () => {
    const turns = { compared: 0, all: 0 }
    return Effect.zipRight(
      forAll(
        FastCheck.tuple(Programs.scenario({ ...size, items: 3, kin: true, chains: true }), draws, bursts),
        16,
        ([scenario, draws, bursts]) =>
          Effect.gen(function*() {
            const { histories, score } = yield* inMemory(Puppets.rehearse(scenario, draws))
            for (const turns of Object.values(histories)) assert.deepStrictEqual(Audit.history(turns), [])
            for (const manner of manners(bursts)) {
              // What was to come about by another order does not, perhaps.
              const { histories: performed } = yield* inMemory(Puppets.attempt(scenario, score, manner))
              for (const [runId, expected] of Object.entries(histories)) {
                const same = sameOrder(expected, performed[runId] ?? [])
                turns.compared += same
                turns.all += expected.length
                assert.deepStrictEqual(
                  performed[runId]?.slice(0, same) ?? [],
                  expected.slice(0, same),
                  `${manner.name}, run ${runId}, for ${JSON.stringify(score)}`
                )
              }
            }
          })
      ),
      // Between runs nothing says which of two messages comes first; mostly it is the same one.
      Effect.sync(() => assert.isAbove(turns.compared / turns.all, 0.8))
    )
  }, testMillis)
})

/** Turns of two histories, from the first one on, that took in the same messages. */
const sameOrder = (a: ReadonlyArray<Turn>, b: ReadonlyArray<Turn>): number => {
  const messages = (turn: Turn) => JSON.stringify(turn.events.filter(Replay.isMessageEvent))
  const other = a.findIndex((turn, index) => b[index] === undefined || messages(turn) !== messages(b[index]!))
  return other < 0 ? a.length : other
}

const manners = (bursts: ReadonlyArray<number>): ReadonlyArray<Manner> => [
  { ...Puppets.oneByOne, name: "one by one, again" },
  { ...Puppets.oneByOne, name: "in bursts", bursts },
  { ...Puppets.oneByOne, name: "one by one, no cache", settings: { maxCachedExecutions: 0 } },
  { ...Puppets.oneByOne, name: "in bursts, no cache", bursts, settings: { maxCachedExecutions: 0 } },
  {
    ...Puppets.oneByOne,
    name: "one by one, cache of one, crowded",
    settings: { maxCachedExecutions: 1 },
    crowded: true
  },
  { ...Puppets.oneByOne, name: "in bursts, slow store", bursts, slowRounds: 9 },
  { ...Puppets.oneByOne, name: "in bursts, slow store, crowded", bursts, slowRounds: 3, crowded: true }
]

const size: Programs.Size = { depth: 2, items: 5, messages: 6 }
const draws = FastCheck.infiniteStream(FastCheck.nat())
const bursts = FastCheck.array(FastCheck.integer({ min: 1, max: 6 }), { minLength: 1 })

const inMemory = Effect.provide(SqliteStore.layer({ filename: ":memory:" }))
