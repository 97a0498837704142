/**
 * Goal: what signals, updates and queries may do, and what their failures do (rows S2, S4, S5, S7, U2, U3, U9, W14, W16;
 * I11).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import { ApplicationError, State, Workflow } from "perdure"
import { BodyDefect } from "../../../src/runtime/interpreter/TurnFailure.js"
import { Act, act, Declined } from "./Bodies.js"
import { brief, Driver, hostOf, signal } from "./Driver.js"

const { gen } = Effect

/** As if its types allowed it: handlers that a contract would refuse at compile time. */
const forced = <A, E>(effect: Effect.Effect<A, E, unknown>): Effect.Effect<never> => effect as Effect.Effect<never>

const begun = (layer: Parameters<typeof hostOf>[0] | object): Driver => {
  const driver = new Driver(hostOf(layer as Parameters<typeof hostOf>[0]))
  driver.start()
  return driver
}

describe("signals", () => {
  const Inbox = Workflow.make("Inbox", {
    success: Schema.Array(Schema.String),
    error: Declined,
    signals: { put: { payload: Schema.Struct({ label: Schema.String }) }, end: {}, broken: {}, odd: {} }
  })
  const inbox = (options: { readonly failOnDefect?: boolean } = {}) => {
    const definition = options.failOnDefect === true
      ? Workflow.make("Inbox", {
        failOnDefect: true,
        success: Schema.Array(Schema.String),
        error: Declined,
        signals: { put: { payload: Schema.Struct({ label: Schema.String }) }, end: {}, broken: {}, odd: {} }
      }) as typeof Inbox
      : Inbox
    return definition.toLayer(() =>
      gen(function*() {
        const seen: Array<string> = []
        const end = yield* Deferred.make<void>()
        return definition.of({
          signals: {
            put: ({ label }) =>
              gen(function*() {
                seen.push(`${label} begins`)
                yield* forced(act(label))
                seen.push(`${label} ends`)
              }),
            end: () => Deferred.succeed(end, undefined),
            broken: () => Effect.dieMessage("oops"),
            odd: () => new Declined({ reason: "odd" })
          },
          run: Effect.zipRight(Deferred.await(end), Effect.sync(() => seen))
        })
      })
    )
  }

  it("handlers run beside the program and each other, and begin in order (S7)", () => {
    const driver = begun(inbox())
    driver.signal("put", { label: "a" })
    assert.deepStrictEqual(brief(driver.signal("put", { label: "b" })), ["Act#2 b"])
    driver.complete(2)
    driver.complete(1)
    assert.deepStrictEqual(brief(driver.signal("end")), [`completed ["a begins","b begins","b ends","a ends"]`])
    driver.replay().evict()
  })

  it("one whose payload cannot be read is dropped, and said (S4)", () => {
    const driver = begun(inbox())
    const output = driver.turn(signal("put", { label: 5 }))
    assert.deepStrictEqual(output.commands, [])
    assert.match(String(output.logs[0]?.message), /^signal put dropped: payload of signal Inbox.put/)
    assert.deepStrictEqual(brief(driver.signal("put", { label: "b" })), ["Act#1 b"])
    driver.replay().evict()
  })

  it("one that nobody knows waits for ever, and harms nobody (S2)", () => {
    const driver = begun(inbox())
    assert.deepStrictEqual(driver.turn(signal("unheard of")).commands, [])
    assert.deepStrictEqual(brief(driver.signal("end")), ["completed []"])
    driver.replay().evict()
  })

  it("a typed failure fails the run (S5)", () => {
    const driver = begun(inbox())
    driver.signal("put", { label: "a" })
    assert.deepStrictEqual(brief(driver.signal("odd")), [`failed Declined {"reason":"odd","_tag":"Declined"}`])
    assert.strictEqual(driver.state.status, "Failed")
    driver.replay().evict()
  })

  it("a defect fails the turn", () => {
    const driver = begun(inbox())
    assert.throws(() => driver.signal("broken"), BodyDefect, /^signal broken threw: .*oops/)
  })

  it("or the run, with failOnDefect (W16)", () => {
    const driver = begun(inbox({ failOnDefect: true }))
    assert.match(brief(driver.signal("broken"))[0]!, /^failed .*oops/)
    driver.replay().evict()
  })

  it("a handler has a scope of its own, which closes when it ends", () => {
    const Scoped = Workflow.make("Scoped", { signals: { open: {} } })
    const driver = begun(Scoped.toLayer(() =>
      Effect.succeed(Scoped.of({
        signals: {
          open: () =>
            gen(function*() {
              yield* Effect.addFinalizer(() => Effect.ignore(forced(act("closed"))))
              yield* forced(act("open"))
            })
        },
        run: Effect.never
      }))
    ))
    driver.signal("open")
    assert.deepStrictEqual(brief(driver.complete(1)), ["Act#2 closed"])
    driver.replay().evict()
  })
})

