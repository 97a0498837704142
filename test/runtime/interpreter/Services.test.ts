/**
 * Goal: what a body gets in place of effect's services: chance that is the same on replay and differs between runs, logs
 * that come once, no console, no configuration, requests cached per body (rows W2, W3, W11; DETERMINISM 2.2, 2.3, 2.10,
 * 2.11).
 */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as Request from "effect/Request"
import * as RequestResolver from "effect/RequestResolver"
import * as Schema from "effect/Schema"
import { Workflow } from "perdure"
import { Limits } from "../../../src/core/Limits.js"
import { act, host } from "./Bodies.js"
import { brief, Driver, hostOf, update } from "./Driver.js"

const { gen } = Effect

const resultOf = (hosted: ConstructorParameters<typeof Driver>[0], runId: string): unknown => {
  const driver = new Driver(hosted, { runId })
  const [command] = driver.start()
  driver.replay().evict()
  return command?._tag === "CompleteExecution" ? command.result : command
}

describe("chance (W2)", () => {
  it("is the same on replay, after activities too", () => {
    const driver = new Driver(host(gen(function*() {
      yield* act(`${yield* Workflow.random} ${yield* Workflow.uuid}`)
      yield* act(`${yield* Random.nextIntBetween(0, 1_000_000)} ${(yield* Random.shuffle([1, 2, 3, 4])).toString()}`)
    })))
    driver.start()
    driver.restart()
    driver.complete(1)
    driver.restart()
    driver.complete(2)
    driver.replay().evict()
  })

  it("gives UUIDs of version 4, no two alike", () => {
    const uuids = resultOf(host(Effect.replicateEffect(Workflow.uuid, 2_000)), "run-1") as ReadonlyArray<string>
    for (const uuid of uuids) {
      assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    }
    assert.strictEqual(new Set(uuids).size, uuids.length)
  })

  it("differs between runs, however alike their ids are", () => {
    const runs = 1_000
    const hosted = host(Effect.all([Workflow.random, Workflow.uuid]))
    const drawn = Array.from(
      { length: runs },
      (_, i) => resultOf(hosted, `0190a6f0-0000-7000-8000-${String(i).padStart(12, "0")}`) as [number, string]
    )
    assert.strictEqual(new Set(drawn.map(([, uuid]) => uuid)).size, runs)
    // First draws of neighbouring runs are spread evenly: a tenth of them in each tenth, give or take.
    const tenths = Array.from({ length: 10 }, () => 0)
    for (const [number] of drawn) tenths[Math.floor(number * 10)]!++
    for (const count of tenths) assert.isTrue(count > 60 && count < 145, `uneven: ${tenths.join()}`)
    // And each tells nothing of the next.
    const ups = drawn.filter(([number], i) => i > 0 && number > drawn[i - 1]![0]).length
    assert.isTrue(ups > 420 && ups < 580, `${ups} of ${runs} are above the one before`)
  })

  it("is not drawn from by queries and validators", () => {
    const Drawing = Workflow.make("Drawing", { updates: { ask: {} }, success: Schema.Number })
    const hosted = hostOf(Drawing.toLayer(() =>
      Effect.succeed(Drawing.of({
        updates: { ask: { validate: () => Workflow.random as Effect.Effect<number>, handle: () => Effect.void } },
        run: Workflow.random
      }))
    ))
    const [plain, asked] = [new Driver(hosted), new Driver(hosted)]
    const completed = plain.start()
    const output = asked.turn(asked.startMessage(), update("ask"))
    assert.deepStrictEqual([...output.rejected.keys()], ["ask"])
    assert.deepStrictEqual(output.commands, completed)
  })

  it("Random in a body is its own generator, with every method", () => {
    const drawn = resultOf(
      host(gen(function*() {
        return [
          yield* Random.nextInt,
          yield* Random.nextRange(5, 6),
          yield* Random.nextIntBetween(5, 7),
          yield* Random.nextBoolean,
          [...yield* Random.shuffle(["a", "b", "c"])].sort()
        ]
      })),
      "run-1"
    ) as [number, number, number, boolean, ReadonlyArray<string>]
    assert.isTrue(Number.isInteger(drawn[0]))
    assert.isTrue(drawn[1] >= 5 && drawn[1] < 6)
    assert.include([5, 6], drawn[2])
    assert.isBoolean(drawn[3])
    assert.deepStrictEqual(drawn[4], ["a", "b", "c"])
  })
})

