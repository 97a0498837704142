/**
 * An archive of files: one a run, in a folder a day.
 *
 * ```
 *   billing/2030-01-31/0194e0a0-....json
 *   namespace/day on which it closed, in UTC/run id
 * ```
 *
 * A file is complete once it has its name: it is written beside, synced, and renamed, and so is the folder that names it.
 * A crash before that leaves a file of another name, which means nothing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as crypto from "node:crypto"
import * as fs from "node:fs/promises"
import * as Path from "node:path"
import type { Archive } from "./Archive.js"
import { ArchiveFailed } from "./Archive.js"

/**
 * Archives into a directory, which is created where it is not there. Processes may share it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const directory = (path: string): Archive => ({
  put: ({ closedAt, history, namespace, runId }) =>
    Effect.tryPromise({
      try: async () => {
        const folder = Path.join(path, encodeURIComponent(namespace), closedAt.toISOString().slice(0, 10))
        const file = Path.join(folder, `${encodeURIComponent(runId)}.json`)
        const created = await fs.mkdir(folder, { recursive: true })
        const beside = `${file}.${crypto.randomUUID()}`
        try {
          const handle = await fs.open(beside, "wx")
          try {
            await handle.writeFile(history)
            await handle.sync()
          } finally {
            await handle.close()
          }
          await fs.rename(beside, file)
        } catch (error) {
          await fs.rm(beside, { force: true })
          throw error
        }
        // The name must survive as well, and the names of the folders above that are new.
        for (const named of foldersFrom(folder, created)) {
          await syncFolder(named)
        }
      },
      catch: (error) => new ArchiveFailed({ runId, reason: error instanceof Error ? error.message : String(error) })
    })
})

// internal -----------------------------------------------------------------------------------------------------------

/** The folder, and those above it up to the one in which the first new one is. */
const foldersFrom = (folder: string, created: string | undefined): ReadonlyArray<string> => {
  const folders = [folder]
  const top = created === undefined ? folder : Path.dirname(Path.resolve(created))
  for (let each = Path.resolve(folder); each !== top && each !== Path.dirname(each);) {
    each = Path.dirname(each)
    folders.push(each)
  }
  return created === undefined ? [folder] : folders
}

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await fs.open(folder, "r").catch(() => undefined)
  // Some systems have no such thing as syncing a folder.
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}
