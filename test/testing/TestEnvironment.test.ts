/**
 * Goal: the environment runs the real engine in a time that skips when it may and stands when it must (rows T1, T2).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { Activity, Client, Workflow, WorkflowFailure } from "perdure"
import { TestEnvironment } from "perdure/testing"
import { vi } from "vitest"

const start = Date.parse("2030-01-01T00:00:00Z")
const day = 24 * 3_600_000

const Greet = Activity.make("Greet", {
  payload: Schema.String,
  success: Schema.String,
  startToCloseTimeout: "5 seconds",
  retry: { maximumAttempts: 1 }
})
const Patient = Workflow.make("Patient", {
  payload: Schema.String,
  success: Schema.String,
  signals: { hurry: {} },
  queries: { naps: { success: Schema.Number } }
})
const PatientLive = Patient.toLayer((name) =>
  Effect.sync(() => {
    let hurried = false
    let naps = 0
    return Patient.of({
      signals: { hurry: () => Effect.sync(() => void (hurried = true)) },
      queries: { naps: () => Effect.sync(() => naps) },
      run: Effect.gen(function*() {
        while (naps < 3 && !hurried) {
          yield* Effect.sleep("1 day")
          naps++
        }
        return yield* Greet.execute(name)
      })
    })
  })
)
const mocked = Greet.toLayer((name) => Effect.succeed(`mocked ${name}`))

describe("a test environment", () => {
  it.effect("skips three days while a result is awaited, with an activity mocked (T1, T2)", () =>
    Effect.gen(function*() {
      const environment = yield* TestEnvironment
      const client = yield* Client
      const begun = performance.now()
      assert.strictEqual(yield* client.execute(Patient, "Ada", { workflowId: "p" }), "mocked Ada")
      assert.strictEqual(yield* environment.currentTime, start + 3 * day)
      assert.isBelow(performance.now() - begun, 5_000)
      const text = yield* environment.timelines
      assert.match(text, /^Patient p, run [-0-9a-f]+: Completed\n/)
      assert.match(text, / 1 d 0:00:00\.000 ├◷ timer #1 fires\n/)
      assert.match(text, / 3 d 0:00:00\.000 ├✓ Greet #4 = "mocked Ada"\n/)
      assert.match(text, / 3 d 0:00:00\.000 └─ completed "mocked Ada"$/)
    }).pipe(Effect.provide(TestEnvironment.layer({ hosts: [PatientLive, mocked] }))))

  it.effect("stands still while nobody waits, and is driven by hand (T1)", () =>
    Effect.gen(function*() {
      const environment = yield* TestEnvironment
      const handle = yield* (yield* Client).start(Patient, "Bo")
      yield* environment.sleep("36 hours")
      assert.strictEqual(yield* handle.query("naps"), 1)
      assert.strictEqual(yield* environment.currentTime, start + 1.5 * day)
      yield* handle.signal("hurry")
      yield* environment.adjust("1 day")
      assert.strictEqual(yield* handle.query("naps"), 2)
      assert.strictEqual(yield* handle.result, "mocked Bo")
      assert.strictEqual(yield* environment.currentTime, start + 2.5 * day)
    }).pipe(Effect.provide(TestEnvironment.layer({ hosts: [PatientLive, mocked] }))))

  it.effect("an assertion in a body fails the run, and any other defect its turn (T2, W16)", () => {
    const Asserting = Workflow.make("Asserting", { payload: Schema.Boolean })
    const AssertingLive = Asserting.toLayer((asserts) =>
      Effect.sync(() => {
        if (asserts) assert.strictEqual<number>(1, 2, "one is not two")
        throw new TypeError("a slip")
      })
    )
    return Effect.gen(function*() {
      const client = yield* Client
      const failure = yield* Effect.flip(client.execute(Asserting, true))
      assert.instanceOf(failure, WorkflowFailure)
      assert.deepInclude(failure.failure, { _tag: "Application", type: "AssertionError" })
      assert.include(failure.message, "one is not two")
      const slipping = yield* client.start(Asserting, false)
      yield* (yield* TestEnvironment).sleep(1)
      const { attention, status } = yield* slipping.describe
      assert.strictEqual(status, "Running")
      assert.deepInclude(attention, { _tag: "TurnFailed" })
    }).pipe(Effect.provide(TestEnvironment.layer({ hosts: [AssertingLive] })))
  })

  it.effect("begins when it is told to", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* (yield* TestEnvironment).currentTime, 5)
    }).pipe(Effect.provide(TestEnvironment.layer({ hosts: [PatientLive, mocked], startAt: new Date(5) }))))

  it.effect("does not skip while it is locked (T1)", () =>
    Effect.gen(function*() {
      const environment = yield* TestEnvironment
      const handle = yield* (yield* Client).start(Patient, "Cy")
      const waiting = yield* Effect.fork(handle.result)
      yield* environment.withoutTimeSkipping(
        Effect.gen(function*() {
          yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 50)))
          assert.strictEqual(yield* environment.currentTime, start)
        })
      )
      assert.strictEqual(yield* waiting, "mocked Cy")
    }).pipe(Effect.provide(TestEnvironment.layer({ hosts: [PatientLive, mocked] }))))

  it.effect("does not skip while an activity runs; its timeout strikes by hand (T1, A11)", () =>
    Effect.gen(function*() {
      const began = yield* Deferred.make<void>()
      const stuck = Greet.toLayer(() => Effect.zipRight(Deferred.succeed(began, undefined), Effect.never))
      yield* Effect.gen(function*() {
        const environment = yield* TestEnvironment
        const handle = yield* (yield* Client).start(Patient, "Di")
        const waiting = yield* Effect.fork(Effect.flip(handle.result))
        yield* Deferred.await(began)
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 50)))
        assert.strictEqual(yield* environment.currentTime, start + 3 * day)
        yield* environment.sleep("6 seconds")
        assert.include(String(yield* waiting), "did not end within 5000 ms")
      }).pipe(Effect.provide(TestEnvironment.layer({ hosts: [PatientLive, stuck] })))
    }))

  it.effect("an activity that takes real time holds the clock, and may drive it (T1)", () =>
    Effect.gen(function*() {
      const slow = Greet.toLayer((name) => Effect.as(Effect.sleep("30 millis"), `slow ${name}`))
      const program = Effect.gen(function*() {
        const handle = yield* (yield* Client).start(Patient, "Ed")
        assert.strictEqual(yield* handle.result, "slow Ed")
        assert.strictEqual(yield* (yield* TestEnvironment).currentTime, start + 3 * day)
      })
      yield* Effect.provide(program, TestEnvironment.layer({ hosts: [PatientLive, slow] }))
    }))

  it.effect("environments are independent (T1)", () =>
    Effect.gen(function*() {
      const one = Effect.gen(function*() {
        yield* (yield* Client).execute(Patient, "x", { workflowId: "same id" })
        return yield* (yield* TestEnvironment).currentTime
      }).pipe(Effect.provide(TestEnvironment.layer({ hosts: [PatientLive, mocked] })))
      const times = yield* Effect.all([one, one, one], { concurrency: "unbounded" })
      assert.deepStrictEqual(times, [start + 3 * day, start + 3 * day, start + 3 * day])
    }))

  it.effect("a test that fails prints the histories of its runs", () =>
    Effect.gen(function*() {
      const printed: Array<string> = []
      const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => printed.push(String(text)) > 0)
      const failing = Greet.toLayer(() => Effect.fail("never" as never))
      const program = Effect.gen(function*() {
        yield* (yield* Client).execute(Patient, "Fay", { workflowId: "f" })
      }).pipe(Effect.exit, Effect.flatMap(Exit.match({ onFailure: Effect.failCause, onSuccess: Effect.succeed })))
      const exit = yield* Effect.exit(Effect.provide(program, TestEnvironment.layer({ hosts: [PatientLive, failing] })))
      write.mockRestore()
      assert.isTrue(Exit.isFailure(exit))
      assert.match(printed.join(""), /Patient f, run [-0-9a-f]+: Failed\n[^]*├✗ Greet #4: [^]*└─ failed: /)
    }))

  it.effect("a test that waits for what nothing will bring is told so, and does not hang", () =>
    Effect.gen(function*() {
      const Idle = Workflow.make("Idle", { signals: { go: {} } })
      const IdleLive = Idle.toLayer(() =>
        Effect.sync(() => {
          let gone = false
          return Idle.of({
            signals: { go: () => Effect.sync(() => void (gone = true)) },
            run: Workflow.condition(() => gone)
          })
        })
      )
      const waits = Effect.gen(function*() {
        yield* (yield* Client).execute(Idle, undefined, { workflowId: "i" })
      }).pipe(Effect.exit, Effect.provide(TestEnvironment.layer({ hosts: [IdleLive] })))
      const exit = yield* waits
      assert.isTrue(Exit.isFailure(exit))
      assert.include(String(exit), "no timer or activity will get an open run any further: Idle i")
    }))
})
