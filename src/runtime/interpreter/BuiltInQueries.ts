/**
 * Queries that every workflow answers, whatever its contract says (row Q4): what it takes in, and where it stands.
 *
 * @since 0.1.0
 */
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type { Codecs, Kind } from "../../dsl/Workflow.js"
import type { Notes } from "./Notes.js"
import * as Whereabouts from "./Whereabouts.js"

/**
 * What the answers are drawn from.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subject {
  readonly definition: { readonly name: string; readonly codecs: Codecs }
  /** All fibers of the body, handlers among them. */
  readonly fibers: Iterable<Fiber.RuntimeFiber<unknown, unknown>>
  readonly notes: Notes
  readonly summaryOf: (seq: number) => string | undefined
}

/** The answer to `__metadata`. @since 0.1.0 */
export interface Metadata {
  readonly workflow: string
  readonly signals: ReadonlyArray<Described>
  readonly queries: ReadonlyArray<Described>
  readonly updates: ReadonlyArray<Described>
  /** Kinds of which any name is taken in. */
  readonly dynamic: ReadonlyArray<Kind>
  /** What the run is for, as its start said (row W20). */
  readonly summary?: string
  readonly details?: string
  /** Where it stands, as its body said last. */
  readonly currentDetails?: string
}

interface Described {
  readonly name: string
  readonly description?: string
}

/** A fiber of the body, in the answer to `__stack_trace`. @since 0.1.0 */
export interface Standing {
  readonly fiber: string
  /** Number of the step whose outcome it waits for, as events have it. */
  readonly step?: number
  /** What that step is for, if it says so (row W20). */
  readonly summary?: string
  /** The author's lines, the innermost first. */
  readonly places: ReadonlyArray<string>
}

/** The answer, as JSON; undefined to what is not built in. @since 0.1.0 */
export const answer = (name: string, subject: Subject): Metadata | ReadonlyArray<Standing> | undefined => {
  switch (name) {
    case "__metadata":
      return metadata(subject)
    case "__stack_trace":
      return stackTrace(subject)
    default:
      return undefined
  }
}

const metadata = (
  { definition: { codecs, name }, notes: { currentDetails, now: { details, summary } } }: Subject
): Metadata => ({
  workflow: name,
  ...(summary === undefined ? {} : { summary }),
  ...(details === undefined ? {} : { details }),
  ...(currentDetails === undefined ? {} : { currentDetails }),
  signals: described(codecs.signals),
  queries: described(codecs.queries),
  updates: described(codecs.updates),
  dynamic: [...codecs.dynamic]
})

const described = (of: ReadonlyMap<string, { readonly description: string | undefined }>): ReadonlyArray<Described> =>
  [...of].map(([name, { description }]) => description === undefined ? { name } : { name, description })

const stackTrace = ({ fibers, summaryOf }: Subject): ReadonlyArray<Standing> => {
  const all = [...fibers]
  const places = Whereabouts.all(all)
  return all.map((fiber, index) => {
    const step = Whereabouts.stepOf(fiber)
    const summary = step === undefined ? undefined : summaryOf(step)
    return {
      fiber: FiberId.threadName(fiber.id()),
      ...(step === undefined ? {} : { step }),
      ...(summary === undefined ? {} : { summary }),
      places: places[index] ?? []
    }
  })
}
