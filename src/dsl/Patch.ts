/**
 * Patches: how code that changed goes on with the runs that its earlier form began (rows V1 to V3).
 *
 * ```
 *   1. if (yield* Workflow.patched("fraud-check")) new way, else old way      both kinds of runs are open
 *   2. yield* Workflow.deprecatePatch("fraud-check"), and the new way          no run of the old way is open
 *   3. the new way                                                             no run marked in step 1 is open
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { checkName } from "./Activity.js"
import * as Place from "./Place.js"
import { WorkflowContext } from "./WorkflowContext.js"

/**
 * The worker's word on a patch that a run asks for live, for the first time: false lets it take the old way for ever, as
 * while a deployment may yet be rolled back (row V1). Called within the turn: it must only read.
 *
 * @category models
 * @since 0.1.0
 */
export type ActivatesPatch = (patch: {
  readonly id: string
  readonly workflow: string
  readonly workflowId: string
  readonly runId: string
}) => boolean

/**
 * Whether this run takes the new way where the code was changed: true in a run that gets here for the first time, and
 * recorded; false in a run that was past this place with the old code (row V1).
 *
 * Answered once per run and id: one that was asked first while an old history was replayed is false for ever in this run.
 * So ask with one id for one change, and where the ways part, not before. Replay reads the answer off the history.
 *
 * Throws `ContractError` on an id that is empty, reserved, or has more than 1,000 characters. Dies in a query or
 * validator (row W14).
 *
 * @category services
 * @since 0.1.0
 */
export const patched = (id: string): Effect.Effect<boolean, never, WorkflowContext> =>
  ask(id, false, Place.capture(patched))

/**
 * Says that the old way is gone from the code: open runs with the marker of `patched` go on, and new markers are such
 * that code without this call may replay them (row V2).
 *
 * Put it where `patched` was asked once no run of the old way is open. Take it out once no run with an undeprecated
 * marker is open. `perdure check` tells of both before a deployment. Throws and dies as `patched` does.
 *
 * @category services
 * @since 0.1.0
 */
export const deprecatePatch = (id: string): Effect.Effect<void, never, WorkflowContext> =>
  Effect.asVoid(ask(id, true, Place.capture(deprecatePatch)))

const ask = (id: string, deprecated: boolean, place: string | undefined) => {
  checkName("patch", id)
  return Effect.flatMap(WorkflowContext, (context) => context.askPatch(id, deprecated, place))
}
