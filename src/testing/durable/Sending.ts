/**
 * The plan's client: sends its messages to whichever run of the chain is open, and sends those again of which nobody knows
 * whether they arrived.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { isClosing } from "../../core/family/Execution.js"
import type { Client } from "../../dsl/Client.js"
import type * as Workflow from "../../dsl/Workflow.js"
import { UpdateFailed, WorkflowClosed } from "../../dsl/WorkflowFailure.js"
import type { Store } from "../../persistence/Store.js"
import * as Findings from "./Finding.js"
import * as Outcome from "./Outcome.js"
import * as Runs from "./Runs.js"
import type { Sent } from "./Stage.js"

/** The execution that messages go to. @since 0.1.0 */
export interface Target {
  readonly workflow: Workflow.Any
  readonly workflowId: string
}

/** @since 0.1.0 */
export const send = (
  client: Client["Type"],
  store: Store["Type"],
  { workflow, workflowId }: Target,
  entry: Sent,
  index: number
): Effect.Effect<unknown, unknown> => {
  const handle = client.handle(workflow, workflowId) as unknown as ErasedHandle
  const { message } = entry
  const acknowledged = Effect.sync(() => void (entry.state = "acknowledged"))
  // A closed run takes a request that comes too late, and says nothing (row C1).
  const canceled = Effect.map(Runs.read(store), (runs) => {
    const isOver = Runs.last(runs).turns.at(-1)?.events.some(isClosing) === true
    entry.state = isOver && !Findings.isCanceled(runs.chain) ? "too late" : "acknowledged"
  })
  const sending = (): Effect.Effect<unknown, unknown> => {
    switch (message._tag) {
      case "Signal":
        return Effect.zipRight(handle.signal(message.name, message.payload), acknowledged)
      case "Update":
        return Effect.zipRight(
          handle.startUpdate(message.name, message.payload, { ...patience, updateId: Findings.updateId(index) }),
          acknowledged
        )
      case "Query":
        return Effect.zipRight(handle.query(message.name, message.payload, patience), acknowledged)
      case "Cancel":
        return Effect.zipRight(handle.cancel("by the plan"), canceled)
    }
  }
  return Effect.tapError(sending(), (error) =>
    Effect.sync(() => {
      if (error instanceof WorkflowClosed) entry.state = "too late"
      const refusal = message._tag === "Update" ? refusalOf(workflow, message.name, error) : undefined
      if (refusal === undefined) return
      entry.state = "refused"
      entry.refusal = refusal
    }))
}

/** What nobody heard to have arrived, and what did not, the next life sends again, in its place. @since 0.1.0 */
export const resend = (sent: ReadonlyArray<Sent>, workflow: Workflow.Any, received: Map<string, number>): void => {
  const take = (key: string): boolean => {
    const count = received.get(key) ?? 0
    received.set(key, count - 1)
    return count > 0
  }
  const keys = sent.map(({ message }, index) => Findings.keyOf(message, index, workflow))
  sent.forEach((entry, index) => void (entry.state === "acknowledged" && take(keys[index]!)))
  sent.forEach((entry, index) => {
    if (entry.state === "sent") entry.state = take(keys[index]!) ? "acknowledged" : "unsent"
  })
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface ErasedHandle {
  readonly signal: (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>
  readonly startUpdate: ErasedHandle["signal"]
  readonly query: ErasedHandle["signal"]
  readonly cancel: (reason: string) => Effect.Effect<unknown, unknown>
}

/** A century, longer than any trial: what a caller waits for comes, or its process dies. */
const patience = { timeout: 36_500 * 86_400_000 }

/** The name of the error with which a validator refused an update, if that is what it is. */
const refusalOf = ({ codecs }: Workflow.Any, update: string, error: unknown): string | undefined => {
  if (error instanceof UpdateFailed) return error.rejected ? Outcome.kindOf(error.failure) : undefined
  const isDeclared = Either.isRight(codecs.updates.get(update)!.error.encode(error))
  return isDeclared ? (error as { readonly _tag?: string })._tag ?? "error" : undefined
}
