/**
 * Messages and replies: kept in order, never lost while the run is open, and always with a wake-up (I3, I5).
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { NewMail, StoreError } from "../../../src/persistence/Store.js"
import { Store } from "../../../src/persistence/Store.js"
import { done, first, last, newRun, now, run, signal, turn } from "./Samples.js"

const query = (runId: string, body = "{}"): NewMail => ({ runId, kind: "Query", body })

const bodies = Effect.map((mail: ReadonlyArray<NewMail>) => mail.map(({ body }) => body))

export const suite = (layer: Layer.Layer<Store, StoreError>) => {
  it.effect("messages wait in order, and reading goes on from an id", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1"), first("r2")])
      for (const [n, runId] of ["r1", "r2", "r1"].entries()) {
        assert.strictEqual(yield* store.post(signal(runId, String(n)), now), "Posted")
      }
      const mail = yield* store.mailOf("ada", 0, 10)
      assert.deepStrictEqual(mail.map(({ body }) => body), ["0", "1", "2"])
      assert.deepStrictEqual(yield* bodies(store.mailOf("ada", mail[0]!.id, 1)), ["1"])
      assert.deepStrictEqual(yield* bodies(store.mail("r1", 0)), ["0", "2"])
      assert.deepStrictEqual(yield* bodies(store.mail("r1", mail[0]!.id)), ["2"])
      assert.deepStrictEqual(yield* store.mailOf("bob", 0, 10), [])
    }).pipe(Effect.provide(layer)))

  it.effect("ids rise even after the last message was dropped", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1")])
      yield* store.post(signal("r1"), now)
      const [mail] = yield* store.mail("r1", 0)
      yield* done([turn("r1", 2, { consumed: [mail!.id] })])
      yield* store.post(signal("r1", "next"), now)
      assert.deepStrictEqual(yield* bodies(store.mail("r1", mail!.id)), ["next"])
    }).pipe(Effect.provide(layer)))

  it.effect("a message makes an unowned run due, and leaves an owned one to its owner", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1"), first("r2", { wake: { at: now + 500 } })])
      yield* store.post(signal("r1"), now)
      assert.strictEqual((yield* run("r1")).wakeAt, undefined)
      yield* done([turn("r1", 2, { consumed: (yield* store.mail("r1", 0)).map(({ id }) => id) })])
      yield* store.takeOver(["ada"], now, false)
      assert.deepStrictEqual(yield* store.claimRuns("bob", ["orders"], now, 10), [])
      yield* store.post(signal("r1"), now + 1)
      yield* store.post(signal("r2"), now + 2)
      const claimed = yield* store.claimRuns("bob", ["orders"], now + 2, 10)
      assert.deepStrictEqual(claimed.map(({ runId, wakeAt }) => [runId, wakeAt]), [["r1", now + 1], ["r2", now + 2]])
      assert.strictEqual((yield* store.mailOf("bob", 0, 10)).length, 2)
    }).pipe(Effect.provide(layer)))

  it.effect("a run that is held begins when its time comes, whatever signals come (X7); a cancel request lets it begin", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const held = newRun("r1", { startAt: now + 500 })
      yield* store.create(held, { runId: "r1", kind: "Start", body: "{}" })
      assert.deepInclude(yield* run("r1"), { wakeAt: now + 500, startAt: now + 500 })
      yield* store.post(signal("r1"), now + 1)
      assert.deepInclude(yield* run("r1"), { wakeAt: now + 500, startAt: now + 500 })
      assert.deepStrictEqual(yield* store.claimRuns("bob", ["orders"], now + 499, 10), [])
      yield* store.post({ runId: "r1", kind: "Cancel", body: "{}" }, now + 2)
      assert.deepInclude(yield* run("r1"), { wakeAt: now + 2, startAt: now + 2 })
      assert.strictEqual((yield* store.claimRuns("bob", ["orders"], now + 2, 10)).length, 1)
      // Later ones leave the time at which it began as it is.
      yield* store.takeOver(["bob"], now + 3, false)
      yield* store.post({ runId: "r1", kind: "Cancel", body: "{}" }, now + 4)
      assert.deepInclude(yield* run("r1"), { startAt: now + 2 })
    }).pipe(Effect.provide(layer)))

  it.effect("a message that goes with a start lets a run begin, but none that follows another one (X7)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      for (const [runId, more] of [["r1", {}], ["r2", { previousRunId: "r0" }]] as const) {
        const held = newRun(runId, { workflowId: runId, startAt: now + 500, ...more })
        yield* store.create(held, { runId, kind: "Start", body: "{}" })
        yield* store.post({ ...signal(runId), begins: true }, now + 1)
      }
      assert.deepInclude(yield* run("r1"), { wakeAt: now + 1, startAt: now + 1 })
      assert.deepInclude(yield* run("r2"), { wakeAt: now + 500, startAt: now + 500 })
      yield* store.post({ ...signal("r1"), begins: true }, now + 2)
      assert.deepInclude(yield* run("r1"), { startAt: now + 1 })
    }).pipe(Effect.provide(layer)))

  it.effect("closed and unknown runs take no message, but for a query", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1"), last("r1", 2)])
      assert.strictEqual(yield* store.post(signal("r1"), now), "Closed")
      assert.strictEqual(yield* store.post(signal("nobody"), now), "NotFound")
      assert.strictEqual(yield* store.post(query("nobody"), now), "NotFound")
      assert.strictEqual(yield* store.post(query("r1"), now), "Posted")
    }).pipe(Effect.provide(layer)))

  it.effect("queries on closed runs are offered until they are answered, by queue", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* store.create(newRun("r0"), { runId: "r0", kind: "Start", body: "{}" })
      yield* done([first("r1"), first("r2", {}, { taskQueue: "other" }), first("r3"), last("r1", 2), last("r2", 2)])
      yield* store.post(query("r0", "open, unowned"), now)
      yield* store.post(query("r3", "open"), now)
      yield* store.post(query("r2", "second"), now)
      yield* store.post(query("r1", "first"), now)
      assert.deepStrictEqual(yield* bodies(store.claimQueries(["orders"], 10)), ["first"])
      const offered = yield* store.claimQueries(["orders", "other"], 10)
      assert.deepStrictEqual(offered.map(({ body }) => body), ["second", "first"])
      assert.strictEqual((yield* store.claimQueries(["orders", "other"], 1)).length, 1)
      yield* store.reply([{ requestId: "q", at: now, body: "42" }], [offered[0]!.id])
      assert.deepStrictEqual(yield* bodies(store.claimQueries(["orders", "other"], 10)), ["first"])
    }).pipe(Effect.provide(layer)))

  it.effect("what waited for an answer when the run closed is offered too", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1")])
      yield* store.post({ runId: "r1", kind: "Update", body: "update" }, now)
      yield* store.post(query("r1", "query"), now)
      yield* store.post({ runId: "r1", kind: "StepOutcome", body: "step" }, now)
      yield* done([last("r1", 2)])
      assert.deepStrictEqual(yield* bodies(store.claimQueries(["orders"], 10)), ["update", "query"])
    }).pipe(Effect.provide(layer)))

  it.effect("a reply is taken once, and the first one counts", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const answer = { requestId: "q1", at: now, body: "1" }
      assert.deepStrictEqual(yield* store.takeReply("q1"), Option.none())
      yield* done([first("r1", { replies: [answer] })])
      yield* store.reply([{ ...answer, body: "2" }, { ...answer, requestId: "q2" }], [])
      assert.deepStrictEqual(yield* store.takeReply("q1"), Option.some(answer))
      assert.deepStrictEqual(yield* store.takeReply("q1"), Option.none())
      assert.isTrue(Option.isSome(yield* store.takeReply("q2")))
    }).pipe(Effect.provide(layer)))

  it.effect("a turn may post to another run, which wakes", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* store.create(newRun("r2", { startedAt: now + 500 }), { runId: "r2", kind: "Start", body: "{}" })
      yield* done([first("r3"), last("r3", 2)])
      yield* done([first("r1", { mail: [signal("r2"), signal("r3"), signal("nobody")] })])
      assert.strictEqual((yield* run("r2")).wakeAt, now)
      assert.deepStrictEqual(yield* store.mail("r3", 0), [])
    }).pipe(Effect.provide(layer)))
}
