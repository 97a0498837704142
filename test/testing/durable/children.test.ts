/**
 * Parents and children under every crash: the process is killed before and after each operation of its store, and what
 * the parent comes to, how often each child was started, and what it was told of each stay the same; and bugs that show
 * only where the one ends and the other goes on are found.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Activity, ChildWorkflowError, Workflow } from "perdure"
import { Durable } from "perdure/testing"

const durable = Durable.withRunner(it)

class Broken extends Schema.TaggedError<Broken>()("Broken", { part: Schema.String }) {}

const Weld = Activity.make("Weld", {
  payload: Schema.String,
  success: Schema.Number,
  error: Broken,
  startToCloseTimeout: "1 minute",
  retry: { maximumAttempts: 2, nonRetryable: ["Broken"] }
})

const Part = Workflow.make("Part", {
  payload: Schema.String,
  success: Schema.Number,
  error: Broken,
  signals: { hurry: {} }
})
const partLive = Part.toLayer((part) =>
  Effect.gen(function*() {
    return Part.of({
      signals: { hurry: () => Effect.void },
      run: Effect.zipRight(Effect.sleep("1 hour"), Weld.execute(part))
    })
  })
)

const tags = (turns: ReadonlyArray<{ readonly events: ReadonlyArray<{ readonly _tag: string }> }>, tag: string) =>
  turns.flatMap(({ events }) => events).filter(({ _tag }) => _tag === tag).length

describe("under every crash", () => {
  const Car = Workflow.make("Car", { payload: Schema.Literal("a", "b"), success: Schema.Number, error: Broken })
  const carLive = Car.toLayer((kind) =>
    Effect.gen(function*() {
      const door = yield* Part.start(`door ${kind}`)
      yield* door.signal("hurry")
      const [wheel, weight] = yield* Effect.all([Part.execute(`wheel ${kind}`), door.result], {
        concurrency: "unbounded"
      })
      return wheel + weight
    })
  )
  durable("each child is started once, and its outcome told once (K1, K3, R11)", Car, {
    hosts: () => [carLive, partLive],
    activities: [Weld],
    runs: 3,
    crashPointsMax: 50,
    holds: ({ outcome, turns }) => {
      assert.strictEqual(tags(turns, "ChildStartRequested"), 2)
      if (outcome._tag !== "Completed") return
      assert.strictEqual(tags(turns, "ChildStarted"), 2)
      assert.strictEqual(tags(turns, "ChildCompleted"), 2)
      assert.strictEqual(tags(turns, "ExternalSignaled"), 1)
    },
    timeoutMillis: 120_000
  })

  const Race = Workflow.make("Race", { payload: Schema.Literal("a", "b"), success: Schema.String, error: Broken })
  const raceLive = Race.toLayer((kind) =>
    Effect.gen(function*() {
      const late = yield* Effect.timeoutOption(Part.execute(kind, { workflowId: "slow" }), "10 minutes")
      const next = yield* Effect.either(Part.execute(kind, { workflowId: "slow", cancellation: "TryCancel" }))
      return `${late._tag} ${next._tag}`
    })
  )
  durable("a child that is canceled has gone before the next one of its id comes (K2, K5)", Race, {
    hosts: () => [raceLive, partLive],
    activities: [Durable.script(Weld, ...Array.from({ length: 4 }, () => ({ _tag: "Succeeds", value: 1 }) as const))],
    runs: 2,
    crashPointsMax: 50,
    cancels: false,
    holds: ({ outcome }) => assert.deepStrictEqual(outcome, { _tag: "Completed", value: "None Right" }),
    timeoutMillis: 120_000
  })
})

describe("a child without a body", () => {
  const Bill = Workflow.make("Bill", {
    payload: Schema.String,
    success: Schema.Literal("whole", "broken"),
    error: Broken,
    signals: { hurry: {} }
  })
  const bill = (catches: (error: Broken | ChildWorkflowError) => boolean) =>
    Bill.toLayer((part) =>
      Effect.sync(() =>
        Bill.of({
          signals: { hurry: () => Effect.void },
          run: Effect.gen(function*() {
            const child = yield* Part.start(part)
            yield* Effect.ignore(child.signal("hurry"))
            return yield* Effect.matchEffect(child.result, {
              onSuccess: () => Effect.succeed("whole" as const),
              onFailure: (error) => catches(error) ? Effect.succeed("broken" as const) : Effect.fail(error)
            })
          })
        })
      )
    )

  durable("ends in all ways that its contract declares, fails otherwise, and takes its time (K3, R11)", Bill, {
    hosts: () => [bill((error) => !(error instanceof ChildWorkflowError) || !error.isCanceled)],
    children: [Part],
    cancels: false,
    runs: 25,
    crashPointsMax: 6,
    holds: ({ children, outcome }) => {
      assert.strictEqual(outcome._tag, "Completed")
      assert.deepStrictEqual(children.map(({ workflow }) => workflow), ["Part"])
    },
    report: ({ branches, missing }) => {
      // What it catches it does not fail with.
      assert.deepStrictEqual(missing, ["run: Broken"])
      const ways = [...branches.find(({ of }) => of === "child Part")!.ways.keys()]
      assert.includeMembers(ways, ["completed", "Broken", "Died", "Timeout"])
    }
  })

  it.live("that fails in a way which its parent does not think of is found", () =>
    Effect.gen(function*() {
      const { kind, message } = yield* Effect.flip(Durable.check(Bill, {
        hosts: () => [bill((error) => error instanceof Broken)],
        children: [Part],
        cancels: false,
        runs: 25,
        crashPointsMax: 5,
        shrinkMillis: 500,
        holds: ({ outcome }) => assert.strictEqual(outcome._tag, "Completed")
      }))
      assert.strictEqual(kind, "Holds")
      assert.match(message, /✗ child Part run-1\/1: (Timeout|Died): /)
      assert.match(message, /Bill what happened: Failed\n(.*\n)+.*child Part .*\n(.*\n)+\nPart .*: Failed\n/)
    }), 60_000)

  durable("ends as it is told to, one call after the other", Bill, {
    hosts: () => [bill(() => true)],
    children: [Durable.script(Part, { _tag: "Fails", error: new Broken({ part: "a" }) })],
    cancels: false,
    runs: 1,
    crashPointsMax: 10,
    holds: ({ outcome }) => assert.deepStrictEqual(outcome, { _tag: "Completed", value: "broken" })
  })
})

describe("when its parent ends", () => {
  /** Starts a part, and does not wait for it. */
  const Rush = Workflow.make("Rush", { payload: Schema.Literal("Terminate", "RequestCancel", "Abandon") })
  const rush = Rush.toLayer((parentClosePolicy) => Effect.asVoid(Part.start("a", { parentClosePolicy })))
  const statuses = { Terminate: "Terminated", RequestCancel: "Canceled", Abandon: "Completed" } as const

  durable("a child is treated by its policy, once, wherever the process dies (K4, I3)", Rush, {
    hosts: () => [rush, partLive],
    activities: [Durable.script(Weld, { _tag: "Succeeds", value: 1 })],
    runs: 6,
    cancels: false,
    crashPointsMax: 30,
    holds: ({ children, input, outcome }) => {
      assert.strictEqual(outcome._tag, "Completed")
      assert.deepStrictEqual(children.map(({ status }) => status), [statuses[input]])
    }
  })

  it.live("one that is left alone by mistake goes on, and is found doing so", () =>
    Effect.gen(function*() {
      const { kind, message } = yield* Effect.flip(Durable.check(Rush, {
        hosts: () => [Rush.toLayer(() => Effect.asVoid(Part.start("a", { parentClosePolicy: "Abandon" }))), partLive],
        activities: [Weld],
        runs: 5,
        crashPointsMax: 5,
        shrinkMillis: 500,
        cancels: false,
        holds: ({ children }) => {
          for (const { turns } of children) assert.strictEqual(tags(turns, "ActivityScheduled"), 0, "welds for nobody")
        }
      }))
      assert.strictEqual(kind, "Holds")
      assert.match(message, /Rush what happened: Completed\n(.*\n)+\nPart .*: Completed\n(.*\n)+.*activity Weld #2/)
    }), 60_000)
})

