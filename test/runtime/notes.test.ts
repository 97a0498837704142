/**
 * What runs say of themselves, by the whole engine: memo, search attributes, details (rows W12, W13, W14, W20).
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ContractError, SearchAttribute, Worker, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import { disk, remote, run, test, until } from "./World.js"

const Trip = Workflow.make("Trip", {
  success: Schema.Unknown,
  memo: { note: Schema.String, when: Schema.DateFromString, legs: Schema.Array(Schema.Number) },
  searchAttributes: {
    region: SearchAttribute.keyword,
    title: SearchAttribute.text,
    stops: SearchAttribute.int,
    total: SearchAttribute.double,
    urgent: SearchAttribute.bool,
    due: SearchAttribute.datetime,
    tags: SearchAttribute.keywordList
  },
  signals: { change: {}, clear: {}, end: {}, again: {} },
  queries: { seen: { success: Schema.Unknown }, write: {} }
})

const TripLive = Trip.toLayer(() =>
  Effect.sync(() => {
    let ended = false
    let again = false
    const both = Effect.map(Effect.all([Workflow.memo(Trip), Workflow.searchAttributes(Trip)]), plain)
    return Trip.of({
      signals: {
        change: () =>
          Effect.zipRight(
            Workflow.upsertMemo(Trip, { note: "changed", legs: [1, 2] }),
            Effect.zipRight(
              Workflow.upsertSearchAttributes(Trip, { total: 9.5, tags: ["a", "b"] }),
              Workflow.setCurrentDetails("on the way")
            )
          ),
        clear: () =>
          Effect.zipRight(
            Workflow.upsertMemo(Trip, { note: null, when: null }),
            Workflow.upsertSearchAttributes(Trip, { region: null, tags: null })
          ),
        end: () => Effect.sync(() => void (ended = true)),
        // Changed in the very turn that ends the run.
        again: () =>
          Effect.zipRight(Workflow.upsertMemo(Trip, { note: "last" }), Effect.sync(() => void (again = true)))
      },
      queries: {
        seen: () => both as Effect.Effect<unknown, never>,
        write: () => Workflow.upsertMemo(Trip, { note: "never" }) as Effect.Effect<void>
      },
      run: Effect.zipRight(
        Workflow.condition(() => ended || again),
        Effect.suspend(() => again ? Workflow.continueAsNew(Trip) : both)
      )
    })
  })
)

const worker = run(Worker.layer({ maxCachedExecutions: 0, hosts: [TripLive] }))
const when = new Date(0)
const due = new Date(1_700_000_000_123)
const said = {
  summary: "to Rome",
  details: "**by train**",
  memo: { note: "first", when },
  searchAttributes: { region: "eu", title: "Rome", stops: 3, urgent: true, due, tags: ["x"] }
} as const

/** The rows that a list would search. */
const rows = (runId: string) =>
  Effect.map(Store, (store) => store as unknown as { readonly about: { readonly location: string } }).pipe(
    Effect.flatMap(({ about }) =>
      Effect.promise(async () => {
        const { default: Sqlite } = await import("better-sqlite3")
        const db = new Sqlite(about.location, { readonly: true })
        const found = db.prepare(
          "SELECT name, type, text, number FROM perdure_search_attributes WHERE run_id = ? ORDER BY name, position"
        ).raw().all(runId)
        db.close()
        return found
      })
    )
  )

