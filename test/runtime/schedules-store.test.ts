/**
 * Schedules and their store: a file with encoded payloads, a store in trouble, a row that nobody looks at (N5, I5).
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import { Client, Liveness, PayloadCodec, Schedule, StoreClient, Worker, Workflow } from "perdure"
import { Store } from "perdure/sqlite"
import { StoreError } from "../../src/persistence/Store.js"
import { changed, disk, run, test, until } from "./World.js"

const secret = "very-secret"

const Echo = Workflow.make("Echo", {
  payload: { text: Schema.String },
  success: Schema.String,
  memo: { about: Schema.String }
})
const EchoLive = Echo.toLayer(({ text }) =>
  Effect.map(Effect.orDie(Workflow.lastResult(Echo)), (last) => `${text} after ${Option.getOrElse(last, () => "none")}`)
)
const worker = Worker.layer({ hosts: [EchoLive] })

const ended = (schedule: Schedule.Handle) =>
  Effect.map(schedule.describe, ({ recent }) => recent.flatMap(({ ended }) => ended ?? []))

describe("schedules", () => {
  test(
    "in a file with encoded payloads, none is in the clear, and all come back (N5, H2, W17)",
    () =>
      Effect.gen(function*() {
        const store = yield* Store
        const codecs = PayloadCodec.layer([
          PayloadCodec.encryption({ keys: { k: randomBytes(32) }, current: "k" })
        ])
        const encoded = Layer.provide(codecs, Layer.succeed(Store, store))
        const { client } = yield* run(Layer.provide(worker, encoded))
        const schedule = yield* client.schedules.create("secrets", {
          action: Schedule.start(Echo, { text: secret }, {
            memo: { about: `${secret} memo` },
            summary: `${secret} line`
          }),
          memo: { owner: `${secret} owner` },
          searchAttributes: { team: "plain" }
        })
        yield* schedule.trigger()
        yield* until(ended(schedule), (all) => all.length === 1)
        yield* schedule.trigger()
        yield* until(ended(schedule), (all) => all.length === 2)
        const { action, memo, recent } = yield* schedule.describe
        assert.deepStrictEqual(action.input, { text: secret })
        assert.deepStrictEqual(memo, { owner: `${secret} owner` })
        const [first, second] = recent.map(({ workflowId }) => client.handle(Echo, workflowId))
        assert.strictEqual(yield* first!.result, `${secret} after none`)
        assert.strictEqual(yield* second!.result, `${secret} after ${secret} after none`)
        assert.deepStrictEqual((yield* second!.describe).memo, { about: `${secret} memo` })
        // What is beneath the codecs: rows, and the bytes of the file.
        const beneath = yield* Effect.flatten(store.findSchedule("secrets"))
        assert.notInclude(beneath.definition + beneath.state, secret)
        assert.include(beneath.definition, "plain")
        const { location } = store.about
        const bytes = [location, `${location}-wal`].map((file) => fs.readFileSync(file).toString("latin1")).join("")
        assert.include(bytes, "perdure_schedules")
        assert.notInclude(bytes, secret)
      }),
    disk
  )

  let failures = 0
  const trouble = new StoreError({ operation: "writeSchedules", reason: "Full", detail: "no room", transient: true })
  test(
    "a store in trouble is asked again, and no time is lost or doubled (I2, I3)",
    () =>
      Effect.gen(function*() {
        const { client } = yield* run(worker)
        const schedule = yield* client.schedules.create("sturdy", {
          action: Schedule.start(Echo, { text: "here" }),
          triggerImmediately: true
        })
        assert.deepStrictEqual(yield* until(ended(schedule), (all) => all.length > 0), ["Completed"])
        assert.strictEqual(failures, 2)
        assert.strictEqual((yield* schedule.describe).counts.actions, 1)
      }),
    changed((store) => ({
      // The first time nothing is written; the second time all of it is, and the answer is lost.
      writeSchedules: (...args) =>
        ++failures === 1
          ? Effect.fail(trouble)
          : failures === 2
          ? Effect.zipRight(store.writeSchedules(...args), Effect.fail(trouble))
          : Effect.suspend(() => (failures--, store.writeSchedules(...args)))
    }))
  )

  test("a row that nobody will look at is found (I5)", () =>
    Effect.gen(function*() {
      const store = yield* Store
      yield* Effect.provide(
        Effect.flatMap(Client, ({ schedules }) =>
          schedules.create("lost", {
            spec: { intervals: [{ every: "1 hour" }] },
            action: Schedule.start(Echo, { text: "" })
          })),
        StoreClient.layer
      )
      assert.deepStrictEqual(yield* Liveness.check, [])
      const row = yield* Effect.flatten(store.findSchedule("lost"))
      const rewrite = (revision: number, nextAt: number | undefined) =>
        store.writeSchedules([
          { ...row, revision, nextAt, definition: undefined, starts: [], cancels: [], terminates: [] }
        ], 0)
      yield* rewrite(1, undefined)
      const [fault] = yield* Liveness.check
      assert.deepInclude(fault, { fault: "LostSchedule", runId: "lost" })
      assert.include(fault!.message, "schedule lost: LostSchedule")
      yield* rewrite(2, row.nextAt! + 1)
      assert.lengthOf(yield* Liveness.check, 1)
      yield* rewrite(3, row.nextAt)
      assert.deepStrictEqual(yield* Liveness.check, [])
    }))
})
