/**
 * Closed runs that are older than their namespace keeps them: deleted with all that is theirs, archived before, and no
 * other one (X1).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { ArchivedRun } from "../../../src/persistence/Archive.js"
import { ArchiveFailed } from "../../../src/persistence/Archive.js"
import { Namespaces } from "../../../src/persistence/Namespaces.js"
import type { StoreError, SweepPosition, Swept, TurnCommit } from "../../../src/persistence/Store.js"
import { Store } from "../../../src/persistence/Store.js"
import type { Opening } from "./Namespaces.suite.js"
import { done, first, last, newRun, now, signal, staffed, turn, turns } from "./Samples.js"

const day = 86_400_000

const start = (runId: string) => ({ runId, kind: "Start" as const, body: "{}" })

/** A run that closed at that time. */
const closed = (runId: string, at: number, change: Partial<TurnCommit> = {}) =>
  done([first(runId, change), last(runId, 2, { close: { status: "Completed", at, refuseIfMail: false } })])

const sweep = (at: number, after?: SweepPosition) => Effect.flatMap(Store, (store) => store.sweep(at, after))

/** All batches of a round. */
const sweepAll = (at: number, after?: SweepPosition): Effect.Effect<ReadonlyArray<Swept>, StoreError, Store> =>
  Effect.flatMap(sweep(at, after), (swept) =>
    swept.next === undefined
      ? Effect.succeed([swept])
      : Effect.map(sweepAll(at, swept.next), (others) => [swept, ...others]))

const deleted = (all: ReadonlyArray<Swept>) => all.reduce((sum, each) => sum + each.deleted, 0)

const left = Effect.flatMap(
  Store,
  (store) => Effect.map(store.runs({ limit: 1_000 }), (runs) => runs.map(({ runId }) => runId).sort())
)

/** An archive that can be told to refuse. */
const archive = () => {
  const runs: Array<ArchivedRun> = []
  const state = { runs, refuses: (runId: string): boolean => runId === "" }
  return {
    ...state,
    state,
    port: {
      put: (run: ArchivedRun) =>
        Effect.suspend(() => {
          if (state.refuses(run.runId)) return new ArchiveFailed({ runId: run.runId, reason: "no room" })
          runs.push(run)
          return Effect.void
        })
    }
  }
}

