/**
 * One trial: a run on the real engine in virtual time, from its start to its end, in one life or several.
 *
 * ```
 *   at rest ──▶ what could come next? ──▶ one of it, by the order ──▶ at rest ... ──▶ the end ──▶ audit
 *                 an attempt's answer                        ╳ the process is killed at an operation of its store:
 *                 the next message                             audit what it left, and go on in a new one
 *                 the next wake-up of the clock
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { Turn } from "../../core/Event.js"
import * as Activities from "../../core/family/Activity.js"
import { isClosing } from "../../core/family/Execution.js"
import * as Messages from "../../core/Message.js"
import * as Replay from "../../core/Replay.js"
import { Client } from "../../dsl/Client.js"
import type * as Workflow from "../../dsl/Workflow.js"
import { UpdateFailed, WorkflowClosed } from "../../dsl/WorkflowFailure.js"
import type { Run, Task } from "../../persistence/Store.js"
import { Store } from "../../persistence/Store.js"
import * as Histories from "../../runtime/Histories.js"
import { Performing } from "../../runtime/Performing.js"
import { RunIds } from "../../runtime/RunIds.js"
import * as Worker from "../../runtime/Worker.js"
import type { CrashPoint } from "../CrashingStore.js"
import * as CrashingStore from "../CrashingStore.js"
import type { FreshStore } from "../FreshStore.js"
import { beginning, VirtualTime } from "../VirtualTime.js"
import type { Finding } from "./Finding.js"
import * as Findings from "./Finding.js"
import * as Outcome from "./Outcome.js"
import type { Plan, Role } from "./Plan.js"
import type { Attempt, Sent } from "./Stage.js"
import { performing, Stage } from "./Stage.js"

/** The workflow under test, and its surroundings. @since 0.1.0 */
export interface Subject {
  readonly workflow: Workflow.Any
  readonly roles: ReadonlyArray<Role>
  /** The bodies, which need nothing any more, in a new world. */
  readonly hosts: (world: unknown) => ReadonlyArray<Layer.Layer<never>>
  readonly world: () => unknown
  readonly store: FreshStore
  readonly stepsMax: number
}

/** What can come next. @since 0.1.0 */
export type Cue =
  | { readonly _tag: "Answer"; readonly activityId: string; readonly key: string }
  /** By the place of the message in the plan. */
  | { readonly _tag: "Send"; readonly index: number }
  | { readonly _tag: "Tick" }

/** Chooses among what can come next; undefined lets the plain order choose. @since 0.1.0 */
export type Order = (
  cues: ReadonlyArray<Cue>,
  turn: number
) => { readonly cue: Cue; readonly rests: boolean } | undefined

/** A run beside the one under test: a child of it, with a body among the hosts. @since 0.1.0 */
export interface Other {
  readonly runId: string
  readonly turns: ReadonlyArray<Turn>
}

/** What became of a trial. @since 0.1.0 */
export interface Traced {
  readonly run: Run
  readonly turns: ReadonlyArray<Turn>
  /** Its children, and theirs. */
  readonly others: ReadonlyArray<Other>
  readonly sent: ReadonlyArray<Sent>
  readonly attempts: ReadonlyArray<Attempt>
  readonly world: unknown
  /** The store's operations of each life. */
  readonly operations: ReadonlyArray<ReadonlyArray<string>>
  /** Turns in the history when each life but the last died. */
  readonly deaths: ReadonlyArray<number>
  /** The plan in which attempts fail where in this trial they died with their process; undefined where none did. */
  readonly withLosses: Plan | undefined
  readonly findings: ReadonlyArray<Finding>
}

/** Answers first, oldest first; then messages; time passes when nothing else is left. @since 0.1.0 */
export const plain: Order = () => undefined

/** By numbers that were drawn: each chooses one of all cues, and whether the engine comes to rest before the next. @since 0.1.0 */
export const drawn = (numbers: ReadonlyArray<number>): Order => {
  let index = 0
  return (cues) => {
    const number = numbers[index++]
    return number === undefined
      ? undefined
      : { cue: cues[(number >>> 1) % cues.length]!, rests: (number & 1) === 0 }
  }
}

