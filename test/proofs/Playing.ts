/**
 * Plays a scenario on the real engine in virtual time, in one or more lives: starts it, sends its messages, waits for
 * its end. Writes down what the outside saw, which no crash takes away.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Handle } from "perdure"
import { Client, UpdateFailed, Worker, WorkflowClosed, WorkflowFailure } from "perdure"
import { Store } from "perdure/sqlite"
import type { Turn } from "../../src/core/Event.js"
import * as Events from "../../src/core/Event.js"
import * as Failures from "../../src/core/Failure.js"
import type { Life } from "../../src/testing/CrashingStore.js"
import * as CrashingStore from "../../src/testing/CrashingStore.js"
import { beginning } from "../../src/testing/VirtualTime.js"
import type { Outcome } from "./Expected.js"
import type { World } from "./Generated.js"
import { Broken, endlessMillis, Generated, hosts, wordsOfFailure } from "./Generated.js"
import type { Scenario } from "./Program.js"
import * as Programs from "./Program.js"

/** What the outside of all lives knows. */
export class Account {
  runId: string | undefined
  /** Messages by key: how often they were sent, which of them were acknowledged, which came too late. */
  readonly sends = new Map<number, number>()
  readonly acknowledged = new Set<number>()
  readonly tooLate = new Set<number>()
  readonly answers = new Map<number, Outcome>()
  readonly attempts: Array<{
    readonly life: number
    readonly key: string
    readonly attempt: number
    readonly label: string
  }> = []
  /** By run and name. */
  readonly steps: Array<{ readonly life: number; readonly name: string }> = []
  /** Keys and names whose outcome was seen to be committed when a life ended. */
  readonly settled = new Set<string>()
  /** What ran all the same after that. */
  readonly reruns: Array<string> = []

  ran(key: string): void {
    if (this.settled.has(key)) this.reruns.push(key)
  }
}

/** The world of a life: each attempt is written down, and takes as long as its plan says. */
export const worldOf = (life: Life, account: Account): World => ({
  work: ({ ends, label, millis }, { attempt, idempotencyKey }) =>
    Effect.suspend(() => {
      if (life.dead) return life.silence
      account.ran(idempotencyKey)
      account.attempts.push({ life: life.number, key: idempotencyKey, attempt, label })
      life.time.pulse()
      return ends === "never" ? Effect.sleep(endlessMillis) : millis === 0 ? Effect.void : Effect.sleep(millis)
    }),
  step: (label, runId) =>
    Effect.suspend(() => {
      if (life.dead) return life.silence
      const name = `${runId} ${label}`
      account.ran(name)
      account.steps.push({ life: life.number, name })
      life.time.pulse()
      return Effect.void
    })
})

/** Worker options that a proof varies. */
export interface Settings {
  readonly maxCachedExecutions?: number
  readonly version?: Programs.Version
}

/** A worker of a life, built in its scope. */
export const worker = (
  life: Life,
  world: World,
  { version, ...settings }: Settings = {},
  runIds: Layer.Layer<never> = Layer.empty
): Effect.Effect<Context.Tag.Service<typeof Client>, unknown, Store | Scope.Scope> =>
  Effect.gen(function*() {
    const store = yield* Store
    const layer = Worker.layer({
      taskQueue: "proofs",
      hosts: hosts(world, version),
      // Taking over is told by the proof, not by time.
      lease: endlessMillis / 10,
      shutdownGrace: 0,
      ...settings
    }).pipe(Layer.provide(runIds), Layer.provide(CrashingStore.layer(life)), Layer.provide(Layer.succeed(Store, store)))
    const context = yield* Effect.withClock(Layer.build(layer), life.clock.clock)
    return Context.get(context, Client)
  })

/** The one execution of a proof. */
export const workflowId = "the one"

/** Plays a scenario to its end, and that of all its kin, from wherever the lives before left it. */
export const play = (
  life: Life,
  scenario: Scenario,
  account: Account,
  settings?: Settings
): Effect.Effect<Outcome, unknown, Store | Scope.Scope> =>
  Effect.gen(function*() {
    const client = yield* worker(life, worldOf(life, account), settings)
    const found = yield* Effect.option(client.handle(Generated, workflowId).describe)
    const runId = found._tag === "Some"
      ? found.value.firstRunId
      : yield* client.start(Generated, scenario, { workflowId, ...Programs.termsOf(scenario) }).pipe(
        Effect.map((started) => started.runId),
        // Another life began it in between.
        Effect.catchTag("WorkflowAlreadyStarted", (error) => Effect.fromNullable(error.runId))
      )
    account.runId = runId
    // There is no other chain of its workflow id: messages go to whichever run is open.
    const handle = client.handle(Generated, workflowId)
    const messages = Effect.forEach(
      scenario.messages,
      (message, key) =>
        Effect.zipRight(
          until(life, message.at),
          message.kind === "signal" ? signal(handle, key, account) : update(handle, key, account)
        ),
      { concurrency: "unbounded", discard: true }
    )
    const first = client.handle(Generated, workflowId, runId)
    const cancelAt = Programs.cancelAt(scenario)
    const cancel = cancelAt === undefined
      ? Effect.void
      : Effect.zipRight(until(life, cancelAt), handle.cancel("enough"))
    const [outcome] = yield* Effect.all([Effect.map(Effect.exit(first.result), outcomeOf), messages, cancel], {
      concurrency: "unbounded"
    })
    yield* othersEnd(life)
    return outcome
  })

