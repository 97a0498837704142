/**
 * A trial at its end, as the author of the workflow sees it.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type { Turn } from "../../core/Event.js"
import type { Status } from "../../core/family/Execution.js"
import type { Codec } from "../../dsl/Contract.js"
import type * as Workflow from "../../dsl/Workflow.js"
import type { Hosts } from "../../runtime/Hosts.js"
import * as Replayer from "../Replayer.js"
import type { Outcome } from "./Outcome.js"
import * as Outcomes from "./Outcome.js"
import type { Plan } from "./Plan.js"
import type { Recorded } from "./Runs.js"
import * as Runs from "./Runs.js"
import type { Sent } from "./Stage.js"
import type { Traced } from "./Trial.js"

/**
 * One trial at its end.
 *
 * @category models
 * @since 0.1.0
 */
export interface Trial<W extends Workflow.Any, World> {
  readonly input: Workflow.PayloadOf<W>
  /** That of the last run of the chain. */
  readonly outcome: Outcome<Workflow.SuccessOf<W>, Workflow.ErrorOf<W>>
  readonly world: World
  /** What the last run answers to a query at its end. Throws where it refuses to. */
  readonly query: <K extends keyof Workflow.QueriesOf<W> & string>(
    name: K,
    ...payload: PayloadArgument<Field<Workflow.QueriesOf<W>[K], "payload">>
  ) => Field<Workflow.QueriesOf<W>[K], "success">
  /** The payloads of a signal, as they are in the histories of the chain, in order. */
  readonly received: <K extends keyof Workflow.SignalsOf<W> & string>(
    signal: K
  ) => ReadonlyArray<Workflow.SignalsOf<W>[K]>
  /** The payloads of an update's calls that completed, in the order in which they did. */
  readonly updated: <K extends keyof Workflow.UpdatesOf<W> & string>(
    update: K
  ) => ReadonlyArray<Field<Workflow.UpdatesOf<W>[K], "payload">>
  /** What clients sent, in order, and what they know of it. */
  readonly sent: ReadonlyArray<Readonly<Sent>>
  /** How often an activity completed, in all runs of the chain. */
  readonly completed: (activity: string) => number
  /** Of all runs of the chain, one after the other. */
  readonly turns: ReadonlyArray<Turn>
  /** The chain: more than one where it continued as new or was tried again. */
  readonly runs: ReadonlyArray<SeenRun>
  /** All other runs: its children, and theirs. */
  readonly children: ReadonlyArray<SeenRun>
  /** Whether a process was killed. */
  readonly crashed: boolean
  /** Whether the code of `before` began it, and that of `hosts` went on. */
  readonly deployed: boolean
}

/** @category models @since 0.1.0 */
export interface SeenRun {
  readonly workflow: string
  readonly workflowId: string
  readonly runId: string
  readonly status: Status
  readonly turns: ReadonlyArray<Turn>
}

type Field<T, K extends string> = T extends { readonly [P in K]: infer V } ? V : never
type PayloadArgument<P> = [P] extends [void] ? [payload?: P] : [payload: P]

/** What a view is taken with: the bodies of today. @since 0.1.0 */
export interface Glass {
  readonly workflow: Workflow.Any
  readonly hosts: Hosts
  readonly deployed: boolean
}

/** @since 0.1.0 */
export const of = (
  { deployed, hosts, workflow }: Glass,
  traced: Traced,
  { input }: Plan
): Trial<Workflow.Any, unknown> => {
  const { chain, deaths, others, sent, world } = traced
  const { codecs } = workflow
  const last = Runs.last(traced)
  const turns = Runs.turnsOf(traced)
  const trial = {
    input,
    // It may have continued as another workflow.
    outcome: Outcomes.of(hosts.workflow(last.run.workflow)?.definition ?? workflow, last),
    world,
    sent,
    turns,
    runs: chain.map(seen),
    children: others.map(seen),
    crashed: deaths.length > 0,
    deployed,
    query: (name: string, payload?: unknown) => {
      const contract = codecs.queries.get(name)!
      const answer = Either.flatMap(
        contract.payload.encode(payload),
        (input) => Replayer.query(hosts, { runId: last.run.runId, turns: last.turns }, name, input)
      )
      if (Either.isRight(answer)) return decoded(contract.success, answer.right)
      throw answer.left instanceof Error ? answer.left : new Error(`query ${name}: ${answer.left}`)
    },
    received: (signal: string) =>
      turns.flatMap(({ events }) =>
        events.flatMap((event) =>
          event._tag === "SignalReceived" && event.name === signal
            ? [decoded(codecs.signals.get(signal)!.payload, event.input)]
            : []
        )
      ),
    updated: (update: string) => chain.flatMap((each) => updated(each, update, codecs.updates.get(update)!.payload)),
    completed: (activity: string) => chain.reduce((sum, each) => sum + completed(each, activity), 0)
  }
  return trial as unknown as Trial<Workflow.Any, unknown>
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const seen = ({ run: { runId, status, workflow, workflowId }, turns }: Recorded): SeenRun => ({
  workflow,
  workflowId,
  runId,
  status,
  turns
})

const decoded = (codec: Codec, value: unknown): unknown => Either.getOrThrow(codec.decode(value as never))

const updated = ({ turns }: Recorded, update: string, codec: Codec): ReadonlyArray<unknown> => {
  const payloads = new Map<string, unknown>()
  return turns.flatMap(({ events }) =>
    events.flatMap((event) => {
      if (event._tag === "UpdateAccepted" && event.name === update) payloads.set(event.id, decoded(codec, event.input))
      return event._tag === "UpdateCompleted" && payloads.has(event.id) ? [payloads.get(event.id)] : []
    })
  )
}

const completed = ({ turns }: Recorded, activity: string): number => {
  const seqs = new Set<number>()
  let count = 0
  for (const { events } of turns) {
    for (const event of events) {
      if (event._tag === "ActivityScheduled" && event.name === activity) seqs.add(event.seq)
      else if (event._tag === "ActivityCompleted" && seqs.has(event.seq)) count++
    }
  }
  return count
}
