/**
 * Chains of runs under every crash: what continues as new and what is tried again is followed to its end, and bugs that
 * show only where one run hands over to the next are found and drawn.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { Activity, State, Workflow } from "perdure"
import { Durable } from "perdure/testing"

const durable = Durable.withRunner((name, run, millis) => it(name, run, millis))

const few = { runs: 15, shrinkMillis: 1_000 }

const Poll = Activity.make("Poll", { success: Schema.Int, startToCloseTimeout: "5 seconds" })

/** Adds up what it polls and is told, a poll a run. */
const Meter = Workflow.make("Meter", {
  payload: { total: Schema.Int, polls: Schema.Int },
  success: Schema.Int,
  signals: { add: { payload: Schema.Int } },
  queries: { total: { success: Schema.Int } }
})

const meter = (keeps: "all" | "what it knew") =>
  Meter.toLayer(({ polls, total: before }) =>
    Effect.gen(function*() {
      const total = yield* State.make(before)
      return Meter.of({
        signals: { add: (count) => total.update((sum) => sum + count) },
        queries: { total: () => total.get },
        run: Effect.gen(function*() {
          const known = yield* total.get
          const polled = yield* Effect.orDie(Poll.execute())
          yield* total.update((sum) => sum + polled)
          if (polls <= 1) return yield* total.get
          const next = keeps === "all" ? yield* total.get : known + polled
          return yield* Workflow.continueAsNew(Meter, { total: next, polls: polls - 1 })
        })
      })
    })
  )

const metering = {
  activities: [
    Durable.script(Poll, ...[1, 10, 100].map((value) => ({ _tag: "Succeeds", value }) as const))
  ],
  input: FastCheck.constant({ total: 0, polls: 3 }),
  cancels: false
} as const

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((one, other) => one + other, 0)

describe("a workflow that continues as new", () => {
  durable("is followed to its end, and no signal is lost on the way (K10, S3, U7)", Meter, {
    ...metering,
    runs: 6,
    crashPointsMax: 60,
    hosts: () => [meter("all")],
    holds: ({ completed, outcome, query, received, runs }) => {
      assert.deepStrictEqual(outcome, { _tag: "Completed", value: 111 + sum(received("add")) })
      assert.strictEqual(query("total"), 111 + sum(received("add")))
      assert.strictEqual(completed("Poll"), 3)
      assert.deepStrictEqual(runs.map(({ status }) => status), ["ContinuedAsNew", "ContinuedAsNew", "Completed"])
    },
    report: ({ branches, crashPoints, missing }) => {
      assert.deepStrictEqual(missing, [])
      assert.isAtLeast(crashPoints.tried, 60)
      assert.isAbove(branches.find(({ of }) => of === "run")!.ways.get("continued as new")!, 100)
    }
  })

  it.live("and forgets what came while it polled: it is found, and drawn run by run", () =>
    Effect.gen(function*() {
      const { kind, message } = yield* Effect.flip(Durable.check(Meter, {
        ...metering,
        ...few,
        hosts: () => [meter("what it knew")],
        holds: ({ outcome, received }) =>
          assert.deepStrictEqual(outcome, { _tag: "Completed", value: 111 + sum(received("add")) })
      }))
      assert.strictEqual(kind, "Holds")
      assert.match(message, /messages {2}signal add -?\d+\n/)
      assert.match(message, /Meter what happened: ContinuedAsNew\n/)
      assert.match(message, /◀ signal add/)
      assert.match(message, /└▶ continued as new \{"total":\d+,"polls":2\}\nMeter what happened, run 2: /)
      assert.match(message, /Meter what happened, run 3: Completed\n/)
    }), 60_000)

  it.live("for ever is told of, unless it may: whether it waits between runs or not", () =>
    Effect.gen(function*() {
      const Forever = Workflow.make("Forever", { payload: Schema.Literal("slowly", "at once") })
      const forever = Forever.toLayer((how) =>
        Effect.zipRight(how === "slowly" ? Effect.sleep("1 day") : Effect.void, Workflow.continueAsNew(Forever, how))
      )
      for (const how of ["slowly", "at once"] as const) {
        const options = {
          hosts: () => [forever],
          input: FastCheck.constant(how),
          cancels: false,
          chainMax: 5,
          runs: 1,
          shrinkMillis: 100
        }
        const { detail, kind } = yield* Effect.flip(Durable.check(Forever, options))
        assert.strictEqual(kind, "Endless")
        assert.include(detail, "after 5 runs of its chain")
        const { branches } = yield* Durable.check(Forever, {
          ...options,
          mayWait: true,
          crashPointsMax: 5,
          holds: ({ outcome, runs }) => {
            assert.strictEqual(outcome._tag, "Open")
            assert.isAtLeast(runs.length, 6)
          }
        })
        assert.isAbove(branches.find(({ of }) => of === "run")!.ways.get("continued as new")!, 10)
      }
    }), 60_000)
})

