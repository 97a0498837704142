/**
 * Schedules on the engine (H1 to H14), in time that skips: what is due is started once, by whichever worker is there.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Client, Filter, Liveness, Schedule, SearchAttribute, State, Workflow } from "perdure"
import type { Store } from "perdure/sqlite"
import { TestEnvironment } from "perdure/testing"

class Spoiled extends Schema.TaggedError<Spoiled>()("Spoiled", { n: Schema.Number }) {}

const Seen = Schema.Struct({
  at: Schema.String,
  by: Schema.NullOr(Schema.String),
  for: Schema.NullOr(Schema.String),
  last: Schema.NullOr(Schema.Number),
  failed: Schema.NullOr(Schema.String)
})

/** Takes its time, gives its number, or fails as often as it is told. */
const Report = Workflow.make("Report", {
  payload: { n: Schema.Number, millis: Schema.Number, failures: Schema.Number },
  success: Schema.Number,
  error: Spoiled,
  memo: { about: Schema.String },
  searchAttributes: { region: SearchAttribute.keyword }
})

/** What each run saw, outside of any history. */
let seen: Array<typeof Seen.Type> = []
let failed = 0

const iso = (millis: number) => new Date(millis).toISOString().replace(".000Z", "Z")

const ReportLive = Report.toLayer(({ failures, millis, n }) =>
  Effect.gen(function*() {
    const { scheduled } = yield* Workflow.info
    seen.push({
      at: iso(yield* Workflow.now),
      by: scheduled?.by ?? null,
      for: scheduled === undefined ? null : iso(scheduled.at),
      last: Option.getOrNull(yield* Workflow.lastResult(Report)),
      failed: Option.getOrNull(Option.map(yield* Workflow.lastFailure(Report), ({ _tag }) => _tag))
    })
    if (millis > 0) yield* Effect.sleep(millis)
    if (failed < failures) {
      failed++
      return yield* new Spoiled({ n })
    }
    return n + seen.length
  }).pipe(Effect.catchTag("ContractError", Effect.die))
)

/** Waits for a knock, and gives when it came. */
const Wait = Workflow.make("Wait", { success: Schema.String, signals: { knock: {} } })
const WaitLive = Wait.toLayer(() =>
  Effect.gen(function*() {
    const knocked = yield* State.make(false)
    return Wait.of({
      signals: { knock: () => knocked.set(true) },
      run: Effect.zipRight(Workflow.condition(knocked.get), Effect.map(Workflow.now, iso))
    })
  })
)

/** Knocks where it is told to. */
const Knock = Workflow.make("Knock", { payload: Schema.String })
const KnockLive = Knock.toLayer((workflowId) => Effect.orDie(Workflow.external(Wait, workflowId).signal("knock")))

const startAt = new Date("2026-11-27T06:40:00Z")

const inTime = (name: string, program: () => Effect.Effect<void, unknown, TestEnvironment | Client | Store>) =>
  it.live(name, () =>
    Effect.suspend(() => {
      seen = []
      failed = 0
      return Effect.provide(
        Effect.zipRight(
          program(),
          Effect.flatMap(Liveness.check, (faults) => Effect.sync(() => assert.deepStrictEqual(faults, [])))
        ),
        TestEnvironment.layer({ hosts: [ReportLive, WaitLive, KnockLive], startAt })
      )
    }))

const pass = (duration: Parameters<TestEnvironment["Type"]["sleep"]>[0]) =>
  Effect.flatMap(TestEnvironment, (environment) => environment.sleep(duration))

const payload = { n: 0, millis: 0, failures: 0 }

const everyMinute: Schedule.Spec = { intervals: [{ every: "1 minute" }] }

const create = (
  options: Partial<Schedule.CreateOptions> = {},
  given: Partial<typeof payload> = {},
  id = "report"
) =>
  Effect.flatMap(
    Client,
    ({ schedules }) => schedules.create(id, { action: Schedule.start(Report, { ...payload, ...given }), ...options })
  )