export const suite = (name: string, database: Effect.Effect<Opening, never, Scope.Scope>) => {
  const within = (
    options: Parameters<Opening>[0],
    body: Effect.Effect<void, unknown, Store | Namespaces>
  ) =>
    Effect.scoped(Effect.gen(function*() {
      const open = yield* database
      const context = yield* Layer.build(staffed(open(options)))
      yield* Effect.provide(body, context)
    }))

  const keep = (options: Parameters<Namespaces["Type"]["update"]>[1]) =>
    Effect.flatMap(Namespaces, (namespaces) => namespaces.update("default", options))

  describe(name, () => {
    it.effect("nothing is deleted where nothing was said, and nothing that is open or younger (X1)", () =>
      within(
        undefined,
        Effect.gen(function*() {
          yield* closed("r1", now)
          yield* closed("r2", now + day)
          yield* done([first("r3")])
          assert.deepStrictEqual(yield* sweep(now + 10_000 * day), { deleted: 0, kept: [], next: undefined })
          yield* keep({ retention: "1 day" })
          assert.strictEqual(deleted(yield* sweepAll(now + day - 1)), 0)
          assert.deepStrictEqual(yield* left, ["r1", "r2", "r3"])
          assert.strictEqual(deleted(yield* sweepAll(now + day)), 1)
          assert.deepStrictEqual(yield* left, ["r2", "r3"])
          assert.strictEqual(deleted(yield* sweepAll(now + 10 * day)), 1)
          assert.deepStrictEqual(yield* left, ["r3"])
        })
      ))

    it.effect("a closed run goes whether or not its chain is open, with all that is kept of it (X1)", () =>
      within(
        undefined,
        Effect.gen(function*() {
          const store = yield* Store
          const attributes = [{ name: "City", type: "keyword" as const, value: "Oslo" }]
          yield* store.create(newRun("r1", { workflowId: "w", attributes }), start("r1"), { requestId: "q" })
          yield* store.claimRun("ada", "r1")
          yield* done([
            turn("r1", 1, {
              consumed: [1],
              close: { status: "ContinuedAsNew", at: now, refuseIfMail: false, next: "r2" },
              creates: [{
                run: newRun("r2", { workflowId: "w", firstRunId: "r1", previousRunId: "r1", attributes }),
                start: start("r2"),
                owned: true
              }]
            })
          ])
          yield* store.post({ runId: "r1", kind: "Query", body: "{}" }, now)
          yield* keep({ retention: "1 day" })
          assert.strictEqual(deleted(yield* sweepAll(now + day)), 1)
          assert.deepStrictEqual(yield* store.findRun("r1"), Option.none())
          assert.deepStrictEqual(yield* turns("r1"), [])
          assert.deepStrictEqual(yield* store.mail("r1", 0), [])
          assert.deepStrictEqual(yield* store.claimQueries(["orders"], 10), [])
          // The rest of the chain is as it was.
          assert.deepInclude(Option.getOrThrow(yield* store.findLatest("w", "r1")), { runId: "r2", firstRunId: "r1" })
          assert.strictEqual(yield* store.post(signal("r2"), now), "Posted")
          const filter = { _tag: "Compare", attribute: "City", operator: "=", value: "Oslo" } as const
          const page = { order: "Closed", asOf: now + day, after: undefined, limit: 9, filter } as const
          assert.deepStrictEqual((yield* store.list(page)).map(({ runId }) => runId), ["r2"])
          // Its request is forgotten with it.
          const again = yield* store.create(newRun("r3", { workflowId: "w" }), start("r3"), { requestId: "q" })
          assert.deepStrictEqual(again, { _tag: "AlreadyRunning", runId: "r2" })
        })
      ))

    it.effect("many go in batches, a long history piece by piece; what is left after a crash goes next time (X1)", () =>
      within(
        undefined,
        Effect.gen(function*() {
          yield* keep({ retention: "1 day" })
          yield* Effect.forEach(Array.from({ length: 230 }, (_, n) => n), (n) => closed(`r${n}`, now + n), {
            discard: true
          })
          // One of 2,500 turns, and one that is open.
          yield* done([first("long")])
          for (let from = 2; from < 2_502; from += 500) {
            yield* done(Array.from({ length: 500 }, (_, n) => turn("long", from + n)))
          }
          yield* done([last("long", 2_502, { close: { status: "Failed", at: now + 500, refuseIfMail: false } })])
          yield* done([first("open")])

          const swept: Array<Swept> = [yield* sweep(now + 2 * day)]
          while ((yield* left).includes("long")) {
            swept.push(yield* sweep(now + 2 * day, swept[swept.length - 1]!.next))
          }
          assert.isAbove(swept.length, 2)
          assert.isTrue(swept.every(({ deleted }) => deleted <= 100))
          assert.deepStrictEqual(yield* left, ["open"])
          // Its row is gone, its history is not yet; and here its worker dies.
          assert.strictEqual((yield* Effect.flatMap(Store, (store) => store.history("long", 0, 9_999))).length, 2_502)
          const rest = yield* sweepAll(now + 2 * day)
          assert.deepStrictEqual([deleted(rest), yield* turns("long")], [0, []])
          assert.isAbove(rest.length, 3)
        })
      ))

    it.effect("two that sweep at once delete each run once (X1)", () =>
      within(
        undefined,
        Effect.gen(function*() {
          yield* keep({ retention: "1 day" })
          yield* Effect.forEach(Array.from({ length: 150 }, (_, n) => n), (n) => closed(`r${n}`, now), {
            discard: true
          })
          const both = yield* Effect.all([sweepAll(now + day), sweepAll(now + day)], { concurrency: "unbounded" })
          assert.strictEqual(both.reduce((sum, each) => sum + deleted(each), 0), 150)
        })
      ))

    it.effect("each namespace has a retention of its own, and none deletes what is another one's (X1)", () =>
      Effect.scoped(Effect.gen(function*() {
        const open = yield* database
        const here = yield* Layer.build(staffed(open()))
        yield* Effect.provide(closed("r1", now), here)
        yield* Context.get(here, Namespaces).create("billing", { retention: "1 day" })
        const there = yield* Layer.build(open({ namespace: "billing" }))
        yield* Context.get(there, Store).register({ id: "zoe", leaseUntil: now, identity: "", startedAt: now })
        const ended = last("s1", 2, { close: { status: "Completed", at: now, refuseIfMail: false } })
        yield* Effect.provide(done([first("s1"), ended], { worker: "zoe" }), there)
        assert.strictEqual(deleted(yield* Effect.provide(sweepAll(now + 2 * day), here)), 0)
        assert.strictEqual(deleted(yield* Effect.provide(sweepAll(now + 2 * day), there)), 1)
        assert.deepStrictEqual(yield* Effect.provide(left, here), ["r1"])
        yield* Context.get(here, Namespaces).update("default", { retention: "3 days" })
        assert.strictEqual(deleted(yield* Effect.provide(sweepAll(now + 2 * day), here)), 0)
        assert.strictEqual(deleted(yield* Effect.provide(sweepAll(now + 3 * day), here)), 1)
      })))

    it.effect("a run is archived before it is deleted, and kept where that fails (X1)", () => {
      const { port, runs, state } = archive()
      return within(
        { archive: port },
        Effect.gen(function*() {
          yield* keep({ retention: "1 day" })
          yield* closed("r1", now)
          yield* closed("r2", now + 1)
          yield* closed("r3", now + 2)
          state.refuses = (runId) => runId === "r1"
          const [swept, ...others] = yield* sweepAll(now + 2 * day)
          assert.deepStrictEqual([swept, others], [
            { deleted: 2, kept: [{ runId: "r1", reason: "no room" }], next: undefined },
            []
          ])
          assert.deepStrictEqual(yield* left, ["r1"])
          assert.deepStrictEqual(yield* turns("r1"), [1, 2])
          state.refuses = () => false
          assert.strictEqual(deleted(yield* sweepAll(now + 2 * day)), 1)
          assert.deepStrictEqual(runs.map(({ runId }) => runId), ["r2", "r3", "r1"])
          const { history, ...about } = runs[2]!
          assert.deepStrictEqual(about, {
            namespace: "default",
            runId: "r1",
            workflowId: "workflow of r1",
            workflow: "Order",
            status: "Completed",
            startedAt: new Date(now),
            closedAt: new Date(now)
          })
          assert.deepInclude(JSON.parse(history), {
            runId: "r1",
            workflowId: "workflow of r1",
            turns: [
              { turn: 1, at: now + 1, format: 1, events: [{ turn: 1 }] },
              { turn: 2, at: now + 2, format: 1, events: [{ turn: 2 }] }
            ]
          })
        })
      )
    })

    it.effect("an archive that refuses all is left alone until the next time (X1)", () => {
      const { port, state } = archive()
      return within(
        { archive: port },
        Effect.gen(function*() {
          yield* keep({ retention: "1 day" })
          yield* Effect.forEach([1, 2, 3, 4, 5], (n) => closed(`r${n}`, now + n), { discard: true })
          state.refuses = () => true
          const swept = yield* sweepAll(now + 2 * day)
          assert.deepStrictEqual(swept.map(({ kept }) => kept.length), [3])
          assert.strictEqual((yield* left).length, 5)
        })
      )
    })

    it.effect("where a namespace archives, a worker without an archive deletes nothing, and says so (X1)", () =>
      within(
        undefined,
        Effect.gen(function*() {
          yield* keep({ retention: "1 day", archived: true })
          yield* closed("r1", now)
          const { deleted, kept } = yield* sweep(now + 2 * day)
          assert.deepStrictEqual([deleted, kept.map(({ runId }) => runId)], [0, ["r1"]])
          assert.include(kept[0]?.reason, "has no archive")
          assert.deepStrictEqual(yield* left, ["r1"])
        })
      ))
  })
}
