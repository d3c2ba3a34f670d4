import { createServer } from "node:http";
import { json } from "node:stream/consumers";

import {
  connectExternalAgent,
  type LocalServer,
  makeWorkspace,
  openLocalServer,
  pushTemplate,
} from "@slipway/testkit";
import { type OAuthServer, openOAuthServer } from "@slipway/testkit/oauth";
import { inject } from "vitest";

import { openReplica, openServer, type OpenServer } from "./open-server.ts";
import { addPerson, type Person } from "./people.ts";
import { ProviderBrowser } from "./provider-browser.ts";
import { type WireAnswer, wireRequest } from "./wire-request.ts";

const template = `
driver: external
agents:
  main: { os: linux, arch: amd64 }
`;

/** The requests received by GitHub, and the status of its next response. */
interface GitHub {
  asked: unknown[];
  status: number;
}

/** A server with three providers, the last of them GitHub, and two users with one agent each. */
export interface ExternalAuthWorld extends AsyncDisposable {
  readonly server: OpenServer;
  /** The authorization server of all providers. */
  readonly provider: OAuthServer;
  readonly github: GitHub;
  readonly ada: Person;
  readonly eve: Person;
  readonly adasAgent: string;
  readonly evesAgent: string;
  /** Opens another replica with the same settings; it is closed with the world. */
  readonly openReplica: () => Promise<{ readonly url: string }>;
  /** Requests a token like an agent (default: Ada's). */
  readonly agentsToken: (query: string, token?: string, url?: string) => Promise<WireAnswer>;
  readonly browserOf: (person: Person) => ProviderBrowser;
  /** Forgets all logins, and the provider's pending responses. */
  readonly reset: () => Promise<void>;
}

/** The response to an agent whose owner has not logged in. */
export const notLoggedIn = {
  access_token: "",
  token_extra: null,
  type: "",
  username: "",
  password: "",
};

export async function openExternalAuthWorld(): Promise<ExternalAuthWorld> {
  await using opening = new AsyncDisposableStack();
  const github: GitHub = { asked: [], status: 204 };
  const provider = opening.use(await openOAuthServer());
  const { url: githubUrl } = opening.use(await openGitHub(github));
  const environment = {
    SLIPWAY_SECRET_KEY: "a key of the server that is long enough",
    ...provider.settings(0, "git"),
    ...provider.settings(1, "other"),
    SLIPWAY_EXTERNAL_AUTH_1_REGEX: "",
    SLIPWAY_EXTERNAL_AUTH_1_EXTRA_TOKEN_KEYS: "scope",
    ...provider.settings(2, "hub"),
    SLIPWAY_EXTERNAL_AUTH_2_TYPE: "github",
    SLIPWAY_EXTERNAL_AUTH_2_REGEX: "hub",
    SLIPWAY_EXTERNAL_AUTH_2_REVOKE_URL: `${githubUrl}/applications/slipway/grant`,
  };
  const server = opening.use(await openServer(inject("postgresUrl"), environment));
  const templateId = await pushTemplate(server.admin, "external", template);
  const [ada, eve] = [await addPerson(server, "ada"), await addPerson(server, "eve")];
  const connect = async ({ client }: Person): Promise<string> => {
    const workspace = await makeWorkspace(client, "dev", templateId, () => true);
    const agent = await connectExternalAgent(server.admin, workspace.id, "main");
    opening.adopt(agent, ({ connection }) => connection.close());
    return agent.token;
  };
  const [adasAgent, evesAgent] = [await connect(ada), await connect(eve)];
  const opened = opening.move();
  return {
    server,
    provider,
    github,
    ada,
    eve,
    adasAgent,
    evesAgent,
    openReplica: async () => opened.use(await openReplica(server, environment)),
    agentsToken: (query, token = adasAgent, url = server.url) =>
      wireRequest("GET", `${url}/api/v2/workspaceagents/me/external-auth?${query}`, { token }),
    browserOf: ({ client }) => new ProviderBrowser(server, client),
    reset: async () => {
      provider.changeAnswer = () => undefined;
      await server.db.deleteFrom("external_auth_links").execute();
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function openGitHub(github: GitHub): Promise<LocalServer> {
  return openLocalServer(
    createServer((request, response) => {
      const { method, url, headers } = request;
      void json(request).then((body) => {
        github.asked.push({ method, url, authorization: headers.authorization, body });
        response.writeHead(github.status).end();
      });
    }),
  );
}