/** Workflow ids and statuses of all runs, in the order of their starts. */
const runs = Effect.flatMap(
  Client,
  (client) =>
    Effect.map(
      client.listPage(undefined, { order: "Oldest", pageSize: 1_000 }),
      ({ executions }) => executions.map(({ status, workflowId }) => [workflowId, status] as const)
    )
)

const ids = Effect.map(runs, (all) => all.map(([workflowId]) => workflowId))

describe("creating a schedule (H1)", () => {
  inTime("it acts at its times, from then on", () =>
    Effect.gen(function*() {
      const handle = yield* create({ spec: everyMinute, note: "for the board" })
      yield* pass("3 minutes")
      assert.deepStrictEqual(yield* runs, [
        ["report-2026-11-27T06:41:00Z", "Completed"],
        ["report-2026-11-27T06:42:00Z", "Completed"],
        ["report-2026-11-27T06:43:00Z", "Completed"]
      ])
      assert.deepStrictEqual(seen.map(({ at, for: time }) => [at, time]), [
        ["2026-11-27T06:41:00Z", "2026-11-27T06:41:00Z"],
        ["2026-11-27T06:42:00Z", "2026-11-27T06:42:00Z"],
        ["2026-11-27T06:43:00Z", "2026-11-27T06:43:00Z"]
      ])
      const { counts, createdAt, next, note, running } = yield* handle.describe
      assert.deepStrictEqual(counts, { actions: 3, skipped: 0, missed: 0, dropped: 0 })
      assert.deepStrictEqual(running, [])
      assert.strictEqual(createdAt, startAt.getTime())
      assert.strictEqual(note, "for the board")
      assert.lengthOf(next, 10)
      assert.strictEqual(iso(next[0]!), "2026-11-27T06:44:00Z")
    }))

  inTime("a second one of the same id is refused, and the first one stays as it is (H1)", () =>
    Effect.gen(function*() {
      const handle = yield* create({ note: "the first" })
      const error = yield* Effect.flip(create({ note: "the second" }))
      assert.strictEqual(error._tag, "ScheduleAlreadyExists")
      assert.include(error.message, "schedule report exists already")
      assert.strictEqual((yield* handle.describe).note, "the first")
    }))

  inTime("without times of its own it acts when it is told to (H1, H11)", () =>
    Effect.gen(function*() {
      const handle = yield* create()
      yield* pass("30 days")
      assert.deepStrictEqual(yield* runs, [])
      yield* handle.trigger()
      yield* pass("1 second")
      assert.deepStrictEqual(yield* ids, ["report-2026-12-27T06:40:00Z"])
    }))

  inTime("it can act at once, and on times that have passed (H1, H12)", () =>
    Effect.gen(function*() {
      const handle = yield* create({
        spec: everyMinute,
        policies: { overlap: "AllowAll" },
        remainingActions: 1,
        triggerImmediately: true,
        backfill: [{ from: new Date("2026-11-27T06:00:00Z"), to: new Date("2026-11-27T06:02:00Z") }]
      })
      yield* pass("5 seconds")
      // A trigger takes a second that is none of the spec's.
      assert.sameMembers([...(yield* ids)], [
        "report-2026-11-27T06:40:01Z",
        "report-2026-11-27T06:00:00Z",
        "report-2026-11-27T06:01:00Z",
        "report-2026-11-27T06:02:00Z"
      ])
      // Neither spent what is left to the times of the spec.
      assert.strictEqual((yield* handle.describe).remainingActions, 1)
      yield* pass("3 minutes")
      assert.lengthOf(yield* ids, 5)
      assert.strictEqual((yield* handle.describe).remainingActions, 0)
    }))

  inTime("what means nothing is refused, with the reason", () =>
    Effect.gen(function*() {
      const refused = (options: Partial<Schedule.CreateOptions>) =>
        Effect.map(Effect.flip(create(options)), (error) => `${error._tag}: ${error.message}`)
      assert.include(yield* refused({ spec: { cron: ["61 * * * *"] } }), "InvalidSchedule: schedule report: ")
      assert.include(yield* refused({ spec: { intervals: [{ every: 0 }] } }), "InvalidSchedule")
      assert.include(yield* refused({ policies: { catchupWindow: "1 second" } }), "InvalidSchedule")
      assert.include(yield* refused({ remainingActions: -1 }), "InvalidSchedule")
      const odd = { ...payload, n: "many" } as never
      assert.include(yield* refused({ action: Schedule.start(Report, odd) }), "ContractError")
      const memo = { memo: { abuot: "typo" } } as never
      assert.include(yield* refused({ action: Schedule.start(Report, payload, memo) }), "declares no memo abuot")
      const { schedules } = yield* Client
      const unnamed = yield* Effect.flip(schedules.create("", { action: Schedule.start(Report, payload) }))
      assert.strictEqual(unnamed._tag, "ContractError")
    }))
})

