/**
 * Three ways to an execution, which must mean the same: its worker has it in memory, forgets it after each turn, or is
 * reached through the store alone.
 */
import * as Effect from "effect/Effect"
import type { Store } from "perdure/sqlite"
import { desk } from "./Desk.js"
import { disk, remote, run, test } from "./World.js"

export type TheClient = Effect.Effect.Success<typeof remote>

const ways = { warm: {}, cold: { maxCachedExecutions: 0 }, remote: {} } as const

/** A test for each of the ways. `log` has the updates that were validated. */
export const waysTo = (
  name: string,
  program: (client: TheClient, log: ReadonlyArray<string>) => Effect.Effect<void, unknown, Store>
): void => {
  for (const way of ["warm", "cold", "remote"] as const) {
    test(
      `${name} [${way}]`,
      () =>
        Effect.gen(function*() {
          const log: Array<string> = []
          const { client } = yield* run(desk({ ...ways[way], log }))
          yield* program(way === "remote" ? yield* remote : client, log)
        }),
      way === "remote" ? disk : undefined
    )
  }
}

interface WithHistory {
  readonly history: Effect.Effect<ReadonlyArray<{ readonly events: ReadonlyArray<{ readonly _tag: string }> }>, unknown>
}

/** The kinds of all events, in order. */
export const eventsOf = (handle: WithHistory): Effect.Effect<ReadonlyArray<string>, unknown> =>
  Effect.map(handle.history, (turns) => turns.flatMap((turn) => turn.events.map((event) => event._tag)))
