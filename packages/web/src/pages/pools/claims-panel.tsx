import { listPrebuildClaims, type PrebuildClaim } from "@slipway/api/prebuilds/routes";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { Panel } from "../../ui/layout.tsx";
import { Cell, HeaderCell, HeaderRow, Row, SkeletonRows, Table } from "../../ui/table.tsx";
import { duration } from "../../ui/time-text.ts";
import { Time } from "../../ui/time.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";
import { claimSteps } from "./claim-steps.ts";

/** Claims are read at this interval, in milliseconds. */
const repeatMs = 30_000;

/** The latest claims, each with the times of its steps. */
export function ClaimsPanel(): ReactNode {
  const claims = useQuery({ ...routeQuery(listPrebuildClaims), refetchInterval: repeatMs });
  return (
    <Panel title="Latest claims" isFlush>
      {claims.isError && (
        <div className="p-4">
          <FailureNotice error={claims.error} onRetry={() => void claims.refetch()} />
        </div>
      )}
      {claims.data?.length === 0 ? (
        <p className="p-4 text-ink-soft">
          No claims yet. Each claim is listed here with the times of its steps.
        </p>
      ) : (
        <Table label="Latest claims">
          <HeaderRow>
            <HeaderCell>Claimed</HeaderCell>
            <HeaderCell>Workspace</HeaderCell>
            <HeaderCell>Pool</HeaderCell>
            <HeaderCell>Had waited</HeaderCell>
            <HeaderCell>Agent told</HeaderCell>
            <HeaderCell>Restarted</HeaderCell>
            <HeaderCell>Ready</HeaderCell>
          </HeaderRow>
          <tbody>
            {claims.isPending && <SkeletonRows columns={7} />}
            {claims.data?.map((claim) => (
              <ClaimRow key={claim.workspace_id} claim={claim} />
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}

function ClaimRow({ claim }: { readonly claim: PrebuildClaim }): ReactNode {
  const name = `${claim.owner_name}/${claim.workspace_name}`;
  const waitedMs = Date.parse(claim.claimed_at) - Date.parse(claim.created_at);
  return (
    <Row>
      <Cell>
        <Time time={claim.claimed_at} />
      </Cell>
      <Cell className="font-medium">
        {claim.workspace_deleted ? (
          <span className="font-normal text-ink-soft">deleted</span>
        ) : (
          <Link
            to="/@{$owner}/$workspace"
            params={{ owner: claim.owner_name, workspace: claim.workspace_name }}
            className="hover:underline"
          >
            <UntrustedText>{name}</UntrustedText>
          </Link>
        )}
      </Cell>
      <Cell>
        <UntrustedText>{`${claim.template_name} / ${claim.preset_name}`}</UntrustedText>
      </Cell>
      <Cell>{duration(waitedMs)}</Cell>
      {claimSteps(claim).map(({ label, afterMs }) => (
        <Cell key={label}>{afterMs === undefined ? "—" : `+${duration(afterMs)}`}</Cell>
      ))}
    </Row>
  );
}
