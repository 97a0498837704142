import * as Effect from "effect/Effect"
import { body, Pack, Parcel, Post } from "./contract.js"

export default Parcel.toLayer(body(Effect.zipRight(Post.execute(), Pack.execute())))
