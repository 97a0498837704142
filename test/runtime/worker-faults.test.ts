/**
 * When things go wrong around a run: its code, the lease of its worker, the store.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { Activity, Worker, Workflow } from "perdure"
import { Store, StoreError } from "perdure/sqlite"
import { Desk, desk, hosted } from "./Desk.js"
import { changed, disk, gate, remote, run, test, until } from "./World.js"

const Order = Workflow.make("Order", { success: Schema.String, signals: { note: { payload: Schema.String } } })
const Charge = Activity.make("Charge", { success: Schema.Number, startToCloseTimeout: "1 minute" })
const Refund = Activity.make("Refund", { success: Schema.Number, startToCloseTimeout: "1 minute" })

/** The body gets its notes, in order. */
const order = (
  program: (notes: ReadonlyArray<string>) => Effect.Effect<
    string,
    Effect.Effect.Error<ReturnType<typeof Charge.execute>>,
    Effect.Effect.Context<typeof Workflow.info> | Activity.Hosted<"Charge"> | Activity.Hosted<"Refund">
  >
) =>
  Order.toLayer(() =>
    Effect.sync(() => {
      const notes: Array<string> = []
      return Order.of({ signals: { note: (text) => Effect.sync(() => notes.push(text)) }, run: program(notes) })
    })
  )

/** Keeps the thread for as long as it lives, once it is told to. */
const Spins = Order.toLayer(() =>
  Effect.succeed(Order.of({
    signals: {
      note: (text) =>
        Effect.sync(() => {
          while (text === "spin");
        })
    },
    run: Effect.as(Effect.sleep("1 millis"), "rested")
  }))
)

