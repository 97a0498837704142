/**
 * Goal: what a turn takes in and what comes of it (rows W1, W4 to W9, W15, W16, W19, C8, D2; I1, I6, I7, I10).
 *
 * Method: each test ends by replaying its history, which must ask for the same commands.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { ApplicationError, Workflow } from "perdure"
import { Limits } from "../../../src/core/Limits.js"
import { BodyDefect, UnreadablePayload } from "../../../src/runtime/interpreter/TurnFailure.js"
import { act, Declined, host } from "./Bodies.js"
import { brief, Driver, epoch, hostOf, signal, update } from "./Driver.js"

const { gen } = Effect
type Body = Effect.Effect<unknown, unknown, unknown>

/** Runs a body whose history is replayed after the test. */
const driving = (use: (begin: (hosted: ConstructorParameters<typeof Driver>[0]) => Driver) => void) => () => {
  const drivers: Array<Driver> = []
  use((hosted) => {
    const driver = new Driver(hosted)
    drivers.push(driver)
    return driver
  })
  for (const driver of drivers) driver.replay().evict()
}

const it_ = (name: string, use: Parameters<typeof driving>[0]) => it(name, driving(use))

describe("the first turn (W9, I1)", () => {
  const Chat = Workflow.make("Chat", {
    success: Schema.Array(Schema.String),
    signals: { say: { payload: Schema.String } },
    updates: { ask: { payload: Schema.String, success: Schema.Number, error: Declined } },
    queries: { said: { success: Schema.Array(Schema.String) } }
  })

  const chat = (setUp: Effect.Effect<unknown, never, never>) =>
    hostOf(Chat.toLayer(() =>
      gen(function*() {
        const said: Array<string> = []
        yield* setUp
        said.push("set up")
        return Chat.of({
          signals: { say: (words) => Effect.sync(() => said.push(words)) },
          queries: { said: () => Effect.sync(() => said) },
          updates: {
            ask: {
              validate: (words) => said.includes(words) ? new Declined({ reason: words }) : Effect.void,
              handle: (words) => Effect.sync(() => said.push(words))
            }
          },
          run: gen(function*() {
            said.push("run")
            yield* act("x")
            return said
          }) as never
        })
      })
    ))

  it_("handles what waits before the program begins, in order; a validator sees what came before it (U9)", (begin) => {
    const driver = begin(chat(Effect.void))
    const output = driver.turn(
      driver.startMessage(),
      signal("say", "one"),
      update("ask", "one", "u1"),
      update("ask", "two", "u2"),
      signal("say", "three"),
      update("ask", "three", "u3")
    )
    assert.deepStrictEqual(brief(output.commands), ["update u2 = 3", "Act#1 x"])
    assert.deepStrictEqual([...output.rejected.keys()], ["u1", "u3"])
    assert.deepStrictEqual(driver.turns[0]!.events.filter(({ _tag }) => _tag === "UpdateAccepted").length, 1)
    assert.deepStrictEqual(brief(driver.complete(1)), [
      `completed ["set up","one","two","three","run"]`
    ])
  })

  it_("a body that waits in its set-up handles them later, before its program", (begin) => {
    const driver = begin(chat(act("set up") as Effect.Effect<unknown, never>))
    assert.deepStrictEqual(brief(driver.start(undefined, signal("say", "one"))), ["Act#1 set up"])
    driver.signal("say", "two")
    assert.strictEqual(driver.interpreter.query("said", undefined)._tag, "Left")
    assert.deepStrictEqual(brief(driver.complete(1)), ["Act#2 x"])
    assert.deepStrictEqual(brief(driver.complete(2)), [`completed ["set up","one","two","run"]`])
  })

  it_("an update recorded before its handler was set up fails if it is refused then, on replay too", (begin) => {
    const driver = begin(chat(act("set up") as Effect.Effect<unknown, never>))
    driver.start(undefined, signal("say", "one"), update("ask", "one", "u1"), update("ask", "two", "u2"))
    assert.deepStrictEqual(brief(driver.complete(1)), [
      `update u1 failed: Declined {"reason":"one","_tag":"Declined"}`,
      "update u2 = 3",
      "Act#2 x"
    ])
    driver.restart()
    driver.complete(2)
  })

  it_("of a workflow without handlers refuses updates, and answers queries that there are none", (begin) => {
    const driver = begin(host(act("x")))
    const output = driver.turn(driver.startMessage(), update("ask", "one"))
    assert.deepStrictEqual([...output.rejected.keys()], ["ask"])
    assert.deepStrictEqual(
      driver.interpreter.query("said", undefined),
      Either.left("unknown query said; known are: none")
    )
    assert.isFalse(driver.interpreter.reachable)
  })

  it("an input that the schema does not read fails the turn, not the run (D2)", () => {
    const Strict = Workflow.make("Strict", { payload: { n: Schema.Number } })
    const driver = new Driver(hostOf(Strict.toLayer(() => Effect.void)))
    assert.throws(
      () => driver.start({ n: "no" }),
      UnreadablePayload,
      /event 1 \(ExecutionStarted\) recorded cannot be read as payload of workflow Strict/
    )
  })
})