/** The order in which things came in a trial: by its history, and for messages that left no event by when they were sent. @since 0.1.0 */
export const following = ({ sent, turns }: Pick<Traced, "sent" | "turns">): Order => {
  const ids = new Map<number, string>()
  for (const { events } of turns) {
    for (const event of events) if (event._tag === "ActivityScheduled") ids.set(event.seq, Activities.idOf(event))
  }
  return (cues, turn) => {
    const next = turns[turn]?.events.find(Replay.isMessageEvent)
    const find = (holds: (cue: Cue) => boolean) => {
      const cue = cues.find(holds)
      return cue === undefined ? undefined : { cue, rests: true }
    }
    const traceless = find((cue) =>
      cue._tag === "Send" && leftNoEvent(sent[cue.index]!) && sent[cue.index]!.turn! <= turn
    )
    if (traceless !== undefined) return traceless
    switch (next?._tag) {
      case "SignalReceived":
      case "UpdateAccepted":
      case "CancelRequested":
        return find(({ _tag }) => _tag === "Send")
      case "ActivityCompleted":
      case "ActivityFailed":
      case "ActivityCanceled": {
        const id = ids.get(next.seq)
        return find((cue) => cue._tag === "Answer" && cue.activityId === id) ?? find(({ _tag }) => _tag === "Tick")
      }
      case "TimerFired":
        return find(({ _tag }) => _tag === "Tick")
      default:
        return undefined
    }
  }
}

const leftNoEvent = ({ message, state, turn }: Sent): boolean =>
  turn !== undefined && (state === "refused" || state === "too late" || message._tag === "Query")

/** The run of every trial has the same ids: its random numbers are seeded by them. @since 0.1.0 */
export const runId = "01900000-0000-7000-8000-000000000001"
const workflowId = "durable"
const taskQueue = "durable"

/** Of the run that follows: the same in every trial, too. */
const nextId = (creator: string): string =>
  creator.slice(0, -12) + (Number.parseInt(creator.slice(-12), 16) + 1).toString(16).padStart(12, "0")

/**
 * Runs a trial.
 *
 * @since 0.1.0
 */
export const run = (
  subject: Subject,
  plan: Plan,
  order: Order,
  crashes: ReadonlyArray<CrashPoint>
): Effect.Effect<Traced> =>
  Effect.scoped(Effect.gen(function*() {
    const store = yield* subject.store
    const time = new VirtualTime()
    const stage = new Stage(plan, subject.roles)
    const world = subject.world()
    const sent = plan.messages.map((message): Sent => ({ message, state: "unsent" }))
    const operations: Array<ReadonlyArray<string>> = []
    const deaths: Array<number> = []
    const findings: Array<Finding> = []
    let turns: ReadonlyArray<Turn> = []
    let others: ReadonlyArray<Other> = []
    yield* create(store, subject.workflow, plan.input)
    for (let number = 1;; number++) {
      const life = new CrashingStore.Life(number, time, crashes[number - 1])
      operations.push(life.operations)
      const ended = yield* live({ subject, plan, order, store, stage, sent, world, life })
      if (typeof ended === "object") findings.push(ended)
      const before = turns
      turns = yield* Histories.read(store, runId)
      others = yield* othersIn(store)
      findings.push(
        ...Findings.ofHistory(before, turns),
        ...others.flatMap(({ turns }) => Findings.ofHistory([], turns)),
        ...(yield* Findings.ofStore(store, stage, sent, subject.workflow, [{ runId, turns }, ...others]))
      )
      if (ended !== "died" || findings.length > 0) break
      deaths.push(turns.length)
      for (const each of [{ runId, turns }, ...others]) settle(stage, each, yield* store.tasksOf(each.runId))
      resend(sent, subject.workflow, yield* Findings.received(store, turns, runId))
      for (const worker of yield* store.workers) yield* store.renew(worker.id, time.now - 1)
    }
    const found = yield* Effect.flatten(store.findRun(runId))
    const withLosses = stage.losses.length === 0 ? undefined : stage.planWithLosses()
    return {
      run: found,
      turns,
      sent,
      others,
      attempts: stage.attempts,
      world,
      operations,
      deaths,
      withLosses,
      findings
    }
  })).pipe(Effect.orDie)

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Scene {
  readonly subject: Subject
  readonly plan: Plan
  readonly order: Order
  readonly store: Store["Type"]
  readonly stage: Stage
  readonly sent: ReadonlyArray<Sent>
  readonly world: unknown
  readonly life: CrashingStore.Life
}

