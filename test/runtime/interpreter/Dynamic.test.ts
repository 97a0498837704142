/**
 * Goal: messages whose names no contract declares, handlers that come and go while the run goes on, and handlers that
 * the end of the run cuts short (rows S2, S6, S8, Q4, D9, U6, W18). Each history is replayed.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { ApplicationError, State, Workflow } from "perdure"
import { act, Declined } from "./Bodies.js"
import { brief, Driver, hostOf, signal, update } from "./Driver.js"

const { gen } = Effect

/** As if its types allowed it. */
const forced = <A, E>(effect: Effect.Effect<A, E, unknown>): Effect.Effect<never> => effect as Effect.Effect<never>

const begun = (layer: Parameters<typeof hostOf>[0] | object, ...waiting: ReadonlyArray<ReturnType<typeof signal>>) => {
  const driver = new Driver(hostOf(layer as Parameters<typeof hostOf>[0]))
  driver.start(undefined, ...waiting)
  return driver
}

const replays = (driver: Driver) => driver.replay().evict()

describe("dynamic handlers (S6, Q4)", () => {
  const Switch = Workflow.make("Switch", {
    success: Schema.Array(Schema.Unknown),
    signals: { named: { payload: Schema.NumberFromString } },
    queries: { count: { success: Schema.Number } },
    updates: { named: { payload: Schema.NumberFromString, success: Schema.NumberFromString } },
    dynamic: { signals: true, queries: true, updates: true }
  })
  const SwitchLive = Switch.toLayer(() =>
    gen(function*() {
      const seen = yield* State.make<ReadonlyArray<unknown>>([])
      const note = (...what: ReadonlyArray<unknown>) => seen.update((all) => [...all, what])
      const end = yield* Deferred.make<void>()
      return Switch.of({
        signals: { named: (n) => note("named", n) },
        queries: { count: () => Effect.map(seen.get, (all) => all.length) },
        updates: { named: (n) => Effect.as(note("update", n), n + 1) },
        dynamic: {
          signals: (name, payload) =>
            name === "end" ? Deferred.succeed(end, undefined) : Effect.zipRight(forced(act(name)), note(name, payload)),
          queries: (name, payload) =>
            name === "bad"
              ? new ApplicationError({ type: "Bad", message: "no such thing" })
              : Effect.succeed(name === "odd" ? new Map() : { name, payload }),
          updates: {
            validate: (name) => name === "no" ? new ApplicationError({ type: "No", message: "not now" }) : Effect.void,
            handle: (name, payload) => Effect.as(note(name, payload), [name, payload])
          }
        },
        run: Effect.zipRight(Deferred.await(end), seen.get)
      })
    })
  )

  it("take what has no handler of its name, as it was sent; a named one takes the rest, decoded", () => {
    const driver = begun(SwitchLive)
    driver.signal("named", "4")
    assert.deepStrictEqual(brief(driver.signal("other", { label: "x", n: 1 })), ["Act#1 other"])
    driver.complete(1)
    assert.deepStrictEqual(brief(driver.update("named", "5").commands), [`update named = "6"`])
    assert.deepStrictEqual(brief(driver.update("more", { n: 1 }).commands), [`update more = ["more",{"n":1}]`])
    assert.deepStrictEqual(driver.interpreter.query("count", undefined), Either.right(4))
    assert.deepStrictEqual(
      driver.interpreter.query("what", [1]),
      Either.right({ name: "what", payload: [1] })
    )
    assert.deepStrictEqual(brief(driver.signal("end")), [
      `completed [["named",4],["other",{"label":"x","n":1}],["update",5],["more",{"n":1}]]`
    ])
    replays(driver)
  })

  it("of updates refuse before anything is recorded; of queries fail in words, and give JSON", () => {
    const driver = begun(SwitchLive)
    const { commands, rejected } = driver.update("no", 1)
    assert.deepStrictEqual(commands, [])
    assert.deepInclude(rejected.get("no"), { type: "No" })
    assert.match(String(driver.interpreter.query("bad", undefined)), /no such thing/)
    assert.match(String(driver.interpreter.query("odd", undefined)), /a value without a contract/)
    replays(driver)
  })

  it("never get a reserved name (D9)", () => {
    const driver = begun(SwitchLive)
    for (const name of ["__perdure_x", "__temporal_signal", "__stack_trace", "__enhanced_stack_trace", "__metadata"]) {
      const output = driver.turn(signal(name, 1))
      assert.deepStrictEqual(output.commands, [])
      assert.match(String(output.logs[0]?.message), /dropped: .*reserved/)
      assert.deepInclude(driver.update(name).rejected.get(name), { type: "UnknownUpdate" })
    }
    assert.match(String(driver.interpreter.query("__perdure_x", 1)), /unknown query __perdure_x/)
    assert.match(String(driver.interpreter.query("__enhanced_stack_trace", 1)), /unknown query/)
    assert.deepStrictEqual(brief(driver.signal("end")), ["completed []"])
  })
})

