import { pagePaths } from "@slipway/api/deployment/page-paths";
import { refusalText } from "@slipway/api/users/log-in-refusals";
import { getAuthMethods } from "@slipway/api/users/routes";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { forgetSession } from "../../api/page-session.ts";
import { routeQuery } from "../../api/queries.ts";
import { EntryFrame } from "../../components/entry-frame.tsx";
import { LogInWays } from "../../components/log-in/log-in-ways.tsx";
import { Notice } from "../../ui/notice.tsx";

const route = getRouteApi("/login");

export function LogInPage(): ReactNode {
  const { expired, error, provider, redirect } = route.useSearch();
  const router = useRouter();
  const cache = useQueryClient();
  const methods = useQuery(routeQuery(getAuthMethods));
  const providers = methods.data?.providers ?? [];
  const providerName = providers.find(({ id }) => id === provider)?.display_name;
  const path = localPath(redirect);
  const goOn = (): void => {
    forgetSession();
    cache.clear();
    // Others are pages of the server itself, such as the log-in of an app.
    if (isDashboardPath(path)) router.history.push(path);
    else location.assign(path);
  };
  const problem = refusalText(error ?? null, providerName ?? "the provider");
  return (
    <EntryFrame title="Log in to Slipway">
      {expired === true && (
        <Notice tone="info" title="Your session has ended.">
          Log in again to continue where you left off.
        </Notice>
      )}
      {problem !== undefined && <Notice tone="bad" title={problem} />}
      <LogInWays path={path} onLoggedIn={goOn} />
    </EntryFrame>
  );
}

/** Returns whether the router has a page for a path. */
function isDashboardPath(path: string): boolean {
  const { pathname } = new URL(path, location.origin);
  return pagePaths.some((pattern) => {
    const form = pattern.replaceAll(/:[a-z]+/g, "[^/]+").replace("*", ".*");
    return new RegExp(`^${form}$`).test(pathname) && !pathname.includes("/apps/");
  });
}

/** Returns the path to go on at: only one of this server. */
function localPath(path: string | undefined): string {
  if (path === undefined || !path.startsWith("/")) return "/";
  const url = new URL(path, location.origin);
  return url.origin === location.origin ? `${url.pathname}${url.search}${url.hash}` : "/";
}
