/** Which user a command is about. */
export const userArgument = {
  summary: "username, id, or me",
  required: true,
  completes: "user",
} as const;
