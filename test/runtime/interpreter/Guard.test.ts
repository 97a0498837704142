/**
 * Goal: nothing from outside gets into a body unrecorded (I8; DETERMINISM section 2.1 and section 8, points 2 and 3). What
 * tries fails the turn with an error that names the line, even when the body catches everything; and nobody else ever
 * notices the guard.
 *
 * Method: each way in is one body. Its line is found again in this very file.
 */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Micro from "effect/Micro"
import * as Random from "effect/Random"
import * as Runtime from "effect/Runtime"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import * as STM from "effect/STM"
import * as TRef from "effect/TRef"
import { randomBytes, randomUUID } from "node:crypto"
import { readFile } from "node:fs/promises"
import { performance } from "node:perf_hooks"
import { setTimeout as setNodeTimeout } from "node:timers"
import { setTimeout as sleepNode } from "node:timers/promises"
import { Workflow } from "perdure"
import * as Guard from "../../../src/runtime/interpreter/Guard.js"
import { authorPlace, UnrecordedAccess } from "../../../src/runtime/interpreter/TurnFailure.js"
import { act, host } from "./Bodies.js"
import { brief, Driver, epoch } from "./Driver.js"
import { lineOf } from "./Lines.js"

const { gen } = Effect
type Body = Effect.Effect<unknown, unknown, unknown>

const globals = () => [
  Date,
  Date.now,
  Math.random,
  globalThis.performance.now,
  process.hrtime,
  setTimeout,
  setInterval,
  setImmediate,
  queueMicrotask,
  fetch,
  process.nextTick,
  // oxlint-disable-next-line unicorn/no-thenable
  Promise.prototype.then,
  crypto.randomUUID,
  crypto.getRandomValues,
  Scheduler.defaultScheduler.scheduleTask
]

/** The turn fails by what the body did, at the line that has the words. */
const refuses = (body: Body, access: string, words: string): void => {
  const before = globals()
  const driver = new Driver(host(body))
  let thrown: unknown
  try {
    driver.start()
  } catch (error) {
    thrown = error
  }
  driver.interpreter.evict()
  assert.instanceOf(thrown, UnrecordedAccess)
  const { place } = thrown as UnrecordedAccess
  assert.strictEqual((thrown as UnrecordedAccess).access, access)
  assert.include(lineOf(place, "Guard.test.ts"), words, `place ${place}`)
  globals().forEach((value, i) => assert.strictEqual(value, before[i]))
}

const outsider = "a fiber that runs apart from the body (Effect.run*, another Runtime)"
const live = ManagedRuntime.make(Layer.empty)
const captured = Runtime.defaultRuntime
const resolved = Promise.resolve(1)
const promised = async () => 1

class Mine extends Context.Tag("Mine")<Mine, number>() {}

