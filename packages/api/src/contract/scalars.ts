import { type Static, type TNull, type TSchema, type TUnion, type TUnsafe, Type } from "typebox";

/** A UUID in lower-case dashed form. Requests may use any form that docs/protocol/rest.md §1.4 lists. */
export const Uuid = Type.String({ format: "uuid" });

/** RFC 3339 in UTC with `Z`, microsecond precision (docs/protocol/rest.md, preamble). */
export const Timestamp = Type.String({ format: "date-time" });

/** The encoding of an absent time. */
export const zeroTimestamp = "0001-01-01T00:00:00Z";

export const nullable = <S extends TSchema>(schema: S): TUnion<[S, TNull]> =>
  Type.Union([schema, Type.Null()]);

/** A string from a fixed list. */
export const oneOf = <const V extends readonly string[]>(...values: V): TUnsafe<V[number]> =>
  Type.Unsafe<V[number]>(Type.String({ enum: [...values] }));

export type Infer<S extends TSchema> = Static<S>;
