import { assert, describe, it } from "@effect/vitest"
import type { ActivityTask, TaskCommand } from "../../src/core/ActivityTask.js"
import * as ActivityTasks from "../../src/core/ActivityTask.js"
import type { ActivityScheduled } from "../../src/core/family/Activity.js"
import * as TaskToken from "../../src/core/TaskToken.js"

const now = 1_000
const pause: TaskCommand = { _tag: "Pause" }
const unpause = { _tag: "Unpause", resetAttempts: false, resetHeartbeat: false } as const
const reset = { _tag: "Reset", keepPaused: false, resetHeartbeat: false, restoreOriginal: false } as const
const update = (options: Extract<TaskCommand, { readonly _tag: "Update" }>["options"]) =>
  ({ _tag: "Update", options, taskQueue: undefined, restoreOriginal: false }) as const

const scheduled: ActivityScheduled = {
  _tag: "ActivityScheduled",
  seq: 1,
  name: "Act",
  input: { n: 1 },
  startToCloseMillis: 1_000,
  scheduleToStartMillis: 100,
  scheduleToCloseMillis: 10_000
}

const task: ActivityTask = {
  state: "queued",
  attempt: 4,
  forgotten: 0,
  paused: false,
  scheduledAt: 0,
  dueAt: 50,
  expiresAt: 150,
  startedAt: undefined,
  heartbeat: "1",
  options: undefined,
  taskQueue: "orders"
}
const isPaused = { state: "paused", paused: true } as const

describe("an operator's command (A15)", () => {
  const commands: ReadonlyArray<
    readonly [
      name: string,
      task: Partial<ActivityTask>,
      command: TaskCommand,
      after: Partial<ActivityTask>
    ]
  > = [
    ["pause of a queued one: only schedule-to-close goes on", {}, pause, {
      state: "paused",
      paused: true,
      expiresAt: 10_000
    }],
    ["pause of one under way marks it", { state: "started", expiresAt: 7 }, pause, {
      state: "started",
      paused: true,
      expiresAt: 7
    }],
    ["pause of one that was handed over leaves its end", { state: "handed", expiresAt: 7 }, pause, {
      state: "handed",
      paused: true,
      expiresAt: 7
    }],
    ["unpause makes it due now, with its time in the queue anew", isPaused, unpause, {
      state: "queued",
      paused: false,
      dueAt: now,
      expiresAt: now + 100,
      forgotten: 0
    }],
    ["unpause may make the attempt to come the first", isPaused, { ...unpause, resetAttempts: true }, { forgotten: 3 }],
    ["unpause may forget the details", isPaused, { ...unpause, resetHeartbeat: true }, { heartbeat: undefined }],
    ["unpause of one under way takes the mark away", { state: "started", paused: true }, unpause, {
      state: "started",
      paused: false
    }],
    ["reset makes the attempt that waits the first, now", {}, reset, {
      state: "queued",
      forgotten: 3,
      dueAt: now,
      heartbeat: "1"
    }],
    ["reset of one under way: the next is the first", { state: "started" }, reset, { state: "started", forgotten: 4 }],
    ["reset ends a pause", isPaused, reset, { state: "queued", paused: false }],
    ["reset may keep it", isPaused, { ...reset, keepPaused: true }, { state: "paused", paused: true, forgotten: 3 }],
    ["reset may restore the options", { options: "{\"startToCloseMillis\":1}" }, { ...reset, restoreOriginal: true }, {
      options: undefined
    }],
    ["new options hold for the time in the queue", {}, update({ scheduleToStartMillis: 40 }), {
      state: "queued",
      dueAt: 50,
      expiresAt: 90
    }],
    ["a new queue", {}, { ...update({}), taskQueue: "other" }, { taskQueue: "other" }],
    ["options restored", { options: "{\"startToCloseMillis\":1}", taskQueue: "x" }, {
      ...update({}),
      restoreOriginal: true
    }, { options: undefined, taskQueue: "x" }]
  ]
  for (const [name, before, command, after] of commands) {
    it(name, () => {
      assert.deepInclude(ActivityTasks.decide({ ...task, ...before }, scheduled, command, now), after)
    })
  }

  it("that changes nothing gives the same task", () => {
    assert.strictEqual(ActivityTasks.decide(task, scheduled, unpause, now), task)
    const paused = { ...task, ...isPaused }
    assert.strictEqual(ActivityTasks.decide(paused, scheduled, pause, now), paused)
  })
})

describe("options in force", () => {
  it("are those of the call, then all that an update left, the unnamed as they were (A15)", () => {
    const { options } = ActivityTasks.decide(task, scheduled, update({ startToCloseMillis: 9 }), now)
    assert.deepStrictEqual(ActivityTasks.inForce(scheduled, options), { ...scheduled, startToCloseMillis: 9 })
    const again = ActivityTasks.decide({ ...task, options }, scheduled, update({ heartbeatMillis: 8 }), now).options
    assert.deepStrictEqual(ActivityTasks.inForce(scheduled, again), {
      ...scheduled,
      startToCloseMillis: 9,
      heartbeatMillis: 8
    })
    assert.strictEqual(ActivityTasks.inForce(scheduled, undefined), scheduled)
  })
})

describe("numbers of attempts", () => {
  it("count from the last reset, and from 1 (A15)", () => {
    assert.strictEqual(ActivityTasks.attemptOf({ attempt: 4, forgotten: 0 }), 4)
    assert.strictEqual(ActivityTasks.attemptOf({ attempt: 4, forgotten: 3 }), 1)
    assert.strictEqual(ActivityTasks.attemptOf({ attempt: 4, forgotten: 4 }), 1)
    assert.isTrue(ActivityTasks.isReset({ attempt: 4, forgotten: 4 }))
    assert.isFalse(ActivityTasks.isReset({ attempt: 5, forgotten: 4 }))
  })
})

describe("the end of an attempt that was handed over (A9)", () => {
  it("is the first of its three timeouts", () => {
    const until = (change: Partial<ActivityScheduled>) =>
      ActivityTasks.handedUntil({ _tag: "ActivityScheduled", seq: 1, name: "Act", ...change }, 0, 100, 200)
    assert.strictEqual(until({ startToCloseMillis: 50 }), 150)
    assert.strictEqual(until({ startToCloseMillis: 500, heartbeatMillis: 20 }), 220)
    assert.strictEqual(until({ startToCloseMillis: 500, heartbeatMillis: 20, scheduleToCloseMillis: 10 }), 10)
    assert.isTrue(Number.isSafeInteger(until({ scheduleToCloseMillis: Number.MAX_VALUE / 1e300, heartbeatMillis: 1 })))
  })
})

describe("a task token (A10)", () => {
  it("names one attempt, whatever the run is called", () => {
    assert.deepStrictEqual(TaskToken.parse(TaskToken.make("a/b", 2, 3)), { runId: "a/b", seq: 2, attempt: 3 })
    for (const wrong of ["", "a", "a/1", "a/b/c", "a/1/-1"]) assert.isUndefined(TaskToken.parse(wrong))
  })
})
