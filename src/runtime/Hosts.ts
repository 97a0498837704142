/**
 * What a worker hosts: workflows and activities by name, on one task queue.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import { ActivityHost } from "../dsl/HostedActivity.js"
import { reserved } from "../dsl/Names.js"
import type { WorkerOptions } from "../dsl/Workflow.js"
import { WorkflowHost } from "../dsl/Workflow.js"

/**
 * A worker was given two bodies of one name, or none at all (row D1).
 *
 * @category errors
 * @since 0.1.0
 */
export class WorkerConfigError extends Schema.TaggedError<WorkerConfigError>()("WorkerConfigError", {
  taskQueue: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `worker on task queue "${this.taskQueue}": ${this.reason}`
  }
}

/** @since 0.1.0 */
export class Hosts {
  readonly workflows = new Map<string, WorkflowHost>()
  readonly activities = new Map<string, ActivityHost>()
  private anyWorkflow: WorkflowHost | undefined
  private anyActivity: ActivityHost | undefined

  constructor(private readonly worker: WorkerOptions = {}) {}

  /** Takes in what one Layer provides; the name that was there before, if any. */
  add(context: Context.Context<never>): string | undefined {
    for (const service of context.unsafeMap.values()) {
      if (service instanceof WorkflowHost) {
        const { body, definition, optionsOf, services } = service
        const host = new WorkflowHost(definition, body, services, this.worker, optionsOf)
        if (definition.dynamic === true) {
          if (this.anyWorkflow !== undefined) return "the dynamic workflow"
          this.anyWorkflow = host
        } else if (this.workflows.has(definition.name)) return `workflow ${definition.name}`
        else this.workflows.set(definition.name, host)
      } else if (service instanceof ActivityHost) {
        if (service.kind === "Dynamic") {
          if (this.anyActivity !== undefined) return "the dynamic activity"
          this.anyActivity = service
        } else if (this.activities.has(service.name)) return `activity ${service.name}`
        else this.activities.set(service.name, service)
      }
    }
    return undefined
  }

  /** The host of a workflow: that of its name, else the dynamic one under its name (rows D4, D9). */
  workflow(name: string): WorkflowHost | undefined {
    const own = this.workflows.get(name)
    if (own !== undefined || this.anyWorkflow === undefined || reserved(name) !== undefined) return own
    const { body, definition, optionsOf, services } = this.anyWorkflow
    return new WorkflowHost({ ...definition, name }, body, services, this.worker, optionsOf)
  }

  serves(workflow: string): boolean {
    return this.workflows.has(workflow) || this.anyWorkflow !== undefined && reserved(workflow) === undefined
  }

  /** The host of an activity: that of its name, else the dynamic one (rows D6, D9). */
  activity(name: string): ActivityHost | undefined {
    return this.activities.get(name) ?? (reserved(name) === undefined ? this.anyActivity : undefined)
  }

  /** Workflows of which nobody says what becomes of their runs when another version is made current. */
  get withoutBehavior(): ReadonlyArray<string> {
    return [...this.workflows.values(), ...this.anyWorkflow === undefined ? [] : [this.anyWorkflow]]
      .filter(({ assigned }) => assigned.behavior === undefined)
      .map(({ definition }) => definition.dynamic === true ? "the dynamic workflow" : definition.name)
  }

  get size(): number {
    const dynamic = [this.anyWorkflow, this.anyActivity].filter((host) => host !== undefined)
    return this.workflows.size + this.activities.size + dynamic.length
  }
}
