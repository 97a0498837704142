/**
 * Goal: what a cancel request does to a run and to its activities (rows C1 to C8), and how a body turns it into a value.
 *
 * Method: commands turn by turn; every history is replayed after its test.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Schema from "effect/Schema"
import { ApplicationError, Workflow } from "perdure"
import { Act, act, host } from "./Bodies.js"
import { brief, Driver, hostOf } from "./Driver.js"

const { gen } = Effect
type Body = Effect.Effect<unknown, unknown, unknown>

const begun = (body: Body): Driver => {
  const driver = new Driver(host(body))
  driver.start()
  return driver
}

/** Replays it whole, and from each turn on as after a crash. */
const replayed = (driver: Driver): void => {
  driver.replay().evict()
  driver.interpreter.evict()
}

const cleanUp = (label: string) => Effect.ignore(act(label))

describe("a cancel request (C1 to C4)", () => {
  it("interrupts the run where it waits", () => {
    const driver = begun(Effect.zipRight(act("a"), act("b")))
    assert.deepStrictEqual(brief(driver.cancel("enough")), ["cancel#1", "canceled"])
    assert.deepInclude(driver.state, { status: "Canceled", cancelRequested: "enough" })
    replayed(driver)
  })

  it("before the first turn: the body begins, and meets it at its first wait", () => {
    const seen: Array<string> = []
    const driver = new Driver(host(gen(function*() {
      seen.push("begun")
      yield* Effect.onInterrupt(act("a"), () =>
        Effect.sync(() => {
          seen.push("interrupted")
        }))
    })))
    assert.deepStrictEqual(brief(driver.start(undefined, { _tag: "Cancel", reason: "" })), ["canceled"])
    assert.deepStrictEqual(seen, ["begun", "interrupted"])
    replayed(driver)
  })

  it("before the first turn of a body that does not wait: it completes", () => {
    const driver = new Driver(host(Effect.succeed("done")))
    assert.deepStrictEqual(brief(driver.start(undefined, { _tag: "Cancel", reason: "" })), ["completed \"done\""])
    replayed(driver)
  })

  it("finalizers run durable steps, over as many turns as they need", () => {
    const driver = begun(
      Effect.ensuring(
        act("a"),
        Effect.zipRight(cleanUp("first"), Effect.zipRight(Effect.sleep("1 minute"), cleanUp("second")))
      )
    )
    assert.deepStrictEqual(brief(driver.cancel()), ["cancel#1", "Act#2 first"])
    assert.deepStrictEqual(brief(driver.complete(2)), ["timer#3 60000"])
    driver.restart()
    assert.deepStrictEqual(brief(driver.fire()), ["Act#4 second"])
    assert.deepStrictEqual(brief(driver.complete(4)), ["canceled"])
    replayed(driver)
  })

  it("comes once: a later one changes nothing", () => {
    const driver = begun(Effect.ensuring(act("a"), cleanUp("clean up")))
    driver.cancel("first")
    assert.deepStrictEqual(
      driver.interpreter.turn({
        at: driver.now,
        events: [{ _tag: "CancelRequested", reason: "second" }],
        replaying: false,
        past: { events: 0, bytes: 0, updates: new Map() }
      }).commands,
      []
    )
    assert.strictEqual(driver.interpreter.info().cancelReason, "first")
    assert.deepStrictEqual(brief(driver.complete(2)), ["canceled"])
  })

  it("its reason is undefined before, and empty if none was given", () => {
    const reasons = Effect.map(Workflow.info, ({ cancelReason }) => cancelReason ?? "none")
    const driver = begun(gen(function*() {
      const before = yield* reasons
      return yield* Workflow.catchCancel(act("a"), (reason) => Effect.map(reasons, (after) => [before, reason, after]))
    }))
    assert.deepStrictEqual(brief(driver.cancel()), ["cancel#1", `completed ["none","",""]`])
    replayed(driver)
  })

  it("what cannot be interrupted goes on to its end first", () => {
    const driver = begun(Effect.zipRight(Effect.uninterruptible(Effect.zipRight(act("a"), act("b"))), act("c")))
    assert.deepStrictEqual(brief(driver.cancel()), [])
    assert.deepStrictEqual(brief(driver.complete(1)), ["Act#2 b"])
    assert.deepStrictEqual(brief(driver.complete(2)), ["canceled"])
    replayed(driver)
  })

  it("a canceled activity's error that escapes later ends the run as canceled: the request is sticky (C3)", () => {
    const driver = begun(gen(function*() {
      const handle = yield* Act.start({ label: "a" })
      yield* Workflow.catchCancel(act("b"), () => Effect.void)
      yield* handle.cancel
      yield* handle.result
    }))
    assert.deepStrictEqual(brief(driver.cancel()), ["cancel#2", "cancel#1", "canceled"])
    replayed(driver)
  })

  it("without a request an interrupted body is a failed one", () => {
    const driver = new Driver(host(Effect.interrupt))
    assert.deepStrictEqual(brief(driver.start()), ["failed Canceled"])
    replayed(driver)
  })

  it("handlers in progress go on (C2)", () => {
    const Desk = Workflow.make("Desk", { signals: { work: {} }, updates: { ask: { success: Schema.String } } })
    const driver = new Driver(hostOf(Desk.toLayer(() =>
      Effect.succeed(Desk.of({
        signals: { work: () => act("signal") as Effect.Effect<unknown> },
        updates: {
          ask: () => Workflow.catchCancel(act("update"), () => Effect.dieMessage("no request gets here")) as never
        },
        run: Effect.ensuring(Effect.never, cleanUp("clean up") as Effect.Effect<void>)
      }))
    )))
    driver.start()
    driver.signal("work")
    driver.update("ask")
    assert.deepStrictEqual(brief(driver.cancel()), ["Act#3 clean up"])
    assert.deepStrictEqual(brief(driver.complete(2)), ["update ask = \"update\""])
    assert.deepStrictEqual(brief(driver.complete(3)), ["canceled"])
    replayed(driver)
  })
})

