/**
 * What a turn does to other runs: children that begin with it, messages that go out with it, children that end with it,
 * and the word back, all in its commit or not at all (I3).
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Creation, Outgoing, ParentLink, PostResult, StoreError } from "../../../src/persistence/Store.js"
import { Store } from "../../../src/persistence/Store.js"
import { commit, done, first, last, newRun, now, run, turn } from "./Samples.js"

const child = (runId: string, parent: Partial<ParentLink> = {}, workflowId = runId): Creation => ({
  run: newRun(runId, { workflowId, parent: { runId: "p", seq: 1, close: "Terminate", ...parent } }),
  start: { runId, kind: "Start", body: `{"start":"${runId}"}` },
  owned: false,
  report: (result) => ({ runId: "p", kind: "ChildOutcome", body: JSON.stringify(result) })
})

const to = (address: Outgoing["to"], change: Partial<Outgoing> = {}): Outgoing => ({
  to: address,
  kind: "Signal",
  body: "{}",
  acknowledge: (result: PostResult) => ({ runId: "p", kind: "ExternalOutcome", body: result }),
  ...change
})

const mailOf = (runId: string) =>
  Effect.flatMap(
    Store,
    (store) => Effect.map(store.mail(runId, 0), (mail) => mail.map(({ body, kind }) => `${kind} ${body}`))
  )

export const suite = (layer: Layer.Layer<Store, StoreError>) => {
  it.effect("a child is there with the turn that asks for it, and so is the word of it (K1, K2)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("other", {}, { workflowId: "taken" })])
      yield* done([first("p", { creates: [child("c1"), child("c2", { seq: 2 }, "taken")] })])
      assert.deepInclude(yield* run("c1"), { status: "Running", parent: { runId: "p", seq: 1, close: "Terminate" } })
      assert.deepStrictEqual(yield* mailOf("c1"), ["Start {\"start\":\"c1\"}"])
      assert.deepStrictEqual(yield* mailOf("p"), [
        "ChildOutcome {\"_tag\":\"Created\"}",
        "ChildOutcome {\"_tag\":\"AlreadyRunning\",\"runId\":\"other\"}"
      ])
      assert.deepStrictEqual(yield* store.openChildren("p"), [{ runId: "c1", seq: 1 }])
    }).pipe(Effect.provide(layer)))

  it.effect("nothing of it comes of a turn that is refused (I4)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("p"), first("x")])
      const { refused } = yield* commit([
        turn("p", 2, { epoch: 9, creates: [child("c1")], outgoing: [to({ _tag: "Run", runId: "x" })] })
      ])
      assert.strictEqual(refused.size, 1)
      assert.deepStrictEqual(yield* store.openChildren("p"), [])
      assert.deepStrictEqual(yield* mailOf("x"), [])
      assert.deepStrictEqual(yield* mailOf("p"), [])
    }).pipe(Effect.provide(layer)))

  it.effect("children end with their parent by their policies, and theirs with them (K4)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("p", {
        creates: [
          child("c1"),
          child("c2", { seq: 2, close: "RequestCancel" }),
          child("c3", { seq: 3, close: "Abandon" }),
          child("g1", { runId: "c1" }),
          child("g3", { runId: "c3" })
        ]
      })])
      yield* store.claimRun("bob", "c1")
      yield* done([last("p", 2, { close: { status: "Failed", at: now + 2, refuseIfMail: true, hasChildren: true } })])
      const statuses = yield* Effect.forEach(
        ["c1", "c2", "c3", "g1", "g3"],
        (runId) => Effect.map(run(runId), ({ status }) => status)
      )
      assert.deepStrictEqual(statuses, ["Terminated", "Running", "Running", "Terminated", "Running"])
      assert.deepStrictEqual((yield* mailOf("c2")).slice(1), [
        "Cancel {\"_tag\":\"Cancel\",\"reason\":\"its parent closed\"}"
      ])
      assert.deepInclude(yield* run("c1"), { turn: 1, owner: undefined, wakeAt: undefined })
      // Its owner has it in memory.
      assert.deepStrictEqual((yield* store.mailOf("bob", 0, 10)).map(({ kind }) => kind), ["Terminated"])
    }).pipe(Effect.provide(layer)))

  it.effect("a message reaches the run that its address means, and the sender is told (K8, K9)", () =>
    Effect.gen(function*() {
      yield* done([
        first("p", { creates: [child("c1")] }),
        first("x", {}, { workflowId: "id of x" }),
        first("y", {}, { workflowId: "id of y" })
      ])
      yield* done([last("y", 2)])
      const before = (yield* mailOf("p")).length
      yield* done([turn("p", 2, {
        outgoing: [
          to({ _tag: "Run", runId: "x" }, { body: "1" }),
          to({ _tag: "Workflow", workflowId: "id of x" }, { body: "2" }),
          to({ _tag: "Child", parentRunId: "p", seq: 1 }, { body: "3" }),
          to({ _tag: "Workflow", workflowId: "id of y" }),
          to({ _tag: "Workflow", workflowId: "nobody" }),
          to({ _tag: "Run", runId: "none" }),
          to({ _tag: "Child", parentRunId: "p", seq: 7 })
        ]
      })])
      assert.deepStrictEqual(yield* mailOf("x"), ["Signal 1", "Signal 2"])
      assert.deepStrictEqual((yield* mailOf("c1")).slice(1), ["Signal 3"])
      assert.deepStrictEqual((yield* mailOf("p")).slice(before).map((mail) => mail.split(" ")[1]).sort(), [
        "Closed",
        "Closed",
        "NotFound",
        "NotFound",
        "Posted",
        "Posted",
        "Posted"
      ])
    }).pipe(Effect.provide(layer)))

  it.effect("a run that closes in the same commit is closed for it: nothing delivered is dropped (S3, K9)", () =>
    Effect.gen(function*() {
      yield* done([first("p"), first("x")])
      yield* done([turn("p", 2, { outgoing: [to({ _tag: "Run", runId: "x" })] }), last("x", 2)])
      assert.deepStrictEqual(yield* mailOf("p"), ["ExternalOutcome Closed"])
    }).pipe(Effect.provide(layer)))

  it.effect("a child that no worker has begun, nor owns, is canceled with the request (K6)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("p", { creates: [child("c1"), child("c2", { seq: 2 })] })])
      yield* store.claimRun("bob", "c2")
      const cancel = (seq: number) =>
        to({ _tag: "Child", parentRunId: "p", seq }, {
          kind: "Cancel",
          acknowledge: undefined,
          unbegun: {
            events: "[{\"end\":1}]",
            format: 1,
            mail: (runId) => ({ runId: "p", kind: "ChildOutcome", body: `${runId} is gone` })
          }
        })
      yield* done([turn("p", 2, { outgoing: [cancel(1), cancel(2)] })])
      assert.deepInclude(yield* run("c1"), { status: "Canceled", turn: 1 })
      assert.deepInclude(yield* run("c2"), { status: "Running", turn: 0 })
      assert.deepStrictEqual((yield* mailOf("c2")).slice(1), ["Cancel {}"])
      assert.strictEqual((yield* mailOf("p")).at(-1), "ChildOutcome c1 is gone")
    }).pipe(Effect.provide(layer)))
}
