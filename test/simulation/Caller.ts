/**
 * Those who call: they start executions, send messages, wait for results, each through whatever process is there, again
 * and again until they are told. What they are told goes into the ledger.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Client } from "perdure"
import {
  CallTimeout,
  QueryFailed,
  StoreUnavailable,
  UpdateFailed,
  WorkflowAlreadyStarted,
  WorkflowClosed,
  WorkflowNotFound
} from "perdure"
import { beginning } from "../../src/testing/VirtualTime.js"
import { Broken, Generated } from "../proofs/Generated.js"
import * as Playing from "../proofs/Playing.js"
import * as Programs from "../proofs/Program.js"
import type { CounterPlan } from "./Counters.js"
import * as Counters from "./Counters.js"
import type { Dice } from "./Dice.js"
import type { Account, Send } from "./Ledger.js"
import type { ExecutionPlan } from "./Plan.js"
import { clockMillisMax, leaseMillisMax, silenceMillisMax } from "./Plan.js"
import type { Process, World } from "./Process.js"

/** Where callers are. */
export interface Place {
  readonly world: World
  readonly processes: ReadonlyArray<Process>
  readonly chaosMillis: number
}

/**
 * By then everything that was broken has been taken over: the longest lease, as far ahead as a clock may have been when
 * it was written, the longest silence, and something for the rest.
 */
export const recoveryMillis = leaseMillisMax + clockMillisMax + silenceMillisMax + 1_000

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
    if (cancelAt !== undefined) tasks.push(each("cancel", cancelAt, (dice) => cancel(plan, account, place, dice)))
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

const isChain = ({ scenario }: ExecutionPlan): boolean => scenario.unlucky !== undefined

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

// -----------------------------------------------------------------------------
// how they ask
// -----------------------------------------------------------------------------

/** Asks one process after another until one answers. What no caller should ever be told is a finding. */
const insist = (
  { processes, world }: Place,
  dice: Dice,
  what: string,
  call: (client: Context.Tag.Service<typeof Client>) => Effect.Effect<unknown, unknown>
): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let tries = 1;; tries++) {
      const open = dice.of(processes).open
      if (open === undefined) {
        yield* world.clock.sleep(Duration.millis(dice.between(5, 50)))
        continue
      }
      const { client, session } = open
      world.ledger.note(() => `caller: ${what} by ${session.name}`)
      const gone = Effect.raceFirst(
        Deferred.await(session.life.died),
        world.clock.sleep(Duration.millis(patienceMillis))
      )
      const exit = yield* Effect.exit(
        Effect.raceFirst(
          Effect.disconnect(Effect.withClock(call(client), session.clock)),
          Effect.zipRight(gone, Effect.fail(hungUp))
        )
      )
      if (Exit.isSuccess(exit)) return
      const error = Cause.squash(exit.cause)
      world.ledger.note(() => `caller: ${what} by ${session.name}: ${String(error).slice(0, 200)}`)
      if (error !== hungUp && !isTrouble(error)) return world.ledger.find(`${what}: ${String(error)}`)
      yield* world.clock.sleep(Duration.millis(dice.between(1, tries > 3 ? 1_000 : 100)))
    }
  })

const hungUp = "hung up"

/** Then a caller gives up, and asks another process. */
const patienceMillis = 20_000

/** What passes, and is worth asking again. */
const isTrouble = (error: unknown): boolean =>
  error instanceof StoreUnavailable || error instanceof CallTimeout ||
  // So many callers asked again that the run has as many updates in progress as it may (U12).
  error instanceof UpdateFailed && /updates are in progress/.test(error.message)

const until = ({ world }: Place, at: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    const millis = beginning + at - world.time.now
    return millis <= 0 ? Effect.void : world.clock.sleep(Duration.millis(millis))
  })
