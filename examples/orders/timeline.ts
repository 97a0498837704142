/**
 * Draws the life of one order: its history in the trunk, the requests of its activities as twigs, and the deaths of
 * workers across it all. Pure.
 */
import type { Evidence, Turn } from "./audit.js"
import { outcome, reasonOf } from "./audit.js"
import type { Order } from "./contract.js"
import type { Request } from "./services/ledger.js"
import type { ServiceName } from "./services/rules.js"

/** A worker that was killed. */
export interface Kill {
  readonly at: number
  readonly worker: string
  readonly pid: number
}

export interface Call extends Request {
  readonly service: ServiceName
}

/** What happened to an order, from all sides. */
export interface Story {
  readonly order: Order
  readonly turns: ReadonlyArray<Turn>
  readonly calls: ReadonlyArray<Call>
  /** The kills that fell into its life. */
  readonly kills: ReadonlyArray<Kill>
}

/** The order whose life shows best what a kill does and does not do; undefined where no kill met an order. */
export const choose = (evidence: Evidence, kills: ReadonlyArray<Kill>): Story | undefined => {
  let best: { readonly story: Story; readonly points: number } | undefined
  const calls = callsByOrder(evidence)
  for (const order of evidence.orders) {
    const execution = evidence.executions.get(order.id)
    if (execution === undefined) continue
    const story = tell(order, execution.turns, calls.get(order.id) ?? [], kills)
    const points = Math.max(0, ...story.kills.map((kill) => drama(story, kill)))
    if (points === 0) continue
    // Of two orders that a kill met, the one that shipped after all, and the shorter story.
    const total = points * 100 + (outcome(execution)?.shipped === true ? 50 : 0) - Math.min(49, story.calls.length)
    if (best === undefined || total > best.points) best = { story, points: total }
  }
  return best?.story
}

/** The lines of the drawing. */
export const draw = ({ calls, kills, order, turns }: Story): ReadonlyArray<string> => {
  const start = turns[0]?.at ?? 0
  const names = new Map<number, string>()
  const marks: Array<{ readonly at: number; readonly rank: number; readonly line: (time: string) => string }> = []
  const trunk = (at: number, sign: string, text: string) =>
    marks.push({ at, rank: 0, line: (time) => `${time}  ${sign} ${text}` })

  for (const turn of turns) {
    for (const event of turn.events) {
      switch (event._tag) {
        case "ExecutionStarted":
          trunk(turn.at, "┌─", "started")
          break
        case "ActivityScheduled":
          names.set(event.seq, event.name)
          trunk(turn.at, "├▶", event.name)
          break
        case "ActivityCompleted":
          trunk(turn.at, "├✓", `${names.get(event.seq)}${event.result === undefined ? "" : ` = ${show(event.result)}`}`)
          break
        case "ActivityFailed":
          trunk(turn.at, "├✗", `${names.get(event.seq)}: ${reasonOf(event.failure)}`)
          break
        case "TimerStarted":
          trunk(turn.at, "├◷", `waits until ${seconds(event.dueAt - start)} at most`)
          break
        case "TimerFired":
          trunk(turn.at, "├◷", "time is up")
          break
        case "SignalReceived":
          trunk(turn.at, "├◀", `signal ${event.name} ${show(event.input)}`)
          break
        case "UpdateAccepted":
          trunk(turn.at, "├◀", `update ${event.name} ${show(event.input)}`)
          break
        case "ExecutionCompleted":
          trunk(turn.at, "└─", `completed ${show(event.result)}`)
          break
        case "ExecutionFailed":
          trunk(turn.at, "└─", `rejected: ${outcome({ turns })?.reason}`)
          break
        default:
      }
    }
  }
  for (const call of calls) {
    marks.push({
      at: call.at,
      rank: 1,
      line: (time) =>
        `${time}  │    ${call.worker} → ${call.service}/${call.operation}, attempt ${call.attempt}: ${answer(call)}`
    })
  }
  for (const { at, pid, worker } of kills) {
    marks.push({ at, rank: 2, line: (time) => `${time} ═╪═══ SIGKILL ${worker} (pid ${pid}) `.padEnd(72, "═") })
  }

  const heading = `${order.id}  ${order.customer}, ${order.quantity} × ${order.sku}, ${(order.total / 100).toFixed(2)}`
  // The sort is stable: what the history puts in one turn stays in its order.
  const lines = marks.sort((a, b) => a.at - b.at || a.rank - b.rank).map(({ at, line }) => line(seconds(at - start)))
  return [heading, "", ...lines]
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const callsByOrder = ({ ledgers }: Evidence): Map<string, Array<Call>> => {
  const calls = new Map<string, Array<Call>>()
  for (const service of ["stock", "payment", "shipping", "mail"] as const) {
    for (const request of ledgers[service].requests) {
      const list = calls.get(request.orderId) ?? []
      list.push({ ...request, service })
      calls.set(request.orderId, list)
    }
  }
  return calls
}

const tell = (
  order: Order,
  turns: ReadonlyArray<Turn>,
  calls: ReadonlyArray<Call>,
  kills: ReadonlyArray<Kill>
): Story => {
  const from = turns[0]?.at ?? Infinity
  const to = turns.at(-1)?.at ?? -Infinity
  return { order, turns, calls, kills: kills.filter(({ at }) => from < at && at < to) }
}

/** How much a kill meant to an order: nothing, unless the worker that died was the one that worked on it. */
const drama = ({ calls }: Story, kill: Kill): number => {
  const before = calls.filter((call) => call.at <= kill.at).sort((a, b) => a.at - b.at).at(-1)
  if (before?.worker !== kill.worker) return 0
  const after = calls.filter((call) => call.at > kill.at)
  const again = after.filter((call) => call.key === before.key)
  // The best there is: the work was done, its answer died with the worker, and asking again did not do it twice.
  if (before.status === 200 && again.some((call) => call.repeated === 1)) return before.mishap === "" ? 4 : 3
  return again.length > 0 ? 2 : after.length > 0 ? 1 : 0
}

const answer = ({ mishap, repeated, status }: Call): string => {
  const work = status === null
    ? "not done"
    : status === 422
    ? "refused"
    : repeated === 1
    ? "done before, the same answer"
    : "done"
  switch (mishap) {
    case "":
      return work
    case "unavailable":
      return "503"
    case "hangs":
      return "no answer"
    case "done, then error":
      return `${work}, but answered 500`
    case "done, then hangs":
      return `${work}, but no answer`
    default:
      return `no answer; ${work}${status === null ? "" : ", late"}`
  }
}

const seconds = (millis: number): string => `${(millis / 1000).toFixed(3).padStart(8)} s`

const show = (value: unknown): string =>
  typeof value === "object" && value !== null
    ? Object.entries(value).map(([key, inner]) => `${key} ${String(inner)}`).join(", ")
    : String(value)
