/**
 * Those who call: they start executions, send messages, wait for results, each through whatever process is there, again
 * and again until they are told. What they are told goes into the ledger.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { Client } from "perdure"
import {
  QueryFailed,
  ResetRefused,
  UpdateFailed,
  WorkflowAlreadyStarted,
  WorkflowClosed,
  WorkflowNotFound
} from "perdure"
import { Broken, Generated } from "../proofs/Generated.js"
import * as Playing from "../proofs/Playing.js"
import * as Programs from "../proofs/Program.js"
import type { Place } from "./Asking.js"
import { insist, isTrouble, until } from "./Asking.js"
import type { CounterPlan } from "./Counters.js"
import * as Counters from "./Counters.js"
import type { Dice } from "./Dice.js"
import type { Account, Send } from "./Ledger.js"
import type { ExecutionPlan } from "./Plan.js"
import { recoveryMillis } from "./Plan.js"
import type { ResetPlan } from "./Resets.js"

/** All that is asked of one execution; ends when its callers know its end. */
export const callers = (plan: ExecutionPlan, place: Place, dice: Dice): Effect.Effect<void> =>
  Effect.gen(function*() {
    const account = place.world.ledger.accountOf(plan.workflowId)
    const { scenario } = plan
    yield* until(place, plan.startAt)
    yield* start(plan, account, place, dice.stream("start"))
    const each = (name: string, at: number, what: (dice: Dice) => Effect.Effect<void>) =>
      Effect.zipRight(until(place, at), what(dice.stream(name)))
    const tasks = scenario.messages.map((message, key) =>
      each(
        `message ${key}`,
        plan.startAt + message.at,
        (dice) =>
          message.kind === "signal"
            ? signal(plan, account, key, place, dice)
            : update(plan, account, key, place, dice)
      )
    )
    const cancelAt = scenario.early !== null
      ? plan.startAt + scenario.early
      : scenario.ending === "returns"
      ? undefined
      : place.chaosMillis + recoveryMillis + Programs.lateMillis(scenario)
    const resets = yield* Effect.fork(Effect.forEach(
      plan.resets,
      (one) => reset(plan, one, account, place, dice.stream(one.requestId)),
      { concurrency: "unbounded", discard: true }
    ))
    tasks.push(Fiber.join(resets))
    // A cancel request behind the turn that is taken anew does not come again: it comes when no reset does any more.
    const ready = plan.resets.length === 0
      ? Effect.void
      : Effect.zipRight(
        Fiber.join(resets),
        place.world.clock.sleep(Duration.millis(recoveryMillis + Programs.lateMillis(scenario)))
      )
    if (cancelAt !== undefined) {
      tasks.push(each("cancel", cancelAt, (dice) => Effect.zipRight(ready, cancel(plan, account, place, dice))))
    }
    if (plan.terminateAt !== undefined) {
      tasks.push(each("terminate", plan.terminateAt, (dice) => terminate(plan, account, place, dice)))
    }
    plan.queriesAt.forEach((at, index) =>
      tasks.push(each(`query ${index}`, at, (dice) => query(plan, account, place, dice)))
    )
    for (let watcher = 1; watcher <= 2; watcher++) {
      tasks.push(each(`watcher ${watcher}`, 0, (dice) => watch(plan, account, place, dice)))
    }
    yield* Effect.all(tasks, { concurrency: "unbounded", discard: true })
  })

