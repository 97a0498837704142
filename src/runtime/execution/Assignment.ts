/**
 * Which version a run is on (row V6): what its turns record of their workers.
 * Decisions on data.
 *
 * @since 0.1.0
 */
import type { Event } from "../../core/Event.js"
import type { Slice, VersionAssigned } from "../../core/family/Version.js"
import * as Versions from "../../core/family/Version.js"
import * as Routing from "../../core/Routing.js"
import type { WorkflowHost } from "../../dsl/Workflow.js"
import type { Assigned } from "../../persistence/Store.js"

/**
 * Adds to what a turn takes in that its worker is of another version than the one of the turn before.
 *
 * @category constructors
 * @since 0.1.0
 */
export const noted = (events: ReadonlyArray<Event>, state: Slice, { assigned }: WorkflowHost): ReadonlyArray<Event> =>
  events.length === 0 || Versions.same(state.version, assigned.version) ? events : Versions.among(events, assigned)

/** What the row of the run says from such a turn on. @since 0.1.0 */
export const rowOf = ({ behavior, version }: VersionAssigned, standing: Routing.Standing): Assigned => ({
  version,
  behavior,
  pinnedTo: Routing.pinnedTo(standing, { version, behavior })
})

/** As of a turn with these events. @since 0.1.0 */
export const after = (state: Slice, events: ReadonlyArray<Event>): Partial<Slice> =>
  Versions.assignedIn(events) ?? state
