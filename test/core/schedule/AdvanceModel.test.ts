/**
 * Any schedule, whatever is done with it and however time goes: what must hold after each decision (H7 to H12).
 *
 * A small world beside the schedule knows which actions are open. It is told starts, terminations and ends, and knows
 * nothing of policies.
 */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Advance from "../../../src/core/schedule/Advance.js"
import * as Schedule from "../../../src/core/schedule/Schedule.js"
import * as ScheduleSpec from "../../../src/core/schedule/ScheduleSpec.js"
import * as ScheduleState from "../../../src/core/schedule/ScheduleState.js"
import * as ScheduleTimes from "../../../src/core/schedule/ScheduleTimes.js"
import { at, definition, right } from "./Story.js"

const id = "orders"
const born = at("10:00")

const overlap = FastCheck.constantFrom(...ScheduleState.Overlap.literals)
const ownOverlap = FastCheck.option(overlap, { nil: undefined })

const spec: FastCheck.Arbitrary<ScheduleSpec.Input> = FastCheck.constantFrom<ScheduleSpec.Input>(
  { intervals: [{ every: "1 minute" }] },
  { intervals: [{ every: "1 minute" }], jitter: "50 seconds" },
  { intervals: [{ every: "7 minutes" }, { every: "5 minutes" }], jitter: "1 hour" },
  { intervals: [{ every: "1 second" }] },
  { cron: ["*/10 * * * *"], skip: [{ minute: 20, hour: "*" }] },
  { cron: ["* * * * *"], endAt: at("10:40") },
  { cron: ["* * * * *"], startAt: at("10:20") },
  {}
)

const remaining = FastCheck.option(FastCheck.nat(6), { nil: undefined })

type Act =
  | { readonly _tag: "Pass"; readonly seconds: number }
  | { readonly _tag: "End"; readonly which: number; readonly status: ScheduleState.EndStatus; readonly twice: boolean }
  | { readonly _tag: "Trigger"; readonly overlap: ScheduleState.Overlap | undefined }
  | {
    readonly _tag: "Backfill"
    readonly ago: number
    readonly seconds: number
    readonly overlap: ScheduleState.Overlap | undefined
  }
  | { readonly _tag: "Pause" | "Unpause" }
  | { readonly _tag: "Policy"; readonly overlap: ScheduleState.Overlap }
  | { readonly _tag: "Spec"; readonly spec: ScheduleSpec.Input }
  | { readonly _tag: "Remaining"; readonly count: number | undefined }
  | { readonly _tag: "RefuseNext" }

const act: FastCheck.Arbitrary<Act> = FastCheck.oneof(
  {
    weight: 8,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("Pass" as const),
      // Backwards too, and for long: 2,000 times are more than one decision looks at.
      seconds: FastCheck.oneof(
        FastCheck.integer({ min: 0, max: 150 }),
        FastCheck.integer({ min: -300, max: 0 }),
        FastCheck.integer({ min: 0, max: 6_000 })
      )
    })
  },
  {
    weight: 8,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("End" as const),
      which: FastCheck.nat(200),
      status: FastCheck.constantFrom(...ScheduleState.EndStatus.literals),
      twice: FastCheck.boolean()
    })
  },
  { weight: 3, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Trigger" as const), overlap: ownOverlap }) },
  {
    weight: 2,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("Backfill" as const),
      ago: FastCheck.nat(3_000),
      seconds: FastCheck.nat(1_500),
      overlap: ownOverlap
    })
  },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Pause" as const) }) },
  { weight: 3, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Unpause" as const) }) },
  { weight: 2, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Policy" as const), overlap }) },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Spec" as const), spec }) },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Remaining" as const), count: remaining }) },
  { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("RefuseNext" as const) }) }
)

const life = FastCheck.record({
  spec,
  overlap,
  catchupWindow: FastCheck.constantFrom("10 seconds" as const, "5 minutes" as const, "1 day" as const),
  pauseOnFailure: FastCheck.boolean(),
  remaining,
  acts: FastCheck.array(act, { minLength: 1, maxLength: 50, size: "max" })
})

/** How often each thing came about in all lives: properties of what never happens hold for nothing. */
const seen = {
  starts: 0,
  skipped: 0,
  missed: 0,
  dropped: 0,
  cancels: 0,
  terminates: 0,
  refused: 0,
  waiting: 0,
  paused: 0,
  more: 0
}

