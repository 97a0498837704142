/** Runs a script of this folder in a Node process of its own; what it printed as JSON. */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"

export const child = <A>(script: string, options: {
  readonly flags?: ReadonlyArray<string>
  readonly args?: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string>>
} = {}): Promise<A> =>
  new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [
        ...options.flags ?? [],
        "--import",
        "tsx",
        fileURLToPath(new URL(script, import.meta.url)),
        ...options.args ?? []
      ],
      { env: { ...process.env, ...options.environment }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => error === null ? resolve(JSON.parse(stdout) as A) : reject(new Error(stderr))
    )
  })
