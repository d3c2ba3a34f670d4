import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import type { Infer } from "../contract/scalars.ts";
import { OrganizationParams } from "../organizations/routes.ts";

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

export const listTemplateExamples = defineRoute({
  method: "GET",
  path: "/organizations/:organization/templates/examples",
  summary: "List templates to begin with",
  params: OrganizationParams,
  response: Type.Array(TemplateExample),
});