describe("updates", () => {
  const Cart = Workflow.make("Cart", {
    updates: {
      add: { payload: Schema.Number, success: Schema.Number, error: Declined },
      slow: { success: Schema.String, error: Declined },
      wrong: { success: Schema.Number }
    }
  })
  let validated = 0
  const cart = (options: { readonly failOnDefect?: boolean } = {}) =>
    Workflow.make("Cart", {
      ...options,
      updates: {
        add: { payload: Schema.Number, success: Schema.Number, error: Declined },
        slow: { success: Schema.String, error: Declined },
        wrong: { success: Schema.Number }
      }
    }).toLayer(() =>
      gen(function*() {
        const total = yield* State.make(0)
        validated = 0
        return Cart.of({
          updates: {
            add: {
              validate: (n) => {
                validated++
                if (n === 13) throw new RangeError("thirteen")
                return n < 0 ? new Declined({ reason: "negative" }) : Effect.void
              },
              handle: (n) => n === 99 ? new Declined({ reason: "too much" }) : total.updateAndGet((sum) => sum + n)
            },
            slow: () => forced(act("slow")),
            wrong: () => Effect.succeed("no number" as never)
          },
          run: Effect.never
        })
      })
    )

  it("answers, in the turn that took it in, or in a later one", () => {
    const driver = begun(cart())
    assert.deepStrictEqual(brief(driver.update("add", 2).commands), ["update add = 2"])
    assert.deepStrictEqual(brief(driver.update("slow").commands), ["Act#1 slow"])
    assert.deepStrictEqual(brief(driver.update("add", 3, "again").commands), ["update again = 5"])
    assert.deepStrictEqual(brief(driver.complete(1)), ["update slow = \"slow\""])
    driver.replay().evict()
  })

  it("a rejected one leaves no event; the validator runs on the first delivery only (U2)", () => {
    const driver = begun(cart())
    const refused = driver.update("add", -1)
    assert.deepStrictEqual([...refused.rejected.values()].map(({ _tag }) => _tag), ["Declared"])
    assert.deepStrictEqual(refused.commands, [])
    assert.deepStrictEqual(driver.turns.at(-1)!.events, [])
    driver.update("add", 1, "good")
    assert.strictEqual(validated, 2)
    driver.replay().evict()
    assert.strictEqual(validated, 0)
  })

  it("a throw in the validator rejects; so do an unknown name and an unreadable payload (U3)", () => {
    const driver = begun(cart())
    const reasons = [["add", 13], ["sub", 1], ["add", "x"]] as const
    assert.deepStrictEqual(
      reasons.map(([name, input]) => [...driver.update(name, input, "u").rejected.values()][0]).map((failure) =>
        failure?._tag === "Application" ? failure.type : failure
      ),
      ["RangeError", "UnknownUpdate", "ContractError"]
    )
    assert.deepStrictEqual(driver.interpreter.validate({ id: "u", name: "sub" }), {
      _tag: "Application",
      type: "UnknownUpdate",
      message: "unknown update sub; known are: add, slow, wrong"
    })
    assert.isUndefined(driver.interpreter.validate({ id: "u", name: "add", input: 1 }))
  })

  it("a declared failure fails the update, and the run goes on (U3)", () => {
    const driver = begun(cart())
    assert.deepStrictEqual(brief(driver.update("add", 99).commands), [
      `update add failed: Declined {"reason":"too much","_tag":"Declined"}`
    ])
    assert.strictEqual(driver.state.status, "Running")
    driver.replay().evict()
  })

  it("a failure of an activity in it, too", () => {
    const driver = begun(cart())
    driver.update("slow")
    assert.deepStrictEqual(brief(driver.fail(1, { _tag: "Application", type: "Odd", message: "" })), [
      "update slow failed: Activity"
    ])
    driver.replay().evict()
  })

  it("a result that does not fit fails the turn", () => {
    assert.throws(() => begun(cart()).update("wrong"), BodyDefect, /result of update Cart.wrong/)
  })

  const Broken = (failOnDefect: boolean) => {
    const definition = Workflow.make("Broken", { failOnDefect, updates: { ask: {} } })
    return definition.toLayer(() =>
      Effect.succeed(definition.of({ updates: { ask: () => Effect.dieMessage("oops") }, run: Effect.never }))
    )
  }

  it("a defect fails the turn, or with failOnDefect the update (W16)", () => {
    assert.throws(() => begun(Broken(false)).update("ask"), BodyDefect, /^update ask threw: .*oops/)
    assert.match(brief(begun(Broken(true)).update("ask").commands)[0]!, /^update ask failed: .*oops/)
  })

  it("an interrupted handler fails its update as canceled (U3)", () => {
    const Cut = Workflow.make("Cut", { updates: { ask: {} } })
    const driver = begun(
      Cut.toLayer(() => Effect.succeed(Cut.of({ updates: { ask: () => Effect.interrupt }, run: Effect.never })))
    )
    assert.deepStrictEqual(brief(driver.update("ask").commands), ["update ask failed: Canceled"])
  })

  it("one that was accepted and is known no more fails the turn", () => {
    const driver = begun(cart())
    driver.update("add", 1)
    const Other = Workflow.make("Cart", { updates: { other: {} } })
    const changed = new Driver(
      hostOf(
        Other.toLayer(() => Effect.succeed(Other.of({ updates: { other: () => Effect.void }, run: Effect.never })))
      )
    )
    assert.throws(() => changed.replay(driver.turns), BodyDefect, /accepted before, and no longer known/)
  })

  it("a validator leaves no trace, though it forks: fibers have the same ids on replay", () => {
    const Tracing = Workflow.make("Tracing", { updates: { ask: { payload: Schema.Number, success: Schema.Number } } })
    const driver = new Driver(hostOf(Tracing.toLayer(() =>
      Effect.succeed(Tracing.of({
        updates: {
          ask: {
            validate: (n) => Effect.forEach([1, 2, 3], () => Effect.fork(Effect.succeed(n)), { discard: true }),
            handle: (n) => Effect.as(forced(act(String(n))), n)
          }
        },
        run: gen(function*() {
          for (;;) yield* forced(act(`fiber ${(yield* Effect.fork(Effect.void)).id().id}`))
        })
      }))
    )))
    driver.start(undefined, { _tag: "Update", id: "early", name: "ask", input: 0 })
    driver.update("ask", 1)
    driver.complete(1)
    driver.complete(2)
    driver.replay().evict()
  })
})

