/**
 * perdure: durable execution for TypeScript, on Effect.
 *
 * @since 0.1.0
 */
export { LivenessFault } from "./core/Liveness.js"
export { NondeterminismError } from "./core/Replay.js"
export * as Activity from "./dsl/Activity.js"
export { ActivityError } from "./dsl/ActivityError.js"
export { ApplicationError } from "./dsl/ApplicationError.js"
export * as Batch from "./dsl/Batch.js"
export { ChildWorkflowError } from "./dsl/ChildWorkflowError.js"
export { Client } from "./dsl/Client.js"
export type {
  Attention,
  Description,
  Handle,
  IdConflict,
  IdReuse,
  PendingActivity,
  PendingChild,
  QueryOptions,
  SignalMessage,
  SignalOptions,
  SignalWithStartOptions,
  StartOptions,
  UpdateHandle,
  UpdateMessage,
  UpdateWithStartOptions
} from "./dsl/Client.js"
export { ContractError } from "./dsl/Contract.js"
export { DeploymentError } from "./dsl/Deployments.js"
export type {
  DeploymentDescription,
  Deployments,
  DeploymentVersion,
  RouteOptions,
  Versioning
} from "./dsl/Deployments.js"
export * as Entity from "./dsl/Entity.js"
export * as Filter from "./dsl/Filter.js"
export * as Interceptor from "./dsl/Interceptor.js"
export { FilterError } from "./dsl/Listed.js"
export type { Count, Listed, ListOptions, Order, Page, PageOptions, Query } from "./dsl/Listed.js"
export { ActivityNotFound, AsyncActivityCanceled } from "./dsl/OutsideActivity.js"
export type { ActivityCompletion, ActivityControl, ActivityKey } from "./dsl/OutsideActivity.js"
export type { ResetOptions } from "./dsl/ResetOptions.js"
export * as Schedule from "./dsl/Schedule.js"
export * as SearchAttribute from "./dsl/SearchAttribute.js"
export * as State from "./dsl/State.js"
export * as Step from "./dsl/Step.js"
export type { WorkerVersion } from "./dsl/WorkerVersion.js"
export * as Workflow from "./dsl/Workflow.js"
export {
  CallTimeout,
  QueryFailed,
  QueryRejected,
  ResetRefused,
  StoreUnavailable,
  UpdateFailed,
  UpdateNotFound,
  WorkflowAlreadyStarted,
  WorkflowClosed,
  WorkflowContinuedAsNew,
  WorkflowFailure,
  WorkflowNotFound
} from "./dsl/WorkflowFailure.js"
export * as Archive from "./persistence/Archives.js"
export * as PayloadCodec from "./persistence/PayloadCodecs.js"
export * as StoreClient from "./runtime/ClientOf.js"
export { WorkerConfigError } from "./runtime/Hosts.js"
export * as Liveness from "./runtime/Liveness.js"
export * as SlotSupplier from "./runtime/SlotSupplier.js"
export * as Worker from "./runtime/Worker.js"