/** Words that stand on the line that is refused, by what is refused and how the body does it. */
const ways: ReadonlyArray<readonly [way: string, access: string, words: string, body: Body]> = [
  ["Math.random", "Math.random", "Math.random()", Effect.sync(() => Math.random())],
  ["setTimeout", "setTimeout", "setTimeout(() =>", Effect.sync(() => setTimeout(() => {}, 1))],
  ["setInterval", "setInterval", "setInterval(() =>", Effect.sync(() => setInterval(() => {}, 1))],
  ["setImmediate", "setImmediate", "setImmediate(() =>", Effect.sync(() => setImmediate(() => {}))],
  ["queueMicrotask", "queueMicrotask", "queueMicrotask(() =>", Effect.sync(() => queueMicrotask(() => {}))],
  ["process.nextTick", "process.nextTick", "nextTick(() =>", Effect.sync(() => process.nextTick(() => {}))],
  ["fetch", "fetch", "fetch(\"http", Effect.sync(() => fetch("http://127.0.0.1:1"))],
  ["crypto.randomUUID", "crypto.randomUUID", "crypto.randomUUID()", Effect.sync(() => crypto.randomUUID())],
  [
    "crypto.getRandomValues",
    "crypto.getRandomValues",
    "getRandomValues(new",
    Effect.sync(() => crypto.getRandomValues(new Uint8Array(1)))
  ],
  ["randomUUID of node:crypto", "crypto.randomUUID", "Effect.sync(() => randomUUID", Effect.sync(() => randomUUID())],
  ["randomBytes of node:crypto", "crypto.randomBytes", "randomBytes(4)", Effect.sync(() => randomBytes(4))],
  [
    "setTimeout of node:timers",
    "timers.setTimeout",
    "setNodeTimeout(()",
    Effect.sync(() => setNodeTimeout(() => {}, 1))
  ],
  ["node:timers/promises", "timers/promises.setTimeout", "sleepNode(1)", Effect.promise(() => sleepNode(1))],
  ["a promise's then", "a promise", "resolved.then(", Effect.sync(() => resolved.then(() => {}))],
  [
    "setTimeout in Effect.async",
    "setTimeout",
    "setTimeout(() => resume",
    Effect.async((resume) => {
      setTimeout(() => resume(Effect.void), 1)
    })
  ],
  [
    "Effect.promise",
    "a promise",
    "Effect.promise(() => resolved)",
    gen(function*() {
      yield* act("before").pipe(Effect.fork)
      yield* Effect.promise(() => resolved)
    })
  ],
  [
    "Effect.promise of an async function",
    "a promise",
    "Effect.promise(promised)",
    gen(function*() {
      const child = yield* Effect.fork(gen(function*() {
        yield* Effect.yieldNow()
        yield* Effect.promise(promised)
      }))
      yield* Fiber.join(child)
    })
  ],
  [
    "Effect.tryPromise",
    "a promise",
    "Effect.tryPromise(promised)",
    gen(function*() {
      const outcome = yield* Effect.either(Effect.tryPromise(promised))
      return outcome._tag
    })
  ],
  [
    "Effect.tryPromise around I/O",
    "a promise",
    "readFile(",
    gen(function*() {
      yield* Effect.tryPromise(() => readFile("/dev/null"))
    })
  ],
  [
    "andThen with a promise",
    "a promise",
    "Effect.andThen(() => resolved)",
    gen(function*() {
      yield* act("x").pipe(Effect.fork, Effect.andThen(() => resolved))
    })
  ],
  [
    "a promise between pipes",
    "a promise",
    "Effect.flatMap((value) => act(`got ${value}`))",
    Effect.promise(() => resolved).pipe(
      Effect.flatMap((value) => act(`got ${value}`))
    )
  ],
  [
    "Effect.runFork of a step",
    outsider,
    "Effect.runFork(step",
    Effect.flatMap(Effect.context<never>(), (context) =>
      Effect.sync(() => {
        const step = Effect.provide(act("escaped"), context) as Effect.Effect<unknown, unknown>
        Effect.runFork(step)
      }))
  ],
  [
    "Effect.runFork that yields",
    outsider,
    "Effect.runFork(Effect.yieldNow",
    Effect.sync(() => Effect.runFork(Effect.yieldNow()))
  ],
  [
    "Effect.runPromise of a step",
    outsider,
    "Effect.runPromise(step",
    Effect.flatMap(Effect.context<never>(), (context) =>
      Effect.sync(() => {
        const step = Effect.provide(act("escaped"), context) as Effect.Effect<unknown, unknown>
        void Effect.runPromise(step)
      }))
  ],
  [
    "Effect.runPromise, awaited",
    "a promise",
    "Effect.promise(() => Effect.runPromise",
    gen(function*() {
      yield* Effect.promise(() => Effect.runPromise(Effect.succeed(1)))
    })
  ],
  [
    "Effect.runSync of a step",
    outsider,
    "Effect.runSync(step",
    Effect.flatMap(Effect.context<never>(), (context) =>
      Effect.sync(() => {
        const step = Effect.provide(act("escaped"), context) as Effect.Effect<unknown, unknown>
        Effect.runSync(step)
      }))
  ],
  [
    "Effect.runSync of a random number",
    "the Random of another runtime",
    "Effect.runSync(Random.next)",
    Effect.sync(() => Effect.runSync(Random.next))
  ],
  [
    "Effect.runSync of a sleep",
    "setTimeout",
    "Effect.runSync(Effect.sleep(1))",
    Effect.sync(() => Effect.runSync(Effect.sleep(1)))
  ],
  [
    "a ManagedRuntime",
    outsider,
    "live.runFork(step",
    Effect.flatMap(Effect.context<never>(), (context) =>
      Effect.sync(() => {
        const step = Effect.provide(act("escaped"), context) as Effect.Effect<unknown, unknown>
        live.runFork(step)
      }))
  ],
  [
    "a ManagedRuntime's promise",
    "a promise",
    "live.runPromise(Effect.void)",
    gen(function*() {
      yield* Effect.promise(() => live.runPromise(Effect.void))
    })
  ],
  [
    "a Runtime captured outside",
    outsider,
    "Runtime.runFork(captured)",
    Effect.flatMap(Effect.context<never>(), (context) =>
      Effect.sync(() => {
        const step = Effect.provide(act("escaped"), context) as Effect.Effect<unknown, unknown>
        Runtime.runFork(captured)(step)
      }))
  ],
  [
    "a Clock captured outside",
    "setTimeout",
    "Effect.withClock(real)",
    gen(function*() {
      const real = Clock.make()
      yield* Effect.sleep(5).pipe(Effect.withClock(real))
    })
  ],
  [
    "STM on another scheduler",
    outsider,
    "Effect.runFork(STM.commit",
    gen(function*() {
      const ref = yield* STM.commit(TRef.make(0))
      Effect.runFork(STM.commit(STM.check(() => false).pipe(STM.zipRight(TRef.get(ref)))))
      yield* STM.commit(TRef.set(ref, 1))
      Effect.runFork(Effect.yieldNow()) // Effect.runFork(STM.commit
    })
  ]
]

