/**
 * Lists and counts (X13, X14): filters against an evaluation of their own, order, pages that stay as they are.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import type * as Layer from "effect/Layer"
import type { Behavior, Version } from "../../../src/core/family/Version.js"
import type { Condition, Filter, System, Value } from "../../../src/core/visibility/Filter.js"
import { isSystem, system, wordsOf } from "../../../src/core/visibility/Filter.js"
import type { AttributeChange, ListOptions, NewRun, Run, StoreError } from "../../../src/persistence/Store.js"
import { Store } from "../../../src/persistence/Store.js"
import { done, first, last, newRun, now, turn } from "./Samples.js"

type Status = Exclude<Run["status"], "Running">

interface Sample extends
  Pick<
    NewRun,
    "runId" | "workflowId" | "workflow" | "taskQueue" | "startedAt" | "startAt" | "attempt" | "scheduled"
  >
{
  readonly attributes: ReadonlyArray<AttributeChange>
  readonly closed: { readonly status: Status; readonly at: number } | undefined
  readonly parent: string | undefined
  readonly root?: string | undefined
  /** The version that took its last turn, and what its code and an override say. */
  readonly on?:
    | { readonly version: Version; readonly behavior: Behavior; readonly override: Behavior | undefined }
    | undefined
  /** Whether its end says how long its history is. */
  readonly counted?: boolean
}

const write = (sample: Sample) =>
  Effect.gen(function*() {
    const {
      attempt,
      attributes,
      closed,
      on,
      parent,
      root,
      runId,
      startAt,
      startedAt,
      taskQueue,
      workflow,
      workflowId
    } = sample
    const { scheduled } = sample
    const row = newRun(runId, {
      workflowId,
      workflow,
      taskQueue,
      startedAt,
      startAt,
      attempt,
      attributes,
      scheduled,
      rootWorkflowId: root,
      override: on?.override,
      ...(parent === undefined ? {} : { parent: { runId: parent, seq: 1, close: "Abandon" } })
    })
    yield* done([first(runId, on === undefined ? {} : { assigned: { ...on, pinnedTo: "" } }, row)], { now: startedAt })
    if (closed !== undefined) {
      const { at, status } = closed
      const historyLength = sample.counted === true ? 2 : undefined
      yield* done([last(runId, 2, { close: { status, at, refuseIfMail: true, historyLength } })])
    }
  })

const list = (options: Partial<ListOptions> = {}) =>
  Effect.flatMap(
    Store,
    (store) =>
      store.list({
        filter: undefined,
        order: "Closed",
        asOf: now + 1_000_000,
        after: undefined,
        limit: 100,
        ...options
      })
  )

const ids = (runs: ReadonlyArray<{ readonly runId: string }>) => runs.map(({ runId }) => runId)

// --- what a filter means, said once more

const columnOf = (run: Sample, name: System, all: ReadonlyArray<Sample>): Value | undefined => {
  const began = run.startAt ?? run.startedAt
  switch (name) {
    case "WorkflowId":
      return run.workflowId
    case "RunId":
    case "FirstRunId":
      return run.runId
    case "WorkflowType":
      return run.workflow
    case "TaskQueue":
      return run.taskQueue
    case "ExecutionStatus":
      return run.closed?.status ?? "Running"
    case "StartTime":
      return run.startedAt
    case "ExecutionTime":
      return began
    case "CloseTime":
      return run.closed?.at
    case "ExecutionDuration":
      return run.closed === undefined ? undefined : run.closed.at - began
    case "ParentRunId":
      return run.parent
    case "ParentWorkflowId":
      return all.find(({ runId }) => runId === run.parent)?.workflowId
    case "Attempt":
      return run.attempt ?? 1
    case "ScheduledById":
      return run.scheduled?.by
    case "ScheduledStartTime":
      return run.scheduled?.at
    case "RootWorkflowId":
      return run.root ?? run.workflowId
    case "HistoryLength":
      return run.closed === undefined ? 1 : 2
    case "DeploymentName":
      return run.on?.version.deployment
    case "BuildId":
      return run.on?.version.buildId
    case "VersioningBehavior":
      return run.on?.override ?? run.on?.behavior
  }
}

