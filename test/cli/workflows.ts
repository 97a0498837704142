import * as Effect from "effect/Effect"
import { body, Pack, Parcel, Post } from "./contract.js"

export const layers = [Parcel.toLayer(body(Effect.zipRight(Pack.execute(), Post.execute())))]
