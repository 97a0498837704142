/**
 * Given a history, when a message or a command comes, then this event follows, or none.
 *
 * Keeps account of the rows of the families' tables that were used, so that a family's test can end by asking whether
 * all were (`covers`).
 */
import { assert } from "@effect/vitest"
import * as Commands from "../../src/core/Command.js"
import type { Command } from "../../src/core/Command.js"
import type { Event, Turn } from "../../src/core/Event.js"
import * as Message from "../../src/core/Message.js"
import * as RunState from "../../src/core/RunState.js"

const used = { evolve: new Set<string>(), decide: new Set<string>(), accept: new Set<string>() }

/** Each event is a turn of its own, a second after the one before it. */
export const turns = (events: ReadonlyArray<Event>): ReadonlyArray<Turn> =>
  events.map((event, i) => ({ turn: i + 1, at: (i + 1) * 1_000, events: [event] }))

export const given = (...events: ReadonlyArray<Event>) => {
  const state = RunState.empty("run-1")
  const take = (event: Event) => {
    used.evolve.add(event._tag)
    return RunState.evolve(state, { turn: state.turn + 1, at: state.time + 1_000, events: [event] })
  }
  events.forEach(take)
  return {
    state,
    when: (message: Message.Message) => ({
      /** The message becomes this event; gives the state after it. */
      becomes: (event: Event): RunState.RunState => {
        used.accept.add(message._tag)
        const accepted = Message.accept(state, message)
        assert.deepStrictEqual(accepted, event)
        return take(event)
      },
      /** The message is dropped for this reason. */
      dropped: (reason: string): void => {
        used.accept.add(message._tag)
        assert.strictEqual(Message.accept(state, message), reason)
      }
    }),
    /** A command at the given time. */
    asks: (command: Command, now = state.time) => ({
      becomes: (event: Event): RunState.RunState => {
        used.decide.add(command._tag)
        assert.deepStrictEqual(Commands.decide(command, now, state), event as Commands.Caused)
        return take(event)
      }
    })
  }
}

type Table = Readonly<Record<string, unknown>>

/** Every row of the family's tables was used by the tests of this file so far. */
export const covers = (family: { readonly evolve: Table; readonly decide?: Table; readonly accept?: Table }): void => {
  const missing = (["evolve", "decide", "accept"] as const).flatMap((table) =>
    Object.keys(family[table] ?? {}).flatMap((row) => used[table].has(row) ? [] : [`${table}.${row}`])
  )
  assert.deepStrictEqual(missing, [])
}
