import { assert, describe, it } from "@effect/vitest"
import * as Signal from "../../../src/core/family/Signal.js"
import { Limits } from "../../../src/core/Limits.js"
import * as Message from "../../../src/core/Message.js"
import { covers, given } from "../given.js"

describe("Signal", () => {
  it("S2: a signal is taken in even before the start", () => {
    const state = given().when({ _tag: "Signal", name: "approve", input: { by: "ada" } })
      .becomes({ _tag: "SignalReceived", name: "approve", input: { by: "ada" } })
    assert.strictEqual(state.signals, 1)
  })

  it("a signal without a payload leaves none in the event", () => {
    given().when({ _tag: "Signal", name: "go" }).becomes({ _tag: "SignalReceived", name: "go" })
  })

  it("S1: the same signal twice is two events: the sender tells them apart, not the run", () => {
    const received = { _tag: "SignalReceived", name: "go" } as const
    assert.strictEqual(given(received).when({ _tag: "Signal", name: "go" }).becomes(received).signals, 2)
  })

  it("S1: a request is taken in once, however often it is sent; another one, and one without, count as ever", () => {
    const received = { _tag: "SignalReceived", name: "go", requestId: "1" } as const
    given().when({ _tag: "Signal", name: "go", requestId: "1" }).becomes(received)
    given(received).when({ _tag: "Signal", name: "go", requestId: "1" }).dropped(Signal.repeated)
    given(received).when({ _tag: "Signal", name: "go", requestId: "2" }).becomes({ ...received, requestId: "2" })
    given(received).when({ _tag: "Signal", name: "go" }).becomes({ _tag: "SignalReceived", name: "go" })
  })

  it("S1: given a closed run, it is dropped", () => {
    given({ _tag: "ExecutionCompleted" }).when({ _tag: "Signal", name: "go" }).dropped("the run is closed (Completed)")
  })

  it("X17: the last signal of the limit is taken in, the next one dropped (I10)", () => {
    const { state } = given()
    state.signals = Limits.signalsMax - 1
    assert.isObject(Message.accept(state, { _tag: "Signal", name: "go" }))
    state.signals = Limits.signalsMax
    assert.strictEqual(
      Message.accept(state, { _tag: "Signal", name: "go" }),
      "this run took in 10000 signals, its limit; continue as a new run"
    )
  })

  it("every row of its tables is used above", () => covers(Signal))
})
