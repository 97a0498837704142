/**
 * Drives an interpreter without a store: turns messages into turns, feeds outcomes, and keeps the history and a log of
 * the commands. Knows nothing of the test runner, so that it works in child processes as well.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Command } from "../../../src/core/Command.js"
import * as Commands from "../../../src/core/Command.js"
import type { Event, Turn } from "../../../src/core/Event.js"
import * as Events from "../../../src/core/Event.js"
import type { Failure, RetryState } from "../../../src/core/Failure.js"
import type { Message } from "../../../src/core/Message.js"
import * as Messages from "../../../src/core/Message.js"
import * as Replay from "../../../src/core/Replay.js"
import type { RunState } from "../../../src/core/RunState.js"
import * as RunStates from "../../../src/core/RunState.js"
import { WorkflowHost } from "../../../src/dsl/Workflow.js"
import * as Intake from "../../../src/runtime/execution/Intake.js"
import type { TurnOutput } from "../../../src/runtime/interpreter/Interpreter.js"
import { Interpreter } from "../../../src/runtime/interpreter/Interpreter.js"

/** What a Layer of a body provides to a worker. */
export const hostOf = (layer: Layer.Layer<never, never, never> | Layer.Layer<never>): WorkflowHost => {
  const context = Effect.runSync(Effect.scoped(Layer.build(layer as Layer.Layer<unknown>)))
  for (const service of context.unsafeMap.values()) if (service instanceof WorkflowHost) return service
  throw new Error("this layer hosts no workflow")
}

/** Where time begins in tests. */
export const epoch = Date.UTC(2024, 1, 29, 12, 30)

export interface Options {
  readonly runId?: string
  readonly operationsMax?: number
  /** How long a turn or a query may keep the thread. */
  readonly turnMillisMax?: number
}

export class Driver {
  interpreter: Interpreter
  state: RunState
  now = epoch
  /** Where the body waited for what woke it outside of a turn. */
  readonly late: Array<string | undefined> = []
  readonly turns: Array<Turn> = []
  /** What the messages brought and the commands asked for, a line each. */
  readonly log: Array<string> = []
  readonly runId: string

  constructor(readonly host: WorkflowHost, readonly options: Options = {}) {
    this.runId = options.runId ?? "0190a6f0-0000-7000-8000-000000000001"
    this.interpreter = this.make()
    this.state = RunStates.empty(this.runId)
  }

  protected make(): Interpreter {
    return new Interpreter({
      host: this.host,
      runId: this.runId,
      workflowId: "workflow-1",
      taskQueue: "queue",
      operationsMax: this.options.operationsMax,
      turnMillisMax: () => this.options.turnMillisMax,
      readMillisMax: this.options.turnMillisMax,
      onLate: (place) => this.late.push(place)
    })
  }

  /** One turn. Messages that the state does not accept are dropped, as the execution does. */
  turn(...messages: ReadonlyArray<Message>): TurnOutput {
    const accepted = messages.map((message) => Messages.accept(this.state, message))
    const events = accepted.filter((event): event is Event => typeof event !== "string")
    const output = this.interpreter.turn({
      at: this.now,
      events,
      replaying: false,
      past: this.state
    })
    const recorded = Intake.recorded(events, output)
    const caused = output.commands.map((command) => Commands.decide(command, this.now, this.state))
    const turn: Turn = { turn: this.state.turn + 1, at: this.now, events: stored([...recorded, ...caused]) }
    this.turns.push(turn)
    RunStates.evolve(this.state, turn)
    this.log.push(`${this.now - epoch} ${turn.events.map((event) => JSON.stringify(event)).join(" ")}`)
    return output
  }

  /** One turn: its commands. */
  take(...messages: ReadonlyArray<Message>): ReadonlyArray<Command> {
    return this.turn(...messages).commands
  }

  /** The first turn, with whatever else waits already. */
  start(input?: unknown, ...waiting: ReadonlyArray<Message>): ReadonlyArray<Command> {
    return this.take(this.startMessage(input), ...waiting)
  }

  startMessage(input?: unknown): Message {
    return {
      _tag: "Start",
      workflow: this.host.definition.name,
      workflowId: "workflow-1",
      taskQueue: "queue",
      ...(input === undefined ? {} : { input })
    }
  }

  /** An activity's outcome, by default the label that it was given. */
  complete(seq: number, result = labelOf(this.state.activities.get(seq)?.scheduled.input)): ReadonlyArray<Command> {
    return this.take({
      _tag: "ActivityOutcome",
      outcome: { _tag: "ActivityCompleted", seq, attempt: 1, ...(result === undefined ? {} : { result }) }
    })
  }

  fail(seq: number, failure: Failure, retryState: RetryState = "NonRetryableFailure"): ReadonlyArray<Command> {
    return this.take({
      _tag: "ActivityOutcome",
      outcome: { _tag: "ActivityFailed", seq, attempt: 1, failure, retryState }
    })
  }

  /** The activity was canceled by its host. */
  canceled(seq: number): ReadonlyArray<Command> {
    return this.take({ _tag: "ActivityOutcome", outcome: { _tag: "ActivityCanceled", seq, attempt: 1 } })
  }

  completeStep(seq: number, result?: unknown): ReadonlyArray<Command> {
    return this.take({
      _tag: "StepOutcome",
      outcome: { _tag: "StepCompleted", seq, ...(result === undefined ? {} : { result }) }
    })
  }

  /** A timer's time comes, by default that of the one that is due first. */
  fire(seq = this.firstTimer()): ReadonlyArray<Command> {
    this.now = Math.max(this.now, this.state.timers.get(seq) ?? this.now)
    return this.take({ _tag: "TimerDue", seq })
  }

