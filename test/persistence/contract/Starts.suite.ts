/**
 * Starts that look at the other runs of their workflow id (X4, X5, X6), bring messages along (S10, U13), and runs that
 * are deleted (C12).
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { CreateOptions, StoreError } from "../../../src/persistence/Store.js"
import { Store } from "../../../src/persistence/Store.js"
import { commit, done, first, last, newRun, now, run, signal, task, turn, turns } from "./Samples.js"

const create = (runId: string, options: CreateOptions = {}, at = now) =>
  Effect.flatMap(
    Store,
    (store) =>
      store.create(newRun(runId, { workflowId: "w", startedAt: at }), { runId, kind: "Start", body: "{}" }, options)
  )

const end = { events: "[]", format: 1 }

const kinds = (runId: string) =>
  Effect.flatMap(Store, (store) => Effect.map(store.mail(runId, 0), (mail) => mail.map(({ kind }) => kind)))

const ended = (status: "Completed" | "Failed" | "Canceled") => (runId: string) =>
  done([
    first(runId, {}, { workflowId: "w" }),
    last(runId, 2, { close: { status, at: now + 2, refuseIfMail: true } })
  ])

export const suite = (layer: Layer.Layer<Store, StoreError>) => {
  it.effect("messages come along with a start, after it, and only where the run is created (S10, U13)", () =>
    Effect.gen(function*() {
      const update = { runId: "r1", kind: "Update" as const, body: "{}" }
      assert.deepStrictEqual(yield* create("r1", { mail: [signal("r1"), update] }), { _tag: "Created" })
      assert.deepStrictEqual(yield* kinds("r1"), ["Start", "Signal", "Update"])
      assert.deepInclude(yield* create("r2", { mail: [signal("r2")] }), { _tag: "AlreadyRunning", runId: "r1" })
      assert.deepStrictEqual(yield* kinds("r2"), [])
      assert.deepStrictEqual(yield* kinds("r1"), ["Start", "Signal", "Update"])
    }).pipe(Effect.provide(layer)))

  it.effect("closed runs stand in the way as the reuse policy says (X4)", () =>
    Effect.gen(function*() {
      yield* ended("Failed")("r1")
      assert.deepStrictEqual(yield* create("r2", { reuse: "RejectDuplicate" }), { _tag: "Refused", runId: "r1" })
      yield* ended("Canceled")("r2")
      assert.deepStrictEqual(yield* create("r3", { reuse: "AllowDuplicateFailedOnly" }), { _tag: "Created" })
      // An open one is not the policy's affair.
      assert.deepInclude(yield* create("r4", { reuse: "RejectDuplicate" }), { _tag: "AlreadyRunning", runId: "r3" })
      yield* Effect.flatMap(Store, (store) => store.terminate("r3", "[]", 1, now))
      yield* ended("Completed")("r4")
      assert.deepStrictEqual(yield* create("r5", { reuse: "AllowDuplicateFailedOnly" }), {
        _tag: "Refused",
        runId: "r4"
      })
      assert.deepStrictEqual(yield* create("r5"), { _tag: "Created" })
    }).pipe(Effect.provide(layer)))

  it.effect("an open run is terminated in one with the start that takes its place (X5)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [task(1)], mail: [signal("r1")] }, { workflowId: "w" })])
      assert.deepStrictEqual(yield* create("r2", { terminate: { events: "[\"end\"]", format: 1 } }, now + 5), {
        _tag: "Created",
        terminated: "r1"
      })
      assert.deepInclude(yield* run("r1"), { status: "Terminated", owner: undefined, closedAt: now + 5 })
      assert.deepInclude(Option.getOrThrow(yield* store.lastTurn("r1")), { turn: 2, events: "[\"end\"]" })
      assert.deepInclude((yield* store.mailOf("ada", 0, 10))[0], { runId: "r1", kind: "Terminated" })
      assert.strictEqual((yield* run("r2")).status, "Running")
      // Where none is open, nothing is terminated.
      yield* store.terminate("r2", "[]", 1, now)
      assert.deepStrictEqual(yield* create("r3", { terminate: { events: "[]", format: 1 } }), { _tag: "Created" })
    }).pipe(Effect.provide(layer)))

  it.effect("a request makes one run, be that one closed by now (X6)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      assert.deepStrictEqual(yield* create("r1", { requestId: "q" }), { _tag: "Created" })
      assert.deepStrictEqual(yield* create("r2", { requestId: "q" }), { _tag: "Known", runId: "r1" })
      yield* store.terminate("r1", "[]", 1, now)
      assert.deepStrictEqual(
        yield* create("r2", { requestId: "q", terminate: { events: "[]", format: 1 } }),
        { _tag: "Known", runId: "r1" }
      )
      assert.deepStrictEqual(yield* create("r2", { requestId: "p" }), { _tag: "Created" })
      // One that came to nothing is not remembered.
      assert.deepInclude(yield* create("r3", { requestId: "n" }), { _tag: "AlreadyRunning" })
      yield* store.terminate("r2", "[]", 1, now)
      assert.deepStrictEqual(yield* create("r3", { requestId: "n" }), { _tag: "Created" })
    }).pipe(Effect.provide(layer)))

  it.effect("a start that saw another last run than there is, is told so (U13)", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* create("r1", { last: { runId: undefined } }), { _tag: "Created" })
      yield* Effect.flatMap(Store, (store) => store.terminate("r1", "[]", 1, now))
      assert.deepStrictEqual(yield* create("r2", { last: { runId: undefined } }), { _tag: "Changed" })
      assert.deepStrictEqual(yield* create("r2", { last: { runId: "r1" } }), { _tag: "Created" })
    }).pipe(Effect.provide(layer)))

  it.effect("deletion takes a run away with all that is kept of it, whoever owns it (C12)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      assert.strictEqual(yield* store.deleteRun("nobody", end, now), "NotFound")
      yield* create("r0", { requestId: "q" })
      yield* store.terminate("r0", "[]", 1, now)
      yield* store.post({ runId: "r0", kind: "Query", body: "{}" }, now)
      assert.strictEqual(yield* store.deleteRun("r0", end, now), "Posted")
      assert.deepStrictEqual(yield* store.findRun("r0"), Option.none())
      assert.deepStrictEqual(yield* turns("r0"), [])
      assert.deepStrictEqual(yield* kinds("r0"), [])
      assert.deepStrictEqual(yield* create("r00", { requestId: "q" }), { _tag: "Created" })
      yield* store.deleteRun("r00", end, now)

      yield* done([first("r1", { tasksAdded: [task(1), task(2, { worker: undefined })], mail: [signal("r1")] })])
      yield* done([first("r2")])
      assert.strictEqual(yield* store.deleteRun("r1", end, now), "Posted")
      assert.deepStrictEqual(yield* store.findRun("r1"), Option.none())
      assert.deepStrictEqual(yield* turns("r1"), [])
      // Owner and host are told, and then nothing is left.
      const [news, ...more] = yield* store.mailOf("ada", 0, 10)
      assert.deepInclude(news, { runId: "r1", kind: "Terminated" })
      assert.deepStrictEqual(more, [])
      const [notice, ...others] = yield* store.taskNotices("ada")
      assert.deepInclude(notice, { runId: "r1", seq: 1, open: false })
      assert.deepStrictEqual(others, [])
      assert.deepStrictEqual(yield* store.taskNotices("ada"), [])
      assert.deepStrictEqual([...(yield* commit([turn("r1", 2)])).refused], [[0, { _tag: "Fenced" }]])
      assert.strictEqual((yield* run("r2")).status, "Running")
    }).pipe(Effect.provide(layer)))
}