/** All that is asked of one counter; once all its commands are acknowledged, it is stopped. */
export const counterCallers = (plan: CounterPlan, place: Place, dice: Dice): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { ledger, store } = place.world
    const account = ledger.counterOf(plan.key)
    const commands = plan.commands.map(({ at, by, kind }, index) =>
      Effect.zipRight(
        until(place, at),
        insist(place, dice.stream(`command ${index}`), `${kind} ${index} to counter ${plan.key}`, (client) =>
          Effect.gen(function*() {
            const counter = yield* Counters.at(client, plan)
            const sent = { id: `${index}/${account.sends.length}`, by, told: "nothing" as "nothing" | "acknowledged" }
            account.sends.push(sent)
            const { id } = sent
            if (kind === "signal") {
              yield* counter.signal("add", { id, by })
            } else account.answers.push(yield* counter.update("work", { id, by }, { timeout: "5 seconds" }))
            sent.told = "acknowledged"
          }))
      )
    )
    const queries = plan.queriesAt.map((at, index) =>
      Effect.zipRight(
        until(place, at),
        insist(
          place,
          dice.stream(`query ${index}`),
          `query counter ${plan.key}`,
          (client) => Effect.flatMap(Counters.at(client, plan), (counter) => counter.query("sum"))
        )
      )
    )
    yield* Effect.all([...commands, ...queries], { concurrency: "unbounded", discard: true })
    const workflowId = Counters.workflowId(plan.key)
    const alive = yield* Effect.orDie(Effect.flatten(store.findLatest(workflowId)))
    account.runId = alive.firstRunId
    yield* insist(
      place,
      dice.stream("stop"),
      `stop counter ${plan.key}`,
      (client) => Effect.flatMap(Counters.at(client, plan), (counter) => counter.signal("stop"))
    )
    yield* insist(place, dice.stream("result"), `result of counter ${plan.key}`, (client) =>
      Effect.map(
        client.handle(Counters.Counter.workflow, workflowId, alive.firstRunId).result,
        (state) => void (account.state = state)
      ))
  })

// -----------------------------------------------------------------------------
// what they ask
// -----------------------------------------------------------------------------

const start = (plan: ExecutionPlan, account: Account, place: Place, dice: Dice): Effect.Effect<void> =>
  insist(place, dice, `start ${plan.workflowId}`, (client) =>
    Effect.gen(function*() {
      // A start whose answer was lost may have happened: as a person would, who looks before starting again.
      const found = yield* Effect.orDie(place.world.store.findLatest(plan.workflowId))
      if (Option.isSome(found)) return void (account.runId = found.value.firstRunId)
      account.starts++
      const { taskQueue, workflowId } = plan
      account.runId = yield* client.start(Generated, plan.scenario, {
        workflowId,
        taskQueue,
        ...Programs.termsOf(plan.scenario),
        // Messages to a chain go by its workflow id: there must be no other one (X6).
        ...(isChain(plan) ? { requestId: "the one" } : {})
      }).pipe(
        Effect.map(({ runId }) => runId),
        Effect.catchIf(
          (error) => error instanceof WorkflowAlreadyStarted && error.runId !== undefined,
          (error) => Effect.succeed((error as WorkflowAlreadyStarted).runId)
        )
      )
    }))

const signal = (plan: ExecutionPlan, account: Account, key: number, place: Place, dice: Dice): Effect.Effect<void> =>
  insist(place, dice, `signal ${key} to ${plan.workflowId}`, (client) =>
    Effect.suspend(() => {
      const sent = sending(account, key)
      return told(sent, handleOf(client, plan, account).signal("note", { key, send: sent.send }))
    }))

const update = (plan: ExecutionPlan, account: Account, key: number, place: Place, dice: Dice): Effect.Effect<void> =>
  insist(place, dice, `update ${key} of ${plan.workflowId}`, (client) =>
    Effect.suspend(() => {
      const sent = sending(account, key)
      const updateId = Playing.updateId(key)
      const started = handleOf(client, plan, account).startUpdate("add", { key }, { updateId, timeout: "5 seconds" })
      return Effect.flatMap(
        Effect.exit(Effect.flatMap(told(sent, started), (of) => of?.result ?? Effect.succeed(""))),
        (exit) => {
          const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
          if (sent.told === "closed") return Effect.void
          if (error !== undefined && !(error instanceof Broken || error instanceof UpdateFailed)) {
            return Effect.fail(error)
          }
          const answers = account.answers.get(key) ?? []
          account.answers.set(key, [...answers, Playing.outcomeOf(exit)])
          return Effect.void
        }
      )
    }))

const cancel = (plan: ExecutionPlan, account: Account, place: Place, dice: Dice): Effect.Effect<void> =>
  insist(place, dice, `cancel ${plan.workflowId}`, (client) => handleOf(client, plan, account).cancel("enough"))

