import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Commands from "../../src/core/Command.js"
import type { Command } from "../../src/core/Command.js"
import type { Event } from "../../src/core/Event.js"
import * as Replay from "../../src/core/Replay.js"
import * as RunState from "../../src/core/RunState.js"
import { event } from "./arbitrary.js"
import { commands, sample } from "./commands.js"

const { scheduleActivity, startTimer } = sample

describe("Replay.match", () => {
  it("I6: what a turn recorded matches the commands that it was recorded from", () => {
    FastCheck.assert(FastCheck.property(commands, (asked) => {
      const recorded = [brought, ...asked.map(record)]
      assert.strictEqual(Replay.match(recorded, asked), undefined)
      assert.deepStrictEqual(Replay.inputDifferences(recorded, asked), [])
    }))
  })

  it("events that messages brought are not compared, wherever they stand", () => {
    const list: ReadonlyArray<Event> = [
      started,
      brought,
      record(startTimer(1)),
      brought,
      record(startTimer(2)),
      brought
    ]
    assert.strictEqual(Replay.match(list, [startTimer(1), startTimer(2)]), undefined)
    assert.strictEqual(Replay.match([brought], []), undefined)
    assert.strictEqual(Replay.match([], []), undefined)
  })

  // A row for each thing that identifies a command: recorded, attempted, and both in words.
  const different: ReadonlyArray<readonly [string, Command, Command, string, string]> = [
    ["an activity's name", activity({ name: "Refund" }), activity({}), "activity Refund #1", "activity ChargeCard #1"],
    [
      "an activity's id",
      activity({ id: "a" }),
      activity({ id: "b" }),
      "activity ChargeCard #a",
      "activity ChargeCard #b"
    ],
    [
      "an activity's number",
      activity({ seq: 1 }),
      activity({ seq: 2 }),
      "activity ChargeCard #1",
      "activity ChargeCard #2"
    ],
    ["which activity to cancel", sample.cancelActivity(1), sample.cancelActivity(2), ...words("cancel of activity")],
    ["a timer's number", startTimer(1), startTimer(2), ...words("timer")],
    ["which timer to cancel", sample.cancelTimer(1), sample.cancelTimer(2), ...words("cancel of timer")],
    ["a step's number", sample.runStep(1), sample.runStep(2), ...words("step read")],
    [
      "a step's name",
      { ...sample.runStep(1), name: "write" } as Command,
      sample.runStep(1),
      "step write #1",
      "step read #1"
    ],
    ["which step to cancel", sample.cancelStep(1), sample.cancelStep(2), ...words("cancel of step")],
    [
      "which update is completed",
      sample.completeUpdate,
      { ...sample.completeUpdate, id: "u9" },
      "completion of update u1",
      "completion of update u9"
    ],
    [
      "which update failed",
      sample.failUpdate,
      { ...sample.failUpdate, id: "u9" },
      "failure of update u2",
      "failure of update u9"
    ]
  ]
  for (const [what, recorded, attempted, inWords, inOtherWords] of different) {
    it(`V4: tells ${what}`, () => {
      assert.deepStrictEqual(Replay.match([brought, record(recorded)], [attempted]), {
        index: 1,
        recorded: inWords,
        attempted: inOtherWords,
        command: attempted
      })
    })
  }

  const kinds = Object.values(sample).map((one): Command => typeof one === "function" ? one(1) : one)
  for (const recorded of kinds) {
    it(`V4: tells ${recorded._tag} from every other kind`, () => {
      for (const attempted of kinds) {
        const mismatch = Replay.match([record(recorded)], [attempted])
        if (attempted === recorded) {
          assert.strictEqual(mismatch, undefined)
        } else {
          assert.strictEqual(mismatch?.recorded, Replay.describeCommand(recorded))
          assert.strictEqual(mismatch?.attempted, Replay.describeCommand(attempted))
          assert.notStrictEqual(mismatch?.recorded, mismatch?.attempted)
        }
      }
    })
  }

  it("V4: tells the order", () => {
    const [a, b] = [scheduleActivity(1), startTimer(2)]
    assert.deepStrictEqual(Replay.match([record(a), record(b)], [b, a]), {
      index: 0,
      recorded: "activity ChargeCard #1",
      attempted: "timer #2",
      command: b
    })
  })

  it("V4: tells a command that is missing", () => {
    assert.deepStrictEqual(Replay.match([brought, record(startTimer(1)), record(startTimer(2))], [startTimer(1)]), {
      index: 2,
      recorded: "timer #2",
      attempted: "nothing",
      command: undefined
    })
  })

  it("V4: tells a command too many", () => {
    assert.deepStrictEqual(Replay.match([brought], [startTimer(1)]), {
      index: 1,
      recorded: "nothing",
      attempted: "timer #1",
      command: startTimer(1)
    })
  })

  it("V4: what does not identify a command is not compared", () => {
    const later = { _tag: "StartTimer", seq: 1, delayMillis: 9_999 } as const
    assert.strictEqual(Replay.match([record(startTimer(1))], [later]), undefined)
    const longer = activity({ startToCloseMillis: 1, taskQueue: "other", input: "other" })
    assert.strictEqual(Replay.match([record(activity({}))], [longer]), undefined)
    assert.strictEqual(
      Replay.match([record(sample.completeExecution)], [{ _tag: "CompleteExecution", result: 2 }]),
      undefined
    )
  })

  it("builds no text unless something differs", () => {
    const trap: Event = Object.defineProperty({ ...record(activity({})) }, "input", {
      get: () => assert.fail("the input was read")
    })
    assert.strictEqual(Replay.match([trap], [activity({})]), undefined)
  })
})

