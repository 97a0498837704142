/**
 * The Store port: what the runtime asks of a database, as a small set of whole operations.
 *
 * ```
 *   runs            one row a run: status, owner + epoch (the fence), wake_at
 *   history         one row a turn: its events
 *   mailbox         messages that wait for a run, in order
 *   activity_tasks  one row a pending activity: queued | started | handed | paused | lost
 *   replies         answers for callers of another process
 *   workers         leases
 *   start_requests  which run a start made, by its request
 *   namespaces      whose all of these are
 *   schedules       what starts runs by the clock: see ScheduleStore.ts
 * ```
 *
 * 1. `commit` is atomic: all that one entry names becomes durable together, or nothing of it does (I3).
 * 2. A turn of a run whose owner or epoch is not the one named changes nothing and is reported as fenced (I4).
 * 3. A run is open exactly while its status is Running; only an open run has an owner, a wake-up, tasks.
 * 4. Nothing of another namespace is seen, claimed or changed, but for what workers that are gone have left.
 * 5. Whatever makes work for another process is announced through `changes`, at the latest by its slow poll.
 *
 * Implementations keep payloads as text and never look inside. Times are epoch milliseconds.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { ActivityTask } from "../core/ActivityTask.js"
import type { Status } from "../core/family/Execution.js"
import type { Behavior, Override, Version } from "../core/family/Version.js"
import type { Share } from "../core/Routing.js"
import type { Filter } from "../core/visibility/Filter.js"
import type { Build, Deployment, Routed } from "./Deployment.js"
import type { HistoryRow, HistorySize } from "./HistoryRow.js"
import type { Mail, NewMail, PostResult } from "./Mail.js"
import type {
  CreateOptions,
  CreateResult,
  ImposedEnd,
  NewRun,
  ParentLink,
  Reset,
  ResetResult,
  Scheduled
} from "./NewRun.js"
import type { ScheduleOperations } from "./ScheduleStore.js"
import type { StoreError } from "./StoreError.js"
import type { SweepPosition, Swept } from "./Sweep.js"
import type { OutsideChange, TaskNotice, TaskRevision } from "./TaskChange.js"
import type { Commit, Committed, Reply, WorkerId } from "./TurnCommit.js"

export type * from "./Deployment.js"
export type * from "./HistoryRow.js"
export type * from "./Mail.js"
export type * from "./NewRun.js"
export type * from "./ScheduleStore.js"
export { StoreError } from "./StoreError.js"
export type * from "./Sweep.js"
export type { OutsideChange, TaskChange, TaskNotice, TaskRevision } from "./TaskChange.js"
export type * from "./TurnCommit.js"

/**
 * What a commit survives.
 *
 * @category models
 * @since 0.1.0
 */
export type Durability = "power-loss" | "process-crash"

/** @category models @since 0.1.0 */
export interface Run {
  readonly runId: string
  readonly workflowId: string
  readonly workflow: string
  readonly taskQueue: string
  readonly status: Status
  readonly owner: WorkerId | undefined
  readonly epoch: number
  /** Negative: due at once when unowned, and never for the owner, which performs inline steps of it. */
  readonly wakeAt: number | undefined
  readonly startedAt: number
  readonly closedAt: number | undefined
  /** The first run of its chain: itself, unless another was continued or retried by it. */
  readonly firstRunId: string
  /** The run that it continues or retries. */
  readonly previousRunId: string | undefined
  /** Counts from 1: which try of the chain's input this is. */
  readonly attempt: number
  /** Its first turn waits until then. */
  readonly startAt: number | undefined
  /** When its timeouts end it. */
  readonly expiresAt: number | undefined
  /** Undefined: it is nobody's child. */
  readonly parent: ParentLink | undefined
  /** Undefined: no schedule started it. */
  readonly scheduled: Scheduled | undefined
  /** The last turn that is committed; 0 before the first. */
  readonly turn: number
  /** The workflow id of the first of its parents; its own, if it has none. */
  readonly rootWorkflowId: string
  /** Events in its history; in lists only, and of closed runs. */
  readonly historyLength: number | undefined
  /** The key of the version whose workers alone may have it; "" for none (row V6). */
  readonly pinnedTo: string
  /** What takes the place of the behaviour that its code says. */
  readonly override: Behavior | undefined
  /** The version that took its last turn. */
  readonly version: Version | undefined
  /** As its code says it. */
  readonly behavior: Behavior | undefined
  /** What it says of itself, as JSON. */
  readonly notes: string | undefined
  /** Why the run does not get on, as JSON: a failed turn, or no wake-up left. */
  readonly attention: string | undefined
}

