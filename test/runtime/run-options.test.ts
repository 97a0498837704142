/**
 * What fails a run, and what is watched in it, as its definition, its worker, or a dynamic workflow says (W16, D4, D10).
 */
import { assert, describe } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Activity, Worker, Workflow } from "perdure"
import { Replayer } from "perdure/testing"
import { remote, run, test, until } from "./World.js"

const Text = Schema.String
const Work = Activity.make("Work", { payload: Text, success: Text, startToCloseTimeout: "1 minute" })
const Other = Activity.make("Other", { payload: Text, success: Text, startToCloseTimeout: "1 minute" })
const WorkLive = Work.toLayer(Effect.succeed)
const OtherLive = Other.toLayer(Effect.succeed)
/** Code of two versions: one calls this, the other that. */
type Called = "Work" | "Other"
const called = (activity: Called, text: string) =>
  Effect.gen(function*() {
    return activity === "Work" ? yield* Work.execute(text) : yield* Other.execute(text)
  }).pipe(Effect.orDie)

const Box = Workflow.make("Box", {
  payload: Text,
  success: Text,
  updates: { throw: { payload: Text } },
  failOnDefect: (defect) => defect instanceof RangeError
})
const boxLive = Box.toLayer((text) =>
  Effect.succeed(Box.of({
    updates: {
      throw: (kind) => Effect.die(kind === "range" ? new RangeError("range") : new TypeError("type"))
    },
    run: Effect.suspend(() =>
      text === "range"
        ? Effect.die(new RangeError("range"))
        : text === "type"
        ? Effect.die(new TypeError("type"))
        : Effect.zipRight(Effect.sleep("1 hour"), Effect.succeed(text))
    )
  }))
)

describe("a defect that fails the run", () => {
  test("is one by the definition or by the worker; of an update it fails the update (W16)", () =>
    Effect.gen(function*() {
      const { client, stop } = yield* run(Worker.layer({ hosts: [boxLive] }))
      const failure = (error: unknown) => (error as { readonly failure: { readonly type: string } }).failure.type
      assert.strictEqual(failure(yield* Effect.flip(client.execute(Box, "range"))), "RangeError")
      const handle = yield* client.start(Box, "type")
      const { attention } = yield* until(handle.describe, ({ attention }) => attention !== undefined)
      assert.match(attention!.message, /TypeError: type/)
      yield* stop
      // The same run on a worker that says more: both hold.
      const second = yield* run(
        Worker.layer({ hosts: [boxLive], failOnDefect: (defect) => defect instanceof TypeError })
      )
      assert.strictEqual(failure(yield* Effect.flip(second.client.handle(Box, handle.workflowId).result)), "TypeError")
      assert.strictEqual(failure(yield* Effect.flip(second.client.execute(Box, "range"))), "RangeError")
      const open = yield* second.client.start(Box, "")
      for (const kind of ["range", "type"]) {
        const error = yield* Effect.flip(open.update("throw", kind))
        assert.deepInclude(error, { _tag: "UpdateFailed", rejected: false })
      }
      assert.deepInclude(yield* open.describe, { status: "Running", attention: undefined })
    }))
})

const Shifting = Workflow.make("Shifting", {
  payload: Text,
  success: Text,
  queries: { now: { success: Text } },
  retry: { initialInterval: 1, maximumAttempts: 2 }
})
const shifting = (activity: Called) =>
  Shifting.toLayer((text) =>
    Effect.succeed(Shifting.of({
      queries: { now: () => Effect.succeed("here") },
      run: Effect.gen(function*() {
        const { attempt } = yield* Workflow.info
        const done = yield* called(activity, `${text} ${attempt}`)
        if (attempt === 1) yield* Effect.sleep("1 hour")
        return done
      })
    }))
  )
const Parent = Workflow.make("Parent", { success: Text })
const parentLive = Parent.toLayer(() =>
  Effect.match(Shifting.execute("child", { workflowId: "child", retry: { maximumAttempts: 1 } }), {
    onSuccess: () => "done",
    onFailure: ({ message }) => message
  })
)

/** Runs the old code until it waits, and stops its worker. */
const begun = Effect.gen(function*() {
  const first = yield* run(Worker.layer({ hosts: [shifting("Work"), WorkLive, OtherLive, parentLive] }))
  const { workflowId } = yield* first.client.start(Shifting, "x")
  const parent = yield* first.client.start(Parent)
  for (const id of [workflowId, "child"]) {
    yield* until(
      Effect.either(first.client.handle(Shifting, id).describe),
      (seen) => Either.isRight(seen) && seen.right.wakeAt !== undefined && seen.right.turns >= 2
    )
  }
  yield* first.stop
  return { workflowId, parentId: parent.workflowId }
})

