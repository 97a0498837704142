/**
 * The handle of an execution; see `Handle` of the Client port, whose types it is given.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Turn } from "../../core/Event.js"
import * as Events from "../../core/Event.js"
import type { Description } from "../../dsl/Client.js"
import type { ActivityControl } from "../../dsl/OutsideActivity.js"
import { untyped } from "../../dsl/Untyped.js"
import type * as Workflow from "../../dsl/Workflow.js"
import type { StoreUnavailable } from "../../dsl/WorkflowFailure.js"
import { WorkflowClosed, WorkflowNotFound } from "../../dsl/WorkflowFailure.js"
import { toParent } from "../execution/Relations.js"
import type { Calls, Target, TimeoutOption } from "./Calls.js"
import { nameOf, timeoutOf, within } from "./Calls.js"
import * as Controlling from "./Controlling.js"
import * as Describing from "./Describing.js"
import * as Ending from "./Ending.js"
import * as Querying from "./Querying.js"
import * as Sending from "./Sending.js"
import * as Updating from "./Updating.js"

/** @since 0.1.0 */
export class ExecutionHandle implements Target {
  // Apart from what users see of a handle.
  readonly #calls: Calls

  constructor(
    calls: Calls,
    readonly workflow: Workflow.Any,
    readonly workflowId: string,
    readonly runId: string | undefined,
    readonly chain: string | undefined
  ) {
    this.#calls = calls
  }

  get raw(): ExecutionHandle {
    return new ExecutionHandle(this.#calls, untyped(this.workflow.name), this.workflowId, this.runId, this.chain)
  }

  get result(): Effect.Effect<unknown, unknown> {
    return Effect.flatMap(Ending.lastClosing(this.#calls, this), (closing) => Ending.outcome(this, closing))
  }

  get runResult(): Effect.Effect<unknown, unknown> {
    return Effect.flatMap(Ending.closing(this.#calls, this), (closing) => Ending.outcome(this, closing))
  }

  signal(name: string, payload?: unknown): Effect.Effect<void, unknown> {
    return Sending.signal(this.#calls, this, name, payload)
  }

  cancel(reason = ""): Effect.Effect<void, unknown> {
    return Sending.cancel(this.#calls, this, reason)
  }

  terminate(reason = ""): Effect.Effect<void, WorkflowNotFound | WorkflowClosed | StoreUnavailable> {
    const { engine, store } = this.#calls
    const closing = { _tag: "ExecutionTerminated" as const, reason }
    return this.#calls.onCurrent(this, "terminate", (runId) =>
      Effect.gen(this, function*() {
        const done = yield* this.#calls.of(
          "terminate",
          store.terminate(
            runId,
            Events.encode([closing]),
            Events.format,
            this.#calls.now(),
            (parent) => toParent(parent, runId, closing)
          )
        )
        if (done === "Closed") return yield* new WorkflowClosed(nameOf(this))
        if (done === "NotFound") return yield* new WorkflowNotFound(nameOf(this))
        engine?.terminated(runId, closing)
      }))
  }

  query(name: string, payload?: unknown, options?: TimeoutOption): Effect.Effect<unknown, unknown> {
    return Querying.query(this.#calls, this, name, payload, options)
  }

  startUpdate(name: string, payload?: unknown, options?: Updating.UpdateOptions) {
    return Updating.startUpdate(this.#calls, this, name, payload, options)
  }

  update(name: string, payload?: unknown, options?: Updating.UpdateOptions): Effect.Effect<unknown, unknown> {
    return within(
      this,
      `update ${name}`,
      timeoutOf(options),
      Effect.flatMap(this.startUpdate(name, payload, options), (handle) => handle.result)
    )
  }

  activity(activityId: string): ActivityControl {
    return Controlling.make(this.#calls, this, activityId)
  }

  get describe(): Effect.Effect<Description, WorkflowNotFound | StoreUnavailable> {
    return Describing.describe(this.#calls, this)
  }

  get history(): Effect.Effect<ReadonlyArray<Turn>, WorkflowNotFound | StoreUnavailable> {
    return Describing.history(this.#calls, this)
  }
}