describe("a turn that fails", () => {
  test("because it keeps the thread is cut after `turnTimeout`; the worker goes on (W10, I7)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ turnTimeout: "50 millis", hosts: [Spins] }))
      const spinning = yield* client.signalWithStart(Order, undefined, { name: "note", payload: "spin" }, {
        workflowId: "spin"
      })
      const { attention } = yield* until(spinning.describe, ({ attention }) => attention !== undefined)
      assert.deepInclude(attention, { _tag: "TurnFailed", error: "RunawayTurn", failures: 1 })
      const resting = yield* client.signalWithStart(Order, undefined, { name: "note", payload: "rest" }, {
        workflowId: "rest"
      })
      assert.strictEqual(yield* resting.result, "rested")
      assert.strictEqual((yield* spinning.describe).status, "Running")
    }))

  test("cannot be bounded by nothing (N1)", () =>
    Effect.gen(function*() {
      const refused = yield* Effect.flip(run(Worker.layer({ turnTimeout: 0, hosts: [Spins] })))
      assert.include(String(refused), "turnTimeout must be 1 millisecond or more")
    }))

  test(
    "keeps what was acknowledged, and goes on once the code is right: no activity runs again (I7, I9, W15)",
    () =>
      Effect.gen(function*() {
        let charges = 0
        const charged = Charge.toLayer(() => Effect.sync(() => ++charges))
        const refunded = Refund.toLayer(() => Effect.succeed(0))
        const wrong = yield* run(Worker.layer({
          hosts: [
            order(() =>
              Effect.map(Charge.execute(), (n): string => {
                throw new TypeError(`cannot read ${n}`)
              })
            ),
            charged,
            refunded
          ]
        }))
        const handle = yield* wrong.client.start(Order)
        const { attention, status } = yield* until(
          handle.describe,
          ({ attention }) => attention?._tag === "TurnFailed" && attention.failures >= 2
        )
        assert.strictEqual(status, "Running")
        assert.include(attention!.message, "cannot read 1")
        // Signals are taken all the same, here and from elsewhere, and are not lost.
        yield* handle.signal("note", "first")
        yield* (yield* remote).handle(Order, handle.workflowId).signal("note", "second")
        yield* wrong.stop
        const right = yield* run(Worker.layer({
          hosts: [
            order((notes) =>
              Effect.gen(function*() {
                const n = yield* Charge.execute()
                yield* Workflow.condition(() => notes.length === 2)
                return `${n}: ${notes.join(", ")}`
              })
            ),
            charged,
            refunded
          ]
        }))
        const fixed = right.client.handle(Order, handle.workflowId)
        assert.strictEqual(yield* fixed.result, "1: first, second")
        assert.strictEqual(charges, 1)
        assert.isUndefined((yield* fixed.describe).attention)
      }),
    disk
  )

  test("of an update leaves its caller waiting, until the code is right (U3, I7)", () =>
    Effect.gen(function*() {
      const Till = Workflow.make("Till", { updates: { pay: { success: Schema.Number } } })
      const till = (pay: () => number) =>
        Worker.layer({
          hosts: [
            Till.toLayer(() =>
              Effect.succeed(Till.of({
                updates: { pay: () => Effect.sync(pay) },
                run: Effect.sleep("1 hour")
              }))
            )
          ]
        })
      const wrong = yield* run(till(() => {
        throw new Error("out of order")
      }))
      const handle = yield* wrong.client.start(Till)
      const caller = yield* Effect.fork((yield* remote).handle(Till, handle.workflowId).update("pay"))
      yield* until(handle.describe, ({ attention }) => attention?._tag === "TurnFailed")
      yield* wrong.stop
      yield* run(till(() => 7))
      assert.strictEqual(yield* Fiber.join(caller), 7)
    }), disk)

  test(
    "because the code no longer does what the history says: shows both sides, the place, the remedy (I6, V4)",
    () =>
      Effect.gen(function*() {
        const activities = [Charge.toLayer(() => Effect.succeed(1)), Refund.toLayer(() => Effect.succeed(2))] as const
        const waits = (notes: ReadonlyArray<string>) => Workflow.condition(() => notes.length > 0)
        const before = order((notes) =>
          Effect.gen(function*() {
            const n = yield* Charge.execute()
            yield* waits(notes)
            return `charged ${n}`
          })
        )
        const ada = yield* run(Worker.layer({ hosts: [before, ...activities] }))
        const handle = yield* ada.client.start(Order)
        yield* until(handle.history, (turns) => turns.length === 2)
        yield* ada.stop
        const changed = yield* run(Worker.layer({
          hosts: [
            order((notes) =>
              Effect.gen(function*() {
                const n = yield* Refund.execute()
                yield* waits(notes)
                return `refunded ${n}`
              })
            ),
            ...activities
          ]
        }))
        yield* changed.client.handle(Order, handle.workflowId).signal("note", "go on")
        const { attention, status } = yield* until(
          handle.describe,
          ({ attention }) => attention !== undefined
        )
        assert.strictEqual(status, "Running")
        assert.deepInclude(attention, { _tag: "TurnFailed", error: "NondeterminismError" })
        assert.include(attention!.message, "at event 2 of turn 1")
        assert.match(attention!.message, /recorded: +activity Charge #1/)
        assert.match(attention!.message, /attempted: +activity Refund #1/)
        assert.match(attention!.message, /worker-faults\.test\.ts:\d+/)
        assert.include(attention!.message, "Ask Workflow.patched(id)")
        yield* changed.stop
        const again = yield* run(Worker.layer({ hosts: [before, ...activities] }))
        assert.strictEqual(yield* again.client.handle(Order, handle.workflowId).result, "charged 1")
      }),
    disk
  )

  test(
    "because nobody here knows the workflow: says which are known, and goes on where it is known (D1)",
    () =>
      Effect.gen(function*() {
        const handle = yield* (yield* remote).start(Desk, 1, { workflowId: "w" })
        const Other = Workflow.make("Other")
        const other = yield* run(Worker.layer({ hosts: [Other.toLayer(() => Effect.void)] }))
        const { attention, status } = yield* until(handle.describe, ({ attention }) => attention !== undefined)
        assert.strictEqual(status, "Running")
        assert.include(attention!.message, "workflow Desk")
        assert.include(attention!.message, "not registered with this worker; registered are: Other")
        yield* handle.signal("add", 2)
        yield* other.stop
        const { client } = yield* run(desk())
        assert.strictEqual(yield* client.handle(Desk, "w").query("total"), 3)
      }),
    disk
  )

  test("because something woke the body that no event records (I8)", () =>
    Effect.gen(function*() {
      let wake: () => void = () => {}
      const Leaky = Workflow.make("Leaky")
      const { client } = yield* run(Worker.layer({
        hosts: [
          Leaky.toLayer(() =>
            Effect.async<void>((resume) => {
              wake = () => resume(Effect.void)
            })
          )
        ]
      }))
      const handle = yield* client.start(Leaky)
      yield* until(handle.history, (turns) => turns.length === 1)
      wake()
      const { attention } = yield* until(handle.describe, ({ attention }) => attention?._tag === "TurnFailed")
      assert.include(attention!.message, "something that no event records woke the body")
    }))
})

