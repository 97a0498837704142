/**
 * Sees the commits of other processes: `PRAGMA data_version` changes when another connection has committed.
 *
 * ```
 *            ┌── somebody writes to the log ──┐
 *   active ──┤                                ├── idle: the log's file is watched, and a slow poll backs that
 *     │ ▲    └── nothing new for a while ─────┘          (no watching here: polls go on, less often)
 *     └─┘ polls, soon, and then less and less often up to each `pollMillis`
 * ```
 *
 * 1. Only `data_version` decides. A write to the log may be our own, and it comes before its commit can be seen: it is
 *    only a reason to look.
 * 2. Nothing runs unless somebody listens, and nothing is left when the last one goes.
 * 3. Time here is the event loop's own: it is another process's time, whatever the program's Clock says.
 *
 * Watching is what makes idleness cheap. Measured with a listener and nothing going on, of one core: polls each 50 ms
 * 1.9 % through a reserved connection, 1.1 % without reserving, 0.3 % for such a timer that does nothing; watching with
 * a poll each 500 ms 0.1 %. A commit elsewhere is seen within some milliseconds rather than within 50.
 *
 * @since 0.1.0
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { FSWatcher } from "node:fs"
import { watch } from "node:fs"
import * as Changes from "../sql/Changes.js"

/**
 * @category models
 * @since 0.1.0
 */
interface Intervals {
  /** Between polls while there is something to see. */
  readonly pollMillis: number
  /** Between polls while there is not, where the log cannot be watched. */
  readonly idlePollMillis: number
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (client: SqlClient, intervals: Intervals): Effect.Effect<Changes.Changes, SqlError> =>
  Effect.gen(function*() {
    const { connection, path } = yield* Effect.scoped(Effect.flatMap(client.reserve, (connection) =>
      Effect.map(
        connection.execute("PRAGMA database_list", [], undefined),
        (databases) => ({ connection, path: String(databases[0]?.file ?? "") })
      )))
    if (path === "") {
      // In memory: there is no other process.
      return Changes.make({ begin: () => {}, end: () => {} })
    }
    // The one connection, used without reserving it: the statement touches no page, and may stand in any transaction.
    const read = connection.execute("PRAGMA data_version", [], undefined)
    let listening = false
    let quietPolls = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    let watcher: FSWatcher | undefined
    // Undefined until the first poll, which tells nobody: what was there before it, its listener has yet to read.
    let last: unknown

    const poll = () => {
      Effect.runCallback(read, {
        onExit: (exit) => {
          // A failed poll says nothing; whoever needs the database will meet the failure itself.
          const version = Exit.isSuccess(exit) ? exit.value[0]?.data_version : last
          const changed = last !== undefined && version !== last
          last = version
          quietPolls = changed ? 0 : quietPolls + 1
          if (changed) {
            unwatch()
            Effect.runSync(changes.announce)
          }
          schedule()
        }
      })
    }
    const schedule = () => {
      clearTimeout(timer)
      if (!listening) {
        return
      }
      const idle = quietPolls >= activePolls
      if (idle && watcher === undefined && (quietPolls - activePolls) % pollsBetweenWatches === 0 && watchLog()) {
        // Once more at once, for what was committed since the last poll and before the watch.
        timer = setTimeout(poll, 0)
        return
      }
      const pause = !idle
        ? Math.min(2 ** quietPolls, intervals.pollMillis)
        : watcher === undefined
        ? intervals.idlePollMillis
        : watchedPollMillis
      timer = setTimeout(poll, pause)
    }
    const look = () => {
      unwatch()
      quietPolls = 0
      schedule()
    }
    const watchLog = (): boolean => {
      // Fails where there is no log yet, no watch left, or a file system that has none.
      const exit = Effect.runSyncExit(Effect.sync(() => watch(`${path}-wal`, look).on("error", look)))
      watcher = Exit.isSuccess(exit) ? exit.value : undefined
      return watcher !== undefined
    }
    const unwatch = () => {
      watcher?.close()
      watcher = undefined
    }
    const changes = Changes.make({
      begin: () => {
        listening = true
        quietPolls = 0
        poll()
      },
      end: () => {
        listening = false
        unwatch()
        clearTimeout(timer)
      }
    })
    return changes
  })

// internal -----------------------------------------------------------------------------------------------------------

/** 1, 2, 4 ... 64, 100 ms: a quarter of a second, which most syncs take less than. */
const activePolls = 8

/** Behind the watch, should it miss something. */
const watchedPollMillis = 1_000

/** Where watching failed it is tried again this often, since the log's file may come. */
const pollsBetweenWatches = 100
