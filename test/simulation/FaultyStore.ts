/**
 * The store as one process has it in a world that is not kind: slow, out of order, failing before or after it did what
 * was asked, silent; and it is at the store's operations that processes die and stand still.
 *
 * ```
 *   process ──▶ [fate] ──▶ pause ──▶ Life (dead? frozen?) ──▶ the store ──▶ pause ──▶ [answer, or not] ──▶ process
 * ```
 *
 * Each operation lets the event loop go round at least once, so that races which only an asynchronous database shows
 * are found on SQLite as well.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Store } from "../../src/persistence/Store.js"
import { StoreError } from "../../src/persistence/Store.js"
import type { Life } from "../../src/testing/CrashingStore.js"
import * as CrashingStore from "../../src/testing/CrashingStore.js"
import type { Dice } from "./Dice.js"
import type { Ledger } from "./Ledger.js"
import type { Rates } from "./Plan.js"
import { silenceMillisMax } from "./Plan.js"

/** What the world is like just now. */
export interface Weather {
  /** Undefined once it has healed. */
  rates: Rates | undefined
  lateNews: boolean
}

/** What a process does at its store. */
export interface Where {
  readonly name: string
  readonly life: Life
  readonly clock: Clock.Clock
  readonly dice: Dice
  readonly weather: Weather
  readonly ledger: Ledger
  /** Whether nothing that it asks arrives, at this time. */
  readonly cutOff: () => boolean
  /** Finds nothing in this world: that it is asked for is no reason for other fates. */
  readonly isIdle: (operation: string) => boolean
  /** Stands still for so long. */
  readonly freeze: (millis: number) => void
}

interface Fate {
  readonly pauseBefore: number
  readonly pauseAfter: number
  readonly what: "goes well" | "fails before" | "fails after" | "crash before" | "crash after" | "freezes"
}

/** Operations whose answer is never lost after they were done, and why. */
export const sureOperations: ReadonlyMap<string, string> = new Map(
  ["claimRuns", "claimRun", "claimTasks", "claimExpired"].map((operation) => [
    operation,
    "what was claimed and not told is nobody's until the worker's lease ends: docs/hacking.md, known gaps"
  ])
)

export const around = (store: Store["Type"], where: Where): Store["Type"] => {
  const { clock, ledger, life, name, weather } = where
  const lived = CrashingStore.around(store, life)
  const pause = (millis: number) => millis === 0 ? Effect.void : clock.sleep(Duration.millis(millis))
  return CrashingStore.through(lived, {
    perform: (operation, effect) =>
      Effect.suspend(() => {
        if (where.isIdle(operation)) return effect
        const fate = where.cutOff() ? cutOff : fateOf(operation, where)
        ledger.note(() => `${name}: ${operation}${fate === calm ? "" : ` ${describe(fate)}`}`)
        const failed = Effect.suspend(() => {
          ledger.note(() => `${name}: ${operation} is told to have failed`)
          return Effect.fail(trouble(operation, where))
        })
        const done = Effect.suspend(() => {
          switch (fate.what) {
            case "fails before":
              return life.perform(operation, failed)
            case "fails after":
              return Effect.zipRight(effect, failed)
            case "crash before":
              life.die()
              return effect
            case "crash after":
              return Effect.tap(effect, () => Effect.suspend(() => (life.die(), life.silence)))
            case "freezes":
              where.freeze(fate.pauseAfter)
              return effect
            default:
              return effect
          }
        })
        if (fate === calm) return done
        return Effect.zipRight(pause(fate.pauseBefore), done).pipe(
          Effect.ensuring(fate.what === "freezes" ? Effect.void : Effect.suspend(() => pause(fate.pauseAfter)))
        )
      }),
    heard: (listener) => {
      if (life.dead) return
      if (!weather.lateNews) return listener()
      // A lost announcement, and the slow poll that backs it.
      const millis = where.dice.chance(0.1) ? 1_000 : where.dice.between(0, 50)
      Effect.runFork(Effect.zipRight(pause(millis), Effect.sync(() => life.dead ? undefined : listener())))
    }
  })
}

const calm: Fate = { pauseBefore: 0, pauseAfter: 0, what: "goes well" }
const cutOff: Fate = { pauseBefore: 20, pauseAfter: 0, what: "fails before" }

const fateOf = (operation: string, { dice, ledger, weather }: Where): Fate => {
  const { rates } = weather
  if (rates === undefined) return calm
  const drawn = dice.next()
  const [pauseBefore, pauseAfter] = drawn < rates.delay ? [lengthOf(dice), lengthOf(dice)] : [0, 0]
  const unsure = !sureOperations.has(operation)
  let left = dice.next()
  const strikes = (rate: number) => (left -= rate) < 0
  const counted = (fate: Fate): Fate => {
    ledger.count(fate.what)
    return fate
  }
  if (strikes(rates["fails before"])) return counted({ pauseBefore, pauseAfter, what: "fails before" })
  if (strikes(rates["fails after"])) {
    return unsure ? counted({ pauseBefore, pauseAfter, what: "fails after" }) : calm
  }
  if (strikes(rates.silence)) {
    const what = dice.chance(0.5) && unsure ? "fails after" : "fails before"
    return counted({ pauseBefore, pauseAfter: dice.between(300, silenceMillisMax), what })
  }
  if (strikes(rates.crash)) return counted({ ...calm, what: dice.chance(0.5) ? "crash before" : "crash after" })
  if (strikes(rates.freeze)) return counted({ pauseBefore, pauseAfter: dice.between(100, 6_000), what: "freezes" })
  return pauseBefore + pauseAfter === 0 ? calm : { pauseBefore, pauseAfter, what: "goes well" }
}

/** Mostly short; now and then longer than a lease. */
const lengthOf = (dice: Dice): number =>
  dice.chance(0.4) ? 0 : dice.chance(0.97) ? dice.between(1, 40) : dice.between(200, silenceMillisMax)

const describe = ({ pauseAfter, pauseBefore, what }: Fate): string => `(${pauseBefore} ms, ${what}, ${pauseAfter} ms)`

const trouble = (operation: string, { dice }: Where): StoreError =>
  new StoreError({
    operation,
    reason: dice.of(["Locked", "Unavailable"]),
    detail: "as the simulation wants it",
    transient: true
  })
