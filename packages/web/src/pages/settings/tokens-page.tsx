import { deleteKey, expireKey, listTokens } from "@slipway/api/users/key-routes";
import type { ListedToken } from "@slipway/api/users/token";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus, Timer, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";

import { client } from "../../api/client.ts";
import { ensureGone } from "../../api/ensure.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { EmptyState, Panel } from "../../ui/layout.tsx";
import { Badge, Status } from "../../ui/status.tsx";
import {
  ActionsCell,
  Cell,
  FoldedFacts,
  HeaderCell,
  HeaderRow,
  Row,
  SkeletonRows,
  Table,
} from "../../ui/table.tsx";
import { Time, useNow } from "../../ui/time.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { CreateTokenDialog } from "./create-token-dialog.tsx";
import { purposes, tokenState, wasUsed } from "./token-text.ts";

const query = { params: { user: "me" }, query: { include_expired: "true" } } as const;

export function TokensPage(): ReactNode {
  const list = useQuery(routeQuery(listTokens, query));
  const [isCreating, setCreating] = useState(false);
  const create = (
    <Button
      look="primary"
      size="small"
      icon={<Plus aria-hidden size={14} />}
      onClick={() => setCreating(true)}
    >
      New token
    </Button>
  );
  const isEmpty = list.data?.length === 0;
  return (
    <Panel title="API tokens" actions={isEmpty ? undefined : create} isFlush>
      {list.isError && (
        <div className="p-4">
          <FailureNotice error={list.error} onRetry={() => void list.refetch()} />
        </div>
      )}
      {isEmpty ? (
        <EmptyState icon={<KeyRound size={28} />} title="No tokens yet" action={create}>
          A token lets a program use the API, the command or the MCP server in your name, with no
          more rights than you give it.
        </EmptyState>
      ) : (
        <Table label="API tokens">
          <HeaderRow>
            <HeaderCell>Name</HeaderCell>
            <HeaderCell className="max-sm:hidden">Rights</HeaderCell>
            <HeaderCell className="max-sm:hidden">Last used</HeaderCell>
            <HeaderCell className="max-sm:hidden">Expires</HeaderCell>
            <HeaderCell>
              <span className="sr-only">Actions</span>
            </HeaderCell>
          </HeaderRow>
          <tbody>
            {list.isPending && <SkeletonRows columns={5} />}
            {list.data?.map((token) => (
              <TokenRow key={token.id} token={token} readAt={list.dataUpdatedAt} />
            ))}
          </tbody>
        </Table>
      )}
      {isCreating && <CreateTokenDialog onClose={() => setCreating(false)} />}
    </Panel>
  );
}

interface TokenRowProps {
  readonly token: ListedToken;
  /** The time at which the list was read, in milliseconds. */
  readonly readAt: number;
}

function TokenRow({ token, readAt }: TokenRowProps): ReactNode {
  // A token that was just expired is shown so at once, not only at the next tick of the page's time.
  const state = tokenState(token, new Date(Math.max(readAt, useNow().getTime())));
  const cache = useQueryClient();
  const [asked, setAsked] = useState<"expire" | "delete">();
  const name = untrusted(token.token_name);
  const isUsed = wasUsed(token);
  const params = { user: "me", key: token.id };
  const run = async (): Promise<void> => {
    await ensureGone(client.call(asked === "expire" ? expireKey : deleteKey, { params }));
    await refresh(cache, listTokens);
  };
  return (
    <Row>
      <Cell isText className="font-medium">
        <UntrustedText>{token.token_name}</UntrustedText>
        <FoldedFacts>
          <div className="w-full">
            <Rights token={token} />
          </div>
          <Status tone={tones[state]}>
            <span>
              {state === "expired" ? "expired" : "expires"} <Time time={token.expires_at} />
            </span>
          </Status>
          <span>
            {isUsed ? "used " : "never used"}
            {isUsed && <Time time={token.last_used} />}
          </span>
        </FoldedFacts>
      </Cell>
      <Cell isText className="max-sm:hidden">
        <Rights token={token} />
      </Cell>
      <Cell className="max-sm:hidden">{isUsed ? <Time time={token.last_used} /> : "Never"}</Cell>
      <Cell className="max-sm:hidden">
        <Status tone={tones[state]}>
          <Time time={token.expires_at} />
        </Status>
      </Cell>
      <ActionsCell>
        <IconButton
          size="small"
          label={`Expire ${name}`}
          icon={<Timer aria-hidden size={14} />}
          disabledReason={state === "expired" ? "It has expired already" : undefined}
          onClick={() => setAsked("expire")}
        />
        <IconButton
          size="small"
          label={`Delete ${name}`}
          icon={<Trash2 aria-hidden size={14} />}
          onClick={() => setAsked("delete")}
        />
        {asked !== undefined && (
          <ConfirmDialog
            title={asked === "expire" ? `Expire ${name}?` : `Delete ${name}?`}
            action={asked === "expire" ? "Expire token" : "Delete token"}
            isDangerous
            onConfirm={run}
            onClose={() => setAsked(undefined)}
          >
            <p>
              Programs that use it are refused at once.
              {asked === "expire" &&
                " It stays in this list, so that you can see when it was used."}
            </p>
          </ConfirmDialog>
        )}
      </ActionsCell>
    </Row>
  );
}

const tones = { active: "good", "expires-soon": "warn", expired: "neutral" } as const;

function Rights({ token: { scopes, allow_list } }: { readonly token: ListedToken }): ReactNode {
  const things = allow_list.filter((entry) => entry !== "*:*");
  return (
    <div className="flex max-w-md flex-wrap gap-1">
      {scopes.includes("coder:all") || scopes.includes("all") ? (
        <Badge tone="warn">all your rights</Badge>
      ) : (
        scopes.map((scope) => (
          <Badge key={scope} title={scope}>
            {purposes.find((one) => one.scope === scope)?.label ?? scope}
          </Badge>
        ))
      )}
      {things.length > 0 && (
        <Badge tone="active" title={things.join("\n")}>
          only {things.length === 1 ? "1 resource" : `${things.length} resources`}
        </Badge>
      )}
    </div>
  );
}