describe("a worker whose lease was taken over", () => {
  const steal = (workflowId: string) =>
    Effect.gen(function*() {
      const store = yield* Store
      const { owner } = yield* (yield* remote).handle(Desk, workflowId).describe
      yield* store.takeOver([owner!], Date.now(), false)
      return owner!
    })

  test(
    "writes nothing any more to what it had, and drops it; its callers reach the new owner (I4, I2)",
    () =>
      Effect.gen(function*() {
        const ada = yield* run(Worker.layer({ lease: "1 second", hosts: [hosted()] }))
        const stale = yield* ada.client.start(Desk, 1, { workflowId: "w" })
        yield* stale.signal("add", 10)
        const first = yield* steal("w")
        const bob = yield* run(desk())
        const fresh = bob.client.handle(Desk, "w", stale.runId)
        assert.strictEqual(yield* fresh.update("add", 100), 111)
        // Ada still has a copy, to which her client goes first.
        yield* stale.signal("add", 1_000)
        assert.strictEqual(yield* stale.update("add", 10_000), 11_111)
        assert.strictEqual(yield* stale.query("total"), 11_111)
        const { owner } = yield* stale.describe
        assert.isDefined(owner)
        assert.notStrictEqual(owner, first)
        const turns = yield* stale.history
        assert.deepStrictEqual(turns.map((turn) => turn.turn), turns.map((_, index) => index + 1))
        // She comes back under another name.
        const store = yield* Store
        yield* until(store.workers, (workers) => workers.length === 2 && workers.every((each) => each.id !== first))
      }),
    disk
  )

  test(
    "has its attempts tried again elsewhere, and their late outcomes dropped (I4, I9, A10)",
    () =>
      Effect.gen(function*() {
        const started = gate()
        const late = gate()
        const ended = gate()
        const attempts: Array<string> = []
        const Slow = Workflow.make("Slow", { success: Schema.String })
        const Job = Activity.make("Job", {
          success: Schema.String,
          startToCloseTimeout: "1 minute",
          retry: { initialInterval: "1 millis" }
        })
        const slow = Slow.toLayer(() => Effect.orDie(Job.execute()))
        const store = yield* Store
        const ada = yield* run(Worker.layer({
          hosts: [
            slow,
            Job.toLayer(() =>
              Effect.uninterruptible(Effect.gen(function*() {
                attempts.push(`ada ${(yield* Activity.info).attempt}`)
                yield* started.open
                yield* late.pass
                yield* ended.open
                return "ada"
              }))
            )
          ]
        }))
        const handle = yield* ada.client.start(Slow)
        yield* started.pass
        const { owner } = yield* handle.describe
        yield* store.takeOver([owner!], Date.now(), false)
        const bob = yield* run(Worker.layer({
          hosts: [
            slow,
            Job.toLayer(() =>
              Effect.map(Activity.info, ({ attempt }) => {
                attempts.push(`bob ${attempt}`)
                return "bob"
              })
            )
          ]
        }))
        yield* until(Effect.sync(() => attempts), (attempts) => attempts.length === 2)
        yield* late.open
        yield* ended.pass
        assert.strictEqual(yield* bob.client.handle(Slow, handle.workflowId).result, "bob")
        assert.deepStrictEqual(attempts, ["ada 1", "bob 2"])
        const outcomes = (yield* handle.history).flatMap((turn) =>
          turn.events.filter((event) => event._tag === "ActivityCompleted")
        )
        assert.strictEqual(outcomes.length, 1)
      }),
    disk
  )

  test("drops what its own attempts of before make, when it has the run again (I9, A10)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const started = gate()
      const late = gate()
      const ended = gate()
      const second = gate()
      const Slow = Workflow.make("Slow", { success: Schema.String })
      const Job = Activity.make("Job", {
        success: Schema.String,
        startToCloseTimeout: "1 minute",
        retry: { initialInterval: "1 millis" }
      })
      const { client } = yield* run(Worker.layer({
        lease: "1 second",
        hosts: [
          Slow.toLayer(() => Effect.orDie(Job.execute())),
          Job.toLayer(() =>
            Effect.flatMap(Activity.info, ({ attempt }) =>
              attempt === 1
                ? Effect.uninterruptible(
                  started.open.pipe(Effect.zipRight(late.pass), Effect.zipRight(ended.open), Effect.as("first"))
                )
                : Effect.as(second.pass, "second"))
          )
        ]
      }))
      const handle = yield* client.start(Slow)
      yield* started.pass
      const { owner } = yield* handle.describe
      yield* store.takeOver([owner!], Date.now(), false)
      // It finds out with its next renewal, and takes up again what it lost, under another name.
      yield* until(handle.describe, ({ pendingActivities: [pending] }) =>
        pending?.attempt === 2 && pending.state === "started")
      yield* late.open
      yield* ended.pass
      assert.strictEqual(
        yield* handle.query("none" as never).pipe(
          Effect.flip,
          Effect.map((error) =>
            error._tag
          )
        ),
        "ContractError"
      )
      assert.strictEqual((yield* handle.describe).status, "Running")
      yield* second.open
      assert.strictEqual(yield* handle.result, "second")
    }))

  /** The first claim of activities that finds one is answered when the test says so. */
  const claim = { claimed: gate(), late: gate() }
  const slowClaim = changed((store) => {
    let first = true
    return {
      claimTasks: (...args) =>
        Effect.tap(store.claimTasks(...args), (tasks) => {
          if (tasks.length === 0 || !first) return Effect.void
          first = false
          return Effect.zipRight(claim.claimed.open, claim.late.pass)
        })
    }
  })

  test("begins none of the attempts of a claim that is answered after that (I9)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const attempts: Array<string> = []
      const Slow = Workflow.make("Slow", { success: Schema.String })
      const Job = Activity.make("Job", { success: Schema.String, startToCloseTimeout: "1 minute" })
      const jobBy = (name: string) => Job.toLayer(() => Effect.sync(() => (attempts.push(name), name)))
      yield* run(Worker.layer({ taskQueue: "jobs", lease: "1 second", hosts: [jobBy("ada")] }))
      const [ada] = yield* store.workers
      const { client } = yield* run(
        Worker.layer({ hosts: [Slow.toLayer(() => Effect.orDie(Job.execute(undefined, { taskQueue: "jobs" })))] })
      )
      const handle = yield* client.start(Slow)
      yield* claim.claimed.pass
      yield* store.takeOver([ada!.id], Date.now(), false)
      // She finds out with her next renewal, while the claim has no answer yet.
      yield* until(store.workers, (workers) => workers.length === 2 && workers.every(({ id }) => id !== ada!.id))
      yield* run(Worker.layer({ taskQueue: "jobs", hosts: [jobBy("bob")] }))
      assert.strictEqual(yield* handle.result, "bob")
      yield* claim.late.open
      yield* Effect.sleep("100 millis")
      assert.deepStrictEqual(attempts, ["bob"])
    }), slowClaim)
})

