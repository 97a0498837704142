/**
 * Which run follows an end, and when it is out of time: decisions on data.
 */
import { assert, describe, it } from "@effect/vitest"
import type { Failure } from "../../src/core/Failure.js"
import type { Closing, ExecutionStarted } from "../../src/core/family/Execution.js"
import type { Carried } from "../../src/core/family/Notes.js"
import * as RetryPolicy from "../../src/core/RetryPolicy.js"
import * as RunState from "../../src/core/RunState.js"
import * as Succession from "../../src/core/Succession.js"

describe("Succession", () => {
  it("a start without terms carries none, so that its event is as short as it was", () => {
    assert.deepStrictEqual(Succession.first(subject, {}, 1_000), { _tag: "Start", ...subject })
  })

  it("X7, X8: both timeouts count from when the first turn may begin", () => {
    const start = Succession.first(
      subject,
      { delayMillis: 500, executionTimeoutMillis: 10_000, runTimeoutMillis: 2_000 },
      1_000
    )
    assert.deepInclude(start, { startAt: 1_500, executionExpiresAt: 11_500, runExpiresAt: 3_500 })
    assert.strictEqual(Succession.expiresAt(start), 3_500)
    assert.strictEqual(Succession.expired(start, 3_500), "Run")
    assert.strictEqual(Succession.expired(start, 11_500), "Execution")
  })

  it("X8, I5: a run is woken at the end of its time, or by an earlier timer", () => {
    const state = RunState.empty("run-1")
    RunState.evolve(state, { turn: 1, at: 0, events: [{ ...started, runExpiresAt: 5_000 }] })
    assert.strictEqual(RunState.wakeAt(state), 5_000)
    RunState.evolve(state, { turn: 2, at: 0, events: [{ _tag: "TimerStarted", seq: 1, dueAt: 4_000 }] })
    assert.strictEqual(RunState.wakeAt(state), 4_000)
    RunState.evolve(state, { turn: 3, at: 0, events: [{ _tag: "TimerStarted", seq: 2, dueAt: 6_000 }] })
    RunState.evolve(state, { turn: 4, at: 0, events: [{ _tag: "TimerFired", seq: 1 }] })
    assert.strictEqual(RunState.wakeAt(state), 5_000)
    RunState.evolve(state, { turn: 5, at: 0, events: [{ _tag: "ExecutionTimedOut", timeout: "Run" }] })
    assert.strictEqual(RunState.wakeAt(state), undefined)
  })

  it("K10: what continues a run takes over what it is not given; the whole chain's time goes on", () => {
    const start = follower(
      { _tag: "ExecutionContinuedAsNew", workflow: "Order", input: 2 },
      { retry, runTimeoutMillis: 100, runExpiresAt: 1_100, executionTimeoutMillis: 900, executionExpiresAt: 1_900 }
    )
    assert.deepStrictEqual(start, {
      _tag: "Start",
      ...same,
      input: 2,
      firstRunId: "run-1",
      previousRunId: "run-1",
      firstStartedAt: 1_000,
      retry,
      runTimeoutMillis: 100,
      runExpiresAt: 1_600,
      executionTimeoutMillis: 900,
      executionExpiresAt: 1_900
    })
  })

  it("K10: what it is given replaces that", () => {
    const start = follower(
      {
        _tag: "ExecutionContinuedAsNew",
        workflow: "Other",
        taskQueue: "others",
        delayMillis: 50,
        runTimeoutMillis: 7,
        retry: other
      },
      { retry, runTimeoutMillis: 100, attempt: 4, lastFailure: failure, lastResult: "r", firstRunId: "run-0" }
    )
    assert.deepStrictEqual(start, {
      _tag: "Start",
      workflow: "Other",
      workflowId: "order-1",
      taskQueue: "others",
      // A new input is a first attempt, with nothing that failed before it; the last result stays (row W17).
      firstRunId: "run-0",
      previousRunId: "run-1",
      firstStartedAt: 1_000,
      startAt: 1_550,
      lastResult: "r",
      retry: other,
      runTimeoutMillis: 7,
      runExpiresAt: 1_557
    })
  })

  it("X9, W17: a failed run is followed by the next attempt, after the backoff, with the same input and what failed", () => {
    const failed: Closing = { _tag: "ExecutionFailed", failure }
    assert.deepStrictEqual(follower(failed, { retry, attempt: 2, firstRunId: "run-0", firstStartedAt: 5 }), {
      _tag: "Start",
      ...same,
      firstRunId: "run-0",
      previousRunId: "run-1",
      firstStartedAt: 5,
      attempt: 3,
      lastFailure: failure,
      retry,
      startAt: 1_500 + 200
    })
  })

  it("X8: a run timeout is retried, that of the execution never", () => {
    assert.deepInclude(follower({ _tag: "ExecutionTimedOut", timeout: "Run" }, { retry }), { attempt: 2 })
    assert.deepStrictEqual(none({ _tag: "ExecutionTimedOut", timeout: "Execution" }, { retry }), "NonRetryableFailure")
  })

  it("R1, X9: no other attempt without a policy, beyond its attempts, or past the execution's time", () => {
    const failed: Closing = { _tag: "ExecutionFailed", failure }
    assert.deepStrictEqual(none(failed, {}), undefined)
    assert.deepStrictEqual(none(failed, { retry, attempt: 3 }), "MaximumAttemptsReached")
    assert.deepStrictEqual(none(failed, { retry, executionExpiresAt: 1_600 }), "Timeout")
  })

  it("X9: nor after a cancel request, for a declared error in the list, or one that says so", () => {
    const failed = (failure: Failure): Closing => ({ _tag: "ExecutionFailed", failure })
    assert.deepStrictEqual(none(failed(failure), { retry }, true), "CancelRequested")
    const declared: Failure = { _tag: "Declared", type: "CardDeclined", message: "" }
    assert.deepStrictEqual(none(failed(declared), { retry }), "NonRetryableFailure")
    assert.deepStrictEqual(none(failed({ ...failure, nonRetryable: true }), { retry }), "NonRetryableFailure")
  })

  it("X9: nor after any other end", () => {
    const ends: ReadonlyArray<Closing> = [
      { _tag: "ExecutionCompleted", result: 1 },
      { _tag: "ExecutionCanceled", reason: "" },
      { _tag: "ExecutionTerminated", reason: "" }
    ]
    for (const end of ends) assert.strictEqual(none(end, { retry }), undefined)
  })

  it("K10, W12, W13: what a run says of itself goes over to the next one, whatever its start said", () => {
    const ends: ReadonlyArray<Closing> = [
      { _tag: "ExecutionContinuedAsNew", workflow: "Order" },
      { _tag: "ExecutionFailed", failure }
    ]
    for (const end of ends) {
      const start = follower(end, { retry, memo: [{ name: "note", value: 0 }] }, carried)
      assert.deepInclude(start, carried)
    }
  })

  describe("of a cron (X10)", () => {
    const hourly = { cron: "@hourly" } as const
    const hour = 3_600_000

    it("begins at its next time", () => {
      const start = Succession.first(subject, { ...hourly, executionTimeoutMillis: 10 }, 1_000)
      assert.deepStrictEqual(start, {
        _tag: "Start",
        ...subject,
        ...hourly,
        startAt: hour,
        executionTimeoutMillis: 10,
        executionExpiresAt: hour + 10
      })
    })

    it("W17: goes on after a run that completed, with what it gave, and as a first attempt", () => {
      const before = { ...hourly, attempt: 3, lastFailure: failure, lastResult: "older", runTimeoutMillis: 7 }
      assert.deepStrictEqual(follower({ _tag: "ExecutionCompleted", result: "new" }, before), {
        _tag: "Start",
        ...same,
        ...hourly,
        firstRunId: "run-1",
        previousRunId: "run-1",
        firstStartedAt: 1_000,
        startAt: hour,
        lastResult: "new",
        runTimeoutMillis: 7,
        runExpiresAt: hour + 7
      })
      assert.strictEqual(follower({ _tag: "ExecutionCompleted" }, before).lastResult, "older")
    })

    it("W17: goes on after one that failed or was out of time, with the last result and the failure", () => {
      const before = { ...hourly, lastResult: "older" }
      const failed = follower({ _tag: "ExecutionFailed", failure }, before)
      assert.deepInclude(failed, { startAt: hour, lastResult: "older", lastFailure: failure })
      const late = follower({ _tag: "ExecutionTimedOut", timeout: "Run" }, before)
      assert.deepInclude(late, { startAt: hour, lastFailure: Succession.timeoutFailure("Run") })
    })

    it("tries again first where there is a policy, and says why it stopped", () => {
      const again = decide({ _tag: "ExecutionFailed", failure }, { ...hourly, retry })
      assert.deepInclude(again, { retryState: "InProgress" })
      assert.deepInclude(again._tag === "Run" ? again.start : {}, { startAt: 1_600, attempt: 2, ...hourly })
      const next = decide({ _tag: "ExecutionFailed", failure }, { ...hourly, retry, attempt: 3 })
      assert.deepInclude(next, { _tag: "Run", retryState: "MaximumAttemptsReached" })
      assert.deepInclude(next._tag === "Run" ? next.start : {}, { startAt: hour, ...hourly, retry })
    })

    it("is kept by a run that continues, which begins at once", () => {
      const start = follower({ _tag: "ExecutionContinuedAsNew", workflow: "Order", input: 2 }, hourly)
      assert.deepInclude(start, { input: 2, ...hourly })
      assert.notProperty(start, "startAt")
    })

    it("ends by a cancel request, a termination, or the time of the execution", () => {
      assert.isUndefined(none({ _tag: "ExecutionCompleted" }, hourly, true))
      assert.isUndefined(none({ _tag: "ExecutionCanceled", reason: "" }, hourly))
      assert.isUndefined(none({ _tag: "ExecutionTerminated", reason: "" }, hourly))
      assert.isUndefined(none({ _tag: "ExecutionCompleted" }, { ...hourly, executionExpiresAt: hour }))
      none({ _tag: "ExecutionTimedOut", timeout: "Execution" }, { ...hourly, executionExpiresAt: 1_500 })
    })
  })

  it("R8: a failure's own delay is for activities alone", () => {
    const hurried: Failure = { ...failure, nextRetryDelayMillis: 1 }
    const start = follower({ _tag: "ExecutionFailed", failure: hurried }, { retry })
    assert.strictEqual(start.startAt, 1_600)
    assert.deepStrictEqual(start.lastFailure, hurried)
  })
})

