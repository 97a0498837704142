/**
 * Goal: `Workflow.withCompensation` undoes what was done when the run fails or is canceled, and only then.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Workflow } from "perdure"
import { BodyDefect } from "../../../src/runtime/interpreter/TurnFailure.js"
import { act, Declined, host } from "./Bodies.js"
import { brief, Driver, hostOf } from "./Driver.js"

const { gen } = Effect
type Body = Effect.Effect<unknown, unknown, unknown>

const begun = (body: Body): Driver => {
  const driver = new Driver(host(body))
  driver.start()
  return driver
}

/** Does something that can be undone. */
const step = (label: string, undo: Body = act(`undo ${label}`)) =>
  Workflow.withCompensation(act(label), () => undo as Effect.Effect<unknown, unknown>)

const declined = { _tag: "Declared", type: "Declined", message: "", error: { reason: "no", _tag: "Declined" } } as const
const failed = `failed Declined {"reason":"no","_tag":"Declined"}`

describe("Workflow.withCompensation", () => {
  it("runs in reverse order when the run fails, one durable step after the other", () => {
    const driver = begun(gen(function*() {
      yield* step("a")
      yield* step("b")
      yield* act("c")
    }))
    driver.complete(1)
    driver.complete(2)
    assert.deepStrictEqual(brief(driver.fail(3, declined)), ["Act#4 undo b"])
    driver.restart()
    assert.deepStrictEqual(brief(driver.complete(4)), ["Act#5 undo a"])
    assert.deepStrictEqual(brief(driver.complete(5)), [failed])
    driver.replay().evict()
  })

  it("runs when the run is canceled, after its finalizers", () => {
    const driver = begun(Effect.zipRight(step("a"), Effect.ensuring(act("b"), Effect.ignore(act("finalizer")))))
    driver.complete(1)
    assert.deepStrictEqual(brief(driver.cancel()), ["cancel#2", "Act#3 finalizer"])
    assert.deepStrictEqual(brief(driver.complete(3)), ["Act#4 undo a"])
    assert.deepStrictEqual(brief(driver.complete(4)), ["canceled"])
    driver.replay().evict()
  })

  it("does not run when the run succeeds", () => {
    const driver = begun(step("a"))
    assert.deepStrictEqual(brief(driver.complete(1)), ["completed \"a\""])
    driver.replay().evict()
  })

  it("does not run when the turn fails: the run goes on once the code is mended", () => {
    const driver = begun(Effect.zipRight(step("a"), Effect.dieMessage("oops")))
    assert.throws(() => driver.complete(1), BodyDefect)
  })

  it("gets what the effect gave", () => {
    const driver = begun(Effect.zipRight(
      Workflow.withCompensation(act("a"), (value) => act(`undo what gave ${String(value)}`)),
      new Declined({ reason: "no" })
    ))
    assert.deepStrictEqual(brief(driver.complete(1, 42)), ["Act#2 undo what gave 42"])
  })

  it("registers nothing for an effect that failed, or was interrupted before it succeeded", () => {
    const failing = begun(Effect.zipRight(Effect.ignore(step("a")), new Declined({ reason: "no" })))
    assert.deepStrictEqual(brief(failing.fail(1, declined)), [failed])
    const canceled = begun(step("a"))
    assert.deepStrictEqual(brief(canceled.cancel()), ["cancel#1", "canceled"])
    const timed = begun(Effect.zipRight(Effect.timeoutOption(step("a"), "1 second"), new Declined({ reason: "no" })))
    assert.deepStrictEqual(brief(timed.fire()), ["cancel#1", failed])
    for (const driver of [failing, canceled, timed]) driver.replay().evict()
  })

  it("registered first, it undoes what may have been done", () => {
    const driver = begun(Effect.zipRight(
      Workflow.withCompensation(Effect.void, () => act("undo a")),
      act("a", { cancellation: "WaitCancellationCompleted" })
    ))
    assert.deepStrictEqual(brief(driver.cancel()), ["cancel#1"])
    assert.deepStrictEqual(brief(driver.complete(1)), ["Act#2 undo a"])
    assert.deepStrictEqual(brief(driver.complete(2)), ["canceled"])
    driver.replay().evict()
  })

  it("one that fails is told of, and the others go on; the run ends as it would have", () => {
    const driver = begun(gen(function*() {
      yield* step("a")
      yield* step("b")
      yield* new Declined({ reason: "no" })
    }))
    driver.complete(1)
    assert.deepStrictEqual(brief(driver.complete(2)), ["Act#3 undo b"])
    const output = driver.turn({
      _tag: "ActivityOutcome",
      outcome: {
        _tag: "ActivityFailed",
        seq: 3,
        attempt: 1,
        retryState: "NonRetryableFailure",
        failure: { _tag: "Application", type: "Odd", message: "cannot be undone" }
      }
    })
    assert.deepStrictEqual(brief(output.commands), ["Act#4 undo a"])
    assert.match(String(output.logs[0]?.message), /a compensation failed, the others go on.*cannot be undone/s)
    assert.deepStrictEqual(brief(driver.complete(4)), [failed])
    driver.replay().evict()
  })

  it("one that throws fails the turn", () => {
    const driver = begun(Effect.zipRight(step("a", Effect.dieMessage("oops")), new Declined({ reason: "no" })))
    assert.throws(() => driver.complete(1), BodyDefect, /oops/)
  })

  it("a cancel request while they run stops none of them, and changes the end in nothing", () => {
    const driver = begun(Effect.zipRight(step("a"), Effect.zipRight(step("b"), new Declined({ reason: "no" }))))
    driver.complete(1)
    driver.complete(2)
    assert.deepStrictEqual(brief(driver.cancel()), [])
    assert.deepStrictEqual(brief(driver.complete(3)), ["Act#4 undo a"])
    assert.deepStrictEqual(brief(driver.complete(4)), [failed])
    driver.replay().evict()
  })

  it("may use timeouts, races and retries, though the run was canceled", () => {
    const driver = begun(Effect.zipRight(
      step("a", Effect.timeoutOption(act("undo"), "1 second").pipe(Effect.flatMap(({ _tag }) => act(_tag)))),
      act("b")
    ))
    driver.complete(1)
    assert.deepStrictEqual(brief(driver.cancel()), ["cancel#2", "Act#3 undo", "timer#4 1000"])
    assert.deepStrictEqual(brief(driver.fire()), ["cancel#3", "Act#5 None"])
    assert.deepStrictEqual(brief(driver.complete(5)), ["canceled"])
    driver.replay().evict()
  })

  it("in parallel branches: in reverse order of success", () => {
    const driver = begun(Effect.zipRight(
      Effect.all([step("a"), step("b"), step("c")], { concurrency: "unbounded" }),
      new Declined({ reason: "no" })
    ))
    driver.complete(2)
    driver.complete(3)
    assert.deepStrictEqual(brief(driver.complete(1)), ["Act#4 undo a"])
    assert.deepStrictEqual(brief(driver.complete(4)), ["Act#5 undo c"])
    assert.deepStrictEqual(brief(driver.complete(5)), ["Act#6 undo b"])
    driver.complete(6)
    driver.replay().evict()
  })

  it("is not undone by a request that the body catches", () => {
    const driver = begun(Effect.zipRight(step("a"), Workflow.catchCancel(act("b"), () => Effect.succeed("kept"))))
    driver.complete(1)
    assert.deepStrictEqual(brief(driver.cancel()), ["cancel#2", "completed \"kept\""])
    driver.replay().evict()
  })

  it("runs when a signal handler fails the run", () => {
    const Signaled = Workflow.make("Signaled", { error: Declined, signals: { fail: {} } })
    const driver = new Driver(hostOf(Signaled.toLayer(() =>
      Effect.succeed(Signaled.of({
        signals: { fail: () => new Declined({ reason: "no" }) },
        run: Effect.zipRight(step("a"), Effect.ensuring(act("b"), Effect.ignore(act("finalizer")))) as never
      }))
    )))
    driver.start()
    driver.complete(1)
    assert.deepStrictEqual(brief(driver.signal("fail")), ["cancel#2", "Act#3 finalizer"])
    assert.deepStrictEqual(brief(driver.complete(3)), ["Act#4 undo a"])
    assert.deepStrictEqual(brief(driver.complete(4)), [failed])
    driver.replay().evict()
  })
})
