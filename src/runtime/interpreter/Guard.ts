/**
 * The guard of I8: for the length of a turn, what would let the outside in unrecorded answers from the turn, or stops it.
 *
 * Time answers with the turn's time. Randomness, scheduling, promises and I/O throw, and tell the turn, so that a body
 * cannot catch it away. Globals are swapped in when a turn begins and put back when it ends: a turn never gives up the
 * thread, so no other code ever sees them. Named imports of Node modules, and what effect shares between all fibers of
 * the process, are patched once, with wrappers that are transparent outside of turns.
 *
 * @since 0.1.0
 */
import * as Fiber from "effect/Fiber"
import * as GlobalValue from "effect/GlobalValue"
import * as Option from "effect/Option"
import * as Scheduler from "effect/Scheduler"
import * as nodeCrypto from "node:crypto"
import { syncBuiltinESMExports } from "node:module"
import * as nodeTimers from "node:timers"
import * as nodeTimersPromises from "node:timers/promises"
import { fiberCounter, identityHashes, processRandom } from "./EffectInternals.js"
import { authorPlace, UnrecordedAccess } from "./TurnFailure.js"
import * as Whereabouts from "./Whereabouts.js"

/**
 * What the guard needs of the turn that is on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Guarded {
  /** The turn's time, in epoch milliseconds. */
  readonly time: number
  /** Told of each violation; the first one fails the turn whatever the body makes of the throw. */
  readonly violated: (violation: UnrecordedAccess) => void
  /** The author's function, as the place of last resort. */
  readonly code: object
  /** The body's own counter of fiber ids. */
  fiberCount: number
  /** Whether its author takes care alone (row D10): nothing is swapped for it. */
  readonly unguarded: boolean
  /** The turn within which this one runs, if any: a validator's runs within that of its body. */
  outer: Guarded | undefined
}

/** Where the first fiber id of a body begins: far above any that the process hands out by itself. @since 0.1.0 */
export const firstFiberId = 1_000_000_000

// One for the process, however many copies of this library it has loaded: they share the globals, too.
const guard = GlobalValue.globalValue(
  Symbol.for("perdure/Guard"),
  (): {
    turn: Guarded | undefined
    patched: boolean
    swapped: boolean
    /** The turn that is on, while what its author runs is not watched. */
    paused: Guarded | undefined
  } => ({ turn: undefined, patched: false, swapped: false, paused: undefined })
)

const isWatching = (): boolean => guard.turn !== undefined && !guard.turn.unguarded

/** Notes a violation of the turn that is on, without stopping the caller. */
const note = (access: string, instead: string): UnrecordedAccess => {
  const violation = new UnrecordedAccess({ access, instead, place: authorPlace(deepStack()) ?? whereabouts(access) })
  guard.turn?.violated(violation)
  return violation
}

const framesMax = 50

const deepStack = (): string | undefined => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = framesMax
  const { stack } = new Error()
  Error.stackTraceLimit = limit
  return stack
}

/** Places that the debugger was asked for, by body and access: a body that is tried again and again asks once. */
const asked = new WeakMap<object, Map<string, string | undefined>>()

/** A promise is awaited by effect, not by the author: the stack does not show who handed it over. */
const whereabouts = (access: string): string | undefined => {
  const code = guard.turn?.code
  if (code === undefined) return undefined
  let places = asked.get(code)
  if (places === undefined) asked.set(code, places = new Map())
  if (!places.has(access)) {
    places.set(access, undefined)
    places.set(access, Whereabouts.of(Option.getOrUndefined(Fiber.getCurrentFiber()), code))
  }
  return places.get(access)
}

const violate = (access: string, instead: string): never => {
  throw note(access, instead)
}

const sleepInstead = "Effect.sleep, which is a durable timer"
const randomInstead = "Workflow.random, Workflow.uuid or Effect's Random, which are seeded by the run"
const stepInstead = "an activity, or Step.run"
const forkInstead = "Effect.fork, and only what the body itself has made"

/** A fiber of another runtime began or was woken in a turn. @since 0.1.0 */
export const refuseOutsider = (): never => violate(outsider, forkInstead)
const outsider = "a fiber that runs apart from the body (Effect.run*, another Runtime)"

const turnNow = (): number => guard.turn!.time

const RealDate = Date
// A stand-in that is built once: `new Date()` and `Date()` give the turn's time, all else is Date's own.
const TurnDate: DateConstructor = new Proxy(RealDate, {
  construct: (target, args: Array<never>, newTarget): Date =>
    Reflect.construct(
      target,
      args.length === 0 ? [turnNow()] : args,
      newTarget === TurnDate ? target : newTarget
    ) as Date,
  apply: () => new RealDate(turnNow()).toString()
})