class World {
  now = born
  schedule: ScheduleState.Schedule
  /** Open actions, by the id of their first run: whether they were started under `AllowAll`. */
  readonly open = new Map<string, boolean>()
  /** Nominal times of the spec that were acted on. */
  readonly fired = new Set<number>()
  refuseNext = false
  private runs = 0

  constructor(schedule: ScheduleState.Schedule) {
    this.schedule = schedule
  }

  get alone(): ReadonlyArray<string> {
    return [...this.open].flatMap(([firstRunId, beside]) => beside ? [] : [firstRunId])
  }

  /** Advances until nothing more is to be done at once. */
  settle(ended: ReadonlyArray<Advance.Ended>): void {
    for (const { firstRunId } of ended) this.open.delete(firstRunId)
    let wakeAt = this.advance(ended)
    let decisions = 1
    while (wakeAt === this.now) {
      seen.more++
      // Each looks at 2,000 times or starts 100, and a life is short.
      assert.isBelow(++decisions, 3_000, "it goes on without end")
      wakeAt = this.advance([])
    }
    this.wakesWhenDue(wakeAt)
    const again = this.decide([])
    assert.deepStrictEqual(again.schedule, this.schedule, "the same moment decides again")
    assert.deepStrictEqual([again.starts, again.cancels, again.terminates, again.wakeAt], [[], [], [], wakeAt])
  }

  private decide(ended: ReadonlyArray<Advance.Ended>): Advance.Decision {
    return Advance.advance(id, this.schedule, { now: this.now, ended, newRunId: () => `run-${++this.runs}` })
  }

  private advance(ended: ReadonlyArray<Advance.Ended>): number | undefined {
    const before = this.schedule
    const first = this.decide(ended)
    this.counted(before, first)
    this.allowed(before, first)
    const refuse = this.refuseNext ? first.starts[0] : undefined
    const decision = refuse === undefined ? first : Advance.refused(first, refuse.firstRunId, this.now)
    if (refuse !== undefined) {
      this.refuseNext = false
      seen.refused++
      this.counted(before, decision)
      assert.notInclude(decision.starts, refuse)
    }
    this.schedule = decision.schedule
    for (const { firstRunId } of decision.terminates) {
      assert.isTrue(this.open.delete(firstRunId), "what is terminated was open")
    }
    for (const { firstRunId } of decision.cancels) assert.isTrue(this.open.has(firstRunId), "what is canceled is open")
    const besides = new Set(this.schedule.state.running.flatMap(({ beside, firstRunId }) => beside ? [firstRunId] : []))
    for (const { firstRunId } of decision.starts) this.open.set(firstRunId, besides.has(firstRunId))
    assert.isAtMost(this.alone.length, 1, "two run that should not")
    const listed = this.schedule.state.running.filter(({ beside }) => beside !== true)
    assert.deepStrictEqual(listed.map(({ firstRunId }) => firstRunId), this.alone, "it knows what runs")
    this.bounded()
    return decision.wakeAt
  }

  /** Each time that was considered, and each that was asked for, counts in one place. */
  private counted({ spec, state: before }: ScheduleState.Schedule, decision: Advance.Decision): void {
    const { state: after } = decision.schedule
    assert.isAtLeast(after.consideredUntil, before.consideredUntil, "what was considered stays so")
    const considered =
      ScheduleTimes.between(spec, id, before.consideredUntil + 1, after.consideredUntil, Infinity).length
    const triggers = (state: ScheduleState.ScheduleState) =>
      state.requests.filter(({ _tag }) => _tag === "Trigger").length
    const toFill = (state: ScheduleState.ScheduleState) =>
      state.requests.reduce(
        (sum, request) =>
          request._tag === "Trigger"
            ? sum
            : sum + ScheduleTimes.between(spec, id, request.from, request.to, Infinity).length,
        0
      )
    const decided = ({ counts: { actions, dropped, missed, skipped }, waiting }: ScheduleState.ScheduleState) =>
      actions + dropped + missed + skipped + waiting.length
    assert.strictEqual(
      decided(after) - decided(before),
      considered + triggers(before) - triggers(after) + toFill(before) - toFill(after),
      "each time is decided once"
    )
    assert.strictEqual(after.counts.actions - before.counts.actions, decision.starts.length)
    for (const count of ["skipped", "missed", "dropped"] as const) {
      assert.isAtLeast(after.counts[count], before.counts[count])
    }
    const spent = decision.starts.filter(({ manual }) => !manual).length
    if (before.remainingActions === undefined) assert.notProperty(after, "remainingActions")
    else assert.strictEqual(after.remainingActions, before.remainingActions - spent, "what starts is spent")
    if (after.remainingActions !== undefined) assert.isAtLeast(after.remainingActions, 0)
  }