describe("what interrupting the wait for an activity does (C5 to C7)", () => {
  const raced = (cancellation: "TryCancel" | "WaitCancellationCompleted" | "Abandon") =>
    begun(gen(function*() {
      const outcome = yield* Effect.timeoutOption(act("a", { cancellation }), "1 second")
      yield* act(`then ${outcome._tag}`)
    }))

  it("TryCancel: it is asked to end, and not waited for; its late outcome is left", () => {
    const driver = raced("TryCancel")
    assert.deepStrictEqual(brief(driver.fire()), ["cancel#1", "Act#3 then None"])
    assert.deepStrictEqual(brief(driver.canceled(1)), [])
    assert.deepStrictEqual(brief(driver.complete(3)), ["completed undefined"])
    replayed(driver)
  })

  it("Abandon: nothing is sent, and its outcome is left", () => {
    const driver = raced("Abandon")
    assert.deepStrictEqual(brief(driver.fire()), ["Act#3 then None"])
    assert.deepStrictEqual(brief(driver.complete(1)), [])
    driver.complete(3)
    replayed(driver)
  })

  for (
    const [how, end] of [
      ["canceled", (driver: Driver) => driver.canceled(1)],
      ["completed", (driver: Driver) => driver.complete(1)],
      ["failed", (driver: Driver) => driver.fail(1, { _tag: "Application", type: "Odd", message: "" })]
    ] as const
  ) {
    it(`WaitCancellationCompleted: it is asked to end, and waited for until it is ${how}`, () => {
      const driver = raced("WaitCancellationCompleted")
      assert.deepStrictEqual(brief(driver.fire()), ["cancel#1"])
      driver.restart()
      assert.deepStrictEqual(brief(end(driver)), ["Act#3 then None"])
      driver.complete(3)
      replayed(driver)
    })
  }

  const handled = (cancellation: "TryCancel" | "WaitCancellationCompleted" | "Abandon") =>
    begun(gen(function*() {
      const handle = yield* Act.start({ label: "a" }, { cancellation })
      yield* act("b")
      yield* handle.cancel
      yield* handle.cancel
      const outcome = yield* Effect.either(handle.result)
      yield* handle.cancel
      return [handle.activityId, outcome._tag === "Right" ? outcome.right : outcome.left._tag]
    }))

  it("a handle, TryCancel: its result is canceled at once", () => {
    const driver = handled("TryCancel")
    assert.deepStrictEqual(brief(driver.complete(2)), ["cancel#1", `completed ["1","ActivityError"]`])
    replayed(driver)
  })

  it("a handle, Abandon: nothing is sent", () => {
    const driver = handled("Abandon")
    assert.deepStrictEqual(brief(driver.complete(2)), [`completed ["1","ActivityError"]`])
    replayed(driver)
  })

  it("a handle, WaitCancellationCompleted: its result is the real one, and it is asked once", () => {
    const [swallowed, obeyed] = [handled("WaitCancellationCompleted"), handled("WaitCancellationCompleted")]
    for (const driver of [swallowed, obeyed]) assert.deepStrictEqual(brief(driver.complete(2)), ["cancel#1"])
    assert.deepStrictEqual(brief(swallowed.complete(1)), [`completed ["1","a"]`])
    assert.deepStrictEqual(brief(obeyed.canceled(1)), [`completed ["1","ActivityError"]`])
    replayed(swallowed)
    replayed(obeyed)
  })

  it("a handle that is canceled in the turn that started it leaves nothing, whatever its type (C8)", () => {
    for (const cancellation of ["TryCancel", "WaitCancellationCompleted", "Abandon"] as const) {
      const driver = new Driver(host(gen(function*() {
        const handle = yield* Act.start({ label: "a" }, { cancellation })
        yield* handle.cancel
        return (yield* Effect.flip(handle.result))._tag
      })))
      assert.deepStrictEqual(brief(driver.start()), ["completed \"ActivityError\""])
      replayed(driver)
    }
  })

  it("interrupting one who waits for a handle's result cancels nothing; others get it, and later ones too", () => {
    const driver = begun(gen(function*() {
      const handle = yield* Act.start({ label: "a" })
      const impatient = yield* Effect.fork(handle.result)
      const patient = yield* Effect.fork(handle.result)
      yield* act("b")
      yield* Fiber.interrupt(impatient)
      return [yield* Fiber.join(patient), yield* handle.result]
    }))
    assert.deepStrictEqual(brief(driver.complete(2)), [])
    assert.deepStrictEqual(brief(driver.complete(1)), [`completed ["a","a"]`])
    replayed(driver)
  })

  it("an inline step is canceled, and may be started anew", async () => {
    const { Step } = await import("perdure")
    const driver = begun(gen(function*() {
      const slow = Step.run("slow", { execute: Effect.never })
      yield* Effect.timeoutOption(slow, "1 second")
      yield* Step.run("fast", { execute: Effect.void })
    }))
    assert.deepStrictEqual([...driver.interpreter.steps.keys()], [1])
    assert.deepStrictEqual(brief(driver.fire()), ["cancel step#1", "step#3 fast"])
    assert.deepStrictEqual([...driver.interpreter.steps.keys()], [3])
    assert.deepStrictEqual(brief(driver.completeStep(3)), ["completed undefined"])
    assert.deepStrictEqual([...driver.interpreter.steps.keys()], [])
    replayed(driver)
  })
})

