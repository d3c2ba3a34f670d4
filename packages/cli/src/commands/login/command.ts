import { defineCommand } from "../../command/definition.ts";

export const command = defineCommand({
  summary: "log in to a server",
  description:
    "Log in and store the session for later commands. On a terminal, slipway prompts for missing values; with " +
    "--token or CODER_SESSION_TOKEN, it stores that token. On a server without users, it creates the first user.",
  arguments: { url: { summary: "address of the server", required: false } },
  flags: {
    email: {
      kind: "text",
      value: "email",
      summary: "email address to log in with",
      aliases: ["first-user-email"],
    },
    password: {
      kind: "text",
      value: "password",
      summary: "password (default: a prompt)",
      aliases: ["first-user-password"],
    },
    username: {
      kind: "text",
      value: "name",
      summary: "username of the first user, on a server without users",
      aliases: ["first-user-username"],
    },
    fullName: {
      kind: "text",
      value: "text",
      summary: "full name of the first user",
      aliases: ["first-user-full-name"],
    },
    useTokenAsSession: {
      kind: "switch",
      summary: "no effect: a given token always becomes the session",
      hidden: true,
    },
    firstUserTrial: { kind: "switch", summary: "no effect", hidden: true },
  },
  examples: [
    { line: "slipway login https://slipway.example.com", summary: "prompt for email and password" },
    {
      line: "slipway login localhost:3000 --email ada@example.com --password …",
      summary: "without a terminal",
    },
    { line: "slipway login https://slipway.example.com --token …", summary: "with a token" },
  ],
});
