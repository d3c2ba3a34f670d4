import type { ExternalAuthDefinition } from "../definition.ts";
import { object } from "./map-shape.ts";
import { boolean } from "./scalar-shape.ts";
import { type Shape, transform, withDefault, withExample } from "./shape.ts";

/** One provider; its key is its id. */
export const externalAuth: Shape<ExternalAuthDefinition> = transform(
  object({
    optional: withDefault(
      withExample("True if workspaces start without a login to the provider.", true),
      boolean,
      false,
    ),
  }),
  ({ optional }, { key }) => ({ id: key, isOptional: optional }),
);
