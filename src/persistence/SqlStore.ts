/**
 * The Store in SQL: puts the statements of each concern together. It decides nothing itself.
 *
 * ```
 *   Commit ─▶ Verdict, Turns, TaskChanges      Claims, Tasks   who wakes what
 *   Children, Outgoing, Terminating, Imposing      what a run does to others, and others to it
 *   Starts, Resetting, Runs, Listing, Deleting, History, Mailbox, Leases   Changes   who is told
 *   Namespaces                                 of which namespace all of that is
 *   Retention                                  what is deleted in time
 *   Creating, Closing                          the first and the last of a run, for Commit and Runs
 *   Schedules, ScheduleWaking                  what starts runs by the clock
 *   Deployments, Sharing, Releasing            versions: where runs go, who takes which, and who gives them up
 *   all over Database (transactions, errors), Batch (many rows, few statements), Decode, Rows (checked rows)
 * ```
 *
 * @since 0.1.0
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { Archive } from "./Archive.js"
import * as Attributes from "./sql/Attributes.js"
import type * as Changes from "./sql/Changes.js"
import * as Children from "./sql/Children.js"
import * as Claims from "./sql/Claims.js"
import * as Closing from "./sql/Closing.js"
import * as Commit from "./sql/Commit.js"
import * as Creating from "./sql/Creating.js"
import * as Database from "./sql/Database.js"
import * as Deleting from "./sql/Deleting.js"
import * as Deployments from "./sql/Deployments.js"
import type { Dialect } from "./sql/Dialect.js"
import * as History from "./sql/History.js"
import * as Imposing from "./sql/Imposing.js"
import * as Leases from "./sql/Leases.js"
import * as Listing from "./sql/Listing.js"
import * as Mailbox from "./sql/Mailbox.js"
import * as Namespaces from "./sql/Namespaces.js"
import * as Outgoing from "./sql/Outgoing.js"
import * as OutsideTasks from "./sql/OutsideTasks.js"
import * as Releasing from "./sql/Releasing.js"
import * as Resetting from "./sql/Resetting.js"
import * as Retention from "./sql/Retention.js"
import * as Runs from "./sql/Runs.js"
import * as Schedules from "./sql/Schedules.js"
import * as ScheduleWaking from "./sql/ScheduleWaking.js"
import * as StartRates from "./sql/StartRates.js"
import * as Starts from "./sql/Starts.js"
import * as TaskChanges from "./sql/TaskChanges.js"
import * as Tasks from "./sql/Tasks.js"
import * as Terminating from "./sql/Terminating.js"
import * as Turns from "./sql/Turns.js"
import type { Durability, Store } from "./Store.js"

/**
 * @category models
 * @since 0.1.0
 */
interface Options {
  readonly client: SqlClient
  readonly dialect: Dialect
  /** Whose runs, queues and lists these are. */
  readonly namespace: Namespaces.Place
  readonly changes: Changes.Changes
  readonly about: { readonly store: string; readonly durability: Durability; readonly location: string }
  /** Which database it is, as the dialect's `place` tells. */
  readonly place: string
  /** How long a call waits for a lock that another process holds. */
  readonly busyTimeoutMillis: number
  /** Where histories go before their runs are deleted. */
  readonly archive: Archive | undefined
  /** How long a reply, or a query that nobody answers, is kept. */
  readonly retentionMillis: number
}

/**
 * A store over a database that is open and migrated.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Store["Type"] => {
  const { changes, namespace } = options
  const about = { ...options.about, namespace: namespace.name }
  const dialect = Namespaces.within(options.dialect, namespace)
  const db = Database.make(options.client, dialect, options.busyTimeoutMillis, options.place)
  const mailbox = Mailbox.statements(dialect)
  const closing = Closing.statements(dialect, mailbox, ScheduleWaking.statements(dialect))
  const attributes = Attributes.statements(dialect)
  const creating = Creating.statements(dialect, mailbox, attributes)
  const terminating = Terminating.statements(dialect, closing)
  const children = Children.statements(dialect, mailbox, terminating)
  const outgoing = Outgoing.statements(dialect, mailbox, children, terminating)
  const imposing = Imposing.statements(dialect, outgoing, terminating, children)
  const releasing = Releasing.statements(dialect, mailbox)
  const turns = Turns.statements(dialect, { mailbox, closing, creating, children, outgoing, attributes, releasing })
  const taskChanges = TaskChanges.statements(dialect, mailbox)
  const history = History.make(db)
  const registered = Leases.registered(dialect)
  const exists = Namespaces.exists(dialect, namespace)
  return {
    about,
    ...Commit.make(db, turns, taskChanges, mailbox, creating, registered, changes),
    ...Starts.make(db, creating, mailbox, imposing, exists, changes),
    ...Imposing.make(db, imposing, changes),
    ...Resetting.make(db, creating, mailbox, imposing, changes),
    ...Runs.make(db),
    ...Listing.make(db),
    ...Deleting.make(db, imposing, changes),
    ...Children.make(db, children),
    ...history,
    ...Retention.make(db, namespace, options.archive, history.history),
    ...Mailbox.make(db, mailbox, changes),
    ...Claims.make(db, mailbox, registered),
    ...Tasks.make(db, registered),
    ...StartRates.make(db),
    ...Schedules.make(db, creating, mailbox, imposing, exists, changes),
    ...OutsideTasks.make(db, mailbox, changes),
    ...Deployments.make(db, releasing, changes),
    ...Leases.make(db, exists, changes, options.retentionMillis),
    changes: changes.listen
  }
}