const turnNanos = (): bigint => BigInt(Math.trunc(turnNow())) * 1_000_000n
const turnHrtime = (since: readonly [number, number] = [0, 0]): [number, number] => {
  const nanos = turnNanos() - BigInt(since[0]) * 1_000_000_000n - BigInt(since[1])
  return [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)]
}
turnHrtime.bigint = turnNanos

const effectNeverMillis = 2 ** 31 - 1

const refusing = (access: string, instead: string) => (): never => violate(access, instead)

type ScheduleTask = Scheduler.Scheduler["scheduleTask"]

/** Fibers outside of the body that it woke: let go when the turn is over. */
const woken: Array<Parameters<ScheduleTask>> = []

/**
 * What is swapped. Each is written out by name, in `swapIn` and `swapOut` too: V8 makes such writes cheap, and a loop
 * over names costs twenty times as much (1.4 microseconds a turn instead of 0.07).
 */
const global = globalThis as unknown as {
  Date: DateConstructor
  setTimeout: unknown
  setInterval: unknown
  setImmediate: unknown
  queueMicrotask: unknown
  fetch: unknown
}
const date = Date as { now: unknown }
const math = Math as { random: unknown }
const clock = performance as { now: unknown }
const proc = process as unknown as { hrtime: unknown; nextTick: unknown }
const promise = Promise.prototype as { then: unknown }
const webCrypto = globalThis.crypto as { randomUUID: unknown; getRandomValues: unknown }
const effects = Scheduler.defaultScheduler as { scheduleTask: ScheduleTask }

const inTurn = {
  random: refusing("Math.random", randomInstead),
  setTimeout: refusing("setTimeout", sleepInstead),
  setInterval: (_: unknown, millis?: number) =>
    // `Effect.never` holds the process by an interval of exactly this length: in a body it waits without one.
    millis === effectNeverMillis ? undefined : violate("setInterval", sleepInstead),
  setImmediate: refusing("setImmediate", sleepInstead),
  queueMicrotask: refusing("queueMicrotask", "Effect.yieldNow"),
  fetch: refusing("fetch", stepInstead),
  nextTick: refusing("process.nextTick", "Effect.yieldNow"),
  then: refusing("a promise", stepInstead),
  randomUUID: refusing("crypto.randomUUID", randomInstead),
  getRandomValues: refusing("crypto.getRandomValues", randomInstead),
  // Effect's own scheduler, of every fiber that is not the body's. A throw from here would leave the fiber marked as
  // scheduled, so that nothing could ever wake it again.
  scheduleTask: ((task, priority, fiber) => {
    woken.push([task, priority, fiber])
    note(outsider, forkInstead)
  }) satisfies ScheduleTask
}

/** What stood in the places that are swapped. */
const outside = {
  Date: global.Date,
  dateNow: date.now,
  random: math.random,
  now: clock.now,
  hrtime: proc.hrtime,
  setTimeout: global.setTimeout,
  setInterval: global.setInterval,
  setImmediate: global.setImmediate,
  queueMicrotask: global.queueMicrotask,
  fetch: global.fetch,
  nextTick: proc.nextTick,
  then: promise.then,
  randomUUID: webCrypto.randomUUID,
  getRandomValues: webCrypto.getRandomValues,
  // As a property of its own from here on: one that comes and goes would slow the scheduler down for everybody.
  scheduleTask: effects.scheduleTask = effects.scheduleTask.bind(effects)
}

const swapIn = (): void => {
  guard.swapped = true
  outside.Date = global.Date
  outside.dateNow = date.now
  outside.random = math.random
  outside.now = clock.now
  outside.hrtime = proc.hrtime
  outside.setTimeout = global.setTimeout
  outside.setInterval = global.setInterval
  outside.setImmediate = global.setImmediate
  outside.queueMicrotask = global.queueMicrotask
  outside.fetch = global.fetch
  outside.nextTick = proc.nextTick
  outside.then = promise.then
  outside.randomUUID = webCrypto.randomUUID
  outside.getRandomValues = webCrypto.getRandomValues
  outside.scheduleTask = effects.scheduleTask
  global.Date = TurnDate
  date.now = turnNow
  math.random = inTurn.random
  clock.now = turnNow
  proc.hrtime = turnHrtime
  global.setTimeout = inTurn.setTimeout
  global.setInterval = inTurn.setInterval
  global.setImmediate = inTurn.setImmediate
  global.queueMicrotask = inTurn.queueMicrotask
  global.fetch = inTurn.fetch
  proc.nextTick = inTurn.nextTick
  // oxlint-disable-next-line unicorn/no-thenable
  promise.then = inTurn.then
  webCrypto.randomUUID = inTurn.randomUUID
  webCrypto.getRandomValues = inTurn.getRandomValues
  effects.scheduleTask = inTurn.scheduleTask
}

