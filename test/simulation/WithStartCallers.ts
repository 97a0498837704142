/**
 * Those who send messages that start their runs: each again and again until it is answered, by whatever process is there.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Client } from "perdure"
import { UpdateFailed, WorkflowAlreadyStarted, WorkflowClosed } from "perdure"
import type { Place } from "./Asking.js"
import { insist, until } from "./Asking.js"
import type { Dice } from "./Dice.js"
import type { CallPlan, GatheringPlan, Sent } from "./WithStarts.js"
import { Gathering } from "./WithStarts.js"

/** All that is asked of one workflow id; once all calls are answered, what is open is brought to its end. */
export const callers = (plan: GatheringPlan, place: Place, dice: Dice): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { ledger, store } = place.world
    const account = ledger.gatheringOf(plan.workflowId)
    const call = (each: CallPlan, index: number) =>
      Effect.zipRight(
        until(place, each.at),
        insist(
          place,
          dice.stream(`call ${index}`),
          `${each.message.id} with a start of ${plan.workflowId}`,
          (client) =>
            Effect.suspend(() => {
              const sent = account.send(each, index)
              return Effect.matchEffect(ask(client, plan, each, sent), {
                onSuccess: (told) => Effect.sync(() => void (sent.told = told)),
                onFailure: (error) => {
                  if (!(error instanceof WorkflowAlreadyStarted)) return Effect.fail(error)
                  sent.told = { _tag: "Refused", runId: error.runId ?? "", closed: error.closed === true }
                  return Effect.void
                }
              })
            })
        )
      )
    yield* Effect.all(plan.calls.map(call), { concurrency: "unbounded", discard: true })
    for (let round = 1;; round++) {
      const latest = yield* Effect.orDie(Effect.flatten(store.findLatest(plan.workflowId)))
      if (account.ended.includes(latest.firstRunId)) return
      const handle = (client: TheClient) => client.handle(Gathering, plan.workflowId, latest.firstRunId)
      yield* insist(place, dice.stream(`finish ${round}`), `finish ${plan.workflowId}`, (client) =>
        Effect.catchIf(
          client.handle(Gathering, plan.workflowId).signal("finish"),
          (error) => error instanceof WorkflowClosed,
          () => Effect.void
        ))
      yield* insist(place, dice.stream(`result ${round}`), `result of ${plan.workflowId}`, (client) =>
        handle(client).result)
      account.ended.push(latest.firstRunId)
    }
  })

type TheClient = Context.Tag.Service<typeof Client>

const ask = (
  client: TheClient,
  { anew, idReuse, needs, taskQueue, workflowId }: GatheringPlan,
  { idConflict, kind, message }: CallPlan,
  { name, requested }: Sent
): Effect.Effect<Sent["told"], unknown> => {
  const payload = { by: name, needs, anew, seen: [] }
  const { id } = message
  const options = { workflowId, taskQueue, idReuse }
  if (kind === "signal") {
    const signal = { name: "note" as const, payload: message, requestId: id }
    return Effect.map(
      client.signalWithStart(Gathering, payload, signal, { ...options, ...(requested ? { requestId: id } : {}) }),
      ({ runId }) => ({ _tag: "Taken" as const, runId, answer: undefined })
    )
  }
  return Effect.flatMap(
    client.updateWithStart(Gathering, payload, { name: "put", payload: message, updateId: id }, {
      ...options,
      idConflict,
      timeout: "5 seconds"
    }),
    ({ handle: { runId }, update }) =>
      Effect.map(
        // Of one that is to end with it, the end may come before the answer.
        Effect.catchIf(
          update.result,
          (error) => needs !== undefined && (error instanceof UpdateFailed || error instanceof WorkflowClosed),
          () => Effect.succeed(undefined)
        ),
        (answer) => ({ _tag: "Taken" as const, runId, answer })
      )
  )
}