describe("the action (H2)", () => {
  inTime(
    "says who started it, and for when, in the run, its description and in filters (H2, X15)",
    () =>
      Effect.gen(function*() {
        const client = yield* Client
        yield* create({
          spec: { intervals: [{ every: "1 hour" }], jitter: "10 minutes" },
          action: Schedule.start(Report, payload, {
            workflowId: "hourly",
            memo: { about: "sales" },
            searchAttributes: { region: "eu" },
            summary: "the hourly report",
            runTimeout: "1 minute"
          })
        })
        yield* pass("2 hours")
        yield* client.execute(Report, payload, { workflowId: "by hand" })
        assert.deepStrictEqual(yield* ids, ["hourly-2026-11-27T07:00:00Z", "hourly-2026-11-27T08:00:00Z", "by hand"])
        // Jitter moves the start, and not the time that it stands for.
        assert.deepStrictEqual(seen.map(({ by, for: time }) => [by, time]), [
          ["report", "2026-11-27T07:00:00Z"],
          ["report", "2026-11-27T08:00:00Z"],
          [null, null]
        ])
        assert.notStrictEqual(seen[0]!.at, "2026-11-27T07:00:00Z")
        const description = yield* client.handle(Report, "hourly-2026-11-27T07:00:00Z").describe
        assert.deepInclude(description, {
          scheduled: { by: "report", at: Date.parse("2026-11-27T07:00:00Z") },
          memo: { about: "sales" },
          searchAttributes: { region: "eu" },
          summary: "the hourly report"
        })
        assert.strictEqual(description.expiresAt, description.startedAt + 60_000)
        const found = (query: Parameters<typeof client.listPage>[0]) =>
          Effect.map(client.listPage(query), ({ executions }) => executions.map(({ workflowId }) => workflowId))
        assert.deepStrictEqual(
          yield* found("ScheduledById = 'report' AND ScheduledStartTime > '2026-11-27T07:30:00Z'"),
          [
            "hourly-2026-11-27T08:00:00Z"
          ]
        )
        assert.deepStrictEqual(yield* found(Filter.scheduledById.isNotSet), ["by hand"])
        assert.lengthOf(yield* found(Filter.scheduledById.is("report")), 2)
      })
  )

  inTime("takes no cron, no delay and no policy for closed executions (H2)", () =>
    Effect.gen(function*() {
      for (
        const [option, value] of Object.entries({
          cron: "@hourly",
          startDelay: "1 minute",
          idReuse: "RejectDuplicate",
          idConflict: "UseExisting",
          requestId: "r"
        })
      ) {
        const error = yield* Effect.flip(
          create({ action: Schedule.start(Report, payload, { [option]: value } as never) })
        )
        assert.strictEqual(error._tag, "InvalidSchedule")
        assert.include(error.message, `its action takes no ${option}`)
      }
    }))

  inTime(
    "goes under a workflow id as it is, and is skipped while another execution has that (H2)",
    () =>
      Effect.gen(function*() {
        const client = yield* Client
        yield* client.start(Report, { ...payload, millis: 90_000 }, { workflowId: "the one" })
        const handle = yield* create({
          spec: everyMinute,
          action: Schedule.start(Report, payload, { workflowId: "the one", fixedWorkflowId: true })
        })
        yield* pass("2 minutes")
        assert.deepStrictEqual(yield* runs, [["the one", "Completed"], ["the one", "Completed"]])
        assert.deepInclude((yield* handle.describe).counts, { actions: 1, skipped: 1 })
      })
  )
})

