/** The argument that names a token. */
export const tokenArgument = {
  summary: "name or id of the token",
  required: true,
  completion: "token",
} as const;