describe("Replay.inputDifferences", () => {
  it("V4: two calls of one activity swapped", () => {
    const recorded = [
      brought,
      record(scheduleActivity(1, "a")),
      record(startTimer(2)),
      record(scheduleActivity(3, "b"))
    ]
    const asked = [scheduleActivity(1, "b"), startTimer(2), scheduleActivity(3, "a")]
    assert.strictEqual(Replay.match(recorded, asked), undefined)
    assert.deepStrictEqual(Replay.inputDifferences(recorded, asked), [
      {
        index: 1,
        recorded: `activity ChargeCard #1 with "a"`,
        attempted: `activity ChargeCard #1 with "b"`,
        command: asked[0]
      },
      {
        index: 3,
        recorded: `activity ChargeCard #3 with "b"`,
        attempted: `activity ChargeCard #3 with "a"`,
        command: asked[2]
      }
    ])
  })

  it("an input that came or went", () => {
    const [with_, without] = [activity({ input: 1 }), activity({ input: undefined })]
    assert.strictEqual(
      Replay.inputDifferences([record(with_)], [without])[0]?.attempted,
      "activity ChargeCard #1 with undefined"
    )
    assert.strictEqual(
      Replay.inputDifferences([record(without)], [with_])[0]?.recorded,
      "activity ChargeCard #1 with undefined"
    )
  })

  it("the order of fields is no difference, nor is an undefined one", () => {
    const recorded = [record(scheduleActivity(1, { a: 1, b: { c: 2 } }))]
    assert.deepStrictEqual(
      Replay.inputDifferences(recorded, [scheduleActivity(1, { b: { c: 2, d: undefined }, a: 1 })]),
      []
    )
  })

  it("says nothing of what match tells", () => {
    const recorded = [record(scheduleActivity(1, "a"))]
    assert.deepStrictEqual(Replay.inputDifferences(recorded, []), [])
    assert.deepStrictEqual(Replay.inputDifferences(recorded, [startTimer(1)]), [])
    assert.deepStrictEqual(Replay.inputDifferences([brought], [scheduleActivity(1)]), [])
  })
})

describe("Replay.isMessageEvent", () => {
  it("every event is brought by a message or caused by a command, and not both", () => {
    const caused = new Set(
      Object.values(sample).map((one) => record(typeof one === "function" ? one(1) : one)._tag)
    )
    for (const one of FastCheck.sample(event, 500)) {
      assert.strictEqual(Replay.isMessageEvent(one), !caused.has(one._tag as never), one._tag)
    }
  })
})

describe("Replay.describeEvent", () => {
  it("an event that a message brought is named by its kind", () => {
    assert.strictEqual(Replay.describeEvent(brought), "SignalReceived")
  })

  const named: ReadonlyArray<readonly [Command, string]> = [
    [sample.completeExecution, "completion of the run"],
    [sample.failExecution, "failure of the run"],
    [sample.cancelExecution, "cancellation of the run"]
  ]
  for (const [command, name] of named) {
    it(`${command._tag} is the ${name}`, () => {
      assert.strictEqual(Replay.describeCommand(command), name)
      assert.strictEqual(Replay.describeEvent(record(command)), name)
    })
  }
})

describe("NondeterminismError", () => {
  it("shows run, event, both sides, the place and the remedy", () => {
    const error = {
      workflow: "Order",
      runId: "run-1",
      turn: 3,
      event: 7,
      recorded: "activity ChargeCard #4",
      attempted: "timer #4"
    }
    assert.strictEqual(
      new Replay.NondeterminismError({ ...error, place: "order.ts:12" }).message,
      `Order (run run-1) does not do what its history says, at event 7 of turn 3:
  recorded:  activity ChargeCard #4
  attempted: timer #4
  from:      order.ts:12
The code changed while this run was open. Ask Workflow.patched(id) which way to take where it changed, or leave open runs to workers with the old code and start new ones on another task queue.`
    )
    assert.include(
      new Replay.NondeterminismError({ ...error, unstable: true }).message,
      "The same code did both: it depends on something that no history records"
    )
    assert.notInclude(new Replay.NondeterminismError(error).message, "from:")
  })
})

const brought: Event = { _tag: "SignalReceived", name: "go" }
const started: Event = { _tag: "ExecutionStarted", workflow: "Order", workflowId: "order-1", taskQueue: "orders" }

const record = (command: Command) => Commands.decide(command, 1_000, RunState.empty("run-1"))

type ActivityFields = Partial<Extract<Event, { readonly _tag: "ActivityScheduled" }>>

const activity = (fields: ActivityFields): Command => ({
  _tag: "ScheduleActivity",
  seq: fields.seq ?? 1,
  scheduled: { _tag: "ActivityScheduled", seq: 1, name: "ChargeCard", ...fields }
})

const words = (name: string) => [`${name} #1`, `${name} #2`] as const
