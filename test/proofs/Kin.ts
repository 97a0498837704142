/**
 * What must hold between the runs of a store that has come to rest: of children and their parents, of messages from one
 * run to another, and of runs that follow each other (rows K1 to K12, X9). It knows the programs (by `Expected`) and the
 * histories, and nothing of the engine.
 *
 * Findings are words; a clean store has none.
 */
import * as Effect from "effect/Effect"
import type { Event, Turn } from "../../src/core/Event.js"
import type { ChildEnd, ChildStartRequested } from "../../src/core/family/Child.js"
import type { Closing, ExecutionStarted } from "../../src/core/family/Execution.js"
import { isClosing } from "../../src/core/family/Execution.js"
import type { Requested } from "../../src/core/family/External.js"
import type { Run, Store } from "../../src/persistence/Store.js"
import * as Debts from "../../src/testing/durable/Kin.js"
import type { Outcome } from "./Expected.js"
import * as Expected from "./Expected.js"
import { newWay, oldWay, patchOf, wordsOfFailure } from "./Generated.js"
import * as Playing from "./Playing.js"
import type { Scenario } from "./Program.js"

/** One run, as the store holds it. */
export interface Told {
  readonly run: Run
  readonly turns: ReadonlyArray<Turn>
}

/** All runs of a store, each after the one that it follows: ids say nothing where they come from several clocks. */
export const everything = (store: Store["Type"]): Effect.Effect<ReadonlyArray<Told>, unknown> =>
  Effect.gen(function*() {
    const runs = yield* store.runs({ limit: 1_000 })
    const byId = new Map(runs.map((run) => [run.runId, run]))
    const place = ({ previousRunId }: Run): number => {
      const before = previousRunId === undefined ? undefined : byId.get(previousRunId)
      return before === undefined ? 0 : 1 + place(before)
    }
    return yield* Effect.forEach(
      [...runs].reverse().sort((a, b) => place(a) - place(b)),
      (run) => Effect.map(Playing.turnsOf(store, run.runId), (turns): Told => ({ run, turns }))
    )
  })

/** The moment at which each run closed, for comparing two; undefined for one that is open. */
export type Closings = (runId: string) => number | undefined

/** By the times in the histories: they are those of one clock. */
export const byTime = (all: ReadonlyArray<Told>): Closings => {
  const closed = new Map<string, number>()
  for (const { run, turns } of all) {
    const last = turns.at(-1)
    if (last?.events.some(isClosing) === true) closed.set(run.runId, last.at)
  }
  return (runId) => closed.get(runId)
}

/** Judges all runs of a store at rest. */
export const findings = (all: ReadonlyArray<Told>, closings: Closings): ReadonlyArray<string> => {
  const lines = linesOf(all)
  const chains = chainsOf([...lines.values()])
  return [
    // What a check tells its users of their runs.
    ...Debts.faults(all, () => false),
    ...[...lines.values()].flatMap((line) =>
      [...requests(line, chains), ...follows(line, lines), ...ways(line)].map((words) =>
        `run ${line.runId} of ${line.workflowId}: ${words}`
      )
    ),
    ...chains.filter(({ parent }) => parent !== undefined).flatMap((chain) =>
      fate(chain, lines, closings).map((words) => `child ${chain.workflowId}, run ${chain.runId}: ${words}`)
    ),
    ...deliveries([...lines.values()])
  ]
}

/** The turns of all runs that began with the given one. */
export const chainOf = (all: ReadonlyArray<Told>, runId: string): ReadonlyArray<Turn> =>
  all.filter(({ run }) => run.firstRunId === runId).flatMap(({ turns }) => turns)

// -----------------------------------------------------------------------------
// internal: runs
// -----------------------------------------------------------------------------

/** A run; or a chain of runs, as if they were one. */
interface Line {
  /** The first one. */
  readonly runId: string
  /** The last one. */
  readonly lastRunId: string
  readonly firstRunId: string
  readonly workflowId: string
  readonly parent: Run["parent"]
  readonly started: ExecutionStarted | undefined
  readonly events: ReadonlyArray<Event>
  readonly closing: Closing | undefined
}

