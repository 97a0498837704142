/**
 * Schedules in the store: held while they are decided, written only over what was read, woken by the ends of their runs
 * (H1, H2, H7, H14, I3).
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Creation, NewRun, NewSchedule, ScheduleWrite, StoreError } from "../../../src/persistence/Store.js"
import { Store } from "../../../src/persistence/Store.js"
import { done, last, newRun, now, run, turn } from "./Samples.js"

const schedule = (scheduleId: string, change: Partial<NewSchedule> = {}): NewSchedule => ({
  scheduleId,
  workflow: "Order",
  paused: false,
  nextAt: now,
  definition: `{"spec":1}`,
  state: `{"count":0}`,
  ...change
})

const create = (scheduleId: string, change: Partial<NewSchedule> = {}) =>
  Effect.flatMap(Store, (store) => store.createSchedule(schedule(scheduleId, change)))

const find = (scheduleId: string) =>
  Effect.flatMap(Store, (store) => Effect.map(store.findSchedule(scheduleId), Option.getOrThrow))

const claim = (at = now, limit = 10) =>
  Effect.flatMap(
    Store,
    (store) =>
      Effect.map(
        store.claimSchedules(at, at + 100, limit),
        (found) => found.map(({ scheduleId }) => scheduleId)
      )
  )

const start = (runId: string, change: Partial<NewRun> = {}): Creation => ({
  run: newRun(runId, { scheduled: { by: "s", at: now }, ...change }),
  start: { runId, kind: "Start", body: "{}" },
  owned: false
})

const written = (scheduleId: string, revision: number, change: Partial<ScheduleWrite> = {}): ScheduleWrite => ({
  scheduleId,
  revision,
  workflow: "Order",
  paused: false,
  nextAt: now + 60_000,
  state: `{"count":1}`,
  definition: undefined,
  starts: [],
  cancels: [],
  terminates: [],
  ...change
})

const write = (...writes: ReadonlyArray<ScheduleWrite>) =>
  Effect.flatMap(Store, (store) => Effect.map(store.writeSchedules(writes, now), (all) => all.map(({ _tag }) => _tag)))

const next = Effect.flatMap(Store, (store) => Effect.map(store.nextSchedule, Option.getOrUndefined))

const end = { events: "[]", format: 1 }

const own = (runId: string) => Effect.flatMap(Store, (store) => store.claimRun("ada", runId))

export const suite = (layer: Layer.Layer<Store, StoreError>) => {
  it.effect("one of an id; it comes back as it was written, and goes (H1, H14)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      assert.isTrue(yield* create("s"))
      assert.isFalse(yield* create("s", { paused: true }))
      assert.deepStrictEqual(yield* find("s"), { ...schedule("s"), revision: 1 })
      assert.isTrue(yield* store.deleteSchedule("s"))
      assert.isFalse(yield* store.deleteSchedule("s"))
      assert.isTrue(Option.isNone(yield* store.findSchedule("s")))
    }).pipe(Effect.provide(layer)))

  it.effect("lists go by id, from any place on (H14)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      for (const id of ["b", "a", "ab", "ac"]) yield* create(id)
      const list = (after: string, prefix: string, limit = 10) =>
        Effect.map(store.listSchedules({ after, prefix, limit }), (all) => all.map(({ scheduleId }) => scheduleId))
      assert.deepStrictEqual(yield* list("", ""), ["a", "ab", "ac", "b"])
      assert.deepStrictEqual(yield* list("a", "", 2), ["ab", "ac"])
      assert.deepStrictEqual(yield* list("ab", "a"), ["ac"])
    }).pipe(Effect.provide(layer)))

  it.effect("a claim takes those that are due, and holds them for a while (H8)", () =>
    Effect.gen(function*() {
      yield* create("late", { nextAt: now - 5 })
      yield* create("later", { nextAt: now })
      yield* create("future", { nextAt: now + 1_000 })
      yield* create("never", { nextAt: undefined })
      assert.strictEqual(yield* next, now - 5)
      assert.deepStrictEqual(yield* claim(now, 1), ["late"])
      assert.deepStrictEqual(yield* claim(now), ["later"])
      assert.deepStrictEqual(yield* claim(now), [])
      // Whoever held them is dead, perhaps: they are due again when their time is over.
      assert.strictEqual(yield* next, now + 100)
      assert.deepStrictEqual(yield* claim(now + 100), ["late", "later"])
      yield* write(written("late", 1, { nextAt: undefined }), written("later", 1, { nextAt: undefined }))
      assert.strictEqual(yield* next, now + 1_000)
    }).pipe(Effect.provide(layer)))

  it.effect("of two that decided the same, one is written, with its runs; the other one has nothing (I3, H2)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* create("s")
      yield* claim()
      assert.deepStrictEqual(yield* write(written("s", 1, { starts: [start("r1", { workflowId: "w1" })] })), [
        "Written"
      ])
      assert.deepStrictEqual(yield* write(written("s", 1, { starts: [start("r2", { workflowId: "w2" })] })), [
        "Changed"
      ])
      assert.deepStrictEqual((yield* run("r1")).scheduled, { by: "s", at: now })
      assert.isTrue(Option.isNone(yield* store.findRun("r2")))
      assert.deepStrictEqual((yield* store.mail("r1", 0)).map(({ kind }) => kind), ["Start"])
      assert.deepStrictEqual(yield* find("s"), {
        ...schedule("s", { nextAt: now + 60_000, state: `{"count":1}` }),
        revision: 2
      })
      assert.deepStrictEqual(yield* write(written("gone", 1)), ["Changed"])
      // Once more over what is there now; not held any more, and with another definition.
      assert.deepStrictEqual(
        yield* write(written("s", 2, { nextAt: now, paused: true, definition: `{"spec":2}`, workflow: "Ship" })),
        ["Written"]
      )
      assert.deepInclude(yield* find("s"), { paused: true, definition: `{"spec":2}`, workflow: "Ship", revision: 3 })
      assert.deepStrictEqual(yield* claim(), ["s"])
    }).pipe(Effect.provide(layer)))

  it.effect("many are written at once, each by itself", () =>
    Effect.gen(function*() {
      const ids = Array.from({ length: 100 }, (_, index) => `s${index}`)
      for (const id of ids) yield* create(id)
      const results = yield* write(...ids.map((id, index) =>
        written(id, id === "s7" ? 9 : 1, { starts: [start(`r${index}`, { scheduled: { by: id, at: now } })] })
      ))
      assert.deepStrictEqual(
        results.filter((tag) =>
          tag !== "Written"
        ),
        ["Changed"]
      )
      assert.lengthOf(yield* Effect.flatMap(Store, (store) => store.runs({ limit: 200 })), 99)
      // Twice in one batch: the second one was decided without knowing of the first.
      assert.deepStrictEqual(yield* write(written("s1", 2), written("s1", 2)), ["Written", "Changed"])
    }).pipe(Effect.provide(layer)))

  it.effect("a start meets an open run of its workflow id: nothing of the write is in (H2, H7)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* create("s")
      yield* create("t")
      yield* write(written("s", 1, { starts: [start("r1", { workflowId: "w" })] }))
      const [met] = yield* store.writeSchedules([
        written("s", 2, { starts: [start("r2", { workflowId: "free" }), start("r3", { workflowId: "w" })] })
      ], now)
      assert.deepStrictEqual(met, { _tag: "Met", runIds: new Set(["r3"]) })
      assert.isTrue(Option.isNone(yield* store.findRun("r2")))
      assert.strictEqual((yield* find("s")).revision, 2)
      // Two of one batch that want the same workflow id.
      const both = yield* write(
        written("s", 2, { starts: [start("r4", { workflowId: "x" })] }),
        written("t", 1, { starts: [start("r5", { workflowId: "x" })] })
      )
      assert.deepStrictEqual(both, ["Written", "Met"])
    }).pipe(Effect.provide(layer)))

  it.effect("the run of a chain that is open then is asked to cancel, or is ended and makes room (H7)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* create("s")
      yield* write(written("s", 1, { starts: [start("r1", { workflowId: "w" })] }))
      yield* own("r1")
      // Its chain goes on in another run, which nobody tells the schedule.
      yield* done([
        turn("r1", 1, {
          close: { status: "ContinuedAsNew", at: now + 1, refuseIfMail: false, next: "r2" },
          creates: [{ ...start("r2", { workflowId: "w", firstRunId: "r1", previousRunId: "r1" }), owned: false }]
        })
      ])
      assert.strictEqual((yield* find("s")).revision, 2)
      const chain = { workflowId: "w", firstRunId: "r1" }
      assert.deepStrictEqual(yield* write(written("s", 2, { cancels: [{ ...chain, body: "{}" }] })), ["Written"])
      assert.deepStrictEqual((yield* store.mail("r2", 0)).map(({ kind }) => kind), ["Start", "Cancel"])
      assert.deepStrictEqual(
        yield* write(
          written("s", 3, { terminates: [{ ...chain, end }], starts: [start("r3", { workflowId: "w" })] })
        ),
        ["Written"]
      )
      assert.strictEqual((yield* run("r2")).status, "Terminated")
      assert.strictEqual((yield* run("r3")).status, "Running")
      // A chain that is over is not the one that has its workflow id now.
      yield* write(written("s", (yield* find("s")).revision, { terminates: [{ ...chain, end }] }))
      assert.strictEqual((yield* run("r3")).status, "Running")
    }).pipe(Effect.provide(layer)))

  it.effect("the end of its last run makes a schedule due, whoever ends it, and undoes what was decided before (H7, I3)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* create("s")
      const begin = (runId: string, revision: number) =>
        write(written("s", revision, { nextAt: undefined, starts: [start(runId, { workflowId: runId })] }))
      yield* begin("r1", 1)
      yield* own("r1")
      yield* done([
        last("r1", 1, { close: { status: "Completed", at: now + 7, refuseIfMail: false, scheduled: true } })
      ])
      assert.deepInclude(yield* find("s"), { nextAt: now + 7, revision: 3 })
      // Decided before that end was seen.
      assert.deepStrictEqual(yield* write(written("s", 2)), ["Changed"])

      yield* begin("r2", 3)
      yield* store.terminate("r2", "[]", 1, now + 9)
      assert.deepInclude(yield* find("s"), { nextAt: now + 9, revision: 5 })
      yield* begin("r3", 5)
      yield* store.deleteRun("r3", end, now + 11)
      assert.deepInclude(yield* find("s"), { nextAt: now + 11, revision: 7 })
      // Nothing is put off by it, and whoever held it holds it no more.
      yield* write(written("s", 7, { nextAt: now, starts: [start("r4", { workflowId: "r4" })] }))
      assert.deepStrictEqual(yield* claim(now + 12), ["s"])
      yield* store.terminate("r4", "[]", 1, now + 12)
      assert.deepInclude(yield* find("s"), { nextAt: now, revision: 9 })
      assert.deepStrictEqual(yield* claim(now + 12), ["s"])
    }).pipe(Effect.provide(layer)))

  it.effect("chains are told by their open run, else by the end of the last one (H7, H9, W17)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* create("s")
      yield* write(written("s", 1, {
        starts: [start("a1", { workflowId: "a" }), start("b1", { workflowId: "b" }), start("c1", { workflowId: "c" })]
      }))
      for (const id of ["a1", "b1"]) yield* own(id)
      yield* done([
        last("a1", 1),
        turn("b1", 1, {
          close: { status: "Failed", at: now + 1, refuseIfMail: false, next: "b2" },
          creates: [start("b2", { workflowId: "b", firstRunId: "b1", startedAt: now + 1 })]
        })
      ])
      const ends = yield* store.endsOfChains([
        { workflowId: "a", firstRunId: "a1" },
        { workflowId: "b", firstRunId: "b1" },
        { workflowId: "c", firstRunId: "c1" },
        { workflowId: "c", firstRunId: "another" }
      ])
      const byChain = new Map(ends.map((each) => [each.firstRunId, each]))
      assert.deepStrictEqual(byChain.get("a1"), {
        workflowId: "a",
        firstRunId: "a1",
        runId: "a1",
        workflow: "Order",
        status: "Completed",
        last: { turn: 1, at: now + 1, format: 1, events: `[{"turn":1}]` }
      })
      assert.deepInclude(byChain.get("b1"), { runId: "b2", status: "Running", last: undefined })
      assert.deepInclude(byChain.get("c1"), { runId: "c1", status: "Running", last: undefined })
      assert.strictEqual(byChain.size, 3)
    }).pipe(Effect.provide(layer)))
}
