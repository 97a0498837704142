/**
 * What the bench prints, and writes into the documentation.
 */
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as Path from "node:path"
import * as Measure from "./Measure.js"
import type { Figure } from "./Rounds.js"
import { rounded } from "./Rounds.js"
import { BenchError } from "./Scenario.js"

/** A scenario that was run. */
export interface Line {
  readonly scenario: string
  readonly store: string
  readonly durability: string
  readonly figures: ReadonlyArray<Figure>
}

export const json = ({ durability, figures, scenario, store }: Line): string =>
  JSON.stringify({
    scenario,
    store,
    durability,
    metrics: Object.fromEntries(figures.map(({ median, metric }) => [metric, rounded(median)]))
  })

const header = ["scenario", "metric", "median", "lowest", "highest"]

const cells = (lines: ReadonlyArray<Line>): ReadonlyArray<ReadonlyArray<string>> =>
  lines.flatMap(({ figures, scenario }) =>
    figures.map(({ highest, lowest, median, metric }) => [
      scenario,
      metric,
      ...[median, lowest, highest].map((value) => rounded(value).toLocaleString("en-US"))
    ])
  )

export const table = (lines: ReadonlyArray<Line>): string => {
  const rows = [header, ...cells(lines)]
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row.map((cell, column) => column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)).join("  ")
  ).join("\n")
}

/** What the figures depend on besides the code. */
export const machine = (folder: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.sync(() => {
    fs.mkdirSync(folder, { recursive: true })
    const cpus = os.cpus()
    const db = new Sqlite(":memory:")
    const sqlite = String(db.prepare("SELECT sqlite_version()").pluck().get())
    db.close()
    const { type } = fs.statfsSync(folder)
    return [
      `${cpus.length} × ${cpus[0]?.model ?? "unknown processor"}, ${
        (os.totalmem() / 1024 ** 3).toFixed(0)
      } GB, ${os.type()} ${os.release()}`,
      `Node ${process.versions.node}, SQLite ${sqlite}`,
      `file system ${fileSystems[type] ?? `0x${type.toString(16)}`}, fdatasync of 8 KB ${
        syncMillis(folder).toFixed(2)
      } ms`
      + `, load ${os.loadavg()[0]!.toFixed(1)} at the start`
    ]
  })

/** By the number that Linux gives them. */
const fileSystems: Readonly<Record<number, string>> = {
  0xef53: "ext4",
  0x58465342: "xfs",
  0x9123683e: "btrfs",
  0x794c7630: "overlayfs",
  0x01021994: "tmpfs (memory: syncs cost nothing, and the figures mean little)"
}

/** Median of a hundred. */
const syncMillis = (folder: string): number => {
  const path = Path.join(folder, `sync-${process.pid}`)
  const file = fs.openSync(path, "w")
  const page = Buffer.alloc(8192)
  const taken = Array.from({ length: 100 }, () => {
    const begun = performance.now()
    fs.writeSync(file, page)
    fs.fdatasyncSync(file)
    return performance.now() - begun
  })
  fs.closeSync(file)
  fs.unlinkSync(path)
  return Measure.median(taken)
}

/** Replaces what stands between the two marks of this durability. */
export const intoDocs = (
  path: string,
  durability: string,
  machine: ReadonlyArray<string>,
  lines: ReadonlyArray<Line>
): Effect.Effect<void, BenchError> =>
  Effect.gen(function*() {
    const begin = `<!-- figures: ${durability} -->`
    const end = "<!-- end of figures -->"
    const text = fs.readFileSync(path, "utf8")
    const from = text.indexOf(begin)
    const to = text.indexOf(end, from)
    if (from < 0 || to < 0) {
      return yield* new BenchError({ reason: `${path} has no ${begin} followed by ${end}` })
    }
    const rows = [header, ["---", "---", "--:", "--:", "--:"], ...cells(lines)]
    const figures = [...machine.map((line) => `- ${line}`), "", ...rows.map((row) => `| ${row.join(" | ")} |`)]
    fs.writeFileSync(path, `${text.slice(0, from)}${begin}\n${figures.join("\n")}\n${text.slice(to)}`)
  })
