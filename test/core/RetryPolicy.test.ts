import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import type { Failure } from "../../src/core/Failure.js"
import * as RetryPolicy from "../../src/core/RetryPolicy.js"

describe("RetryPolicy", () => {
  describe("make", () => {
    it("R1: one second, doubling, at most a hundred times the first, without end", () => {
      assert.deepStrictEqual(RetryPolicy.make(), {
        initialIntervalMillis: 1_000,
        backoffCoefficient: 2,
        maximumIntervalMillis: 100_000,
        maximumAttempts: 0,
        nonRetryable: []
      })
      assert.deepStrictEqual(RetryPolicy.activityDefault, RetryPolicy.make())
      assert.strictEqual(RetryPolicy.make({ initialInterval: "3 seconds" }).maximumIntervalMillis, 300_000)
    })

    const refused: ReadonlyArray<readonly [RetryPolicy.Options, string]> = [
      [{ backoffCoefficient: 0.99 }, "retry policy: backoffCoefficient must be 1 or more, and is 0.99"],
      [{ backoffCoefficient: NaN }, "retry policy: backoffCoefficient must be 1 or more, and is NaN"],
      [{ backoffCoefficient: Infinity }, "retry policy: backoffCoefficient must be 1 or more, and is Infinity"],
      [{ maximumAttempts: -1 }, "retry policy: maximumAttempts must be a whole number, 0 or more, and is -1"],
      [{ maximumAttempts: 1.5 }, "retry policy: maximumAttempts must be a whole number, 0 or more, and is 1.5"],
      [
        { maximumAttempts: Infinity },
        "retry policy: maximumAttempts must be a whole number, 0 or more, and is Infinity"
      ],
      [{ initialInterval: Infinity }, "retry policy: initialInterval must be finite"],
      [{ maximumInterval: 999 }, "retry policy: maximumInterval must not be shorter than initialInterval"]
    ]
    for (const [options, message] of refused) {
      it(`R2: refuses ${show(options)}`, () => {
        assert.throws(() => RetryPolicy.make(options), RetryPolicy.RetryPolicyError, message)
      })
    }

    const allowed: ReadonlyArray<RetryPolicy.Options> = [
      { backoffCoefficient: 1 },
      { initialInterval: 0 },
      { initialInterval: 0, maximumInterval: 0 },
      { initialInterval: "5 seconds", maximumInterval: "5 seconds" },
      { maximumAttempts: 1, backoffCoefficient: 0.5, maximumInterval: 0 }
    ]
    for (const options of allowed) {
      it(`R2: allows ${show(options)}`, () => {
        RetryPolicy.make(options)
      })
    }

    it("R2: intervals below a second and below a millisecond are not rounded", () => {
      assert.strictEqual(RetryPolicy.make({ initialInterval: 0.5 }).initialIntervalMillis, 0.5)
    })

    it("what was made can be written as JSON and read back", () => {
      for (
        const policy of [
          RetryPolicy.make({ maximumInterval: Infinity }),
          RetryPolicy.make({ maximumAttempts: 1, initialInterval: Infinity, backoffCoefficient: NaN }),
          RetryPolicy.make({ initialInterval: 1e14 })
        ]
      ) {
        assert.deepStrictEqual(JSON.parse(JSON.stringify(policy)), policy)
      }
    })
  })

  describe("delayMillis", () => {
    it("R3: the first interval times the coefficient for each attempt after the first", () => {
      const policy = RetryPolicy.make()
      assert.deepStrictEqual([1, 2, 3, 4].map((n) => RetryPolicy.delayMillis(policy, n)), [1_000, 2_000, 4_000, 8_000])
    })

    it("R3: capped", () => {
      const policy = RetryPolicy.make()
      assert.strictEqual(RetryPolicy.delayMillis(policy, 7), 64_000)
      assert.strictEqual(RetryPolicy.delayMillis(policy, 8), 100_000)
    })

    it("R3: an overflow is the cap", () => {
      assert.strictEqual(RetryPolicy.delayMillis(RetryPolicy.make(), 5_000), 100_000)
    })

    it("R3: never shrinks, never passes the cap, whatever the policy", () => {
      FastCheck.assert(FastCheck.property(
        FastCheck.nat(10_000),
        FastCheck.double({ min: 1, max: 10, noNaN: true }),
        FastCheck.nat(100_000),
        FastCheck.integer({ min: 1, max: 2_000 }),
        (initial, backoffCoefficient, more, attempt) => {
          const policy = RetryPolicy.make({
            initialInterval: initial,
            backoffCoefficient,
            maximumInterval: initial + more
          })
          const delay = RetryPolicy.delayMillis(policy, attempt)
          assert.isAtLeast(delay, initial)
          assert.isAtMost(delay, initial + more)
          assert.isAtLeast(RetryPolicy.delayMillis(policy, attempt + 1), delay)
        }
      ))
    })
  })

  describe("decide", () => {
    it("R1, R4: without a policy there is no retry: RetryPolicyNotSet", () => {
      stops(undefined, {}, "RetryPolicyNotSet")
    })

    it("R3: retries after the computed delay", () => {
      retries(RetryPolicy.make(), { attempt: 3 }, 4_000)
    })

    it("R4: a requested cancellation stops: CancelRequested", () => {
      stops(RetryPolicy.make(), { cancelRequested: true }, "CancelRequested")
    })

    it("R4: the last of the attempts stops: MaximumAttemptsReached, counting the first one", () => {
      const policy = RetryPolicy.make({ maximumAttempts: 3 })
      retries(policy, { attempt: 2 }, 2_000)
      stops(policy, { attempt: 3 }, "MaximumAttemptsReached")
      stops(policy, { attempt: 4 }, "MaximumAttemptsReached")
    })

    it("R4: one attempt is no retry", () => {
      stops(RetryPolicy.make({ maximumAttempts: 1 }), {}, "MaximumAttemptsReached")
    })

    it("R5: canceled and terminated are never retried", () => {
      stops(RetryPolicy.make(), { failure: { _tag: "Canceled", message: "" } }, "NonRetryableFailure")
      stops(RetryPolicy.make(), { failure: { _tag: "Terminated", message: "" } }, "NonRetryableFailure")
    })

    it("R5, A11, A4: start-to-close and heartbeat timeouts are retried", () => {
      retries(RetryPolicy.make(), { failure: timeout("StartToClose") }, 1_000)
      retries(RetryPolicy.make(), { failure: timeout("Heartbeat") }, 1_000)
    })

    it("R5, A12: schedule-to-start and run timeouts are not", () => {
      stops(RetryPolicy.make(), { failure: timeout("ScheduleToStart") }, "NonRetryableFailure")
      stops(RetryPolicy.make(), { failure: timeout("Run") }, "NonRetryableFailure")
    })

    it("A13: a schedule-to-close timeout stops: Timeout, before any other reason", () => {
      const failure = timeout("ScheduleToClose")
      stops(RetryPolicy.make({ maximumAttempts: 1 }), { failure, cancelRequested: true }, "Timeout")
    })

    it("R5: a type in the list stops; its match is exact", () => {
      const policy = RetryPolicy.make({ nonRetryable: ["CardDeclined"] })
      stops(policy, { failure: { _tag: "Application", type: "CardDeclined", message: "" } }, "NonRetryableFailure")
      stops(
        policy,
        { failure: { _tag: "Declared", type: "CardDeclined", message: "", error: {} } },
        "NonRetryableFailure"
      )
      retries(policy, { failure: { _tag: "Application", type: "cardDeclined", message: "" } }, 1_000)
      retries(policy, { failure: { _tag: "Declared", type: "CardDeclinedTwice", message: "", error: {} } }, 1_000)
    })

    it("R5: only the outermost failure is matched, not its causes", () => {
      const cause: Failure = { _tag: "Application", type: "CardDeclined", message: "", nonRetryable: true }
      const policy = RetryPolicy.make({ nonRetryable: ["CardDeclined"] })
      retries(policy, { failure: { _tag: "Application", type: "Outer", message: "", cause } }, 1_000)
      retries(policy, {
        failure: {
          _tag: "Activity",
          activity: "a",
          activityId: "1",
          attempt: 1,
          retryState: "NonRetryableFailure",
          message: "",
          cause
        }
      }, 1_000)
    })

    it("R6: nonRetryable wins over any policy and over its own delay", () => {
      stops(RetryPolicy.make(), {
        failure: { _tag: "Application", type: "T", message: "", nonRetryable: true, nextRetryDelayMillis: 1 }
      }, "NonRetryableFailure")
      retries(
        RetryPolicy.make(),
        { failure: { _tag: "Application", type: "T", message: "", nonRetryable: false } },
        1_000
      )
    })

    it("R8: a delay that was asked for replaces the computed one, this once", () => {
      retries(RetryPolicy.make(), { attempt: 5, failure: asks(50) }, 50)
      retries(RetryPolicy.make(), { attempt: 5, failure: asks(0) }, 0)
    })

    it("R8: it is capped by the maximum interval", () => {
      retries(RetryPolicy.make(), { failure: asks(1e9) }, 100_000)
    })

    it("R8: it is subject to the attempts and to schedule-to-close", () => {
      stops(RetryPolicy.make({ maximumAttempts: 1 }), { failure: asks(0) }, "MaximumAttemptsReached")
      stops(RetryPolicy.make(), { failure: asks(500), closeBy: 10_500 }, "Timeout")
      retries(RetryPolicy.make(), { failure: asks(499), closeBy: 10_500 }, 499)
    })

    it("A13: a retry that would begin at the close, or after it, is not waited for: Timeout", () => {
      retries(RetryPolicy.make(), { closeBy: 11_001 }, 1_000)
      stops(RetryPolicy.make(), { closeBy: 11_000 }, "Timeout")
      stops(RetryPolicy.make(), { closeBy: 10_999 }, "Timeout")
    })

    it("R4: a failure that is not retryable says so, though its attempts and its time are over too", () => {
      const failure: Failure = { _tag: "Application", type: "T", message: "", nonRetryable: true }
      stops(RetryPolicy.make({ maximumAttempts: 1 }), { failure, closeBy: 0 }, "NonRetryableFailure")
    })
  })
})

