import { listTemplates } from "@slipway/api/templates/routes";
import type { Template } from "@slipway/api/templates/template";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { LayoutTemplate, Plus } from "lucide-react";
import { type ReactNode, useState } from "react";

import { routeQuery } from "../../api/queries.ts";
import { useRights } from "../../api/session.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { SearchBar } from "../../components/search/search-bar.tsx";
import { Button } from "../../ui/button.tsx";
import { EmptyState, PageHeader, Panel } from "../../ui/layout.tsx";
import { Badge } from "../../ui/status.tsx";
import { Cell, HeaderCell, HeaderRow, Row, SkeletonRows, Table } from "../../ui/table.tsx";
import { duration } from "../../ui/time-text.ts";
import { Time } from "../../ui/time.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { CreateTemplateDialog } from "./create-template-dialog.tsx";

const route = getRouteApi("/member/framed/templates");

const terms = [["word", "part of the name or the description"]] as const;

export function TemplatesPage(): ReactNode {
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const { createTemplates } = useRights();
  const [isCreating, setCreating] = useState(false);
  const list = useQuery(routeQuery(listTemplates, { query: {} }));
  const words = q.toLowerCase().split(/\s+/);
  const found = list.data?.filter(({ name, display_name, description }) => {
    const text = `${name} ${display_name} ${description}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const isEmpty = list.data?.length === 0;
  const create = (
    <Button
      look="primary"
      icon={<Plus aria-hidden size={14} />}
      disabledReason={
        createTemplates ? undefined : "Only owners and template admins can create templates"
      }
      onClick={() => setCreating(true)}
    >
      New template
    </Button>
  );
  return (
    <>
      <PageHeader title="Templates" actions={isEmpty ? undefined : create}>
        Blueprints for workspaces: their machine, tools and apps.
      </PageHeader>
      {list.isError && <FailureNotice error={list.error} onRetry={() => void list.refetch()} />}
      {isEmpty ? (
        <Panel>
          <EmptyState icon={<LayoutTemplate size={28} />} title="No templates yet" action={create}>
            A template is a file, slipway.yaml, that describes a machine and its applications. Start
            from an example, or push one of your own: <code>slipway templates push</code>.
          </EmptyState>
        </Panel>
      ) : (
        <>
          <SearchBar
            label="Search templates"
            placeholder="Search templates"
            search={q}
            terms={terms}
            onSearch={(next) =>
              void navigate({ search: next === "" ? {} : { q: next }, replace: true })
            }
          />
          <Panel isFlush>
            <Table label="Templates">
              <HeaderRow>
                <HeaderCell>Template</HeaderCell>
                <HeaderCell>Users</HeaderCell>
                <HeaderCell>Starts in</HeaderCell>
                <HeaderCell>Updated</HeaderCell>
                <HeaderCell>Created by</HeaderCell>
              </HeaderRow>
              <tbody>
                {list.isPending && <SkeletonRows columns={5} />}
                {found?.map((template) => (
                  <TemplateRow key={template.id} template={template} />
                ))}
                {found?.length === 0 && (
                  <Row>
                    <Cell colSpan={5} className="text-ink-soft">
                      No template matches.
                    </Cell>
                  </Row>
                )}
              </tbody>
            </Table>
          </Panel>
        </>
      )}
      {isCreating && <CreateTemplateDialog onClose={() => setCreating(false)} />}
    </>
  );
}

function TemplateRow({ template }: { readonly template: Template }): ReactNode {
  const { P50: start } = template.build_time_stats.start;
  return (
    <Row>
      <Cell isText>
        <Link
          to="/templates/$template"
          params={{ template: template.name }}
          className="font-medium hover:underline"
        >
          <UntrustedText>{template.display_name || template.name}</UntrustedText>
        </Link>{" "}
        {template.deprecated && (
          <Badge tone="warn" title={untrusted(template.deprecation_message)}>
            deprecated
          </Badge>
        )}
        {template.description !== "" && (
          <p className="line-clamp-2 max-w-xl text-ink-soft">
            <UntrustedText>{template.description}</UntrustedText>
          </p>
        )}
      </Cell>
      <Cell>{template.active_user_count}</Cell>
      <Cell>{start === null ? "—" : duration(start)}</Cell>
      <Cell>
        <Time time={template.updated_at} />
      </Cell>
      <Cell>
        <UntrustedText>{template.created_by_name}</UntrustedText>
      </Cell>
    </Row>
  );
}