describe("when its parent is canceled", () => {
  const Patient = Workflow.make("Patient", { success: Schema.Number, error: Broken })
  const patient = (cancellation: "WaitCancellationCompleted" | "Abandon") =>
    Patient.toLayer(() => Part.execute("a", { cancellation, parentClosePolicy: "Abandon" }))
  const canceling = {
    activities: [Durable.script(Weld, { _tag: "Succeeds", value: 1 })],
    messagesMax: 2,
    runs: 10,
    crashPointsMax: 20,
    holds: (
      { children, outcome, turns }: Pick<Durable.Trial<typeof Patient, void>, "children" | "outcome" | "turns">
    ) => {
      if (outcome._tag !== "Canceled") return
      // It may have been done before the request came.
      const told = tags(turns, "ChildCanceled") + tags(turns, "ChildCompleted")
      assert.strictEqual(told, children.length, "the child goes on")
    }
  } as const

  durable("a child that it waits for is canceled first (C3, K5)", Patient, {
    ...canceling,
    hosts: () => [patient("WaitCancellationCompleted"), partLive],
    report: ({ branches }) => assert.isAbove(branches.find(({ of }) => of === "run")!.ways.get("canceled")!, 0)
  })

  it.live("one that is not told is found", () =>
    Effect.gen(function*() {
      const { detail, kind, message } = yield* Effect.flip(Durable.check(Patient, {
        ...canceling,
        hosts: () => [patient("Abandon"), partLive],
        shrinkMillis: 500
      }))
      assert.strictEqual(kind, "Holds")
      assert.include(detail, "the child goes on")
      assert.match(message, /Patient what happened: Canceled\n(.*\n)+\nPart .*: Completed\n/)
    }), 60_000)
})
