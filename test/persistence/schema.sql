CREATE TABLE perdure_migrations (
  version INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE perdure_namespaces (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  description TEXT,
  created_at INTEGER NOT NULL,
  retention INTEGER,
  archived INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX perdure_namespaces_name ON perdure_namespaces (name);

CREATE TABLE perdure_runs (
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
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX perdure_runs_open ON perdure_runs (namespace, workflow_id) WHERE status = 'Running';

CREATE INDEX perdure_runs_latest ON perdure_runs (namespace, workflow_id, started_at);

CREATE INDEX perdure_runs_owned_wake ON perdure_runs (owner, wake_at)
  WHERE owner IS NOT NULL AND wake_at IS NOT NULL;

CREATE INDEX perdure_runs_unowned_wake ON perdure_runs (namespace, task_queue, pinned_to, wake_at)
  WHERE owner IS NULL AND wake_at IS NOT NULL;

CREATE INDEX perdure_runs_children ON perdure_runs (parent_run_id, parent_seq)
  WHERE status = 'Running' AND parent_run_id IS NOT NULL;

CREATE INDEX perdure_runs_status ON perdure_runs (namespace, status, closed_at, started_at);

CREATE INDEX perdure_runs_workflow ON perdure_runs (namespace, workflow, closed_at, started_at);

CREATE INDEX perdure_runs_closed ON perdure_runs (namespace, closed_at, started_at);

CREATE INDEX perdure_runs_started ON perdure_runs (namespace, started_at);

CREATE INDEX perdure_runs_wrong ON perdure_runs (namespace, status, workflow, closed_at, started_at)
  WHERE status NOT IN ('Running', 'Completed');

CREATE INDEX perdure_runs_scheduled ON perdure_runs (namespace, scheduled_by, scheduled_at)
  WHERE scheduled_by IS NOT NULL;

CREATE INDEX perdure_runs_root ON perdure_runs (namespace, root_workflow_id) WHERE root_workflow_id IS NOT NULL;

CREATE INDEX perdure_runs_build ON perdure_runs (namespace, build_id) WHERE build_id IS NOT NULL;

CREATE INDEX perdure_runs_pinned ON perdure_runs (namespace, pinned_to)
  WHERE status = 'Running' AND pinned_to <> '';

CREATE TABLE perdure_start_requests (
  namespace INTEGER NOT NULL,
  workflow_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  PRIMARY KEY (namespace, workflow_id, request_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX perdure_start_requests_run ON perdure_start_requests (run_id);

CREATE TABLE perdure_search_attributes (
  run_id TEXT NOT NULL,
  namespace INTEGER NOT NULL DEFAULT 1,
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  type TEXT NOT NULL,
  text TEXT,
  number REAL,
  PRIMARY KEY (run_id, name, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX perdure_search_attributes_text ON perdure_search_attributes (namespace, name, type, text)
  WHERE text IS NOT NULL;

CREATE INDEX perdure_search_attributes_number ON perdure_search_attributes (namespace, name, number)
  WHERE number IS NOT NULL;

CREATE TABLE perdure_history (
  run_id TEXT NOT NULL,
  turn INTEGER NOT NULL,
  at INTEGER NOT NULL,
  format INTEGER NOT NULL,
  events TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX perdure_history_turn ON perdure_history (run_id, turn);

CREATE TABLE perdure_removed_runs (
  run_id TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE perdure_mailbox (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  namespace INTEGER NOT NULL DEFAULT 1,
  run_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  at INTEGER NOT NULL,
  owner TEXT
) STRICT;

CREATE INDEX perdure_mailbox_run ON perdure_mailbox (run_id);

CREATE INDEX perdure_mailbox_owner ON perdure_mailbox (owner) WHERE owner IS NOT NULL;

CREATE INDEX perdure_mailbox_asks ON perdure_mailbox (namespace, run_id)
  WHERE owner IS NULL AND kind IN ('Query', 'Update');

CREATE TABLE perdure_replies (
  request_id TEXT NOT NULL PRIMARY KEY,
  at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE perdure_activity_tasks (
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
) STRICT, WITHOUT ROWID;

CREATE INDEX perdure_activity_tasks_due ON perdure_activity_tasks (namespace, task_queue, pinned_to, due_at)
  WHERE state IN ('queued', 'lost');

CREATE INDEX perdure_activity_tasks_expiry ON perdure_activity_tasks (namespace, expires_at)
  WHERE state IN ('queued', 'handed', 'paused') AND expires_at IS NOT NULL;

CREATE INDEX perdure_activity_tasks_noticed ON perdure_activity_tasks (worker)
  WHERE cancel_requested = 1 OR revision > 0;

CREATE TABLE perdure_rate_limits (
  namespace INTEGER NOT NULL,
  task_queue TEXT NOT NULL,
  next_at INTEGER NOT NULL,
  PRIMARY KEY (namespace, task_queue)
) STRICT, WITHOUT ROWID;

CREATE TABLE perdure_schedules (
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
) STRICT;

CREATE INDEX perdure_schedules_due ON perdure_schedules (namespace, next_at) WHERE next_at IS NOT NULL;

CREATE INDEX perdure_schedules_held ON perdure_schedules (namespace, held_until) WHERE held_until IS NOT NULL;

CREATE TABLE perdure_workers (
  id TEXT NOT NULL PRIMARY KEY,
  namespace INTEGER NOT NULL DEFAULT 1,
  lease_until INTEGER NOT NULL,
  identity TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  version TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE perdure_deployments (
  namespace INTEGER NOT NULL,
  name TEXT NOT NULL,
  current_build TEXT,
  ramping_build TEXT,
  ramp INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (namespace, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE perdure_builds (
  namespace INTEGER NOT NULL,
  task_queue TEXT NOT NULL,
  deployment TEXT NOT NULL,
  build_id TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  PRIMARY KEY (namespace, task_queue, deployment, build_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX perdure_builds_deployment ON perdure_builds (namespace, deployment, build_id);

CREATE TABLE perdure_displaced (
  worker TEXT NOT NULL,
  run_id TEXT NOT NULL,
  PRIMARY KEY (worker, run_id)
) STRICT, WITHOUT ROWID;
