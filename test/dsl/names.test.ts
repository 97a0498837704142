import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Activity, ContractError, Step, Workflow } from "perdure"

// D9: whatever has a name refuses the same ones, where it is defined.
describe("names", () => {
  const named: Record<string, (name: string) => unknown> = {
    "activity": (name) => Activity.make(name),
    "workflow": (name) => Workflow.make(name),
    "signal of workflow Order": (name) => Workflow.make("Order", { signals: { fine: {}, [name]: {} } }),
    "query of workflow Order": (name) => Workflow.make("Order", { queries: { fine: {}, [name]: {} } }),
    "update of workflow Order": (name) => Workflow.make("Order", { updates: { fine: {}, [name]: {} } }),
    "step": (name) => Step.run(name, { execute: Effect.void })
  }
  const refused: ReadonlyArray<readonly [string, string]> = [
    ["", "a name must not be empty"],
    ["x".repeat(1_001), "a name has at most 1000 characters"],
    ["__perdure_x", "names with this prefix are reserved"],
    ["__temporal_x", "names with this prefix are reserved"],
    ["__stack_trace", "this name is reserved"],
    ["__enhanced_stack_trace", "this name is reserved"]
  ]
  const allowed = ["a", "x".repeat(1_000), "_private", "__mine", "Ärger mit Ämtern", "with spaces", "constructor"]

  for (const [kind, define] of Object.entries(named)) {
    for (const [name, reason] of refused) {
      it(`D9: ${kind} refuses ${name.length > 50 ? `${name.length} characters` : JSON.stringify(name)}`, () => {
        assert.throws(() => define(name), ContractError, `${kind} ${JSON.stringify(name)}: ${reason}`)
      })
    }

    it(`D9: ${kind} allows other names`, () => {
      for (const name of allowed) define(name)
    })
  }
})
