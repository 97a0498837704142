/**
 * Telling that a process is gone: for certain, or not at all. What the kernel tells is read from /proc: Linux only.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import * as ProcessIdentity from "../../src/runtime/ProcessIdentity.js"

const own = JSON.parse(ProcessIdentity.current) as { readonly pid: number; readonly start: string }
const isGone = (changes: object) => ProcessIdentity.isGone(JSON.stringify({ ...own, ...changes }))

/** Starts a shell, and gives the first number that it prints once the condition holds. */
const pidFrom = async (script: string, holds: (pid: number) => boolean): Promise<number> => {
  const shell = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] })
  shells.push(shell)
  const pid = await new Promise<number>((resolve) => shell.stdout.once("data", (data) => resolve(Number(String(data)))))
  while (!holds(pid)) await new Promise((resolve) => setTimeout(resolve, 5))
  return pid
}
const shells: Array<ReturnType<typeof spawn>> = []
const stateOf = (pid: number): string => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  return stat.slice(stat.lastIndexOf(")") + 2)[0] ?? ""
}
const startOf = (pid: number): string => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
}

describe.skipIf(!existsSync("/proc/self/stat"))("a process", () => {
  it("that is this one, or another that runs, is not gone (N1)", async () => {
    assert.isFalse(isGone({}))
    const pid = await pidFrom("echo $$; exec sleep 30", () => true)
    assert.isFalse(isGone({ pid, start: startOf(pid) }))
  })

  it("of another machine, boot or container is left to its lease, whatever its number (I4)", () => {
    assert.isFalse(isGone({ host: "elsewhere", pid: 2 ** 22 }))
    assert.isFalse(isGone({ realm: "another boot", pid: 2 ** 22 }))
    assert.isFalse(ProcessIdentity.isGone("not what we write"))
    assert.isFalse(ProcessIdentity.isGone("{}"))
  })

  it("that does not run any more is gone (N1)", async () => {
    // No process has a number beyond the kernel's largest.
    assert.isTrue(isGone({ pid: 2 ** 22 + 1 }))
    const pid = await pidFrom("echo $$", (pid) => !existsSync(`/proc/${pid}`))
    assert.isTrue(isGone({ pid }))
  })

  it("whose number was given to another one since is gone (N1)", () => {
    assert.isTrue(isGone({ start: `${own.start}0` }))
  })

  it("that was killed, and whose parent has not taken note, is gone (N1)", async () => {
    const pid = await pidFrom("sleep 0 & echo $!; exec sleep 30", (pid) => stateOf(pid) === "Z")
    assert.isTrue(isGone({ pid, start: startOf(pid) }))
    for (const shell of shells) shell.kill("SIGKILL")
  })
})
