/** Columns of organizations, with the names that `coder` gives them. */
export const organizationColumnNames = [
  "id",
  "name",
  "display name",
  "default",
  "description",
  "icon",
  "created at",
  "updated at",
] as const;
