/**
 * Goal: what a start does with the other runs of its workflow id (X4, X5, X6), messages that come along with it (S10,
 * U13), and what stays of an execution afterwards (U5, Q2, C10, C12). By each way to a run, which must mean the same.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Store } from "perdure/sqlite"
import { Desk, desk, Refused } from "./Desk.js"
import { eventsOf, waysTo } from "./Ways.js"
import { run, test } from "./World.js"

const workflowId = "the desk"
const tagOf = <A, E extends { readonly _tag: string }>(effect: Effect.Effect<A, E>) =>
  Effect.map(Effect.flip(effect), ({ _tag }) => _tag)

describe("a start and the runs of its workflow id", () => {
  waysTo("UseExisting gives the open run, and leaves its payload be (X5)", (client) =>
    Effect.gen(function*() {
      const first = yield* client.start(Desk, 1, { workflowId })
      const second = yield* client.start(Desk, 5, { workflowId, idConflict: "UseExisting" })
      assert.strictEqual(second.runId, first.runId)
      assert.strictEqual(yield* second.query("total"), 1)
      assert.deepInclude(yield* Effect.flip(client.start(Desk, 5, { workflowId })), {
        _tag: "WorkflowAlreadyStarted",
        runId: first.runId
      })
      yield* first.signal("end", "complete")
      yield* first.result
      const third = yield* client.start(Desk, 5, { workflowId, idConflict: "UseExisting" })
      assert.notStrictEqual(third.runId, first.runId)
    }))

  waysTo(
    "TerminateExisting ends the open run, whose waiter hears of it, and starts another (X5)",
    (client) =>
      Effect.gen(function*() {
        const first = yield* client.start(Desk, 1, { workflowId })
        yield* first.query("total")
        const waiting = yield* Effect.fork(Effect.flip(first.result))
        const second = yield* client.start(Desk, 5, { workflowId, idConflict: "TerminateExisting" })
        assert.notStrictEqual(second.runId, first.runId)
        assert.deepInclude(yield* Fiber.join(waiting), { _tag: "WorkflowFailure", status: "Terminated" })
        assert.strictEqual(yield* second.query("total"), 5)
        assert.strictEqual((yield* first.describe).status, "Terminated")
        yield* second.signal("end", "complete")
        assert.strictEqual(yield* second.result, 5)
      })
  )

  waysTo("idReuse looks at how the last run ended (X4)", (client) =>
    Effect.gen(function*() {
      const start = (idReuse: "AllowDuplicateFailedOnly" | "RejectDuplicate") =>
        client.start(Desk, 1, { workflowId, idReuse })
      const failed = yield* start("RejectDuplicate")
      yield* failed.signal("end", "fail")
      yield* Effect.flip(failed.result)
      const refused = yield* Effect.flip(start("RejectDuplicate"))
      assert.deepInclude(refused, { _tag: "WorkflowAlreadyStarted", runId: failed.runId, closed: true })
      assert.match(String(refused), /ran before, as run .*idReuse/)
      const completed = yield* start("AllowDuplicateFailedOnly")
      yield* completed.signal("end", "complete")
      yield* completed.result
      assert.deepInclude(yield* Effect.flip(start("AllowDuplicateFailedOnly")), {
        _tag: "WorkflowAlreadyStarted",
        runId: completed.runId,
        closed: true
      })
      assert.strictEqual(
        yield* tagOf(client.start(Desk, 1, { workflowId, idReuse: "RejectDuplicate" })),
        "WorkflowAlreadyStarted"
      )
      yield* client.start(Desk, 1, { workflowId })
    }))

  waysTo("a request starts one run, however often it is repeated (X6)", (client) =>
    Effect.gen(function*() {
      const options = { workflowId, requestId: "once" }
      const runs = yield* Effect.all(
        Array.from({ length: 5 }, () => client.start(Desk, 1, options)),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(new Set(runs.map(({ runId }) => runId)), 1)
      const [first] = runs
      yield* first!.signal("end", "complete")
      yield* first!.result
      assert.strictEqual((yield* client.start(Desk, 9, options)).runId, first!.runId)
      assert.notStrictEqual((yield* client.start(Desk, 9, { ...options, requestId: "again" })).runId, first!.runId)
    }))
})

describe("signal-with-start (S10)", () => {
  waysTo("starts with the signal as its first message, else signals only", (client) =>
    Effect.gen(function*() {
      const first = yield* client.signalWithStart(Desk, 1, { name: "add", payload: 10 }, { workflowId })
      assert.strictEqual(yield* first.query("total"), 11)
      assert.deepStrictEqual(
        (yield* first.history)[0]?.events.map(({ _tag }) => _tag),
        ["ExecutionStarted", "SignalReceived"]
      )
      const second = yield* client.signalWithStart(Desk, 500, { name: "add", payload: 20 }, { workflowId })
      assert.strictEqual(second.runId, first.runId)
      assert.strictEqual(yield* second.query("total"), 31)
      yield* second.signal("end", "complete")
      assert.strictEqual(yield* first.result, 31)
      const third = yield* client.signalWithStart(Desk, 2, { name: "add", payload: 1 }, { workflowId })
      assert.notStrictEqual(third.runId, first.runId)
      assert.strictEqual(yield* third.query("total"), 3)
    }))

  waysTo("many at once start one run, which gets all of the signals", (client) =>
    Effect.gen(function*() {
      const handles = yield* Effect.all(
        Array.from({ length: 10 }, () => client.signalWithStart(Desk, 0, { name: "add", payload: 1 }, { workflowId })),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(new Set(handles.map(({ runId }) => runId)), 1)
      assert.strictEqual(yield* handles[0]!.query("total"), 10)
    }))

  waysTo("goes by its requests: a repeated one starts and signals once (X6, S1)", (client) =>
    Effect.gen(function*() {
      const send = client.signalWithStart(Desk, 1, { name: "add", payload: 10, requestId: "s" }, { workflowId })
      yield* send
      const handle = yield* send
      assert.strictEqual(yield* handle.query("total"), 11)
      assert.strictEqual(
        yield* tagOf(client.signalWithStart(Desk, 1, { name: "add", payload: 1, requestId: "" }, {})),
        "ContractError"
      )
    }))

  waysTo("may end an open run in its favor, and heeds idReuse", (client) =>
    Effect.gen(function*() {
      const first = yield* client.start(Desk, 1, { workflowId })
      const second = yield* client.signalWithStart(Desk, 2, { name: "add", payload: 1 }, {
        workflowId,
        idConflict: "TerminateExisting"
      })
      assert.strictEqual((yield* first.describe).status, "Terminated")
      assert.strictEqual(yield* second.query("total"), 3)
      yield* second.terminate()
      const refused = client.signalWithStart(Desk, 2, { name: "add", payload: 1 }, {
        workflowId,
        idReuse: "RejectDuplicate"
      })
      assert.deepInclude(yield* Effect.flip(refused), { _tag: "WorkflowAlreadyStarted", closed: true })
    }))
})

describe("a signal with a request (S1)", () => {
  waysTo("is taken in once in a run, whoever repeats it", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 0)
      yield* handle.signal("add", 1, { requestId: "a" })
      yield* Effect.all(
        Array.from({ length: 4 }, () => handle.signal("add", 1, { requestId: "a" })),
        { concurrency: "unbounded" }
      )
      yield* handle.signal("add", 1, { requestId: "b" })
      yield* handle.signal("add", 1)
      assert.strictEqual(yield* handle.query("total"), 3)
      assert.strictEqual((yield* eventsOf(handle)).filter((tag) => tag === "SignalReceived").length, 3)
    }))
})

describe("update-with-start (U13)", () => {
  waysTo("starts with the update as its first message, else updates only", (client) =>
    Effect.gen(function*() {
      const send = (n: number, idConflict: "UseExisting" | "Fail" = "UseExisting") =>
        client.updateWithStart(Desk, 100, { name: "add", payload: n }, { workflowId, idConflict })
      const first = yield* send(1)
      assert.strictEqual(yield* first.update.result, 101)
      assert.deepStrictEqual(
        (yield* first.handle.history)[0]?.events.map(({ _tag }) => _tag),
        ["ExecutionStarted", "UpdateAccepted", "UpdateCompleted"]
      )
      const second = yield* send(2)
      assert.strictEqual(second.handle.runId, first.handle.runId)
      assert.strictEqual(yield* second.update.result, 103)
      assert.deepInclude(yield* Effect.flip(send(3, "Fail")), {
        _tag: "WorkflowAlreadyStarted",
        runId: first.handle.runId
      })
    }))

  waysTo("the start stands, whatever becomes of the update", (client) =>
    Effect.gen(function*() {
      const rejected = yield* client.updateWithStart(Desk, 1, { name: "add", payload: 0 }, {
        workflowId,
        idConflict: "Fail"
      })
      assert.instanceOf(yield* Effect.flip(rejected.update.result), Refused)
      assert.strictEqual(yield* rejected.handle.query("total"), 1)
      const failed = yield* client.updateWithStart(Desk, 1, { name: "add", payload: 13 }, {
        workflowId,
        idConflict: "UseExisting"
      })
      assert.instanceOf(yield* Effect.flip(failed.update.result), Refused)
      assert.strictEqual(failed.handle.runId, rejected.handle.runId)
    }))

  waysTo(
    "attaches to an update of this id: in progress, also under Fail; or ended, in a closed run too",
    (client) =>
      Effect.gen(function*() {
        const send = (idConflict: "UseExisting" | "Fail", updateId = "u") =>
          client.updateWithStart(Desk, 1, { name: "later", payload: 5, updateId }, { workflowId, idConflict })
        const first = yield* send("Fail")
        const attached = yield* send("Fail")
        assert.strictEqual(attached.handle.runId, first.handle.runId)
        yield* first.handle.signal("add", 10)
        assert.deepStrictEqual([yield* first.update.result, yield* attached.update.result], [16, 16])
        yield* first.handle.signal("end", "complete")
        yield* first.handle.result
        for (const idConflict of ["UseExisting", "Fail"] as const) {
          const after = yield* send(idConflict)
          assert.strictEqual(after.handle.runId, first.handle.runId)
          assert.strictEqual(yield* after.update.result, 16)
        }
        assert.strictEqual((yield* client.handle(Desk, workflowId).describe).status, "Completed")
      })
  )

  waysTo("one that a closed run cut short begins anew, where idReuse allows it", (client) =>
    Effect.gen(function*() {
      const send = (idReuse: "AllowDuplicate" | "RejectDuplicate") =>
        client.updateWithStart(Desk, 1, { name: "later", payload: 5, updateId: "u" }, {
          workflowId,
          idConflict: "UseExisting",
          idReuse
        })
      const first = yield* send("RejectDuplicate")
      yield* first.handle.signal("end", "complete")
      yield* first.handle.result
      assert.deepInclude(yield* Effect.flip(send("RejectDuplicate")), { _tag: "WorkflowAlreadyStarted", closed: true })
      const second = yield* send("AllowDuplicate")
      assert.notStrictEqual(second.handle.runId, first.handle.runId)
      yield* second.handle.signal("add", 1)
      assert.strictEqual(yield* second.update.result, 7)
    }))

  for (const idConflict of ["UseExisting", "Fail"] as const) {
    waysTo(
      `many at once with one id start one run and make one update: ${idConflict}`,
      (client) =>
        Effect.gen(function*() {
          const sent = yield* Effect.all(
            Array.from(
              { length: 6 },
              () =>
                client.updateWithStart(Desk, 1, { name: "add", payload: 5, updateId: "u" }, { workflowId, idConflict })
            ),
            { concurrency: "unbounded" }
          )
          assert.lengthOf(new Set(sent.map(({ handle }) => handle.runId)), 1)
          for (const { update } of sent) assert.strictEqual(yield* update.result, 6)
          assert.strictEqual(yield* sent[0]!.handle.query("total"), 6)
        })
    )
  }
})

describe("the handle of an update by its ids (U5)", () => {
  waysTo(
    "waits for the outcome of one in progress, and reads it after the end of the run",
    (client) =>
      Effect.gen(function*() {
        const handle = yield* client.start(Desk, 0, { workflowId })
        const sent = yield* handle.startUpdate("later", 5, { updateId: "u" })
        assert.deepInclude(sent, { workflowId, runId: handle.runId, updateId: "u" })
        const known = client.handle(Desk, workflowId).updateHandle("later", "u")
        const waiting = yield* Effect.fork(known.result)
        yield* handle.signal("add", 1)
        assert.strictEqual(yield* Fiber.join(waiting), 6)
        yield* handle.update("add", 13, { updateId: "failed" }).pipe(Effect.flip)
        yield* handle.startUpdate("later", 1, { updateId: "cut short" })
        yield* handle.signal("end", "complete")
        yield* handle.result
        assert.strictEqual(yield* known.result, 6)
        assert.strictEqual(yield* client.handle(Desk, workflowId, sent.runId).updateHandle("later", "u").result, 6)
        assert.instanceOf(yield* Effect.flip(handle.updateHandle("add", "failed").result), Refused)
        assert.deepInclude(
          (yield* Effect.flip(handle.updateHandle("later", "cut short").result)) as { failure: object },
          {
            failure: {
              _tag: "Application",
              type: "AcceptedUpdateCompletedWorkflow",
              message: "the run ended before the update's handler did"
            }
          } as object
        )
      })
  )

  waysTo(
    "fails where the run has accepted no such update: unknown, or rejected (U4)",
    (client) =>
      Effect.gen(function*() {
        const handle = yield* client.start(Desk, 0)
        assert.deepInclude(yield* Effect.flip(handle.updateHandle("add", "u").result), {
          _tag: "UpdateNotFound",
          updateId: "u"
        })
        yield* Effect.flip(handle.update("add", 0, { updateId: "u" }))
        assert.strictEqual(yield* tagOf(handle.updateHandle("add", "u").result), "UpdateNotFound")
        // It may be sent again: what was rejected is not remembered.
        assert.strictEqual(yield* handle.update("add", 4, { updateId: "u" }), 4)
        // And its second arguments are ignored.
        assert.strictEqual(yield* handle.update("add", 100, { updateId: "u" }), 4)
        assert.strictEqual(
          yield* tagOf(client.handle(Desk, "nobody").updateHandle("add", "u").result),
          "WorkflowNotFound"
        )
      })
  )

  test("survives a restart of the worker (U5, U8)", () =>
    Effect.gen(function*() {
      const ada = yield* run(desk())
      const handle = yield* ada.client.start(Desk, 0, { workflowId })
      yield* handle.startUpdate("later", 5, { updateId: "u" })
      yield* ada.stop
      const { client } = yield* run(desk())
      const waiting = yield* Effect.fork(client.handle(Desk, workflowId).updateHandle("later", "u").result)
      yield* client.handle(Desk, workflowId).signal("add", 2)
      assert.strictEqual(yield* Fiber.join(waiting), 7)
    }))
})

describe("queries that a status makes moot (Q2, R13)", () => {
  waysTo("are rejected with the status, and asked otherwise", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 1)
      for (const reject of ["NotOpen", "NotCompletedCleanly"] as const) {
        assert.strictEqual(yield* handle.query("total", undefined, { reject }), 1)
      }
      yield* handle.signal("end", "complete")
      yield* handle.result
      assert.strictEqual(yield* handle.query("total", undefined, { reject: "NotCompletedCleanly" }), 1)
      assert.deepInclude(yield* Effect.flip(handle.query("total", undefined, { reject: "NotOpen" })), {
        _tag: "QueryRejected",
        query: "total",
        status: "Completed"
      })
      const failed = yield* client.start(Desk, 1)
      yield* failed.signal("end", "fail")
      yield* Effect.flip(failed.result)
      assert.deepInclude(yield* Effect.flip(failed.query("total", undefined, { reject: "NotCompletedCleanly" })), {
        _tag: "QueryRejected",
        status: "Failed"
      })
      assert.strictEqual(yield* failed.query("total"), 1)
    }))
})

describe("the end from outside", () => {
  waysTo("a termination tells its reason and details to who waits (C10)", (client) =>
    Effect.gen(function*() {
      const handle = yield* client.start(Desk, 1)
      assert.strictEqual(yield* tagOf(handle.terminate("no", new Map())), "ContractError")
      yield* handle.terminate("enough", { by: ["ada"] })
      const failure = yield* Effect.flip(handle.result)
      assert.deepInclude(failure as { failure: unknown }, {
        failure: { _tag: "Terminated", message: "terminated: enough", details: { by: ["ada"] } }
      })
      assert.strictEqual(yield* tagOf(handle.terminate()), "WorkflowClosed")
    }))

  waysTo(
    "a deleted execution is gone, open or closed; its waiters and its id are free (C12)",
    (client) =>
      Effect.gen(function*() {
        const open = yield* client.start(Desk, 1, { workflowId })
        yield* open.query("total")
        const waiting = yield* Effect.fork(tagOf(open.result))
        yield* open.delete
        assert.strictEqual(yield* Fiber.join(waiting), "WorkflowNotFound")
        for (const gone of [open.describe, open.signal("add", 1), open.cancel(), open.delete]) {
          assert.strictEqual(yield* tagOf(gone as typeof open.delete), "WorkflowNotFound")
        }
        const next = yield* client.start(Desk, 2, { workflowId, idReuse: "RejectDuplicate" })
        yield* next.signal("end", "complete")
        assert.strictEqual(yield* next.result, 2)
        yield* client.handle(Desk, workflowId).delete
        assert.strictEqual(yield* tagOf(client.handle(Desk, workflowId).describe), "WorkflowNotFound")
        const store = yield* Store
        assert.deepStrictEqual(yield* store.runs({ limit: 9 }), [])
        assert.deepStrictEqual(yield* store.history(next.runId, 0, 9), [])
      })
  )
})