describe("what lets the outside in fails the turn and names the line", () => {
  for (const [way, access, words, body] of ways) {
    it(way, () => refuses(body, access, words))
    it(`${way}, when the body catches everything`, () => {
      refuses(
        body.pipe(Effect.catchAllCause(() => Effect.void), Effect.zipRight(Effect.forever(act("on")))),
        access,
        words
      )
    })
  }

  it("on a fiber of the body that was forked", () => {
    refuses(
      Effect.zipRight(Effect.forkDaemon(Effect.sync(() => Math.random())), act("x")),
      "Math.random",
      "Math.random()"
    )
  })

  it("in a finalizer", () => {
    refuses(Effect.scoped(Effect.addFinalizer(() => Effect.sync(() => Math.random()))), "Math.random", "Math.random()")
  })

  it("in a later turn", () => {
    const driver = new Driver(host(Effect.zipRight(act("x"), Effect.sync(() => Math.random()))))
    driver.start()
    assert.throws(() => driver.complete(1), UnrecordedAccess)
  })

  it("its message says what to use instead", () => {
    const driver = new Driver(host(Effect.sync(() => Math.random())))
    assert.throws(
      () => driver.start(),
      /^Math\.random in a workflow body \(.*Guard\.test\.ts:\d+:\d+\): it would not be the same on replay\. Use Workflow\.random/
    )
  })

  it("the body runs no further once it was refused", () => {
    let after = false
    const driver = new Driver(host(
      Effect.sync(() => Math.random()).pipe(
        Effect.catchAllCause(() => Effect.void),
        Effect.ensuring(Effect.sync(() => {
          after = true
        }))
      )
    ))
    assert.throws(() => driver.start(), UnrecordedAccess)
    assert.isFalse(after)
  })
})

