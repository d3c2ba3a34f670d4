/** The argument that names a user. */
export const userArgument = {
  summary: "username, id, or me",
  required: true,
  completion: "user",
} as const;