const create = (store: Store["Type"], { codecs, name }: Workflow.Any, input: unknown) =>
  Effect.flatMap(
    codecs.payload.encode(input),
    (encoded) =>
      store.create({ runId, workflowId, workflow: name, taskQueue, startedAt: beginning }, {
        runId,
        kind: "Start",
        body: Messages.encode({
          _tag: "Start",
          workflow: name,
          workflowId,
          taskQueue,
          ...(encoded === undefined ? {} : { input: encoded })
        })
      })
  )

/** Lives until the run is at its end, the process is dead, or something is wrong. */
const live = (scene: Scene): Effect.Effect<Finding | "died" | "ended", unknown> =>
  Effect.scoped(Effect.gen(function*() {
    const { life, order, sent, stage, store, subject } = scene
    const { time } = life
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) =>
      Effect.suspend(() => {
        stage.forgetAll()
        return CrashingStore.bury(life, scope)
      }))
    // A daemon: its process may die while it starts.
    let client: Client["Type"] | undefined
    const starting = yield* Effect.forkDaemon(
      Effect.map(Scope.extend(worker(scene), scope), (started) => void (client = started))
    )
    let rests = true
    for (let step = 0;; step++) {
      if (rests) yield* time.rest
      if (life.dead) return "died"
      const started = starting.unsafePoll()
      if (started !== null && Exit.isFailure(started)) return yield* Effect.failCause(started.cause)
      const open = yield* store.runs({ status: "Running", limit: runsMax })
      const run = open.find((each) => each.runId === runId) ?? (yield* Effect.flatten(store.findRun(runId)))
      for (const each of open) {
        const failed = Findings.turnFailed(each)
        if (failed !== undefined) return failed
      }
      if (run.status !== "Running") {
        yield* time.rest
        return life.dead ? "died" : "ended"
      }
      const cues: Array<Cue> = stage.waiting.map(({ activityId, key }) => ({ _tag: "Answer", activityId, key }))
      const unsent = sent.findIndex(({ state }) => state === "unsent")
      if (client !== undefined && unsent >= 0) cues.push({ _tag: "Send", index: unsent })
      if (time.next !== undefined && (yield* waitsForTime(store, open))) cues.push({ _tag: "Tick" })
      if (cues.length === 0) {
        if (rests) return "ended"
        rests = true
        continue
      }
      if (step >= subject.stepsMax) return Findings.endless(subject.stepsMax)
      const chosen = order(cues, run.turn) ?? { cue: cues[0]!, rests: true }
      rests = chosen.rests
      perform(chosen.cue, scene, client, run.turn)
    }
  }))

/** Whether the clock can get any run further: a child may be what the run waits for. */
const waitsForTime = (store: Store["Type"], open: ReadonlyArray<Run>) =>
  open.some(({ wakeAt }) => wakeAt !== undefined)
    ? Effect.succeed(true)
    : Effect.exists(open, ({ runId }) => Effect.map(store.tasksOf(runId), (tasks) => tasks.length > 0))

/** A century: nobody takes a worker over that is not dead. */
const leaseMillis = 36_500 * 86_400_000

