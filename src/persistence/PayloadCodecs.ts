/**
 * Codecs for payloads, and the layer that puts them between the engine and its store (row N5).
 *
 * @since 0.1.0
 */
export { directory } from "./codec/DirectoryPayloads.js"
export { layer } from "./codec/EncodedStore.js"
export * from "./codec/PayloadCodec.js"