describe("what cannot be stopped at once is caught when it comes back", () => {
  it("a thenable that is no promise", async () => {
    const thenable = { then: (resolve: (value: number) => void) => void setTimeoutOutside(() => resolve(1), 1) }
    const driver = new Driver(host(gen(function*() {
      yield* act("before")
      yield* Effect.promise(() => thenable as unknown as Promise<number>) // waits here
    })))
    driver.start()
    driver.complete(1)
    assert.deepStrictEqual(driver.late, [])
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.strictEqual(driver.late.length, 1)
    assert.include(lineOf(driver.late[0], "Guard.test.ts"), "// waits here")
  })

  it("Micro, which has a scheduler of its own", async () => {
    const driver = new Driver(host(gen(function*() {
      yield* act("before")
      yield* Micro.yieldNow // Micro waits here
    })))
    driver.start()
    driver.complete(1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.include(lineOf(driver.late[0], "Guard.test.ts"), "// Micro waits here")
  })

  it("something that another body shares, though its turn is on", () => {
    const shared = Deferred.unsafeMake<number>(noFiber)
    const waiting = new Driver(host(Deferred.await(shared)))
    waiting.start()
    const waking = new Driver(host(Deferred.succeed(shared, 1)))
    waking.start()
    assert.strictEqual(waiting.late.length, 1)
  })

  it("but nothing comes late to a body that was forgotten", () => {
    const shared = Deferred.unsafeMake<number>(noFiber)
    const driver = new Driver(host(Deferred.await(shared)))
    driver.start()
    driver.interpreter.evict()
    Deferred.unsafeDone(shared, Effect.succeed(1))
    assert.deepStrictEqual(driver.late, [])
  })

  it("a step on a fiber that goes on after the turn is refused there", async () => {
    let leaked: Effect.Effect<unknown, unknown> = Effect.void
    const driver = new Driver(host(Effect.flatMap(Effect.context<never>(), (context) => {
      leaked = Effect.provide(act("leaked"), context) as Effect.Effect<unknown, unknown>
      return act("x")
    })))
    driver.start()
    const exit = await Effect.runPromiseExit(leaked)
    assert.include(String(exit), outsider)
    assert.deepStrictEqual(brief(driver.complete(1)), ["completed \"x\""])
  })
})

describe("code outside of bodies does not notice", () => {
  it("time, chance, timers and promises work between turns", async () => {
    const driver = new Driver(host(Effect.zipRight(act("a"), act("b"))))
    driver.start()
    assert.isAbove(Date.now(), epoch)
    assert.isAbove(new Date().getTime(), epoch)
    assert.isBelow(performance.now(), epoch)
    assert.isNumber(Math.random())
    assert.match(randomUUID(), /^[0-9a-f-]{36}$/)
    assert.strictEqual(await sleepNode(1, "slept"), "slept")
    await new Promise((resolve) => setNodeTimeout(resolve, 1))
    driver.complete(1)
    assert.strictEqual(await Effect.runPromise(Effect.as(Effect.sleep(1), "slept")), "slept")
  })

  it("a fiber that a body wakes goes on, and only that body's turn fails", async () => {
    const shared = Deferred.unsafeMake<number>(noFiber)
    const outside = Effect.runFork(Effect.zipRight(Deferred.await(shared), Effect.sleep(1)))
    await sleepNode(1)
    const waking = gen(function*() {
      yield* Deferred.succeed(shared, 1)
    })
    refuses(waking, outsider, "Deferred.succeed(shared, 1)")
    await Effect.runPromise(Fiber.join(outside))
  })

  it("effect's own scheduler survives a body that escapes to it", async () => {
    refuses(
      Effect.sync(() => Effect.runFork(STM.commit(TRef.make(0)).pipe(Effect.zipRight(Effect.yieldNow())))),
      outsider,
      "TRef.make(0)"
    )
    const ref = await Effect.runPromise(STM.commit(TRef.make(0)))
    const waiting = Effect.runFork(STM.commit(STM.flatMap(TRef.get(ref), (value) => STM.check(() => value > 0))))
    await Effect.runPromise(Effect.zipRight(Effect.yieldNow(), STM.commit(TRef.set(ref, 1))))
    await Effect.runPromise(Fiber.join(waiting))
  })

  it("fake timers stay in place, and bodies have the turn's time all the same", () => {
    vi.useFakeTimers({ now: 1_000, toFake: ["Date", "setTimeout", "performance", "queueMicrotask"] })
    try {
      const before = globals()
      const driver = new Driver(
        host(Effect.sync(() => [Date.now(), new Date().getTime(), Date() === new Date().toString()]))
      )
      assert.deepStrictEqual(brief(driver.start()), [`completed [${epoch},${epoch},true]`])
      globals().forEach((value, i) => assert.strictEqual(value, before[i]))
      assert.strictEqual(Date.now(), 1_000)
      const refused = new Driver(host(Effect.sync(() => setTimeout(() => {}, 1))))
      assert.throws(() => refused.start(), UnrecordedAccess)
      assert.strictEqual(vi.getTimerCount(), 0)
    } finally {
      vi.useRealTimers()
    }
  })

  it("a turn within a turn leaves the outer one guarded, and the globals as they were", () => {
    const before = globals()
    const inner = new Driver(host(Effect.sync(() => Date.now())))
    inner.now = 5
    const seen: Array<unknown> = []
    const outer = new Driver(host(gen(function*() {
      seen.push(Date.now(), brief(inner.start()), Date.now())
      yield* Effect.fork(Effect.void)
      seen.push((yield* Effect.fork(Effect.void)).id().id - (yield* Effect.fork(Effect.void)).id().id)
      yield* Effect.sync(() => Math.random())
    })))
    assert.throws(() => outer.start(), UnrecordedAccess)
    assert.deepStrictEqual(seen, [epoch, ["completed 5"], epoch, -1])
    globals().forEach((value, i) => assert.strictEqual(value, before[i]))
  })

  it("a turn of one body while another one waits", () => {
    const one = new Driver(host(Effect.zipRight(act("one"), act("one again"))))
    const other = new Driver(host(Effect.zipRight(act("other"), Effect.sync(() => Date.now()))))
    one.start()
    other.start()
    other.now += 5
    assert.deepStrictEqual(brief(one.complete(1)), ["Act#2 one again"])
    assert.deepStrictEqual(brief(other.complete(1)), [`completed ${epoch + 5}`])
    assert.deepStrictEqual(brief(one.complete(2)), ["completed \"one again\""])
  })

  it("two copies of the library guard as one", async () => {
    vi.resetModules()
    const copy = await import("../../../src/runtime/interpreter/Guard.js")
    assert.notStrictEqual(copy.enter, Guard.enter)
    const found: Array<string> = []
    const guarded = (): Guard.Guarded => ({
      time: 7,
      code: guarded,
      fiberCount: 1,
      unguarded: false,
      outer: undefined,
      violated: ({ access }) => found.push(access)
    })
    const before = globals()
    const [outer, inner] = [guarded(), guarded()]
    copy.enter(outer)
    Guard.enter(inner)
    try {
      assert.strictEqual(Date.now(), 7)
      assert.throws(() => randomUUID())
      assert.throws(() => Math.random())
    } finally {
      Guard.leave(inner)
      assert.strictEqual(Date.now(), 7)
      copy.leave(outer)
    }
    assert.deepStrictEqual(found, ["crypto.randomUUID", "Math.random"])
    globals().forEach((value, i) => assert.strictEqual(value, before[i]))
  })
})

describe("what a body may ask for", () => {
  it("time is that of the turn, however it is read", () => {
    const driver = new Driver(host(gen(function*() {
      yield* act("x")
      return [
        Date.now(),
        new Date().getTime(),
        new Date(5).getTime(),
        Reflect.construct(Date, []).getTime() === Date.now(),
        new Date() instanceof Date,
        Schema.is(Schema.DateFromSelf)(new Date()),
        performance.now(),
        process.hrtime()[0],
        process.hrtime([1, 0])[0],
        DateTime.toEpochMillis(DateTime.unsafeNow()),
        DateTime.toEpochMillis(yield* DateTime.now),
        yield* Workflow.now
      ]
    })))
    driver.start()
    driver.now += 10_000
    const now = epoch + 10_000
    const seconds = Math.trunc(now / 1000)
    assert.deepStrictEqual(brief(driver.complete(1)), [
      `completed ${JSON.stringify([now, now, 5, true, true, true, now, seconds, seconds - 1, now, now, now])}`
    ])
  })

  it("Effect.never and pure work on another runtime", () => {
    const driver = new Driver(host(gen(function*() {
      yield* Effect.fork(Effect.never)
      return [Effect.runSync(Effect.succeed(1)), Effect.runSync(Clock.currentTimeMillis)]
    })))
    assert.deepStrictEqual(brief(driver.start()), [`completed [1,${epoch}]`])
  })

  it("a schema whose transformation is an effect", () => {
    const Halved = Schema.transformOrFail(Schema.Number, Schema.Number, {
      strict: true,
      decode: (n) => Effect.suspend(() => Effect.succeed(n / 2)),
      encode: (n) => Effect.suspend(() => Effect.succeed(n * 2))
    })
    const driver = new Driver(host(Effect.sync(() => Schema.decodeSync(Halved)(8))))
    assert.deepStrictEqual(brief(driver.start()), ["completed 4"])
  })

  it("no configuration: it would be read from the process", () => {
    process.env["PERDURE_GUARD_TEST"] = "read"
    const driver = new Driver(
      host(Effect.either(Config.string("PERDURE_GUARD_TEST")).pipe(Effect.map(({ _tag }) => _tag)))
    )
    assert.deepStrictEqual(brief(driver.start()), ["completed \"Left\""])
  })

  it("a service that it provides itself", () => {
    const driver = new Driver(host(Effect.provideService(Effect.map(Mine, (n) => n + 1), Mine, 1)))
    assert.deepStrictEqual(brief(driver.start()), ["completed 2"])
  })
})

describe("the author's line", () => {
  const own = new URL("../../../src/dsl/Workflow.ts", import.meta.url).pathname

  it("is the first that is neither this library's nor a dependency's", () => {
    const stack = (...lines: ReadonlyArray<string>) => ["Error", ...lines.map((line) => `    at ${line}`)].join("\n")
    assert.strictEqual(
      authorPlace(stack(
        `make (${own}:1:1)`,
        "run (/app/node_modules/effect/dist/esm/internal/core.js:5:6)",
        "node:internal/process/task_queues:95:5",
        "Object.<anonymous> (/app/src/order.ts:12:34)",
        "main (/app/src/main.ts:1:2)"
      )),
      "/app/src/order.ts:12:34"
    )
    assert.strictEqual(authorPlace(stack("file:///app/src/order.ts:12:34")), "/app/src/order.ts:12:34")
    assert.strictEqual(authorPlace(stack("async f (C:\\app\\order.ts:12:34)")), "C:\\app\\order.ts:12:34")
    assert.isUndefined(authorPlace(stack("node:internal/timers:5:6")))
    assert.isUndefined(authorPlace(undefined))
  })
})

const setTimeoutOutside = setTimeout
const noFiber = Effect.runSync(Effect.fiberId)
