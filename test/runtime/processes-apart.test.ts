/**
 * Parents and children in two processes on one file, each killed at its time; and attempts that a process hands over to
 * another one.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ApplicationError, Client, type Description, Liveness } from "perdure"
import { Store } from "perdure/sqlite"
import * as Kin from "../../src/testing/durable/Kin.js"
import * as Runs from "../../src/testing/durable/Runs.js"
import { Ask, Car, Silent, Survey } from "./processes/contract.js"
import * as Processes from "./processes/Processes.js"
import { until } from "./World.js"

const test = Processes.tests(new URL("./processes/garage.ts", import.meta.url), "60 seconds")

const parts = { taskQueue: "parts", workflows: false }

/** All runs of the store; what they say of each other must be the same story. */
const runs = Effect.gen(function*() {
  const { chain, others } = yield* Runs.read(yield* Store)
  const all = [...chain, ...others]
  assert.deepStrictEqual(Kin.faults(all, () => false), [])
  return all
})

const count = (turns: Runs.Recorded["turns"], tag: string) =>
  turns.flatMap(({ events }) => events).filter(({ _tag }) => _tag === tag).length

const statuses = Effect.flatMap(Store, (store) =>
  Effect.map(
    store.runs({ limit: 99 }),
    (all) => all.filter(({ workflow }) => workflow === "Part").map(({ status }) => status)
  ))

describe("a child in another process than its parent", () => {
  test("takes signals, gives its result, and is canceled (K1, K3, K5, K8)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      yield* Effect.all([world.worker("cars"), world.worker("parts", parts)], { concurrency: 2 })
      world.go()
      const car = yield* client.start(Car, { parts: ["door", "wheel"] }, { workflowId: "car" })
      yield* car.signal("finish", "red")
      assert.deepStrictEqual(yield* car.result, ["door, red: welded", "wheel, red: welded"])

      const scrapped = yield* client.start(Car, { parts: ["door"] }, { workflowId: "scrap" })
      yield* scrapped.signal("scrap", "too old")
      assert.deepStrictEqual(yield* scrapped.result, ["Canceled: canceled: too old"])

      const canceled = yield* client.start(Car, { parts: ["door"] }, { workflowId: "canceled" })
      yield* until(statuses, (all) => all.includes("Running"))
      yield* canceled.cancel("no buyer")
      assert.deepInclude(yield* Effect.flip(canceled.result), { status: "Canceled" })
      // Whom the parent did not wait for its end takes along.
      yield* until(statuses, (all) => !all.includes("Running"))
      yield* runs
    }))

  test("waits for a process that serves its queue, and ends with its parent where none does (K4, K6)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      yield* world.worker("cars")
      const late = yield* client.start(Car, { parts: ["door"] }, { workflowId: "late" })
      yield* late.signal("finish", "blue")
      const lonely = yield* client.start(Car, { parts: ["door"] }, { workflowId: "lonely" })
      yield* lonely.signal("scrap", "nobody there")
      assert.deepStrictEqual(yield* lonely.result, ["Canceled: canceled: nobody there"])
      world.go()
      yield* world.worker("parts", parts)
      assert.deepStrictEqual(yield* late.result, ["door, blue: welded"])
      yield* runs
    }))

  test("loses and doubles nothing, whichever of both processes is killed, and when (K1, K3, K8, I3, I4)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      const store = yield* Store
      let cars = yield* world.worker("cars 1")
      const started = yield* Effect.forEach(
        ["a", "b", "c"],
        (id) => client.start(Car, { parts: ["door", "wheel"] }, { workflowId: id })
      )
      // Nobody serves their queue yet: the children are there, and have not begun.
      yield* until(store.runs({ limit: 99 }), (all) => all.length >= 3)
      yield* cars.kill
      yield* Effect.forEach(started, (car) => car.signal("finish", "red"))
      const [next, first] = yield* Effect.all([world.worker("cars 2"), world.worker("parts 1", parts)], {
        concurrency: 2
      })
      cars = next
      // All of them are being welded, and none can end: their process dies with all that it has in hand.
      yield* until(Effect.sync(() => first.said().split("welding").length - 1), (welding) => welding === 6)
      yield* first.kill
      const second = yield* world.worker("parts 2", parts)
      yield* until(Effect.sync(() => second.said().split("welding").length - 1), (welding) => welding > 0)
      // The children end while nobody is there to hear of it.
      yield* cars.kill
      world.go()
      yield* until(statuses, (all) => all.every((status) => status === "Completed"))
      yield* second.kill
      yield* world.worker("cars 3")
      const results = yield* Effect.forEach(started, (car) => car.result)
      for (const result of results) {
        assert.deepStrictEqual(result, ["door, red: welded again by parts 2", "wheel, red: welded again by parts 2"])
      }
      assert.deepStrictEqual(yield* Liveness.check, [])
      const all = yield* runs
      assert.lengthOf(all, 9)
      for (const { run, turns } of all) {
        assert.strictEqual(run.status, "Completed")
        assert.strictEqual(count(turns, "SignalReceived"), 1)
        assert.strictEqual(count(turns, "ActivityCompleted"), run.workflow === "Part" ? 1 : 0)
        assert.strictEqual(count(turns, "ChildStarted"), run.workflow === "Car" ? 2 : 0)
        assert.strictEqual(count(turns, "ChildCompleted"), run.workflow === "Car" ? 2 : 0)
        assert.strictEqual(count(turns, "ExternalSignaled"), run.workflow === "Car" ? 2 : 0)
      }
    }))
})