const terminate = (plan: ExecutionPlan, account: Account, place: Place, dice: Dice): Effect.Effect<void> =>
  insist(place, dice, `terminate ${plan.workflowId}`, (client) =>
    Effect.suspend(() => {
      account.terminated = true
      return Effect.catchIf(
        handleOf(client, plan, account).terminate("by the plan"),
        (error) => error instanceof WorkflowClosed,
        () => Effect.void
      )
    }))

/** Asks for it until it is answered: by the run that it made, or that there can be none. */
const reset = (
  { startAt, workflowId }: ExecutionPlan,
  { at, requestId, share }: ResetPlan,
  account: Account,
  place: Place,
  dice: Dice
): Effect.Effect<void> =>
  Effect.zipRight(
    until(place, startAt + at),
    insist(place, dice, `${requestId} of ${workflowId}`, (client) =>
      Effect.gen(function*() {
        const { ledger, store } = place.world
        const latest = yield* Effect.orDie(Effect.flatten(store.findLatest(workflowId)))
        const turn = 1 + Math.floor(share * latest.turn)
        const refused = (error: ResetRefused) => {
          const neverBegan = /first turn has not been taken/.test(error.reason) && latest.status !== "Running"
          if (!neverBegan) return Effect.fail(error)
          ledger.count("reset refused")
          return Effect.succeed(undefined)
        }
        const made = yield* client.handle(Generated, workflowId).reset({ turn, requestId, reason: requestId }).pipe(
          Effect.map((handle) => handle.runId),
          Effect.catchIf((error) => error instanceof ResetRefused, refused)
        )
        if (made === undefined) return
        account.resets.set(requestId, made)
        ledger.count("reset")
      }))
  )

const query = (plan: ExecutionPlan, account: Account, place: Place, dice: Dice): Effect.Effect<void> =>
  insist(
    place,
    dice,
    `query ${plan.workflowId}`,
    (client) =>
      handleOf(client, plan, account).query("seen", undefined, { timeout: "5 seconds" }).pipe(
        Effect.map((seen) => {
          const most = plan.scenario.messages.length
          if (seen > most) place.world.ledger.find(`${plan.workflowId} has seen ${seen} of ${most} messages`)
        }),
        // Asked before its first turn, which there may never be, or is held until a time.
        Effect.catchIf(
          (error) =>
            error instanceof QueryFailed && /^the run (has not set up its handlers yet|begins at)/.test(error.reason),
          () => Effect.void
        )
      )
  )

const watch = (plan: ExecutionPlan, account: Account, place: Place, dice: Dice): Effect.Effect<void> =>
  insist(
    place,
    dice,
    `result of ${plan.workflowId}`,
    (client) =>
      Effect.flatMap(Effect.exit(client.handle(Generated, plan.workflowId, account.runId).result), (exit) => {
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        if (error !== undefined && isTrouble(error)) return Effect.fail(error)
        if (Exit.isFailure(exit) && Cause.isInterrupted(exit.cause)) return Effect.failCause(exit.cause)
        if (error instanceof WorkflowNotFound) return Effect.fail(error)
        account.outcomes.push(Playing.outcomeOf(exit))
        place.world.ledger.note(() => `caller: ${plan.workflowId} ended: ${JSON.stringify(Playing.outcomeOf(exit))}`)
        return Effect.void
      })
  )

/** Of one run; or of whichever run of a chain is open, which from another process only its workflow id can name. */
const handleOf = (client: Context.Tag.Service<typeof Client>, plan: ExecutionPlan, account: Account) =>
  client.handle(Generated, plan.workflowId, isChain(plan) ? undefined : account.runId)

const isChain = ({ resets, scenario }: ExecutionPlan): boolean => scenario.unlucky !== undefined || resets.length > 0

const sending = (account: Account, key: number): Send => {
  const sent: Send = { key, send: account.sends.length, told: "nothing" }
  account.sends.push(sent)
  return sent
}

/** Writes down what the sender is told; a run that is closed takes no more, and that is an end of it. */
const told = <A, E>(sent: Send, call: Effect.Effect<A, E>): Effect.Effect<A | undefined, E> =>
  Effect.matchEffect(call, {
    onSuccess: (value) => Effect.sync(() => (sent.told = "acknowledged", value)),
    onFailure: (error) =>
      error instanceof WorkflowClosed
        ? Effect.sync(() => (sent.told = "closed", undefined))
        : Effect.fail(error)
  })