  signal(name: string, input?: unknown): ReadonlyArray<Command> {
    return this.take(signal(name, input))
  }

  update(name: string, input?: unknown, id = name): TurnOutput {
    return this.turn(update(name, input, id))
  }

  cancel(reason = ""): ReadonlyArray<Command> {
    return this.take({ _tag: "Cancel", reason })
  }

  /** Numbers of pending activities, by name or label. */
  get activities(): ReadonlyArray<number> {
    return [...this.state.activities.keys()]
  }

  private firstTimer(): number {
    const [first] = [...this.state.timers].sort(([a, atA], [b, atB]) => atA - atB || a - b)
    if (first === undefined) throw new Error("no timer is pending")
    return first[0]
  }

  /**
   * Feeds outcomes, one a turn, in an order that the seed decides, until the run has ended or nothing is pending. Of
   * timers only those that are due next may fire.
   */
  run(
    seed: number,
    outcomeOf: (seq: number, input: unknown) => unknown = (_, input) => labelOf(input),
    turnsMax = 500
  ): this {
    const draw = seeded(seed)
    for (let i = 0; i < turnsMax && this.state.closed === undefined; i++) {
      const next: Array<() => void> = []
      for (const [seq, { scheduled }] of this.state.activities) {
        next.push(() => {
          this.now += 7
          this.complete(seq, outcomeOf(seq, scheduled.input))
        })
      }
      for (const seq of this.state.steps.keys()) next.push(() => this.completeStep(seq, seq))
      if (this.state.timers.size > 0) next.push(() => this.fire())
      if (next.length === 0) return this
      next[Math.floor(draw() * next.length)]!()
    }
    return this
  }

  /** Brings the body back from the history: throws if it does not do what it did. */
  replay(turns: ReadonlyArray<Turn> = this.turns): Interpreter {
    const interpreter = this.make()
    const state = RunStates.empty(this.runId)
    for (const turn of turns) {
      const { commands } = interpreter.turn({
        at: turn.at,
        events: turn.events.filter(Replay.isMessageEvent),
        replaying: true,
        recorded: turn.events,
        past: state
      })
      const mismatch = Replay.match(turn.events, commands) ?? Replay.inputDifferences(turn.events, commands)[0]
      if (mismatch !== undefined) {
        throw new Error(`turn ${turn.turn}: recorded ${mismatch.recorded}, attempted ${mismatch.attempted}`)
      }
      RunStates.evolve(state, turn)
    }
    return interpreter
  }

  /** As after a crash: the body in memory is gone, and goes on from its history. */
  restart(): this {
    this.interpreter.evict()
    this.interpreter = this.replay()
    return this
  }
}

export const signal = (name: string, input?: unknown): Message => ({
  _tag: "Signal",
  name,
  ...(input === undefined ? {} : { input })
})

export const update = (name: string, input?: unknown, id = name): Message => ({
  _tag: "Update",
  id,
  name,
  ...(input === undefined ? {} : { input })
})

const labelOf = (input: unknown): unknown => (input as { readonly label?: unknown } | undefined)?.label

/** As the store would give them back: what cannot be written does not come back. */
const stored = (events: ReadonlyArray<Event>): ReadonlyArray<Event> => {
  const read = Events.decode({ turn: 0, format: Events.format, events: Events.encode(events) })
  if (read._tag === "Left") throw read.left
  return read.right
}

/** Numbers between 0 and 1 from a seed (mulberry32). */
export const seeded = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Commands in short: what a test compares. */
export const brief = (commands: ReadonlyArray<Command>): ReadonlyArray<string> => commands.map(briefly)

const briefly = (command: Command): string => {
  switch (command._tag) {
    case "ScheduleActivity": {
      const { input, name } = command.scheduled
      return [`${name}#${command.seq}`, labelOf(input)].join(" ").trim()
    }
    case "RequestCancelActivity":
      return `cancel#${command.seq}`
    case "StartTimer":
      return `timer#${command.seq} ${command.delayMillis}`
    case "CancelTimer":
      return `cancel timer#${command.seq}`
    case "RunStep":
      return `step#${command.seq} ${command.name}`
    case "CancelStep":
      return `cancel step#${command.seq}`
    case "UpsertMemo":
      return `memo ${JSON.stringify(command.fields)}`
    case "UpsertSearchAttributes":
      return `search ${JSON.stringify(command.attributes)}`
    case "StartChild":
      return `${command.requested.workflow}#${command.seq} ${command.requested.workflowId}`
    case "RequestCancelChild":
      return `cancel child#${command.seq}`
    case "SignalExternal":
      return `signal#${command.seq} ${command.requested.name}`
    case "CancelExternal":
      return `cancel of#${command.seq} ${command.requested.workflowId}`
    case "MarkPatch":
      return `patch ${command.id}${command.deprecated ? " (deprecated)" : ""}`
    case "CompleteUpdate":
      return `update ${command.id} = ${JSON.stringify(command.result)}`
    case "FailUpdate":
      return `update ${command.id} failed: ${said(command.failure)}`
    case "CompleteExecution":
      return `completed ${JSON.stringify(command.result)}`
    case "FailExecution":
      return `failed ${said(command.failure)}`
    case "CancelExecution":
      return "canceled"
    case "ContinueAsNew":
      return `continued ${command.continuation.workflow} ${JSON.stringify(command.continuation.input)}`
  }
}

const said = (failure: Failure): string =>
  failure._tag === "Declared" ?
    `${failure.type} ${JSON.stringify(failure.error)}` :
    failure._tag === "Application" ?
    `${failure.type}: ${failure.message}` :
    failure._tag