describe("overlap (H7)", () => {
  // Each action takes two and a half minutes.
  const slow = { millis: 150_000 }
  const under = (overlap: Schedule.Overlap, minutes: number, given: Partial<typeof payload> = {}) =>
    Effect.gen(function*() {
      const handle = yield* create({ spec: everyMinute, policies: { overlap } }, { ...slow, ...given })
      yield* pass(minutes * 60_000 + 1_000)
      return yield* handle.describe
    })
  const starts = () => seen.map(({ at, for: time }) => [at.slice(14, 19), time?.slice(14, 19)])

  inTime("Skip, the default: nothing is started beside it, and that is counted", () =>
    Effect.gen(function*() {
      const { counts } = yield* Effect.flatMap(create({ spec: everyMinute }, slow), (handle) =>
        Effect.zipRight(pass("5 minutes"), handle.describe))
      assert.deepStrictEqual(starts(), [["41:00", "41:00"], ["44:00", "44:00"]])
      assert.deepStrictEqual(counts, { actions: 2, skipped: 3, missed: 0, dropped: 0 })
    }))

  inTime("BufferOne: one waits, and begins when the other has ended", () =>
    Effect.gen(function*() {
      const { counts, waiting } = yield* under("BufferOne", 4)
      assert.deepStrictEqual(starts(), [["41:00", "41:00"], ["43:30", "42:00"]])
      assert.deepStrictEqual(waiting.map(iso), ["2026-11-27T06:44:00Z"])
      assert.deepStrictEqual(counts, { actions: 2, skipped: 1, missed: 0, dropped: 0 })
    }))

  inTime("BufferAll: all wait, one after the other", () =>
    Effect.gen(function*() {
      const { counts, waiting } = yield* under("BufferAll", 4)
      assert.deepStrictEqual(starts(), [["41:00", "41:00"], ["43:30", "42:00"]])
      assert.deepStrictEqual(waiting.map(iso), ["2026-11-27T06:43:00Z", "2026-11-27T06:44:00Z"])
      assert.deepStrictEqual(counts, { actions: 2, skipped: 0, missed: 0, dropped: 0 })
    }))

  inTime("CancelOther: the other is asked to end, and the new one begins once it has", () =>
    Effect.gen(function*() {
      const { counts } = yield* under("CancelOther", 2)
      assert.deepStrictEqual(starts(), [["41:00", "41:00"], ["42:00", "42:00"]])
      assert.deepStrictEqual(yield* runs, [
        ["report-2026-11-27T06:41:00Z", "Canceled"],
        ["report-2026-11-27T06:42:00Z", "Running"]
      ])
      assert.strictEqual(counts.actions, 2)
    }))

  inTime("TerminateOther: the other is ended, and the new one begins at once", () =>
    Effect.gen(function*() {
      const { running } = yield* under("TerminateOther", 2)
      assert.deepStrictEqual(yield* runs, [
        ["report-2026-11-27T06:41:00Z", "Terminated"],
        ["report-2026-11-27T06:42:00Z", "Running"]
      ])
      assert.deepStrictEqual(running.map(({ workflowId }) => workflowId), ["report-2026-11-27T06:42:00Z"])
    }))

  inTime("TerminateOther: also where both have one workflow id", () =>
    Effect.gen(function*() {
      yield* create({
        spec: everyMinute,
        policies: { overlap: "TerminateOther" },
        action: Schedule.start(Report, { ...payload, ...slow }, { fixedWorkflowId: true })
      })
      yield* pass("121 seconds")
      assert.deepStrictEqual(yield* runs, [["report", "Terminated"], ["report", "Running"]])
    }))

  inTime("AllowAll: they run beside each other, and know nothing of each other (W17)", () =>
    Effect.gen(function*() {
      const { counts, running } = yield* under("AllowAll", 4)
      assert.deepStrictEqual(starts(), [["41:00", "41:00"], ["42:00", "42:00"], ["43:00", "43:00"], ["44:00", "44:00"]])
      assert.lengthOf(running, 3)
      assert.deepStrictEqual(counts, { actions: 4, skipped: 0, missed: 0, dropped: 0 })
      assert.deepStrictEqual(seen.map(({ last }) => last), [null, null, null, null])
    }))

  inTime(
    "whoever ends an action, the next one begins: terminated, deleted, out of its time",
    () =>
      Effect.gen(function*() {
        const client = yield* Client
        yield* create({
          spec: everyMinute,
          policies: { overlap: "BufferAll" },
          action: Schedule.start(Report, { ...payload, millis: 3_600_000 }, { executionTimeout: "30 minutes" })
        })
        yield* pass("190 seconds")
        const at = (minute: number) => client.handle(Report, `report-2026-11-27T06:${minute}:00Z`)
        assert.deepStrictEqual(yield* ids, ["report-2026-11-27T06:41:00Z"])
        yield* at(41).terminate("enough")
        yield* pass("1 second")
        assert.strictEqual((yield* at(42).describe).status, "Running")
        yield* at(42).delete
        yield* pass("1 second")
        assert.strictEqual((yield* at(43).describe).status, "Running")
        // Before any other time of the schedule comes.
        yield* pass("30 minutes")
        assert.strictEqual((yield* at(43).describe).status, "TimedOut")
        assert.strictEqual((yield* at(44).describe).status, "Running")
      })
  )

  inTime(
    "an action is its whole chain: a run that is tried again is in the way all the same",
    () =>
      Effect.gen(function*() {
        const handle = yield* create({
          spec: everyMinute,
          action: Schedule.start(Report, { ...payload, failures: 1 }, {
            retry: { initialInterval: "90 seconds", backoffCoefficient: 1 }
          })
        })
        yield* pass("3 minutes")
        // The attempt at 42:30 completes: 42:00 met the chain, 43:00 did not.
        assert.deepStrictEqual(starts(), [["41:00", "41:00"], ["42:30", "41:00"], ["43:00", "43:00"]])
        assert.deepInclude((yield* handle.describe).counts, { actions: 2, skipped: 1 })
      })
  )
})