const same = { workflow: "Order", workflowId: "order-1", taskQueue: "orders", input: 1 } as const
/** Of the code that began the first run; the next one says its own. */
const subject = { ...same, effect: "3.22.4" } as const
const started: ExecutionStarted = { _tag: "ExecutionStarted", ...subject }
const failure = { _tag: "Application", type: "Boom", message: "no" } as const
const retry = RetryPolicy.make({ initialInterval: 100, maximumAttempts: 3, nonRetryable: ["CardDeclined"] })
const other = RetryPolicy.make({ maximumAttempts: 8 })

const carried = { memo: [{ name: "note", value: 1 }], summary: "one" } as const

const decide = (closing: Closing, of: Partial<ExecutionStarted>, cancelRequested = false, carried: Carried = {}) =>
  Succession.next(
    closing,
    { runId: "run-1", startedAt: 1_000, started: { ...started, ...of }, cancelRequested, carried },
    1_500
  )

const follower = (closing: Closing, of: Partial<ExecutionStarted>, carried: Carried = {}) => {
  const next = decide(closing, of, false, carried)
  if (next._tag !== "Run") return assert.fail(`nothing follows: ${next.retryState}`)
  return next.start
}

const none = (closing: Closing, of: Partial<ExecutionStarted>, cancelRequested = false) => {
  const next = decide(closing, of, cancelRequested)
  return next._tag === "None" ? next.retryState : assert.fail("another run follows")
}
