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
import type { Recorded } from "./Runs.js"
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
  /** Activities that answer for children, whose ends are counted where their parents are told. */
  private readonly standIns = new Set<string>()
  readonly crashPoints = { tried: 0, of: 0, plans: 0 }
  /** Places at which new code took over from old. */
  readonly deployments = { tried: 0, of: 0, plans: 0 }
  trials = 0
  private before: Coverage | undefined
  /** Whether the trial at hand reached anything for the first time. */
  private isNew = false

  constructor(private readonly workflow: Workflow.Any, private readonly contracts: ReadonlyArray<Role>) {
    const { codecs } = workflow
    this.expect("run", ["completed", ...errorsOf(codecs.error)])
    for (const name of codecs.signals.keys()) this.expect(`signal ${name}`, ["received"])
    for (const [name, { error }] of codecs.updates) {
      this.expect(`update ${name}`, ["completed", ...errorsOf(error)])
    }
    for (const name of codecs.queries.keys()) this.expect(`query ${name}`, ["answered"])
    for (const { child, codecs, name } of contracts) {
      if (child !== undefined) this.standIns.add(name)
      this.expect(child === undefined ? name : `child ${child}`, ["completed", ...errorsOf(codecs.error)])
    }
  }

  /** Of trials on the code of before: which of them are worth a deployment. */
  get ofBefore(): Coverage {
    return this.before ??= new Coverage(this.workflow, this.contracts)
  }

  /** Takes in what a trial reached; whether any of it was reached for the first time. */
  record({ chain, others, sent }: Traced): boolean {
    this.trials++
    this.isNew = false
    const path: Array<string> = []
    for (const each of chain) this.run(each, path)
    this.paths.add(path.join(" "))
    // Of its children what they do counts; their ends are the parent's to see.
    for (const each of others) this.run(each, undefined)
    for (const { message, refusal, state } of sent) {
      if (message._tag === "Query" && state === "acknowledged") this.count(`query ${message.name}`, "answered")
      if (message._tag === "Update" && refusal !== undefined) this.count(`update ${message.name}`, refusal)
    }
    return this.isNew
  }

  private run({ turns }: Recorded, path: Array<string> | undefined): void {
    this.activities.clear()
    this.children.clear()
    const updates = new Map<string, string>()
    for (const { events } of turns) {
      for (const event of events) {
        if (path !== undefined) path.push(this.event(event, updates))
        else if (!isOwn.has(event._tag)) this.event(event, updates)
      }
    }
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

  private activity(seq: number, way: string): string {
    const name = this.activities.get(seq) ?? "activity"
    return this.standIns.has(name) ? name : this.count(name, way)
  }

  private event(event: Event, updates: Map<string, string>): string {
    switch (event._tag) {
      case "ActivityScheduled":
        this.activities.set(event.seq, event.name)
        return event.name
      case "ActivityCompleted":
        return this.activity(event.seq, "completed")
      case "ActivityFailed":
        return this.activity(event.seq, Outcome.kindOf(event.failure))
      case "ActivityCanceled":
        return this.activity(event.seq, "canceled")
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
        return this.count("run", event.newRunId === undefined ? Outcome.kindOf(event.failure) : "retried")
      case "ExecutionCanceled":
        return this.count("run", "canceled")
      case "ExecutionContinuedAsNew":
        return this.count("run", "continued as new")
      case "ExecutionTimedOut":
        return this.count("run", event.newRunId === undefined ? "timed out" : "retried")
      default:
        return event._tag
    }
  }
}

/** What a run says of itself, and what is said to it: in the table that is the workflow under test. */
const isOwn: ReadonlySet<Event["_tag"]> = new Set<Event["_tag"]>([
  "SignalReceived",
  "UpdateAccepted",
  "UpdateCompleted",
  "UpdateFailed",
  "ExecutionCompleted",
  "ExecutionFailed",
  "ExecutionCanceled",
  "ExecutionContinuedAsNew",
  "ExecutionTimedOut"
])

/** The names of the errors that a contract declares. @since 0.1.0 */
export const errorsOf = (codec: Codec): ReadonlyArray<string> => declaresErrors(codec) ? namesOf(codec.schema.ast) : []

const namesOf = (ast: AST.AST): ReadonlyArray<string> => {
  const type = AST.typeAST(ast)
  if (AST.isUnion(type)) return type.types.flatMap(namesOf)
  const name = AST.getIdentifierAnnotation(type)
  return name._tag === "Some" ? [name.value] : []
}
