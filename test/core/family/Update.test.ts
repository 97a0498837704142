import { assert, describe, it } from "@effect/vitest"
import type { Event } from "../../../src/core/Event.js"
import * as Update from "../../../src/core/family/Update.js"
import { Limits } from "../../../src/core/Limits.js"
import { covers, given } from "../given.js"

describe("Update", () => {
  it("given nothing, an update is accepted with all that it came with, and is in progress", () => {
    const state = given().when({ ...update, input: 1, replyTo: "reply-1" })
      .becomes({ ...accepted, input: 1, replyTo: "reply-1" })
    assert.strictEqual(state.updatesInFlight, 1)
    assert.deepStrictEqual(state.updates.get("u1"), {
      accepted: { ...accepted, input: 1, replyTo: "reply-1" },
      outcome: undefined
    })
  })

  for (const outcome of outcomes) {
    it(`given one in progress, its ${outcome._tag} is recorded and kept (row U5)`, () => {
      const state = given(accepted).asks(commands[outcome._tag]).becomes(outcome)
      assert.deepStrictEqual(state.updates.get("u1"), { accepted, outcome })
      assert.strictEqual(state.updatesInFlight, 0)
    })

    it(`given ${outcome._tag}, a second outcome changes nothing`, () => {
      for (const second of outcomes) {
        const { state } = given(accepted, outcome, second)
        assert.deepStrictEqual(state.updates.get("u1")?.outcome, outcome)
        assert.strictEqual(state.updatesInFlight, 0)
      }
    })

    it(`given ${outcome._tag}, its id is still known (row U4)`, () => {
      given(accepted, outcome).when({ ...update, name: "other" }).dropped("update u1 is already known to this run")
    })

    it(`${outcome._tag} of an update that was never accepted changes nothing`, () => {
      const { state } = given(outcome)
      assert.strictEqual(state.updates.size, 0)
      assert.strictEqual(state.updatesInFlight, 0)
    })
  }

  it("U4: given one in progress, the same id is dropped", () => {
    given(accepted).when(update).dropped("update u1 is already known to this run")
  })

  it("a result that is absent is left out of the event", () => {
    given(accepted).asks({ _tag: "CompleteUpdate", id: "u1", result: undefined }).becomes({
      _tag: "UpdateCompleted",
      id: "u1"
    })
  })

  it("U12: one more than the updates in progress is dropped, and taken in once one of them is over", () => {
    const many = numbered(Limits.updatesInFlightMax)
    const reason = "10 updates are in progress, the limit of a run; try again later"
    given(...many).when({ ...update, id: "one-more" }).dropped(reason)
    given(...many, { _tag: "UpdateCompleted", id: "3" }).when({ ...update, id: "one-more" })
      .becomes({ ...accepted, id: "one-more" })
  })

  it("U12: one more than all updates of a run is dropped", () => {
    const many = numbered(Limits.updatesMax).flatMap((event): ReadonlyArray<Event> => [
      event,
      { _tag: "UpdateCompleted", id: event.id }
    ])
    given(...many).when({ ...update, id: "one-more" })
      .dropped("this run took in 2000 updates, its limit; continue as a new run")
    given(...many.slice(2)).when({ ...update, id: "one-more" }).becomes({ ...accepted, id: "one-more" })
  })

  it("U7: given a closed run, it is dropped", () => {
    given({ _tag: "ExecutionCompleted" }).when(update).dropped("the run is closed (Completed)")
  })

  it("every row of its tables is used above", () => covers(Update))
})

const update = { _tag: "Update", id: "u1", name: "addItem" } as const satisfies Update.Update
const accepted = { _tag: "UpdateAccepted", id: "u1", name: "addItem" } as const satisfies Event
const failure = { _tag: "Application", type: "Boom", message: "no" } as const
const outcomes = [
  { _tag: "UpdateCompleted", id: "u1", result: { total: 2 } },
  { _tag: "UpdateFailed", id: "u1", failure }
] as const satisfies ReadonlyArray<Event>
const commands = {
  UpdateCompleted: { _tag: "CompleteUpdate", id: "u1", result: { total: 2 } },
  UpdateFailed: { _tag: "FailUpdate", id: "u1", failure }
} as const satisfies Record<string, Update.Command>
const numbered = (count: number): ReadonlyArray<Update.UpdateAccepted> =>
  Array.from({ length: count }, (_, i) => ({ ...accepted, id: String(i) }))
