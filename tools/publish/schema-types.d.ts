/*
 * The types of schemas, as the declarations of the SDK name them. They stand in for those of the library that builds the
 * schemas: a hundred times as long, and of no use to a program that only receives the values.
 */

declare const value: unique symbol;
declare const optional: unique symbol;

export interface TSchema {
  readonly [value]: unknown;
}

/** The type of the values that a schema describes. */
export type Static<S extends TSchema> = S[typeof value];

interface SchemaOf<T> extends TSchema {
  readonly [value]: T;
}

export type TNull = SchemaOf<null>;
export type TUnion<S extends readonly TSchema[]> = SchemaOf<Static<S[number]>>;
export type TUnsafe<T> = SchemaOf<T>;

interface OptionalMark {
  readonly [optional]: true;
}

type Fields = Readonly<Record<string, TSchema>>;
type OptionalKey<F extends Fields> = {
  [K in keyof F]: F[K] extends OptionalMark ? K : never;
}[keyof F];

/** An object with these fields, in one piece for editors. */
type ObjectOf<F extends Fields> = {
  [K in Exclude<keyof F, OptionalKey<F>>]: Static<F[K]>;
} & { [K in OptionalKey<F>]?: Static<F[K]> } extends infer O
  ? { [K in keyof O]: O[K] }
  : never;

export declare namespace Type {
  export type TArray<S extends TSchema> = SchemaOf<Static<S>[]>;
  export type TBoolean = SchemaOf<boolean>;
  export type TInteger = SchemaOf<number>;
  export type TLiteral<T> = SchemaOf<T>;
  export type TNull = SchemaOf<null>;
  export type TNumber = SchemaOf<number>;
  export type TObject<F extends Fields = Fields> = SchemaOf<ObjectOf<F>>;
  export type TOptional<S extends TSchema> = S & OptionalMark;
  export type TRecord<_K extends string, S extends TSchema> = SchemaOf<Record<string, Static<S>>>;
  export type TString = SchemaOf<string>;
  export type TUnion<S extends readonly TSchema[]> = SchemaOf<Static<S[number]>>;
  export type TUnknown = SchemaOf<unknown>;
  export type TUnsafe<T> = SchemaOf<T>;
}
