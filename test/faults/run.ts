/**
 * Applies each fault of `faults.ts` to a copy of the sources, and asks whether the tests named with it turn red. Two at a
 * time, each in a copy of its own.
 *
 *   npm run faults                 all of them
 *   npm run faults -- fence wake   those whose names have one of the words
 *
 * Ends with `faults: N caught, N missed`. A fault that no longer fits the sources is a missed one: it proves nothing.
 */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import type { Fault } from "./faults.js"
import { faults } from "./faults.js"

interface Verdict {
  readonly caught: boolean
  readonly how: string
}

const root = fileURLToPath(new URL("../..", import.meta.url))

/** No test takes so long when it is green: a hang is a way to be red. */
const limitMillis = 90_000

const copiesMax = 2

const prepare = (copy: string): void => {
  fs.rmSync(copy, { recursive: true, force: true })
  fs.mkdirSync(copy, { recursive: true })
  for (const name of ["src", "test", "examples", "bench", "package.json", "tsconfig.json"]) {
    fs.cpSync(Path.join(root, name), Path.join(copy, name), { recursive: true })
  }
  fs.symlinkSync(Path.join(root, "node_modules"), Path.join(copy, "node_modules"))
}

const tryOut = async (fault: Fault, copy: string): Promise<Verdict> => {
  const file = Path.join(copy, fault.file)
  const sound = fs.readFileSync(file, "utf8")
  if (sound.split(fault.from).length !== 2) {
    return { caught: false, how: `${fault.file} does not have the text to be replaced exactly once` }
  }
  fs.writeFileSync(file, sound.replace(fault.from, () => fault.to))
  try {
    return await red(fault.tests, copy)
  } finally {
    fs.writeFileSync(file, sound)
  }
}

const red = (tests: ReadonlyArray<string>, copy: string): Promise<Verdict> =>
  new Promise((resolve) => {
    let output = ""
    const child = spawn(
      process.execPath,
      [
        Path.join(root, "node_modules/vitest/vitest.mjs"),
        "run",
        "--config",
        "test/vitest.config.ts",
        "--project",
        "unit",
        "--bail",
        "1",
        "--testTimeout",
        "30000",
        ...tests
      ],
      { cwd: copy, detached: true, env: { ...process.env, CI: "", NO_COLOR: "1" }, stdio: ["ignore", "pipe", "pipe"] }
    )
    child.stdout.on("data", (data) => output += data)
    child.stderr.on("data", (data) => output += data)
    const timer = setTimeout(() => process.kill(-child.pid!, "SIGKILL"), limitMillis)
    child.once("close", (code, signal) => {
      clearTimeout(timer)
      const failed = /(?:×|FAIL) .*/.exec(output)?.[0].replace(/^(?:×|FAIL) +/, "").replace(/ \d+ms$/, "")
      if (signal !== null) resolve({ caught: true, how: `hung: no end within ${limitMillis / 1_000} seconds` })
      else if (code === 0) resolve({ caught: false, how: `green: ${tests.join(", ")}` })
      // Red for any other reason than a test proves nothing.
      else if (failed === undefined) resolve({ caught: false, how: `no test failed: ${output.trim().slice(-300)}` })
      else resolve({ caught: true, how: failed })
    })
  })

const words = process.argv.slice(2)
const chosen = faults.filter((fault) => words.length === 0 || words.some((word) => fault.name.includes(word)))
let missed = 0
let next = 0
const work = async (number: number): Promise<void> => {
  const copy = Path.join(root, `.cache/faults-${number}`)
  prepare(copy)
  for (let index = next++; index < chosen.length; index = next++) {
    const fault = chosen[index]!
    const begun = performance.now()
    const { caught, how } = await tryOut(fault, copy)
    if (!caught) missed++
    const seconds = ((performance.now() - begun) / 1_000).toFixed(0)
    console.log(
      `${caught ? "✓" : "✗"} ${index + 1}/${chosen.length} ${fault.name} (${fault.breaks}, ${seconds} s)\n    ${how}`
    )
  }
  fs.rmSync(copy, { recursive: true, force: true })
}
await Promise.all(Array.from({ length: copiesMax }, (_, index) => work(index + 1)))
console.log(`\nfaults: ${chosen.length - missed} caught, ${missed} missed`)
process.exitCode = missed === 0 ? 0 : 1