/** Each value of an attribute that can be compared with a value of that kind. */
const valuesOf = (
  run: Sample,
  name: string,
  like: Value
): ReadonlyArray<{ readonly value: Value; readonly word: boolean }> => {
  const found = run.attributes.find((attribute) => attribute.name === name)
  if (found === undefined) return []
  const { type, value } = found
  if (typeof like === "boolean") return type === "bool" ? [{ value: value as boolean, word: false }] : []
  if (typeof like === "number") {
    return ["int", "double", "datetime"].includes(type) ? [{ value: value as number, word: false }] : []
  }
  if (type === "keyword") return [{ value: value as string, word: false }]
  if (type === "keywordList") return (value as ReadonlyArray<string>).map((each) => ({ value: each, word: false }))
  return type === "text" ? wordsOf(value as string).map((each) => ({ value: each, word: true })) : []
}

const compares = (have: Value, operator: string, want: Value): boolean => {
  const order = have < want ? -1 : have > want ? 1 : 0
  switch (operator) {
    case "=":
      return order === 0
    case "<":
      return order < 0
    case "<=":
      return order <= 0
    case ">":
      return order > 0
    default:
      return order >= 0
  }
}

const meets = (run: Sample, filter: Filter, all: ReadonlyArray<Sample>): boolean => {
  switch (filter._tag) {
    case "And":
      return filter.filters.every((each) => meets(run, each, all))
    case "Or":
      return filter.filters.some((each) => meets(run, each, all))
    case "Not":
      return !meets(run, filter.filter, all)
    default:
      return isSystem(filter.attribute)
        ? meetsColumn(columnOf(run, filter.attribute, all), filter)
        : meetsAttribute(run, filter)
  }
}

const meetsColumn = (have: Value | undefined, condition: Condition): boolean => {
  if (condition._tag === "IsNull") return have === undefined
  if (have === undefined) return false
  switch (condition._tag) {
    case "Compare":
      return condition.operator === "!="
        ? !compares(have, "=", condition.value)
        : compares(have, condition.operator, condition.value)
    case "In":
      return condition.values.some((value) => compares(have, "=", value))
    case "Between":
      return compares(have, ">=", condition.from) && compares(have, "<=", condition.to)
    case "StartsWith":
      return String(have).startsWith(condition.prefix)
  }
}

const meetsAttribute = (run: Sample, condition: Condition): boolean => {
  const some = (operator: string, value: Value): boolean =>
    valuesOf(run, condition.attribute, value).some((each) =>
      each.word
        ? operator === "=" && wordsOf(String(value)).includes(String(each.value))
        : compares(each.value, operator, value)
    )
  const isSet = run.attributes.some(({ name }) => name === condition.attribute)
  switch (condition._tag) {
    case "IsNull":
      return !isSet
    case "Compare":
      return condition.operator === "!="
        ? isSet && !some("=", condition.value)
        : some(condition.operator, condition.value)
    case "In":
      return condition.values.some((value) => some("=", value))
    case "Between":
      // One value of a list, not one that is above and another that is below.
      return valuesOf(run, condition.attribute, condition.from).some((each) =>
        !each.word && compares(each.value, ">=", condition.from) &&
        valuesOf(run, condition.attribute, condition.to).some((same) =>
          !same.word && same.value === each.value && compares(same.value, "<=", condition.to)
        )
      )
    case "StartsWith":
      return valuesOf(run, condition.attribute, "").some(({ value, word }) =>
        String(value).startsWith(word ? condition.prefix.toLowerCase() : condition.prefix)
      )
  }
}

// --- what is drawn

