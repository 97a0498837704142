/**
 * What of the messages of a scenario is in a history.
 */
import type { Turn } from "../../src/core/Event.js"

/** How often each signal (by the key in its input) and each update (by its id) is in a history. */
export const received = (turns: ReadonlyArray<Turn>) => {
  const signals = new Map<number, number>()
  const updates = new Map<string, number>()
  for (const { events } of turns) {
    for (const event of events) {
      if (event._tag === "SignalReceived" && event.name === "note") {
        const { key } = event.input as { readonly key: number }
        signals.set(key, (signals.get(key) ?? 0) + 1)
      } else if (event._tag === "UpdateAccepted") updates.set(event.id, (updates.get(event.id) ?? 0) + 1)
    }
  }
  return { signals, updates }
}
