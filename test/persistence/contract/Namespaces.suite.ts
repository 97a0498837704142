/**
 * Two namespaces in one database: each store sees its own, whatever the other one has under the same names (X1).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Filter } from "../../../src/core/visibility/Filter.js"
import type { Archive } from "../../../src/persistence/Archive.js"
import type { NamespaceNotFound } from "../../../src/persistence/Namespaces.js"
import { NamespaceRefused, Namespaces } from "../../../src/persistence/Namespaces.js"
import type { NewSchedule, Outgoing, StoreError } from "../../../src/persistence/Store.js"
import { Store } from "../../../src/persistence/Store.js"
import { commit, done, first, last, newRun, now, queued, signal, staffed, task, tasks, turn, turns } from "./Samples.js"

const start = (runId: string) => ({ runId, kind: "Start" as const, body: "{}" })

const end = { events: "[]", format: 1 }

const schedule = (scheduleId: string, nextAt: number | undefined = now): NewSchedule => ({
  scheduleId,
  workflow: "Order",
  paused: false,
  nextAt,
  definition: "{}",
  state: "{}"
})

const ids = (runs: ReadonlyArray<{ readonly runId: string }>) => runs.map(({ runId }) => runId)

const page = { order: "Closed", asOf: now + 1_000_000, after: undefined, limit: 100 } as const

const list = (filter?: Filter) =>
  Effect.flatMap(Store, (store) => Effect.map(store.list({ ...page, filter }), (runs) => ids(runs)))

const is = (attribute: string, value: string): Filter => ({ _tag: "Compare", attribute, operator: "=", value })

/** A store of a database, of one of its namespaces. */
export type Opening = (options?: {
  readonly namespace?: string
  readonly archive?: Archive
}) => Layer.Layer<Store | Namespaces, StoreError | NamespaceNotFound>

