/**
 * Goal: a later version that orders things otherwise replays old histories in the old way (row V5).
 *
 * Method: that version is made here, with a flag of its own: it sleeps in whole seconds. Registry, record and reading are
 * the engine's.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Event, Turn } from "../../../src/core/Event.js"
import * as RunStates from "../../../src/core/RunState.js"
import * as Replaying from "../../../src/runtime/execution/Replaying.js"
import * as Flags from "../../../src/runtime/interpreter/Flags.js"
import { Interpreter } from "../../../src/runtime/interpreter/Interpreter.js"
import { host } from "./Bodies.js"
import { brief, Driver } from "./Driver.js"

const wholeSeconds: Flags.Flag = {
  number: 7,
  since: "9.0.0",
  before: "sleeps to the millisecond",
  now: "whole seconds"
}

class Later extends Interpreter {
  override sleep(millis: number): Effect.Effect<void> {
    return super.sleep(this.has(wholeSeconds) ? Math.ceil(millis / 1_000) * 1_000 : millis)
  }
}

class LaterDriver extends Driver {
  protected override make(): Interpreter {
    return new Later({
      host: this.host,
      runId: this.runId,
      workflowId: "workflow-1",
      taskQueue: "queue",
      flags: [wholeSeconds],
      onLate: () => {}
    })
  }

  override startMessage(input?: unknown) {
    return { ...super.startMessage(input), ...Flags.stamp([wholeSeconds]) }
  }
}

const napping = host(Effect.zipRight(Effect.sleep("300 millis"), Effect.sleep("1300 millis")))

/** Begun, and taken to its end. */
const ran = (driver: Driver): ReadonlyArray<Turn> => {
  driver.start()
  driver.fire()
  driver.fire()
  assert.isDefined(driver.state.closed)
  return driver.turns
}
const delays = (turns: ReadonlyArray<Turn>) =>
  turns.flatMap(({ at, events }) => events.flatMap((e) => e._tag === "TimerStarted" ? [e.dueAt - at] : []))

describe("flags of replay behaviour (V5)", () => {
  it("a run has those of the code that started it", () => {
    const old = ran(new Driver(napping))
    const young = ran(new LaterDriver(napping))
    assert.deepStrictEqual(delays(old), [300, 1_300])
    assert.deepStrictEqual(delays(young), [1_000, 2_000])
    assert.deepInclude(young[0]?.events[0], { _tag: "ExecutionStarted", flags: [7] })
    // No flag exists yet: none is written.
    assert.notProperty(old[0]!.events[0], "flags")
    assert.deepStrictEqual(Flags.known, [])
  })

  it("a later version replays a history without its flag in the old way, and goes on in it", () => {
    const old = new Driver(napping)
    old.start()
    const later = new LaterDriver(napping)
    later.turns.push(...old.turns)
    later.state = old.state
    later.restart()
    assert.deepStrictEqual(brief(later.fire()), ["timer#2 1300"])
    later.fire()
    assert.isDefined(later.state.closed)
    later.replay().evict()
    later.replay(ran(new LaterDriver(napping))).evict()
  })

  it("an earlier version fails the turn of a run with a flag that it does not know, and says what to do", () => {
    const young = ran(new LaterDriver(napping))
    assert.throws(() => new Driver(napping).replay(young), /replay flag 7, which this version .* Upgrade this worker/)
  })
})

describe("a run that began on another version of effect", () => {
  const replayed = (effect: string | undefined): string => {
    const started = { workflow: "Plain", workflowId: "w", taskQueue: "q", ...(effect === undefined ? {} : { effect }) }
    const events: ReadonlyArray<Event> = [{ _tag: "ExecutionStarted", ...started }, {
      _tag: "StepScheduled",
      seq: 1,
      name: "x"
    }]
    const run = { runId: "r", workflow: "Plain" }
    const interpreter = new Interpreter({ host: napping, ...run, workflowId: "w", taskQueue: "q", onLate: () => {} })
    try {
      const state = RunStates.empty("r")
      Replaying.replay([{ turn: 1, at: 0, events }], { run, state, interpreter, strict: false })
      return "fine"
    } catch (error) {
      return (error as Error).message
    }
  }

  it("is told of with a divergence, and only then", () => {
    assert.match(replayed("effect 3.20"), /The run began on effect 3.20, and is replayed on effect 3.22/)
    for (const same of ["effect 3.22", undefined]) assert.notMatch(replayed(same), /began on/)
  })
})
