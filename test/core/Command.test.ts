import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Commands from "../../src/core/Command.js"
import type { Command } from "../../src/core/Command.js"
import { Event } from "../../src/core/Event.js"
import * as RunState from "../../src/core/RunState.js"
import { json } from "./arbitrary.js"
import { command, commands, sample } from "./commands.js"

describe("Command.decide", () => {
  it("every command becomes an event that can be written and read back", () => {
    FastCheck.assert(FastCheck.property(command, (one) => {
      const event = Commands.decide(one, 1_000, RunState.empty("run-1"))
      assert.isTrue(Schema.is(Event)(json(event)))
      assert.strictEqual(JSON.stringify(json(event)), JSON.stringify(event))
    }))
  })
})

describe("Command.settle", () => {
  const { cancelActivity, cancelExecution, cancelStep, cancelTimer, completeExecution, completeUpdate, failExecution } =
    sample
  const { failUpdate, runStep, scheduleActivity, startTimer } = sample

  const pairs = [
    ["an activity", scheduleActivity, cancelActivity],
    ["a timer", startTimer, cancelTimer],
    ["a step", runStep, cancelStep]
  ] as const
  for (const [what, start, cancel] of pairs) {
    it(`C8: ${what} that was started and canceled in one turn leaves nothing`, () => {
      settles([start(1), cancel(1)], [])
      settles([completeUpdate, start(1), start(2), cancel(1), failUpdate], [completeUpdate, start(2), failUpdate])
    })

    it(`C8: the cancel of ${what} that was started in an earlier turn stays`, () => {
      settles([cancel(1), start(2)], [cancel(1), start(2)])
    })

    it(`C8: ${what} that was canceled twice leaves nothing`, () => {
      settles([start(1), cancel(1), cancel(1)], [])
    })
  }

  it("C8: a cancel does not undo a start of another kind with its number", () => {
    settles([startTimer(1), cancelActivity(1), runStep(2), cancelTimer(2)], [
      startTimer(1),
      cancelActivity(1),
      runStep(2),
      cancelTimer(2)
    ])
  })

  for (const end of [completeExecution, failExecution, cancelExecution]) {
    it(`W19: after ${end._tag} only the outcomes of updates stay`, () => {
      settles(
        [
          startTimer(1),
          end,
          startTimer(2),
          completeUpdate,
          scheduleActivity(3),
          cancelTimer(1),
          failUpdate,
          runStep(4)
        ],
        [startTimer(1), end, completeUpdate, failUpdate]
      )
    })

    for (const later of [completeExecution, failExecution, cancelExecution]) {
      it(`W19: ${end._tag} wins over a later ${later._tag}`, () => settles([end, later], [end]))
    }
  }

  it("W19, C8: what was started before the end and canceled after it, was started", () => {
    settles([startTimer(1), completeExecution, cancelTimer(1)], [startTimer(1), completeExecution])
  })

  it("keeps the order of what stays, and all of it where nothing is to drop", () => {
    const all = [scheduleActivity(1), startTimer(2), runStep(3), completeUpdate, cancelTimer(0), completeExecution]
    assert.strictEqual(Commands.settle(all), all)
    const one = [completeExecution]
    assert.strictEqual(Commands.settle(one), one)
    const none: ReadonlyArray<Command> = []
    assert.strictEqual(Commands.settle(none), none)
  })

  it("settled once is settled", () => {
    FastCheck.assert(FastCheck.property(commands, (list) => {
      const settled = Commands.settle(list)
      assert.deepStrictEqual(Commands.settle(settled), settled)
      assert.isTrue(isSubsequence(settled, list))
    }))
  })

  // 40,000 commands take some 20 ms in one pass, and minutes when each cancel searches the list.
  it("a turn that cancels all that it started is settled in one pass", { timeout: 5_000 }, () => {
    const seqs = Array.from({ length: 20_000 }, (_, i) => i)
    settles([...seqs.map(startTimer), ...seqs.map(cancelTimer)], [])
  })
})

const settles = (given: ReadonlyArray<Command>, expected: ReadonlyArray<Command>): void => {
  assert.deepStrictEqual(Commands.settle(given), expected)
}

const isSubsequence = (part: ReadonlyArray<Command>, whole: ReadonlyArray<Command>): boolean => {
  let next = 0
  for (const one of whole) if (one === part[next]) next++
  return next === part.length
}