/** `database` gives an empty one, whose namespaces are opened one by one. */
export const suite = (name: string, database: Effect.Effect<Opening, never, Scope.Scope>) => {
  /** A test over two namespaces: how to do something in each. */
  const both = (
    body: (
      here: <A, E>(effect: Effect.Effect<A, E, Store>) => Effect.Effect<A, E>,
      there: <A, E>(effect: Effect.Effect<A, E, Store>) => Effect.Effect<A, E>
    ) => Effect.Effect<void, unknown>
  ) =>
    Effect.scoped(Effect.gen(function*() {
      const open = yield* database
      const here = yield* Layer.build(staffed(open()))
      yield* Context.get(here, Namespaces).create("billing")
      // Ids of workers are unique everywhere, as those of runs.
      const there = yield* Layer.build(open({ namespace: "billing" }))
      yield* Context.get(there, Store).register({ id: "zoe", leaseUntil: now + 10_000, identity: "", startedAt: now })
      yield* body((effect) => Effect.provide(effect, here), (effect) => Effect.provide(effect, there))
    }))

  const doneBy = (worker: string) => (...turns: Parameters<typeof done>[0]) => done(turns, { worker })
  const zoe = doneBy("zoe")
  const ada = doneBy("ada")

  describe(name, () => {
    it.effect("a workflow id may be open in each of them, and means the one of its own (X1)", () =>
      both((here, there) =>
        Effect.gen(function*() {
          const latest = Effect.flatMap(Store, (store) => Effect.map(store.findLatest("w"), Option.map((r) => r.runId)))
          const create = (runId: string) =>
            Effect.flatMap(Store, (store) => store.create(newRun(runId, { workflowId: "w" }), start(runId)))
          assert.deepStrictEqual(yield* here(create("r1")), { _tag: "Created" })
          assert.deepStrictEqual(yield* there(latest), Option.none())
          assert.deepStrictEqual(yield* there(create("r2")), { _tag: "Created" })
          assert.deepStrictEqual(yield* there(create("r3")), { _tag: "AlreadyRunning", runId: "r2" })
          assert.deepStrictEqual([yield* here(latest), yield* there(latest)], [Option.some("r1"), Option.some("r2")])
          yield* there(ada(first("r4", {}, { workflowId: "w2" })))
          yield* here(ada(first("r5", {}, { workflowId: "w2" })))
          const { refused } = yield* here(commit([first("r6", {}, { workflowId: "w2" })]))
          assert.deepStrictEqual([...refused.values()], [{ _tag: "AlreadyRunning", runId: "r5" }])
        })
      ))

    it.effect("a schedule is of one of them, and so are its times, its runs and their ends (X1, H1)", () =>
      both((here, there) =>
        Effect.gen(function*() {
          const create = (nextAt: number) =>
            Effect.flatMap(Store, (store) => store.createSchedule(schedule("s", nextAt)))
          const revision = Effect.flatMap(
            Store,
            (store) => Effect.map(store.findSchedule("s"), Option.map((found) => found.revision))
          )
          const begin = (runId: string) =>
            Effect.flatMap(Store, (store) =>
              store.writeSchedules([{
                scheduleId: "s",
                revision: 1,
                workflow: "Order",
                paused: false,
                nextAt: undefined,
                state: "{}",
                definition: undefined,
                starts: [{
                  run: newRun(runId, { workflowId: "w", scheduled: { by: "s", at: now } }),
                  start: start(runId),
                  owned: false
                }],
                cancels: [],
                terminates: []
              }], now))
          const next = Effect.flatMap(Store, (store) => store.nextSchedule)
          assert.isTrue(yield* here(create(now)))
          assert.isTrue(Option.isNone(yield* there(next)))
          assert.isTrue(yield* there(create(now + 5)))
          assert.deepStrictEqual(yield* there(next), Option.some(now + 5))
          const claim = (at: number) => Effect.flatMap(Store, (store) => store.claimSchedules(at, at + 1, 10))
          assert.lengthOf(yield* there(claim(now + 2)), 0)
          assert.lengthOf(yield* here(claim(now + 9)), 1)
          assert.lengthOf(yield* there(claim(now + 9)), 1)
          assert.deepStrictEqual(yield* here(begin("r1")), [{ _tag: "Written" }])
          assert.deepStrictEqual(yield* there(begin("r2")), [{ _tag: "Written" }])
          yield* here(Effect.flatMap(Store, (store) => store.terminate("r1", "[]", 1, now + 3)))
          assert.deepStrictEqual([yield* here(revision), yield* there(revision)], [Option.some(3), Option.some(2)])
          const ends = yield* there(
            Effect.flatMap(Store, (store) => store.endsOfChains([{ workflowId: "w", firstRunId: "r1" }]))
          )
          assert.deepStrictEqual(ends, [])
          assert.deepStrictEqual(yield* there(list(is("ScheduledById", "s"))), ["r2"])
          yield* there(Effect.flatMap(Store, (store) => store.deleteSchedule("s")))
          assert.deepStrictEqual(yield* here(revision), Option.some(3))
        })
      ))

    it.effect("a policy about closed runs looks at those of its own namespace (X1, X4)", () =>
      both((here, there) =>
        Effect.gen(function*() {
          const create = (runId: string) =>
            Effect.flatMap(Store, (store) =>
              store.create(newRun(runId, { workflowId: "w" }), start(runId), { reuse: "RejectDuplicate" }))
          yield* here(ada(first("r1", {}, { workflowId: "w" }), last("r1", 2)))
          assert.deepStrictEqual(yield* there(create("r2")), { _tag: "Created" })
          assert.deepStrictEqual(yield* here(create("r3")), { _tag: "Refused", runId: "r1" })
        })
      ))

    it.effect("a request id is one of its namespace, of starts and of resets (X1, X6)", () =>
      both((here, there) =>
        Effect.gen(function*() {
          const create = (runId: string) =>
            Effect.flatMap(Store, (store) =>
              store.create(newRun(runId, { workflowId: "w" }), start(runId), { requestId: "q" }))
          const findReset = Effect.flatMap(Store, (store) =>
            store.findReset("w", "q"))
          const reset = (runId: string, of: string) =>
            Effect.flatMap(Store, (store) =>
              store.reset({
                of: { runId: of, turn: 0 },
                run: newRun(runId, { workflowId: "w", firstRunId: of }),
                history: [],
                tasks: [],
                mail: [],
                end,
                requestId: "q"
              }, now))
          assert.deepStrictEqual(yield* here(create("r1")), { _tag: "Created" })
          assert.deepStrictEqual(yield* there(create("r2")), { _tag: "Created" })
          assert.deepStrictEqual(yield* here(create("r3")), { _tag: "Known", runId: "r1" })
          assert.deepStrictEqual(yield* there(create("r3")), { _tag: "Known", runId: "r2" })
          assert.deepStrictEqual(yield* there(reset("r4", "r1")), { _tag: "NotFound" })
          assert.deepInclude(yield* here(reset("r4", "r1")), { _tag: "Reset" })
          assert.deepStrictEqual([yield* here(findReset), yield* there(findReset)], [Option.some("r4"), Option.none()])
          assert.deepInclude(yield* there(reset("r5", "r2")), { _tag: "Reset" })
        })
      ))

    it.effect("runs and activities are claimed from the queues of the worker's own namespace (X1)", () =>
      both((here, there) =>
        Effect.gen(function*() {
          yield* here(Effect.flatMap(Store, (store) => store.create(newRun("r1"), start("r1"))))
          yield* here(ada(first("r2", { tasksAdded: [queued(1), queued(2, { expiresAt: now + 5 })] })))
          const claims = (worker: string) =>
            Effect.gen(function*() {
              const store = yield* Store
              return {
                wake: yield* store.nextWake(worker, ["orders"], now - 1),
                task: yield* store.nextTask(["orders"], now - 1),
                expiry: yield* store.nextTask([], now),
                runs: ids(yield* store.claimRuns(worker, ["orders"], now + 1, 10)),
                run: yield* store.claimRun(worker, "r1"),
                tasks: (yield* store.claimTasks(worker, ["orders"], now + 1, 1)).map(({ seq }) => seq),
                expired: (yield* store.claimExpired(worker, now + 10, 10)).map(({ seq }) => seq)
              }
            })
          assert.deepStrictEqual(yield* there(claims("zoe")), {
            wake: Option.none(),
            task: Option.none(),
            expiry: Option.none(),
            runs: [],
            run: Option.none(),
            tasks: [],
            expired: []
          })
          assert.deepStrictEqual(yield* here(claims("ada")), {
            wake: Option.some(now),
            task: Option.some(now),
            expiry: Option.some(now + 5),
            runs: ["r1"],
            run: Option.none(),
            tasks: [1],
            expired: [2]
          })
        })
      ))

    it.effect("queries of closed runs are answered in their namespace (X1)", () =>
      both((here, there) =>
        Effect.gen(function*() {
          yield* here(ada(first("r1"), last("r1", 2)))
          const ask = Effect.flatMap(Store, (store) => store.post({ runId: "r1", kind: "Query", body: "{}" }, now))
          const asked = Effect.flatMap(Store, (store) => Effect.map(store.claimQueries(["orders"], 10), ids))
          assert.strictEqual(yield* there(ask), "NotFound")
          assert.strictEqual(yield* here(ask), "Posted")
          assert.deepStrictEqual([yield* there(asked), yield* here(asked)], [[], ["r1"]])
        })
      ))

    it.effect("the rate of a queue is that of one namespace (X1, A17)", () =>
      both((here, there) =>
        Effect.gen(function*() {
          const take = Effect.flatMap(Store, (store) => store.takeStarts("orders", 1, 5, now))
          assert.deepInclude(yield* here(take), { granted: 1 })
          assert.deepInclude(yield* here(take), { granted: 0 })
          assert.deepInclude(yield* there(take), { granted: 1 })
        })
      ))

    it.effect("a run id of another namespace is not found, and nothing of that run is changed (X1)", () =>
      both((here, there) =>
        Effect.gen(function*() {
          yield* here(ada(first("r1", { tasksAdded: [task(1)] })))
          const [found, ...others] = yield* there(Effect.flatMap(Store, (store) =>
            Effect.all([
              store.findRun("r1"),
              store.post(signal("r1"), now),
              store.post({ runId: "r1", kind: "Cancel", body: "{}" }, now),
              store.terminate("r1", "[]", 1, now),
              store.deleteRun("r1", end, now)
            ])))
          assert.deepStrictEqual(found, Option.none())
          assert.deepStrictEqual(others, ["NotFound", "NotFound", "NotFound", "NotFound"])
          const touched = yield* there(Effect.flatMap(Store, (store) =>
            Effect.all([
              store.changeOutside({
                _tag: "Settle",
                runId: "r1",
                seq: 1,
                attempt: 1,
                mail: { runId: "r1", kind: "ActivityOutcome", body: "{}" }
              }, now),
              store.reviseTask({
                runId: "r1",
                seq: 1,
                attempt: 1,
                revision: 0,
                from: "started",
                state: "paused",
                forgotten: 0,
                paused: true,
                dueAt: now,
                expiresAt: undefined,
                heartbeat: undefined,
                options: undefined,
                taskQueue: "orders"
              })
            ])))
          assert.deepStrictEqual(touched, [Option.none(), false])
          assert.deepStrictEqual(yield* here(tasks("r1")), [[1, "started"]])
          assert.deepStrictEqual(yield* here(turns("r1")), [1])
          assert.deepStrictEqual(yield* here(Effect.flatMap(Store, (store) => store.mail("r1", 0))), [])
        })
      ))

    it.effect("a run's messages to others stay in its namespace, by workflow id and by run id (X1, K8)", () =>
      both((here, there) =>
        Effect.gen(function*() {
          yield* here(ada(first("r1", {}, { workflowId: "w" })))
          yield* here(Effect.flatMap(Store, (store) => store.create(newRun("r2", { workflowId: "w2" }), start("r2"))))
          yield* there(zoe(first("s1")))
          const told: Array<string> = []
          const to = (address: Outgoing["to"]): Outgoing => ({
            to: address,
            kind: "Signal",
            body: "{}",
            acknowledge: (result) => {
              told.push(result)
              return { runId: "s1", kind: "ExternalOutcome", body: "{}" }
            }
          })
          const outgoing = [to({ _tag: "Workflow", workflowId: "w" }), to({ _tag: "Run", runId: "r2" })]
          yield* there(zoe(turn("s1", 2, { outgoing })))
          assert.deepStrictEqual(told, ["NotFound", "NotFound"])
          yield* there(zoe(first("s2", {}, { workflowId: "w" }), turn("s1", 3, { outgoing: outgoing.slice(0, 1) })))
          assert.deepStrictEqual(told.slice(2), ["Posted"])
          const mail = (runId: string) =>
            Effect.flatMap(Store, (store) => Effect.map(store.mail(runId, 0), (all) => all.map(({ kind }) => kind)))
          assert.deepStrictEqual(yield* there(mail("s2")), ["Signal"])
          assert.deepStrictEqual([yield* here(mail("r1")), yield* here(mail("r2"))], [[], ["Start"]])
        })
      ))

    it.effect("a child is created beside its parent (X1, K1)", () =>
      both((here, there) =>
        Effect.gen(function*() {
          yield* here(ada(first("r1", {}, { workflowId: "child" })))
          yield* there(zoe(first("s1", {
            creates: [{
              run: newRun("s2", { workflowId: "child", parent: { runId: "s1", seq: 1, close: "Terminate" } }),
              start: start("s2"),
              owned: false
            }]
          })))
          assert.deepStrictEqual([yield* here(list()), [...(yield* there(list()))].sort()], [["r1"], ["s1", "s2"]])
        })
      ))

    it.effect("lists and counts are of one namespace, by whatever they are narrowed (X1, X13, X14)", () =>
      both((here, there) =>
        Effect.gen(function*() {
          const attributes = [{ name: "City", type: "keyword" as const, value: "Oslo" }]
          yield* here(ada(first("r1", {}, { workflowId: "w", attributes }), last("r1", 2)))
          yield* there(zoe(first("s1", {}, { workflowId: "w", attributes }), last("s1", 2)))
          yield* there(zoe(first("s2", {}, { attributes })))
          for (
            const [filter, inHere, inThere] of [
              [undefined, ["r1"], ["s1", "s2"]],
              [is("City", "Oslo"), ["r1"], ["s1", "s2"]],
              [is("WorkflowId", "w"), ["r1"], ["s1"]],
              [is("RunId", "r1"), ["r1"], []],
              [is("ExecutionStatus", "Completed"), ["r1"], ["s1"]],
              [is("WorkflowType", "Order"), ["r1"], ["s1", "s2"]],
              [is("TaskQueue", "orders"), ["r1"], ["s1", "s2"]],
              [{ _tag: "Not", filter: is("City", "Bergen") }, ["r1"], ["s1", "s2"]]
            ] as ReadonlyArray<readonly [Filter | undefined, ReadonlyArray<string>, ReadonlyArray<string>]>
          ) {
            assert.deepStrictEqual([yield* here(list(filter)), [...(yield* there(list(filter)))].sort()], [
              inHere,
              inThere
            ])
            const counted = Effect.flatMap(Store, (store) =>
              Effect.map(store.count(filter), (groups) => groups.reduce((sum, { runs }) => sum + runs, 0)))
            assert.deepStrictEqual([yield* here(counted), yield* there(counted)], [inHere.length, inThere.length])
          }
          const runs = (status?: "Running") =>
            Effect.flatMap(Store, (store) =>
              Effect.map(store.runs({ status, limit: 9 }), ids))
          assert.deepStrictEqual([yield* here(runs()), yield* there(runs())], [["r1"], ["s2", "s1"]])
          assert.deepStrictEqual([yield* here(runs("Running")), yield* there(runs("Running"))], [[], ["s2"]])
        })
      ))

    it.effect("a schedule is one of its namespace, and is decided there (X1, H1)", () =>
      both((here, there) =>
        Effect.gen(function*() {
          const created = Effect.flatMap(Store, (store) => store.createSchedule(schedule("s")))
          const claimed = Effect.flatMap(Store, (store) =>
            Effect.map(store.claimSchedules(now, now + 1, 9), (all) => all.length))
          const listed = Effect.flatMap(Store, (store) =>
            Effect.map(store.listSchedules({ after: "", limit: 9, prefix: "" }), (all) =>
              all.length))
          const next = Effect.flatMap(Store, (store) =>
            store.nextSchedule)
          assert.isTrue(yield* here(created))
          assert.deepStrictEqual([yield* there(listed), yield* there(claimed)], [0, 0])
          assert.deepStrictEqual(yield* there(next), Option.none())
          assert.isFalse(
            yield* there(Effect.flatMap(Store, (store) =>
              store.deleteSchedule("s")))
          )
          assert.isTrue(yield* there(created))
          assert.deepStrictEqual([yield* here(claimed), yield* there(claimed)], [1, 1])
        })
      ))

    it.effect("whoever sees that a worker is gone takes it over, and its runs stay where they are (X1)", () =>
      both((here, there) =>
        Effect.gen(function*() {
          yield* there(zoe(first("s1", { wake: { at: now } })))
          yield* here(Effect.flatMap(Store, (store) => store.takeOver(["zoe"], now, false)))
          const claim = (worker: string) =>
            Effect.flatMap(Store, (store) => Effect.map(store.claimRuns(worker, ["orders"], now + 1, 10), ids))
          assert.deepStrictEqual(yield* here(claim("ada")), [])
          yield* there(Effect.flatMap(Store, (store) =>
            store.register({ id: "yan", leaseUntil: now + 10_000, identity: "", startedAt: now })))
          assert.deepStrictEqual(yield* there(claim("yan")), ["s1"])
        })
      ))

    it.effect("namespaces are created, changed, listed and described (X1)", () =>
      Effect.scoped(Effect.gen(function*() {
        const open = yield* database
        const namespaces = Context.get(yield* Layer.build(open()), Namespaces)
        const created = yield* namespaces.create("billing", { retention: "30 days", description: "invoices" })
        assert.deepInclude(created, { name: "billing", description: "invoices", archived: false })
        assert.deepStrictEqual(created.retention, Duration.days(30))
        assert.deepStrictEqual((yield* namespaces.list).map(({ name }) => name), ["billing", "default"])
        assert.deepStrictEqual((yield* namespaces.describe("default")).retention, Duration.infinity)
        const changed = yield* namespaces.update("billing", { archived: true })
        assert.deepStrictEqual(changed, { ...created, archived: true })
        assert.deepStrictEqual(
          yield* namespaces.update("billing", { retention: Duration.infinity, archived: false, description: "bills" }),
          { ...created, retention: Duration.infinity, description: "bills" }
        )
        assert.deepStrictEqual(yield* namespaces.describe("billing"), {
          ...created,
          retention: Duration.infinity,
          description: "bills"
        })
      })))

    it.effect("what a namespace cannot be is refused, and said (X1)", () =>
      Effect.scoped(Effect.gen(function*() {
        const open = yield* database
        const namespaces = Context.get(yield* Layer.build(open()), Namespaces)
        yield* namespaces.create("billing")
        const refused = (effect: Effect.Effect<unknown, unknown>) =>
          Effect.map(Effect.flip(effect), (error) => error instanceof NamespaceRefused ? error.reason : error)
        assert.strictEqual(yield* refused(namespaces.create("billing")), "Exists")
        for (const name of ["", "-x", "a b", "a/b", "a".repeat(256), "é"]) {
          assert.strictEqual(yield* refused(namespaces.create(name)), "Invalid")
        }
        assert.strictEqual(yield* refused(namespaces.create("sales", { retention: "10 millis" })), "Invalid")
        assert.strictEqual(yield* refused(namespaces.update("billing", { retention: 0 })), "Invalid")
        for (const effect of [namespaces.describe("bilings"), namespaces.update("bilings", {})]) {
          const error = yield* Effect.flip(effect)
          assert.deepInclude(error, { _tag: "NamespaceNotFound", namespace: "bilings", known: ["billing", "default"] })
        }
        const unknown = yield* Effect.flip(Layer.build(open({ namespace: "bilings" })))
        assert.include(unknown.message, "only: billing, default. Create it")
      })))

    it.effect("an empty namespace is deleted; its name may come again, its handles start nothing (X1)", () =>
      Effect.scoped(Effect.gen(function*() {
        const open = yield* database
        const here = yield* Layer.build(open())
        const namespaces = Context.get(here, Namespaces)
        yield* namespaces.create("billing")
        const there = Context.get(yield* Layer.build(open({ namespace: "billing" })), Store)
        const inUse = Effect.map(Effect.flip(namespaces.deleteIfEmpty("billing")), (error) => error.message)
        yield* there.create(newRun("s1"), start("s1"))
        assert.include(yield* inUse, "it has runs")
        yield* there.deleteRun("s1", end, now)
        yield* there.register({ id: "zoe", leaseUntil: now, identity: "", startedAt: now })
        assert.include(yield* inUse, "it has workers")
        yield* there.takeOver(["zoe"], now, true)
        yield* there.createSchedule(schedule("nightly"))
        assert.include(yield* inUse, "it has schedules")
        yield* there.deleteSchedule("nightly")
        yield* namespaces.deleteIfEmpty("billing")
        assert.strictEqual((yield* Effect.flip(namespaces.deleteIfEmpty("billing")))._tag, "NamespaceNotFound")
        assert.include((yield* Effect.flip(namespaces.deleteIfEmpty("default"))).message, "not deleted")

        // The name is another namespace now.
        yield* namespaces.create("billing")
        const gone = [
          there.create(newRun("s2"), start("s2")),
          there.createSchedule(schedule("nightly")),
          there.register({ id: "zoe", leaseUntil: now, identity: "", startedAt: now })
        ]
        for (const effect of gone) {
          assert.include((yield* Effect.flip(effect)).message, "namespace \"billing\" was deleted")
        }
        assert.deepStrictEqual(yield* Effect.provide(list(), yield* Layer.build(open({ namespace: "billing" }))), [])
      })))
  })
}
