/**
 * Waiting for a job in a system that calls nobody back: asked again and again, more and more rarely, for a day at most.
 *
 *   Check ──▶ not ready: sleep 10 s, 20 s, 40 s ... 10 min ──▶ Check ──▶ ready
 *
 * The waiting is the workflow's: between two checks nothing runs, and no worker need be up. For a poll every few seconds
 * let one activity loop and heartbeat instead: each check here is four events of the history.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { Activity, Client, Workflow } from "perdure"

export class JobFailed extends Schema.TaggedError<JobFailed>()("JobFailed", { reason: Schema.String }) {}
export class NotReady extends Schema.TaggedError<NotReady>()("NotReady", {}) {}

export const Check = Activity.make("Check", {
  payload: { job: Schema.String },
  success: Schema.String,
  error: Schema.Union(NotReady, JobFailed),
  startToCloseTimeout: "10 seconds",
  // Not ready is an answer, and no failure to be tried again at once.
  retry: { nonRetryable: ["NotReady", "JobFailed"] }
})

export const Poll = Workflow.make("Poll", {
  payload: { job: Schema.String },
  success: Schema.String,
  error: Schema.Union(JobFailed, NotReady)
})

const rarer = Schedule.exponential("10 seconds").pipe(
  Schedule.modifyDelay((_, delay) => Duration.min(delay, "10 minutes")),
  Schedule.upTo("1 day")
)

export const PollLive = Poll.toLayer(({ job }) =>
  Effect.retry(Check.execute({ job }), { schedule: rarer, while: (error) => error._tag === "NotReady" })
)

let asked = 0
export const hosts = [
  PollLive,
  Check.toLayer(({ job }) => ++asked < 12 ? new NotReady() : Effect.succeed(`${job} is done`))
] as const

export const play = Effect.flatMap(Client, (client) => client.execute(Poll, { job: "render-7" }))
