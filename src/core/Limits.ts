/**
 * Every bound of the engine in one place, each with its unit last in the name and its reason.
 *
 * A bound that users may move is an option of the layer it belongs to, and takes its default from here.
 * Invariant I10: everything has a bound.
 *
 * @since 0.1.0
 */

/**
 * The default bounds.
 *
 * @category models
 * @since 0.1.0
 */
export const Limits = {
  /** One encoded payload. Above it a value does not belong in a history: it is read again on every replay (row X17). */
  payloadBytesMax: 2 * 1024 * 1024,
  /** How deep a payload may nest: deeper JSON overflows the stack of parsers that recurse. */
  payloadDepthMax: 256,
  /** A recorded failure's message. Some libraries put whole responses into it. */
  failureMessageCharsMax: 10_000,
  /** A recorded failure's stack. */
  failureStackCharsMax: 4_000,
  /** A recorded duration, some 31,000 years: JSON has no Infinity, and an endless timeout must be read back. */
  durationMillisMax: 1e15,
  /** The latest time that a date can hold, in epoch milliseconds: an endless wait is due then. */
  timeMillisMax: 8.64e15,
  /** Workflow ids, task queues, names, update ids: they are index keys (row X17). */
  identifierCharsMax: 1_000,
  /** How often a worker looks for runs that its namespace keeps no longer (row X1): they are a day old and more. */
  sweepMillis: 60_000,
  /** Between two batches of runs that are deleted, at least. */
  sweepPauseMillis: 20,
  /** How many times as long as a batch took: so much of the time is left to live work. */
  sweepRestShare: 5,
  /** Headers of one call: they are recorded with it, and sent along from call to call (row N6). */
  headersMax: 64,
  /** The headers of one call together. They are read with each event that carries them. */
  headersBytesMax: 16 * 1024,
  /** Keywords in one search attribute: each is a row. */
  keywordsMax: 100,
  /** A filter's text (row X13). */
  filterCharsMax: 20_000,
  /** Conditions of one filter, each value of a list counted: each is a parameter of a statement. */
  filterConditionsMax: 500,
  /** How deep a filter may nest: a store nests its statement as deep. */
  filterDepthMax: 50,
  /** Executions on one page of a list. */
  listPageMax: 1_000,
  /** Calendars, intervals and skip calendars of one schedule together: each is asked for each time (row H6). */
  scheduleCalendarsMax: 100,
  /** Times of a schedule that wait for an action to end (row H7): each is part of its row. */
  scheduleWaitingMax: 1_000,
  /** Triggers and backfill ranges that are not done yet (rows H11, H12). */
  scheduleRequestsMax: 100,
  /** Actions that one decision starts: each is a run in its transaction. What is left comes in the next one, at once. */
  scheduleStartsMax: 100,
  /** Times that one decision looks at, after a long time of standing still. */
  scheduleTimesMax: 2_000,
  /** Actions beside each other (`AllowAll`) that a schedule lists as running; more of them run, and are not listed. */
  scheduleBesideMax: 100,
  /** Actions of the past that a schedule remembers (row H14). */
  scheduleRecentMax: 10,
  /** Times to come that a description shows (row H14). */
  scheduleUpcomingMax: 10,
  /** How late a time of a schedule may still be acted on, by default: a year (row H8). */
  scheduleCatchupWindowMillis: 365 * 86_400_000,
  /** The least that it may be (row H8). */
  scheduleCatchupWindowMillisMin: 10_000,
  /** A schedule's note: it is shown in lists (row H10). */
  scheduleNoteCharsMax: 2_000,
  /** What a run is for, in a line (row W20). */
  summaryCharsMax: 400,
  /** What a run is for, or where it stands, at length (row W20). */
  detailsCharsMax: 20_000,
  /** Events of one run. Replay time grows with it; a longer life is a chain of runs (row K11). */
  historyEventsMax: 51_200,
  /** Encoded bytes of one run's history (row K11). */
  historyBytesMax: 50 * 1024 * 1024,
  /** Events from which continuing as new is suggested (row K11). */
  historyEventsSuggested: 4_096,
  /** Encoded bytes of its history from which it is (row K11). */
  historyBytesSuggested: 4 * 1024 * 1024,
  /** Events at which the log warns that the limit is near (row K11). */
  historyEventsWarned: 10_240,
  /** Encoded bytes of a history at which it does (row K11). */
  historyBytesWarned: 10 * 1024 * 1024,
  /** A payload of which the log warns when it is recorded (row X17). */
  payloadBytesWarned: 256 * 1024,
  /** Steps of one kind that a run may have pending at once: activities, timers, inline steps, children, signals and cancel requests to other runs (row X17). */
  pendingMax: 2_000,
  /** Steps of all kinds that a body waits for at once: as many as there are kinds. */
  waitingMax: 12_000,
  /** Signals that one run takes in (row X17). */
  signalsMax: 10_000,
  /** Updates in progress in one run (row U12). */
  updatesInFlightMax: 10,
  /** Updates that one run takes in (row U12). */
  updatesMax: 2_000,
  /** Updates from which continuing as new is suggested, while there is room for those under way (row K11). */
  updatesSuggested: 1_800,
  /** Fiber operations in one turn: a body that loops without a durable step must not hold the thread for ever. */
  turnOperationsMax: 10_000_000,
  /** Milliseconds for which a turn may keep the thread, where it is suspected: what is lost when it never ends (row W10). */
  turnMillisMax: 2_000,
  /** Rounds of `Workflow.condition` re-checks in one turn: two conditions that undo each other would never end. */
  turnConditionRoundsMax: 10_000,
  /** Turns of one execution that wait for their commit: bounds what one hot execution may hold back. */
  uncommittedTurnsMax: 512,
  /** Turns in one commit: bounds the time that one transaction holds the write lock. */
  commitTurnsMax: 1_024,
  /** Messages that wait in memory for one execution; more wait at their senders. */
  inboxMax: 10_000,
  /** Executions that one worker keeps in memory between turns (row N2). */
  cachedExecutionsMax: 1_000,
  /** Fibers of cached executions: memory goes with fibers, at 5 to 8 KB each. */
  cachedFibersMax: 10_000,
  /** Activities that one worker runs at once (row A17). */
  concurrentActivitiesMax: 100,
  /** Inline steps that one worker runs at once. */
  concurrentStepsMax: 100,
  /** A delay between two attempts of an inline step that is waited out in process; a longer one is recorded (row L1). */
  stepBackoffMillisMax: 10_000,
  /** Queued activities that a worker keeps at hand in memory; the rest are read back from the store. */
  activitiesAtHandMax: 10_000,
  /** History turns read per page while an execution is brought back. */
  historyPageTurns: 500,
  /** Rows that one claim takes: a claim is one transaction. */
  claimRowsMax: 256,
  /** Schedules that are carried on in one transaction. */
  scheduleRowsMax: 100,
  /** For how long a claim keeps others off a schedule: if its worker dies meanwhile, a time is late by as much. */
  scheduleHoldMillis: 5_000,
  /** How often a call to a schedule reads it once more, because others wrote it meanwhile (row H13). */
  scheduleTriesMax: 50,
  /** Lease of a worker. When it lapses, others take over what it owned. */
  leaseMillis: 10_000,
  /** First delay before a failed turn is tried again (I7); doubles each time. */
  turnRetryMillis: 100,
  /** Longest delay between two tries of a failed turn. */
  turnRetryMillisMax: 60_000,
  /** Heartbeats are recorded at most this often when no heartbeat timeout is set (row A3). */
  heartbeatIntervalMillis: 30_000,
  /** Heartbeats are recorded at least this often (row A3). */
  heartbeatIntervalMillisMax: 60_000,
  /** How long a reply waits in the store for a caller of another process that never came back for it. */
  replyRetentionMillis: 600_000
} as const