describe("built-in queries (Q4)", () => {
  const Plain = Workflow.make("Plain", {
    signals: { go: { description: "Lets it go on." }, stop: {} },
    queries: { how: { success: Schema.Number, description: "How it goes." } },
    dynamic: { updates: true }
  })
  const PlainLive = Plain.toLayer(() =>
    Effect.succeed(Plain.of({
      signals: { go: () => forced(act("handler")), stop: () => Effect.void },
      queries: { how: () => Effect.succeed(1) },
      dynamic: { updates: (name) => Effect.succeed(name) },
      run: gen(function*() {
        yield* Effect.fork(Effect.sleep("1 day"))
        yield* waitHere()
      })
    }))
  )
  const waitHere = Effect.fn(function*() {
    yield* forced(act("main"))
  })

  it("__metadata tells names and descriptions, and which kinds take any name", () => {
    const driver = begun(PlainLive)
    assert.deepStrictEqual(
      driver.interpreter.query("__metadata", undefined),
      Either.right({
        workflow: "Plain",
        signals: [{ name: "go", description: "Lets it go on." }, { name: "stop" }],
        queries: [{ name: "how", description: "How it goes." }],
        updates: [],
        dynamic: ["updates"]
      })
    )
  })

  it("__stack_trace tells of each fiber, handlers too, the step it waits for and the author's lines", () => {
    const driver = begun(PlainLive)
    driver.signal("go")
    const answer = Either.getOrThrow(driver.interpreter.query("__stack_trace", undefined)) as ReadonlyArray<
      { readonly step?: number; readonly places: ReadonlyArray<string> }
    >
    assert.deepStrictEqual(answer.flatMap(({ step }) => step ?? []).sort(), [1, 2, 3])
    const lines = answer.flatMap(({ places }) => places).filter((place) => /Dynamic\.test\.ts:\d+/.test(place))
    assert.isAtLeast(lines.length, 2)
    const waiting = answer.find(({ step }) => step === 2 || step === 1)
    assert.isNotEmpty(waiting?.places)
  })

  it("are there for a workflow without any messages, and after its end", () => {
    const Bare = Workflow.make("Bare")
    const driver = begun(Bare.toLayer(() => Effect.void))
    assert.deepInclude(Either.getOrThrow(driver.interpreter.query("__metadata", undefined)), { workflow: "Bare" })
    assert.deepStrictEqual(driver.interpreter.query("__stack_trace", undefined), Either.right([]))
    assert.match(String(driver.interpreter.query("other", undefined)), /unknown query other/)
  })
})