describe("Workflow.catchCancel", () => {
  it("turns the request into a value; the run goes on, and a later request changes nothing", () => {
    const driver = begun(gen(function*() {
      const first = yield* Workflow.catchCancel(act("a"), (reason) => Effect.as(act("fallback"), reason))
      const second = yield* Workflow.catchCancel(act("b"), () => Effect.succeed("never"))
      return [first, second]
    }))
    assert.deepStrictEqual(brief(driver.cancel("why")), ["cancel#1", "Act#2 fallback"])
    assert.deepStrictEqual(brief(driver.complete(2)), ["Act#3 b"])
    assert.deepStrictEqual(
      driver.interpreter.turn({
        at: driver.now,
        events: [{ _tag: "CancelRequested", reason: "again" }],
        replaying: false,
        past: { events: 0, bytes: 0, updates: new Map() }
      }).commands,
      []
    )
    assert.deepStrictEqual(brief(driver.complete(3)), [`completed ["why","b"]`])
    assert.strictEqual(driver.state.status, "Completed")
    replayed(driver)
  })

  it("without a request is as if it were not there", () => {
    const ref = FiberRef.unsafeMake("outside")
    const driver = begun(gen(function*() {
      const value = yield* Workflow.catchCancel(
        Effect.zipRight(FiberRef.set(ref, "inside"), act("a")),
        () => Effect.succeed("never")
      )
      const failed = yield* Effect.flip(Workflow.catchCancel(Effect.fail("typed"), () => Effect.void))
      return [value, failed, yield* FiberRef.get(ref)]
    }))
    assert.deepStrictEqual(brief(driver.complete(1)), [`completed ["a","typed","inside"]`])
    replayed(driver)
  })

  it("after it, the run can be canceled no more, but fails and ends as ever", () => {
    const driver = begun(gen(function*() {
      yield* Workflow.catchCancel(act("a"), () => Effect.void)
      yield* new ApplicationError({ type: "Odd", message: "all the same" })
    }))
    assert.deepStrictEqual(brief(driver.cancel()), ["cancel#1", "failed Odd: all the same"])
    replayed(driver)
  })

  it("its effect's finalizers run durable steps before the fallback", () => {
    const driver = begun(Workflow.catchCancel(
      Effect.ensuring(act("a"), Effect.zipRight(cleanUp("one"), cleanUp("two"))),
      () => act("fallback")
    ))
    assert.deepStrictEqual(brief(driver.cancel()), ["cancel#1", "Act#2 one"])
    driver.restart()
    assert.deepStrictEqual(brief(driver.complete(2)), ["Act#3 two"])
    assert.deepStrictEqual(brief(driver.complete(3)), ["Act#4 fallback"])
    assert.deepStrictEqual(brief(driver.complete(4)), ["completed \"fallback\""])
    replayed(driver)
  })

  it("nested: the innermost one gets it", () => {
    const driver = begun(Workflow.catchCancel(
      gen(function*() {
        const inner = yield* Workflow.catchCancel(act("a"), () => Effect.succeed("inner"))
        return `${String(inner)} ${String(yield* act("b"))}`
      }),
      () => Effect.succeed("outer")
    ))
    assert.deepStrictEqual(brief(driver.cancel()), ["cancel#1", "Act#2 b"])
    assert.deepStrictEqual(brief(driver.complete(2)), ["completed \"inner b\""])
    replayed(driver)
  })

  it("nested, after the inner one has ended: the outer one gets it", () => {
    const driver = begun(Workflow.catchCancel(
      Effect.zipRight(Workflow.catchCancel(act("a"), () => Effect.void), act("b")),
      () => Effect.succeed("outer")
    ))
    driver.complete(1)
    assert.deepStrictEqual(brief(driver.cancel()), ["cancel#2", "completed \"outer\""])
    replayed(driver)
  })

  it("inside Effect.all: each gets it, and what is beside them goes on", () => {
    const driver = begun(Effect.all([
      Workflow.catchCancel(act("a"), () => Effect.succeed("a was canceled")),
      act("beside"),
      Workflow.catchCancel(Effect.ensuring(act("b"), cleanUp("b closed")), () => act("b fallback"))
    ], { concurrency: "unbounded" }))
    assert.deepStrictEqual(brief(driver.cancel()), ["cancel#2", "cancel#3", "Act#4 b closed"])
    assert.deepStrictEqual(brief(driver.complete(4)), ["Act#5 b fallback"])
    assert.deepStrictEqual(brief(driver.complete(5)), [])
    assert.deepStrictEqual(brief(driver.complete(1)), [`completed ["a was canceled","beside","b fallback"]`])
    replayed(driver)
  })

  it("around Effect.all: all of it is interrupted", () => {
    const driver = begun(Workflow.catchCancel(
      Effect.all([act("a"), act("b")], { concurrency: "unbounded" }),
      () => Effect.succeed("canceled")
    ))
    assert.deepStrictEqual(brief(driver.cancel()), ["cancel#1", "cancel#2", "completed \"canceled\""])
    replayed(driver)
  })

  it("on a forked fiber", () => {
    const driver = begun(gen(function*() {
      const fiber = yield* Effect.fork(Workflow.catchCancel(act("a"), () => Effect.succeed("caught")))
      yield* act("main")
      return yield* Fiber.join(fiber)
    }))
    assert.deepStrictEqual(brief(driver.cancel()), ["cancel#2"])
    assert.deepStrictEqual(brief(driver.complete(1)), ["completed \"caught\""])
    replayed(driver)
  })

  it("does not catch an interruption that is no request", () => {
    const driver = begun(gen(function*() {
      const timed = Workflow.catchCancel(Effect.ensuring(act("a"), cleanUp("a closed")), () => Effect.succeed("caught"))
      return (yield* Effect.timeoutOption(timed, "1 second"))._tag
    }))
    assert.deepStrictEqual(brief(driver.fire()), ["cancel#2", "Act#3 a closed"])
    assert.deepStrictEqual(brief(driver.complete(3)), ["completed \"None\""])
    replayed(driver)
  })

  it("waits for what cannot be interrupted", () => {
    const driver = begun(Workflow.catchCancel(Effect.uninterruptible(act("a")), () => Effect.succeed("fallback")))
    assert.deepStrictEqual(brief(driver.cancel()), [])
    assert.deepStrictEqual(brief(driver.complete(1)), ["completed \"fallback\""])
    replayed(driver)
  })

  it("before the first turn", () => {
    const driver = new Driver(host(Workflow.catchCancel(act("a"), () => Effect.succeed("caught"))))
    assert.deepStrictEqual(brief(driver.start(undefined, { _tag: "Cancel", reason: "" })), ["completed \"caught\""])
    replayed(driver)
  })

  it("a request that comes while its own fallback runs has been had already", () => {
    const driver = begun(gen(function*() {
      const deferred = yield* Deferred.make<void>()
      yield* Workflow.catchCancel(Deferred.await(deferred), () => act("fallback"))
    }))
    driver.cancel()
    assert.deepStrictEqual(driver.cancel("again"), [])
    assert.deepStrictEqual(brief(driver.complete(1)), ["completed undefined"])
    driver.replay().evict()
  })
})
