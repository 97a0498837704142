import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { UpdateHandle } from "perdure"
import { Activity, type Client, ContractError, Interceptor, StoreClient, Worker, Workflow } from "perdure"
import type { Store } from "perdure/sqlite"
import { describe, expect, it } from "tstyche"

class Roles extends Context.Tag("Roles")<Roles, { readonly of: (user: string) => Effect.Effect<string> }>() {}
class Meter extends Context.Tag("Meter")<Meter, { readonly count: Effect.Effect<void> }>() {}

const plain = Interceptor.make("plain", {})
const roles = Interceptor.make("roles", {
  client: {
    start: (call, next) => Effect.flatMap(Roles, (roles) => Effect.flatMap(roles.of(call.workflow), () => next(call))),
    signal: (call, next) => next(call)
  },
  activity: {
    execute: (call, next) =>
      Effect.gen(function*() {
        yield* Activity.info
        yield* Effect.addFinalizer(() => Effect.void)
        yield* (yield* Meter).count
        return yield* next(call)
      })
  }
})

describe("Interceptor.make", () => {
  it("asks for what hooks of client and activity use, but for what an attempt has of itself", () => {
    expect(plain).type.toBe<Interceptor.Interceptor<never>>()
    expect(roles).type.toBe<Interceptor.Interceptor<Roles | Meter>>()
  })

  it("gives calls and results their types", () => {
    Interceptor.make("seen", {
      client: {
        start: (call, next) => {
          expect(call).type.toBe<Interceptor.StartCall>()
          expect(next(call)).type.toBeAssignableTo<Effect.Effect<Interceptor.Started, unknown>>()
          return next(call)
        },
        update: (call, next) => {
          expect(next(call)).type.toBe<Effect.Effect<UpdateHandle<unknown, unknown>, unknown>>()
          return next(call)
        }
      },
      workflow: {
        execute: (call, next) => Effect.zipRight(Workflow.now, next(call)),
        continueAsNew: (call, next) => {
          expect(next(call)).type.toBe<Effect.Effect<never>>()
          return next(call)
        }
      }
    })
  })

  it("a hook fails with no error that its call has not", () => {
    Interceptor.make("refuses", {
      client: { start: () => new ContractError({ subject: "start", reason: "not today" }) }
    })
    Interceptor.make("invents", {
      // @ts-expect-error not assignable
      client: { start: () => Effect.fail("not today") }
    })
  })

  it("a hook of a workflow uses what bodies may", () => {
    Interceptor.make("outside", {
      // @ts-expect-error not assignable
      workflow: { execute: (call, next) => Effect.zipRight(Meter, next(call)) }
    })
  })

  it("a hook that nobody would call does not compile", () => {
    // @ts-expect-error may only specify known properties
    Interceptor.make("slip", { client: { strat: () => Effect.void } })
    // @ts-expect-error may only specify known properties
    Interceptor.make("slip", { clients: {} })
  })
})

describe("Interceptor.layer", () => {
  it("asks for the services of all, and changes nothing of what it is given to", () => {
    expect(Interceptor.layer(plain)).type.toBe<Layer.Layer<never>>()
    expect(Interceptor.layer(plain, roles)).type.toBe<Layer.Layer<never, never, Roles | Meter>>()
    expect(StoreClient.layer.pipe(Layer.provide(Interceptor.layer(plain)))).type.toBe<
      Layer.Layer<Client, never, Store>
    >()
    const Hello = Workflow.make("Hello").toLayer(() => Effect.void)
    expect(
      Worker.layer({ hosts: [Hello.pipe(Layer.provide(Interceptor.layer(roles)))] })
    ).type.toBeAssignableTo<Layer.Layer<Client, unknown, Store | Roles | Meter>>()
  })
})
