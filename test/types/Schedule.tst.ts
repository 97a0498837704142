/** Schedules, as the compiler sees them (H1, H2, H11 to H13). */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Client, Schedule, SearchAttribute, Workflow } from "perdure"
import { describe, expect, test } from "tstyche"

const Report = Workflow.make("Report", {
  payload: { region: Schema.String, since: Schema.Date },
  success: Schema.Number,
  memo: { about: Schema.String },
  searchAttributes: { region: SearchAttribute.keyword }
})
const Sweep = Workflow.make("Sweep", {})

const since = new Date(0)

describe("an action", () => {
  test("is typed by the workflow's contract", () => {
    expect(Schedule.start).type.toBeCallableWith(Report, { region: "eu", since })
    expect(Schedule.start).type.not.toBeCallableWith(Report, { region: "eu" })
    expect(Schedule.start).type.not.toBeCallableWith(Report)
    expect(Schedule.start).type.toBeCallableWith(Sweep)
    expect(Schedule.start).type.toBeCallableWith(Report, { region: "eu", since }, { memo: { about: "sales" } })
    expect(Schedule.start).type.not.toBeCallableWith(Report, { region: "eu", since }, { memo: { about: 1 } })
    expect(Schedule.start).type.not.toBeCallableWith(Report, { region: "eu", since }, { memo: { abuot: "typo" } })
  })

  test("takes what a start takes, but what schedules say themselves (H2)", () => {
    const payload = { region: "eu", since }
    expect(Schedule.start).type.toBeCallableWith(Report, payload, { runTimeout: "1 hour", workflowId: "r" })
    expect(Schedule.start).type.not.toBeCallableWith(Report, payload, { cron: "@daily" })
    expect(Schedule.start).type.not.toBeCallableWith(Report, payload, { startDelay: "1 hour" })
    expect(Schedule.start).type.not.toBeCallableWith(Report, payload, { idReuse: "RejectDuplicate" as const })
    expect(Schedule.start).type.not.toBeCallableWith(Report, payload, { idConflict: "UseExisting" as const })
    expect(Schedule.start).type.not.toBeCallableWith(Report, payload, { requestId: "r" })
  })
})

const program = Effect.gen(function*() {
  const { schedules } = yield* Client
  const handle = yield* schedules.create("nightly", { action: Schedule.start(Sweep) })
  yield* handle.trigger()
  return handle
})

describe("calls", () => {
  test("name what can go wrong", () => {
    type Failed<F> = F extends Effect.Effect<infer _A, infer E, infer _R> ?
      E extends { readonly _tag: infer T } ? T : never
      : never
    expect<Failed<typeof program>>().type.toBe<
      | "ScheduleAlreadyExists"
      | "ScheduleNotFound"
      | "ScheduleConflict"
      | "InvalidSchedule"
      | "ContractError"
      | "StoreUnavailable"
    >()
  })

  test("a backfill has a range at least (H12)", () => {
    const backfill = (handle: Schedule.Handle) => handle.backfill
    expect<Parameters<ReturnType<typeof backfill>>>().type.not.toBeAssignableFrom<[]>()
    expect<Parameters<ReturnType<typeof backfill>>>().type.toBeAssignableFrom<[{ from: Date; to: Date }]>()
  })

  test("an update hands on the errors and the needs of its function (H13)", () => {
    const update = (handle: Schedule.Handle) =>
      handle.update(({ note }) => note === "" ? Effect.fail("no note" as const) : Effect.succeed({ note: `${note}!` }))
    type Error = Effect.Effect.Error<ReturnType<typeof update>>
    expect<Extract<Error, string>>().type.toBe<"no note">()
    const plain = (handle: Schedule.Handle) => handle.update(() => ({ paused: true }))
    expect<Extract<Effect.Effect.Error<ReturnType<typeof plain>>, string>>().type.toBe<never>()
    expect<Effect.Effect.Context<ReturnType<typeof plain>>>().type.toBe<never>()
    const odd = (handle: Schedule.Handle) => handle.update
    expect(odd).type.not.toBeCallableWith(() => ({ paused: "yes" }))
  })

  test("the payload of a stored action comes back typed", () => {
    const read = (action: Schedule.StoredAction) => Schedule.payloadOf(Report, action)
    type Payload = ReturnType<typeof read> extends { readonly right: infer A } | { readonly left: unknown } ? A : never
    expect<Payload>().type.toBe<{ readonly region: string; readonly since: Date }>()
  })
})
