/**
 * The documentation is true: every `ts` fence in README.md and docs/ compiles against the sources, and the fences that
 * say `ts run` are executed and must end well.
 *
 *   page.md --fences--> .cache/docs/page.md/line-<n>.ts --tsc, once for all--> errors by page and line
 *                                                       --tsx, `run` only----> exit code 0
 *
 * 1. A fence is a module of its own. `ts file=contract.ts` gives it a name, and other fences of that page may import
 *    "./contract.js".
 * 2. An extracted fence begins on the same line as in its page, so that what tsc and stack traces say is right for the
 *    page too.
 */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const folder = Path.join(root, ".cache/docs")

interface Fence {
  readonly page: string
  /** The line of the opening fence, from 1. */
  readonly line: number
  readonly words: ReadonlyArray<string>
  readonly code: string
}

/** An example in the docs is read by one who waits for it: it must not take longer. */
const runMillisMax = 120_000

const fencesIn = (page: string): ReadonlyArray<Fence> => {
  const text = readFileSync(Path.join(root, page), "utf8")
  // Indentation, ticks, info, code, and the same ticks again. A fence inside of a longer fence is part of its text.
  const matches = text.matchAll(/^([ \t]*)(`{3,})([^`\n]*)\n(.*?)^[ \t]*\2[ \t]*$/gms)
  return Array.from(matches).flatMap(([, indent = "", , info = "", code = ""], index, all) => {
    const [language, ...words] = info.trim().split(/\s+/)
    if (language !== "ts") return []
    const line = text.slice(0, all[index]!.index).split("\n").length
    return [{ page, line, words, code: code.replaceAll(new RegExp(`^${indent}`, "gm"), "") }]
  })
}

const pages = (): ReadonlyArray<string> =>
  [
    "README.md",
    ...readdirSync(Path.join(root, "docs"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .sort()
      .map((name) => Path.posix.join("docs", name.split(Path.sep).join("/")))
  ].filter((page) => existsSync(Path.join(root, page)))

const fileOf = ({ line, page, words }: Fence): string => {
  const named = words.find((word) => word.startsWith("file="))?.slice("file=".length)
  return Path.join(folder, page, named ?? `line-${line}.ts`)
}

const extract = (fence: Fence): void => {
  const file = fileOf(fence)
  mkdirSync(Path.dirname(file), { recursive: true })
  writeFileSync(file, "\n".repeat(fence.line) + fence.code + "\n")
}

/** An example that leaves files leaves them in `folder`. Leaves the event loop free: while it compiles for a minute, the test runner must still hear from this process. */
const run = (command: string, cwd: string, ...args: ReadonlyArray<string>) =>
  new Promise<{ readonly status: unknown; readonly output: string }>((resolve) => {
    const bin = Path.join(root, "node_modules/.bin", command)
    const options = { cwd, timeout: runMillisMax, maxBuffer: Infinity }
    execFile(bin, args, options, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`.replaceAll(".cache/docs/", "")
      const status = error === null ? 0 : error.code ?? error.signal
      resolve({ status, output: error?.killed === true ? `${output}\n${error.message}` : output })
    })
  })

const fences = pages().flatMap(fencesIn)

describe("docs", () => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const fence of fences) extract(fence)

  it("every fence compiles", { timeout: 2 * runMillisMax }, async () => {
    if (fences.length === 0) return
    const tsconfig = {
      extends: "../../tsconfig.json",
      compilerOptions: { incremental: false, tsBuildInfoFile: null },
      include: ["."],
      exclude: []
    }
    writeFileSync(Path.join(folder, "tsconfig.json"), JSON.stringify(tsconfig))
    const { output, status } = await run("tsc", root, "--project", folder, "--pretty", "false")
    assert.strictEqual(status, 0, `\n${output}`)
  })

  for (const fence of fences.filter(({ words }) => words.includes("run"))) {
    it(`${fence.page}:${fence.line} runs`, { timeout: 2 * runMillisMax }, async () => {
      const { output, status } = await run("tsx", folder, fileOf(fence))
      assert.strictEqual(status, 0, `\n${output}`)
    })
  }
})