describe("an attempt that was handed over", () => {
  interface Asked {
    readonly attempt: number
    readonly taskToken: string
    readonly saw?: unknown
  }
  /** What the worker said of its first attempts. */
  const asked = ({ said }: Processes.Child, attempts: number) =>
    Effect.map(
      until(Effect.sync(() => said().match(/asked: .*\n/g) ?? []), (lines) => lines.length >= attempts),
      (lines) => lines.map((line) => JSON.parse(line.slice("asked: ".length)) as Asked)
    )
  const handed = (survey: { readonly describe: Effect.Effect<Description, unknown> }, attempt = 1) =>
    until(
      survey.describe,
      ({ pendingActivities: [ask] }) => ask?.state === "handed" && ask.attempt === attempt
    )

  test("is completed by another process, by its token and by its ids, after its worker was killed (A9, A10)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      const ada = yield* world.worker("ada")
      const one = yield* client.start(Survey, undefined, { workflowId: "one" })
      yield* handed(one)
      const { taskToken } = (yield* asked(ada, 1))[0]!
      yield* client.activity(Ask, taskToken).complete({ answer: 1, saw: null })
      assert.deepStrictEqual(yield* one.result, { answer: 1, saw: null })
      const again = yield* Effect.flip(client.activity(Ask, taskToken).complete({ answer: 2, saw: null }))
      assert.strictEqual(again._tag, "ActivityNotFound")

      const two = yield* client.start(Survey, undefined, { workflowId: "two" })
      yield* handed(two)
      yield* ada.kill
      yield* client.activity(Ask, { workflowId: "two", activityId: "ask" }).complete({ answer: 3, saw: null })
      const bob = yield* world.worker("bob")
      assert.deepStrictEqual(yield* two.result, { answer: 3, saw: null })
      // It was asked once: the process that took over had nothing to ask.
      assert.notInclude(bob.said(), "asked")
    }))

  test("lives by the heartbeats of another process, which fails it, is told of its cancel, and reports it (A5, A9, C6)", (world) =>
    Effect.gen(function*() {
      const client = yield* Client
      const ada = yield* world.worker("ada")
      const one = yield* client.start(Survey, undefined, { workflowId: "one" })
      yield* handed(one)
      const byId = client.activity(Ask, { workflowId: "one", activityId: "ask" })
      yield* byId.heartbeat({ page: 7 })
      yield* byId.fail(new ApplicationError({ type: "Busy", message: "not now" }))
      yield* handed(one, 2)
      const attempts = yield* asked(ada, 2)
      assert.deepStrictEqual(attempts.map(({ attempt, saw }) => [attempt, saw]), [[1, undefined], [2, { page: 7 }]])
      // The first one's token is of no use any more.
      const stale = yield* Effect.flip(client.activity(Ask, attempts[0]!.taskToken).heartbeat())
      assert.strictEqual(stale._tag, "ActivityNotFound")
      yield* client.activity(Ask, attempts[1]!.taskToken).fail(new Silent({ since: 5 }))
      assert.strictEqual(yield* one.result, "silent since 5")

      const two = yield* client.start(Survey, undefined, { workflowId: "two" })
      yield* handed(two)
      const second = client.activity(Ask, { workflowId: "two", activityId: "ask" })
      yield* second.heartbeat()
      yield* two.signal("stop")
      yield* until(two.describe, ({ pendingActivities }) => pendingActivities[0]?.cancelRequested === true)
      assert.deepInclude(yield* Effect.flip(second.heartbeat()), {
        _tag: "AsyncActivityCanceled",
        reason: "cancelRequested"
      })
      yield* second.reportCancellation
      assert.strictEqual(yield* two.result, "Canceled")
    }))
})
