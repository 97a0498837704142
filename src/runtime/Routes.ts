/**
 * What this worker may have of its task queue, as it knows it: its version, and where runs go (row V6).
 *
 * Read anew with each poll, and so behind by as much: what it began on before it heard of a change goes on for that turn.
 * What it may not have is never claimed, whatever is known here.
 *
 * @since 0.1.0
 */
import type { Version } from "../core/family/Version.js"
import type { Routing, Share } from "../core/Routing.js"
import * as Routings from "../core/Routing.js"

/** @since 0.1.0 */
export class Routes {
  /** Rises with each change: what was found to be ours need not be looked at again until then. */
  generation = 1
  share: Share

  constructor(readonly version: Version | undefined) {
    this.share = Routings.shareOf(undefined, version)
  }

  /** Where runs go now. */
  update(routing: Routing | undefined): void {
    const share = Routings.shareOf(routing, this.version)
    const { from, to } = this.share
    if (share.from === from && share.to === to) return
    this.share = share
    this.generation++
  }

  /** Whether a run is one of this worker's. */
  takes(run: { readonly workflowId: string; readonly pinnedTo?: string | undefined }): boolean {
    return Routings.holds(this.share, run)
  }
}