describe("handlers set at run time (W18)", () => {
  const Gate = Workflow.make("Gate", {
    success: Schema.Array(Schema.String),
    error: Declined,
    signals: { put: { payload: Schema.String }, next: {} },
    queries: { seen: { success: Schema.Array(Schema.String) } },
    updates: { ask: { payload: Schema.String, success: Schema.String } },
    dynamic: { signals: true }
  })
  /** Phases, each begun by the signal `next`. */
  const gate = (
    ...phases: ReadonlyArray<(note: (what: string) => Effect.Effect<void>) => Effect.Effect<unknown, never, never>>
  ) =>
    Gate.toLayer(() =>
      gen(function*() {
        const seen: Array<string> = []
        const note = (what: string) => Effect.sync(() => void seen.push(what))
        let phase = 0
        return Gate.of({
          signals: { put: Workflow.later, next: () => Effect.sync(() => void phase++) },
          queries: { seen: Workflow.later },
          updates: { ask: Workflow.later },
          dynamic: { signals: Workflow.later },
          run: gen(function*() {
            for (const [index, begin] of phases.entries()) {
              yield* Workflow.condition(() => phase > index)
              yield* begin(note)
              yield* note(`phase ${index + 1} goes on`)
            }
            return seen
          })
        })
      })
    )

  it("signals wait, also over a restart, until their handler is set, and are handled in order before it goes on (S2)", () => {
    const driver = begun(
      gate((note) => forced(Gate.setHandlers({ signals: { put: (what) => note(`put ${what}`) } }))),
      signal("put", "a")
    )
    driver.signal("other", 1)
    driver.signal("put", "b")
    driver.restart()
    driver.signal("put", "c")
    assert.deepStrictEqual(brief(driver.signal("next")), [
      `completed ["put a","put b","put c","phase 1 goes on"]`
    ])
    replays(driver)
  })

  it("one that is taken away leaves signals waiting again; the dynamic one takes all that wait (S6)", () => {
    const driver = begun(gate(
      (note) => forced(Gate.setHandlers({ signals: { put: (what) => note(`put ${what}`) } })),
      () => forced(Gate.setHandlers({ signals: { put: undefined } })),
      (note) => forced(Gate.setHandlers({ dynamic: { signals: (name, what) => note(`any ${name} ${what}`) } })),
      (note) =>
        forced(Gate.setHandlers({ signals: { put: (what) => note(`again ${what}`) }, dynamic: { signals: undefined } }))
    ))
    driver.signal("next")
    driver.signal("put", "a")
    driver.signal("next")
    driver.signal("put", "b")
    driver.signal("x", "c")
    driver.signal("put", "d")
    driver.signal("next")
    driver.signal("put", "e")
    driver.restart()
    assert.deepStrictEqual(
      brief(driver.take(signal("next"))),
      [
        `completed ["phase 1 goes on","put a","phase 2 goes on","any put b","any x c","any put d","phase 3 goes on","any put e","phase 4 goes on"]`
      ]
    )
    replays(driver)
  })

  it("a handler in progress goes on after it was replaced", () => {
    const driver = begun(gate(
      (note) =>
        forced(Gate.setHandlers({ signals: { put: (what) => Effect.zipRight(forced(act(what)), note(what)) } })),
      (note) => forced(Gate.setHandlers({ signals: { put: (what) => note(`new ${what}`) } })),
      () => forced(Workflow.condition(Workflow.allHandlersFinished))
    ))
    driver.signal("next")
    assert.deepStrictEqual(brief(driver.signal("put", "a")), ["Act#1 a"])
    driver.signal("next")
    driver.signal("put", "b")
    assert.deepStrictEqual(brief(driver.signal("next")), [])
    assert.deepStrictEqual(brief(driver.complete(1)), [
      `completed ["phase 1 goes on","phase 2 goes on","new b","a","phase 3 goes on"]`
    ])
    replays(driver)
  })

  it("an update waits for the end of its first turn, and is refused then if none has come (U6)", () => {
    const early = Gate.toLayer(() =>
      Effect.succeed(Gate.of({
        signals: { put: Workflow.later, next: Workflow.later },
        queries: { seen: Workflow.later },
        updates: { ask: Workflow.later },
        dynamic: { signals: Workflow.later },
        run: gen(function*() {
          yield* Gate.setHandlers({ updates: { ask: (what) => Effect.succeed(`${what}!`) } })
          yield* forced(act("main"))
          yield* Gate.setHandlers({ updates: { ask: undefined } })
          yield* forced(act("rest"))
          return []
        })
      }))
    )
    const driver = new Driver(hostOf(early as never))
    assert.deepStrictEqual(brief(driver.start(undefined, update("ask", "a"))), [`update ask = "a!"`, "Act#1 main"])
    driver.complete(1)
    assert.deepInclude(driver.update("ask", "b", "2").rejected.get("2"), { type: "UnknownUpdate" })
    replays(driver)

    const never = new Driver(hostOf(gate(() => Effect.void) as never))
    const { rejected } = never.turn(never.startMessage(), update("ask", "a"))
    assert.deepInclude(rejected.get("ask"), { type: "UnknownUpdate" })
    assert.deepStrictEqual(never.turns[0]?.events.map(({ _tag }) => _tag), ["ExecutionStarted"])
    replays(never)
  })

  it("queries and updates come and go by name", () => {
    const driver = begun(gate(
      () =>
        forced(Gate.setHandlers({
          queries: { seen: () => Effect.succeed(["x"]) },
          updates: {
            ask: {
              validate: (what) => what === "" ? new ApplicationError({ type: "Empty", message: "?" }) : Effect.void,
              handle: (what) => Effect.succeed(what)
            }
          }
        })),
      () => forced(Gate.setHandlers({ queries: { seen: undefined }, updates: { ask: undefined } })),
      () => Effect.void
    ))
    assert.match(String(driver.interpreter.query("seen", undefined)), /unknown query seen; known are: none/)
    driver.signal("next")
    assert.deepStrictEqual(driver.interpreter.query("seen", undefined), Either.right(["x"]))
    assert.deepStrictEqual(brief(driver.update("ask", "a").commands), [`update ask = "a"`])
    assert.deepInclude(driver.interpreter.validate({ id: "u", name: "ask", input: "" }), { type: "Empty" })
    driver.signal("next")
    assert.match(String(driver.interpreter.query("seen", undefined)), /unknown query seen/)
    assert.deepInclude(driver.interpreter.validate({ id: "u", name: "ask", input: "a" }), { type: "UnknownUpdate" })
  })

  it("cannot be set for what the contract does not have, for another workflow, or in a query (W14)", () => {
    const Other = Workflow.make("Other", { signals: { put: {} } })
    const refused = (effect: Effect.Effect<unknown, never, never>) => {
      const driver = begun(gate(() => effect))
      assert.throws(() => driver.signal("next"), /setHandlers: /)
    }
    refused(forced(Other.setHandlers({ signals: { put: () => Effect.void } })))
    refused(forced(Gate.setHandlers({ signals: { slip: () => Effect.void } } as never)))
    refused(forced(Gate.setHandlers({ dynamic: { queries: () => Effect.void } } as never)))
    const asking = begun(gate(
      () =>
        forced(Gate.setHandlers({
          queries: { seen: () => Effect.as(forced(Gate.setHandlers({ signals: { put: undefined } })), []) }
        })),
      () => Effect.void
    ))
    asking.signal("next")
    assert.match(String(asking.interpreter.query("seen", undefined)), /setHandlers is not allowed there/)
  })
})

