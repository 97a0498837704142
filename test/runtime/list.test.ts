/**
 * Lists and counts as clients have them (X13, X14, X15): texts and values, pages, errors that point at the place.
 */
import { assert, describe } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Filter, FilterError, SearchAttribute, State, Worker, Workflow } from "perdure"
import { disk, remote, run, test, until } from "./World.js"

const Order = Workflow.make("Order", {
  payload: Schema.String,
  success: Schema.String,
  signals: { close: {} },
  searchAttributes: {
    customer: SearchAttribute.keyword,
    note: SearchAttribute.text,
    amount: SearchAttribute.double,
    due: SearchAttribute.datetime,
    paid: SearchAttribute.bool,
    tags: SearchAttribute.keywordList
  },
  memo: { seller: Schema.String }
})

const OrderLive = Order.toLayer((name) =>
  Effect.gen(function*() {
    const closed = yield* State.make(false)
    return Order.of({
      signals: { close: () => closed.set(true) },
      run: Effect.gen(function*() {
        yield* Workflow.condition(closed.get)
        yield* Workflow.upsertSearchAttributes(Order, { paid: true })
        return name
      }).pipe(Effect.orDie)
    })
  })
)

const started = Effect.gen(function*() {
  const { client } = yield* run(Worker.layer({ hosts: [OrderLive] }))
  const start = (workflowId: string, searchAttributes: Partial<Workflow.AttributesOf<typeof Order>>) =>
    client.start(Order, workflowId, {
      workflowId,
      searchAttributes,
      memo: { seller: "bob" },
      summary: `of ${workflowId}`
    })
  yield* start("one", { customer: "ada", note: "Handle with care", amount: 5, tags: ["new", "gift"] })
  yield* start("two", {
    customer: "ada",
    note: "Carefully",
    amount: 7.5,
    due: new Date("2026-12-01T00:00:00Z"),
    paid: false
  })
  const three = yield* start("three", { customer: "eve", amount: 9 })
  yield* three.signal("close")
  yield* three.result
  return client
})

