import { Type } from "typebox";

import { type Infer, oneOf } from "./scalars.ts";

/** One rejected field. */
export const Validation = Type.Object({ field: Type.String(), detail: Type.String() });

const texts = {
  message: Type.String(),
  detail: Type.Optional(Type.String()),
  validations: Type.Optional(Type.Array(Validation)),
};

/** A body of texts for people, as some successful responses have. */
export const TextsBody = Type.Object(texts);

/**
 * The body of every error (docs/protocol/rest.md §1.6). `detail` and `validations` are left out when empty; requests
 * that reach into a workspace also have the last three, for programs.
 */
export const ErrorBody = Type.Object({
  ...texts,
  /** The kind of the error. */
  code: Type.Optional(Type.String()),
  /** True if the same request may succeed later. */
  retryable: Type.Optional(Type.Boolean()),
  /** Tells whether the workspace has carried the request out. */
  admitted: Type.Optional(oneOf("yes", "no", "unknown")),
});
export type Validation = Infer<typeof Validation>;
export type ErrorBody = Infer<typeof ErrorBody>;

/** A body with only a message, as some successful responses have. */
export const MessageBody = Type.Object({ message: Type.String() });
