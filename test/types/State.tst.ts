import type * as Effect from "effect/Effect"
import { State } from "perdure"
import { describe, expect, it } from "tstyche"
import type { WorkflowContext } from "../../src/dsl/WorkflowContext.js"

describe("State", () => {
  it("is made anywhere in a body", () => {
    expect(State.make(1)).type.toBe<Effect.Effect<State.State<number>>>()
    expect(State.make<"a" | "b">("a")).type.toBe<Effect.Effect<State.State<"a" | "b">>>()
  })

  it("is read by anyone, and written by a body only (I11)", () => {
    const state = null as unknown as State.State<number>
    expect(state.get).type.toBe<Effect.Effect<number>>()
    expect(state.set(2)).type.toBe<Effect.Effect<void, never, WorkflowContext>>()
    expect(state.update((n) => n + 1)).type.toBe<Effect.Effect<void, never, WorkflowContext>>()
    expect(state.updateAndGet((n) => n + 1)).type.toBe<Effect.Effect<number, never, WorkflowContext>>()
    expect(state.set).type.not.toBeCallableWith("2")
  })

  it("of one type is not that of another, neither wider nor narrower", () => {
    expect<State.State<"a">>().type.not.toBeAssignableTo<State.State<string>>()
    expect<State.State<string>>().type.not.toBeAssignableTo<State.State<"a">>()
  })
})