describe("a workflow that is tried again", () => {
  class NoRoom extends Schema.TaggedError<NoRoom>()("NoRoom", {}) {}
  const contract = { payload: Schema.String, startToCloseTimeout: "5 seconds" } as const
  const Book = Activity.make("Book", contract)
  const Pay = Activity.make("Pay", { ...contract, error: NoRoom, retry: { maximumAttempts: 1 } })
  const Unbook = Activity.make("Unbook", contract)
  const Trip = Workflow.make("Trip", {
    payload: Schema.Literal("here", "there"),
    success: Schema.Int,
    error: NoRoom,
    retry: { initialInterval: "1 hour", maximumAttempts: 3 }
  })
  const trip = (isCareful: boolean) =>
    Trip.toLayer((where) =>
      Effect.gen(function*() {
        const { attempt } = yield* Workflow.info
        const book = Effect.orDie(Book.execute(where))
        yield* isCareful ? Workflow.withCompensation(book, () => Effect.orDie(Unbook.execute(where))) : book
        yield* Pay.execute(where)
        return attempt
      })
    )
  const compensations = [{ of: Book, by: Unbook }]

  durable("ends as its last attempt does, and every attempt undoes what it did (X9)", Trip, {
    hosts: () => [trip(true)],
    activities: [Durable.script(Book), Pay, Durable.script(Unbook)],
    compensations,
    runs: 20,
    crashPointsMax: 15,
    holds: ({ outcome, runs, turns }) => {
      if (outcome._tag === "Completed") assert.strictEqual(outcome.value, runs.length)
      // None follows a cancel request.
      const isCanceled = turns.some(({ events }) => events.some(({ _tag }) => _tag === "CancelRequested"))
      if (outcome._tag === "Failed" && !isCanceled) assert.strictEqual(runs.length, 3)
      for (const { status } of runs.slice(0, -1)) assert.strictEqual(status, "Failed")
    },
    report: ({ branches, missing }) => {
      assert.deepStrictEqual(missing.filter((each) => each !== "run: NoRoom"), [])
      assert.isAbove(branches.find(({ of }) => of === "run")!.ways.get("retried")!, 0)
    }
  })

  it.live(
    "and leaves something behind in an attempt that failed: it is found, although the trip is made",
    () =>
      Effect.gen(function*() {
        const { detail, kind, message } = yield* Effect.flip(Durable.check(Trip, {
          ...few,
          hosts: () => [trip(false)],
          activities: [
            Durable.script(Book),
            Durable.script(Pay, { _tag: "Fails", error: new NoRoom() }),
            Durable.script(Unbook)
          ],
          cancels: false,
          compensations
        }))
        assert.strictEqual(kind, "Compensation")
        assert.strictEqual(detail, "Book was done once, attempt 1 ended as Failed, and Unbook was done never")
        assert.match(message, /└─ failed: NoRoom.*\nTrip what happened, run 2: Completed/)
      }),
    60_000
  )
})

describe("a cancel request over a chain", () => {
  /** Waits an hour a run, three runs long. */
  const Watch = Workflow.make("Watch", { payload: Schema.Int, success: Schema.String })
  const watch = (heeds: boolean) =>
    Watch.toLayer((hours) => {
      const hour = Effect.sleep("1 hour")
      return Effect.gen(function*() {
        if (heeds) yield* hour
        // As one that wants to end its round in good order, and then forgets why.
        else yield* Workflow.catchCancel(hour, () => Effect.void)
        return hours <= 1 ? "done" : yield* Workflow.continueAsNew(Watch, hours - 1)
      })
    })
  const watching = {
    input: FastCheck.constant(3),
    messagesMax: 1,
    holds: ({ outcome, sent }: Pick<Durable.Trial<typeof Watch, void>, "outcome" | "sent">) => {
      const asked = sent.some(({ message, state }) => message._tag === "Cancel" && state === "acknowledged")
      assert.strictEqual(outcome._tag, asked ? "Canceled" : "Completed")
    }
  }

  durable("reaches whichever run is open, and ends the chain (C1, K10)", Watch, {
    ...watching,
    runs: 12,
    crashPointsMax: 30,
    hosts: () => [watch(true)],
    report: ({ branches }) => assert.isAbove(branches.find(({ of }) => of === "run")!.ways.get("canceled")!, 10)
  })

  it.live("that one run takes in and the next does not know of is found", () =>
    Effect.gen(function*() {
      const { detail, kind, message } = yield* Effect.flip(Durable.check(Watch, {
        ...watching,
        ...few,
        hosts: () => [watch(false)]
      }))
      assert.strictEqual(kind, "Holds")
      assert.include(detail, "Canceled")
      assert.match(message, /◀ cancel: by the plan\n.*is canceled\n.*└▶ continued as new 2\nWatch what happened, run 2/)
    }), 60_000)
})