describe("a run whose code differs from its history", () => {
  test("stays open by default (W16)", () =>
    Effect.gen(function*() {
      const { workflowId } = yield* begun
      const { client } = yield* run(Worker.layer({ hosts: [shifting("Other"), WorkLive, OtherLive, parentLive] }))
      yield* Effect.ignore(client.handle(Shifting, workflowId).query("now"))
      const { attention } = yield* until(
        client.handle(Shifting, workflowId).describe,
        ({ attention }) => attention !== undefined
      )
      assert.deepInclude(attention, { _tag: "TurnFailed", error: "NondeterminismError" })
    }))

  test("fails where the worker says so, with what differs; its retry policy and its parent hear of it (W16, X9, K3)", () =>
    Effect.gen(function*() {
      const { parentId, workflowId } = yield* begun
      const { client } = yield* run(
        Worker.layer({ hosts: [shifting("Other"), WorkLive, OtherLive, parentLive], failOnNondeterminism: true })
      )
      const old = client.handle(Shifting, workflowId)
      const { runId } = yield* old.describe
      yield* Effect.ignore(old.query("now"))
      yield* Effect.ignore(client.handle(Shifting, "child").query("now"))
      // The next attempt is a run of today's code.
      assert.strictEqual(yield* client.handle(Shifting, workflowId).result, "x 2")
      const closed = client.handle(Shifting, workflowId, runId)
      assert.deepInclude(yield* closed.describe, { status: "Failed", attention: undefined })
      const [last] = (yield* closed.history).slice(-1)
      assert.strictEqual(last!.events.length, 1)
      const [event] = last!.events
      assert.deepInclude(event, { _tag: "ExecutionFailed", retryState: "InProgress" })
      assert.match(JSON.stringify(event), /NondeterminismError.*activity Work #1.*activity Other #1/s)
      assert.match(yield* client.handle(Parent, parentId).result, /NondeterminismError/)
    }))

  test("fails where the definition says so (W16)", () =>
    Effect.gen(function*() {
      const Strict = Workflow.make("Strict", { success: Text, failOnNondeterminism: true })
      const strict = (activity: Called) =>
        Strict.toLayer(() => Effect.zipLeft(called(activity, "x"), Effect.sleep("1 hour")))
      const first = yield* run(Worker.layer({ hosts: [strict("Work"), WorkLive, OtherLive] }))
      const { workflowId } = yield* first.client.start(Strict)
      yield* until(first.client.handle(Strict, workflowId).describe, ({ turns }) => turns === 2)
      yield* first.stop
      yield* run(Worker.layer({ hosts: [strict("Other"), WorkLive, OtherLive] }))
      const client = yield* remote
      const handle = client.handle(Strict, workflowId)
      yield* Effect.fork(Effect.ignore(handle.raw.query("__stack_trace")))
      const error = yield* Effect.flip(handle.result)
      assert.deepInclude(error, { _tag: "WorkflowFailure", status: "Failed" })
      assert.match(error.message, /NondeterminismError/)
    }))
})

describe("options of a dynamic workflow", () => {
  test("are those of the run's own name; an error of theirs fails the turn, read-only as they are (D4)", () =>
    Effect.gen(function*() {
      let broken: "" | "throws" | "writes" = "throws"
      const asked: Array<string> = []
      const body = Workflow.dynamic(
        () =>
          Effect.gen(function*() {
            const { workflow } = yield* Workflow.info
            if (workflow === "Waits") {
              return Workflow.dynamic.of({
                dynamic: {
                  signals: () => Effect.never,
                  queries: () => Effect.succeed(1),
                  updates: () => Effect.succeed(1)
                },
                run: Effect.sleep("50 millis")
              })
            }
            return yield* Effect.die(new Error("defect"))
          }),
        {
          options: ({ workflow }) => {
            asked.push(workflow)
            if (workflow === "Broken" && broken === "throws") throw new Error("no options")
            if (workflow === "Broken" && broken === "writes") return Effect.as(Workflow.random, {})
            return { failOnDefect: workflow !== "Careful", unfinished: "Abandon" }
          }
        }
      )
      const { client } = yield* run(Worker.layer({ maxCachedExecutions: 0, hosts: [body] }))
      const failed = yield* Effect.flip(client.execute(Workflow.untyped("Careless")))
      assert.deepInclude(failed, { _tag: "WorkflowFailure", status: "Failed" })
      const careful = yield* client.start(Workflow.untyped("Careful"))
      const { attention } = yield* until(careful.describe, ({ attention }) => attention !== undefined)
      assert.match(attention!.message, /Error: defect/)
      const faulty = yield* client.start(Workflow.untyped("Broken"))
      const first = yield* until(faulty.describe, ({ attention }) => attention !== undefined)
      assert.match(first.attention!.message, /options of workflow Broken threw: Error: no options/)
      broken = "writes"
      const second = yield* until(
        faulty.describe,
        ({ attention }) => attention?.message.includes("no options") === false
      )
      assert.match(second.attention!.message, /options of workflow Broken threw: .*Random is not allowed there/)
      broken = ""
      assert.deepInclude(yield* Effect.flip(faulty.result), { _tag: "WorkflowFailure", status: "Failed" })
      assert.includeMembers(asked, ["Careless", "Careful", "Broken"])
    }))
})

describe("the guard", () => {
  const Draws = (options: { readonly guard?: boolean }) => Workflow.make("Draws", { success: Text, ...options })
  const drawing = (options: { readonly guard?: boolean }) =>
    Draws(options).toLayer(() =>
      Effect.gen(function*() {
        const drawn = Math.random() < 2 && Date.now() > Date.parse("2020-01-01") && globalThis.setTimeout !== undefined
        yield* Effect.sleep("1 millis")
        return `drawn ${drawn}`
      })
    )

  test("stops a body, unless its definition or its worker says no (D10)", () =>
    Effect.gen(function*() {
      const workflow = Draws({})
      const first = yield* run(Worker.layer({ hosts: [drawing({})] }))
      const handle = yield* first.client.start(workflow)
      const { attention } = yield* until(handle.describe, ({ attention }) => attention !== undefined)
      assert.match(attention!.message, /Math.random in a workflow body/)
      yield* first.stop
      const second = yield* run(Worker.layer({ maxCachedExecutions: 0, hosts: [drawing({})], guard: false }))
      assert.strictEqual(yield* second.client.handle(workflow, handle.workflowId).result, "drawn true")
      yield* second.stop
      const third = yield* run(Worker.layer({ hosts: [drawing({ guard: false })] }))
      assert.strictEqual(yield* third.client.execute(workflow), "drawn true")
      assert.match(String(Math.random), /native code/)
    }))

  test("still finds what wakes an unguarded body outside of a turn (D10, I8)", () =>
    Effect.gen(function*() {
      const Waits = Workflow.make("Waits", { guard: false })
      const { client } = yield* run(
        Worker.layer({ hosts: [Waits.toLayer(() => Effect.promise(() => Promise.resolve()))] })
      )
      const handle = yield* client.start(Waits)
      yield* until(
        handle.describe,
        ({ attention }) => attention?.message.includes("no event records woke the body") === true
      )
    }))

  test("lets a block be, and watches the rest (D10)", () =>
    Effect.gen(function*() {
      const Mixed = Workflow.make("Mixed", { payload: Schema.Boolean, success: Text })
      const before = Math.random
      const mixed = Mixed.toLayer((careless) =>
        Effect.gen(function*() {
          const turn = Date.now()
          const real = yield* Workflow.unguarded(() => {
            // Another turn of effect's own, within: it has the process' fiber ids, and its real clock.
            assert.isAbove(Effect.runSync(Effect.map(Effect.clock, (clock) => clock.unsafeCurrentTimeMillis())), 0)
            return Math.random() < 2 ? Date.now() : 0
          })
          const thrown = yield* Effect.exit(Workflow.unguarded(() => {
            throw new Error("within")
          }))
          if (careless) Math.random()
          return `${real >= turn} ${thrown._tag === "Failure" && Cause.pretty(thrown.cause).includes("within")}`
        })
      )
      const { client } = yield* run(Worker.layer({ hosts: [mixed] }))
      assert.strictEqual(yield* client.execute(Mixed, false), "true true")
      const handle = yield* client.start(Mixed, true)
      const { attention } = yield* until(handle.describe, ({ attention }) => attention !== undefined)
      assert.match(attention!.message, /Math.random in a workflow body/)
      assert.strictEqual(Math.random, before)
    }))
})

describe("a body that keeps state at module level", () => {
  test("is found by a second replay in one process (D10, N7)", () =>
    Effect.gen(function*() {
      let runs = 0
      const Kept = Workflow.make("Kept", { success: Text })
      const KeptLive = Kept.toLayer(() => Effect.suspend(() => called(runs++ === 0 ? "Work" : "Other", "x")))
      const { client } = yield* run(Worker.layer({ hosts: [KeptLive, WorkLive, OtherLive] }))
      const handle = yield* client.start(Kept)
      yield* handle.result
      const history = { runId: handle.runId, turns: yield* handle.history }
      const error = yield* Effect.flip(Replayer.replay([KeptLive], history))
      assert.strictEqual(error._tag, "NondeterminismError")
    }))
})
