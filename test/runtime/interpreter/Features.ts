/**
 * One small body for each feature of effect that DETERMINISM section 1 says holds, and for the hazards of section 2 that
 * the interpreter takes away. Each acts through activities and timers, so that its order shows in the history.
 */
import * as Cache from "effect/Cache"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Cron from "effect/Cron"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberMap from "effect/FiberMap"
import * as FiberRef from "effect/FiberRef"
import * as FiberSet from "effect/FiberSet"
import * as GroupBy from "effect/GroupBy"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as KeyedPool from "effect/KeyedPool"
import * as Mailbox from "effect/Mailbox"
import * as PartitionedSemaphore from "effect/PartitionedSemaphore"
import * as Pool from "effect/Pool"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as RateLimiter from "effect/RateLimiter"
import * as RcMap from "effect/RcMap"
import * as Ref from "effect/Ref"
import * as Request from "effect/Request"
import * as RequestResolver from "effect/RequestResolver"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as STM from "effect/STM"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TMap from "effect/TMap"
import * as TQueue from "effect/TQueue"
import * as TRef from "effect/TRef"
import { Workflow } from "perdure"
import { act } from "./Bodies.js"

const { gen } = Effect

/** Two fibers that wait for each other through something; each acts in between. */
const labels = (prefix: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`)

/** Ends with an activity that carries what the body saw. */
const tell = (seen: unknown) => act(JSON.stringify(seen))

class Lookup extends Request.TaggedClass("Lookup")<string, never, { readonly key: string }> {}

const resolver = (name: string) =>
  RequestResolver.makeBatched((requests: ReadonlyArray<Lookup>) =>
    gen(function*() {
      yield* act(`${name} ${requests.map(({ key }) => key).join()}`).pipe(Effect.orDie)
      yield* Effect.forEach(requests, (request) => Request.succeed(request, request.key), { discard: true })
    }).pipe(Effect.orDie)
  ).pipe(RequestResolver.contextFromEffect)

class Key {
  constructor(readonly name: string) {}
}

type Body = Effect.Effect<unknown, unknown, unknown>

export const features: Readonly<Record<string, Body>> = {
  // --- waiting
  async: gen(function*() {
    let wake: (effect: Effect.Effect<string>) => void = () => {}
    const fiber = yield* Effect.fork(Effect.async<string>((resume) => {
      wake = resume
    }))
    yield* Effect.yieldNow()
    yield* act("a")
    wake(Effect.succeed("woken"))
    yield* act("b")
    yield* tell(yield* Fiber.join(fiber))
  }),
  deferred: gen(function*() {
    const deferred = yield* Deferred.make<string>()
    const waiters = yield* Effect.forEach(
      labels("w", 4),
      (label) => Effect.fork(Effect.flatMap(Deferred.await(deferred), (value) => act(`${label} ${value}`)))
    )
    yield* act("before")
    yield* Deferred.succeed(deferred, "go")
    yield* act("after")
    yield* Fiber.joinAll(waiters)
  }),
  queue: gen(function*() {
    const queue = yield* Queue.bounded<string>(1)
    const takers = yield* Effect.forEach(
      labels("t", 3),
      (label) => Effect.fork(Effect.flatMap(Queue.take(queue), (item) => act(`${label} ${item}`)))
    )
    yield* Effect.forEach(labels("i", 3), (item) => Effect.zipRight(act(`offer ${item}`), Queue.offer(queue, item)))
    yield* Fiber.joinAll(takers)
  }),
  queueBackPressure: gen(function*() {
    const queue = yield* Queue.bounded<string>(1)
    yield* Effect.fork(
      Effect.forEach(labels("i", 4), (item) => Effect.zipRight(Queue.offer(queue, item), act(`offered ${item}`)))
    )
    yield* Effect.repeatN(Effect.flatMap(Queue.take(queue), (item) => act(`took ${item}`)), 3)
  }),
  pubsub: gen(function*() {
    const hub = yield* PubSub.unbounded<string>()
    yield* Effect.scoped(gen(function*() {
      const subscribers = yield* Effect.forEach(
        labels("s", 3),
        (label) =>
          Effect.flatMap(PubSub.subscribe(hub), (queue) =>
            Effect.fork(Effect.repeatN(
              Effect.flatMap(Queue.take(queue), (item) => act(`${label} ${item}`)),
              1
            )))
      )
      yield* Effect.forEach(labels("i", 2), (item) => Effect.zipRight(act(item), PubSub.publish(hub, item)))
      yield* Fiber.joinAll(subscribers)
    }))
  }),
  mailbox: gen(function*() {
    const mailbox = yield* Mailbox.make<string>()
    const reader = yield* Effect.fork(Effect.repeatN(Effect.flatMap(mailbox.take, (item) => act(`took ${item}`)), 2))
    yield* Effect.forEach(labels("i", 3), (item) => Effect.zipRight(act(item), mailbox.offer(item)))
    yield* Fiber.join(reader)
  }),
  subscriptionRef: gen(function*() {
    const ref = yield* SubscriptionRef.make(0)
    const watcher = yield* ref.changes.pipe(
      Stream.take(3),
      Stream.mapEffect((value) => act(`saw ${value}`)),
      Stream.runDrain,
      Effect.fork
    )
    yield* Effect.forEach([1, 2, 3], (value) => Effect.zipRight(act(`set ${value}`), SubscriptionRef.set(ref, value)))
    yield* Fiber.join(watcher)
  }),
  condition: gen(function*() {
    let open = 0
    const waiting = yield* Effect.forEach(
      labels("c", 3),
      (label, i) => Effect.fork(Effect.zipRight(Workflow.condition(() => open > i), act(label)))
    )
    for (let i = 0; i < 3; i++) {
      yield* act(`open ${i}`)
      open++
    }
    yield* Fiber.joinAll(waiting)
  }),

  // --- locks
  semaphore: gen(function*() {
    const semaphore = yield* Effect.makeSemaphore(2)
    yield* Effect.forEach(labels("j", 5), (label) => semaphore.withPermits(1)(act(label)), { concurrency: "unbounded" })
  }),
  latch: gen(function*() {
    const latch = yield* Effect.makeLatch()
    const waiting = yield* Effect.forEach(labels("l", 3), (label) => Effect.fork(latch.whenOpen(act(label))))
    yield* act("open")
    yield* latch.open
    yield* Fiber.joinAll(waiting)
  }),
  partitionedSemaphore: gen(function*() {
    const semaphore = yield* PartitionedSemaphore.make<string>({ permits: 2 })
    yield* Effect.forEach(["a", "a", "b", "b", "c"], (key, i) => semaphore.withPermits(key, 1)(act(`${key}${i}`)), {
      concurrency: "unbounded"
    })
  }),
  stm: gen(function*() {
    const balance = yield* TRef.make(0)
    const takers = yield* Effect.forEach([1, 2, 3], (amount) =>
      Effect.fork(Effect.zipRight(
        STM.commit(STM.flatMap(TRef.get(balance), (held) =>
          STM.zipRight(
            STM.check(() => held >= amount),
            TRef.set(balance, held - amount)
          ))),
        act(`took ${amount}`)
      )))
    for (let i = 0; i < 6; i++) {
      yield* act(`pay ${i}`)
      yield* STM.commit(TRef.update(balance, (held) => held + 1))
    }
    yield* Fiber.joinAll(takers)
  }),
  stmQueue: gen(function*() {
    const queue = yield* TQueue.bounded<string>(1)
    yield* Effect.fork(
      Effect.forEach(labels("i", 4), (item) => Effect.zipRight(TQueue.offer(queue, item), act(`offered ${item}`)))
    )
    yield* Effect.repeatN(Effect.flatMap(TQueue.take(queue), (item) => act(`took ${item}`)), 3)
  }),

  // --- fibers
  fork: gen(function*() {
    const fibers = yield* Effect.forEach(
      labels("f", 3),
      (label) => Effect.fork(Effect.zipRight(act(`${label} first`), act(`${label} second`)))
    )
    yield* act("parent")
    yield* tell(yield* Fiber.joinAll(fibers))
  }),
  forkKinds: Effect.scoped(gen(function*() {
    const scope = yield* Scope.make()
    yield* Effect.forkDaemon(act("daemon"))
    yield* Effect.forkIn(act("in"), scope)
    yield* Effect.forkScoped(act("scoped"))
    yield* Effect.fork(act("child"))
    yield* act("parent")
    yield* act("parent again")
    yield* Scope.close(scope, Exit.void)
  })),
  fiberSet: Effect.scoped(gen(function*() {
    const set = yield* FiberSet.make<unknown, unknown>()
    yield* Effect.forEach(labels("s", 4), (label) => FiberSet.run(set, act(label)))
    yield* FiberSet.awaitEmpty(set)
    yield* act("empty")
  })),
  fiberSetRuntime: Effect.scoped(gen(function*() {
    const set = yield* FiberSet.make<unknown, unknown>()
    const run = yield* FiberSet.runtime(set)<never>()
    for (const label of labels("r", 3)) run(act(label) as Effect.Effect<unknown, unknown>)
    yield* act("parent")
    yield* FiberSet.awaitEmpty(set)
  })),
  fiberMap: Effect.scoped(gen(function*() {
    const map = yield* FiberMap.make<string, unknown, unknown>()
    yield* Effect.forEach(labels("m", 3), (label) => FiberMap.run(map, label, act(label)))
    yield* FiberMap.run(map, "m1", act("m1 again"))
    yield* act("parent")
    yield* FiberMap.awaitEmpty(map)
  })),
  fiberRefs: gen(function*() {
    const ref = FiberRef.unsafeMake("root")
    const child = yield* Effect.fork(Effect.zipRight(act("child"), FiberRef.set(ref, "child")))
    yield* Fiber.join(child)
    yield* Effect.all([
      Effect.zipRight(act("a"), FiberRef.set(ref, "a")),
      Effect.zipRight(act("b"), FiberRef.set(ref, "b"))
    ], { concurrency: "unbounded" })
    yield* tell(yield* FiberRef.get(ref))
  }),
  yieldNow: gen(function*() {
    yield* Effect.fork(Effect.forEach(labels("a", 3), (label) => Effect.zipRight(Effect.yieldNow(), act(label))))
    yield* Effect.fork(
      Effect.forEach(labels("b", 3), (label) => Effect.zipRight(Effect.yieldNow({ priority: 5 }), act(label)))
    )
    yield* Effect.yieldNow({ priority: -3 })
    yield* act("c0")
    yield* Effect.yieldNow()
    yield* act("c1")
    yield* act("c2")
  }),
  manyOperations: gen(function*() {
    const busy = (label: string, operations: number) =>
      Effect.zipRight(Effect.repeatN(Effect.sync(() => {}), operations), act(label))
    yield* Effect.all([busy("slow", 5_000), busy("fast", 10)], { concurrency: "unbounded" })
  }),

  // --- concurrency
  all: Effect.all(labels("a", 5).map((label) => act(label)), { concurrency: "unbounded" }),
  allBounded: Effect.all(labels("a", 6).map((label) => act(label)), { concurrency: 2 }),
  allFailing: gen(function*() {
    const exit = yield* Effect.exit(Effect.all(
      labels("a", 5).map((label, i) =>
        Effect.flatMap(
          Effect.ensuring(act(label), Effect.ignore(act(`${label} finalized`))),
          () => i === 2 ? Effect.fail("third") : Effect.void
        )
      ),
      { concurrency: "unbounded" }
    ))
    yield* tell(Exit.isFailure(exit) ? Cause.squash(exit.cause) : "?")
  }),
  allValidate: Effect.all(
    labels("a", 4).map((label, i) =>
      Effect.flatMap(act(label), () => i % 2 === 0 ? Effect.fail(label) : Effect.succeed(label))
    ),
    { concurrency: 2, mode: "validate" }
  ).pipe(Effect.catchAll(tell)),
  forEachTimers: Effect.forEach(
    [30, 10, 20, 10],
    (millis, i) => Effect.zipRight(Effect.sleep(millis), act(`slept ${millis} as ${i}`)),
    { concurrency: "unbounded" }
  ),
  race: Effect.flatMap(Effect.race(act("left"), act("right")), tell),
  raceAll: Effect.flatMap(Effect.raceAll(labels("r", 4).map((label) => act(label))), tell),
  raceFirst: gen(function*() {
    const loser = Effect.onInterrupt(act("loser"), () => Effect.ignore(act("loser cleaned up")))
    yield* tell(yield* Effect.raceFirst(loser, act("winner")))
  }),
  timeouts: gen(function*() {
    yield* tell(yield* Effect.option(Effect.timeout(act("slow"), "5 millis")))
    yield* tell(yield* Effect.timeoutOption(act("one"), "5 millis"))
    yield* tell(yield* Effect.timeoutTo(act("two"), { duration: "5 millis", onSuccess: () => 1, onTimeout: () => 2 }))
    yield* tell(
      yield* Effect.either(Effect.timeoutFail(act("three"), { duration: "5 millis", onTimeout: () => "late" }))
    )
    yield* tell(yield* Effect.timeoutOption(Effect.disconnect(act("four")), "5 millis"))
  }),
  zipConcurrent: gen(function*() {
    yield* tell(yield* Effect.zip(act("l"), act("r"), { concurrent: true }))
    yield* tell(yield* Effect.zipWith(act("l"), act("r"), (l, r) => [r, l], { concurrent: true }))
  }),
  merge: gen(function*() {
    yield* Effect.mergeAll(labels("m", 4).map((label) => act(label)), "", (all, one) => `${all}${String(one)}`, {
      concurrency: 2
    }).pipe(Effect.flatMap(tell))
  }),
  retry: gen(function*() {
    let tries = 0
    const flaky = Effect.flatMap(act("try"), () => ++tries < 4 ? Effect.fail("again") : Effect.succeed(tries))
    yield* tell(yield* Effect.retry(flaky, Schedule.exponential("10 millis").pipe(Schedule.jittered)))
  }),

  // --- interruption and finalizers
  interrupt: gen(function*() {
    const child = Effect.onInterrupt(act("child"), () => Effect.ignore(act("child cleaned up")))
    const parent = gen(function*() {
      yield* Effect.fork(child)
      yield* Effect.fork(Effect.onInterrupt(act("second"), () => Effect.ignore(act("second cleaned up"))))
      yield* Effect.onInterrupt(act("own"), () => Effect.ignore(act("own cleaned up")))
    })
    const fiber = yield* Effect.fork(parent)
    yield* act("main")
    yield* Fiber.interrupt(fiber)
    yield* act("after")
  }),
  interruptFork: gen(function*() {
    const fibers = yield* Effect.forEach(
      labels("i", 3),
      (label) => Effect.fork(Effect.ensuring(act(label), Effect.ignore(act(`${label} done`))))
    )
    yield* act("main")
    yield* Fiber.interruptAllAs(fibers, FiberId.none)
  }),
  scopeOrder: Effect.scoped(gen(function*() {
    yield* Effect.forEach(labels("f", 3), (label) => Effect.addFinalizer(() => Effect.ignore(act(`${label} closed`))))
    yield* act("used")
  })),
  parallelFinalizers: Effect.scoped(Effect.parallelFinalizers(gen(function*() {
    yield* Effect.forEach(labels("f", 3), (label) => Effect.addFinalizer(() => Effect.ignore(act(`${label} closed`))))
    yield* act("used")
  }))),
  acquireUseRelease: gen(function*() {
    const use = (label: string) =>
      Effect.acquireUseRelease(
        act(`${label} acquired`),
        () => act(`${label} used`),
        () => Effect.ignore(act(`${label} released`))
      )
    yield* Effect.raceFirst(use("a"), use("b"))
  }),

  // --- streams
  streamMerge: Stream.merge(
    Stream.fromIterable(labels("l", 3)).pipe(Stream.mapEffect((label) => act(label))),
    Stream.fromIterable(labels("r", 3)).pipe(Stream.mapEffect((label) => act(label)))
  ).pipe(Stream.runCollect, Effect.flatMap(tell)),
  streamMapEffect: Stream.fromIterable(labels("s", 6)).pipe(
    Stream.mapEffect((label) => act(label), { concurrency: 3 }),
    Stream.runCollect,
    Effect.flatMap(tell)
  ),
  streamUnordered: Stream.fromIterable(labels("s", 6)).pipe(
    Stream.mapEffect((label) => act(label), { concurrency: 3, unordered: true }),
    Stream.runCollect,
    Effect.flatMap(tell)
  ),
  streamFlatMap: Stream.fromIterable(labels("s", 3)).pipe(
    Stream.flatMap((label) => Stream.fromEffect(act(label)).pipe(Stream.concat(Stream.fromEffect(act(`${label}'`)))), {
      concurrency: 2
    }),
    Stream.runCollect,
    Effect.flatMap(tell)
  ),
  streamGroupByKey: Stream.fromIterable(["a", "b", "a", "c", "b"]).pipe(
    Stream.groupByKey((key) => key),
    GroupBy.evaluate((key, group) => Stream.mapEffect(group, () => act(`group ${key}`))),
    Stream.runCollect,
    Effect.flatMap(tell)
  ),
  streamTime: gen(function*() {
    const ticks = Stream.fromSchedule(Schedule.fixed("10 millis")).pipe(Stream.take(5))
    yield* tell(yield* ticks.pipe(Stream.debounce("25 millis"), Stream.runCollect))
    yield* tell(
      yield* ticks.pipe(
        Stream.throttle({ cost: () => 1, units: 1, duration: "15 millis" }),
        Stream.runCollect
      )
    )
    yield* tell(yield* ticks.pipe(Stream.groupedWithin(3, "25 millis"), Stream.runCollect))
  }),

  // --- resources that ask the clock
  cache: gen(function*() {
    const cache = yield* Cache.make({
      capacity: 2,
      timeToLive: "10 millis",
      lookup: (key: string) => act(`look ${key}`)
    })
    yield* Effect.forEach(["a", "b", "a", "c", "a"], (key) => cache.get(key), { concurrency: 2 })
    yield* Effect.sleep("20 millis")
    yield* cache.get("a")
  }),
  cachedWithTTL: gen(function*() {
    const cached = yield* Effect.cachedWithTTL(act("compute"), "10 millis")
    yield* Effect.all([cached, cached], { concurrency: "unbounded" })
    yield* Effect.sleep("20 millis")
    yield* cached
  }),
  pool: Effect.scoped(gen(function*() {
    let made = 0
    const pool = yield* Pool.makeWithTTL({
      acquire: Effect.acquireRelease(
        Effect.suspend(() => act(`make ${made++}`)),
        (item) => Effect.ignore(act(`drop ${String(item)}`))
      ),
      min: 1,
      max: 3,
      timeToLive: "10 millis"
    })
    yield* Effect.forEach(
      labels("u", 4),
      (label) => Effect.scoped(Effect.flatMap(pool.get, (item) => act(`${label} ${String(item)}`))),
      { concurrency: "unbounded" }
    )
    yield* Effect.sleep("50 millis")
  })),
  keyedPool: Effect.scoped(gen(function*() {
    const pool = yield* KeyedPool.make({ acquire: (key: string) => act(`make ${key}`), size: 1 })
    yield* Effect.forEach(
      ["a", "b", "a"],
      (key) => Effect.scoped(Effect.flatMap(pool.get(key), (item) => act(`use ${String(item)}`))),
      { concurrency: "unbounded" }
    )
  })),
  rcMap: Effect.scoped(gen(function*() {
    const map = yield* RcMap.make({
      lookup: (key: string) => Effect.acquireRelease(act(`open ${key}`), () => Effect.ignore(act(`close ${key}`))),
      idleTimeToLive: "10 millis"
    })
    yield* Effect.forEach(
      ["a", "b", "a"],
      (key) => Effect.scoped(Effect.zipRight(RcMap.get(map, key), act(`use ${key}`))),
      { concurrency: "unbounded" }
    )
    yield* Effect.sleep("30 millis")
  })),
  rateLimiter: Effect.scoped(gen(function*() {
    const limit = yield* RateLimiter.make({ limit: 2, interval: "20 millis" })
    yield* Effect.forEach(labels("r", 5), (label) => limit(act(label)), { concurrency: "unbounded" })
  })),

  // --- time and chance
  schedules: gen(function*() {
    yield* Effect.repeat(act("fixed"), Schedule.fixed("10 millis").pipe(Schedule.intersect(Schedule.recurs(2))))
    yield* Effect.repeat(
      act("jittered"),
      Schedule.spaced("10 millis").pipe(Schedule.jittered, Schedule.intersect(Schedule.recurs(2)))
    )
    yield* Effect.repeat(
      act("cron"),
      Schedule.cron("*/5 * * * *", "Europe/Berlin").pipe(Schedule.intersect(Schedule.recurs(2)))
    )
  }),
  time: gen(function*() {
    const [elapsed] = yield* Effect.timed(Effect.sleep("1500 millis"))
    yield* tell(elapsed)
    yield* tell(DateTime.formatIso(yield* DateTime.now))
    yield* tell([yield* Clock.currentTimeMillis, String(yield* Clock.currentTimeNanos), yield* Workflow.now])
  }),
  realTime: gen(function*() {
    yield* act("wait")
    const zone = DateTime.zoneUnsafeMakeNamed("Asia/Tokyo")
    yield* tell([
      Date.now(),
      new Date().toISOString(),
      performance.now(),
      process.hrtime(),
      String(process.hrtime.bigint()),
      DateTime.formatIso(DateTime.unsafeNow()),
      DateTime.formatIsoZoned(DateTime.setZone(DateTime.unsafeNow(), zone)),
      Cron.next(Cron.unsafeParse("0 4 * * *", "UTC")).toISOString()
    ])
  }),
  random: gen(function*() {
    yield* tell(yield* Random.shuffle([1, 2, 3, 4, 5, 6]))
    yield* tell([yield* Random.next, yield* Random.nextInt, yield* Random.nextBoolean, yield* Random.nextRange(1, 2)])
    yield* tell([yield* Random.choice(["a", "b", "c"]), yield* Workflow.random, yield* Workflow.uuid])
  }),

  // --- orders that hash
  hashOrder: gen(function*() {
    const keys = labels("key", 20)
    yield* tell([...HashSet.fromIterable(keys)])
    yield* tell([...HashMap.keys(HashMap.fromIterable(keys.map((key) => [key, 1] as const)))])
    const map = yield* TMap.fromIterable(keys.map((key) => [key, 1] as const))
    yield* tell(yield* TMap.keys(map))
  }),
  identityHashOrder: gen(function*() {
    const keys = labels("key", 12).map((name) => new Key(name))
    yield* tell([...HashSet.fromIterable(keys)].map(({ name }) => name))
    yield* tell([...HashMap.keys(HashMap.fromIterable(keys.map((key) => [key, 1] as const)))].map(({ name }) => name))
    const map = yield* TMap.fromIterable(keys.map((key) => [key, 1] as const))
    yield* tell((yield* TMap.keys(map)).map(({ name }) => name))
  }),
  fiberHashOrder: gen(function*() {
    const fibers = yield* Effect.forEach(labels("f", 6), (label) => Effect.fork(act(label)))
    yield* tell([...HashSet.fromIterable(fibers.map((fiber) => fiber.id()))].map((id) => FiberId.threadName(id)))
    yield* Fiber.joinAll(HashSet.fromIterable(fibers))
  }),
  fiberIds: gen(function*() {
    const child = yield* Effect.fork(Effect.never)
    yield* tell([yield* Effect.fiberId, child.id()])
    yield* act("later")
    yield* Fiber.interrupt(child)
    yield* tell(yield* Fiber.await(yield* Effect.fork(Effect.dieMessage("on purpose"))))
  }),
  batching: gen(function*() {
    const resolvers = yield* Effect.forEach(labels("resolver", 5), (name) => resolver(name))
    const found = yield* Effect.forEach(
      resolvers.flatMap((each) => [[each, "x"], [each, "y"]] as const),
      ([each, key]) => Effect.request(new Lookup({ key }), each),
      { batching: true }
    )
    yield* tell(found)
  }),
  requestCache: gen(function*() {
    const look = Effect.flatMap(
      resolver("cached"),
      (each) => Effect.forEach(["x", "y", "x"], (key) => Effect.request(new Lookup({ key }), each))
    )
    yield* Effect.withRequestCaching(look, true)
    yield* Effect.withRequestCaching(look, true)
    yield* act("end")
  }),
  sharedState: gen(function*() {
    const ref = yield* Ref.make<ReadonlyArray<string>>([])
    yield* Effect.forEach(
      labels("r", 4),
      (label) => Effect.zipRight(act(label), Ref.update(ref, (seen) => [...seen, label])),
      { concurrency: "unbounded" }
    )
    yield* tell(yield* Ref.get(ref))
  })
}