type Lines = ReadonlyMap<string, Line>

const linesOf = (all: ReadonlyArray<Told>): Lines =>
  new Map(all.map(({ run, turns }): [string, Line] => {
    const events = turns.flatMap((turn) => turn.events)
    return [run.runId, {
      runId: run.runId,
      lastRunId: run.runId,
      firstRunId: run.firstRunId,
      workflowId: run.workflowId,
      parent: run.parent,
      started: events.find((event) => event._tag === "ExecutionStarted"),
      events,
      closing: events.find(isClosing)
    }]
  }))

/** Runs of one chain stand in the order in which they followed each other. */
const chainsOf = (lines: ReadonlyArray<Line>): ReadonlyArray<Line> => {
  const chains = new Map<string, Line>()
  for (const line of lines) {
    const before = chains.get(line.firstRunId)
    chains.set(
      line.firstRunId,
      before === undefined
        ? line
        : { ...before, lastRunId: line.runId, events: [...before.events, ...line.events], closing: line.closing }
    )
  }
  return [...chains.values()]
}

/** A run that follows another one begins where that ended, with what that gave it. */
const follows = ({ closing, events, runId, started }: Line, lines: Lines): ReadonlyArray<string> => {
  const previousRunId = started?.previousRunId
  if (previousRunId === undefined) return []
  const before = lines.get(previousRunId)
  if (before?.closing === undefined) return [`follows ${previousRunId}, which has not ended`]
  const { _tag } = before.closing
  const found: Array<string> = []
  const given = _tag === "ExecutionContinuedAsNew" ? before.closing.input : before.started?.input
  if (JSON.stringify(started!.input) !== JSON.stringify(given)) found.push("does not begin with what was given (K10)")
  const attempt = _tag === "ExecutionContinuedAsNew" ? 1 : (before.started?.attempt ?? 1) + 1
  if ((started!.attempt ?? 1) !== attempt) found.push(`is attempt ${started!.attempt}, and not ${attempt} (X9)`)
  if (_tag !== "ExecutionContinuedAsNew" && before.events.some((event) => event._tag === "CancelRequested")) {
    found.push("is tried again after a cancel request (X9)")
  }
  const { unlucky = 0 } = started!.input as Scenario
  if (attempt > unlucky + 1) found.push(`is attempt ${attempt} of at most ${unlucky + 1} (X9)`)
  if (closing === undefined && events.length === 0) found.push(`${runId} never began`)
  return found
}

// -----------------------------------------------------------------------------
// internal: children
// -----------------------------------------------------------------------------

/** Each child that a run asked for is there once, or its id was taken; and its end is what its parent was told. */
const requests = (parent: Line, chains: ReadonlyArray<Line>): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const event of parent.events) {
    if (event._tag !== "ChildStartRequested") continue
    const name = `child #${event.seq}`
    const of = parent.events.filter((each) => "seq" in each && each.seq === event.seq && each._tag.startsWith("Child"))
    const firsts = chains.filter(({ parent: of }) => of?.runId === parent.runId && of.seq === event.seq)
    const refused = of.some(({ _tag }) => _tag === "ChildStartFailed")
    const begun = of.some(({ _tag }) => _tag === "ChildStarted")
    const ends = of.filter(isEnd)
    if (firsts.length > 1) found.push(`${name} is there ${firsts.length} times`)
    if (refused && firsts.length > 0) found.push(`${name} was not started, and is there`)
    if ((begun || ends.length > 0) && firsts.length === 0) found.push(`${name} was started, and is not there`)
    for (const first of firsts) {
      if (first.runId !== event.runId) found.push(`${name} is run ${first.runId}, and not ${event.runId}`)
      if (!isAsked(event, first)) found.push(`${name} does not begin with what was asked for`)
      if (ends.length > 1) found.push(`${name} has ${ends.length} outcomes (I9)`)
      for (const end of ends) {
        if (!isToldOf(end, first)) found.push(`${name} is said to have ended by ${JSON.stringify(end)}`)
      }
      if (parent.closing === undefined && first.closing !== undefined && ends.length === 0) {
        found.push(`${name} has ended, and nobody told its parent (K3)`)
      }
    }
  }
  return found
}