const statuses = ["Completed", "Failed", "Canceled", "Terminated", "TimedOut"] as const
const words = ["ada", "Ada", "bob", "ab", "b", ""] as const
const texts = ["Ada met Bob", "bob", "", "ab-b"] as const

const attribute: FastCheck.Arbitrary<AttributeChange> = FastCheck.oneof(
  FastCheck.record({
    name: FastCheck.constant("customer"),
    type: FastCheck.constant("keyword" as const),
    value: FastCheck.constantFrom(...words)
  }),
  FastCheck.record({
    name: FastCheck.constant("customer"),
    type: FastCheck.constant("text" as const),
    value: FastCheck.constantFrom(...texts)
  }),
  FastCheck.record({
    name: FastCheck.constant("tags"),
    type: FastCheck.constant("keywordList" as const),
    value: FastCheck.array(FastCheck.constantFrom(...words), { maxLength: 3 })
  }),
  FastCheck.record({
    name: FastCheck.constant("amount"),
    type: FastCheck.constantFrom("int" as const, "double" as const),
    value: FastCheck.integer({ min: 0, max: 4 })
  }),
  FastCheck.record({
    name: FastCheck.constant("due"),
    type: FastCheck.constant("datetime" as const),
    value: FastCheck.integer({ min: 0, max: 4 })
  }),
  FastCheck.record({
    name: FastCheck.constant("paid"),
    type: FastCheck.constant("bool" as const),
    value: FastCheck.boolean()
  })
)

const samples: FastCheck.Arbitrary<ReadonlyArray<Sample>> = FastCheck.array(
  FastCheck.record({
    workflow: FastCheck.constantFrom("Order", "Ship"),
    taskQueue: FastCheck.constantFrom("orders", "far"),
    started: FastCheck.integer({ min: 0, max: 5 }),
    delay: FastCheck.option(FastCheck.integer({ min: 1, max: 3 }), { nil: undefined }),
    attempt: FastCheck.integer({ min: 1, max: 3 }),
    attributes: FastCheck.uniqueArray(attribute, { maxLength: 4, selector: ({ name }) => name }),
    closed: FastCheck.option(
      FastCheck.record({ status: FastCheck.constantFrom(...statuses), at: FastCheck.integer({ min: 6, max: 9 }) }),
      { nil: undefined }
    ),
    parent: FastCheck.option(FastCheck.integer({ min: 0, max: 3 }), { nil: undefined }),
    scheduled: FastCheck.option(
      FastCheck.record({
        by: FastCheck.constantFrom("r", "r1", "nightly"),
        at: FastCheck.integer({ min: 0, max: 9 }).map((n) => now + n)
      }),
      { nil: undefined }
    ),
    root: FastCheck.option(FastCheck.constantFrom("w1", "w2"), { nil: undefined }),
    on: FastCheck.option(
      FastCheck.record({
        version: FastCheck.record({
          deployment: FastCheck.constantFrom("Order", "r"),
          buildId: FastCheck.constantFrom("r1", "w2")
        }),
        behavior: FastCheck.constantFrom("Pinned" as const, "AutoUpgrade" as const),
        override: FastCheck.constantFrom(undefined, "Pinned" as const, "AutoUpgrade" as const)
      }),
      { nil: undefined }
    ),
    counted: FastCheck.boolean()
  }),
  { minLength: 1, maxLength: 8 }
).map((drawn) =>
  drawn.map(({ closed, delay, parent, started, ...rest }, index): Sample => ({
    ...rest,
    runId: `r${index}`,
    workflowId: `w${index}`,
    startedAt: now + started,
    startAt: delay === undefined ? undefined : now + started + delay,
    closed: closed === undefined ? undefined : { ...closed, at: now + closed.at },
    parent: parent === undefined ? undefined : `r${parent}`
  }))
)

