/**
 * A schedule from decision to decision, told by times of day: what a scheduler would do with it, without one.
 */
import * as Either from "effect/Either"
import * as Advance from "../../../src/core/schedule/Advance.js"
import * as Schedule from "../../../src/core/schedule/Schedule.js"
import * as ScheduleSpec from "../../../src/core/schedule/ScheduleSpec.js"
import type * as ScheduleState from "../../../src/core/schedule/ScheduleState.js"

/** "10:00" or "10:00:30" of the day, or a whole time. */
export const at = (time: string): number =>
  Date.parse(time.includes("T") ? time : `2026-11-28T${time.length === 5 ? `${time}:00` : time}Z`)

/** As `at` takes it: without the seconds where there are none, and with the date of any other day. */
export const told = (time: number | undefined): string | undefined => {
  if (time === undefined) return undefined
  const iso = new Date(time).toISOString().replace(".000Z", "").replace(/:00$/, "")
  return iso.startsWith("2026-11-28T") ? iso.slice(11) : iso
}

export const right = <A>(either: Either.Either<A, string>): A =>
  Either.getOrThrowWith(either, (reason) => new Error(reason))

export const left = (either: Either.Either<unknown, string>): string =>
  Either.getOrThrowWith(Either.flip(either), () => new Error("it was taken"))

export type Setting =
  & Omit<Partial<Schedule.Definition>, "spec" | "policy">
  & Omit<ScheduleSpec.Input, never>
  & { readonly policy?: Schedule.PolicyInput; readonly initially?: Schedule.Initially }

export const definition = (setting: Setting = {}): Schedule.Definition => {
  const { action, attributes, memo, note, paused, policy, remainingActions, initially: _, ...spec } = setting
  return {
    spec: right(ScheduleSpec.make(Object.keys(spec).length === 0 ? { intervals: [{ every: "1 minute" }] } : spec)),
    policy: right(Schedule.policy(policy)),
    action: action ?? { workflow: "Report", workflowId: "report", taskQueue: "reports" },
    paused: paused ?? false,
    note: note ?? "",
    ...(remainingActions === undefined ? {} : { remainingActions }),
    ...(memo === undefined ? {} : { memo }),
    ...(attributes === undefined ? {} : { attributes })
  }
}

export class Story {
  schedule: ScheduleState.Schedule
  decision: Advance.Decision | undefined
  private runs = 0

  /** Every minute by default, created at 10:00 sharp: the first time is 10:01. */
  constructor(setting: Setting = {}, now = "10:00") {
    this.schedule = right(Schedule.create(definition(setting), at(now), setting.initially))
  }

  /** What is done then, such as "start 10:01" and "cancel 10:00"; "wake 10:02" for when to look again. */
  to(now: string, ...ended: ReadonlyArray<Advance.Ended>): ReadonlyArray<string> {
    const { running } = this.schedule.state
    const nominal = ({ firstRunId }: Advance.Target) =>
      told(running.find((running) => running.firstRunId === firstRunId)?.nominal)
    this.decision = Advance.advance("orders", this.schedule, {
      now: at(now),
      ended,
      newRunId: () => `run-${++this.runs}`
    })
    this.schedule = this.decision.schedule
    const { cancels, starts, terminates, wakeAt } = this.decision
    return [
      ...cancels.map((target) => `cancel ${nominal(target)}`),
      ...terminates.map((target) => `terminate ${nominal(target)}`),
      ...starts.map((start) => `start ${told(start.nominal)}`),
      ...(wakeAt === undefined ? [] : [`wake ${told(wakeAt)}`])
    ]
  }

  /** The end of the action of that time. */
  end(
    nominal: string,
    status: ScheduleState.EndStatus = "Completed",
    outcome: Partial<Advance.Ended> = {}
  ): Advance.Ended {
    const running = this.schedule.state.running.find((running) => running.nominal === at(nominal))
    if (running === undefined) throw new Error(`no action of ${nominal} runs`)
    return { firstRunId: running.firstRunId, status, ...outcome }
  }

  get running(): ReadonlyArray<string | undefined> {
    return this.schedule.state.running.map(({ nominal }) => told(nominal))
  }

  get waiting(): ReadonlyArray<string | undefined> {
    return this.schedule.state.waiting.map(({ nominal }) => told(nominal))
  }

  /** Only those that are not 0. */
  get counts(): Partial<ScheduleState.Counts> {
    return Object.fromEntries(Object.entries(this.schedule.state.counts).filter(([, count]) => count !== 0))
  }
}
