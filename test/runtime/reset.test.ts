/**
 * Taking a run anew from one of its turns on (C11): what is kept, what comes again, who hears of it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import {
  Activity,
  Client,
  Liveness,
  ResetRefused,
  State,
  Step,
  Worker,
  Workflow,
  WorkflowAlreadyStarted
} from "perdure"
import { Store } from "perdure/sqlite"
import { TestEnvironment } from "perdure/testing"
import { disk, gate, remote, run, test, until } from "./World.js"

const Work = Activity.make("Work", {
  payload: Schema.String,
  success: Schema.String,
  startToCloseTimeout: "1 minute"
})

const Job = Workflow.make("Job", {
  success: Schema.Array(Schema.String),
  signals: { add: { payload: Schema.String }, finish: {} },
  updates: { put: { payload: Schema.String, success: Schema.Number } },
  queries: { seen: { success: Schema.Array(Schema.String) } }
})

/** Two pieces of work, then what it was told, until it is told to finish; then what `last` makes of it. */
const job = (last: (seen: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<string>, never, never>) =>
  Job.toLayer(() =>
    Effect.gen(function*() {
      const seen = yield* State.make<ReadonlyArray<string>>([])
      const finished = yield* State.make(false)
      const note = (word: string) => seen.update((all) => [...all, word])
      return Job.of({
        signals: { add: note, finish: () => finished.set(true) },
        updates: { put: (word) => Effect.zipRight(note(word), Effect.map(seen.get, (all) => all.length)) },
        queries: { seen: () => seen.get },
        run: Effect.gen(function*() {
          yield* Effect.flatMap(Effect.orDie(Work.execute("one")), note)
          yield* Effect.flatMap(Effect.orDie(Work.execute("two")), note)
          yield* Workflow.condition(finished.get)
          return yield* last(yield* seen.get)
        })
      })
    })
  )

const worked = (log: Array<string>) => Work.toLayer((piece) => Effect.sync(() => (log.push(piece), piece)))

const right = job(Effect.succeed)
const wrong = job(() => Effect.succeed(["wrong"]))

describe("reset (C11)", () => {
  test(
    "takes the last turn of a closed run anew, by the code of today: what was done is not done again",
    () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const before = yield* run(Worker.layer({ hosts: [wrong, worked(log)] }))
        const handle = yield* before.client.start(Job, undefined, { workflowId: "job" })
        yield* handle.signal("add", "three")
        yield* until(handle.query("seen"), (seen) => seen.length === 3)
        yield* handle.signal("finish")
        assert.deepStrictEqual(yield* handle.result, ["wrong"])
        yield* before.stop
        const { client } = yield* run(Worker.layer({ hosts: [right, worked(log)] }))
        const again = yield* client.handle(Job, "job").reset({ reason: "it was wrong" })
        assert.notStrictEqual(again.runId, handle.runId)
        assert.sameMembers([...yield* again.result], ["one", "two", "three"])
        assert.deepStrictEqual(log, ["one", "two"])
        // The handle of the start means the chain, whose last run this is.
        assert.sameMembers([...yield* client.handle(Job, "job").result], ["one", "two", "three"])
        const described = yield* again.describe
        assert.deepInclude(described, { status: "Completed", previousRunId: handle.runId, firstRunId: handle.runId })
        const [reset] = (yield* again.history).flatMap(({ events }) =>
          events.filter((event) => event._tag === "ExecutionReset")
        )
        assert.deepInclude(reset, { fromRunId: handle.runId, reason: "it was wrong", runId: again.runId! })
        assert.strictEqual((yield* client.handle(Job, "job", handle.runId!).describe).status, "Completed")
      }),
    disk
  )

  test(
    "ends an open run in the same commit; who waits gets the result of the new one, signals and updates come again",
    () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const { client } = yield* run(Worker.layer({ hosts: [right, worked(log)] }))
        const handle = yield* client.start(Job, undefined, { workflowId: "job" })
        yield* until(handle.query("seen"), (seen) => seen.length === 2)
        const waiting = yield* Effect.fork(handle.result)
        yield* handle.signal("add", "three")
        assert.strictEqual(yield* handle.update("put", "four", { updateId: "u" }), 4)
        const again = yield* handle.reset({ turn: "First" })
        yield* until(again.query("seen"), (seen) => seen.length === 4)
        assert.strictEqual((yield* client.handle(Job, "job", handle.runId!).describe).status, "Terminated")
        assert.strictEqual(
          yield* again.updateHandle("put", "u").result,
          (yield* again.query("seen")).indexOf("four") + 1
        )
        // By the old handle, which means the chain.
        yield* handle.signal("finish")
        assert.sameMembers([...yield* Fiber.join(waiting)], ["one", "two", "three", "four"])
        // Nothing was kept: both pieces of work were done again.
        assert.deepStrictEqual([...log].sort(), ["one", "one", "two", "two"])
        assert.deepStrictEqual(yield* Liveness.check, [])
      }),
    disk
  )

  for (
    const [reapply, expected] of [
      ["All", ["one", "two", "signal", "update"]],
      ["Signals", ["one", "two", "signal"]],
      ["Updates", ["one", "two", "update"]],
      ["None", ["one", "two"]]
    ] as const
  ) {
    test(`brings again of the messages behind its turn: ${reapply}`, () =>
      Effect.gen(function*() {
        const { client } = yield* run(Worker.layer({ hosts: [right, worked([])] }))
        const handle = yield* client.start(Job)
        yield* until(handle.query("seen"), (seen) => seen.length === 2)
        yield* handle.signal("add", "signal")
        yield* handle.update("put", "update")
        const turns = yield* handle.history
        const second = turns.find(({ events }) => events[0]?._tag === "ActivityCompleted")!
        const again = yield* handle.reset({ turn: second.turn, reapply })
        yield* again.signal("finish")
        assert.sameMembers([...yield* again.result], [...expected])
        assert.deepStrictEqual(yield* Liveness.check, [])
      }))
  }

  test(
    "moves to the new run what waits and no turn has seen; in another process, with nobody at work",
    () =>
      Effect.gen(function*() {
        const before = yield* run(Worker.layer({ hosts: [right, worked([])] }))
        const handle = yield* before.client.start(Job, undefined, { workflowId: "job" })
        yield* until(handle.query("seen"), (seen) => seen.length === 2)
        yield* before.stop
        const client = yield* remote
        yield* client.handle(Job, "job").signal("add", "late")
        const again = yield* client.handle(Job, "job").reset({ turn: "Last" })
        assert.deepStrictEqual(yield* Liveness.check, [])
        const store = yield* Store
        assert.deepStrictEqual((yield* store.mail(handle.runId!, 0)).length, 0)
        yield* run(Worker.layer({ hosts: [right, worked([])] }))
        yield* again.signal("finish")
        assert.deepStrictEqual(yield* again.result, ["one", "two", "late"])
      }),
    disk
  )

  test("runs a pending activity again, and tells its worker that nobody waits for the old attempt", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const open = gate()
      const hold = Work.toLayer((piece) =>
        Effect.gen(function*() {
          const { attempt, idempotencyKey } = yield* Activity.info
          log.push(`${piece} ${attempt} ${idempotencyKey.endsWith("/2")}`)
          if (piece === "two" && log.length === 2) {
            yield* Effect.onInterrupt(Effect.never, () => Effect.sync(() => log.push("interrupted")))
          }
          yield* open.pass
          return piece
        })
      )
      const { client } = yield* run(Worker.layer({ hosts: [right, hold] }))
      yield* open.open
      const handle = yield* client.start(Job)
      yield* until(Effect.sync(() => log), (log) => log.length === 2)
      yield* handle.signal("add", "three")
      const turns = (yield* handle.history).length
      const again = yield* handle.reset({ turn: turns })
      yield* again.signal("finish")
      assert.sameMembers([...yield* again.result], ["one", "two", "three"])
      yield* until(Effect.sync(() => log), (log) => log.includes("interrupted"))
      assert.deepStrictEqual(log.filter((line) => line.startsWith("one")), ["one 1 false"])
      assert.deepStrictEqual(log.filter((line) => line.startsWith("two")), ["two 1 true", "two 1 true"])
    }))

  test("is idempotent by request; by the number of an event it takes the turn that has it", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ hosts: [right, worked([])] }))
      const handle = yield* client.start(Job)
      yield* handle.signal("finish")
      yield* handle.result
      const once = yield* handle.reset({ event: 1, requestId: "r" })
      const twice = yield* handle.reset({ event: 1, requestId: "r" })
      assert.strictEqual(twice.runId, once.runId)
      assert.deepStrictEqual(yield* twice.result, ["one", "two"])
      const store = yield* Store
      assert.strictEqual((yield* store.runs({ limit: 9 })).length, 2)
    }))

  test("is refused where there is no such turn, or another execution has the workflow id", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ hosts: [right, worked([])] }))
      const handle = yield* client.start(Job, undefined, { workflowId: "job" })
      yield* handle.signal("finish")
      yield* handle.result
      for (const options of [{ turn: 0 }, { turn: 99 }, { turn: 1.5 }, { event: 0 }, { event: 999 }]) {
        assert.instanceOf(yield* Effect.flip(handle.reset(options)), ResetRefused)
      }
      assert.strictEqual((yield* Effect.flip(client.handle(Job, "nobody").reset()))._tag, "WorkflowNotFound")
      const other = yield* client.start(Job, undefined, { workflowId: "job" })
      const refused = yield* Effect.flip(handle.reset())
      assert.instanceOf(refused, WorkflowAlreadyStarted)
      assert.deepInclude(refused, { runId: other.runId })
      assert.strictEqual((yield* other.describe).status, "Running")
    }))

  test("has what brings a step of the kept turns back, before its own first turn (I5)", () =>
    Effect.gen(function*() {
      const before = yield* run(
        Worker.layer({
          shutdownGrace: 0,
          hosts: [
            Job.toLayer(() =>
              Effect.succeed(Job.of({
                signals: { add: () => Effect.void, finish: () => Effect.void },
                updates: { put: () => Effect.succeed(1) },
                queries: { seen: () => Effect.succeed([]) },
                run: Effect.as(Step.run("endless", { execute: Effect.never }), [])
              }))
            )
          ]
        })
      )
      const handle = yield* before.client.start(Job)
      yield* handle.signal("add", "one")
      yield* before.stop
      const client = yield* remote
      const again = yield* client.handle(Job, handle.workflowId).reset({ turn: "Last" })
      assert.deepStrictEqual(
        (yield* again.history).flatMap(({ events }) => events.map(({ _tag }) => _tag)),
        ["ExecutionStarted", "StepScheduled"]
      )
      assert.deepStrictEqual(yield* Liveness.check, [])
    }))

  test("keeps random numbers and steps of the turns that it keeps, and draws others from there on (W2)", () =>
    Effect.gen(function*() {
      const Dice = Workflow.make("Dice", { success: Schema.Array(Schema.Number), signals: { roll: {} } })
      let steps = 0
      const { client } = yield* run(Worker.layer({
        hosts: [
          Dice.toLayer(() =>
            Effect.gen(function*() {
              const rolls = yield* State.make(0)
              return Dice.of({
                signals: { roll: () => rolls.update((n) => n + 1) },
                run: Effect.gen(function*() {
                  const first = yield* Random.nextIntBetween(0, 1_000_000)
                  yield* Step.run("count", { execute: Effect.sync(() => void steps++) })
                  yield* Workflow.condition(Effect.map(rolls.get, (n) => n > 0))
                  return [first, yield* Random.nextIntBetween(0, 1_000_000)]
                }).pipe(Effect.orDie)
              })
            })
          )
        ]
      }))
      const handle = yield* client.start(Dice)
      yield* until(
        handle.history,
        (turns) => turns.some(({ events }) => events.some(({ _tag }) => _tag === "StepCompleted"))
      )
      yield* handle.signal("roll")
      const rolled = yield* handle.result
      const again = yield* (yield* handle.reset()).result
      const third = yield* (yield* handle.reset()).result
      assert.strictEqual(again[0], rolled[0])
      assert.strictEqual(third[0], rolled[0])
      assert.strictEqual(new Set([rolled[1], again[1], third[1]]).size, 3)
      assert.strictEqual(steps, 1)
      const anew = yield* (yield* handle.reset({ turn: "First" })).result
      assert.notStrictEqual(anew[0], rolled[0])
    }))
})

