/**
 * Which folder may import which. Type-only imports count: a port lives with whoever needs it, so nothing has to
 * point back even for a type. To add a layer, add a line to `layers`; to widen one, say why beside it.
 */
const layers = {
  core: [],
  dsl: ["core/"],
  persistence: ["core/"],
  // Of persistence only the port: the runtime works on any store.
  runtime: ["core/", "dsl/", "persistence/Store\\.ts$"],
  // Where SQL of the user meets the dsl and the client, which know none.
  transactional: ["core/", "dsl/", "runtime/", "persistence/"],
  // Activities on worker_threads, behind an entry point of their own.
  threads: ["core/", "dsl/"],
  // The test kit runs the real engine on the real store.
  testing: ["core/", "dsl/", "persistence/", "runtime/"],
  // Commands put everything together, for the shell.
  cli: ["core/", "dsl/", "persistence/", "runtime/", "testing/"]
}

/** Where SQL may be spoken: in persistence, and in the entry points that put the parts together. */
const sql = "^(@effect/sql|better-sqlite3$|pg$)|node_modules/(@effect/sql|better-sqlite3/|pg/)"

const mayImport = Object.entries(layers).map(([name, below]) => ({
  name: `${name}-may-import-${below.length === 0 ? "nothing-of-ours" : "only-what-is-below-it"}`,
  severity: "error",
  from: { path: `^src/${name}/` },
  to: { path: "^src/", pathNot: [`${name}/`, ...below].map((path) => `^src/${path}`) }
}))

export default {
  forbidden: [
    ...mayImport,
    {
      name: "every-folder-is-a-layer",
      comment: "A new folder in src needs a line in `layers`.",
      severity: "error",
      from: { path: "^src/[^/]+/", pathNot: `^src/(${Object.keys(layers).join("|")})/` },
      to: {}
    },
    {
      name: "no-circular",
      severity: "error",
      from: {},
      to: { circular: true }
    },
    {
      name: "sql-stays-in-persistence",
      severity: "error",
      from: { path: "^src/(core|dsl|runtime)/" },
      to: { path: sql }
    },
    {
      name: "core-is-pure",
      comment: "core holds data and decisions: no I/O, no clock, no fiber, no Layer.",
      severity: "error",
      from: { path: "^src/core/" },
      to: {
        path: [
          "^(node:|@effect/)|node_modules/@effect/",
          "effect/.*/(Layer|Clock|Fiber[A-Za-z]*|Random|Runtime|ManagedRuntime|Scheduler)\\.(js|d\\.ts)$"
        ]
      }
    },
    {
      name: "core-asks-no-platform",
      severity: "error",
      from: { path: "^src/core/" },
      to: { dependencyTypes: ["core"] }
    },
    {
      name: "examples-use-the-package",
      comment: "An example imports `perdure` by name, as its reader will.",
      severity: "error",
      from: { path: "^examples/" },
      to: { path: "^src/", pathNot: "^src/[^/]+\\.ts$" }
    },
    {
      name: "src-imports-no-tests",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|bench|examples)/" }
    },
    {
      name: "no-unresolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true }
    },
    {
      name: "no-undeclared-package",
      severity: "error",
      from: { path: "^src/" },
      // effect is both: users bring it (peer), and we build with a pinned one (dev).
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["npm-peer"] }
    }
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^test/package/consumer/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "types", "default"]
    }
  }
}