describe("timers (W1, W4, C8)", () => {
  it_("time stands still within a turn, and moves between them", (begin) => {
    const driver = begin(host(gen(function*() {
      const first = yield* Workflow.now
      yield* Effect.sleep("10 seconds")
      return [first, yield* Workflow.now]
    })))
    assert.deepStrictEqual(brief(driver.start()), ["timer#1 10000"])
    assert.deepStrictEqual(brief(driver.fire()), [`completed [${epoch},${epoch + 10_000}]`])
  })

  it_("none at all for zero and negative durations", (begin) => {
    const driver = begin(host(gen(function*() {
      yield* Effect.sleep(0)
      yield* Effect.sleep(-5)
      yield* Effect.sleep(Duration.millis(-1))
      return "here"
    })))
    assert.deepStrictEqual(brief(driver.start()), ["completed \"here\""])
  })

  it_("an endless sleep, and one of less than a millisecond", (begin) => {
    const driver = begin(host(Effect.all([Effect.sleep(Duration.infinity), Effect.sleep(Duration.micros(300n))], {
      concurrency: "unbounded"
    })))
    driver.start()
    assert.deepStrictEqual([...driver.state.timers.values()], [8.64e15, epoch + 1])
  })

  it_("one that is canceled in the turn that started it leaves nothing; the next number is not reused", (begin) => {
    const driver = begin(host(gen(function*() {
      const fiber = yield* Effect.fork(Effect.sleep("1 hour"))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(fiber)
      yield* Effect.sleep("1 minute")
    })))
    assert.deepStrictEqual(brief(driver.start()), ["timer#2 60000"])
    driver.fire()
  })

  it_("one that is canceled later is, and its number means nothing any more", (begin) => {
    const driver = begin(host(gen(function*() {
      const fiber = yield* Effect.fork(Effect.sleep("1 hour"))
      yield* act("x")
      yield* Fiber.interrupt(fiber)
      yield* act("y")
    })))
    driver.start()
    assert.deepStrictEqual(brief(driver.complete(1)), ["cancel timer#2", "Act#3 y"])
    assert.deepStrictEqual(
      driver.interpreter.turn({
        at: driver.now,
        events: [{ _tag: "TimerFired", seq: 2 }],
        replaying: true,
        past: { events: 0, bytes: 0, updates: new Map() }
      }).commands,
      []
    )
  })

  it_("Effect.timeout around an activity cancels whichever loses, in order", (begin) => {
    const body = gen(function*() {
      const first = yield* Effect.timeoutOption(act("fast"), "10 seconds")
      const second = yield* Effect.timeoutOption(act("slow"), "10 seconds")
      return [first._tag, second._tag]
    })
    const driver = begin(host(body))
    assert.deepStrictEqual(brief(driver.start()), ["Act#1 fast", "timer#2 10000"])
    assert.deepStrictEqual(brief(driver.complete(1)), ["cancel timer#2", "Act#3 slow", "timer#4 10000"])
    assert.deepStrictEqual(brief(driver.fire()), ["cancel#3", "completed [\"Some\",\"None\"]"])
  })

  it_("an activity that is canceled in the turn that started it leaves nothing, whatever its type (C8)", (begin) => {
    const driver = begin(host(gen(function*() {
      for (const cancellation of ["TryCancel", "WaitCancellationCompleted", "Abandon"] as const) {
        const waiting = yield* Effect.fork(act(cancellation, { cancellation }))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(waiting)
      }
      yield* act("after")
    })))
    assert.deepStrictEqual(brief(driver.start()), ["Act#4 after"])
    driver.complete(4)
  })
})

