import type {
  ExternalAuthLink,
  ExternalAuthProvider,
} from "@slipway/api/external-auth/external-auth";
import { deleteExternalAuth, listExternalAuth } from "@slipway/api/external-auth/routes";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link2 } from "lucide-react";
import { type ReactNode, useState } from "react";

import { client } from "../../api/client.ts";
import { ensureGone } from "../../api/ensure.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { Button, buttonClasses } from "../../ui/button.tsx";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { EmptyState, Panel, Skeleton } from "../../ui/layout.tsx";
import { Status, type Tone } from "../../ui/status.tsx";
import { Time } from "../../ui/time.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";

export function ExternalAuthPage(): ReactNode {
  const list = useQuery(routeQuery(listExternalAuth));
  return (
    <Panel title="External accounts" isFlush>
      <p className="border-b border-line px-4 py-3 text-ink-soft">
        Workspaces act for you at these providers, for example to clone private repositories.
      </p>
      {list.isError && (
        <div className="p-4">
          <FailureNotice error={list.error} onRetry={() => void list.refetch()} />
        </div>
      )}
      {list.isPending && (
        <div className="p-4">
          <Skeleton className="h-10 w-full" />
        </div>
      )}
      {list.data?.providers.length === 0 && (
        <EmptyState icon={<Link2 size={28} />} title="No providers are configured">
          An administrator adds GitHub, GitLab and others in the configuration of the server; see
          “External authentication” in the documentation.
        </EmptyState>
      )}
      <ul>
        {list.data?.providers.map((provider) => (
          <ProviderRow
            key={provider.id}
            provider={provider}
            link={list.data.links.find((link) => link.provider_id === provider.id)}
          />
        ))}
      </ul>
    </Panel>
  );
}

function ProviderRow({
  provider,
  link,
}: {
  readonly provider: ExternalAuthProvider;
  readonly link: ExternalAuthLink | undefined;
}): ReactNode {
  const cache = useQueryClient();
  const toaster = useToaster();
  const [isAsking, setAsking] = useState(false);
  const name = untrusted(provider.display_name || provider.id);
  const state = linkState(link);
  const unlink = async (): Promise<void> => {
    const params = { provider: provider.id };
    const removal = await ensureGone(client.call(deleteExternalAuth, { params }));
    await refresh(cache, listExternalAuth);
    const isKept = provider.supports_revocation && removal?.token_revoked === false;
    if (isKept) toaster.fail(`${name} did not revoke the token: revoke it there.`);
    else toaster.show(`${name} unlinked.`);
  };
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-line px-4 py-3 last:border-b-0">
      <div className="min-w-0 flex-1">
        <p className="font-medium">
          <UntrustedText>{provider.display_name || provider.id}</UntrustedText>
        </p>
        <p className="text-sm text-ink-soft wrap-anywhere">
          <Status tone={state.tone}>{state.label}</Status>
          {link !== undefined && (
            <>
              {" "}
              · linked <Time time={link.created_at} />
            </>
          )}
        </p>
        {link !== undefined && link.validate_error !== "" && (
          <p className="text-sm text-bad">
            <UntrustedText>{link.validate_error}</UntrustedText>
          </p>
        )}
      </div>
      {state.canLink && (
        <a
          href={`/external-auth/${encodeURIComponent(provider.id)}?redirect=%2Fsettings%2Fexternal-auth`}
          className={buttonClasses("secondary", "small")}
        >
          {link === undefined ? "Link account" : "Link again"}
          <span className="sr-only"> at {name}</span>
        </a>
      )}
      {link !== undefined && (
        <Button size="small" onClick={() => setAsking(true)}>
          Unlink…<span className="sr-only"> {name}</span>
        </Button>
      )}
      {isAsking && (
        <ConfirmDialog
          title={`Unlink ${name}?`}
          action="Unlink account"
          isDangerous
          onConfirm={unlink}
          onClose={() => setAsking(false)}
        >
          <p>
            Workspaces that clone from {name} fail until you link it again.{" "}
            {provider.supports_revocation
              ? "The token is revoked there too."
              : `The token stays valid there: revoke it in the settings of ${name} as well.`}
          </p>
        </ConfirmDialog>
      )}
    </li>
  );
}

interface LinkState {
  readonly tone: Tone;
  readonly label: string;
  /** True if logging in at the provider would help. */
  readonly canLink: boolean;
}

/** Returns what a user should know of their link to a provider; undefined stands for none. */
function linkState(
  link: Pick<ExternalAuthLink, "authenticated" | "has_refresh_token"> | undefined,
): LinkState {
  if (link === undefined) return { tone: "neutral", label: "Not linked", canLink: true };
  if (!link.authenticated) return { tone: "bad", label: "Token rejected", canLink: true };
  if (!link.has_refresh_token) return { tone: "good", label: "Linked", canLink: false };
  return { tone: "good", label: "Linked, renews automatically", canLink: false };
}
