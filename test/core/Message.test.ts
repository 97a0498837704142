import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { Event } from "../../src/core/Event.js"
import * as Message from "../../src/core/Message.js"
import * as Replay from "../../src/core/Replay.js"
import * as RunState from "../../src/core/RunState.js"
import { json, stored } from "./arbitrary.js"

// What each message becomes, and what drops it, is tested with its family.
describe("Message", () => {
  it("every stored message comes back from its stored form as it was", () => {
    FastCheck.assert(
      FastCheck.property(message, (one) => {
        assert.deepStrictEqual(Message.decode(Message.encode(one)), Either.right(one))
      }),
      { numRuns: 500 }
    )
  })

  it("a message that cannot be read says what is wrong", () => {
    assert.match(left(Message.decode("{")), /Expected|JSON/)
    assert.match(left(Message.decode(`{"_tag":"Signal"}`)), /\["name"\][^]*is missing/)
    assert.match(left(Message.decode(`{"_tag":"Update","id":1,"name":"n"}`)), /\["id"\][^]*actual 1/)
    assert.match(left(Message.decode(`{"_tag":"Poke"}`)), /actual "Poke"/)
  })

  it("a message becomes a valid event of the kind that messages bring, or is dropped with a reason", () => {
    const isEvent = Schema.is(Event)
    FastCheck.assert(FastCheck.property(message, FastCheck.array(message, { maxLength: 20 }), (last, before) => {
      const state = RunState.empty("run-1")
      for (const one of [...before, last]) {
        if (one._tag === "Query") continue
        const accepted = Message.accept(state, one)
        if (typeof accepted === "string") {
          assert.isNotEmpty(accepted)
        } else {
          assert.isTrue(isEvent(accepted))
          assert.isTrue(isEvent(json(accepted)))
          assert.isTrue(Replay.isMessageEvent(accepted))
          RunState.evolve(state, { turn: state.turn + 1, at: state.time, events: [accepted] })
        }
      }
    }))
  })

  it("a closed run drops every message", () => {
    const state = RunState.fold("run-1", [{ turn: 1, at: 0, events: [{ _tag: "ExecutionCompleted" }] }])
    FastCheck.assert(FastCheck.property(message, (one) => {
      if (one._tag !== "Query") assert.strictEqual(Message.accept(state, one), "the run is closed (Completed)")
    }))
    assert.strictEqual(Message.accept(state, { _tag: "TimerDue", seq: 1 }), "the run is closed (Completed)")
  })
})

const message = FastCheck.oneof(
  ...Message.Stored.members.map((member) => stored(member as unknown as Schema.Schema<Message.Stored>))
)

const left = (result: Either.Either<unknown, string>): string =>
  Either.match(result, { onLeft: (reason) => reason, onRight: () => "read" })