describe("a run says of itself", () => {
  test("what its start said, before any worker took it up, and after (W12, W13, W20)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      const handle = yield* client.start(Trip, undefined, { workflowId: "a", ...said })
      assert.deepInclude(yield* handle.describe, said)
      assert.deepStrictEqual(yield* rows(handle.runId), [
        ["due", "datetime", null, due.getTime()],
        ["region", "keyword", "eu", null],
        ["stops", "int", null, 3],
        ["tags", "keywordList", "x", null],
        ["title", "text", "rome", null],
        ["urgent", "bool", null, 1]
      ])
      yield* worker
      yield* handle.signal("end")
      assert.deepStrictEqual(yield* handle.result, [said.memo, said.searchAttributes].map(plain))
      assert.deepInclude(yield* handle.describe, said)
    }), disk)

  test(
    "what its body changed: merged, removed by null, seen at once and in describe, after a crash too (W12, W13)",
    () =>
      Effect.gen(function*() {
        const { client, stop } = yield* worker
        const handle = yield* client.start(Trip, undefined, { workflowId: "a", ...said })
        yield* handle.signal("change")
        const memo = { note: "changed", when, legs: [1, 2] }
        const searchAttributes = { ...said.searchAttributes, total: 9.5, tags: ["a", "b"] }
        assert.deepStrictEqual(yield* handle.query("seen"), plain([memo, searchAttributes]))
        assert.deepInclude(yield* handle.describe, { memo, searchAttributes, summary: "to Rome" })
        assert.deepInclude(yield* rows(handle.runId), ["tags", "keywordList", "b", null])
        yield* stop
        const second = yield* worker
        const again = second.client.handle(Trip, "a")
        assert.deepStrictEqual(yield* again.query("seen"), plain([memo, searchAttributes]))
        yield* again.signal("clear")
        yield* again.signal("end")
        yield* again.result
        const { region: _, tags: __, ...left } = searchAttributes
        assert.deepInclude(yield* again.describe, { memo: { legs: [1, 2] }, searchAttributes: left })
        assert.deepStrictEqual(
          (yield* rows(handle.runId)).map((row) => (row as ReadonlyArray<unknown>)[0]),
          ["due", "stops", "title", "total", "urgent"]
        )
      }),
    disk
  )

  test("all of it to the run that continues it (K10, W12, W13)", () =>
    Effect.gen(function*() {
      const { client } = yield* worker
      const first = yield* client.start(Trip, undefined, { workflowId: "a", ...said })
      yield* first.signal("change")
      yield* first.signal("again")
      const next = client.handle(Trip, "a")
      const described = yield* until(next.describe, ({ runId, turns }) => runId !== first.runId && turns > 0)
      const memo = { note: "last", when, legs: [1, 2] }
      const searchAttributes = { ...said.searchAttributes, total: 9.5, tags: ["a", "b"] }
      assert.deepInclude(described, { memo, searchAttributes, summary: said.summary, details: said.details })
      assert.deepStrictEqual(yield* next.query("seen"), plain([memo, searchAttributes]))
      assert.deepStrictEqual(yield* rows(described.runId), yield* rows(first.runId))
    }), disk)

  test(
    "other things to the run that continues it, where it is told so; what is not told it takes over (K10, W12)",
    () =>
      Effect.gen(function*() {
        const Leg = Workflow.make("Leg", {
          payload: Schema.Number,
          success: Schema.Unknown,
          memo: { note: Schema.String, seats: Schema.Number },
          searchAttributes: { region: SearchAttribute.keyword, stops: SearchAttribute.int }
        })
        const legLive = Leg.toLayer((leg) =>
          Effect.gen(function*() {
            const info = yield* Workflow.info
            const seen = [
              yield* Workflow.memo(Leg),
              yield* Workflow.searchAttributes(Leg),
              info.memo,
              info.searchAttributes
            ]
            const next = (options?: Workflow.ContinueOptionsOf<typeof Leg>) =>
              Workflow.continueAsNew(Leg, leg + 1, options)
            yield* Workflow.upsertMemo(Leg, { seats: leg })
            const after = (yield* Workflow.info).memo
            if (leg === 1) return yield* next({ memo: { note: `after ${JSON.stringify(after)}` } })
            if (leg === 2) return yield* next({ searchAttributes: { stops: 2 } })
            if (leg === 3) return yield* next({ memo: {}, searchAttributes: {} })
            return seen
          })
        )
        const { client } = yield* run(Worker.layer({ hosts: [legLive] }))
        const first = yield* client.start(Leg, 1, {
          workflowId: "l",
          memo: { note: "first" },
          searchAttributes: { region: "eu" }
        })
        assert.deepStrictEqual(yield* first.result, [{}, {}, {}, {}])
        const store = yield* Store
        const runs = [...(yield* store.runs({ limit: 10 }))].sort((a, b) => a.runId < b.runId ? -1 : 1)
        const described = yield* Effect.forEach(runs, ({ runId }) => client.handle(Leg, "l", runId).describe)
        assert.deepStrictEqual(described.map(({ memo, searchAttributes }) => [memo, searchAttributes]), [
          [{ note: "first", seats: 1 }, { region: "eu" }],
          [{ note: "after {\"note\":\"first\",\"seats\":1}", seats: 2 }, { region: "eu" }],
          [{ note: "after {\"note\":\"first\",\"seats\":1}", seats: 3 }, { stops: 2 }],
          [{ seats: 4 }, {}]
        ])
        assert.deepStrictEqual(
          (yield* Effect.forEach(runs, ({ runId }) => rows(runId))).map((found) =>
            (found as ReadonlyArray<unknown>).length
          ),
          [1, 1, 1, 0]
        )
      }),
    disk
  )

  test("that a field is gone, also one that was not there: the event is written (W12)", () =>
    Effect.gen(function*() {
      const { client } = yield* worker
      const handle = yield* client.start(Trip, undefined, { workflowId: "a" })
      yield* handle.signal("clear")
      const events = (yield* until(handle.history, (turns) => turns.length > 1)).flatMap(({ events }) => events)
      assert.deepInclude(events, { _tag: "MemoUpserted", fields: [{ name: "note" }, { name: "when" }] })
      assert.deepInclude(events, {
        _tag: "SearchAttributesUpserted",
        attributes: [{ name: "region", type: "keyword" }, { name: "tags", type: "keywordList" }]
      })
      assert.deepInclude(yield* handle.describe, { memo: {}, searchAttributes: {} })
    }))

  test("its details by the metadata query (W20)", () =>
    Effect.gen(function*() {
      const { client } = yield* worker
      const handle = yield* client.start(Trip, undefined, { workflowId: "a", ...said })
      assert.deepInclude(yield* handle.raw.query("__metadata"), { summary: "to Rome", details: "**by train**" })
      assert.notProperty(yield* handle.raw.query("__metadata"), "currentDetails")
      yield* handle.signal("change")
      assert.deepInclude(yield* handle.raw.query("__metadata"), { currentDetails: "on the way" })
    }))

  test("nothing in a query (W14)", () =>
    Effect.gen(function*() {
      const { client } = yield* worker
      const handle = yield* client.start(Trip, undefined, { workflowId: "a", ...said })
      const error = yield* Effect.flip(handle.query("write"))
      assert.include(error.message, "Workflow.upsertMemo is not allowed there: it only reads")
      assert.deepStrictEqual((yield* handle.describe).memo, said.memo)
    }))

  test("what its definition does not declare or read is refused at the start (W13)", () =>
    Effect.gen(function*() {
      const client = yield* remote
      const refused = (options: object, reason: RegExp) =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(client.start(Trip, undefined, options))
          assert.instanceOf(error, ContractError)
          assert.match(error.message, reason)
        })
      yield* refused({ searchAttributes: { planet: "x" } }, /declares no search attribute planet; declared are: region/)
      yield* refused({ memo: { planet: "x" } }, /declares no memo planet; declared are: note/)
      yield* refused({ searchAttributes: { stops: 1.5 } }, /search attribute stops of workflow Trip.*exact/s)
      yield* refused({ searchAttributes: { region: "x".repeat(1_001) } }, /search attribute region/)
      yield* refused({ memo: { legs: [NaN] } }, /memo legs of workflow Trip/)
      yield* refused({ summary: "x".repeat(401) }, /summary: must have at most 400 characters/)
      yield* refused({ details: "x".repeat(20_001) }, /details: must have at most 20000 characters/)
    }))

  test("an undeclared name in the body fails the turn, as does another workflow's definition (W13)", () =>
    Effect.gen(function*() {
      const Lost = Workflow.make("Lost", { success: Schema.Unknown })
      const { client } = yield* run(Worker.layer({
        hosts: [Lost.toLayer(() => Workflow.upsertSearchAttributes(Lost, { planet: "x" } as never))]
      }))
      const handle = yield* client.start(Lost)
      const { attention } = yield* until(handle.describe, ({ attention }) => attention !== undefined)
      assert.include(attention?.message, "workflow Lost: declares no search attribute planet; declared are: none")
      const Other = Workflow.make("Other", { success: Schema.Unknown })
      const second = yield* run(Worker.layer({
        taskQueue: "other",
        hosts: [Other.toLayer(() => Workflow.upsertMemo(Trip, { note: "x" }))]
      }))
      const other = yield* second.client.start(Other)
      const seen = yield* until(other.describe, ({ attention }) => attention !== undefined)
      assert.include(seen.attention?.message, "it was given workflow Trip, in the body of Other")
    }))
})

/** As it comes through a result of unknown schema. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
