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

/**
 * What the services need of the body that they belong to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body {
  /** Of the turn, in epoch milliseconds. */
  readonly time: number
  readonly sleep: (millis: number) => Effect.Effect<void>
  /** Refuses in a query or validator (I11). */
  readonly generator: () => PCGRandom
}

// Effects are made when they are asked for, and not held: thousands of bodies are in memory.
class BodyClock implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId

  constructor(private readonly body: Body) {}

  get currentTimeMillis(): Effect.Effect<number> {
    return Effect.sync(() => this.unsafeCurrentTimeMillis())
  }

  get currentTimeNanos(): Effect.Effect<bigint> {
    return Effect.sync(() => this.unsafeCurrentTimeNanos())
  }

  unsafeCurrentTimeMillis(): number {
    return this.body.time
  }

  unsafeCurrentTimeNanos(): bigint {
    return BigInt(Math.trunc(this.body.time)) * 1_000_000n
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return this.body.sleep(Duration.toMillis(duration))
  }
}

/** Draws from a generator that is asked for each time. @since 0.1.0 */
export class BodyRandom implements Random.Random {
  readonly [Random.RandomTypeId]: Random.RandomTypeId = Random.RandomTypeId

  constructor(private readonly body: Pick<Body, "generator">) {}

  get next(): Effect.Effect<number> {
    return Effect.sync(() => this.draw().number())
  }

  get nextBoolean(): Effect.Effect<boolean> {
    return Effect.sync(() => this.draw().number() > 0.5)
  }

  get nextInt(): Effect.Effect<number> {
    return Effect.sync(() => this.draw().integer(Number.MAX_SAFE_INTEGER))
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

  private draw(): PCGRandom {
    return this.body.generator()
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

/** Of a run, or of a stream of it. @since 0.1.0 */
export const seeded = (runId: string, stream?: string): PCGRandom => {
  const [a, b, c, d] = seedOf(stream === undefined ? runId : `${runId}/${stream}`)
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
export const make = (body: Body): Context.Context<DefaultServices.DefaultServices> => {
  const services = new Map(base.unsafeMap)
  services.set(Clock.Clock.key, new BodyClock(body))
  services.set(Random.Random.key, new BodyRandom(body))
  return Context.unsafeMake(services)
}

const base: Context.Context<DefaultServices.DefaultServices> = DefaultServices.liveServices.pipe(
  Context.add(ConfigProvider.ConfigProvider, noConfig),
  Context.add(Console.Console, silentConsole)
)
