/**
 * Resets in the simulation: an operator takes an execution anew from one of its turns on, open or closed, and asks again
 * until that is answered. What must hold of it (C11): each request makes one run; the run that it takes the place of ends
 * in one with that; what was kept is as it was; what came behind it comes again once; and the execution ends as its
 * program says.
 *
 * ```
 *   run 1 ──continues──▶ run 2 ✗ terminated: "reset"          what counts: run 1, run 3
 *                          └──reset──▶ run 3 ──▶ ...
 * ```
 */
import { ResetRefused } from "perdure"
import type { Event, Turn } from "../../src/core/Event.js"
import type { Closing } from "../../src/core/family/Execution.js"
import { followerOf, isClosing } from "../../src/core/family/Execution.js"
import type * as Kin from "../proofs/Kin.js"
import type { Dice } from "./Dice.js"
import type { Account } from "./Ledger.js"

export interface ResetPlan {
  /** In milliseconds from the start. */
  readonly at: number
  /** Which of the turns that there are then is taken anew: from 0, the first one, to below 1, the last one. */
  readonly share: number
  readonly requestId: string
}

export const draw = (dice: Dice, chaosMillis: number): ReadonlyArray<ResetPlan> => {
  const first = dice.between(0, chaosMillis)
  return Array.from({ length: dice.of([0, 1, 2, 2]) }, (_, index) => ({
    // Two at once, of one that has closed by then or not.
    at: index === 0 || dice.chance(0.5) ? first : dice.between(0, chaosMillis),
    share: dice.of([0, 0.999, dice.next()]),
    requestId: `reset ${index + 1}`
  }))
}

/** Said to one who asks too early; it may be otherwise soon. */
export const mayPass = (error: unknown): boolean =>
  error instanceof ResetRefused &&
  /first turn has not been taken|its turns are|is on its way|faster than/.test(error.reason)

// -----------------------------------------------------------------------------
// what came of it
// -----------------------------------------------------------------------------

/** The runs of a chain that count: those that no other one takes the place of. */
export const standing = (chain: ReadonlyArray<Kin.Told>, { resets }: Account): ReadonlyArray<Kin.Told> => {
  const made = new Set(resets.values())
  const kept: Array<Kin.Told> = []
  for (const told of chain) {
    if (made.has(told.run.runId)) kept.pop()
    kept.push(told)
  }
  return kept
}

/** Judges the runs of one chain that was reset, in the order in which they followed each other. */
export const judge = (chain: ReadonlyArray<Kin.Told>, { resets }: Account): ReadonlyArray<string> => {
  const found: Array<string> = []
  const requests = new Map([...resets].map(([requestId, runId]) => [runId, requestId]))
  if (requests.size < resets.size) found.push("two resets made the same run (C11)")
  chain.forEach(({ run, turns }, index) => {
    const before = chain[index - 1]
    if (run.previousRunId !== before?.run.runId) {
      found.push(`run ${run.runId} follows ${run.previousRunId}, and not ${before?.run.runId}`)
      return
    }
    if (before === undefined) return
    const requestId = requests.get(run.runId)
    const end = before.turns.at(-1)?.events.find(isClosing)
    if (requestId === undefined) {
      if (end === undefined || followerOf(end) !== run.runId) found.push(`run ${run.runId} was made by no reset (C11)`)
      return
    }
    for (const words of ofOne(requestId, turns, before, end, run.runId)) found.push(`${run.runId}: ${words} (C11)`)
  })
  for (const runId of requests.keys()) {
    if (!chain.some(({ run }) => run.runId === runId)) found.push(`run ${runId}, made by a reset, is not in its chain`)
  }
  return found
}

const ofOne = (
  requestId: string,
  turns: ReadonlyArray<Turn>,
  before: Kin.Told,
  end: Closing | undefined,
  runId: string
): ReadonlyArray<string> => {
  if (end === undefined) return [`takes the place of ${before.run.runId}, which is open`]
  const found: Array<string> = []
  const isEnded = end._tag === "ExecutionTerminated" && end.reason === `reset: ${requestId}`
  if (isEnded && followerOf(end) !== runId) found.push(`${before.run.runId} was ended for ${followerOf(end)}`)
  if (!isEnded && followerOf(end) !== undefined) found.push(`${before.run.runId} is followed by another run`)
  const taken = turns.findIndex(({ events }) => events.some(isReset(before.run.runId)))
  if (taken === -1) return found
  const [mark] = turns[taken]!.events
  if (mark?._tag !== "ExecutionReset" || mark.turn !== taken + 1 || mark.reason !== requestId) {
    found.push(`turn ${taken + 1} begins with ${JSON.stringify(mark)}`)
  }
  for (let index = 0; index < taken; index++) {
    if (kept(turns[index]!) !== kept(before.turns[index])) found.push(`turn ${index + 1} is not as it was`)
  }
  return found
}

const isReset = (fromRunId: string) => (event: Event): boolean =>
  event._tag === "ExecutionReset" && event.fromRunId === fromRunId

/** The start says of each run what is its own. */
const kept = (turn: Turn | undefined): string =>
  JSON.stringify([turn?.at, turn?.events.map((event) => event._tag === "ExecutionStarted" ? event.input : event)])
