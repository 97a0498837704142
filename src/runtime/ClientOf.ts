/**
 * The client over a store, with the short way to an engine in the same process where there is one.
 *
 * Both ways mean the same. What the engine does not have (cold elsewhere, another queue, no engine at all) goes through
 * the mailbox, and answers come back as stored replies.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Batch from "../dsl/Batch.js"
import { Client } from "../dsl/Client.js"
import { Interceptors } from "../dsl/Hooks.js"
import type { ListOptions, PageOptions, Query } from "../dsl/Listed.js"
import type { ActivityKey } from "../dsl/OutsideActivity.js"
import type { Schedules } from "../dsl/Schedule.js"
import type * as Workflow from "../dsl/Workflow.js"
import { Store } from "../persistence/Store.js"
import * as Batching from "./client/Batching.js"
import { Calls } from "./client/Calls.js"
import * as Completing from "./client/Completing.js"
import * as Deploying from "./client/Deploying.js"
import { ExecutionHandle } from "./client/ExecutionHandle.js"
import * as Listing from "./client/Listing.js"
import * as ScheduleLists from "./client/ScheduleLists.js"
import * as Scheduling from "./client/Scheduling.js"
import type { StartOptions } from "./client/Starting.js"
import * as Starting from "./client/Starting.js"
import * as WithStart from "./client/WithStart.js"
import type { Engine } from "./Engine.js"

/**
 * Makes a client; the engine is undefined in a process that hosts nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  store: Context.Tag.Service<typeof Store>,
  engine: Engine | undefined
): Effect.Effect<Context.Tag.Service<typeof Client>> =>
  Effect.map(Effect.all([Effect.clock, Interceptors]), ([clock, { client: hooks }]) => {
    const calls = new Calls(store, engine, () => Math.trunc(clock.unsafeCurrentTimeMillis()), hooks)
    const handleOf = (workflow: Workflow.Any, run: Starting.Started) =>
      new ExecutionHandle(calls, workflow, run.workflowId, run.runId, run.chain)
    const start = (workflow: Workflow.Any, payload?: unknown, options: StartOptions = {}) =>
      Effect.map(
        Starting.start(calls, workflow, payload, options),
        (run) => handleOf(workflow, run)
      )
    return {
      start,
      execute: (workflow: Workflow.Any, payload?: unknown, options?: StartOptions) =>
        Effect.flatMap(start(workflow, payload, options), (handle) => handle.result),
      signalWithStart: (
        workflow: Workflow.Any,
        payload: unknown,
        signal: WithStart.SignalToStart,
        options: StartOptions
      ) => Effect.map(WithStart.signal(calls, workflow, payload, signal, options), (run) => handleOf(workflow, run)),
      updateWithStart: (
        workflow: Workflow.Any,
        payload: unknown,
        update: WithStart.UpdateToStart,
        options: StartOptions
      ) =>
        Effect.map(
          WithStart.update(calls, workflow, payload, update, options),
          ({ run, update }) => ({ handle: handleOf(workflow, run), update })
        ),
      list: (query?: Query, options: ListOptions = {}) => Listing.list(calls, query, options),
      listPage: (query?: Query, options: PageOptions = {}) => Listing.page(calls, query, options),
      count: (query?: Query) => Listing.count(calls, query),
      batch: (query: Query, operation: Batch.Operation, options: Batch.Options = {}) =>
        Batching.run(calls, query, operation, options),
      schedules: {
        create: (scheduleId, options) => Scheduling.create(calls, scheduleId, options),
        handle: (scheduleId) => Scheduling.handle(calls, scheduleId),
        list: (query, options = {}) => ScheduleLists.list(calls, query, options),
        listPage: (query, options = {}) => ScheduleLists.page(calls, query, options)
      } satisfies Schedules,
      deployments: Deploying.make(calls),
      handle: (workflow: Workflow.Any, workflowId: string, runId?: string) =>
        new ExecutionHandle(calls, workflow, workflowId, runId, undefined),
      activity: (activity: Completing.Contract, key: ActivityKey) => Completing.make(calls, activity, key)
    } as never
  })

/**
 * A client for a process that hosts no code: it starts executions and talks to them through the store.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Client, never, Store> = Layer.effect(
  Client,
  Effect.flatMap(Store, (store) => make(store, undefined))
)
