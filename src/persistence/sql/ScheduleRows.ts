/**
 * What the rows of schedules hold, and the port's models that are built from them.
 *
 * @since 0.1.0
 */
import type { Status } from "../../core/family/Execution.js"
import { Status as StatusSchema } from "../../core/family/Execution.js"
import type { ChainEnd, Schedule } from "../ScheduleStore.js"
import type { Decode } from "./Decode.js"
import { decode } from "./Decode.js"

/** The columns of a `Schedule`. @since 0.1.0 */
export const columns = "schedule_id, workflow, paused, next_at, revision, definition, state"

interface Row {
  readonly schedule_id: string
  readonly workflow: string
  readonly paused: number
  readonly next_at: number | null
  readonly revision: number
  readonly definition: string
  readonly state: string
}

/** @since 0.1.0 */
export const schedule: Decode<Schedule> = decode(
  "perdure_schedules",
  {
    schedule_id: "text",
    workflow: "text",
    paused: "integer",
    next_at: "integer?",
    revision: "integer",
    definition: "text",
    state: "text"
  },
  (row: Row) => ({
    scheduleId: row.schedule_id,
    workflow: row.workflow,
    paused: row.paused === 1,
    nextAt: row.next_at ?? undefined,
    revision: row.revision,
    definition: row.definition,
    state: row.state
  })
)

/** @since 0.1.0 */
export const scheduleId: Decode<string> = decode(
  "perdure_schedules",
  { schedule_id: "text" },
  (row: Pick<Row, "schedule_id">) => row.schedule_id
)

/** @since 0.1.0 */
export const read: Decode<Pick<Schedule, "scheduleId" | "revision">> = decode(
  "perdure_schedules",
  { schedule_id: "text", revision: "integer" },
  (row: Pick<Row, "schedule_id" | "revision">) => ({ scheduleId: row.schedule_id, revision: row.revision })
)

/** The open run of a workflow id, of a chain. @since 0.1.0 */
export const openRun: Decode<{
  readonly runId: string
  readonly workflowId: string
  readonly firstRunId: string
  readonly owner: string | undefined
}> = decode(
  "perdure_runs",
  { run_id: "text", workflow_id: "text", first_run_id: "text?", owner: "text?" },
  (row: {
    readonly run_id: string
    readonly workflow_id: string
    readonly first_run_id: string | null
    readonly owner: string | null
  }) => ({
    runId: row.run_id,
    workflowId: row.workflow_id,
    firstRunId: row.first_run_id ?? row.run_id,
    owner: row.owner ?? undefined
  })
)

interface EndRow {
  readonly run_id: string
  readonly workflow_id: string
  readonly chain: string
  readonly workflow: string
  readonly status: Status
  readonly turn: number | null
  readonly at: number | null
  readonly format: number | null
  readonly events: string | null
}

/** @since 0.1.0 */
export const chainEnd: Decode<ChainEnd> = decode(
  "perdure_runs",
  {
    run_id: "text",
    workflow_id: "text",
    chain: "text",
    workflow: "text",
    status: new Set<Status>(StatusSchema.literals),
    turn: "integer?",
    at: "integer?",
    format: "integer?",
    events: "text?"
  },
  (row: EndRow) => ({
    runId: row.run_id,
    workflowId: row.workflow_id,
    firstRunId: row.chain,
    workflow: row.workflow,
    status: row.status,
    last: row.turn === null
      ? undefined
      : { turn: row.turn, at: row.at!, format: row.format!, events: row.events! }
  })
)
