/**
 * The patches of one body: which way its code takes where it was changed while runs were open (rows V1, V2).
 *
 * ```
 *   asked before ──▶ the same answer
 *   replayed     ──▶ whether this turn's record has the marker
 *   live         ──▶ yes, and a marker, unless the worker declines
 * ```
 *
 * @since 0.1.0
 */
import type { Command } from "../../core/Command.js"
import type { Event } from "../../core/Event.js"

/**
 * What the patches need of the body that they belong to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body {
  readonly replaying: boolean
  /** What the turn recorded, where it is replayed. */
  readonly recorded: ReadonlyArray<Event>
  readonly issue: (command: Command, place?: string) => void
  /** The worker's word on a patch that is asked for live, for the first time in the run. */
  readonly activatesPatch: (id: string) => boolean
}

/** @since 0.1.0 */
export class Patches {
  /** Made for the first one: hardly a body has any. */
  private answers: Map<string, boolean> | undefined

  constructor(private readonly body: Body) {}

  ask(id: string, deprecated: boolean, place: string | undefined): boolean {
    const before = this.answers?.get(id)
    if (before !== undefined) return before
    const { recorded, replaying } = this.body
    const answer = replaying
      ? recorded.some((event) => event._tag === "PatchMarked" && event.id === id)
      : this.body.activatesPatch(id)
    this.answers = (this.answers ?? new Map<string, boolean>()).set(id, answer)
    if (answer) this.body.issue({ _tag: "MarkPatch", id, deprecated }, place)
    return answer
  }
}
