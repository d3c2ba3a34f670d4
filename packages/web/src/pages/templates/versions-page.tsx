import type { TemplateVersion } from "@slipway/api/templates/template-version";
import {
  archiveTemplateVersion,
  archiveTemplateVersions,
  listTemplateVersions,
  unarchiveTemplateVersion,
} from "@slipway/api/templates/version-routes";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Ellipsis } from "lucide-react";
import { type ReactNode, useState } from "react";

import { client } from "../../api/client.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import { useRights } from "../../api/session.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { Panel } from "../../ui/layout.tsx";
import { Menu } from "../../ui/menu.tsx";
import { Segments } from "../../ui/segments.tsx";
import { Badge, Status } from "../../ui/status.tsx";
import {
  ActionsCell,
  Cell,
  HeaderCell,
  HeaderRow,
  Row,
  SkeletonRows,
  Table,
} from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { importState } from "./import-state.ts";
import { PromoteDialog } from "./promote-dialog.tsx";
import { useTemplate } from "./use-template.ts";

const route = getRouteApi("/member/framed/templates/$template/versions");
const notAllowed = "Only owners and template admins can change templates";

export function VersionsPage(): ReactNode {
  const template = useTemplate();
  const { archived } = route.useSearch();
  const { createTemplates } = useRights();
  const [isCleaning, setCleaning] = useState(false);
  const versions = useQuery(
    routeQuery(listTemplateVersions, {
      params: { template: template.id },
      query: archived === true ? { include_archived: "true" } : {},
    }),
  );
  const params = { template: template.name };
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-2">
        <Segments
          label="Show"
          segments={[
            {
              label: "In use",
              isCurrent: archived === undefined,
              link: { to: "/templates/$template/versions", params, search: {} },
            },
            {
              label: "With archived",
              isCurrent: archived === true,
              link: { to: "/templates/$template/versions", params, search: { archived: true } },
            },
          ]}
        />
        <Button
          size="small"
          disabledReason={createTemplates ? undefined : notAllowed}
          onClick={() => setCleaning(true)}
        >
          Archive failed…
        </Button>
      </div>
      {versions.isError && (
        <FailureNotice error={versions.error} onRetry={() => void versions.refetch()} />
      )}
      <Panel isFlush>
        <Table label="Versions">
          <HeaderRow>
            <HeaderCell>Version</HeaderCell>
            <HeaderCell>Import</HeaderCell>
            <HeaderCell className="max-sm:hidden">By</HeaderCell>
            <HeaderCell className="max-sm:hidden">Created</HeaderCell>
            <HeaderCell>
              <span className="sr-only">Actions</span>
            </HeaderCell>
          </HeaderRow>
          <tbody>
            {versions.isPending && <SkeletonRows columns={5} />}
            {versions.data
              ?.toSorted((a, b) => (a.created_at < b.created_at ? 1 : -1))
              .map((version) => (
                <VersionRow key={version.id} version={version} />
              ))}
          </tbody>
        </Table>
      </Panel>
      {isCleaning && <ArchiveDialog templateId={template.id} onClose={() => setCleaning(false)} />}
    </>
  );
}

function VersionRow({ version }: { readonly version: TemplateVersion }): ReactNode {
  const template = useTemplate();
  const { createTemplates } = useRights();
  const cache = useQueryClient();
  const toaster = useToaster();
  const [isPromoting, setPromoting] = useState(false);
  const isActive = version.id === template.active_version_id;
  const { tone, label, isUsable } = importState(version);
  const name = untrusted(version.name);
  const setArchived = async (): Promise<void> => {
    const call = version.archived ? unarchiveTemplateVersion : archiveTemplateVersion;
    try {
      await client.call(call, { params: { version: version.id } });
      await refresh(cache, listTemplateVersions);
      toaster.show(version.archived ? `${name} is restored.` : `${name} is archived.`);
    } catch (error) {
      toaster.fail(error instanceof Error ? error.message : `${name} cannot be archived.`);
    }
  };
  const mayNot = createTemplates ? undefined : notAllowed;
  return (
    <Row>
      <Cell isText>
        <Link
          to="/templates/$template/versions/$version"
          params={{ template: template.name, version: version.id }}
          className="font-medium hover:underline"
        >
          <UntrustedText>{version.name}</UntrustedText>
        </Link>{" "}
        {isActive && <Badge tone="good">active</Badge>}
        {version.archived && <Badge>archived</Badge>}
        {version.message !== "" && (
          <p className="line-clamp-2 max-w-xl text-ink-soft">
            <UntrustedText>{version.message}</UntrustedText>
          </p>
        )}
      </Cell>
      <Cell>
        <Status tone={tone}>{label}</Status>
      </Cell>
      <Cell className="max-sm:hidden">
        <UntrustedText>{version.created_by.username}</UntrustedText>
      </Cell>
      <Cell className="max-sm:hidden">
        <Time time={version.created_at} />
      </Cell>
      <ActionsCell>
        <Menu
          trigger={
            <IconButton
              size="small"
              label={`Actions for ${name}`}
              icon={<Ellipsis aria-hidden size={16} />}
            />
          }
          entries={() => [
            {
              label: "Promote…",
              onSelect: () => setPromoting(true),
              disabledReason:
                mayNot ??
                (isActive ? "It is already active" : undefined) ??
                (version.archived ? "It is archived" : undefined) ??
                (isUsable ? undefined : "Its import did not succeed"),
            },
            {
              label: version.archived ? "Unarchive" : "Archive",
              startsGroup: true,
              onSelect: () => void setArchived(),
              disabledReason:
                mayNot ?? (isActive ? "The active version cannot be archived" : undefined),
            },
          ]}
        />
        {isPromoting && <PromoteDialog version={version} onClose={() => setPromoting(false)} />}
      </ActionsCell>
    </Row>
  );
}

function ArchiveDialog({
  templateId,
  onClose,
}: {
  readonly templateId: string;
  readonly onClose: () => void;
}): ReactNode {
  const cache = useQueryClient();
  const toaster = useToaster();
  return (
    <ConfirmDialog
      title="Archive failed versions?"
      action="Archive"
      onConfirm={async () => {
        const { archived_ids: ids } = await client.call(archiveTemplateVersions, {
          params: { template: templateId },
          body: { all: false },
        });
        await refresh(cache, listTemplateVersions);
        toaster.show(ids.length === 1 ? "1 version archived." : `${ids.length} versions archived.`);
      }}
      onClose={onClose}
    >
      <p>Versions whose import failed are hidden from the list. You can restore them one by one.</p>
    </ConfirmDialog>
  );
}