  private allowed({ policy, spec, state: before }: ScheduleState.Schedule, decision: Advance.Decision): void {
    const { state } = decision.schedule
    const ofSpec = decision.starts.filter(({ manual }) => !manual)
    if (state.paused) assert.deepStrictEqual(ofSpec, [], "a paused one acts by its spec")
    const considered = new Map(
      ScheduleTimes.between(spec, id, before.consideredUntil + 1, state.consideredUntil, Infinity).map((time) => [
        time.nominal,
        time.at
      ])
    )
    for (const { nominal } of ofSpec) {
      assert.isFalse(this.fired.has(nominal), "a time is acted on twice")
      const actAt = considered.get(nominal)
      if (actAt === undefined) {
        assert.include(before.waiting.map(({ nominal }) => nominal), nominal, "it was due, or waited")
      } else {
        assert.isAtMost(actAt, this.now, "it is too early")
        assert.isAtMost(this.now - actAt, policy.catchupWindowMillis, "it is too late")
      }
      if (!(this.refuseNext && decision.starts[0]?.nominal === nominal)) this.fired.add(nominal)
    }
    seen.starts += decision.starts.length
    seen.skipped += state.counts.skipped - before.counts.skipped
    seen.missed += state.counts.missed - before.counts.missed
    seen.dropped += state.counts.dropped - before.counts.dropped
    seen.cancels += decision.cancels.length
    seen.terminates += decision.terminates.length
    if (state.waiting.length > 0) seen.waiting++
    if (state.paused) seen.paused++
  }

  private bounded(): void {
    const { recent, requests, running, waiting } = this.schedule.state
    assert.isAtMost(waiting.length, 1_000)
    assert.isAtMost(requests.length, 100)
    assert.isAtMost(recent.length, 10)
    assert.isAtMost(running.length, 101)
  }

  /** Whoever sleeps until then, or until an action ends, misses nothing. */
  private wakesWhenDue(wakeAt: number | undefined): void {
    const { spec, state: { consideredUntil, paused, remainingActions, requests, waiting } } = this.schedule
    const next = paused || remainingActions === 0 ? undefined : ScheduleTimes.next(spec, id, consideredUntil)?.at
    assert.strictEqual(wakeAt, next)
    if (wakeAt !== undefined) assert.isAbove(wakeAt, this.now)
    if (waiting.length > 0 || requests.length > 0) assert.lengthOf(this.alone, 1, "something waits for nothing")
  }

  act(act: Act): ReadonlyArray<Advance.Ended> {
    const { schedule } = this
    switch (act._tag) {
      case "Pass":
        this.now += act.seconds * 1_000
        return []
      case "End": {
        const open = [...this.open.keys()]
        const firstRunId = open[act.which % open.length]
        if (firstRunId === undefined) return []
        const ended: Advance.Ended = { firstRunId, status: act.status }
        return act.twice ? [ended, ended] : [ended]
      }
      case "Trigger":
        this.schedule = right(Schedule.trigger(schedule, this.now, act.overlap))
        return []
      case "Backfill": {
        const from = this.now - act.ago * 1_000
        this.schedule = right(
          Schedule.backfill(schedule, [{ from, to: from + act.seconds * 1_000, overlap: act.overlap }])
        )
        return []
      }
      case "Pause":
        this.schedule = Schedule.pause(schedule)
        return []
      case "Unpause":
        this.schedule = Schedule.unpause(id, schedule, this.now)
        return []
      case "Policy":
        this.update({ policy: { ...schedule.policy, overlap: act.overlap } })
        return []
      case "Spec":
        // A backfill that is not done yet would have other times from here on.
        if (schedule.state.requests.length === 0) this.update({ spec: right(ScheduleSpec.make(act.spec)) })
        return []
      case "Remaining":
        this.update({ remainingActions: act.count })
        return []
      case "RefuseNext":
        this.refuseNext = true
        return []
    }
  }

