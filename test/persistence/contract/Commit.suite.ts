/**
 * Turns: all of one together or nothing of it (I3), fenced (I4), one row (I12), and nobody held up by another's refusal.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { NewMail, StoreError } from "../../../src/persistence/Store.js"
import { Store } from "../../../src/persistence/Store.js"
import {
  alone,
  commit,
  done,
  first,
  last,
  newRun,
  now,
  queued,
  run,
  signal,
  task,
  tasks,
  turn,
  turns,
  unpinned
} from "./Samples.js"

export const suite = (layer: Layer.Layer<Store, StoreError>) => {
  it.effect("a first turn creates its run, owned by the worker", () =>
    Effect.gen(function*() {
      yield* done([first("r1", { wake: { at: now + 50 } })])
      assert.deepStrictEqual(yield* run("r1"), {
        ...newRun("r1"),
        ...alone("r1"),
        status: "Running",
        owner: "ada",
        epoch: 1,
        wakeAt: now + 50,
        closedAt: undefined,
        turn: 1,
        attention: undefined
      })
    }).pipe(Effect.provide(layer)))

  it.effect("events come back in order, in pages, as they were", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const events = `["é 漢 🙂 ' \\" \\u0000", "${"x".repeat(10_000)}"]`
      yield* done([first("r1"), turn("r1", 2), turn("r1", 3, { history: { turn: 3, at: now, format: 7, events } })])
      assert.deepStrictEqual(yield* turns("r1"), [1, 2, 3])
      assert.deepStrictEqual((yield* store.history("r1", 1, 1)).map((row) => row.turn), [2])
      const third = Option.some({ turn: 3, at: now, format: 7, events })
      assert.deepStrictEqual(yield* store.lastTurn("r1"), third)
      assert.deepStrictEqual(yield* store.lastTurn("r2"), Option.none())
      assert.deepStrictEqual(yield* store.size("r1"), {
        turns: 3,
        events: 4,
        bytes: "[{\"turn\":1}]".length * 2 + Buffer.byteLength(events)
      })
      assert.deepStrictEqual(yield* store.size("r2"), { turns: 0, events: 0, bytes: 0 })
    }).pipe(Effect.provide(layer)))

  it.effect("wake and attention are set, left and cleared", () =>
    Effect.gen(function*() {
      yield* done([first("r1", { wake: { at: 5 }, attention: { text: "why" } })])
      yield* done([turn("r1", 2)])
      assert.deepStrictEqual(yield* Effect.map(run("r1"), (r) => [r.wakeAt, r.attention, r.turn]), [5, "why", 2])
      yield* done([
        turn("r1", 3, { wake: { at: 6 } }),
        turn("r1", 4, { wake: { at: undefined }, attention: { text: undefined } })
      ])
      assert.deepStrictEqual(
        yield* Effect.map(run("r1"), (r) => [r.wakeAt, r.attention, r.turn]),
        [undefined, undefined, 4]
      )
    }).pipe(Effect.provide(layer)))

  it.effect("a failed turn leaves its reason and no history (I7)", () =>
    Effect.gen(function*() {
      yield* done([first("r1")])
      yield* done([turn("r1", 2, { history: undefined, attention: { text: "{\"defect\":1}" }, wake: { at: 9 } })])
      assert.deepStrictEqual(
        yield* Effect.map(run("r1"), (r) => [r.wakeAt, r.attention, r.turn]),
        [9, "{\"defect\":1}", 1]
      )
    }).pipe(Effect.provide(layer)))

  it.effect("turns of another worker or epoch are fenced, with all that follow; the rest goes in", () =>
    Effect.gen(function*() {
      yield* done([first("r1"), first("r2"), first("r3")])
      const refused = yield* commit([
        turn("r1", 2, { epoch: 2, wake: { at: 1 }, tasksAdded: [task(1)], mail: [signal("r1")] }),
        turn("r2", 2),
        turn("r1", 3),
        turn("r9", 1)
      ])
      assert.deepStrictEqual([...refused.refused], [
        [0, { _tag: "Fenced" }],
        [2, { _tag: "Fenced" }],
        [3, { _tag: "Fenced" }]
      ])
      const other = yield* commit([turn("r3", 2)], { worker: "bob" })
      assert.deepStrictEqual([...other.refused.keys()], [0])
      const store = yield* Store
      assert.deepStrictEqual(yield* turns("r1"), [1])
      assert.deepStrictEqual(yield* turns("r2"), [1, 2])
      assert.deepStrictEqual(yield* turns("r3"), [1])
      assert.deepStrictEqual(yield* store.tasksOf("r1"), [])
      assert.deepStrictEqual(yield* store.mail("r1", 0), [])
      assert.strictEqual((yield* run("r1")).wakeAt, undefined)
    }).pipe(Effect.provide(layer)))

  it.effect("a create that meets an open run is refused with its id", () =>
    Effect.gen(function*() {
      const same = { workflowId: "order-1" }
      yield* done([first("r1", {}, same)])
      const { refused } = yield* commit([first("r2", {}, same), turn("r2", 2), first("r3")])
      const running = { _tag: "AlreadyRunning" as const, runId: "r1" }
      assert.deepStrictEqual([...refused], [[0, running], [1, running]])
      const store = yield* Store
      assert.deepStrictEqual(yield* store.findRun("r2"), Option.none())
      assert.strictEqual((yield* run("r3")).turn, 1)
    }).pipe(Effect.provide(layer)))

  it.effect("of two creates of one workflow id in a batch the first wins", () =>
    Effect.gen(function*() {
      const same = { workflowId: "order-1" }
      const { refused } = yield* commit([first("r1", {}, same), first("r2", {}, same)])
      assert.deepStrictEqual([...refused], [[1, { _tag: "AlreadyRunning", runId: "r1" }]])
    }).pipe(Effect.provide(layer)))

  it.effect("a run id is not used twice", () =>
    Effect.gen(function*() {
      yield* done([first("r1"), last("r1", 2)])
      const { refused } = yield* commit([first("r1", {}, { workflowId: "another" })])
      assert.deepStrictEqual([...refused], [[0, { _tag: "Fenced" }]])
    }).pipe(Effect.provide(layer)))

  it.effect("runs of one workflow id follow each other within a batch", () =>
    Effect.gen(function*() {
      const same = { workflowId: "order-1" }
      yield* done([first("r1", {}, same)])
      yield* done([
        last("r1", 2),
        first("r2", {}, same),
        turn("r2", 2),
        last("r2", 3),
        first("r3", {}, same),
        turn("r3", 2)
      ])
      const store = yield* Store
      assert.deepStrictEqual(yield* turns("r2"), [1, 2, 3])
      assert.strictEqual(Option.getOrThrow(yield* store.findLatest("order-1")).runId, "r3")
      assert.strictEqual((yield* run("r3")).turn, 2)
    }).pipe(Effect.provide(layer)))

  it.effect("a turn that ends its run creates the next of its chain, which takes the workflow id over (I3)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const same = { workflowId: "order-1" }
      const next = newRun("r2", {
        ...same,
        firstRunId: "r1",
        previousRunId: "r1",
        attempt: 2,
        startAt: now + 50,
        expiresAt: now + 40
      })
      const start: NewMail = { runId: "r2", kind: "Start", body: "{\"start\":2}" }
      yield* done([first("r1", {}, same), last("r1", 2, { creates: [{ run: next, start, owned: false }] })])
      assert.deepInclude(yield* run("r1"), { status: "Completed" })
      assert.deepStrictEqual(yield* run("r2"), {
        ...next,
        notes: undefined,
        parent: undefined,
        scheduled: undefined,
        rootWorkflowId: next.workflowId,
        historyLength: undefined,
        ...unpinned,
        firstRunId: "r1",
        previousRunId: "r1",
        attempt: 2,
        startAt: now + 50,
        expiresAt: now + 40,
        status: "Running",
        owner: undefined,
        epoch: 0,
        // The first of what may come: its begin, or the end of its time.
        wakeAt: now + 40,
        closedAt: undefined,
        turn: 0,
        attention: undefined
      })
      assert.deepStrictEqual(
        (yield* store.mail("r2", 0)).map(({ body, kind, runId }) => ({ body, kind, runId })),
        [start]
      )
      // Any worker of the queue takes it, once it is due.
      assert.deepStrictEqual(yield* store.claimRuns("bob", ["orders"], now + 39, 10), [])
      assert.deepStrictEqual((yield* store.claimRuns("bob", ["orders"], now + 40, 10)).map(({ runId }) => runId), [
        "r2"
      ])
    }).pipe(Effect.provide(layer)))

  it.effect("the next run of a chain comes before one that another turn of the batch would create under its id (I3, K2)", () =>
    Effect.gen(function*() {
      const same = { workflowId: "order-1" }
      const started = (runId: string): NewMail => ({ runId, kind: "Start", body: "{}" })
      const next = newRun("r2", { ...same, firstRunId: "r1", previousRunId: "r1" })
      const results: Array<string> = []
      const report = (result: { readonly _tag: string; readonly runId?: string }) => {
        results.push(`${result._tag} ${result.runId ?? ""}`)
        return { runId: "parent", kind: "ChildOutcome" as const, body: "{}" }
      }
      yield* done([first("parent"), first("r1", {}, same)])
      yield* done([
        turn("parent", 2, { creates: [{ run: newRun("child", same), start: started("child"), owned: false, report }] }),
        last("r1", 2, {
          close: { status: "ContinuedAsNew", at: now + 2, refuseIfMail: true, next: "r2" },
          creates: [{ run: next, start: started("r2"), owned: false }]
        })
      ])
      assert.strictEqual((yield* run("r2")).status, "Running")
      assert.deepStrictEqual(results, ["AlreadyRunning r2"])
      assert.isTrue(Option.isNone(yield* Effect.flatMap(Store, (store) => store.findRun("child"))))
    }).pipe(Effect.provide(layer)))

  it.effect("a run that a turn creates for its own worker is owned from the beginning, and due", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const start: NewMail = { runId: "r2", kind: "Start", body: "{}" }
      yield* done([first("r1"), turn("r1", 2, { creates: [{ run: newRun("r2"), start, owned: true }] })])
      assert.deepInclude(yield* run("r2"), { owner: "ada", epoch: 1, wakeAt: now, turn: 0 })
      assert.deepStrictEqual((yield* store.mailOf("ada", 0, 10)).map(({ runId }) => runId), ["r2"])
      assert.deepStrictEqual((yield* store.dueRuns("ada", now, 10)).map(({ runId }) => runId), ["r2"])
      yield* done([turn("r2", 1)])
      assert.deepStrictEqual(yield* turns("r2"), [1])
    }).pipe(Effect.provide(layer)))

  it.effect("a run to create whose workflow id is taken is left out with its start; the turn goes in", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const creation = (runId: string, workflowId: string) => ({
        run: newRun(runId, { workflowId }),
        start: { runId, kind: "Start", body: "{}" } as const,
        owned: true
      })
      yield* done([first("r1"), first("r2", {}, { workflowId: "order-2" })])
      yield* done([turn("r1", 2, { creates: [creation("r3", "order-2"), creation("r4", "order-4")] })])
      assert.deepStrictEqual(yield* turns("r1"), [1, 2])
      assert.deepStrictEqual(yield* store.findRun("r3"), Option.none())
      assert.deepStrictEqual(yield* store.mail("r3", 0), [])
      assert.deepInclude(yield* run("r4"), { owner: "ada", workflowId: "order-4" })
    }).pipe(Effect.provide(layer)))

  it.effect("a turn that is refused creates nothing (I4)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1")])
      const start: NewMail = { runId: "r2", kind: "Start", body: "{}" }
      const { refused } = yield* commit([
        turn("r1", 2, { epoch: 7, creates: [{ run: newRun("r2"), start, owned: true }] })
      ])
      assert.deepStrictEqual([...refused], [[0, { _tag: "Fenced" }]])
      assert.deepStrictEqual(yield* store.findRun("r2"), Option.none())
      assert.deepStrictEqual(yield* store.mail("r2", 0), [])
    }).pipe(Effect.provide(layer)))

  it.effect("an end closes the run and takes its wake-up, tasks and mail with it", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { wake: { at: 5 }, tasksAdded: [task(1), task(2, { worker: undefined })] })])
      yield* store.post({ runId: "r1", kind: "ActivityOutcome", body: "{}" }, now)
      yield* store.post({ runId: "r1", kind: "Query", body: "{}" }, now)
      yield* done([last("r1", 2, { tasksAdded: [task(3)] })])
      const closed = yield* run("r1")
      assert.deepStrictEqual(
        [closed.status, closed.closedAt, closed.owner, closed.wakeAt, closed.turn],
        ["Completed", now + 2, undefined, undefined, 2]
      )
      assert.deepStrictEqual(yield* store.tasksOf("r1"), [])
      assert.deepStrictEqual(yield* store.claimTasks("bob", ["orders"], now, 10), [])
      assert.deepStrictEqual((yield* store.mail("r1", 0)).map(({ kind }) => kind), ["Query"])
      assert.deepStrictEqual([...(yield* commit([turn("r1", 3)])).refused], [[0, { _tag: "Fenced" }]])
    }).pipe(Effect.provide(layer)))

  it.effect("nothing follows an end in its own batch", () =>
    Effect.gen(function*() {
      const { refused } = yield* commit([first("r1"), last("r1", 2), turn("r1", 3)])
      assert.deepStrictEqual([...refused], [[2, { _tag: "Fenced" }]])
      assert.deepStrictEqual(yield* turns("r1"), [1, 2])
    }).pipe(Effect.provide(layer)))

  it.effect("a one-turn run is created and closed at once", () =>
    Effect.gen(function*() {
      yield* done([first("r1", { wake: { at: 5 }, close: { status: "Failed", at: now, refuseIfMail: true } })])
      assert.deepStrictEqual(yield* Effect.map(run("r1"), (r) => [r.status, r.owner, r.wakeAt]), [
        "Failed",
        undefined,
        undefined
      ])
    }).pipe(Effect.provide(layer)))

  it.effect("a signal before the end refuses the end (row S3), unless the turn took it in", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1")])
      yield* store.post(signal("r1"), now)
      const { refused } = yield* commit([turn("r1", 2), last("r1", 3)])
      assert.deepStrictEqual([...refused], [[1, { _tag: "MailWaiting" }]])
      assert.strictEqual((yield* run("r1")).status, "Running")
      const [mail] = yield* store.mail("r1", 0)
      yield* done([turn("r1", 3, { consumed: [mail!.id] }), last("r1", 4)])
      assert.strictEqual((yield* run("r1")).status, "Completed")

      yield* done([first("r2")])
      yield* store.post(signal("r2"), now)
      yield* done([last("r2", 2, { consumed: (yield* store.mail("r2", 0)).map(({ id }) => id) })])
      assert.strictEqual((yield* run("r2")).status, "Completed")
    }).pipe(Effect.provide(layer)))

  it.effect("an end takes a signal with it where it may", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1")])
      yield* store.post(signal("r1"), now)
      yield* done([turn("r1", 2, { close: { status: "Terminated", at: now, refuseIfMail: false } })])
      assert.deepStrictEqual(yield* store.mail("r1", 0), [])
    }).pipe(Effect.provide(layer)))

  it.effect("a signal that was put away in the same batch refuses the end too", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1")])
      const { refused } = yield* commit([turn("r1", 2, { mail: [signal("r1")] }), last("r1", 3)])
      assert.deepStrictEqual([...refused.keys()], [1])
      const alone = yield* commit([first("r2", { close: last("r2", 1).close, mail: [signal("r2")] })])
      assert.deepStrictEqual([...alone.refused.values()], [{ _tag: "MailWaiting" }])
      assert.deepStrictEqual(yield* store.findRun("r2"), Option.none())
    }).pipe(Effect.provide(layer)))

  it.effect("tasks come, are canceled, and go", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [task(1), task(2, { worker: undefined, expiresAt: now + 9 })] })])
      assert.deepStrictEqual(yield* store.tasksOf("r1"), [
        {
          runId: "r1",
          seq: 1,
          turn: 1,
          taskQueue: "orders",
          state: "started",
          worker: "ada",
          attempt: 1,
          scheduledAt: now,
          dueAt: now,
          expiresAt: undefined,
          startedAt: now,
          heartbeat: undefined,
          failure: undefined,
          cancelRequested: false,
          paused: false,
          forgotten: 0,
          revision: 0,
          options: undefined
        },
        {
          runId: "r1",
          seq: 2,
          turn: 1,
          taskQueue: "orders",
          state: "queued",
          worker: undefined,
          attempt: 1,
          scheduledAt: now,
          dueAt: now,
          expiresAt: now + 9,
          startedAt: undefined,
          heartbeat: undefined,
          failure: undefined,
          cancelRequested: false,
          paused: false,
          forgotten: 0,
          revision: 0,
          options: undefined
        }
      ])
      yield* done([
        turn("r1", 2, { tasksCanceled: [1], tasksRemoved: [2], tasksAdded: [task(3), task(4)] }),
        turn("r1", 3, { tasksCanceled: [3], tasksRemoved: [4] })
      ])
      const canceled = (yield* store.tasksOf("r1")).map(({ cancelRequested, seq }) => [seq, cancelRequested])
      assert.deepStrictEqual(canceled, [[1, true], [3, true]])
    }).pipe(Effect.provide(layer)))

  it.effect("mail is put away in order, and dropped when taken in", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { mail: [signal("r1", "1"), signal("r1", "2"), signal("r1", "3")] })])
      const mail = yield* store.mailOf("ada", 0, 10)
      assert.deepStrictEqual(mail.map(({ body }) => body), ["1", "2", "3"])
      yield* done([turn("r1", 2, { consumed: [mail[0]!.id, mail[2]!.id] })])
      assert.deepStrictEqual((yield* store.mail("r1", 0)).map(({ body }) => body), ["2"])
    }).pipe(Effect.provide(layer)))

  it.effect("batches of any size go in whole", () =>
    Effect.forEach([1, 2, 3, 4, 5, 17, 63, 64, 65, 84, 129, 500], (size) =>
      Effect.gen(function*() {
        const ids = Array.from({ length: size }, (_, n) => `r${String(n).padStart(3, "0")}`)
        yield* done(ids.map((id) => first(id, { tasksAdded: [task(1)], mail: [signal(id)] })))
        yield* done(ids.map((id) =>
          turn(id, 2, { wake: { at: now }, tasksRemoved: [1], tasksAdded: [task(2)], attention: { text: id } })
        ))
        const store = yield* Store
        const runs = yield* store.runs({ limit: 1000 })
        assert.strictEqual(runs.length, size)
        assert.isTrue(runs.every((r) =>
          r.turn === 2 && r.wakeAt === now && r.attention === r.runId
        ))
        assert.deepStrictEqual(yield* tasks(ids[size - 1]!), [[2, "started"]])
        assert.deepStrictEqual((yield* store.mailOf("ada", 0, 1000)).map(({ runId }) => runId), ids)
        yield* done(ids.map((id) => turn(id, 3, { close: { status: "Canceled", at: now, refuseIfMail: false } })))
        assert.deepStrictEqual(yield* store.mailOf("ada", 0, 1000), [])
        assert.strictEqual((yield* store.runs({ limit: 1000, status: "Canceled" })).length, size)
      }).pipe(Effect.provide(layer))))

  it.effect("an empty batch is nothing", () => done([]).pipe(Effect.provide(layer)))

  it.effect("a turn that was committed before fails the batch, and nothing of it stays", () =>
    Effect.gen(function*() {
      yield* done([first("r1"), first("r2")])
      const error = yield* Effect.flip(commit([turn("r2", 2), turn("r1", 1)]))
      assert.strictEqual(error._tag, "StoreError")
      assert.strictEqual(error.operation, "commit")
      assert.deepStrictEqual([error.reason, error.transient], ["Other", false])
      assert.deepStrictEqual(yield* turns("r2"), [1])
      yield* done([turn("r2", 2)])
    }).pipe(Effect.provide(layer)))

  it.effect("a commit whose answer was lost is answered when it is asked for again, and not written twice (I2, I6)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* done([first("r1", { tasksAdded: [queued(1), task(2), task(3)] }), first("r2"), first("r3")])
      const batch: Parameters<typeof commit> = [
        [
          turn("r1", 2, { tasksAdded: [task(4)], mail: [signal("r1")] }),
          last("r2", 2),
          // Refused, and so it is again.
          turn("r3", 2, { epoch: 7 }),
          first("r4"),
          // A turn that failed: its messages are put away, and no history.
          turn("r4", 2, { history: undefined, attention: { text: "why, at 12:00" }, mail: [signal("r4")] })
        ],
        {
          tasks: [
            { _tag: "Start", runId: "r1", seq: 1, attempt: 1, at: now + 1 },
            {
              _tag: "Retry",
              runId: "r1",
              seq: 2,
              attempt: 1,
              dueAt: now + 5,
              expiresAt: undefined,
              failure: "{}",
              nextAttempt: 2
            },
            { _tag: "Start", runId: "nobody", seq: 1, attempt: 1, at: now }
          ]
        }
      ]
      const answer = yield* commit(...batch)
      assert.deepStrictEqual([[...answer.refused], [...answer.stale]], [[[2, { _tag: "Fenced" }]], [2]])
      const seen = Effect.gen(function*() {
        const history = yield* Effect.forEach(["r1", "r2", "r3", "r4"], (id) => store.history(id, 0, 9))
        const tasks = yield* store.tasksOf("r1")
        return { history, tasks, mail: yield* store.mailOf("ada", 0, 99), runs: yield* store.runs({ limit: 9 }) }
      })
      const before = yield* seen
      assert.deepStrictEqual(yield* commit(batch[0], { ...batch[1], again: true }), answer)
      assert.deepStrictEqual(yield* seen, before)
    }).pipe(Effect.provide(layer)))

  it.effect("a commit that did not go in goes in when it is asked for again", () =>
    Effect.gen(function*() {
      yield* done([first("r1", { tasksAdded: [queued(1)] })])
      const start = { _tag: "Start", runId: "r1", seq: 1, attempt: 1, at: now } as const
      yield* done([turn("r1", 2), first("r2")], { again: true, tasks: [start] })
      assert.deepStrictEqual([yield* turns("r1"), yield* turns("r2")], [[1, 2], [1]])
      assert.deepStrictEqual(yield* tasks("r1"), [[1, "started"]])
    }).pipe(Effect.provide(layer)))
}
