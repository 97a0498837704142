export * as SqliteStore from "./persistence/sqlite/SqliteStore.js"
export { Store, StoreError } from "./persistence/Store.js"
export type { Durability } from "./persistence/Store.js"
export * as Transactional from "./transactional/Transactional.js"
