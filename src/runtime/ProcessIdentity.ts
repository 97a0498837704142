/**
 * Who a worker is, as other processes on the same machine can tell: so that a killed worker's executions are taken over
 * at once, and not when its lease lapses.
 *
 * A process is gone for certain when it ran on this boot of this machine, in this process-id namespace, and no process of
 * its id and start time is there any more. In all other cases only the lease decides.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as os from "node:os"

const Identity = Schema.Struct({
  host: Schema.String,
  /** Boot and process-id namespace; empty where the system does not tell. */
  realm: Schema.String,
  pid: Schema.Number,
  /** The process's start as the system counts it; empty where it does not tell. */
  start: Schema.String
})
type Identity = typeof Identity.Type

const read = (path: string): string => {
  try {
    return fs.readFileSync(path, "utf8").trim()
  } catch {
    return ""
  }
}

const link = (path: string): string => {
  try {
    return fs.readlinkSync(path)
  } catch {
    return ""
  }
}

/** The fields of /proc/PID/stat from the third on: the name before them may hold spaces and brackets. */
const statOf = (pid: number): ReadonlyArray<string> => {
  const stat = read(`/proc/${pid}/stat`)
  return stat === "" ? [] : stat.slice(stat.lastIndexOf(")") + 2).split(" ")
}

/** Field 22. */
const startOf = (pid: number): string => statOf(pid)[19] ?? ""

/** A killed process whose parent has not asked for its end is still listed. */
const isDead = (pid: number): boolean => ["Z", "X", "x"].includes(statOf(pid)[0] ?? "")

const own: Identity = {
  host: os.hostname(),
  realm: `${read("/proc/sys/kernel/random/boot_id")} ${link("/proc/self/ns/pid")}`.trim(),
  pid: process.pid,
  start: startOf(process.pid)
}

/** This process. @since 0.1.0 */
export const current: string = JSON.stringify(own)

const decode = Schema.decodeUnknownOption(Schema.parseJson(Identity))

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Not permitted means that it is there, under another user.
    return (error as { readonly code?: unknown }).code !== "ESRCH"
  }
}

/** Whether the process of this identity has certainly ended. @since 0.1.0 */
export const isGone = (identity: string): boolean => {
  // Other workers of this process, of which the system need not be asked.
  if (identity === current) return false
  const decoded = decode(identity)
  if (decoded._tag === "None") return false
  const other = decoded.value
  if (other.host !== own.host || other.realm !== own.realm) return false
  if (!runs(other.pid) || isDead(other.pid)) return true
  return other.start !== "" && startOf(other.pid) !== other.start
}
