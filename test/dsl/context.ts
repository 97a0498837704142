/**
 * A WorkflowContext that answers as it is told, and records what it was asked: bodies without an interpreter.
 */
import * as Effect from "effect/Effect"
import type { ActivityScheduled } from "../../src/core/family/Activity.js"
import type { Hosted } from "../../src/dsl/HostedActivity.js"
import type { ActivityCall, ActivityOutcome, StepCall, StepOutcome } from "../../src/dsl/WorkflowContext.js"
import { WorkflowContext } from "../../src/dsl/WorkflowContext.js"

/** A call as it was asked for: without the number that the interpreter gives. */
type Asked = Omit<ActivityScheduled, "_tag" | "seq">

export const fake = (answers: {
  readonly activity?: (call: Asked) => ActivityOutcome
  readonly step?: (call: StepCall) => StepOutcome
  readonly readOnly?: boolean
} = {}) => {
  const asked = {
    activities: [] as Array<Asked>,
    steps: [] as Array<StepCall>,
    undo: [] as Array<Effect.Effect<void, unknown, unknown>>
  }
  const activity = (call: ActivityCall) => {
    const { _tag: _, seq: __, ...own } = call(7)
    asked.activities.push(own)
    return answers.activity?.(own) ?? { _tag: "ActivityCompleted", seq: 7, attempt: 1 } as const
  }
  const service: typeof WorkflowContext.Service = {
    info: Effect.die("not asked for in these tests"),
    hooks: {},
    randomStream: () => {
      throw new Error("no streams in these tests")
    },
    executeActivity: (call) => Effect.sync(() => activity(call)),
    startActivity: (call) =>
      Effect.sync(() => {
        const outcome = activity(call)
        return { id: call(7).id ?? "7", await: Effect.succeed(outcome), cancel: Effect.void }
      }),
    runStep: (call) =>
      Effect.sync(() => {
        asked.steps.push(call)
        return answers.step?.(call) ?? { _tag: "StepCompleted", seq: 7 }
      }),
    executeChild: () => Effect.die("no children in these tests"),
    startChild: () => Effect.die("no children in these tests"),
    signalExternal: () => Effect.die("no other runs in these tests"),
    cancelExternal: () => Effect.die("no other runs in these tests"),
    condition: () => Effect.void,
    handlersInProgress: Effect.succeed(0),
    setHandlers: () => Effect.void,
    compensate: (undo) => Effect.sync(() => void asked.undo.push(undo)),
    continueAsNew: () => Effect.never,
    catchCancel: (effect) => effect,
    unreadable: (_, error) => Effect.die(error),
    notes: Effect.succeed({}),
    upsertMemo: () => Effect.void,
    upsertSearchAttributes: () => Effect.void,
    setCurrentDetails: () => Effect.void,
    currentUpdate: Effect.succeed(undefined),
    askPatch: () => Effect.succeed(true),
    unguarded: Effect.sync,
    assertWritable: (what) => answers.readOnly === true ? Effect.die(`${what} in a query`) : Effect.void
  }
  /** Hosts are asked for by types only. */
  const provide = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provideService(effect as Effect.Effect<A, E, Exclude<R, Hosted<string>>>, WorkflowContext, service)
  return { asked, provide }
}