/** Waits until no run is open any more: children may outlive their parents. */
const othersEnd = (life: Life): Effect.Effect<void, unknown, Store> =>
  Effect.gen(function*() {
    const store = yield* Store
    while ((yield* store.runs({ status: "Running", limit: 1 })).length > 0) {
      yield* life.clock.clock.sleep(Duration.millis(10))
    }
  })

/** Waits until so many milliseconds after the beginning; not at all where that has passed. */
const until = (life: Life, millis: number): Effect.Effect<void> =>
  Effect.suspend(() => life.clock.clock.sleep(Duration.millis(Math.max(0, beginning + millis - life.time.now))))

const sent = (account: Account, key: number) =>
  Effect.sync(() => void account.sends.set(key, (account.sends.get(key) ?? 0) + 1))

/** Sends a signal that no life before has heard to be recorded. */
const signal = (handle: Handle<typeof Generated>, key: number, account: Account) =>
  Effect.suspend(() => {
    if (account.acknowledged.has(key) || account.tooLate.has(key)) return Effect.void
    return Effect.matchEffect(Effect.zipRight(sent(account, key), handle.signal("note", { key })), {
      onSuccess: () => Effect.sync(() => void account.acknowledged.add(key)),
      onFailure: (error) =>
        error instanceof WorkflowClosed ? Effect.sync(() => void account.tooLate.add(key)) : Effect.fail(error)
    })
  })

/** Sends an update until its answer is known; always under the same id. */
const update = (handle: Handle<typeof Generated>, key: number, account: Account) =>
  Effect.suspend(() => {
    if (account.answers.has(key) || account.tooLate.has(key)) return Effect.void
    const started = handle.startUpdate("add", { key }, { updateId: updateId(key), timeout: "20 seconds" })
    const answered = Effect.flatMap(Effect.zipRight(sent(account, key), started), ({ result }) => {
      account.acknowledged.add(key)
      return result
    })
    return Effect.flatMap(Effect.exit(answered), (exit) => {
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      if (error instanceof WorkflowClosed) account.tooLate.add(key)
      else if (error === undefined || error instanceof Broken || error instanceof UpdateFailed) {
        account.answers.set(key, outcomeOf(exit))
      } else return Effect.fail(error)
      return Effect.void
    })
  })

export const updateId = (key: number): string => `update ${key}`

/** What a caller saw, in the words of `Expected`. */
export const outcomeOf = (exit: Exit.Exit<string, unknown>): Outcome => {
  if (Exit.isSuccess(exit)) return { failed: false, text: exit.value }
  const error = Cause.squash(exit.cause)
  return { failed: true, text: wordsOf(error) }
}

const wordsOf = (error: unknown): string => {
  if (error instanceof Broken) return `Broken ${error.where}`
  if (error instanceof UpdateFailed) return `UpdateFailed ${Failures.typeOf(error.failure)}`
  if (!(error instanceof WorkflowFailure)) return String(error)
  return error.status === "Failed" ? wordsOfFailure(error.failure) : error.status
}

/** The turns that a store holds of a run. */
export const turnsOf = (store: Store["Type"], runId: string): Effect.Effect<ReadonlyArray<Turn>, unknown> =>
  Effect.flatMap(
    store.history(runId, 0, 100_000),
    (rows) =>
      Effect.forEach(
        rows,
        (row) => Effect.map(Events.decode(row), (events): Turn => ({ turn: row.turn, at: row.at, events }))
      )
  )

/**
 * Lets time pass until the fiber ends, or its life does; fails when neither can happen any more, or not within the time
 * that the scenario can take: then something that should have woken the run did not.
 */
export const drive = <A, E>(
  fiber: Fiber.RuntimeFiber<A, E>,
  life: Life,
  horizonMillis: number
): Effect.Effect<Exit.Exit<A, E> | "died" | "frozen", Stuck> =>
  Effect.gen(function*() {
    const { time } = life
    for (;;) {
      yield* time.rest
      const exit = fiber.unsafePoll()
      if (life.dead) return "died"
      if (life.frozen !== undefined) return "frozen"
      if (exit !== null) return exit
      const next = time.next
      if (next === undefined || next > beginning + horizonMillis) {
        return yield* new Stuck({ operations: life.operations.slice(-20), afterMillis: time.now - beginning })
      }
      time.tick()
    }
  })

/** Nothing goes on any more, and the end was not reached. */
export class Stuck extends Data.TaggedError("Stuck")<{
  readonly operations: ReadonlyArray<string>
  readonly afterMillis: number
}> {
  override get message(): string {
    return `stuck after ${this.afterMillis} ms; last operations: ${this.operations.join(", ")}`
  }
}

/** By when a scenario is over, crashes included. */
export const horizon = (scenario: Scenario): number => 3 * Programs.lateMillis(scenario) + 60_000