describe("queries (I11, W14)", () => {
  const Asked = Workflow.make("Asked", {
    success: Schema.Number,
    queries: {
      total: { payload: Schema.Number, success: Schema.Number },
      wrong: { success: Schema.Number },
      fails: { success: Schema.Number },
      throws: { success: Schema.Number },
      forced: { payload: Schema.String, success: Schema.Unknown }
    }
  })

  const asked = Asked.toLayer(() =>
    gen(function*() {
      const total = yield* State.make(1)
      const queue = yield* Queue.unbounded<number>()
      const never = yield* Deferred.make<void>()
      const handle = yield* Act.start({ label: "handle" }, { taskQueue: "other" })
      const ways: Record<string, Effect.Effect<unknown, unknown, unknown>> = {
        set: total.set(5),
        activity: act("x"),
        start: Act.start({ label: "x" }),
        cancel: handle.cancel,
        sleep: Effect.sleep(1),
        "sleep for nothing": Effect.sleep(0),
        random: Workflow.random,
        uuid: Workflow.uuid,
        condition: Workflow.condition(() => true),
        catchCancel: Workflow.catchCancel(Effect.void, () => Effect.void),
        compensation: Workflow.withCompensation(Effect.void, () => Effect.void),
        "Math.random": Effect.sync(() => Math.random()),
        promise: Effect.promise(async () => 1),
        wait: Deferred.await(never),
        take: Queue.take(queue),
        spin: Effect.forever(Effect.void),
        escape: Effect.sync(() => Effect.runFork(Effect.yieldNow())),
        info: Effect.map(Workflow.info, ({ workflowId }) => workflowId),
        now: Workflow.now,
        finished: Workflow.allHandlersFinished
      }
      return Asked.of({
        queries: {
          total: (plus) => Effect.map(total.get, (sum) => sum + plus),
          wrong: () => Effect.succeed("no number" as never),
          fails: () => new ApplicationError({ type: "Odd", message: "so it is" }),
          throws: () => {
            throw new TypeError("oops")
          },
          forced: (way) => forced(ways[way] ?? Effect.dieMessage(`unknown way ${way}`))
        },
        run: gen(function*() {
          yield* forced(act("a"))
          yield* Queue.offer(queue, 7)
          return yield* Queue.take(queue)
        })
      })
    })
  )

  it("answer with the state as of now, and leave no event", () => {
    const driver = begun(asked)
    assert.deepStrictEqual(driver.interpreter.query("total", 2), Either.right(3))
    driver.restart()
    assert.deepStrictEqual(driver.interpreter.query("total", 2), Either.right(3))
  })

  it("that fail say why (Q3)", () => {
    const driver = begun(asked)
    const why = (name: string, input?: unknown) => {
      const answer = driver.interpreter.query(name, input)
      return Either.isLeft(answer) ? answer.left : assert.fail("answered")
    }
    assert.strictEqual(why("what"), "unknown query what; known are: total, wrong, fails, throws, forced")
    assert.match(why("total", "x"), /^payload of query Asked.total: /)
    assert.match(why("wrong"), /^result of query Asked.wrong: /)
    assert.strictEqual(why("fails"), "Odd: so it is")
    assert.strictEqual(why("throws"), "TypeError: oops")
  })

  const refused: ReadonlyArray<readonly [way: string, reason: RegExp]> = [
    ["set", /a write to State is not allowed there/],
    ["activity", /a durable step is not allowed there/],
    ["start", /a durable step is not allowed there/],
    ["cancel", /the cancellation of an activity is not allowed there/],
    ["sleep", /a durable step is not allowed there/],
    ["sleep for nothing", /a durable step is not allowed there/],
    ["random", /Random is not allowed there/],
    ["uuid", /Random is not allowed there/],
    ["condition", /Workflow.condition is not allowed there/],
    ["catchCancel", /Workflow.catchCancel is not allowed there/],
    ["compensation", /a compensation is not allowed there/],
    ["Math.random", /Math.random in a workflow body \(.*Handlers.test.ts:/],
    ["promise", /a promise in a workflow body \(.*Handlers.test.ts:/],
    ["wait", /a query or validator must not wait/],
    ["take", /a query or validator must not wait/],
    ["spin", /did not come to rest within/],
    ["escape", /a fiber that runs apart from the body/]
  ]
  it("that would write, wait or let the outside in are refused, and the run is unharmed", () => {
    const hosted = hostOf(asked as never)
    const untouched = new Driver(hosted)
    untouched.start()
    untouched.complete(2)
    for (const [way, reason] of refused) {
      const driver = new Driver(hosted, { operationsMax: 50_000 })
      driver.start()
      const answer = driver.interpreter.query("forced", way)
      assert.match(Either.isLeft(answer) ? answer.left : `answered ${way}`, reason)
      assert.deepStrictEqual(driver.interpreter.query("total", 0), Either.right(1), way)
      const fibers = driver.interpreter.fibers
      assert.deepStrictEqual(brief(driver.complete(2)), ["completed 7"], way)
      assert.deepStrictEqual(driver.log, untouched.log, way)
      assert.strictEqual(fibers, 1, way)
      assert.deepStrictEqual(driver.late, [], way)
      driver.replay().evict()
    }
  })

  it("may read what the run knows of itself", () => {
    const driver = begun(asked)
    assert.deepStrictEqual(driver.interpreter.query("forced", "info"), Either.right("workflow-1"))
    assert.deepStrictEqual(driver.interpreter.query("forced", "now"), Either.right(driver.now))
    assert.deepStrictEqual(driver.interpreter.query("forced", "finished"), Either.right(true))
  })

  it("before the handlers are set up are told so", () => {
    const Slow = Workflow.make("Slow", { queries: { ask: {} } })
    const driver = begun(
      Slow.toLayer(() =>
        Effect.as(forced(act("set up")), Slow.of({ queries: { ask: () => Effect.void }, run: Effect.never }))
      )
    )
    assert.deepStrictEqual(
      driver.interpreter.query("ask", undefined),
      Either.left("the run has not set up its handlers yet")
    )
    driver.complete(1)
    assert.deepStrictEqual(driver.interpreter.query("ask", undefined), Either.right(undefined))
  })
})
