/**
 * Replaying recorded turns on fresh bodies, without any store or worker.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Turn } from "../../src/core/Event.js"
import type { RunState } from "../../src/core/RunState.js"
import * as RunStates from "../../src/core/RunState.js"
import { WorkflowHost } from "../../src/dsl/Workflow.js"
import * as Replaying from "../../src/runtime/execution/Replaying.js"
import { Interpreter } from "../../src/runtime/interpreter/Interpreter.js"

/** What a worker would hold of a workflow's Layer. */
export const hostOf = (layer: Layer.Layer<never>): WorkflowHost => {
  const context = Effect.runSync(Effect.scoped(Layer.build(layer))) as Context.Context<never>
  for (const service of context.unsafeMap.values()) if (service instanceof WorkflowHost) return service
  throw new Error("the layer provides no workflow")
}

/** A run as its store row names it. */
export interface RunName {
  readonly runId: string
  readonly workflowId: string
  readonly workflow: string
  readonly taskQueue: string
}

/** The run that a history is of. */
export const nameOf = (runId: string, turns: ReadonlyArray<Turn>): RunName => {
  const first = turns[0]?.events[0]
  if (first?._tag !== "ExecutionStarted") throw new Error("the history does not begin with its start")
  return { runId, workflowId: first.workflowId, workflow: first.workflow, taskQueue: first.taskQueue }
}

/** A body that is brought back turn by turn. */
export interface Replayed {
  readonly state: RunState
  readonly interpreter: Interpreter
  /** Throws `NondeterminismError` where the body does not do what was recorded, inputs included. */
  readonly take: (turns: ReadonlyArray<Turn>) => void
}

export const make = (host: WorkflowHost, run: RunName): Replayed => {
  const state = RunStates.empty(run.runId)
  const interpreter = new Interpreter({
    host,
    runId: run.runId,
    workflowId: run.workflowId,
    taskQueue: run.taskQueue,
    onLate: () => {
      throw new Error("something from outside woke the body")
    }
  })
  return { state, interpreter, take: (turns) => Replaying.replay(turns, { run, state, interpreter, strict: true }) }
}