describe("waiting for a condition (W5, W6)", () => {
  it_("leaves nothing when it holds already", (begin) => {
    const driver = begin(host(Effect.timeout(Workflow.condition(() => true), "1 hour")))
    assert.deepStrictEqual(brief(driver.start()), ["completed undefined"])
  })

  it_("is asked again after each progress, until nothing moves", (begin) => {
    let [a, b, c] = [false, false, false]
    const driver = begin(host(gen(function*() {
      ;[a, b, c] = [false, false, false]
      yield* Effect.fork(Effect.zipRight(Workflow.condition(() => c), act("c held")))
      yield* Effect.fork(Effect.zipRight(
        Workflow.condition(() => b),
        Effect.sync(() => {
          c = true
        })
      ))
      yield* Effect.fork(Effect.zipRight(
        Workflow.condition(() => a),
        Effect.sync(() => {
          b = true
        })
      ))
      yield* act("x")
      a = true
      yield* act("y")
      yield* act("z")
    })))
    assert.deepStrictEqual(brief(driver.start()), ["Act#1 x"])
    assert.deepStrictEqual(brief(driver.complete(1)), ["Act#2 y", "Act#3 c held"])
    driver.complete(2)
  })

  it_("two that feed each other both get on", (begin) => {
    const driver = begin(host(gen(function*() {
      let n = 0
      const step = (parity: number) =>
        Effect.repeatN(
          Effect.zipRight(
            Workflow.condition(() => n % 2 === parity),
            Effect.sync(() => {
              n++
            })
          ),
          9
        )
      yield* Effect.all([step(1), step(0)], { concurrency: "unbounded" })
      return n
    })))
    assert.deepStrictEqual(brief(driver.start()), ["completed 20"])
  })

  it_("with a timeout is a durable timer, which goes when the condition holds", (begin) => {
    const Gate = Workflow.make("Gate", { success: Schema.String, signals: { open: {} } })
    const gate = hostOf(Gate.toLayer(() =>
      gen(function*() {
        let open = false
        return Gate.of({
          signals: {
            open: () =>
              Effect.sync(() => {
                open = true
              })
          },
          run: Effect.map(Effect.timeoutOption(Workflow.condition(() => open), "1 hour"), ({ _tag }) => _tag as string)
        })
      })
    ))
    const [opened, late] = [begin(gate), begin(gate)]
    for (const driver of [opened, late]) assert.deepStrictEqual(brief(driver.start()), ["timer#1 3600000"])
    assert.deepStrictEqual(brief(opened.signal("open")), ["cancel timer#1", "completed \"Some\""])
    assert.deepStrictEqual(brief(late.fire()), ["completed \"None\""])
  })

  it_("works in a handler; allHandlersFinished waits for it (S9)", (begin) => {
    const Desk = Workflow.make("Desk", {
      success: Schema.Number,
      signals: { release: {} },
      updates: { hold: { success: Schema.String } }
    })
    const driver = begin(hostOf(Desk.toLayer(() =>
      gen(function*() {
        let released = 0
        let held = 0
        return Desk.of({
          signals: {
            release: () =>
              Effect.sync(() => {
                released++
              })
          },
          updates: {
            hold: () =>
              gen(function*() {
                const turn = ++held
                yield* Workflow.condition(() => released >= turn)
                yield* act(`held ${turn}`)
                return `${turn}`
              }) as never
          },
          run: gen(function*() {
            yield* Workflow.condition(() => held === 2)
            yield* Workflow.condition(Workflow.allHandlersFinished)
            return released
          })
        })
      })
    )))
    driver.start()
    driver.update("hold", undefined, "u1")
    assert.deepStrictEqual(brief(driver.update("hold", undefined, "u2").commands), [])
    assert.deepStrictEqual(brief(driver.signal("release")), ["Act#1 held 1"])
    assert.deepStrictEqual(brief(driver.complete(1)), ["update u1 = \"1\""])
    assert.deepStrictEqual(brief(driver.signal("release")), ["Act#2 held 2"])
    assert.deepStrictEqual(brief(driver.complete(2)), ["update u2 = \"2\"", "completed 2"])
  })

  it_("is not asked when a query comes", (begin) => {
    const Asked = Workflow.make("Asked", { queries: { count: { success: Schema.Number } } })
    let count = 0
    const driver = begin(hostOf(Asked.toLayer(() =>
      Effect.sync(() => {
        count = 0
        return Asked.of({
          queries: { count: () => Effect.sync(() => count) },
          run: Workflow.condition(() => {
            count++
            return false
          })
        })
      })
    )))
    driver.start()
    const before = driver.interpreter.query("count", undefined)
    assert.deepStrictEqual(driver.interpreter.query("count", undefined), before)
  })

  it_("that is interrupted is asked no more", (begin) => {
    const driver = begin(host(gen(function*() {
      let asked = 0
      const fiber = yield* Effect.fork(Workflow.condition(() => {
        asked++
        return false
      }))
      yield* act("x")
      yield* Fiber.interrupt(fiber)
      const before = asked
      yield* act("y")
      return asked - before
    })))
    driver.start()
    driver.complete(1)
    assert.deepStrictEqual(brief(driver.complete(2)), ["completed 0"])
  })

  it_("that holds together with a cancel request is interrupted once (W6)", (begin) => {
    let interrupted = 0
    const driver = begin(host(gen(function*() {
      interrupted = 0
      const open = true
      yield* Effect.yieldNow()
      yield* Workflow.condition(() => open)
      yield* Effect.onInterrupt(Workflow.condition(() => !open), () =>
        Effect.sync(() => {
          interrupted++
        }))
    })))
    assert.deepStrictEqual(brief(driver.start(undefined, { _tag: "Cancel", reason: "enough" })), ["canceled"])
    assert.strictEqual(interrupted, 1)
  })
})