  private update(change: Partial<Schedule.Definition>): void {
    const before = this.schedule.state.consideredUntil
    this.schedule = right(
      Schedule.update(id, this.schedule, { ...Schedule.definition(this.schedule), ...change }, this.now)
    )
    assert.isAtLeast(this.schedule.state.consideredUntil, before)
  }
}

describe("any life of a schedule", () => {
  it("decides each time once, runs no two that should not, wakes when something is due, and ends each decision", () => {
    FastCheck.assert(
      FastCheck.property(life, ({ acts, catchupWindow, overlap, pauseOnFailure, remaining, spec }) => {
        const world = new World(right(Schedule.create({
          ...definition({ policy: { overlap, catchupWindow, pauseOnFailure } }),
          spec: right(ScheduleSpec.make(spec)),
          remainingActions: remaining
        }, born)))
        for (const act of acts) world.settle(world.act(act))
        const json: unknown = JSON.parse(JSON.stringify(world.schedule))
        assert.deepStrictEqual(Schema.decodeUnknownSync(ScheduleState.Schedule)(json), world.schedule)
      }),
      { numRuns: 300 }
    )
    for (const [what, times] of Object.entries(seen)) assert.isAbove(times, 20, what)
  })
})

describe("a schedule that is looked at in time", () => {
  interface Began {
    readonly nominal: number
    readonly at: number
  }

  /** What a policy means, told by what happens minute after minute; an action takes as long as the next one of the list. */
  const expected = (
    policy: ScheduleState.Overlap,
    minutes: number,
    takes: ReadonlyArray<number>
  ): ReadonlyArray<Began> => {
    const began: Array<Began> = []
    let queue: Array<number> = []
    let busyUntil = 0
    const begin = (nominal: number, at: number) => {
      busyUntil = at + takes[began.length % takes.length]!
      began.push({ nominal, at })
    }
    for (let now = 1; now <= minutes * 60; now++) {
      if (busyUntil === now && queue.length > 0) begin(queue.shift()!, now)
      if (now % 60 !== 0) continue
      const idle = busyUntil <= now
      if (policy === "AllowAll" || idle || policy === "TerminateOther") begin(now, now)
      else if (policy === "BufferOne") queue = [queue[0] ?? now]
      else if (policy === "BufferAll") queue.push(now)
      else if (policy === "CancelOther") {
        // Who is asked to end does so after some seconds, or before.
        if (queue.length === 0) busyUntil = Math.min(busyUntil, now + 7)
        queue = [now]
      }
    }
    return began
  }

  it("starts what its policy says, in order (H7)", () => {
    FastCheck.assert(
      FastCheck.property(
        overlap,
        FastCheck.integer({ min: 1, max: 40 }),
        FastCheck.array(FastCheck.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
        (policy, minutes, takes) => {
          let schedule = right(Schedule.create(definition({ policy: { overlap: policy } }), born))
          const began: Array<Began> = []
          let open: Array<{ readonly firstRunId: string; readonly until: number }> = []
          for (let now = 1; now <= minutes * 60; now++) {
            const ended = open.filter(({ until }) => until === now)
            if (ended.length === 0 && now % 60 !== 0) continue
            open = open.filter(({ until }) => until !== now)
            let runs = 0
            const decision = Advance.advance(id, schedule, {
              now: born + now * 1_000,
              ended: ended.map(({ firstRunId }): Advance.Ended => ({ firstRunId, status: "Completed" })),
              newRunId: () => `run-${now}-${++runs}`
            })
            schedule = decision.schedule
            const canceled = new Set(decision.cancels.map(({ firstRunId }) => firstRunId))
            const terminated = new Set(decision.terminates.map(({ firstRunId }) => firstRunId))
            open = open.filter(({ firstRunId }) => !terminated.has(firstRunId)).map((run) =>
              canceled.has(run.firstRunId) ? { ...run, until: Math.min(run.until, now + 7) } : run
            )
            for (const { firstRunId, nominal } of decision.starts) {
              open.push({ firstRunId, until: now + takes[began.length % takes.length]! })
              began.push({ nominal: (nominal - born) / 1_000, at: now })
            }
          }
          assert.deepStrictEqual(began, expected(policy, minutes, takes))
        }
      ),
      { numRuns: 300 }
    )
  })
})
