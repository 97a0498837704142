/**
 * What a body gets in place of Effect's default services: a clock that stands still within a turn and whose sleep is a
 * durable timer, random numbers seeded by the run, a silent console, no configuration, no tracer.
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { PCGRandom } from "effect/Utils"

class BodyClock implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  readonly currentTimeMillis: Effect.Effect<number>
  readonly currentTimeNanos: Effect.Effect<bigint>

  constructor(private readonly time: () => number, readonly timer: (millis: number) => Effect.Effect<void>) {
    this.currentTimeMillis = Effect.sync(time)
    this.currentTimeNanos = Effect.sync(() => this.unsafeCurrentTimeNanos())
  }

  unsafeCurrentTimeMillis(): number {
    return this.time()
  }

  unsafeCurrentTimeNanos(): bigint {
    return BigInt(Math.trunc(this.time())) * 1_000_000n
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return this.timer(Duration.toMillis(duration))
  }
}

class BodyRandom implements Random.Random {
  readonly [Random.RandomTypeId]: Random.RandomTypeId = Random.RandomTypeId
  readonly next: Effect.Effect<number>
  readonly nextBoolean: Effect.Effect<boolean>
  readonly nextInt: Effect.Effect<number>

  constructor(private readonly draw: () => PCGRandom) {
    this.next = Effect.sync(() => draw().number())
    this.nextBoolean = Effect.sync(() => draw().number() > 0.5)
    this.nextInt = Effect.sync(() => draw().integer(Number.MAX_SAFE_INTEGER))
  }

  nextRange(min: number, max: number): Effect.Effect<number> {
    return Effect.sync(() => (max - min) * this.draw().number() + min)
  }

  nextIntBetween(min: number, max: number): Effect.Effect<number> {
    return Effect.sync(() => this.draw().integer(max - min) + min)
  }

  shuffle<A>(elements: Iterable<A>): Effect.Effect<Chunk.Chunk<A>> {
    return Effect.sync(() => {
      const items = Array.from(elements)
      for (let last = items.length - 1; last > 0; last--) {
        const chosen = this.draw().integer(last + 1)
        const item = items[last]!
        items[last] = items[chosen]!
        items[chosen] = item
      }
      return Chunk.unsafeFromArray(items)
    })
  }
}

/** Four 32-bit seeds of a run id, by FNV-1a from four starts: runs whose ids differ draw different numbers. */
const seedOf = (runId: string): readonly [number, number, number, number] => {
  const hash = (start: number): number => {
    let value = start
    for (let i = 0; i < runId.length; i++) value = Math.imul(value ^ runId.charCodeAt(i), 0x01000193)
    return value >>> 0
  }
  return [hash(0x811c9dc5), hash(0x01234567), hash(0x89abcdef), hash(0x7f4a7c15)]
}

/** @since 0.1.0 */
export const seeded = (runId: string): PCGRandom => {
  const [a, b, c, d] = seedOf(runId)
  return new PCGRandom(a, b, c, d)
}

const silent = (): void => {}
const nothing = (): Effect.Effect<void> => Effect.void

// Console output of a body would come again on every replay: `Effect.log` is for that, and is silent on replay.
const silentConsole: Console.Console = {
  [Console.TypeId]: Console.TypeId,
  assert: nothing,
  clear: Effect.void,
  count: nothing,
  countReset: nothing,
  debug: nothing,
  dir: nothing,
  dirxml: nothing,
  error: nothing,
  group: nothing,
  groupEnd: Effect.void,
  info: nothing,
  log: nothing,
  table: nothing,
  time: nothing,
  timeEnd: nothing,
  timeLog: nothing,
  trace: nothing,
  warn: nothing,
  unsafe: {
    assert: silent,
    clear: silent,
    count: silent,
    countReset: silent,
    debug: silent,
    dir: silent,
    dirxml: silent,
    error: silent,
    group: silent,
    groupCollapsed: silent,
    groupEnd: silent,
    info: silent,
    log: silent,
    table: silent,
    time: silent,
    timeEnd: silent,
    timeLog: silent,
    trace: silent,
    warn: silent
  }
}

/** A body that reads configuration reads its process: none is there. */
const noConfig = ConfigProvider.fromMap(new Map())

/**
 * The default services of one body.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (body: {
  readonly time: () => number
  readonly timer: (millis: number) => Effect.Effect<void>
  readonly random: () => PCGRandom
}): Context.Context<DefaultServices.DefaultServices> =>
  base.pipe(
    Context.add(Clock.Clock, new BodyClock(body.time, body.timer)),
    Context.add(Random.Random, new BodyRandom(body.random))
  )

const base: Context.Context<DefaultServices.DefaultServices> = DefaultServices.liveServices.pipe(
  Context.add(ConfigProvider.ConfigProvider, noConfig),
  Context.add(Console.Console, silentConsole)
)