describe("fan-out and locks (W7, W8)", () => {
  it_("all commands of a turn go out together; results come by position", (begin) => {
    const driver = begin(host(Effect.all([act("a"), act("b"), act("c")], { concurrency: "unbounded" })))
    assert.deepStrictEqual(brief(driver.start()), ["Act#1 a", "Act#2 b", "Act#3 c"])
    driver.complete(3)
    driver.complete(1)
    assert.deepStrictEqual(brief(driver.complete(2)), [`completed ["a","b","c"]`])
  })

  it_("one that fails cancels the others", (begin) => {
    const driver = begin(host(Effect.all([act("a"), act("b"), act("c")], { concurrency: "unbounded" })))
    driver.start()
    driver.complete(1)
    assert.deepStrictEqual(
      brief(
        driver.fail(3, { _tag: "Declared", type: "Declined", message: "", error: { _tag: "Declined", reason: "no" } })
      ),
      ["cancel#2", `failed Declined {"reason":"no","_tag":"Declined"}`]
    )
  })

  it_("a lock is first come, first served, and may be waited for with a timeout", (begin) => {
    const driver = begin(host(gen(function*() {
      const lock = yield* Effect.makeSemaphore(1)
      const hold = (label: string) => lock.withPermits(1)(act(label))
      const impatient = Effect.timeoutOption(hold("impatient"), "1 second")
      yield* Effect.all([hold("a"), hold("b"), impatient, hold("c")], { concurrency: "unbounded" })
    })))
    assert.deepStrictEqual(brief(driver.start()), ["Act#1 a", "timer#2 1000"])
    assert.deepStrictEqual(brief(driver.fire()), [])
    assert.deepStrictEqual(brief(driver.complete(1)), ["Act#3 b"])
    assert.deepStrictEqual(brief(driver.complete(3)), ["Act#4 c"])
    driver.complete(4)
  })

  it("more pending steps than a run may have fail the turn, with the bound (I10)", () => {
    const driver = new Driver(host(Effect.forEach(Array.from({ length: Limits.waitingMax + 1 }), () => act("x"), {
      concurrency: "unbounded"
    })))
    assert.throws(() => driver.start(), BodyDefect, /more than 12000 steps are pending at once/)
  })
})

