import type { AppHealth } from "@slipway/api/agents/app";
import { printableLine } from "@slipway/runtime";

import { type AgentRung, UnreachableAgent } from "../../network/own-peer/unreachable-agent.ts";
import { Refusal, type SeveralSessions } from "../../platform/errors/errors.ts";
import type { AppProblem, OpenedApp } from "./app-access.ts";
import type { AppPage } from "./app-page.ts";
import { AppError, type AppErrorCode } from "./forward-request.ts";

const listApps = "List the apps of a workspace: `slipway open app <workspace>`.";

/** The page of an app that does not exist for its viewer. */
export const unknownApp: AppPage = {
  status: 404,
  title: "App not found",
  text: "There is no such app, or you may not open it.",
  advice: [
    "Check the address: it names the app, the workspace and its owner.",
    listApps,
    "If the workspace belongs to somebody else, ask them to share the app with you.",
  ],
};

export const malformedHost: AppPage = {
  status: 400,
  title: "Invalid app address",
  text: "The address does not name an app. It has the form app--workspace--owner, or port--agent--workspace--owner.",
  advice: [listApps],
};

export const notSignedIn: AppPage = {
  status: 401,
  title: "Not logged in",
  text: "You are not logged in, or your session has expired. Open the app in a browser to log in.",
};

/** Returns the page for a browser with several sessions, which deletes them. */
export function severalSessions({ message, detail = "", cookies }: SeveralSessions): AppPage {
  return {
    status: 401,
    title: "Several sessions",
    text: message,
    advice: [detail],
    headers: { "Set-Cookie": cookies },
  };
}

export const foreignOrigin: AppPage = {
  status: 403,
  title: "Request from another site",
  text: "The page of another site made this request, which could act in your name.",
  advice: ["Open the app by its own address."],
};

export const pathAppsOff: AppPage = {
  status: 403,
  title: "Path apps are turned off",
  text: "This server does not open apps by a path, only at their own host names.",
  advice: ["Set `subdomain: true` for the app in its template."],
};

export const tooManyRefused: AppPage = {
  status: 429,
  title: "Too many requests",
  text: "Too many requests from your address were refused within a minute.",
  advice: ["Wait a minute, then reload this page."],
  headers: { "Retry-After": "60" },
};

export const internalFailure: AppPage = {
  status: 500,
  title: "Server error",
  text: "The server could not open the app. Its log has the reason.",
  advice: ["Reload this page; if that does not help, tell an administrator."],
};

/** The states of a workspace that become `running` by themselves. */
const beginning: ReadonlySet<string> = new Set(["pending", "starting"]);

/** Returns the page for an app that cannot be opened now. */
export function problemPage(problem: AppProblem): AppPage {
  switch (problem.type) {
    case "stopped":
      return {
        status: 400,
        title: "Workspace is not running",
        text: `The workspace of this app is ${problem.status}.`,
        advice: beginning.has(problem.status)
          ? ["Wait until it is running, then reload this page."]
          : ["Start the workspace: `slipway start <workspace>`.", "Then reload this page."],
      };
    case "disconnected":
      return {
        status: 404,
        title: "Agent is not connected",
        text: `The agent of the workspace is ${problem.status}, so the app cannot be reached.`,
        advice: [
          "A workspace that has just started needs a moment: reload this page.",
          "If that does not help, look at its state and its log: `slipway show <workspace>`.",
        ],
      };
    case "no-url":
      return {
        status: 400,
        title: "App is not served here",
        text: problem.isExternal
          ? "This app has its own address, which browsers open directly."
          : "This app is a command, which runs in a terminal.",
        advice: [
          problem.isExternal
            ? listApps
            : "Run the command in the workspace: `slipway ssh -t <workspace> -- <command>`.",
        ],
      };
    case "reserved-port":
      return {
        status: 400,
        title: "Port is reserved",
        text: `Application port ${problem.port} is not permitted. Ports less than 9 are reserved for internal use.`,
        advice: ["Have the app listen on another port, and change its `url` in the template."],
      };
  }
}

/** Returns the page for a failed request to an app; undefined if the fault is the server's. */
export function failurePage(error: unknown, app: OpenedApp): AppPage | undefined {
  if (error instanceof UnreachableAgent) return unreachablePage(error, app);
  if (error instanceof AppError) return appErrorPage(error, app);
  if (!(error instanceof Refusal) || error.code !== "unavailable") return undefined;
  return {
    status: 503,
    title: "Server is busy",
    text: error.message,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    headers: { "Retry-After": "10" },
  };
}

const rungs: Readonly<Record<AgentRung, { readonly text: string; readonly advice: string }>> = {
  coordinator: {
    text: "The server does not learn where the workspace is.",
    advice: "This is a fault of the server: tell an administrator.",
  },
  relay: {
    text: "The server has no relay to reach the workspace by.",
    advice: "This is a fault of the server: tell an administrator.",
  },
  agent: {
    text: "The agent of the workspace has not joined the network.",
    advice: "A workspace that has just started needs a moment: reload this page.",
  },
  handshake: {
    text: "The agent of the workspace does not answer.",
    advice:
      "Check that the machine of the workspace runs and has a network, or restart the workspace.",
  },
  port: {
    text: "The workspace is there, but nothing listens on the port of the app.",
    advice: "Start the app in the workspace, or look at the log of the script that starts it.",
  },
  peer: {
    text: "The server's own connection to the network has failed, and is being replaced.",
    advice: "Reload this page in a moment.",
  },
};

function unreachablePage({ rung, detail }: UnreachableAgent, app: OpenedApp): AppPage {
  const { text, advice } = rungs[rung];
  return {
    status: 502,
    title: `${titleOf(app)} cannot be reached`,
    text: `${text}${healthText(app)}`,
    advice: [advice],
    detail: `${rung}: ${detail ?? "no answer"}`,
  };
}

const faults: Readonly<Record<AppErrorCode, { readonly text: string; readonly advice: string }>> = {
  "no-answer": {
    text: "The app took the request and did not answer in time.",
    advice: "Check in the workspace what the app is doing, and restart it if it hangs.",
  },
  ended: {
    text: "The app closed the connection before it answered.",
    advice: "Look at the log of the app in the workspace: it may have crashed.",
  },
  malformed: {
    text: "What listens on the port of the app does not speak HTTP.",
    advice: "Check the port in the app's URL, and whether it needs https instead of http.",
  },
  "large-header": {
    text: "The app answered with a header that is too large.",
    advice: "Delete the app's cookies in your browser; if that does not help, the app is at fault.",
  },
  "no-tls": {
    text: "What listens on the port of the app does not speak https.",
    advice: "Check the app's URL: it may need http instead of https.",
  },
};

function appErrorPage({ code, message }: AppError, app: OpenedApp): AppPage {
  const { text, advice } = faults[code];
  return {
    status: code === "no-answer" ? 504 : 502,
    title: `${titleOf(app)} does not work`,
    text: `${text}${healthText(app)}`,
    advice: [advice],
    detail: `${code}: ${message}`,
  };
}

function titleOf(app: OpenedApp): string {
  const name = printableLine(app.name);
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}

const healthTexts: Readonly<Record<AppHealth, string>> = {
  disabled: "",
  initializing: " The agent has not yet found it healthy.",
  healthy: " The agent last found it healthy.",
  unhealthy: " The agent finds it unhealthy.",
};

function healthText({ health }: OpenedApp): string {
  return healthTexts[health];
}
