import { Type } from "typebox";

import { type Infer, Timestamp, Uuid } from "../contract/scalars.ts";

export const Organization = Type.Object({
  id: Uuid,
  name: Type.String(),
  display_name: Type.String(),
  description: Type.String(),
  icon: Type.String(),
  created_at: Timestamp,
  updated_at: Timestamp,
  is_default: Type.Boolean(),
  default_org_member_roles: Type.Array(Type.String()),
});
export type Organization = Infer<typeof Organization>;
