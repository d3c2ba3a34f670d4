import { defineCommand } from "../../command/definition.ts";

export const command = defineCommand({
  name: "login",
  summary: "log in to a server",
  description:
    "Logs in and keeps the session for the commands that follow. Asks on a terminal for what is not given; " +
    "with --token or CODER_SESSION_TOKEN it keeps that token. On a server without users it makes the first one.",
  arguments: { url: { summary: "address of the server", required: false } },
  flags: {
    email: { kind: "text", value: "email", summary: "with which to log in" },
    password: { kind: "text", value: "password", summary: "the password; asked for on a terminal" },
    username: {
      kind: "text",
      value: "name",
      summary: "name of the first user, on a server without users",
    },
  },
  examples: [
    { line: "slipway login https://slipway.example.com", summary: "asks for email and password" },
    {
      line: "slipway login localhost:3000 --email ada@example.com --password …",
      summary: "without a terminal",
    },
    { line: "slipway login https://slipway.example.com --token …", summary: "with a token" },
  ],
});
