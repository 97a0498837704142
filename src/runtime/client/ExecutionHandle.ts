/**
 * The handle of an execution; see `Handle` of the Client port, whose types it is given.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Turn } from "../../core/Event.js"
import type { Description } from "../../dsl/Client.js"
import type { Versioning } from "../../dsl/Deployments.js"
import { through } from "../../dsl/Hooks.js"
import type { ActivityControl } from "../../dsl/OutsideActivity.js"
import type { ResetOptions } from "../../dsl/ResetOptions.js"
import { untyped } from "../../dsl/Untyped.js"
import type * as Workflow from "../../dsl/Workflow.js"
import type { StoreUnavailable, WorkflowNotFound } from "../../dsl/WorkflowFailure.js"
import type { Calls, Target, TimeoutOption } from "./Calls.js"
import { executionOf, timeoutOf, within } from "./Calls.js"
import * as Controlling from "./Controlling.js"
import * as Deploying from "./Deploying.js"
import * as Describing from "./Describing.js"
import * as Ending from "./Ending.js"
import * as KnownUpdate from "./KnownUpdate.js"
import * as Querying from "./Querying.js"
import * as Removing from "./Removing.js"
import * as Resetting from "./Resetting.js"
import * as Sending from "./Sending.js"
import * as Updating from "./Updating.js"
import * as Watching from "./Watching.js"

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
    return through(
      this.#calls.hooks.result,
      executionOf(this),
      () => Effect.flatMap(Ending.lastClosing(this.#calls, this), (closing) => Ending.outcome(this, closing))
    )
  }

  get runResult(): Effect.Effect<unknown, unknown> {
    return through(
      this.#calls.hooks.result,
      executionOf(this),
      () => Effect.flatMap(Ending.closing(this.#calls, this), (closing) => Ending.outcome(this, closing))
    )
  }

  signal(name: string, payload?: unknown, options?: Sending.SignalOptions): Effect.Effect<void, unknown> {
    return Sending.signal(this.#calls, this, name, payload, options)
  }

  cancel(reason = ""): Effect.Effect<void, unknown> {
    return Sending.cancel(this.#calls, this, reason)
  }

  terminate(reason = "", details?: unknown): Effect.Effect<void, unknown> {
    return Removing.terminate(this.#calls, this, reason, details)
  }

  reset(options: ResetOptions = {}): Effect.Effect<ExecutionHandle, unknown> {
    return Effect.map(
      Resetting.reset(this.#calls, this, options),
      ({ chain, runId }) => new ExecutionHandle(this.#calls, this.workflow, this.workflowId, runId, chain)
    )
  }

  get delete(): Effect.Effect<void, WorkflowNotFound | StoreUnavailable> {
    return Removing.remove(this.#calls, this)
  }

  query(name: string, payload?: unknown, options?: Querying.QueryOptions): Effect.Effect<unknown, unknown> {
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

  updateHandle(name: string, updateId: string, options?: TimeoutOption) {
    return KnownUpdate.handle(this.#calls, this, { id: updateId, name }, options)
  }

  activity(activityId: string): ActivityControl {
    return Controlling.make(this.#calls, this, activityId)
  }

  setVersioning(versioning: Versioning | undefined): Effect.Effect<void, unknown> {
    return Deploying.override(this.#calls, this, versioning)
  }

  get describe(): Effect.Effect<Description, WorkflowNotFound | StoreUnavailable> {
    return Describing.describe(this.#calls, this)
  }

  get history(): Effect.Effect<ReadonlyArray<Turn>, WorkflowNotFound | StoreUnavailable> {
    return Describing.history(this.#calls, this)
  }

  get watch(): Stream.Stream<Turn, WorkflowNotFound | StoreUnavailable> {
    return Watching.watch(this.#calls, this)
  }
}
