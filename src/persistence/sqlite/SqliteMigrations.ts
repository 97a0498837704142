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
      // --- namespaces

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

      // --- runs

      // Keyed by run id alone: run ids rise with time, so new rows go to the end, and the fence check is one search.
      // Namespace 1, the default one, takes no room in SQLite: it stands in the header of the row and of index entries.
      // - first_run_id: null: it is the first of its chain, as nearly all are.
      // - start_at: its first turn waits until then. expires_at: its timeouts end it then.
      // - parent_run_id: null: it is nobody's child. root_workflow_id: null: it is the first of its parents' chains itself.
      // - notes: memo, search attributes, summary and details, as JSON, for who looks at the run.
      // - history_length: events, of a closed run: an open one is written a row a turn elsewhere, and this is left alone.
      // - scheduled_by: null: no schedule started it.
      // - pinned_to: the version whose workers alone may have it; '' for none, so that an index finds those by equality too.
      // - bucket: a hash of its workflow id, for ramps. versioning_override: in the place of what its code says.
      // - deployment, build_id, behavior: the version that took its last turn, and how its code behaves there.
      `CREATE TABLE perdure_runs (
  run_id TEXT NOT NULL PRIMARY KEY,
  namespace INTEGER NOT NULL DEFAULT 1,
  workflow_id TEXT NOT NULL,
  workflow TEXT NOT NULL,
  task_queue TEXT NOT NULL,
  status TEXT NOT NULL,
  owner TEXT,
  epoch INTEGER NOT NULL,
  wake_at INTEGER,
  started_at INTEGER NOT NULL,
  closed_at INTEGER,
  attention TEXT,
  first_run_id TEXT,
  previous_run_id TEXT,
  attempt INTEGER NOT NULL DEFAULT 1,
  start_at INTEGER,
  expires_at INTEGER,
  parent_run_id TEXT,
  parent_seq INTEGER,
  parent_close TEXT,
  root_workflow_id TEXT,
  notes TEXT,
  history_length INTEGER,
  scheduled_by TEXT,
  scheduled_at INTEGER,
  pinned_to TEXT NOT NULL DEFAULT '',
  bucket INTEGER NOT NULL DEFAULT 0,
  versioning_override TEXT,
  deployment TEXT,
  build_id TEXT,
  behavior TEXT
) STRICT, WITHOUT ROWID`,
      // At most one open run of a workflow id.
      "CREATE UNIQUE INDEX perdure_runs_open ON perdure_runs (namespace, workflow_id) WHERE status = 'Running'",
      "CREATE INDEX perdure_runs_latest ON perdure_runs (namespace, workflow_id, started_at)",
      // A run with a wake-up is in one of these two, so that a worker's poll sees neither the sleepers of others, nor the
      // backlog of queues that it does not serve, nor what waits for workers of another version.
      `CREATE INDEX perdure_runs_owned_wake ON perdure_runs (owner, wake_at)
  WHERE owner IS NOT NULL AND wake_at IS NOT NULL`,
      `CREATE INDEX perdure_runs_unowned_wake ON perdure_runs (namespace, task_queue, pinned_to, wake_at)
  WHERE owner IS NULL AND wake_at IS NOT NULL`,
      // The open children of a run: to close them with it, and to reach one through the runs of its chain.
      `CREATE INDEX perdure_runs_children ON perdure_runs (parent_run_id, parent_seq)
  WHERE status = 'Running' AND parent_run_id IS NOT NULL`,
      // Lists: each begins with what one may be narrowed to, and goes on in its order. The key, the run id, is part of each.
      "CREATE INDEX perdure_runs_status ON perdure_runs (namespace, status, closed_at, started_at)",
      "CREATE INDEX perdure_runs_workflow ON perdure_runs (namespace, workflow, closed_at, started_at)",
      // Retention, too, finds by it what is old.
      "CREATE INDEX perdure_runs_closed ON perdure_runs (namespace, closed_at, started_at)",
      "CREATE INDEX perdure_runs_started ON perdure_runs (namespace, started_at)",
      // Those that went wrong are few, and sought by type: an index of all would be one more write for each run.
      `CREATE INDEX perdure_runs_wrong ON perdure_runs (namespace, status, workflow, closed_at, started_at)
  WHERE status NOT IN ('Running', 'Completed')`,
      `CREATE INDEX perdure_runs_scheduled ON perdure_runs (namespace, scheduled_by, scheduled_at)
  WHERE scheduled_by IS NOT NULL`,
      "CREATE INDEX perdure_runs_root ON perdure_runs (namespace, root_workflow_id) WHERE root_workflow_id IS NOT NULL",
      "CREATE INDEX perdure_runs_build ON perdure_runs (namespace, build_id) WHERE build_id IS NOT NULL",
      `CREATE INDEX perdure_runs_pinned ON perdure_runs (namespace, pinned_to)
  WHERE status = 'Running' AND pinned_to <> ''`,
      // Only starts that name a request are here. Deleted with their run.
      `CREATE TABLE perdure_start_requests (
  namespace INTEGER NOT NULL,
  workflow_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  PRIMARY KEY (namespace, workflow_id, request_id)
) STRICT, WITHOUT ROWID`,
      "CREATE INDEX perdure_start_requests_run ON perdure_start_requests (run_id)",
      // For who looks for runs: a row a value, and of a list's values one each. Sought by type, since one name may be a
      // keyword to one workflow, and a text to another.
      `CREATE TABLE perdure_search_attributes (
  run_id TEXT NOT NULL,
  namespace INTEGER NOT NULL DEFAULT 1,
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  type TEXT NOT NULL,
  text TEXT,
  number REAL,
  PRIMARY KEY (run_id, name, position)
) STRICT, WITHOUT ROWID`,
      `CREATE INDEX perdure_search_attributes_text ON perdure_search_attributes (namespace, name, type, text)
  WHERE text IS NOT NULL`,
      `CREATE INDEX perdure_search_attributes_number ON perdure_search_attributes (namespace, name, number)
  WHERE number IS NOT NULL`,

      // --- histories

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
      // Runs whose row is gone, and whose long history goes piece by piece.
      `CREATE TABLE perdure_removed_runs (
  run_id TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID`,

      // --- messages

      // owner is that of the run, copied by whatever changes it, so that a worker reads its own mail and no more.
      `CREATE TABLE perdure_mailbox (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  namespace INTEGER NOT NULL DEFAULT 1,
  run_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  at INTEGER NOT NULL,
  owner TEXT
) STRICT`,
      "CREATE INDEX perdure_mailbox_run ON perdure_mailbox (run_id)",
      "CREATE INDEX perdure_mailbox_owner ON perdure_mailbox (owner) WHERE owner IS NOT NULL",
      `CREATE INDEX perdure_mailbox_asks ON perdure_mailbox (namespace, run_id)
  WHERE owner IS NULL AND kind IN ('Query', 'Update')`,
      `CREATE TABLE perdure_replies (
  request_id TEXT NOT NULL PRIMARY KEY,
  at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID`,

      // --- activities

      // forgotten: attempts that count no more: what its author sees as an attempt's number is attempt - forgotten.
      `CREATE TABLE perdure_activity_tasks (
  run_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  namespace INTEGER NOT NULL DEFAULT 1,
  turn INTEGER NOT NULL,
  task_queue TEXT NOT NULL,
  pinned_to TEXT NOT NULL DEFAULT '',
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
  paused INTEGER NOT NULL DEFAULT 0,
  forgotten INTEGER NOT NULL DEFAULT 0,
  revision INTEGER NOT NULL DEFAULT 0,
  options TEXT,
  PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID`,
      // Tasks that their own worker starts at once, which is nearly all, are in none of these.
      `CREATE INDEX perdure_activity_tasks_due ON perdure_activity_tasks (namespace, task_queue, pinned_to, due_at)
  WHERE state IN ('queued', 'lost')`,
      `CREATE INDEX perdure_activity_tasks_expiry ON perdure_activity_tasks (namespace, expires_at)
  WHERE state IN ('queued', 'handed', 'paused') AND expires_at IS NOT NULL`,
      `CREATE INDEX perdure_activity_tasks_noticed ON perdure_activity_tasks (worker)
  WHERE cancel_requested = 1 OR revision > 0`,
      // When the next activity of a queue may start, in microseconds since the epoch.
      `CREATE TABLE perdure_rate_limits (
  namespace INTEGER NOT NULL,
  task_queue TEXT NOT NULL,
  next_at INTEGER NOT NULL,
  PRIMARY KEY (namespace, task_queue)
) STRICT, WITHOUT ROWID`,

      // --- schedules

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

      // --- workers

      `CREATE TABLE perdure_workers (
  id TEXT NOT NULL PRIMARY KEY,
  namespace INTEGER NOT NULL DEFAULT 1,
  lease_until INTEGER NOT NULL,
  identity TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  version TEXT
) STRICT, WITHOUT ROWID`,
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