const isAsked = (asked: ChildStartRequested, { started, workflowId }: Line): boolean =>
  asked.workflowId === workflowId &&
  (started === undefined || JSON.stringify(started.input) === JSON.stringify(asked.input))

const isEnd = (event: Event): event is ChildEnd => ends.has(event._tag)
const ends: ReadonlySet<string> = new Set<ChildEnd["_tag"]>([
  "ChildCompleted",
  "ChildFailed",
  "ChildCanceled",
  "ChildTerminated",
  "ChildTimedOut"
])

const isToldOf = (end: ChildEnd, { closing, lastRunId }: Line): boolean => {
  if (closing === undefined || end.runId !== lastRunId) return false
  const tag = closing._tag.replace("Execution", "Child")
  const { result, failure } = end as { readonly result?: unknown; readonly failure?: unknown }
  const of = closing as { readonly result?: unknown; readonly failure?: unknown }
  return end._tag === tag && JSON.stringify([result, failure]) === JSON.stringify([of.result, of.failure])
}

/** A child ended as its program says, or was ended by those who may. */
const fate = (child: Line, lines: Lines, closings: Closings): ReadonlyArray<string> => {
  const found: Array<string> = []
  const { closing, parent: link } = child
  const parent = lines.get(link!.runId)
  const asked = parent?.events.some((event) => event._tag === "ChildStartRequested" && event.seq === link!.seq)
  if (parent === undefined || asked !== true) return ["its parent does not know it"]
  if (closing === undefined) {
    if (parent.closing !== undefined && link!.close !== "Abandon") {
      found.push(`outlives its parent (K4, ${link!.close})`)
    }
    return found
  }
  const [at, parentAt] = [closings(child.lastRunId) ?? Infinity, closings(parent.runId) ?? Infinity]
  const isBefore = at <= parentAt
  if (closing._tag === "ExecutionTerminated") {
    if (link!.close !== "Terminate" || parent.closing === undefined) {
      found.push(`was terminated ("${closing.reason}") by nobody's policy (K4)`)
    }
    return found
  }
  if (link!.close === "Terminate" && !isBefore) found.push("ended by itself after its parent did (K4)")
  const isCanceled = child.events.some(({ _tag }) => _tag === "CancelRequested" || _tag === "ExecutionCanceled")
  if (link!.close === "RequestCancel" && !isBefore && !isCanceled) {
    found.push("ended after its parent did, and was not asked to (K4)")
  }
  if (isCanceled) {
    const byPolicy = link!.close === "RequestCancel" && parent.closing !== undefined && at >= parentAt
    if (!byPolicy && !isCanceledBy(parent, link!.seq, child.workflowId)) {
      found.push("was canceled by nobody")
    }
    return found
  }
  const scenario = child.started?.input as Scenario | undefined
  const expected = scenario === undefined ? undefined : Expected.outcomeOf(scenario)
  const outcome = outcomeOf(closing)
  if (expected === undefined || outcome.failed !== expected.failed || outcome.text !== expected.text) {
    found.push(`ended as ${JSON.stringify(outcome)}, and not as ${JSON.stringify(expected)}`)
  }
  return found
}

const isCanceledBy = (parent: Line, seq: number, workflowId: string): boolean =>
  parent.events.some((event) =>
    event._tag === "ChildCancelRequested" && event.seq === seq ||
    event._tag === "CancelExternalRequested" && event.workflowId === workflowId
  )