const swapOut = (): void => {
  guard.swapped = false
  global.Date = outside.Date
  date.now = outside.dateNow
  math.random = outside.random
  clock.now = outside.now
  proc.hrtime = outside.hrtime
  global.setTimeout = outside.setTimeout
  global.setInterval = outside.setInterval
  global.setImmediate = outside.setImmediate
  global.queueMicrotask = outside.queueMicrotask
  global.fetch = outside.fetch
  proc.nextTick = outside.nextTick
  // oxlint-disable-next-line unicorn/no-thenable
  promise.then = outside.then
  webCrypto.randomUUID = outside.randomUUID
  webCrypto.getRandomValues = outside.getRandomValues
  effects.scheduleTask = outside.scheduleTask
}

const swapFiberCounter = (guarded: Guarded): void => {
  const { current } = fiberCounter
  fiberCounter.current = guarded.fiberCount
  guarded.fiberCount = current
}

/**
 * Begins a turn, which may be within another one. What stands in the globals' places now is put back by `leave`: tests
 * replace the same ones.
 *
 * @category combinators
 * @since 0.1.0
 */
export const enter = (guarded: Guarded): void => {
  guarded.outer = guard.turn
  if (!guard.swapped && !guarded.unguarded) swapIn()
  swapFiberCounter(guarded)
  guard.turn = guarded
}

/**
 * Ends the turn that is on.
 *
 * @category combinators
 * @since 0.1.0
 */
export const leave = (guarded: Guarded): void => {
  // What was cut off had no time to end: a function that nothing watched, a turn within this one.
  if (guard.paused !== undefined) resume()
  while (guard.turn !== undefined && guard.turn !== guarded) leave(guard.turn)
  guard.turn = guarded.outer
  guarded.outer = undefined
  swapFiberCounter(guarded)
  if (guard.turn !== undefined || !guard.swapped) return
  swapOut()
  if (woken.length === 0) return
  for (const scheduled of woken.splice(0)) effects.scheduleTask(...scheduled)
}

/**
 * Runs a function of the author's outside of the guard, within a turn (row D10).
 *
 * @category combinators
 * @since 0.1.0
 */
export const pause = <A>(run: () => A): A => {
  const { turn } = guard
  if (turn === undefined || !guard.swapped) return run()
  guard.paused = turn
  guard.turn = undefined
  swapFiberCounter(turn)
  swapOut()
  try {
    return run()
  } finally {
    resume()
  }
}

const resume = (): void => {
  const { paused } = guard
  if (paused === undefined) return
  guard.paused = undefined
  guard.turn = paused
  swapIn()
  swapFiberCounter(paused)
}

// -----------------------------------------------------------------------------
// patched once, for good
// -----------------------------------------------------------------------------

// Named imports of Node's modules do not go through the globals.
const patch = (module: object, name: string, key: string, instead: string): void => {
  const original = (module as Record<string, unknown>)[key]
  if (typeof original !== "function") return
  const call = original as (...args: ReadonlyArray<unknown>) => unknown
  const wrapped = function(this: unknown, ...args: ReadonlyArray<unknown>): unknown {
    if (isWatching()) violate(`${name}.${key}`, instead)
    return Reflect.apply(call, this, args)
  }
  Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(call))
  ;(module as Record<string, unknown>)[key] = wrapped
}

const defaultOf = (module: object): object => (module as { readonly default?: object }).default ?? module

if (!guard.patched) {
  guard.patched = true
  const drawing = ["randomUUID", "randomBytes", "randomInt", "randomFill", "randomFillSync"]
  for (const key of drawing) patch(defaultOf(nodeCrypto), "crypto", key, randomInstead)
  for (const key of ["setTimeout", "setInterval", "setImmediate"]) {
    patch(defaultOf(nodeTimers), "timers", key, sleepInstead)
    patch(defaultOf(nodeTimersPromises), "timers/promises", key, sleepInstead)
  }
  syncBuiltinESMExports()

  // Identity hashes are drawn at random when an object is first hashed: in a turn they are all the same, so that the
  // order of a collection keyed by objects is that of insertion.
  identityHashes.has = (object: object): boolean => {
    if (WeakMap.prototype.has.call(identityHashes, object)) return true
    if (guard.turn === undefined) return false
    identityHashes.set(object, 0)
    return true
  }

  // The Random of fibers that are not the body's, as in `Effect.runSync(Random.next)`.
  const { number } = processRandom
  processRandom.number = (): number => {
    if (isWatching()) violate("the Random of another runtime", randomInstead)
    return number.call(processRandom)
  }
}
