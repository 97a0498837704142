/**
 * How callers ask: through whatever process is there, again and again until one answers.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Client } from "perdure"
import { CallTimeout, StoreUnavailable, UpdateFailed } from "perdure"
import { beginning } from "../../src/testing/VirtualTime.js"
import type { Dice } from "./Dice.js"
import type { Process, World } from "./Process.js"
import * as Resets from "./Resets.js"

/** Where callers are. */
export interface Place {
  readonly world: World
  readonly processes: ReadonlyArray<Process>
  readonly chaosMillis: number
}

/** Asks one process after another until one answers. What no caller should ever be told is a finding. */
export const insist = (
  { processes, world }: Place,
  dice: Dice,
  what: string,
  call: (client: Context.Tag.Service<typeof Client>) => Effect.Effect<unknown, unknown>
): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let tries = 1;; tries++) {
      const open = dice.of(processes).open
      if (open === undefined) {
        yield* world.clock.sleep(Duration.millis(dice.between(5, 50)))
        continue
      }
      const { client, session } = open
      world.ledger.note(() => `caller: ${what} by ${session.name}`)
      const gone = Effect.raceFirst(
        Deferred.await(session.life.died),
        world.clock.sleep(Duration.millis(patienceMillis))
      )
      const exit = yield* Effect.exit(
        Effect.raceFirst(
          Effect.disconnect(Effect.withClock(call(client), session.clock)),
          Effect.zipRight(gone, Effect.fail(hungUp))
        )
      )
      if (Exit.isSuccess(exit)) return
      const error = Cause.squash(exit.cause)
      world.ledger.note(() => `caller: ${what} by ${session.name}: ${String(error).slice(0, 200)}`)
      if (error !== hungUp && !isTrouble(error)) return world.ledger.find(`${what}: ${String(error)}`)
      yield* world.clock.sleep(Duration.millis(dice.between(1, tries > 3 ? 1_000 : 100)))
    }
  })

const hungUp = "hung up"

/** Then a caller gives up, and asks another process. */
const patienceMillis = 20_000

/** What passes, and is worth asking again. */
export const isTrouble = (error: unknown): boolean =>
  error instanceof StoreUnavailable || Resets.mayPass(error) || error instanceof CallTimeout ||
  // So many callers asked again that the run has as many updates in progress as it may (U12).
  error instanceof UpdateFailed && /updates are in progress/.test(error.message)

export const until = ({ world }: Place, at: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    const millis = beginning + at - world.time.now
    return millis <= 0 ? Effect.void : world.clock.sleep(Duration.millis(millis))
  })
