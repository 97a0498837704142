/**
 * Large payloads as files of a directory, each named by the hash of its content (row N5).
 *
 * A file is complete once it has its name: it is written beside, synced, and renamed. Processes may share the directory.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as crypto from "node:crypto"
import * as fs from "node:fs/promises"
import * as Path from "node:path"
import type { PayloadStore } from "./PayloadCodec.js"

/**
 * @category constructors
 * @since 0.1.0
 */
export const directory = (path: string): PayloadStore => {
  const of = (reference: string) => Path.join(path, reference.slice(0, 2), reference)
  return {
    put: (bytes) =>
      attempt(async () => {
        const reference = crypto.createHash("sha256").update(bytes).digest("hex")
        const file = of(reference)
        await fs.mkdir(Path.dirname(file), { recursive: true })
        // A crash here leaves a file that nothing refers to.
        const beside = `${file}.${crypto.randomUUID()}`
        const handle = await fs.open(beside, "wx")
        try {
          await handle.writeFile(bytes)
          await handle.sync()
        } finally {
          await handle.close()
        }
        await fs.rename(beside, file)
        return reference
      }),
    get: (reference) =>
      attempt(async () => {
        if (!/^[0-9a-f]{64}$/.test(reference)) throw new Error(`${reference} is no reference to a payload`)
        const bytes = await fs.readFile(of(reference))
        if (crypto.createHash("sha256").update(bytes).digest("hex") !== reference) {
          throw new Error(`the file of payload ${reference} was changed`)
        }
        return bytes
      })
  }
}

const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, Error> =>
  Effect.tryPromise({ try: run, catch: (error) => error instanceof Error ? error : new Error(String(error)) })
