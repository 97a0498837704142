/** Lets a thread load TypeScript: on Node 20, `--import` does not reach the module of a thread. */
import { register } from "tsx/esm/api"

register()
await import("./run-thread.ts")
