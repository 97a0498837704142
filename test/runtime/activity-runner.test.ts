/**
 * The activity runner by itself, over a committer that answers when the test says so.
 */
import { assert, describe } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Activity } from "perdure"
import { Store } from "perdure/sqlite"
import type { TaskChange } from "../../src/persistence/Store.js"
import type { Attempt } from "../../src/runtime/activity/Attempt.js"
import { StartLimits } from "../../src/runtime/activity/StartLimits.js"
import { ActivityRunner } from "../../src/runtime/ActivityRunner.js"
import type { Committer } from "../../src/runtime/Committer.js"
import { Hosts } from "../../src/runtime/Hosts.js"
import { Slots } from "../../src/runtime/Slots.js"
import { Timers } from "../../src/runtime/Timers.js"
import { test, until } from "./World.js"

const Act = Activity.make("Act", { success: Schema.Void, startToCloseTimeout: "1 minute" })

const attempt: Attempt = {
  runId: "run",
  workflowId: "workflow",
  workflow: "W",
  taskQueue: "queue",
  scheduled: { _tag: "ActivityScheduled", seq: 1, name: "Act", startToCloseMillis: 1e15 },
  scheduledAt: 0,
  attemptScheduledAt: 0,
  attempt: 1,
  heartbeat: undefined
}

describe("an attempt that is claimed while its own start is written", () => {
  // The start fails, the claim goes in, and the start that is asked for again is taken for done: it is the same worker's.
  const runner = Effect.gen(function*() {
    const store = yield* Store
    const runtime = yield* Effect.runtime<never>()
    const begun: Array<number> = []
    const hosts = new Hosts()
    const body = Act.toLayer(() => Effect.zipRight(Effect.sync(() => begun.push(1)), Effect.never))
    hosts.add((yield* Layer.build(body as unknown as Layer.Layer<never>)) as Context.Context<never>)
    let answer: (stale: boolean) => void = () => assert.fail("nothing was asked for")
    const committer = {
      worker: () => "worker",
      task: (_: TaskChange, done: (stale: boolean) => void) => void (answer = done)
    } as unknown as Committer
    const timers = new Timers(yield* Effect.clock, runtime)
    const activities = new ActivityRunner(
      hosts,
      new Slots("activities", 10, runtime, timers, () => 0),
      committer,
      store,
      timers,
      runtime,
      () => 0,
      () => {},
      () => {},
      () => {},
      (more) =>
        new StartLimits(
          { taskQueue: "queue", worker: undefined, queue: undefined },
          store,
          runtime,
          () => 0,
          timers,
          more
        )
    )
    yield* Effect.addFinalizer(() => Effect.sync(() => activities.interruptAll()))
    assert.isTrue(activities.keep(attempt))
    return { activities, begun, answer: () => answer(false) }
  })

  test("begins once, whichever comes first (A11, I9)", () =>
    Effect.gen(function*() {
      for (const order of [["claim", "answer"], ["answer", "claim"]]) {
        const { activities, answer, begun } = yield* runner
        for (const what of order) {
          if (what === "claim") activities.startClaimed(attempt)
          else answer()
        }
        yield* until(Effect.sync(() => begun.length), (count) => count > 0)
        yield* Effect.sleep(5)
        assert.lengthOf(begun, 1)
        assert.strictEqual(activities.free, 9)
      }
    }))
})
