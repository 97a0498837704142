/**
 * The schema on SQLite, as numbered steps. A step that was released is never changed: a new one is added.
 *
 * The row of a step goes in before its statements, all in one transaction, so that of several processes that start at
 * once one migrates and the others find it done.
 *
 * @since 0.1.0
 */

/**
 * @category models
 * @since 0.1.0
 */
interface Migration {
  readonly version: number
  readonly name: string
  readonly statements: ReadonlyArray<string>
}

/**
 * `application_id` of our files: "perd". It says whose a file is before anything in it is touched.
 *
 * @since 0.1.0
 */
export const applicationId = 0x70657264

/**
 * The table that tells which steps a file has taken.
 *
 * @since 0.1.0
 */
export const migrationsTable = `CREATE TABLE IF NOT EXISTS perdure_migrations (
  version INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL
) STRICT`

/**
 * @category models
 * @since 0.1.0
 */
export const migrations: ReadonlyArray<Migration> = [
  {
    version: 1,
    name: "first",
    statements: [
      // Keyed by run id alone: run ids rise with time, so new rows go to the end, and the fence check is one search.
      `CREATE TABLE perdure_runs (
  run_id TEXT NOT NULL PRIMARY KEY,
  workflow_id TEXT NOT NULL,
  workflow TEXT NOT NULL,
  task_queue TEXT NOT NULL,
  status TEXT NOT NULL,
  owner TEXT,
  epoch INTEGER NOT NULL,
  wake_at INTEGER,
  started_at INTEGER NOT NULL,
  closed_at INTEGER,
  attention TEXT
) STRICT, WITHOUT ROWID`,
      // At most one open run of a workflow id.
      "CREATE UNIQUE INDEX perdure_runs_open ON perdure_runs (workflow_id) WHERE status = 'Running'",
      // Lists by status, newest first: the key, which is the run id, is part of every index here.
      "CREATE INDEX perdure_runs_status ON perdure_runs (status)",
      "CREATE INDEX perdure_runs_latest ON perdure_runs (workflow_id, started_at)",
      // A run with a wake-up is in one of these two, so that a worker's poll sees neither the sleepers of others nor
      // the backlog of queues that it does not serve.
      `CREATE INDEX perdure_runs_owned_wake ON perdure_runs (owner, wake_at)
  WHERE owner IS NOT NULL AND wake_at IS NOT NULL`,
      `CREATE INDEX perdure_runs_unowned_wake ON perdure_runs (task_queue, wake_at)
  WHERE owner IS NULL AND wake_at IS NOT NULL`,

      // A rowid table, so that turns of all runs go to its end. Clustered by run, each turn would dirty a page of its
      // own, events and all; here only the index has its entries scattered, and they are short.
      `CREATE TABLE perdure_history (
  run_id TEXT NOT NULL,
  turn INTEGER NOT NULL,
  at INTEGER NOT NULL,
  format INTEGER NOT NULL,
  events TEXT NOT NULL
) STRICT`,
      "CREATE UNIQUE INDEX perdure_history_turn ON perdure_history (run_id, turn)",

      // owner is that of the run, copied by whatever changes it, so that a worker reads its own mail and no more.
      `CREATE TABLE perdure_mailbox (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  run_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  at INTEGER NOT NULL,
  owner TEXT
) STRICT`,
      "CREATE INDEX perdure_mailbox_run ON perdure_mailbox (run_id)",
      "CREATE INDEX perdure_mailbox_owner ON perdure_mailbox (owner) WHERE owner IS NOT NULL",
      `CREATE INDEX perdure_mailbox_asks ON perdure_mailbox (run_id)
  WHERE owner IS NULL AND kind IN ('Query', 'Update')`,

      `CREATE TABLE perdure_activity_tasks (
  run_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  task_queue TEXT NOT NULL,
  state TEXT NOT NULL,
  worker TEXT,
  attempt INTEGER NOT NULL,
  scheduled_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  expires_at INTEGER,
  started_at INTEGER,
  heartbeat TEXT,
  failure TEXT,
  cancel_requested INTEGER NOT NULL,
  PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID`,
      // Tasks that their own worker starts at once, which is nearly all, are in none of these.
      "CREATE INDEX perdure_activity_tasks_due ON perdure_activity_tasks (task_queue, due_at) WHERE state <> 'started'",
      `CREATE INDEX perdure_activity_tasks_expiry ON perdure_activity_tasks (expires_at)
  WHERE state = 'queued' AND expires_at IS NOT NULL`,
      "CREATE INDEX perdure_activity_tasks_canceled ON perdure_activity_tasks (worker) WHERE cancel_requested = 1",

      `CREATE TABLE perdure_replies (
  request_id TEXT NOT NULL PRIMARY KEY,
  at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID`,

      `CREATE TABLE perdure_workers (
  id TEXT NOT NULL PRIMARY KEY,
  lease_until INTEGER NOT NULL,
  identity TEXT NOT NULL,
  started_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`
    ]
  },
  {
    version: 2,
    name: "chains of runs",
    statements: [
      // Null: the run is the first of its chain, as nearly all are.
      "ALTER TABLE perdure_runs ADD COLUMN first_run_id TEXT",
      "ALTER TABLE perdure_runs ADD COLUMN previous_run_id TEXT",
      "ALTER TABLE perdure_runs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1",
      // Its first turn waits until then.
      "ALTER TABLE perdure_runs ADD COLUMN start_at INTEGER",
      // When its timeouts end it.
      "ALTER TABLE perdure_runs ADD COLUMN expires_at INTEGER"
    ]
  },
  {
    version: 3,
    name: "children",
    statements: [
      // Null: it is nobody's child.
      "ALTER TABLE perdure_runs ADD COLUMN parent_run_id TEXT",
      "ALTER TABLE perdure_runs ADD COLUMN parent_seq INTEGER",
      "ALTER TABLE perdure_runs ADD COLUMN parent_close TEXT",
      // The open children of a run: to close them with it, and to reach one through the runs of its chain.
      `CREATE INDEX perdure_runs_children ON perdure_runs (parent_run_id, parent_seq)
  WHERE status = 'Running' AND parent_run_id IS NOT NULL`
    ]
  },
  {
    version: 4,
    name: "what runs say of themselves",
    statements: [
      // Memo, search attributes, summary and details, as JSON, for who looks at the run.
      "ALTER TABLE perdure_runs ADD COLUMN notes TEXT",
      // For who looks for runs: a row a value, and of a list's values one each.
      `CREATE TABLE perdure_search_attributes (
  run_id TEXT NOT NULL,
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  type TEXT NOT NULL,
  text TEXT,
  number REAL,
  PRIMARY KEY (run_id, name, position)
) STRICT, WITHOUT ROWID`,
      "CREATE INDEX perdure_search_attributes_text ON perdure_search_attributes (name, text) WHERE text IS NOT NULL",
      `CREATE INDEX perdure_search_attributes_number ON perdure_search_attributes (name, number)
  WHERE number IS NOT NULL`
    ]
  },
  {
    version: 5,
    name: "activities that operators and other processes touch",
    statements: [
      "ALTER TABLE perdure_activity_tasks ADD COLUMN paused INTEGER NOT NULL DEFAULT 0",
      // Attempts that count no more: what its author sees as an attempt's number is attempt - forgotten.
      "ALTER TABLE perdure_activity_tasks ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0",
      "ALTER TABLE perdure_activity_tasks ADD COLUMN revision INTEGER NOT NULL DEFAULT 0",
      "ALTER TABLE perdure_activity_tasks ADD COLUMN options TEXT",
      "DROP INDEX perdure_activity_tasks_due",
      "DROP INDEX perdure_activity_tasks_expiry",
      "DROP INDEX perdure_activity_tasks_canceled",
      `CREATE INDEX perdure_activity_tasks_due ON perdure_activity_tasks (task_queue, due_at)
  WHERE state IN ('queued', 'lost')`,
      `CREATE INDEX perdure_activity_tasks_expiry ON perdure_activity_tasks (expires_at)
  WHERE state IN ('queued', 'handed', 'paused') AND expires_at IS NOT NULL`,
      `CREATE INDEX perdure_activity_tasks_noticed ON perdure_activity_tasks (worker)
  WHERE cancel_requested = 1 OR revision > 0`,
      // When the next activity of a queue may start, in microseconds since the epoch.
      `CREATE TABLE perdure_rate_limits (
  task_queue TEXT NOT NULL PRIMARY KEY,
  next_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`
    ]
  },
  {
    version: 6,
    name: "requests to start",
    statements: [
      // Only starts that name a request are here. Deleted with their run.
      `CREATE TABLE perdure_start_requests (
  workflow_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  PRIMARY KEY (workflow_id, request_id)
) STRICT, WITHOUT ROWID`,
      "CREATE INDEX perdure_start_requests_run ON perdure_start_requests (run_id)"
    ]
  },
  {
    version: 7,
    name: "lists of runs",
    statements: [
      // Each begins with what a list may be narrowed to, and goes on in the order of a list.
      "DROP INDEX perdure_runs_status",
      "CREATE INDEX perdure_runs_status ON perdure_runs (status, closed_at, started_at)",
      "CREATE INDEX perdure_runs_workflow ON perdure_runs (workflow, closed_at, started_at)",
      "CREATE INDEX perdure_runs_closed ON perdure_runs (closed_at, started_at)",
      // Those that went wrong are few, and sought by type: an index of all would be one more write for each run.
      `CREATE INDEX perdure_runs_wrong ON perdure_runs (status, workflow, closed_at, started_at)
  WHERE status NOT IN ('Running', 'Completed')`,
      "CREATE INDEX perdure_runs_started ON perdure_runs (started_at)",
      // By type: one name may be a keyword to one workflow, and a text to another.
      "DROP INDEX perdure_search_attributes_text",
      `CREATE INDEX perdure_search_attributes_text ON perdure_search_attributes (name, type, text)
  WHERE text IS NOT NULL`
    ]
  },
  {
    version: 8,
    name: "schedules",
    statements: [
      // A rowid table: what a schedule does and where it stands are some kilobytes, and no key should carry them.
      `CREATE TABLE perdure_schedules (
  namespace INTEGER NOT NULL DEFAULT 1,
  schedule_id TEXT NOT NULL,
  workflow TEXT NOT NULL,
  paused INTEGER NOT NULL,
  next_at INTEGER,
  held_until INTEGER,
  revision INTEGER NOT NULL,
  definition TEXT NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (namespace, schedule_id)
) STRICT`,
      "CREATE INDEX perdure_schedules_due ON perdure_schedules (namespace, next_at) WHERE next_at IS NOT NULL",
      // Nearly always empty: a claim lasts as long as it takes to write what it decided.
      "CREATE INDEX perdure_schedules_held ON perdure_schedules (namespace, held_until) WHERE held_until IS NOT NULL",
      // Null: no schedule started it.
      "ALTER TABLE perdure_runs ADD COLUMN scheduled_by TEXT",
      "ALTER TABLE perdure_runs ADD COLUMN scheduled_at INTEGER"
    ]
  },
  {
    version: 9,
    name: "namespaces",
    statements: [
      // AUTOINCREMENT: the id of a namespace that was deleted is never given to another one, for handles that are open yet.
      `CREATE TABLE perdure_namespaces (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  description TEXT,
  created_at INTEGER NOT NULL,
  retention INTEGER,
  archived INTEGER NOT NULL DEFAULT 0
) STRICT`,
      "CREATE UNIQUE INDEX perdure_namespaces_name ON perdure_namespaces (name)",
      `INSERT INTO perdure_namespaces (id, name, created_at)
  VALUES (1, 'default', CAST(unixepoch('subsec') * 1000 AS INTEGER))`,

      // 1 is a namespace that takes no room in SQLite: the value stands in the header of the row and of each index entry.
      "ALTER TABLE perdure_runs ADD COLUMN namespace INTEGER NOT NULL DEFAULT 1",
      "ALTER TABLE perdure_mailbox ADD COLUMN namespace INTEGER NOT NULL DEFAULT 1",
      "ALTER TABLE perdure_activity_tasks ADD COLUMN namespace INTEGER NOT NULL DEFAULT 1",
      "ALTER TABLE perdure_search_attributes ADD COLUMN namespace INTEGER NOT NULL DEFAULT 1",
      "ALTER TABLE perdure_workers ADD COLUMN namespace INTEGER NOT NULL DEFAULT 1",

      "DROP INDEX perdure_runs_open",
      "DROP INDEX perdure_runs_latest",
      "DROP INDEX perdure_runs_unowned_wake",
      "DROP INDEX perdure_runs_status",
      "DROP INDEX perdure_runs_workflow",
      "DROP INDEX perdure_runs_closed",
      "DROP INDEX perdure_runs_wrong",
      "DROP INDEX perdure_runs_started",
      "DROP INDEX perdure_mailbox_asks",
      "DROP INDEX perdure_activity_tasks_due",
      "DROP INDEX perdure_activity_tasks_expiry",
      "DROP INDEX perdure_search_attributes_number",
      "DROP INDEX perdure_search_attributes_text",
      "CREATE UNIQUE INDEX perdure_runs_open ON perdure_runs (namespace, workflow_id) WHERE status = 'Running'",
      "CREATE INDEX perdure_runs_latest ON perdure_runs (namespace, workflow_id, started_at)",
      `CREATE INDEX perdure_runs_unowned_wake ON perdure_runs (namespace, task_queue, wake_at)
  WHERE owner IS NULL AND wake_at IS NOT NULL`,
      "CREATE INDEX perdure_runs_status ON perdure_runs (namespace, status, closed_at, started_at)",
      "CREATE INDEX perdure_runs_workflow ON perdure_runs (namespace, workflow, closed_at, started_at)",
      // Retention, too, finds by it what is old.
      "CREATE INDEX perdure_runs_closed ON perdure_runs (namespace, closed_at, started_at)",
      `CREATE INDEX perdure_runs_wrong ON perdure_runs (namespace, status, workflow, closed_at, started_at)
  WHERE status NOT IN ('Running', 'Completed')`,
      "CREATE INDEX perdure_runs_started ON perdure_runs (namespace, started_at)",
      `CREATE INDEX perdure_runs_scheduled ON perdure_runs (namespace, scheduled_by, scheduled_at)
  WHERE scheduled_by IS NOT NULL`,
      `CREATE INDEX perdure_mailbox_asks ON perdure_mailbox (namespace, run_id)
  WHERE owner IS NULL AND kind IN ('Query', 'Update')`,
      `CREATE INDEX perdure_activity_tasks_due ON perdure_activity_tasks (namespace, task_queue, due_at)
  WHERE state IN ('queued', 'lost')`,
      `CREATE INDEX perdure_activity_tasks_expiry ON perdure_activity_tasks (namespace, expires_at)
  WHERE state IN ('queued', 'handed', 'paused') AND expires_at IS NOT NULL`,
      `CREATE INDEX perdure_search_attributes_number ON perdure_search_attributes (namespace, name, number)
  WHERE number IS NOT NULL`,
      `CREATE INDEX perdure_search_attributes_text ON perdure_search_attributes (namespace, name, type, text)
  WHERE text IS NOT NULL`,

      // Rates are forgotten within a second anyway.
      "DROP TABLE perdure_rate_limits",
      `CREATE TABLE perdure_rate_limits (
  namespace INTEGER NOT NULL,
  task_queue TEXT NOT NULL,
  next_at INTEGER NOT NULL,
  PRIMARY KEY (namespace, task_queue)
) STRICT, WITHOUT ROWID`,

      "DROP INDEX perdure_start_requests_run",
      "ALTER TABLE perdure_start_requests RENAME TO perdure_start_requests_before",
      `CREATE TABLE perdure_start_requests (
  namespace INTEGER NOT NULL,
  workflow_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  PRIMARY KEY (namespace, workflow_id, request_id)
) STRICT, WITHOUT ROWID`,
      `INSERT INTO perdure_start_requests (namespace, workflow_id, request_id, run_id)
  SELECT 1, workflow_id, request_id, run_id FROM perdure_start_requests_before`,
      "DROP TABLE perdure_start_requests_before",
      "CREATE INDEX perdure_start_requests_run ON perdure_start_requests (run_id)",

      // Runs whose row is gone, and whose long history goes piece by piece.
      `CREATE TABLE perdure_removed_runs (
  run_id TEXT NOT NULL PRIMARY KEY

) STRICT, WITHOUT ROWID`
    ]
  },
  {
    version: 10,
    name: "versions of workers",
    statements: [
      // Null: it is the first of its parents' chains itself.
      "ALTER TABLE perdure_runs ADD COLUMN root_workflow_id TEXT",
      "CREATE INDEX perdure_runs_root ON perdure_runs (namespace, root_workflow_id) WHERE root_workflow_id IS NOT NULL",
      // Events, of a closed run: an open one is written a row a turn elsewhere, and this row is left alone.
      "ALTER TABLE perdure_runs ADD COLUMN history_length INTEGER",
      // The version whose workers alone may have it; '' for none, so that an index finds those by equality, too.
      "ALTER TABLE perdure_runs ADD COLUMN pinned_to TEXT NOT NULL DEFAULT ''",
      // By a hash of its workflow id, for ramps. Runs from before are among the first that move.
      "ALTER TABLE perdure_runs ADD COLUMN bucket INTEGER NOT NULL DEFAULT 0",
      // What takes the place of the behaviour that its code says.
      "ALTER TABLE perdure_runs ADD COLUMN versioning_override TEXT",
      // The version that took its last turn, and how its code behaves there.
      "ALTER TABLE perdure_runs ADD COLUMN deployment TEXT",
      "ALTER TABLE perdure_runs ADD COLUMN build_id TEXT",
      "ALTER TABLE perdure_runs ADD COLUMN behavior TEXT",
      "CREATE INDEX perdure_runs_build ON perdure_runs (namespace, build_id) WHERE build_id IS NOT NULL",
      `CREATE INDEX perdure_runs_pinned ON perdure_runs (namespace, pinned_to)
  WHERE status = 'Running' AND pinned_to <> ''`,
      "DROP INDEX perdure_runs_unowned_wake",
      // What waits for workers of another version is not walked past.
      `CREATE INDEX perdure_runs_unowned_wake ON perdure_runs (namespace, task_queue, pinned_to, wake_at)
  WHERE owner IS NULL AND wake_at IS NOT NULL`,
      "ALTER TABLE perdure_activity_tasks ADD COLUMN pinned_to TEXT NOT NULL DEFAULT ''",
      "DROP INDEX perdure_activity_tasks_due",
      `CREATE INDEX perdure_activity_tasks_due ON perdure_activity_tasks (namespace, task_queue, pinned_to, due_at)
  WHERE state IN ('queued', 'lost')`,
      "ALTER TABLE perdure_workers ADD COLUMN version TEXT",
      // Where each deployment sends what is not pinned. Ramp: of 10,000 buckets, those below it go to the ramping build.
      `CREATE TABLE perdure_deployments (
  namespace INTEGER NOT NULL,
  name TEXT NOT NULL,
  current_build TEXT,
  ramping_build TEXT,
  ramp INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (namespace, name)
) STRICT, WITHOUT ROWID`,
      // Which builds had workers on which task queues.
      `CREATE TABLE perdure_builds (
  namespace INTEGER NOT NULL,
  task_queue TEXT NOT NULL,
  deployment TEXT NOT NULL,
  build_id TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  PRIMARY KEY (namespace, task_queue, deployment, build_id)
) STRICT, WITHOUT ROWID`,
      "CREATE INDEX perdure_builds_deployment ON perdure_builds (namespace, deployment, build_id)",
      // Runs that an operator took from a worker that lives: it has not heard of it yet.
      `CREATE TABLE perdure_displaced (
  worker TEXT NOT NULL,
  run_id TEXT NOT NULL,
  PRIMARY KEY (worker, run_id)
) STRICT, WITHOUT ROWID`
    ]
  }
]
