import { createServer, type RequestListener } from "node:http";

import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { Provider } from "oidc-provider";

import { openLocalServer } from "./local-server.ts";

/** The certified OpenID provider of npm, `oidc-provider`, with its own login pages, as the peer of a Slipway server. */
export interface OidcPeer extends AsyncDisposable {
  readonly url: string;
  /** The claims of its people by login name, which is their subject; anyone else has none. */
  readonly people: Map<string, Readonly<Record<string, unknown>>>;
  /** The grants that it gave and refused, in order: `refresh_token ok`, `authorization_code refused`. */
  readonly grants: string[];
  /** Begins to serve a client whose browsers return to these addresses. */
  serve(client: OidcPeerClient): void;
  /** Changes an answer before it is sent, by the path of its request (default: no change). */
  changeAnswer: (path: string, body: Record<string, unknown>) => void | Promise<void>;
  /** Signs an ID token with the provider's key. */
  sign(claims: JWTPayload): Promise<string>;
  /** Answers every request with this status instead; undefined to serve again. */
  outage: number | undefined;
  /** Ends all grants of a person, so that their refresh tokens are refused. */
  revokeAll(login: string): Promise<void>;
}

export interface OidcPeerClient {
  readonly redirectUris: readonly string[];
  readonly logOutUris?: readonly string[];
  readonly backchannelLogOutUri?: string;
}

export const oidcClient = { id: "slipway", secret: "the secret of the client" } as const;
const keyId = "key-1";

export async function openOidcPeer(): Promise<OidcPeer> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid: keyId, alg: "RS256", use: "sig" };
  let listener: RequestListener = (_request, response) => response.writeHead(503).end();
  let provider: Provider | undefined;
  const server = await openLocalServer(
    createServer((request, response) => {
      if (peer.outage === undefined) listener(request, response);
      else response.writeHead(peer.outage).end();
    }),
  );
  const grantIds = new Map<string, Set<string>>();
  const peer: OidcPeer = {
    url: server.url,
    people: new Map(),
    grants: [],
    changeAnswer: () => undefined,
    outage: undefined,
    serve: (client) => {
      provider = createProvider(peer, client, jwk);
      provider.on("grant.success", (ctx) => {
        peer.grants.push(`${String(ctx.oidc.params?.["grant_type"])} ok`);
        const { accountId, grantId } = ctx.oidc.entities.AccessToken ?? {};
        if (accountId === undefined || grantId === undefined) return;
        grantIds.set(accountId, (grantIds.get(accountId) ?? new Set()).add(grantId));
      });
      provider.on("grant.error", (ctx) => {
        peer.grants.push(`${String(ctx.oidc.params?.["grant_type"])} refused`);
      });
      const callback = provider.callback();
      listener = (request, response) => void callback(request, response);
    },
    sign: (claims) =>
      new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: keyId }).sign(privateKey),
    revokeAll: async (login) => {
      for (const id of grantIds.get(login) ?? []) {
        await provider?.RefreshToken.revokeByGrantId(id);
        await provider?.AccessToken.revokeByGrantId(id);
      }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return peer;
}

function createProvider(peer: OidcPeer, client: OidcPeerClient, jwk: object): Provider {
  const provider = new Provider(peer.url, {
    clients: [
      {
        client_id: oidcClient.id,
        client_secret: oidcClient.secret,
        token_endpoint_auth_method: "client_secret_post",
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        redirect_uris: [...client.redirectUris],
        post_logout_redirect_uris: [...(client.logOutUris ?? [])],
        ...(client.backchannelLogOutUri === undefined
          ? {}
          : {
              backchannel_logout_uri: client.backchannelLogOutUri,
              backchannel_logout_session_required: true,
            }),
      },
    ],
    jwks: { keys: [jwk] },
    cookies: { keys: ["a key of cookies"] },
    scopes: ["openid", "offline_access", "email", "profile"],
    claims: {
      openid: ["sub", "sid"],
      email: ["email", "email_verified"],
      profile: ["name", "preferred_username", "groups"],
    },
    // Its own dispatcher refuses addresses of this machine, where the servers of tests are.
    fetch: (url, options = {}) => {
      const { dispatcher: _dispatcher, ...rest } = options;
      return fetch(url, rest);
    },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: {
      AccessToken: 3600,
      IdToken: 600,
      RefreshToken: 86_400,
      Session: 86_400,
      Grant: 86_400,
      Interaction: 600,
    },
    features: {
      devInteractions: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      backchannelLogout: { enabled: true },
      userinfo: { enabled: true },
    },
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => Promise.resolve({ ...peer.people.get(id), sub: id }),
    }),
  });
  provider.use(async (ctx, next) => {
    await next();
    const { body } = ctx;
    if (typeof body === "object" && body !== null && !Buffer.isBuffer(body)) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the JSON that the provider answers
      await peer.changeAnswer(ctx.path, body as Record<string, unknown>);
    }
  });
  return provider;
}