describe("a list", () => {
  test("finds by what every execution has and what a workflow declares, by text and by value alike (X13, X15, W13)", () =>
    Effect.gen(function*() {
      const client = yield* started
      const found = (query?: Filter.Filter | string) =>
        Effect.map(
          Stream.runCollect(client.list(query, { order: "Oldest" })),
          (all) => Chunk.toReadonlyArray(all).map(({ workflowId }) => workflowId)
        )
      for (
        const [text, filter, expected] of [
          ["", undefined, ["one", "two", "three"]],
          ["WorkflowType = 'Order'", Filter.workflow(Order), ["one", "two", "three"]],
          ["ExecutionStatus = 'Completed'", Filter.status.is("Completed"), ["three"]],
          ["ExecutionStatus IN ('Running', 'Failed')", Filter.status.in("Running", "Failed"), ["one", "two"]],
          ["CloseTime IS NULL", Filter.closeTime.isNotSet, ["one", "two"]],
          ["ExecutionDuration < '1h'", Filter.duration.shorterThan("1 hour"), ["three"]],
          ["WorkflowId STARTS_WITH 't'", Filter.workflowId.startsWith("t"), ["two", "three"]],
          ["StartTime > '2099-01-01'", Filter.startTime.after(new Date("2099-01-01")), []],
          [
            "customer = 'ada' AND amount > 6",
            Filter.all(
              Filter.attribute(Order, "customer").is("ada"),
              Filter.attribute(Order, "amount").greaterThan(6)
            ),
            ["two"]
          ],
          ["note = 'CARE'", Filter.attribute(Order, "note").is("CARE"), ["one"]],
          ["note STARTS_WITH 'care'", Filter.attribute(Order, "note").startsWith("care"), ["one", "two"]],
          ["tags = 'gift'", Filter.attribute(Order, "tags").has("gift"), ["one"]],
          [
            "due = '2026-12-01T00:00:00Z'",
            Filter.attribute(Order, "due").between(
              new Date("2026-12-01T00:00:00Z"),
              new Date("2026-12-01T00:00:00Z")
            ),
            ["two"]
          ],
          ["paid = true", Filter.attribute(Order, "paid").is(true), ["three"]],
          ["paid != true", Filter.attribute(Order, "paid").is(false), ["two"]],
          ["NOT paid = true", Filter.not(Filter.attribute(Order, "paid").is(true)), ["one", "two"]],
          ["WorkflowId IN ('x')", Filter.workflowId.in(), []]
        ] as const
      ) {
        assert.deepStrictEqual(yield* found(text), [...expected], text)
        assert.deepStrictEqual(yield* found(filter), [...expected], `${text}, built`)
      }
      assert.deepStrictEqual(yield* client.count(), { total: 3, byStatus: { Running: 2, Completed: 1 } })
      assert.deepStrictEqual(yield* client.count("customer = 'eve'"), { total: 1, byStatus: { Completed: 1 } })
      assert.deepStrictEqual(yield* client.count("customer = 'nobody'"), { total: 0, byStatus: {} })
    }))

  test("shows what is known of each, in any process (X13, X11)", () =>
    Effect.gen(function*() {
      yield* started
      const client = yield* remote
      const [first] = (yield* client.listPage("WorkflowId = 'two'")).executions
      assert.deepInclude(first, {
        workflow: "Order",
        workflowId: "two",
        taskQueue: "default",
        status: "Running",
        closedAt: undefined,
        summary: "of two",
        memo: { seller: "bob" },
        needsAttention: false
      })
      assert.deepStrictEqual(first?.searchAttributes, {
        customer: "ada",
        note: "Carefully",
        amount: 7.5,
        due: new Date("2026-12-01T00:00:00Z"),
        paid: false
      })
    }), disk)

  test("goes on by its cursor, and stays as it was when it began (X13)", () =>
    Effect.gen(function*() {
      const client = yield* started
      const first = yield* client.listPage(undefined, { pageSize: 1 })
      assert.deepStrictEqual(first.executions.map(({ workflowId }) => workflowId), ["two"])
      yield* Effect.sleep("5 millis")
      yield* client.handle(Order, "one").signal("close")
      yield* client.handle(Order, "one").result
      yield* client.start(Order, "late", { workflowId: "late" })
      const second = yield* client.listPage(undefined, { pageSize: 1, cursor: first.cursor })
      assert.deepStrictEqual(second.executions.map(({ workflowId }) => workflowId), ["one"])
      const third = yield* client.listPage(undefined, { pageSize: 5, cursor: second.cursor })
      assert.deepStrictEqual(third.executions.map(({ workflowId }) => workflowId), ["three"])
      assert.isUndefined(third.cursor)
      yield* until(client.count(), ({ total }) => total === 4)
    }))

  test("says what is wrong, and where (X13)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      const wrong = yield* Effect.flip(client.listPage("WorkflowType = 'Order' AND\n  ExecutionStatus = Failed"))
      assert.instanceOf(wrong, FilterError)
      assert.strictEqual(
        wrong.message,
        "the filter cannot be used: Failed stands where a value: a text in quotes, a number, TRUE or FALSE must come\n"
          + "    ExecutionStatus = Failed\n"
          + "                      ^"
      )
      assert.include((yield* Effect.flip(client.count("StartTime > 'soon'"))).message, "StartTime is a moment")
      assert.include((yield* Effect.flip(Stream.runDrain(client.list("x =")))).message, "it ends where a value")
      for (
        const options of [{ pageSize: 0 }, { pageSize: 1_001 }, { cursor: "none" }, { cursor: "" }, { pageSize: NaN }]
      ) assert.instanceOf(yield* Effect.flip(client.listPage(undefined, options)), FilterError)
    }))
})