describe("a store in trouble", () => {
  /** Fails the named calls while it is told to. */
  const troubled = changed((store) => {
    const failing = <A extends ReadonlyArray<unknown>, B>(
      name: string,
      call: (...args: A) => Effect.Effect<B, StoreError>
    ) =>
    (...args: A): Effect.Effect<B, StoreError> =>
      Effect.suspend(() =>
        trouble.has(name)
          ? new StoreError({ operation: name, reason: "Other", detail: "made by the test", transient: true })
          : call(...args)
      )
    trouble.clear()
    return {
      commit: failing("commit", store.commit),
      history: failing("history", store.history),
      findRun: failing("findRun", store.findRun),
      dueRuns: failing("dueRuns", store.dueRuns)
    }
  })
  const trouble = new Set<string>()

  test(
    "tells callers that a call may not have taken effect; it does once the store is well again (I2, N1)",
    () =>
      Effect.gen(function*() {
        const { client } = yield* run(desk())
        const handle = yield* client.start(Desk, 1)
        trouble.add("commit")
        const error = yield* Effect.flip(handle.signal("add", 1))
        assert.deepInclude(error, { _tag: "StoreUnavailable", call: "signal add" })
        assert.include(error.message, "made by the test")
        trouble.clear()
        assert.strictEqual(yield* handle.update("add", 10), 12)
      }),
    troubled
  )

  test(
    "does not lose the outcome of an activity whose run could not be brought back (I9)",
    () =>
      Effect.gen(function*() {
        const started = gate()
        const done = gate()
        let runs = 0
        const { client } = yield* run(Worker.layer({
          maxCachedExecutions: 0,
          hosts: [
            order(() => Effect.map(Charge.execute(), String)),
            Charge.toLayer(() => Effect.sync(() => ++runs).pipe(Effect.tap(started.open), Effect.zipLeft(done.pass))),
            Refund.toLayer(() => Effect.succeed(0))
          ]
        }))
        const handle = yield* client.start(Order)
        yield* started.pass
        trouble.add("findRun")
        yield* done.open
        // Long enough for the outcome to meet the trouble.
        yield* Effect.sleep("50 millis")
        trouble.clear()
        assert.strictEqual(yield* handle.result, "1")
        assert.strictEqual(runs, 1)
      }),
    troubled
  )

  test("makes a query wait for it, and not fail (Q3)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(desk({ maxCachedExecutions: 0 }))
      const handle = yield* client.start(Desk, 1)
      trouble.add("history")
      const total = yield* Effect.fork(handle.query("total"))
      yield* Effect.sleep("50 millis")
      trouble.clear()
      assert.strictEqual(yield* Fiber.join(total), 1)
    }), troubled)

  test("does not lose sight of mail whose run could not be brought back (S1, I5)", () =>
    Effect.gen(function*() {
      yield* run(desk({ maxCachedExecutions: 0 }))
      const handle = yield* (yield* remote).start(Desk, 1)
      yield* until(handle.describe, ({ turns }) => turns === 1)
      trouble.add("history")
      yield* handle.signal("add", 1)
      yield* Effect.sleep("50 millis")
      trouble.clear()
      yield* until(handle.describe, ({ turns }) => turns === 2)
    }), troubled)

  test("does not stop the poll for good", () =>
    Effect.gen(function*() {
      const { client } = yield* run(desk({ maxCachedExecutions: 0 }))
      const handle = yield* client.start(Desk, 1)
      trouble.add("dueRuns")
      yield* handle.signal("add", 1)
      yield* Effect.sleep("50 millis")
      trouble.clear()
      assert.strictEqual(yield* handle.query("total"), 2)
    }), troubled)
})
