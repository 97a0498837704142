/**
 * Tests that play seeds, on one database, with ids that are drawn anew for each world: they are part of what happens,
 * since a body's random numbers are seeded by its run's id, and rows are ordered by theirs. A test file that uses it
 * mocks `uuid` by `Ids`.
 */
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FreshStore from "../../src/testing/FreshStore.js"
import { quietly } from "../proofs/Runs.js"
import * as Ids from "./Ids.js"
import type { Base } from "./Simulation.js"

/** For each seed, on a machine that is busy with other things. */
const millisMax = 2_000

/** A test that plays about so many seeds. */
export const test = (name: string, seeds: number, body: (base: Base) => Effect.Effect<void, unknown>): void =>
  it.live(
    name,
    () =>
      Effect.scoped(Effect.flatMap(FreshStore.open, ({ fresh, sql }) =>
        body({ sql, fresh: Effect.zipRight(Effect.sync(Ids.restart), fresh) }))).pipe(quietly),
    60_000 + seeds * millisMax
  )