describe("handlers that the end cuts short (S8)", () => {
  const Busy = Workflow.make("Busy", {
    error: Declined,
    signals: { work: {}, aside: { unfinished: "Abandon" }, end: { payload: Schema.Literal("return", "fail") } },
    updates: { ask: {}, quiet: { unfinished: "Abandon" } }
  })
  const BusyLive = Busy.toLayer(() =>
    gen(function*() {
      const end = yield* Deferred.make<"return" | "fail">()
      const work = () => forced(act("work"))
      return Busy.of({
        signals: { work, aside: work, end: (how) => Deferred.succeed(end, how) },
        updates: { ask: work, quiet: work },
        run: Effect.flatMap(
          Deferred.await(end),
          (how) => how === "fail" ? new Declined({ reason: "asked to" }) : Effect.void
        )
      })
    })
  )
  const busy = () => {
    const driver = begun(BusyLive)
    driver.signal("work")
    driver.signal("aside")
    driver.update("ask", undefined, "id 7")
    driver.update("quiet")
    return driver
  }

  for (
    const [name, last] of [
      ["a result", signal("end", "return")],
      ["a failure", signal("end", "fail")],
      ["a cancel request", { _tag: "Cancel", reason: "" } as const]
    ] as const
  ) {
    it(`are named, but for those that may be abandoned: by ${name}`, () => {
      const driver = busy()
      assert.deepStrictEqual(driver.turn(last).unfinished, ["signal work", "update ask (id id 7)"])
      replays(driver)
    })
  }

  it("are not named while the run goes on, nor when they have ended, be it in the last turn", () => {
    const driver = busy()
    for (const seq of [2, 3, 4]) assert.deepStrictEqual(driver.complete(seq).length > 0, seq !== 2)
    const { unfinished } = driver.turn({ _tag: "Cancel", reason: "" })
    assert.deepStrictEqual(unfinished, ["signal work"])
  })
})
