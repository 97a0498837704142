/**
 * What the trials of a check reached: crash points, handlers, and the ways in which each activity, timer and run ended.
 *
 * @since 0.1.0
 */
import * as AST from "effect/SchemaAST"
import type { Event } from "../../core/Event.js"
import type { Codec } from "../../dsl/Contract.js"
import type * as Workflow from "../../dsl/Workflow.js"
import * as Outcome from "./Outcome.js"
import type { Role } from "./Plan.js"
import { declaresErrors } from "./Plan.js"
import type { Traced } from "./Trial.js"

/** One thing and the ways in which it went, each with how often; 0 for what its contract declares and no trial reached. @since 0.1.0 */
export interface Branches {
  /** As in "run", "signal approve", "ChargeCard". */
  readonly of: string
  readonly ways: ReadonlyMap<string, number>
}

/** @since 0.1.0 */
export class Coverage {
  private readonly counts = new Map<string, Map<string, number>>()
  /** Histories that differ in more than values. */
  private readonly paths = new Set<string>()
  private readonly activities = new Map<number, string>()
  private readonly children = new Map<number, string>()
  readonly crashPoints = { tried: 0, of: 0, plans: 0 }
  trials = 0
  /** Whether the trial at hand reached anything for the first time. */
  private isNew = false

  constructor({ codecs }: Workflow.Any, roles: ReadonlyArray<Role>) {
    this.expect("run", ["completed", ...errorsOf(codecs.error)])
    for (const name of codecs.signals.keys()) this.expect(`signal ${name}`, ["received"])
    for (const [name, { error }] of codecs.updates) {
      this.expect(`update ${name}`, ["completed", ...errorsOf(error)])
    }
    for (const name of codecs.queries.keys()) this.expect(`query ${name}`, ["answered"])
    for (const { codecs, name } of roles) this.expect(name, ["completed", ...errorsOf(codecs.error)])
  }

  /** Takes in what a trial reached; whether any of it was reached for the first time. */
  record({ sent, turns }: Traced): boolean {
    this.trials++
    this.isNew = false
    this.activities.clear()
    this.children.clear()
    const updates = new Map<string, string>()
    const path: Array<string> = []
    for (const { events } of turns) for (const event of events) path.push(this.event(event, updates))
    this.paths.add(path.join(" "))
    for (const { message, refusal, state } of sent) {
      if (message._tag === "Query" && state === "acknowledged") this.count(`query ${message.name}`, "answered")
      if (message._tag === "Update" && refusal !== undefined) this.count(`update ${message.name}`, refusal)
    }
    return this.isNew
  }

  /** Of how many kinds the histories were. */
  get histories(): number {
    return this.paths.size
  }

  get branches(): ReadonlyArray<Branches> {
    return [...this.counts].map(([of, ways]) => ({ of, ways }))
  }

  /** What the contracts declare and no trial reached. */
  get missing(): ReadonlyArray<string> {
    return this.branches.flatMap(({ of, ways }) =>
      [...ways].filter(([, count]) => count === 0).map(([way]) => `${of}: ${way}`)
    )
  }

  private expect(of: string, ways: ReadonlyArray<string>): void {
    this.counts.set(of, new Map(ways.map((way) => [way, 0])))
  }

  private count(of: string, way: string): string {
    let ways = this.counts.get(of)
    if (ways === undefined) this.counts.set(of, ways = new Map())
    const times = ways.get(way) ?? 0
    if (times === 0) this.isNew = true
    ways.set(way, times + 1)
    return `${of}:${way}`
  }

  private event(event: Event, updates: Map<string, string>): string {
    switch (event._tag) {
      case "ActivityScheduled":
        this.activities.set(event.seq, event.name)
        return event.name
      case "ActivityCompleted":
        return this.count(this.activities.get(event.seq) ?? "activity", "completed")
      case "ActivityFailed":
        return this.count(this.activities.get(event.seq) ?? "activity", Outcome.kindOf(event.failure))
      case "ActivityCanceled":
        return this.count(this.activities.get(event.seq) ?? "activity", "canceled")
      case "ChildStartRequested":
        this.children.set(event.seq, `child ${event.workflow}`)
        return event.workflow
      case "ChildStartFailed":
        return this.count(this.children.get(event.seq) ?? "child", "id taken")
      case "ChildCompleted":
        return this.count(this.children.get(event.seq) ?? "child", "completed")
      case "ChildFailed":
      case "ChildTimedOut":
        return this.count(this.children.get(event.seq) ?? "child", Outcome.kindOf(event.failure))
      case "ChildCanceled":
        return this.count(this.children.get(event.seq) ?? "child", "canceled")
      case "ChildTerminated":
        return this.count(this.children.get(event.seq) ?? "child", "terminated")
      case "ExternalSignaled":
      case "ExternalCancelDelivered":
        return this.count("messages to others", "delivered")
      case "ExternalSignalFailed":
      case "ExternalCancelFailed":
        return this.count("messages to others", event.reason)
      case "TimerFired":
        return this.count("timers", "fired")
      case "TimerCanceled":
        return this.count("timers", "canceled")
      case "PatchMarked":
        return this.count(`patch ${event.id}`, event.deprecated === true ? "deprecated" : "marked")
      case "SignalReceived":
        return this.count(`signal ${event.name}`, "received")
      case "UpdateAccepted":
        updates.set(event.id, event.name)
        return `update ${event.name}`
      case "UpdateCompleted":
        return this.count(`update ${updates.get(event.id)}`, "completed")
      case "UpdateFailed":
        return this.count(`update ${updates.get(event.id)}`, Outcome.kindOf(event.failure))
      case "ExecutionCompleted":
        return this.count("run", "completed")
      case "ExecutionFailed":
        return this.count("run", Outcome.kindOf(event.failure))
      case "ExecutionCanceled":
        return this.count("run", "canceled")
      case "ExecutionContinuedAsNew":
        return this.count("run", "continued as new")
      case "ExecutionTimedOut":
        return this.count("run", "timed out")
      default:
        return event._tag
    }
  }
}

/** The names of the errors that a contract declares. @since 0.1.0 */
export const errorsOf = (codec: Codec): ReadonlyArray<string> => declaresErrors(codec) ? namesOf(codec.schema.ast) : []

const namesOf = (ast: AST.AST): ReadonlyArray<string> => {
  const type = AST.typeAST(ast)
  if (AST.isUnion(type)) return type.types.flatMap(namesOf)
  const name = AST.getIdentifierAnnotation(type)
  return name._tag === "Some" ? [name.value] : []
}