describe("results from one action to the next (W17)", () => {
  inTime("the last result comes with the next one, and the failure since", () =>
    Effect.gen(function*() {
      yield* create({ spec: everyMinute }, { n: 10 })
      yield* pass("2 minutes")
      yield* create({ spec: { ...everyMinute, startAt: new Date("2026-11-27T06:43:00Z") } }, { failures: 1 }, "other")
      yield* pass("2 minutes")
      const of = (by: string) => seen.filter((each) => each.by === by).map(({ failed, last }) => [last, failed])
      assert.deepStrictEqual(of("report").slice(0, 2), [[null, null], [11, null]])
      assert.deepStrictEqual(of("other"), [[null, null], [null, "Spoiled"]])
    }))
})

describe("pausing", () => {
  inTime("on failure, once all attempts have failed (H9)", () =>
    Effect.gen(function*() {
      const handle = yield* create({
        spec: everyMinute,
        policies: { pauseOnFailure: true },
        action: Schedule.start(Report, { ...payload, failures: 2 }, {
          retry: { initialInterval: "100 seconds", backoffCoefficient: 1, maximumAttempts: 2 }
        })
      })
      yield* pass("100 seconds")
      assert.isFalse((yield* handle.describe).paused)
      yield* pass("10 minutes")
      const { note, paused, recent } = yield* handle.describe
      assert.isTrue(paused)
      assert.include(note, "paused due to workflow failure")
      assert.deepStrictEqual(recent.map(({ ended }) => ended), ["Failed"])
      assert.lengthOf(seen, 2)
    }))

  inTime("by hand: the spec rests; what is asked for by hand is done (H10, H11, H12)", () =>
    Effect.gen(function*() {
      const handle = yield* create({ spec: everyMinute, policies: { overlap: "AllowAll" } })
      yield* pass("1 minute")
      yield* handle.pause()
      assert.deepInclude(yield* handle.describe, { paused: true, note: "Paused via perdure" })
      yield* handle.pause("still")
      assert.deepInclude(yield* handle.describe, { paused: true, note: "still" })
      yield* pass("10 minutes")
      assert.lengthOf(yield* ids, 1)
      yield* handle.trigger()
      yield* handle.backfill({ from: new Date("2026-11-27T06:45:30Z"), to: new Date("2026-11-27T06:47:00Z") })
      yield* pass("1 second")
      assert.deepStrictEqual([...(yield* ids)].sort(), [
        "report-2026-11-27T06:41:00Z",
        "report-2026-11-27T06:46:00Z",
        "report-2026-11-27T06:47:00Z",
        "report-2026-11-27T06:51:01Z"
      ])
      yield* handle.unpause()
      assert.deepInclude(yield* handle.describe, { paused: false, note: "Unpaused via perdure" })
      yield* pass("1 minute")
      assert.lengthOf(yield* ids, 5)
    }))

  inTime("one that is created paused (H10)", () =>
    Effect.gen(function*() {
      const handle = yield* create({ spec: everyMinute, paused: true, note: "not yet" })
      yield* pass("10 minutes")
      assert.deepStrictEqual(yield* ids, [])
      yield* handle.unpause("now")
      yield* pass("1 minute")
      assert.deepStrictEqual(yield* ids, ["report-2026-11-27T06:51:00Z"])
    }))
})

