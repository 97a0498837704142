/**
 * Archives: where histories go before their runs are deleted (row X1). One is given to a store, `SqliteStore.layer({
 * archive })`; `directory` keeps files, any other one is an object with `put`.
 *
 * @since 0.1.0
 */
export { ArchiveFailed } from "./Archive.js"
export type { Archive, ArchivedRun } from "./Archive.js"
export { decode } from "./codec/ArchivedHistory.js"
export { directory } from "./DirectoryArchive.js"
