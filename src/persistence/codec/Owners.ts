/**
 * Whose the values are that pass through the codecs: which execution's, and which activity's.
 *
 * Stored texts name a run at most. Runs and activities that were met are kept at hand, within bounds, since what they are
 * called never changes; others are looked up in the store.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Limits } from "../../core/Limits.js"
import type { Run, Store, StoreError } from "../Store.js"
import type { ActivityPlace } from "./PayloadCodec.js"

/** What is known of a run besides its id. @since 0.1.0 */
export interface Execution {
  readonly workflowId: string | undefined
  readonly workflow: string | undefined
}

/**
 * Whose the values of one text are.
 *
 * @category models
 * @since 0.1.0
 */
export interface Owner {
  readonly runId: string | undefined
  /** Undefined: the store has no such run. Of one that another run writes to, perhaps not all is known. */
  readonly execution: Effect.Effect<Execution | undefined, StoreError>
  /** The activity of a number within the run. */
  readonly activity: (seq: number) => Effect.Effect<ActivityPlace | undefined, StoreError>
  /** Tells what an activity is called, where a text says so. */
  readonly met: (seq: number, activity: ActivityPlace) => void
}

/** Of an answer to a call: it is kept until the caller takes it, who knows it by its request alone. @since 0.1.0 */
export const nobody: Owner = {
  runId: undefined,
  execution: Effect.succeed(undefined),
  activity: () => Effect.succeed(undefined),
  met: () => {}
}

/** @since 0.1.0 */
export class Owners {
  private readonly runs = new Recent<Execution>()
  private readonly activities = new Recent<ActivityPlace>()

  constructor(private readonly store: Pick<Store["Type"], "findRun" | "history">) {}

  /** A run that was met: made, or read. */
  met({ runId, workflow, workflowId }: Pick<Run, "runId" | "workflow" | "workflowId">): void {
    if (this.runs.get(runId) === undefined) this.runs.set(runId, { workflowId, workflow })
  }

  /** Of a run by its id; what is known of it in advance is not looked up. */
  of(runId: string): Owner {
    return {
      runId,
      execution: Effect.suspend(() => {
        const known = this.runs.get(runId)
        return known === undefined ? this.look(runId) : Effect.succeed(known)
      }),
      activity: (seq) =>
        Effect.suspend(() => {
          const known = this.activities.get(`${runId}/${seq}`)
          return known === undefined ? this.search(runId, seq) : Effect.succeed(known)
        }),
      met: (seq, activity) => this.activities.set(`${runId}/${seq}`, activity)
    }
  }

  /** Of the open run of a workflow id, whichever that will be. */
  ofExecution(workflowId: string | undefined): Owner {
    return { ...nobody, execution: Effect.succeed({ workflowId, workflow: undefined }) }
  }

  /** Of an activity, looked up in advance: for where the store cannot be asked. */
  inAdvance({ runId, seq }: { readonly runId: string; readonly seq: number }): Effect.Effect<Owner, StoreError> {
    const owner = this.of(runId)
    return Effect.map(Effect.all([owner.execution, owner.activity(seq)]), ([execution, activity]) => ({
      ...owner,
      execution: Effect.succeed(execution),
      activity: () => Effect.succeed(activity)
    }))
  }

  // --- internal

  private look(runId: string): Effect.Effect<Execution | undefined, StoreError> {
    return Effect.map(
      this.store.findRun(runId),
      Option.match({
        onNone: () => undefined,
        onSome: (run) => {
          this.met(run)
          return run
        }
      })
    )
  }

  /** Names stand in the clear: what scheduled it tells. */
  private search(runId: string, seq: number): Effect.Effect<ActivityPlace | undefined, StoreError> {
    return Effect.gen(this, function*() {
      const owner = this.of(runId)
      let turn = 0
      for (;;) {
        const rows = yield* this.store.history(runId, turn, Limits.historyPageTurns)
        for (const { events } of rows) {
          const found = scheduledIn(events).find((event) => event.seq === seq)
          if (found === undefined) continue
          const activity = { activity: found.name, activityId: found.id ?? String(seq) }
          owner.met(seq, activity)
          return activity
        }
        if (rows.length < Limits.historyPageTurns) return undefined
        turn = rows[rows.length - 1]!.turn
      }
    })
  }
}

/** Reads off a text which activities it schedules, without its payloads. @since 0.1.0 */
export const scheduledIn = (text: string): ReadonlyArray<Scheduled> => {
  if (!text.includes(scheduling)) return none
  const events: unknown = JSON.parse(text)
  return Array.isArray(events) ? events.filter((event): event is Scheduled => isScheduled(event)) : none
}

/** @since 0.1.0 */
export const isScheduled = (node: object): node is Scheduled =>
  (node as { readonly _tag?: unknown })._tag === scheduling

/** As much of it as names the activity. @since 0.1.0 */
export interface Scheduled {
  readonly seq: number
  readonly name: string
  readonly id?: string
}

const scheduling = "ActivityScheduled"
const none: ReadonlyArray<Scheduled> = []

/** What was met last, within a bound (I10). */
class Recent<A> {
  private readonly entries = new Map<string, A>()

  get(key: string): A | undefined {
    return this.entries.get(key)
  }

  set(key: string, value: A): void {
    if (this.entries.size >= recentMax) {
      for (const oldest of this.entries.keys()) {
        this.entries.delete(oldest)
        break
      }
    }
    this.entries.set(key, value)
  }
}

const recentMax = 10_000
