/**
 * Carries a schedule on: what ended is taken in, what is due is decided, what may start is named.
 *
 * ```
 *   ended ──▶ what waits ──▶ requests (triggers, backfills) ──▶ times of the spec up to now
 *     │           │                   └──────────┬──────────────────────┘
 *     ▼           ▼                              ▼
 *   last result   start                overlap policy: start, wait, skip, drop, cancel, terminate
 * ```
 *
 * The outcome is to be stored in one transaction with its starts, cancel requests and terminations; until then nothing
 * has happened, and the next one to ask gets the same answer.
 *
 * 1. Each nominal time of the spec is decided once, in order. A clock that goes back decides nothing.
 * 2. But for `AllowAll`, an action starts when no other one runs that did not start under it.
 * 3. What waits has something to wait for, or `wakeAt` is now.
 * 4. One decision starts at most 100 actions and looks at some 2,000 times: what is left comes in the next one, at once.
 *
 * Rows H2, H7 to H12, W17.
 *
 * @since 0.1.0
 */
import type { Failure } from "../Failure.js"
import { Limits } from "../Limits.js"
import type {
  Counts,
  EndStatus,
  Overlap,
  Recent,
  Request,
  Running,
  Schedule,
  ScheduleAction,
  Waiting
} from "./ScheduleState.js"
import * as ScheduleTimes from "./ScheduleTimes.js"

/**
 * An action whose chain has ended: it has no open run any more. One that the schedule does not know (any more), or knows
 * to have ended, is passed over.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ended {
  readonly firstRunId: string
  readonly status: EndStatus
  /** The encoded success of the last run, where it completed. */
  readonly result?: unknown
  readonly failure?: Failure | undefined
}

/** A run to begin. @since 0.1.0 */
export interface Start {
  readonly workflowId: string
  readonly firstRunId: string
  /** The time it stands for. */
  readonly nominal: number
  readonly manual: boolean
  /** Of the action before; neither under `AllowAll` (row W17). */
  readonly lastResult?: unknown
  readonly lastFailure?: Failure
}