const moment = FastCheck.integer({ min: 0, max: 9 }).map((n) => now + n)
const own: FastCheck.Arbitrary<readonly [string, FastCheck.Arbitrary<Value>]> = FastCheck.constantFrom(
  ["customer", FastCheck.constantFrom<Value>(...words, "bob ada")],
  ["tags", FastCheck.constantFrom<Value>(...words)],
  ["amount", FastCheck.integer({ min: 0, max: 4 })],
  ["due", FastCheck.integer({ min: 0, max: 4 })],
  ["paid", FastCheck.boolean()],
  ["nothing", FastCheck.constantFrom<Value>("x", 1, true)]
)
const ofKind: Readonly<Record<string, FastCheck.Arbitrary<Value>>> = {
  keyword: FastCheck.constantFrom<Value>("Order", "orders", "r1", "w2", "r", "w", "Pinned"),
  status: FastCheck.constantFrom<Value>("Running", ...statuses),
  datetime: moment,
  duration: FastCheck.integer({ min: 0, max: 9 }),
  int: FastCheck.integer({ min: 1, max: 3 })
}
const shared = FastCheck.constantFrom(...Object.entries(system)).map(([name, kind]) => [name, ofKind[kind]!] as const)

const condition: FastCheck.Arbitrary<Condition> = FastCheck.oneof(own, shared).chain(
  ([attribute, value]): FastCheck.Arbitrary<Condition> => {
    const isStatus = attribute === "ExecutionStatus"
    const isText = attribute === "customer" || attribute === "tags" ||
      (isSystem(attribute) && system[attribute] === "keyword")
    return FastCheck.oneof(
      FastCheck.record({
        _tag: FastCheck.constant("Compare" as const),
        attribute: FastCheck.constant(attribute),
        operator: isStatus
          ? FastCheck.constantFrom("=" as const, "!=" as const)
          : FastCheck.constantFrom(
            "=" as const,
            "!=" as const,
            "<" as const,
            "<=" as const,
            ">" as const,
            ">=" as const
          ),
        value
      }),
      FastCheck.record({
        _tag: FastCheck.constant("In" as const),
        attribute: FastCheck.constant(attribute),
        values: FastCheck.array(value, { minLength: 1, maxLength: 3 })
      }),
      FastCheck.constant({ _tag: "IsNull" as const, attribute }),
      ...(isStatus ? [] : [FastCheck.record({
        _tag: FastCheck.constant("Between" as const),
        attribute: FastCheck.constant(attribute),
        from: value,
        to: value
      })]),
      ...(isText
        ? [FastCheck.record({
          _tag: FastCheck.constant("StartsWith" as const),
          attribute: FastCheck.constant(attribute),
          prefix: FastCheck.constantFrom("a", "A", "b", "r", "w1", "Or", "")
        })]
        : [])
    )
  }
)

const filter: FastCheck.Arbitrary<Filter> = FastCheck.letrec<{ readonly filter: Filter }>((tie) => ({
  filter: FastCheck.oneof(
    { maxDepth: 3, withCrossShrink: true },
    condition,
    FastCheck.record({
      _tag: FastCheck.constantFrom("And" as const, "Or" as const),
      filters: FastCheck.array(tie("filter"), { minLength: 1, maxLength: 3 })
    }),
    FastCheck.record({ _tag: FastCheck.constant("Not" as const), filter: tie("filter") })
  )
})).filter

const clear = Effect.flatMap(
  Store,
  (store) =>
    Effect.flatMap(
      store.runs({ limit: 100 }),
      (runs) => Effect.forEach(runs, ({ runId }) => store.deleteRun(runId, { events: "[]", format: 1 }, now))
    )
)

