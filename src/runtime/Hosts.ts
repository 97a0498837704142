/**
 * What a worker hosts: workflows and activities by name, on one task queue.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import { ActivityHost } from "../dsl/Activity.js"
import type { ActivatesPatch } from "../dsl/Patch.js"
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

  constructor(private readonly activatesPatch?: ActivatesPatch) {}

  /** Takes in what one Layer provides; the name that was there before, if any. */
  add(context: Context.Context<never>): string | undefined {
    for (const service of context.unsafeMap.values()) {
      if (service instanceof WorkflowHost) {
        if (this.workflows.has(service.definition.name)) return `workflow ${service.definition.name}`
        const { body, definition, services } = service
        this.workflows.set(definition.name, new WorkflowHost(definition, body, services, this.activatesPatch))
      } else if (service instanceof ActivityHost) {
        if (this.activities.has(service.name)) return `activity ${service.name}`
        this.activities.set(service.name, service)
      }
    }
    return undefined
  }

  get size(): number {
    return this.workflows.size + this.activities.size
  }
}
