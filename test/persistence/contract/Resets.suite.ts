/**
 * Runs that take another one anew (C11): all of it in one, or nothing of it.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Reset, StoreError } from "../../../src/persistence/Store.js"
import { Store } from "../../../src/persistence/Store.js"
import { commit, done, first, last, newRun, now, run, signal, task, turn, turns } from "./Samples.js"

const row = (number: number) => ({ turn: number, at: now + number, format: 1, events: `["turn ${number}"]` })

const reset = (runId: string, of: Reset["of"], more: Partial<Reset> = {}) =>
  Effect.flatMap(Store, (store) =>
    store.reset({
      run: newRun(runId, { workflowId: "w", startedAt: now + 50, firstRunId: "r1", previousRunId: of.runId }),
      of,
      history: [row(1), row(2)],
      tasks: [],
      mail: [{ runId, kind: "Reset", body: "{}" }],
      end: { events: "[\"reset\"]", format: 1 },
      ...more
    }, now + 50))

const kinds = (runId: string) =>
  Effect.flatMap(Store, (store) => Effect.map(store.mail(runId, 0), (mail) => mail.map(({ kind }) => kind)))

export const suite = (layer: Layer.Layer<Store, StoreError>) => {
  it.effect("an open run ends, and the new one is there with its turns, its tasks and its mail (C11, I3)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [task(1)], mail: [signal("r1")] }, { workflowId: "w" })])
      yield* done([turn("r1", 2), turn("r1", 3)])
      yield* store.post({ runId: "r1", kind: "Update", body: "{}" }, now)
      yield* store.post({ runId: "r1", kind: "Query", body: "{}" }, now)
      const asked = { seq: 4, turn: 2, taskQueue: "orders", expiresAt: now + 99 }
      const tasks = [{ ...asked, cancelRequested: false }, { ...asked, seq: 5, cancelRequested: true }]
      assert.deepStrictEqual(yield* reset("r2", { runId: "r1", turn: 3 }, { tasks }), {
        _tag: "Reset",
        terminated: "r1"
      })
      assert.deepInclude(yield* run("r1"), { status: "Terminated", owner: undefined, closedAt: now + 50, turn: 4 })
      assert.deepInclude(Option.getOrThrow(yield* store.lastTurn("r1")), { turn: 4, events: "[\"reset\"]" })
      assert.deepInclude((yield* store.mailOf("ada", 0, 10)).at(-1), { runId: "r1", kind: "Terminated" })
      assert.deepInclude(yield* run("r2"), {
        status: "Running",
        owner: undefined,
        epoch: 0,
        wakeAt: now + 50,
        firstRunId: "r1",
        previousRunId: "r1",
        turn: 2
      })
      assert.deepStrictEqual(
        (yield* store.history("r2", 0, 10)).map(({ events, turn }) => ({ events, turn })),
        [row(1), row(2)].map(({ events, turn }) => ({ events, turn }))
      )
      // What no turn has seen comes behind what the reset brings; a query stays, to be answered from the history.
      assert.deepStrictEqual(yield* kinds("r2"), ["Reset", "Signal", "Update"])
      assert.deepStrictEqual((yield* kinds("r1")).filter((kind) => kind !== "Terminated"), ["Query"])
      const created = yield* store.tasksOf("r2")
      assert.deepStrictEqual(
        created.map(({ attempt, cancelRequested, dueAt, expiresAt, scheduledAt, seq, state, turn }) => (
          { attempt, cancelRequested, dueAt, expiresAt, scheduledAt, seq, state, turn }
        )),
        tasks.map(({ cancelRequested, seq }) => (
          {
            attempt: 1,
            cancelRequested,
            dueAt: now + 50,
            expiresAt: now + 99,
            scheduledAt: now + 50,
            seq,
            state: "queued" as const,
            turn: 2
          }
        ))
      )
      // Whoever had the old one in memory writes nothing any more.
      assert.deepStrictEqual([...(yield* commit([turn("r1", 4)])).refused], [[0, { _tag: "Fenced" }]])
      assert.deepStrictEqual((yield* store.claimRuns("ada", ["orders"], now + 50, 9)).map(({ runId }) => runId), ["r2"])
      assert.deepStrictEqual(yield* turns("r2"), [1, 2])
    }).pipe(Effect.provide(layer)))

  it.effect("a closed run stays as it is; one that changed since it was seen is not touched (C11)", () =>
    Effect.gen(function*() {
      yield* done([
        first("r1", {}, { workflowId: "w" }),
        last("r1", 2, { close: { status: "Failed", at: now + 2, refuseIfMail: true } })
      ])
      assert.deepStrictEqual(yield* reset("r2", { runId: "r1", turn: 1 }), { _tag: "Changed" })
      assert.deepStrictEqual(yield* reset("r2", { runId: "nobody", turn: 1 }), { _tag: "NotFound" })
      const store = yield* Store
      assert.deepStrictEqual(yield* store.findRun("r2"), Option.none())
      assert.deepStrictEqual(yield* reset("r2", { runId: "r1", turn: 2 }), { _tag: "Reset", terminated: undefined })
      assert.deepInclude(yield* run("r1"), { status: "Failed", turn: 2 })
      // Who means the last run does not mean one that another reset has taken the place of.
      assert.deepStrictEqual(yield* reset("r3", { runId: "r1", turn: 2, last: true }), { _tag: "Changed" })
      // Of a chain the open run is ended, whichever one is taken anew.
      assert.deepStrictEqual(yield* reset("r3", { runId: "r1", turn: 2 }), { _tag: "Reset", terminated: "r2" })
      assert.deepStrictEqual(yield* kinds("r3"), ["Reset"])
      assert.deepStrictEqual(yield* reset("r4", { runId: "r3", turn: 2, last: true }), {
        _tag: "Reset",
        terminated: "r3"
      })
    }).pipe(Effect.provide(layer)))

  it.effect("the open run of another execution stands in the way (C11, U10)", () =>
    Effect.gen(function*() {
      yield* done([
        first("r1", {}, { workflowId: "w" }),
        last("r1", 2, { close: { status: "Completed", at: now + 2, refuseIfMail: true } })
      ])
      yield* done([first("other", {}, { workflowId: "w" })])
      assert.deepStrictEqual(yield* reset("r2", { runId: "r1", turn: 2 }), { _tag: "AlreadyRunning", runId: "other" })
      assert.strictEqual((yield* run("other")).status, "Running")
    }).pipe(Effect.provide(layer)))

  it.effect("a request makes one run; starts name theirs apart (C11, X6)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", {}, { workflowId: "w" })])
      assert.deepStrictEqual(yield* store.findReset("w", "q"), Option.none())
      assert.deepInclude(yield* reset("r2", { runId: "r1", turn: 1 }, { requestId: "q" }), { _tag: "Reset" })
      assert.deepStrictEqual(yield* reset("r3", { runId: "r1", turn: 1 }, { requestId: "q" }), {
        _tag: "Known",
        runId: "r2"
      })
      assert.deepStrictEqual(yield* store.findReset("w", "q"), Option.some("r2"))
      const start = { runId: "r4", kind: "Start", body: "{}" } as const
      const created = store.create(newRun("r4", { workflowId: "w" }), start, {
        requestId: "q",
        terminate: { events: "[]", format: 1 }
      })
      assert.deepStrictEqual(yield* created, { _tag: "Created", terminated: "r2" })
    }).pipe(Effect.provide(layer)))
}
