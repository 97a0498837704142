/** Workflows whose module ends its process. */
export { layers } from "./workflows.js"

process.exit(3)