describe("by hand", () => {
  inTime("a trigger has its own overlap policy (H11)", () =>
    Effect.gen(function*() {
      const handle = yield* create({}, { millis: 60_000 })
      yield* handle.trigger()
      yield* pass("2 seconds")
      yield* handle.trigger()
      yield* handle.trigger({ overlap: "AllowAll" })
      yield* pass("1 second")
      assert.lengthOf(yield* ids, 2)
      assert.deepInclude((yield* handle.describe).counts, { actions: 2, skipped: 1 })
    }))

  inTime(
    "a backfill has both ends, and an overlap policy of its own; none needs one (H12)",
    () =>
      Effect.gen(function*() {
        const handle = yield* create({ spec: everyMinute }, { millis: 1_000 })
        const from = new Date("2026-11-27T05:00:00Z").getTime()
        yield* handle.backfill(
          { from, to: from + 120_000, overlap: "AllowAll" },
          { from: from + 600_000, to: from + 720_000, overlap: "BufferAll" }
        )
        yield* pass("30 seconds")
        assert.lengthOf(yield* ids, 6)
        const none = yield* Effect.flip((handle.backfill as () => ReturnType<typeof handle.backfill>)())
        assert.deepInclude(none, { _tag: "InvalidSchedule", reason: "a backfill needs at least one range" })
      })
  )
})