/** An action by its chain's first run: its open run is meant, if it still has one. @since 0.1.0 */
export interface Target {
  readonly workflowId: string
  readonly firstRunId: string
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Decision {
  readonly schedule: Schedule
  readonly starts: ReadonlyArray<Start>
  /** To be asked to cancel. */
  readonly cancels: ReadonlyArray<Target>
  /** To be terminated before the starts; their end need not be told. */
  readonly terminates: ReadonlyArray<Target>
  /** When to look again, whether or not an action ends before; undefined: only then, or after an operator's call. */
  readonly wakeAt: number | undefined
}

/** @since 0.1.0 */
export interface Moment {
  readonly now: number
  readonly ended: ReadonlyArray<Ended>
  /** Gives each start the id of its first run. */
  readonly newRunId: () => string
}

/**
 * What is to be done with a schedule at a moment. Asked again at the same one, with nothing that ended since, it changes
 * nothing more, unless `wakeAt` said so.
 *
 * @category combinators
 * @since 0.1.0
 */
export const advance = (id: string, schedule: Schedule, moment: Moment): Decision => {
  const draft = begin(schedule, moment)
  for (const ended of moment.ended) takeIn(draft, ended)
  drain(draft)
  answer(draft, id)
  const next = follow(draft, id)
  return decided(draft, draft.more ? moment.now : next)
}

/**
 * The decision without a start that can not be: another run with its workflow id is open. It counts as skipped, and
 * spends nothing.
 *
 * @category combinators
 * @since 0.1.0
 */
export const refused = (decision: Decision, firstRunId: string, now: number): Decision => {
  const start = decision.starts.find((start) => start.firstRunId === firstRunId)
  if (start === undefined) return decision
  const others = <A extends { readonly firstRunId: string }>(list: ReadonlyArray<A>): ReadonlyArray<A> =>
    list.filter((other) => other.firstRunId !== firstRunId)
  const { state } = decision.schedule
  const { counts, remainingActions } = state
  return {
    ...decision,
    schedule: {
      ...decision.schedule,
      state: {
        ...state,
        ...(remainingActions === undefined || start.manual ? {} : { remainingActions: remainingActions + 1 }),
        running: others(state.running),
        recent: others(state.recent),
        counts: { ...counts, actions: counts.actions - 1, skipped: counts.skipped + 1 }
      }
    },
    starts: others(decision.starts),
    // What waited for it must be looked at, and the times that there were no actions left for.
    wakeAt: now
  }
}

/**
 * The workflow id of the action of a time (row H2).
 *
 * @category combinators
 * @since 0.1.0
 */
export const workflowIdOf = ({ fixedWorkflowId, workflowId }: ScheduleAction, nominal: number): string =>
  fixedWorkflowId === true ? workflowId : `${workflowId}-${new Date(nominal).toISOString().slice(0, 19)}Z`

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** A decision in the making; it never leaves `advance`. */
interface Draft {
  readonly schedule: Schedule
  readonly moment: Moment
  readonly counts: { -readonly [Name in keyof Counts]: number }
  readonly requests: Array<Request>
  readonly starts: Array<Start>
  readonly cancels: Array<Target>
  readonly terminates: Array<Target>
  waiting: Array<Waiting>
  running: Array<Running>
  recent: ReadonlyArray<Recent>
  paused: boolean
  note: string
  remaining: number | undefined
  consideredUntil: number
  last: { readonly lastResult?: unknown; readonly lastFailure?: Failure }
  /** Times that were looked at. */
  looked: number
  /** Whether there is more to do at once. */
  more: boolean
}

const begin = (schedule: Schedule, moment: Moment): Draft => {
  const { state } = schedule
  return {
    schedule,
    moment,
    counts: { ...state.counts },
    requests: [...state.requests],
    starts: [],
    cancels: [],
    terminates: [],
    waiting: [...state.waiting],
    running: [...state.running],
    recent: state.recent,
    paused: state.paused,
    note: state.note,
    remaining: state.remainingActions,
    consideredUntil: state.consideredUntil,
    last: {
      ...(state.lastResult === undefined ? {} : { lastResult: state.lastResult }),
      ...(state.lastFailure === undefined ? {} : { lastFailure: state.lastFailure })
    },
    looked: 0,
    more: false
  }
}

const decided = (draft: Draft, wakeAt: number | undefined): Decision => {
  const { schedule, starts } = draft
  const { lastFailure: _failure, lastResult: _result, remainingActions: _remaining, ...state } = schedule.state
  const began = starts.map(({ firstRunId, manual, nominal, workflowId }): Recent => ({
    workflowId,
    firstRunId,
    nominal,
    startedAt: draft.moment.now,
    ...(manual ? { manual } : {})
  }))
  return {
    schedule: {
      ...schedule,
      state: {
        ...state,
        paused: draft.paused,
        note: draft.note,
        ...(draft.remaining === undefined ? {} : { remainingActions: draft.remaining }),
        consideredUntil: draft.consideredUntil,
        waiting: draft.waiting,
        requests: draft.requests,
        running: draft.running,
        recent: [...draft.recent, ...began].slice(-Limits.scheduleRecentMax),
        counts: draft.counts,
        ...draft.last
      }
    },
    starts,
    cancels: draft.cancels.filter((cancel) =>
      draft.terminates.every((terminate) => terminate.firstRunId !== cancel.firstRunId)
    ),
    terminates: draft.terminates,
    wakeAt
  }
}

// ---- what ended

const takeIn = (draft: Draft, { failure, firstRunId, result, status }: Ended): void => {
  const running = draft.running.find((running) => running.firstRunId === firstRunId)
  const recent = draft.recent.find((recent) => recent.firstRunId === firstRunId && recent.ended === undefined)
  if (running === undefined && recent === undefined) return
  leave(draft, firstRunId, status)
  const failed = status === "Failed" || status === "TimedOut"
  // Actions beside each other have no order in which one is the last one.
  if (running !== undefined && running.beside !== true) {
    if (status === "Completed") draft.last = result === undefined ? {} : { lastResult: result }
    else if (failed && failure !== undefined) draft.last = { ...draft.last, lastFailure: failure }
  }
  if (failed && draft.schedule.policy.pauseOnFailure && !draft.paused) {
    draft.paused = true
    const workflowId = running?.workflowId ?? recent?.workflowId ?? ""
    const what = status === "TimedOut"
      ? `paused due to workflow timeout: ${workflowId}`
      : `paused due to workflow failure: ${workflowId}${failure === undefined ? "" : `: ${failure.message}`}`
    draft.note = what.slice(0, Limits.scheduleNoteCharsMax)
  }
}

const leave = (draft: Draft, firstRunId: string, ended: EndStatus): void => {
  draft.running = draft.running.filter((running) => running.firstRunId !== firstRunId)
  draft.recent = draft.recent.map((recent) => recent.firstRunId === firstRunId ? { ...recent, ended } : recent)
}

// ---- what is due

const isBlocked = ({ running }: Draft): boolean => running.some(({ beside }) => beside !== true)

const hasRoom = ({ looked, starts }: Draft): boolean =>
  starts.length < Limits.scheduleStartsMax && looked < Limits.scheduleTimesMax

/** A pause and the number of actions bind the spec only (row H10). */
const mayAct = ({ paused, remaining }: Draft, manual: boolean): boolean => manual || !paused && remaining !== 0

const drain = (draft: Draft): void => {
  while (draft.waiting.length > 0 && !isBlocked(draft)) {
    const [head, ...others] = draft.waiting as [Waiting, ...Array<Waiting>]
    draft.waiting = others
    if (mayAct(draft, head.manual === true)) start(draft, head, false)
    else draft.counts.skipped++
  }
}

const answer = (draft: Draft, id: string): void => {
  const { requests, schedule } = draft
  for (let index = 0; index < requests.length;) {
    const request = requests[index]!
    const overlap = request.overlap === undefined ? {} : { overlap: request.overlap }
    if (request._tag === "Trigger") {
      if (!hasRoom(draft)) return void (draft.more = true)
      requests.splice(index, 1)
      place(draft, { nominal: request.nominal, ...overlap, manual: true })
      continue
    }
    const time = ScheduleTimes.next(schedule.spec, id, request.from - 1)
    if (time === undefined || time.nominal > request.to) {
      requests.splice(index, 1)
    } else if (!hasRoom(draft)) {
      return void (draft.more = true)
    } else if (isFull(draft, policyOf(draft, request))) {
      // It waits for the actions before it to end: nothing of a backfill is dropped.
      index++
    } else {
      requests[index] = { ...request, from: time.nominal + 1 }
      draft.looked++
      place(draft, { nominal: time.nominal, ...overlap, manual: true })
    }
  }
}

/** Gives when the next time of the spec is to be acted on. */
const follow = (draft: Draft, id: string): number | undefined => {
  const { moment: { now }, schedule: { policy, spec } } = draft
  while (mayAct(draft, false)) {
    const time = ScheduleTimes.next(spec, id, draft.consideredUntil)
    if (time === undefined || time.at > now) return time?.at
    if (!hasRoom(draft)) {
      draft.more = true
      return undefined
    }
    draft.looked++
    draft.consideredUntil = time.nominal
    if (now - time.at > policy.catchupWindowMillis) draft.counts.missed++
    else place(draft, { nominal: time.nominal })
  }
  return undefined
}

// ---- overlap

const policyOf = ({ schedule }: Draft, { overlap }: { readonly overlap?: Overlap }): Overlap =>
  overlap ?? schedule.policy.overlap

const isFull = (draft: Draft, overlap: Overlap): boolean =>
  overlap === "BufferAll" && isBlocked(draft) && draft.waiting.length >= Limits.scheduleWaitingMax

const place = (draft: Draft, time: Waiting): void => {
  const overlap = policyOf(draft, time)
  if (overlap === "AllowAll") return start(draft, time, true)
  if (!isBlocked(draft)) return start(draft, time, false)
  switch (overlap) {
    case "Skip":
      draft.counts.skipped++
      return
    case "BufferOne":
      if (draft.waiting.length === 0) draft.waiting.push(time)
      else draft.counts.skipped++
      return
    case "BufferAll":
      if (draft.waiting.length < Limits.scheduleWaitingMax) draft.waiting.push(time)
      else draft.counts.dropped++
      return
    case "CancelOther":
      supersede(draft)
      if (!isBlocked(draft)) return start(draft, time, false)
      if (draft.waiting.length >= Limits.scheduleWaitingMax) {
        draft.counts.dropped++
        return
      }
      cancel(draft)
      draft.waiting.unshift(time)
      return
    case "TerminateOther":
      supersede(draft)
      terminate(draft)
      return start(draft, time, false)
  }
}

/** What was to take the place of the others leaves it to the newest: one that waits, or has not really started yet. */
const supersede = (draft: Draft): void => {
  const kept = draft.waiting.filter((waiting) => !["CancelOther", "TerminateOther"].includes(policyOf(draft, waiting)))
  draft.counts.skipped += draft.waiting.length - kept.length
  draft.waiting = kept
  for (const { firstRunId, manual } of draft.starts.filter((start) => isInTheWay(draft, start))) {
    draft.starts.splice(draft.starts.findIndex((start) => start.firstRunId === firstRunId), 1)
    draft.running = draft.running.filter((running) => running.firstRunId !== firstRunId)
    draft.counts.actions--
    draft.counts.skipped++
    if (!manual && draft.remaining !== undefined) draft.remaining++
  }
}

const isInTheWay = ({ running }: Draft, { firstRunId }: Start): boolean =>
  running.some((running) => running.firstRunId === firstRunId && running.beside !== true)

const targetOf = ({ firstRunId, workflowId }: Running): Target => ({ workflowId, firstRunId })

const cancel = (draft: Draft): void => {
  draft.running = draft.running.map((running) => {
    if (running.beside === true || running.cancelRequested === true) return running
    draft.cancels.push(targetOf(running))
    return { ...running, cancelRequested: true }
  })
}

const terminate = (draft: Draft): void => {
  for (const running of draft.running.filter(({ beside }) => beside !== true)) {
    draft.terminates.push(targetOf(running))
    leave(draft, running.firstRunId, "Terminated")
  }
}

const start = (draft: Draft, time: Waiting, beside: boolean): void => {
  const { moment: { newRunId, now }, schedule: { action } } = draft
  const manual = time.manual === true
  const target = { workflowId: workflowIdOf(action, time.nominal), firstRunId: newRunId() }
  if (!manual && draft.remaining !== undefined) draft.remaining--
  draft.counts.actions++
  draft.starts.push({ ...target, nominal: time.nominal, manual, ...(beside ? {} : draft.last) })
  draft.running.push({ ...target, nominal: time.nominal, startedAt: now, ...(beside ? { beside } : {}) })
  if (beside) forget(draft)
}

/** The oldest of those beside each other is not listed any more: nothing asks for it. */
const forget = (draft: Draft): void => {
  const besides = draft.running.filter(({ beside }) => beside === true)
  if (besides.length > Limits.scheduleBesideMax) {
    draft.running = draft.running.filter(({ firstRunId }) => firstRunId !== besides[0]!.firstRunId)
  }
}
