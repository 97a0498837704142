/**
 * What the contract suites write: the plainest turn there can be, with what a test is about put in.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Commit, NewMail, NewRun, NewTask, StoreError, TurnCommit } from "../../../src/persistence/Store.js"
import { Store } from "../../../src/persistence/Store.js"

export const now = 1_700_000_000_000

/** The store with its workers: who is not registered can have nothing. */
export const staffed = <A, E>(layer: Layer.Layer<Store | A, E>): Layer.Layer<Store | A, E | StoreError> =>
  Layer.tap(
    layer,
    (context) =>
      Effect.forEach(["ada", "bob", "eve"], (id) =>
        Context.get(context as Context.Context<Store>, Store).register({
          id,
          leaseUntil: now + 10_000,
          identity: "",
          startedAt: now
        }))
  )

export const newRun = (runId: string, change: Partial<NewRun> = {}): NewRun => ({
  runId,
  workflowId: `workflow of ${runId}`,
  workflow: "Order",
  taskQueue: "orders",
  startedAt: now,
  ...change
})

/** The columns of a run that no worker with a version has had. */
export const unpinned = { pinnedTo: "", override: undefined, version: undefined, behavior: undefined }

/** The columns of a run that is alone in its chain, and may begin. */
export const alone = (runId: string) => ({
  firstRunId: runId,
  previousRunId: undefined,
  attempt: 1,
  startAt: undefined,
  expiresAt: undefined,
  notes: undefined,
  parent: undefined,
  scheduled: undefined,
  rootWorkflowId: newRun(runId).workflowId,
  historyLength: undefined,
  ...unpinned
})

export const turn = (runId: string, number: number, change: Partial<TurnCommit> = {}): TurnCommit => ({
  runId,
  epoch: 1,
  create: undefined,
  history: { turn: number, at: now + number, format: 1, events: `[{"turn":${number}}]` },
  wake: undefined,
  attention: undefined,
  close: undefined,
  consumed: [],
  tasksAdded: [],
  tasksRemoved: [],
  tasksCanceled: [],
  mail: [],
  replies: [],
  creates: [],
  outgoing: [],
  ...change
})

/** The first turn of a run that is created with it. */
export const first = (runId: string, change: Partial<TurnCommit> = {}, run: Partial<NewRun> = {}): TurnCommit =>
  turn(runId, 1, { create: newRun(runId, run), ...change })

/** The turn that ends a run. */
export const last = (runId: string, number: number, change: Partial<TurnCommit> = {}): TurnCommit =>
  turn(runId, number, { close: { status: "Completed", at: now + number, refuseIfMail: true }, ...change })

export const task = (seq: number, change: Partial<NewTask> = {}): NewTask => ({
  seq,
  taskQueue: "orders",
  worker: "ada",
  scheduledAt: now,
  expiresAt: undefined,
  ...change
})

/** A task that waits in its queue. */
export const queued = (seq: number, change: Partial<NewTask> = {}): NewTask =>
  task(seq, { worker: undefined, ...change })

export const signal = (runId: string, body = "{}"): NewMail => ({ runId, kind: "Signal", body })

export const commit = (turns: ReadonlyArray<TurnCommit>, change: Partial<Commit> = {}) =>
  Effect.flatMap(Store, (store) => store.commit({ worker: "ada", turns, tasks: [], now, ...change }))

/** Commits as `commit`, and dies if anything was refused or stale. */
export const done = (turns: ReadonlyArray<TurnCommit>, change: Partial<Commit> = {}) =>
  Effect.flatMap(commit(turns, change), ({ refused, stale }) =>
    refused.size + stale.size === 0
      ? Effect.void
      : Effect.dieMessage(`refused ${JSON.stringify([...refused])}, stale ${JSON.stringify([...stale])}`))

export const run = (runId: string) =>
  Effect.flatMap(Store, (store) => Effect.map(store.findRun(runId), Option.getOrThrow))

export const turns = (runId: string) =>
  Effect.flatMap(Store, (store) => Effect.map(store.history(runId, 0, 100), (rows) => rows.map(({ turn }) => turn)))

/** Seqs and states of a run's tasks. */
export const tasks = (runId: string) =>
  Effect.flatMap(
    Store,
    (store) => Effect.map(store.tasksOf(runId), (tasks) => tasks.map(({ seq, state }) => [seq, state]))
  )
