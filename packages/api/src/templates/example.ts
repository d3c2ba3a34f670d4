import { Type } from "typebox";

import type { Infer } from "../contract/scalars.ts";

/** A starter template. A new version names its `id` as `example_id`. */
export const TemplateExample = Type.Object({
  id: Type.String(),
  url: Type.String(),
  name: Type.String(),
  description: Type.String(),
  icon: Type.String(),
  tags: Type.Array(Type.String()),
  markdown: Type.String(),
});
export type TemplateExample = Infer<typeof TemplateExample>;