const show = (options: RetryPolicy.Options): string =>
  Object.entries(options).map(([key, value]) => `${key} ${String(value)}`).join(", ")

const ended: RetryPolicy.Attempt = {
  attempt: 1,
  failure: { _tag: "Application", type: "Boom", message: "no" },
  cancelRequested: false,
  endedAt: 10_000,
  closeBy: undefined
}

const timeout = (kind: Extract<Failure, { readonly _tag: "Timeout" }>["timeout"]): Failure => ({
  _tag: "Timeout",
  timeout: kind,
  message: ""
})

const asks = (nextRetryDelayMillis: number): Failure => ({
  _tag: "Application",
  type: "Busy",
  message: "",
  nextRetryDelayMillis
})

type Policy = RetryPolicy.RetryPolicy | undefined

const retries = (policy: Policy, attempt: Partial<RetryPolicy.Attempt>, delayMillis: number): void => {
  assert.deepStrictEqual(
    RetryPolicy.decide(policy, { ...ended, ...attempt }),
    RetryPolicy.Decision.Retry({ delayMillis })
  )
}

const stops = (policy: Policy, attempt: Partial<RetryPolicy.Attempt>, retryState: string): void => {
  const decision = RetryPolicy.decide(policy, { ...ended, ...attempt })
  assert.strictEqual(decision._tag === "Stop" ? decision.retryState : decision._tag, retryState)
}