export const suite = (layer: Layer.Layer<Store, StoreError>) => {
  it.effect("every filter finds what it says, and counts it (X13, X14, X15)", () =>
    Effect.gen(function*() {
      const runtime = yield* Effect.runtime<Store>()
      const property = FastCheck.asyncProperty(
        samples,
        FastCheck.array(filter, { minLength: 20, maxLength: 20 }),
        (runs, filters) =>
          Effect.gen(function*() {
            const store = yield* Store
            yield* clear
            yield* Effect.forEach(runs, write)
            for (const each of filters) {
              const expected = runs.filter((run) => meets(run, each, runs)).map(({ runId }) => runId)
              for (const order of ["Closed", "Newest", "Oldest"] as const) {
                assert.sameMembers(ids(yield* list({ filter: each, order })), expected, JSON.stringify(each))
              }
              const counts = yield* store.count(each)
              assert.strictEqual(counts.reduce((sum, { runs }) => sum + runs, 0), expected.length)
            }
          }).pipe(Effect.provide(runtime), Effect.runPromise)
      )
      yield* Effect.promise(() => FastCheck.assert(property, { numRuns: 25 }))
    }).pipe(Effect.provide(layer)), 60_000)

  const chain = (runId: string, startedAt: number, closedAt?: number): Sample => ({
    runId,
    workflowId: runId,
    workflow: "Order",
    taskQueue: "orders",
    startedAt: now + startedAt,
    startAt: undefined,
    attempt: 1,
    attributes: [],
    closed: closedAt === undefined ? undefined : { status: "Completed", at: now + closedAt },
    parent: undefined
  })

  it.effect("open ones come first, the newest first; then the last one closed (X13)", () =>
    Effect.gen(function*() {
      yield* Effect.forEach(
        [chain("a", 1), chain("b", 3), chain("c", 2, 9), chain("d", 1, 8), chain("e", 2, 8), chain("f", 3)],
        write
      )
      assert.deepStrictEqual(ids(yield* list()), ["f", "b", "a", "c", "e", "d"])
      assert.deepStrictEqual(ids(yield* list({ order: "Newest" })), ["f", "b", "e", "c", "d", "a"])
      assert.deepStrictEqual(ids(yield* list({ order: "Oldest" })), ["a", "d", "c", "e", "b", "f"])
      const store = yield* Store
      assert.deepStrictEqual(
        [...yield* store.count(undefined)].sort((a, b) => a.status.localeCompare(b.status)),
        [{ status: "Completed", runs: 3 }, { status: "Running", runs: 3 }]
      )
    }).pipe(Effect.provide(layer)))

  it.effect("pages show each run once, whatever starts and closes meanwhile (X13)", () =>
    Effect.gen(function*() {
      const runs = Array.from({ length: 12 }, (_, index) =>
        chain(`r${String(index).padStart(2, "0")}`, index, index % 3 === 0 ? 20 + index : undefined))
      yield* Effect.forEach(runs, write)
      for (const order of ["Closed", "Newest", "Oldest"] as const) {
        const whole = ids(yield* list({ order, asOf: now + 100 }))
        assert.strictEqual(whole.length, 12 + (order === "Closed" ? 0 : 0))
        const seen: Array<string> = []
        let after: ListOptions["after"]
        let turns = 0
        for (;;) {
          const page = yield* list({ order, asOf: now + 100, after, limit: 3 })
          if (page.length === 0) {
            break
          }
          seen.push(...ids(page))
          const { closedAt, runId, startedAt } = page.at(-1)!
          after = { startedAt, runId, ...(closedAt === undefined || closedAt > now + 100 ? {} : { closedAt }) }
          // One that was seen closes, one that was not does, and one starts.
          const open = (yield* list({ order: "Newest" })).filter(({ status }) =>
            status === "Running"
          )
          const at = now + 200 + turns
          const closing = [...open.filter(({ runId }) => seen.includes(runId)).slice(0, 1), ...open.slice(-1)]
          for (const { runId } of new Set(closing)) {
            yield* done([turn(runId, 2 + turns, { close: { status: "Failed", at, refuseIfMail: true } })])
          }
          yield* write({ ...chain(`new ${order} ${turns}`, 0), startedAt: at })
          turns++
        }
        assert.deepStrictEqual(seen, whole, order)
        yield* clear
        yield* Effect.forEach(runs, write)
      }
    }).pipe(Effect.provide(layer)))
}