/**
 * Which runs are listed, and from where.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListOptions {
  /** Checked: dates and durations are numbers. */
  readonly filter: Filter | undefined
  /** Open ones first and then the last one closed; or by start. */
  readonly order: "Closed" | "Newest" | "Oldest"
  /** Runs that started later are left out, and those that closed later are open. */
  readonly asOf: number
  /** The run behind which the page begins; without `closedAt` it is among the open ones. */
  readonly after:
    | { readonly closedAt?: number | undefined; readonly startedAt: number; readonly runId: string }
    | undefined
  readonly limit: number
}

/** @category models @since 0.1.0 */
export interface Task {
  readonly runId: string
  readonly seq: number
  /** The turn whose history row holds the ActivityScheduled event. */
  readonly turn: number
  readonly taskQueue: string
  /**
   * - handed: the attempt was handed over, to be completed from outside by whoever has its token (row A9).
   * - paused: by an operator; no attempt is dispatched (row A15).
   * - lost: its worker is gone.
   */
  readonly state: ActivityTask["state"]
  readonly worker: WorkerId | undefined
  /** Counts from 1, and only rises. */
  readonly attempt: number
  /** Attempts that count no more: an operator reset the activity. */
  readonly forgotten: number
  /** Once the attempt under way has failed, the task is paused. */
  readonly paused: boolean
  /** Rises with each command of an operator. */
  readonly revision: number
  /** What replaces the options of the call, as JSON. */
  readonly options: string | undefined
  readonly scheduledAt: number
  /** When the attempt may begin. */
  readonly dueAt: number
  readonly expiresAt: number | undefined
  readonly startedAt: number | undefined
  /** The last recorded heartbeat details, as JSON. */
  readonly heartbeat: string | undefined
  /** The last attempt's failure, as JSON. */
  readonly failure: string | undefined
  readonly cancelRequested: boolean
}

/** A task that its claimer now runs, or settles if it was lost or has expired. @since 0.1.0 */
export interface ClaimedTask extends Task {
  readonly workflowId: string
  readonly workflow: string
  /** The history row that holds the ActivityScheduled event. */
  readonly row: HistoryRow
}

/** @category models @since 0.1.0 */
export interface Worker {
  readonly id: WorkerId
  readonly leaseUntil: number
  /** Names the process, so that another on the same machine can see that it is gone: host, pid, start time, as JSON. */
  readonly identity: string
  readonly startedAt: number
  readonly version?: Version | undefined
}

/**
 * What a store does.
 *
 * @category models
 * @since 0.1.0
 */
interface Operations extends ScheduleOperations {
  /** For logs and `bench`: which store, what its commits survive; and the namespace of which it is (row X1). */
  readonly about: {
    readonly store: string
    readonly durability: Durability
    readonly location: string
    readonly namespace: string
  }

  // --- what the runtime writes

  /** Writes finished turns and task changes of one worker in one transaction. */
  readonly commit: (commit: Commit) => Effect.Effect<Committed, StoreError>
  /**
   * A run created by a process that does not host it: unowned, with its Start message in the mailbox, claimable at once,
   * unless runs of the same workflow id stand in its way.
   */
  readonly create: (run: NewRun, start: NewMail, options?: CreateOptions) => Effect.Effect<CreateResult, StoreError>
  /** Puts a message into an open run's mailbox, and makes an unowned run claimable at once. Queries also reach closed runs. */
  readonly post: (mail: NewMail, now: number) => Effect.Effect<PostResult, StoreError>
  /**
   * Closes an open run with the given events as its last turn, whoever owns it; its tasks and mail go with it, and the
   * policies of its children are applied. Its owner finds a "Terminated" in its mail, its parent what `toParent` words.
   */
  readonly terminate: (
    runId: string,
    events: string,
    format: number,
    now: number,
    toParent?: ImposedEnd["toParent"]
  ) => Effect.Effect<PostResult, StoreError>

  /**
   * Creates a run from turns of another one, unowned and claimable at once; an open run of the same chain is ended first,
   * and what of its mail a run that follows would get, comes behind the given mail.
   */
  readonly reset: (reset: Reset, now: number) => Effect.Effect<ResetResult, StoreError>
  /** The run that the reset of a workflow id with this request made. */
  readonly findReset: (workflowId: string, requestId: string) => Effect.Effect<Option.Option<string>, StoreError>

  /** Takes a run and all that is kept of it out of the store; an open one is ended first, as `terminate` does. */
  readonly deleteRun: (runId: string, end: ImposedEnd, now: number) => Effect.Effect<PostResult, StoreError>

  /**
   * Deletes a batch of closed runs, with all that is kept of them, that are older than the retention of the namespace;
   * archived before, where there is an archive. Cheap where there is none.
   */
  readonly sweep: (now: number, after?: SweepPosition) => Effect.Effect<Swept, StoreError>

