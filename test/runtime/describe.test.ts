/**
 * Goal: a description says all that there is to know of a run without its code (row X11); a run that never began has a
 * history that says what was started (rows C10, K6, X8).
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import { Activity, ApplicationError, Client, Liveness, PayloadCodec, StoreClient, Worker, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import { Replayer } from "perdure/testing"
import { remote, run, test, until } from "./World.js"

const Work = Activity.make("Work", {
  startToCloseTimeout: "1 minute",
  summary: "the hard part",
  retry: { initialInterval: "1 hour" }
})
const WorkLive = Work.toLayer(() =>
  Effect.zipRight(Activity.heartbeat({ line: 3 }), new ApplicationError({ type: "Busy", message: "come again" }))
)
const Leaf = Workflow.make("Leaf", { payload: Schema.String })
const LeafLive = Leaf.toLayer(() => Effect.orDie(Work.execute()))
const Branch = Workflow.make("Branch")
const BranchLive = Branch.toLayer(() =>
  Effect.orDie(Effect.all([
    Leaf.execute("a", { workflowId: "leaf a" }),
    Leaf.execute("b", { workflowId: "leaf b", startDelay: "1 day" })
  ], { concurrency: "unbounded" }))
)
const Tree = Workflow.make("Tree")
const TreeLive = Tree.toLayer(() => Effect.orDie(Branch.execute(undefined, { workflowId: "branch" })))
const hosts = [TreeLive, BranchLive, LeafLive, WorkLive] as const

const tags = (turns: ReadonlyArray<{ readonly events: ReadonlyArray<{ readonly _tag: string }> }>) =>
  turns.map(({ events }) => events.map(({ _tag }) => _tag))

describe("a description", () => {
  test("has the run's kin: parent, root, and the children that are open (X11, K1)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ hosts }))
      const tree = yield* client.start(Tree, undefined, { workflowId: "tree" })
      const root = { workflowId: "tree", runId: tree.runId }
      const branch = client.handle(Branch, "branch")
      const described = yield* until(
        Effect.option(branch.describe),
        (found) => found._tag === "Some" && found.value.pendingChildren.length === 2
      )
      assert.strictEqual(described._tag, "Some")
      if (described._tag !== "Some") return
      const { parent, pendingChildren, root: rootOfBranch, runId } = described.value
      assert.deepStrictEqual([parent, rootOfBranch], [root, root])
      assert.deepStrictEqual(pendingChildren.map(({ workflow, workflowId }) => [workflow, workflowId]).sort(), [
        ["Leaf", "leaf a"],
        ["Leaf", "leaf b"]
      ])
      // One that has not begun says whose it is, too.
      for (const id of ["leaf a", "leaf b"]) {
        const leaf = yield* client.handle(Leaf, id).describe
        assert.deepStrictEqual([leaf.parent, leaf.root], [{ workflowId: "branch", runId }, root])
        assert.include(pendingChildren.map(({ runId }) => runId), leaf.runId)
      }
      const { pendingChildren: [only], ...top } = yield* tree.describe
      assert.deepStrictEqual([only?.workflowId, top.parent, top.root], ["branch", undefined, root])
      yield* tree.terminate()
      const over = yield* until(branch.describe, ({ status }) => status === "Terminated")
      assert.deepStrictEqual([over.pendingChildren, over.parent], [[], root])
    }))

  test("has pending activities with what failed, was said, and comes next, and the size of the history (X11, A5)", () =>
    Effect.gen(function*() {
      const { client } = yield* run(Worker.layer({ hosts }))
      const leaf = yield* client.start(Leaf, "x", { summary: "a leaf" })
      const { historyBytes, historyLength, pendingActivities, summary, turns } = yield* until(
        leaf.describe,
        ({ pendingActivities: [first] }) => first?.attempt === 2
      )
      const { dueAt, ...pending } = pendingActivities[0]!
      assert.deepInclude(pending, {
        activity: "Work",
        activityId: "1",
        state: "queued",
        heartbeat: { line: 3 },
        cancelRequested: false,
        paused: false,
        summary: "the hard part"
      })
      assert.match(pending.lastFailure!, /^Busy: come again/)
      assert.isAbove(dueAt, Date.now() + 3_000_000)
      const history = yield* leaf.history
      assert.deepStrictEqual([turns, historyLength, summary], [1, 2, "a leaf"])
      assert.strictEqual(historyBytes, JSON.stringify(history[0]!.events).length)
    }))

  test("has the expression by which a run is repeated (X11, X10)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      const leaf = yield* client.start(Leaf, "x", { cron: "@daily" })
      assert.strictEqual((yield* leaf.describe).cron, "@daily")
    }))
})

describe("a run that never began", () => {
  test("has its start in its history, with the end that was imposed, and replays (C10, N7)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      const leaf = yield* client.start(Leaf, "x", { workflowId: "l", summary: "a leaf" })
      yield* leaf.terminate("not needed")
      const history = yield* leaf.history
      assert.deepStrictEqual(tags(history), [["ExecutionStarted", "ExecutionTerminated"]])
      assert.deepInclude(history[0]!.events[0], { workflow: "Leaf", workflowId: "l", input: "x", summary: "a leaf" })
      assert.deepInclude(yield* Effect.flip(leaf.result), { status: "Terminated" })
      assert.deepInclude(yield* leaf.describe, { status: "Terminated", turns: 1, historyLength: 2 })
      yield* Replayer.replay([LeafLive], { runId: leaf.runId, turns: history })
      // Nobody hears of it, and no code of it runs, when a worker comes that has code for it.
      const { client: later } = yield* run(Worker.layer({ hosts }))
      assert.deepStrictEqual(yield* later.handle(Leaf, "l").raw.query("__stack_trace"), [])
      assert.deepStrictEqual(yield* Liveness.check, [])
    }))

  test("so has a child that was canceled, or ended with its parent, before any worker came (K4, K6)", () =>
    Effect.gen(function*() {
      const Far = Workflow.make("Far", { payload: Schema.Literal("cancel", "end") })
      const FarLive = Far.toLayer((how) =>
        Effect.gen(function*() {
          const child = yield* Effect.orDie(Leaf.start(how, { workflowId: how, taskQueue: "nobody" }))
          if (how === "cancel") yield* child.cancel("enough")
          yield* Effect.orDie(Effect.sleep("20 millis"))
        })
      )
      const { client } = yield* run(Worker.layer({ hosts: [FarLive] }))
      for (const how of ["cancel", "end"] as const) {
        yield* client.execute(Far, how)
        const child = client.handle(Leaf, how)
        assert.deepStrictEqual(tags(yield* child.history), [
          ["ExecutionStarted", how === "cancel" ? "ExecutionCanceled" : "ExecutionTerminated"]
        ])
        assert.deepInclude((yield* child.history)[0]!.events[0], { input: how })
        assert.strictEqual((yield* child.describe).parent?.workflowId.length, 36)
      }
    }))

  test("so has one that ran out of its time before any worker came (X8)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      const leaf = yield* client.start(Leaf, "x", { runTimeout: "1 millis" })
      yield* Effect.sleep("5 millis")
      yield* run(Worker.layer({ hosts }))
      yield* until(leaf.describe, ({ status }) => status === "TimedOut")
      assert.deepStrictEqual(tags(yield* leaf.history), [["ExecutionStarted", "ExecutionTimedOut"]])
    }))

  test("with encrypted payloads, too (N5)", () =>
    Effect.gen(function*() {
      const codecs = PayloadCodec.layer([PayloadCodec.encryption({ keys: { k: randomBytes(32) }, current: "k" })])
      const client = yield* Effect.provide(Client, StoreClient.layer.pipe(Layer.provide(codecs)))
      const leaf = yield* client.start(Leaf, "secret", { details: "secret details" })
      yield* leaf.terminate("not needed", { why: "secret why" })
      assert.deepInclude((yield* leaf.history)[0]!.events[0], { input: "secret", details: "secret details" })
      const store = yield* Store
      assert.notInclude(JSON.stringify(yield* store.history(leaf.runId, 0, 10)), "secret")
    }))

  test("may be taken anew from its first turn on (C11)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      const leaf = yield* client.start(Leaf, "x", { workflowId: "l" })
      yield* leaf.terminate("a mistake")
      yield* leaf.reset({ turn: 1, reason: "it was one" })
      const { client: worker } = yield* run(Worker.layer({ hosts }))
      const next = worker.handle(Leaf, "l")
      yield* until(next.describe, ({ pendingActivities }) => pendingActivities.length === 1)
      assert.deepInclude((yield* next.history)[0]!.events[0], { input: "x" })
    }))
})