describe("updating (H13)", () => {
  inTime("puts in what the function gives, and leaves the rest", () =>
    Effect.gen(function*() {
      const handle = yield* create({
        spec: everyMinute,
        policies: { overlap: "AllowAll", pauseOnFailure: true },
        memo: { team: "sales" },
        searchAttributes: { tier: 1 }
      })
      yield* pass("1 minute")
      yield* handle.update(({ spec }) => {
        assert.lengthOf(spec.intervals, 1)
        return { spec: { intervals: [{ every: "1 hour" }] }, note: "less often", policies: { overlap: "Skip" } }
      })
      yield* pass("1 hour")
      assert.deepStrictEqual(yield* ids, ["report-2026-11-27T06:41:00Z", "report-2026-11-27T07:00:00Z"])
      const changed = yield* handle.describe
      assert.deepInclude(changed, { note: "less often", memo: { team: "sales" }, searchAttributes: { tier: 1 } })
      assert.deepInclude(changed.policies, { overlap: "Skip", pauseOnFailure: true })
      assert.strictEqual(changed.updatedAt, startAt.getTime() + 60_000)
      yield* handle.update(() => ({ searchAttributes: {}, memo: {}, remainingActions: 5 }))
      assert.deepInclude(yield* handle.describe, { searchAttributes: {}, memo: {}, remainingActions: 5 })
      yield* handle.update(() => ({ remainingActions: null }))
      assert.isUndefined((yield* handle.describe).remainingActions)
    }))

  inTime("another action, with another payload; the stored one can be read and kept", () =>
    Effect.gen(function*() {
      const handle = yield* create({}, { n: 1 })
      yield* handle.update(({ action }) =>
        Effect.map(Schedule.payloadOf(Report, action), (given) => ({
          action: Schedule.start(Report, { ...given, n: given.n + 1 }, { workflowId: "second" })
        }))
      )
      yield* handle.update(({ action }) => ({ action: { ...action, taskQueue: "elsewhere" } }))
      const { action } = yield* handle.describe
      assert.deepInclude(action, { workflow: "Report", workflowId: "second", taskQueue: "elsewhere" })
      assert.deepStrictEqual(action.input, { ...payload, n: 2 })
    }))

  inTime("changes nothing where the function gives nothing, or fails", () =>
    Effect.gen(function*() {
      const handle = yield* create({ spec: everyMinute })
      const before = yield* handle.describe
      yield* handle.update(() => undefined)
      yield* handle.update(() => Effect.void)
      assert.strictEqual(yield* Effect.flip(handle.update(() => Effect.fail("no" as const))), "no")
      const refused = yield* Effect.flip(handle.update(() => ({ spec: { cron: ["never"] } })))
      assert.deepInclude(refused, { _tag: "InvalidSchedule" })
      assert.deepStrictEqual(yield* handle.describe, before)
    }))

  inTime("asks once more where somebody else wrote meanwhile", () =>
    Effect.gen(function*() {
      const handle = yield* create({ note: "a" })
      const other = (yield* Client).schedules.handle("report")
      const seenNotes: Array<string> = []
      yield* handle.update(({ note }) =>
        Effect.gen(function*() {
          seenNotes.push(note)
          if (seenNotes.length === 1) yield* other.pause("b")
          return { note: `${note}, and mine` }
        })
      )
      assert.deepStrictEqual(seenNotes, ["a", "b"])
      assert.deepInclude(yield* handle.describe, { note: "b, and mine", paused: true })
      const conflict = yield* Effect.flip(handle.update(() => Effect.as(other.pause("again"), { note: "never" })))
      assert.deepInclude(conflict, { _tag: "ScheduleConflict", tries: 50 })
    }))

  inTime("what was due before is done before: a pause is for the times that come", () =>
    Effect.gen(function*() {
      const environment = yield* TestEnvironment
      const handle = yield* create({ spec: everyMinute })
      // Time moves on, and nobody has looked at the schedule yet.
      yield* Effect.zipRight(environment.adjust("1 minute"), handle.pause())
      yield* pass("5 minutes")
      assert.deepStrictEqual(yield* ids, ["report-2026-11-27T06:41:00Z"])
    }))
})

