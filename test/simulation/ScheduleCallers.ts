/**
 * Those who create schedules, operate them, and delete them: each call again and again until it is answered.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Client } from "perdure"
import { Schedule } from "perdure"
import { beginning } from "../../src/testing/VirtualTime.js"
import type { Place } from "./Asking.js"
import { insist, until } from "./Asking.js"
import type { Dice } from "./Dice.js"
import { recoveryMillis } from "./Plan.js"
import type { CallPlan, SchedulePlan, Sent } from "./Schedules.js"
import { Shift } from "./Schedules.js"

type TheClient = Context.Tag.Service<typeof Client>

/** All that is asked of one schedule; once it has had time to catch up, it is looked at and deleted. */
export const callers = (plan: SchedulePlan, place: Place, dice: Dice): Effect.Effect<void> =>
  Effect.gen(function*() {
    const account = place.world.ledger.scheduleOf(plan.scheduleId)
    const ask = (name: string, call: (schedule: Schedule.Handle) => Effect.Effect<unknown, unknown>) =>
      insist(
        place,
        dice.stream(name),
        `${name} of ${plan.scheduleId}`,
        (client) => call(client.schedules.handle(plan.scheduleId))
      )
    yield* until(place, plan.createAt)
    yield* insist(place, dice.stream("create"), `create ${plan.scheduleId}`, (client) =>
      Effect.catchIf(
        create(client, plan),
        (error) => error instanceof Schedule.ScheduleAlreadyExists,
        () => Effect.void
      ))
    yield* Effect.all(
      plan.calls.map((call, index) =>
        Effect.zipRight(
          until(place, call.at),
          ask(`${call.kind} ${index}`, (schedule) =>
            Effect.suspend(() => {
              const sent: Sent = { call, acknowledged: false }
              account.sends.push(sent)
              return Effect.map(perform(call, plan, schedule), () => void (sent.acknowledged = true))
            }))
        )
      ),
      { concurrency: "unbounded", discard: true }
    )
    yield* until(place, place.chaosMillis + recoveryMillis + 2 * plan.everyMillis)
    yield* ask("describe", (schedule) =>
      Effect.map(schedule.describe, (described) => void (account.described = described)))
    yield* ask("delete", (schedule) =>
      Effect.catchIf(schedule.delete, (error) =>
        error instanceof Schedule.ScheduleNotFound, () =>
        Effect.void))
  })

const create = (
  client: TheClient,
  { everyMillis, overlap, remaining, scheduleId, takes, taskQueue, works }: SchedulePlan
) =>
  client.schedules.create(scheduleId, {
    spec: { intervals: [{ every: everyMillis }] },
    policies: { overlap },
    ...(remaining === undefined ? {} : { remainingActions: remaining }),
    memo: { changes: 0 },
    action: Schedule.start(Shift, { takes, works }, { taskQueue })
  })

const perform = (
  call: CallPlan,
  { everyMillis }: SchedulePlan,
  schedule: Schedule.Handle
): Effect.Effect<unknown, unknown> => {
  switch (call.kind) {
    case "pause":
      return schedule.pause("for a while")
    case "unpause":
      return schedule.unpause()
    case "trigger":
      return schedule.trigger(call.overlap === undefined ? {} : { overlap: call.overlap })
    case "backfill":
      return schedule.backfill({ from: beginning - call.times * everyMillis, to: beginning - 1 })
    case "update":
      return schedule.update(({ memo }) => ({ memo: { changes: (memo["changes"] as number) + 1 } }))
  }
}