describe("how a run ends (W15, W16, W19, I7)", () => {
  const ended = (body: Body): ReadonlyArray<string> => {
    const driver = new Driver(host(body))
    const commands = brief(driver.start())
    driver.replay().evict()
    return commands
  }

  it("its declared errors, ApplicationError and a timeout fail it", () => {
    assert.deepStrictEqual(ended(Effect.fail(new Declined({ reason: "no" }))), [
      `failed Declined {"reason":"no","_tag":"Declined"}`
    ])
    assert.deepStrictEqual(ended(Effect.fail(new ApplicationError({ type: "Odd", message: "so" }))), ["failed Odd: so"])
    const driver = new Driver(host(Effect.timeout(act("x"), "1 second")))
    driver.start()
    assert.match(brief(driver.fire())[1]!, /^failed TimeoutException: /)
  })

  it("an activity's failure that escapes fails it, with its chain", () => {
    const driver = new Driver(host(act("x")))
    driver.start()
    const [command] = driver.fail(1, { _tag: "Application", type: "Odd", message: "so" })
    assert.deepInclude(command, { _tag: "FailExecution" })
    const failure = command as { readonly failure?: { readonly _tag: string; readonly cause?: unknown } }
    assert.strictEqual(failure.failure?._tag, "Activity")
    assert.deepStrictEqual(failure.failure?.cause, { _tag: "Application", type: "Odd", message: "so" })
  })

  const defects: Readonly<Record<string, Body>> = {
    "a throw": Effect.sync(() => {
      throw new TypeError("oops")
    }),
    "a throw before there is an effect": Effect.suspend((): Body => {
      throw new TypeError("oops")
    }),
    "Effect.die": Effect.die(new TypeError("oops")),
    "a throw beside a typed failure": Effect.all([Effect.fail("typed"), Effect.die(new TypeError("oops"))], {
      concurrency: "unbounded"
    }),
    "a throw on a fiber that is joined": Effect.flatMap(Effect.fork(Effect.die(new TypeError("oops"))), Fiber.join)
  }
  for (const [name, body] of Object.entries(defects)) {
    it(`${name} fails the turn`, () => {
      assert.throws(
        () => new Driver(host(body)).start(),
        BodyDefect,
        /^workflow Plain threw: TypeError: oops$/
      )
    })
  }

  it("a defect on a fiber that nobody looks at changes nothing", () => {
    assert.deepStrictEqual(ended(Effect.zipRight(Effect.forkDaemon(Effect.die("unseen")), Effect.succeed(1))), [
      "completed 1"
    ])
  })

  it("a result that cannot be written fails the turn", () => {
    assert.throws(() => ended(Effect.succeed(() => {})), BodyDefect, /result of workflow Plain/)
  })

  it("with failOnDefect a defect fails the run, and undoes what was done", () => {
    const Careless = Workflow.make("Careless", { failOnDefect: true })
    const driver = new Driver(hostOf(Careless.toLayer(() =>
      gen(function*() {
        yield* Workflow.withCompensation(Effect.void, () => act("undo"))
        return yield* Effect.die(new TypeError("oops"))
      }) as never
    )))
    assert.deepStrictEqual(brief(driver.start()), ["Act#1 undo"])
    assert.deepStrictEqual(brief(driver.complete(1)), ["failed TypeError: oops"])
  })

  it("with a predicate those defects fail the run that it holds, and others the turn (W16)", () => {
    const Careless = Workflow.make("Careless", { failOnDefect: (defect) => defect instanceof TypeError })
    const dying = (defect: unknown) => new Driver(hostOf(Careless.toLayer(() => Effect.die(defect))))
    assert.deepStrictEqual(brief(dying(new TypeError("oops")).start()), ["failed TypeError: oops"])
    assert.throws(() => dying(new RangeError("no")).start(), BodyDefect, /RangeError: no/)
  })

  it("what is asked for after the end is dropped, but outcomes of updates (W19)", () => {
    const Late = Workflow.make("Late", { updates: { ask: { success: Schema.String } } })
    const driver = new Driver(hostOf(Late.toLayer(() =>
      gen(function*() {
        const asked = yield* Deferred.make<void>()
        return Late.of({
          updates: {
            ask: () =>
              gen(function*() {
                yield* Deferred.succeed(asked, undefined)
                yield* Effect.repeatN(Effect.yieldNow(), 20)
                yield* Effect.forkDaemon(act("too late"))
                yield* Effect.yieldNow()
                return "answered"
              }) as never
          },
          run: Deferred.await(asked)
        })
      })
    )))
    driver.start()
    assert.deepStrictEqual(brief(driver.update("ask").commands), ["completed undefined", "update ask = \"answered\""])
    driver.replay().evict()
  })

  it("scopes close before it ends, in reverse order, and may act (C4)", () => {
    const driver = new Driver(host(gen(function*() {
      yield* Effect.addFinalizer((exit) => Effect.ignore(act(`first ${Exit.isSuccess(exit)}`)))
      yield* Effect.addFinalizer(() => Effect.ignore(act("second")))
      return "done"
    })))
    assert.deepStrictEqual(brief(driver.start()), ["Act#1 second"])
    assert.deepStrictEqual(brief(driver.complete(1)), ["Act#2 first true"])
    assert.deepStrictEqual(brief(driver.complete(2)), ["completed \"done\""])
    driver.replay().evict()
  })
})
