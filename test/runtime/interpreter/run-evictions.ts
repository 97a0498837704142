/**
 * Evicts 1,000 bodies of each kind, in the middle of what they do, and prints what is left of them, as JSON. Needs
 * `node --expose-gc`.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { Workflow } from "perdure"
import { act, host } from "./Bodies.js"
import { Driver, hostOf } from "./Driver.js"

declare const gc: () => void

let finalized = 0
const finalizer = Effect.sync(() => {
  finalized++
})
const { gen } = Effect

const Talking = Workflow.make("Talking", { signals: { go: {} }, queries: { wait: {} } })
const talking = hostOf(Talking.toLayer(() =>
  Effect.map(Deferred.make<void>(), (deferred) =>
    Talking.of({
      signals: { go: () => Effect.ensuring(Deferred.await(deferred), finalizer) },
      queries: { wait: () => Effect.ensuring(Deferred.await(deferred), Effect.void) },
      run: Effect.ensuring(Deferred.await(deferred), finalizer)
    }))
))

const plain = (body: Effect.Effect<unknown, unknown, unknown>) => {
  const hosted = host(Effect.ensuring(body, finalizer))
  return () => {
    const driver = new Driver(hosted)
    driver.start()
    return driver
  }
}

/** Each begins one body and leaves it waiting. */
const kinds: Readonly<Record<string, () => Driver>> = {
  activity: plain(act("a")),
  timeout: plain(Effect.timeout(act("a"), "1 hour")),
  never: plain(Effect.never),
  all: plain(Effect.all(Array.from({ length: 5 }, (_, i) => Effect.ensuring(act(`a${i}`), finalizer)), {
    concurrency: "unbounded"
  })),
  daemons: plain(gen(function*() {
    yield* Effect.forkDaemon(Effect.ensuring(act("daemon"), finalizer))
    yield* Effect.forkDaemon(Effect.never)
    yield* act("a")
  })),
  scope: plain(Effect.scoped(gen(function*() {
    yield* Effect.addFinalizer(() => finalizer)
    const semaphore = yield* Effect.makeSemaphore(1)
    yield* Effect.forkScoped(Effect.forever(semaphore.withPermits(1)(act("held"))))
    yield* Effect.yieldNow()
    yield* semaphore.withPermits(1)(act("waiting"))
  }))),
  fiberSet: plain(Effect.scoped(gen(function*() {
    const set = yield* FiberSet.make<unknown, unknown>()
    yield* FiberSet.run(set, Effect.ensuring(act("a"), finalizer))
    yield* FiberSet.join(set)
  }))),
  spans: plain(Effect.withSpan(Effect.withSpan(act("a"), "inner"), "outer")),
  queue: plain(Effect.flatMap(Queue.unbounded<number>(), Queue.take)),
  stream: plain(Stream.runDrain(Stream.merge(
    Stream.fromSchedule(Schedule.spaced("1 hour")),
    Stream.mapEffect(Stream.range(0, 5), () => act("s"), { concurrency: 3 })
  ))),
  condition: plain(Workflow.condition(() => false)),
  generator: plain(gen(function*() {
    try {
      yield* act("a")
    } finally {
      finalized++
    }
  })),
  catchCancel: plain(Workflow.catchCancel(Effect.ensuring(act("a"), finalizer), () => Effect.void)),
  saga: plain(gen(function*() {
    yield* Workflow.withCompensation(Effect.void, () => finalizer)
    yield* act("a")
  })),
  compensating: (() => {
    const hosted = host(gen(function*() {
      yield* Workflow.withCompensation(Effect.void, () => Effect.ensuring(act("undo"), finalizer))
      yield* Effect.fail("on purpose")
    }))
    return () => {
      const driver = new Driver(hosted)
      driver.start()
      return driver
    }
  })(),
  interrupted: (() => {
    const hosted = host(Effect.ensuring(Effect.onInterrupt(act("a"), () => Effect.ignore(act("clean up"))), finalizer))
    return () => {
      const driver = new Driver(hosted)
      driver.start()
      driver.cancel()
      return driver
    }
  })(),
  layer: plain(Effect.provide(act("a"), Layer.scopedDiscard(Effect.addFinalizer(() => finalizer)))),
  handlers: () => {
    const driver = new Driver(talking)
    driver.start()
    driver.signal("go")
    driver.interpreter.query("wait", undefined)
    return driver
  },
  failed: () => {
    const driver = new Driver(failing)
    driver.start()
    try {
      driver.complete(1)
    } catch {
      // On purpose.
    }
    return driver
  }
}
const failing = host(Effect.ensuring(
  gen(function*() {
    yield* Effect.forkDaemon(Effect.never)
    yield* act("a")
    Math.random()
  }),
  finalizer
))

const bodies = 1_000
const left: Record<string, unknown> = {}
for (const [name, begin] of Object.entries(kinds)) {
  const roots = Fiber.unsafeRoots().length
  const resources = process.getActiveResourcesInfo().length
  finalized = 0
  const fibers: Array<WeakRef<object>> = []
  const drivers = Array.from({ length: bodies }, () => {
    const driver = begin()
    const { tracker } = driver.interpreter as unknown as { readonly tracker: { readonly alive: Iterable<object> } }
    for (const fiber of tracker.alive) fibers.push(new WeakRef(fiber))
    return driver
  })
  const held = Fiber.unsafeRoots().length - roots
  for (const driver of drivers) driver.interpreter.evict()
  const counted = drivers.reduce((sum, { interpreter }) => sum + interpreter.fibers, 0)
  const alive = () => fibers.filter((fiber) => fiber.deref() !== undefined).length
  // What a WeakRef was asked for stays until the end of the job, and the engine's own caches may hold the last one or
  // two for a little longer.
  for (let round = 0; round < 10; round++) {
    await new Promise((resolve) => setImmediate(resolve))
    gc()
    await new Promise((resolve) => setImmediate(resolve))
    if (alive() === 0) break
  }
  left[name] = {
    begun: fibers.length,
    held,
    roots: Fiber.unsafeRoots().length - roots,
    counted,
    finalized,
    handles: process.getActiveResourcesInfo().length - resources,
    fibers: alive(),
    // The interpreters themselves are still held.
    drivers: drivers.length
  }
}
process.stdout.write(JSON.stringify(left))
