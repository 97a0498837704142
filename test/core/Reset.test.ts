/**
 * What a reset keeps and brings again (C11): decisions on data.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import type { Event, Turn } from "../../src/core/Event.js"
import * as Reset from "../../src/core/Reset.js"

const started = {
  _tag: "ExecutionStarted",
  workflow: "Order",
  workflowId: "order-1",
  taskQueue: "orders",
  input: 1
} as const satisfies Event

const history = (...turns: ReadonlyArray<ReadonlyArray<Event>>): ReadonlyArray<Turn> =>
  turns.map((events, index) => ({ turn: index + 1, at: (index + 1) * 1_000, events }))

const request = (turn: number, more: Partial<Reset.Request> = {}): Reset.Request => ({
  runId: "old",
  newRunId: "new",
  startedAt: 500,
  turn,
  reapply: "All",
  reason: "why",
  now: 50_000,
  ...more
})

const plan = (turns: ReadonlyArray<Turn>, asked: Reset.Request) =>
  Either.getOrThrowWith(Reset.plan(turns, asked), (reason) => new Error(reason))
const refusal = (turns: ReadonlyArray<Turn>, asked: Reset.Request) =>
  Either.getOrThrowWith(Either.flip(Reset.plan(turns, asked)), () => new Error("it was planned"))

const scheduled = (seq: number): Event => ({ _tag: "ActivityScheduled", seq, name: "Act" })
const completed = (seq: number) => ({ _tag: "ActivityCompleted", seq, attempt: 1, result: seq } as const)
const signal = (name: string): Event => ({ _tag: "SignalReceived", name, requestId: name })
const update = (id: string): Event => ({ _tag: "UpdateAccepted", id, name: "put", replyTo: "caller" })
const child = (seq: number, parentClose?: "Abandon"): Event => ({
  _tag: "ChildStartRequested",
  seq,
  workflow: "Child",
  workflowId: `child-${seq}`,
  runId: `run-of-${seq}`,
  ...(parentClose === undefined ? {} : { parentClose })
})
const reset = (turn: number) => ({ _tag: "Reset", runId: "new", fromRunId: "old", turn, reason: "why" } as const)

describe("a reset (C11)", () => {
  it("keeps the turns before, and brings what its turn took in, whatever is to come again", () => {
    const turns = history(
      [started, scheduled(1), scheduled(2)],
      [completed(1), { _tag: "TimerStarted", seq: 3, dueAt: 9_000 }],
      [completed(2), { _tag: "ExecutionFailed", failure: { _tag: "Application", type: "Bug", message: "" } }]
    )
    const { activities, messages, start, state, turns: kept } = plan(turns, request(3, { reapply: "None" }))
    assert.deepStrictEqual(kept.slice(1), turns.slice(1, 2))
    assert.deepStrictEqual(kept[0]!.events.slice(1), turns[0]!.events.slice(1))
    assert.deepStrictEqual(kept[0]!.events[0], { ...start, _tag: "ExecutionStarted" })
    assert.deepStrictEqual(start, {
      ...started,
      _tag: "Start",
      firstRunId: "old",
      previousRunId: "old",
      firstStartedAt: 500,
      seedRunId: "old"
    })
    assert.deepStrictEqual(messages, [reset(3), { _tag: "ActivityOutcome", outcome: completed(2) }])
    // Its outcome comes again: it does not run again.
    assert.deepStrictEqual(activities, [])
    assert.deepStrictEqual([...state.timers.keys()], [3])
    assert.isUndefined(state.closed)
  })

  it("runs again what was pending, and what its own later turns ended", () => {
    const turns = history([started, scheduled(1), scheduled(2)], [signal("a")], [completed(1)], [completed(2)])
    const { activities } = plan(turns, request(3))
    assert.deepStrictEqual(activities.map(({ scheduled }) => scheduled.seq), [2])
    assert.deepStrictEqual(activities.map(({ turn }) => turn), [1])
  })

  it("from its first turn on begins with the start, and draws from itself", () => {
    const before: Event = {
      ...started,
      firstRunId: "first",
      firstStartedAt: 1,
      seedRunId: "seed",
      startAt: 700,
      attempt: 2
    }
    const turns = history([before, signal("a"), scheduled(1)], [completed(1)], [signal("b")])
    const { activities, messages, turns: kept } = plan(turns, request(1))
    assert.deepStrictEqual([kept, activities], [[], []])
    assert.deepStrictEqual(messages, [
      { ...started, _tag: "Start", firstRunId: "first", previousRunId: "old", firstStartedAt: 1, attempt: 2 },
      { _tag: "Signal", name: "a", requestId: "a" },
      { _tag: "Signal", name: "b", requestId: "b" }
    ])
  })

  for (
    const [reapply, expected] of [
      ["All", ["a", "u", "b"]],
      ["Signals", ["a", "b"]],
      ["Updates", ["u"]],
      ["None", []]
    ] as const
  ) {
    it(`of what came behind its turn brings again: ${reapply}`, () => {
      const turns = history(
        [started],
        [{ _tag: "CancelRequested", reason: "" }],
        [signal("a")],
        [update("u"), { _tag: "UpdateCompleted", id: "u" }],
        [{ _tag: "CancelRequested", reason: "again" }],
        [signal("b")]
      )
      const { messages } = plan(turns, request(2, { reapply }))
      const [first, second, ...rest] = messages
      assert.deepStrictEqual([first, second], [reset(2), { _tag: "Cancel", reason: "" }] as never)
      assert.deepStrictEqual(
        rest.map((each) => each._tag === "Signal" ? each.name : each._tag === "Update" ? each.id : "?"),
        [
          ...expected
        ]
      )
      // Whoever sent it has his answer.
      for (const each of rest) assert.notProperty(each, "replyTo")
    })
  }

  it("W2: a reset of a reset draws for each part what was drawn there", () => {
    const first: Event = { ...started, seedRunId: "oldest" }
    const before: Event = { _tag: "ExecutionReset", runId: "old", fromRunId: "oldest", turn: 2, reason: "" }
    const turns = history([first], [before], [signal("a")], [signal("b")])
    const { start, turns: kept } = plan(turns, request(4))
    assert.strictEqual(start.seedRunId, "oldest")
    assert.deepStrictEqual(kept[1]!.events, [before])
    // Its own turn taken anew: the reset of before is over.
    assert.deepStrictEqual(plan(turns, request(2, { reapply: "None" })).messages, [reset(2)] as never)
  })

  it("X8: the time of the run counts anew, that of the execution if it was over", () => {
    const timed = (executionExpiresAt: number): ReadonlyArray<Turn> =>
      history([{
        ...started,
        runTimeoutMillis: 100,
        runExpiresAt: 1_100,
        executionTimeoutMillis: 900,
        executionExpiresAt
      }], [signal("a")])
    assert.deepInclude(plan(timed(60_000), request(2)).start, { runExpiresAt: 50_100, executionExpiresAt: 60_000 })
    assert.deepInclude(plan(timed(1_900), request(2)).start, { runExpiresAt: 50_100, executionExpiresAt: 50_900 })
  })

  describe("with a child that the kept turns left pending", () => {
    const ended: Event = { _tag: "ChildCompleted", seq: 1, runId: "run-of-1", result: 7 }
    const childStarted: Event = { _tag: "ChildStarted", seq: 1, runId: "run-of-1" }

    it("brings the outcome that the old run heard later, whatever is to come again", () => {
      const turns = history([started, child(1)], [signal("a")], [childStarted], [ended])
      assert.deepStrictEqual(plan(turns, request(2, { reapply: "None" })).messages.slice(2), [
        { _tag: "ChildOutcome", outcome: childStarted },
        { _tag: "ChildOutcome", outcome: ended }
      ] as never)
    })

    it("is refused while it is open: the end of the old run closes it", () => {
      const turns = history([started, child(1)], [childStarted], [signal("a")])
      assert.include(refusal(turns, request(3)), "its child child-1 is open after turn 2")
    })

    it("says of one that lives on by its policy that it was left alone", () => {
      const turns = history([started, child(1, "Abandon")], [childStarted], [signal("a")])
      assert.deepInclude(plan(turns, request(3)).messages, {
        _tag: "ChildOutcome",
        outcome: { _tag: "ChildTerminated", seq: 1, runId: "run-of-1", reason: "left alone by a reset" }
      })
    })
  })

  it("brings what became of messages to other runs, and waits for what has not come", () => {
    const sent: Event = { _tag: "SignalExternalRequested", seq: 1, workflowId: "other", name: "x" }
    const told: Event = { _tag: "ExternalSignaled", seq: 1 }
    const turns = history([started, sent], [signal("a")], [told])
    assert.deepInclude(plan(turns, request(2)).messages, { _tag: "ExternalOutcome", outcome: told })
    assert.include(refusal(turns.slice(0, 2), request(2)), "its message to other is on its way")
  })

  it("is refused for a turn that is none", () => {
    const turns = history([started], [signal("a")])
    for (const turn of [0, 3, -1, 1.5, NaN]) assert.include(refusal(turns, request(turn)), "its turns are 1 to 2")
    assert.include(refusal([], request(1)), "its first turn has not been taken yet")
    const terminated = history([{ _tag: "ExecutionTerminated", reason: "" }])
    assert.include(refusal(terminated, request(1)), "its first turn has not been taken yet")
  })

  it("of the turn that ended it from outside brings nothing", () => {
    const turns = history([started, scheduled(1)], [{ _tag: "ExecutionTerminated", reason: "" }])
    const { activities, messages } = plan(turns, request(2))
    assert.deepStrictEqual(messages, [reset(2)] as never)
    assert.strictEqual(activities.length, 1)
  })
})