describe("logs and the console (W3)", () => {
  const Loud = Workflow.make("Loud", { queries: { ask: {} } })
  const loud = hostOf(Loud.toLayer(() =>
    Effect.succeed(Loud.of({
      queries: { ask: () => Effect.log("asked") },
      run: gen(function*() {
        yield* Effect.log("one").pipe(Effect.annotateLogs("key", "value"))
        yield* act("x") as Effect.Effect<unknown>
        yield* Effect.logWarning("two")
        yield* act("y") as Effect.Effect<unknown>
      })
    }))
  ))
  const said = ({ logs }: { readonly logs: ReadonlyArray<{ readonly message: unknown }> }) =>
    logs.map(({ message }) => String(message))

  it("logs come with their turn, and not again on replay", () => {
    const driver = new Driver(loud)
    assert.deepStrictEqual(said(driver.turn(driver.startMessage())), ["one"])
    driver.interpreter = driver.replay()
    const output = driver.turn({ _tag: "ActivityOutcome", outcome: { _tag: "ActivityCompleted", seq: 1, attempt: 1 } })
    assert.deepStrictEqual(said(output), ["two"])
    assert.strictEqual(output.logs[0]?.date.getTime(), driver.now)
  })

  it("a query may log, also when the body has just been brought back", () => {
    const driver = new Driver(loud)
    driver.start()
    driver.restart()
    driver.interpreter.query("ask", undefined)
    assert.deepStrictEqual(
      said(driver.turn({ _tag: "ActivityOutcome", outcome: { _tag: "ActivityCompleted", seq: 1, attempt: 1 } })),
      ["asked", "two"]
    )
  })

  it("the output of a turn is not touched by later ones", () => {
    const driver = new Driver(host(gen(function*() {
      yield* act("x")
      yield* Effect.log("later")
      yield* act("y")
    })))
    const first = driver.turn(driver.startMessage())
    driver.complete(1)
    assert.deepStrictEqual([first.commands.length, first.logs.length, first.rejected.size], [1, 0, 0])
  })

  it("the console is silent, also for effects that go on in groups", () => {
    const spies = [vi.spyOn(console, "log"), vi.spyOn(console, "error"), vi.spyOn(console, "group")]
    const driver = new Driver(host(gen(function*() {
      yield* Console.log("x")
      yield* Console.error("x")
      yield* Effect.withConsole(Effect.void, yield* Effect.console)
      yield* Console.withGroup(Console.table([1]), { label: "x" })
      yield* Console.withTime(Effect.void, "x")
      yield* Console.consoleWith((console) => Effect.sync(() => console.unsafe.log("x")))
    })))
    assert.deepStrictEqual(brief(driver.start()), ["completed undefined"])
    for (const spy of spies) {
      assert.strictEqual(spy.mock.calls.length, 0)
      spy.mockRestore()
    }
  })
})

describe("what else a body asks for", () => {
  it("configuration fails, whatever the process has", () => {
    process.env["PERDURE_SERVICES_TEST"] = "set"
    const asked = Effect.either(Config.string("PERDURE_SERVICES_TEST"))
    assert.isTrue(Either.isRight(Effect.runSync(asked)))
    assert.strictEqual(resultOf(host(Effect.map(asked, ({ _tag }) => _tag)), "run-1"), "Left")
  })

  it("spans cost no random numbers and leave no trace", () => {
    const spanned = Effect.withSpan(Effect.zipRight(Effect.annotateCurrentSpan("key", 1), Effect.succeed(1)), "span")
    assert.strictEqual(resultOf(host(Effect.fn("named")(() => spanned)()), "run-1"), 1)
  })

  it("metrics count as ever", () => {
    const counter = Metric.counter("perdure_services_test")
    assert.strictEqual(resultOf(host(Effect.as(Metric.increment(counter), 1)), "run-1"), 1)
  })

  it("the run knows itself (W11)", () => {
    const driver = new Driver(host(gen(function*() {
      yield* act("x")
      return yield* Workflow.info
    })))
    driver.start()
    driver.now += 5
    const [completed] = driver.complete(1)
    assert.deepStrictEqual(completed, {
      _tag: "CompleteExecution",
      result: {
        workflow: "Plain",
        workflowId: "workflow-1",
        runId: driver.runId,
        taskQueue: "queue",
        namespace: "default",
        startedAt: driver.now - 5,
        headers: {},
        parent: undefined,
        scheduled: undefined,
        root: { workflowId: "workflow-1", runId: driver.runId },
        firstRunId: driver.runId,
        previousRunId: undefined,
        firstStartedAt: driver.now - 5,
        attempt: 1,
        executionTimeoutMillis: undefined,
        runTimeoutMillis: undefined,
        expiresAt: undefined,
        retry: undefined,
        cron: undefined,
        lastResult: undefined,
        lastFailure: undefined,
        memo: {},
        searchAttributes: {},
        summary: undefined,
        details: undefined,
        historyLength: 2,
        historyBytes: JSON.stringify(driver.turns[0]!.events).length,
        continueAsNewSuggested: false,
        continueAsNewReasons: [],
        replaying: false,
        cancelReason: undefined,
        deploymentVersion: undefined
      }
    } as never)
    assert.isTrue(driver.replay().info().replaying)
  })

  it("a long history suggests to continue as new", () => {
    const driver = new Driver(host(Effect.never))
    driver.start()
    driver.interpreter.turn({
      at: driver.now,
      events: [],
      replaying: false,
      past: { events: Limits.historyEventsSuggested, bytes: 0, updates: new Map() }
    })
    assert.isTrue(driver.interpreter.info().continueAsNewSuggested)
  })

  it("requests are cached per body: each run asks for itself, and once", () => {
    class Look extends Request.TaggedClass("Look")<string, never, { readonly key: string }> {}
    const resolver = RequestResolver.fromEffect((look: Look) => Effect.orDie(act(look.key)) as Effect.Effect<string>)
    const look = Effect.withRequestCaching(Effect.request(new Look({ key: "k" }), resolver), true)
    const hosted = host(Effect.zip(look, look))
    for (const runId of ["run-1", "run-2"]) {
      const driver = new Driver(hosted, { runId })
      assert.deepStrictEqual(brief(driver.start()), ["Act#1 k"])
      assert.deepStrictEqual(brief(driver.complete(1)), [`completed ["k","k"]`])
      driver.replay().evict()
    }
  })
})