/** An end in the words of `Expected`. */
const outcomeOf = (closing: Closing): Outcome => {
  switch (closing._tag) {
    case "ExecutionCompleted":
      return { failed: false, text: String(closing.result) }
    case "ExecutionFailed":
      return { failed: true, text: wordsOfFailure(closing.failure) }
    default:
      return { failed: true, text: closing._tag.replace("Execution", "") }
  }
}

// -----------------------------------------------------------------------------
// internal: patches
// -----------------------------------------------------------------------------

/** The way that a run took is the one that its marker says (V1): without one the old way, or that of newer code. */
const ways = ({ events }: Line): ReadonlyArray<string> => {
  const marked = new Set(events.flatMap((event) => event._tag === "PatchMarked" ? [event.id] : []))
  const taken = new Map<string, Set<string>>()
  for (const event of events) {
    if (event._tag !== "ActivityScheduled") continue
    const { label } = event.input as { readonly label: string }
    const way = [oldWay, newWay].find((way) => label.endsWith(way))
    if (way === undefined) continue
    const patch = patchOf(label.slice(0, -way.length))
    taken.set(patch, (taken.get(patch) ?? new Set()).add(way))
  }
  return [...taken].flatMap(([patch, ways]) => [
    ...(ways.size > 1 ? [`took both ways at ${patch} (V1)`] : []),
    ...(ways.has(oldWay) && marked.has(patch) ? [`took the old way at ${patch}, and has its marker (V1)`] : [])
  ])
}

// -----------------------------------------------------------------------------
// internal: messages
// -----------------------------------------------------------------------------

/** What was delivered from run to run is there: once for each time, unless its receiver was ended before (K8, I2). */
const deliveries = (lines: ReadonlyArray<Line>): ReadonlyArray<string> => {
  const sent = new Map<string, { possibly: number; surely: number }>()
  for (const { closing, events } of lines) {
    for (const event of events) {
      if (event._tag !== "SignalExternalRequested") continue
      const answers = events.filter((each) =>
        "seq" in each && each.seq === event.seq && each._tag.startsWith("External")
      )
      const key = keyOf(event.workflowId, event)
      const count = sent.get(key) ?? { possibly: 0, surely: 0 }
      if (answers.some(({ _tag }) => _tag === "ExternalSignaled")) count.surely++
      // It closed before it heard: the signal may have come all the same.
      if (answers.length === 0 && closing !== undefined || answers.some(({ _tag }) => _tag === "ExternalSignaled")) {
        count.possibly++
      }
      sent.set(key, count)
    }
  }
  const got = new Map<string, number>()
  const cut = new Set<string>()
  for (const line of lines) {
    // A run that was ended, or canceled, may do so over the head of what waits.
    const end = line.closing?._tag
    if (end === undefined || end === "ExecutionTerminated" || end === "ExecutionCanceled") cut.add(line.workflowId)
    for (const event of line.events) {
      if (event._tag !== "SignalReceived" || !isFromRun(line, event)) continue
      const key = keyOf(line.workflowId, event)
      got.set(key, (got.get(key) ?? 0) + 1)
    }
  }
  const found: Array<string> = []
  for (const [key, count] of got) {
    const { possibly = 0 } = sent.get(key) ?? {}
    if (count > possibly) found.push(`signal ${key} came ${count} times, and was sent ${possibly} times (K8)`)
  }
  for (const [key, { surely }] of sent) {
    const count = got.get(key) ?? 0
    const [to] = key.split(": ")
    if (count < surely && !cut.has(to!)) found.push(`signal ${key} came ${count} of ${surely} times (K8)`)
  }
  return found
}

type SignalReceived = Extract<Event, { readonly _tag: "SignalReceived" }>
type Sent = Extract<Requested, { readonly _tag: "SignalExternalRequested" }>

const keyOf = (to: string, { input, name }: SignalReceived | Sent): string => `${to}: ${name} ${JSON.stringify(input)}`

/** Callers send notes, and only to those who are nobody's children. */
const isFromRun = ({ parent }: Line, { name }: SignalReceived): boolean => name === "echo" || parent !== undefined
