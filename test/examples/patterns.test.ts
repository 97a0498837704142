/**
 * Each pattern, killed at every operation of its store, with activities that answer anything.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { TestEnvironment } from "perdure/testing"
import { Durable } from "perdure/testing"
import * as Approval from "../../examples/patterns/approval.js"
import * as Cart from "../../examples/patterns/cart.js"
import * as Children from "../../examples/patterns/children.js"
import * as FanOut from "../../examples/patterns/fan-out.js"
import * as Greeting from "../../examples/patterns/greeting.js"
import * as LargeFile from "../../examples/patterns/large-file.js"
import * as Loop from "../../examples/patterns/loop.js"
import * as Mutex from "../../examples/patterns/mutex.js"
import * as Polling from "../../examples/patterns/polling.js"
import * as Saga from "../../examples/patterns/saga.js"
import * as SlidingWindow from "../../examples/patterns/sliding-window.js"
import * as UpdatableTimer from "../../examples/patterns/updatable-timer.js"
import * as Killed from "./Killed.js"

const durable = Durable.withRunner((name, run, millis) => it(name, run, millis))

/** What is drawn is enough to reach all that the contracts declare; and no crash point is left out. */
const complete = ({ crashPoints, missing }: Durable.Report): void => {
  assert.deepStrictEqual(missing, [])
  assert.isAbove(crashPoints.tried, 10)
  assert.strictEqual(crashPoints.tried, crashPoints.of)
}

describe("under all crashes (P1)", () => {
  durable("greeting", Greeting.Greeting, {
    hosts: () => [Greeting.GreetingLive],
    activities: [Greeting.Compose],
    runs: 10,
    report: complete
  })

  durable("saga: what may be booked is canceled when the trip is not", Saga.Trip, {
    hosts: () => [Saga.TripLive],
    activities: [Saga.BookFlight, Saga.BookHotel, Saga.BookCar, Saga.CancelFlight, Saga.CancelHotel],
    compensations: [
      { of: Saga.BookFlight, by: Saga.CancelFlight, inDoubt: true },
      { of: Saga.BookHotel, by: Saga.CancelHotel, inDoubt: true }
    ],
    runs: 25,
    report: complete
  })

  durable("approval: expires only when nobody decided in time", Approval.Approval, {
    hosts: () => [Approval.ApprovalLive],
    activities: [Approval.Remind],
    runs: 20,
    holds: ({ outcome, received }) => {
      const [first] = received("decide")
      if (outcome._tag !== "Completed") return
      if (outcome.value === "expired") assert.isUndefined(first)
      else assert.strictEqual(outcome.value, first?.approved === true ? "approved" : "rejected")
    },
    report: complete
  })

  durable("polling", Polling.Poll, {
    hosts: () => [Polling.PollLive],
    activities: [Polling.Check],
    runs: 20,
    // It gives up after a day of checks that all said "not ready": no plan is that long.
    report: ({ missing }) => assert.deepStrictEqual(missing, ["run: NotReady"])
  })

  durable("fan-out: each page is counted or told of", FanOut.CountAll, {
    hosts: () => [FanOut.CountAllLive],
    activities: [FanOut.Count],
    input: FastCheck.record({ pages: FastCheck.array(FastCheck.constantFrom("a", "b", "c"), { maxLength: 3 }) }),
    runs: 20,
    holds: ({ completed, input, outcome }) => {
      if (outcome._tag !== "Completed") return
      assert.strictEqual(completed("Count") + outcome.value.unreadable.length, input.pages.length)
    },
    report: complete
  })

  durable("updatable timer: the highest bid wins, and no bid is lost", UpdatableTimer.Auction, {
    hosts: () => [UpdatableTimer.AuctionLive],
    runs: 20,
    holds: ({ outcome, sent }) => {
      if (outcome._tag !== "Completed") return
      const bids = sent.flatMap(({ message, state }) =>
        message._tag === "Update" && state === "acknowledged"
          ? [(message.payload as { readonly cents: number }).cents]
          : []
      )
      assert.strictEqual(outcome.value.cents, Math.max(0, ...bids))
    },
    report: complete
  })

  durable("children: a country counts what its regions count", Children.Country, {
    hosts: () => [Children.CountryLive, Children.RegionLive],
    activities: [Children.CountShop],
    runs: 8,
    crashPointsMax: 60
  })

  durable("large file: every line is taken in, in one or several attempts", LargeFile.ImportFile, {
    world: () => new Set<number>(),
    hosts: (taken) => [LargeFile.ImportFileLive, LargeFile.importer((line) => Effect.sync(() => taken.add(line)))],
    input: FastCheck.record({ file: FastCheck.constant("a.csv"), lines: FastCheck.integer({ min: 1, max: 250 }) }),
    runs: 10,
    holds: ({ input, outcome, world }) => {
      if (outcome._tag === "Completed") assert.strictEqual(world.size, input.lines)
    },
    report: complete
  })

  durable("loop: every month is paid once, over all runs, until it is quit", Loop.Subscription, {
    hosts: () => [Loop.SubscriptionLive],
    activities: [Durable.script(Loop.Charge)],
    input: FastCheck.constant({ customer: "ada", paidMonths: 20 }),
    messagesMax: 2,
    // It goes on for ever.
    mayWait: true,
    chainMax: 2,
    runs: 8,
    crashPointsMax: 10,
    holds: ({ completed, outcome, query }) => {
      assert.strictEqual(query("paidMonths"), 20 + completed("Charge"))
      if (outcome._tag === "Completed") assert.strictEqual(outcome.value.paidMonths, 20 + completed("Charge"))
    }
  })

  durable("sliding window: every record is stored by a child of its own, over all runs", SlidingWindow.Batch, {
    hosts: () => [SlidingWindow.BatchLive, SlidingWindow.RecordLive],
    activities: [Durable.script(SlidingWindow.Store)],
    input: FastCheck.constantFrom({ from: 0, to: 2, done: 0 }, { from: 0, to: 11, done: 0 }),
    runs: 5,
    crashPointsMax: 12,
    holds: ({ children, input, outcome }) => {
      if (outcome._tag === "Completed") assert.deepStrictEqual([outcome.value, children.length], [input.to, input.to])
    }
  })

  durable("cart: what was put in is there, over all rollovers", Cart.Cart, {
    hosts: () => [Cart.CartLive],
    runs: 12,
    crashPointsMax: 20,
    holds: ({ query, received, updated }) => {
      if (received("remove").length > 0) return
      assert.strictEqual(query("total"), updated("add").reduce((sum, { cents }) => sum + cents, 0))
    }
  })
})