  // --- what the runtime reads

  readonly findRun: (runId: string) => Effect.Effect<Option.Option<Run>, StoreError>
  /** The open run of a workflow id, else its latest one; of the chain that began with a run, where that is given (row U10). */
  readonly findLatest: (workflowId: string, firstRunId?: string) => Effect.Effect<Option.Option<Run>, StoreError>
  /** Turns after the given one, in order, at most `limit`. */
  readonly history: (
    runId: string,
    afterTurn: number,
    limit: number
  ) => Effect.Effect<ReadonlyArray<HistoryRow>, StoreError>
  /** The last turn of a run. */
  readonly lastTurn: (runId: string) => Effect.Effect<Option.Option<HistoryRow>, StoreError>
  /** Waiting messages of one run with an id above the given one, in order. */
  readonly mail: (runId: string, afterId: number) => Effect.Effect<ReadonlyArray<Mail>, StoreError>
  /** Waiting messages of all runs that a worker owns, with an id above the given one, in order, at most `limit`. */
  readonly mailOf: (worker: WorkerId, afterId: number, limit: number) => Effect.Effect<ReadonlyArray<Mail>, StoreError>
  readonly tasksOf: (runId: string) => Effect.Effect<ReadonlyArray<Task>, StoreError>
  /** Children of a run that are open, by their sequence numbers there. */
  readonly openChildren: (
    runId: string
  ) => Effect.Effect<ReadonlyArray<{ readonly runId: string; readonly seq: number }>, StoreError>
  /** Takes the reply to a request out of the store. */
  readonly takeReply: (requestId: string) => Effect.Effect<Option.Option<Reply>, StoreError>
  readonly size: (runId: string) => Effect.Effect<HistorySize, StoreError>
  /** Runs, newest first, for tests, audits and the liveness check. `afterRunId` pages. */
  readonly runs: (options: {
    readonly status?: Status | undefined
    readonly afterRunId?: string | undefined
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<Run>, StoreError>

  /** One page of runs, in order. */
  readonly list: (options: ListOptions) => Effect.Effect<ReadonlyArray<Run>, StoreError>
  /** How many runs there are, by status. */
  readonly count: (
    filter: Filter | undefined
  ) => Effect.Effect<ReadonlyArray<{ readonly status: Status; readonly runs: number }>, StoreError>

  // --- waking

  /**
   * Gives the worker unowned open runs of its queues that are due, raising their epochs: those of its share, by default
   * that of a worker without a version.
   */
  readonly claimRuns: (
    worker: WorkerId,
    queues: ReadonlyArray<string>,
    now: number,
    limit: number,
    share?: Share
  ) => Effect.Effect<ReadonlyArray<Run>, StoreError>
  /** Gives the worker one run if it is open and unowned, due or not, unless it is pinned to another version. */
  readonly claimRun: (worker: WorkerId, runId: string, share?: Share) => Effect.Effect<Option.Option<Run>, StoreError>
  /** Runs that the worker owns whose wake-up time has come. */
  readonly dueRuns: (worker: WorkerId, now: number, limit: number) => Effect.Effect<ReadonlyArray<Run>, StoreError>
  /** The earliest wake-up after `now` among runs of the worker and unowned runs of its queues and its share. */
  readonly nextWake: (
    worker: WorkerId,
    queues: ReadonlyArray<string>,
    now: number,
    share?: Share
  ) => Effect.Effect<Option.Option<number>, StoreError>
  /** Starts due queued tasks of the queues, and takes lost ones, and due ones that have expired, to be settled. */
  readonly claimTasks: (
    worker: WorkerId,
    queues: ReadonlyArray<string>,
    now: number,
    limit: number,
    share?: Share
  ) => Effect.Effect<ReadonlyArray<ClaimedTask>, StoreError>
  /**
   * Takes tasks that waited too long in the queue, to be settled: of any queue, since perhaps nobody serves it, and
   * whether or not the worker has slots for activities.
   */
  readonly claimExpired: (
    worker: WorkerId,
    now: number,
    limit: number
  ) => Effect.Effect<ReadonlyArray<ClaimedTask>, StoreError>
  /** The earliest time after `now` at which a task of the queues is due, or a task of any queue expires. */
  readonly nextTask: (
    queues: ReadonlyArray<string>,
    now: number,
    share?: Share
  ) => Effect.Effect<Option.Option<number>, StoreError>
  /** Tasks that the worker runs and whose cancellation was asked for, whose run is closed, or that an operator touched. */
  readonly taskNotices: (worker: WorkerId) => Effect.Effect<ReadonlyArray<TaskNotice>, StoreError>
  /** Ends, retries or keeps alive an attempt from outside; undefined when it does not apply, else the task as it then was. */
  readonly changeOutside: (
    change: OutsideChange,
    now: number
  ) => Effect.Effect<Option.Option<Pick<Task, "cancelRequested" | "paused" | "forgotten" | "attempt">>, StoreError>
  /**
   * Ends an attempt with what an author's work gives, in one transaction with all that the work writes to the same
   * database (I9). False: the attempt is not its worker's any more, or its run is closed; nothing of the work was done.
   */
  readonly settleWith: <E>(
    settled: {
      readonly worker: WorkerId
      readonly runId: string
      readonly seq: number
      readonly attempt: number
      readonly now: number
      /** Called with the end of the transaction: no interruption comes between. */
      readonly committed: (settled: boolean) => void
    },
    /** Gets what makes its statements part of the transaction. Gives the outcome, as a message to its run. */
    work: (services: Context.Context<never>) => Effect.Effect<NewMail, E>
  ) => Effect.Effect<boolean, StoreError | E>
  /** Writes what an operator's command came to; false when the task has changed since it was read. */
  readonly reviseTask: (revision: TaskRevision) => Effect.Effect<boolean, StoreError>
  /**
   * Queries that wait on closed runs of workflows in the queues: any worker with the code may answer, of pinned runs those
   * of their version.
   */
  readonly claimQueries: (
    queues: ReadonlyArray<string>,
    limit: number,
    share?: Share
  ) => Effect.Effect<ReadonlyArray<Mail>, StoreError>
  /**
   * Lets at most so many activities of a queue start, as its rate allows, for all its workers together; and says when the
   * next one may (row A17).
   */
  readonly takeStarts: (
    taskQueue: string,
    perSecond: number,
    wanted: number,
    now: number
  ) => Effect.Effect<{ readonly granted: number; readonly nextAt: number }, StoreError>
  /** Puts replies into the store, and drops the mail that asked for them. */
  readonly reply: (replies: ReadonlyArray<Reply>, consumed: ReadonlyArray<number>) => Effect.Effect<void, StoreError>

  // --- versions

  /** What a worker must know before it claims or goes on. */
  readonly routing: (worker: WorkerId, taskQueue: string) => Effect.Effect<Routed, StoreError>
  /** The worker has dropped its copies of runs that were taken from it. */
  readonly displacedSeen: (worker: WorkerId, runIds: ReadonlyArray<string>) => Effect.Effect<void, StoreError>
  readonly deployments: Effect.Effect<ReadonlyArray<Deployment>, StoreError>
  /** The builds of a deployment, the last one that came first. */
  readonly builds: (deployment: string) => Effect.Effect<ReadonlyArray<Build>, StoreError>
  /** Changes where a deployment sends runs: what is undefined stays as it is. */
  readonly route: (
    deployment: string,
    change: (before: Deployment) => Deployment,
    now: number
  ) => Effect.Effect<Deployment, StoreError>
  /**
   * Pins an open run to a version, or lets it move, whatever its code says; undefined takes that back. Its owner loses it,
   * and whoever may have it can claim it at once.
   */
  readonly overrideVersion: (
    runId: string,
    override: Override | undefined,
    now: number
  ) => Effect.Effect<PostResult, StoreError>
  /** How many workers of a version have a row. */
  readonly workersOf: (version: Version) => Effect.Effect<number, StoreError>

  // --- leases

  /** One with a version makes it known as a build of its deployment on the queue. */
  readonly register: (worker: Worker, taskQueue?: string) => Effect.Effect<void, StoreError>
  /** False: the lease was taken over; the worker owns nothing any more. */
  readonly renew: (worker: WorkerId, leaseUntil: number) => Effect.Effect<boolean, StoreError>
  readonly workers: Effect.Effect<ReadonlyArray<Worker>, StoreError>
  /**
   * Ends workers that are gone: their runs become unowned under a raised epoch (claimable if due or with mail), their
   * started tasks lost. Also drops replies older than their retention. With `graceful`, tasks still marked started by
   * the worker go back to queued under the same attempt. One that still lives can create, claim and start nothing any
   * more: what it then owned would be nobody's to take over.
   */
  readonly takeOver: (
    workers: ReadonlyArray<WorkerId>,
    now: number,
    graceful: boolean
  ) => Effect.Effect<void, StoreError>

  /**
   * Calls the listener after any commit that another process made, or another user of this store in this process posted,
   * until the scope closes. May call it more often than needed.
   */
  readonly changes: (listener: () => void) => Effect.Effect<void, never, Scope.Scope>
}

/**
 * @category services
 * @since 0.1.0
 */
export class Store extends Context.Tag("perdure/Store")<Store, Operations>() {}
