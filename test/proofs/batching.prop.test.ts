/**
 * Any batching of the same messages gives the same history (I1): one at a time or in bursts, on any cache, on a store
 * that is slow so that turns pile up, among other runs, with queries in between.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { SqliteStore } from "perdure/sqlite"
import * as Audit from "../../src/testing/durable/Audit.js"
import * as Programs from "./Program.js"
import type { Manner } from "./Puppets.js"
import * as Puppets from "./Puppets.js"
import { forAll, testMillis } from "./Runs.js"

describe("batching", () => {
  it.live("of the same messages gives the same history, to the letter (I1, I11)", () =>
    forAll(
      FastCheck.tuple(scenario, draws, FastCheck.array(FastCheck.integer({ min: 1, max: 6 }), { minLength: 1 })),
      40,
      ([scenario, draws, bursts]) =>
        Effect.gen(function*() {
          const { score, turns } = yield* inMemory(Puppets.rehearse(scenario, draws))
          assert.deepStrictEqual(Audit.history(turns), [])
          for (const manner of manners(bursts)) {
            const performed = yield* inMemory(Puppets.perform(scenario, score, manner))
            assert.deepStrictEqual(performed, turns, `${manner.name}, for ${JSON.stringify(score)}`)
          }
        })
    ), testMillis)
})

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

const scenario = Programs.scenario({ depth: 2, items: 5, messages: 6 })

const draws = FastCheck.infiniteStream(FastCheck.nat())

const inMemory = Effect.provide(SqliteStore.layer({ filename: ":memory:" }))