describe("what each pattern plays", () => {
  const plays = (name: string, { hosts, play }: Killed.Play, expected: unknown) =>
    it.effect(`${name} gives what it says`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* play, expected)
      }).pipe(Effect.provide(TestEnvironment.layer({ hosts }))))
  // Of what needs more than one execution that a client starts, or a client to begin it.
  const playsKilled = (name: string, { hosts, play }: Killed.Play, expected: unknown) => {
    plays(name, { hosts, play }, expected)
    it.live(`${name} gives the same wherever its worker is killed (P1)`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* Killed.everywhere({ hosts, play }, 40), expected)
      }), 120_000)
  }
  const of = (pattern: object) => pattern as Killed.Play

  plays("greeting", of(Greeting), ["Hello, Ada!", "Goodbye, Ada!"])
  plays("saga", of(Saga), new Saga.SoldOut({ what: "car" }))
  plays("approval", of(Approval), { "a new office": "expired", "a new chair": "approved" })
  plays("polling", of(Polling), "render-7 is done")
  plays("fan-out", of(FanOut), { words: 15, unreadable: ["torn four"] })
  plays("updatable timer", of(UpdatableTimer), { winner: "Grace", cents: 1_000 })
  plays("loop", of(Loop), { paidMonths: 23 })
  plays("large file", of(LargeFile), 1_000)
  plays("children", of(Children), { total: 48, closed: ["moon"] })
  plays("sliding window", of(SlidingWindow), 25)
  playsKilled("cart", of(Cart), 3_900)
  playsKilled("mutex", of(Mutex), "all pages are printed")
})
