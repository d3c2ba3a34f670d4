/** The argument that names a token. */
export const tokenArgument = {
  summary: "name or id of the token",
  required: true,
  completes: "token",
} as const;