describe("looking at schedules (H14)", () => {
  inTime("lists go by id, in pages, and by filters over what schedules have", () =>
    Effect.gen(function*() {
      const { schedules } = yield* Client
      for (const n of [1, 2, 3, 4, 5]) {
        yield* create(
          {
            paused: n % 2 === 0,
            searchAttributes: { tier: n, tags: n > 3 ? ["big", "late"] : ["small"], since: new Date(n * 1_000) }
          },
          {},
          `s${n}`
        )
      }
      const first = yield* schedules.listPage(undefined, { pageSize: 2 })
      assert.deepStrictEqual(first.schedules.map(({ scheduleId }) => scheduleId), ["s1", "s2"])
      const second = yield* schedules.listPage(undefined, { pageSize: 2, cursor: first.cursor })
      assert.deepStrictEqual(second.schedules.map(({ scheduleId }) => scheduleId), ["s3", "s4"])
      const third = yield* schedules.listPage(undefined, { pageSize: 2, cursor: second.cursor })
      assert.deepStrictEqual(third.schedules.map(({ scheduleId }) => scheduleId), ["s5"])
      assert.isUndefined(third.cursor)

      const idsOf = (query: Parameters<typeof schedules.listPage>[0], pageSize = 100) =>
        Effect.map(Stream.runCollect(schedules.list(query, { pageSize })), (all) =>
          [...all].map(({ scheduleId }) => scheduleId))
      assert.deepStrictEqual(yield* idsOf("Paused = true", 1), ["s2", "s4"])
      assert.deepStrictEqual(yield* idsOf("Paused = false AND tier > 2"), ["s3", "s5"])
      assert.deepStrictEqual(yield* idsOf("tags IN ('late') OR ScheduleId = 's1'"), ["s1", "s4", "s5"])
      assert.deepStrictEqual(yield* idsOf("ScheduleId STARTS_WITH 's' AND tier BETWEEN 2 AND 3"), ["s2", "s3"])
      assert.deepStrictEqual(yield* idsOf("since >= '1970-01-01T00:00:05Z'"), ["s5"])
      assert.deepStrictEqual(yield* idsOf("WorkflowType = 'Report' AND nothing IS NULL AND NOT tier != 5"), ["s5"])
      const error = yield* Effect.flip(idsOf("ExecutionStatus = 'Running'"))
      assert.include(error.message, "a schedule has no ExecutionStatus")
    }))

  inTime(
    "the last ten actions, with the time each stands for, when it began, and how it ended",
    () =>
      Effect.gen(function*() {
        const handle = yield* create({ spec: { intervals: [{ every: "1 minute" }], jitter: "10 seconds" } })
        yield* pass("13 minutes")
        const { counts, recent } = yield* handle.describe
        assert.lengthOf(recent, 10)
        assert.strictEqual(
          counts.actions,
          12 + (recent.at(-1)?.scheduledAt === startAt.getTime() + 13 * 60_000 ? 1 : 0)
        )
        for (const { ended, scheduledAt, startedAt, workflowId } of recent) {
          assert.strictEqual(workflowId, `report-${iso(scheduledAt)}`)
          assert.strictEqual(ended, "Completed")
          assert.isTrue(startedAt >= scheduledAt && startedAt < scheduledAt + 10_000)
        }
      })
  )

  inTime("one that is deleted starts nothing any more, and what it started goes on", () =>
    Effect.gen(function*() {
      const client = yield* Client
      const handle = yield* create({ spec: everyMinute }, { millis: 600_000 })
      yield* pass("90 seconds")
      yield* handle.delete
      assert.strictEqual((yield* Effect.flip(handle.describe))._tag, "ScheduleNotFound")
      assert.strictEqual((yield* Effect.flip(handle.delete))._tag, "ScheduleNotFound")
      assert.strictEqual((yield* Effect.flip(handle.trigger()))._tag, "ScheduleNotFound")
      assert.strictEqual(yield* client.handle(Report, "report-2026-11-27T06:41:00Z").result, 1)
      yield* pass("1 hour")
      assert.lengthOf(yield* ids, 1)
      // Its id is free again.
      yield* create({ spec: everyMinute })
    }))
})

describe("time that skips", () => {
  inTime(
    "goes to the next time of a schedule while a test waits for what comes of it (H1)",
    () =>
      Effect.gen(function*() {
        const client = yield* Client
        yield* create({
          spec: { calendars: [{ dayOfMonth: 1, month: "March" }] },
          action: Schedule.start(Knock, "waiting")
        })
        const waiting = yield* client.start(Wait, undefined, { workflowId: "waiting" })
        assert.strictEqual(yield* waiting.result, "2027-03-01T00:00:00Z")
      })
  )
})