const worker = ({ life, stage, store, subject, world }: Scene) => {
  const bodies = subject.hosts(world).map((layer) => stage.wrap(layer, life))
  const scripted = subject.roles.filter((role) => !role.hasBody).map(({ name }) => stage.scripted(name, life))
  const layer = Worker.layer({
    taskQueue,
    hosts: [...bodies, ...scripted],
    lease: leaseMillis,
    shutdownGrace: 0
  }).pipe(
    Layer.provide(CrashingStore.layer(life)),
    Layer.provide([
      Layer.succeed(Store, store),
      Layer.succeed(Performing, performing(life)),
      Layer.succeed(RunIds, nextId)
    ])
  )
  return Effect.map(Effect.withClock(Layer.build(layer), life.clock.clock), Context.get(Client))
}

const perform = (cue: Cue, scene: Scene, client: Client["Type"] | undefined, turn: number): void => {
  const { life, sent, stage } = scene
  switch (cue._tag) {
    case "Answer":
      return stage.waiting.find(({ key }) => key === cue.key)?.cue()
    case "Tick":
      return void life.time.tick()
    case "Send": {
      const entry = sent[cue.index]!
      entry.state = "sent"
      entry.turn = turn
      const sending = send(client!, scene, entry, cue.index)
      Effect.runFork(Effect.withClock(Effect.exit(sending), life.clock.clock))
    }
  }
}

/** Longer than any trial: what a caller waits for comes, or its process dies. */
const patience = { timeout: leaseMillis }

const send = (client: Client["Type"], { store, subject: { workflow } }: Scene, entry: Sent, index: number) => {
  const handle = client.handle(workflow, workflowId, runId) as unknown as ErasedHandle
  const { message } = entry
  const acknowledged = Effect.sync(() => void (entry.state = "acknowledged"))
  // A closed run takes a request that comes too late, and says nothing (row C1).
  const canceled = Effect.map(Histories.read(store, runId), (turns) => {
    const events = turns.flatMap(({ events }) => events)
    const late = events.some(isClosing) && !events.some(({ _tag }) => _tag === "CancelRequested")
    entry.state = late ? "too late" : "acknowledged"
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

/** The name of the error with which a validator refused an update, if that is what it is. */
const refusalOf = ({ codecs }: Workflow.Any, update: string, error: unknown): string | undefined => {
  if (error instanceof UpdateFailed) return error.rejected ? Outcome.kindOf(error.failure) : undefined
  const isDeclared = Either.isRight(codecs.updates.get(update)!.error.encode(error))
  return isDeclared ? (error as { readonly _tag?: string })._tag ?? "error" : undefined
}

interface ErasedHandle {
  readonly signal: (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>
  readonly startUpdate: ErasedHandle["signal"]
  readonly query: ErasedHandle["signal"]
  readonly cancel: (reason: string) => Effect.Effect<unknown, unknown>
}

/** The histories of the other runs in the store: children, and theirs. */
const othersIn = (store: Store["Type"]) =>
  Effect.flatMap(store.runs({ limit: runsMax }), (runs) =>
    Effect.forEach(
      runs.filter((run) => run.runId !== runId),
      (run) => Effect.map(Histories.read(store, run.runId), (turns): Other => ({ runId: run.runId, turns }))
    ))

/** As many runs of one trial are looked at. */
const runsMax = 1_000

/** Remembers whose outcome is committed, and must not run again, and which attempts nobody will hear of. */
const settle = (stage: Stage, { runId, turns }: Other, tasks: ReadonlyArray<Task>): void => {
  const calls = new Map<number, { readonly name: string; readonly key: string }>()
  for (const { events } of turns) {
    for (const event of events) {
      if (event._tag === "ActivityScheduled") {
        calls.set(event.seq, { name: event.name, key: Activities.idempotencyKey(runId, event) })
      } else if (
        event._tag === "ActivityCompleted" || event._tag === "ActivityFailed" || event._tag === "ActivityCanceled"
      ) stage.settled.add(calls.get(event.seq)!.key)
    }
  }
  for (const task of tasks) {
    const { key, name } = calls.get(task.seq)!
    if (task.state === "started") stage.lost(name, key, task.attempt)
  }
}

/** What nobody heard to have arrived, and what did not, the next life sends again, in its place. */
const resend = (sent: ReadonlyArray<Sent>, workflow: Workflow.Any, received: Map<string, number>): void => {
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