describe("reset of a parent (C11, K4)", () => {
  const Child = Workflow.make("Child", { success: Schema.String, signals: { end: {} } })
  const ChildLive = Child.toLayer(() =>
    Effect.gen(function*() {
      const ended = yield* State.make(false)
      return Child.of({
        signals: { end: () => ended.set(true) },
        run: Effect.as(Workflow.condition(ended.get), "well")
      })
    })
  )
  const Parent = Workflow.make("Parent", { success: Schema.Array(Schema.String), signals: { go: {} } })
  const parent = (word: string) =>
    Parent.toLayer(() =>
      Effect.gen(function*() {
        const gone = yield* State.make(false)
        return Parent.of({
          signals: { go: () => gone.set(true) },
          run: Effect.gen(function*() {
            const child = yield* Child.start(undefined, { workflowId: "child" })
            yield* Workflow.condition(gone.get)
            return [yield* child.result, word]
          }).pipe(Effect.orDie)
        })
      })
    )

  test("hears of a child what the old run heard, and starts none twice", () =>
    Effect.gen(function*() {
      const before = yield* run(Worker.layer({ hosts: [parent("wrong"), ChildLive] }))
      const handle = yield* before.client.start(Parent, undefined, { workflowId: "parent" })
      yield* until(handle.history, (turns) =>
        turns.some(({ events }) => events.some(({ _tag }) => _tag === "ChildStarted")))
      yield* handle.signal("go")
      yield* before.client.handle(Child, "child").signal("end")
      assert.deepStrictEqual(yield* handle.result, ["well", "wrong"])
      yield* before.stop
      const { client } = yield* run(Worker.layer({ hosts: [parent("right"), ChildLive] }))
      const signaled = (yield* handle.history).find(({ events }) =>
        events[0]?._tag === "SignalReceived"
      )!
      const again = yield* client.handle(Parent, "parent").reset({ turn: signaled.turn })
      assert.deepStrictEqual(yield* again.result, ["well", "right"])
      const store = yield* Store
      assert.strictEqual((yield* store.runs({ limit: 9 })).filter(({ workflow }) => workflow === "Child").length, 1)
    }), disk)

  test("is refused while it would wait for a child that the old run's end closes", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ hosts: [parent("right"), ChildLive] }))
      const handle = yield* client.start(Parent, undefined, { workflowId: "parent" })
      yield* until(handle.history, (turns) =>
        turns.some(({ events }) => events.some(({ _tag }) => _tag === "ChildStarted")))
      const refused = yield* Effect.flip(handle.reset())
      assert.include(refused.message, "its child child is open after turn 1")
      assert.strictEqual((yield* handle.describe).status, "Running")
      // From its first turn on there is no such child: the old one is closed, the new run starts its own.
      const again = yield* handle.reset({ turn: "First" })
      yield* again.signal("go")
      yield* until(Effect.either(client.handle(Child, "child").signal("end")), (sent) =>
        sent._tag === "Right")
      assert.deepStrictEqual(yield* again.result, ["well", "right"])
    }), disk)
})

describe("reset in time", () => {
  it.live("counts the time of the run anew, and a timer that was due is due again", () =>
    Effect.gen(function*() {
      const Nap = Workflow.make("Nap", { success: Schema.Number, runTimeout: "2 hours", executionTimeout: "4 hours" })
      let hours = 5
      const NapLive = Nap.toLayer(() =>
        Effect.zipRight(Effect.sleep("1 hour"), Effect.zipRight(Effect.sleep(`${hours} hours`), Workflow.now))
      )
      yield* Effect.gen(function*() {
        const client = yield* Client
        const handle = yield* client.start(Nap)
        assert.deepInclude(yield* Effect.flip(handle.result), { status: "TimedOut" })
        hours = 1
        const turns = yield* handle.history
        const fired = turns.find(({ events }) => events[0]?._tag === "TimerFired")!
        const again = yield* handle.reset({ turn: fired.turn })
        const begun = turns[0]!.at
        // Its first hour is over; its second begins when the reset does, two hours after the start.
        assert.strictEqual((yield* again.result) - begun, 3 * 3_600_000)
      }).pipe(Effect.provide(TestEnvironment.layer({ hosts: [NapLive] })))
    }))
})
