/**
 * Compiles `src` and `bench` to plain JavaScript, twice, types unchecked: `npm run check:tsc` checks them.
 *
 * - bundled: a file for the child and one for each scenario, with all that they import but the native driver; what they
 *   share is in files of its own. A worker is deployed like this.
 * - modules: file by file, each importing its packages from `node_modules`, some six hundred files. A worker starts like
 *   this where nobody bundled it.
 */
import { build } from "esbuild"
import * as fs from "node:fs"
import * as Path from "node:path"
import type { Packaging } from "./Scenario.js"

/** Returns the compiled file of `bench/child.ts`, in both ways. */
export const compile = async (root: string): Promise<Readonly<Record<Packaging, string>>> => {
  const out = Path.join(root, ".cache/bench")
  const files = (...folders: ReadonlyArray<string>) =>
    folders.flatMap((folder) =>
      fs.readdirSync(Path.join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts"))
        .map((name) => Path.join(root, folder, name))
    )
  const common = { outbase: root, format: "esm", platform: "node", target: "node20", logLevel: "error" } as const
  const bundled = Path.join(out, "bundled")
  await build({
    ...common,
    entryPoints: [Path.join(root, "bench/child.ts"), ...files("bench/scenarios")],
    outdir: bundled,
    bundle: true,
    splitting: true,
    external: ["better-sqlite3"]
  })
  const modules = Path.join(out, "modules")
  await build({ ...common, entryPoints: files("src", "bench"), outdir: modules })
  const { exports, name } = JSON.parse(fs.readFileSync(Path.join(root, "package.json"), "utf8")) as {
    readonly name: string
    readonly exports: Record<string, string | { readonly import: string }>
  }
  // A package of the same name makes `perdure` mean the sources compiled beside it, and not `dist`.
  const entries = Object.entries(exports).flatMap(([key, entry]) =>
    typeof entry === "string" ? [] : [[key, entry.import.replace("./dist/", "./src/")]]
  )
  write(bundled, { type: "module" })
  write(modules, { name, type: "module", exports: Object.fromEntries(entries) })
  return { bundled: Path.join(bundled, "bench/child.js"), modules: Path.join(modules, "bench/child.js") }
}

const write = (folder: string, manifest: object): void => {
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(Path.join(folder, "package.json"), JSON.stringify(manifest))
}
